"""A save appears whole or not at all, as whoever saves sees it: names, modes, links, misuse."""

from __future__ import annotations

import mmap
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.files.saves import NAMES, NEW, OLD, as_located, on_disk, plain, save, save_new
from triformers.files.errors import FileError, InputError
from triformers.files.transaction import HIDDEN, MANIFEST_NAME, SaveTransaction, locate, settle, verify_manifest


def test_a_save_appears_whole_and_leaves_nothing_else(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"
    save(directory, OLD)
    save_new(directory)
    assert plain(directory) == as_located(directory) == NEW
    assert set(on_disk(directory)) == {*NEW, "sub", MANIFEST_NAME}
    assert verify_manifest(directory) == []


operations = st.lists(
    st.tuples(st.sampled_from(["write", "remove", "abandon"]), st.sampled_from(NAMES), st.binary(max_size=5)),
    max_size=6,
)


@given(saves=st.lists(st.tuples(operations, st.booleans()), max_size=4))
@settings(max_examples=40)
def test_saves_behave_as_dictionary_updates(saves: list) -> None:
    with tempfile.TemporaryDirectory() as folder:
        model: dict[str, bytes] = {}
        for steps, fails in saves:
            update: dict[str, bytes | None] = dict(model)
            with suppress(KeyError), SaveTransaction(folder) as stage:
                for kind, name, data in steps:
                    if kind == "write":
                        stage.write_bytes(name, data)
                        update[name] = data
                    elif kind == "remove":
                        stage.remove(name)
                        update[name] = None
                    else:
                        with suppress(KeyError), stage.open(name) as file:
                            file.write(data)
                            raise KeyError
                        update[name] = model.get(name)
                if fails:
                    raise KeyError
            if not fails:
                model = {name: data for name, data in update.items() if data is not None}
            assert plain(Path(folder)) == as_located(Path(folder)) == model
            assert not os.path.lexists(Path(folder, HIDDEN))
            assert not model or verify_manifest(folder) == []


def test_an_exception_leaves_everything_as_it_was(old: Path, tmp_path: Path) -> None:
    before = on_disk(tmp_path)
    for directory in (old, tmp_path / "not" / "there"):
        with pytest.raises(KeyError), SaveTransaction(directory) as stage:
            stage.write_bytes("config.json", b"new")
            stage.open("model.bin").write(b"new")
            raise KeyError
    assert on_disk(tmp_path) == before


def test_misuse_is_refused_and_changes_nothing(old: Path, tmp_path: Path) -> None:
    before = on_disk(tmp_path)
    with pytest.raises(InputError, match=r"model\.bin was not closed"), SaveTransaction(old) as stage:
        stage.write_bytes("config.json", b"new")
        stage.open("model.bin").write(b"new")
    with pytest.raises(InputError, match="not open"):
        stage.write_bytes("config.json", b"new")
    with pytest.raises(InputError, match="used before"), stage:
        pass
    assert on_disk(tmp_path) == before


@pytest.mark.parametrize("name", ["../x", "/x", "", "a\\b", HIDDEN, f"{HIDDEN}/published/record.json", "sub", "file/x"])
def test_names_that_cannot_be_saved(name: str, tmp_path: Path) -> None:
    (tmp_path / "m" / "sub").mkdir(parents=True)
    (tmp_path / "m" / "file").write_text("x")
    before = on_disk(tmp_path)
    for act in (lambda stage: stage.write_bytes(name, b""), lambda stage: stage.remove(name)):
        with pytest.raises(FileError), SaveTransaction(tmp_path / "m") as stage:
            act(stage)
    assert on_disk(tmp_path) == before


def test_a_file_in_the_directorys_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OSError) as caught, SaveTransaction(path):
            pass
        assert isinstance(caught.value, FileError) and str(tmp_path / "file") in str(caught.value)
    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.parametrize("name", ["\udcff", " ", "a\nb", "-x", "~", "con", "ü", "%s{}", "a" * 200, "l/../m"])
def test_odd_directories_are_saved_into(name: str, tmp_path: Path) -> None:
    (tmp_path / "l").mkdir()
    directory = Path(os.path.join(tmp_path, name))
    save(directory, OLD)
    save_new(directory)
    assert plain(directory) == as_located(directory) == NEW
    assert verify_manifest(directory) == []


