"""The fuzzer in short: a round of each kind of file; and that it notices what it is there for."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hostile import fuzz


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Rounds of a few files, and what fails left where it is deleted."""
    monkeypatch.setattr(fuzz, "ROUND", 25)
    monkeypatch.setattr(fuzz, "SECONDS", 1.0)
    monkeypatch.setattr(fuzz, "LEFT", tmp_path / "left")


@pytest.mark.parametrize("name", fuzz.seeds())
def test_changed_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    assert fuzz.fuzz(name, tmp_path, seconds=0.001, first=0) == 25


def _spin(data: bytes) -> None:
    while True:
        time.time()


WRONG: dict[str, tuple[Callable[[bytes], Any], type[Exception]]] = {
    "an error of another family": (lambda data: {}["x"], KeyError),
    "an array that is not as described": (lambda data: data[10**9], IndexError),
    "a file that takes for ever": (_spin, TimeoutError),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_noticed_and_the_file_is_kept(what: str, tmp_path: Path) -> None:
    read, error = WRONG[what]
    signal.signal(signal.SIGPROF, fuzz.too_long)
    with pytest.raises(error):
        fuzz.check(read, b"data")
    assert [path.read_bytes() for path in (tmp_path / "left").iterdir()] == [b"data"]
