"""What every reader yields: a tensor whose numbers are read when they are asked for."""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from triformers.files.disk import os_errors
from triformers.files.errors import InputError, closest, file_error, three_beats


def _nothing() -> None:
    """What lets go of a tensor that maps nothing."""


@dataclass(frozen=True)
class Tensor:
    """One tensor of a checkpoint file.

    Attributes:
        name: Its key in the file.
        shape: Its shape.
        dtype: Its type; bfloat16 and the float8 types are those of `ml_dtypes`.
        read: Gives its numbers; an array that maps the file is private to this process and may be written to.
        layout: The framework whose axis order it is in; `torch` for the canonical one.
        let_go: Takes what `read` mapped of the file out of memory; it is read from the disk again where it is used.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[], np.ndarray]
    layout: str = "torch"
    let_go: Callable[[], None] = _nothing


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


def map_file(path: Path) -> np.ndarray:
    """The bytes of a file, mapped copy-on-write.

    Raises:
        FileError: It cannot be read, or is no regular file: opening a pipe would wait for ever.
    """
    with os_errors(path, "cannot be read"):
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise file_error(path, "is no regular file", "a checkpoint", "Check the path.")
        return np.memmap(path, np.uint8, "c") if status.st_size else np.empty(0, np.uint8)


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


def let_go(mapped: np.ndarray, begin: int, end: int) -> None:
    """Take a part of a mapped file out of memory, in pages that hold nothing else and that nobody has changed."""
    if not isinstance(mapped, np.memmap) or not hasattr(mmap, "MADV_DONTNEED"):
        return
    pages: Any = getattr(mapped, "_mmap", None)
    shift = mapped.offset % mmap.ALLOCATIONGRANULARITY  # where the array begins in the mapping
    first = -(-(begin + shift) // mmap.PAGESIZE) * mmap.PAGESIZE
    last = (end + shift) // mmap.PAGESIZE * mmap.PAGESIZE
    if pages is not None and last > first:
        pages.madvise(mmap.MADV_DONTNEED, first, last - first)


def stored_bytes(array: np.ndarray) -> memoryview:
    """The bytes of an array as files hold them: in C order, little-endian."""
    array = np.ascontiguousarray(array)
    if array.dtype.byteorder == ">":
        array = array.astype(array.dtype.newbyteorder("<"))
    return array.reshape(-1).view(np.uint8).data


def not_finite(checkpoint: Checkpoint) -> dict[str, int]:
    """How many NaN and infinities each tensor has, of those that have any; all numbers are read."""
    found = {name: _count_not_finite(tensor) for name, tensor in checkpoint.items() if tensor.dtype.kind not in "iub"}
    return {name: count for name, count in found.items() if count}


def _count_not_finite(tensor: Tensor) -> int:
    numbers = tensor.read().reshape(-1)
    step = 2**20  # so that little more than the tensor is in memory
    finite = sum(int(np.isfinite(numbers[begin : begin + step]).sum()) for begin in range(0, len(numbers), step))
    tensor.let_go()
    return len(numbers) - finite


def is_floating(dtype: np.dtype) -> bool:
    """Whether a type holds real numbers, `ml_dtypes`' types included."""
    return np.issubdtype(dtype, np.floating) or dtype.name.startswith(("bfloat", "float"))
