"""ConvNeXT in Flax (Liu et al. 2022, https://arxiv.org/abs/2201.03545).

Shape letters: B batch, C channels, Y and X rows and columns of a map, L labels. Inside, channels come last.
"""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from ...backends.flax import ops
from ...backends.flax.activations import activation, identity
from ...backends.flax.images import DropPath, FlaxImageModel, channels_first, channels_last, checked_pixels
from ...backends.flax.layers import Conv, Dense, LayerNorm, Stack, checkpointed
from ...backends.flax.model import Params
from ...backends.images import BackboneBase, chosen_channels, drop_path_rates, pair
from ...losses import sequence_classification_loss
from ...outputs import (
    BackboneOutput,
    BaseModelOutputWithPoolingAndNoAttention,
    ImageClassifierOutputWithNoAttention,
    Wanted,
)
from .configuration_convnext import ConvNextConfig

#: What layer normalization adds to the variance everywhere but at the end.
EPSILON = 1e-6


class FlaxConvNextEmbeddings(nn.Module):
    """The stem: patches of pixels, projected and normalized."""

    config: ConvNextConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, patch = self.config, pair(self.config.patch_size)
        width = config.hidden_sizes[0]
        self.patch_embeddings = Conv(width, patch, strides=patch, in_features=config.num_channels, dtype=self.dtype)
        self.layernorm = LayerNorm(epsilon=EPSILON, size=width, dtype=self.dtype)

    def __call__(self, pixel_values: Array | None) -> Array:
        pixels = checked_pixels(pixel_values, self.config.num_channels).astype(self.dtype)
        return self.layernorm(self.patch_embeddings(channels_last(pixels)))


class FlaxConvNextLayer(nn.Module):
    """One layer: a wide convolution of each channel, then channels mixed as in a feed-forward block."""

    config: ConvNextConfig
    width: int
    rate: float
    dtype: Any = jnp.float32

    has_parts: ClassVar[bool] = True

    def setup(self) -> None:
        width, convolution = self.width, partial(Conv, padding=3, dtype=self.dtype)
        self.dwconv = convolution(width, (7, 7), feature_group_count=width, in_features=width)
        self.layernorm = LayerNorm(epsilon=EPSILON, size=width, dtype=self.dtype)
        self.pwconv1 = Dense(4 * width, in_features=width, dtype=self.dtype)
        self.activation = activation(self.config.hidden_act)
        self.pwconv2 = Dense(width, in_features=4 * width, dtype=self.dtype)
        self.drop_path = DropPath(self.rate)

    @nn.compact
    def __call__(self, hidden: Array, deterministic: bool = True) -> Array:
        normed = self.layernorm(self.dwconv(hidden))  # [B, Y, X, C]
        branch = self.pwconv2(self.activation(self.pwconv1(normed)))
        for name, shape in self.parameter_shapes().items():
            branch = branch * self.param(name, nn.initializers.ones, shape).astype(self.dtype)
        return hidden + self.drop_path(branch, deterministic)

    @nn.nowrap
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Linen's name of each parameter of its own -> its shape."""
        return {"layer_scale_parameter": (self.width,)} if self.config.layer_scale_init_value > 0 else {}


class FlaxConvNextDownsampling(nn.Module):
    """A norm and a convolution that halves rows and columns."""

    width: int
    wider: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        self.items = [
            LayerNorm(epsilon=EPSILON, size=self.width, dtype=self.dtype, name="0"),
            Conv(self.wider, (2, 2), strides=(2, 2), in_features=self.width, dtype=self.dtype, name="1"),
        ]

    def __call__(self, hidden: Array) -> Array:
        norm, convolution = self.items
        return convolution(norm(hidden))


class FlaxConvNextStage(nn.Module):
    """Layers of one width; all stages but the first begin by halving rows and columns."""

    config: ConvNextConfig
    index: int
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config, index, widths = self.config, self.index, self.config.hidden_sizes
        arguments = tuple((config, widths[index], rate, self.dtype) for rate in drop_path_rates(config)[index])
        self.downsampling_layer = (
            FlaxConvNextDownsampling(widths[index - 1], widths[index], self.dtype) if index > 0 else identity
        )
        self.layers = Stack(FlaxConvNextLayer, arguments)

    def __call__(self, hidden: Array, deterministic: bool = True) -> Array:
        hidden = self.downsampling_layer(hidden)
        is_checkpointed = self.gradient_checkpointing and not deterministic
        for layer in self.layers:
            hidden = checkpointed(layer, is_checkpointed)(hidden, deterministic)
        return hidden


class FlaxConvNextEncoder(nn.Module):
    """The stages; answers with the map that each was given, and the last one's."""

    config: ConvNextConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config, is_checkpointed = self.config, self.gradient_checkpointing
        arguments = tuple((config, index, self.dtype, is_checkpointed) for index in range(config.num_stages))
        self.stages = Stack(FlaxConvNextStage, arguments)

    def __call__(self, hidden: Array, deterministic: bool = True) -> tuple[Array, ...]:
        states = (hidden,)
        for stage in self.stages:
            states += (stage(states[-1], deterministic),)
        return states


