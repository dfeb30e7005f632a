"""Slots: the places of a model that hold a tensor, each with its canonical name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

import numpy as np

from triformers.conversion.layouts import KINDS, Layout, canonical_leaf


@dataclass(frozen=True)
class Slot:
    """One parameter or stored buffer of a live model.

    Attributes:
        name: Its canonical name (`bert.encoder.layer.0.attention.self.query.weight`).
        shape: Its canonical shape.
        kind: The kind of the layer that owns it (`linear`, ...; `raw` where none is known).
        path: Where the framework holds it, from the root to the leaf.
        layout: How the framework holds it.
        owner: The framework's object that holds it: a module, a layer; None where paths are enough.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    path: tuple[str, ...]
    layout: Layout
    owner: Any = None

    @property
    def leaf(self) -> str:
        """The last segment of the canonical name; several where the kind of layer says so."""
        known = (leaf for leaf in KINDS.get(self.kind, {}) if self.name.endswith(f".{leaf}"))
        return next(known, self.name.rpartition(".")[2])

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)


def make_slot(
    path: tuple[str, ...], shape: tuple[int, ...], kind: str, backend: str, owner: Any = None, root: str = ""
) -> Slot:
    """The slot of a parameter that a framework holds at `path` in `shape`.

    Args:
        path: Segments from the root to the leaf, in the framework's words; a segment may hold several canonical
            ones, joined by dots.
        shape: The shape as the framework holds it.
        kind: The kind of the layer that owns the parameter.
        backend: The framework.
        owner: The framework's object that holds it.
        root: What stands before every canonical name, if the path does not start at the root.
    """
    leaf, layout = canonical_leaf(kind, path[-1], backend)
    name = ".".join(segment for segment in (root, *path[:-1], leaf) if segment)
    return Slot(name, layout.shape_to_canonical(shape), kind, path, layout, owner)


#: Where values come from: called with a slot and the type to hold them in, answers with the canonical array; None
#: leaves the slot as its framework made it. What is no floating number (a buffer of indices) keeps its own type.
Source: TypeAlias = Callable[[Slot, np.dtype], np.ndarray | None]
