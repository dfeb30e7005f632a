"""BART in Flax (Lewis et al. 2019, https://arxiv.org/abs/1910.13461).

Shape letters: B batch, T target length, E source length, S positions attended to, D width, N heads, H head size,
F feed-forward width, V vocabulary.
"""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array

from ...backends.checks import check_length, check_one_of
from ...backends.flax import ops
from ...backends.flax.activations import activation
from ...backends.flax.attention import (
    attend,
    causal_mask,
    join_heads,
    padding_mask,
    per_layer_head_masks,
    split_heads,
)
from ...backends.flax.cache import Cache, LayerCache
from ...backends.flax.checks import check_indices, check_token_ids, known
from ...backends.flax.generation import FlaxGenerationMixin
from ...backends.flax.heads import scored_positions
from ...backends.flax.layers import Dense, Embed, LayerDrop, LayerNorm, ScaledEmbed, Stack, TiedDense, checkpointed
from ...backends.flax.model import FlaxModuleModel, Params
from ...backends.flax.seq2seq import FlaxEncoderDecoder, Seq2SeqQuestionAnswering, Seq2SeqSequenceClassification
from ...backends.seq2seq import as_encoder_output, headed_output, joined_output, shift_tokens_right
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
#: What a head that reads whole sequences takes for decoding nevertheless.
DECODING = ("past_key_values", "use_cache", "cache_position")
#: What layer normalization adds to the variance.
EPSILON = 1e-5


class FlaxBartAttention(nn.Module):
    """Attention of positions to one another, or to an encoder's, and its projection."""

    config: BartConfig
    heads: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.d_model
        self.head_size = width // self.heads
        self.k_proj = Dense(width, in_features=width, dtype=self.dtype)
        self.v_proj = Dense(width, in_features=width, dtype=self.dtype)
        self.q_proj = Dense(width, in_features=width, dtype=self.dtype)
        self.out_proj = Dense(width, in_features=width, dtype=self.dtype)
        self.dropout = nn.Dropout(config.attention_dropout)

    def __call__(
        self,
        hidden: Array,
        encoder_hidden: Array | None,
        score_mask: Array | None,
        head_mask: Array | None,
        memory: LayerCache | None,
        deterministic: bool = True,
    ) -> tuple[Array, Array]:
        def keys_and_values() -> tuple[Array, Array]:
            source = hidden if encoder_hidden is None else encoder_hidden
            return split_heads(self.k_proj(source), self.head_size), split_heads(self.v_proj(source), self.head_size)

        query = split_heads(self.q_proj(hidden), self.head_size)  # [B, N, T, H]
        if memory is None:
            key, value = keys_and_values()
        elif encoder_hidden is None:
            key, value = memory.extend(*keys_and_values())  # [B, N, S, H]
        else:
            key, value = memory.once(keys_and_values)  # [B, N, E, H]
        context, weights = attend(query, key, value, score_mask, self.dropout, head_mask, deterministic)
        return self.out_proj(join_heads(context)), weights


class FlaxBartEncoderLayer(nn.Module):
    """One layer of the encoder: attention, then feed-forward; each sum is normalized."""

    config: BartConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width, inner = self.config, self.config.d_model, self.config.encoder_ffn_dim
        norm = partial(LayerNorm, epsilon=EPSILON, size=width, dtype=self.dtype)
        self.self_attn = FlaxBartAttention(config, config.encoder_attention_heads, self.dtype)
        self.self_attn_layer_norm = norm()
        self.activation = activation(config.activation_function)
        self.fc1 = Dense(inner, in_features=width, dtype=self.dtype)
        self.fc2 = Dense(width, in_features=inner, dtype=self.dtype)
        self.final_layer_norm = norm()
        self.dropout = nn.Dropout(config.dropout)
        self.activation_dropout = nn.Dropout(config.activation_dropout)

    def __call__(
        self, hidden: Array, score_mask: Array | None, head_mask: Array | None, deterministic: bool = True
    ) -> tuple[Array, Array]:
        drop = partial(self.dropout, deterministic=deterministic)
        attended, weights = self.self_attn(hidden, None, score_mask, head_mask, None, deterministic)
        hidden = self.self_attn_layer_norm(hidden + drop(attended))
        widened = self.activation_dropout(self.activation(self.fc1(hidden)), deterministic=deterministic)  # [B, T, F]
        return self.final_layer_norm(hidden + drop(self.fc2(widened))), weights


