"""Wav2Vec2 in Flax (Baevski et al. 2020, https://arxiv.org/abs/2006.11477).

Shape letters: B batch, S samples, C channels, T frames, D width, F feed-forward width, V vocabulary, L labels,
G codebooks, E entries of each, K negatives.
"""

from __future__ import annotations

from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array

from ...backends.adapters import LanguageAdapters
from ...backends.flax import ops
from ...backends.flax.activations import activation
from ...backends.flax.attention import attend, join_heads, padding_mask, split_heads
from ...backends.flax.layers import (
    Conv,
    Dense,
    GroupNorm,
    LayerNorm,
    Stack,
    WeightNormConv1D,
    checkpointed,
)
from ...backends.flax.losses import ctc_loss
from ...backends.flax.model import Params, as_array
from ...backends.flax.sounds import FlaxSoundModel, draw_for, gumbel, left_out
from ...backends.noise import NoiseSource
from ...backends.sounds import (
    Draw,
    after_convolutions,
    check_frame_mask,
    check_masks_features,
    check_sound_mask,
    check_spans,
    check_without_adapter,
    checked_sound,
    feature_spans,
    frame_lengths,
    frame_mask,
    known_vocabulary,
    mean_and_deviation,
    span_mask,
    time_spans,
)
from ...losses import contrastive_loss, cross_entropy, margin_loss
from ...outputs import (
    CausalLMOutput,
    MaskedLMOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
    Wanted,
    Wav2Vec2BaseModelOutput,
    Wav2Vec2ForPreTrainingOutput,
    XVectorOutput,
)
from .configuration_wav2vec2 import Wav2Vec2Config


def convolution(config: Wav2Vec2Config, index: int, dtype: Any) -> Conv:
    """The convolution of the waveform with this number."""
    channels, kernel, stride = config.conv_dim[index], config.conv_kernel[index], config.conv_stride[index]
    inputs = config.conv_dim[index - 1] if index else 1
    return Conv(channels, (kernel,), (stride,), use_bias=config.conv_bias, in_features=inputs, dtype=dtype)


class FlaxWav2Vec2NoLayerNormConvLayer(nn.Module):
    """A convolution."""

    config: Wav2Vec2Config
    index: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        self.conv = convolution(self.config, self.index, self.dtype)
        self.activation = activation(self.config.feat_extract_activation)

    def __call__(self, hidden: Array) -> Array:
        return self.activation(self.conv(hidden))  # [B, T, C]


class FlaxWav2Vec2LayerNormConvLayer(nn.Module):
    """A convolution whose channels are normalized together in each frame."""

    config: Wav2Vec2Config
    index: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        self.conv = convolution(self.config, self.index, self.dtype)
        self.layer_norm = LayerNorm(epsilon=1e-5, size=self.config.conv_dim[self.index], dtype=self.dtype)
        self.activation = activation(self.config.feat_extract_activation)

    def __call__(self, hidden: Array) -> Array:
        return self.activation(self.layer_norm(self.conv(hidden)))  # [B, T, C]


class FlaxWav2Vec2GroupNormConvLayer(nn.Module):
    """A convolution each of whose channels is normalized over time."""

    config: Wav2Vec2Config
    index: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        self.conv = convolution(self.config, self.index, self.dtype)
        self.layer_norm = GroupNorm(self.config.conv_dim[self.index], dtype=self.dtype)
        self.activation = activation(self.config.feat_extract_activation)

    def __call__(self, hidden: Array) -> Array:
        return self.activation(self.layer_norm(self.conv(hidden)))  # [B, T, C]


def convolution_layer(config: Wav2Vec2Config, index: int, dtype: Any, *, name: str) -> nn.Module:
    """The layer with this number, of the kind that `feat_extract_norm` says."""
    if config.feat_extract_norm == "layer":
        return FlaxWav2Vec2LayerNormConvLayer(config, index, dtype, name=name)
    kind = FlaxWav2Vec2NoLayerNormConvLayer if index else FlaxWav2Vec2GroupNormConvLayer
    return kind(config, index, dtype, name=name)


class FlaxWav2Vec2FeatureEncoder(nn.Module):
    """Convolutions that make frames of the waveform."""

    config: Wav2Vec2Config
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        arguments = tuple((config, index, self.dtype) for index in range(len(config.conv_dim)))
        self.conv_layers = Stack(convolution_layer, arguments)

    def __call__(self, sound: Array) -> Array:
        hidden = sound[..., None]  # [B, S, 1]
        for layer in self.conv_layers:
            hidden = layer(hidden)
        return hidden  # [B, T, C]


class FlaxWav2Vec2FeatureProjection(nn.Module):
    """The frames, normalized, in the encoder's width."""

    config: Wav2Vec2Config
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.conv_dim[-1]
        self.layer_norm = LayerNorm(epsilon=config.layer_norm_eps, size=width, dtype=self.dtype)
        self.projection = Dense(config.hidden_size, in_features=width, dtype=self.dtype)
        self.dropout = nn.Dropout(config.feat_proj_dropout)

    def __call__(self, features: Array, deterministic: bool = True) -> tuple[Array, Array]:
        normal = self.layer_norm(features)
        return self.dropout(self.projection(normal), deterministic=deterministic), normal


