"""ViT in Keras (Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929).

Shape letters: B batch, C channels, Y and X rows and columns of pixels, P patches, T positions (one for the image, then
the patches), D width, N heads, H head size, F feed-forward width, L labels.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from keras import layers

from ...backends.cache import heads_per_layer
from ...backends.images import check_mask_token, check_patches, check_reconstruction, pair, patch_grid
from ...backends.tensorflow import ops
from ...backends.tensorflow.activations import activation, identity
from ...backends.tensorflow.attention import attend, join_heads, per_layer_head_masks, split_heads
from ...backends.tensorflow.images import (
    TFImageModel,
    channels_last,
    checked_pixels,
    known_size,
    pixel_shuffle,
    resize_positions,
)
from ...backends.tensorflow.layers import CheckpointedLayer, Conv2D, Dense, Dropout, Holder, LayerNorm, Unconverted
from ...losses import masked_image_loss, sequence_classification_loss
from ...outputs import BaseModelOutputWithPooling, ImageClassifierOutput, MaskedImageModelingOutput, Wanted
from .configuration_vit import ViTConfig


class TFViTPatchEmbeddings(layers.Layer):
    """Patches of pixels, projected."""

    def __init__(self, config: ViTConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        patch = pair(config.patch_size)
        self.projection = Conv2D(
            config.num_channels, config.hidden_size, patch, strides=patch, name="projection", dtype=dtype
        )

    def call(self, pixel_values: tf.Tensor) -> tf.Tensor:
        patches = self.projection(channels_last(tf.cast(pixel_values, self.compute_dtype)))  # [B, rows, columns, D]
        batch, rows, columns, width = ops.shape(patches)
        return tf.reshape(patches, (batch, rows * columns, width))  # [B, P, D]


class TFViTEmbeddings(Holder):
    """A token for the whole image, then its patches, with their positions; masked patches are all alike."""

    def __init__(self, config: ViTConfig, use_mask_token: bool, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.patch_size, self.grid = config.patch_size, patch_grid(config.image_size, config.patch_size)
        count, width = self.grid[0] * self.grid[1], config.hidden_size
        self.cls_token = self.parameter("cls_token", (1, 1, width))
        self.mask_token = None
        if use_mask_token:
            self.parameter("mask_token", (1, 1, width))
        self.position_embeddings = self.parameter("position_embeddings", (1, 1 + count, width))
        self.patch_embeddings = TFViTPatchEmbeddings(config, name="patch_embeddings", dtype=dtype)
        self.dropout = Dropout(config.hidden_dropout_prob, name="dropout", dtype=dtype)

    def call(self, pixel_values: tf.Tensor, bool_masked_pos: tf.Tensor | None, training: bool = False) -> tf.Tensor:
        patches = self.patch_embeddings(pixel_values)  # [B, P, D]
        batch, count, width = ops.shape(patches)
        if bool_masked_pos is not None:
            mask_token: Any = check_mask_token(self.mask_token)
            check_patches(tuple(bool_masked_pos.shape), count)
            masked = tf.expand_dims(tf.cast(bool_masked_pos, patches.dtype), -1)
            patches = patches * (1.0 - masked) + tf.convert_to_tensor(mask_token) * masked
        whole = tf.broadcast_to(tf.convert_to_tensor(self.cls_token), (batch, 1, width))
        hidden = tf.concat([whole, patches], 1)  # [B, T, D]
        positions = self.positions(patch_grid(known_size(pixel_values), self.patch_size))
        return self.dropout(hidden + positions, training=training)

    def positions(self, grid: tuple[int, int]) -> tf.Tensor:
        """The positions for a grid of patches, between those that there are: [1, T, D]."""
        positions = tf.convert_to_tensor(self.position_embeddings)
        return tf.concat([positions[:, :1], resize_positions(positions[:, 1:], self.grid, grid)], 1)


class TFViTSelfAttention(layers.Layer):
    """Queries, keys and values of one layer, and what each head makes of them."""

    def __init__(self, config: ViTConfig, heads: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, self.head_size = config.hidden_size, config.hidden_size // config.num_attention_heads
        inner, bias = heads * self.head_size, config.qkv_bias
        self.query = Dense(width, inner, use_bias=bias, name="query", dtype=dtype)
        self.key = Dense(width, inner, use_bias=bias, name="key", dtype=dtype)
        self.value = Dense(width, inner, use_bias=bias, name="value", dtype=dtype)
        self.dropout = Dropout(config.attention_probs_dropout_prob, name="dropout", dtype=dtype)

    def call(
        self, hidden: tf.Tensor, head_mask: tf.Tensor | None, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        query, key, value = (
            split_heads(project(hidden), self.head_size) for project in (self.query, self.key, self.value)
        )  # [B, N, T, H]
        context, weights = attend(query, key, value, None, self.dropout, head_mask, training)
        return join_heads(context), weights


class TFViTSelfOutput(layers.Layer):
    """The projection after attention; its residual is added in the layer."""

    def __init__(self, config: ViTConfig, heads: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, head_size = config.hidden_size, config.hidden_size // config.num_attention_heads
        self.dense = Dense(heads * head_size, width, name="dense", dtype=dtype)
        self.dropout = Dropout(config.hidden_dropout_prob, name="dropout", dtype=dtype)

    def call(self, context: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.dropout(self.dense(context), training=training)


class TFViTAttention(layers.Layer):
    """Self-attention and its output projection."""

    def __init__(self, config: ViTConfig, heads: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.attention = TFViTSelfAttention(config, heads, name="attention", dtype=dtype)
        self.output_ = TFViTSelfOutput(config, heads, name="output", dtype=dtype)  # Keras keeps `output` for itself

    def call(
        self, hidden: tf.Tensor, head_mask: tf.Tensor | None, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        context, weights = self.attention(hidden, head_mask, training=training)
        return self.output_(context, training=training), weights


class TFViTIntermediate(layers.Layer):
    """The widening half of the feed-forward block."""

    def __init__(self, config: ViTConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.dense = Dense(config.hidden_size, config.intermediate_size, name="dense", dtype=dtype)
        self.activation = activation(config.hidden_act)

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        return self.activation(self.dense(hidden))  # [B, T, F]


class TFViTOutput(layers.Layer):
    """The narrowing half of the feed-forward block, with its residual."""

    def __init__(self, config: ViTConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.dense = Dense(config.intermediate_size, config.hidden_size, name="dense", dtype=dtype)
        self.dropout = Dropout(config.hidden_dropout_prob, name="dropout", dtype=dtype)

    def call(self, widened: tf.Tensor, hidden: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.dropout(self.dense(widened), training=training) + hidden


class TFViTLayer(CheckpointedLayer):
    """One layer: attention, then feed-forward, each with a norm before it."""

    def __init__(self, config: ViTConfig, heads: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, epsilon = config.hidden_size, config.layer_norm_eps
        self.attention = TFViTAttention(config, heads, name="attention", dtype=dtype)
        self.intermediate = TFViTIntermediate(config, name="intermediate", dtype=dtype)
        self.output_ = TFViTOutput(config, name="output", dtype=dtype)  # Keras keeps `output` for itself
        self.layernorm_before = LayerNorm(width, epsilon=epsilon, name="layernorm_before", dtype=dtype)
        self.layernorm_after = LayerNorm(width, epsilon=epsilon, name="layernorm_after", dtype=dtype)

    def call(
        self, hidden: tf.Tensor, head_mask: tf.Tensor | None, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        attended, weights = self.attention(self.layernorm_before(hidden), head_mask, training=training)
        hidden = attended + hidden
        widened = self.intermediate(self.layernorm_after(hidden))
        return self.output_(widened, hidden, training=training), weights


class TFViTEncoder(Unconverted):
    """The stack of layers."""

    def __init__(self, config: ViTConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.layer = [
            TFViTLayer(config, heads, name=f"layer.{index}", dtype=dtype)
            for index, heads in enumerate(heads_per_layer(config))
        ]

    def call(
        self, hidden: tf.Tensor, head_masks: list[tf.Tensor | None], wanted: Wanted, training: bool = False
    ) -> tuple[tf.Tensor, tuple[tf.Tensor, ...], tuple[tf.Tensor, ...]]:
        states, attentions = wanted.state(hidden), ()
        for layer, head_mask in zip(self.layer, head_masks, strict=True):
            hidden, weights = layer(hidden, head_mask, training=training)
            states += wanted.state(hidden)
            attentions += wanted.attention(weights)
        return hidden, states, attentions


class TFViTPooler(layers.Layer):
    """The first position, projected: a summary of the image."""

    def __init__(self, config: ViTConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.dense = Dense(config.hidden_size, config.pooler_width, name="dense", dtype=dtype)
        self.activation = activation(config.pooler_act)

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        return self.activation(self.dense(hidden[:, 0]))  # [B, D]


class TFViTDecoder(layers.Layer):
    """The pixels of each patch, from its hidden state."""

    def __init__(self, config: ViTConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.stride = config.encoder_stride
        self.items = [
            Conv2D(config.hidden_size, self.stride**2 * config.num_channels, 1, name="0", dtype=dtype),
        ]

    def call(self, hidden: tf.Tensor, grid: tuple[int, int]) -> tf.Tensor:
        batch, _, width = ops.shape(hidden)
        maps = tf.reshape(hidden, (batch, *grid, width))  # [B, rows, columns, D]
        return pixel_shuffle(self.items[0](maps), self.stride)  # [B, C, Y, X]


class TFViTPreTrainedModel(TFImageModel):
    """Base of every ViT model in Keras."""

    config_class = ViTConfig
    base_model_prefix = "vit"
    config: ViTConfig

    def get_input_embeddings(self) -> TFViTPatchEmbeddings:
        """The layer that embeds patches."""
        return self.base_model.embeddings.patch_embeddings


class TFViTModel(TFViTPreTrainedModel):
    """The bare encoder: hidden states, and a summary of each image.

    Args:
        config: What the model is.
        add_pooling_layer: Whether there is a summary.
        use_mask_token: Whether patches can be masked.
    """

    def __init__(
        self, config: ViTConfig, add_pooling_layer: bool = True, use_mask_token: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(config, **kwargs)
        dtype, epsilon = self.dtype_policy, config.layer_norm_eps
        self.embeddings = TFViTEmbeddings(config, use_mask_token, name="embeddings", dtype=dtype)
        self.encoder = TFViTEncoder(config, name="encoder", dtype=dtype)
        self.layernorm = LayerNorm(config.hidden_size, epsilon=epsilon, name="layernorm", dtype=dtype)
        self.pooler = TFViTPooler(config, name="pooler", dtype=dtype) if add_pooling_layer else None

    def get_config(self) -> dict[str, Any]:
        """What Keras writes into a `.keras` file to make the model again."""
        has_mask_token = "mask_token" in self.embeddings.parameter_shapes()
        options = {"add_pooling_layer": self.pooler is not None, "use_mask_token": has_mask_token}
        return {**super().get_config(), **options}

    def call(
        self,
        pixel_values: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        interpolate_pos_encoding: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
        *,
        bool_masked_pos: tf.Tensor | None = None,
    ) -> Any:
        """Encode a batch of images.

        Args:
            pixel_values: [B, C, Y, X].
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            interpolate_pos_encoding: Whether images may have another size than the configuration's; positions are
                then put between those that there are.
            training: Whether dropout is on.
            bool_masked_pos: [B, P], 1 where a patch is masked.

        Returns:
            `BaseModelOutputWithPooling`, or a tuple with `return_dict=False`.

        Raises:
            InputError: The images have other channels or another size, or there is nothing to mask patches with.
        """
        config, wanted = self.config, self.wanted(output_attentions, output_hidden_states, return_dict)
        size = None if interpolate_pos_encoding else config.image_size
        pixels = checked_pixels(pixel_values, config.num_channels, size)
        hidden = self.embeddings(pixels, bool_masked_pos, training=training)  # [B, T, D]
        head_masks = per_layer_head_masks(head_mask, config.num_hidden_layers)
        hidden, states, attentions = self.encoder(hidden, head_masks, wanted=wanted, training=training)
        hidden = self.layernorm(hidden)
        output = BaseModelOutputWithPooling(
            last_hidden_state=hidden,
            pooler_output=self.pooler(hidden) if self.pooler is not None else None,
            hidden_states=states or None,
            attentions=attentions or None,
        )
        return wanted.answer(output)


class TFViTForMaskedImageModeling(TFViTPreTrainedModel):
    """ViT with a head that makes up the pixels of masked patches (Xie et al. 2021, https://arxiv.org/abs/2111.09886)."""

    def __init__(self, config: ViTConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.vit = TFViTModel(config, add_pooling_layer=False, use_mask_token=True, name="vit", dtype=dtype)
        self.decoder = TFViTDecoder(config, name="decoder", dtype=dtype)

    def call(
        self,
        pixel_values: tf.Tensor | None = None,
        bool_masked_pos: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        interpolate_pos_encoding: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
    ) -> Any:
        """Make up the pixels of masked patches; the arguments are those of `TFViTModel`.

        Returns:
            `MaskedImageModelingOutput`, whose loss needs `bool_masked_pos`, or a tuple with `return_dict=False`.

        Raises:
            InputError: As of `TFViTModel`; or a mask where patches and the pixels made for them differ in size.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        pixels = checked_pixels(pixel_values, self.config.num_channels)
        outputs = self.vit(
            pixel_values, head_mask, bool_masked_pos=bool_masked_pos, output_attentions=wanted.attentions,
            output_hidden_states=wanted.hidden_states, interpolate_pos_encoding=interpolate_pos_encoding,
            return_dict=True, training=training,
        )  # fmt: skip
        grid = patch_grid(known_size(pixels), self.config.patch_size)
        reconstruction = self.decoder(outputs.last_hidden_state[:, 1:], grid=grid)  # [B, C, Y, X]
        if bool_masked_pos is not None:
            check_reconstruction(tuple(pixels.shape), tuple(reconstruction.shape))
        output = MaskedImageModelingOutput(
            loss=masked_image_loss(pixels, reconstruction, bool_masked_pos, grid, ops),
            reconstruction=reconstruction,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class TFViTForImageClassification(TFViTPreTrainedModel):
    """ViT with a classifier of images."""

    def __init__(self, config: ViTConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype, count = self.dtype_policy, config.num_labels
        self.vit = TFViTModel(config, add_pooling_layer=False, name="vit", dtype=dtype)
        self.classifier = Dense(config.hidden_size, count, name="classifier", dtype=dtype) if count > 0 else identity

    def call(
        self,
        pixel_values: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        interpolate_pos_encoding: bool | None = None,
        return_dict: bool | None = None,
        labels: tf.Tensor | None = None,
        training: bool = False,
    ) -> Any:
        """Classify images; the arguments are those of `TFViTModel`, and

        Args:
            labels: [B] class indices; [B] or [B, L] targets for regression; [B, L] zeros and ones for several each.

        Returns:
            `ImageClassifierOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.vit(
            pixel_values, head_mask, output_attentions=wanted.attentions,
            output_hidden_states=wanted.hidden_states, interpolate_pos_encoding=interpolate_pos_encoding,
            return_dict=True, training=training,
        )  # fmt: skip
        logits = self.classifier(outputs.last_hidden_state[:, 0])  # [B, L]
        output = ImageClassifierOutput(
            loss=sequence_classification_loss(logits, labels, self.config, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)
