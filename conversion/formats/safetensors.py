"""The safetensors format: eight bytes of header length, a JSON header, then the tensors' bytes in a row.

https://huggingface.co/docs/safetensors: the header is an object `{name: {dtype, shape, data_offsets}}`, offsets count
from the end of the header, tensors neither overlap nor leave gaps. Everything the header claims is checked against
the size of the file before anything is allocated; the tensors are then mapped, not read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from math import prod
from pathlib import Path
from typing import Any, Protocol, TypeGuard

import numpy as np

from triformers.conversion.formats.tensors import Tensor, let_go, map_file, numpy_dtype, stored_bytes
from triformers.files.errors import FileError, InputError, three_beats
from triformers.files.strict_json import parse_json

#: The format's own names of the types, in the order in which a file holds its tensors: widest first.
DTYPES: Mapping[str, str] = {
    "C64": "complex64", "F64": "float64", "I64": "int64", "U64": "uint64", "F32": "float32", "I32": "int32",
    "U32": "uint32", "F16": "float16", "BF16": "bfloat16", "I16": "int16", "U16": "uint16", "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2", "I8": "int8", "U8": "uint8", "BOOL": "bool",
}  # fmt: skip
CODES = {name: code for code, name in DTYPES.items()}

LENGTH_BYTES = 8
#: The longest header that other readers of the format accept.
MAX_HEADER = 100_000_000
#: The most axes that an array has in every version of NumPy.
MAX_AXES = 32

#: What 4.x' TensorFlow and Flax models sign a file with -> their framework, and how their own names end.
OWN_NAMES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "tf": ("tensorflow", (":0",)),
    "flax": ("flax", (".kernel", ".embedding", ".scale")),
}


class Writable(Protocol):
    """What a writer needs of a file."""

    def write(self, data: Any, /) -> Any:
        """Append bytes."""


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Open a file: its tensors by name, each mapped copy-on-write when it is read.

    Raises:
        FileError: The file is shorter than it says, or its header is not to be trusted.
    """
    mapped = map_file(path)
    header_size = int.from_bytes(mapped[:LENGTH_BYTES].tobytes(), "little")
    start = LENGTH_BYTES + header_size
    if len(mapped) < start or header_size > MAX_HEADER:
        raise damaged(path, f"a header of {header_size} bytes in a file of {len(mapped)}", "a header within the file")
    header, metadata = _header_of(path, mapped[LENGTH_BYTES:start].tobytes())
    entries = {name: _entry(path, name, entry) for name, entry in header.items()}
    _check_contiguous(path, entries, len(mapped) - start)
    layout = _layout_of(header, metadata.get("format"))
    return {
        name: _tensor(mapped, name, dtype, shape, start + begin, start + end, layout)
        for name, (dtype, shape, begin, end) in entries.items()
    }


def _layout_of(names: Iterable[str], writer: str | None) -> str:
    """The framework in whose names and axes the tensors are, by what a file says of its writer, and its names.

    Other libraries name themselves over canonical names.
    """
    layout, ends = OWN_NAMES.get(writer or "", ("torch", ()))
    return layout if any(name.endswith(ends) for name in names) else "torch"


def _header_of(path: Path, text: bytes) -> tuple[dict[str, Any], dict[str, str]]:
    """What the header says of each tensor, and the strings about the whole file."""
    if not text.startswith(b"{"):  # no byte order mark, no space: a file has one form
        raise damaged(path, f"a header that begins with {text[:1]!r}", "a JSON object")
    header = parse_json(text, source=f"{path} (header)", max_bytes=MAX_HEADER)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise damaged(path, "a __metadata__ that is no object of strings", "strings by name")
    return header, metadata