class FlaxWav2Vec2PositionalConvEmbedding(nn.Module):
    """What a frame's neighbours say of where it is."""

    config: Wav2Vec2Config
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, groups = self.config, self.config.num_conv_pos_embedding_groups
        self.conv = WeightNormConv1D(config.hidden_size, config.num_conv_pos_embeddings, groups, dtype=self.dtype)
        self.activation = activation(config.feat_extract_activation)

    def __call__(self, hidden: Array) -> Array:
        positions = self.conv(hidden)[:, : hidden.shape[1]]  # an even kernel makes a frame too many
        return self.activation(positions)


class FlaxWav2Vec2Attention(nn.Module):
    """Attention of frames to frames."""

    config: Wav2Vec2Config
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.hidden_size
        self.head_size = width // config.num_attention_heads
        self.k_proj = Dense(width, in_features=width, dtype=self.dtype)
        self.v_proj = Dense(width, in_features=width, dtype=self.dtype)
        self.q_proj = Dense(width, in_features=width, dtype=self.dtype)
        self.out_proj = Dense(width, in_features=width, dtype=self.dtype)
        self.dropout = nn.Dropout(config.attention_dropout)

    def __call__(self, hidden: Array, score_mask: Array | None, deterministic: bool = True) -> tuple[Array, Array]:
        query, key, value = (
            split_heads(project(hidden), self.head_size) for project in (self.q_proj, self.k_proj, self.v_proj)
        )  # [B, N, T, H]
        context, weights = attend(query, key, value, score_mask, self.dropout, None, deterministic)
        return self.out_proj(join_heads(context)), weights


class FlaxWav2Vec2FeedForward(nn.Module):
    """The feed-forward block."""

    config: Wav2Vec2Config
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width, inner = self.config, self.config.hidden_size, self.config.intermediate_size
        self.intermediate_dense = Dense(inner, in_features=width, dtype=self.dtype)
        self.activation = activation(config.hidden_act)
        self.intermediate_dropout = nn.Dropout(config.activation_dropout)
        self.output_dense = Dense(width, in_features=inner, dtype=self.dtype)
        self.output_dropout = nn.Dropout(config.hidden_dropout)

    def __call__(self, hidden: Array, deterministic: bool = True) -> Array:
        widened = self.activation(self.intermediate_dense(hidden))  # [B, T, F]
        widened = self.intermediate_dropout(widened, deterministic=deterministic)
        return self.output_dropout(self.output_dense(widened), deterministic=deterministic)


class FlaxWav2Vec2EncoderLayer(nn.Module):
    """One layer, which normalizes what each of its blocks gives."""

    config: Wav2Vec2Config
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.hidden_size
        self.attention = FlaxWav2Vec2Attention(config, self.dtype)
        self.dropout = nn.Dropout(config.hidden_dropout)
        self.layer_norm = LayerNorm(epsilon=config.layer_norm_eps, size=width, dtype=self.dtype)
        self.feed_forward = FlaxWav2Vec2FeedForward(config, self.dtype)
        self.final_layer_norm = LayerNorm(epsilon=config.layer_norm_eps, size=width, dtype=self.dtype)

    def __call__(self, hidden: Array, score_mask: Array | None, deterministic: bool = True) -> tuple[Array, Array]:
        attended, weights = self.attention(hidden, score_mask, deterministic)
        hidden = self.layer_norm(hidden + self.dropout(attended, deterministic=deterministic))
        return self.final_layer_norm(hidden + self.feed_forward(hidden, deterministic)), weights


class FlaxWav2Vec2AttnAdapterLayer(nn.Module):
    """A narrow block at the end of a layer, learnt for one language (Pratap et al. 2023, arXiv 2305.13516)."""

    config: Wav2Vec2Config
    width: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        width = self.config.hidden_size
        self.norm = LayerNorm(epsilon=1e-5, size=width, dtype=self.dtype)
        self.linear_1 = Dense(self.width, in_features=width, dtype=self.dtype)
        self.linear_2 = Dense(width, in_features=self.width, dtype=self.dtype)

    def __call__(self, hidden: Array) -> Array:
        return self.linear_2(nn.relu(self.linear_1(self.norm(hidden))))


class FlaxWav2Vec2NoAdapterLayer(nn.Module):
    """No such block: nothing is added."""

    def __call__(self, hidden: Array) -> float:
        return 0.0


def attention_adapter(config: Wav2Vec2Config, dtype: Any) -> nn.Module:
    """The block for a language, if the configuration has one."""
    width = config.adapter_attn_dim
    return FlaxWav2Vec2NoAdapterLayer() if width is None else FlaxWav2Vec2AttnAdapterLayer(config, width, dtype)


