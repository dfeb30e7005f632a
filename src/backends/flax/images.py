"""What models of images share: their base class, and the parts that own no parameter."""

from __future__ import annotations

from typing import Any, cast

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from ..images import bicubic_weights, check_pixels, pixel_shape
from . import ops
from .model import FlaxModuleModel


class FlaxImageModel(FlaxModuleModel):
    """Base of models that read images [B, C, Y, X]; see `FlaxModuleModel` for its arguments.

    The example image has the shape that the configuration says.
    """

    main_input_name = "pixel_values"

    def __init__(
        self,
        config: Any,
        input_shape: tuple[int, ...] | None = None,
        seed: int = 0,
        dtype: Any = jnp.float32,
        _do_init: bool = True,
        gradient_checkpointing: bool = False,
        param_dtype: Any = None,
        **module_kwargs: Any,
    ) -> None:
        shape = pixel_shape(config) if input_shape is None else input_shape
        options = seed, dtype, _do_init, gradient_checkpointing, param_dtype
        super().__init__(config, shape, *options, **module_kwargs)

    @property
    def dummy_inputs(self) -> dict[str, Array]:
        """The least inputs that a call takes: one image."""
        return {self.main_input_name: jnp.zeros(self.input_shape, self.dtype)}


def checked_pixels(images: Array | None, channels: int, size: Any = None) -> Array:
    """The images, if they are some that a model reads; arguments and errors are those of `check_pixels`."""
    check_pixels(None if images is None else images.shape, channels, size)
    return cast(Array, images)


def channels_last(images: Array) -> Array:
    """[B, C, Y, X] -> [B, Y, X, C]."""
    return images.transpose(0, 2, 3, 1)


def channels_first(images: Array) -> Array:
    """[B, Y, X, C] -> [B, C, Y, X]."""
    return images.transpose(0, 3, 1, 2)


def pixel_shuffle(maps: Array, stride: int) -> Array:
    """Channels as squares of pixels, in PyTorch's order: [B, rows, columns, C * stride^2] -> [B, C, Y, X]."""
    batch, rows, columns, channels = maps.shape
    apart = maps.reshape(batch, rows, columns, channels // stride**2, stride, stride)
    return apart.transpose(0, 3, 1, 4, 2, 5).reshape(batch, -1, rows * stride, columns * stride)


def resize_positions(positions: Array, source: tuple[int, int], target: tuple[int, int]) -> Array:
    """Positions of a grid as those of a grid of another size, between them by cubic convolution.

    [B, rows * columns, D] for `source` -> the same for `target`.
    """
    if source == target:
        return positions
    batch, _, width = positions.shape
    grid = ops.widen(positions.reshape(batch, *source, width))
    down, across = (jnp.asarray(bicubic_weights(*sizes), grid.dtype) for sizes in zip(source, target, strict=True))
    resized = jnp.einsum("xr,byrd->byxd", across, jnp.einsum("ys,bsrd->byrd", down, grid))
    return resized.reshape(batch, target[0] * target[1], width).astype(positions.dtype)


class DropPath(nn.Module):
    """In training, what a block adds, left out for a random part of the rows (Huang et al. 2016, arXiv 1603.09382).

    What stays is made larger, so that the mean is the same.

    Attributes:
        rate: The part.
    """

    rate: float

    @nn.compact
    def __call__(self, branch: Array, deterministic: bool = True) -> Array:
        axes = tuple(range(1, branch.ndim))
        return nn.Dropout(self.rate, broadcast_dims=axes, name="rows")(branch, deterministic=deterministic)
