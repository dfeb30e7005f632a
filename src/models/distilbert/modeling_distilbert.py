"""DistilBERT in PyTorch (Sanh et al. 2019, https://arxiv.org/abs/1910.01108).

Shape letters: B batch, T length, S positions attended to, D width, N heads, H head size, F feed-forward width,
V vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...backends.cache import heads_per_layer
from ...backends.checks import check_length, check_one_of
from ...backends.torch import ops
from ...backends.torch.activations import activation
from ...backends.torch.attention import attend, join_heads, padding_mask, per_layer_head_masks, split_heads
from ...backends.torch.checks import check_token_ids
from ...backends.torch.heads import (
    MultipleChoice,
    QuestionAnswering,
    SequenceClassification,
    SummaryHead,
    TokenClassification,
)
from ...backends.torch.layers import CheckpointedLayer, in_chunks
from ...backends.torch.model import PreTrainedModel
from ...losses import cross_entropy
from ...outputs import BaseModelOutput, MaskedLMOutput, ModelOutput, Wanted
from .configuration_distilbert import DistilBertConfig

#: What layer normalization adds to the variance.
EPSILON = 1e-12


class DistilBertEmbeddings(nn.Module):
    """Token and position embeddings, summed and normalized."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.dim, padding_idx=config.pad_token_id)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.dim)
        self.LayerNorm = nn.LayerNorm(config.dim, eps=EPSILON)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, input_ids: Tensor | None, inputs_embeds: Tensor | None) -> Tensor:
        words = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds  # [B, T, D]
        length = words.shape[1]
        check_length(length, self.position_embeddings.num_embeddings)
        positions = self.position_embeddings(torch.arange(length, device=words.device)[None])  # [1, T, D]
        return self.dropout(self.LayerNorm(words + positions))


class DistilBertAttention(nn.Module):
    """Self-attention of one layer, and its output projection."""

    def __init__(self, config: DistilBertConfig, heads: int) -> None:
        super().__init__()
        width, self.head_size = config.dim, config.dim // config.n_heads
        inner = heads * self.head_size
        self.explicit = config._attn_implementation == "eager"
        self.dropout = nn.Dropout(config.attention_dropout)
        self.q_lin = nn.Linear(width, inner)
        self.k_lin = nn.Linear(width, inner)
        self.v_lin = nn.Linear(width, inner)
        self.out_lin = nn.Linear(inner, width)

    def forward(
        self, hidden: Tensor, score_mask: Tensor | None, head_mask: Tensor | None, wanted: Wanted
    ) -> tuple[Tensor, Tensor | None]:
        query, key, value = (
            split_heads(project(hidden), self.head_size) for project in (self.q_lin, self.k_lin, self.v_lin)
        )  # [B, N, T, H]
        dropout = self.dropout.p if self.training else 0.0
        explicit = self.explicit or wanted.attentions
        context, weights = attend(query, key, value, score_mask, dropout, head_mask, explicit)
        return self.out_lin(join_heads(context)), weights


class DistilBertFeedForward(nn.Module):
    """The feed-forward block: wider, an activation, narrower."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.dropout = nn.Dropout(config.dropout)
        self.lin1 = nn.Linear(config.dim, config.hidden_dim)
        self.lin2 = nn.Linear(config.hidden_dim, config.dim)
        self.activation = activation(config.activation)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.dropout(self.lin2(self.activation(self.lin1(hidden))))  # [B, T, F] within


class DistilBertLayer(CheckpointedLayer):
    """One layer: attention, then feed-forward, each sum normalized."""

    def __init__(self, config: DistilBertConfig, heads: int) -> None:
        super().__init__()
        self.chunk_size = config.chunk_size_feed_forward
        self.attention = DistilBertAttention(config, heads)
        self.sa_layer_norm = nn.LayerNorm(config.dim, eps=EPSILON)
        self.ffn = DistilBertFeedForward(config)
        self.output_layer_norm = nn.LayerNorm(config.dim, eps=EPSILON)

    def forward(
        self, hidden: Tensor, score_mask: Tensor | None, head_mask: Tensor | None, wanted: Wanted
    ) -> tuple[Tensor, Tensor | None]:
        attended, weights = self.attention(hidden, score_mask, head_mask, wanted)
        hidden = self.sa_layer_norm(attended + hidden)
        return self.output_layer_norm(in_chunks(self.ffn, hidden, self.chunk_size) + hidden), weights


class DistilBertTransformer(nn.Module):
    """The stack of layers."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList(DistilBertLayer(config, heads) for heads in heads_per_layer(config))

    def forward(
        self, hidden: Tensor, score_mask: Tensor | None, head_masks: list[Tensor | None], wanted: Wanted
    ) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, ...]]:
        states, attentions = wanted.state(hidden), ()
        for layer, head_mask in zip(self.layer, head_masks, strict=True):
            hidden, weights = layer(hidden, score_mask, head_mask, wanted)
            states += wanted.state(hidden)
            attentions += wanted.attention(weights)
        return hidden, states, attentions


