"""DistilBERT in Keras (Sanh et al. 2019, https://arxiv.org/abs/1910.01108).

Shape letters: B batch, T length, S positions attended to, D width, N heads, H head size, F feed-forward width,
V vocabulary.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import tensorflow as tf
from keras import layers

from ...backends.cache import heads_per_layer
from ...backends.checks import check_one_of
from ...backends.tensorflow import ops
from ...backends.tensorflow.activations import activation
from ...backends.tensorflow.attention import attend, join_heads, padding_mask, per_layer_head_masks, split_heads
from ...backends.tensorflow.checks import check_length, check_token_ids
from ...backends.tensorflow.heads import (
    MultipleChoice,
    QuestionAnswering,
    SequenceClassification,
    SummaryHead,
    TokenClassification,
)
from ...backends.tensorflow.layers import (
    CheckpointedLayer,
    Dense,
    Dropout,
    Embedding,
    LayerNorm,
    TiedBiasedDense,
    Unconverted,
    in_chunks,
)
from ...backends.tensorflow.model import TFPreTrainedModel
from ...losses import cross_entropy
from ...outputs import BaseModelOutput, MaskedLMOutput, ModelOutput, Wanted
from .configuration_distilbert import DistilBertConfig

#: What layer normalization adds to the variance.
EPSILON = 1e-12


class TFDistilBertEmbeddings(layers.Layer):
    """Token and position embeddings, summed and normalized."""

    def __init__(self, config: DistilBertConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.word_embeddings = Embedding(
            config.vocab_size, config.dim, padding=config.pad_token_id, name="word_embeddings", dtype=dtype
        )
        self.position_embeddings = Embedding(
            config.max_position_embeddings, config.dim, name="position_embeddings", dtype=dtype
        )
        self.LayerNorm = LayerNorm(config.dim, epsilon=EPSILON, name="LayerNorm", dtype=dtype)
        self.dropout = Dropout(config.dropout, name="dropout", dtype=dtype)

    def call(self, input_ids: tf.Tensor | None, inputs_embeds: tf.Tensor | None, training: bool = False) -> tf.Tensor:
        words = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds  # [B, T, D]
        length = ops.shape(words)[1]
        check_length(length, self.position_embeddings.input_dim)
        positions = self.position_embeddings(tf.range(length)[None])  # [1, T, D]
        return self.dropout(self.LayerNorm(words + positions), training=training)


class TFDistilBertAttention(layers.Layer):
    """Self-attention of one layer, and its output projection."""

    def __init__(self, config: DistilBertConfig, heads: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, self.head_size = config.dim, config.dim // config.n_heads
        inner = heads * self.head_size
        self.dropout = Dropout(config.attention_dropout, name="dropout", dtype=dtype)
        self.q_lin = Dense(width, inner, name="q_lin", dtype=dtype)
        self.k_lin = Dense(width, inner, name="k_lin", dtype=dtype)
        self.v_lin = Dense(width, inner, name="v_lin", dtype=dtype)
        self.out_lin = Dense(inner, width, name="out_lin", dtype=dtype)

    def call(
        self,
        hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        query, key, value = (
            split_heads(project(hidden), self.head_size) for project in (self.q_lin, self.k_lin, self.v_lin)
        )  # [B, N, T, H]
        context, weights = attend(query, key, value, score_mask, self.dropout, head_mask, training)
        return self.out_lin(join_heads(context)), weights


class TFDistilBertFeedForward(layers.Layer):
    """The feed-forward block: wider, an activation, narrower."""

    def __init__(self, config: DistilBertConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.dropout = Dropout(config.dropout, name="dropout", dtype=dtype)
        self.lin1 = Dense(config.dim, config.hidden_dim, name="lin1", dtype=dtype)
        self.lin2 = Dense(config.hidden_dim, config.dim, name="lin2", dtype=dtype)
        self.activation = activation(config.activation)

    def call(self, hidden: tf.Tensor, training: bool = False) -> tf.Tensor:
        widened = self.activation(self.lin1(hidden))  # [B, T, F]
        return self.dropout(self.lin2(widened), training=training)


class TFDistilBertLayer(CheckpointedLayer):
    """One layer: attention, then feed-forward, each sum normalized."""

    def __init__(self, config: DistilBertConfig, heads: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.chunk_size = config.chunk_size_feed_forward
        self.attention = TFDistilBertAttention(config, heads, name="attention", dtype=dtype)
        self.sa_layer_norm = LayerNorm(config.dim, epsilon=EPSILON, name="sa_layer_norm", dtype=dtype)
        self.ffn = TFDistilBertFeedForward(config, name="ffn", dtype=dtype)
        self.output_layer_norm = LayerNorm(config.dim, epsilon=EPSILON, name="output_layer_norm", dtype=dtype)

    def call(
        self,
        hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        attended, weights = self.attention(hidden, score_mask, head_mask, training=training)
        hidden = self.sa_layer_norm(attended + hidden)
        feed_forward = partial(self.ffn, training=training)
        return self.output_layer_norm(in_chunks(feed_forward, hidden, self.chunk_size) + hidden), weights


class TFDistilBertTransformer(Unconverted):
    """The stack of layers."""

    def __init__(self, config: DistilBertConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.layer = [
            TFDistilBertLayer(config, heads, name=f"layer.{index}", dtype=dtype)
            for index, heads in enumerate(heads_per_layer(config))
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


class TFDistilBertPreTrainedModel(TFPreTrainedModel):
    """Base of every DistilBERT model in Keras."""

    config_class = DistilBertConfig
    base_model_prefix = "distilbert"
    config: DistilBertConfig


class TFDistilBertModel(TFDistilBertPreTrainedModel):
    """The bare encoder: hidden states."""

    def __init__(self, config: DistilBertConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.embeddings = TFDistilBertEmbeddings(config, name="embeddings", dtype=dtype)
        self.transformer = TFDistilBertTransformer(config, name="transformer", dtype=dtype)

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
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
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            inputs_embeds: [B, T, D] instead of `input_ids`.
            training: Whether dropout is on.

        Returns:
            `BaseModelOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        check_one_of(input_ids, inputs_embeds)
        if input_ids is not None:
            check_token_ids(input_ids, self.config.vocab_size)
        hidden = self.embeddings(input_ids, inputs_embeds, training=training)  # [B, T, D]
        score_mask = padding_mask(attention_mask, hidden)
        head_masks = per_layer_head_masks(head_mask, self.config.n_layers)
        hidden, states, attentions = self.transformer(hidden, score_mask, head_masks, wanted=wanted, training=training)
        output = BaseModelOutput(hidden, hidden_states=states or None, attentions=attentions or None)
        return wanted.answer(output)


class TFDistilBertForMaskedLM(TFDistilBertPreTrainedModel):
    """DistilBERT with a head that predicts masked tokens."""

    def __init__(self, config: DistilBertConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.distilbert = TFDistilBertModel(config, name="distilbert", dtype=dtype)
        tied = partial(TiedBiasedDense, self.distilbert.get_input_embeddings, config.vocab_size)
        untied = partial(Dense, config.dim, config.vocab_size)
        projector = tied if config.tie_word_embeddings else untied
        self.activation = activation(config.activation)
        self.vocab_transform = Dense(config.dim, config.dim, name="vocab_transform", dtype=dtype)
        self.vocab_layer_norm = LayerNorm(config.dim, epsilon=EPSILON, name="vocab_layer_norm", dtype=dtype)
        self.vocab_projector = projector(name="vocab_projector", dtype=dtype)

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        inputs_embeds: tf.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        labels: tf.Tensor | None = None,
        training: bool = False,
    ) -> Any:
        """Predict the token at each position; the arguments are those of `TFDistilBertModel`, and

        Args:
            labels: [B, T] tokens, -100 where one is not to be predicted.

        Returns:
            `MaskedLMOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.distilbert(
            input_ids, attention_mask, head_mask, inputs_embeds,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
            training=training,
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


class TFDistilBertSummary(SummaryHead):
    """Base of the heads that read a summary of each sequence: its first position, projected."""

    def make_summary(self, config: DistilBertConfig) -> None:
        self.pre_classifier = Dense(config.dim, config.dim, name="pre_classifier", dtype=self.dtype_policy)
        self.dropout = Dropout(config.seq_classif_dropout, name="dropout", dtype=self.dtype_policy)

    def summarize(self, outputs: Any, training: bool) -> tf.Tensor:
        summary = tf.nn.relu(self.pre_classifier(outputs.last_hidden_state[:, 0]))  # [B, D]
        return self.dropout(summary, training=training)


class TFDistilBertForSequenceClassification(
    TFDistilBertSummary, SequenceClassification, TFDistilBertPreTrainedModel, backbone=TFDistilBertModel
):
    """DistilBERT with a classifier of whole sequences."""


class TFDistilBertForMultipleChoice(
    TFDistilBertSummary, MultipleChoice, TFDistilBertPreTrainedModel, backbone=TFDistilBertModel
):
    """DistilBERT with a score for each of several choices."""


class TFDistilBertForTokenClassification(TokenClassification, TFDistilBertPreTrainedModel, backbone=TFDistilBertModel):
    """DistilBERT with a classifier of every token."""


class TFDistilBertForQuestionAnswering(QuestionAnswering, TFDistilBertPreTrainedModel, backbone=TFDistilBertModel):
    """DistilBERT with scores for where an answer starts and ends."""

    def __init__(self, config: DistilBertConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        self.dropout = Dropout(config.qa_dropout, name="dropout", dtype=self.dtype_policy)

    def read(
        self,
        outputs: Any,
        training: bool,
        start_positions: tf.Tensor | None = None,
        end_positions: tf.Tensor | None = None,
    ) -> ModelOutput:
        outputs.last_hidden_state = self.dropout(outputs.last_hidden_state, training=training)
        return super().read(outputs, training, start_positions, end_positions)
