"""T5 in Flax (Raffel et al. 2019, https://arxiv.org/abs/1910.10683).

Shape letters: B batch, T length, S positions attended to, E length of what the encoder reads, D width, N heads, H head
size, F feed-forward width, L labels, V vocabulary.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jax import Array

from ...backends.cache import heads_per_layer
from ...backends.checks import check_one_of
from ...backends.flax import ops
from ...backends.flax.activations import activation
from ...backends.flax.attention import (
    attend,
    causal_mask,
    join_heads,
    padding_mask,
    per_layer_head_masks,
    plus,
    split_heads,
)
from ...backends.flax.cache import Cache, LayerCache
from ...backends.flax.checks import check_token_ids
from ...backends.flax.generation import FlaxGenerationMixin
from ...backends.flax.heads import TokenClassification
from ...backends.flax.layers import Dense, Embed, RMSNorm, Stack, TiedDense, checkpointed
from ...backends.flax.model import Params
from ...backends.flax.seq2seq import FlaxEncoderDecoder, Seq2SeqSequenceClassification
from ...backends.seq2seq import as_encoder_output, headed_output, joined_output, shift_tokens_right, tokens_of
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


class FlaxT5PositionBias(Embed):
    """What is added to attention's scores for how far a key is from a query: a number for each bucket and head.

    Attributes:
        config: What the model is.
        is_decoder: Whether it is the decoder's, which looks back alone.
    """

    config: Any = None
    is_decoder: bool = False

    def between(self, length: int, reach: int, past: int | Array = 0) -> Array:
        """For queries from position `past` on and keys from the first position on: [1, N, T, S].

        Args:
            length: T.
            reach: S.
            past: How many positions there are before the first query.
        """
        keys, starts = jnp.arange(reach), np.array(self.config.bucket_starts(self.is_decoder), int)
        ahead = keys - (past + keys[:length])[:, None]  # [T, S]
        distances = jnp.maximum(-ahead, 0) if self.is_decoder else jnp.abs(ahead)
        buckets = (keys[:, None] >= starts).sum(-1)[distances]
        if not self.is_decoder:  # keys that lie ahead have the second half of the buckets
            buckets = buckets + (ahead > 0) * (self.num_embeddings // 2)
        return self(buckets).transpose(2, 0, 1)[None]


class FlaxT5Attention(nn.Module):
    """Attention to the same text; scores are not scaled, for the weights start so small that they need not be."""

    config: T5Config
    heads: int
    is_decoder: bool
    is_first: bool
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        width, self.head_size = config.d_model, config.d_kv
        inner = self.heads * self.head_size
        project = partial(Dense, inner, in_features=width, use_bias=False, dtype=self.dtype)
        sizes = config.relative_attention_num_buckets, config.num_heads
        table = partial(FlaxT5PositionBias, *sizes, dtype=self.dtype, config=config, is_decoder=self.is_decoder)
        self.q = project()
        self.k = project()
        self.v = project()
        self.o = Dense(width, in_features=inner, use_bias=False, dtype=self.dtype)
        self.relative_attention_bias = table() if self.is_first else None
        self.dropout = nn.Dropout(config.dropout_rate)

    def __call__(
        self,
        hidden: Array,
        score_mask: Array | None,
        head_mask: Array | None,
        memory: LayerCache | None,
        deterministic: bool = True,
    ) -> tuple[Array, Array]:
        query, key, value = (split_heads(project(hidden), self.head_size) for project in (self.q, self.k, self.v))
        if memory is not None:
            key, value = memory.extend(key, value)  # [B, N, S, H]
        context, weights = attend(query, key, value, score_mask, self.dropout, head_mask, deterministic, scale=1.0)
        return self.o(join_heads(context)), weights


class FlaxT5CrossAttention(nn.Module):
    """Attention to what the encoder has read, wherever it stands."""

    config: T5Config
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        width, self.head_size = config.d_model, config.d_kv
        inner = config.num_heads * self.head_size
        project = partial(Dense, inner, in_features=width, use_bias=False, dtype=self.dtype)
        self.q = project()
        self.k = project()
        self.v = project()
        self.o = Dense(width, in_features=inner, use_bias=False, dtype=self.dtype)
        self.dropout = nn.Dropout(config.dropout_rate)

    def __call__(
        self,
        hidden: Array,
        encoder_hidden: Array,
        score_mask: Array | None,
        head_mask: Array | None,
        memory: LayerCache | None,
        deterministic: bool = True,
    ) -> tuple[Array, Array]:
        def keys_and_values() -> tuple[Array, Array]:
            key, value = (split_heads(project(encoder_hidden), self.head_size) for project in (self.k, self.v))
            return key, value

        query = split_heads(self.q(hidden), self.head_size)  # [B, N, T, H]
        key, value = keys_and_values() if memory is None else memory.once(keys_and_values)  # [B, N, E, H]
        context, weights = attend(query, key, value, score_mask, self.dropout, head_mask, deterministic, scale=1.0)
        return self.o(join_heads(context)), weights


def bounded(hidden: Array) -> Array:
    """A hidden state without infinities: float16 has no room for the sums that some checkpoints lead to."""
    if hidden.dtype != jnp.float16:
        return hidden
    bound = jnp.finfo(hidden.dtype).max - 1000
    return jnp.clip(hidden, -bound, bound)


class FlaxT5LayerSelfAttention(nn.Module):
    """Self-attention with the norm before it and the residual around it."""

    config: T5Config
    heads: int
    is_decoder: bool
    is_first: bool
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        self.SelfAttention = FlaxT5Attention(config, self.heads, self.is_decoder, self.is_first, self.dtype)
        self.layer_norm = RMSNorm(config.d_model, config.layer_norm_epsilon, self.dtype)
        self.dropout = nn.Dropout(config.dropout_rate)

    def __call__(
        self,
        hidden: Array,
        score_mask: Array | None,
        head_mask: Array | None,
        memory: LayerCache | None,
        deterministic: bool = True,
    ) -> tuple[Array, Array]:
        attended, weights = self.SelfAttention(self.layer_norm(hidden), score_mask, head_mask, memory, deterministic)
        return bounded(hidden + self.dropout(attended, deterministic=deterministic)), weights


class FlaxT5LayerCrossAttention(nn.Module):
    """Attention to the encoder with the norm before it and the residual around it."""

    config: T5Config
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        self.EncDecAttention = FlaxT5CrossAttention(config, self.dtype)
        self.layer_norm = RMSNorm(config.d_model, config.layer_norm_epsilon, self.dtype)
        self.dropout = nn.Dropout(config.dropout_rate)

    def __call__(
        self,
        hidden: Array,
        encoder_hidden: Array,
        score_mask: Array | None,
        head_mask: Array | None,
        memory: LayerCache | None,
        deterministic: bool = True,
    ) -> tuple[Array, Array]:
        attended, weights = self.EncDecAttention(
            self.layer_norm(hidden), encoder_hidden, score_mask, head_mask, memory, deterministic
        )
        return bounded(hidden + self.dropout(attended, deterministic=deterministic)), weights


class FlaxT5DenseActDense(nn.Module):
    """The feed-forward block: wider, and back."""

    config: T5Config
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        self.wi = Dense(config.d_ff, in_features=config.d_model, use_bias=False, dtype=self.dtype)
        self.wo = Dense(config.d_model, in_features=config.d_ff, use_bias=False, dtype=self.dtype)
        self.dropout = nn.Dropout(config.dropout_rate)
        self.act = activation(str(config.dense_act_fn))

    def __call__(self, hidden: Array, deterministic: bool = True) -> Array:
        widened = self.act(self.wi(hidden))  # [B, T, F]
        return self.wo(self.dropout(widened, deterministic=deterministic))


class FlaxT5DenseGatedActDense(nn.Module):
    """The feed-forward block with a gate (Shazeer 2020, https://arxiv.org/abs/2002.05202)."""

    config: T5Config
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        self.wi_0 = Dense(config.d_ff, in_features=config.d_model, use_bias=False, dtype=self.dtype)
        self.wi_1 = Dense(config.d_ff, in_features=config.d_model, use_bias=False, dtype=self.dtype)
        self.wo = Dense(config.d_model, in_features=config.d_ff, use_bias=False, dtype=self.dtype)
        self.dropout = nn.Dropout(config.dropout_rate)
        self.act = activation(str(config.dense_act_fn))

    def __call__(self, hidden: Array, deterministic: bool = True) -> Array:
        widened = self.act(self.wi_0(hidden)) * self.wi_1(hidden)  # [B, T, F]
        return self.wo(self.dropout(widened, deterministic=deterministic))


class FlaxT5LayerFF(nn.Module):
    """The feed-forward block with the norm before it and the residual around it."""

    config: T5Config
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        dense = FlaxT5DenseGatedActDense if config.is_gated_act else FlaxT5DenseActDense
        self.DenseReluDense = dense(config, self.dtype)
        self.layer_norm = RMSNorm(config.d_model, config.layer_norm_epsilon, self.dtype)
        self.dropout = nn.Dropout(config.dropout_rate)

    def __call__(self, hidden: Array, deterministic: bool = True) -> Array:
        fed = self.DenseReluDense(self.layer_norm(hidden), deterministic)
        return bounded(hidden + self.dropout(fed, deterministic=deterministic))


def part(module_class: type[nn.Module], *arguments: Any, name: str) -> nn.Module:
    """A module of any class, for a stack of several."""
    return module_class(*arguments, name=name)


class FlaxT5EncoderBlock(nn.Module):
    """One layer of the encoder."""

    config: T5Config
    heads: int
    is_first: bool
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, dtype = self.config, self.dtype
        attention = (FlaxT5LayerSelfAttention, config, self.heads, False, self.is_first, dtype)
        self.layer = Stack(part, (attention, (FlaxT5LayerFF, config, dtype)))

    def __call__(
        self, hidden: Array, score_mask: Array | None, head_mask: Array | None, deterministic: bool = True
    ) -> tuple[Array, Array]:
        attend_to_text, feed_forward = self.layer
        hidden, weights = attend_to_text(hidden, score_mask, head_mask, None, deterministic)
        return feed_forward(hidden, deterministic), weights


class FlaxT5DecoderBlock(nn.Module):
    """One layer of the decoder."""

    config: T5Config
    is_first: bool
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, dtype = self.config, self.dtype
        attention = (FlaxT5LayerSelfAttention, config, config.num_heads, True, self.is_first, dtype)
        crossing, feeding = (FlaxT5LayerCrossAttention, config, dtype), (FlaxT5LayerFF, config, dtype)
        self.layer = Stack(part, (attention, crossing, feeding))

    def __call__(
        self,
        hidden: Array,
        score_mask: Array | None,
        head_mask: Array | None,
        encoder_hidden: Array,
        encoder_mask: Array | None,
        cross_head_mask: Array | None,
        memory: LayerCache | None,
        deterministic: bool = True,
    ) -> tuple[Array, Array, Array]:
        attend_to_text, attend_to_encoder, feed_forward = self.layer
        hidden, weights = attend_to_text(hidden, score_mask, head_mask, memory, deterministic)
        hidden, cross_weights = attend_to_encoder(
            hidden, encoder_hidden, encoder_mask, cross_head_mask, memory, deterministic
        )
        return feed_forward(hidden, deterministic), weights, cross_weights


def bias_of(blocks: Any) -> FlaxT5PositionBias:
    """The bias of positions, which the first of a stack's blocks holds for all."""
    return blocks.items[0].layer.items[0].SelfAttention.relative_attention_bias


class FlaxT5Encoder(nn.Module):
    """The stack that reads: every position sees every other.

    Attributes:
        config: What the model is.
        embed_tokens: The embedding that it shares with the decoder.
    """

    config: T5Config
    embed_tokens: nn.Module
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        heads = enumerate(heads_per_layer(config))
        self.block = Stack(FlaxT5EncoderBlock, tuple((config, own, layer == 0, self.dtype) for layer, own in heads))
        self.final_layer_norm = RMSNorm(config.d_model, config.layer_norm_epsilon, self.dtype)
        self.dropout = nn.Dropout(config.dropout_rate)

    def scores(self, attention_mask: Array | None, hidden: Array) -> list[Array]:
        """What is added to the scores of each layer, [B, N, T, T], of the heads that pruning has left it."""
        if not self.block.items:
            return []
        bias = bias_of(self.block).between(hidden.shape[1], hidden.shape[1])
        every: Any = plus(padding_mask(attention_mask, hidden), bias)
        return [every if kept is None else every[:, np.array(kept)] for kept in self.config.kept_heads]

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        deterministic: bool = True,
    ) -> Any:
        """Read a batch of sequences; the arguments are those of `FlaxT5EncoderModel`.

        Returns:
            `BaseModelOutput`, or a tuple with `return_dict=False`.
        """
        config = self.config
        wanted = Wanted.of(config, output_attentions, output_hidden_states, return_dict)
        check_one_of(input_ids, inputs_embeds)
        if input_ids is not None:
            check_token_ids(input_ids, config.vocab_size)
        embedded: Any = self.embed_tokens(input_ids) if inputs_embeds is None else inputs_embeds
        hidden = self.dropout(embedded, deterministic=deterministic)  # [B, T, D]
        head_masks = per_layer_head_masks(head_mask, config.num_layers)
        is_checkpointed = self.gradient_checkpointing and not deterministic
        states, attentions = (), ()
        for block, score_mask, own_head_mask in zip(
            self.block, self.scores(attention_mask, hidden), head_masks, strict=True
        ):
            states += wanted.state(hidden)
            hidden, weights = checkpointed(block, is_checkpointed)(hidden, score_mask, own_head_mask, deterministic)
            attentions += wanted.attention(weights)
        hidden = self.dropout(self.final_layer_norm(hidden), deterministic=deterministic)
        states += wanted.state(hidden)
        return wanted.answer(BaseModelOutput(hidden, states or None, attentions or None))


