"""Checkpoints in several files: which tensor goes where, and the index that says so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterable, Mapping
from math import prod
from pathlib import Path
from typing import Any

from triformers.conversion.formats.tensors import Checkpoint, Tensor
from triformers.files.errors import FileError, InputError, three_beats
from triformers.files.strict_json import load_json_object
from triformers.hub.find import Repository

#: Units of a size, as in "5GB": powers of ten, or of two with an i.
UNITS: Mapping[str, int] = {
    "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40,
}  # fmt: skip


def bytes_of(size: int | str) -> int:
    """A size in bytes, from a number or a text such as "5GB" or "500MiB".

    Raises:
        InputError: It is no size.
    """
    text = str(size).strip().upper()
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?I?B)?", text)
    count = int(float(match[1]) * UNITS[match[2] or "B"]) if match else 0
    if count < 1:
        raise InputError(three_beats(f"the size {size!r}", 'a number of bytes, or a text such as "5GB"', "Correct it."))
    return count


def split(tensors: Iterable[Tensor], limit: int) -> list[list[Tensor]]:
    """Tensors in their order, in groups of at most `limit` bytes; a tensor that is larger has a group of its own."""
    groups: list[list[Tensor]] = []
    room = 0
    for tensor in tensors:
        size = size_of(tensor)
        if not groups or size > room:
            groups.append([])
            room = limit
        groups[-1].append(tensor)
        room -= size
    return groups


def size_of(tensor: Tensor) -> int:
    """The bytes of a tensor."""
    return prod(tensor.shape) * tensor.dtype.itemsize


def index_text(groups: Mapping[str, Iterable[Tensor]], listed: Callable[[str], str] = str) -> str:
    """The text of an index: file name -> its tensors, the other way round, and the bytes of all.

    Args:
        groups: The tensors of each file.
        listed: What the index calls a tensor.
    """
    weight_map = {listed(tensor.name): name for name, group in groups.items() for tensor in group}
    total = sum(size_of(tensor) for group in groups.values() for tensor in group)
    return json.dumps({"metadata": {"total_size": total}, "weight_map": weight_map}, indent=2, sort_keys=True) + "\n"


def _shard(repository: Repository, index: Path, name: str) -> Path:
    """The file of a checkpoint that its index names."""
    try:
        return repository.file(name, listed=True)
    except FileError as error:
        raise FileError(f"{index} names a shard that cannot be read: {error}") from None


def _stored(listed: str, shard: Container[str]) -> str:
    """What a shard calls the tensor that the index calls so: in TensorFlow's index alone most have the model's name."""
    return listed if listed in shard else listed.partition("/")[2] or listed


def read_shards(repository: Repository, index: Path, read: Callable[[Path], Checkpoint]) -> dict[str, Tensor]:
    """The tensors of a sharded checkpoint.

    Raises:
        FileError: The index is no index, or names tensors or files that are not there.
    """
    shard_of: Any = load_json_object(index).get("weight_map")
    if not isinstance(shard_of, dict) or not all(isinstance(name, str) for name in shard_of.values()):
        raise FileError(
            three_beats(f"{index}: no weight_map of strings", "tensor -> file name", "Fetch the index again.")
        )
    shards = {name: read(_shard(repository, index, name)) for name in sorted(set(shard_of.values()))}
    shard_of = {_stored(tensor, shards[name]): name for tensor, name in shard_of.items()}
    found = {tensor: name for name, shard in shards.items() for tensor in shard}
    if found != shard_of:
        wrong = sorted(set(found.items()) ^ set(shard_of.items()))[0][0]
        raise FileError(
            three_beats(f"{index}: lies about {wrong!r}", "the files as they are", "Fetch the shards again.")
        )
    if sum(map(len, shards.values())) != len(found):
        raise FileError(three_beats(f"{index}: a tensor in two shards", "each in one", "Fetch the shards again."))
    return {tensor: shards[name][tensor] for tensor, name in found.items()}