class FlaxBartDecoderLayer(nn.Module):
    """One layer of the decoder: attention, attention to the encoder, then feed-forward; each sum is normalized."""

    config: BartConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width, inner = self.config, self.config.d_model, self.config.decoder_ffn_dim
        norm = partial(LayerNorm, epsilon=EPSILON, size=width, dtype=self.dtype)
        self.self_attn = FlaxBartAttention(config, config.decoder_attention_heads, self.dtype)
        self.self_attn_layer_norm = norm()
        self.encoder_attn = FlaxBartAttention(config, config.decoder_attention_heads, self.dtype)
        self.encoder_attn_layer_norm = norm()
        self.activation = activation(config.activation_function)
        self.fc1 = Dense(inner, in_features=width, dtype=self.dtype)
        self.fc2 = Dense(width, in_features=inner, dtype=self.dtype)
        self.final_layer_norm = norm()
        self.dropout = nn.Dropout(config.dropout)
        self.activation_dropout = nn.Dropout(config.activation_dropout)

    def __call__(
        self,
        hidden: Array,
        score_mask: Array | None,
        head_mask: Array | None,
        encoder_hidden: Array | None,
        encoder_mask: Array | None,
        cross_head_mask: Array | None,
        memory: LayerCache | None,
        deterministic: bool = True,
    ) -> tuple[Array, Array, Array | None]:
        drop = partial(self.dropout, deterministic=deterministic)
        attended, weights = self.self_attn(hidden, None, score_mask, head_mask, memory, deterministic)
        hidden = self.self_attn_layer_norm(hidden + drop(attended))
        cross_weights = None
        if encoder_hidden is not None:
            attended, cross_weights = self.encoder_attn(
                hidden, encoder_hidden, encoder_mask, cross_head_mask, memory, deterministic
            )
            hidden = self.encoder_attn_layer_norm(hidden + drop(attended))
        widened = self.activation_dropout(self.activation(self.fc1(hidden)), deterministic=deterministic)  # [B, T, F]
        return self.final_layer_norm(hidden + drop(self.fc2(widened))), weights, cross_weights


def token_embedding(config: BartConfig, dtype: Any) -> ScaledEmbed:
    """The table that embeds tokens."""
    options = {"padding": config.pad_token_id, "scale": config.embedding_scale}
    return ScaledEmbed(config.vocab_size, config.d_model, dtype=dtype, **options)


class FlaxBartStack(nn.Module):
    """What encoder and decoder begin with: tokens, by the table that they share or their own, and positions."""

    config: BartConfig
    tokens: nn.Module | None = None
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config, rows = self.config, self.config.max_position_embeddings + OFFSET
        self.embed_tokens = token_embedding(config, self.dtype) if self.tokens is None else self.tokens
        self.embed_positions = Embed(rows, config.d_model, dtype=self.dtype)
        self.layernorm_embedding = LayerNorm(epsilon=EPSILON, size=config.d_model, dtype=self.dtype)
        self.dropout = nn.Dropout(config.dropout)

    def embed(
        self,
        input_ids: Array | None,
        inputs_embeds: Array | None,
        position_ids: Array | None,
        deterministic: bool,
        past: int | Array = 0,
    ) -> Array:
        """Tokens [B, T] or their embeddings [B, T, D], and positions [B, T] or [1, T]: [B, T, D]."""
        check_one_of(input_ids, inputs_embeds)
        if input_ids is not None:
            check_token_ids(input_ids, self.config.vocab_size)
        hidden = self.embed_tokens(input_ids) if inputs_embeds is None else inputs_embeds
        longest = self.config.max_position_embeddings
        check_indices(position_ids, longest, "position_ids")
        if position_ids is None:
            length = hidden.shape[1]
            check_length(int(past) + length if known(past) else length, longest)
            position_ids = past + jnp.arange(length)[None]  # [1, T]
        embedded = self.layernorm_embedding(hidden + self.embed_positions(position_ids + OFFSET))
        return self.dropout(embedded, deterministic=deterministic)


