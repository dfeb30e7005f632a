"""The array operations that neutral code asks for, in TensorFlow; every framework's `ops` has the same functions."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

abs = tf.abs
exp = tf.exp
log1p = tf.math.log1p
mean = tf.reduce_mean
sum = tf.reduce_sum
reshape = tf.reshape


def where(condition: tf.Tensor, yes: tf.Tensor | float, no: tf.Tensor | float) -> tf.Tensor:
    """`yes` where the condition holds, else `no`."""
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
