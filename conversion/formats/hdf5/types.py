"""The types of numbers in an HDF5 file: which bytes describe each, as h5py writes them.

A type is a message of the file (specification, "The Datatype Message"): its class and the version of its encoding in
one byte, flags of the class, its size, what more the class needs. There are few types here and each has one form per
version, so a type is looked up by its bytes and nothing of an unknown one is ever interpreted.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import cache

import numpy as np

from triformers.conversion.formats.tensors import numpy_dtype

TYPES = (
    "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8",
    "uint64", "uint32", "uint16", "uint8", "bool", "complex64", "complex128",
)  # fmt: skip

#: The versions of the encoding; they differ in how lists of fields and of names are packed.
VERSIONS = range(1, 6)
FIXED, FLOAT, FIELDS, NAMES = 0, 1, 6, 8
SIGNED, IMPLIED_BIT = 0x08, 0x20
#: Floating type -> the bits of its exponent and of its mantissa.
FLOATS: Mapping[str, tuple[int, int]] = {
    "float16": (5, 10),
    "bfloat16": (8, 7),
    "float32": (8, 23),
    "float64": (11, 52),
}


@cache
def described_by() -> Mapping[bytes, np.dtype]:
    """Description -> the type, in either order of bytes."""
    return {
        description(dtype, is_big, version): dtype.newbyteorder(">") if is_big else dtype
        for dtype in map(numpy_dtype, TYPES)
        for is_big in (False, True)
        if not (is_big and dtype.name == "bfloat16")  # NumPy has it in one order alone
        for version in VERSIONS
    }


def type_of(described: memoryview) -> np.dtype | None:
    """The type that a message describes, None for one that is not known; messages may be padded."""
    found = (described_by().get(bytes(described[:length])) for length in _lengths())
    return next((dtype for dtype in found if dtype is not None), None)


@cache
def _lengths() -> list[int]:
    return sorted(set(map(len, described_by())))


def description(dtype: np.dtype, is_big: bool, version: int = 1) -> bytes:
    """The bytes that describe a type; what other types are made of is always in the first version."""
    size = dtype.itemsize
    if dtype.name in FLOATS:
        exponent, mantissa = FLOATS[dtype.name]
        layout = struct.pack("<2H4BI", 0, 8 * size, mantissa, exponent, 0, mantissa, 2 ** (exponent - 1) - 1)
        return _head(FLOAT, version, is_big | IMPLIED_BIT | (8 * size - 1) << 8, size) + layout
    if dtype.kind in "iu":
        flags = is_big | (SIGNED if dtype.kind == "i" else 0)
        return _head(FIXED, version, flags, size) + struct.pack("<2H", 0, 8 * size)
    if dtype.kind == "b":  # an enumeration, as h5py has it
        names = b"".join(_name(name, version) for name in ("FALSE", "TRUE"))
        return _head(NAMES, version, 2, size) + description(np.dtype(np.int8), is_big) + names + b"\0\1"
    part = description(np.dtype(f"f{size // 2}"), is_big)  # a complex number has two fields
    fields = (_field(name, begin, part, version) for name, begin in (("r", 0), ("i", size // 2)))
    return _head(FIELDS, version, 2, size) + b"".join(fields)


def _head(kind: int, version: int, flags: int, size: int) -> bytes:
    return bytes([version << 4 | kind]) + flags.to_bytes(3, "little") + size.to_bytes(4, "little")


def _name(name: str, version: int) -> bytes:
    ended = name.encode() + b"\0"
    return ended if version > 2 else ended.ljust(-(-len(ended) // 8) * 8, b"\0")


def _field(name: str, begin: int, described: bytes, version: int) -> bytes:
    place = bytes([begin]) if version > 2 else begin.to_bytes(4, "little")
    axes = bytes(28) if version == 1 else b""  # of a field that is an array, in the first version
    return _name(name, version) + place + axes + described
