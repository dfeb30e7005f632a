"""`triformers convert`: a checkpoint in another format, another type, or other shards."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..cards import Card, card_of
from ..configuration import CONFIG_NAME, PretrainedConfig
from ..conversion.formats import open_checkpoint
from ..conversion.formats.names import FORMATS, format_of
from ..conversion.formats.shards import bytes_of, size_of
from ..conversion.formats.tensors import Tensor, is_floating, numpy_dtype
from ..conversion.saving import Contents, stage_checkpoint
from ..files.errors import InputError, three_beats
from ..files.layout import MANIFEST_NAME
from ..files.paths import safe_join
from ..files.transaction import SaveTransaction
from ..hub.find import Repository
from .canonical import in_canonical_axes, is_canonical, slots_of
from .choose import config_of, stem_of

#: How much of a file is copied at a time.
PIECE = 2**20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("source", metavar="SRC", help="a directory or Hub name")
    parser.add_argument("target", metavar="DST", type=Path, help="the directory to write, made if it is not there")
    parser.add_argument("--to", choices=list(FORMATS), default="safetensors", help="the format (default: safetensors)")
    parser.add_argument(
        "--from", dest="source_format", choices=list(FORMATS), help="the format to read, if there are several"
    )
    parser.add_argument("--dtype", help="the type of floating tensors, such as bfloat16 (default: as they are)")
    parser.add_argument(
        "--max-shard-size", metavar="SIZE", help="the most bytes in one file, such as 5GB (default: no limit)"
    )
    parser.add_argument("--variant", help="read the files of this variant, such as fp16")


def run(options: argparse.Namespace) -> int:
    """Write the checkpoint, all or nothing.

    Raises:
        TriformersError: There is no such checkpoint, it is damaged, or it does not fit its architecture.
    """
    if options.max_shard_size is not None:
        bytes_of(options.max_shard_size)  # a wrong size is told before anything is read
    dtype = None if options.dtype is None else numpy_dtype(options.dtype)
    repository = Repository(options.source)
    if repository.directory is not None and options.target.resolve() == repository.directory.resolve():
        found = f"{options.target} as source and target"
        raise InputError(three_beats(found, "another directory to write", "Give a new name."))
    with repository.reading():
        config = config_of(repository)
        formats = [options.source_format] if options.source_format else list(FORMATS)
        tensors = open_checkpoint(repository, formats, options.variant)
        contents = _contents(tensors, config, card_of(config.model_type), options)
        contents = replace(contents, tensors={name: _cast(each, dtype) for name, each in contents.tensors.items()})
        with SaveTransaction(options.target) as stage, _Bar(contents.tensors.values()) as bar:
            stage_checkpoint(stage, contents, options.to, options.max_shard_size, None, bar.update)
            stage.write_text(CONFIG_NAME, _config_text(config, dtype))
            for path in _companions(repository):
                with path.open("rb") as source, stage.open(path.name) as target:
                    while piece := source.read(PIECE):
                        target.write(piece)
    print(f"{options.source} -> {options.target}: {len(contents.tensors)} tensors in {options.to}")
    return 0


def _contents(
    tensors: Mapping[str, Tensor], config: PretrainedConfig, card: Card, options: argparse.Namespace
) -> Contents:
    """A checkpoint in canonical names and axes, with the model's slots where the target's axes depend on them."""
    stem = stem_of(card, None, config)
    if format_of(options.to).layout == "torch" and is_canonical(tensors):
        return Contents(tensors, (), card.weights, stem)
    slots = slots_of(card, stem, config, tensors, options.source)
    filled = in_canonical_axes(tensors, slots, card, config, options.source)
    return Contents(filled, [slot for slot in slots if slot.name in filled], card.weights, stem)


def _cast(tensor: Tensor, dtype: np.dtype | None) -> Tensor:
    """A floating tensor in another type, converted when it is read."""
    if dtype is None or dtype == tensor.dtype or not is_floating(tensor.dtype):
        return tensor
    return replace(tensor, dtype=dtype, read=lambda: tensor.read().astype(dtype))


def _config_text(config: PretrainedConfig, dtype: np.dtype | None) -> str:
    """The configuration, its type corrected."""
    if dtype is not None:
        config.torch_dtype = dtype.name
    return config.to_json_string()


def _companions(repository: Repository) -> Iterator[Path]:
    """The other files that a directory holds beside its tensors.

    Raises:
        FileError: One is a link that leads out of the directory: it could copy what was never part of the checkpoint.
    """
    for path in sorted(repository.directory.iterdir()) if repository.directory is not None else ():
        is_weights = any(path.name.endswith(form.file[form.file.index(".") :]) for form in FORMATS.values())
        is_index = path.name.endswith(".json") and ".index" in path.name
        own = path.name in (CONFIG_NAME, MANIFEST_NAME) or path.name.startswith(".")
        if path.is_file() and not (is_weights or is_index or own):
            yield safe_join(path.parent, path.name)


class _Bar:
    """A bar of the bytes written, where someone looks."""

    def __init__(self, tensors: Iterable[Tensor]) -> None:
        from tqdm import tqdm

        total = sum(map(size_of, tensors))
        self._bar = tqdm(total=total, unit="B", unit_scale=True, unit_divisor=1000, disable=None, leave=False)

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.close()

    def update(self, count: int) -> None:
        """So many bytes more are written."""
        self._bar.update(count)
