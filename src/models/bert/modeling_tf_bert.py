"""BERT in Keras (Devlin et al. 2018, https://arxiv.org/abs/1810.04805).

Shape letters: B batch, T length, S positions attended to, D width, N heads, H head size, F feed-forward width,
V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from ...backends.cache import heads_per_layer
from ...backends.checks import check_cross_attention, check_one_of, warn_unless_decoder
from ...backends.tensorflow import ops
from ...backends.tensorflow.activations import activation
from ...backends.tensorflow.attention import (
    attend,
    causal_mask,
    join_heads,
    padding_mask,
    per_layer_head_masks,
    plus,
    size,
    split_heads,
)
from ...backends.tensorflow.cache import Cache, LayerCache
from ...backends.tensorflow.checks import check_indices, check_length, check_token_ids
from ...backends.tensorflow.generation import TFGenerationMixin
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
from ...losses import causal_language_model_loss, cross_entropy
from ...outputs import (
    BaseModelOutputWithPoolingAndCrossAttentions,
    BertForPreTrainingOutput,
    CausalLMOutputWithCrossAttentions,
    MaskedLMOutput,
    NextSentencePredictorOutput,
    Wanted,
)
from .configuration_bert import BertConfig


class TFBertUnusedPositions(Embedding):
    """The table of positions that checkpoints hold and relative positions do not read."""

    def call(self, position_ids: tf.Tensor) -> float:
        return 0.0


class TFBertEmbeddings(layers.Layer):
    """Token, segment and position embeddings, summed and normalized."""

    def __init__(self, config: BertConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width = config.hidden_size
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
        past: int | tf.Tensor,
        training: bool = False,
    ) -> tf.Tensor:
        words = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds  # [B, T, D]
        length = ops.shape(words)[1]
        if position_ids is None:
            check_length(past + length, self.position_embeddings.input_dim)
            position_ids = (past + tf.range(length))[None]  # [1, T]; XLA wants to know the size of a range
        segments = self.token_type_embeddings(
            keras.ops.zeros_like(position_ids) if token_type_ids is None else token_type_ids
        )
        embedded = words + segments + self.position_embeddings(position_ids)
        return self.dropout(self.LayerNorm(embedded), training=training)


class TFBertAbsolutePositions(layers.Layer):
    """Absolute positions add nothing to attention's scores: they are in the embeddings."""

    def __init__(self, rows: int, size: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)

    def call(self, query: tf.Tensor, key: tf.Tensor, past: int | tf.Tensor) -> None:
        return None


