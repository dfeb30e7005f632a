"""The weights of a `tf_model.h5`: the arrays below its groups, each checked and then mapped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from struct import Struct
from typing import TypeAlias

import numpy as np

from triformers.conversion.formats.hdf5.attributes import attributes, listed
from triformers.conversion.formats.hdf5.groups import MAX_NAME, is_group, links
from triformers.conversion.formats.hdf5.structure import (
    FILTERS,
    LAYOUT,
    NOWHERE,
    OUTSIDE,
    SHARED,
    SPACE,
    TYPE,
    Message,
    Structure,
)
from triformers.conversion.formats.hdf5.types import TYPES, type_of
from triformers.conversion.formats.safetensors import MAX_AXES, damaged
from triformers.conversion.formats.tensors import Tensor, map_file, numpy_dtype, stored_array

#: The deepest group in a group; real files stay below 15.
MAX_DEPTH = 64

#: The lists at the root and in a layer's group; the second also tells such a group from any other.
LAYERS, WEIGHTS = "layer_names", "weight_names"

_SPACE, _LAYOUT, _PLACE = Struct("<4B"), Struct("<2B"), Struct("<QQ")
#: versions of the layout that begin alike, and the class of arrays in one piece
_LAYOUTS, _CONTIGUOUS = (3, 4, 5), 1
_NO_SHAPE = 2

#: What leads to a dataset.
Names: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """One array of a file.

    Attributes:
        name: What its weight is called.
        layer: The group that it is in.
        shape: Its shape.
        dtype: The type of its numbers, in their order of bytes.
        offset: Where they begin in the file; None if there are none.
    """

    name: str
    layer: str
    shape: tuple[int, ...]
    dtype: np.dtype
    offset: int | None


def read_hdf5(path: Path) -> dict[str, Tensor]:
    """Open a file: its weights by name, each mapped copy-on-write when it is read.

    Raises:
        FileError: The file is cut short, claims what cannot be, or uses what Keras never writes.
    """
    mapped = map_file(path)
    owners: dict[str, Dataset] = {}
    for dataset in datasets(Structure(path, mapped.data)):
        known = owners.setdefault(dataset.name, dataset)
        if (known.shape, known.dtype) != (dataset.shape, dataset.dtype):
            raise damaged(path, f"two weights called {_short(dataset.name)}", "the same one in both layers")
        if dataset.layer == dataset.name.partition("/")[0]:  # a layer's own group is the one that counts
            owners[dataset.name] = dataset
    _check_room(path, owners, len(mapped))
    return {name: _tensor(mapped, dataset) for name, dataset in owners.items()}


def datasets(file: Structure) -> Iterator[Dataset]:
    """The arrays of a file. Their names, types and storage are checked, not yet their size."""
    root = file.messages(file.root)
    if not is_group(root):
        raise file.damaged("no group at the root", "the layers of a model")
    missing = listed(file, attributes(file, root), LAYERS)
    for layer, address in links(file, root, "").items():
        messages = file.messages(address)
        lists = attributes(file, messages) if is_group(messages) else {}
        found = dict(_walk(file, messages, (layer,)))
        _check_listed(file, layer, listed(file, lists, WEIGHTS) - {"/".join(names[1:]) for names in found})
        missing -= {layer, *("/".join(names) for names in found)}
        is_layer = not lists.keys().isdisjoint({WEIGHTS, f"{WEIGHTS}0"})
        yield from (_dataset(file, names, each, is_layer) for names, each in found.items())
    _check_listed(file, "the file", missing)


def _check_listed(file: Structure, where: str, missing: set[str]) -> None:
    """Refuse a list of what is not there."""
    if missing:
        raise file.damaged(
            f"{_short(where)} lists {_short(min(missing))}, which it does not have", "lists of what is there"
        )


def _walk(file: Structure, messages: list[Message], names: Names) -> Iterator[tuple[Names, list[Message]]]:
    """Every array below an object with the names that lead to it, the object itself if it is one."""
    where = "/".join(names)
    if len(names) > MAX_DEPTH or len(where) > MAX_NAME:
        raise file.damaged(f"groups without end below {_short(where)}", "the layers of a model")
    if not is_group(messages):
        yield names, messages
        return
    for name, address in links(file, messages, where).items():
        yield from _walk(file, file.messages(address), (*names, name))


def _dataset(file: Structure, names: Names, messages: list[Message], in_layer: bool) -> Dataset:
    """What is to be known of an array, and whether all of it is as Keras has it."""
    inner = names[1:] if in_layer else names
    name = "/".join((in_layer and inner[1:]) or inner)  # in a layer's group, the model's own name comes first
    facts = {message.kind: message for message in reversed(messages)}
    if not {SPACE, TYPE, LAYOUT} <= facts.keys():
        raise file.damaged(f"{_short(name)} is no array", "groups and arrays alone")
    described = facts[TYPE]
    dtype = None if described.flags & SHARED else type_of(described.body)
    if dtype is None:
        raise file.damaged(f"{_short(name)} of a type that is no number", f"one of {', '.join(TYPES)}")
    shape = _shape(file, facts[SPACE], name)
    version, kind = file.unpacked(_LAYOUT, facts[LAYOUT])
    if version not in _LAYOUTS or kind != _CONTIGUOUS or not facts.keys().isdisjoint({OUTSIDE, FILTERS}):
        remedy = "arrays in one piece, as Keras writes them (h5repack -l CONTI -f NONE makes them)"
        raise file.damaged(f"{_short(name)} in chunks, compressed, or kept elsewhere", remedy)
    address, size = file.unpacked(_PLACE, facts[LAYOUT], begin=_LAYOUT.size)
    if size != prod(shape) * dtype.itemsize:
        raise file.damaged(f"{_short(name)} of {dtype.name} {list(shape)} in {size} bytes", "as many as it has")
    return Dataset(name, names[0], shape, dtype, None if address == NOWHERE else address)


def _shape(file: Structure, message: Message, name: str) -> tuple[int, ...]:
    version, axes, _, kind = file.unpacked(_SPACE, message)
    if version not in (1, 2) or axes > MAX_AXES or (version == 2 and kind == _NO_SHAPE):
        raise file.damaged(f"{_short(name)} without a shape", "an array")
    return file.unpacked(Struct(f"<{axes}Q"), message, begin=8 if version == 1 else 4)


def _check_room(path: Path, datasets: Mapping[str, Dataset], size: int) -> None:
    """Refuse arrays that are not in the file, or that together are more than it."""
    total = 0
    for name, dataset in datasets.items():
        itemsize = dataset.dtype.itemsize
        if prod(extent or 1 for extent in dataset.shape) * itemsize >= 2**63:
            raise damaged(path, f"{_short(name)} of shape {list(dataset.shape)}", "a shape that an array can have")
        needed = prod(dataset.shape) * itemsize
        total += needed
        if needed and (dataset.offset is None or dataset.offset + needed > size or total > size):
            found = f"{_short(name)} of {needed} bytes at byte {dataset.offset} in a file of {size}"
            raise damaged(path, found, "arrays that were written, each in its own place")


def _tensor(mapped: np.ndarray, dataset: Dataset) -> Tensor:
    dtype = numpy_dtype(dataset.dtype.name)

    def read() -> np.ndarray:
        return stored_array(mapped, dataset.offset or 0, dataset.dtype, dataset.shape).astype(dtype, copy=False)

    return Tensor(dataset.name, dataset.shape, dtype, read, layout="tensorflow")


def _short(name: str) -> str:
    return repr(name if len(name) <= 80 else f"...{name[-80:]}")  # the end says which weight it is
