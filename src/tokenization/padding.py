"""Filling rows of ids up to one length, for encodings that were made without padding."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..files.errors import InputError, three_beats
from .errors import ArgumentTypeError
from .inputs import describe
from .options import TensorType
from .tensors import library_of, to_lists


def padded_length(longest: int, multiple: int | None) -> int:
    """The length of a padded row: `longest`, rounded up to a multiple."""
    return longest if not multiple else -(-longest // multiple) * multiple


def fill(row: list[Any], missing: int, value: Any, side: str) -> list[Any]:
    """One row with `missing` times `value` on one side."""
    filling = [value] * missing
    return row + filling if side == "right" else filling + row


def columns_of(encoded: Any) -> dict[str, Any]:
    """A list of encodings as one dict of columns; a dict (or encoding) as a plain dict.

    Raises:
        ArgumentTypeError: It is neither.
        InputError: The encodings do not have the same fields.
    """
    if isinstance(encoded, Mapping):
        return dict(encoded)
    rows = list(encoded) if isinstance(encoded, (list, tuple)) else None
    if not rows or not all(isinstance(row, Mapping) for row in rows):
        raise ArgumentTypeError(
            three_beats(
                f"pad() was given {describe(encoded)}",
                "an encoding, a dict of lists, or a non-empty list of dicts",
                "Write {'input_ids': [[...], [...]]}.",
            )
        )
    fields = list(rows[0])
    for number, row in enumerate(rows):
        absent = [field for field in fields if field not in row]
        if absent:
            raise InputError(
                three_beats(
                    f"row {number} to pad has no {absent[0]!r}, which row 0 has",
                    "the same fields in every row",
                    "Add the field to all rows, or leave it out of all.",
                )
            )
    return {field: [row[field] for row in rows] for field in fields}


def framework_of(column: Any) -> TensorType | None:
    """The framework of a column's tensors: its own, or that of its first row that has an element."""
    kind = library_of(column)
    if kind is not None or not isinstance(column, (list, tuple)):
        return kind
    first = next((row for row in column if not isinstance(row, (list, tuple)) or row), None)
    if isinstance(first, (list, tuple)):
        first = first[0]
    return library_of(first)


def listed(columns: Mapping[str, Any], only: Collection[str] | None = None) -> dict[str, Any]:
    """The same columns with tensors and arrays turned into lists, in all of them or only in some."""
    names = columns.keys() if only is None else only
    return {
        name: to_lists(column) if name in names and _has_rows(column) else column for name, column in columns.items()
    }


def _has_rows(column: Any) -> bool:
    return isinstance(column, (list, tuple)) or library_of(column) is not None


def check_rows(columns: Mapping[str, Any], names: Sequence[str], ids_name: str) -> None:
    """Check that the columns to fill up have one list per row of ids.

    Raises:
        InputError: One of them has not.
    """
    count = len(columns[ids_name])
    for name in names:
        column = columns[name]
        rows = column if isinstance(column, (list, tuple)) else ()
        if len(rows) != count or not all(isinstance(row, (list, tuple)) for row in rows):
            raise InputError(
                three_beats(
                    f"the field {name!r} to pad is {describe(column)}",
                    f"{count} lists of numbers, one for each row of {ids_name!r}",
                    "Correct the field, or leave it out.",
                )
            )


def is_batch(ids: Sequence[Any]) -> bool:
    """Whether a column of ids has a batch axis."""
    first = next((row for row in ids if not isinstance(row, (list, tuple)) or row), None)
    return isinstance(first, (list, tuple))
