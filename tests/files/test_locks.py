"""Saves and readers wait for each other where there are locks, and work where there are none."""

from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path

import pytest

from tests.files.saves import NEW, OLD, plain, refusing, save, save_new
from triformers.files import locks
from triformers.files.errors import FileError
from triformers.files.transaction import HIDDEN, reading, verify_manifest


def test_a_save_waits_for_readers_and_says_so_in_the_end(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "LOCK_TIMEOUT", 0.05)
    with reading(old), reading(old), pytest.raises(FileError, match="in use by another"):
        save_new(old)
    assert plain(old) == OLD
    save_new(old)
    assert plain(old) == NEW


def test_a_lock_is_that_of_the_folder_that_is_there_now(old: Path) -> None:
    held = locks.acquire(old, exclusive=True)
    waiting = threading.Thread(target=save_new, args=(old,))
    waiting.start()
    time.sleep(0.05)
    os.rename(old, old.with_name("aside"))
    save(old, OLD)
    with reading(old):
        locks.release(held)
        time.sleep(0.05)
        assert plain(old) == OLD  # the save waits for the reader of the folder that it will change
    waiting.join()
    assert plain(old) == NEW and plain(old.with_name("aside")) == OLD


@pytest.mark.parametrize("without", ["module", "file system"])
def test_saves_work_without_locks(old: Path, without: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if without == "module":
        monkeypatch.setattr(locks, "fcntl", None)
    else:
        monkeypatch.setattr(locks.fcntl, "flock", refusing(errno.EBADF))
    abandoned = old / HIDDEN / "stage-abandoned"
    abandoned.mkdir(parents=True)
    save(old, {"config.json": b"young stages stay: their save may live"})
    assert abandoned.is_dir()
    os.utime(abandoned, (0, time.time() - 2 * 24 * 3600))
    save_new(old)
    with reading(old):
        assert plain(old) == NEW
    assert verify_manifest(old) == [] and not os.path.lexists(old / HIDDEN)
