"""Cutting sequences of ids to a length: one sequence, or two that share a budget."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

from ..files.errors import InputError, three_beats
from .options import TruncationStrategy

logger = logging.getLogger(__name__)


class Truncated(NamedTuple):
    """Two sequences after cutting, and what fell off (with `stride` tokens of context)."""

    ids: list[int]
    pair_ids: list[int] | None
    overflowing: list[int]


def truncate(
    ids: Sequence[int],
    pair_ids: Sequence[int] | None,
    excess: int,
    strategy: TruncationStrategy,
    stride: int,
    side: str,
) -> Truncated:
    """Remove `excess` tokens from one sequence or from two.

    Under `LONGEST_FIRST` the tokens leave one at a time, each from the sequence that is longer at that moment
    (the second, when they are equal); what falls off a pair in this way is not kept. A sequence that is too
    short to lose that many stays whole, which is logged.

    Raises:
        InputError: `side` is neither `left` nor `right`.
    """
    if side not in ("left", "right"):
        raise InputError(
            three_beats(f"truncation_side={side!r}", "'left' or 'right'", "Set tokenizer.truncation_side.")
        )
    if excess <= 0 or strategy is TruncationStrategy.DO_NOT_TRUNCATE:
        return _whole(ids, pair_ids)
    if strategy is TruncationStrategy.LONGEST_FIRST and pair_ids is not None:
        lengths = _share(len(ids), len(pair_ids), excess)
        return Truncated(_keep(ids, lengths[0], side), _keep(pair_ids, lengths[1], side), [])
    cuts_second = strategy is TruncationStrategy.ONLY_SECOND
    sequence = (pair_ids or ()) if cuts_second else ids
    if len(sequence) <= excess:
        _log_too_short(excess, len(sequence), strategy)
        return _whole(ids, pair_ids)
    window = min(len(sequence), stride + excess)
    overflowing = list(sequence[-window:] if side == "right" else sequence[:window])
    kept = _keep(sequence, len(sequence) - excess, side)
    if cuts_second:
        return Truncated(list(ids), kept, overflowing)
    return Truncated(kept, None if pair_ids is None else list(pair_ids), overflowing)


def _whole(ids: Sequence[int], pair_ids: Sequence[int] | None) -> Truncated:
    return Truncated(list(ids), None if pair_ids is None else list(pair_ids), [])


def _share(first: int, second: int, excess: int) -> tuple[int, int]:
    """The lengths that are left of two sequences after removing `excess` tokens, longest first."""
    levelled = min(excess, abs(first - second))
    if first > second:
        first -= levelled
    else:
        second -= levelled
    rest = excess - levelled
    return max(first - rest // 2, 0), max(second - (rest - rest // 2), 0)


def _keep(sequence: Sequence[int], length: int, side: str) -> list[int]:
    return list(sequence[:length] if side == "right" else sequence[len(sequence) - length :])


def _log_too_short(excess: int, length: int, strategy: TruncationStrategy) -> None:
    logger.error(
        "%d tokens had to be removed under truncation=%r, but that sequence has %d; it was left whole. "
        "Choose a larger max_length or truncation='longest_first'.",
        excess,
        strategy.value,
        length,
    )