class FlaxWav2Vec2EncoderLayerStableLayerNorm(nn.Module):
    """One layer, which normalizes what each of its blocks is given."""

    config: Wav2Vec2Config
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.hidden_size
        self.attention = FlaxWav2Vec2Attention(config, self.dtype)
        self.dropout = nn.Dropout(config.hidden_dropout)
        self.layer_norm = LayerNorm(epsilon=config.layer_norm_eps, size=width, dtype=self.dtype)
        self.feed_forward = FlaxWav2Vec2FeedForward(config, self.dtype)
        self.final_layer_norm = LayerNorm(epsilon=config.layer_norm_eps, size=width, dtype=self.dtype)
        self.adapter_layer = attention_adapter(config, self.dtype)

    def __call__(self, hidden: Array, score_mask: Array | None, deterministic: bool = True) -> tuple[Array, Array]:
        attended, weights = self.attention(self.layer_norm(hidden), score_mask, deterministic)
        hidden = hidden + self.dropout(attended, deterministic=deterministic)
        hidden = hidden + self.feed_forward(self.final_layer_norm(hidden), deterministic)
        return hidden + self.adapter_layer(hidden), weights


class FlaxWav2Vec2Encoder(nn.Module):
    """The stack of layers, its input normalized."""

    config: Wav2Vec2Config
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        self.pos_conv_embed = FlaxWav2Vec2PositionalConvEmbedding(config, self.dtype)
        self.layer_norm = LayerNorm(epsilon=config.layer_norm_eps, size=config.hidden_size, dtype=self.dtype)
        self.dropout = nn.Dropout(config.hidden_dropout)
        self.layers = Stack(FlaxWav2Vec2EncoderLayer, ((config, self.dtype),) * config.num_hidden_layers)

    def __call__(
        self, hidden: Array, frames: Array | None, draw: Draw | None, wanted: Wanted, deterministic: bool = True
    ) -> tuple[Array, tuple[Array, ...], tuple[Array, ...]]:
        score_mask = padding_mask(frames, hidden)
        if frames is not None:
            hidden = jnp.where(frames[..., None], hidden, 0.0)
        hidden = self.layer_norm(hidden + self.pos_conv_embed(hidden))
        hidden = self.dropout(hidden, deterministic=deterministic)
        states, attentions = wanted.state(hidden), ()
        for index, layer in enumerate(self.layers):
            call = checkpointed(layer, self.gradient_checkpointing and not deterministic)
            after, weights = call(hidden, score_mask, deterministic)
            hidden = left_out(draw, f"layers.{index}", self.config.layerdrop, hidden, after)
            states += wanted.state(hidden)
            attentions += wanted.attention(weights)
        return hidden, states, attentions


class FlaxWav2Vec2EncoderStableLayerNorm(nn.Module):
    """The stack of layers, its output normalized."""

    config: Wav2Vec2Config
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        arguments = ((config, self.dtype),) * config.num_hidden_layers
        self.pos_conv_embed = FlaxWav2Vec2PositionalConvEmbedding(config, self.dtype)
        self.layer_norm = LayerNorm(epsilon=config.layer_norm_eps, size=config.hidden_size, dtype=self.dtype)
        self.dropout = nn.Dropout(config.hidden_dropout)
        self.layers = Stack(FlaxWav2Vec2EncoderLayerStableLayerNorm, arguments)

    def __call__(
        self, hidden: Array, frames: Array | None, draw: Draw | None, wanted: Wanted, deterministic: bool = True
    ) -> tuple[Array, tuple[Array, ...], tuple[Array, ...]]:
        score_mask = padding_mask(frames, hidden)
        if frames is not None:
            hidden = jnp.where(frames[..., None], hidden, 0.0)
        hidden = self.dropout(hidden + self.pos_conv_embed(hidden), deterministic=deterministic)
        states, attentions = (), ()
        for index, layer in enumerate(self.layers):
            states += wanted.state(hidden)
            call = checkpointed(layer, self.gradient_checkpointing and not deterministic)
            after, weights = call(hidden, score_mask, deterministic)
            hidden = left_out(draw, f"layers.{index}", self.config.layerdrop, hidden, after)
            attentions += wanted.attention(weights)
        hidden = self.layer_norm(hidden)
        return hidden, states + wanted.state(hidden), attentions


class FlaxWav2Vec2AdapterLayer(nn.Module):
    """A convolution that makes fewer frames, half of its channels gates for the other half."""

    config: Wav2Vec2Config
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.head_width
        kernel, stride = (config.adapter_kernel_size,), (config.adapter_stride,)
        self.conv = Conv(2 * width, kernel, stride, padding=((1, 1),), in_features=width, dtype=self.dtype)

    def __call__(self, hidden: Array) -> Array:
        return nn.glu(self.conv(hidden))


