"""Checks of token ids by value, where the values are at hand; in a graph, TensorFlow's own look-up refuses them."""

from __future__ import annotations

import tensorflow as tf

from ..checks import check_range, check_token_shape


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