class FlaxT5Decoder(nn.Module):
    """The stack that writes: a position sees itself and those before it, and all that the encoder has read.

    Attributes:
        config: What the model is.
        embed_tokens: The embedding that it shares with the encoder.
    """

    config: T5Config
    embed_tokens: nn.Module
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        layers = range(config.num_decoder_layers or 0)
        self.block = Stack(FlaxT5DecoderBlock, tuple((config, layer == 0, self.dtype) for layer in layers))
        self.final_layer_norm = RMSNorm(config.d_model, config.layer_norm_epsilon, self.dtype)
        self.dropout = nn.Dropout(config.dropout_rate)

    def scores(self, attention_mask: Array | None, hidden: Array, past: int | Array, reach: int) -> Array | None:
        """What is added to the scores of every layer: [B, N, T, S]."""
        if not self.block.items:
            return None
        bias = bias_of(self.block).between(hidden.shape[1], reach, past)
        return plus(causal_mask(attention_mask, hidden, past, reach), bias)

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        encoder_hidden_states: Any = None,
        encoder_attention_mask: Array | None = None,
        head_mask: Array | None = None,
        cross_attn_head_mask: Array | None = None,
        past_key_values: Any = None,
        inputs_embeds: Array | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        deterministic: bool = True,
    ) -> Any:
        """Read what was written so far; arguments are those of `FlaxT5Model`, there with `decoder_` before them, and

        Args:
            encoder_hidden_states: [B, E, D], what the encoder has answered.
            encoder_attention_mask: [B, E], 1 where a position of the encoder counts and 0 where it is padding.

        Returns:
            `BaseModelOutputWithPastAndCrossAttentions`, or a tuple with `return_dict=False`.
        """
        config, depth = self.config, len(self.block.items)
        is_checkpointed = self.gradient_checkpointing and not deterministic
        use_cache = False if is_checkpointed else use_cache
        wanted = Wanted.of(config, output_attentions, output_hidden_states, return_dict, use_cache)
        check_one_of(input_ids, inputs_embeds, "decoder_")
        if input_ids is not None:
            check_token_ids(input_ids, config.vocab_size, "decoder_input_ids")
        cache = Cache.open(past_key_values, wanted.cache, depth)
        embedded: Any = self.embed_tokens(input_ids) if inputs_embeds is None else inputs_embeds
        hidden = self.dropout(embedded, deterministic=deterministic)  # [B, T, D]
        past, reach = (0, hidden.shape[1]) if cache is None else (cache.length, cache.reach(hidden.shape[1]))
        score_mask = self.scores(attention_mask, hidden, past, reach)
        encoder_mask = padding_mask(encoder_attention_mask, encoder_hidden_states)
        masks = (per_layer_head_masks(mask, depth) for mask in (head_mask, cross_attn_head_mask))
        memories = [None] * depth if cache is None else cache.layers
        is_checkpointed = is_checkpointed and cache is None
        states, attentions, cross_attentions = (), (), ()
        for block, own_mask, cross_mask, memory in zip(self.block, *masks, memories, strict=True):
            states += wanted.state(hidden)
            hidden, weights, cross_weights = checkpointed(block, is_checkpointed)(
                hidden, score_mask, own_mask, encoder_hidden_states, encoder_mask, cross_mask, memory, deterministic
            )
            attentions += wanted.attention(weights)
            cross_attentions += wanted.attention(cross_weights)
        hidden = self.dropout(self.final_layer_norm(hidden), deterministic=deterministic)
        states += wanted.state(hidden)
        output = BaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=hidden,
            past_key_values=cache if wanted.cache else None,
            hidden_states=states or None,
            attentions=attentions or None,
            cross_attentions=cross_attentions or None,
        )
        return wanted.answer(output)


