"""Fetching one file into huggingface_hub's cache, and comparing it with the hash that the Hub states.

huggingface_hub checks the size of what it downloads and files it under its hash (the `ETag`), but does not compute
that hash. It is computed here, once, when the file is new in the cache. A mark beside huggingface_hub's locks says that
a file was not compared yet: it outlives a process that is killed in between, and makes the next reader compare.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..files.errors import FileError, three_beats


class WrongBytesError(FileError):
    """A file came with other bytes than the Hub has, and was deleted."""


def fetch(repository: Path, filename: str, download: Callable[[], str], etag: Callable[[str], str | None]) -> Path:
    """Download a file into the cache, or find it there, and compare what is new with its hash.

    Args:
        repository: The repository's folder in the cache; it need not exist.
        filename: The file's name in the repository.
        download: Does it; gives the path.
        etag: The Hub's hash of the file at a commit, asked where the cache does not say it.

    Raises:
        WrongBytesError: It came with other bytes than the Hub has.
    """
    before = {path: _identity(path) for path in _cached(repository, filename)}
    with _marked(repository, filename) as was_marked:
        path = Path(download())
        blob = path.resolve()
        is_known = any(known.resolve() == blob and seen == _identity(path) for known, seen in before.items())
        if was_marked or not is_known:
            compare(repository, filename, path, etag)
    return path


def check(repository: Path, filename: str, path: Path, etag: Callable[[str], str | None]) -> None:
    """Compare a file that the cache has if nobody did. Arguments and errors as those of `fetch`."""
    if (mark := _mark(repository, filename)).exists():
        compare(repository, filename, path, etag)
        _unmark(mark)


def compare(repository: Path, filename: str, path: Path, etag: Callable[[str], str | None]) -> None:
    """Compare a file in the cache with the hash that it is filed under, and delete it if it differs.

    Raises:
        WrongBytesError: It differs.
    """
    stated = _filed_under(path) or etag(path.parents[filename.count("/")].name) or ""
    found = _hash_like(stated, path)
    if stated in found or not found:
        return
    for wrong in (path.resolve(), path):
        with suppress(OSError):
            wrong.unlink()
    raise WrongBytesError(
        three_beats(
            f"{filename} of {repository.name.removeprefix('models--').replace('--', '/')} came with other bytes than"
            f" the Hub has (hash {found[0]}), and was deleted",
            f"bytes with the hash {stated}",
            "Try again; if it happens again, a proxy or a mirror on the way changes them.",
        )
    )


def _hash_like(stated: str, path: Path) -> tuple[str, ...]:
    """The hashes of a file that are of the kind stated; none where that is no hash."""
    if re.fullmatch("[0-9a-f]{64}", stated):  # a file in the store of large ones
        with open(path, "rb") as file:
            return (hashlib.file_digest(file, "sha256").hexdigest(),)
    if re.fullmatch("[0-9a-f]{40}", stated):  # git's hash of a file; a mirror may give that of the bytes alone
        content = path.read_bytes()
        git = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
        return git.hexdigest(), hashlib.sha1(content, usedforsecurity=False).hexdigest()
    return ()


def _filed_under(path: Path) -> str | None:
    """The hash that a file of a snapshot is filed under: the name of what it links to, where there are links."""
    try:
        return os.path.basename(os.readlink(path))
    except OSError:
        return None


def _cached(repository: Path, filename: str) -> Iterator[Path]:
    """The file as the cache has it, at each commit that it has it of."""
    with suppress(OSError), os.scandir(repository / "snapshots") as commits:
        for commit in commits:
            path = Path(commit.path, filename)
            if path.is_file():
                yield path


def _identity(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _mark(repository: Path, filename: str) -> Path:
    name = f"{hashlib.sha256(filename.encode()).hexdigest()}.uncompared"
    return repository.parent / ".locks" / repository.name / name


@contextmanager
def _marked(repository: Path, filename: str) -> Iterator[bool]:
    """Mark a file as not compared until the end of the block; whether it was marked before.

    An error of the download leaves a mark that was there before: what was not compared still is not.
    """
    mark = _mark(repository, filename)
    was_marked = mark.exists()
    with suppress(OSError):  # a cache that cannot be written will get no new file either
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    is_compared = not was_marked
    try:
        yield was_marked
        is_compared = True
    finally:
        if is_compared:
            _unmark(mark)


def _unmark(mark: Path) -> None:
    with suppress(OSError):
        mark.unlink()
