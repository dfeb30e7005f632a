"""A stage is left alone while its save lives, and deleted when it does not; so is what it made."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.files.saves import OLD, intercept, on_disk, plain, refusing, restore, save, save_new
from triformers.files.errors import FileError
from triformers.files.transaction import HIDDEN, SaveTransaction, verify_manifest


def test_a_living_save_is_not_swept_away(old: Path) -> None:
    with SaveTransaction(old) as slow:
        slow.write_bytes("new.bin", b"slow")
        save(old, {"config.json": b"fast"})
        save(old, {"config.json": b"fast again"})
    assert plain(old) == OLD | {"config.json": b"fast again", "new.bin": b"slow"}
    assert verify_manifest(old) == [] and not os.path.lexists(old / HIDDEN)


def test_a_linked_hidden_folder_is_not_staged_in(old: Path, tmp_path: Path) -> None:
    (tmp_path / "outside" / "done-x").mkdir(parents=True)
    (old / HIDDEN).symlink_to(tmp_path / "outside")
    with pytest.raises(FileError, match="is a link"):
        save_new(old)
    assert (tmp_path / "outside" / "done-x").is_dir()


def test_a_refused_save_makes_no_directories(tmp_path: Path, originals: dict[str, Callable]) -> None:
    for k in range(14):
        intercept(k, refusing(errno.ENOSPC), names=("mkdir", "fsync", "rename"))
        try:
            save(tmp_path / "a" / "b", OLD)
        except FileError:
            assert on_disk(tmp_path) == {}
        else:
            shutil.rmtree(tmp_path / "a")  # a folder that was there by then need not be made
        finally:
            restore(originals)


def test_a_forked_child_does_not_end_its_parents_save(old: Path) -> None:
    with SaveTransaction(old) as stage:
        stage.write_bytes("config.json", b"new")
        child = os.fork()
        if child == 0:
            try:
                stage.__exit__(None, None, None)
                stage.__exit__(KeyError, KeyError(), None)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        assert plain(old) == OLD
    assert (old / "config.json").read_bytes() == b"new"
