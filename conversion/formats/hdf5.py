"""TensorFlow's format, `tf_model.h5`: an HDF5 file of weights in the groups of Keras 2.

What Keras 2 writes (`Model.save_weights` of tf-keras): attributes `layer_names`, `backend` and `keras_version` at the
root; one group for each of the model's outermost layers, its attribute `weight_names` listing the layer's weights; and
each weight as a dataset of that name within the group: `bert/tf_bert_model/bert/pooler/dense/kernel:0`, where the
second word is the model's own name. A list of more than 64512 bytes is split into `weight_names0`, `weight_names1`.
A layer that two others hold is listed under both. The shards of transformers 4.x have neither groups nor the model's
name: `bert/pooler/dense/kernel:0` is their whole path.

A weight is called here what both forms agree on, `bert/pooler/dense/kernel:0`.

HDF5 can do far more (https://support.hdfgroup.org/documentation/): links into other files, data kept in other files,
filters that inflate. Keras uses none of it, so all of it is refused. `list_datasets` is the one function in which the
HDF5 library sees a file from elsewhere; what it answers are plain values, and the numbers are then mapped without it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from math import prod
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from triformers.conversion.formats.safetensors import Writable, damaged
from triformers.conversion.formats.tensors import Tensor, numpy_dtype, stored_array, stored_bytes
from triformers.files.disk import os_errors
from triformers.files.errors import FileError, InputError, MissingDependencyError, three_beats

SIGNATURE = b"\x89HDF\r\n\x1a\n"
#: The deepest group in a group; real files stay below 15.
MAX_DEPTH = 64
#: The most groups and datasets in a file.
MAX_OBJECTS = 2**17
#: What an attribute may hold, in bytes: Keras splits longer lists. The format's own limit is 64 KiB with its header.
MAX_ATTRIBUTE = 64512
#: What Keras calls itself in a file; `from_pretrained` of 4.x looks at neither.
BACKEND, KERAS_VERSION = b"tensorflow", b"2.18.0"

#: The attributes that tell a layer's group from any other.
LISTS = ("weight_names", "weight_names0")

TYPES = (
    "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8",
    "uint64", "uint32", "uint16", "uint8", "bool", "complex64", "complex128",
)  # fmt: skip


#: What h5py raises for a damaged file.
RAISED = (OSError, LookupError, ValueError, TypeError, RuntimeError, ArithmeticError, MemoryError, SystemError)

#: What leads to a dataset.
Names: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Dataset:
    """One dataset of a file, in values that another process could hand over.

    Attributes:
        name: What its weight is called.
        layer: The group that it is in.
        shape: Its shape.
        dtype: NumPy's name of its type.
        swapped: Whether its numbers are big-endian.
        offset: Where they begin in the file; None if there are none.
    """

    name: str
    layer: str
    shape: tuple[int, ...]
    dtype: str
    swapped: bool
    offset: int | None


# ---- reading ---------------------------------------------------------------------------------------------


def read_hdf5(path: Path) -> dict[str, Tensor]:
    """Open a file: its weights by name, each mapped copy-on-write when it is read.

    Raises:
        FileError: The file is cut short, claims what cannot be, or uses what Keras never writes.
        MissingDependencyError: h5py is not installed.
    """
    with os_errors(path, "cannot be read"), path.open("rb") as file:
        if file.read(len(SIGNATURE)) != SIGNATURE:
            raise damaged(path, "no HDF5 file", "its signature at the start")
        size = path.stat().st_size
    owners: dict[str, Dataset] = {}
    for dataset in list_datasets(path):
        known = owners.setdefault(dataset.name, dataset)
        if (known.shape, known.dtype) != (dataset.shape, dataset.dtype):
            raise damaged(path, f"two weights called {_short(dataset.name)}", "the same one in both layers")
        if dataset.layer == dataset.name.partition("/")[0]:  # a layer's own group is the one that counts
            owners[dataset.name] = dataset
    _check_room(path, owners, size)
    with os_errors(path, "cannot be read"):
        mapped = np.memmap(path, np.uint8, "c")
    return {name: _tensor(mapped, dataset) for name, dataset in owners.items()}


def list_datasets(path: Path) -> list[Dataset]:
    """The datasets of a file. Their names, types and storage are checked, not yet their size.

    Raises:
        FileError: HDF5 cannot read the file, or it uses what Keras never writes.
        MissingDependencyError: h5py is not installed.
    """
    h5py = _h5py()
    with _readable(path), h5py.File(path, "r", locking=False) as file:
        found = list(_walk(path, file, [0]))
        groups = {names[0] for names, _ in found}
        layers = {group for group in groups if any(word in file[group].attrs for word in LISTS)}
        return [_dataset(path, names, dataset, names[0] in layers) for names, dataset in found]


def _walk(path: Path, group: Any, seen: list[int], names: Names = ()) -> Iterator[tuple[Names, Any]]:
    """Every dataset below a group with the names that lead to it; `seen` counts what was met on the way."""
    h5py = _h5py()
    for name in group:
        seen[0] += 1
        if len(names) >= MAX_DEPTH or seen[0] > MAX_OBJECTS:
            raise damaged(path, f"groups without end below {_short('/'.join(names))}", "the layers of a model")
        inner = (*names, name)
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise damaged(path, f"a link at {_short('/'.join(inner))}", "weights in the file itself")
        found = group[name]
        if isinstance(found, h5py.Group):
            yield from _walk(path, found, seen, inner)
        elif isinstance(found, h5py.Dataset):
            yield inner, found
        else:
            raise damaged(path, f"{_short('/'.join(inner))} is no array", "groups and arrays alone")


def _dataset(path: Path, names: Names, found: Any, in_layer: bool) -> Dataset:
    """What is to be known of a dataset, and whether all of it is as Keras has it."""
    h5py = _h5py()
    inner = names[1:] if in_layer else names
    name = "/".join((in_layer and inner[1:]) or inner)  # in a layer's group, the model's own name comes first
    identity = found.id
    plan, space = identity.get_create_plist(), identity.get_space()
    if space.get_simple_extent_type() == h5py.h5s.NULL:
        raise damaged(path, f"{_short(name)} without a shape", "an array")
    if plan.get_layout() != h5py.h5d.CONTIGUOUS or plan.get_nfilters() or plan.get_external_count():
        remedy = "arrays in one piece, as Keras writes them (h5repack -l CONTI -f NONE makes them)"
        raise damaged(path, f"{_short(name)} in chunks, compressed, or kept elsewhere", remedy)
    kind = identity.get_type()
    dtype = next((dtype for known, dtype in _types() if known == kind), None)
    if dtype is None:
        raise damaged(path, f"{_short(name)} of a type that is no number", f"one of {', '.join(TYPES)}")
    shape = tuple(int(size) for size in space.get_simple_extent_dims())
    return Dataset(name, names[0], shape, dtype.name, dtype.byteorder == ">", identity.get_offset())


@cache
def _types() -> list[tuple[Any, np.dtype]]:
    """HDF5's types -> NumPy's. HDF5 has no bfloat16 of its own; it is a float whose fields are cut otherwise."""
    h5t = _h5py().h5t
    found = []
    for dtype in (numpy_dtype(name) for name in TYPES if name != "bfloat16"):
        found += [(h5t.py_create(order, logical=True), order) for order in (dtype, dtype.newbyteorder(">"))]
    half = h5t.IEEE_F16LE.copy()
    half.set_fields(15, 7, 8, 0, 7)  # sign, exponent and its bits, mantissa and its bits
    half.set_ebias(127)
    return [*found, (half, numpy_dtype("bfloat16"))]


def _check_room(path: Path, datasets: Mapping[str, Dataset], size: int) -> None:
    """Refuse arrays that are not in the file, or that together are more than it."""
    total = 0
    for name, dataset in datasets.items():
        itemsize = numpy_dtype(dataset.dtype).itemsize
        if prod(extent or 1 for extent in dataset.shape) * itemsize >= 2**63:
            raise damaged(path, f"{_short(name)} of shape {list(dataset.shape)}", "a shape that an array can have")
        needed = prod(dataset.shape) * itemsize
        total += needed
        if needed and (dataset.offset is None or dataset.offset + needed > size or total > size):
            found = f"{_short(name)} of {needed} bytes at byte {dataset.offset} in a file of {size}"
            raise damaged(path, found, "arrays that were written, each in its own place")


def _tensor(mapped: np.ndarray, dataset: Dataset) -> Tensor:
    dtype = numpy_dtype(dataset.dtype)
    held = dtype.newbyteorder(">") if dataset.swapped else dtype

    def read() -> np.ndarray:
        return stored_array(mapped, dataset.offset or 0, held, dataset.shape).astype(dtype, copy=False)

    return Tensor(dataset.name, dataset.shape, dtype, read, layout="tensorflow")


def _short(name: str) -> str:
    return repr(name if len(name) <= 80 else f"...{name[-80:]}")  # the end says which weight it is


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what h5py raises for a damaged file into this library's error."""
    try:
        yield
    except FileError:
        raise
    except RAISED as error:
        reason = (str(error).splitlines() or [""])[0][:120]
        raise damaged(path, f"HDF5 that cannot be read ({reason})", "a file that is whole") from None


