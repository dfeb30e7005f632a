"""Checks of token ids and lengths, where the values are at hand; in a graph, TensorFlow's own look-up refuses ids."""

from __future__ import annotations

import tensorflow as tf

from .. import cache, checks
from ..checks import check_range, check_token_shape


def known(number: int | tf.Tensor) -> int | None:
    """A number, None where only the graph will know it."""
    value = tf.get_static_value(number)
    return None if value is None else int(value)


def check_token_ids(ids: tf.Tensor, rows: int, what: str = "input_ids") -> None:
    """Refuse ids that are not [B, T] or that a table of `rows` rows does not have.

    Raises:
        InputError: The shape or an id is wrong.
    """
    check_token_shape(tuple(ids.shape), what)
    check_indices(ids, rows, what)


def check_indices(ids: tf.Tensor | None, rows: int, what: str) -> None:
    """Refuse indices of any shape that a table of `rows` rows does not have; None is none.

    Raises:
        InputError: An index is out of range.
    """
    if ids is None:
        return
    if tf.executing_eagerly() and hasattr(ids, "numpy") and ids.shape.num_elements():
        check_range(int(tf.reduce_min(ids)), int(tf.reduce_max(ids)), rows, what)


def check_length(length: int | tf.Tensor, longest: int) -> None:
    """Refuse a sequence that is longer than the table of positions.

    Raises:
        InputError: It is.
    """
    checks.check_length(known(length) or 0, longest)


def check_room(needed: int | tf.Tensor, room: int | tf.Tensor) -> None:
    """Refuse tokens for which a cache of fixed size has no room; in a graph, when it runs.

    Raises:
        InputError: There is none.
    """
    known_need, known_room = known(needed), known(room)
    if known_need is not None and known_room is not None:
        cache.check_room(known_need, known_room)
    else:
        tf.debugging.assert_less_equal(needed, room, "More tokens than a cache has room for.")


def check_positions(positions: tf.Tensor, padding: int, rows: int) -> None:
    """Refuse positions, counted from the one after the padding's, that a table of `rows` rows does not have.

    Raises:
        InputError: The sequence is too long.
    """
    if tf.executing_eagerly() and hasattr(positions, "numpy") and positions.shape.num_elements():
        check_length(int(tf.reduce_max(positions)) - padding, rows - padding - 1)


def check_ends(flags: tf.Tensor) -> None:
    """Refuse sequences [B, T] that have not all the same number of flags, or none.

    Raises:
        InputError: They have not.
    """
    if tf.executing_eagerly() and hasattr(flags, "numpy"):
        checks.check_ends(tf.reduce_sum(tf.cast(flags, tf.int32), -1).numpy().tolist())
