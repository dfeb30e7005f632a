"""No name that was read from a file leads out of its directory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triformers.files.errors import FileError
from triformers.files.paths import check_name, safe_join

names = st.lists(st.sampled_from(["a", "b.bin", "..", ".", "", "C:", "\\", "\0", "/", "~"]), max_size=5)


@given(parts=names, separator=st.sampled_from(["/", "\\", "//"]))
@settings(max_examples=300)
def test_a_joined_name_is_inside(parts: list[str], separator: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.getbasetemp()
    name = separator.join(parts)
    try:
        path = safe_join(directory, name)
    except FileError:
        return
    inside = os.path.relpath(os.path.realpath(path), os.path.realpath(directory))
    assert inside != "." and not inside.startswith("..") and "\\" not in name and "\0" not in name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "./",
        "..",
        "../a",
        "a/../../b",
        "a/..",
        "/etc/passwd",
        "//a",
        "C:\\a",
        "c:a",
        "a\\b",
        "a\0",
        "\\\\h\\s",
    ],
)
def test_refused_names(name: str, tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        safe_join(tmp_path, name)
    with pytest.raises(FileError):
        check_name(name, within=tmp_path)
    assert repr(name) in str(caught.value) and str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("name", [None, 1, b"a", ["a"]])
def test_a_name_is_a_string(name: object, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="not a string"):
        safe_join(tmp_path, name)  # type: ignore[arg-type]


def test_plain_names_pass(tmp_path: Path) -> None:
    for name in ["model.safetensors", "a/b", "..a", "a..", "model-00001-of-00002.safetensors", "ü.bin", " "]:
        assert safe_join(tmp_path, name) == tmp_path / name
    assert check_name("./a//b/", within=tmp_path) == "a/b"


def test_links_may_not_lead_out(tmp_path: Path) -> None:
    directory, outside = tmp_path / "model", tmp_path / "outside"
    directory.mkdir()
    outside.mkdir()
    (outside / "secret").write_text("x")
    (directory / "real").write_text("x")
    (directory / "inner").symlink_to("real")
    (directory / "leak").symlink_to(outside / "secret")
    (directory / "folder").symlink_to(outside)
    (directory / "up").symlink_to("../outside/absent")
    (directory / "loop").symlink_to("loop")
    assert safe_join(directory, "inner").read_text() == "x"
    for name in ["leak", "folder/secret", "folder/new", "up", "loop"]:
        with pytest.raises(FileError):
            safe_join(directory, name)


def test_a_directory_reached_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").write_text("x")
    (tmp_path / "link").symlink_to("real")
    assert safe_join(tmp_path / "link", "a").read_text() == "x"


def test_hub_cache_links_reach_their_own_blobs_only(tmp_path: Path) -> None:
    repository = tmp_path / "hub" / "models--org--x"
    other = tmp_path / "hub" / "models--org--y"
    store = tmp_path / "hub" / "blobs" / "ab"
    snapshot = repository / "snapshots" / ("0" * 40)
    for folder in (snapshot / "sub", repository / "blobs", other / "blobs", store):
        folder.mkdir(parents=True)
    for blob in (repository / "blobs" / "1", other / "blobs" / "2", store / "3", repository / "secret"):
        blob.write_text("x")
    (repository / "blobs" / "4").symlink_to("../../blobs/ab/3")
    (snapshot / "own").symlink_to("../../blobs/1")
    (snapshot / "shared").symlink_to("../../blobs/4")
    (snapshot / "sub" / "own").symlink_to("../../../blobs/1")
    (snapshot / "foreign").symlink_to("../../../models--org--y/blobs/2")
    (snapshot / "near").symlink_to("../../secret")
    for directory, name in [
        (snapshot, "own"),
        (snapshot, "shared"),
        (snapshot, "sub/own"),
        (snapshot / "sub", "own"),
    ]:
        assert safe_join(directory, name).read_text() == "x"
    for name in ["foreign", "near"]:
        with pytest.raises(FileError, match="leads out"):
            safe_join(snapshot, name)


def test_blobs_beside_an_ordinary_folder_are_outside(tmp_path: Path) -> None:
    directory = tmp_path / "x" / "snapshots" / "1"
    directory.mkdir(parents=True)
    (tmp_path / "x" / "blobs").mkdir()
    (tmp_path / "x" / "blobs" / "b").write_text("x")
    (directory / "b").symlink_to("../../blobs/b")
    with pytest.raises(FileError, match="leads out"):
        safe_join(directory, "b")
