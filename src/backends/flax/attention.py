"""The scaled-dot-product attention call, and the masks that go into it."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array

from ..checks import check_mask_shape


def attend(
    query: Array,
    key: Array,
    value: Array,
    mask: Array | None,
    dropout: nn.Dropout,
    head_mask: Array | None,
    deterministic: bool,
) -> tuple[Array, Array]:
    """softmax(query key^T / sqrt(H) + mask) value.

    Args:
        query: [B, N, T, H].
        key: [B, N, S, H].
        value: [B, N, S, H].
        mask: Added to the scores, broadcast to [B, N, T, S].
        dropout: The module that drops weights in training.
        head_mask: Multiplied with the weights, broadcast to [B, N, T, S].
        deterministic: Whether dropout is off.

    Returns:
        The context [B, N, T, H], and the weights [B, N, T, S].
    """
    scores = query @ key.swapaxes(-1, -2) * query.shape[-1] ** -0.5  # [B, N, T, S]
    if mask is not None:
        scores = scores + mask
    weights = dropout(jax.nn.softmax(scores, axis=-1), deterministic=deterministic)
    if head_mask is not None:
        weights = weights * head_mask.astype(weights.dtype)
    return weights @ value, weights


def additive_mask(attention_mask: Array | None, hidden: Array) -> Array | None:
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
    check_mask_shape(attention_mask.shape, hidden.shape[:2])
    mask = attention_mask[:, None, None, :] if attention_mask.ndim == 2 else attention_mask[:, None]
    return (1.0 - mask.astype(hidden.dtype)) * jnp.finfo(hidden.dtype).min


def per_layer_head_masks(head_mask: Array | None, layers: int) -> list[Array | None]:
    """A head mask for each layer: [N] or [layers, N] -> `layers` times [1, N, 1, 1]."""
    if head_mask is None:
        return [None] * layers
    rows = list(head_mask) if head_mask.ndim == 2 else [head_mask] * layers
    return [row[None, :, None, None] for row in rows]


def split_heads(array: Array, heads: int) -> Array:
    """[B, T, D] -> [B, N, T, H]."""
    batch, length, width = array.shape
    return array.reshape(batch, length, heads, width // heads).swapaxes(1, 2)


def join_heads(array: Array) -> Array:
    """[B, N, T, H] -> [B, T, D]."""
    batch, heads, length, size = array.shape
    return array.swapaxes(1, 2).reshape(batch, length, heads * size)
