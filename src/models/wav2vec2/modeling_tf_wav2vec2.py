"""Wav2Vec2 in Keras (Baevski et al. 2020, https://arxiv.org/abs/2006.11477).

Shape letters: B batch, S samples, C channels, T frames, D width, F feed-forward width, V vocabulary, L labels,
G codebooks, E entries of each, K negatives.
"""

from __future__ import annotations

import warnings
from typing import Any

import tensorflow as tf
from keras import layers

from ...backends.adapters import LanguageAdapters
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
from ...backends.tensorflow import ops
from ...backends.tensorflow.activations import activation
from ...backends.tensorflow.attention import attend, join_heads, padding_mask, split_heads
from ...backends.tensorflow.layers import (
    CheckpointedLayer,
    Convolution1D,
    Dense,
    Dropout,
    GroupNorm,
    Holder,
    LayerNorm,
    Unconverted,
    WeightNormConv1D,
)
from ...backends.tensorflow.losses import ctc_loss
from ...backends.tensorflow.sounds import TFSoundModel, draw_for, gumbel, left_out
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


def convolution(config: Wav2Vec2Config, index: int, dtype: Any) -> Convolution1D:
    """The convolution of the waveform with this number."""
    channels, kernel, stride = config.conv_dim[index], config.conv_kernel[index], config.conv_stride[index]
    inputs = config.conv_dim[index - 1] if index else 1
    return Convolution1D(inputs, channels, kernel, strides=stride, use_bias=config.conv_bias, name="conv", dtype=dtype)