class FlaxT5EncoderDecoder(nn.Module):
    """The encoder and the decoder, with the embedding that they share; what the bare model and two heads stand on."""

    config: T5Config
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config, options = self.config, (self.dtype, self.gradient_checkpointing)
        self.shared = Embed(config.vocab_size, config.d_model, dtype=self.dtype)
        self.encoder = FlaxT5Encoder(config, self.shared, *options)
        self.decoder = FlaxT5Decoder(config, self.shared, *options)

    def encode(self, *args: Any, **kwargs: Any) -> Any:
        """Read with the encoder alone."""
        return self.encoder(*args, **kwargs)

    def read(
        self,
        input_ids: Array | None,
        attention_mask: Array | None,
        decoder_input_ids: Array | None,
        decoder_attention_mask: Array | None,
        head_mask: Array | None,
        decoder_head_mask: Array | None,
        cross_attn_head_mask: Array | None,
        encoder_outputs: Any,
        past_key_values: Any,
        inputs_embeds: Array | None,
        decoder_inputs_embeds: Array | None,
        use_cache: bool | None,
        wanted: Wanted,
        deterministic: bool,
    ) -> Seq2SeqModelOutput:
        """What both stacks make of the arguments of the bare model's call."""
        options = {
            "output_attentions": wanted.attentions, "output_hidden_states": wanted.hidden_states,
            "return_dict": True, "deterministic": deterministic,
        }  # fmt: skip
        encoded = as_encoder_output(encoder_outputs)
        if encoded is None:
            encoded = self.encoder(input_ids, attention_mask, head_mask, inputs_embeds, **options)
        if decoder_head_mask is None and self.config.num_layers == self.config.num_decoder_layers:
            decoder_head_mask = head_mask  # as 4.x does
        decoded = self.decoder(
            decoder_input_ids, decoder_attention_mask, encoded.last_hidden_state, attention_mask, decoder_head_mask,
            cross_attn_head_mask, past_key_values, decoder_inputs_embeds, use_cache, **options,
        )  # fmt: skip
        return joined_output(Seq2SeqModelOutput, decoded, encoded, last_hidden_state=decoded.last_hidden_state)


