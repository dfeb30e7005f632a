"""The scaled-dot-product attention call, and the masks that go into it."""

from __future__ import annotations

import tensorflow as tf
from keras import layers

from ..checks import check_mask_shape


def attend(
    query: tf.Tensor,
    key: tf.Tensor,
    value: tf.Tensor,
    mask: tf.Tensor | None,
    dropout: layers.Dropout,
    head_mask: tf.Tensor | None,
    training: bool,
) -> tuple[tf.Tensor, tf.Tensor]:
    """softmax(query key^T / sqrt(H) + mask) value.

    Args:
        query: [B, N, T, H].
        key: [B, N, S, H].
        value: [B, N, S, H].
        mask: Added to the scores, broadcast to [B, N, T, S].
        dropout: The layer that drops weights in training.
        head_mask: Multiplied with the weights, broadcast to [B, N, T, S].
        training: Whether to drop.

    Returns:
        The context [B, N, T, H], and the weights [B, N, T, S].
    """
    scores = tf.matmul(query, key, transpose_b=True) * size(query, -1) ** -0.5  # [B, N, T, S]
    if mask is not None:
        scores = scores + mask
    weights = dropout(tf.nn.softmax(scores, -1), training=training)
    if head_mask is not None:
        weights = weights * head_mask
    return tf.matmul(weights, value), weights


def additive_mask(attention_mask: tf.Tensor | None, hidden: tf.Tensor) -> tf.Tensor | None:
    """A mask of ones and zeros as what is added to scores: 0 where it is 1, the lowest finite number where it is 0.

    The number is finite, so that a row with nothing to attend to gives an average instead of not-a-number.

    Args:
        attention_mask: [B, S] or [B, T, S]; None lets every position see every other.
        hidden: [B, S, D]; gives sizes and type.

    Returns:
        [B, 1, 1, S] or [B, 1, T, S].
    """
    if attention_mask is None:
        return None
    check_mask_shape(tuple(attention_mask.shape), tuple(hidden.shape[:2]))
    mask = attention_mask[:, None, None, :] if len(attention_mask.shape) == 2 else attention_mask[:, None]
    return (1.0 - tf.cast(mask, hidden.dtype)) * hidden.dtype.min


def per_layer_head_masks(head_mask: tf.Tensor | None, layers: int) -> list[tf.Tensor | None]:
    """A head mask for each layer: [N] or [layers, N] -> `layers` times [1, N, 1, 1]."""
    if head_mask is None:
        return [None] * layers
    rows = tf.unstack(head_mask) if len(head_mask.shape) == 2 else [head_mask] * layers
    return [row[None, :, None, None] for row in rows]


def split_heads(array: tf.Tensor, heads: int) -> tf.Tensor:
    """[B, T, D] -> [B, N, T, H]."""
    batch, length = tf.unstack(tf.shape(array)[:2])
    return tf.transpose(tf.reshape(array, (batch, length, heads, size(array, -1) // heads)), (0, 2, 1, 3))


def join_heads(array: tf.Tensor) -> tf.Tensor:
    """[B, N, T, H] -> [B, T, D]."""
    batch, length = tf.shape(array)[0], tf.shape(array)[2]
    width = size(array, 1) * size(array, 3)
    return tf.reshape(tf.transpose(array, (0, 2, 1, 3)), (batch, length, width))


def size(array: tf.Tensor, axis: int) -> int:
    """The size of an axis that every graph knows: a width, a number of heads."""
    known = array.shape[axis]
    assert known is not None
    return known
