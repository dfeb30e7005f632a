"""What models of sounds share: their base class, random numbers, and the parts that own no parameter."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array

from ..noise import NoiseSource
from ..sounds import Draw, shortest_sound
from .model import FlaxModuleModel


class FlaxSoundModel(FlaxModuleModel):
    """Base of models that read sounds [B, S]; see `FlaxModuleModel` for its arguments."""

    main_input_name = "input_values"

    def __init__(
        self,
        config: Any,
        input_shape: tuple[int, ...] = (1, 1024),
        seed: int = 0,
        dtype: Any = jnp.float32,
        _do_init: bool = True,
        gradient_checkpointing: bool = False,
        param_dtype: Any = None,
        **module_kwargs: Any,
    ) -> None:
        options = seed, dtype, _do_init, gradient_checkpointing, param_dtype
        super().__init__(config, input_shape, *options, **module_kwargs)

    @property
    def dummy_inputs(self) -> dict[str, Array]:
        """The least inputs that a call takes: a sound of one frame."""
        return {self.main_input_name: jnp.zeros((1, shortest_sound(self.config)), self.dtype)}


def drawn(module: nn.Module, noise: NoiseSource | None, name: str, shape: Sequence[int]) -> Array:
    """Numbers between 0 and 1 for a purpose: from a caller's source, or from the key of dropout.

    A quantizer has a key of its own if the call was given one.
    """
    if noise is not None:
        return jnp.asarray(noise(name, tuple(shape)), jnp.float32)
    key = module.make_rng("gumbel" if name == "quantizer" and module.has_rng("gumbel") else "dropout")
    return jax.random.uniform(key, tuple(shape), minval=2.0**-25)


def draw_for(module: nn.Module, noise: NoiseSource | None, deterministic: bool) -> Draw | None:
    """Where a call's random numbers come from; None outside training, where there are none."""
    return None if deterministic else partial(drawn, module, noise)


def left_out(draw: Draw | None, name: str, rate: float, before: Array, after: Array) -> Array:
    """What a layer answered; in training, with some probability, what it read (Fan et al. 2019, arXiv 1909.11556)."""
    if draw is None or rate == 0.0:
        return after
    return jnp.where(draw(name, ()) < rate, before, after)


def gumbel(draw: Draw, name: str, like: Array) -> Array:
    """Noise that makes a choice of the largest sum a choice by probability; in the shape of another array."""
    return -jnp.log(-jnp.log(draw(name, like.shape).astype(like.dtype)))
