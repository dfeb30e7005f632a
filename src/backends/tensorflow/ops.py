"""The array operations that neutral code asks for, in TensorFlow; every framework's `ops` has the same functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

abs = tf.abs
exp = tf.exp
log1p = tf.math.log1p
mean = tf.reduce_mean
sum = tf.reduce_sum
reshape = tf.reshape


def where(condition: tf.Tensor, yes: tf.Tensor | float, no: tf.Tensor | float) -> tf.Tensor:
    """`yes` where the condition holds, else `no`; one of them an array, whose type a number takes."""
    if not tf.is_tensor(yes):
        yes = tf.constant(yes, tf.convert_to_tensor(no).dtype)
    return tf.where(condition, yes, no)


def maximum(array: tf.Tensor, floor: float) -> tf.Tensor:
    """Every element, at least `floor`."""
    return tf.maximum(array, tf.constant(floor, array.dtype))


def clip(array: tf.Tensor, low: int | tf.Tensor, high: int | tf.Tensor) -> tf.Tensor:
    """Every element, at least `low` and at most `high`; in the type of `high` if that is a tensor, to compare them."""
    clipped = tf.clip_by_value(array, tf.cast(low, array.dtype), tf.cast(high, array.dtype))
    return tf.cast(clipped, high.dtype) if isinstance(high, tf.Tensor) else clipped


def shape(array: tf.Tensor) -> tuple[Any, ...]:
    """The array's shape: numbers, and tensors where only the graph will know them."""
    known = tuple(array.shape)
    if None not in known:
        return known
    sizes = tf.shape(array)
    return tuple(sizes[axis] if size is None else size for axis, size in enumerate(known))


def is_integer(array: tf.Tensor) -> bool:
    """Whether the elements are whole numbers."""
    return tf.as_dtype(array.dtype).is_integer


def widen(array: tf.Tensor) -> tf.Tensor:
    """The array in float32 if it is narrower."""
    return tf.cast(array, tf.float32) if array.dtype in (tf.float16, tf.bfloat16) else array


def cast_like(array: tf.Tensor, example: tf.Tensor) -> tf.Tensor:
    """The array in the type of another."""
    return tf.cast(array, example.dtype)


def log_softmax(logits: tf.Tensor) -> tf.Tensor:
    """Log-probabilities over the last axis."""
    return tf.nn.log_softmax(logits, -1)


