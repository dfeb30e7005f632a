"""Readers and writers of checkpoint files. A reader gives (name, shape, type, lazy array) and needs no framework."""

from __future__ import annotations

from pathlib import Path

from triformers.conversion.formats.safetensors import read_safetensors
from triformers.conversion.formats.tensors import Checkpoint
from triformers.files.errors import FileError, three_beats
from triformers.files.strict_json import load_json_object
from triformers.hub.find import Repository

SAFETENSORS_NAME = "model.safetensors"
SAFETENSORS_INDEX = "model.safetensors.index.json"

#: Every name that a whole or sharded checkpoint in this form may have in a directory.
CHECKPOINT_FILES = (SAFETENSORS_NAME, SAFETENSORS_INDEX, "model-*-of-*.safetensors")


def open_checkpoint(repository: Repository) -> Checkpoint:
    """The tensors of a checkpoint, whole or sharded, none of them read yet.

    Raises:
        FileError: There is no checkpoint, or a file of it is damaged.
    """
    whole = repository.file(SAFETENSORS_NAME, required=False)
    if whole is not None:
        return read_safetensors(whole)
    index = repository.file(SAFETENSORS_INDEX, required=False)
    if index is None:
        raise FileError(
            three_beats(
                f"{repository.name} holds no {SAFETENSORS_NAME}",
                f"{SAFETENSORS_NAME} or {SAFETENSORS_INDEX}",
                "Check the name, or convert the checkpoint to safetensors.",
            )
        )
    return _read_shards(repository, index)


def _read_shards(repository: Repository, index: Path) -> Checkpoint:
    shard_of = load_json_object(index).get("weight_map")
    if not isinstance(shard_of, dict) or not all(isinstance(name, str) for name in shard_of.values()):
        raise FileError(
            three_beats(f"{index}: no weight_map of strings", "tensor -> file name", "Fetch the index again.")
        )
    shards = {name: read_safetensors(repository.file(name, listed=True)) for name in sorted(set(shard_of.values()))}
    found = {tensor: name for name, shard in shards.items() for tensor in shard}
    if found != shard_of:
        wrong = sorted(set(found.items()) ^ set(shard_of.items()))[0][0]
        raise FileError(
            three_beats(f"{index}: lies about {wrong!r}", "the files as they are", "Fetch the shards again.")
        )
    return {tensor: shards[name][tensor] for tensor, name in shard_of.items()}
