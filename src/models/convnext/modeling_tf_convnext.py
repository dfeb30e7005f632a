"""ConvNeXT in Keras (Liu et al. 2022, https://arxiv.org/abs/2201.03545).

Shape letters: B batch, C channels, Y and X rows and columns of a map, L labels. Inside, channels come last.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from keras import layers

from ...backends.images import BackboneBase, chosen_channels, drop_path_rates
from ...backends.tensorflow import ops
from ...backends.tensorflow.activations import activation, identity
from ...backends.tensorflow.images import DropPath, TFImageModel, channels_first, channels_last, checked_pixels
from ...backends.tensorflow.layers import CheckpointedLayer, Conv2D, Dense, DepthwiseConv2D, Holder, LayerNorm
from ...losses import sequence_classification_loss
from ...outputs import (
    BackboneOutput,
    BaseModelOutputWithPoolingAndNoAttention,
    ImageClassifierOutputWithNoAttention,
)
from .configuration_convnext import ConvNextConfig

#: What layer normalization adds to the variance everywhere but at the end.
EPSILON = 1e-6


class TFConvNextEmbeddings(layers.Layer):
    """The stem: patches of pixels, projected and normalized."""

    def __init__(self, config: ConvNextConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, patch = config.hidden_sizes[0], config.patch_size
        self.channels = config.num_channels
        self.patch_embeddings = Conv2D(
            config.num_channels, width, patch, strides=patch, name="patch_embeddings", dtype=dtype
        )
        self.layernorm = LayerNorm(width, epsilon=EPSILON, name="layernorm", dtype=dtype)

    def call(self, pixel_values: tf.Tensor | None) -> tf.Tensor:
        pixels = tf.cast(checked_pixels(pixel_values, self.channels), self.compute_dtype)
        return self.layernorm(self.patch_embeddings(channels_last(pixels)))


class TFConvNextLayer(CheckpointedLayer, Holder):
    """One layer: a wide convolution of each channel, then channels mixed as in a feed-forward block."""

    def __init__(self, config: ConvNextConfig, width: int, drop_path: float, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.dwconv = DepthwiseConv2D(width, 7, name="dwconv", dtype=dtype)
        self.layernorm = LayerNorm(width, epsilon=EPSILON, name="layernorm", dtype=dtype)
        self.pwconv1 = Dense(width, 4 * width, name="pwconv1", dtype=dtype)
        self.activation = activation(config.hidden_act)
        self.pwconv2 = Dense(4 * width, width, name="pwconv2", dtype=dtype)
        self.layer_scale_parameter = None
        if config.layer_scale_init_value > 0:
            self.parameter("layer_scale_parameter", (width,))
        self.drop_path = DropPath(drop_path, name="drop_path", dtype=dtype)

    def call(self, hidden: tf.Tensor, training: bool = False) -> tf.Tensor:
        normed = self.layernorm(self.dwconv(hidden))  # [B, Y, X, C]
        branch = self.pwconv2(self.activation(self.pwconv1(normed)))
        if self.layer_scale_parameter is not None:
            branch = branch * self.layer_scale_parameter
        return hidden + self.drop_path(branch, training=training)


class TFConvNextDownsampling(layers.Layer):
    """A norm and a convolution that halves rows and columns."""

    def __init__(self, width: int, wider: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.items = [
            LayerNorm(width, epsilon=EPSILON, name="0", dtype=dtype),
            Conv2D(width, wider, 2, strides=2, name="1", dtype=dtype),
        ]

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        norm, convolution = self.items
        return convolution(norm(hidden))


class TFConvNextStage(layers.Layer):
    """Layers of one width; all stages but the first begin by halving rows and columns."""

    def __init__(self, config: ConvNextConfig, index: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        widths, width = config.hidden_sizes, config.hidden_sizes[index]
        self.downsampling_layer = (
            TFConvNextDownsampling(widths[index - 1], width, name="downsampling_layer", dtype=dtype)
            if index > 0
            else identity
        )
        self.layers = [
            TFConvNextLayer(config, width, rate, name=f"layers.{number}", dtype=dtype)
            for number, rate in enumerate(drop_path_rates(config)[index])
        ]

    def call(self, hidden: tf.Tensor, training: bool = False) -> tf.Tensor:
        hidden = self.downsampling_layer(hidden)
        for layer in self.layers:
            hidden = layer(hidden, training=training)
        return hidden


class TFConvNextEncoder(layers.Layer):
    """The stages; answers with the map that each was given, and the last one's."""

    def __init__(self, config: ConvNextConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.stages = [
            TFConvNextStage(config, index, name=f"stages.{index}", dtype=dtype) for index in range(config.num_stages)
        ]

    def call(self, hidden: tf.Tensor, training: bool = False) -> tuple[tf.Tensor, ...]:
        states = (hidden,)
        for stage in self.stages:
            states += (stage(states[-1], training=training),)
        return states


class TFConvNextStateNorms(layers.Layer):
    """A norm for each stage whose map the backbone gives."""

    def __init__(self, config: ConvNextConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.names, self.widths = config.stage_names, chosen_channels(config)
        for each, width in self.widths.items():
            setattr(self, each, LayerNorm(width, epsilon=EPSILON, name=each, dtype=dtype))

    def call(self, states: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, ...]:
        named = dict(zip(self.names, states, strict=True))
        return tuple(getattr(self, name)(named[name]) for name in self.widths)


class TFConvNextPreTrainedModel(TFImageModel):
    """Base of every ConvNeXT model in Keras."""

    config_class = ConvNextConfig
    base_model_prefix = "convnext"
    config: ConvNextConfig


class TFConvNextModel(TFConvNextPreTrainedModel):
    """The bare network: the last map, and a summary of each image.

    Args:
        config: What the model is.
        add_pooling_layer: Whether there is a summary.
    """

    def __init__(self, config: ConvNextConfig, add_pooling_layer: bool = True, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype, epsilon = self.dtype_policy, config.layer_norm_eps
        self.has_summary = add_pooling_layer
        self.embeddings = TFConvNextEmbeddings(config, name="embeddings", dtype=dtype)
        self.encoder = TFConvNextEncoder(config, name="encoder", dtype=dtype)
        self.layernorm = LayerNorm(config.hidden_sizes[-1], epsilon=epsilon, name="layernorm", dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """What Keras writes into a `.keras` file to make the model again."""
        return {**super().get_config(), "add_pooling_layer": self.has_summary}

    def call(
        self,
        pixel_values: tf.Tensor | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
    ) -> Any:
        """Encode a batch of images.

        Args:
            pixel_values: [B, C, Y, X].
            training: Whether layers are left out at random.

        Returns:
            `BaseModelOutputWithPoolingAndNoAttention`, or a tuple with `return_dict=False`.

        Raises:
            InputError: The images have other channels.
        """
        wanted = self.wanted(False, output_hidden_states, return_dict)
        states = self.encoder(self.embeddings(pixel_values), training=training)  # [B, Y, X, C] each
        summary = self.layernorm(tf.reduce_mean(states[-1], (1, 2))) if self.has_summary else None
        output = BaseModelOutputWithPoolingAndNoAttention(
            last_hidden_state=channels_first(states[-1]),
            pooler_output=summary,
            hidden_states=tuple(map(channels_first, states)) if wanted.hidden_states else None,
        )
        return wanted.answer(output)


class TFConvNextForImageClassification(TFConvNextPreTrainedModel):
    """ConvNeXT with a classifier of images."""

    def __init__(self, config: ConvNextConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype, width, count = self.dtype_policy, config.hidden_sizes[-1], config.num_labels
        self.convnext = TFConvNextModel(config, name="convnext", dtype=dtype)
        self.classifier = Dense(width, count, name="classifier", dtype=dtype) if count > 0 else identity

    def call(
        self,
        pixel_values: tf.Tensor | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        labels: tf.Tensor | None = None,
        training: bool = False,
    ) -> Any:
        """Classify images.

        Args:
            pixel_values: [B, C, Y, X].
            labels: [B] class indices; [B] or [B, L] targets for regression; [B, L] zeros and ones for several each.
            training: Whether layers are left out at random.

        Returns:
            `ImageClassifierOutputWithNoAttention`, or a tuple with `return_dict=False`.

        Raises:
            InputError: The images have other channels.
        """
        wanted = self.wanted(False, output_hidden_states, return_dict)
        outputs = self.convnext(
            pixel_values, output_hidden_states=wanted.hidden_states, return_dict=True, training=training
        )
        logits = self.classifier(outputs.pooler_output)  # [B, L]
        output = ImageClassifierOutputWithNoAttention(
            loss=sequence_classification_loss(logits, labels, self.config, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
        )
        return wanted.answer(output)


class TFConvNextBackbone(TFConvNextPreTrainedModel, BackboneBase):
    """ConvNeXT as a part of other models: the normalized maps of the stages that the configuration names."""

    def __init__(self, config: ConvNextConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.embeddings = TFConvNextEmbeddings(config, name="embeddings", dtype=dtype)
        self.encoder = TFConvNextEncoder(config, name="encoder", dtype=dtype)
        self.hidden_states_norms = TFConvNextStateNorms(config, name="hidden_states_norms", dtype=dtype)

    def call(
        self,
        pixel_values: tf.Tensor,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
    ) -> Any:
        """Encode a batch of images.

        Args:
            pixel_values: [B, C, Y, X].
            training: Whether layers are left out at random.

        Returns:
            `BackboneOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: The images have other channels.
        """
        wanted = self.wanted(False, output_hidden_states, return_dict)
        states = self.encoder(self.embeddings(pixel_values), training=training)  # [B, Y, X, C] each
        output = BackboneOutput(
            feature_maps=tuple(map(channels_first, self.hidden_states_norms(states))),
            hidden_states=tuple(map(channels_first, states)) if wanted.hidden_states else None,
        )
        return wanted.answer(output)