def _entry(path: Path, name: str, entry: Any) -> tuple[np.dtype, tuple[int, ...], int, int]:
    """One tensor's (type, shape, begin, end), each checked."""
    fields = entry if isinstance(entry, dict) else {}
    code, shape, offsets = fields.get("dtype"), fields.get("shape"), fields.get("data_offsets")
    if not isinstance(code, str) or code not in DTYPES:
        raise damaged(path, f"tensor {name!r} of type {code!r}", f"one of {', '.join(DTYPES)}")
    if not _naturals(shape) or not _naturals(offsets) or len(offsets) != 2:
        raise damaged(path, f"tensor {name!r} of shape {shape!r} at {offsets!r}", "lists of whole numbers")
    dtype, (begin, end) = numpy_dtype(DTYPES[code]), offsets
    if len(shape) > MAX_AXES or prod(size or 1 for size in shape) * dtype.itemsize >= 2**63:
        raise damaged(path, f"tensor {name!r} of shape {shape}", "a shape that an array can have")
    if end - begin != prod(shape) * dtype.itemsize:
        raise damaged(
            path, f"tensor {name!r} of {code} {shape} in {end - begin} bytes", f"{prod(shape)} x {dtype.itemsize}"
        )
    return dtype, tuple(shape), begin, end


def _naturals(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 2**63 for item in value)


def _check_contiguous(path: Path, entries: Mapping[str, tuple[np.dtype, tuple[int, ...], int, int]], size: int) -> None:
    """Refuse tensors that overlap, leave gaps, or do not end where the file does."""
    position = 0
    for name, (_, _, begin, end) in sorted(entries.items(), key=lambda item: item[1][2:]):
        if begin != position:
            raise damaged(
                path, f"tensor {name!r} starting at byte {begin}", f"byte {position}, where the last one ended"
            )
        position = end
    if position != size:
        raise damaged(
            path, f"{size} bytes of tensors", f"{position}, as the header says: the file is cut short or padded"
        )


def _tensor(
    mapped: np.ndarray, name: str, dtype: np.dtype, shape: tuple[int, ...], begin: int, end: int, layout: str
) -> Tensor:
    read = lambda: mapped[begin:end].view(dtype).reshape(shape)  # noqa: E731
    return Tensor(name, shape, dtype, read, layout, let_go=lambda: let_go(mapped, begin, end))


def damaged(path: Path, found: str, expected: str) -> FileError:
    """The error for a file that cannot be what it claims."""
    found = found if len(found) <= 300 else f"{found[:300]}..."  # names and shapes can be as long as a header
    return FileError(three_beats(f"{path}: {found}", expected, "Fetch or save the file again."))


def write_safetensors(
    file: Writable,
    tensors: Mapping[str, Tensor],
    metadata: Mapping[str, str],
    progress: Callable[[int], Any] | None = None,
) -> None:
    """Write a file, one tensor in memory at a time; the same tensors always give the same bytes.

    Args:
        file: Where to; only written to, never sought in.
        tensors: What to write, by name; each is read once, in the order of the file.
        metadata: Strings for the header.
        progress: Called with the number of bytes after each tensor.

    Raises:
        InputError: A tensor has a type that the format does not have.
    """
    for name, tensor in tensors.items():
        if tensor.dtype.name not in CODES:
            found = f"tensor {name[:80]!r} has the type {tensor.dtype.name}, which safetensors does not have"
            raise InputError(three_beats(found, "a type such as float32 or complex64", "Change its type, then save."))
    ordered = sorted(tensors, key=lambda name: (list(CODES).index(tensors[name].dtype.name), name))
    header = json.dumps(_header(ordered, tensors, metadata), separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-len(header) % LENGTH_BYTES)  # so that the tensors start aligned
    file.write(len(header).to_bytes(LENGTH_BYTES, "little"))
    file.write(header)
    for name in ordered:
        data = stored_bytes(tensors[name].read())
        file.write(data)
        if progress is not None:
            progress(data.nbytes)


def _header(ordered: Iterable[str], tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> dict[str, Any]:
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    position = 0
    for name in ordered:
        tensor = tensors[name]
        end = position + prod(tensor.shape) * tensor.dtype.itemsize
        header[name] = {
            "dtype": CODES[tensor.dtype.name],
            "shape": list(tensor.shape),
            "data_offsets": [position, end],
        }
        position = end
    return header
