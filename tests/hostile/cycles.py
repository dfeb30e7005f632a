"""Loads and saves, one after another, some of which must fail: what a process has in use afterwards.

`python -m tests.hostile.cycles COUNT FOLDER [BACKEND]` prints, as JSON, by how much the memory in use grew after the
first fifth, and how many files and mappings of files are left open.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import triformers
from tests.hostile.corpus import Case, cases, whole
from tests.hostile.doors import PREFIXES
from tests.hostile.watched import _memory
from triformers.conversion.formats import open_checkpoint
from triformers.conversion.formats.tensors import Tensor
from triformers.conversion.saving import Contents, stage_checkpoint
from triformers.files.errors import TriformersError
from triformers.files.transaction import SaveTransaction
from triformers.hub.find import Repository

#: Of the corpus, one of each kind: files that are cut short, lie, or are not there.
BAD = (
    "safetensors: cut short", "bin: pickle: os.system", "msgpack: pieces of two types", "h5: chunks",
    "index: names a file above", "shards: a shard without its tensor", "config: a key twice",
    "config: hidden_size of 'x'", "publication: lacks its file",
)  # fmt: skip


def load_and_save(backend: str | None) -> Callable[[Path, Path], Any]:
    """What loads a checkpoint and saves it again, with a framework or without."""
    if backend is not None:
        model = getattr(triformers, f"{PREFIXES[backend]}BertForPreTraining")
        return lambda source, target: model.from_pretrained(source).save_pretrained(target)

    def plain(source: Path, target: Path) -> None:
        triformers.AutoConfig.from_pretrained(source)
        tensors = open_checkpoint(Repository(source))
        read = {name: _read(tensor) for name, tensor in tensors.items()}
        with SaveTransaction(target) as stage:
            stage_checkpoint(stage, Contents(read, (), triformers.cards.card_of("bert").weights, "BertModel"), "bin")

    return plain


def _read(tensor: Tensor) -> Tensor:
    array = tensor.read()
    return Tensor(tensor.name, array.shape, array.dtype, lambda: array)


def steps(folder: Path, backend: str | None) -> Iterator[tuple[Path, Path, bool]]:
    """Sources and targets without end, and whether that must fail."""
    good = []
    for form in ("safetensors", "bin") if backend is None else ("safetensors", "bin", "msgpack", "h5"):
        file = {"safetensors": "model.safetensors", "bin": "pytorch_model.bin", "msgpack": "flax_model.msgpack"}
        name = file.get(form, "tf_model.h5")
        Case("", {name: whole(form)}, (), frozenset({"model.safetensors"}) - {name}).write(folder / form)
        good.append(folder / form)
    for index, name in enumerate(BAD):
        cases()[name].write(folder / f"bad{index}")
    (folder / "taken").write_text("a file where a folder should be")
    sources, bad = cycle(good), cycle(folder / f"bad{index}" for index in range(len(BAD)))
    while True:
        yield next(sources), folder / "saved", False
        yield next(bad), folder / "saved", True
        yield next(sources), folder / "saved", False
        yield next(sources), folder / "taken", True


def open_files(folder: Path) -> list[str]:
    """What this process has open or mapped below a folder."""
    found = []
    for entry in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found.append(os.readlink(f"/proc/self/fd/{entry}"))
    found += [line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "/" in line]
    return [path for path in found if path.startswith(str(folder))]


def run(count: int, folder: Path, backend: str | None) -> dict[str, Any]:
    """Go through so many cycles."""
    action, failed, start = load_and_save(backend), 0, 0
    for number, (source, target, fails) in zip(range(count), steps(folder, backend), strict=False):
        if number == count // 5:
            gc.collect()
            start = _memory("VmRSS")
        try:
            action(source, target)
        except TriformersError:
            failed += 1
            assert fails, f"{source} to {target}"
        else:
            assert not fails, f"{source} to {target}"
    gc.collect()
    left = sorted(path.name for path in (folder / "saved").iterdir())
    return {"grown": _memory("VmRSS") - start, "open": open_files(folder), "failed": failed, "left": left}


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), Path(sys.argv[2]).resolve(), sys.argv[3] if len(sys.argv) > 3 else None)))
