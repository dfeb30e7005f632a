"""ALBERT in PyTorch (Lan et al. 2019, https://arxiv.org/abs/1909.11942).

Positions are BERT's (`models/bert`). What differs: embeddings have a width of their own and are projected; layers stand
in groups, and a group is run several times with the same weights; attention holds its output projection itself, and
scores distances unscaled; the pooled summary is one linear layer; the second head that ALBERT was trained with tells
the order of two sentences.

Shape letters: B batch, T length, S positions attended to, E width of the embeddings, D width, N heads, H head size,
F feed-forward width, V vocabulary, L labels, two for the order of sentences.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...backends.cache import heads_per_layer
from ...backends.checks import check_length, check_one_of
from ...backends.torch import ops
from ...backends.torch.activations import activation
from ...backends.torch.attention import attend, join_heads, padding_mask, per_layer_head_masks, plus, split_heads
from ...backends.torch.checks import check_indices, check_token_ids
from ...backends.torch.heads import MultipleChoice, QuestionAnswering, SequenceClassification, TokenClassification
from ...backends.torch.layers import CheckpointedLayer, in_chunks
from ...backends.torch.model import PreTrainedModel
from ...losses import cross_entropy
from ...outputs import AlbertForPreTrainingOutput, BaseModelOutputWithPooling, MaskedLMOutput, Wanted
from ..bert.modeling_bert import (
    BertAbsolutePositions,
    BertRelativeKey,
    BertRelativeKeyQuery,
    BertUnusedPositions,
)
from .configuration_albert import AlbertConfig


class AlbertEmbeddings(nn.Module):
    """Token, segment and position embeddings, summed and normalized."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        width = config.embedding_size
        positions = nn.Embedding if config.position_embedding_type == "absolute" else BertUnusedPositions
        self.word_embeddings = nn.Embedding(config.vocab_size, width, padding_idx=config.pad_token_id)
        self.position_embeddings = positions(config.max_position_embeddings, width)
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
        words = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds  # [B, T, E]
        length = words.shape[1]
        if position_ids is None:
            check_length(length, self.position_embeddings.num_embeddings)
            position_ids = torch.arange(length, device=words.device)[None]  # [1, T]
        segments = self.token_type_embeddings(
            torch.zeros_like(position_ids) if token_type_ids is None else token_type_ids
        )
        embedded = words + segments + self.position_embeddings(position_ids)
        return self.dropout(self.LayerNorm(embedded))


class AlbertRelativeKey(BertRelativeKey):
    """Scores of queries with learnt distances, which the size of a head does not scale."""

    def forward(self, query: Tensor, key: Tensor, past: int) -> Tensor:
        return self.scores(query, key, self.distances(query, key, past))  # [B, N, T, S]


class AlbertRelativeKeyQuery(AlbertRelativeKey, BertRelativeKeyQuery):
    """Scores of queries and of keys with learnt distances, which the size of a head does not scale."""


#: What `position_embedding_type` adds to attention's scores.
POSITIONS = {
    "absolute": BertAbsolutePositions,
    "relative_key": AlbertRelativeKey,
    "relative_key_query": AlbertRelativeKeyQuery,
}


class AlbertAttention(nn.Module):
    """Self-attention of one layer and its output projection, with residual and norm."""

    def __init__(self, config: AlbertConfig, heads: int) -> None:
        super().__init__()
        width, self.head_size = config.hidden_size, config.hidden_size // config.num_attention_heads
        inner = heads * self.head_size
        positions = POSITIONS[config.position_embedding_type]
        self.explicit = config._attn_implementation == "eager"
        self.query = nn.Linear(width, inner)
        self.key = nn.Linear(width, inner)
        self.value = nn.Linear(width, inner)
        self.distance_embedding = positions(2 * config.max_position_embeddings - 1, self.head_size)
        self.attention_dropout = nn.Dropout(config.attention_probs_dropout_prob)
        self.dense = nn.Linear(inner, width)
        self.output_dropout = nn.Dropout(config.hidden_dropout_prob)
        self.LayerNorm = nn.LayerNorm(width, eps=config.layer_norm_eps)

    def forward(
        self, hidden: Tensor, score_mask: Tensor | None, head_mask: Tensor | None, wanted: Wanted
    ) -> tuple[Tensor, Tensor | None]:
        query, key, value = (
            split_heads(project(hidden), self.head_size) for project in (self.query, self.key, self.value)
        )  # [B, N, T, H]
        score_mask = plus(score_mask, self.distance_embedding(query, key, 0))
        dropout = self.attention_dropout.p if self.training else 0.0
        explicit = self.explicit or wanted.attentions
        context, weights = attend(query, key, value, score_mask, dropout, head_mask, explicit)
        return self.LayerNorm(self.output_dropout(self.dense(join_heads(context))) + hidden), weights


