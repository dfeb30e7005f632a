"""From what a file claims of a tensor to an array of its numbers: checked first, mapped where it can be.

Everything a tensor claims is compared with its storage, and the storage with the file, before an array exists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from triformers.conversion.formats.pickled.refusals import Refusal, quoted, refusals_of
from triformers.conversion.formats.pickled.words import StoredTensor
from triformers.conversion.formats.tensors import Tensor

#: How many times the bytes of the storages all tensors together may have, by using some of them again, as tied
#: embeddings do; and how many bytes more, as expanded buffers do (a mask, position numbers). A tensor of 10**12
#: elements in 4 bytes is an attack, and so are ten thousand tensors in one storage.
MAX_SHARED = 8
MAX_EXPANDED = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Region:
    """The bytes of a storage.

    Attributes:
        size: How many there are.
        file: The mapped file, which may be written to.
        begin: Where they begin in it.
        is_big_endian: Whether the machine that wrote them puts the high byte first.
    """

    size: int
    file: np.ndarray
    begin: int
    is_big_endian: bool = False


def place(path: Path, stored: Mapping[str, StoredTensor], regions: Mapping[str, Region]) -> dict[str, Tensor]:
    """The tensors of a file by name, none of them read yet.

    Args:
        path: The file, for errors when they are read.
        stored: What the file says of each.
        regions: The bytes of each storage, by its key.

    Raises:
        Refusal: A tensor reaches beyond its storage, or they use the same bytes too often.
    """
    for name, tensor in stored.items():
        _check(name, tensor)
    held, total = sum(region.size for region in regions.values()), sum(map(_size, stored.values()))
    if total > MAX_SHARED * held + MAX_EXPANDED:
        raise Refusal(f"has tensors of {total} bytes in storages of {held}", "no more than they hold")
    shared = _sharing(stored)
    return {
        name: Tensor(
            name, tensor.shape, tensor.dtype, _reader(path, tensor, regions[tensor.storage.key], name in shared)
        )
        for name, tensor in stored.items()
    }


def _size(tensor: StoredTensor) -> int:
    """The bytes of a tensor, once it stands in rows of its own."""
    return prod(tensor.shape) * tensor.dtype.itemsize


def _check(name: str, tensor: StoredTensor) -> None:
    """Refuse a tensor that reaches beyond its storage."""
    storage = tensor.storage
    limit = (storage.start + storage.length) * storage.element.dtype.itemsize
    end = _extent(tensor)[1]
    if end > limit:
        reach = f"reaches byte {end} of storage {quoted(storage.key)}"
        raise Refusal(f"has a tensor {quoted(name)} that {reach}", f"at most {limit}")


def _extent(tensor: StoredTensor) -> tuple[int, int]:
    """The first byte of its storage that a tensor touches, and the one after the last."""
    itemsize = tensor.dtype.itemsize
    begin = tensor.storage.start * tensor.storage.element.dtype.itemsize + tensor.offset * itemsize
    if 0 in tensor.shape:
        return begin, begin
    steps = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True))
    return begin, begin + (steps + 1) * itemsize


def _sharing(stored: Mapping[str, StoredTensor]) -> set[str]:
    """The names of tensors that touch bytes which another name touches too.

    An array that maps the file may be written to. Two arrays of the same bytes would then change together, so these
    are copies.
    """
    found: set[str] = set()
    furthest: dict[str, tuple[int, str]] = {}  # storage -> how far it is used, and by which name
    for name, tensor in sorted(stored.items(), key=lambda item: _extent(item[1])):
        key, (begin, end) = tensor.storage.key, _extent(tensor)
        reached, other = furthest.get(key, (0, name))
        if begin < min(end, reached):
            found |= {name, other}
        furthest[key] = max((end, name), (reached, other))
    return found


def _reader(path: Path, tensor: StoredTensor, region: Region, is_shared: bool) -> Callable[[], np.ndarray]:
    def read() -> np.ndarray:
        with refusals_of(path):
            return _array(tensor, region, is_shared)

    return read


def _array(tensor: StoredTensor, region: Region, is_shared: bool) -> np.ndarray:
    """A tensor's numbers, in rows: the mapped bytes themselves where they lie so and no other tensor has them."""
    if 0 in tensor.shape:
        return np.empty(tensor.shape, tensor.dtype)
    steps = zip(tensor.shape, tensor.strides, strict=True)
    # The step along an axis of one element is never taken, and may be a number that NumPy cannot hold.
    strides = [stride * tensor.dtype.itemsize if size > 1 else 0 for size, stride in steps]
    array = np.ndarray(tensor.shape, tensor.dtype, region.file, region.begin + _extent(tensor)[0], strides)
    if is_shared or region.is_big_endian or not (array.flags.c_contiguous and array.flags.aligned):
        array = array.copy(order="C")
    if region.is_big_endian:
        _swap(array)
    return array


def _swap(array: np.ndarray) -> None:
    """Turn the bytes of every number round, in place. (`ml_dtypes` has no types with the other order of bytes.)"""
    part = array.dtype.itemsize // (2 if array.dtype.kind == "c" else 1)
    array.reshape(-1).view(f"u{part}").byteswap(inplace=True)
