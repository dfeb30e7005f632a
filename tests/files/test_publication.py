"""All old or all new: whoever is killed, whatever the disk refuses, whatever a publication claims."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.files.saves import (
    CHANGING,
    NEW,
    OLD,
    as_located,
    fresh,
    in_child,
    intercept,
    killed_at,
    on_disk,
    plain,
    refusing,
    restore,
    save,
    save_new,
    unfinished,
)
from triformers.files.errors import FileError
from triformers.files.inventory import seal
from triformers.files.transaction import HIDDEN, MANIFEST_NAME, PUBLISHED, SaveTransaction, settle, verify_manifest


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_a_save_killed_anywhere_leaves_all_old_or_all_new(
    old: Path, tmp_path: Path, links: bool, originals: dict[str, Callable]
) -> None:
    outcomes = set()

    if not links:
        os.link = refusing(errno.EPERM)
    for after in (False, True):
        k = 0
        while True:
            place = fresh(old, tmp_path / "copy")
            if not killed_at(k, after, partial(save_new, place)):
                break
            k += 1
            if links:  # one file has a foreign reader's guarantee, and is never absent
                for name in ("config.json", "model.bin"):
                    assert (place / name).read_bytes() in (OLD[name], NEW[name])
            in_place = as_located(place)
            assert in_place in (OLD, NEW)
            settle(place)
            assert plain(place) == as_located(place) == in_place
            assert not (place / PUBLISHED).exists() and verify_manifest(place) == []
            outcomes.add(len(in_place))
            save(place, {"config.json": b"next"})
            assert set(on_disk(place)) == {*in_place, MANIFEST_NAME} | ({"sub"} if in_place == NEW else set())
        assert k > 40
    assert outcomes == {len(OLD), len(NEW)}


def test_rolling_forward_killed_anywhere_still_ends_all_new(old: Path, tmp_path: Path) -> None:
    unfinished(old)
    for after in (False, True):
        k = 0
        while True:
            place = fresh(old, tmp_path / "copy")
            if not killed_at(k, after, partial(settle, place)):
                break
            k += 1
            assert as_located(place) == NEW
            settle(place)
            assert plain(place) == NEW and verify_manifest(place) == []
        assert k > 10


def test_rolling_back_killed_anywhere_leaves_all_old_or_all_new(
    old: Path, tmp_path: Path, originals: dict[str, Callable]
) -> None:
    replaces = 0

    def fail_then_kill() -> None:
        """Refuse the third file's move, then be killed at the k-th change from there."""

        def third(*args: object, **kwargs: object) -> None:
            nonlocal replaces
            replaces += 1
            if replaces == 3:
                os.replace = originals["replace"]
                intercept(k, lambda: os._exit(77), names=("rename", "replace", "link"))
                raise OSError(errno.EIO, "refused")
            originals["replace"](*args, **kwargs)

        os.replace = third
        with pytest.raises(FileError):
            save_new(place)

    k = 0
    while True:
        place = fresh(old, tmp_path / "copy")
        code = in_child(fail_then_kill)
        if code == 0:
            break
        assert code == 77
        k += 1
        seen = as_located(place)
        assert seen in (OLD, NEW)
        settle(place)
        assert plain(place) == as_located(place) == seen and verify_manifest(place) == []
    assert k >= 5
    assert plain(place) == OLD and not os.path.lexists(place / HIDDEN)


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_a_refused_call_leaves_the_old_files_and_no_litter(
    old: Path, tmp_path: Path, links: bool, originals: dict[str, Callable]
) -> None:
    names = tuple(name for name in CHANGING if name not in ("unlink", "rmdir"))
    handles = len(os.listdir("/dev/fd"))
    refused, tolerated, k = [], [], 0
    while True:
        place = fresh(old, tmp_path / "copy")
        before = on_disk(tmp_path)
        if not links:
            os.link = refusing(errno.EPERM)
        calls = intercept(k, refusing(errno.ENOSPC), names=names)
        try:
            save_new(place)
        except FileError as error:
            refused.append(calls[k])
            assert error.errno == errno.ENOSPC and str(tmp_path) in str(error)
            assert on_disk(tmp_path) == before
        else:
            tolerated += calls[k : k + 1]
            assert plain(place) == NEW
        finally:
            restore(originals)
        assert len(os.listdir("/dev/fd")) == handles
        if len(calls) <= k:
            break
        k += 1
    # A folder that exists need not be made, and the last flush comes when the save is complete.
    assert sorted({*tolerated}) == ["fsync", "mkdir"] and tolerated.count("fsync") == 1
    assert {*refused} == {*names} and len(refused) > 35