class AlbertLayer(CheckpointedLayer):
    """One layer: attention, then feed-forward."""

    def __init__(self, config: AlbertConfig, heads: int) -> None:
        super().__init__()
        self.chunk_size = config.chunk_size_feed_forward
        self.attention = AlbertAttention(config, heads)
        self.ffn = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = activation(config.hidden_act)
        self.ffn_output = nn.Linear(config.intermediate_size, config.hidden_size)
        self.full_layer_layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(
        self, hidden: Tensor, score_mask: Tensor | None, head_mask: Tensor | None, wanted: Wanted
    ) -> tuple[Tensor, Tensor | None]:
        hidden, weights = self.attention(hidden, score_mask, head_mask, wanted)
        return in_chunks(self.feed_forward, hidden, self.chunk_size), weights

    def feed_forward(self, hidden: Tensor) -> Tensor:
        widened = self.activation(self.ffn(hidden))  # [B, T, F]
        return self.full_layer_layer_norm(self.ffn_output(widened) + hidden)


class AlbertLayerGroup(nn.Module):
    """The layers that are run, and run again, one after another."""

    def __init__(self, config: AlbertConfig, heads: list[int]) -> None:
        super().__init__()
        self.albert_layers = nn.ModuleList(AlbertLayer(config, each) for each in heads)

    def forward(
        self, hidden: Tensor, score_mask: Tensor | None, head_masks: list[Tensor | None], wanted: Wanted
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        attentions = ()
        for layer, head_mask in zip(self.albert_layers, head_masks, strict=True):
            hidden, weights = layer(hidden, score_mask, head_mask, wanted)
            attentions += wanted.attention(weights)
        return hidden, attentions


class AlbertTransformer(nn.Module):
    """The projection of the embeddings, and the groups of layers, each several times."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        inner, heads = config.inner_group_num, heads_per_layer(config, config.own_layers)
        self.groups_in_turn = config.groups_in_turn()
        self.embedding_hidden_mapping_in = nn.Linear(config.embedding_size, config.hidden_size)
        self.albert_layer_groups = nn.ModuleList(
            AlbertLayerGroup(config, heads[group * inner :][:inner]) for group in range(config.num_hidden_groups)
        )

    def forward(
        self, embedded: Tensor, score_mask: Tensor | None, head_masks: list[list[Tensor | None]], wanted: Wanted
    ) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, ...]]:
        hidden = self.embedding_hidden_mapping_in(embedded)  # [B, T, D]
        states, attentions = wanted.state(hidden), ()
        for group in self.groups_in_turn:
            hidden, weights = self.albert_layer_groups[group](hidden, score_mask, head_masks[group], wanted)
            states += wanted.state(hidden)
            attentions += weights
        return hidden, states, attentions


class AlbertMLMHead(nn.Module):
    """A score for each token. The decoder's bias, and its table where weights are tied, are shared."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.embedding_size)
        self.activation = activation(config.hidden_act)
        self.LayerNorm = nn.LayerNorm(config.embedding_size, eps=config.layer_norm_eps)
        self.decoder = nn.Linear(config.embedding_size, config.vocab_size)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, hidden: Tensor) -> Tensor:
        return self.decoder(self.LayerNorm(self.activation(self.dense(hidden))))  # [B, T, V]


