"""The array operations that neutral code asks for, in JAX; every framework's `ops` has the same functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.core import Tracer

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


def full_like(array: Array, value: float) -> Array:
    """An array of one value, with the type and shape of another."""
    return jnp.full_like(array, value)


def count(mask: Array) -> Array:
    """The sum of each row of ones and zeros, whole numbers: [B, L] -> [B]."""
    return mask.sum(-1, dtype=jnp.int32)


# ---- what searches ask for ----------------------------------------------------------------------------------

log = jnp.log
all = jnp.all
max = jnp.max
any = jnp.any


def minimum(array: Array, ceiling: float) -> Array:
    """Every element, at most `ceiling`."""
    return jnp.minimum(array, ceiling)


def cast(array: Array, dtype: str) -> Array:
    """The array in the type of this name."""
    return array.astype(dtype)


def arange(size: int, like: Array) -> Array:
    """0, 1, 2, ... in the type of another array: [size]."""
    return jnp.arange(size, dtype=like.dtype)


def full(shape: tuple[int, ...], value: float, like: Array, dtype: str | None = None) -> Array:
    """An array of one value, in the type of another or of a name, and where the other is."""
    return jnp.full(shape, value, dtype or like.dtype)


def shift_right(array: Array, bits: int) -> Array:
    """The bits of int32 elements moved to the right, zeros from the left."""
    return jax.lax.shift_right_logical(array, jnp.int32(bits))


def log_probabilities(scores: Array) -> Array:
    """Log-probabilities of a search: [R, V]."""
    return log_softmax(scores)


def argmax(array: Array) -> Array:
    """Where the largest element of each row is: [..., L] -> [...]."""
    return jnp.argmax(array, -1)


def top_k(array: Array, count: int) -> tuple[Array, Array]:
    """The largest elements of each row and where they are, the largest first: [B, L] -> [B, count] twice."""
    values, indices = jax.lax.top_k(array, count)
    return values, indices


def concatenate(arrays: list[Array], axis: int) -> Array:
    """Arrays one after the other."""
    return jnp.concatenate(arrays, axis)


def cumsum(array: Array) -> Array:
    """Sums from the left along the last axis, in the array's own type."""
    return jnp.cumsum(array, -1, dtype=array.dtype)


def repeat_rows(array: Array, times: int) -> Array:
    """Every row several times, its copies beside it: [B, ...] -> [B * times, ...]."""
    return jnp.repeat(array, times, 0)


def take_rows(array: Array, rows: Array) -> Array:
    """Some rows: [B, ...], [M] -> [M, ...]."""
    return jnp.take(array, rows, 0)


def take_beams(array: Array, indices: Array) -> Array:
    """Other beams of each row: [B, K, ...], [B, M] -> [B, M, ...]."""
    return array[jnp.arange(len(array))[:, None], indices]


def write(array: Array, values: Array, at: int | Array) -> Array:
    """The array [..., L] with values [...] at one position of the last axis; it may be the same array, changed."""
    return array.at[..., at].set(values.astype(array.dtype))


def column(array: Array, at: int | Array) -> Array:
    """One place of the second axis: [B, L, ...] -> [B, ...]."""
    return jax.lax.dynamic_index_in_dim(array, at, 1, keepdims=False)


def row(array: Array, at: int | Array) -> Array:
    """One place of the first axis: [L, ...] -> [...]."""
    return jax.lax.dynamic_index_in_dim(array, at, 0, keepdims=False)


def all_of_rows(array: Array) -> Array:
    """Whether all of each row are true: [B, L] -> [B]."""
    return array.all(-1)


def any_of_rows(array: Array) -> Array:
    """Whether any of each row is true: [B, L] -> [B]."""
    return array.any(-1)


def min_of_rows(array: Array) -> Array:
    """The smallest of each row: [B, L] -> [B]."""
    return array.min(-1)


def max_of_rows(array: Array) -> Array:
    """The largest of each row: [..., L] -> [...]."""
    return array.max(-1)


def norm_of_rows(array: Array) -> Array:
    """The length of each row, as a vector: [..., L] -> [...]."""
    return jnp.linalg.norm(array, axis=-1)


def products(left: Array, right: Array) -> Array:
    """The inner product of every vector with every other: [B, M, D], [B, N, D] -> [B, M, N]."""
    return left @ right.swapaxes(-1, -2)


# ---- what rules ask for -------------------------------------------------------------------------------------


def softmax(logits: Array) -> Array:
    """Probabilities over the last axis."""
    return jax.nn.softmax(logits, axis=-1)


def sort(array: Array) -> Array:
    """Each row's elements, the smallest first."""
    if array.dtype != jnp.float32:
        return jnp.sort(array)
    # XLA sorts whole numbers five times as fast on a CPU; bits in which those of negative numbers but the sign are
    # turned over have the order of the numbers, and turning them over again gives the numbers back
    bits = jax.lax.bitcast_convert_type(array, jnp.int32)
    bits = jnp.sort(bits ^ ((bits >> 31) & 0x7FFFFFFF))
    return jax.lax.bitcast_convert_type(bits ^ ((bits >> 31) & 0x7FFFFFFF), jnp.float32)


def argsort(array: Array) -> Array:
    """Where each row's elements are, the smallest first; of equals, the first first."""
    return jnp.argsort(array, -1, stable=True)


def constant(array: np.ndarray, like: Array) -> Array:
    """A NumPy array as one of this framework, where another is."""
    return jnp.asarray(array)


def take_columns(array: Array, columns: Array) -> Array:
    """Some columns: [B, L], [M] -> [B, M]."""
    return array[:, columns]


def put(array: Array, tokens: Array, values: Array | float, flags: Array | None = None) -> Array:
    """The array [B, V] with values at some tokens of each row, both [B, L], where there is a flag if there are any."""
    if flags is not None:
        tokens = jnp.where(flags, tokens, array.shape[1])
    return array.at[jnp.arange(array.shape[0])[:, None], tokens].set(values, mode="drop")


def add_to_tokens(array: Array, tokens: Array, values: Array) -> Array:
    """The array with values added at some tokens, which may repeat: [B, V], [N], [B, N] -> [B, V]."""
    return array.at[:, tokens].add(values)


def largest(array: Array) -> float:
    """The largest number of the array's type; the smallest is its negative."""
    return float(jnp.finfo(array.dtype).max)


def host(function: Callable[..., Any], shape: tuple[int, ...], dtype: str, *arrays: Any) -> Array:
    """What a Python function of the arrays' values, NumPy arrays, gives: an array of this shape and type."""

    def answer(*values: Any) -> np.ndarray:
        return np.asarray(function(*map(np.asarray, values)), dtype).reshape(shape)

    traced = [array for array in arrays if isinstance(array, Tracer)]
    if traced:
        return jax.pure_callback(answer, jax.ShapeDtypeStruct(shape, dtype), *arrays)
    return jnp.asarray(answer(*arrays))