class FlaxConvNextStateNorms(nn.Module):
    """A norm for each stage whose map the backbone gives."""

    config: ConvNextConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        for each, width in chosen_channels(self.config).items():
            setattr(self, each, LayerNorm(epsilon=EPSILON, size=width, dtype=self.dtype))

    def __call__(self, states: tuple[Array, ...]) -> tuple[Array, ...]:
        named = dict(zip(self.config.stage_names, states, strict=True))
        return tuple(getattr(self, name)(named[name]) for name in chosen_channels(self.config))


class FlaxConvNextModule(nn.Module):
    """`FlaxConvNextModel` as a linen module; its call says `deterministic` for `not train`."""

    config: ConvNextConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        self.embeddings = FlaxConvNextEmbeddings(config, self.dtype)
        self.encoder = FlaxConvNextEncoder(config, self.dtype, self.gradient_checkpointing)
        self.layernorm = LayerNorm(epsilon=config.layer_norm_eps, size=config.hidden_sizes[-1], dtype=self.dtype)

    def __call__(
        self,
        pixel_values: Array | None = None,
        deterministic: bool = True,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, False, output_hidden_states, return_dict)
        states = self.encoder(self.embeddings(pixel_values), deterministic)  # [B, Y, X, C] each
        output = BaseModelOutputWithPoolingAndNoAttention(
            last_hidden_state=channels_first(states[-1]),
            pooler_output=self.layernorm(states[-1].mean((1, 2))),
            hidden_states=tuple(map(channels_first, states)) if wanted.hidden_states else None,
        )
        return wanted.answer(output)


class FlaxConvNextForImageClassificationModule(nn.Module):
    """`FlaxConvNextForImageClassification` as a linen module."""

    config: ConvNextConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        classifier = partial(Dense, config.num_labels, in_features=config.hidden_sizes[-1], dtype=self.dtype)
        self.convnext = FlaxConvNextModule(config, self.dtype, self.gradient_checkpointing)
        self.classifier = classifier() if config.num_labels > 0 else identity

    def __call__(
        self,
        pixel_values: Array | None = None,
        labels: Array | None = None,
        deterministic: bool = True,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, False, output_hidden_states, return_dict)
        outputs = self.convnext(pixel_values, deterministic, wanted.hidden_states, return_dict=True)
        logits = self.classifier(outputs.pooler_output)  # [B, L]
        output = ImageClassifierOutputWithNoAttention(
            loss=sequence_classification_loss(logits, labels, self.config, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
        )
        return wanted.answer(output)


class FlaxConvNextBackboneModule(nn.Module):
    """`FlaxConvNextBackbone` as a linen module."""

    config: ConvNextConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        self.embeddings = FlaxConvNextEmbeddings(config, self.dtype)
        self.encoder = FlaxConvNextEncoder(config, self.dtype, self.gradient_checkpointing)
        self.hidden_states_norms = FlaxConvNextStateNorms(config, self.dtype)

    def __call__(
        self,
        pixel_values: Array,
        deterministic: bool = True,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, False, output_hidden_states, return_dict)
        states = self.encoder(self.embeddings(pixel_values), deterministic)  # [B, Y, X, C] each
        output = BackboneOutput(
            feature_maps=tuple(map(channels_first, self.hidden_states_norms(states))),
            hidden_states=tuple(map(channels_first, states)) if wanted.hidden_states else None,
        )
        return wanted.answer(output)


class FlaxConvNextPreTrainedModel(FlaxImageModel):
    """Base of every ConvNeXT model in Flax: a linen module of `module_class` and its parameters."""

    config_class = ConvNextConfig
    base_model_prefix = "convnext"

    def __call__(
        self,
        pixel_values: Array | None = None,
        params: Params | None = None,
        dropout_rng: Array | None = None,
        train: bool = False,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        **labels: Array,
    ) -> Any:
        """Run the model on a batch of images.

        Args:
            pixel_values: [B, C, Y, X].
            params: The parameters; the model's own if None.
            dropout_rng: The key of what is left out at random, needed in training.
            train: Whether layers are left out at random.
            labels: The labels of a class with a head.

        Returns:
            The class's output, or a tuple with `return_dict=False`.

        Raises:
            InputError: The images have other channels.
        """
        arrays = {"pixel_values": pixel_values, **labels}
        options = {"output_hidden_states": output_hidden_states, "return_dict": return_dict}
        return self.run(arrays, options, params, dropout_rng, train)


class FlaxConvNextModel(FlaxConvNextPreTrainedModel):
    """The bare network: the last map, and a summary of each image."""

    module_class = FlaxConvNextModule


class FlaxConvNextForImageClassification(FlaxConvNextPreTrainedModel):
    """ConvNeXT with a classifier of images; takes `labels`."""

    module_class = FlaxConvNextForImageClassificationModule


class FlaxConvNextBackbone(FlaxConvNextPreTrainedModel, BackboneBase):
    """ConvNeXT as a part of other models: the normalized maps of the stages that the configuration names."""

    module_class = FlaxConvNextBackboneModule
