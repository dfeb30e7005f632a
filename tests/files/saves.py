"""Saves of known files, killed or refused at every system call that changes the disk, and what they leave.

Processes are killed by `os._exit`, before the call and after it. What the folder then holds is read as a
loader reads it (`settle`, `locate`), in place as where nothing may be written (`locate` alone), and as a
foreign reader sees it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from triformers.files.transaction import PUBLISHED, SaveTransaction, locate

NAMES = ("config.json", "model.bin", "gone.bin", "new.bin", "sub/deep.bin")
OLD = {"config.json": b"old", "model.bin": b"old weights", "gone.bin": b"old shard"}
NEW = {"config.json": b"new!", "model.bin": b"new weights", "new.bin": b"new", "sub/deep.bin": b"new"}
CHANGING = ("rename", "replace", "link", "fsync", "write", "mkdir", "rmdir", "unlink")


def save(directory: Path, files: dict[str, bytes], removed: tuple[str, ...] = ()) -> None:
    with SaveTransaction(directory) as stage:
        for name, data in files.items():
            stage.write_bytes(name, data)
        for name in removed:
            stage.remove(name)


def save_new(directory: Path) -> None:
    save(directory, NEW, removed=("gone.bin",))


def as_located(directory: Path) -> dict[str, bytes]:
    paths = {name: locate(directory, name) for name in NAMES}
    return {name: path.read_bytes() for name, path in paths.items() if path is not None}


def on_disk(directory: Path) -> dict[str, bytes]:
    """Every file of a tree, hidden ones included, and empty folders as None."""
    found = {}
    for folder, folders, files in os.walk(directory):
        found.update({os.path.relpath(os.path.join(folder, name), directory): None for name in folders})
        for name in files:
            path = Path(folder, name)
            found[os.path.relpath(path, directory)] = path.read_bytes()
    return found


def plain(directory: Path) -> dict[str, bytes]:
    return {name: data for name in NAMES if (data := on_disk(directory).get(name)) is not None}


def in_child(action: Callable[[], object]) -> int:
    """Run this in a forked process; its exit code, 1 after an exception."""
    return exit_code(started(action))


def started(action: Callable[[], object]) -> int:
    """A forked process that runs this, and exits with 1 after an exception."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            action()
            code = 0
        finally:
            os._exit(code)
    return child


def has_ended(child: int) -> bool:
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def exit_code(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def intercept(at: int, action: Callable[[], object], *, after: bool = False, names: tuple[str, ...] = CHANGING) -> list:
    """Do `action` at the `at`-th call (from 0) of the system's changing functions; gives the calls so far."""
    calls: list[str] = []

    def wrapped(name: str, original: Callable) -> Callable:
        def call(*args: object, **kwargs: object) -> object:
            here = len(calls) == at
            calls.append(name)
            if here and not after:
                action()
            try:
                return original(*args, **kwargs)
            finally:
                if here and after:
                    action()

        return call

    for name in names:
        setattr(os, name, wrapped(name, getattr(os, name)))
    return calls


def restore(originals: dict[str, Callable]) -> None:
    for name, function in originals.items():
        setattr(os, name, function)


def refusing(number: int) -> Callable:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


def fresh(template: Path, place: Path) -> Path:
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(template, place)
    return place


def killed_at(k: int, after: bool, action: Callable[[], object]) -> bool:
    """Whether a child doing `action` got as far as its k-th change, where it was killed."""

    def child() -> None:
        intercept(k, lambda: os._exit(77), after=after)
        action()

    code = in_child(child)
    assert code in (0, 77)
    return code == 77


def unfinished(directory: Path, step: str = "replace", at: int = 0) -> Path:
    """Leave a publication of NEW that was killed before the `at`-th of these calls."""

    def child() -> None:
        intercept(at, lambda: os._exit(77), names=(step,))
        save_new(directory)

    assert in_child(child) == 77
    assert (directory / PUBLISHED).is_dir()
    return directory