class FlaxWav2Vec2Adapter(nn.Module):
    """Convolutions that shorten what the encoder gives, in another width if the configuration says so."""

    config: Wav2Vec2Config
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width, output = self.config, self.config.hidden_size, self.config.head_width
        self.proj = Dense(output, in_features=width, dtype=self.dtype) if output != width else None
        self.proj_layer_norm = LayerNorm(epsilon=1e-5, size=output, dtype=self.dtype) if output != width else None
        self.layers = Stack(FlaxWav2Vec2AdapterLayer, ((config, self.dtype),) * config.num_adapter_layers)

    def __call__(self, hidden: Array) -> Array:
        if self.proj is not None and self.proj_layer_norm is not None:
            hidden = self.proj_layer_norm(self.proj(hidden))
        for layer in self.layers:
            hidden = layer(hidden)
        return hidden


class FlaxWav2Vec2GumbelVectorQuantizer(nn.Module):
    """Frames as entries of several codebooks; in training a random choice that lets gradients through."""

    config: Wav2Vec2Config
    dtype: Any = jnp.float32

    has_parts: ClassVar[bool] = True

    def setup(self) -> None:
        config = self.config
        self.groups, self.entries = config.num_codevector_groups, config.num_codevectors_per_group
        self.weight_proj = Dense(self.groups * self.entries, in_features=config.conv_dim[-1], dtype=self.dtype)

    @nn.compact
    def __call__(
        self,
        hidden: Array,
        mask_time_indices: Array | None = None,
        draw: Draw | None = None,
        temperature: float | Array | None = None,
    ) -> tuple[Array, Array]:
        """[B, T, C] -> the quantized frames [B, T, ...], and how many entries are in use []."""
        batch, length, _ = hidden.shape
        codevectors = self.param("codevectors", nn.initializers.uniform(1.0), self.parameter_shapes()["codevectors"])
        scores = self.weight_proj(hidden).reshape(batch, length, self.groups, self.entries)  # [B, T, G, E]
        chosen, shares = self.choose(scores, draw, 2.0 if temperature is None else temperature)
        books = codevectors.astype(chosen.dtype).reshape(self.groups, self.entries, -1)
        quantized = jnp.einsum("btge,gec->btgc", chosen, books).reshape(batch, length, -1)
        return quantized, self.perplexity(shares, mask_time_indices)

    def choose(self, scores: Array, draw: Draw | None, temperature: float | Array) -> tuple[Array, Array]:
        """The choice of an entry, one-hot, and how much each entry is used; both [B, T, G, E]."""
        if draw is None:
            chosen = jax.nn.one_hot(scores.argmax(-1), self.entries, dtype=scores.dtype)
            return chosen, chosen
        wide = ops.widen(scores)
        soft = jax.nn.softmax((wide + gumbel(draw, "quantizer", wide)) / temperature, -1)
        hard = jax.nn.one_hot(soft.argmax(-1), self.entries, dtype=soft.dtype)
        return (hard + (soft - jax.lax.stop_gradient(soft))).astype(scores.dtype), jax.nn.softmax(wide, -1)

    def perplexity(self, shares: Array, mask_time_indices: Array | None) -> Array:
        """The number of entries that would, evenly used, be as surprising as those of the masked frames."""
        if mask_time_indices is None:
            mean = shares.mean((0, 1))  # [G, E]
        else:
            weights = mask_time_indices.astype(shares.dtype)  # [B, T]
            mean = jnp.einsum("bt,btge->ge", weights, shares) / weights.sum()
        return jnp.exp(-(mean * jnp.log(mean + 1e-7)).sum(-1)).sum()

    @nn.nowrap
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Linen's name of each parameter of its own -> its shape."""
        config, groups = self.config, self.config.num_codevector_groups
        return {"codevectors": (1, groups * config.num_codevectors_per_group, config.codevector_dim // groups)}


class FlaxWav2Vec2Module(nn.Module):
    """`FlaxWav2Vec2Model` as a linen module; its call says `deterministic` for `not train`."""

    config: Wav2Vec2Config
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    has_parts: ClassVar[bool] = True

    def setup(self) -> None:
        config = self.config
        encoder = FlaxWav2Vec2EncoderStableLayerNorm if config.do_stable_layer_norm else FlaxWav2Vec2Encoder
        self.feature_extractor = FlaxWav2Vec2FeatureEncoder(config, self.dtype)
        self.feature_projection = FlaxWav2Vec2FeatureProjection(config, self.dtype)
        self.encoder = encoder(config, self.dtype, self.gradient_checkpointing)
        self.adapter = FlaxWav2Vec2Adapter(config, self.dtype) if config.add_adapter else None

    @nn.compact
    def __call__(
        self,
        input_values: Array | None = None,
        attention_mask: Array | None = None,
        mask_time_indices: Array | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        noise: NoiseSource | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        sound = checked_sound(input_values, self.config)
        features = self.feature_extractor(sound)  # [B, T, C]
        frames = None
        if attention_mask is not None:
            check_sound_mask(tuple(attention_mask.shape), tuple(sound.shape))
            frames = frame_mask(attention_mask, features.shape[1], self.config, ops, add_adapter=False)  # [B, T]
        draw = draw_for(self, noise, deterministic)
        hidden, features = self.feature_projection(features, deterministic)  # [B, T, D], [B, T, C]
        hidden = self.masked(hidden, frames, mask_time_indices, draw)
        hidden, states, attentions = self.encoder(hidden, frames, draw, wanted, deterministic)
        output = Wav2Vec2BaseModelOutput(
            last_hidden_state=hidden if self.adapter is None else self.adapter(hidden),
            extract_features=features,
            hidden_states=states or None,
            attentions=attentions or None,
        )
        return wanted.answer(output)

    def masked(self, hidden: Array, frames: Array | None, mask_time_indices: Array | None, draw: Draw | None) -> Array:
        """Hidden states with those of masked frames replaced, and in training some features at zero: [B, T, D]."""
        config, (batch, length, width) = self.config, hidden.shape
        own: Any = None
        if config.masks_features:
            own = self.param("masked_spec_embed", nn.initializers.uniform(1.0), (width,))
        if not config.apply_spec_augment:
            return hidden
        if mask_time_indices is None and draw is not None and config.mask_time_prob > 0:
            check_spans(time_spans(config), length, "frames")
            lengths = jnp.full((batch,), length) if frames is None else ops.count(frames)
            mask_time_indices = span_mask(draw, "frames", lengths, length, time_spans(config), ops)
        if mask_time_indices is not None:
            check_masks_features(own)
            check_frame_mask(tuple(mask_time_indices.shape), batch, length)
            hidden = jnp.where(mask_time_indices.astype(bool)[..., None], own.astype(hidden.dtype), hidden)
        if draw is not None and config.mask_feature_prob > 0:
            check_spans(feature_spans(config), width, "features")
            mask = span_mask(draw, "features", jnp.full((batch,), width), width, feature_spans(config), ops)  # [B, D]
            hidden = jnp.where(mask[:, None], 0.0, hidden)
        return hidden

    @nn.nowrap
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Linen's name of each parameter of its own -> its shape."""
        return {"masked_spec_embed": (self.config.hidden_size,)} if self.config.masks_features else {}


class FlaxWav2Vec2ForPreTrainingModule(nn.Module):
    """`FlaxWav2Vec2ForPreTraining` as a linen module."""

    config: Wav2Vec2Config
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config, width = self.config, self.config.proj_codevector_dim
        self.wav2vec2 = FlaxWav2Vec2Module(config, self.dtype, self.gradient_checkpointing)
        self.dropout_features = nn.Dropout(config.feat_quantizer_dropout)
        self.quantizer = FlaxWav2Vec2GumbelVectorQuantizer(config, self.dtype)
        self.project_hid = Dense(width, in_features=config.hidden_size, dtype=self.dtype)
        self.project_q = Dense(width, in_features=config.codevector_dim, dtype=self.dtype)

    def __call__(
        self,
        input_values: Array | None = None,
        attention_mask: Array | None = None,
        mask_time_indices: Array | None = None,
        sampled_negative_indices: Array | None = None,
        gumbel_temperature: float | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        noise: NoiseSource | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        if mask_time_indices is not None:
            mask_time_indices = mask_time_indices.astype(bool)
        outputs = self.wav2vec2(
            input_values, attention_mask, mask_time_indices, deterministic, wanted.attentions, wanted.hidden_states,
            return_dict=True, noise=noise,
        )  # fmt: skip
        predicted = self.project_hid(outputs.last_hidden_state)  # [B, T, P]
        draw = draw_for(self, noise, deterministic)
        features = self.dropout_features(outputs.extract_features, deterministic=deterministic)
        codes, perplexity = self.quantizer(features, mask_time_indices, draw, gumbel_temperature)
        quantized = self.project_q(codes)  # [B, T, P]
        loss, contrastive, diversity = contrastive_loss(
            predicted, quantized, codes, sampled_negative_indices, mask_time_indices, perplexity, self.config, ops
        )
        output = Wav2Vec2ForPreTrainingOutput(
            loss=loss,
            projected_states=predicted,
            projected_quantized_states=quantized,
            codevector_perplexity=perplexity,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            contrastive_loss=contrastive,
            diversity_loss=diversity,
        )
        return wanted.answer(output)


class FlaxWav2Vec2ForMaskedLMModule(nn.Module):
    """`FlaxWav2Vec2ForMaskedLM` as a linen module."""

    config: Wav2Vec2Config
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        vocabulary = known_vocabulary(config, "FlaxWav2Vec2ForMaskedLM")
        self.wav2vec2 = FlaxWav2Vec2Module(config, self.dtype, self.gradient_checkpointing)
        self.dropout = nn.Dropout(config.final_dropout)
        self.lm_head = Dense(vocabulary, in_features=config.hidden_size, dtype=self.dtype)

    def __call__(
        self,
        input_values: Array | None = None,
        attention_mask: Array | None = None,
        labels: Array | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        noise: NoiseSource | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        outputs = self.wav2vec2(
            input_values, None, None, deterministic, wanted.attentions, wanted.hidden_states, return_dict=True,
            noise=noise,
        )  # fmt: skip
        logits = self.lm_head(self.dropout(outputs.last_hidden_state, deterministic=deterministic))  # [B, T, V]
        output = MaskedLMOutput(logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions)
        return wanted.answer(output)


class FlaxWav2Vec2ForCTCModule(nn.Module):
    """`FlaxWav2Vec2ForCTC` as a linen module."""

    config: Wav2Vec2Config
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        vocabulary = known_vocabulary(config, "FlaxWav2Vec2ForCTC")
        self.wav2vec2 = FlaxWav2Vec2Module(config, self.dtype, self.gradient_checkpointing)
        self.dropout = nn.Dropout(config.final_dropout)
        self.lm_head = Dense(vocabulary, in_features=config.head_width, dtype=self.dtype)

    def __call__(
        self,
        input_values: Array | None = None,
        attention_mask: Array | None = None,
        mask_time_indices: Array | None = None,
        labels: Array | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        noise: NoiseSource | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        outputs = self.wav2vec2(
            input_values, attention_mask, mask_time_indices, deterministic, wanted.attentions, wanted.hidden_states,
            return_dict=True, noise=noise,
        )  # fmt: skip
        logits = self.lm_head(self.dropout(outputs.last_hidden_state, deterministic=deterministic))  # [B, T, V]
        assert input_values is not None
        heard = jnp.ones_like(input_values) if attention_mask is None else attention_mask
        output = CausalLMOutput(
            loss=ctc_loss(logits, labels, frame_lengths(ops.count(heard), self.config), self.config),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class FlaxWav2Vec2Classifier(nn.Module):
    """What classifiers of sounds share: they read the last hidden state, or a learnt mean of all."""

    config: Wav2Vec2Config
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    has_parts: ClassVar[bool] = True

    def setup(self) -> None:
        self.wav2vec2 = FlaxWav2Vec2Module(self.config, self.dtype, self.gradient_checkpointing)

    def read(self, outputs: Any) -> Array:
        """What a classifier reads of the model's output: [B, T, D]."""
        if not self.config.use_weighted_layer_sum:
            return outputs.last_hidden_state
        states = jnp.stack(outputs.hidden_states)
        weights = self.param("layer_weights", nn.initializers.ones, (len(states),))
        return jnp.einsum("sbtd,s->btd", states, jax.nn.softmax(weights.astype(states.dtype), -1))

    @nn.nowrap
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Linen's name of each parameter of its own -> its shape."""
        config = self.config
        return {"layer_weights": (config.num_hidden_layers + 1,)} if config.use_weighted_layer_sum else {}


class FlaxWav2Vec2ForSequenceClassificationModule(FlaxWav2Vec2Classifier):
    """`FlaxWav2Vec2ForSequenceClassification` as a linen module."""

    def setup(self) -> None:
        config, width = self.config, self.config.classifier_proj_size
        check_without_adapter(config, "FlaxWav2Vec2ForSequenceClassification")
        super().setup()
        self.projector = Dense(width, in_features=config.hidden_size, dtype=self.dtype)
        self.classifier = Dense(config.num_labels, in_features=width, dtype=self.dtype)

    @nn.compact
    def __call__(
        self,
        input_values: Array | None = None,
        attention_mask: Array | None = None,
        labels: Array | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        noise: NoiseSource | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        outputs = self.wav2vec2(
            input_values, attention_mask, None, deterministic, wanted.attentions,
            wanted.hidden_states or self.config.use_weighted_layer_sum, return_dict=True, noise=noise,
        )  # fmt: skip
        hidden = self.projector(self.read(outputs))  # [B, T, D]
        if attention_mask is None:
            pooled = hidden.mean(1)
        else:
            frames = frame_mask(attention_mask, hidden.shape[1], self.config, ops)
            pooled = jnp.where(frames[..., None], hidden, 0.0).sum(1) / ops.count(frames)[:, None]
        logits = self.classifier(pooled)  # [B, L]
        output = SequenceClassifierOutput(
            loss=cross_entropy(logits, labels, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class FlaxWav2Vec2ForAudioFrameClassificationModule(FlaxWav2Vec2Classifier):
    """`FlaxWav2Vec2ForAudioFrameClassification` as a linen module."""

    def setup(self) -> None:
        config = self.config
        check_without_adapter(config, "FlaxWav2Vec2ForAudioFrameClassification")
        super().setup()
        self.classifier = Dense(config.num_labels, in_features=config.hidden_size, dtype=self.dtype)

    @nn.compact
    def __call__(
        self,
        input_values: Array | None = None,
        attention_mask: Array | None = None,
        labels: Array | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        noise: NoiseSource | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        outputs = self.wav2vec2(
            input_values, attention_mask, None, deterministic, wanted.attentions,
            wanted.hidden_states or self.config.use_weighted_layer_sum, return_dict=True, noise=noise,
        )  # fmt: skip
        logits = self.classifier(self.read(outputs))  # [B, T, L]
        output = TokenClassifierOutput(
            loss=cross_entropy(logits, None if labels is None else ops.argmax(labels), ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class FlaxAMSoftmaxLoss(nn.Module):
    """The loss of classes that keep a distance from each other (Wang et al. 2018, https://arxiv.org/abs/1801.05599)."""

    width: int
    labels: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, hidden: Array, labels: Array | None) -> Array | None:
        weight = self.param("weight", nn.initializers.normal(1.0), (self.width, self.labels))
        return margin_loss(hidden, weight.astype(hidden.dtype), labels, ops)

    @nn.nowrap
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Linen's name of each parameter -> its shape."""
        return {"weight": (self.width, self.labels)}


class FlaxTDNNLayer(nn.Module):
    """A time-delay layer: a projection of several frames, some steps apart, side by side."""

    config: Wav2Vec2Config
    index: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, index = self.config, self.index
        width = config.tdnn_dim[max(0, index - 1)] * config.tdnn_kernel[index]
        self.kernel = Dense(config.tdnn_dim[index], in_features=width, dtype=self.dtype)

    def __call__(self, hidden: Array) -> Array:
        reach, dilation = self.config.tdnn_kernel[self.index], self.config.tdnn_dilation[self.index]
        length = hidden.shape[1] - dilation * (reach - 1)
        starts = range(0, dilation * reach, dilation)
        windows = jnp.concatenate([hidden[:, start : start + length] for start in starts], -1)  # [B, T, reach D]
        return nn.relu(self.kernel(windows))


class FlaxWav2Vec2ForXVectorModule(FlaxWav2Vec2Classifier):
    """`FlaxWav2Vec2ForXVector` as a linen module."""

    def setup(self) -> None:
        config, width = self.config, self.config.xvector_output_dim
        super().setup()
        self.projector = Dense(config.tdnn_dim[0], in_features=config.hidden_size, dtype=self.dtype)
        self.tdnn = Stack(FlaxTDNNLayer, tuple((config, index, self.dtype) for index in range(len(config.tdnn_dim))))
        self.feature_extractor = Dense(width, in_features=2 * config.tdnn_dim[-1], dtype=self.dtype)
        self.classifier = Dense(width, in_features=width, dtype=self.dtype)
        self.objective = FlaxAMSoftmaxLoss(width, config.num_labels, self.dtype)

    @nn.compact
    def __call__(
        self,
        input_values: Array | None = None,
        attention_mask: Array | None = None,
        labels: Array | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        noise: NoiseSource | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        outputs = self.wav2vec2(
            input_values, attention_mask, None, deterministic, wanted.attentions,
            wanted.hidden_states or self.config.use_weighted_layer_sum, return_dict=True, noise=noise,
        )  # fmt: skip
        hidden = self.projector(self.read(outputs))
        for layer in self.tdnn:
            hidden = layer(hidden)
        lengths = None
        if attention_mask is not None:
            lengths = frame_lengths(ops.count(attention_mask), self.config)
            # 4.x counts as if the frames that a layer reads were side by side
            lengths = after_convolutions(lengths, self.config.tdnn_kernel, [1] * len(self.config.tdnn_kernel))
        embeddings = self.feature_extractor(mean_and_deviation(hidden, lengths, ops))  # [B, X]
        logits = self.classifier(embeddings)
        output = XVectorOutput(
            loss=self.objective(logits, labels),
            logits=logits,
            embeddings=embeddings,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class FlaxWav2Vec2PreTrainedModel(LanguageAdapters, FlaxSoundModel):
    """Base of every Wav2Vec2 model in Flax."""

    config_class = Wav2Vec2Config
    base_model_prefix = "wav2vec2"
    module_class: ClassVar[type[nn.Module]]

    def __call__(
        self,
        input_values: Array,
        attention_mask: Array | None = None,
        mask_time_indices: Array | None = None,
        params: Params | None = None,
        dropout_rng: Array | None = None,
        train: bool = False,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        freeze_feature_encoder: bool = False,
        return_dict: bool | None = None,
        *,
        noise: NoiseSource | None = None,
        gumbel_rng: Array | None = None,
        **others: Any,
    ) -> Any:
        """Run the model on a batch of sounds.

        Args:
            input_values: [B, S], the waveforms as the feature extractor gives them.
            attention_mask: [B, S], 1 where there is sound and 0 where it is padding.
            mask_time_indices: [B, T], true where a frame is masked, for classes that take it; else drawn in training.
            params: The parameters; the model's own if None.
            dropout_rng: The key of what is random, needed in training.
            train: Whether dropout, masks and the rest of what is random are on.
            freeze_feature_encoder: Whether the convolutions of the waveform get no gradient.
            noise: Where training's random numbers but dropout's come from (`triformers.backends.noise.Noise`); keys if
                None.
            gumbel_rng: The key of the quantizer's choices; `dropout_rng` if None.
            others: `labels`, and what else a class with a head takes.

        Returns:
            The class's output, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input has a wrong shape, or sounds are too short.
        """
        arrays = {
            "input_values": input_values, "attention_mask": attention_mask, "mask_time_indices": mask_time_indices,
            **others,
        }  # fmt: skip
        options = {
            "output_attentions": output_attentions, "output_hidden_states": output_hidden_states,
            "return_dict": return_dict, "noise": noise,
        }  # fmt: skip
        given: dict[str, Any] = {name: as_array(value) for name, value in arrays.items() if value is not None}
        given |= {name: value for name, value in options.items() if value is not None}
        keys = {"dropout": dropout_rng, "gumbel": gumbel_rng}
        params = self.params if params is None else params
        return self.module.apply(
            {"params": self._frozen(params) if freeze_feature_encoder else params},
            deterministic=not train,
            rngs={name: key for name, key in keys.items() if key is not None},
            **given,
        )

    def _frozen(self, params: Params) -> Params:
        """The parameters, those of the convolutions of the waveform without a gradient."""
        if self.base_model_prefix in params:
            return {**params, self.base_model_prefix: self._frozen(params[self.base_model_prefix])}
        return {**params, "feature_extractor": jax.lax.stop_gradient(params["feature_extractor"])}

    def _get_feat_extract_output_lengths(
        self, input_lengths: Array | int, add_adapter: bool | None = None
    ) -> Array | int:
        """How many frames sounds of so many samples have, under the name that scripts of 4.x call."""
        return frame_lengths(input_lengths, self.config, add_adapter)

    def _get_feature_vector_attention_mask(
        self, feature_vector_length: int, attention_mask: Array, add_adapter: bool | None = None
    ) -> Array:
        """Which frames hold sound, bool [B, T], under the name that scripts of 4.x call."""
        return frame_mask(as_array(attention_mask), feature_vector_length, self.config, ops, add_adapter)


class FlaxWav2Vec2Model(FlaxWav2Vec2PreTrainedModel):
    """The bare model: what the encoder, and its adapter if there is one, makes of each frame."""

    module_class = FlaxWav2Vec2Module


class FlaxWav2Vec2ForPreTraining(FlaxWav2Vec2PreTrainedModel):
    """Wav2Vec2 as it was trained: which of several quantized frames is the one that was masked.

    Takes `mask_time_indices` and `sampled_negative_indices`.
    """

    module_class = FlaxWav2Vec2ForPreTrainingModule

    def __call__(
        self,
        input_values: Array,
        attention_mask: Array | None = None,
        mask_time_indices: Array | None = None,
        gumbel_temperature: float = 1,
        params: Params | None = None,
        dropout_rng: Array | None = None,
        gumbel_rng: Array | None = None,
        train: bool = False,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        freeze_feature_encoder: bool = False,
        return_dict: bool | None = None,
        **others: Any,
    ) -> Any:
        """As of `FlaxWav2Vec2Model`.

        Args:
            gumbel_temperature: How random training's choice of entries is.
            gumbel_rng: The key of these choices; `dropout_rng` if None.
            others: `sampled_negative_indices` [B, T, K], for each frame the numbers of others, counted through the
                whole batch; `noise`.
        """
        return super().__call__(
            input_values, attention_mask, mask_time_indices, params, dropout_rng, train, output_attentions,
            output_hidden_states, freeze_feature_encoder, return_dict, gumbel_rng=gumbel_rng,
            gumbel_temperature=gumbel_temperature, **others,
        )  # fmt: skip


class FlaxWav2Vec2ForMaskedLM(FlaxWav2Vec2PreTrainedModel):
    """Wav2Vec2 with a score for each token in each frame; a class of old, `FlaxWav2Vec2ForCTC` without a loss."""

    module_class = FlaxWav2Vec2ForMaskedLMModule


class FlaxWav2Vec2ForCTC(FlaxWav2Vec2PreTrainedModel):
    """Wav2Vec2 that writes what is said: a score for each token in each frame; takes `labels`.

    Args:
        target_lang: The language whose adapter is to be loaded with a checkpoint.
    """

    module_class = FlaxWav2Vec2ForCTCModule

    def __init__(self, config: Wav2Vec2Config, *args: Any, target_lang: str | None = None, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        self.target_lang = target_lang


class FlaxWav2Vec2ForSequenceClassification(FlaxWav2Vec2PreTrainedModel):
    """Wav2Vec2 with a classifier of whole sounds; takes `labels`."""

    module_class = FlaxWav2Vec2ForSequenceClassificationModule


class FlaxWav2Vec2ForAudioFrameClassification(FlaxWav2Vec2PreTrainedModel):
    """Wav2Vec2 with a classifier of every frame: who speaks when; takes `labels`."""

    module_class = FlaxWav2Vec2ForAudioFrameClassificationModule


class FlaxWav2Vec2ForXVector(FlaxWav2Vec2PreTrainedModel):
    """Wav2Vec2 with an x-vector for each sound, by which speakers are told apart; takes `labels`."""

    module_class = FlaxWav2Vec2ForXVectorModule