class DistilBertPreTrainedModel(PreTrainedModel):
    """Base of every DistilBERT model in PyTorch."""

    config_class = DistilBertConfig
    base_model_prefix = "distilbert"
    config: DistilBertConfig


class DistilBertModel(DistilBertPreTrainedModel):
    """The bare encoder: hidden states."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.embeddings = DistilBertEmbeddings(config)
        self.transformer = DistilBertTransformer(config)

    def set_input_embeddings(self, new_embeddings: nn.Module) -> None:
        """Put another module in the place of the one that embeds tokens."""
        super().set_input_embeddings(new_embeddings)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Encode a batch of sequences.

        Args:
            input_ids: [B, T] integers.
            attention_mask: [B, T], 1 where a token counts and 0 where it is padding; or [B, T, S].
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            inputs_embeds: [B, T, D] instead of `input_ids`.

        Returns:
            `BaseModelOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        check_one_of(input_ids, inputs_embeds)
        if input_ids is not None:
            check_token_ids(input_ids, self.config.vocab_size)
        hidden = self.embeddings(input_ids, inputs_embeds)  # [B, T, D]
        score_mask = padding_mask(attention_mask, hidden)
        head_masks = per_layer_head_masks(head_mask, self.config.n_layers)
        hidden, states, attentions = self.transformer(hidden, score_mask, head_masks, wanted)
        output = BaseModelOutput(hidden, hidden_states=states or None, attentions=attentions or None)
        return wanted.answer(output)


class DistilBertForMaskedLM(DistilBertPreTrainedModel):
    """DistilBERT with a head that predicts masked tokens."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.distilbert = DistilBertModel(config)
        self.activation = activation(config.activation)
        self.vocab_transform = nn.Linear(config.dim, config.dim)
        self.vocab_layer_norm = nn.LayerNorm(config.dim, eps=EPSILON)
        self.vocab_projector = nn.Linear(config.dim, config.vocab_size)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Predict the token at each position; the arguments are those of `DistilBertModel`, and

        Args:
            labels: [B, T] tokens, -100 where one is not to be predicted.

        Returns:
            `MaskedLMOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.distilbert(
            input_ids, attention_mask, head_mask, inputs_embeds,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        transformed = self.activation(self.vocab_transform(outputs.last_hidden_state))  # [B, T, D]
        logits = self.vocab_projector(self.vocab_layer_norm(transformed))  # [B, T, V]
        output = MaskedLMOutput(
            loss=cross_entropy(logits, labels, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class DistilBertSummary(SummaryHead):
    """Base of the heads that read a summary of each sequence: its first position, projected."""

    def make_summary(self, config: DistilBertConfig) -> None:
        self.pre_classifier = nn.Linear(config.dim, config.dim)
        self.dropout = nn.Dropout(config.seq_classif_dropout)

    def summarize(self, outputs: Any) -> Tensor:
        return self.dropout(torch.relu(self.pre_classifier(outputs.last_hidden_state[:, 0])))  # [B, D]


class DistilBertForSequenceClassification(
    DistilBertSummary, SequenceClassification, DistilBertPreTrainedModel, backbone=DistilBertModel
):
    """DistilBERT with a classifier of whole sequences."""


class DistilBertForMultipleChoice(
    DistilBertSummary, MultipleChoice, DistilBertPreTrainedModel, backbone=DistilBertModel
):
    """DistilBERT with a score for each of several choices."""


class DistilBertForTokenClassification(TokenClassification, DistilBertPreTrainedModel, backbone=DistilBertModel):
    """DistilBERT with a classifier of every token."""


class DistilBertForQuestionAnswering(QuestionAnswering, DistilBertPreTrainedModel, backbone=DistilBertModel):
    """DistilBERT with scores for where an answer starts and ends."""

    def __init__(self, config: DistilBertConfig) -> None:
        super().__init__(config)
        self.dropout = nn.Dropout(config.qa_dropout)

    def read(
        self, outputs: Any, start_positions: Tensor | None = None, end_positions: Tensor | None = None
    ) -> ModelOutput:
        outputs.last_hidden_state = self.dropout(outputs.last_hidden_state)
        return super().read(outputs, start_positions, end_positions)