def _h5py() -> Any:
    try:
        import h5py
    except ImportError:
        found = "tf_model.h5 needs h5py, which cannot be imported here"
        remedy = "Run: pip install 'triformers[formats]'."
        raise MissingDependencyError(three_beats(found, "h5py to be installed", remedy)) from None
    return h5py


# ---- writing ---------------------------------------------------------------------------------------------


def write_hdf5(
    file: Writable,
    tensors: Mapping[str, Tensor],
    model: str = "",
    shared: Mapping[str, Sequence[str]] | None = None,
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
        progress: Called with the number of bytes after each tensor.

    Raises:
        InputError: A tensor is of a type that the format does not have, or two names cannot stand side by side.
        MissingDependencyError: h5py is not installed.
    """
    frame, offsets = _frame(tensors, model, shared or {})
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
    tensors: Mapping[str, Tensor], model: str, shared: Mapping[str, Sequence[str]]
) -> tuple[SparseFile, dict[str, int]]:
    """A file without its numbers, and where those of each tensor belong."""
    h5py = _h5py()
    layers: dict[str, list[str]] = {}
    for name in tensors:
        layers.setdefault(name.partition("/")[0], []).append(name)
    frame: SparseFile = SparseFile()
    offsets: dict[str, int] = {}
    with h5py.File(frame, "w", libver="earliest") as root:
        _write_names(root, "layer_names", list(layers) if model else list(tensors))
        if not model:
            return frame, _created(root, {name: name for name in tensors}, tensors)
        root.attrs["backend"], root.attrs["keras_version"] = np.bytes_(BACKEND), np.bytes_(KERAS_VERSION)
        for layer, names in layers.items():
            group = root.create_group(layer)
            _write_names(group, "weight_names", [f"{model}/{name}" for name in (*names, *shared.get(layer, ()))])
            offsets |= _created(group, {name: f"{model}/{name}" for name in names}, tensors)
        for layer, names in shared.items():
            for name in names:  # a second name of the same array, not another array
                root[layer][f"{model}/{name}"] = root[name.partition("/")[0]][f"{model}/{name}"]
    return frame, offsets


def _created(group: Any, paths: Mapping[str, str], tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """Make room for some tensors under their paths in a group; gives where those with numbers are."""
    offsets = {name: _create(group, path, tensors[name]) for name, path in paths.items()}
    return {name: offset for name, offset in offsets.items() if offset is not None}


def _create(group: Any, name: str, tensor: Tensor) -> int | None:
    """Make room for a tensor, nothing written there; gives where it is, None for a tensor without numbers."""
    h5py = _h5py()
    kind = next((kind for kind, dtype in _types() if dtype == tensor.dtype.newbyteorder("<")), None)
    if kind is None:
        found = f"{name} is of type {tensor.dtype.name}, which HDF5 does not have"
        raise InputError(three_beats(found, f"one of {', '.join(TYPES)}", "Convert it, or write safetensors."))
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_layout(h5py.h5d.CONTIGUOUS)
    plan.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    plan.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    plan.set_obj_track_times(False)  # a time would make each save another file
    try:
        parent = group.require_group(name.rpartition("/")[0])
        space = h5py.h5s.create_simple(tensor.shape) if tensor.shape else h5py.h5s.create(h5py.h5s.SCALAR)
        return h5py.h5d.create(parent.id, name.rpartition("/")[2].encode(), kind, space, plan).get_offset()
    except (ValueError, TypeError, OSError, RuntimeError):
        found = f"{name} stands where another weight is"
        raise InputError(three_beats(found, "names of which none begins another", "Rename one of the two.")) from None


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
