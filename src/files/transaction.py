"""The one save transaction: whoever is killed when, a reader here finds all old files or all new ones.

From top to bottom (`layout` has a picture of the folder meanwhile):

1. Whoever saves makes a stage, a hidden folder inside the target directory, and holds a lock on it for as
   long as the save lives; of stages that nobody holds it deletes what killed saves left (`staging`, `locks`).
2. Each file is written into the stage, hashed on the way, and flushed to the disk (`staged_file`).
3. When the block ends, the directory is locked, so that no other save and no reader is between its files.
   The folder's manifest, merged with the files of this save, is staged as one more file; then a record of
   what the publication consists of; then the folders are flushed (`manifest`, `inventory`).
4. One rename turns the stage into the publication. Before it all is old, after it all is new (`publication`).
5. The files are moved to their places. What they replace is kept aside until all are there: where the system
   refuses a move, all is moved back, and the save failed.
6. The publication is renamed once more, to what anyone may delete, and deleted.

Killed before 4, a save leaves a stage that the next save deletes; killed after it, a publication that the
next load or save moves into place, and that can be read where it is (`reading`).

Without locks, where the platform or the file system has none, saves are still atomic (each step can be
repeated by anyone); only a reader that runs during a save can then meet files of two saves.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .disk import check_path, os_errors, sync_folder
from .errors import InputError, file_error, three_beats
from .layout import HIDDEN, MANIFEST_NAME, PUBLISHED, check_target
from .locks import locked
from .manifest import verify_manifest
from .paths import check_name
from .publication import publish, roll_forward
from .reading import locate, reading, settle
from .staged_file import StagedFile
from .staging import Stage, sweep

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = [
    "HIDDEN",
    "MANIFEST_NAME",
    "PUBLISHED",
    "SaveTransaction",
    "StagedFile",
    "locate",
    "reading",
    "settle",
    "verify_manifest",
]


class SaveTransaction:
    """Save several files into one directory so that they appear together or not at all.

    ::

        with SaveTransaction(directory) as stage:
            stage.write_text("config.json", text)
            with stage.open("model.safetensors") as file:
                file.write(memoryview)

    Leaving the block publishes; an exception discards what was staged and leaves the folder as it was.
    Writing a name twice keeps the second. Saves into one folder may run at the same time: each publishes as a
    whole, in the order in which they end.

    Args:
        directory: The folder to save into; it and its parents are created if missing.

    Raises:
        FileError: On entering: the folder cannot be made, or a file is in its place. On leaving: the save
            failed and the old files stand. `errno` is the system's reason.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(os.path.abspath(directory))
        self._made: list[Path] = []
        self._left_over: list[Callable[[str], bool]] = []
        self._stage: Stage | None = None  # outside the `with` block
        self._process = 0  # until it is entered

    def __enter__(self) -> Self:
        if self._process:
            raise InputError(three_beats("this SaveTransaction was used before", "a new one", "Make one a save."))
        self._process = os.getpid()
        check_path(self.directory)
        self._stage = Stage(self.directory)
        try:
            with os_errors(self.directory, "cannot be saved into"):
                self._make_directory()
                self._begin(self._stage)
        except BaseException:
            self._end(self._stage, failed=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if os.getpid() != self._process:
            return  # a forked child that leaves the block must not end its parent's save
        stage, failed = self._current, True
        try:
            if kind is None:
                with os_errors(self.directory, "could not be saved into, its files are as they were"):
                    self._commit(stage)
                failed = False
        finally:
            self._end(stage, failed)

    def open(self, name: str) -> StagedFile:
        """A binary file to write `name` through; it counts once it is closed in order.

        Args:
            name: A relative name, its folders separated by `/`.

        Raises:
            FileError: The name leaves the directory, is reserved, or is a folder's; or the disk is full.
        """
        return self._current.open(self._checked(name))

    def write_bytes(self, name: str, data: ReadableBuffer) -> None:
        """Save `data` as `name`. Raises as `open`."""
        with self.open(name) as file:
            file.write(data)

    def write_text(self, name: str, text: str) -> None:
        """Save `text` as `name`, in UTF-8, line ends as they are. Raises as `open`."""
        self.write_bytes(name, text.encode("utf-8"))

    def remove(self, name: str) -> None:
        """Delete `name` when this save is published, if it is there. Raises as `open`."""
        self._current.remove(self._checked(name))

    def remove_where(self, is_left_over: Callable[[str], bool]) -> None:
        """Delete, when this save is published, the files that it takes the place of under other names.

        Args:
            is_left_over: Whether a file of this name is one, unless this save writes it. Asked when the save is
                published, of what the folder then holds: another save may have ended there since this one began.
        """
        self._left_over.append(is_left_over)

    @property
    def _current(self) -> Stage:
        if self._stage is None:
            found = "this SaveTransaction is not open"
            raise InputError(three_beats(found, "a call inside its `with` block", "Make a new one."))
        return self._stage

    def _checked(self, name: str) -> str:
        """The plain form of a name that a file can be saved under now."""
        name = check_name(name, within=self.directory)
        if name == MANIFEST_NAME:
            raise file_error(self.directory / name, "is a reserved name", "another", "Choose another.")
        check_target(self.directory, name)
        return name

    def _make_directory(self) -> None:
        missing = [folder for folder in (self.directory, *self.directory.parents) if not folder.exists()]
        for folder in reversed(missing):
            with suppress(FileExistsError):
                folder.mkdir()
                self._made.append(folder)
                sync_folder(folder.parent)
        if not self.directory.is_dir():
            found = "is a link to nothing" if self.directory.is_symlink() else "is a file"
            raise file_error(self.directory, found, "a directory to save into", "Give another name.")

    def _begin(self, stage: Stage) -> None:
        with locked(self.directory, exclusive=True):
            hidden = self.directory / HIDDEN
            if hidden.is_symlink():
                raise file_error(hidden, "is a link", "a folder of this library's", "Delete the link.")
            roll_forward(self.directory)
            sweep(self.directory)
            stage.make()

    def _commit(self, stage: Stage) -> None:
        if stage.unclosed:
            found = f"{', '.join(stage.unclosed)} was not closed"
            raise InputError(three_beats(found, "every staged file to be closed", "Open it in a `with` block."))
        if not stage.files and not stage.removed:
            return
        with locked(self.directory, exclusive=True):
            roll_forward(self.directory)  # another save may have been killed since this one began
            for name in os.listdir(self.directory) if self._left_over else ():
                if name not in stage.files and any(is_left_over(name) for is_left_over in self._left_over):
                    stage.remove(name)
            for name in (*stage.files, *stage.removed):
                check_target(self.directory, name)
            stage.complete()
            publish(self.directory, stage.folder)

    def _end(self, stage: Stage, failed: bool) -> None:
        """Leave nothing of the save but what was published."""
        stage.discard()
        self._stage = None
        if failed:
            for folder in reversed(self._made):
                with suppress(OSError):
                    folder.rmdir()
