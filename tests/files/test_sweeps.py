"""Short forms of the sweeps (`make test-kills`), and the refusals that each framework's own saving meets."""

from __future__ import annotations

import errno
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.files.saves import CHANGING, intercept, on_disk, refusing, restore
from triformers.cards import BACKENDS
from triformers.files.errors import FileError


def swept(module: str, *arguments: str) -> list[dict]:
    """What a sweep prints, in a process of its own: other tests' threads and modules would be forked with it."""
    command = [sys.executable, "-m", f"tests.files.{module}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.backend("torch")
def test_saves_of_every_kind_are_killed_and_refused() -> None:
    found = swept("sweep", "--trials", "3", "--step", "29")
    assert len(found) == 9
    assert all(sum(kind["at calls"].values()) > 2 and kind["refused"]["refused"] > 1 for kind in found)
    assert sum(kind["at random"]["killed"] for kind in found) > 4


@pytest.mark.backend("torch")
def test_a_reader_beside_a_writer_never_sees_a_mixture() -> None:
    (found,) = swept("overwrites", "--count", "12")
    assert found["loads"] > 5 and len(found["model and tokenizer"]) > 1


@pytest.mark.backend
@pytest.mark.parametrize("form", ["whole", "sharded", "native"])
def test_a_refused_call_leaves_the_old_model(form: str, backend: str, tmp_path: Path) -> None:
    options = {"whole": {}, "sharded": {"max_shard_size": "1KB"}, "native": {"safe_serialization": False}}[form]
    triformers = importlib.import_module("triformers")
    sizes = {"vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = triformers.BertConfig(**sizes, intermediate_size=8)
    model = getattr(triformers, f"{BACKENDS[backend].class_prefix}BertModel")(config)
    model.save_pretrained(tmp_path / "model", **options)
    before, handles = on_disk(tmp_path), len(os.listdir("/dev/fd"))
    originals = {name: getattr(os, name) for name in CHANGING}
    refused = 0
    for k in range(0, 1000, 5):
        calls = intercept(k, refusing(errno.ENOSPC), names=("rename", "replace", "link", "write", "fsync"))
        try:
            model.save_pretrained(tmp_path / "model", **options)
        except FileError as error:
            refused += 1
            assert error.errno == errno.ENOSPC and on_disk(tmp_path) == before
        finally:
            restore(originals)
        assert len(os.listdir("/dev/fd")) <= handles  # fewer, when the collector closed somebody else's meanwhile
        if k >= len(calls):
            break
    assert refused > 3 and on_disk(tmp_path) == before  # saved undisturbed, it is the same bytes