class AlbertSOPHead(nn.Module):
    """The head that tells whether two sentences are in their order: a score for each label."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.dropout = nn.Dropout(config.head_dropout)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def forward(self, pooled: Tensor) -> Tensor:
        return self.classifier(self.dropout(pooled))  # [B, L]


class AlbertPreTrainedModel(PreTrainedModel):
    """Base of every ALBERT model in PyTorch."""

    config_class = AlbertConfig
    base_model_prefix = "albert"
    config: AlbertConfig


class AlbertModel(AlbertPreTrainedModel):
    """The bare encoder: hidden states, and a summary of each sequence.

    Args:
        config: What the model is.
        add_pooling_layer: Whether there is a summary.
    """

    def __init__(self, config: AlbertConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.embeddings = AlbertEmbeddings(config)
        self.encoder = AlbertTransformer(config)
        self.pooler = nn.Linear(config.hidden_size, config.hidden_size) if add_pooling_layer else None

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
            attention_mask: [B, T], 1 where a token counts and 0 where it is padding; or [B, T, S].
            token_type_ids: [B, T], the segment of each token; 0 if not given.
            position_ids: [B, T] or [1, T]; 0, 1, 2, ... if not given.
            head_mask: [N] or [layers, N], 0 where a head is switched off; a layer that is run again has in all its
                turns the row of the first (`AlbertConfig.masks_by_group`).
            inputs_embeds: [B, T, E] instead of `input_ids`.

        Returns:
            `BaseModelOutputWithPooling`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        check_one_of(input_ids, inputs_embeds)
        if input_ids is not None:
            check_token_ids(input_ids, self.config.vocab_size)
        check_indices(token_type_ids, self.config.type_vocab_size, "token_type_ids")
        check_indices(position_ids, self.config.max_position_embeddings, "position_ids")
        embedded = self.embeddings(input_ids, token_type_ids, position_ids, inputs_embeds)  # [B, T, E]
        score_mask = padding_mask(attention_mask, embedded)
        head_masks = self.config.masks_by_group(per_layer_head_masks(head_mask, self.config.num_hidden_layers))
        hidden, states, attentions = self.encoder(embedded, score_mask, head_masks, wanted)
        output = BaseModelOutputWithPooling(
            last_hidden_state=hidden,
            pooler_output=torch.tanh(self.pooler(hidden[:, 0])) if self.pooler is not None else None,  # [B, D]
            hidden_states=states or None,
            attentions=attentions or None,
        )
        return wanted.answer(output)


class AlbertForPreTraining(AlbertPreTrainedModel):
    """ALBERT with both heads that it was trained with: for masked tokens, and for the order of two sentences."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__(config)
        self.albert = AlbertModel(config)
        self.predictions = AlbertMLMHead(config)
        self.sop_classifier = AlbertSOPHead(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        sentence_order_label: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Predict tokens and the order of two sentences; the arguments are those of `AlbertModel`, and

        Args:
            labels: [B, T] tokens, -100 where one is not to be predicted.
            sentence_order_label: [B], 0 where the sentences are in their order, 1 where they are swapped.

        Returns:
            `AlbertForPreTrainingOutput`, whose loss needs both labels, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.albert(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        predictions = self.predictions(outputs.last_hidden_state)  # [B, T, V]
        order = self.sop_classifier(outputs.pooler_output)  # [B, L]
        loss = None
        if labels is not None and sentence_order_label is not None:
            loss = cross_entropy(predictions, labels, ops) + cross_entropy(order, sentence_order_label, ops)
        output = AlbertForPreTrainingOutput(
            loss=loss,
            prediction_logits=predictions,
            sop_logits=order,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class AlbertForMaskedLM(AlbertPreTrainedModel):
    """ALBERT with a head that predicts masked tokens."""

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__(config)
        self.albert = AlbertModel(config, add_pooling_layer=False)
        self.predictions = AlbertMLMHead(config)

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
        """Predict the token at each position; the arguments are those of `AlbertModel`, and

        Args:
            labels: [B, T] tokens, -100 where one is not to be predicted.

        Returns:
            `MaskedLMOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.albert(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.predictions(outputs.last_hidden_state)  # [B, T, V]
        output = MaskedLMOutput(
            loss=cross_entropy(logits, labels, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class AlbertForSequenceClassification(SequenceClassification, AlbertPreTrainedModel, backbone=AlbertModel):
    """ALBERT with a classifier of whole sequences."""


class AlbertForMultipleChoice(MultipleChoice, AlbertPreTrainedModel, backbone=AlbertModel):
    """ALBERT with a score for each of several choices."""


class AlbertForTokenClassification(TokenClassification, AlbertPreTrainedModel, backbone=AlbertModel):
    """ALBERT with a classifier of every token."""


class AlbertForQuestionAnswering(QuestionAnswering, AlbertPreTrainedModel, backbone=AlbertModel):
    """ALBERT with scores for where an answer starts and ends."""
