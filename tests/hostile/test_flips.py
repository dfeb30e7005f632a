"""Bits that turn over in a saved checkpoint, on a disk or on the way: with `verify=True` every one is found."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import triformers
from tests.hostile.corpus import Case
from tests.hostile.doors import PREFIXES
from triformers.cli import main
from triformers.files.errors import FileError
from triformers.files.layout import MANIFEST_NAME

#: How many bits are turned over; `make test-hostile` says 2000.
FLIPS = int(os.environ.get("FLIPS", "200"))
FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt", MANIFEST_NAME]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """The sound checkpoint, saved by this library."""
    Case("", {}, ()).write(tmp_path / "sound")
    assert main(["convert", str(tmp_path / "sound"), str(tmp_path / "saved")]) == 0
    return tmp_path / "saved"


def flipped(folder: Path, name: str, chance: random.Random) -> Callable[[], None]:
    """Turn one bit of a file over; what turns it back."""
    path = folder / name
    before = path.read_bytes()
    after = bytearray(before)
    after[chance.randrange(len(after))] ^= 1 << chance.randrange(8)
    path.write_bytes(after)
    return lambda: path.write_bytes(before) and None


def test_every_flipped_bit_is_found(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(0)
    assert sorted(path.name for path in saved.iterdir()) == sorted(FILES)
    for number in range(FLIPS):
        name = FILES[number % len(FILES)]
        undo = flipped(saved, name, chance)
        with pytest.raises(FileError, match="is not as it was saved"):
            triformers.AutoConfig.from_pretrained(saved, verify=True)
        if number % 20 == 0:
            with pytest.raises(FileError, match="is not as it was saved"):
                triformers.AutoTokenizer.from_pretrained(saved, verify=True)
            assert main(["inspect", str(saved), "--verify"]) == 2
            assert "is not as it was saved" in capsys.readouterr().err
        undo()
    assert triformers.AutoConfig.from_pretrained(saved, verify=True).hidden_size == 8
    assert triformers.AutoTokenizer.from_pretrained(saved, verify=True).vocab_size == 20


@pytest.mark.backend
@pytest.mark.parametrize("kind", ["BertModel", "AutoModel"])
def test_a_model_finds_them_too(kind: str, backend: str, saved: Path) -> None:
    chance, load = random.Random(1), getattr(triformers, PREFIXES[backend] + kind).from_pretrained
    for number in range(FLIPS // 10):
        undo = flipped(saved, FILES[number % len(FILES)], chance)
        with pytest.raises(FileError, match="is not as it was saved"):
            load(saved, verify=True)
        undo()
    assert load(saved, verify=True).config.hidden_size == 8


@pytest.mark.parametrize("name", ["vocab.txt", MANIFEST_NAME])
def test_what_is_missing_is_found(name: str, saved: Path) -> None:
    (saved / name).unlink()
    with pytest.raises(FileError, match=f"{name}: missing"):
        triformers.AutoConfig.from_pretrained(saved, verify=True)


def test_a_file_that_no_save_wrote_is_not_read(saved: Path) -> None:
    (saved / "generation_config.json").write_text("{}")
    assert triformers.GenerationConfig.from_pretrained(saved).max_length == 20
    with pytest.raises(FileError, match=r"generation_config.json in .* was not saved there"):
        triformers.GenerationConfig.from_pretrained(saved, verify=True)


def test_without_verify_nothing_is_compared(saved: Path) -> None:
    (saved / MANIFEST_NAME).unlink()
    (saved / "vocab.txt").write_text("changed")
    assert triformers.AutoConfig.from_pretrained(saved).hidden_size == 8


@pytest.mark.backend("torch")
def test_numbers_that_are_not_finite_are_reported(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    from triformers.conversion.formats.safetensors import read_safetensors, write_safetensors
    from triformers.conversion.formats.tensors import Tensor
    from triformers.files.transaction import SaveTransaction

    def spoilt(tensor: Tensor) -> Any:
        array = tensor.read()
        array.reshape(-1)[:2] = np.nan, -np.inf
        return array

    name = "bert.pooler.dense.bias"
    tensors = read_safetensors(saved / "model.safetensors")
    tensors[name] = Tensor(name, (8,), np.dtype(np.float32), lambda old=tensors[name]: spoilt(old))
    with SaveTransaction(saved) as stage, stage.open("model.safetensors") as file:
        write_safetensors(file, tensors, {"format": "pt"})
    capsys.readouterr()
    assert main(["inspect", str(saved), "--verify", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["not finite"] == {name: 2}
    assert main(["inspect", str(saved), "--verify"]) == 1
    assert f"{name} has 2 NaN or infinite" in capsys.readouterr().out
    assert main(["inspect", str(saved)]) == 0
