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


#: An axis of length 1 that only the framework has; as an index, it makes one.
NEW = None


@dataclass(frozen=True)
class Layout:
    """How one framework holds one parameter.

    Attributes:
        leaf: The framework's name of it.
        axes: The canonical axes in the framework's order, `NEW` for one of length 1 that only the framework has; None
            where the two orders are the same.
    """

    leaf: str
    axes: tuple[int | None, ...] | None = None

    @property
    def order(self) -> tuple[int, ...]:
        """The canonical axes in the framework's order, without those that only the framework has."""
        return tuple(axis for axis in self.axes or () if axis is not None)

    def from_canonical(self, array: Any, transpose: Transpose = np.transpose) -> Any:
        """A canonical array in the framework's axis order.

        Args:
            array: NumPy's, or one that the framework has taken already: its own transposition copies far faster.
            transpose: The transposition to use on it.
        """
        if self.axes is None:
            return array
        turned = transpose(array, self.order)
        return turned if NEW not in self.axes else turned[self._places(NEW)]

    def to_canonical(self, array: Any, transpose: Transpose = np.transpose) -> Any:
        """A framework's array in the canonical axis order; the exact inverse of `from_canonical`."""
        if self.axes is None:
            return array
        held = array if NEW not in self.axes else array[self._places(0)]
        return transpose(held, tuple(int(axis) for axis in np.argsort(self.order)))

    def _places(self, new: int | None) -> tuple[Any, ...]:
        """What to index an array with, `new` where the framework has an axis of its own."""
        return tuple(new if axis is None else slice(None) for axis in self.axes or ())

    def shape_to_canonical(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The canonical shape of what the framework holds in this shape."""
        if self.axes is None:
            return tuple(shape)
        held = [size for size, axis in zip(shape, self.axes, strict=True) if axis is not None]
        return tuple(held[position] for position in np.argsort(self.order))

    def shape_from_canonical(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape in which the framework holds what has this canonical shape."""
        if self.axes is None:
            return tuple(shape)
        return tuple(1 if axis is None else shape[axis] for axis in self.axes)


def convolution(space: int) -> dict[str, dict[str, Layout]]:
    """The layouts of a convolution over so many axes of space: [out, in, *space] in PyTorch, [*space, in, out] else."""
    kernel = Layout("kernel", (*range(2, 2 + space), 1, 0))
    return {
        "weight": {"tensorflow": kernel, "flax": kernel},
        "bias": {"tensorflow": Layout("bias"), "flax": Layout("bias")},
    }


#: kind -> canonical leaf -> framework -> layout. PyTorch's own names and axes are the canonical ones.
KINDS: Mapping[str, Mapping[str, Mapping[str, Layout]]] = {
    "linear": {
        "weight": {"tensorflow": Layout("kernel", (1, 0)), "flax": Layout("kernel", (1, 0))},
        "bias": {"tensorflow": Layout("bias"), "flax": Layout("bias")},
    },
    "linear_in_out": {  # GPT-2's `Conv1D`: a linear layer whose canonical weight is [in, out]
        "weight": {"tensorflow": Layout("weight"), "flax": Layout("kernel", (1, 0))},
        "bias": {"tensorflow": Layout("bias", (NEW, 0)), "flax": Layout("bias")},
    },
    "embedding": {
        "weight": {"tensorflow": Layout("embeddings"), "flax": Layout("embedding")},
    },
    "layer_norm": {
        "weight": {"tensorflow": Layout("gamma"), "flax": Layout("scale")},
        "bias": {"tensorflow": Layout("beta"), "flax": Layout("bias")},
    },
    "rms_norm": {  # T5's, whose weight is called so everywhere
        "weight": {"tensorflow": Layout("weight"), "flax": Layout("weight")},
    },
    "conv_1d": convolution(1),
    "conv_2d": convolution(2),
    "group_norm": {
        "weight": {"tensorflow": Layout("gamma"), "flax": Layout("scale")},
        "bias": {"tensorflow": Layout("beta"), "flax": Layout("bias")},
    },
    "weight_norm": {  # a convolution whose weight is a length times a direction
        "parametrizations.weight.original0": {"tensorflow": Layout("weight_g", (2, 1, 0)), "flax": Layout("weight_g")},
        "parametrizations.weight.original1": {"tensorflow": Layout("weight_v"), "flax": Layout("weight_v")},
        "bias": {"tensorflow": Layout("bias"), "flax": Layout("bias")},
    },
}

#: Kind of a linear layer -> the axis of its canonical weight along which lies what it gives; along the other, what it
#: takes.
OUTPUT_AXES: Mapping[str, int] = {"linear": 0, "linear_in_out": 1}


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
