"""The rows of `triformers explain`: where every tensor of a model is in the file, and where in the framework.

A row is the journey of one parameter: its key in the file, its canonical name, the kind of the layer that
owns it, where the framework holds it, and what is done to its axes on the way. Rows are read off a model's
slots, so a structure without values is enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from triformers.conversion.mapping import Plan
from triformers.conversion.slots import Slot
from triformers.conversion.tables import format_shape, format_table

#: What stands between the segments of a path, as each framework's users write it.
SEPARATORS: Mapping[str, str] = {"torch": ".", "tensorflow": "/", "flax": "/"}

#: What a checkpoint does for a slot.
FILLED, NEW, MISSING, MISMATCHED = "filled", "new", "missing", "shape differs"

_INDEX = re.compile(r"(?<![^./])[0-9]+(?![^./])")  # a whole segment, between separators


@dataclass(frozen=True)
class Row:
    """One tensor of a model, or several of repeated layers that differ in nothing but their index.

    Attributes:
        name: Its canonical name.
        key: Its key in the file; None where the file does not have it.
        kind: The kind of the layer that owns it.
        path: Where the framework holds it.
        axes: The canonical axes in the framework's order, None for one that only it has; None where the two orders are
            the same.
        shape: Its canonical shape.
        fate: What a checkpoint does for it: `filled`, `new`, `missing` or `shape differs`.
        count: How many tensors this row stands for.
    """

    name: str
    key: str | None
    kind: str
    path: str
    axes: tuple[int | None, ...] | None
    shape: tuple[int, ...]
    fate: str = FILLED
    count: int = 1

    @property
    def transform(self) -> str:
        """What is done on the way from the file into the framework."""
        if self.axes is None:
            return "as it is"
        return f"axes [{', '.join('new' if axis is None else str(axis) for axis in self.axes)}]"


def explain(slots: Iterable[Slot], backend: str, plan: Plan | None = None) -> list[Row]:
    """One row for every slot of a model.

    Args:
        slots: The model's slots.
        backend: The framework that the model is in.
        plan: How a checkpoint fills the slots; without one, the keys are those that the model saves.
    """
    return [_row(slot, SEPARATORS[backend], plan) for slot in slots]


def _row(slot: Slot, separator: str, plan: Plan | None) -> Row:
    key, fate = (slot.name, FILLED) if plan is None else _origin(slot.name, plan)
    path = separator.join(slot.path)
    return Row(slot.name, key, slot.kind, path, slot.layout.axes, slot.shape, fate)


def _origin(name: str, plan: Plan) -> tuple[str | None, str]:
    """A slot's key in the file, and what the plan has for it."""
    if name in plan.filled:
        return plan.filled[name], FILLED
    if name in plan.new:
        return None, NEW
    return None, MISSING if name in plan.missing else MISMATCHED


def fold(rows: Iterable[Row]) -> list[Row]:
    """The rows with those of repeated layers folded into the first: they differ in the index alone."""
    first: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        words = (_INDEX.sub("*", word or "") for word in (row.name, row.key, row.path))
        alike = (*words, row.kind, row.axes, row.shape, row.fate)
        first[alike] = replace(first[alike], count=first[alike].count + row.count) if alike in first else row
    return list(first.values())


def format_rows(rows: Sequence[Row], with_keys: bool) -> str:
    """The rows as a table.

    Args:
        rows: The rows.
        with_keys: Whether to show the keys of a checkpoint beside the canonical names.
    """
    header = ["canonical name", "kind", "path", "transform", "shape", "times"]
    cells = [
        [
            row.name,
            row.kind,
            row.path,
            row.transform,
            format_shape(row.shape),
            f"x {row.count}" if row.count > 1 else "",
        ]
        for row in rows
    ]
    if with_keys:
        header = ["file key", *header]
        cells = [[row.key or f"({row.fate})", *line] for row, line in zip(rows, cells, strict=True)]
    if all(row.count == 1 for row in rows):
        header, cells = header[:-1], [line[:-1] for line in cells]
    return format_table(header, cells)


def summary(rows: Sequence[Row]) -> str:
    """How many tensors and parameters the rows stand for."""
    tensors = sum(row.count for row in rows)
    elements = sum(row.count * prod(row.shape) for row in rows)
    return f"{tensors} tensors, {elements:,} numbers"


def leftovers(plan: Plan) -> list[tuple[str, str]]:
    """What a checkpoint and a model do not have in common: (tensor, what becomes of it)."""
    differing = [
        (key, f"has shape {format_shape(found)} where the model has {format_shape(expected)}: an error")
        for key, found, expected in plan.mismatched
    ]
    return [
        *((key, "dropped: the model does not have this head") for key in plan.dropped),
        *((key, f"ignored: {reason}") for key, reason in plan.ignored.items()),
        *((name, "new: not in the checkpoint, initialised afresh") for name in plan.new),
        *((name, "missing: the checkpoint must have it, an error") for name in plan.missing),
        *((key, "unexpected: fits nothing in the model, an error") for key in plan.unexpected),
        *differing,
    ]


def as_json(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The rows as plain values."""
    return [
        {
            "file_key": row.key,
            "canonical_name": row.name,
            "kind": row.kind,
            "path": row.path,
            "axes": None if row.axes is None else list(row.axes),
            "shape": list(row.shape),
            "fate": row.fate,
        }
        for row in rows
    ]
