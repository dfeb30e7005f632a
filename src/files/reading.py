"""Reading a checkpoint folder while others save into it, or after a save was killed there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .disk import check_path, os_errors
from .errors import FileError
from .layout import PUBLISHED
from .locks import locked
from .paths import check_name, safe_join
from .publication import Publication, is_pending, roll_forward

#: Device and inode of the directories that this process holds by `reading`, once for each time. A list: to
#: append and to remove is one step each, whatever other threads do.
_held: list[tuple[int, int]] = []


def settle(directory: str | os.PathLike[str]) -> None:
    """Finish what a killed save published in this directory; one `lstat` when there is nothing to do.

    Where this process may not write, or holds the directory by `reading`, nothing is changed: `locate` gives
    the published files where they are.

    Raises:
        FileError: The publication is damaged, another process keeps the directory locked, or it cannot be read.
    """
    check_path(directory)
    with os_errors(directory, "cannot be read"):
        if not is_pending(directory) or _identity(directory) in _held or not os.access(directory, os.W_OK):
            return
    try:
        with locked(directory, exclusive=True):
            roll_forward(directory)
    except FileError:
        raise
    except OSError:  # a read-only mount, a full disk: the publication stays as readable as it was
        return


def locate(directory: str | os.PathLike[str], name: str) -> Path | None:
    """Where to read a file of this directory now: as published, if a publication is not in place yet.

    Args:
        directory: The checkpoint folder.
        name: A relative name, its folders separated by `/`. A link in the folder is followed, wherever it
            leads: for a name that was read from a file, ask `safe_join` first.

    Returns:
        The path, None if there is no such file.

    Raises:
        FileError: The name leaves the directory, or a publication in it is damaged.
    """
    check_path(directory)
    name = check_name(name, within=directory)
    with os_errors(directory, "cannot be read"):
        publication = Publication.find(directory)
        if publication is not None:
            if name in publication.removed:
                return None
            staged = safe_join(directory, f"{PUBLISHED}/files/{name}")
            if name in publication.files and staged.is_file():
                return staged
        path = Path(directory, name)
        return path if path.is_file() else None


@contextmanager
def reading(directory: str | os.PathLike[str]) -> Iterator[None]:
    """Hold a directory still while several of its files are located and opened: no save publishes meanwhile.

    It settles first. Files opened or mapped inside the block stay whole after it: saves replace files, they
    never write into them.

    Raises:
        FileError: It is no directory, its publication is damaged, or a save keeps it locked.
    """
    check_path(directory)
    with ExitStack() as held:
        with os_errors(directory, "cannot be read"):
            identity = _identity(directory)
            settle(directory)
            held.enter_context(locked(directory, exclusive=False))
        _held.append(identity)
        held.callback(_held.remove, identity)
        yield


def _identity(directory: str | os.PathLike[str]) -> tuple[int, int]:
    status = os.stat(directory)
    return status.st_dev, status.st_ino
