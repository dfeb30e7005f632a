"""The scaled-dot-product attention call, and the masks that go into it."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array

from ..checks import check_mask_shape
from . import ops
from .checks import known


def attend(
    query: Array,
    key: Array,
    value: Array,
    mask: Array | None,
    dropout: nn.Dropout,
    head_mask: Array | None,
    deterministic: bool,
    scale: float | None = None,
) -> tuple[Array, Array]:
    """softmax(scale query key^T + mask) value.

    Args:
        query: [B, N, T, H].
        key: [B, N, S, H].
        value: [B, N, S, H].
        mask: Added to the scores, broadcast to [B, N, T, S].
        dropout: The module that drops weights in training.
        head_mask: Multiplied with the weights, broadcast to [B, N, T, S].
        deterministic: Whether dropout is off.
        scale: What the scores are multiplied with; 1 / sqrt(H) if None.

    Returns:
        The context [B, N, T, H], and the weights [B, N, T, S].
    """
    scores = query @ key.swapaxes(-1, -2) * (query.shape[-1] ** -0.5 if scale is None else scale)  # [B, N, T, S]
    if mask is not None:
        scores = scores + mask
    weights = dropout(jax.nn.softmax(scores, axis=-1).astype(value.dtype), deterministic=deterministic)
    if head_mask is not None:
        weights = weights * head_mask.astype(weights.dtype)
    return weights @ value, weights


def attend_in_float32(
    query: Array,
    key: Array,
    value: Array,
    mask: Array | None,
    dropout: nn.Dropout,
    head_mask: Array | None,
    deterministic: bool,
    scale: float | None = None,
) -> tuple[Array, Array]:
    """`attend`, with scores in float32 where its arguments are narrower, so that none overflows."""
    return attend(ops.widen(query), ops.widen(key), value, mask, dropout, head_mask, deterministic, scale)


def padding_mask(
    attention_mask: Array | None, hidden: Array, past: int | Array = 0, reach: int | None = None
) -> Array | None:
    """What is added to scores where every position may attend to every other: see `additive`.

    Args:
        attention_mask: [B, S] or [B, T, S], 1 where a position may be attended to and 0 where it is padding; None
            lets every position see every other.
        hidden: [B, T, D]; gives sizes and type.
        past: How many positions a cache holds before these.
        reach: S, the positions attended to; past + T if None.

    Returns:
        [B, 1, 1, S] or [B, 1, T, S].
    """
    given = None if attention_mask is None else additive(_reaching(attention_mask, hidden, past, reach), hidden)
    return plus(given, _free(hidden, past, reach))


def causal_mask(
    attention_mask: Array | None, hidden: Array, past: int | Array = 0, reach: int | None = None
) -> Array | None:
    """What is added to scores where a position may attend to itself and those before it; as `padding_mask`.

    A mask of three axes says for itself who attends to whom.
    """
    positions = jnp.arange(past + hidden.shape[1] if reach is None else reach)
    queries = past + jnp.arange(hidden.shape[1])
    allowed = (positions <= queries[:, None])[None, None]  # [1, 1, T, S]
    if attention_mask is not None:
        own = _reaching(attention_mask, hidden, past, reach)
        allowed = own if attention_mask.ndim == 3 else allowed * own
    return plus(additive(allowed, hidden), _free(hidden, past, reach))


def preceding_mask(
    attention_mask: Array | None, hidden: Array, past: int | Array = 0, reach: int | None = None
) -> Array | None:
    """As `causal_mask`, but a position that padding alone precedes looks at that padding, not ahead of itself."""
    ahead = causal_mask(None, hidden, past, reach)
    padding = padding_mask(attention_mask, hidden, past, reach)
    if ahead is None or padding is None:
        return plus(ahead, padding)
    return ahead + ahead + padding  # what lies ahead is further away than padding


def following_mask(
    attention_mask: Array | None,
    hidden: Array,
    past: int | Array = 0,
    reach: int | None = None,
    distance: float | None = None,
) -> Array | None:
    """As `causal_mask`, but a position that padding alone precedes looks at what follows it, less the padding.

    Args:
        attention_mask: As of `padding_mask`.
        hidden: [B, T, D].
        past: As of `padding_mask`.
        reach: As of `padding_mask`.
        distance: How much lower the scores of what follows are; None where they count for nothing: then all of it is
            looked at alike.
    """
    ahead = causal_mask(None, hidden, past, reach)
    padding = None if attention_mask is None else padding_mask(attention_mask, hidden, past, reach)
    if ahead is None or padding is None:
        return ahead
    ahead = ahead if distance is None else jnp.maximum(ahead, -distance)
    return jnp.minimum(ahead, 1.5 * padding)  # padding is further away than what lies ahead


def additive(mask: Array, hidden: Array) -> Array:
    """A mask of ones and zeros as what is added to scores: 0 where it is 1, half the lowest number where it is 0.

    That is so low that no score is seen beside it, and finite whatever is added: a row with nothing to attend to gives
    an average instead of not-a-number, in half precision too.
    """
    return (1.0 - mask.astype(hidden.dtype)) * (jnp.finfo(hidden.dtype).min / 2)


def _reaching(mask: Array, hidden: Array, past: int | Array, reach: int | None) -> Array:
    """[B, S] -> [B, 1, 1, S]; [B, T, S] -> [B, 1, T, S]; the free room of a cache is filled up with zeros."""
    batch, new = hidden.shape[:2]
    length = int(past) + new if known(past) else reach
    if mask.shape[-1] != reach:
        check_mask_shape(mask.shape, (batch, length))
    free = 0 if reach is None else reach - mask.shape[-1]
    mask = jnp.pad(mask, [(0, 0)] * (mask.ndim - 1) + [(0, free)])
    return mask[:, None, None, :] if mask.ndim == 2 else mask[:, None]


def _free(hidden: Array, past: int | Array, reach: int | None) -> Array | None:
    """What hides the free room of a cache, [1, 1, 1, S]; None if there is none.

    It is infinite, so that even a row with nothing to attend to is an average of what is there.
    """
    length = past + hidden.shape[1]
    if reach is None or (known(past) and reach == length):
        return None
    return jnp.where(jnp.arange(reach) < length, 0.0, -jnp.inf).astype(hidden.dtype)[None, None, None]


def plus(mask: Array | None, scores: Array | None) -> Array | None:
    """The sum of what is added to scores; None is nothing."""
    if mask is None or scores is None:
        return scores if mask is None else mask
    return mask + scores


def per_layer_head_masks(head_mask: Array | None, layers: int) -> list[Array | None]:
    """A head mask for each layer: [N] or [layers, N] -> `layers` times [1, N, 1, 1]."""
    if head_mask is None:
        return [None] * layers
    rows = list(head_mask) if head_mask.ndim == 2 else [head_mask] * layers
    return [row[None, :, None, None] for row in rows]


def split_heads(array: Array, size: int) -> Array:
    """[B, T, N * H] -> [B, N, T, H], for heads of one size."""
    batch, length, width = array.shape
    return array.reshape(batch, length, width // size, size).swapaxes(1, 2)


def join_heads(array: Array) -> Array:
    """[B, N, T, H] -> [B, T, N * H]."""
    batch, heads, length, size = array.shape
    return array.swapaxes(1, 2).reshape(batch, length, heads * size)
