"""What every reader yields: a tensor whose numbers are read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
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
        layout: The framework whose axis order it is in; `torch` for the canonical one.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[], np.ndarray]
    layout: str = "torch"


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


def stored_array(mapped: np.ndarray, begin: int, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    """An array in a mapped file: its pages themselves, or a copy where its type may not stand at that address.

    Args:
        mapped: The bytes of the file.
        begin: Where the array begins.
        dtype: Its type.
        shape: Its shape; the array must end within the file.
    """
    array = mapped[begin : begin + prod(shape) * dtype.itemsize].view(dtype).reshape(shape)
    return array if array.flags.aligned else array.copy()


def stored_bytes(array: np.ndarray) -> memoryview:
    """The bytes of an array as files hold them: in C order, little-endian."""
    array = np.ascontiguousarray(array)
    if array.dtype.byteorder == ">":
        array = array.astype(array.dtype.newbyteorder("<"))
    return array.reshape(-1).view(np.uint8).data


def is_floating(dtype: np.dtype) -> bool:
    """Whether a type holds real numbers, `ml_dtypes`' types included."""
    return np.issubdtype(dtype, np.floating) or dtype.name.startswith(("bfloat", "float"))