def take_along_last(array: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
    """One element of each row: [B, L], [B] -> [B]."""
    return tf.gather(array, indices, batch_dims=1)


def full_like(array: tf.Tensor, value: float) -> tf.Tensor:
    """An array of one value, with the type and shape of another."""
    return tf.fill(tf.shape(array), tf.constant(value, array.dtype))


def count(mask: tf.Tensor) -> tf.Tensor:
    """The sum of each row of ones and zeros, whole numbers: [B, L] -> [B]."""
    return tf.reduce_sum(tf.cast(mask, tf.int32), -1)


# ---- what searches ask for ----------------------------------------------------------------------------------

log = tf.math.log
all = tf.reduce_all
max = tf.reduce_max
any = tf.reduce_any


def minimum(array: tf.Tensor, ceiling: float) -> tf.Tensor:
    """Every element, at most `ceiling`."""
    return tf.minimum(array, tf.constant(ceiling, array.dtype))


def cast(array: tf.Tensor, dtype: str) -> tf.Tensor:
    """The array in the type of this name."""
    return tf.cast(array, dtype)


def arange(size: int, like: tf.Tensor) -> tf.Tensor:
    """0, 1, 2, ... in the type of another array: [size]."""
    return tf.range(size, dtype=like.dtype)


def full(shape: tuple[int, ...], value: float, like: tf.Tensor, dtype: str | None = None) -> tf.Tensor:
    """An array of one value, in the type of another or of a name, and where the other is."""
    return tf.fill(shape, tf.constant(value, dtype or like.dtype))


def shift_right(array: tf.Tensor, bits: int) -> tf.Tensor:
    """The bits of int32 elements moved to the right, zeros from the left."""
    return tf.bitwise.right_shift(array, bits) & ((1 << (32 - bits)) - 1)


def log_probabilities(scores: tf.Tensor) -> tf.Tensor:
    """Log-probabilities of a search: [R, V]; exactly rounded, since a beam adds many of them up."""
    return tf.cast(tf.nn.log_softmax(tf.cast(scores, tf.float64), -1), scores.dtype)


def argmax(array: tf.Tensor) -> tf.Tensor:
    """The place of the largest value on the last axis, of several the first; XLA's own search for it takes longer."""
    size = shape(array)[-1]
    is_largest = array == tf.reduce_max(array, -1, keepdims=True)
    return tf.minimum(tf.reduce_min(tf.where(is_largest, tf.range(size), size), -1), size - 1)


def top_k(array: tf.Tensor, count: int) -> tuple[tf.Tensor, tf.Tensor]:
    """The largest elements of each row and where they are, the largest first: [B, L] -> [B, count] twice."""
    values, indices = tf.math.top_k(array, count)
    return values, indices


def concatenate(arrays: list[tf.Tensor], axis: int) -> tf.Tensor:
    """Arrays one after the other."""
    return tf.concat(arrays, axis)


def cumsum(array: tf.Tensor) -> tf.Tensor:
    """Sums from the left along the last axis, in the array's own type."""
    return tf.cumsum(array, -1)


def repeat_rows(array: tf.Tensor, times: int) -> tf.Tensor:
    """Every row several times, its copies beside it: [B, ...] -> [B * times, ...]."""
    return tf.repeat(array, times, 0)


def take_rows(array: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """Some rows: [B, ...], [M] -> [M, ...]."""
    return tf.gather(array, rows)


def take_beams(array: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
    """Other beams of each row: [B, K, ...], [B, M] -> [B, M, ...]."""
    return tf.gather(array, indices, axis=1, batch_dims=1)


def write(array: tf.Tensor, values: tf.Tensor, at: int | tf.Tensor) -> tf.Tensor:
    """The array [..., L] with values [...] at one position of the last axis; it may be the same array, changed."""
    is_there = tf.range(shape(array)[-1]) == at
    return tf.where(is_there, tf.expand_dims(tf.cast(values, array.dtype), -1), array)


def column(array: tf.Tensor, at: int | tf.Tensor) -> tf.Tensor:
    """One place of the second axis: [B, L, ...] -> [B, ...]."""
    return tf.gather(array, at, axis=1)


def row(array: tf.Tensor, at: int | tf.Tensor) -> tf.Tensor:
    """One place of the first axis: [L, ...] -> [...]."""
    return tf.gather(array, at)


def all_of_rows(array: tf.Tensor) -> tf.Tensor:
    """Whether all of each row are true: [B, L] -> [B]."""
    return tf.reduce_all(array, -1)


def any_of_rows(array: tf.Tensor) -> tf.Tensor:
    """Whether any of each row is true: [B, L] -> [B]."""
    return tf.reduce_any(array, -1)


def min_of_rows(array: tf.Tensor) -> tf.Tensor:
    """The smallest of each row: [B, L] -> [B]."""
    return tf.reduce_min(array, -1)


def max_of_rows(array: tf.Tensor) -> tf.Tensor:
    """The largest of each row: [..., L] -> [...]."""
    return tf.reduce_max(array, -1)


def norm_of_rows(array: tf.Tensor) -> tf.Tensor:
    """The length of each row, as a vector: [..., L] -> [...]."""
    return tf.norm(array, axis=-1)


def products(left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """The inner product of every vector with every other: [B, M, D], [B, N, D] -> [B, M, N]."""
    return tf.matmul(left, right, transpose_b=True)


# ---- what rules ask for -------------------------------------------------------------------------------------


def softmax(logits: tf.Tensor) -> tf.Tensor:
    """Probabilities over the last axis."""
    return tf.nn.softmax(logits, -1)


def sort(array: tf.Tensor) -> tf.Tensor:
    """Each row's elements, the smallest first."""
    return tf.sort(array)


def argsort(array: tf.Tensor) -> tf.Tensor:
    """Where each row's elements are, the smallest first; of equals, the first first."""
    return tf.argsort(array, -1, stable=True)


def constant(array: np.ndarray, like: tf.Tensor) -> tf.Tensor:
    """A NumPy array as one of this framework, where another is."""
    return tf.constant(array)


def take_columns(array: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """Some columns: [B, L], [M] -> [B, M]."""
    return tf.gather(array, columns, axis=1)


def put(array: tf.Tensor, tokens: tf.Tensor, values: tf.Tensor | float, flags: tf.Tensor | None = None) -> tf.Tensor:
    """The array [B, V] with values at some tokens of each row, both [B, L], where there is a flag if there are any."""
    rows, size = shape(array)
    tokens = tf.cast(tokens, tf.int32)
    if flags is not None:
        tokens = tf.where(flags, tokens, size)
    wide = tf.reshape(tf.pad(array, [[0, 0], [0, 1]]), [-1])  # with a place for what has no flag
    places = tf.reshape(tokens + tf.range(rows)[:, None] * (size + 1), [-1])
    values = tf.reshape(tf.broadcast_to(tf.cast(values, array.dtype), shape(tokens)), [-1])
    return tf.reshape(tf.tensor_scatter_nd_update(wide, places[:, None], values), (rows, size + 1))[:, :size]


def add_to_tokens(array: tf.Tensor, tokens: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """The array with values added at some tokens, which may repeat: [B, V], [N], [B, N] -> [B, V]."""
    sums = tf.math.unsorted_segment_sum(tf.transpose(values), tokens, shape(array)[1])
    return array + tf.transpose(sums)


def largest(array: tf.Tensor) -> float:
    """The largest number of the array's type; the smallest is its negative."""
    return tf.as_dtype(array.dtype).max


def host(function: Callable[..., Any], shape: tuple[int, ...], dtype: str, *arrays: Any) -> tf.Tensor:
    """What a Python function of the arrays' values, NumPy arrays, gives: an array of this shape and type."""

    def answer(*values: Any) -> np.ndarray:
        return np.asarray(function(*values), dtype).reshape(shape)

    if tf.executing_eagerly():
        return tf.constant(answer(*(value.numpy() if tf.is_tensor(value) else value for value in arrays)))
    result = tf.numpy_function(answer, arrays, tf.as_dtype(dtype), stateful=True)
    result.set_shape(shape)
    return result
