"""Good files that a strict reader might take for bad ones: every one is read, through every door."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import GOLDEN
from tests.hostile import hdf5_files
from tests.hostile.config_files import config
from tests.hostile.corpus import CONFIG, DATA, TENSORS, TOKENIZER, WEIGHTS, Case, Content, sound, whole
from tests.hostile.doors import doors
from tests.hostile.index_files import FIRST, INDEX, SECOND, WHOLE, index

FORMS = ("earliest", "v108", "v110", "latest")
EVERY = (*TENSORS, *CONFIG, *TOKENIZER)


def rewritten(form: str) -> bytes:
    """TensorFlow's file as other versions of HDF5 would have written it."""
    import h5py

    def fill(file: Any) -> None:
        with h5py.File(DATA / "tensorflow" / "tf_model.h5") as source:
            for name in source:
                source.copy(name, file)
            for name, value in source.attrs.items():
                file.attrs[name] = value

    return hdf5_files.made(fill, libver=form)


def in_two() -> Mapping[str, bytes]:
    """The sound tensors in two shards, and their index; the header of the second is not aligned."""
    data = sound()["model.safetensors"]
    start = 8 + int.from_bytes(data[:8], "little")
    entries = json.loads(data[8:start])
    names = [name for name in entries if name != "__metadata__"]
    shards = {}
    for file, part in ((FIRST, names[:9]), (SECOND, names[9:])):
        header, payload = {}, b""
        for name in part:
            begin, end = entries[name]["data_offsets"]
            header[name] = {**entries[name], "data_offsets": [len(payload), len(payload) + end - begin]}
            payload += data[start + begin : start + end]
        text = json.dumps(header).encode() + b" " * 3
        shards[file] = len(text).to_bytes(8, "little") + text + payload
    return {**shards, INDEX: index({name: FIRST if name in names[:9] else SECOND for name in names})}


def as_in_the_cache(name: str) -> Content:
    """A link such as those of huggingface_hub's cache, into a store beside the snapshots."""

    def make(path: Path) -> None:
        blobs = path.parents[2] / "blobs"
        blobs.mkdir(exist_ok=True)
        (blobs / name).write_bytes(sound()[name])
        os.symlink(f"../../blobs/{name}", path)

    return make


def cases() -> list[Case]:
    """Checkpoints that are to be read."""
    found = [Case("the sound one", {}, EVERY)]
    for form, (_, file) in WEIGHTS.items():
        found.append(Case(f"in {form}", {file: whole(form)}, TENSORS, WHOLE - {file}))
    found += [Case(f"in HDF5 of {form}", {"tf_model.h5": rewritten(form)}, TENSORS, WHOLE) for form in FORMS]
    found.append(Case("in two shards", in_two(), TENSORS, WHOLE))
    for folder in ("flax-shards", "tensorflow-shards"):
        files = {path.name: path.read_bytes() for path in (DATA / folder).iterdir()}
        found.append(Case(folder, files, TENSORS, WHOLE))
    for what, text in {
        "with a byte order mark": b"\xef\xbb\xbf" + config(),
        "on one line, with spaces": b"  " + config() + b"\n\n",
        "with ends of lines of another system": config().replace(b", ", b",\r\n"),
        "with letters of every script": config(note="\u00fc \u4e2d \U0001f600", finetuning_task="\ud83d\ude00"),
        "with keys of other versions": config(_num_labels=2, gradient_checkpointing=False, directionality="bidi"),
        "with a type of PyTorch": config(torch_dtype="torch.float32"),
        "with numbers as fractions": config(layer_norm_eps=1, hidden_dropout_prob=0),
        "with labels": config(id2label={"0": "no", "1": "yes"}, label2id={"no": 0, "yes": 1}),
        "with a nested value of 60 levels": config(note=json.loads("[" * 60 + "]" * 60)),
    }.items():
        found.append(Case(f"a configuration {what}", {"config.json": text}, CONFIG))
    return found


@pytest.fixture(scope="module")
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The doors of this process's framework, or those that need none."""
    return doors(request.config.getoption("backend"), tmp_path_factory.mktemp("target") / "target")


def check(case: Case, folder: Path, opened: Mapping[str, Callable[[Path], Any]]) -> None:
    """Every door of a case reads it."""
    case.write(folder)
    for name in case.doors:
        if name in opened:
            opened[name](folder)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_what_is_good_is_read(case: Case, tmp_path: Path, opened: Any) -> None:
    check(case, tmp_path / "checkpoint", opened)


@pytest.mark.backend
@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_models_read_it_too(case: Case, tmp_path: Path, opened: Any) -> None:
    check(case, tmp_path / "checkpoint", opened)


def test_links_that_a_user_or_a_cache_made_are_followed(tmp_path: Path, opened: Any) -> None:
    for name in sound():
        (tmp_path / "elsewhere").mkdir(exist_ok=True)
        (tmp_path / "elsewhere" / name).write_bytes(sound()[name])
    links = {name: lambda path, name=name: os.symlink(tmp_path / "elsewhere" / name, path) for name in sound()}
    check(Case("links", links, EVERY), tmp_path / "mine", opened)
    snapshot = tmp_path / "models--me--bert" / "snapshots" / ("0" * 40)
    shards = {name: as_in_the_cache(name) for name in sound()}
    check(Case("a cache", shards, EVERY), snapshot, opened)
    os.symlink("mine", tmp_path / "other")
    opened["tensors"](tmp_path / "other")


def test_shards_in_a_cache_are_found(tmp_path: Path, opened: Any) -> None:
    snapshot, blobs = tmp_path / "models--me--bert" / "snapshots" / ("0" * 40), tmp_path / "models--me--bert" / "blobs"
    blobs.mkdir(parents=True)
    for name, data in in_two().items():
        (blobs / name).write_bytes(data)
    links = {name: lambda path, name=name: os.symlink(f"../../blobs/{name}", path) for name in in_two()}
    check(Case("shards", links, TENSORS, WHOLE), snapshot, opened)


@pytest.mark.parametrize("path", sorted(GOLDEN.rglob("model.safetensors"))[::7], ids=lambda path: path.parent.name)
def test_recorded_tensors_are_read(path: Path, opened: Any) -> None:
    opened["tensors"](path.parent)
