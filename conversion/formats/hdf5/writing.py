"""Writing `tf_model.h5`: h5py makes all but the numbers, which are written past it in one stream."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from triformers.conversion.formats.hdf5.types import TYPES
from triformers.conversion.formats.safetensors import Writable
from triformers.conversion.formats.tensors import Tensor, numpy_dtype, stored_bytes
from triformers.files.errors import InputError, MissingDependencyError, three_beats

#: What an attribute may hold, in bytes: Keras splits longer lists. The format's own limit is 64 KiB with its header.
MAX_ATTRIBUTE = 64512
#: What Keras calls itself in a file; `from_pretrained` of 4.x looks at neither.
BACKEND, KERAS_VERSION = b"tensorflow", b"2.18.0"


def write_hdf5(
    file: Writable,
    tensors: Mapping[str, Tensor],
    model: str = "",
    shared: Mapping[str, Sequence[str]] | None = None,
    owners: Mapping[str, str] | None = None,
    progress: Callable[[int], Any] | None = None,
) -> None:
    """Write a file, one tensor in memory at a time; the same tensors in the same order always give the same bytes.

    h5py makes all but the numbers, in memory: the places of the arrays are then known, and what lies between them
    is written with them in one pass.

    Args:
        file: Where to; only written to, never sought in.
        tensors: What to write, by the names of the weights; each is read once.
        model: What Keras calls the model (`tf_bert_model`); empty for a shard, which does not say.
        shared: Layer -> weights of another layer that it holds too: listed under both, and stored once.
        owners: First word of a weight's name that stands in the place of the model's -> the layer that holds it.
        progress: Called with the number of bytes after each tensor.

    Raises:
        InputError: A tensor is of a type that the format does not have, or two names cannot stand side by side.
        MissingDependencyError: h5py is not installed.
    """
    frame, offsets = _frame(tensors, model, shared or {}, owners or {})
    position = 0
    for name in sorted(offsets, key=offsets.__getitem__):
        frame.copy(file, position, offsets[name])
        data = stored_bytes(tensors[name].read())
        file.write(data)
        position = offsets[name] + data.nbytes
        if progress is not None:
            progress(data.nbytes)
    frame.copy(file, position, frame.size)


def _frame(
    tensors: Mapping[str, Tensor], model: str, shared: Mapping[str, Sequence[str]], owners: Mapping[str, str]
) -> tuple[SparseFile, dict[str, int]]:
    """A file without its numbers, and where those of each tensor belong."""
    h5py = _h5py()
    layers: dict[str, list[str]] = {}
    for name in tensors:
        word = name.partition("/")[0].removesuffix(":0")
        layers.setdefault(owners.get(word, word), []).append(name)
    frame: SparseFile = SparseFile()
    offsets: dict[str, int] = {}
    with h5py.File(frame, "w", libver="earliest") as root:
        _write_names(root, "layer_names", list(layers) if model else list(tensors))
        if not model:
            return frame, _created(root, {name: name for name in tensors}, tensors)
        root.attrs["backend"], root.attrs["keras_version"] = np.bytes_(BACKEND), np.bytes_(KERAS_VERSION)
        for layer, names in layers.items():
            group = root.create_group(layer)
            _write_names(
                group, "weight_names", [listed(name, model, owners) for name in (*names, *shared.get(layer, ()))]
            )
            offsets |= _created(group, {name: listed(name, model, owners) for name in names}, tensors)
        for layer, names in shared.items():
            for name in names:  # a second name of the same array, not another array
                root[layer][listed(name, model, owners)] = root[name.partition("/")[0]][listed(name, model, owners)]
    return frame, offsets


def listed(name: str, model: str, owners: Mapping[str, str]) -> str:
    """What a layer, or an index of shards, calls a weight: the model's own name comes first.

    Not so before a weight of no layer, and one whose first word is a name of its own.
    """
    word, separator, _ = name.partition("/")
    return f"{model}/{name}" if separator and word not in owners else name


def _created(group: Any, paths: Mapping[str, str], tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """Make room for some tensors under their paths in a group; gives where those with numbers are."""
    offsets = {name: _create(group, path, tensors[name]) for name, path in paths.items()}
    return {name: offset for name, offset in offsets.items() if offset is not None}


def _create(group: Any, name: str, tensor: Tensor) -> int | None:
    """Make room for a tensor, nothing written there; gives where it is, None for a tensor without numbers."""
    h5py = _h5py()
    kind = _kinds().get(tensor.dtype.name)
    if kind is None:
        found = f"{name} is of type {tensor.dtype.name}, which HDF5 does not have"
        raise InputError(three_beats(found, f"one of {', '.join(TYPES)}", "Convert it, or write safetensors."))
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_layout(h5py.h5d.CONTIGUOUS)
    plan.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    plan.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    plan.set_obj_track_times(False)  # a time would make each save another file
    try:
        groups, _, leaf = name.rpartition("/")
        parent = group.require_group(groups) if groups else group
        space = h5py.h5s.create_simple(tensor.shape) if tensor.shape else h5py.h5s.create(h5py.h5s.SCALAR)
        return h5py.h5d.create(parent.id, leaf.encode(), kind, space, plan).get_offset()
    except (ValueError, TypeError, OSError, RuntimeError):
        found = f"{name} stands where another weight is"
        raise InputError(three_beats(found, "names of which none begins another", "Rename one of the two.")) from None


@cache
def _kinds() -> Mapping[str, Any]:
    """NumPy's name of a type -> HDF5's. It has no bfloat16 of its own: a float whose fields are cut otherwise."""
    h5t = _h5py().h5t
    half = h5t.IEEE_F16LE.copy()
    half.set_fields(15, 7, 8, 0, 7)  # sign, exponent and its bits, mantissa and its bits
    half.set_ebias(127)
    plain = (numpy_dtype(name) for name in TYPES if name != "bfloat16")
    return {"bfloat16": half, **{dtype.name: h5t.py_create(dtype.newbyteorder("<"), logical=True) for dtype in plain}}


def _h5py() -> Any:
    try:
        import h5py
    except ImportError:
        found = "writing tf_model.h5 needs h5py, which cannot be imported here"
        remedy = "Run: pip install 'triformers[formats]'."
        raise MissingDependencyError(three_beats(found, "h5py to be installed", remedy)) from None
    return h5py


def _write_names(group: Any, attribute: str, names: list[str]) -> None:
    """Write a list of names, in as many attributes as it takes."""
    encoded = np.array([name.encode() for name in names] or np.empty(0, "S1"))
    count = max(1, MAX_ATTRIBUTE // encoded.itemsize)
    pieces = [encoded[start : start + count] for start in range(0, len(encoded), count)]
    if len(pieces) <= 1:
        group.attrs[attribute] = encoded
    else:
        for index, piece in enumerate(pieces):
            group.attrs[f"{attribute}{index}"] = piece


class SparseFile(io.RawIOBase):
    """A file in memory that takes room only where it was written: pages that nobody wrote read as zeros.

    Attributes:
        size: Where it ends.
    """

    PAGE = 2**12

    def __init__(self) -> None:
        self.size = 0
        self._position = 0
        self._pages: dict[int, bytearray] = {}

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._position = offset + (0, self._position, self.size)[whence]
        return self._position

    def truncate(self, size: int | None = None, /) -> int:
        self.size = self._position if size is None else size
        return self.size

    def write(self, data: Any, /) -> int:
        view = memoryview(data).cast("B")
        written = 0
        for page, begin, end in self._parts(self._position, self._position + len(view)):
            room = self._pages.setdefault(page, bytearray(self.PAGE))
            room[begin:end] = view[written : written + end - begin]
            written += end - begin
        self._position += written
        self.size = max(self.size, self._position)
        return written

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        count = max(0, min(len(view), self.size - self._position))
        read = 0
        for page, begin, end in self._parts(self._position, self._position + count):
            view[read : read + end - begin] = self._pages.get(page, bytes(self.PAGE))[begin:end]
            read += end - begin
        self._position += read
        return read

    def copy(self, file: Writable, begin: int, end: int) -> None:
        """Write what is between two positions to another file."""
        for page, start, stop in self._parts(begin, end):
            file.write(bytes(self._pages.get(page, bytes(self.PAGE))[start:stop]))

    def _parts(self, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
        """The pages between two positions, each with the part of it that is between them."""
        for page in range(begin // self.PAGE, -(-end // self.PAGE)):
            start = page * self.PAGE
            yield page, max(begin - start, 0), min(end - start, self.PAGE)
