"""What models of sounds share: their base class, random numbers, and the parts that own no parameter."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from ...files.errors import InputError, three_beats
from ..noise import NoiseSource
from ..sounds import Draw, shortest_sound
from . import ops
from .checks import known
from .model import TFPreTrainedModel


class TFSoundModel(TFPreTrainedModel):
    """Base of models that read sounds [B, S]."""

    main_input_name = "input_values"

    @property
    def dummy_inputs(self) -> dict[str, Any]:
        """The least inputs that a call takes: a sound of one frame."""
        return {self.main_input_name: np.zeros((1, shortest_sound(self.config)), np.float32)}


def drawn(noise: NoiseSource | None, name: str, shape: Sequence[Any]) -> tf.Tensor:
    """Numbers between 0 and 1 for a purpose: from a caller's source, or from TensorFlow's global generator.

    Raises:
        InputError: The source is asked in a graph that does not know the shape.
    """
    if noise is None:
        return tf.random.uniform(tuple(shape), minval=2.0**-25)
    sizes = [known(size) for size in shape]
    if None in sizes:
        found, remedy = "a source of noise in a graph of unknown shapes", "Give the graph inputs of a known shape."
        raise InputError(three_beats(found, "a call outside of one", remedy))
    return tf.constant(noise(name, [size for size in sizes if size is not None]), tf.float32)


def draw_for(noise: NoiseSource | None, training: bool) -> Draw | None:
    """Where a call's random numbers come from; None outside training, where there are none."""
    return partial(drawn, noise) if training else None


def left_out(draw: Draw | None, name: str, rate: float, before: tf.Tensor, after: tf.Tensor) -> tf.Tensor:
    """What a layer answered; in training, with some probability, what it read (Fan et al. 2019, arXiv 1909.11556)."""
    if draw is None or rate == 0.0:
        return after
    return tf.where(draw(name, ()) < rate, before, after)


def gumbel(draw: Draw, name: str, like: tf.Tensor) -> tf.Tensor:
    """Noise that makes a choice of the largest sum a choice by probability; in the shape of another array."""
    return -tf.math.log(-tf.math.log(tf.cast(draw(name, ops.shape(like)), like.dtype)))