class FlaxT5Module(FlaxT5EncoderDecoder):
    """`FlaxT5Model` as a linen module; its call says `deterministic` for `not train`."""

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        decoder_input_ids: Array | None = None,
        decoder_attention_mask: Array | None = None,
        head_mask: Array | None = None,
        decoder_head_mask: Array | None = None,
        cross_attn_head_mask: Array | None = None,
        encoder_outputs: Any = None,
        past_key_values: Any = None,
        inputs_embeds: Array | None = None,
        decoder_inputs_embeds: Array | None = None,
        use_cache: bool | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        cache_position: Array | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        output = self.read(
            input_ids, attention_mask, decoder_input_ids, decoder_attention_mask, head_mask, decoder_head_mask,
            cross_attn_head_mask, encoder_outputs, past_key_values, inputs_embeds, decoder_inputs_embeds,
            use_cache, wanted, deterministic,
        )  # fmt: skip
        return wanted.answer(output)


class FlaxT5ForConditionalGenerationModule(FlaxT5EncoderDecoder):
    """`FlaxT5ForConditionalGeneration` as a linen module."""

    def setup(self) -> None:
        super().setup()
        config = self.config
        untied = partial(Dense, config.vocab_size, in_features=config.d_model, use_bias=False, dtype=self.dtype)
        self.scale = config.d_model**-0.5 if config.tie_word_embeddings else 1.0
        self.lm_head = TiedDense(self.shared) if config.tie_word_embeddings else untied()

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        decoder_input_ids: Array | None = None,
        decoder_attention_mask: Array | None = None,
        head_mask: Array | None = None,
        decoder_head_mask: Array | None = None,
        cross_attn_head_mask: Array | None = None,
        encoder_outputs: Any = None,
        past_key_values: Any = None,
        inputs_embeds: Array | None = None,
        decoder_inputs_embeds: Array | None = None,
        labels: Array | None = None,
        use_cache: bool | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        cache_position: Array | None = None,
    ) -> Any:
        config = self.config
        wanted = Wanted.of(config, output_attentions, output_hidden_states, return_dict)
        if labels is not None and decoder_input_ids is None and decoder_inputs_embeds is None:
            decoder_input_ids = shift_tokens_right(labels, config.pad_token_id, config.decoder_start_token_id)
        outputs = self.read(
            input_ids, attention_mask, decoder_input_ids, decoder_attention_mask, head_mask, decoder_head_mask,
            cross_attn_head_mask, encoder_outputs, past_key_values, inputs_embeds, decoder_inputs_embeds,
            use_cache, wanted, deterministic,
        )  # fmt: skip
        logits = self.lm_head(outputs.last_hidden_state * self.scale)  # [B, T, V]
        loss = cross_entropy(logits, labels, ops)
        return wanted.answer(headed_output(Seq2SeqLMOutput, outputs, loss=loss, logits=logits))