class FlaxBartEncoder(FlaxBartStack):
    """The encoder: hidden states of what is read."""

    def setup(self) -> None:
        super().setup()
        self.layers = Stack(FlaxBartEncoderLayer, ((self.config, self.dtype),) * self.config.encoder_layers)
        self.layerdrop = LayerDrop(self.config.encoder_layerdrop)

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
        position_ids: Array | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        hidden = self.embed(input_ids, inputs_embeds, position_ids, deterministic)  # [B, E, D]
        score_mask = padding_mask(attention_mask, hidden)
        head_masks = per_layer_head_masks(head_mask, self.config.encoder_layers)
        is_checkpointed = self.gradient_checkpointing and not deterministic
        states, attentions = wanted.state(hidden), ()
        for layer, own_head_mask in zip(self.layers, head_masks, strict=True):
            answer, weights = checkpointed(layer, is_checkpointed)(hidden, score_mask, own_head_mask, deterministic)
            hidden = self.layerdrop(hidden, answer, deterministic)
            states += wanted.state(hidden)
            attentions += wanted.attention(weights)
        return wanted.answer(BaseModelOutput(hidden, states or None, attentions or None))


class FlaxBartDecoder(FlaxBartStack):
    """The decoder: hidden states of what is written, with a view of what the encoder read."""

    def setup(self) -> None:
        super().setup()
        self.layers = Stack(FlaxBartDecoderLayer, ((self.config, self.dtype),) * self.config.decoder_layers)
        self.layerdrop = LayerDrop(self.config.decoder_layerdrop)

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        encoder_hidden_states: Array | None = None,
        encoder_attention_mask: Array | None = None,
        head_mask: Array | None = None,
        cross_attn_head_mask: Array | None = None,
        past_key_values: Any = None,
        inputs_embeds: Array | None = None,
        cache_position: Array | None = None,
        position_ids: Array | None = None,
        use_cache: bool | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        config, count = self.config, self.config.decoder_layers
        is_checkpointed = self.gradient_checkpointing and not deterministic
        use_cache = False if is_checkpointed else use_cache
        wanted = Wanted.of(config, output_attentions, output_hidden_states, return_dict, use_cache)
        position_ids = cache_position[None] if position_ids is None and cache_position is not None else position_ids
        cache = Cache.open(past_key_values, wanted.cache, count)
        past = cache.length if cache is not None else 0
        hidden = self.embed(input_ids, inputs_embeds, position_ids, deterministic, past)  # [B, T, D]
        reach = cache.reach(hidden.shape[1]) if cache is not None else None
        score_mask = causal_mask(attention_mask, hidden, past, reach)
        encoder_mask = None
        if encoder_hidden_states is not None:
            encoder_mask = padding_mask(encoder_attention_mask, encoder_hidden_states)
        masks = per_layer_head_masks(head_mask, count), per_layer_head_masks(cross_attn_head_mask, count)
        memories = [None] * count if cache is None else cache.layers
        is_checkpointed = is_checkpointed and cache is None
        states, attentions, cross_attentions = wanted.state(hidden), (), ()
        for layer, own_head_mask, cross_head_mask, memory in zip(self.layers, *masks, memories, strict=True):
            answer, weights, cross_weights = checkpointed(layer, is_checkpointed)(
                hidden, score_mask, own_head_mask, encoder_hidden_states, encoder_mask, cross_head_mask, memory,
                deterministic,
            )  # fmt: skip
            hidden = self.layerdrop(hidden, answer, deterministic)
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


