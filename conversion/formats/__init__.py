"""Readers and writers of checkpoint files. A reader gives (name, shape, type, lazy array) and needs no framework."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from triformers.conversion.formats.names import FORMATS, Format, format_of
from triformers.conversion.formats.safetensors import Writable, read_safetensors
from triformers.conversion.formats.shards import bytes_of, index_text, read_shards, split
from triformers.conversion.formats.tensors import Checkpoint, Tensor
from triformers.files.errors import FileError, three_beats
from triformers.files.transaction import SaveTransaction
from triformers.hub.find import Repository


def open_checkpoint(
    repository: Repository, formats: Iterable[str] = tuple(FORMATS), variant: str | None = None
) -> Checkpoint:
    """The tensors of a checkpoint, whole or sharded, none of them read yet, under the names that they have there.

    Args:
        repository: Where it is.
        formats: Names of the formats that it may be in; the first that is there is read.
        variant: What stands before the extension in the files' names: "fp16" for `model.fp16.safetensors`.

    Raises:
        FileError: There is no checkpoint, or a file of it is damaged.
        MissingDependencyError: It is in a format whose library is not installed.
    """
    wanted = {name: format_of(name) for name in formats}
    for name, form in wanted.items():
        if (whole := repository.file(form.whole(variant), required=False)) is not None:
            return reader_of(name)(whole)
        if (index := repository.file(form.index(variant), required=False)) is not None:
            return read_shards(repository, index, reader_of(name))
    first, *rest = (form.whole(variant) for form in wanted.values())
    raise FileError(
        three_beats(
            f"{repository.name} holds no {first}" + (f", and no {' or '.join(rest)}" if rest else ""),
            "a checkpoint in one of these files, or in shards with an index",
            "Check the name, and the arguments that choose a file (variant, use_safetensors, from_tf, from_flax).",
        )
    )


def reader_of(name: str) -> Callable[[Path], Checkpoint]:
    """The reader of a format, imported when it is asked for."""
    if name == "bin":
        from triformers.conversion.formats.pickled import read_pickled

        return read_pickled
    if name == "msgpack":
        from triformers.conversion.formats.msgpack import read_msgpack

        return read_msgpack
    if name == "h5":
        from triformers.conversion.formats.hdf5 import read_hdf5

        return read_hdf5
    return read_safetensors


def stage_files(
    stage: SaveTransaction,
    tensors: Mapping[str, Tensor],
    form: Format,
    write: Callable[[Writable, Mapping[str, Tensor], bool], None],
    max_shard_size: int | str | None = None,
    variant: str | None = None,
    listed: Callable[[str], str] = str,
) -> None:
    """Stage a checkpoint, in one file or in several with their index; what an earlier one left goes.

    Args:
        stage: The save that it is part of.
        tensors: What to write, in the format's names and axes.
        form: The format.
        write: Writes some of the tensors into a file, and is told whether that is a shard.
        max_shard_size: The most bytes of tensors in one file: a number, or a text such as "5GB"; None for no limit.
        variant: What stands before the extension in the files' names.
        listed: What the index calls a tensor.

    Raises:
        InputError: The size is none.
    """
    groups = [list(tensors.values())] if max_shard_size is None else split(tensors.values(), bytes_of(max_shard_size))
    names, is_sharded = [form.whole(variant)], len(groups) > 1
    if is_sharded:
        names = [form.shard(number, len(groups), variant) for number in range(1, len(groups) + 1)]
        stage.write_text(form.index(variant), index_text(dict(zip(names, groups, strict=True)), listed))
    for name, group in zip(names, groups or [[]], strict=True):
        with stage.open(name) as file:
            write(file, {tensor.name: tensor for tensor in group}, is_sharded)
    stage.remove_where(partial(form.is_left_over, variant=variant))