class FlaxT5EncoderModule(nn.Module):
    """`FlaxT5EncoderModel` as a linen module."""

    config: T5Config
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        self.shared = Embed(config.vocab_size, config.d_model, dtype=self.dtype)
        self.encoder = FlaxT5Encoder(config, self.shared, self.dtype, self.gradient_checkpointing)

    def encode(self, *args: Any, **kwargs: Any) -> Any:
        """The call itself."""
        return self.encoder(*args, **kwargs)

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        return self.encoder(
            input_ids, attention_mask, head_mask, inputs_embeds, output_attentions, output_hidden_states, return_dict,
            deterministic,
        )  # fmt: skip


class FlaxT5ForQuestionAnsweringModule(FlaxT5EncoderDecoder):
    """`FlaxT5ForQuestionAnswering` as a linen module."""

    def setup(self) -> None:
        super().setup()
        self.qa_outputs = Dense(2, in_features=self.config.d_model, dtype=self.dtype)

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        decoder_input_ids: Array | None = None,
        decoder_attention_mask: Array | None = None,
        head_mask: Array | None = None,
        decoder_head_mask: Array | None = None,
        cross_attn_head_mask: Array | None = None,
        encoder_outputs: Any = None,
        start_positions: Array | None = None,
        end_positions: Array | None = None,
        inputs_embeds: Array | None = None,
        decoder_inputs_embeds: Array | None = None,
        use_cache: bool | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        config = self.config
        learns = start_positions is not None and end_positions is not None
        wanted = Wanted.of(config, output_attentions, output_hidden_states, return_dict)
        if decoder_input_ids is None and decoder_inputs_embeds is None and input_ids is not None:
            decoder_input_ids = shift_tokens_right(input_ids, config.pad_token_id, config.decoder_start_token_id)
        outputs = self.read(
            input_ids, attention_mask, decoder_input_ids, decoder_attention_mask, head_mask, decoder_head_mask,
            cross_attn_head_mask, encoder_outputs, None, inputs_embeds, decoder_inputs_embeds,
            False if learns else use_cache, wanted, deterministic,
        )  # fmt: skip
        scores = self.qa_outputs(outputs.last_hidden_state)
        start, end = scores[..., 0], scores[..., 1]  # [B, T] each
        loss = question_answering_loss(start, end, start_positions, end_positions, ops)
        logits = {"start_logits": start, "end_logits": end}
        return wanted.answer(headed_output(Seq2SeqQuestionAnsweringModelOutput, outputs, loss=loss, **logits))