class FlaxBartModule(nn.Module):
    """`FlaxBartModel` as a linen module; its call says `deterministic` for `not train`."""

    config: BartConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config, options = self.config, (self.dtype, self.gradient_checkpointing)
        self.shared = token_embedding(config, self.dtype)
        self.encoder = FlaxBartEncoder(config, self.shared, *options)
        self.decoder = FlaxBartDecoder(config, self.shared, *options)

    def encode(self, **inputs: Any) -> Any:
        """Run the encoder alone."""
        return self.encoder(**inputs)

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        decoder_input_ids: Array | None = None,
        decoder_attention_mask: Array | None = None,
        position_ids: Array | None = None,
        decoder_position_ids: Array | None = None,
        head_mask: Array | None = None,
        decoder_head_mask: Array | None = None,
        cross_attn_head_mask: Array | None = None,
        encoder_outputs: Any = None,
        past_key_values: Any = None,
        inputs_embeds: Array | None = None,
        decoder_inputs_embeds: Array | None = None,
        cache_position: Array | None = None,
        use_cache: bool | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        config = self.config
        wanted = Wanted.of(config, output_attentions, output_hidden_states, return_dict, use_cache)
        if decoder_input_ids is None and decoder_inputs_embeds is None and input_ids is not None:
            decoder_input_ids = shift_tokens_right(input_ids, config.pad_token_id, config.decoder_start_token_id)
        options = {"output_attentions": wanted.attentions, "output_hidden_states": wanted.hidden_states}
        encoded = as_encoder_output(encoder_outputs)
        if encoded is None:
            encoded = self.encoder(
                input_ids, attention_mask, head_mask, inputs_embeds, position_ids, deterministic,
                **options, return_dict=True,
            )  # fmt: skip
        decoded = self.decoder(
            decoder_input_ids, decoder_attention_mask, encoded.last_hidden_state, attention_mask, decoder_head_mask,
            cross_attn_head_mask, past_key_values, decoder_inputs_embeds, cache_position, decoder_position_ids,
            wanted.cache, deterministic, **options, return_dict=True,
        )  # fmt: skip
        hidden = decoded.last_hidden_state
        return wanted.answer(joined_output(Seq2SeqModelOutput, decoded, encoded, last_hidden_state=hidden))


