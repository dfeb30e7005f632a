"""Stages: the hidden folders of saves that are being written, and what killed saves leave of them."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from .disk import delete_folder, make_folders, os_errors, sync_folder
from .inventory import Entry, seal
from .layout import HIDDEN, MANIFEST_NAME, RECORD_NAME
from .locks import acquire, is_free, release
from .manifest import manifest_entries
from .staged_file import StagedFile

_ABANDONED_AFTER = 24 * 3600.0  # seconds; without locks, only age tells a killed save from a live one


class Stage:
    """One save being written. Nobody reads it until it is published.

    Args:
        directory: The checkpoint folder. Nothing is made in it before `make`.

    Attributes:
        folder: Where the stage is.
        removed: The names that the save deletes.
    """

    def __init__(self, directory: Path) -> None:
        self.folder = directory / HIDDEN / f"stage-{os.urandom(8).hex()}"
        self.removed: set[str] = set()
        self._directory = directory
        self._staged: dict[str, StagedFile] = {}
        self._lock: int | None = None

    @property
    def files(self) -> dict[str, Entry]:
        """The files that count into the save."""
        return {name: file.entry for name, file in self._staged.items() if file.entry is not None}

    @property
    def unclosed(self) -> list[str]:
        """The names of the files that are still being written."""
        return sorted(name for name, file in self._staged.items() if not file.closed)

    def make(self) -> None:
        """Make the folder. Whoever calls this holds the directory's lock."""
        make_folders(self.folder / "files")
        # Taken before the directory is let go, so that no other save takes this stage for abandoned.
        self._lock = acquire(self.folder, exclusive=True)

    def open(self, name: str) -> StagedFile:
        """A file to write `name` through, in place of what was staged under this name before."""
        file = self._create(name)
        self.removed.discard(name)
        return file

    def remove(self, name: str) -> None:
        """Note that the save deletes `name`."""
        self._forget(name)
        self.removed.add(name)

    def complete(self) -> None:
        """Add the merged manifest as one more file, then the record of them all, and flush the folders."""
        saved = {**manifest_entries(self._directory), **self.files}
        kept = {name: entry for name, entry in saved.items() if name not in self.removed}
        with self._create(MANIFEST_NAME) as file:
            file.write(seal({"files": kept}))
        with StagedFile(self.folder / RECORD_NAME) as file:
            file.write(seal({"files": self.files, "removed": sorted(self.removed)}))
        for name in self.files:
            os.stat(self.folder / "files" / name)  # the last moment to miss one: a published save is whole
        for name in (*self.files, *self.removed):  # made now: a step after the publication may only move files
            make_folders((self.folder / "old" / name).parent)
        for folder, _, _ in os.walk(self.folder, topdown=False):
            sync_folder(Path(folder))
        sync_folder(self.folder.parent)
        sync_folder(self._directory)

    def discard(self) -> None:
        """Delete what is left of the stage, and the hidden folder if nothing else is in it."""
        for file in self._staged.values():
            file.abandon()
        delete_folder(self.folder)
        release(self._lock)
        with suppress(OSError):
            os.rmdir(self.folder.parent)

    def _create(self, name: str) -> StagedFile:
        self._forget(name)
        path = self.folder / "files" / name
        with os_errors(path, "cannot be staged"):
            os.stat(self.folder)  # who deletes the directory ends the save: it is not made again for a part of it
            make_folders(path.parent)
            file = self._staged[name] = StagedFile(path)
        return file

    def _forget(self, name: str) -> None:
        """Drop what was staged under this name before."""
        file = self._staged.pop(name, None)
        if file is not None:
            file.abandon()
            if file.entry is not None:
                with os_errors(file.path, "cannot be staged again"):
                    os.unlink(file.path)


def sweep(directory: Path) -> None:
    """Delete what killed saves left behind. Whoever calls this holds the directory's lock."""
    with suppress(FileNotFoundError), os.scandir(directory / HIDDEN) as entries:
        for entry in entries:
            abandoned = entry.name.startswith("stage-") and _is_abandoned(entry.path)
            if abandoned or entry.name.startswith("done-"):
                delete_folder(entry.path)


def _is_abandoned(stage: str) -> bool:
    """Whether the process that was writing this stage has ended."""
    try:
        free = is_free(stage)
        return time.time() - os.stat(stage).st_mtime > _ABANDONED_AFTER if free is None else free
    except (FileNotFoundError, PermissionError):  # its owner deleted it just now, or is another user
        return False