class FlaxT5ForSequenceClassificationModule(
    Seq2SeqSequenceClassification, backbone=FlaxT5Module, prefix="transformer", decoding=("use_cache",)
):
    """`FlaxT5ForSequenceClassification` as a linen module."""

    def run_backbone(self, **inputs: Any) -> Any:
        """The backbone's output; the decoder reads the text shifted to the right if it is given nothing else."""
        if inputs.get("decoder_input_ids") is None and inputs.get("decoder_inputs_embeds") is None:
            padding, start = self.config.pad_token_id, self.config.decoder_start_token_id
            inputs["decoder_input_ids"] = shift_tokens_right(tokens_of(inputs), padding, start)
        return super().run_backbone(**inputs)


class FlaxT5ForTokenClassificationModule(TokenClassification, backbone=FlaxT5EncoderModule, prefix="transformer"):
    """`FlaxT5ForTokenClassification` as a linen module."""


class FlaxT5PreTrainedModel(FlaxEncoderDecoder):
    """Base of every T5 model in Flax; see `FlaxModuleModel` for its arguments."""

    config_class = T5Config
    base_model_prefix = "transformer"

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        decoder_input_ids: Array | None = None,
        decoder_attention_mask: Array | None = None,
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
        """Run the model on a batch of sequences, and others with a view of them.

        Args:
            input_ids: [B, E] integers, what the encoder reads.
            attention_mask: [B, E], 1 where a token of it counts and 0 where it is padding; or [B, E, E].
            decoder_input_ids: [B, T], what the decoder reads.
            decoder_attention_mask: [B, S], as `attention_mask`, those in the cache included; or [B, T, S].
            train: Whether dropout is on.
            params: The parameters; the model's own if None.
            dropout_rng: The key of dropout, needed in training.
            head_mask: [N] or [layers, N], 0 where a head of the encoder is switched off.
            decoder_head_mask: The same of the decoder; that of the encoder if both have as many layers.
            cross_attn_head_mask: The same of the decoder's attention to the encoder.
            encoder_outputs: What `encode` answered before; then the encoder does not run.
            past_key_values: What an earlier call or `init_cache` returned, for the decoder to read on from there.
            inputs_embeds: [B, E, D] instead of `input_ids`.
            decoder_inputs_embeds: [B, T, D] instead of `decoder_input_ids`.
            cache_position: Unused: a cache knows where it ends.
            use_cache: Whether keys and values are returned; as the configuration says if None.
            labels: The labels of a class with a head, by the names that it takes.

        Returns:
            The class's output, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input is absent, has a wrong shape, or an id is out of range.
        """
        arrays = {
            "input_ids": input_ids, "attention_mask": attention_mask, "decoder_input_ids": decoder_input_ids,
            "decoder_attention_mask": decoder_attention_mask, "head_mask": head_mask,
            "decoder_head_mask": decoder_head_mask, "cross_attn_head_mask": cross_attn_head_mask,
            "inputs_embeds": inputs_embeds, "decoder_inputs_embeds": decoder_inputs_embeds, **labels,
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
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        train: bool = False,
        params: Params | None = None,
        dropout_rng: Array | None = None,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
    ) -> Any:
        """Run the encoder alone; the arguments are those of a call.

        Returns:
            `BaseModelOutput`, or a tuple with `return_dict=False`.
        """
        arrays = {
            "input_ids": input_ids, "attention_mask": attention_mask, "head_mask": head_mask,
            "inputs_embeds": inputs_embeds,
        }  # fmt: skip
        options = {
            "output_attentions": output_attentions, "output_hidden_states": output_hidden_states,
            "return_dict": return_dict,
        }  # fmt: skip
        return self.run(arrays, options, params, dropout_rng, train, "encode")

    def decode(
        self,
        decoder_input_ids: Array | None = None,
        encoder_outputs: Any = None,
        encoder_attention_mask: Array | None = None,
        decoder_attention_mask: Array | None = None,
        past_key_values: Any = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        train: bool = False,
        params: Params | None = None,
        dropout_rng: Array | None = None,
        decoder_head_mask: Array | None = None,
        cross_attn_head_mask: Array | None = None,
        decoder_inputs_embeds: Array | None = None,
    ) -> Any:
        """Run the decoder alone; the arguments are those of a call, where `encoder_attention_mask` is `attention_mask`.

        Returns:
            `BaseModelOutputWithPastAndCrossAttentions`, of a class that scores tokens
            `CausalLMOutputWithCrossAttentions`, or a tuple with `return_dict=False`; with a cache if it was given one.
        """
        output = self(
            attention_mask=encoder_attention_mask, decoder_input_ids=decoder_input_ids,
            decoder_attention_mask=decoder_attention_mask, output_attentions=output_attentions,
            output_hidden_states=output_hidden_states, return_dict=True, train=train, params=params,
            dropout_rng=dropout_rng, decoder_head_mask=decoder_head_mask, cross_attn_head_mask=cross_attn_head_mask,
            encoder_outputs=encoder_outputs, past_key_values=past_key_values,
            decoder_inputs_embeds=decoder_inputs_embeds, use_cache=past_key_values is not None,
        )  # fmt: skip
        return self.decoder_output(output, return_dict)