class FlaxBartForConditionalGenerationModule(nn.Module):
    """`FlaxBartForConditionalGeneration` as a linen module."""

    config: BartConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    has_parts: ClassVar[bool] = True

    def setup(self) -> None:
        config = self.config
        untied = partial(Dense, config.vocab_size, in_features=config.d_model, use_bias=False, dtype=self.dtype)
        self.model = FlaxBartModule(config, self.dtype, self.gradient_checkpointing)
        self.lm_head = TiedDense(self.model.shared) if config.tie_word_embeddings else untied()

    def encode(self, **inputs: Any) -> Any:
        """Run the encoder alone."""
        return self.model.encode(**inputs)

    @nn.compact
    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        decoder_input_ids: Array | None = None,
        decoder_attention_mask: Array | None = None,
        position_ids: Array | None = None,
        decoder_position_ids: Array | None = None,
        head_mask: Array | None = None,
        decoder_head_mask: Array | None = None,
        cross_attn_head_mask: Array | None = None,
        encoder_outputs: Any = None,
        past_key_values: Any = None,
        inputs_embeds: Array | None = None,
        decoder_inputs_embeds: Array | None = None,
        cache_position: Array | None = None,
        labels: Array | None = None,
        use_cache: bool | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        config = self.config
        wanted = Wanted.of(config, output_attentions, output_hidden_states, return_dict)
        bias = self.param("final_logits_bias", nn.initializers.zeros, (1, config.vocab_size))
        if labels is not None and decoder_input_ids is None and decoder_inputs_embeds is None:
            decoder_input_ids = shift_tokens_right(labels, config.pad_token_id, config.decoder_start_token_id)
        outputs = self.model(
            input_ids, attention_mask, decoder_input_ids, decoder_attention_mask, position_ids, decoder_position_ids,
            head_mask, decoder_head_mask, cross_attn_head_mask, encoder_outputs, past_key_values, inputs_embeds,
            decoder_inputs_embeds, cache_position, use_cache if labels is None else False, deterministic,
            wanted.attentions, wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        scores = self.lm_head(outputs.last_hidden_state)
        logits = scores + jax.lax.stop_gradient(bias).astype(scores.dtype)  # [B, T, V]
        loss = cross_entropy(logits, labels, ops)
        return wanted.answer(headed_output(Seq2SeqLMOutput, outputs, loss=loss, logits=logits))

    @nn.nowrap
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Linen's name of each parameter of its own -> its shape."""
        return {"final_logits_bias": (1, self.config.vocab_size)}


class FlaxBartForSequenceClassificationModule(
    Seq2SeqSequenceClassification, backbone=FlaxBartModule, prefix="model", decoding=DECODING
):
    """`FlaxBartForSequenceClassification` as a linen module."""


class FlaxBartForQuestionAnsweringModule(
    Seq2SeqQuestionAnswering, backbone=FlaxBartModule, prefix="model", decoding=DECODING
):
    """`FlaxBartForQuestionAnswering` as a linen module."""


class FlaxBartDecoderWrapper(nn.Module):
    """The decoder under the name that it has in the whole model."""

    config: BartConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        self.decoder = FlaxBartDecoder(self.config, None, self.dtype, self.gradient_checkpointing)


class FlaxBartForCausalLMModule(nn.Module):
    """`FlaxBartForCausalLM` as a linen module."""

    config: BartConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        untied = partial(Dense, config.vocab_size, in_features=config.d_model, use_bias=False, dtype=self.dtype)
        self.model = FlaxBartDecoderWrapper(config, self.dtype, self.gradient_checkpointing)
        self.lm_head = TiedDense(self.model.decoder.embed_tokens) if config.tie_word_embeddings else untied()

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        encoder_hidden_states: Array | None = None,
        encoder_attention_mask: Array | None = None,
        head_mask: Array | None = None,
        cross_attn_head_mask: Array | None = None,
        past_key_values: Any = None,
        inputs_embeds: Array | None = None,
        cache_position: Array | None = None,
        position_ids: Array | None = None,
        labels: Array | None = None,
        use_cache: bool | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        logits_to_keep: int | Array = 0,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        outputs = self.model.decoder(
            input_ids, attention_mask, encoder_hidden_states, encoder_attention_mask, head_mask, cross_attn_head_mask,
            past_key_values, inputs_embeds, cache_position, position_ids, use_cache, deterministic,
            wanted.attentions, wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.lm_head(scored_positions(outputs.last_hidden_state, logits_to_keep))  # [B, T, V]
        loss = cross_entropy(logits, labels, ops)
        return wanted.answer(headed_output(CausalLMOutputWithCrossAttentions, outputs, loss=loss, logits=logits))


class FlaxBartPreTrainedModel(FlaxEncoderDecoder):
    """Base of every BART model in Flax; see `FlaxModuleModel` for its arguments."""

    config_class = BartConfig
    base_model_prefix = "model"

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        decoder_input_ids: Array | None = None,
        decoder_attention_mask: Array | None = None,
        position_ids: Array | None = None,
        decoder_position_ids: Array | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        train: bool = False,
        params: Params | None = None,
        dropout_rng: Array | None = None,
        head_mask: Array | None = None,
        decoder_head_mask: Array | None = None,
        cross_attn_head_mask: Array | None = None,
        encoder_outputs: Any = None,
        past_key_values: Any = None,
        inputs_embeds: Array | None = None,
        decoder_inputs_embeds: Array | None = None,
        cache_position: Array | None = None,
        use_cache: bool | None = None,
        **labels: Array,
    ) -> Any:
        """Read a batch of sequences, and others with a view of them.

        Args:
            input_ids: [B, E] integers, what the encoder reads.
            attention_mask: [B, E], 1 where a token of it counts and 0 where it is padding; or [B, E, E].
            decoder_input_ids: [B, T], what the decoder reads; `input_ids` shifted to the right if not given.
            decoder_attention_mask: [B, S], as `attention_mask`, those in the cache included; or [B, T, S].
            position_ids: [B, E] or [1, E]; counted from 0 if not given.
            decoder_position_ids: [B, T] or [1, T]; counted from the end of the cache if not given.
            train: Whether dropout is on.
            params: The parameters; the model's own if None.
            dropout_rng: The key of dropout, needed in training.
            head_mask: [N] or [layers, N], 0 where a head of the encoder is switched off.
            decoder_head_mask: The same of the decoder.
            cross_attn_head_mask: The same of the decoder's attention to the encoder.
            encoder_outputs: What `encode` answered before; then the encoder does not run.
            past_key_values: What an earlier call or `init_cache` returned, for the decoder to read on from there.
            inputs_embeds: [B, E, D] instead of `input_ids`.
            decoder_inputs_embeds: [B, T, D] instead of `decoder_input_ids`.
            cache_position: [T], another way to say `decoder_position_ids`, the same for every row.
            use_cache: Whether keys and values are returned; as the configuration says if None.
            labels: The labels of a class with a head, by the names that it takes.

        Returns:
            The class's output, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input is absent, has a wrong shape, an id is out of range, a sequence is too long.
        """
        arrays = {
            "input_ids": input_ids, "attention_mask": attention_mask, "decoder_input_ids": decoder_input_ids,
            "decoder_attention_mask": decoder_attention_mask, "position_ids": position_ids,
            "decoder_position_ids": decoder_position_ids, "head_mask": head_mask,
            "decoder_head_mask": decoder_head_mask, "cross_attn_head_mask": cross_attn_head_mask,
            "inputs_embeds": inputs_embeds, "decoder_inputs_embeds": decoder_inputs_embeds,
            "cache_position": cache_position, **labels,
        }  # fmt: skip
        options = {
            "encoder_outputs": encoder_outputs, "past_key_values": past_key_values, "use_cache": use_cache,
            "output_attentions": output_attentions, "output_hidden_states": output_hidden_states,
            "return_dict": return_dict,
        }  # fmt: skip
        return self.run(arrays, options, params, dropout_rng, train)

    def encode(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        position_ids: Array | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        train: bool = False,
        params: Params | None = None,
        dropout_rng: Array | None = None,
        *,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
    ) -> Any:
        """Run the encoder alone; the arguments are those of a call.

        Returns:
            `BaseModelOutput`, or a tuple with `return_dict=False`.
        """
        arrays = {
            "input_ids": input_ids, "attention_mask": attention_mask, "position_ids": position_ids,
            "head_mask": head_mask, "inputs_embeds": inputs_embeds,
        }  # fmt: skip
        options = {
            "output_attentions": output_attentions, "output_hidden_states": output_hidden_states,
            "return_dict": return_dict,
        }  # fmt: skip
        return self.run(arrays, options, params, dropout_rng, train, "encode")

    def decode(
        self,
        decoder_input_ids: Array,
        encoder_outputs: Any,
        encoder_attention_mask: Array | None = None,
        decoder_attention_mask: Array | None = None,
        decoder_position_ids: Array | None = None,
        past_key_values: Any = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        train: bool = False,
        params: Params | None = None,
        dropout_rng: Array | None = None,
    ) -> Any:
        """Run the decoder alone; the arguments are those of a call, and

        Args:
            encoder_outputs: What `encode` answered.
            encoder_attention_mask: [B, E], 1 where a token that the encoder read counts and 0 where it is padding.

        Returns:
            `BaseModelOutputWithPastAndCrossAttentions`, of a class that scores tokens
            `CausalLMOutputWithCrossAttentions`, or a tuple with `return_dict=False`; with a cache if it was given one.
        """
        output = self(
            attention_mask=encoder_attention_mask, decoder_input_ids=decoder_input_ids,
            decoder_attention_mask=decoder_attention_mask, decoder_position_ids=decoder_position_ids,
            output_attentions=output_attentions, output_hidden_states=output_hidden_states, return_dict=True,
            train=train, params=params, dropout_rng=dropout_rng, encoder_outputs=encoder_outputs,
            past_key_values=past_key_values, use_cache=past_key_values is not None,
        )  # fmt: skip
        return self.decoder_output(output, return_dict)


FlaxBartPretrainedModel = FlaxBartPreTrainedModel


class FlaxBartModel(FlaxBartPreTrainedModel):
    """The bare model: hidden states of encoder and decoder."""

    module_class = FlaxBartModule


class FlaxBartForConditionalGeneration(FlaxBartPreTrainedModel, FlaxGenerationMixin):
    """BART with a score for each token that the decoder may write next; takes `labels`."""

    module_class = FlaxBartForConditionalGenerationModule


class FlaxBartForSequenceClassification(FlaxBartPreTrainedModel):
    """BART with a classifier of whole sequences, on the decoder's last token that ends one; takes `labels`."""

    module_class = FlaxBartForSequenceClassificationModule


class FlaxBartForQuestionAnswering(FlaxBartPreTrainedModel):
    """BART with scores for where an answer starts and ends; takes `start_positions` and `end_positions`."""

    module_class = FlaxBartForQuestionAnsweringModule


class FlaxBartDecoderPreTrainedModel(FlaxModuleModel):
    """Base of what is made of BART's decoder alone; see `FlaxModuleModel` for its arguments."""

    config_class = BartConfig
    base_model_prefix = "model"

    def __init__(self, config: BartConfig, *args: Any, **kwargs: Any) -> None:
        super().__init__(config.of_decoder(), *args, **kwargs)

    def input_embeddings_name(self) -> str:
        """The name of the table that embeds tokens, which no encoder shares."""
        return "decoder.embed_tokens"

    @classmethod
    def positions_follow_mask(cls) -> bool:
        """Whether positions count from the first token that is no padding: as in 4.53.3 they do not."""
        return False

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        position_ids: Array | None = None,
        encoder_hidden_states: Array | None = None,
        encoder_attention_mask: Array | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        train: bool = False,
        params: Params | None = None,
        past_key_values: Any = None,
        dropout_rng: Array | None = None,
        head_mask: Array | None = None,
        cross_attn_head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
        cache_position: Array | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | Array | None = None,
        **labels: Array,
    ) -> Any:
        """Read a batch of sequences.

        Args:
            input_ids: [B, T] integers.
            attention_mask: [B, S], 1 where a token counts and 0 where it is padding, those in the cache included; or
                [B, T, S], its own for each position.
            position_ids: [B, T] or [1, T]; counted from the end of the cache if not given.
            encoder_hidden_states: [B, E, D], what an encoder answered; without it there is nothing to attend to.
            encoder_attention_mask: [B, E] or [B, T, E], as `attention_mask`.
            train: Whether dropout is on.
            params: The parameters; the model's own if None.
            past_key_values: What an earlier call or `init_cache` returned, to read on from there.
            dropout_rng: The key of dropout, needed in training.
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            cross_attn_head_mask: The same of the attention to the encoder.
            inputs_embeds: [B, T, D] instead of `input_ids`.
            cache_position: [T], another way to say `position_ids`, the same for every row.
            use_cache: Whether keys and values are returned; as the configuration says if None.
            logits_to_keep: Score only this many last positions, all if 0; or the positions in a vector.
            labels: The labels of a class with a head, by the names that it takes.

        Returns:
            The class's output, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        arrays = {
            "input_ids": input_ids, "attention_mask": attention_mask, "position_ids": position_ids,
            "encoder_hidden_states": encoder_hidden_states, "encoder_attention_mask": encoder_attention_mask,
            "head_mask": head_mask, "cross_attn_head_mask": cross_attn_head_mask, "inputs_embeds": inputs_embeds,
            "cache_position": cache_position, **labels,
        }  # fmt: skip
        options = {
            "past_key_values": past_key_values, "use_cache": use_cache, "output_attentions": output_attentions,
            "output_hidden_states": output_hidden_states, "return_dict": return_dict, "logits_to_keep": logits_to_keep,
        }  # fmt: skip
        return self.run(arrays, options, params, dropout_rng, train)


class FlaxBartForCausalLM(FlaxBartDecoderPreTrainedModel, FlaxGenerationMixin):
    """BART's decoder alone, with a score for each token that may come next; takes `labels`."""

    module_class = FlaxBartForCausalLMModule
