"""What every reader yields: a tensor whose numbers are read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from triformers.files.errors import InputError, closest, three_beats


@dataclass(frozen=True)
class Tensor:
    """One tensor of a checkpoint file.

    Attributes:
        name: Its key in the file.
        shape: Its shape.
        dtype: Its type; bfloat16 and the float8 types are those of `ml_dtypes`.
        read: Gives its numbers; an array that maps the file is private to this process and may be written to.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[], np.ndarray]


#: A whole checkpoint: file key -> tensor.
Checkpoint: TypeAlias = Mapping[str, Tensor]

#: Names of the floating types a parameter may have; those that NumPy lacks come from `ml_dtypes`.
FLOATING = ("float16", "bfloat16", "float32", "float64")


def numpy_dtype(name: str) -> np.dtype:
    """The NumPy type of this name, bfloat16 and the float8 types included.

    Raises:
        InputError: There is no such type.
    """
    if name.startswith(("bfloat", "float8")):
        import ml_dtypes

        return np.dtype(getattr(ml_dtypes, name))
    try:
        return np.dtype(name)
    except TypeError:
        near = closest(name, FLOATING) or FLOATING
        raise InputError(
            three_beats(f"{name!r} is no data type", f"one such as {', '.join(near)}", "Correct the dtype argument.")
        ) from None


def is_floating(dtype: np.dtype) -> bool:
    """Whether a type holds real numbers, `ml_dtypes`' types included."""
    return np.issubdtype(dtype, np.floating) or dtype.name.startswith(("bfloat", "float"))