@pytest.mark.parametrize("name", ["\ud800", "a\0b"], ids=ascii)
def test_what_is_no_path_is_refused_by_every_door(name: str, tmp_path: Path) -> None:
    directory = os.path.join(tmp_path, name)
    doors = (lambda: save(Path(directory), OLD), lambda: settle(directory), lambda: locate(directory, "x"))
    for door in (*doors, lambda: verify_manifest(directory)):
        with pytest.raises(FileError, match="no path has") as caught:
            door()
        str(caught.value).encode("utf-8")
    assert list(tmp_path.iterdir()) == []


def test_links_in_the_directorys_place(tmp_path: Path) -> None:
    save(tmp_path / "target", OLD)
    (tmp_path / "link").symlink_to(tmp_path / "target")
    save_new(tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and plain(tmp_path / "target") == NEW
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("dangling", "loop"):
        with pytest.raises(FileError, match="is a link to nothing"):
            save_new(tmp_path / name)
        with pytest.raises(FileError):
            verify_manifest(tmp_path / name)


@pytest.mark.parametrize("when", ["before a file", "within a file", "after the files"])
def test_who_deletes_the_directory_ends_the_save(when: str, old: Path, tmp_path: Path) -> None:
    with pytest.raises(FileError), SaveTransaction(old) as stage:
        stage.write_bytes("config.json", b"new")
        if when == "before a file":
            shutil.rmtree(old)
        with stage.open("model.bin") as file:
            file.write(b"new")
            if when == "within a file":
                shutil.rmtree(old)
            file.write(b"new")
        shutil.rmtree(old, ignore_errors=True)
    assert on_disk(tmp_path) == {}


def test_a_staged_file_that_was_lost_is_missed_before_it_counts(old: Path) -> None:
    before = on_disk(old)
    with pytest.raises(FileError), SaveTransaction(old) as stage:
        stage.write_bytes("config.json", b"new")
        stage.write_bytes("model.bin", b"new")
        next((old / HIDDEN).glob("stage-*/files/model.bin")).unlink()
    assert on_disk(old) == before


def test_what_a_save_replaces_is_asked_when_it_is_published(tmp_path: Path) -> None:
    with SaveTransaction(tmp_path) as sharded:
        sharded.write_bytes("model-1.bin", b"first")
        sharded.write_bytes("model-2.bin", b"second")
        sharded.remove_where(lambda name: name.startswith("model"))
        save(tmp_path, {"model.bin": b"whole", "other.bin": b"other"})
    assert set(on_disk(tmp_path)) == {"model-1.bin", "model-2.bin", "other.bin", MANIFEST_NAME}
    assert verify_manifest(tmp_path) == []


def test_modes_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        save(tmp_path / "m", NEW)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "m").stat().st_mode) == 0o750
    for name in (*NEW, MANIFEST_NAME):
        assert stat.S_IMODE((tmp_path / "m" / name).stat().st_mode) == 0o640


def test_a_mapped_file_is_replaced_not_overwritten(old: Path) -> None:
    with (
        open(old / "model.bin", "rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
    ):
        save_new(old)
        assert mapped[:] == OLD["model.bin"]


def test_a_link_is_replaced_not_followed(old: Path, tmp_path: Path) -> None:
    (tmp_path / "shared").write_bytes(b"shared")
    os.unlink(old / "model.bin")
    (old / "model.bin").symlink_to(tmp_path / "shared")
    save_new(old)
    assert plain(old) == NEW and not (old / "model.bin").is_symlink()
    assert (tmp_path / "shared").read_bytes() == b"shared"


def test_relative_directories_survive_a_change_of_directory(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(old.parent)
    with SaveTransaction("model") as stage:
        os.chdir("/")
        stage.write_bytes("config.json", b"new")
    assert (old / "config.json").read_bytes() == b"new"


def test_importing_brings_no_framework_and_no_hub() -> None:
    code = "import sys, triformers.files.transaction as _; print(*(m.partition('.')[0] for m in sys.modules))"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "tensorflow", "keras", "jax", "flax", "numpy", "huggingface_hub"} & set(modules)


def test_the_manifest_itself_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="reserved"), SaveTransaction(tmp_path) as stage:
        stage.write_text(MANIFEST_NAME, "{}")
    assert list(tmp_path.iterdir()) == []
