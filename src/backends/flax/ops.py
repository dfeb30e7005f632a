"""The array operations that neutral code asks for, in JAX; every framework's `ops` has the same functions."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

abs = jnp.abs
exp = jnp.exp
log1p = jnp.log1p
mean = jnp.mean
sum = jnp.sum
reshape = jnp.reshape


def where(condition: Array, yes: Array | float, no: Array | float) -> Array:
    """`yes` where the condition holds, else `no`."""
    return jnp.where(condition, yes, no)


def maximum(array: Array, floor: float) -> Array:
    """Every element, at least `floor`."""
    return jnp.maximum(array, floor)


def clip(array: Array, low: int, high: int) -> Array:
    """Every element, at least `low` and at most `high`."""
    return jnp.clip(array, low, high)


def shape(array: Array) -> tuple[int, ...]:
    """The array's shape."""
    return array.shape


def is_integer(array: Array) -> bool:
    """Whether the elements are whole numbers."""
    return jnp.issubdtype(array.dtype, jnp.integer)


def widen(array: Array) -> Array:
    """The array in float32 if it is narrower."""
    return array.astype(jnp.float32) if array.dtype in (jnp.float16, jnp.bfloat16) else array


def cast_like(array: Array, example: Array) -> Array:
    """The array in the type of another."""
    return array.astype(example.dtype)


def log_softmax(logits: Array) -> Array:
    """Log-probabilities over the last axis."""
    return jax.nn.log_softmax(logits, axis=-1)


def take_along_last(array: Array, indices: Array) -> Array:
    """One element of each row: [B, L], [B] -> [B]."""
    return jnp.take_along_axis(array, indices[..., None], axis=-1)[..., 0]
