"""BERT in PyTorch (Devlin et al. 2018, https://arxiv.org/abs/1810.04805).

Shape letters: B batch, T length, D width, N heads, L labels, F feed-forward width.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...backends.checks import check_length, check_one_of
from ...backends.torch import ops
from ...backends.torch.activations import activation
from ...backends.torch.attention import additive_mask, attend, join_heads, per_layer_head_masks, split_heads
from ...backends.torch.checks import check_indices, check_token_ids
from ...backends.torch.model import PreTrainedModel
from ...losses import sequence_classification_loss
from ...outputs import BaseModelOutputWithPoolingAndCrossAttentions, SequenceClassifierOutput, Wanted
from .configuration_bert import BertConfig


class BertEmbeddings(nn.Module):
    """Token, segment and position embeddings, summed and normalized."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.word_embeddings = nn.Embedding(config.vocab_size, width, padding_idx=config.pad_token_id)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, width)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, width)
        self.LayerNorm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(
        self,
        input_ids: Tensor | None,
        token_type_ids: Tensor | None,
        position_ids: Tensor | None,
        inputs_embeds: Tensor | None,
    ) -> Tensor:
        words = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds  # [B, T, D]
        length = words.shape[1]
        if position_ids is None:
            check_length(length, self.position_embeddings.num_embeddings)
            position_ids = torch.arange(length, device=words.device)[None]  # [1, T]
        segments = self.token_type_embeddings(
            torch.zeros_like(position_ids) if token_type_ids is None else token_type_ids
        )
        embedded = words + segments + self.position_embeddings(position_ids)
        return self.dropout(self.LayerNorm(embedded))


class BertSelfAttention(nn.Module):
    """Queries, keys and values of one layer, and what each head makes of them."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.heads = config.num_attention_heads
        self.explicit = config._attn_implementation == "eager"
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.dropout = nn.Dropout(config.attention_probs_dropout_prob)

    def forward(
        self, hidden: Tensor, score_mask: Tensor | None, head_mask: Tensor | None, wanted: Wanted
    ) -> tuple[Tensor, Tensor | None]:
        query, key, value = (
            split_heads(project(hidden), self.heads) for project in (self.query, self.key, self.value)
        )  # [B, N, T, H]
        dropout = self.dropout.p if self.training else 0.0
        explicit = self.explicit or wanted.attentions
        context, weights = attend(query, key, value, score_mask, dropout, head_mask, explicit)
        return join_heads(context), weights


class BertSelfOutput(nn.Module):
    """The projection after attention, with its residual and norm."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, context: Tensor, hidden: Tensor) -> Tensor:
        return self.LayerNorm(self.dropout(self.dense(context)) + hidden)


class BertAttention(nn.Module):
    """Self-attention and its output projection."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.self = BertSelfAttention(config)
        self.output = BertSelfOutput(config)

    def forward(
        self, hidden: Tensor, score_mask: Tensor | None, head_mask: Tensor | None, wanted: Wanted
    ) -> tuple[Tensor, Tensor | None]:
        context, weights = self.self(hidden, score_mask, head_mask, wanted)
        return self.output(context, hidden), weights


class BertIntermediate(nn.Module):
    """The widening half of the feed-forward block."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = activation(config.hidden_act)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.activation(self.dense(hidden))  # [B, T, F]


class BertOutput(nn.Module):
    """The narrowing half of the feed-forward block, with its residual and norm."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.intermediate_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, widened: Tensor, hidden: Tensor) -> Tensor:
        return self.LayerNorm(self.dropout(self.dense(widened)) + hidden)


class BertLayer(nn.Module):
    """One layer: attention, then feed-forward."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.attention = BertAttention(config)
        self.intermediate = BertIntermediate(config)
        self.output = BertOutput(config)

    def forward(
        self, hidden: Tensor, score_mask: Tensor | None, head_mask: Tensor | None, wanted: Wanted
    ) -> tuple[Tensor, Tensor | None]:
        attended, weights = self.attention(hidden, score_mask, head_mask, wanted)
        return self.output(self.intermediate(attended), attended), weights


class BertEncoder(nn.Module):
    """The stack of layers."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList(BertLayer(config) for _ in range(config.num_hidden_layers))

    def forward(
        self, hidden: Tensor, score_mask: Tensor | None, head_masks: list[Tensor | None], wanted: Wanted
    ) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor | None, ...]]:
        states, attentions = wanted.state(hidden), ()
        for layer, head_mask in zip(self.layer, head_masks, strict=True):
            hidden, weights = layer(hidden, score_mask, head_mask, wanted)
            states += wanted.state(hidden)
            attentions += wanted.attention(weights)
        return hidden, states, attentions


class BertPooler(nn.Module):
    """The first position, projected: a summary of the sequence."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden: Tensor) -> Tensor:
        return torch.tanh(self.dense(hidden[:, 0]))  # [B, D]


class BertPreTrainedModel(PreTrainedModel):
    """Base of every BERT model in PyTorch."""

    config_class = BertConfig
    base_model_prefix = "bert"
    config: BertConfig


class BertModel(BertPreTrainedModel):
    """The bare encoder: hidden states, and a summary of each sequence.

    Args:
        config: What the model is.
        add_pooling_layer: Whether there is a summary.
    """

    def __init__(self, config: BertConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.embeddings = BertEmbeddings(config)
        self.encoder = BertEncoder(config)
        self.pooler = BertPooler(config) if add_pooling_layer else None

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
        """Encode a batch of sequences.

        Args:
            input_ids: [B, T] integers.
            attention_mask: [B, T], 1 where a token counts and 0 where it is padding; or [B, T, T].
            token_type_ids: [B, T], the segment of each token; 0 if not given.
            position_ids: [B, T] or [1, T]; 0, 1, 2, ... if not given.
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            inputs_embeds: [B, T, D] instead of `input_ids`.

        Returns:
            `BaseModelOutputWithPoolingAndCrossAttentions`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        check_one_of(input_ids, inputs_embeds)
        if input_ids is not None:
            check_token_ids(input_ids, self.config.vocab_size)
        check_indices(token_type_ids, self.config.type_vocab_size, "token_type_ids")
        check_indices(position_ids, self.config.max_position_embeddings, "position_ids")
        hidden = self.embeddings(input_ids, token_type_ids, position_ids, inputs_embeds)  # [B, T, D]
        score_mask = additive_mask(attention_mask, hidden)
        head_masks = per_layer_head_masks(head_mask, self.config.num_hidden_layers)
        hidden, states, attentions = self.encoder(hidden, score_mask, head_masks, wanted)
        output = BaseModelOutputWithPoolingAndCrossAttentions(
            last_hidden_state=hidden,
            pooler_output=self.pooler(hidden) if self.pooler is not None else None,
            hidden_states=states or None,
            attentions=attentions or None,
        )
        return wanted.answer(output)


class BertForSequenceClassification(BertPreTrainedModel):
    """BERT with a classifier of whole sequences on its summary."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        dropout = config.hidden_dropout_prob if config.classifier_dropout is None else config.classifier_dropout
        self.bert = BertModel(config)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

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
        """Classify a batch of sequences; the arguments are those of `BertModel`, and

        Args:
            labels: [B] class indices; [B] or [B, L] targets for regression; [B, L] zeros and ones for several each.

        Returns:
            `SequenceClassifierOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.bert(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.classifier(self.dropout(outputs.pooler_output))  # [B, L]
        output = SequenceClassifierOutput(
            loss=sequence_classification_loss(logits, labels, self.config, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)
