"""BERT in Keras (Devlin et al. 2018, https://arxiv.org/abs/1810.04805).

Shape letters: B batch, T length, D width, N heads, L labels, F feed-forward width.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers

from ...backends.checks import check_length, check_one_of
from ...backends.tensorflow import ops
from ...backends.tensorflow.activations import activation
from ...backends.tensorflow.attention import additive_mask, attend, join_heads, per_layer_head_masks, split_heads
from ...backends.tensorflow.checks import check_indices, check_token_ids
from ...backends.tensorflow.layers import Dense, Embedding, LayerNorm
from ...backends.tensorflow.model import TFPreTrainedModel
from ...losses import sequence_classification_loss
from ...outputs import BaseModelOutputWithPoolingAndCrossAttentions, SequenceClassifierOutput, Wanted
from .configuration_bert import BertConfig


class TFBertEmbeddings(layers.Layer):
    """Token, segment and position embeddings, summed and normalized."""

    def __init__(self, config: BertConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width = config.hidden_size
        self.word_embeddings = Embedding(
            config.vocab_size, width, padding=config.pad_token_id, name="word_embeddings", dtype=dtype
        )
        self.position_embeddings = Embedding(
            config.max_position_embeddings, width, name="position_embeddings", dtype=dtype
        )
        self.token_type_embeddings = Embedding(config.type_vocab_size, width, name="token_type_embeddings", dtype=dtype)
        self.LayerNorm = LayerNorm(width, epsilon=config.layer_norm_eps, name="LayerNorm", dtype=dtype)
        self.dropout = layers.Dropout(config.hidden_dropout_prob, name="dropout", dtype=dtype)

    def call(
        self,
        input_ids: tf.Tensor | None,
        token_type_ids: tf.Tensor | None,
        position_ids: tf.Tensor | None,
        inputs_embeds: tf.Tensor | None,
        training: bool = False,
    ) -> tf.Tensor:
        words = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds  # [B, T, D]
        if position_ids is None:
            check_length(words.shape[1] or 0, self.position_embeddings.input_dim)
            position_ids = tf.range(tf.shape(words)[1])[None]  # [1, T]
        segments = self.token_type_embeddings(
            keras.ops.zeros_like(position_ids) if token_type_ids is None else token_type_ids
        )
        embedded = words + segments + self.position_embeddings(position_ids)
        return self.dropout(self.LayerNorm(embedded), training=training)


class TFBertSelfAttention(layers.Layer):
    """Queries, keys and values of one layer, and what each head makes of them."""

    def __init__(self, config: BertConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width = config.hidden_size
        self.heads = config.num_attention_heads
        self.query = Dense(width, width, name="query", dtype=dtype)
        self.key = Dense(width, width, name="key", dtype=dtype)
        self.value = Dense(width, width, name="value", dtype=dtype)
        self.dropout = layers.Dropout(config.attention_probs_dropout_prob, name="dropout", dtype=dtype)

    def call(
        self, hidden: tf.Tensor, score_mask: tf.Tensor | None, head_mask: tf.Tensor | None, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        query, key, value = (
            split_heads(project(hidden), self.heads) for project in (self.query, self.key, self.value)
        )  # [B, N, T, H]
        context, weights = attend(query, key, value, score_mask, self.dropout, head_mask, training)
        return join_heads(context), weights


class TFBertSelfOutput(layers.Layer):
    """The projection after attention, with its residual and norm."""

    def __init__(self, config: BertConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.dense = Dense(config.hidden_size, config.hidden_size, name="dense", dtype=dtype)
        self.LayerNorm = LayerNorm(config.hidden_size, epsilon=config.layer_norm_eps, name="LayerNorm", dtype=dtype)
        self.dropout = layers.Dropout(config.hidden_dropout_prob, name="dropout", dtype=dtype)

    def call(self, context: tf.Tensor, hidden: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.LayerNorm(self.dropout(self.dense(context), training=training) + hidden)


class TFBertAttention(layers.Layer):
    """Self-attention and its output projection."""

    def __init__(self, config: BertConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.self = TFBertSelfAttention(config, name="self", dtype=dtype)
        self.output_ = TFBertSelfOutput(config, name="output", dtype=dtype)  # Keras keeps `output` for itself

    def call(
        self, hidden: tf.Tensor, score_mask: tf.Tensor | None, head_mask: tf.Tensor | None, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        context, weights = self.self(hidden, score_mask, head_mask, training=training)
        return self.output_(context, hidden, training=training), weights


class TFBertIntermediate(layers.Layer):
    """The widening half of the feed-forward block."""

    def __init__(self, config: BertConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.dense = Dense(config.hidden_size, config.intermediate_size, name="dense", dtype=dtype)
        self.activation = activation(config.hidden_act)

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        return self.activation(self.dense(hidden))  # [B, T, F]


class TFBertOutput(layers.Layer):
    """The narrowing half of the feed-forward block, with its residual and norm."""

    def __init__(self, config: BertConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.dense = Dense(config.intermediate_size, config.hidden_size, name="dense", dtype=dtype)
        self.LayerNorm = LayerNorm(config.hidden_size, epsilon=config.layer_norm_eps, name="LayerNorm", dtype=dtype)
        self.dropout = layers.Dropout(config.hidden_dropout_prob, name="dropout", dtype=dtype)

    def call(self, widened: tf.Tensor, hidden: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.LayerNorm(self.dropout(self.dense(widened), training=training) + hidden)


class TFBertLayer(layers.Layer):
    """One layer: attention, then feed-forward."""

    def __init__(self, config: BertConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.attention = TFBertAttention(config, name="attention", dtype=dtype)
        self.intermediate = TFBertIntermediate(config, name="intermediate", dtype=dtype)
        self.output_ = TFBertOutput(config, name="output", dtype=dtype)  # Keras keeps `output` for itself

    def call(
        self, hidden: tf.Tensor, score_mask: tf.Tensor | None, head_mask: tf.Tensor | None, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        attended, weights = self.attention(hidden, score_mask, head_mask, training=training)
        return self.output_(self.intermediate(attended), attended, training=training), weights


class TFBertEncoder(layers.Layer):
    """The stack of layers."""

    def __init__(self, config: BertConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.layer = [
            TFBertLayer(config, name=f"layer.{index}", dtype=dtype) for index in range(config.num_hidden_layers)
        ]

    def call(
        self,
        hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_masks: list[tf.Tensor | None],
        wanted: Wanted,
        training: bool = False,
    ) -> tuple[tf.Tensor, tuple[tf.Tensor, ...], tuple[tf.Tensor, ...]]:
        states, attentions = wanted.state(hidden), ()
        for layer, head_mask in zip(self.layer, head_masks, strict=True):
            hidden, weights = layer(hidden, score_mask, head_mask, training=training)
            states += wanted.state(hidden)
            attentions += wanted.attention(weights)
        return hidden, states, attentions


class TFBertPooler(layers.Layer):
    """The first position, projected: a summary of the sequence."""

    def __init__(self, config: BertConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.dense = Dense(config.hidden_size, config.hidden_size, name="dense", dtype=dtype)

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        return tf.tanh(self.dense(hidden[:, 0]))  # [B, D]


class TFBertPreTrainedModel(TFPreTrainedModel):
    """Base of every BERT model in Keras."""

    config_class = BertConfig
    base_model_prefix = "bert"
    config: BertConfig


class TFBertModel(TFBertPreTrainedModel):
    """The bare encoder: hidden states, and a summary of each sequence.

    Args:
        config: What the model is.
        add_pooling_layer: Whether there is a summary.
    """

    def __init__(self, config: BertConfig, add_pooling_layer: bool = True, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.embeddings = TFBertEmbeddings(config, name="embeddings", dtype=dtype)
        self.encoder = TFBertEncoder(config, name="encoder", dtype=dtype)
        self.pooler = TFBertPooler(config, name="pooler", dtype=dtype) if add_pooling_layer else None

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
            attention_mask: [B, T], 1 where a token counts and 0 where it is padding; or [B, T, T].
            token_type_ids: [B, T], the segment of each token; 0 if not given.
            position_ids: [B, T] or [1, T]; 0, 1, 2, ... if not given.
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            inputs_embeds: [B, T, D] instead of `input_ids`.
            training: Whether dropout is on.

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
        hidden = self.embeddings(input_ids, token_type_ids, position_ids, inputs_embeds, training=training)  # [B, T, D]
        score_mask = additive_mask(attention_mask, hidden)
        head_masks = per_layer_head_masks(head_mask, self.config.num_hidden_layers)
        hidden, states, attentions = self.encoder(hidden, score_mask, head_masks, wanted=wanted, training=training)
        output = BaseModelOutputWithPoolingAndCrossAttentions(
            last_hidden_state=hidden,
            pooler_output=self.pooler(hidden) if self.pooler is not None else None,
            hidden_states=states or None,
            attentions=attentions or None,
        )
        return wanted.answer(output)


class TFBertForSequenceClassification(TFBertPreTrainedModel):
    """BERT with a classifier of whole sequences on its summary."""

    def __init__(self, config: BertConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        dropout = config.hidden_dropout_prob if config.classifier_dropout is None else config.classifier_dropout
        self.bert = TFBertModel(config, name="bert", dtype=dtype)
        self.dropout = layers.Dropout(dropout, name="dropout", dtype=dtype)
        self.classifier = Dense(config.hidden_size, config.num_labels, name="classifier", dtype=dtype)

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
        """Classify a batch of sequences; the arguments are those of `TFBertModel`, and

        Args:
            labels: [B] class indices; [B] or [B, L] targets for regression; [B, L] zeros and ones for several each.

        Returns:
            `SequenceClassifierOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.bert(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
            training=training,
        )  # fmt: skip
        logits = self.classifier(self.dropout(outputs.pooler_output, training=training))  # [B, L]
        output = SequenceClassifierOutput(
            loss=sequence_classification_loss(logits, labels, self.config, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)
