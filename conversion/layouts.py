"""Layouts: how each framework names and orders the axes of a layer's parameters. The only place they are written.

The canonical name and axis order of every parameter are those of the PyTorch checkpoint. What another framework does
with it depends on the *kind* of the layer that owns it, never on the tensor's shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

#: Takes an array and the order of its axes.
Transpose: TypeAlias = Callable[[Any, tuple[int, ...]], Any]

#: The kind of a module that no row below describes: its leaves keep their names and axes.
RAW = "raw"


@dataclass(frozen=True)
class Layout:
    """How one framework holds one parameter.

    Attributes:
        leaf: The framework's name of it.
        axes: The canonical axes in the framework's order, None where the two orders are the same.
    """

    leaf: str
    axes: tuple[int, ...] | None = None

    def from_canonical(self, array: Any, transpose: Transpose = np.transpose) -> Any:
        """A canonical array in the framework's axis order.

        Args:
            array: NumPy's, or one that the framework has taken already: its own transposition copies far faster.
            transpose: The transposition to use on it.
        """
        return array if self.axes is None else transpose(array, self.axes)

    def to_canonical(self, array: Any, transpose: Transpose = np.transpose) -> Any:
        """A framework's array in the canonical axis order; the exact inverse of `from_canonical`."""
        return array if self.axes is None else transpose(array, tuple(int(axis) for axis in np.argsort(self.axes)))

    def shape_to_canonical(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The canonical shape of what the framework holds in this shape."""
        if self.axes is None:
            return tuple(shape)
        return tuple(shape[position] for position in np.argsort(self.axes))

    def shape_from_canonical(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape in which the framework holds what has this canonical shape."""
        return tuple(shape) if self.axes is None else tuple(shape[position] for position in self.axes)


#: kind -> canonical leaf -> framework -> layout. PyTorch's own names and axes are the canonical ones.
KINDS: Mapping[str, Mapping[str, Mapping[str, Layout]]] = {
    "linear": {
        "weight": {"tensorflow": Layout("kernel", (1, 0)), "flax": Layout("kernel", (1, 0))},
        "bias": {"tensorflow": Layout("bias"), "flax": Layout("bias")},
    },
    "embedding": {
        "weight": {"tensorflow": Layout("embeddings"), "flax": Layout("embedding")},
    },
    "layer_norm": {
        "weight": {"tensorflow": Layout("gamma"), "flax": Layout("scale")},
        "bias": {"tensorflow": Layout("beta"), "flax": Layout("bias")},
    },
}


def layout_of(kind: str, leaf: str, backend: str) -> Layout:
    """How a framework holds a parameter.

    Args:
        kind: The kind of the layer that owns it.
        leaf: Its canonical leaf name.
        backend: The framework.
    """
    return KINDS.get(kind, {}).get(leaf, {}).get(backend, Layout(leaf))


def canonical_leaf(kind: str, leaf: str, backend: str) -> tuple[str, Layout]:
    """The canonical name of a framework's leaf, and the layout that leads there.

    Args:
        kind: The kind of the layer that owns the parameter.
        leaf: What the framework calls the parameter.
        backend: The framework.
    """
    for name, layouts in KINDS.get(kind, {}).items():
        layout = layouts.get(backend, Layout(name))
        if layout.leaf == leaf:
            return name, layout
    return leaf, Layout(leaf)