class TFWav2Vec2NoLayerNormConvLayer(layers.Layer):
    """A convolution."""

    def __init__(self, config: Wav2Vec2Config, index: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.conv = convolution(config, index, dtype)
        self.activation = activation(config.feat_extract_activation)

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        return self.activation(self.conv(hidden))  # [B, T, C]


class TFWav2Vec2LayerNormConvLayer(layers.Layer):
    """A convolution whose channels are normalized together in each frame."""

    def __init__(self, config: Wav2Vec2Config, index: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.conv = convolution(config, index, dtype)
        self.layer_norm = LayerNorm(config.conv_dim[index], epsilon=1e-5, name="layer_norm", dtype=dtype)
        self.activation = activation(config.feat_extract_activation)

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        return self.activation(self.layer_norm(self.conv(hidden)))  # [B, T, C]


class TFWav2Vec2GroupNormConvLayer(layers.Layer):
    """A convolution each of whose channels is normalized over time."""

    def __init__(self, config: Wav2Vec2Config, index: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.conv = convolution(config, index, dtype)
        self.layer_norm = GroupNorm(config.conv_dim[index], name="layer_norm", dtype=dtype)
        self.activation = activation(config.feat_extract_activation)

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        return self.activation(self.layer_norm(self.conv(hidden)))  # [B, T, C]


def convolution_layer(config: Wav2Vec2Config, index: int, dtype: Any) -> layers.Layer:
    """The layer with this number, of the kind that `feat_extract_norm` says."""
    name = f"conv_layers.{index}"
    if config.feat_extract_norm == "layer":
        return TFWav2Vec2LayerNormConvLayer(config, index, name=name, dtype=dtype)
    kind = TFWav2Vec2NoLayerNormConvLayer if index else TFWav2Vec2GroupNormConvLayer
    return kind(config, index, name=name, dtype=dtype)


class TFWav2Vec2FeatureEncoder(layers.Layer):
    """Convolutions that make frames of the waveform."""

    def __init__(self, config: Wav2Vec2Config, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.conv_layers = [convolution_layer(config, index, dtype) for index in range(len(config.conv_dim))]

    def call(self, sound: tf.Tensor) -> tf.Tensor:
        hidden = tf.expand_dims(sound, -1)  # [B, S, 1]
        for layer in self.conv_layers:
            hidden = layer(hidden)
        return hidden  # [B, T, C]


class TFWav2Vec2FeatureProjection(layers.Layer):
    """The frames, normalized, in the encoder's width."""

    def __init__(self, config: Wav2Vec2Config, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, norm = config.conv_dim[-1], config.layer_norm_eps
        self.layer_norm = LayerNorm(width, epsilon=norm, name="layer_norm", dtype=dtype)
        self.projection = Dense(width, config.hidden_size, name="projection", dtype=dtype)
        self.dropout = Dropout(config.feat_proj_dropout, name="dropout", dtype=dtype)

    def call(self, features: tf.Tensor, training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        normal = self.layer_norm(features)
        return self.dropout(self.projection(normal), training=training), normal


class TFWav2Vec2PositionalConvEmbedding(layers.Layer):
    """What a frame's neighbours say of where it is."""

    def __init__(self, config: Wav2Vec2Config, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        groups = config.num_conv_pos_embedding_groups
        self.conv = WeightNormConv1D(
            config.hidden_size, config.num_conv_pos_embeddings, groups, name="conv", dtype=dtype
        )
        self.activation = activation(config.feat_extract_activation)

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        positions = self.conv(hidden)[:, : ops.shape(hidden)[1]]  # an even kernel makes a frame too many
        return self.activation(positions)


class TFWav2Vec2Attention(layers.Layer):
    """Attention of frames to frames."""

    def __init__(self, config: Wav2Vec2Config, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, self.head_size = config.hidden_size, config.hidden_size // config.num_attention_heads
        self.k_proj = Dense(width, width, name="k_proj", dtype=dtype)
        self.v_proj = Dense(width, width, name="v_proj", dtype=dtype)
        self.q_proj = Dense(width, width, name="q_proj", dtype=dtype)
        self.out_proj = Dense(width, width, name="out_proj", dtype=dtype)
        self.dropout = Dropout(config.attention_dropout, name="dropout", dtype=dtype)

    def call(
        self, hidden: tf.Tensor, score_mask: tf.Tensor | None, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        query, key, value = (
            split_heads(project(hidden), self.head_size) for project in (self.q_proj, self.k_proj, self.v_proj)
        )  # [B, N, T, H]
        context, weights = attend(query, key, value, score_mask, self.dropout, None, training)
        return self.out_proj(join_heads(context)), weights


class TFWav2Vec2FeedForward(layers.Layer):
    """The feed-forward block."""

    def __init__(self, config: Wav2Vec2Config, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, inner = config.hidden_size, config.intermediate_size
        self.intermediate_dense = Dense(width, inner, name="intermediate_dense", dtype=dtype)
        self.activation = activation(config.hidden_act)
        self.intermediate_dropout = Dropout(config.activation_dropout, name="intermediate_dropout", dtype=dtype)
        self.output_dense = Dense(inner, width, name="output_dense", dtype=dtype)
        self.output_dropout = Dropout(config.hidden_dropout, name="output_dropout", dtype=dtype)

    def call(self, hidden: tf.Tensor, training: bool = False) -> tf.Tensor:
        widened = self.activation(self.intermediate_dense(hidden))  # [B, T, F]
        widened = self.intermediate_dropout(widened, training=training)
        return self.output_dropout(self.output_dense(widened), training=training)


class TFWav2Vec2EncoderLayer(CheckpointedLayer):
    """One layer, which normalizes what each of its blocks gives."""

    def __init__(self, config: Wav2Vec2Config, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, norm = config.hidden_size, config.layer_norm_eps
        self.attention = TFWav2Vec2Attention(config, name="attention", dtype=dtype)
        self.dropout = Dropout(config.hidden_dropout, name="dropout", dtype=dtype)
        self.layer_norm = LayerNorm(width, epsilon=norm, name="layer_norm", dtype=dtype)
        self.feed_forward = TFWav2Vec2FeedForward(config, name="feed_forward", dtype=dtype)
        self.final_layer_norm = LayerNorm(width, epsilon=norm, name="final_layer_norm", dtype=dtype)

    def call(
        self, hidden: tf.Tensor, score_mask: tf.Tensor | None, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        attended, weights = self.attention(hidden, score_mask, training=training)
        hidden = self.layer_norm(hidden + self.dropout(attended, training=training))
        return self.final_layer_norm(hidden + self.feed_forward(hidden, training=training)), weights


class TFWav2Vec2AttnAdapterLayer(layers.Layer):
    """A narrow block at the end of a layer, learnt for one language (Pratap et al. 2023, arXiv 2305.13516)."""

    def __init__(self, config: Wav2Vec2Config, width: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.norm = LayerNorm(config.hidden_size, epsilon=1e-5, name="norm", dtype=dtype)
        self.linear_1 = Dense(config.hidden_size, width, name="linear_1", dtype=dtype)
        self.linear_2 = Dense(width, config.hidden_size, name="linear_2", dtype=dtype)

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        return self.linear_2(tf.nn.relu(self.linear_1(self.norm(hidden))))


class TFWav2Vec2NoAdapterLayer(layers.Layer):
    """No such block: nothing is added."""

    def call(self, hidden: tf.Tensor) -> float:
        return 0.0


def attention_adapter(config: Wav2Vec2Config, *, name: str, dtype: Any) -> layers.Layer:
    """The block for a language, if the configuration has one."""
    width = config.adapter_attn_dim
    if width is None:
        return TFWav2Vec2NoAdapterLayer(name=name, dtype=dtype)
    return TFWav2Vec2AttnAdapterLayer(config, width, name=name, dtype=dtype)


class TFWav2Vec2EncoderLayerStableLayerNorm(CheckpointedLayer):
    """One layer, which normalizes what each of its blocks is given."""

    def __init__(self, config: Wav2Vec2Config, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, norm = config.hidden_size, config.layer_norm_eps
        self.attention = TFWav2Vec2Attention(config, name="attention", dtype=dtype)
        self.dropout = Dropout(config.hidden_dropout, name="dropout", dtype=dtype)
        self.layer_norm = LayerNorm(width, epsilon=norm, name="layer_norm", dtype=dtype)
        self.feed_forward = TFWav2Vec2FeedForward(config, name="feed_forward", dtype=dtype)
        self.final_layer_norm = LayerNorm(width, epsilon=norm, name="final_layer_norm", dtype=dtype)
        self.adapter_layer = attention_adapter(config, name="adapter_layer", dtype=dtype)

    def call(
        self, hidden: tf.Tensor, score_mask: tf.Tensor | None, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        attended, weights = self.attention(self.layer_norm(hidden), score_mask, training=training)
        hidden = hidden + self.dropout(attended, training=training)
        hidden = hidden + self.feed_forward(self.final_layer_norm(hidden), training=training)
        return hidden + self.adapter_layer(hidden), weights


class TFWav2Vec2Encoder(Unconverted):
    """The stack of layers, its input normalized."""

    def __init__(self, config: Wav2Vec2Config, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, norm = config.hidden_size, config.layer_norm_eps
        self.layerdrop = config.layerdrop
        self.pos_conv_embed = TFWav2Vec2PositionalConvEmbedding(config, name="pos_conv_embed", dtype=dtype)
        self.layer_norm = LayerNorm(width, epsilon=norm, name="layer_norm", dtype=dtype)
        self.dropout = Dropout(config.hidden_dropout, name="dropout", dtype=dtype)
        self.layers = [
            TFWav2Vec2EncoderLayer(config, name=f"layers.{index}", dtype=dtype)
            for index in range(config.num_hidden_layers)
        ]

    def call(
        self, hidden: tf.Tensor, frames: tf.Tensor | None, draw: Draw | None, wanted: Wanted, training: bool = False
    ) -> tuple[tf.Tensor, tuple[tf.Tensor, ...], tuple[tf.Tensor, ...]]:
        score_mask = padding_mask(frames, hidden)
        if frames is not None:
            hidden = tf.where(tf.expand_dims(frames, -1), hidden, 0.0)
        hidden = self.dropout(self.layer_norm(hidden + self.pos_conv_embed(hidden)), training=training)
        states, attentions = wanted.state(hidden), ()
        for index, layer in enumerate(self.layers):
            after, weights = layer(hidden, score_mask, training=training)
            hidden = left_out(draw, f"layers.{index}", self.layerdrop, hidden, after)
            states += wanted.state(hidden)
            attentions += wanted.attention(weights)
        return hidden, states, attentions


class TFWav2Vec2EncoderStableLayerNorm(Unconverted):
    """The stack of layers, its output normalized."""

    def __init__(self, config: Wav2Vec2Config, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, norm = config.hidden_size, config.layer_norm_eps
        self.layerdrop = config.layerdrop
        self.pos_conv_embed = TFWav2Vec2PositionalConvEmbedding(config, name="pos_conv_embed", dtype=dtype)
        self.layer_norm = LayerNorm(width, epsilon=norm, name="layer_norm", dtype=dtype)
        self.dropout = Dropout(config.hidden_dropout, name="dropout", dtype=dtype)
        self.layers = [
            TFWav2Vec2EncoderLayerStableLayerNorm(config, name=f"layers.{index}", dtype=dtype)
            for index in range(config.num_hidden_layers)
        ]

    def call(
        self, hidden: tf.Tensor, frames: tf.Tensor | None, draw: Draw | None, wanted: Wanted, training: bool = False
    ) -> tuple[tf.Tensor, tuple[tf.Tensor, ...], tuple[tf.Tensor, ...]]:
        score_mask = padding_mask(frames, hidden)
        if frames is not None:
            hidden = tf.where(tf.expand_dims(frames, -1), hidden, 0.0)
        hidden = self.dropout(hidden + self.pos_conv_embed(hidden), training=training)
        states, attentions = (), ()
        for index, layer in enumerate(self.layers):
            states += wanted.state(hidden)
            after, weights = layer(hidden, score_mask, training=training)
            hidden = left_out(draw, f"layers.{index}", self.layerdrop, hidden, after)
            attentions += wanted.attention(weights)
        hidden = self.layer_norm(hidden)
        return hidden, states + wanted.state(hidden), attentions


class TFWav2Vec2AdapterLayer(layers.Layer):
    """A convolution that makes fewer frames, half of its channels gates for the other half."""

    def __init__(self, config: Wav2Vec2Config, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, kernel, stride = config.head_width, config.adapter_kernel_size, config.adapter_stride
        self.conv = Convolution1D(width, 2 * width, kernel, strides=stride, name="conv", dtype=dtype)

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        kept, gates = tf.split(self.conv(tf.pad(hidden, [[0, 0], [1, 1], [0, 0]])), 2, -1)
        return kept * tf.sigmoid(gates)


class TFWav2Vec2Adapter(layers.Layer):
    """Convolutions that shorten what the encoder gives, in another width if the configuration says so."""

    def __init__(self, config: Wav2Vec2Config, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, output = config.hidden_size, config.head_width
        is_other = output != width
        self.proj = Dense(width, output, name="proj", dtype=dtype) if is_other else None
        self.proj_layer_norm = (
            LayerNorm(output, epsilon=1e-5, name="proj_layer_norm", dtype=dtype) if is_other else None
        )
        self.layers = [
            TFWav2Vec2AdapterLayer(config, name=f"layers.{index}", dtype=dtype)
            for index in range(config.num_adapter_layers)
        ]

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        if self.proj is not None and self.proj_layer_norm is not None:
            hidden = self.proj_layer_norm(self.proj(hidden))
        for layer in self.layers:
            hidden = layer(hidden)
        return hidden


class TFWav2Vec2GumbelVectorQuantizer(Holder):
    """Frames as entries of several codebooks; in training a random choice that lets gradients through."""

    def __init__(self, config: Wav2Vec2Config, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.groups, self.entries = config.num_codevector_groups, config.num_codevectors_per_group
        self.temperature = 2.0
        width = config.codevector_dim // self.groups
        self.codevectors = self.parameter("codevectors", (1, self.groups * self.entries, width))
        self.weight_proj = Dense(config.conv_dim[-1], self.groups * self.entries, name="weight_proj", dtype=dtype)

    def call(
        self,
        hidden: tf.Tensor,
        mask_time_indices: tf.Tensor | None = None,
        draw: Draw | None = None,
        temperature: float | tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """[B, T, C] -> the quantized frames [B, T, ...], and how many entries are in use []."""
        batch, length, _ = ops.shape(hidden)
        scores = tf.reshape(self.weight_proj(hidden), (batch, length, self.groups, self.entries))  # [B, T, G, E]
        chosen, shares = self.choose(scores, draw, self.temperature if temperature is None else temperature)
        books = tf.reshape(tf.convert_to_tensor(self.codevectors), (self.groups, self.entries, -1))
        quantized = tf.einsum("btge,gec->btgc", chosen, books)
        quantized = tf.reshape(quantized, (batch, length, self.groups * ops.shape(books)[-1]))
        return quantized, self.perplexity(shares, mask_time_indices)

    def choose(
        self, scores: tf.Tensor, draw: Draw | None, temperature: float | tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The choice of an entry, one-hot, and how much each entry is used; both [B, T, G, E]."""
        if draw is None:
            chosen = tf.one_hot(tf.argmax(scores, -1), self.entries, dtype=scores.dtype)
            return chosen, chosen
        wide = ops.widen(scores)
        soft = tf.nn.softmax((wide + gumbel(draw, "quantizer", wide)) / tf.cast(temperature, wide.dtype), -1)
        hard = tf.one_hot(tf.argmax(soft, -1), self.entries, dtype=soft.dtype)
        return tf.cast(hard + (soft - tf.stop_gradient(soft)), scores.dtype), tf.nn.softmax(wide, -1)

    def perplexity(self, shares: tf.Tensor, mask_time_indices: tf.Tensor | None) -> tf.Tensor:
        """The number of entries that would, evenly used, be as surprising as those of the masked frames."""
        if mask_time_indices is None:
            mean = tf.reduce_mean(shares, (0, 1))  # [G, E]
        else:
            weights = tf.cast(mask_time_indices, shares.dtype)  # [B, T]
            mean = tf.einsum("bt,btge->ge", weights, shares) / tf.reduce_sum(weights)
        surprise = -tf.reduce_sum(mean * tf.math.log(mean + tf.constant(1e-7, mean.dtype)), -1)
        return tf.reduce_sum(tf.exp(surprise))


class TFWav2Vec2PreTrainedModel(LanguageAdapters, TFSoundModel):
    """Base of every Wav2Vec2 model in Keras."""

    config_class = Wav2Vec2Config
    base_model_prefix = "wav2vec2"
    config: Wav2Vec2Config

    def freeze_feature_encoder(self) -> None:
        """Let training leave the convolutions of the waveform as they are."""
        self.base_model.feature_extractor.trainable = False

    def freeze_feature_extractor(self) -> None:
        """`freeze_feature_encoder` under its old name."""
        warnings.warn("freeze_feature_extractor is called freeze_feature_encoder now.", FutureWarning, stacklevel=2)
        self.freeze_feature_encoder()

    def freeze_base_model(self) -> None:
        """Let training change the head alone."""
        self.base_model.trainable = False

    def _get_feat_extract_output_lengths(
        self, input_lengths: tf.Tensor | int, add_adapter: bool | None = None
    ) -> tf.Tensor:
        """How many frames sounds of so many samples have, under the name that scripts of 4.x call."""
        return frame_lengths(tf.convert_to_tensor(input_lengths), self.config, add_adapter)

    def _get_feature_vector_attention_mask(
        self, feature_vector_length: int, attention_mask: tf.Tensor, add_adapter: bool | None = None
    ) -> tf.Tensor:
        """Which frames hold sound, bool [B, T], under the name that scripts of 4.x call."""
        return frame_mask(tf.convert_to_tensor(attention_mask), feature_vector_length, self.config, ops, add_adapter)


class TFWav2Vec2Model(Holder, TFWav2Vec2PreTrainedModel):
    """The bare model: what the encoder, and its adapter if there is one, makes of each frame."""

    def __init__(self, config: Wav2Vec2Config, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        dtype = self.dtype_policy
        encoder = TFWav2Vec2EncoderStableLayerNorm if config.do_stable_layer_norm else TFWav2Vec2Encoder
        self.feature_extractor = TFWav2Vec2FeatureEncoder(config, name="feature_extractor", dtype=dtype)
        self.feature_projection = TFWav2Vec2FeatureProjection(config, name="feature_projection", dtype=dtype)
        self.masked_spec_embed = None
        if config.masks_features:
            self.masked_spec_embed = self.parameter("masked_spec_embed", (config.hidden_size,))
        self.encoder = encoder(config, name="encoder", dtype=dtype)
        self.adapter = TFWav2Vec2Adapter(config, name="adapter", dtype=dtype) if config.add_adapter else None

    def call(
        self,
        input_values: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        mask_time_indices: tf.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
        noise: NoiseSource | None = None,
    ) -> Any:
        """Encode a batch of sounds.

        Args:
            input_values: [B, S], the waveforms as the feature extractor gives them.
            attention_mask: [B, S], 1 where there is sound and 0 where it is padding.
            mask_time_indices: [B, T], true where a frame is masked; drawn in training if None.
            training: Whether dropout, masks and the rest of what is random are on.
            noise: Where training's random numbers come from (`triformers.backends.noise.Noise`): what is masked, which
                layers are left out. The framework's generator if None.

        Returns:
            `Wav2Vec2BaseModelOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input has a wrong shape, or sounds are too short.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        sound = checked_sound(input_values, self.config)
        features = self.feature_extractor(sound)  # [B, T, C]
        frames = None
        if attention_mask is not None:
            check_sound_mask(tuple(attention_mask.shape), tuple(sound.shape))
            frames = frame_mask(attention_mask, ops.shape(features)[1], self.config, ops, add_adapter=False)  # [B, T]
        draw = draw_for(noise, training)
        hidden, features = self.feature_projection(features, training=training)  # [B, T, D], [B, T, C]
        hidden = self.masked(hidden, frames, mask_time_indices, draw)
        hidden, states, attentions = self.encoder(hidden, frames=frames, draw=draw, wanted=wanted, training=training)
        output = Wav2Vec2BaseModelOutput(
            last_hidden_state=hidden if self.adapter is None else self.adapter(hidden),
            extract_features=features,
            hidden_states=states or None,
            attentions=attentions or None,
        )
        return wanted.answer(output)

    def masked(
        self, hidden: tf.Tensor, frames: tf.Tensor | None, mask_time_indices: tf.Tensor | None, draw: Draw | None
    ) -> tf.Tensor:
        """Hidden states with those of masked frames replaced, and in training some features at zero: [B, T, D]."""
        config, (batch, length, width) = self.config, ops.shape(hidden)
        if not config.apply_spec_augment:
            return hidden
        if mask_time_indices is None and draw is not None and config.mask_time_prob > 0:
            check_spans(time_spans(config), hidden.shape[1], "frames")
            lengths = tf.fill((batch,), length) if frames is None else ops.count(frames)
            mask_time_indices = span_mask(draw, "frames", lengths, length, time_spans(config), ops)
        if mask_time_indices is not None:
            own: Any = self.masked_spec_embed
            check_masks_features(config.masks_features or None)
            check_frame_mask(tuple(mask_time_indices.shape), hidden.shape[0], hidden.shape[1])
            is_masked = tf.expand_dims(tf.cast(mask_time_indices, tf.bool), -1)
            hidden = tf.where(is_masked, tf.cast(own, hidden.dtype), hidden)
        if draw is not None and config.mask_feature_prob > 0:
            check_spans(feature_spans(config), width, "features")
            mask = span_mask(draw, "features", tf.fill((batch,), width), width, feature_spans(config), ops)  # [B, D]
            hidden = tf.where(mask[:, None], 0.0, hidden)
        return hidden


class TFWav2Vec2ForPreTraining(TFWav2Vec2PreTrainedModel):
    """Wav2Vec2 as it was trained: which of several quantized frames is the one that was masked."""

    def __init__(self, config: Wav2Vec2Config, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.wav2vec2 = TFWav2Vec2Model(config, name="wav2vec2", dtype=dtype)
        self.dropout_features = Dropout(config.feat_quantizer_dropout, name="dropout_features", dtype=dtype)
        self.quantizer = TFWav2Vec2GumbelVectorQuantizer(config, name="quantizer", dtype=dtype)
        self.project_hid = Dense(config.hidden_size, config.proj_codevector_dim, name="project_hid", dtype=dtype)
        self.project_q = Dense(config.codevector_dim, config.proj_codevector_dim, name="project_q", dtype=dtype)

    def set_gumbel_temperature(self, temperature: float) -> None:
        """Set how random training's choice of entries is."""
        self.quantizer.temperature = temperature

    def call(
        self,
        input_values: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        mask_time_indices: tf.Tensor | None = None,
        sampled_negative_indices: tf.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        gumbel_temperature: float | None = None,
        training: bool = False,
        noise: NoiseSource | None = None,
    ) -> Any:
        """Predict masked frames; the arguments are those of `TFWav2Vec2Model`, and

        Args:
            sampled_negative_indices: [B, T, K], for each frame the numbers of others, counted through the whole batch.
            gumbel_temperature: How random training's choice of entries is; as was set if None.

        Returns:
            `Wav2Vec2ForPreTrainingOutput`, whose losses need masks and negatives, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        if mask_time_indices is not None:
            mask_time_indices = tf.cast(mask_time_indices, tf.bool)
        outputs = self.wav2vec2(
            input_values, attention_mask, mask_time_indices, output_attentions=wanted.attentions,
            output_hidden_states=wanted.hidden_states, return_dict=True, training=training, noise=noise,
        )  # fmt: skip
        predicted = self.project_hid(outputs.last_hidden_state)  # [B, T, P]
        features = self.dropout_features(outputs.extract_features, training=training)
        codes, perplexity = self.quantizer(
            features, mask_time_indices=mask_time_indices, draw=draw_for(noise, training),
            temperature=gumbel_temperature,
        )  # fmt: skip
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

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The loss that `compile` chose: the model's own is `loss` alone, of which the others are parts."""
        if self.loss is None and "loss" in y_pred:
            y_pred = {"loss": y_pred["loss"]}
        return super().compute_loss(x, y, y_pred, sample_weight, training)


class TFWav2Vec2ForMaskedLM(TFWav2Vec2PreTrainedModel):
    """Wav2Vec2 with a score for each token in each frame; a class of old, `TFWav2Vec2ForCTC` without a loss."""

    def __init__(self, config: Wav2Vec2Config, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        vocabulary = known_vocabulary(config, "TFWav2Vec2ForMaskedLM")
        self.wav2vec2 = TFWav2Vec2Model(config, name="wav2vec2", dtype=dtype)
        self.dropout = Dropout(config.final_dropout, name="dropout", dtype=dtype)
        self.lm_head = Dense(config.hidden_size, vocabulary, name="lm_head", dtype=dtype)

    def call(
        self,
        input_values: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        labels: tf.Tensor | None = None,
        training: bool = False,
        noise: NoiseSource | None = None,
    ) -> Any:
        """Score tokens; the arguments are those of `TFWav2Vec2Model`. The mask and labels are not read, as in 4.x.

        Returns:
            `MaskedLMOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.wav2vec2(
            input_values, output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states,
            return_dict=True, training=training, noise=noise,
        )  # fmt: skip
        logits = self.lm_head(self.dropout(outputs.last_hidden_state, training=training))  # [B, T, V]
        output = MaskedLMOutput(logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions)
        return wanted.answer(output)


class TFWav2Vec2ForCTC(TFWav2Vec2PreTrainedModel):
    """Wav2Vec2 that writes what is said: a score for each token in each frame.

    Args:
        config: What the model is.
        target_lang: The language whose adapter is to be loaded with a checkpoint.
    """

    def __init__(self, config: Wav2Vec2Config, target_lang: str | None = None, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        vocabulary = known_vocabulary(config, "TFWav2Vec2ForCTC")
        self.target_lang = target_lang
        self.wav2vec2 = TFWav2Vec2Model(config, name="wav2vec2", dtype=dtype)
        self.dropout = Dropout(config.final_dropout, name="dropout", dtype=dtype)
        self.lm_head = Dense(config.head_width, vocabulary, name="lm_head", dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """What Keras writes into a `.keras` file to make the model again."""
        return {**super().get_config(), "target_lang": self.target_lang}

    def call(
        self,
        input_values: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        labels: tf.Tensor | None = None,
        training: bool = False,
        mask_time_indices: tf.Tensor | None = None,
        noise: NoiseSource | None = None,
    ) -> Any:
        """Score tokens; the arguments are those of `TFWav2Vec2Model`, and

        Args:
            labels: [B, U], the tokens of each sound, -100 where there is none.

        Returns:
            `CausalLMOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: As of `TFWav2Vec2Model`; or a label that the vocabulary does not have.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.wav2vec2(
            input_values, attention_mask, mask_time_indices, output_attentions=wanted.attentions,
            output_hidden_states=wanted.hidden_states, return_dict=True, training=training, noise=noise,
        )  # fmt: skip
        logits = self.lm_head(self.dropout(outputs.last_hidden_state, training=training))  # [B, T, V]
        assert input_values is not None
        heard = tf.ones_like(input_values) if attention_mask is None else attention_mask
        output = CausalLMOutput(
            loss=ctc_loss(logits, labels, frame_lengths(ops.count(heard), self.config), self.config),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class TFWav2Vec2Classifier(Holder, TFWav2Vec2PreTrainedModel):
    """What classifiers of sounds share: they read the last hidden state, or a learnt mean of all."""

    def __init__(self, config: Wav2Vec2Config, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        states = config.num_hidden_layers + 1
        self.wav2vec2 = TFWav2Vec2Model(config, name="wav2vec2", dtype=self.dtype_policy)
        self.layer_weights = None
        if config.use_weighted_layer_sum:
            self.layer_weights = self.parameter("layer_weights", (states,))

    def read(self, outputs: Any) -> tf.Tensor:
        """What a classifier reads of the model's output: [B, T, D]."""
        if not self.config.use_weighted_layer_sum:
            return outputs.last_hidden_state
        states = tf.stack(outputs.hidden_states)
        weights: Any = self.layer_weights
        shares = tf.nn.softmax(tf.cast(weights, states.dtype), -1)
        return tf.einsum("sbtd,s->btd", states, shares)


class TFWav2Vec2ForSequenceClassification(TFWav2Vec2Classifier):
    """Wav2Vec2 with a classifier of whole sounds."""

    def __init__(self, config: Wav2Vec2Config, **kwargs: Any) -> None:
        check_without_adapter(config, "TFWav2Vec2ForSequenceClassification")
        super().__init__(config, **kwargs)
        dtype, width = self.dtype_policy, config.classifier_proj_size
        self.projector = Dense(config.hidden_size, width, name="projector", dtype=dtype)
        self.classifier = Dense(width, config.num_labels, name="classifier", dtype=dtype)

    def call(
        self,
        input_values: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        labels: tf.Tensor | None = None,
        training: bool = False,
        noise: NoiseSource | None = None,
    ) -> Any:
        """Classify sounds; the arguments are those of `TFWav2Vec2Model`, and

        Args:
            labels: [B] class indices.

        Returns:
            `SequenceClassifierOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.wav2vec2(
            input_values, attention_mask, output_attentions=wanted.attentions,
            output_hidden_states=wanted.hidden_states or self.config.use_weighted_layer_sum, return_dict=True,
            training=training, noise=noise,
        )  # fmt: skip
        hidden = self.projector(self.read(outputs))  # [B, T, D]
        if attention_mask is None:
            pooled = tf.reduce_mean(hidden, 1)
        else:
            frames = frame_mask(attention_mask, ops.shape(hidden)[1], self.config, ops)
            number = tf.cast(ops.count(frames), hidden.dtype)[:, None]
            pooled = tf.reduce_sum(tf.where(tf.expand_dims(frames, -1), hidden, 0.0), 1) / number
        logits = self.classifier(pooled)  # [B, L]
        output = SequenceClassifierOutput(
            loss=cross_entropy(logits, labels, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class TFWav2Vec2ForAudioFrameClassification(TFWav2Vec2Classifier):
    """Wav2Vec2 with a classifier of every frame: who speaks when."""

    def __init__(self, config: Wav2Vec2Config, **kwargs: Any) -> None:
        check_without_adapter(config, "TFWav2Vec2ForAudioFrameClassification")
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.classifier = Dense(config.hidden_size, config.num_labels, name="classifier", dtype=dtype)

    def call(
        self,
        input_values: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        labels: tf.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
        noise: NoiseSource | None = None,
    ) -> Any:
        """Classify frames; the arguments are those of `TFWav2Vec2Model`, and

        Args:
            labels: [B, T, L], 1 for the class of a frame.

        Returns:
            `TokenClassifierOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.wav2vec2(
            input_values, attention_mask, output_attentions=wanted.attentions,
            output_hidden_states=wanted.hidden_states or self.config.use_weighted_layer_sum, return_dict=True,
            training=training, noise=noise,
        )  # fmt: skip
        logits = self.classifier(self.read(outputs))  # [B, T, L]
        output = TokenClassifierOutput(
            loss=cross_entropy(logits, None if labels is None else ops.argmax(labels), ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class TFAMSoftmaxLoss(Holder):
    """The loss of classes that keep a distance from each other (Wang et al. 2018, https://arxiv.org/abs/1801.05599)."""

    def __init__(self, width: int, labels: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.weight = self.parameter("weight", (width, labels))

    def call(self, hidden: tf.Tensor, labels: tf.Tensor | None) -> tf.Tensor | None:
        return margin_loss(hidden, tf.convert_to_tensor(self.weight), labels, ops)


class TFTDNNLayer(layers.Layer):
    """A time-delay layer: a projection of several frames, some steps apart, side by side."""

    def __init__(self, config: Wav2Vec2Config, index: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.reach, self.dilation = config.tdnn_kernel[index], config.tdnn_dilation[index]
        width = config.tdnn_dim[max(0, index - 1)]
        self.kernel = Dense(width * self.reach, config.tdnn_dim[index], name="kernel", dtype=dtype)

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        length = ops.shape(hidden)[1] - self.dilation * (self.reach - 1)
        starts = range(0, self.dilation * self.reach, self.dilation)
        windows = tf.concat([hidden[:, start : start + length] for start in starts], -1)  # [B, T, reach D]
        return tf.nn.relu(self.kernel(windows))


class TFWav2Vec2ForXVector(TFWav2Vec2Classifier):
    """Wav2Vec2 with an x-vector for each sound, by which speakers are told apart (Snyder et al. 2018)."""

    def __init__(self, config: Wav2Vec2Config, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype, width = self.dtype_policy, config.xvector_output_dim
        self.projector = Dense(config.hidden_size, config.tdnn_dim[0], name="projector", dtype=dtype)
        self.tdnn = [
            TFTDNNLayer(config, index, name=f"tdnn.{index}", dtype=dtype) for index in range(len(config.tdnn_dim))
        ]
        self.feature_extractor = Dense(2 * config.tdnn_dim[-1], width, name="feature_extractor", dtype=dtype)
        self.classifier = Dense(width, width, name="classifier", dtype=dtype)
        self.objective = TFAMSoftmaxLoss(width, config.num_labels, name="objective", dtype=dtype)

    def call(
        self,
        input_values: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        labels: tf.Tensor | None = None,
        training: bool = False,
        noise: NoiseSource | None = None,
    ) -> Any:
        """Tell speakers apart; the arguments are those of `TFWav2Vec2Model`, and

        Args:
            labels: [B] class indices.

        Returns:
            `XVectorOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.wav2vec2(
            input_values, attention_mask, output_attentions=wanted.attentions,
            output_hidden_states=wanted.hidden_states or self.config.use_weighted_layer_sum, return_dict=True,
            training=training, noise=noise,
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
