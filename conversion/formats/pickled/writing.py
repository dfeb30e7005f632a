"""Writing `pytorch_model.bin` without PyTorch: the archive that `torch.load` reads, mapped or not.

The pickle is protocol 2, PyTorch's own, put together from its instructions: a state dict is an `OrderedDict` of calls
of one function, whose arguments are numbers, strings and one persistent id each.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from math import prod
from operator import mul
from typing import Any

from triformers.conversion.formats.pickled.archive import ALIGNMENT, ArchiveWriter
from triformers.conversion.formats.pickled.words import STORAGES, UNTYPED
from triformers.conversion.formats.safetensors import Writable
from triformers.conversion.formats.tensors import Tensor, stored_bytes
from triformers.files.errors import InputError, three_beats

#: What PyTorch calls the folder of an archive that it does not write to a path.
FOLDER = "archive"
#: NumPy's name of a type -> PyTorch's class of its storages.
CLASSES: Mapping[str, str] = {name: storage for storage, name in STORAGES.items()}
#: PyTorch's class of storages of bytes.
UNTYPED_STORAGE = ("torch.storage", "UntypedStorage")


def write_pickled(file: Writable, tensors: Mapping[str, Tensor], progress: Callable[[int], Any] | None = None) -> None:
    """Write a file, one tensor in memory at a time; the same tensors in the same order always give the same bytes.

    Args:
        file: Where to; only written to, never sought in.
        tensors: What to write, by name; each is read once, in this order.
        progress: Called with the number of bytes after each tensor.

    Raises:
        InputError: A tensor has a type that PyTorch does not have.
    """
    for name, tensor in tensors.items():
        _check_type(name, tensor)
    archive = ArchiveWriter(file, FOLDER)
    archive.write("data.pkl", _pickle(tensors))
    archive.write(".format_version", b"1")
    archive.write(".storage_alignment", str(ALIGNMENT).encode())
    archive.write("byteorder", b"little")
    for key, tensor in enumerate(tensors.values()):
        data = stored_bytes(tensor.read())
        archive.write(f"data/{key}", data)
        if progress is not None:
            progress(data.nbytes)
    archive.write("version", b"3\n")
    archive.finish()


def _check_type(name: str, tensor: Tensor) -> None:
    if tensor.dtype.name not in CLASSES and tensor.dtype.name not in UNTYPED:
        found = f"tensor {name[:80]!r} has the type {tensor.dtype.name}, which PyTorch does not have"
        raise InputError(three_beats(found, "a type such as float32 or bfloat16", "Change its type, then save."))


# ---- the pickle ------------------------------------------------------------------------------------------


def _pickle(tensors: Mapping[str, Tensor]) -> bytes:
    """The state dict, in which storages are named 0, 1, 2."""
    items = [_text(name) + _tensor(str(key), tensor) for key, (name, tensor) in enumerate(tensors.items())]
    return b"".join([pickle.PROTO, b"\2", _ordered_dict(), pickle.MARK, *items, pickle.SETITEMS, pickle.STOP])


def _tensor(key: str, tensor: Tensor) -> bytes:
    """The call that rebuilds a tensor. A type without a class of storages is written as bytes, and names itself."""
    length, name = prod(tensor.shape), tensor.dtype.name
    function, storage_class, suffix = "_rebuild_tensor_v2", _word("torch", CLASSES.get(name, "")), []
    if name not in CLASSES:
        function, storage_class, suffix = "_rebuild_tensor_v3", _word(*UNTYPED_STORAGE), [_word("torch", name)]
        length *= tensor.dtype.itemsize
    storage = _tuple([_text("storage"), storage_class, _text(key), _text("cpu"), _number(length)]) + pickle.BINPERSID
    shape, strides = _numbers(tensor.shape), _numbers(_strides(tensor.shape))
    arguments = [storage, _number(0), shape, strides, pickle.NEWFALSE, _ordered_dict(), *suffix]
    return _word("torch._utils", function) + _tuple(arguments) + pickle.REDUCE


def _strides(shape: Sequence[int]) -> list[int]:
    """How many elements a step along each axis is, in rows; an empty axis counts as one, as in PyTorch."""
    steps = accumulate((max(size, 1) for size in reversed(shape[1:])), mul, initial=1)
    return list(steps)[::-1] if shape else []


def _word(module: str, name: str) -> bytes:
    return pickle.GLOBAL + f"{module}\n{name}\n".encode()


def _ordered_dict() -> bytes:
    return _word("collections", "OrderedDict") + pickle.EMPTY_TUPLE + pickle.REDUCE


def _text(text: str) -> bytes:
    data = text.encode("utf-8")
    return pickle.BINUNICODE + len(data).to_bytes(4, "little") + data


def _number(value: int) -> bytes:
    data = value.to_bytes(value.bit_length() // 8 + 1, "little")
    return pickle.LONG1 + bytes([len(data)]) + data


def _numbers(values: Sequence[int]) -> bytes:
    return _tuple([_number(value) for value in values])


def _tuple(items: Sequence[bytes]) -> bytes:
    return b"".join([pickle.MARK, *items, pickle.TUPLE])
