"""GPT-2 in PyTorch (Radford et al. 2019, Language Models are Unsupervised Multitask Learners).

Shape letters: B batch, C choices, T length, S positions attended to, D width, N heads, H head size, F feed-forward
width, L labels, V vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...backends.cache import heads_per_layer
from ...backends.checks import check_cross_attention, check_length, check_one_of
from ...backends.heads import leading_axes
from ...backends.torch import ops
from ...backends.torch.activations import activation, identity
from ...backends.torch.attention import (
    attend,
    attend_in_float32,
    join_heads,
    padding_mask,
    per_layer_head_masks,
    preceding_mask,
    split_heads,
)
from ...backends.torch.cache import Cache, LayerCache
from ...backends.torch.checks import check_indices, check_token_ids
from ...backends.torch.generation import GenerationMixin
from ...backends.torch.heads import (
    QuestionAnswering,
    SequenceSummary,
    TokenClassification,
    choices_as_rows,
    rightmost,
    scored_positions,
)
from ...backends.torch.layers import CheckpointedLayer, Conv1D
from ...backends.torch.model import PreTrainedModel
from ...losses import causal_language_model_loss, cross_entropy, sequence_classification_loss
from ...outputs import (
    BaseModelOutputWithPastAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    GPT2DoubleHeadsModelOutput,
    SequenceClassifierOutputWithPast,
    Wanted,
)
from .configuration_gpt2 import GPT2Config


class GPT2Attention(nn.Module):
    """Attention to the tokens before, and its projection."""

    def __init__(self, config: GPT2Config, heads: int, layer: int) -> None:
        super().__init__()
        width, self.head_size = config.n_embd, config.n_embd // config.n_head
        self.explicit = config._attn_implementation == "eager"
        self.attend = attend_in_float32 if config.reorder_and_upcast_attn else attend
        self.scale = config.attention_scale(layer)
        self.c_attn = Conv1D(3 * heads * self.head_size, width)
        self.c_proj = Conv1D(width, heads * self.head_size)
        self.attn_dropout = nn.Dropout(config.attn_pdrop)
        self.resid_dropout = nn.Dropout(config.resid_pdrop)

    def forward(
        self,
        hidden: Tensor,
        score_mask: Tensor | None,
        head_mask: Tensor | None,
        memory: LayerCache | None,
        wanted: Wanted,
    ) -> tuple[Tensor, Tensor | None]:
        query, key, value = (split_heads(part, self.head_size) for part in self.c_attn(hidden).chunk(3, -1))
        if memory is not None:
            key, value = memory.extend(key, value)  # [B, N, S, H]
        dropout = self.attn_dropout.p if self.training else 0.0
        explicit = self.explicit or wanted.attentions
        context, weights = self.attend(query, key, value, score_mask, dropout, head_mask, explicit, self.scale)
        return self.resid_dropout(self.c_proj(join_heads(context))), weights


class GPT2CrossAttention(nn.Module):
    """Attention to an encoder, and its projection."""

    def __init__(self, config: GPT2Config, layer: int) -> None:
        super().__init__()
        width, self.head_size = config.n_embd, config.n_embd // config.n_head
        self.explicit = config._attn_implementation == "eager"
        self.attend = attend_in_float32 if config.reorder_and_upcast_attn else attend
        self.scale = config.attention_scale(layer)
        self.q_attn = Conv1D(width, width)
        self.c_attn = Conv1D(2 * width, width)
        self.c_proj = Conv1D(width, width)
        self.attn_dropout = nn.Dropout(config.attn_pdrop)
        self.resid_dropout = nn.Dropout(config.resid_pdrop)

    def forward(
        self,
        hidden: Tensor,
        encoder_hidden: Tensor,
        score_mask: Tensor | None,
        head_mask: Tensor | None,
        memory: LayerCache | None,
        wanted: Wanted,
    ) -> tuple[Tensor, Tensor | None]:
        def keys_and_values() -> tuple[Tensor, Tensor]:
            key, value = (split_heads(part, self.head_size) for part in self.c_attn(encoder_hidden).chunk(2, -1))
            return key, value

        query = split_heads(self.q_attn(hidden), self.head_size)  # [B, N, T, H]
        key, value = keys_and_values() if memory is None else memory.once(keys_and_values)  # [B, N, S, H]
        dropout = self.attn_dropout.p if self.training else 0.0
        explicit = self.explicit or wanted.attentions
        context, weights = self.attend(query, key, value, score_mask, dropout, head_mask, explicit, self.scale)
        return self.resid_dropout(self.c_proj(join_heads(context))), weights


class GPT2MLP(nn.Module):
    """The feed-forward block: wider, and back."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        self.c_fc = Conv1D(config.inner_width, config.n_embd)
        self.c_proj = Conv1D(config.n_embd, config.inner_width)
        self.activation = activation(config.activation_function)
        self.dropout = nn.Dropout(config.resid_pdrop)

    def forward(self, hidden: Tensor) -> Tensor:
        widened = self.activation(self.c_fc(hidden))  # [B, T, F]
        return self.dropout(self.c_proj(widened))


