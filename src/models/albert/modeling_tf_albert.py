"""ALBERT in Keras (Lan et al. 2019, https://arxiv.org/abs/1909.11942).

Positions are BERT's (`models/bert`). What differs: embeddings have a width of their own and are projected; layers stand
in groups, and a group is run several times with the same weights; attention holds its output projection itself, and
scores distances unscaled; the pooled summary is one linear layer; the second head that ALBERT was trained with tells
the order of two sentences.

Shape letters: B batch, T length, S positions attended to, E width of the embeddings, D width, N heads, H head size,
F feed-forward width, V vocabulary, L labels, two for the order of sentences.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from ...backends.cache import heads_per_layer
from ...backends.checks import check_one_of
from ...backends.tensorflow import ops
from ...backends.tensorflow.activations import activation
from ...backends.tensorflow.attention import attend, join_heads, padding_mask, per_layer_head_masks, plus, split_heads
from ...backends.tensorflow.checks import check_indices, check_length, check_token_ids
from ...backends.tensorflow.heads import MultipleChoice, QuestionAnswering, SequenceClassification, TokenClassification
from ...backends.tensorflow.layers import (
    CheckpointedLayer,
    Dense,
    Dropout,
    Embedding,
    Holder,
    LayerNorm,
    TiedDense,
    Unconverted,
    in_chunks,
)
from ...backends.tensorflow.model import TFPreTrainedModel
from ...losses import cross_entropy
from ...outputs import AlbertForPreTrainingOutput, BaseModelOutputWithPooling, MaskedLMOutput, Wanted
from ..bert.modeling_tf_bert import (
    TFBertAbsolutePositions,
    TFBertRelativeKey,
    TFBertRelativeKeyQuery,
    TFBertUnusedPositions,
)
from .configuration_albert import AlbertConfig


class TFAlbertEmbeddings(layers.Layer):
    """Token, segment and position embeddings, summed and normalized."""

    def __init__(self, config: AlbertConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width = config.embedding_size
        positions = Embedding if config.position_embedding_type == "absolute" else TFBertUnusedPositions
        self.word_embeddings = Embedding(
            config.vocab_size, width, padding=config.pad_token_id, name="word_embeddings", dtype=dtype
        )
        self.position_embeddings = positions(
            config.max_position_embeddings, width, name="position_embeddings", dtype=dtype
        )
        self.token_type_embeddings = Embedding(config.type_vocab_size, width, name="token_type_embeddings", dtype=dtype)
        self.LayerNorm = LayerNorm(width, epsilon=config.layer_norm_eps, name="LayerNorm", dtype=dtype)
        self.dropout = Dropout(config.hidden_dropout_prob, name="dropout", dtype=dtype)

    def call(
        self,
        input_ids: tf.Tensor | None,
        token_type_ids: tf.Tensor | None,
        position_ids: tf.Tensor | None,
        inputs_embeds: tf.Tensor | None,
        training: bool = False,
    ) -> tf.Tensor:
        words = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds  # [B, T, E]
        length = ops.shape(words)[1]
        if position_ids is None:
            check_length(length, self.position_embeddings.input_dim)
            position_ids = tf.range(length)[None]  # [1, T]
        segments = self.token_type_embeddings(
            keras.ops.zeros_like(position_ids) if token_type_ids is None else token_type_ids
        )
        embedded = words + segments + self.position_embeddings(position_ids)
        return self.dropout(self.LayerNorm(embedded), training=training)


class TFAlbertRelativeKey(TFBertRelativeKey):
    """Scores of queries with learnt distances, which the size of a head does not scale."""

    def call(self, query: tf.Tensor, key: tf.Tensor, past: int | tf.Tensor) -> tf.Tensor:
        return self.scores(query, key, self.distances(query, key, past))  # [B, N, T, S]


class TFAlbertRelativeKeyQuery(TFAlbertRelativeKey, TFBertRelativeKeyQuery):
    """Scores of queries and of keys with learnt distances, which the size of a head does not scale."""


#: What `position_embedding_type` adds to attention's scores.
POSITIONS = {
    "absolute": TFBertAbsolutePositions,
    "relative_key": TFAlbertRelativeKey,
    "relative_key_query": TFAlbertRelativeKeyQuery,
}


class TFAlbertAttention(layers.Layer):
    """Self-attention of one layer and its output projection, with residual and norm."""

    def __init__(self, config: AlbertConfig, heads: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, self.head_size = config.hidden_size, config.hidden_size // config.num_attention_heads
        inner = heads * self.head_size
        positions = POSITIONS[config.position_embedding_type]
        self.query = Dense(width, inner, name="query", dtype=dtype)
        self.key = Dense(width, inner, name="key", dtype=dtype)
        self.value = Dense(width, inner, name="value", dtype=dtype)
        self.distance_embedding = positions(
            2 * config.max_position_embeddings - 1, self.head_size, name="distance_embedding", dtype=dtype
        )
        self.attention_dropout = Dropout(config.attention_probs_dropout_prob, name="attention_dropout", dtype=dtype)
        self.dense = Dense(inner, width, name="dense", dtype=dtype)
        self.output_dropout = Dropout(config.hidden_dropout_prob, name="output_dropout", dtype=dtype)
        self.LayerNorm = LayerNorm(width, epsilon=config.layer_norm_eps, name="LayerNorm", dtype=dtype)

    def call(
        self,
        hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        query, key, value = (
            split_heads(project(hidden), self.head_size) for project in (self.query, self.key, self.value)
        )  # [B, N, T, H]
        score_mask = plus(score_mask, self.distance_embedding(query, key, past=0))
        context, weights = attend(query, key, value, score_mask, self.attention_dropout, head_mask, training)
        projected = self.output_dropout(self.dense(join_heads(context)), training=training)
        return self.LayerNorm(projected + hidden), weights


class TFAlbertLayer(CheckpointedLayer):
    """One layer: attention, then feed-forward."""

    def __init__(self, config: AlbertConfig, heads: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, epsilon = config.hidden_size, config.layer_norm_eps
        self.chunk_size = config.chunk_size_feed_forward
        self.attention = TFAlbertAttention(config, heads, name="attention", dtype=dtype)
        self.ffn = Dense(width, config.intermediate_size, name="ffn", dtype=dtype)
        self.activation = activation(config.hidden_act)
        self.ffn_output = Dense(config.intermediate_size, width, name="ffn_output", dtype=dtype)
        self.full_layer_layer_norm = LayerNorm(width, epsilon=epsilon, name="full_layer_layer_norm", dtype=dtype)

    def call(
        self,
        hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        hidden, weights = self.attention(hidden, score_mask, head_mask, training=training)
        return in_chunks(self.feed_forward, hidden, self.chunk_size), weights

    def feed_forward(self, hidden: tf.Tensor) -> tf.Tensor:
        widened = self.activation(self.ffn(hidden))  # [B, T, F]
        return self.full_layer_layer_norm(self.ffn_output(widened) + hidden)


class TFAlbertLayerGroup(Unconverted):
    """The layers that are run, and run again, one after another."""

    def __init__(self, config: AlbertConfig, heads: list[int], *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.albert_layers = [
            TFAlbertLayer(config, each, name=f"albert_layers.{index}", dtype=dtype) for index, each in enumerate(heads)
        ]

    def call(
        self,
        hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_masks: list[tf.Tensor | None],
        wanted: Wanted,
        training: bool = False,
    ) -> tuple[tf.Tensor, tuple[tf.Tensor, ...]]:
        attentions = ()
        for layer, head_mask in zip(self.albert_layers, head_masks, strict=True):
            hidden, weights = layer(hidden, score_mask, head_mask, training=training)
            attentions += wanted.attention(weights)
        return hidden, attentions


class TFAlbertTransformer(Unconverted):
    """The projection of the embeddings, and the groups of layers, each several times."""

    def __init__(self, config: AlbertConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        inner, heads = config.inner_group_num, heads_per_layer(config, config.own_layers)
        self.groups_in_turn = config.groups_in_turn()
        self.embedding_hidden_mapping_in = Dense(
            config.embedding_size, config.hidden_size, name="embedding_hidden_mapping_in", dtype=dtype
        )
        self.albert_layer_groups = [
            TFAlbertLayerGroup(config, heads[group * inner :][:inner], name=f"albert_layer_groups.{group}", dtype=dtype)
            for group in range(config.num_hidden_groups)
        ]

    def call(
        self,
        embedded: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_masks: list[list[tf.Tensor | None]],
        wanted: Wanted,
        training: bool = False,
    ) -> tuple[tf.Tensor, tuple[tf.Tensor, ...], tuple[tf.Tensor, ...]]:
        hidden = self.embedding_hidden_mapping_in(embedded)  # [B, T, D]
        states, attentions = wanted.state(hidden), ()
        for group in self.groups_in_turn:
            hidden, weights = self.albert_layer_groups[group](
                hidden, score_mask, head_masks[group], wanted=wanted, training=training
            )
            states += wanted.state(hidden)
            attentions += weights
        return hidden, states, attentions


class TFAlbertMLMHead(Holder):
    """A score for each token of the vocabulary. Where weights are tied, the decoder reads the embedding's table."""

    def __init__(self, config: AlbertConfig, embedding: Callable[[], Embedding], *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width = config.embedding_size
        tied = partial(TiedDense, embedding)
        untied = partial(Dense, width, config.vocab_size, use_bias=False)
        self.dense = Dense(config.hidden_size, width, name="dense", dtype=dtype)
        self.activation = activation(config.hidden_act)
        self.LayerNorm = LayerNorm(width, epsilon=config.layer_norm_eps, name="LayerNorm", dtype=dtype)
        self.decoder = (tied if config.tie_word_embeddings else untied)(name="decoder", dtype=dtype)
        self.bias = self.parameter("bias", (config.vocab_size,))

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        return self.decoder(self.LayerNorm(self.activation(self.dense(hidden)))) + self.bias  # [B, T, V]


class TFAlbertSOPHead(layers.Layer):
    """The head that tells whether two sentences are in their order: a score for each label."""

    def __init__(self, config: AlbertConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.dropout = Dropout(config.head_dropout, name="dropout", dtype=dtype)
        self.classifier = Dense(config.hidden_size, config.num_labels, name="classifier", dtype=dtype)

    def call(self, pooled: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.classifier(self.dropout(pooled, training=training))  # [B, L]


class TFAlbertPreTrainedModel(TFPreTrainedModel):
    """Base of every ALBERT model in Keras."""

    config_class = AlbertConfig
    base_model_prefix = "albert"
    config: AlbertConfig


class TFAlbertModel(TFAlbertPreTrainedModel):
    """The bare encoder: hidden states, and a summary of each sequence.

    Args:
        config: What the model is.
        add_pooling_layer: Whether there is a summary.
    """

    def __init__(self, config: AlbertConfig, add_pooling_layer: bool = True, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        width, dtype = config.hidden_size, self.dtype_policy
        self.embeddings = TFAlbertEmbeddings(config, name="embeddings", dtype=dtype)
        self.encoder = TFAlbertTransformer(config, name="encoder", dtype=dtype)
        self.pooler = Dense(width, width, name="pooler", dtype=dtype) if add_pooling_layer else None

    def get_config(self) -> dict[str, Any]:
        """What Keras writes into a `.keras` file to make the model again."""
        return {**super().get_config(), "add_pooling_layer": self.pooler is not None}

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        token_type_ids: tf.Tensor | None = None,
        position_ids: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        inputs_embeds: tf.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
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
            training: Whether dropout is on.

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
        embedded = self.embeddings(
            input_ids, token_type_ids, position_ids, inputs_embeds, training=training
        )  # [B, T, E]
        score_mask = padding_mask(attention_mask, embedded)
        head_masks = self.config.masks_by_group(per_layer_head_masks(head_mask, self.config.num_hidden_layers))
        hidden, states, attentions = self.encoder(embedded, score_mask, head_masks, wanted=wanted, training=training)
        output = BaseModelOutputWithPooling(
            last_hidden_state=hidden,
            pooler_output=tf.tanh(self.pooler(hidden[:, 0])) if self.pooler is not None else None,  # [B, D]
            hidden_states=states or None,
            attentions=attentions or None,
        )
        return wanted.answer(output)


class TFAlbertForPreTraining(TFAlbertPreTrainedModel):
    """ALBERT with both heads that it was trained with: for masked tokens, and for the order of two sentences."""

    def __init__(self, config: AlbertConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.albert = TFAlbertModel(config, name="albert", dtype=dtype)
        self.predictions = TFAlbertMLMHead(config, self.albert.get_input_embeddings, name="predictions", dtype=dtype)
        self.sop_classifier = TFAlbertSOPHead(config, name="sop_classifier", dtype=dtype)

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        token_type_ids: tf.Tensor | None = None,
        position_ids: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        inputs_embeds: tf.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        labels: tf.Tensor | None = None,
        sentence_order_label: tf.Tensor | None = None,
        training: bool = False,
    ) -> Any:
        """Predict tokens and the order of two sentences; the arguments are those of `TFAlbertModel`, and

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
            training=training,
        )  # fmt: skip
        predictions = self.predictions(outputs.last_hidden_state)  # [B, T, V]
        order = self.sop_classifier(outputs.pooler_output, training=training)  # [B, L]
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


class TFAlbertForMaskedLM(TFAlbertPreTrainedModel):
    """ALBERT with a head that predicts masked tokens."""

    def __init__(self, config: AlbertConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.albert = TFAlbertModel(config, add_pooling_layer=False, name="albert", dtype=dtype)
        self.predictions = TFAlbertMLMHead(config, self.albert.get_input_embeddings, name="predictions", dtype=dtype)

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        token_type_ids: tf.Tensor | None = None,
        position_ids: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        inputs_embeds: tf.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        labels: tf.Tensor | None = None,
        training: bool = False,
    ) -> Any:
        """Predict the token at each position; the arguments are those of `TFAlbertModel`, and

        Args:
            labels: [B, T] tokens, -100 where one is not to be predicted.

        Returns:
            `MaskedLMOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.albert(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
            training=training,
        )  # fmt: skip
        logits = self.predictions(outputs.last_hidden_state)  # [B, T, V]
        output = MaskedLMOutput(
            loss=cross_entropy(logits, labels, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class TFAlbertForSequenceClassification(SequenceClassification, TFAlbertPreTrainedModel, backbone=TFAlbertModel):
    """ALBERT with a classifier of whole sequences."""


class TFAlbertForMultipleChoice(MultipleChoice, TFAlbertPreTrainedModel, backbone=TFAlbertModel):
    """ALBERT with a score for each of several choices."""


class TFAlbertForTokenClassification(TokenClassification, TFAlbertPreTrainedModel, backbone=TFAlbertModel):
    """ALBERT with a classifier of every token."""


class TFAlbertForQuestionAnswering(QuestionAnswering, TFAlbertPreTrainedModel, backbone=TFAlbertModel):
    """ALBERT with scores for where an answer starts and ends."""
