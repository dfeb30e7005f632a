"""BART in Keras (Lewis et al. 2019, https://arxiv.org/abs/1910.13461).

Shape letters: B batch, T target length, E source length, S positions attended to, D width, N heads, H head size,
F feed-forward width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import tensorflow as tf
from keras import layers

from ...backends.checks import check_one_of
from ...backends.seq2seq import EncoderDecoder, as_encoder_output, headed_output, joined_output
from ...backends.tensorflow import ops
from ...backends.tensorflow.activations import activation
from ...backends.tensorflow.attention import (
    attend,
    causal_mask,
    join_heads,
    padding_mask,
    per_layer_head_masks,
    split_heads,
)
from ...backends.tensorflow.cache import Cache, LayerCache
from ...backends.tensorflow.checks import check_indices, check_length, check_token_ids
from ...backends.tensorflow.generation import TFGenerationMixin
from ...backends.tensorflow.heads import scored_positions
from ...backends.tensorflow.layers import (
    CheckpointedLayer,
    Dense,
    Dropout,
    Embedding,
    Holder,
    LayerDrop,
    LayerNorm,
    ScaledEmbedding,
    TiedDense,
    Unconverted,
    changing,
)
from ...backends.tensorflow.model import TFPreTrainedModel
from ...backends.tensorflow.seq2seq import Seq2SeqQuestionAnswering, Seq2SeqSequenceClassification
from ...losses import cross_entropy
from ...outputs import (
    BaseModelOutput,
    BaseModelOutputWithPastAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    Seq2SeqLMOutput,
    Seq2SeqModelOutput,
    Wanted,
)
from .configuration_bart import BartConfig

#: The rows that the table of positions has before the first position.
OFFSET = 2
#: What layer normalization adds to the variance.
EPSILON = 1e-5


class TFBartAttention(layers.Layer):
    """Attention of positions to one another, or to an encoder's, and its projection."""

    def __init__(self, config: BartConfig, heads: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, self.head_size = config.d_model, config.d_model // heads
        self.k_proj = Dense(width, width, name="k_proj", dtype=dtype)
        self.v_proj = Dense(width, width, name="v_proj", dtype=dtype)
        self.q_proj = Dense(width, width, name="q_proj", dtype=dtype)
        self.out_proj = Dense(width, width, name="out_proj", dtype=dtype)
        self.dropout = Dropout(config.attention_dropout, name="dropout", dtype=dtype)

    def call(
        self,
        hidden: tf.Tensor,
        encoder_hidden: tf.Tensor | None,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        memory: LayerCache | None = None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        def keys_and_values() -> tuple[tf.Tensor, tf.Tensor]:
            source = hidden if encoder_hidden is None else encoder_hidden
            return split_heads(self.k_proj(source), self.head_size), split_heads(self.v_proj(source), self.head_size)

        query = split_heads(self.q_proj(hidden), self.head_size)  # [B, N, T, H]
        if memory is None:
            key, value = keys_and_values()
        elif encoder_hidden is None:
            key, value = memory.extend(*keys_and_values())  # [B, N, S, H]
        else:
            key, value = memory.once(keys_and_values)  # [B, N, E, H]
        context, weights = attend(query, key, value, score_mask, self.dropout, head_mask, training)
        return self.out_proj(join_heads(context)), weights


class TFBartEncoderLayer(CheckpointedLayer):
    """One layer of the encoder: attention, then feed-forward; each sum is normalized."""

    def __init__(self, config: BartConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, inner = config.d_model, config.encoder_ffn_dim
        norm = partial(LayerNorm, width, epsilon=EPSILON, dtype=dtype)
        self.self_attn = TFBartAttention(config, config.encoder_attention_heads, name="self_attn", dtype=dtype)
        self.self_attn_layer_norm = norm(name="self_attn_layer_norm")
        self.activation = activation(config.activation_function)
        self.fc1 = Dense(width, inner, name="fc1", dtype=dtype)
        self.fc2 = Dense(inner, width, name="fc2", dtype=dtype)
        self.final_layer_norm = norm(name="final_layer_norm")
        self.dropout = Dropout(config.dropout, name="dropout", dtype=dtype)
        self.activation_dropout = Dropout(config.activation_dropout, name="activation_dropout", dtype=dtype)

    def call(
        self,
        hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        attended, weights = self.self_attn(hidden, None, score_mask, head_mask, training=training)
        hidden = self.self_attn_layer_norm(hidden + self.dropout(attended, training=training))
        widened = self.activation_dropout(self.activation(self.fc1(hidden)), training=training)  # [B, T, F]
        return self.final_layer_norm(hidden + self.dropout(self.fc2(widened), training=training)), weights


class TFBartDecoderLayer(CheckpointedLayer):
    """One layer of the decoder: attention, attention to the encoder, then feed-forward; each sum is normalized."""

    def __init__(self, config: BartConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, inner, heads = config.d_model, config.decoder_ffn_dim, config.decoder_attention_heads
        norm = partial(LayerNorm, width, epsilon=EPSILON, dtype=dtype)
        self.self_attn = TFBartAttention(config, heads, name="self_attn", dtype=dtype)
        self.self_attn_layer_norm = norm(name="self_attn_layer_norm")
        self.encoder_attn = TFBartAttention(config, heads, name="encoder_attn", dtype=dtype)
        self.encoder_attn_layer_norm = norm(name="encoder_attn_layer_norm")
        self.activation = activation(config.activation_function)
        self.fc1 = Dense(width, inner, name="fc1", dtype=dtype)
        self.fc2 = Dense(inner, width, name="fc2", dtype=dtype)
        self.final_layer_norm = norm(name="final_layer_norm")
        self.dropout = Dropout(config.dropout, name="dropout", dtype=dtype)
        self.activation_dropout = Dropout(config.activation_dropout, name="activation_dropout", dtype=dtype)

    def call(
        self,
        hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        encoder_hidden: tf.Tensor | None,
        encoder_mask: tf.Tensor | None,
        cross_head_mask: tf.Tensor | None,
        memory: LayerCache | None = None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor | None]:
        attended, weights = self.self_attn(hidden, None, score_mask, head_mask, memory=memory, training=training)
        hidden = self.self_attn_layer_norm(hidden + self.dropout(attended, training=training))
        cross_weights = None
        if encoder_hidden is not None:
            attended, cross_weights = self.encoder_attn(
                hidden, encoder_hidden, encoder_mask, cross_head_mask, memory=memory, training=training
            )
            hidden = self.encoder_attn_layer_norm(hidden + self.dropout(attended, training=training))
        widened = self.activation_dropout(self.activation(self.fc1(hidden)), training=training)  # [B, T, F]
        hidden = self.final_layer_norm(hidden + self.dropout(self.fc2(widened), training=training))
        return hidden, weights, cross_weights


def token_embedding(config: BartConfig, *, name: str, dtype: Any) -> ScaledEmbedding:
    """The table that embeds tokens."""
    sizes = config.vocab_size, config.d_model
    return ScaledEmbedding(*sizes, padding=config.pad_token_id, scale=config.embedding_scale, name=name, dtype=dtype)


class TFBartStack(Unconverted):
    """What encoder and decoder begin with: tokens, by the table that they share or their own, and positions."""

    def __init__(self, config: BartConfig, tokens: Callable[[], Any] | None = None, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        rows, width = config.max_position_embeddings + OFFSET, config.d_model
        own = partial(token_embedding, config, name="embed_tokens", dtype=dtype)
        self.config = config
        self.tokens = tokens
        self.embed_tokens_ = own() if tokens is None else None
        self.embed_positions = Embedding(rows, width, name="embed_positions", dtype=dtype)
        self.layernorm_embedding = LayerNorm(width, epsilon=EPSILON, name="layernorm_embedding", dtype=dtype)
        self.dropout = Dropout(config.dropout, name="dropout", dtype=dtype)

    @property
    def embed_tokens(self) -> Any:
        """The layer that embeds tokens."""
        return self.embed_tokens_ if self.tokens is None else self.tokens()

    @embed_tokens.setter
    def embed_tokens(self, value: Any) -> None:
        self.tokens, self.embed_tokens_ = None, value

    def embed(
        self,
        input_ids: tf.Tensor | None,
        inputs_embeds: tf.Tensor | None,
        position_ids: tf.Tensor | None,
        training: bool,
        past: int | tf.Tensor = 0,
    ) -> tf.Tensor:
        """Tokens [B, T] or their embeddings [B, T, D], and positions [B, T] or [1, T]: [B, T, D]."""
        check_one_of(input_ids, inputs_embeds)
        if input_ids is not None:
            check_token_ids(input_ids, self.embed_tokens.input_dim)
        hidden = self.embed_tokens(input_ids) if inputs_embeds is None else inputs_embeds
        longest = self.embed_positions.input_dim - OFFSET
        check_indices(position_ids, longest, "position_ids")
        places: Any = position_ids
        if position_ids is None:
            length = ops.shape(hidden)[1]
            check_length(past + length, longest)
            places = (past + tf.range(length))[None]  # [1, T]; XLA wants to know the size of a range
        embedded = self.layernorm_embedding(hidden + self.embed_positions(places + OFFSET))
        return self.dropout(embedded, training=training)


class TFBartEncoder(TFBartStack):
    """The encoder: hidden states of what is read."""

    def __init__(self, config: BartConfig, tokens: Callable[[], Any] | None = None, *, name: str, dtype: Any) -> None:
        super().__init__(config, tokens, name=name, dtype=dtype)
        count = config.encoder_layers
        self.layers = [TFBartEncoderLayer(config, name=f"layers.{index}", dtype=dtype) for index in range(count)]
        self.layerdrop = LayerDrop(config.encoder_layerdrop, name="layerdrop", dtype=dtype)

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
        *,
        position_ids: tf.Tensor | None = None,
    ) -> Any:
        """Read a batch of sequences.

        Args:
            input_ids: [B, E] integers.
            attention_mask: [B, E], 1 where a token counts and 0 where it is padding; or [B, E, E].
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            inputs_embeds: [B, E, D] instead of `input_ids`.
            training: Whether dropout is on.
            position_ids: [B, E] or [1, E]; counted from 0 if not given.

        Returns:
            `BaseModelOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        hidden = self.embed(input_ids, inputs_embeds, position_ids, training)  # [B, E, D]
        score_mask = padding_mask(attention_mask, hidden)
        states, attentions = wanted.state(hidden), ()
        for layer, own_head_mask in zip(self.layers, per_layer_head_masks(head_mask, len(self.layers)), strict=True):
            answer, weights = layer(hidden, score_mask, own_head_mask, training=training)
            hidden = self.layerdrop(hidden, answer, training=training)
            states += wanted.state(hidden)
            attentions += wanted.attention(weights)
        return wanted.answer(BaseModelOutput(hidden, states or None, attentions or None))


class TFBartDecoder(TFBartStack):
    """The decoder: hidden states of what is written, with a view of what the encoder read."""

    def __init__(self, config: BartConfig, tokens: Callable[[], Any] | None = None, *, name: str, dtype: Any) -> None:
        super().__init__(config, tokens, name=name, dtype=dtype)
        count = config.decoder_layers
        self.layers = [TFBartDecoderLayer(config, name=f"layers.{index}", dtype=dtype) for index in range(count)]
        self.layerdrop = LayerDrop(config.decoder_layerdrop, name="layerdrop", dtype=dtype)

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        encoder_hidden_states: tf.Tensor | None = None,
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
        *,
        cache_position: tf.Tensor | None = None,
        position_ids: tf.Tensor | None = None,
    ) -> Any:
        """Read a batch of sequences.

        Args:
            input_ids: [B, T] integers.
            attention_mask: [B, S], 1 where a token counts and 0 where it is padding, those in the cache included; or
                [B, T, S], its own for each position.
            encoder_hidden_states: [B, E, D], what the encoder answered; without it there is nothing to attend to.
            encoder_attention_mask: [B, E] or [B, T, E], as `attention_mask`.
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            cross_attn_head_mask: The same of the attention to the encoder.
            past_key_values: What an earlier call returned, to read on from there.
            inputs_embeds: [B, T, D] instead of `input_ids`.
            use_cache: Whether keys and values are returned; as the configuration says if None.
            training: Whether dropout is on.
            cache_position: [T], another way to say `position_ids`, the same for every row.
            position_ids: [B, T] or [1, T]; counted from the end of the cache if not given.

        Returns:
            `BaseModelOutputWithPastAndCrossAttentions`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict, use_cache)
        position_ids = cache_position[None] if position_ids is None and cache_position is not None else position_ids
        count = len(self.layers)
        cache = Cache.open(past_key_values, wanted.cache, count)
        past = cache.length if cache is not None else 0
        hidden = self.embed(input_ids, inputs_embeds, position_ids, training, past)  # [B, T, D]
        reach = cache.reach(ops.shape(hidden)[1]) if cache is not None else None
        score_mask = causal_mask(attention_mask, hidden, past, reach)
        encoder_mask = None
        if encoder_hidden_states is not None:
            encoder_mask = padding_mask(encoder_attention_mask, encoder_hidden_states)
        masks = per_layer_head_masks(head_mask, count), per_layer_head_masks(cross_attn_head_mask, count)
        memories = [None] * count if cache is None else cache.layers
        states, attentions, cross_attentions = wanted.state(hidden), (), ()
        for layer, own_head_mask, cross_head_mask, memory in zip(self.layers, *masks, memories, strict=True):
            answer, weights, cross_weights = layer(
                hidden, score_mask, own_head_mask, encoder_hidden_states, encoder_mask, cross_head_mask,
                memory=memory, training=training,
            )  # fmt: skip
            hidden = self.layerdrop(hidden, answer, training=training)
            states += wanted.state(hidden)
            attentions += wanted.attention(weights)
            cross_attentions += wanted.attention(cross_weights)
        output = BaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=hidden,
            past_key_values=cache if wanted.cache else None,
            hidden_states=states or None,
            attentions=attentions or None,
            cross_attentions=cross_attentions or None,
        )
        return wanted.answer(output)


class TFBartPreTrainedModel(EncoderDecoder, TFPreTrainedModel):
    """Base of every BART model in Keras."""

    config_class = BartConfig
    base_model_prefix = "model"
    config: BartConfig


TFBartPretrainedModel = TFBartPreTrainedModel


class TFBartModel(TFBartPreTrainedModel):
    """The bare model: hidden states of encoder and decoder."""

    def __init__(self, config: BartConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.shared = token_embedding(config, name="shared", dtype=dtype)
        self.encoder = TFBartEncoder(config, self.get_input_embeddings, name="encoder", dtype=dtype)
        self.decoder = TFBartDecoder(config, self.get_input_embeddings, name="decoder", dtype=dtype)

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        decoder_input_ids: tf.Tensor | None = None,
        decoder_attention_mask: tf.Tensor | None = None,
        decoder_position_ids: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        decoder_head_mask: tf.Tensor | None = None,
        cross_attn_head_mask: tf.Tensor | None = None,
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
        cache_position: tf.Tensor | None = None,
        position_ids: tf.Tensor | None = None,
    ) -> Any:
        """Read a batch of sequences, and others with a view of them.

        Args:
            input_ids: [B, E] integers, what the encoder reads.
            attention_mask: [B, E], 1 where a token of it counts and 0 where it is padding; or [B, E, E].
            decoder_input_ids: [B, T], what the decoder reads; `input_ids` shifted to the right if not given.
            decoder_attention_mask: [B, S], as `attention_mask`, those in the cache included; or [B, T, S].
            decoder_position_ids: [B, T] or [1, T]; counted from the end of the cache if not given.
            head_mask: [N] or [layers, N], 0 where a head of the encoder is switched off.
            decoder_head_mask: The same of the decoder.
            cross_attn_head_mask: The same of the decoder's attention to the encoder.
            encoder_outputs: What the encoder answered before; then it does not run.
            past_key_values: What an earlier call returned, for the decoder to read on from there.
            inputs_embeds: [B, E, D] instead of `input_ids`.
            decoder_inputs_embeds: [B, T, D] instead of `decoder_input_ids`.
            use_cache: Whether keys and values are returned; as the configuration says if None.
            training: Whether dropout is on.
            cache_position: [T], another way to say `decoder_position_ids`, the same for every row.
            position_ids: [B, E] or [1, E]; counted from 0 if not given.

        Returns:
            `Seq2SeqModelOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input is absent, has a wrong shape, an id is out of range, a sequence is too long.
        """
        recomputes = training and self.is_gradient_checkpointing  # and then there is nothing to keep for a next call
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict, False if recomputes else use_cache)
        if decoder_input_ids is None and decoder_inputs_embeds is None and input_ids is not None:
            decoder_input_ids = self.prepare_decoder_input_ids_from_labels(input_ids)
        options = {"output_attentions": wanted.attentions, "output_hidden_states": wanted.hidden_states}
        encoded = as_encoder_output(encoder_outputs)
        if encoded is None:
            encoded = self.encoder(
                input_ids, attention_mask=attention_mask, head_mask=head_mask, inputs_embeds=inputs_embeds,
                **options, return_dict=True, training=training, position_ids=position_ids,
            )  # fmt: skip
        decoded = self.decoder(
            decoder_input_ids, attention_mask=decoder_attention_mask, encoder_hidden_states=encoded.last_hidden_state,
            encoder_attention_mask=attention_mask, head_mask=decoder_head_mask,
            cross_attn_head_mask=cross_attn_head_mask, past_key_values=past_key_values,
            inputs_embeds=decoder_inputs_embeds, use_cache=wanted.cache, **options, return_dict=True,
            training=training, cache_position=cache_position, position_ids=decoder_position_ids,
        )  # fmt: skip
        hidden = decoded.last_hidden_state
        return wanted.answer(joined_output(Seq2SeqModelOutput, decoded, encoded, last_hidden_state=hidden))


class TFBartForConditionalGeneration(Holder, TFBartPreTrainedModel, TFGenerationMixin):
    """BART with a score for each token that the decoder may write next."""

    def __init__(self, config: BartConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.model = TFBartModel(config, name="model", dtype=dtype)
        tied = partial(TiedDense, self.model.get_input_embeddings)
        untied = partial(Dense, config.d_model, config.vocab_size, use_bias=False)
        self.lm_head = (tied if config.tie_word_embeddings else untied)(name="lm_head", dtype=dtype)
        self.final_logits_bias = self.parameter("final_logits_bias", (1, config.vocab_size), is_trained=False)

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        decoder_input_ids: tf.Tensor | None = None,
        decoder_attention_mask: tf.Tensor | None = None,
        decoder_position_ids: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        decoder_head_mask: tf.Tensor | None = None,
        cross_attn_head_mask: tf.Tensor | None = None,
        encoder_outputs: Any = None,
        past_key_values: Any = None,
        inputs_embeds: tf.Tensor | None = None,
        decoder_inputs_embeds: tf.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        labels: tf.Tensor | None = None,
        training: bool = False,
        *,
        cache_position: tf.Tensor | None = None,
        position_ids: tf.Tensor | None = None,
    ) -> Any:
        """Predict each token of the decoder; the arguments are those of `TFBartModel`, and

        Args:
            labels: [B, T] the tokens to be written, -100 where one is not to be predicted; shifted to the right, they
                are what the decoder reads if it is given nothing else. No cache is returned with them.

        Returns:
            `Seq2SeqLMOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        if labels is not None and decoder_input_ids is None and decoder_inputs_embeds is None:
            decoder_input_ids = self.prepare_decoder_input_ids_from_labels(labels)
        outputs = self.model(
            input_ids, attention_mask=attention_mask, decoder_input_ids=decoder_input_ids,
            decoder_attention_mask=decoder_attention_mask, decoder_position_ids=decoder_position_ids,
            head_mask=head_mask, decoder_head_mask=decoder_head_mask, cross_attn_head_mask=cross_attn_head_mask,
            encoder_outputs=encoder_outputs, past_key_values=past_key_values, inputs_embeds=inputs_embeds,
            decoder_inputs_embeds=decoder_inputs_embeds, use_cache=use_cache if labels is None else False,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
            training=training, cache_position=cache_position, position_ids=position_ids,
        )  # fmt: skip
        logits = self.lm_head(outputs.last_hidden_state) + self.final_logits_bias  # [B, T, V]
        loss = cross_entropy(logits, labels, ops)
        return wanted.answer(headed_output(Seq2SeqLMOutput, outputs, loss=loss, logits=logits))


class TFBartForSequenceClassification(
    Seq2SeqSequenceClassification,
    TFBartPreTrainedModel,
    backbone=TFBartModel,
    decoding=("past_key_values", "use_cache", "cache_position"),
):
    """BART with a classifier of whole sequences, on the decoder's last token that ends one."""


class TFBartForQuestionAnswering(
    Seq2SeqQuestionAnswering,
    TFBartPreTrainedModel,
    backbone=TFBartModel,
    before="inputs_embeds",
    decoding=("past_key_values", "use_cache", "cache_position"),
    by_name=("decoder_position_ids", "past_key_values"),
):
    """BART with scores for where an answer starts and ends, on the decoder's hidden states."""


class TFBartDecoderPreTrainedModel(TFBartPreTrainedModel):
    """Base of what is made of BART's decoder alone."""

    model: Any

    def __init__(self, config: BartConfig, **kwargs: Any) -> None:
        super().__init__(config.of_decoder(), **kwargs)

    def input_embeddings_name(self) -> str:
        """The name of the layer that embeds tokens, which no encoder shares."""
        return "decoder.embed_tokens"

    def set_decoder(self, decoder: layers.Layer) -> None:
        """Put another decoder in the place of this one."""
        with changing(self):
            self.model.decoder = decoder

    @classmethod
    def positions_follow_mask(cls) -> bool:
        """Whether positions count from the first token that is no padding: as in 4.53.3 they do not."""
        return False


class TFBartDecoderWrapper(layers.Layer):
    """The decoder under the name that it has in the whole model."""

    def __init__(self, config: BartConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.decoder = TFBartDecoder(config, name="decoder", dtype=dtype)


class TFBartForCausalLM(TFBartDecoderPreTrainedModel, TFGenerationMixin):
    """BART's decoder alone, with a score for each token that may come next."""

    def __init__(self, config: BartConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.model = TFBartDecoderWrapper(self.config, name="model", dtype=dtype)
        tied = partial(TiedDense, self.get_input_embeddings)
        untied = partial(Dense, config.d_model, config.vocab_size, use_bias=False)
        self.lm_head = (tied if config.tie_word_embeddings else untied)(name="lm_head", dtype=dtype)

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        encoder_hidden_states: tf.Tensor | None = None,
        encoder_attention_mask: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        cross_attn_head_mask: tf.Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: tf.Tensor | None = None,
        labels: tf.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        cache_position: tf.Tensor | None = None,
        training: bool = False,
        *,
        position_ids: tf.Tensor | None = None,
        logits_to_keep: int | tf.Tensor = 0,
    ) -> Any:
        """Predict tokens; the arguments are those of `TFBartDecoder`, and

        Args:
            labels: [B, T] the token to predict at each position, -100 where none is. They are not shifted here.
            logits_to_keep: Score only this many last positions, all if 0; or the positions in a vector.

        Returns:
            `CausalLMOutputWithCrossAttentions`, or a tuple with `return_dict=False`.
        """
        recomputes = training and self.is_gradient_checkpointing  # and then there is nothing to keep for a next call
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict, False if recomputes else use_cache)
        outputs = self.model.decoder(
            input_ids, attention_mask=attention_mask, encoder_hidden_states=encoder_hidden_states,
            encoder_attention_mask=encoder_attention_mask, head_mask=head_mask,
            cross_attn_head_mask=cross_attn_head_mask, past_key_values=past_key_values, inputs_embeds=inputs_embeds,
            use_cache=wanted.cache, output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states,
            return_dict=True, training=training, cache_position=cache_position, position_ids=position_ids,
        )  # fmt: skip
        logits = self.lm_head(scored_positions(outputs.last_hidden_state, logits_to_keep))  # [B, T, V]
        loss = cross_entropy(logits, labels, ops)
        return wanted.answer(headed_output(CausalLMOutputWithCrossAttentions, outputs, loss=loss, logits=logits))
