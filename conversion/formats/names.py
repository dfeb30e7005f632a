"""How the files of each format are named, whole and sharded, and whose axes their tensors have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from triformers.files.errors import InputError, three_beats


@dataclass(frozen=True)
class Format:
    """One format of checkpoint files.

    Attributes:
        file: The name of a whole checkpoint.
        layout: The framework in whose names and axes its tensors are; PyTorch's are the canonical ones.
    """

    file: str
    layout: str = "torch"

    def whole(self, variant: str | None = None) -> str:
        """The name of a checkpoint in one file: `model.safetensors`, or `model.fp16.safetensors`."""
        return f"{self._stem(variant)}{self._extension}"

    def shard(self, number: int, count: int, variant: str | None = None) -> str:
        """The name of a shard, counted from 1: `model-00001-of-00003.safetensors`."""
        return f"{self._stem(variant)}-{number:05d}-of-{count:05d}{self._extension}"

    def index(self, variant: str | None = None) -> str:
        """The name of the file that says which shard has which tensor: `model.safetensors.index.json`."""
        return f"{self.file}.index{f'.{variant}' if variant else ''}.json"

    def is_left_over(self, name: str, variant: str | None = None) -> bool:
        """Whether a file of this name is part of an earlier save of the same format and variant."""
        shard = rf"{re.escape(self._stem(variant))}-\d{{5}}-of-\d{{5}}{re.escape(self._extension)}"
        return name in (self.whole(variant), self.index(variant)) or re.fullmatch(shard, name) is not None

    def variants_of(self, name: str) -> list[str | None]:
        """The variant whose tensors a file of this name holds, as the one entry of a list; none for another file."""
        parts = rf"{re.escape(self._stem(None))}(?:\.(.+?))??(?:-\d{{5}}-of-\d{{5}})?{re.escape(self._extension)}"
        found = re.fullmatch(parts, name)
        return [] if found is None else [found[1]]

    def _stem(self, variant: str | None) -> str:
        stem = self.file.partition(".")[0]
        return f"{stem}.{variant}" if variant else stem

    @property
    def _extension(self) -> str:
        return self.file[self.file.index(".") :]


#: Every format, the one that is read first where a checkpoint is there in several.
FORMATS: Mapping[str, Format] = {
    "safetensors": Format("model.safetensors"),
    "bin": Format("pytorch_model.bin"),
    "msgpack": Format("flax_model.msgpack", "flax"),
    "h5": Format("tf_model.h5", "tensorflow"),
}


def left_over_beside(names: Iterable[str]) -> Callable[[str], bool]:
    """Which file names belong to other saves of the formats and variants that these belong to."""
    saved = [(form, variant) for name in names for form in FORMATS.values() for variant in form.variants_of(name)]
    return lambda name: any(form.is_left_over(name, variant) for form, variant in saved)


def read_before(directory: Path, name: str, variant: str | None = None) -> str:
    """The file of a directory, in another format, that is read before that of this one; empty if there is none."""
    for other, form in FORMATS.items():
        if other == name:
            break
        for file in (form.whole(variant), form.index(variant)):
            if (directory / file).exists():
                return file
    return ""


def format_of(name: str) -> Format:
    """The format of this name.

    Raises:
        InputError: There is none.
    """
    if name not in FORMATS:
        raise InputError(three_beats(f"the format {name!r}", f"one of {', '.join(FORMATS)}", "Correct it."))
    return FORMATS[name]
