"""Positions: a table of sines and cosines, and numbers that count from the one after the padding's."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..files.errors import InputError, three_beats
from ..initialization import sinusoids
from .checks import check_length


def sines_then_cosines(rows: int, width: int) -> np.ndarray:
    """`sinusoids`, all sines before all cosines: [rows, width] in float64."""
    table = sinusoids(rows, width)
    return np.concatenate([table[:, 0::2], table[:, 1::2]], 1)


def required_padding(padding: int | None) -> int:
    """The padding token of a model that counts positions from it.

    Raises:
        InputError: There is none.
    """
    if padding is None:
        found = "no position_ids, and no pad_token_id to count from"
        raise InputError(three_beats(found, "one of them", "Give position_ids, or set config.pad_token_id."))
    return padding


def positions_after_padding(input_ids: Any, words: Any, padding: int, rows: int, past: Any, ops: Any) -> Any:
    """The position of each token, from the one after the padding's on; padding stands at its own number.

    Embeddings are all taken for tokens, and for the first ones: as in 4.53.3, what was read before does not count.

    Args:
        input_ids: [B, T]; None if there are embeddings alone.
        words: [B, T, D] the embeddings.
        padding: The token that is padding.
        rows: How many positions the table has.
        past: How many tokens were read before.
        ops: The framework's array operations.

    Returns:
        int32 [B, T]; [1, T] without tokens.

    Raises:
        InputError: There are more embeddings than positions.
    """
    if input_ids is None:
        length, past = ops.shape(words)[1], 0
        if isinstance(length, int):
            check_length(length, rows - padding - 1)
        is_token = ops.full((1, length), 1, words, "int32")
    else:
        is_token = ops.cast(input_ids != padding, "int32")
    return (ops.cumsum(is_token) + past) * is_token + padding
