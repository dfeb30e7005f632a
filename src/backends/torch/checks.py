"""Checks of token ids by value, where that costs no wait for a device."""

from __future__ import annotations

import torch
from torch import Tensor

from .. import checks
from ..checks import check_range, check_token_shape


def check_token_ids(ids: Tensor, rows: int, what: str = "input_ids") -> None:
    """Refuse ids that are not [B, T] or that a table of `rows` rows does not have.

    Raises:
        InputError: The shape or an id is wrong.
    """
    check_token_shape(tuple(ids.shape), what)
    check_indices(ids, rows, what)


def check_indices(ids: Tensor | None, rows: int, what: str) -> None:
    """Refuse indices of any shape that a table of `rows` rows does not have; None is none.

    Raises:
        InputError: An index is out of range.
    """
    if ids is None:
        return
    if ids.device.type == "cpu" and ids.numel() and not torch.compiler.is_compiling():
        lowest, highest = torch.aminmax(ids)
        check_range(int(lowest), int(highest), rows, what)


def check_positions(positions: Tensor, padding: int, rows: int) -> None:
    """Refuse positions, counted from the one after the padding's, that a table of `rows` rows does not have.

    Raises:
        InputError: The sequence is too long.
    """
    if positions.device.type == "cpu" and positions.numel() and not torch.compiler.is_compiling():
        checks.check_length(int(positions.max()) - padding, rows - padding - 1)


def check_ends(flags: Tensor) -> None:
    """Refuse sequences [B, T] that have not all the same number of flags, or none.

    Raises:
        InputError: They have not.
    """
    if flags.device.type == "cpu" and not torch.compiler.is_compiling():
        checks.check_ends(flags.sum(-1).tolist())