def test_a_refused_save_leaves_no_folders(old: Path, originals: dict[str, Callable]) -> None:
    before = on_disk(old)
    intercept(1, refusing(errno.ENOSPC), names=("replace",))
    with pytest.raises(FileError):
        save(old, {"a/b/c.bin": b"new"})
    assert on_disk(old) == before


def test_where_not_even_undoing_is_possible_the_new_files_are_read_in_place(
    old: Path, originals: dict[str, Callable]
) -> None:
    def broken() -> None:
        os.replace = os.rename = refusing(errno.EIO)

    intercept(0, broken, after=True, names=("rename",))  # the first rename publishes
    with pytest.raises(FileError, match="reads them from where they are"):
        save_new(old)
    settle(old)
    assert as_located(old) == NEW and plain(old) == OLD
    restore(originals)
    settle(old)
    assert plain(old) == NEW


def test_the_next_save_finishes_the_one_before(old: Path) -> None:
    unfinished(old)
    with SaveTransaction(old) as stage:
        assert plain(old) == NEW
        stage.write_bytes("config.json", b"newest")
    assert plain(old) == NEW | {"config.json": b"newest"}
    assert verify_manifest(old) == [] and not os.path.lexists(old / HIDDEN)


def test_a_folder_that_appears_in_a_files_place_is_refused_before_publishing(
    old: Path, originals: dict[str, Callable]
) -> None:
    renames = intercept(-1, lambda: None, names=("rename",))
    with pytest.raises(FileError, match="is a folder"), SaveTransaction(old) as stage:
        stage.write_bytes("config.json", b"new")
        stage.write_bytes("new.bin", b"new")
        (old / "new.bin").mkdir()
    assert renames == [] and plain(old) == OLD and not os.path.lexists(old / HIDDEN)


def resealed(directory: Path, **changes: object) -> None:
    path = directory / PUBLISHED / "record.json"
    content = json.loads(path.read_text()) | changes
    del content["sha256"]
    path.write_bytes(seal(content))


def with_traversal(directory: Path, outside: Path) -> None:
    entry = {"size": 3, "sha256": "0" * 64}
    (directory / PUBLISHED / "files" / "..x").write_bytes(b"abc")
    resealed(directory, files={"../outside/x": entry})


def with_removal_outside(directory: Path, outside: Path) -> None:
    resealed(directory, removed=["../outside/precious"])


def with_linked_source(directory: Path, outside: Path) -> None:
    shutil.rmtree(directory / PUBLISHED / "files" / "sub")
    (directory / PUBLISHED / "files" / "sub").symlink_to(outside)
    (outside / "deep.bin").write_bytes(b"new")


def with_linked_file(directory: Path, outside: Path) -> None:
    (directory / PUBLISHED / "files" / "new.bin").unlink()
    (directory / PUBLISHED / "files" / "new.bin").symlink_to("../")  # as long as the file


def with_linked_aside(directory: Path, outside: Path) -> None:
    shutil.rmtree(directory / PUBLISHED / "old")
    (directory / PUBLISHED / "old").symlink_to(outside)


def with_linked_target(directory: Path, outside: Path) -> None:
    (directory / "sub").symlink_to(outside)


def with_linked_room(directory: Path, outside: Path) -> None:
    os.rename(directory / HIDDEN, outside / "room")
    (directory / HIDDEN).symlink_to(outside / "room")


def with_reserved_name(directory: Path, outside: Path) -> None:
    resealed(directory, removed=[f"{HIDDEN}/published"])


def with_flipped_record(directory: Path, outside: Path) -> None:
    path = directory / PUBLISHED / "record.json"
    path.write_text(path.read_text().replace("gone.bin", "gone.bim"))


def with_short_file(directory: Path, outside: Path) -> None:
    (directory / PUBLISHED / "files" / "model.bin").write_bytes(b"new")


def with_lost_file(directory: Path, outside: Path) -> None:
    (directory / PUBLISHED / "files" / "new.bin").unlink()


@pytest.mark.parametrize(
    "damage",
    [
        with_traversal,
        with_removal_outside,
        with_linked_source,
        with_linked_file,
        with_linked_aside,
        with_linked_target,
        with_linked_room,
        with_reserved_name,
        with_flipped_record,
        with_short_file,
        with_lost_file,
    ],
)
def test_a_hostile_or_damaged_publication_is_refused_and_moves_nothing(
    old: Path, tmp_path: Path, damage: Callable[[Path, Path], None]
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_bytes(b"precious")
    unfinished(old)
    damage(old, outside)
    before = on_disk(tmp_path)
    for act in (settle, lambda directory: save(directory, {"config.json": b"x"})):
        with pytest.raises(FileError):
            act(old)
        assert on_disk(tmp_path) == before
