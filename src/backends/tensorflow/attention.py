"""The scaled-dot-product attention call, and the masks that go into it."""

from __future__ import annotations

import tensorflow as tf

from ..checks import check_mask_shape
from . import ops
from .checks import known
from .layers import Dropout


def attend(
    query: tf.Tensor,
    key: tf.Tensor,
    value: tf.Tensor,
    mask: tf.Tensor | None,
    dropout: Dropout,
    head_mask: tf.Tensor | None,
    training: bool,
    scale: float | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """softmax(scale query key^T + mask) value.

    Args:
        query: [B, N, T, H].
        key: [B, N, S, H].
        value: [B, N, S, H].
        mask: Added to the scores, broadcast to [B, N, T, S].
        dropout: The layer that drops weights in training.
        head_mask: Multiplied with the weights, broadcast to [B, N, T, S].
        training: Whether to drop.
        scale: What the scores are multiplied with; 1 / sqrt(H) if None.

    Returns:
        The context [B, N, T, H], and the weights [B, N, T, S].
    """
    factor = size(query, -1) ** -0.5 if scale is None else scale
    scores = tf.matmul(query, key, transpose_b=True) * factor  # [B, N, T, S]
    if mask is not None:
        scores = scores + mask
    weights = dropout(tf.cast(tf.nn.softmax(scores, -1), value.dtype), training=training)
    if head_mask is not None:
        weights = weights * tf.cast(head_mask, weights.dtype)
    return tf.matmul(weights, value), weights


def attend_in_float32(
    query: tf.Tensor,
    key: tf.Tensor,
    value: tf.Tensor,
    mask: tf.Tensor | None,
    dropout: Dropout,
    head_mask: tf.Tensor | None,
    training: bool,
    scale: float | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """`attend`, with scores in float32 where its arguments are narrower, so that none overflows."""
    mask = None if mask is None else ops.widen(mask)
    return attend(ops.widen(query), ops.widen(key), value, mask, dropout, head_mask, training, scale)


def padding_mask(
    attention_mask: tf.Tensor | None,
    hidden: tf.Tensor,
    past: int | tf.Tensor = 0,
    reach: int | tf.Tensor | None = None,
) -> tf.Tensor | None:
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
    attention_mask: tf.Tensor | None,
    hidden: tf.Tensor,
    past: int | tf.Tensor = 0,
    reach: int | tf.Tensor | None = None,
) -> tf.Tensor | None:
    """What is added to scores where a position may attend to itself and those before it; as `padding_mask`.

    A mask of three axes says for itself who attends to whom.
    """
    new = ops.shape(hidden)[1]
    positions = tf.range(past + new if reach is None else reach)
    queries = past + tf.range(new)
    allowed = tf.cast(positions <= queries[:, None], hidden.dtype)[None, None]  # [1, 1, T, S]
    if attention_mask is not None:
        own = _reaching(attention_mask, hidden, past, reach)
        allowed = own if len(attention_mask.shape) == 3 else allowed * own
    return plus(additive(allowed, hidden), _free(hidden, past, reach))


def preceding_mask(
    attention_mask: tf.Tensor | None, hidden: tf.Tensor, past: int | tf.Tensor = 0, reach: int | tf.Tensor | None = None
) -> tf.Tensor | None:
    """As `causal_mask`, but a position that padding alone precedes looks at that padding, not ahead of itself."""
    ahead = causal_mask(None, hidden, past, reach)
    padding = padding_mask(attention_mask, hidden, past, reach)
    if ahead is None or padding is None:
        return plus(ahead, padding)
    return ahead + ahead + padding  # what lies ahead is further away than padding


def following_mask(
    attention_mask: tf.Tensor | None,
    hidden: tf.Tensor,
    past: int | tf.Tensor = 0,
    reach: int | tf.Tensor | None = None,
    distance: float | None = None,
) -> tf.Tensor | None:
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
    ahead = ahead if distance is None else tf.maximum(ahead, tf.constant(-distance, hidden.dtype))
    return tf.minimum(ahead, 1.5 * padding)  # padding is further away than what lies ahead


def additive(mask: tf.Tensor, hidden: tf.Tensor) -> tf.Tensor:
    """A mask of ones and zeros as what is added to scores: 0 where it is 1, half the lowest number where it is 0.

    That is so low that no score is seen beside it, and finite whatever is added: a row with nothing to attend to gives
    an average instead of not-a-number, in half precision too.
    """
    return (1.0 - tf.cast(mask, hidden.dtype)) * (hidden.dtype.min / 2)


def _reaching(mask: tf.Tensor, hidden: tf.Tensor, past: int | tf.Tensor, reach: int | tf.Tensor | None) -> tf.Tensor:
    """[B, S] -> [B, 1, 1, S]; [B, T, S] -> [B, 1, T, S]; the free room of a cache is filled up with zeros."""
    length, room = known(past + ops.shape(hidden)[1]), None if reach is None else known(reach)
    axes, last = len(mask.shape), mask.shape[-1]
    if room is None or last != room:
        check_mask_shape(tuple(mask.shape), (hidden.shape[0], room if length is None else length))
    mask = tf.cast(mask, hidden.dtype)
    if room is not None and last is not None and last == length:
        mask = tf.pad(mask, [[0, 0]] * (axes - 1) + [[0, room - last]])
    return mask[:, None, None, :] if axes == 2 else mask[:, None]


def _free(hidden: tf.Tensor, past: int | tf.Tensor, reach: int | tf.Tensor | None) -> tf.Tensor | None:
    """What hides the free room of a cache, [1, 1, 1, S]; None if there is none.

    It is infinite, so that even a row with nothing to attend to is an average of what is there; in float16, where no
    score is below the lowest number, of the free room too.
    """
    length, room = past + ops.shape(hidden)[1], None if reach is None else known(reach)
    if room is None or room == known(length):
        return None
    nothing = tf.constant(0, hidden.dtype)
    return tf.where(tf.range(room) < length, nothing, tf.constant(-float("inf"), hidden.dtype))[None, None, None]


def plus(mask: tf.Tensor | None, scores: tf.Tensor | None) -> tf.Tensor | None:
    """The sum of what is added to scores; None is nothing."""
    if mask is None or scores is None:
        return scores if mask is None else mask
    return mask + scores


def per_layer_head_masks(head_mask: tf.Tensor | None, layers: int) -> list[tf.Tensor | None]:
    """A head mask for each layer: [N] or [layers, N] -> `layers` times [1, N, 1, 1]."""
    if head_mask is None:
        return [None] * layers
    rows = tf.unstack(head_mask) if len(head_mask.shape) == 2 else [head_mask] * layers
    return [row[None, :, None, None] for row in rows]


def split_heads(array: tf.Tensor, size: int) -> tf.Tensor:
    """[B, T, N * H] -> [B, N, T, H], for heads of one size."""
    batch, length, width = ops.shape(array)
    return tf.transpose(tf.reshape(array, (batch, length, width // size, size)), (0, 2, 1, 3))


def join_heads(array: tf.Tensor) -> tf.Tensor:
    """[B, N, T, H] -> [B, T, N * H]."""
    batch, heads, length, size = ops.shape(array)
    return tf.reshape(tf.transpose(array, (0, 2, 1, 3)), (batch, length, heads * size))


def size(array: tf.Tensor, axis: int) -> int:
    """The size of an axis that every graph knows: a width, a number of heads."""
    known_size = array.shape[axis]
    assert known_size is not None
    return known_size