class TFBertRelativeKey(Embedding):
    """Scores of queries with learnt distances (Shaw et al. 2018, https://arxiv.org/abs/1803.02155)."""

    def call(self, query: tf.Tensor, key: tf.Tensor, past: int | tf.Tensor) -> tf.Tensor:
        return self.scores(query, key, self.distances(query, key, past)) * size(query, -1) ** -0.5  # [B, N, T, S]

    def distances(self, query: tf.Tensor, key: tf.Tensor, past: int | tf.Tensor) -> tf.Tensor:
        """The embedding of how far each query is from each key: [T, S, H]."""
        queries = past + tf.range(ops.shape(query)[2])
        keys = tf.range(ops.shape(key)[2])
        return super().call(queries[:, None] - keys + self.input_dim // 2)

    def scores(self, query: tf.Tensor, key: tf.Tensor, distances: tf.Tensor) -> tf.Tensor:
        return tf.einsum("bnth,tsh->bnts", query, distances)


class TFBertRelativeKeyQuery(TFBertRelativeKey):
    """Scores of queries and of keys with learnt distances (Huang et al. 2020, https://arxiv.org/abs/2009.13658)."""

    def scores(self, query: tf.Tensor, key: tf.Tensor, distances: tf.Tensor) -> tf.Tensor:
        return super().scores(query, key, distances) + tf.einsum("bnsh,tsh->bnts", key, distances)


#: What `position_embedding_type` adds to attention's scores.
POSITIONS = {
    "absolute": TFBertAbsolutePositions,
    "relative_key": TFBertRelativeKey,
    "relative_key_query": TFBertRelativeKeyQuery,
}


class TFBertSelfAttention(layers.Layer):
    """Queries, keys and values of one layer, and what each head makes of them."""

    def __init__(self, config: BertConfig, heads: int, *, name: str, dtype: Any) -> None:
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
        self.dropout = Dropout(config.attention_probs_dropout_prob, name="dropout", dtype=dtype)

    def call(
        self,
        hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        memory: LayerCache | None = None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        query, key, value = (
            split_heads(project(hidden), self.head_size) for project in (self.query, self.key, self.value)
        )  # [B, N, T, H]
        past = 0
        if memory is not None:
            past = memory.length
            key, value = memory.extend(key, value)  # [B, N, S, H]
        score_mask = plus(score_mask, self.distance_embedding(query, key, past=past))
        context, weights = attend(query, key, value, score_mask, self.dropout, head_mask, training)
        return join_heads(context), weights


class TFBertEncoderAttention(layers.Layer):
    """Queries of a decoder, keys and values of the encoder that it attends to."""

    def __init__(self, config: BertConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, self.head_size = config.hidden_size, config.hidden_size // config.num_attention_heads
        self.query = Dense(width, width, name="query", dtype=dtype)
        self.key = Dense(width, width, name="key", dtype=dtype)
        self.value = Dense(width, width, name="value", dtype=dtype)
        self.dropout = Dropout(config.attention_probs_dropout_prob, name="dropout", dtype=dtype)

    def call(
        self,
        hidden: tf.Tensor,
        encoder_hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        memory: LayerCache | None = None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        def keys_and_values() -> tuple[tf.Tensor, tf.Tensor]:
            key, value = self.key(encoder_hidden), self.value(encoder_hidden)
            return split_heads(key, self.head_size), split_heads(value, self.head_size)

        query = split_heads(self.query(hidden), self.head_size)  # [B, N, T, H]
        key, value = keys_and_values() if memory is None else memory.once(keys_and_values)  # [B, N, S, H]
        context, weights = attend(query, key, value, score_mask, self.dropout, head_mask, training)
        return join_heads(context), weights


class TFBertSelfOutput(layers.Layer):
    """The projection after attention, with its residual and norm."""

    def __init__(self, config: BertConfig, heads: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, head_size = config.hidden_size, config.hidden_size // config.num_attention_heads
        self.dense = Dense(heads * head_size, width, name="dense", dtype=dtype)
        self.LayerNorm = LayerNorm(width, epsilon=config.layer_norm_eps, name="LayerNorm", dtype=dtype)
        self.dropout = Dropout(config.hidden_dropout_prob, name="dropout", dtype=dtype)

    def call(self, context: tf.Tensor, hidden: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.LayerNorm(self.dropout(self.dense(context), training=training) + hidden)


class TFBertAttention(layers.Layer):
    """Self-attention and its output projection."""

    def __init__(self, config: BertConfig, heads: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.self = TFBertSelfAttention(config, heads, name="self", dtype=dtype)
        self.output_ = TFBertSelfOutput(config, heads, name="output", dtype=dtype)  # Keras keeps `output` for itself

    def call(
        self,
        hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        memory: LayerCache | None = None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        context, weights = self.self(hidden, score_mask, head_mask, memory=memory, training=training)
        return self.output_(context, hidden, training=training), weights


class TFBertCrossAttention(layers.Layer):
    """Attention to an encoder and its output projection."""

    def __init__(self, config: BertConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.self = TFBertEncoderAttention(config, name="self", dtype=dtype)
        self.output_ = TFBertSelfOutput(config, config.num_attention_heads, name="output", dtype=dtype)

    def call(
        self,
        hidden: tf.Tensor,
        encoder_hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        memory: LayerCache | None = None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        context, weights = self.self(hidden, encoder_hidden, score_mask, head_mask, memory=memory, training=training)
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
        self.dropout = Dropout(config.hidden_dropout_prob, name="dropout", dtype=dtype)

    def call(self, widened: tf.Tensor, hidden: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.LayerNorm(self.dropout(self.dense(widened), training=training) + hidden)


class TFBertLayer(CheckpointedLayer):
    """One layer: attention, in a decoder attention to the encoder, then feed-forward."""

    def __init__(self, config: BertConfig, heads: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        crossing = partial(TFBertCrossAttention, config, name="crossattention", dtype=dtype)
        self.chunk_size = config.chunk_size_feed_forward
        self.attention = TFBertAttention(config, heads, name="attention", dtype=dtype)
        self.crossattention = crossing() if config.add_cross_attention else None
        self.intermediate = TFBertIntermediate(config, name="intermediate", dtype=dtype)
        self.output_ = TFBertOutput(config, name="output", dtype=dtype)  # Keras keeps `output` for itself

    def call(
        self,
        hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        encoder_hidden: tf.Tensor | None,
        encoder_mask: tf.Tensor | None,
        memory: LayerCache | None = None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor | None]:
        hidden, weights = self.attention(hidden, score_mask, head_mask, memory=memory, training=training)
        cross_weights = None
        if self.crossattention is not None and encoder_hidden is not None:
            hidden, cross_weights = self.crossattention(
                hidden, encoder_hidden, encoder_mask, head_mask, memory=memory, training=training
            )
        feed_forward = partial(self.feed_forward, training=training)
        return in_chunks(feed_forward, hidden, self.chunk_size), weights, cross_weights

    def feed_forward(self, hidden: tf.Tensor, training: bool) -> tf.Tensor:
        return self.output_(self.intermediate(hidden), hidden, training=training)


class TFBertEncoder(Unconverted):
    """The stack of layers."""

    def __init__(self, config: BertConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.layer = [
            TFBertLayer(config, heads, name=f"layer.{index}", dtype=dtype)
            for index, heads in enumerate(heads_per_layer(config))
        ]

    def call(
        self,
        hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_masks: list[tf.Tensor | None],
        encoder_hidden: tf.Tensor | None,
        encoder_mask: tf.Tensor | None,
        cache: Cache | None,
        wanted: Wanted,
        training: bool = False,
    ) -> tuple[tf.Tensor, tuple[tf.Tensor, ...], tuple[tf.Tensor, ...], tuple[tf.Tensor, ...]]:
        states, attentions, cross_attentions = wanted.state(hidden), (), ()
        memories = [None] * len(self.layer) if cache is None else cache.layers
        for layer, head_mask, memory in zip(self.layer, head_masks, memories, strict=True):
            hidden, weights, cross_weights = layer(
                hidden, score_mask, head_mask, encoder_hidden, encoder_mask, memory=memory, training=training
            )
            states += wanted.state(hidden)
            attentions += wanted.attention(weights)
            cross_attentions += wanted.attention(cross_weights)
        return hidden, states, attentions, cross_attentions


class TFBertPooler(layers.Layer):
    """The first position, projected: a summary of the sequence."""

    def __init__(self, config: BertConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.dense = Dense(config.hidden_size, config.hidden_size, name="dense", dtype=dtype)

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        return tf.tanh(self.dense(hidden[:, 0]))  # [B, D]


class TFBertPredictionHeadTransform(layers.Layer):
    """What a position goes through before its token is predicted."""

    def __init__(self, config: BertConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.dense = Dense(config.hidden_size, config.hidden_size, name="dense", dtype=dtype)
        self.activation = activation(config.hidden_act)
        self.LayerNorm = LayerNorm(config.hidden_size, epsilon=config.layer_norm_eps, name="LayerNorm", dtype=dtype)

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        return self.LayerNorm(self.activation(self.dense(hidden)))


class TFBertLMPredictionHead(Holder):
    """A score for each token of the vocabulary. Where weights are tied, the decoder reads the embedding's table."""

    def __init__(self, config: BertConfig, embedding: Callable[[], Embedding], *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        tied = partial(TiedDense, embedding)
        untied = partial(Dense, config.hidden_size, config.vocab_size, use_bias=False)
        self.transform = TFBertPredictionHeadTransform(config, name="transform", dtype=dtype)
        self.decoder = (tied if config.tie_word_embeddings else untied)(name="decoder", dtype=dtype)
        self.bias = self.parameter("bias", (config.vocab_size,))

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        return self.decoder(self.transform(hidden)) + self.bias  # [B, T, V]


class TFBertOnlyMLMHead(layers.Layer):
    """The head of language models."""

    def __init__(self, config: BertConfig, embedding: Callable[[], Embedding], *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.predictions = TFBertLMPredictionHead(config, embedding, name="predictions", dtype=dtype)

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        return self.predictions(hidden)


class TFBertOnlyNSPHead(layers.Layer):
    """The head that tells whether one sentence follows the other."""

    def __init__(self, config: BertConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.seq_relationship = Dense(config.hidden_size, 2, name="seq_relationship", dtype=dtype)

    def call(self, pooled: tf.Tensor) -> tf.Tensor:
        return self.seq_relationship(pooled)  # [B, 2]


class TFBertPreTrainingHeads(layers.Layer):
    """Both heads that BERT was trained with."""

    def __init__(self, config: BertConfig, embedding: Callable[[], Embedding], *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.predictions = TFBertLMPredictionHead(config, embedding, name="predictions", dtype=dtype)
        self.seq_relationship = Dense(config.hidden_size, 2, name="seq_relationship", dtype=dtype)

    def call(self, hidden: tf.Tensor, pooled: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return self.predictions(hidden), self.seq_relationship(pooled)


class TFBertPreTrainedModel(TFPreTrainedModel):
    """Base of every BERT model in Keras."""

    config_class = BertConfig
    base_model_prefix = "bert"
    config: BertConfig


def check_inputs(
    config: BertConfig,
    input_ids: tf.Tensor | None,
    inputs_embeds: tf.Tensor | None,
    token_type_ids: tf.Tensor | None,
    position_ids: tf.Tensor | None,
    encoder_hidden_states: tf.Tensor | None,
) -> None:
    """Refuse inputs that the model cannot read.

    Raises:
        InputError: An input is absent, has a wrong shape, or an id is out of range.
    """
    check_one_of(input_ids, inputs_embeds)
    if input_ids is not None:
        check_token_ids(input_ids, config.vocab_size)
    check_indices(token_type_ids, config.type_vocab_size, "token_type_ids")
    check_indices(position_ids, config.max_position_embeddings, "position_ids")
    check_cross_attention(encoder_hidden_states, config)


class TFBertModel(TFBertPreTrainedModel):
    """The bare encoder or decoder: hidden states, and a summary of each sequence.

    Args:
        config: What the model is.
        add_pooling_layer: Whether there is a summary.
    """

    def __init__(self, config: BertConfig, add_pooling_layer: bool = True, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.score_mask = causal_mask if config.is_decoder else padding_mask
        self.embeddings = TFBertEmbeddings(config, name="embeddings", dtype=dtype)
        self.encoder = TFBertEncoder(config, name="encoder", dtype=dtype)
        self.pooler = TFBertPooler(config, name="pooler", dtype=dtype) if add_pooling_layer else None

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
        encoder_hidden_states: tf.Tensor | None = None,
        encoder_attention_mask: tf.Tensor | None = None,
        past_key_values: Any = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
    ) -> Any:
        """Encode a batch of sequences.

        Args:
            input_ids: [B, T] integers.
            attention_mask: [B, S], 1 where a token counts and 0 where it is padding, those in the cache included; or
                [B, T, S], which in a decoder says also what lies ahead.
            token_type_ids: [B, T], the segment of each token; 0 if not given.
            position_ids: [B, T] or [1, T]; counted from the end of the cache if not given.
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            inputs_embeds: [B, T, D] instead of `input_ids`.
            encoder_hidden_states: [B, E, D], what a decoder with cross-attention attends to.
            encoder_attention_mask: [B, E] or [B, T, E], as `attention_mask`.
            past_key_values: What an earlier call returned, to read on from there.
            use_cache: Whether a decoder returns its keys and values; as the configuration says if None.
            training: Whether dropout is on.

        Returns:
            `BaseModelOutputWithPoolingAndCrossAttentions`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        recomputes = training and self.is_gradient_checkpointing  # and then there is nothing to keep for a next call
        use_cache = use_cache if self.config.is_decoder and not recomputes else False
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict, use_cache)
        check_inputs(self.config, input_ids, inputs_embeds, token_type_ids, position_ids, encoder_hidden_states)
        cache = Cache.open(past_key_values, wanted.cache, self.config.num_hidden_layers)
        past = cache.length if cache is not None else 0
        hidden = self.embeddings(
            input_ids, token_type_ids, position_ids, inputs_embeds, past=past, training=training
        )  # [B, T, D]
        reach = cache.reach(ops.shape(hidden)[1]) if cache is not None else None
        score_mask = self.score_mask(attention_mask, hidden, past, reach)
        encoder_mask = None
        if encoder_hidden_states is not None:
            encoder_mask = padding_mask(encoder_attention_mask, encoder_hidden_states)
        head_masks = per_layer_head_masks(head_mask, self.config.num_hidden_layers)
        hidden, states, attentions, cross_attentions = self.encoder(
            hidden, score_mask, head_masks, encoder_hidden_states, encoder_mask,
            cache=cache, wanted=wanted, training=training,
        )  # fmt: skip
        output = BaseModelOutputWithPoolingAndCrossAttentions(
            last_hidden_state=hidden,
            pooler_output=self.pooler(hidden) if self.pooler is not None else None,
            hidden_states=states or None,
            past_key_values=cache if wanted.cache else None,
            attentions=attentions or None,
            cross_attentions=cross_attentions or None,
        )
        return wanted.answer(output)


class TFBertForPreTraining(TFBertPreTrainedModel):
    """BERT with both heads that it was trained with: masked tokens, and whether one sentence follows the other."""

    def __init__(self, config: BertConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.bert = TFBertModel(config, name="bert", dtype=dtype)
        self.cls = TFBertPreTrainingHeads(config, self.bert.get_input_embeddings, name="cls", dtype=dtype)

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
        next_sentence_label: tf.Tensor | None = None,
        training: bool = False,
    ) -> Any:
        """Predict tokens and the relation of two sentences; the arguments are those of `TFBertModel`, and

        Args:
            labels: [B, T] tokens, -100 where one is not to be predicted.
            next_sentence_label: [B], 0 where the second sentence follows the first, 1 where it does not.

        Returns:
            `BertForPreTrainingOutput`, whose loss needs both labels, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.bert(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds, use_cache=False,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
            training=training,
        )  # fmt: skip
        predictions, relationship = self.cls(outputs.last_hidden_state, outputs.pooler_output)  # [B, T, V], [B, 2]
        loss = None
        if labels is not None and next_sentence_label is not None:
            loss = cross_entropy(predictions, labels, ops) + cross_entropy(relationship, next_sentence_label, ops)
        output = BertForPreTrainingOutput(
            loss=loss,
            prediction_logits=predictions,
            seq_relationship_logits=relationship,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class TFBertLMHeadModel(TFBertPreTrainedModel, TFGenerationMixin):
    """BERT as a decoder that predicts the next token; wants `is_decoder=True`."""

    def __init__(self, config: BertConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        warn_unless_decoder(config, "TFBertLMHeadModel")
        self.bert = TFBertModel(config, add_pooling_layer=False, name="bert", dtype=dtype)
        self.cls = TFBertOnlyMLMHead(config, self.bert.get_input_embeddings, name="cls", dtype=dtype)

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        token_type_ids: tf.Tensor | None = None,
        position_ids: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        inputs_embeds: tf.Tensor | None = None,
        encoder_hidden_states: tf.Tensor | None = None,
        encoder_attention_mask: tf.Tensor | None = None,
        past_key_values: Any = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        labels: tf.Tensor | None = None,
        training: bool = False,
    ) -> Any:
        """Predict the token after each position; the arguments are those of `TFBertModel`, and

        Args:
            labels: [B, T] the tokens themselves, -100 where one is not to be predicted.

        Returns:
            `CausalLMOutputWithCrossAttentions`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        use_cache = use_cache if labels is None else False  # there is nothing to read on to
        outputs = self.bert(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            encoder_hidden_states, encoder_attention_mask, past_key_values=past_key_values, use_cache=use_cache,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
            training=training,
        )  # fmt: skip
        logits = self.cls(outputs.last_hidden_state)  # [B, T, V]
        output = CausalLMOutputWithCrossAttentions(
            loss=causal_language_model_loss(logits, labels, ops),
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            cross_attentions=outputs.cross_attentions,
        )
        return wanted.answer(output)


class TFBertForMaskedLM(TFBertPreTrainedModel):
    """BERT with a head that predicts masked tokens."""

    def __init__(self, config: BertConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.bert = TFBertModel(config, add_pooling_layer=False, name="bert", dtype=dtype)
        self.cls = TFBertOnlyMLMHead(config, self.bert.get_input_embeddings, name="cls", dtype=dtype)

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
        *,
        encoder_hidden_states: tf.Tensor | None = None,
        encoder_attention_mask: tf.Tensor | None = None,
    ) -> Any:
        """Predict the token at each position; the arguments are those of `TFBertModel`, and

        Args:
            labels: [B, T] tokens, -100 where one is not to be predicted.

        Returns:
            `MaskedLMOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.bert(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            encoder_hidden_states, encoder_attention_mask, use_cache=False,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
            training=training,
        )  # fmt: skip
        logits = self.cls(outputs.last_hidden_state)  # [B, T, V]
        output = MaskedLMOutput(
            loss=cross_entropy(logits, labels, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class TFBertForNextSentencePrediction(TFBertPreTrainedModel):
    """BERT with a head that tells whether the second sentence follows the first."""

    def __init__(self, config: BertConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.bert = TFBertModel(config, name="bert", dtype=dtype)
        self.cls = TFBertOnlyNSPHead(config, name="cls", dtype=dtype)

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
        next_sentence_label: tf.Tensor | None = None,
        training: bool = False,
        *,
        labels: tf.Tensor | None = None,
    ) -> Any:
        """Tell the relation of two sentences; the arguments are those of `TFBertModel`, and

        Args:
            next_sentence_label: [B], 0 where the second sentence follows the first, 1 where it does not.
            labels: The same under its new name.

        Returns:
            `NextSentencePredictorOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.bert(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds, use_cache=False,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
            training=training,
        )  # fmt: skip
        logits = self.cls(outputs.pooler_output)  # [B, 2]
        output = NextSentencePredictorOutput(
            loss=cross_entropy(logits, next_sentence_label if labels is None else labels, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class TFBertForSequenceClassification(SequenceClassification, TFBertPreTrainedModel, backbone=TFBertModel):
    """BERT with a classifier of whole sequences."""


class TFBertForMultipleChoice(MultipleChoice, TFBertPreTrainedModel, backbone=TFBertModel):
    """BERT with a score for each of several choices."""


class TFBertForTokenClassification(TokenClassification, TFBertPreTrainedModel, backbone=TFBertModel):
    """BERT with a classifier of every token."""


class TFBertForQuestionAnswering(QuestionAnswering, TFBertPreTrainedModel, backbone=TFBertModel):
    """BERT with scores for where an answer starts and ends."""
