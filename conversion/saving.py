"""Writing a model in any of the formats: which names and axes each wants, and which writer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from triformers.cards import BACKENDS, Weights
from triformers.conversion.formats import stage_files
from triformers.conversion.formats.names import format_of
from triformers.conversion.formats.safetensors import Writable, write_safetensors
from triformers.conversion.formats.tensors import Tensor
from triformers.conversion.native import native_tensors, snake_case
from triformers.conversion.slots import Slot
from triformers.files.transaction import SaveTransaction


@dataclass(frozen=True)
class Contents:
    """What a checkpoint is made of.

    Attributes:
        tensors: By canonical name, in canonical axes.
        slots: The model's slots, which know the kinds of its layers; of whichever framework.
        weights: What the architecture declares about its tensors' names.
        stem: The model's class without a framework's prefix.
    """

    tensors: Mapping[str, Tensor]
    slots: Sequence[Slot]
    weights: Weights
    stem: str


def stage_checkpoint(
    stage: SaveTransaction,
    contents: Contents,
    format_name: str,
    max_shard_size: int | str | None = None,
    variant: str | None = None,
    progress: Callable[[int], Any] | None = None,
) -> None:
    """Stage a model's tensors in one of the formats, whole or sharded.

    Args:
        stage: The save that they are part of.
        contents: The model.
        format_name: One of `FORMATS`.
        max_shard_size: The most bytes of tensors in one file; None for no limit.
        variant: What stands before the extension in the files' names.
        progress: Called with the number of bytes after each tensor.

    Raises:
        InputError: There is no such format, or it does not hold one of the types.
        MissingDependencyError: The format's library is not installed.
    """
    form = format_of(format_name)
    tensors, listed = contents.tensors, str
    if form.layout != "torch":
        tensors = native_tensors(contents.tensors, contents.slots, form.layout, contents.weights)
    if format_name == "h5":
        from triformers.conversion.formats.hdf5.writing import listed as listed_in_hdf5

        listed = partial(listed_in_hdf5, model=_keras_name(contents), owners=contents.weights.native_layers)
    write = partial(_write, format_name, contents, progress)
    stage_files(stage, tensors, form, write, max_shard_size, variant, listed)


def _write(
    format_name: str,
    contents: Contents,
    progress: Callable[[int], Any] | None,
    file: Writable,
    tensors: Mapping[str, Tensor],
    is_shard: bool,
) -> None:
    """Write some of a model's tensors, in the format's names and axes, into one file."""
    if format_name == "safetensors":
        write_safetensors(file, tensors, {"format": "pt"}, progress)
    elif format_name == "bin":
        from triformers.conversion.formats.pickled import write_pickled

        write_pickled(file, tensors, progress)
    elif format_name == "msgpack":
        from triformers.conversion.formats.msgpack import write_msgpack

        write_msgpack(file, tensors, progress)
    else:
        from triformers.conversion.formats.hdf5 import write_hdf5

        model, shared = ("", {}) if is_shard else (_keras_name(contents), _listed_twice(contents.weights, tensors))
        write_hdf5(file, tensors, model, shared, contents.weights.native_layers, progress)


def _keras_name(contents: Contents) -> str:
    """What Keras 2 called a model of 4.x."""
    return snake_case(BACKENDS["tensorflow"].class_prefix + contents.stem)


def _listed_twice(weights: Weights, tensors: Mapping[str, Tensor]) -> dict[str, list[str]]:
    """The outermost layers that hold a part of another one -> the tensors of that part."""
    return {
        layer: [name for name in tensors if name.startswith(f"{other}/")]
        for layer, other in weights.native_shared.items()
        if any(name.startswith(f"{layer}/") for name in tensors)
    }
