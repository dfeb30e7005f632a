"""Readers and writers of checkpoint files. A reader gives (name, shape, type, lazy array) and needs no framework."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from triformers.conversion.formats.names import FORMATS, Format, format_of
from triformers.conversion.formats.safetensors import read_safetensors, write_safetensors
from triformers.conversion.formats.shards import bytes_of, index_text, read_shards, split
from triformers.conversion.formats.tensors import Checkpoint, Tensor
from triformers.files.errors import FileError, three_beats
from triformers.files.transaction import SaveTransaction
from triformers.hub.find import Repository


def open_checkpoint(
    repository: Repository, formats: Iterable[str] = tuple(FORMATS), variant: str | None = None
) -> Checkpoint:
    """The tensors of a checkpoint, whole or sharded, none of them read yet.

    Args:
        repository: Where it is.
        formats: Names of the formats that it may be in; the first that is there is read.
        variant: What stands before the extension in the files' names: "fp16" for `model.fp16.safetensors`.

    Raises:
        FileError: There is no checkpoint, or a file of it is damaged.
    """
    wanted = [format_of(name) for name in formats]
    for form in wanted:
        if (whole := repository.file(form.whole(variant), required=False)) is not None:
            return read_safetensors(whole)
        if (index := repository.file(form.index(variant), required=False)) is not None:
            return read_shards(repository, index, form, read_safetensors)
    first, *rest = (form.whole(variant) for form in wanted)
    raise FileError(
        three_beats(
            f"{repository.name} holds no {first}" + (f", and no {' or '.join(rest)}" if rest else ""),
            "a checkpoint in one of these files, or in shards with an index",
            "Check the name, or convert the checkpoint to safetensors.",
        )
    )


def write_checkpoint(
    stage: SaveTransaction,
    tensors: Mapping[str, Tensor],
    form: Format,
    max_shard_size: int | str | None = None,
    variant: str | None = None,
) -> None:
    """Stage a checkpoint, in one file or in several with their index; what an earlier one left goes.

    Args:
        stage: The save that it is part of.
        tensors: What to write, in the format's names and axes.
        form: The format.
        max_shard_size: The most bytes of tensors in one file: a number, or a text such as "5GB"; None for no limit.
        variant: What stands before the extension in the files' names.

    Raises:
        InputError: The size is none.
    """
    groups = [list(tensors.values())] if max_shard_size is None else split(tensors.values(), bytes_of(max_shard_size))
    names = [form.whole(variant)]
    if len(groups) > 1:
        names = [form.shard(number, len(groups), variant) for number in range(1, len(groups) + 1)]
        stage.write_text(form.index(variant), index_text(dict(zip(names, groups, strict=True))))
    for name, group in zip(names, groups or [[]], strict=True):
        with stage.open(name) as file:
            write_safetensors(file, {tensor.name: tensor for tensor in group}, {"format": "pt"})
    written = {*names, form.index(variant)} if len(groups) > 1 else set(names)
    if stage.directory.is_dir():
        for entry in stage.directory.iterdir():
            if form.is_left_over(entry.name, variant) and entry.name not in written:
                stage.remove(entry.name)
