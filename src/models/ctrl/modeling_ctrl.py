"""CTRL in PyTorch (Keskar et al. 2019, https://arxiv.org/abs/1909.05858).

Shape letters: B batch, T length, S positions attended to, D width, N heads, H head size, F feed-forward width, L
labels, V vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...backends.cache import heads_per_layer
from ...backends.checks import check_length, check_one_of
from ...backends.positions import sines_then_cosines
from ...backends.torch import ops
from ...backends.torch.attention import attend, following_mask, join_heads, per_layer_head_masks, split_heads
from ...backends.torch.cache import Cache, LayerCache
from ...backends.torch.checks import check_indices, check_token_ids
from ...backends.torch.generation import GenerationMixin
from ...backends.torch.heads import rightmost, scored_positions
from ...backends.torch.layers import CheckpointedLayer
from ...backends.torch.model import PreTrainedModel
from ...losses import causal_language_model_loss, sequence_classification_loss
from ...outputs import BaseModelOutputWithPast, CausalLMOutputWithPast, SequenceClassifierOutput, Wanted
from .configuration_ctrl import LAYER_EPSILON, CTRLConfig

#: How much lower the scores of tokens to come are than those of tokens before.
AHEAD = 1e4


class CTRLAttention(nn.Module):
    """Attention to the tokens before, and its projection."""

    def __init__(self, config: CTRLConfig, heads: int) -> None:
        super().__init__()
        width, self.head_size = config.n_embd, config.n_embd // config.n_head
        inner = heads * self.head_size
        self.explicit = config._attn_implementation == "eager"
        self.Wq = nn.Linear(width, inner)
        self.Wk = nn.Linear(width, inner)
        self.Wv = nn.Linear(width, inner)
        self.dense = nn.Linear(inner, width)
        self.dropout = nn.Dropout(0.0)  # no configuration of CTRL drops weights

    def forward(
        self,
        hidden: Tensor,
        score_mask: Tensor | None,
        head_mask: Tensor | None,
        memory: LayerCache | None,
        wanted: Wanted,
    ) -> tuple[Tensor, Tensor | None]:
        query, key, value = (split_heads(part(hidden), self.head_size) for part in (self.Wq, self.Wk, self.Wv))
        if memory is not None:
            key, value = memory.extend(key, value)  # [B, N, S, H]
        explicit = self.explicit or wanted.attentions
        context, weights = attend(query, key, value, score_mask, self.dropout.p, head_mask, explicit)
        return self.dense(join_heads(context)), weights


class CTRLFeedForward(nn.Sequential):
    """The feed-forward block: wider, and back."""

    def __init__(self, config: CTRLConfig) -> None:
        super().__init__(nn.Linear(config.n_embd, config.dff), nn.ReLU(), nn.Linear(config.dff, config.n_embd))

    def forward(self, hidden: Tensor) -> Tensor:
        wider, rectified, narrower = self
        return narrower(rectified(wider(hidden)))  # between them [B, T, F]


class CTRLBlock(CheckpointedLayer):
    """One layer: attention, then feed-forward; each part normalizes what it reads."""

    def __init__(self, config: CTRLConfig, heads: int) -> None:
        super().__init__()
        self.multi_head_attention = CTRLAttention(config, heads)
        self.ffn = CTRLFeedForward(config)
        self.layernorm1 = nn.LayerNorm(config.n_embd, eps=LAYER_EPSILON)
        self.layernorm2 = nn.LayerNorm(config.n_embd, eps=LAYER_EPSILON)
        self.dropout1 = nn.Dropout(config.resid_pdrop)
        self.dropout2 = nn.Dropout(config.resid_pdrop)

    def forward(
        self,
        hidden: Tensor,
        score_mask: Tensor | None,
        head_mask: Tensor | None,
        memory: LayerCache | None,
        wanted: Wanted,
    ) -> tuple[Tensor, Tensor | None]:
        attended, weights = self.multi_head_attention(self.layernorm1(hidden), score_mask, head_mask, memory, wanted)
        hidden = hidden + self.dropout1(attended)
        return hidden + self.dropout2(self.ffn(self.layernorm2(hidden))), weights


class CTRLPreTrainedModel(PreTrainedModel):
    """Base of every CTRL model in PyTorch."""

    config_class = CTRLConfig
    base_model_prefix = "transformer"
    config: CTRLConfig


def check_inputs(
    config: CTRLConfig,
    input_ids: Tensor | None,
    inputs_embeds: Tensor | None,
    token_type_ids: Tensor | None,
    position_ids: Tensor | None,
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


class CTRLModel(CTRLPreTrainedModel):
    """The bare decoder: hidden states."""

    def __init__(self, config: CTRLConfig) -> None:
        super().__init__(config)
        self.scale = config.n_embd**0.5
        self.positions = torch.from_numpy(sines_then_cosines(config.n_positions, config.n_embd))
        self.w = nn.Embedding(config.vocab_size, config.n_embd)
        self.dropout = nn.Dropout(config.embd_pdrop)
        self.h = nn.ModuleList(CTRLBlock(config, heads) for heads in heads_per_layer(config))
        self.layernorm = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)

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
        """Tokens, scaled, and positions, and tokens again that say of what kind each is: [B, T, D]."""
        hidden = self.scale * (self.w(input_ids) if inputs_embeds is None else inputs_embeds)
        if position_ids is None:
            length = past + hidden.shape[1]
            check_length(length, len(self.positions))
            positions = self.positions[past:length].to(hidden)  # [T, D]
        else:
            positions = self.positions.to(hidden)[position_ids]
        hidden = hidden + positions
        return self.dropout(hidden if token_type_ids is None else hidden + self.scale * self.w(token_type_ids))

    def forward(
        self,
        input_ids: Tensor | None = None,
        past_key_values: Any = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Read a batch of sequences.

        Args:
            input_ids: [B, T] integers.
            past_key_values: What an earlier call returned, to read on from there.
            attention_mask: [B, S], 1 where a token counts and 0 where it is padding, those in the cache included; or
                [B, T, S], its own for each position.
            token_type_ids: [B, T], tokens of the vocabulary that say of what kind each token is.
            position_ids: [B, T] or [1, T]; counted from the end of the cache if not given.
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            inputs_embeds: [B, T, D] instead of `input_ids`.
            use_cache: Whether keys and values are returned; as the configuration says if None.

        Returns:
            `BaseModelOutputWithPast`, or a tuple with `return_dict=False`. Its `hidden_states` are what each layer
            reads, and last what the model answers.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict, use_cache)
        check_inputs(self.config, input_ids, inputs_embeds, token_type_ids, position_ids)
        cache = Cache.open(past_key_values, wanted.cache, len(self.h))
        past = cache.length if cache is not None else 0
        hidden = self.embed(input_ids, token_type_ids, position_ids, inputs_embeds, past)  # [B, T, D]
        reach = cache.reach(hidden.shape[1]) if cache is not None else None
        score_mask = following_mask(attention_mask, hidden, past, reach, AHEAD)
        head_masks = per_layer_head_masks(head_mask, len(self.h))
        memories = [None] * len(self.h) if cache is None else cache.layers
        states, attentions = (), ()
        for block, own_head_mask, memory in zip(self.h, head_masks, memories, strict=True):
            states += wanted.state(hidden)
            hidden, weights = block(hidden, score_mask, own_head_mask, memory, wanted)
            attentions += wanted.attention(weights)
        hidden = self.layernorm(hidden)
        states += wanted.state(hidden)
        output = BaseModelOutputWithPast(
            last_hidden_state=hidden,
            past_key_values=cache if wanted.cache else None,
            hidden_states=states or None,
            attentions=attentions or None,
        )
        return wanted.answer(output)


class CTRLLMHeadModel(CTRLPreTrainedModel, GenerationMixin):
    """CTRL with a score for each token that may come next."""

    reads_tokens_alone = True

    def __init__(self, config: CTRLConfig) -> None:
        super().__init__(config)
        self.transformer = CTRLModel(config)
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size)

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
        *,
        logits_to_keep: int | Tensor = 0,
    ) -> Any:
        """Predict the token after each position; the arguments are those of `CTRLModel`, and

        Args:
            labels: [B, T] the tokens themselves, -100 where one is not to be predicted.
            logits_to_keep: Score only this many last positions, all if 0; or the positions in a vector.

        Returns:
            `CausalLMOutputWithPast`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.transformer(
            input_ids, past_key_values, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            use_cache, output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states,
            return_dict=True,
        )  # fmt: skip
        logits = self.lm_head(scored_positions(outputs.last_hidden_state, logits_to_keep))  # [B, T, V]
        output = CausalLMOutputWithPast(
            loss=causal_language_model_loss(logits, labels, ops),
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class CTRLForSequenceClassification(CTRLPreTrainedModel):
    """CTRL with a classifier of whole sequences, on the rightmost token that is no padding."""

    def __init__(self, config: CTRLConfig) -> None:
        super().__init__(config)
        self.transformer = CTRLModel(config)
        self.classifier = nn.Linear(config.n_embd, config.num_labels, bias=False)

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
        """Classify sequences; the arguments are those of `CTRLModel`, and

        Args:
            labels: [B] class indices; [B] or [B, L] targets for regression; [B, L] zeros and ones for several each.

        Returns:
            `SequenceClassifierOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: There are several sequences, and the configuration has no padding token.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.transformer(
            input_ids, past_key_values, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            use_cache, output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states,
            return_dict=True,
        )  # fmt: skip
        logits = self.classifier(rightmost(outputs.last_hidden_state, input_ids, self.config.pad_token_id))  # [B, L]
        loss = sequence_classification_loss(logits, labels, self.config, ops)
        return wanted.answer(SequenceClassifierOutput(loss, logits, outputs.hidden_states, outputs.attentions))
