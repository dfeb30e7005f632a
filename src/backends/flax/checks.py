"""Checks of token ids by value, where the values are at hand; inside `jit` there are none to look at."""

from __future__ import annotations

import numpy as np
from jax import Array
from jax.core import Tracer

from .. import checks
from ..checks import check_range, check_token_shape


def check_token_ids(ids: Array, rows: int, what: str = "input_ids") -> None:
    """Refuse ids that are not [B, T] or that a table of `rows` rows does not have.

    Raises:
        InputError: The shape or an id is wrong.
    """
    check_token_shape(tuple(ids.shape), what)
    check_indices(ids, rows, what)


def check_indices(ids: Array | None, rows: int, what: str) -> None:
    """Refuse indices of any shape that a table of `rows` rows does not have; None is none.

    Raises:
        InputError: An index is out of range.
    """
    if ids is None:
        return
    if known(ids) and ids.size:
        values = np.asarray(ids)  # JAX's own minimum would be traced where the ids are not
        check_range(int(values.min()), int(values.max()), rows, what)


def known(array: object) -> bool:
    """Whether an array's values are at hand: inside `jit` they are not."""
    return not isinstance(array, Tracer)


def check_positions(positions: Array, padding: int, rows: int) -> None:
    """Refuse positions, counted from the one after the padding's, that a table of `rows` rows does not have.

    Raises:
        InputError: The sequence is too long.
    """
    if known(positions) and positions.size:
        checks.check_length(int(np.asarray(positions).max()) - padding, rows - padding - 1)


def check_ends(flags: Array) -> None:
    """Refuse sequences [B, T] that have not all the same number of flags, or none.

    Raises:
        InputError: They have not.
    """
    if known(flags):
        checks.check_ends(np.asarray(flags).sum(-1).tolist())
