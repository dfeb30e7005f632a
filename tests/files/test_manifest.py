"""The manifest lists what was saved in a folder, and verifying finds every byte that changed since."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.files.saves import OLD, save
from triformers.files.errors import FileError
from triformers.files.inventory import seal
from triformers.files.transaction import MANIFEST_NAME, verify_manifest


def test_the_manifest_merges_and_says_what_is_there(old: Path) -> None:
    def listed() -> set[str]:
        return set(json.loads((old / MANIFEST_NAME).read_text())["files"])

    assert listed() == set(OLD)
    save(old, {"new.bin": b"1"})
    assert listed() == {*OLD, "new.bin"}
    save(old, {}, removed=("gone.bin",))
    assert listed() == {"config.json", "model.bin", "new.bin"}
    first = (old / MANIFEST_NAME).read_bytes()
    save(old, {"new.bin": b"1"})
    assert (old / MANIFEST_NAME).read_bytes() == first


def test_verification_finds_every_flipped_byte(old: Path) -> None:
    for name in OLD:
        path = old / name
        sound = path.read_bytes()
        for at in range(len(sound)):
            path.write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :])
            assert [problem.split(":")[0] for problem in verify_manifest(old)] == [name]
        path.write_bytes(sound + b"x")
        assert f"{len(sound) + 1} bytes" in verify_manifest(old)[0]
        path.unlink()
        assert verify_manifest(old) == [f"{name}: missing"]
        path.write_bytes(sound)
    (old / "unlisted").write_text("x")
    assert verify_manifest(old) == []


def test_verification_finds_a_changed_manifest(old: Path) -> None:
    path = old / MANIFEST_NAME
    sound = path.read_bytes()
    for at in range(0, len(sound) - 1, 7):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :])
        problems = verify_manifest(old)
        assert sound[at : at + 1].isspace() or problems
        assert all(problem.startswith((MANIFEST_NAME, *OLD)) for problem in problems)
    path.unlink()
    assert "missing" in verify_manifest(old)[0]
    save(old, {"config.json": b"new"})
    assert verify_manifest(old) == []
    with pytest.raises(FileError):
        verify_manifest(old / "absent")


def test_a_manifest_leads_nowhere_else(old: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (old / "link.bin").symlink_to(tmp_path / "secret")
    for name in ("../secret", "link.bin"):
        entry = {name: {"size": 1, "sha256": hashlib.sha256(b"x").hexdigest()}}
        (old / MANIFEST_NAME).write_bytes(seal({"files": entry}))
        assert len(verify_manifest(old)) == 1
