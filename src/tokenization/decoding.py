"""From tokens back to text: ids as plain numbers, and the spaces that English puts elsewhere."""

from __future__ import annotations

from typing import Any

from ..files.errors import three_beats
from .errors import ArgumentTypeError
from .tensors import to_lists

#: Replaced in this order; a later one sees what the earlier ones left.
_TIGHTENED = (" .", " ?", " !", " ,", " ' ", " n't", " 'm", " 's", " 've", " 're")


def tighten(text: str) -> str:
    """Take out the spaces that word-level tokens leave before punctuation and inside contractions.

    Raises:
        ArgumentTypeError: It is no text.
    """
    if not isinstance(text, str):
        found = f"the text to clean up is {_short(text)} ({type(text).__name__})"
        raise ArgumentTypeError(three_beats(found, "a string", "Clean up the texts of a batch one by one."))
    for loose in _TIGHTENED:
        text = text.replace(loose, loose.strip())
    return text


def plain_ids(token_ids: Any) -> int | list[int]:
    """Ids as an int or a list of ints, from lists, arrays or tensors.

    Raises:
        ArgumentTypeError: It holds something that is not a whole number, or more than one row.
    """
    ids = to_lists(token_ids)
    if type(ids) is int:
        return ids
    if isinstance(ids, list) and all(type(value) is int for value in ids):
        return ids
    try:
        return [_as_int(value) for value in ids] if isinstance(ids, list) else _as_int(ids)
    except (TypeError, ValueError, OverflowError):
        raise ArgumentTypeError(
            three_beats(
                f"the ids to decode are {_short(token_ids)}",
                "one id or one row of ids (whole numbers)",
                "For several rows use batch_decode.",
            )
        ) from None


def _as_int(value: Any) -> int:
    number = int(value)
    if isinstance(value, (str, bytes)) or number != value:
        raise ValueError(value)
    return number


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
