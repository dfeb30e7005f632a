"""T5 in Keras (Raffel et al. 2019, https://arxiv.org/abs/1910.10683).

Shape letters: B batch, T length, S positions attended to, E length of what the encoder reads, D width, N heads, H head
size, F feed-forward width, L labels, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import tensorflow as tf
from keras import layers

from ...backends.cache import heads_per_layer
from ...backends.checks import check_one_of
from ...backends.seq2seq import EncoderDecoder, as_encoder_output, headed_output, joined_output, tokens_of
from ...backends.tensorflow import ops
from ...backends.tensorflow.activations import activation
from ...backends.tensorflow.attention import (
    attend,
    causal_mask,
    join_heads,
    padding_mask,
    per_layer_head_masks,
    plus,
    split_heads,
)
from ...backends.tensorflow.cache import Cache, LayerCache
from ...backends.tensorflow.checks import check_token_ids
from ...backends.tensorflow.generation import TFGenerationMixin
from ...backends.tensorflow.heads import TokenClassification
from ...backends.tensorflow.layers import CheckpointedLayer, Dense, Dropout, Embedding, RMSNorm, TiedDense, Unconverted
from ...backends.tensorflow.model import TFPreTrainedModel
from ...backends.tensorflow.seq2seq import Seq2SeqSequenceClassification
from ...losses import cross_entropy, question_answering_loss
from ...outputs import (
    BaseModelOutput,
    BaseModelOutputWithPastAndCrossAttentions,
    Seq2SeqLMOutput,
    Seq2SeqModelOutput,
    Seq2SeqQuestionAnsweringModelOutput,
    Wanted,
)
from .configuration_t5 import T5Config


class TFT5PositionBias(Embedding):
    """What is added to attention's scores for how far a key is from a query: a number for each bucket and head."""

    def __init__(self, config: T5Config, is_decoder: bool, *, name: str, dtype: Any) -> None:
        super().__init__(config.relative_attention_num_buckets, config.num_heads, name=name, dtype=dtype)
        self.config, self.is_decoder = config, is_decoder

    def between(self, length: int | tf.Tensor, reach: int | tf.Tensor, past: int | tf.Tensor = 0) -> tf.Tensor:
        """For queries from position `past` on and keys from the first position on: [1, N, T, S].

        Args:
            length: T.
            reach: S.
            past: How many positions there are before the first query.
        """
        keys, starts = tf.range(reach), tf.constant(self.config.bucket_starts(self.is_decoder), tf.int32)
        ahead = keys - (past + keys[:length])[:, None]  # [T, S]
        distances = tf.maximum(-ahead, 0) if self.is_decoder else tf.abs(ahead)
        buckets = tf.gather(tf.reduce_sum(tf.cast(keys[:, None] >= starts, tf.int32), -1), distances)
        if not self.is_decoder:  # keys that lie ahead have the second half of the buckets
            buckets = buckets + tf.cast(ahead > 0, tf.int32) * (self.input_dim // 2)
        return tf.transpose(self(buckets), (2, 0, 1))[None]


class TFT5Attention(layers.Layer):
    """Attention to the same text; scores are not scaled, for the weights start so small that they need not be."""

    def __init__(
        self, config: T5Config, heads: int, is_decoder: bool, is_first: bool, *, name: str, dtype: Any
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        width, self.head_size = config.d_model, config.d_kv
        bias = partial(TFT5PositionBias, config, is_decoder, name="relative_attention_bias", dtype=dtype)
        self.q = Dense(width, heads * self.head_size, use_bias=False, name="q", dtype=dtype)
        self.k = Dense(width, heads * self.head_size, use_bias=False, name="k", dtype=dtype)
        self.v = Dense(width, heads * self.head_size, use_bias=False, name="v", dtype=dtype)
        self.o = Dense(heads * self.head_size, width, use_bias=False, name="o", dtype=dtype)
        self.relative_attention_bias = bias() if is_first else None
        self.dropout = Dropout(config.dropout_rate, name="dropout", dtype=dtype)

    def call(
        self,
        hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        memory: LayerCache | None = None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        query, key, value = (split_heads(project(hidden), self.head_size) for project in (self.q, self.k, self.v))
        if memory is not None:
            key, value = memory.extend(key, value)  # [B, N, S, H]
        context, weights = attend(query, key, value, score_mask, self.dropout, head_mask, training, scale=1.0)
        return self.o(join_heads(context)), weights


class TFT5CrossAttention(layers.Layer):
    """Attention to what the encoder has read, wherever it stands."""

    def __init__(self, config: T5Config, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, self.head_size = config.d_model, config.d_kv
        self.q = Dense(width, config.num_heads * self.head_size, use_bias=False, name="q", dtype=dtype)
        self.k = Dense(width, config.num_heads * self.head_size, use_bias=False, name="k", dtype=dtype)
        self.v = Dense(width, config.num_heads * self.head_size, use_bias=False, name="v", dtype=dtype)
        self.o = Dense(config.num_heads * self.head_size, width, use_bias=False, name="o", dtype=dtype)
        self.dropout = Dropout(config.dropout_rate, name="dropout", dtype=dtype)

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
            key, value = (split_heads(project(encoder_hidden), self.head_size) for project in (self.k, self.v))
            return key, value

        query = split_heads(self.q(hidden), self.head_size)  # [B, N, T, H]
        key, value = keys_and_values() if memory is None else memory.once(keys_and_values)  # [B, N, E, H]
        context, weights = attend(query, key, value, score_mask, self.dropout, head_mask, training, scale=1.0)
        return self.o(join_heads(context)), weights


def bounded(hidden: tf.Tensor) -> tf.Tensor:
    """A hidden state without infinities: float16 has no room for the sums that some checkpoints lead to."""
    if hidden.dtype != tf.float16:
        return hidden
    bound = hidden.dtype.max - 1000
    return tf.clip_by_value(hidden, -bound, bound)


class TFT5LayerSelfAttention(layers.Layer):
    """Self-attention with the norm before it and the residual around it."""

    def __init__(
        self, config: T5Config, heads: int, is_decoder: bool, is_first: bool, *, name: str, dtype: Any
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.SelfAttention = TFT5Attention(config, heads, is_decoder, is_first, name="SelfAttention", dtype=dtype)
        self.layer_norm = RMSNorm(config.d_model, epsilon=config.layer_norm_epsilon, name="layer_norm", dtype=dtype)
        self.dropout = Dropout(config.dropout_rate, name="dropout", dtype=dtype)

    def call(
        self,
        hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        memory: LayerCache | None = None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        attended, weights = self.SelfAttention(
            self.layer_norm(hidden), score_mask, head_mask, memory=memory, training=training
        )
        return bounded(hidden + self.dropout(attended, training=training)), weights


class TFT5LayerCrossAttention(layers.Layer):
    """Attention to the encoder with the norm before it and the residual around it."""

    def __init__(self, config: T5Config, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.EncDecAttention = TFT5CrossAttention(config, name="EncDecAttention", dtype=dtype)
        self.layer_norm = RMSNorm(config.d_model, epsilon=config.layer_norm_epsilon, name="layer_norm", dtype=dtype)
        self.dropout = Dropout(config.dropout_rate, name="dropout", dtype=dtype)

    def call(
        self,
        hidden: tf.Tensor,
        encoder_hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        memory: LayerCache | None = None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        attended, weights = self.EncDecAttention(
            self.layer_norm(hidden), encoder_hidden, score_mask, head_mask, memory=memory, training=training
        )
        return bounded(hidden + self.dropout(attended, training=training)), weights


class TFT5DenseActDense(layers.Layer):
    """The feed-forward block: wider, and back."""

    def __init__(self, config: T5Config, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.wi = Dense(config.d_model, config.d_ff, use_bias=False, name="wi", dtype=dtype)
        self.wo = Dense(config.d_ff, config.d_model, use_bias=False, name="wo", dtype=dtype)
        self.dropout = Dropout(config.dropout_rate, name="dropout", dtype=dtype)
        self.act = activation(str(config.dense_act_fn))

    def call(self, hidden: tf.Tensor, training: bool = False) -> tf.Tensor:
        widened = self.act(self.wi(hidden))  # [B, T, F]
        return self.wo(self.dropout(widened, training=training))


class TFT5DenseGatedActDense(layers.Layer):
    """The feed-forward block with a gate (Shazeer 2020, https://arxiv.org/abs/2002.05202)."""

    def __init__(self, config: T5Config, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.wi_0 = Dense(config.d_model, config.d_ff, use_bias=False, name="wi_0", dtype=dtype)
        self.wi_1 = Dense(config.d_model, config.d_ff, use_bias=False, name="wi_1", dtype=dtype)
        self.wo = Dense(config.d_ff, config.d_model, use_bias=False, name="wo", dtype=dtype)
        self.dropout = Dropout(config.dropout_rate, name="dropout", dtype=dtype)
        self.act = activation(str(config.dense_act_fn))

    def call(self, hidden: tf.Tensor, training: bool = False) -> tf.Tensor:
        widened = self.act(self.wi_0(hidden)) * self.wi_1(hidden)  # [B, T, F]
        return self.wo(self.dropout(widened, training=training))


class TFT5LayerFF(layers.Layer):
    """The feed-forward block with the norm before it and the residual around it."""

    def __init__(self, config: T5Config, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        dense = TFT5DenseGatedActDense if config.is_gated_act else TFT5DenseActDense
        self.DenseReluDense = dense(config, name="DenseReluDense", dtype=dtype)
        self.layer_norm = RMSNorm(config.d_model, epsilon=config.layer_norm_epsilon, name="layer_norm", dtype=dtype)
        self.dropout = Dropout(config.dropout_rate, name="dropout", dtype=dtype)

    def call(self, hidden: tf.Tensor, training: bool = False) -> tf.Tensor:
        fed = self.DenseReluDense(self.layer_norm(hidden), training=training)
        return bounded(hidden + self.dropout(fed, training=training))


class TFT5EncoderBlock(CheckpointedLayer):
    """One layer of the encoder."""

    def __init__(self, config: T5Config, heads: int, is_first: bool, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        parts = (partial(TFT5LayerSelfAttention, config, heads, False, is_first), partial(TFT5LayerFF, config))
        self.layer = [part(name=f"layer.{place}", dtype=dtype) for place, part in enumerate(parts)]

    def call(
        self, hidden: tf.Tensor, score_mask: tf.Tensor | None, head_mask: tf.Tensor | None, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        attend_to_text, feed_forward = self.layer
        hidden, weights = attend_to_text(hidden, score_mask, head_mask, training=training)
        return feed_forward(hidden, training=training), weights


class TFT5DecoderBlock(CheckpointedLayer):
    """One layer of the decoder."""

    def __init__(self, config: T5Config, is_first: bool, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        attention = partial(TFT5LayerSelfAttention, config, config.num_heads, True, is_first)
        parts = (attention, partial(TFT5LayerCrossAttention, config), partial(TFT5LayerFF, config))
        self.layer = [part(name=f"layer.{place}", dtype=dtype) for place, part in enumerate(parts)]

    def call(
        self,
        hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        encoder_hidden: tf.Tensor,
        encoder_mask: tf.Tensor | None,
        cross_head_mask: tf.Tensor | None,
        memory: LayerCache | None = None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        attend_to_text, attend_to_encoder, feed_forward = self.layer
        hidden, weights = attend_to_text(hidden, score_mask, head_mask, memory=memory, training=training)
        hidden, cross_weights = attend_to_encoder(
            hidden, encoder_hidden, encoder_mask, cross_head_mask, memory=memory, training=training
        )
        return feed_forward(hidden, training=training), weights, cross_weights


def bias_of(blocks: Any) -> TFT5PositionBias:
    """The bias of positions, which the first of a stack's blocks holds for all."""
    return blocks[0].layer[0].SelfAttention.relative_attention_bias


class TFT5Encoder(Unconverted):
    """The stack that reads: every position sees every other.

    Args:
        config: What the model is.
        embed_tokens: Answers with the embedding that it shares with the decoder.
    """

    def __init__(self, config: T5Config, embed_tokens: Callable[[], Embedding], *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.config = config
        self.embed_tokens = embed_tokens
        self.block = [
            TFT5EncoderBlock(config, heads, is_first=layer == 0, name=f"block.{layer}", dtype=dtype)
            for layer, heads in enumerate(heads_per_layer(config))
        ]
        self.final_layer_norm = RMSNorm(
            config.d_model, epsilon=config.layer_norm_epsilon, name="final_layer_norm", dtype=dtype
        )
        self.dropout = Dropout(config.dropout_rate, name="dropout", dtype=dtype)

    def scores(self, attention_mask: tf.Tensor | None, hidden: tf.Tensor) -> list[tf.Tensor]:
        """What is added to the scores of each layer, [B, N, T, T], of the heads that pruning has left it."""
        if not self.block:
            return []
        length = ops.shape(hidden)[1]
        bias = bias_of(self.block).between(length, length)
        every: Any = plus(padding_mask(attention_mask, hidden), bias)
        return [every if kept is None else tf.gather(every, kept, axis=1) for kept in self.config.kept_heads]

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
        """Read a batch of sequences; the arguments are those of `TFT5EncoderModel`.

        Returns:
            `BaseModelOutput`, or a tuple with `return_dict=False`.
        """
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        check_one_of(input_ids, inputs_embeds)
        if input_ids is not None:
            check_token_ids(input_ids, self.config.vocab_size)
        embedded: Any = self.embed_tokens()(input_ids) if inputs_embeds is None else inputs_embeds
        hidden: Any = self.dropout(embedded, training=training)  # [B, T, D]
        head_masks = per_layer_head_masks(head_mask, len(self.block))
        states, attentions = (), ()
        for block, score_mask, own_head_mask in zip(
            self.block, self.scores(attention_mask, hidden), head_masks, strict=True
        ):
            states += wanted.state(hidden)
            hidden, weights = block(hidden, score_mask, own_head_mask, training=training)
            attentions += wanted.attention(weights)
        hidden = self.dropout(self.final_layer_norm(hidden), training=training)
        states += wanted.state(hidden)
        return wanted.answer(BaseModelOutput(hidden, states or None, attentions or None))


class TFT5Decoder(Unconverted):
    """The stack that writes: a position sees itself and those before it, and all that the encoder has read.

    Args:
        config: What the model is.
        embed_tokens: Answers with the embedding that it shares with the encoder.
    """

    def __init__(self, config: T5Config, embed_tokens: Callable[[], Embedding], *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.config = config
        self.embed_tokens = embed_tokens
        self.block = [
            TFT5DecoderBlock(config, is_first=layer == 0, name=f"block.{layer}", dtype=dtype)
            for layer in range(config.num_decoder_layers or 0)
        ]
        self.final_layer_norm = RMSNorm(
            config.d_model, epsilon=config.layer_norm_epsilon, name="final_layer_norm", dtype=dtype
        )
        self.dropout = Dropout(config.dropout_rate, name="dropout", dtype=dtype)

    def scores(
        self, attention_mask: tf.Tensor | None, hidden: tf.Tensor, past: int | tf.Tensor, reach: int | tf.Tensor
    ) -> tf.Tensor | None:
        """What is added to the scores of every layer: [B, N, T, S]."""
        if not self.block:
            return None
        bias = bias_of(self.block).between(ops.shape(hidden)[1], reach, past)
        return plus(causal_mask(attention_mask, hidden, past, reach), bias)

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        encoder_hidden_states: Any = None,
        encoder_attention_mask: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        cross_attn_head_mask: tf.Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: tf.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
    ) -> Any:
        """Read what was written so far; the arguments are those of `TFT5Model`, there with `decoder_` before them, and

        Args:
            encoder_hidden_states: [B, E, D], what the encoder has answered.
            encoder_attention_mask: [B, E], 1 where a position of the encoder counts and 0 where it is padding.

        Returns:
            `BaseModelOutputWithPastAndCrossAttentions`, or a tuple with `return_dict=False`.
        """
        config = self.config
        wanted = Wanted.of(config, output_attentions, output_hidden_states, return_dict, use_cache)
        check_one_of(input_ids, inputs_embeds, "decoder_")
        if input_ids is not None:
            check_token_ids(input_ids, config.vocab_size, "decoder_input_ids")
        cache = Cache.open(past_key_values, wanted.cache, len(self.block))
        embedded: Any = self.embed_tokens()(input_ids) if inputs_embeds is None else inputs_embeds
        hidden: Any = self.dropout(embedded, training=training)  # [B, T, D]
        length = ops.shape(hidden)[1]
        past, reach = (0, length) if cache is None else (cache.length, cache.reach(length))
        score_mask = self.scores(attention_mask, hidden, past, reach)
        encoder_mask = padding_mask(encoder_attention_mask, encoder_hidden_states)
        masks = (per_layer_head_masks(mask, len(self.block)) for mask in (head_mask, cross_attn_head_mask))
        memories = [None] * len(self.block) if cache is None else cache.layers
        states, attentions, cross_attentions = (), (), ()
        for block, own_mask, cross_mask, memory in zip(self.block, *masks, memories, strict=True):
            states += wanted.state(hidden)
            hidden, weights, cross_weights = block(
                hidden, score_mask, own_mask, encoder_hidden_states, encoder_mask, cross_mask,
                memory=memory, training=training,
            )  # fmt: skip
            attentions += wanted.attention(weights)
            cross_attentions += wanted.attention(cross_weights)
        hidden = self.dropout(self.final_layer_norm(hidden), training=training)
        states += wanted.state(hidden)
        output = BaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=hidden,
            past_key_values=cache if wanted.cache else None,
            hidden_states=states or None,
            attentions=attentions or None,
            cross_attentions=cross_attentions or None,
        )
        return wanted.answer(output)


class TFT5PreTrainedModel(EncoderDecoder, TFPreTrainedModel):
    """Base of every T5 model in Keras."""

    config_class = T5Config
    base_model_prefix = "transformer"
    config: T5Config

    def _shift_right(self, input_ids: tf.Tensor) -> tf.Tensor:
        """`prepare_decoder_input_ids_from_labels`, by the name that examples of 4.x use."""
        return self.prepare_decoder_input_ids_from_labels(input_ids)


class TFT5EncoderDecoder(TFT5PreTrainedModel):
    """The encoder and the decoder, with the embedding that they share; what the bare model and two heads stand on."""

    def __init__(self, config: T5Config, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.shared = Embedding(config.vocab_size, config.d_model, name="shared", dtype=dtype)
        self.encoder = TFT5Encoder(config, self.get_input_embeddings, name="encoder", dtype=dtype)
        self.decoder = TFT5Decoder(config, self.get_input_embeddings, name="decoder", dtype=dtype)

    def read(
        self,
        input_ids: tf.Tensor | None,
        attention_mask: tf.Tensor | None,
        decoder_input_ids: tf.Tensor | None,
        decoder_attention_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        decoder_head_mask: tf.Tensor | None,
        cross_attn_head_mask: tf.Tensor | None,
        encoder_outputs: Any,
        past_key_values: Any,
        inputs_embeds: tf.Tensor | None,
        decoder_inputs_embeds: tf.Tensor | None,
        use_cache: bool | None,
        wanted: Wanted,
        training: bool,
    ) -> Seq2SeqModelOutput:
        """What both stacks make of the arguments of `TFT5Model`'s call."""
        if training and self.is_gradient_checkpointing:  # then there is nothing to keep for a next call
            use_cache = False
        options = {
            "output_attentions": wanted.attentions, "output_hidden_states": wanted.hidden_states,
            "return_dict": True, "training": training,
        }  # fmt: skip
        encoded = as_encoder_output(encoder_outputs)
        if encoded is None:
            encoded = self.encoder(
                input_ids, attention_mask=attention_mask, head_mask=head_mask, inputs_embeds=inputs_embeds, **options
            )
        if decoder_head_mask is None and self.config.num_layers == self.config.num_decoder_layers:
            decoder_head_mask = head_mask  # as 4.x does
        decoded = self.decoder(
            decoder_input_ids, attention_mask=decoder_attention_mask, encoder_hidden_states=encoded.last_hidden_state,
            encoder_attention_mask=attention_mask, head_mask=decoder_head_mask,
            cross_attn_head_mask=cross_attn_head_mask, past_key_values=past_key_values,
            inputs_embeds=decoder_inputs_embeds, use_cache=use_cache, **options,
        )  # fmt: skip
        return joined_output(Seq2SeqModelOutput, decoded, encoded, last_hidden_state=decoded.last_hidden_state)

    @property
    def dummy_inputs(self) -> dict[str, Any]:
        """The least inputs that a call takes: token ids [1, 2] for both stacks."""
        return {**super().dummy_inputs, "decoder_input_ids": super().dummy_inputs["input_ids"]}


class TFT5Model(TFT5EncoderDecoder):
    """The bare model: hidden states of encoder and decoder."""

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        decoder_input_ids: tf.Tensor | None = None,
        decoder_attention_mask: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        decoder_head_mask: tf.Tensor | None = None,
        encoder_outputs: Any = None,
        past_key_values: Any = None,
        inputs_embeds: tf.Tensor | None = None,
        decoder_inputs_embeds: tf.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
        *,
        cross_attn_head_mask: tf.Tensor | None = None,
        cache_position: tf.Tensor | None = None,
    ) -> Any:
        """Read a batch of sequences, and others with a view of them.

        Args:
            input_ids: [B, E] integers, what the encoder reads.
            attention_mask: [B, E], 1 where a token of it counts and 0 where it is padding; or [B, E, E].
            decoder_input_ids: [B, T], what the decoder reads.
            decoder_attention_mask: [B, S], as `attention_mask`, those in the cache included; or [B, T, S].
            head_mask: [N] or [layers, N], 0 where a head of the encoder is switched off.
            decoder_head_mask: The same of the decoder; that of the encoder if both have as many layers.
            encoder_outputs: What the encoder answered before; then it does not run.
            past_key_values: What an earlier call returned, for the decoder to read on from there.
            inputs_embeds: [B, E, D] instead of `input_ids`.
            decoder_inputs_embeds: [B, T, D] instead of `decoder_input_ids`.
            use_cache: Whether keys and values are returned; as the configuration says if None.
            training: Whether dropout is on.
            cross_attn_head_mask: As `decoder_head_mask`, of the decoder's attention to the encoder.
            cache_position: Unused: a cache knows where it ends.

        Returns:
            `Seq2SeqModelOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input is absent, has a wrong shape, or an id is out of range.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict, use_cache)
        output = self.read(
            input_ids, attention_mask, decoder_input_ids, decoder_attention_mask, head_mask, decoder_head_mask,
            cross_attn_head_mask, encoder_outputs, past_key_values, inputs_embeds, decoder_inputs_embeds,
            wanted.cache, wanted, training,
        )  # fmt: skip
        return wanted.answer(output)


class TFT5ForConditionalGeneration(TFT5EncoderDecoder, TFGenerationMixin):
    """T5 with a score for each token that the decoder may write next."""

    def __init__(self, config: T5Config, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        tied = partial(TiedDense, self.get_input_embeddings)
        untied = partial(Dense, config.d_model, config.vocab_size, use_bias=False)
        self.scale = config.d_model**-0.5 if config.tie_word_embeddings else 1.0
        self.lm_head = (tied if config.tie_word_embeddings else untied)(name="lm_head", dtype=self.dtype_policy)

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        decoder_input_ids: tf.Tensor | None = None,
        decoder_attention_mask: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        decoder_head_mask: tf.Tensor | None = None,
        encoder_outputs: Any = None,
        past_key_values: Any = None,
        inputs_embeds: tf.Tensor | None = None,
        decoder_inputs_embeds: tf.Tensor | None = None,
        labels: tf.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
        *,
        cross_attn_head_mask: tf.Tensor | None = None,
        cache_position: tf.Tensor | None = None,
    ) -> Any:
        """Predict each token of the decoder; the arguments are those of `TFT5Model`, and

        Args:
            labels: [B, T] the tokens to be written, -100 where one is not to be predicted; shifted to the right, they
                are what the decoder reads if it is given nothing else.

        Returns:
            `Seq2SeqLMOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict, use_cache)
        if labels is not None and decoder_input_ids is None and decoder_inputs_embeds is None:
            decoder_input_ids = self.prepare_decoder_input_ids_from_labels(labels)
        outputs = self.read(
            input_ids, attention_mask, decoder_input_ids, decoder_attention_mask, head_mask, decoder_head_mask,
            cross_attn_head_mask, encoder_outputs, past_key_values, inputs_embeds, decoder_inputs_embeds,
            wanted.cache, wanted, training,
        )  # fmt: skip
        logits = self.lm_head(outputs.last_hidden_state * self.scale)  # [B, T, V]
        loss = cross_entropy(logits, labels, ops)
        return wanted.answer(headed_output(Seq2SeqLMOutput, outputs, loss=loss, logits=logits))


class TFT5EncoderModel(TFT5PreTrainedModel):
    """The encoder alone: hidden states."""

    def __init__(self, config: T5Config, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.shared = Embedding(config.vocab_size, config.d_model, name="shared", dtype=dtype)
        self.encoder = TFT5Encoder(config, self.get_input_embeddings, name="encoder", dtype=dtype)

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
        """Read a batch of sequences.

        Args:
            input_ids: [B, T] integers.
            attention_mask: [B, T], 1 where a token counts and 0 where it is padding; or [B, T, T].
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            inputs_embeds: [B, T, D] instead of `input_ids`.
            training: Whether dropout is on.

        Returns:
            `BaseModelOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input is absent, has a wrong shape, or an id is out of range.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        output = self.encoder(
            input_ids, attention_mask=attention_mask, head_mask=head_mask, inputs_embeds=inputs_embeds,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
            training=training,
        )  # fmt: skip
        return wanted.answer(output)


class TFT5ForQuestionAnswering(TFT5EncoderDecoder):
    """T5 with scores for where an answer starts and ends, by the decoder's view of the text."""

    def __init__(self, config: T5Config, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        self.qa_outputs = Dense(config.d_model, 2, name="qa_outputs", dtype=self.dtype_policy)

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        decoder_input_ids: tf.Tensor | None = None,
        decoder_attention_mask: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        decoder_head_mask: tf.Tensor | None = None,
        cross_attn_head_mask: tf.Tensor | None = None,
        encoder_outputs: Any = None,
        start_positions: tf.Tensor | None = None,
        end_positions: tf.Tensor | None = None,
        inputs_embeds: tf.Tensor | None = None,
        decoder_inputs_embeds: tf.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
    ) -> Any:
        """Find an answer; the arguments are those of `TFT5Model`, with `input_ids`, shifted to the right, for the
        decoder too if it is given nothing else, and

        Args:
            start_positions: [B], where the answer starts; a position outside the sequence does not count.
            end_positions: [B], where it ends.

        Returns:
            `Seq2SeqQuestionAnsweringModelOutput`, or a tuple with `return_dict=False`.
        """
        learns = start_positions is not None and end_positions is not None
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict, False if learns else use_cache)
        if decoder_input_ids is None and decoder_inputs_embeds is None and input_ids is not None:
            decoder_input_ids = self.prepare_decoder_input_ids_from_labels(input_ids)
        outputs = self.read(
            input_ids, attention_mask, decoder_input_ids, decoder_attention_mask, head_mask, decoder_head_mask,
            cross_attn_head_mask, encoder_outputs, None, inputs_embeds, decoder_inputs_embeds, wanted.cache, wanted,
            training,
        )  # fmt: skip
        start, end = tf.unstack(self.qa_outputs(outputs.last_hidden_state), axis=-1)  # [B, T] each
        loss = question_answering_loss(start, end, start_positions, end_positions, ops)
        logits = {"start_logits": start, "end_logits": end}
        return wanted.answer(headed_output(Seq2SeqQuestionAnsweringModelOutput, outputs, loss=loss, **logits))


class TFT5ForSequenceClassification(
    Seq2SeqSequenceClassification, TFT5PreTrainedModel, backbone=TFT5Model, before="use_cache", decoding=("use_cache",)
):
    """T5 with a classifier of whole sequences, on the decoder's view of their last end token."""

    def run_backbone(self, **inputs: Any) -> Any:
        """The backbone's output; the decoder reads the text shifted to the right if it is given nothing else."""
        if inputs.get("decoder_input_ids") is None and inputs.get("decoder_inputs_embeds") is None:
            inputs["decoder_input_ids"] = self.prepare_decoder_input_ids_from_labels(tokens_of(inputs))
        return super().run_backbone(**inputs)


class TFT5ForTokenClassification(TokenClassification, TFT5PreTrainedModel, backbone=TFT5EncoderModel):
    """T5's encoder with a classifier of every token."""
