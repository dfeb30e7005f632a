"""What models of images share: their base class, and the parts that own no parameter."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import tensorflow as tf

from ...files.errors import InputError, three_beats
from ..images import bicubic_weights, check_pixels, pixel_shape
from . import ops
from .layers import Dropout
from .model import TFPreTrainedModel


class TFImageModel(TFPreTrainedModel):
    """Base of models that read images [B, C, Y, X]."""

    main_input_name = "pixel_values"

    @property
    def dummy_inputs(self) -> dict[str, Any]:
        """The least inputs that a call takes: one image."""
        return {self.main_input_name: np.zeros(pixel_shape(self.config), np.float32)}


def checked_pixels(images: tf.Tensor | None, channels: int, size: Any = None) -> tf.Tensor:
    """The images, if they are some that a model reads; arguments and errors are those of `check_pixels`."""
    check_pixels(None if images is None else tuple(images.shape), channels, size)
    return cast(tf.Tensor, images)


def channels_last(images: tf.Tensor) -> tf.Tensor:
    """[B, C, Y, X] -> [B, Y, X, C]."""
    return tf.transpose(images, (0, 2, 3, 1))


def channels_first(images: tf.Tensor) -> tf.Tensor:
    """[B, Y, X, C] -> [B, C, Y, X]."""
    return tf.transpose(images, (0, 3, 1, 2))


def known_size(images: tf.Tensor) -> tuple[int, int]:
    """Rows and columns of images [B, C, Y, X].

    Raises:
        InputError: Only the graph will know them.
    """
    rows, columns = images.shape[2:]
    if rows is None or columns is None:
        found = f"images of shape {list(images.shape)}, whose size the graph does not know"
        raise InputError(three_beats(found, "rows and columns", "Give the function an input signature that has them."))
    return rows, columns


def pixel_shuffle(maps: tf.Tensor, stride: int) -> tf.Tensor:
    """Channels as squares of pixels, in PyTorch's order: [B, rows, columns, C * stride^2] -> [B, C, Y, X]."""
    batch, rows, columns, channels = ops.shape(maps)
    apart = tf.reshape(maps, (batch, rows, columns, channels // stride**2, stride, stride))
    return tf.reshape(tf.transpose(apart, (0, 3, 1, 4, 2, 5)), (batch, -1, rows * stride, columns * stride))


def resize_positions(positions: tf.Tensor, source: tuple[int, int], target: tuple[int, int]) -> tf.Tensor:
    """Positions of a grid as those of a grid of another size, between them by cubic convolution.

    [B, rows * columns, D] for `source` -> the same for `target`.
    """
    if source == target:
        return positions
    batch, _, width = ops.shape(positions)
    grid = ops.widen(tf.reshape(positions, (batch, *source, width)))
    sizes = zip(source, target, strict=True)
    down, across = (tf.constant(bicubic_weights(*each), grid.dtype) for each in sizes)
    resized = tf.einsum("xr,byrd->byxd", across, tf.einsum("ys,bsrd->byrd", down, grid))
    return tf.cast(tf.reshape(resized, (batch, target[0] * target[1], width)), positions.dtype)


class DropPath(Dropout):
    """In training, what a block adds, left out for a random part of the rows (Huang et al. 2016, arXiv 1603.09382).

    What stays is made larger, so that the mean is the same.
    """

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        self.noise_shape = (None, *(1,) * (len(inputs.shape) - 1))
        kept: Any = super().call(inputs, training=training)
        return kept
