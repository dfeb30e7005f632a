"""GPT in PyTorch (Radford et al. 2018, Improving Language Understanding by Generative Pre-Training).

Shape letters: B batch, C choices, T length, D width, N heads, H head size, F feed-forward width, L labels, V
vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...backends.cache import heads_per_layer
from ...backends.checks import check_length, check_one_of
from ...backends.heads import leading_axes
from ...backends.torch import ops
from ...backends.torch.activations import activation, identity
from ...backends.torch.attention import attend, following_mask, join_heads, per_layer_head_masks, split_heads
from ...backends.torch.checks import check_indices, check_token_ids
from ...backends.torch.generation import GenerationMixin
from ...backends.torch.heads import SequenceSummary, choices_as_rows, rightmost
from ...backends.torch.layers import CheckpointedLayer, Conv1D
from ...backends.torch.model import PreTrainedModel
from ...losses import causal_language_model_loss, cross_entropy, sequence_classification_loss
from ...outputs import (
    BaseModelOutput,
    CausalLMOutput,
    OpenAIGPTDoubleHeadsModelOutput,
    SequenceClassifierOutput,
    Wanted,
)
from .configuration_openai_gpt import OpenAIGPTConfig


class OpenAIGPTAttention(nn.Module):
    """Attention to the tokens before, and its projection."""

    def __init__(self, config: OpenAIGPTConfig, heads: int) -> None:
        super().__init__()
        width, self.head_size = config.n_embd, config.n_embd // config.n_head
        self.explicit = config._attn_implementation == "eager"
        self.c_attn = Conv1D(3 * heads * self.head_size, width)
        self.c_proj = Conv1D(width, heads * self.head_size)
        self.attn_dropout = nn.Dropout(config.attn_pdrop)
        self.resid_dropout = nn.Dropout(config.resid_pdrop)

    def forward(
        self, hidden: Tensor, score_mask: Tensor | None, head_mask: Tensor | None, wanted: Wanted
    ) -> tuple[Tensor, Tensor | None]:
        query, key, value = (split_heads(part, self.head_size) for part in self.c_attn(hidden).chunk(3, -1))
        dropout = self.attn_dropout.p if self.training else 0.0
        explicit = self.explicit or wanted.attentions
        context, weights = attend(query, key, value, score_mask, dropout, head_mask, explicit)
        return self.resid_dropout(self.c_proj(join_heads(context))), weights


class OpenAIGPTMLP(nn.Module):
    """The feed-forward block: four times as wide, and back."""

    def __init__(self, config: OpenAIGPTConfig) -> None:
        super().__init__()
        self.c_fc = Conv1D(4 * config.n_embd, config.n_embd)
        self.c_proj = Conv1D(config.n_embd, 4 * config.n_embd)
        self.activation = activation(config.activation)
        self.dropout = nn.Dropout(config.resid_pdrop)

    def forward(self, hidden: Tensor) -> Tensor:
        widened = self.activation(self.c_fc(hidden))  # [B, T, F]
        return self.dropout(self.c_proj(widened))


class OpenAIGPTBlock(CheckpointedLayer):
    """One layer: attention, then feed-forward; each sum is normalized."""

    def __init__(self, config: OpenAIGPTConfig, heads: int) -> None:
        super().__init__()
        self.attn = OpenAIGPTAttention(config, heads)
        self.ln_1 = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.mlp = OpenAIGPTMLP(config)
        self.ln_2 = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)

    def forward(
        self, hidden: Tensor, score_mask: Tensor | None, head_mask: Tensor | None, wanted: Wanted
    ) -> tuple[Tensor, Tensor | None]:
        attended, weights = self.attn(hidden, score_mask, head_mask, wanted)
        hidden = self.ln_1(hidden + attended)
        return self.ln_2(hidden + self.mlp(hidden)), weights


class OpenAIGPTPreTrainedModel(PreTrainedModel):
    """Base of every GPT model in PyTorch."""

    config_class = OpenAIGPTConfig
    base_model_prefix = "transformer"
    config: OpenAIGPTConfig


def check_inputs(
    config: OpenAIGPTConfig,
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


class OpenAIGPTModel(OpenAIGPTPreTrainedModel):
    """The bare decoder: hidden states."""

    def __init__(self, config: OpenAIGPTConfig) -> None:
        super().__init__(config)
        self.tokens_embed = nn.Embedding(config.vocab_size, config.n_embd)
        self.positions_embed = nn.Embedding(config.n_positions, config.n_embd)
        self.drop = nn.Dropout(config.embd_pdrop)
        self.h = nn.ModuleList(OpenAIGPTBlock(config, heads) for heads in heads_per_layer(config))

    def set_input_embeddings(self, new_embeddings: nn.Module) -> None:
        """Put another module in the place of the one that embeds tokens."""
        super().set_input_embeddings(new_embeddings)

    def embed(
        self,
        input_ids: Tensor | None,
        token_type_ids: Tensor | None,
        position_ids: Tensor | None,
        inputs_embeds: Tensor | None,
    ) -> Tensor:
        """Tokens and positions, and tokens again that say of what kind each is: [B, T, D]."""
        hidden = self.tokens_embed(input_ids) if inputs_embeds is None else inputs_embeds
        if position_ids is None:
            length = hidden.shape[1]
            check_length(length, self.positions_embed.num_embeddings)
            position_ids = torch.arange(length, device=hidden.device)[None]  # [1, T]
        hidden = hidden + self.positions_embed(position_ids)
        return self.drop(hidden if token_type_ids is None else hidden + self.tokens_embed(token_type_ids))

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Read a batch of sequences.

        Args:
            input_ids: [B, T] integers.
            attention_mask: [B, T], 1 where a token counts and 0 where it is padding; or [B, T, T], its own for each
                position.
            token_type_ids: [B, T], tokens of the vocabulary that say of what kind each token is.
            position_ids: [B, T] or [1, T]; counted from 0 if not given.
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            inputs_embeds: [B, T, D] instead of `input_ids`.

        Returns:
            `BaseModelOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        check_inputs(self.config, input_ids, inputs_embeds, token_type_ids, position_ids)
        hidden = self.embed(input_ids, token_type_ids, position_ids, inputs_embeds)  # [B, T, D]
        score_mask = following_mask(attention_mask, hidden)
        states, attentions = (), ()
        for block, own_head_mask in zip(self.h, per_layer_head_masks(head_mask, len(self.h)), strict=True):
            states += wanted.state(hidden)
            hidden, weights = block(hidden, score_mask, own_head_mask, wanted)
            attentions += wanted.attention(weights)
        states += wanted.state(hidden)
        return wanted.answer(BaseModelOutput(hidden, states or None, attentions or None))


class OpenAIGPTLMHeadModel(OpenAIGPTPreTrainedModel, GenerationMixin):
    """GPT with a score for each token that may come next."""

    reads_tokens_alone = True

    def __init__(self, config: OpenAIGPTConfig) -> None:
        super().__init__(config)
        self.transformer = OpenAIGPTModel(config)
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Predict the token after each position; the arguments are those of `OpenAIGPTModel`, and

        Args:
            labels: [B, T] the tokens themselves, -100 where one is not to be predicted.

        Returns:
            `CausalLMOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.transformer(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.lm_head(outputs.last_hidden_state)  # [B, T, V]
        loss = causal_language_model_loss(logits, labels, ops)
        return wanted.answer(CausalLMOutput(loss, logits, outputs.hidden_states, outputs.attentions))


class OpenAIGPTDoubleHeadsModel(OpenAIGPTPreTrainedModel):
    """GPT with a score for each token that may come next, and one for each of several choices of a text."""

    def __init__(self, config: OpenAIGPTConfig) -> None:
        super().__init__(config)
        config.num_labels = 1  # a choice has one score
        self.transformer = OpenAIGPTModel(config)
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.multiple_choice_head = SequenceSummary(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        mc_token_ids: Tensor | None = None,
        labels: Tensor | None = None,
        mc_labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Predict tokens and score choices; the arguments are those of `OpenAIGPTModel`, [B, C, T] for [B, T], and

        Args:
            mc_token_ids: [B, C], the place of the token that each choice's score is read from; the last if not given.
            labels: [B, C, T] the tokens themselves, -100 where one is not to be predicted.
            mc_labels: [B], the right choice.

        Returns:
            `OpenAIGPTDoubleHeadsModelOutput`, or a tuple with `return_dict=False`. Its `hidden_states` are [B C, T, D],
            the last one [B, C, T, D].
        """
        check_one_of(input_ids, inputs_embeds)
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        axes = leading_axes(input_ids, inputs_embeds, ops)
        rows = choices_as_rows if len(axes) == 2 else identity
        outputs = self.transformer(
            rows(input_ids), rows(attention_mask), rows(token_type_ids), rows(position_ids), head_mask,
            rows(inputs_embeds), output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states,
            return_dict=True,
        )  # fmt: skip
        hidden = outputs.last_hidden_state.unflatten(0, axes)  # [B, C, T, D]
        check_indices(mc_token_ids, ops.shape(hidden)[-2], "mc_token_ids")
        logits = self.lm_head(hidden)  # [B, C, T, V]
        mc_logits = self.multiple_choice_head(hidden, mc_token_ids)  # [B, C, L]
        mc_logits = mc_logits[..., 0] if mc_logits.shape[-1] == 1 else mc_logits
        output = OpenAIGPTDoubleHeadsModelOutput(
            loss=causal_language_model_loss(logits, labels, ops),
            mc_loss=cross_entropy(mc_logits, mc_labels, ops),
            logits=logits,
            mc_logits=mc_logits,
            hidden_states=(*outputs.hidden_states[:-1], hidden) if outputs.hidden_states else None,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class OpenAIGPTForSequenceClassification(OpenAIGPTPreTrainedModel):
    """GPT with a classifier of whole sequences, on the rightmost token that is no padding."""

    def __init__(self, config: OpenAIGPTConfig) -> None:
        super().__init__(config)
        self.transformer = OpenAIGPTModel(config)
        self.score = nn.Linear(config.n_embd, config.num_labels, bias=False)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Classify sequences; the arguments are those of `OpenAIGPTModel`, and

        Args:
            labels: [B] class indices; [B] or [B, L] targets for regression; [B, L] zeros and ones for several each.

        Returns:
            `SequenceClassifierOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: There are several sequences, and the configuration has no padding token.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.transformer(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.score(rightmost(outputs.last_hidden_state, input_ids, self.config.pad_token_id))  # [B, L]
        loss = sequence_classification_loss(logits, labels, self.config, ops)
        return wanted.answer(SequenceClassifierOutput(loss, logits, outputs.hidden_states, outputs.attentions))
