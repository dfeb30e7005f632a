"""A reader meets the files of one save: during others, after a killed one, and where it may not write."""

from __future__ import annotations

import errno
import functools
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.files.saves import (
    NEW,
    OLD,
    as_located,
    exit_code,
    has_ended,
    in_child,
    on_disk,
    plain,
    refusing,
    restore,
    save,
    started,
    unfinished,
)
from triformers.files import locks
from triformers.files import reading as reading_room
from triformers.files.transaction import HIDDEN, reading, settle, verify_manifest


def test_nothing_to_settle_costs_one_look(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    real = os.lstat
    monkeypatch.setattr(os, "lstat", lambda path: looks.append(path) or real(path))
    for name in ("open", "scandir", "stat", "access"):
        monkeypatch.setattr(os, name, None)
    settle(old)
    assert len(looks) == 1
    settle(old / "absent")


def test_a_read_only_publication_is_read_in_place() -> None:
    place = Path(tempfile.mkdtemp())  # pytest's own folders can be entered by their owner only
    try:
        directory = place / "model"
        save(directory, OLD)
        unfinished(directory, at=2)
        for folder in (place, directory, *directory.rglob("*")):
            folder.chmod(0o555)
        before = on_disk(directory)

        def read() -> None:
            if os.getuid() == 0:
                os.setuid(65534)
            settle(directory)
            assert as_located(directory) == NEW
            with reading(directory):
                settle(directory)
                assert as_located(directory) == NEW
            assert verify_manifest(directory) == []

        assert in_child(read) == 0
        assert on_disk(directory) == before
        for folder in (place, directory, *directory.rglob("*")):
            folder.chmod(0o755)
        settle(directory)
        assert plain(directory) == NEW
    finally:
        shutil.rmtree(place)


def test_a_reader_that_holds_the_directory_does_not_wait_for_itself(
    old: Path, originals: dict[str, Callable], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "LOCK_TIMEOUT", 0.05)
    unfinished(old)
    os.link = refusing(errno.EIO)
    with reading(old):
        restore(originals)
        settle(old)
        assert as_located(old) == NEW and plain(old) == OLD
    settle(old)
    assert plain(old) == NEW
    assert not reading_room._held


def test_no_mixture_is_ever_read(tmp_path: Path) -> None:
    directory, enough = tmp_path / "m", tmp_path / "enough"

    def save_all(text: str) -> None:
        save(directory, dict.fromkeys(("config.json", "model.bin", "sub/deep.bin"), text.encode()))

    def save_until_enough(writer: int) -> None:
        for turn in itertools.count():
            save_all(f"{writer} {turn}")
            if enough.exists():
                break

    save_all("start")
    writers = [started(functools.partial(save_until_enough, writer)) for writer in range(2)]
    seen = set()
    try:
        # The number of saves is not fixed: a busy machine may let many of them pass between two readings.
        while len(seen) < 10 and not any(map(has_ended, writers)):
            with reading(directory):
                contents = set(as_located(directory).values())
            assert len(contents) == 1
            seen |= contents
    finally:
        enough.touch()
    assert [exit_code(writer) for writer in writers] == [0, 0]
    assert len(seen) >= 10
    assert verify_manifest(directory) == [] and not os.path.lexists(directory / HIDDEN)