class GPT2Block(CheckpointedLayer):
    """One layer: attention, perhaps to an encoder too, then feed-forward; each part normalizes what it reads."""

    def __init__(self, config: GPT2Config, heads: int, layer: int) -> None:
        super().__init__()
        width, epsilon = config.n_embd, config.layer_norm_epsilon
        self.ln_1 = nn.LayerNorm(width, eps=epsilon)
        self.attn = GPT2Attention(config, heads, layer)
        self.ln_cross_attn = nn.LayerNorm(width, eps=epsilon) if config.add_cross_attention else None
        self.crossattention = GPT2CrossAttention(config, layer) if config.add_cross_attention else None
        self.ln_2 = nn.LayerNorm(width, eps=epsilon)
        self.mlp = GPT2MLP(config)

    def forward(
        self,
        hidden: Tensor,
        score_mask: Tensor | None,
        head_mask: Tensor | None,
        encoder_hidden: Tensor | None,
        encoder_mask: Tensor | None,
        memory: LayerCache | None,
        wanted: Wanted,
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        attended, weights = self.attn(self.ln_1(hidden), score_mask, head_mask, memory, wanted)
        hidden = hidden + attended
        cross_weights = None
        if self.crossattention is not None and self.ln_cross_attn is not None and encoder_hidden is not None:
            attended, cross_weights = self.crossattention(
                self.ln_cross_attn(hidden), encoder_hidden, encoder_mask, head_mask, memory, wanted
            )
            hidden = hidden + attended
        return hidden + self.mlp(self.ln_2(hidden)), weights, cross_weights


class GPT2PreTrainedModel(PreTrainedModel):
    """Base of every GPT-2 model in PyTorch."""

    config_class = GPT2Config
    base_model_prefix = "transformer"
    config: GPT2Config


def check_inputs(
    config: GPT2Config,
    input_ids: Tensor | None,
    inputs_embeds: Tensor | None,
    token_type_ids: Tensor | None,
    position_ids: Tensor | None,
    encoder_hidden_states: Tensor | None,
) -> None:
    """Refuse inputs that the model cannot read.

    Raises:
        InputError: An input is absent, has a wrong shape, or an id is out of range.
    """
    check_one_of(input_ids, inputs_embeds)
    if input_ids is not None:
        check_token_ids(input_ids, config.vocab_size)
    check_indices(token_type_ids, config.vocab_size, "token_type_ids")
    check_indices(position_ids, config.n_positions, "position_ids")
    check_cross_attention(encoder_hidden_states, config, is_decoder=True)


class GPT2Model(GPT2PreTrainedModel):
    """The bare decoder: hidden states."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.wpe = nn.Embedding(config.n_positions, config.n_embd)
        self.drop = nn.Dropout(config.embd_pdrop)
        self.h = nn.ModuleList(GPT2Block(config, heads, layer) for layer, heads in enumerate(heads_per_layer(config)))
        self.ln_f = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)

    def set_input_embeddings(self, new_embeddings: nn.Module) -> None:
        """Put another module in the place of the one that embeds tokens."""
        super().set_input_embeddings(new_embeddings)

    def embed(
        self,
        input_ids: Tensor | None,
        token_type_ids: Tensor | None,
        position_ids: Tensor | None,
        inputs_embeds: Tensor | None,
        past: int,
    ) -> Tensor:
        """Tokens and positions, and tokens again that say of what kind each is: [B, T, D]."""
        hidden = self.wte(input_ids) if inputs_embeds is None else inputs_embeds
        if position_ids is None:
            length = past + hidden.shape[1]
            check_length(length, self.wpe.num_embeddings)
            position_ids = torch.arange(past, length, device=hidden.device)[None]  # [1, T]
        hidden = hidden + self.wpe(position_ids)
        return self.drop(hidden if token_type_ids is None else hidden + self.wte(token_type_ids))

    def forward(
        self,
        input_ids: Tensor | None = None,
        past_key_values: Any = None,
        cache_position: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Read a batch of sequences.

        Args:
            input_ids: [B, T] integers.
            past_key_values: What an earlier call returned, to read on from there.
            cache_position: [T], another way to say `position_ids`, the same for every row.
            attention_mask: [B, S], 1 where a token counts and 0 where it is padding, those in the cache included; or
                [B, T, S], its own for each position.
            token_type_ids: [B, T], tokens of the vocabulary that say of what kind each token is.
            position_ids: [B, T] or [1, T]; counted from the end of the cache if not given.
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            inputs_embeds: [B, T, D] instead of `input_ids`.
            encoder_hidden_states: [B, E, D], what a model with cross-attention attends to.
            encoder_attention_mask: [B, E] or [B, T, E], as `attention_mask`.
            use_cache: Whether keys and values are returned; as the configuration says if None.

        Returns:
            `BaseModelOutputWithPastAndCrossAttentions`, or a tuple with `return_dict=False`. Its `hidden_states` are
            what each layer reads, and last what the model answers.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict, use_cache)
        position_ids = cache_position[None] if position_ids is None and cache_position is not None else position_ids
        check_inputs(self.config, input_ids, inputs_embeds, token_type_ids, position_ids, encoder_hidden_states)
        cache = Cache.open(past_key_values, wanted.cache, len(self.h))
        past = cache.length if cache is not None else 0
        hidden = self.embed(input_ids, token_type_ids, position_ids, inputs_embeds, past)  # [B, T, D]
        reach = cache.reach(hidden.shape[1]) if cache is not None else None
        score_mask = preceding_mask(attention_mask, hidden, past, reach)
        encoder_mask = None
        if encoder_hidden_states is not None:
            encoder_mask = padding_mask(encoder_attention_mask, encoder_hidden_states)
        head_masks = per_layer_head_masks(head_mask, len(self.h))
        memories = [None] * len(self.h) if cache is None else cache.layers
        states, attentions, cross_attentions = (), (), ()
        for block, own_head_mask, memory in zip(self.h, head_masks, memories, strict=True):
            states += wanted.state(hidden)
            hidden, weights, cross_weights = block(
                hidden, score_mask, own_head_mask, encoder_hidden_states, encoder_mask, memory, wanted
            )
            attentions += wanted.attention(weights)
            cross_attentions += wanted.attention(cross_weights)
        hidden = self.ln_f(hidden)
        states += wanted.state(hidden)
        output = BaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=hidden,
            past_key_values=cache if wanted.cache else None,
            hidden_states=states or None,
            attentions=attentions or None,
            cross_attentions=cross_attentions or None,
        )
        return wanted.answer(output)


class GPT2LMHeadModel(GPT2PreTrainedModel, GenerationMixin):
    """GPT-2 with a score for each token that may come next."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        self.transformer = GPT2Model(config)
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)

    def forward(
        self,
        input_ids: Tensor | None = None,
        past_key_values: Any = None,
        cache_position: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        logits_to_keep: int | Tensor = 0,
    ) -> Any:
        """Predict the token after each position; the arguments are those of `GPT2Model`, and

        Args:
            labels: [B, T] the tokens themselves, -100 where one is not to be predicted.
            logits_to_keep: Score only this many last positions, all if 0; or the positions in a vector.

        Returns:
            `CausalLMOutputWithCrossAttentions`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.transformer(
            input_ids, past_key_values, cache_position, attention_mask, token_type_ids, position_ids, head_mask,
            inputs_embeds, encoder_hidden_states, encoder_attention_mask, use_cache,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.lm_head(scored_positions(outputs.last_hidden_state, logits_to_keep))  # [B, T, V]
        output = CausalLMOutputWithCrossAttentions(
            loss=causal_language_model_loss(logits, labels, ops),
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            cross_attentions=outputs.cross_attentions,
        )
        return wanted.answer(output)


class GPT2DoubleHeadsModel(GPT2PreTrainedModel):
    """GPT-2 with a score for each token that may come next, and one for each of several choices of a text."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        config.num_labels = 1  # a choice has one score
        self.transformer = GPT2Model(config)
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.multiple_choice_head = SequenceSummary(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        past_key_values: Any = None,
        cache_position: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        mc_token_ids: Tensor | None = None,
        labels: Tensor | None = None,
        mc_labels: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Predict tokens and score choices; the arguments are those of `GPT2Model`, [B, C, T] for [B, T], and

        Args:
            mc_token_ids: [B, C], the place of the token that each choice's score is read from; the last if not given.
            labels: [B, C, T] the tokens themselves, -100 where one is not to be predicted.
            mc_labels: [B], the right choice.

        Returns:
            `GPT2DoubleHeadsModelOutput`, or a tuple with `return_dict=False`. Its `hidden_states` are [B C, T, D], the
            last one [B, C, T, D].
        """
        check_one_of(input_ids, inputs_embeds)
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        axes = leading_axes(input_ids, inputs_embeds, ops)
        rows = choices_as_rows if len(axes) == 2 else identity
        outputs = self.transformer(
            rows(input_ids), past_key_values, cache_position, rows(attention_mask), rows(token_type_ids),
            rows(position_ids), head_mask, rows(inputs_embeds), use_cache=use_cache,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        hidden = outputs.last_hidden_state.unflatten(0, axes)  # [B, C, T, D]
        check_indices(mc_token_ids, ops.shape(hidden)[-2], "mc_token_ids")
        logits = self.lm_head(hidden)  # [B, C, T, V]
        mc_logits = self.multiple_choice_head(hidden, mc_token_ids)  # [B, C, L]
        mc_logits = mc_logits[..., 0] if mc_logits.shape[-1] == 1 else mc_logits
        output = GPT2DoubleHeadsModelOutput(
            loss=causal_language_model_loss(logits, labels, ops),
            mc_loss=cross_entropy(mc_logits, mc_labels, ops),
            logits=logits,
            mc_logits=mc_logits,
            past_key_values=outputs.past_key_values,
            hidden_states=(*outputs.hidden_states[:-1], hidden) if outputs.hidden_states else None,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class GPT2ForSequenceClassification(GPT2PreTrainedModel):
    """GPT-2 with a classifier of whole sequences, on the rightmost token that is no padding."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        self.transformer = GPT2Model(config)
        self.score = nn.Linear(config.n_embd, config.num_labels, bias=False)

    def forward(
        self,
        input_ids: Tensor | None = None,
        past_key_values: Any = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Classify sequences; the arguments are those of `GPT2Model`, and

        Args:
            labels: [B] class indices; [B] or [B, L] targets for regression; [B, L] zeros and ones for several each.

        Returns:
            `SequenceClassifierOutputWithPast`, or a tuple with `return_dict=False`.

        Raises:
            InputError: There are several sequences, and the configuration has no padding token.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.transformer(
            input_ids, past_key_values, None, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            use_cache=use_cache, output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states,
            return_dict=True,
        )  # fmt: skip
        logits = self.score(rightmost(outputs.last_hidden_state, input_ids, self.config.pad_token_id))  # [B, L]
        output = SequenceClassifierOutputWithPast(
            loss=sequence_classification_loss(logits, labels, self.config, ops),
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class GPT2ForTokenClassification(
    TokenClassification,
    GPT2PreTrainedModel,
    backbone=GPT2Model,
    before="use_cache",
    decoding=("past_key_values", "use_cache"),
):
    """GPT-2 with a classifier of every token."""


class GPT2ForQuestionAnswering(QuestionAnswering, GPT2PreTrainedModel, backbone=GPT2Model):
    """GPT-2 with scores for where an answer starts and ends."""
