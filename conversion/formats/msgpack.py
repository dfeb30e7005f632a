"""Flax's own format, `flax_model.msgpack`: dicts in dicts, named like the modules, with arrays at the ends.

https://github.com/msgpack/msgpack/blob/master/spec.md has the encoding: a header byte says what follows and, where it
leaves room, how much of it. What Flax adds (https://flax.readthedocs.io, `flax.serialization`): an array is an
extension of type 1, whose payload is a message of its own, `[shape, name of the type, bytes in C order]`; a NumPy
scalar is the same under type 3, a complex number is `[real, imaginary]` under type 2. An array above 2**30 bytes is a
dict `{"__msgpack_chunked_array__": True, "shape": {"0": ...}, "chunks": {"0": a flat array, ...}}`.

The msgpack library hands out the payload of each extension as a copy, and checks no claim of an array. So the headers
are walked here, a few bytes each: every claim is checked against the size of the file, and the arrays stay where they
are until they are read.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from triformers.conversion.formats.safetensors import DTYPES, MAX_AXES, Writable, damaged
from triformers.conversion.formats.tensors import Tensor, map_file, numpy_dtype, stored_array, stored_bytes
from triformers.files.errors import InputError, three_beats

#: Between the names on the way to an array; Flax's own shard indexes join them so.
SEPARATOR = "/"
#: The largest array that Flax writes in one piece.
CHUNK_BYTES = 2**30
#: The deepest dict in a dict; real files stay below 15.
MAX_DEPTH = 64
#: The longest name of a module.
MAX_NAME = 4096
#: The most names in a file, those of modules included; real files have some thousands.
MAX_ENTRIES = 2**20

CHUNKED = "__msgpack_chunked_array__"
ARRAY, COMPLEX, SCALAR = 1, 2, 3
TYPES = (*DTYPES.values(), "complex128")

#: Header byte -> what begins there, and its length, count or value.
FIXED: Mapping[int, tuple[str, int]] = {
    **{value: ("int", value) for value in range(128)},
    **{0x80 + count: ("dict", count) for count in range(16)},
    **{0x90 + count: ("list", count) for count in range(16)},
    **{0xA0 + size: ("str", size) for size in range(32)},
    **{0xC2 + value: ("bool", value) for value in range(2)},
    **{0xD4 + power: ("ext", 2**power) for power in range(5)},
}
#: Header byte -> what begins there, and how many bytes after it hold its length, count or value.
WIDE: Mapping[int, tuple[str, int]] = {
    0xC4: ("bin", 1), 0xC5: ("bin", 2), 0xC6: ("bin", 4), 0xC7: ("ext", 1), 0xC8: ("ext", 2), 0xC9: ("ext", 4),
    0xCC: ("int", 1), 0xCD: ("int", 2), 0xCE: ("int", 4), 0xCF: ("int", 8),
    0xD9: ("str", 1), 0xDA: ("str", 2), 0xDB: ("str", 4),
    0xDC: ("list", 2), 0xDD: ("list", 4), 0xDE: ("dict", 2), 0xDF: ("dict", 4),
}  # fmt: skip
_FIXED_BYTE: Mapping[tuple[str, int], int] = {what: byte for byte, what in FIXED.items()}


@dataclass(frozen=True)
class Block:
    """An array where it lies in the file."""

    dtype: np.dtype
    shape: tuple[int, ...]
    begin: int

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)


#: What a header walk finds: dicts, and at their ends where an array is, or a number.
Tree: TypeAlias = "dict[str, Tree] | Block | complex | int"


# ---- reading ---------------------------------------------------------------------------------------------


def read_msgpack(path: Path) -> dict[str, Tensor]:
    """Open a file: its arrays by the names that lead to them, each mapped copy-on-write when it is read.

    Raises:
        FileError: The file is cut short, or claims what cannot be.
    """
    mapped = map_file(path)
    scanner = Scanner(path, mapped.data)
    tree = scanner.value()
    if not isinstance(tree, dict):
        raise damaged(path, "no dict of modules", "a dict at the start of the file")
    if scanner.position != len(mapped):
        raise damaged(path, f"{len(mapped) - scanner.position} bytes after the last array", "none")
    return {name: _tensor(path, mapped, name, end) for name, end in _ends(tree)}


class Scanner:
    """Walks over the headers of a file; what it has walked over has been checked.

    Args:
        path: The file, for messages.
        data: Its bytes.

    Attributes:
        position: The byte to look at next.
    """

    def __init__(self, path: Path, data: memoryview) -> None:
        self.path = path
        self.position = 0
        self._data = data
        self._entries = 0

    def value(self, depth: int = 0) -> Tree:
        """Walk over one value and what it holds."""
        start = self.position
        kind, number = self._head()
        if kind == "dict":
            return self._dict(number, depth + 1)
        if kind == "ext":
            return self._extension(number)
        if kind in ("int", "bool"):
            return number if kind == "int" else bool(number)
        raise self._damaged(f"a {kind} at byte {start}", "a dict or an array")

    def _dict(self, count: int, depth: int) -> dict[str, Tree]:
        self._entries += count
        if depth > MAX_DEPTH:
            raise self._damaged(f"dicts nested deeper than {MAX_DEPTH}", "the depth of a model")
        if 2 * count > self._left or self._entries > MAX_ENTRIES:  # a name and a value take a byte each at least
            raise self._damaged(f"a dict of {count} entries with {self._left} bytes left", "what the file has room for")
        found: dict[str, Tree] = {}
        for _ in range(count):
            name = self._text(MAX_NAME)
            if name in found or not name or SEPARATOR in name:
                reason = "a second time" if name in found else "as the name of a module or array"
                raise self._damaged(f"{_short(name)} {reason}", "names that lead to one array each")
            found[name] = self.value(depth)
        return found

    def _extension(self, length: int) -> Block | complex:
        code = self._natural(1)
        begin = self._skip(length)
        if code == COMPLEX:
            return self._complex(begin, length)
        if code not in (ARRAY, SCALAR):
            raise self._damaged(f"an extension of type {code} at byte {begin}", "an array")
        self.position = begin
        block = self._array()
        if self.position != begin + length:
            raise self._damaged(f"an array of {self.position - begin} bytes in {length}", "the same number")
        return block

    def _array(self) -> Block:
        start = self.position
        self._expect("list", 3, start)
        axes = self._expect("list", None, start)
        if axes > MAX_AXES:
            raise self._damaged(f"{axes} axes at byte {start}", f"at most {MAX_AXES}")
        shape = tuple(self._expect("int", None, start) for _ in range(axes))
        name = self._text(max(map(len, TYPES)))
        if name not in TYPES:
            raise self._damaged(f"an array of type {_short(name)} at byte {start}", f"one of {', '.join(TYPES)}")
        dtype = numpy_dtype(name)
        kind, length = self._head()
        self._check_size(kind in ("bin", "str"), dtype, shape, length)
        return Block(dtype, shape, self._skip(length))

    def _check_size(self, holds_bytes: bool, dtype: np.dtype, shape: tuple[int, ...], length: int) -> None:
        if prod(size or 1 for size in shape) * dtype.itemsize >= 2**63:
            raise self._damaged(f"an array of shape {list(shape)}", "a shape that an array can have")
        if not holds_bytes or length != prod(shape) * dtype.itemsize:
            found = f"an array of {dtype.name} {list(shape)} in {length} bytes"
            raise self._damaged(found, f"{prod(shape)} x {dtype.itemsize}")

    def _complex(self, begin: int, length: int) -> complex:
        layout = struct.Struct(">BBdBd")  # a list of two, each a float64 behind its own byte
        head = layout.unpack_from(self._data, begin) if length == layout.size else (0,) * 5
        if (head[0], head[1], head[3]) != (0x92, 0xCB, 0xCB):
            raise self._damaged(f"a complex number in {length} bytes at byte {begin}", "two numbers of float64")
        return complex(head[2], head[4])

    def _expect(self, kind: str, number: int | None, start: int) -> int:
        """Walk over a header that must be of one kind (and number, if one is given)."""
        found = self._head()
        if found[0] != kind or number not in (None, found[1]):
            raise self._damaged(f"{found[0]} {found[1]} in the array at byte {start}", "[shape, type, bytes]")
        return found[1]

    def _text(self, longest: int) -> str:
        start = self.position
        kind, length = self._head()
        if kind not in ("str", "bin") or length > longest:
            raise self._damaged(f"a {kind} ({length}) at byte {start}", f"a name of at most {longest} bytes")
        begin = self._skip(length)
        try:
            return bytes(self._data[begin : begin + length]).decode()
        except UnicodeDecodeError:
            raise self._damaged(f"a name at byte {start} that is not UTF-8", "text") from None

    def _head(self) -> tuple[str, int]:
        """Walk over one header: what begins there, and its length, count or value."""
        start = self.position
        byte = self._natural(1)
        if byte in FIXED:
            return FIXED[byte]
        if byte not in WIDE:
            raise self._damaged(f"the header byte {byte:#04x} at byte {start}", "a dict, an array, a name or a number")
        kind, width = WIDE[byte]
        return kind, self._natural(width)

    def _natural(self, width: int) -> int:
        begin = self._skip(width)
        return int.from_bytes(self._data[begin : begin + width], "big")

    def _skip(self, length: int) -> int:
        """Go on by some bytes that the file must have; gives where they begin."""
        if length > self._left:
            raise self._damaged(
                f"{length} bytes announced at byte {self.position} with {self._left} left", "a file that is whole"
            )
        self.position += length
        return self.position - length

    @property
    def _left(self) -> int:
        return len(self._data) - self.position

    def _damaged(self, found: str, expected: str) -> Exception:
        return damaged(self.path, found, expected)


def _short(name: str) -> str:
    return repr(name if len(name) <= 80 else f"{name[:80]}...")


def _ends(tree: Mapping[str, Tree], path: tuple[str, ...] = ()) -> Iterator[tuple[str, Tree]]:
    """What is at the ends of a tree, with the names that lead there."""
    for name, value in tree.items():
        if isinstance(value, dict) and CHUNKED not in value:
            yield from _ends(value, (*path, name))
        else:
            yield SEPARATOR.join((*path, name)), value


def _tensor(path: Path, mapped: np.ndarray, name: str, end: Tree) -> Tensor:
    if isinstance(end, Block):
        read = lambda: stored_array(mapped, end.begin, end.dtype, end.shape)  # noqa: E731
        return Tensor(name, end.shape, end.dtype, read, layout="flax")
    if isinstance(end, complex):
        return Tensor(name, (), np.dtype(np.complex128), lambda: np.array(end), layout="flax")
    if isinstance(end, dict):
        return _chunked_tensor(path, mapped, name, end)
    raise damaged(path, f"{_short(name)} is a number", "an array")


def _chunked_tensor(path: Path, mapped: np.ndarray, name: str, parts: Mapping[str, Tree]) -> Tensor:
    listed, chunks = _listed(parts.get("shape")), _listed(parts.get("chunks"))
    shape = tuple(size for size in listed if type(size) is int)
    blocks = [chunk for chunk in chunks if isinstance(chunk, Block) and len(chunk.shape) == 1]
    whole = len(parts) == 3 and parts[CHUNKED] is True and len(shape) == len(listed) <= MAX_AXES
    if not whole or len(blocks) != len(chunks) or len({block.dtype for block in blocks}) != 1:
        raise damaged(path, f"{_short(name)} in pieces of several kinds", "a shape, and flat arrays of one type")
    total = sum(block.size for block in blocks)
    if prod(shape) != total or prod(size or 1 for size in shape) * blocks[0].dtype.itemsize >= 2**63:
        raise damaged(path, f"{_short(name)} of shape {list(shape)} in {total} numbers", f"{prod(shape)}")

    def read() -> np.ndarray:
        array = np.empty(total, blocks[0].dtype)
        position = 0
        for block in blocks:
            array[position : position + block.size] = stored_array(mapped, block.begin, block.dtype, block.shape)
            position += block.size
        return array.reshape(shape)

    return Tensor(name, shape, blocks[0].dtype, read, layout="flax")


def _listed(value: Tree | None) -> list[Tree]:
    """What Flax turned into a dict of "0", "1", ..., as the list that it was; empty if it is anything else."""
    names = [str(index) for index in range(len(value))] if isinstance(value, dict) else []
    return [value[name] for name in names] if isinstance(value, dict) and set(names) == set(value) else []


# ---- writing ---------------------------------------------------------------------------------------------


def write_msgpack(
    file: Writable,
    tensors: Mapping[str, Tensor],
    progress: Callable[[int], Any] | None = None,
    chunk_bytes: int = CHUNK_BYTES,
) -> None:
    """Write a file, one tensor in memory at a time: the bytes that Flax writes for the same tree, names in order.

    Args:
        file: Where to; only written to, never sought in.
        tensors: What to write, by the names that lead there; each is read once, in the order of the file.
        progress: Called with the number of bytes after each tensor.
        chunk_bytes: The largest array to write in one piece.

    Raises:
        InputError: A name leads to an array and goes on behind it.
    """
    _write(file, _grow(tensors), progress or (lambda size: None), chunk_bytes)


def _grow(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """Tensors in dicts, as their names say; each dict in the order of its names, in which JAX keeps a tree."""
    tree: dict[str, Any] = {}
    paths = {tuple(name.split(SEPARATOR)): tensor for name, tensor in tensors.items()}
    for path in sorted(paths):
        branch = tree
        for name in path[:-1]:
            branch = branch.setdefault(name, {})
            if isinstance(branch, Tensor):
                found = f"{SEPARATOR.join(path)} goes on behind an array"
                raise InputError(three_beats(found, "names of which none begins another", "Rename one of the two."))
        branch[path[-1]] = paths[path]
    return tree


def _write(file: Writable, tree: Mapping[str, Any], progress: Callable[[int], Any], chunk_bytes: int) -> None:
    file.write(head("dict", len(tree)))
    for name, value in tree.items():
        file.write(_text(name))
        if isinstance(value, Tensor):
            _write_tensor(file, value, chunk_bytes)
            progress(prod(value.shape) * value.dtype.itemsize)
        else:
            _write(file, value, progress, chunk_bytes)


def _write_tensor(file: Writable, tensor: Tensor, chunk_bytes: int) -> None:
    data, itemsize = stored_bytes(tensor.read()), tensor.dtype.itemsize
    if data.nbytes <= chunk_bytes:
        _write_array(file, tensor.shape, tensor.dtype, data)
        return
    step = max(1, chunk_bytes // itemsize) * itemsize
    pieces = [data[start : start + step] for start in range(0, data.nbytes, step)]
    file.write(head("dict", 3) + _text(CHUNKED) + head("bool", True) + _text("shape") + head("dict", len(tensor.shape)))
    for axis, size in enumerate(tensor.shape):
        file.write(_text(str(axis)) + head("int", size))
    file.write(_text("chunks") + head("dict", len(pieces)))
    for index, piece in enumerate(pieces):
        file.write(_text(str(index)))
        _write_array(file, (piece.nbytes // itemsize,), tensor.dtype, piece)


def _write_array(file: Writable, shape: tuple[int, ...], dtype: np.dtype, data: memoryview) -> None:
    sizes = b"".join(head("int", size) for size in shape)
    message = head("list", 3) + head("list", len(shape)) + sizes + _text(dtype.name) + head("bin", data.nbytes)
    file.write(head("ext", len(message) + data.nbytes) + bytes([ARRAY]) + message)
    file.write(data)


def _text(text: str) -> bytes:
    encoded = text.encode()
    return head("str", len(encoded)) + encoded


def head(kind: str, number: int) -> bytes:
    """The shortest header for something of a kind, and of a length, a count or a value."""
    if (kind, number) in _FIXED_BYTE:
        return bytes([_FIXED_BYTE[kind, number]])
    byte, width = next((byte, width) for byte, (wide, width) in WIDE.items() if wide == kind and number < 256**width)
    return bytes([byte]) + number.to_bytes(width, "big")