class FlaxT5Model(FlaxT5PreTrainedModel):
    """The bare model: hidden states of encoder and decoder."""

    module_class = FlaxT5Module


class FlaxT5ForConditionalGeneration(FlaxT5PreTrainedModel, FlaxGenerationMixin):
    """T5 with a score for each token that the decoder may write next; takes `labels`."""

    module_class = FlaxT5ForConditionalGenerationModule


class FlaxT5EncoderModel(FlaxT5PreTrainedModel):
    """The encoder alone: hidden states."""

    module_class = FlaxT5EncoderModule

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        train: bool = False,
        params: Params | None = None,
        dropout_rng: Array | None = None,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
    ) -> Any:
        """Read a batch of sequences.

        Args:
            input_ids: [B, T] integers.
            attention_mask: [B, T], 1 where a token counts and 0 where it is padding; or [B, T, T].
            train: Whether dropout is on.
            params: The parameters; the model's own if None.
            dropout_rng: The key of dropout, needed in training.
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            inputs_embeds: [B, T, D] instead of `input_ids`.

        Returns:
            `BaseModelOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input is absent, has a wrong shape, or an id is out of range.
        """
        return self.encode(
            input_ids, attention_mask, output_attentions, output_hidden_states, return_dict, train, params, dropout_rng,
            head_mask, inputs_embeds,
        )  # fmt: skip


class FlaxT5ForQuestionAnswering(FlaxT5PreTrainedModel):
    """T5 with scores for where an answer starts and ends; takes `start_positions` and `end_positions`."""

    module_class = FlaxT5ForQuestionAnsweringModule


class FlaxT5ForSequenceClassification(FlaxT5PreTrainedModel):
    """T5 with a classifier of whole sequences, on the decoder's view of their last end token; takes `labels`."""

    module_class = FlaxT5ForSequenceClassificationModule


class FlaxT5ForTokenClassification(FlaxT5PreTrainedModel):
    """T5's encoder with a classifier of every token; takes `labels`."""

    module_class = FlaxT5ForTokenClassificationModule
