"""A staged file hashes all that it is given, and counts only when every byte of it was written."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.files.saves import OLD, plain, refusing, restore
from triformers.files import staged_file
from triformers.files.errors import FileError
from triformers.files.transaction import MANIFEST_NAME, SaveTransaction


def test_a_staged_file_hashes_all_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staged_file, "_CHUNK", 1000)
    monkeypatch.setattr(staged_file, "_OVERLAP_FROM", 300)
    array = np.arange(7 * 11 * 13, dtype=np.float64).reshape(7, 11, 13)
    parts = [b"", b"ab", array, array[:0], array.astype(np.float16), bytearray(299), bytes(1300)]
    with SaveTransaction(tmp_path) as stage:
        with stage.open("x.bin") as file:
            written = [file.write(part) for part in parts]
            assert file.tell() == sum(written) and file.writable()
        with pytest.raises(ValueError):
            file.write(b"late")
    expected = b"".join(memoryview(part).tobytes() for part in parts)
    assert (tmp_path / "x.bin").read_bytes() == expected
    entry = json.loads((tmp_path / MANIFEST_NAME).read_text())["files"]["x.bin"]
    assert entry == {"size": len(expected), "sha256": hashlib.sha256(expected).hexdigest()}


def test_a_file_that_failed_inside_is_not_saved(old: Path) -> None:
    with SaveTransaction(old) as stage:
        with pytest.raises(KeyError), stage.open("model.bin") as file:
            file.write(b"half")
            raise KeyError
        stage.write_text("config.json", "naïve\r\n")
    assert plain(old) == OLD | {"config.json": "naïve\r\n".encode()}


def test_a_write_that_was_refused_cannot_be_committed(old: Path, originals: dict[str, Callable]) -> None:
    with SaveTransaction(old) as stage:
        file = stage.open("model.bin")
        file.write(b"begin")
        os.write = refusing(errno.ENOSPC)
        with pytest.raises(FileError):
            file.write(b"middle")
        restore(originals)
        file.write(b"end")  # the file has a hole now, whatever follows
        stage.write_bytes("config.json", b"new")
        with pytest.raises(FileError, match="to its end"):
            file.close()
    assert plain(old) == OLD | {"config.json": b"new"}


def test_a_large_file_goes_to_the_disk_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed, fsync = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: flushed.append(descriptor) or fsync(descriptor))
    with staged_file.StagedFile(tmp_path / "large") as file:
        for _ in range(6):
            file.write(bytes(2**24))
        assert flushed
    assert file.entry is not None and file.entry.size == 6 * 2**24
    assert file.entry.sha256 == hashlib.sha256(bytes(6 * 2**24)).hexdigest()


def test_a_disk_that_refuses_behind_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> None:
        monkeypatch.setattr(os, "fsync", lambda descriptor: None)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", refuse)
    file = staged_file.StagedFile(tmp_path / "large")
    file.write(bytes(2**26 + 1))
    with pytest.raises(FileError, match="flushed"):
        file.close()
    assert file.entry is None and not (tmp_path / "large").exists()
