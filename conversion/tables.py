"""Aligned plain-text tables: what `triformers explain` and `triformers verify` print."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

GAP = "  "


def format_table(header: Sequence[str], rows: Iterable[Sequence[str]], right: Collection[str] = ()) -> str:
    """A table under a ruled header, every column as wide as its widest cell.

    Args:
        header: The columns' titles.
        rows: The cells of each line, as many as there are titles.
        right: Titles of the columns whose cells end at the right: numbers.
    """
    lines = [list(header), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        GAP.join(
            cell.rjust(width) if title in right else cell.ljust(width)
            for title, cell, width in zip(header, line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def format_error(error: float) -> str:
    """An error with two digits: what counts is its order of magnitude."""
    return "0" if error == 0 else f"{error:.1e}"


def format_shape(shape: Sequence[int]) -> str:
    """A shape as it is written everywhere in this library; a scalar's is `[]`."""
    return f"[{', '.join(map(str, shape))}]"
