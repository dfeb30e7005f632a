"""A publication: files of a save that counts already, on their way from the hidden folder to their places.

A stage is published by one rename. From then on the new files are what this library reads, wherever they are;
moving them is repeatable, so that anyone can finish it, and so is taking them back. Whoever moves files holds
the directory's lock.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from .disk import delete_folder, linked, make_folders, sync_folder
from .errors import FileError, file_error
from .inventory import Entry, unseal, unusable
from .layout import HIDDEN, PUBLISHED, RECORD_NAME, check_target
from .paths import check_name, safe_join


def publish(directory: Path, stage: Path) -> None:
    """Publish a complete stage and move its files into place; if that cannot be, take all back as `stage`.

    Raises:
        OSError: The system refused a step. As a FileError that says so: it refused to undo the others too,
            and the publication stays, to be finished later.
    """
    os.rename(stage, directory / PUBLISHED)
    try:
        sync_folder(directory / HIDDEN)
        roll_forward(directory)
    except BaseException:
        _roll_back(directory, stage)
        raise


def roll_forward(directory: str | os.PathLike[str]) -> None:
    """Move a publication into place, whatever part of that was done before; nothing if there is none.

    Raises:
        FileError: The publication is damaged or leads out of the directory; nothing was moved.
        OSError: The system refuses a step; what remains can be finished later.
    """
    publication = Publication.find(directory)
    if publication is not None:
        publication.check()
        publication.move()


def is_pending(directory: str | os.PathLike[str]) -> bool:
    """Whether the directory has a publication; one `lstat`."""
    try:
        return stat.S_ISDIR(os.lstat(os.path.join(directory, PUBLISHED)).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


@dataclass(frozen=True)
class Publication:
    """What a directory's publication consists of, as its record says.

    Attributes:
        directory: The checkpoint folder.
        files: The saved files by name; they wait in the hidden folder, or are in their places.
        removed: The names that are to be deleted.
    """

    directory: Path
    files: Mapping[str, Entry]
    removed: tuple[str, ...]

    @classmethod
    def find(cls, directory: str | os.PathLike[str]) -> Self | None:
        """The directory's publication, None if there is none (or it is over by now).

        Raises:
            FileError: Its record is damaged, or outside.
        """
        if not is_pending(directory):
            return None
        path = safe_join(directory, f"{PUBLISHED}/{RECORD_NAME}")
        try:
            content = unseal(path)
            removed = content.get("removed")
            if not isinstance(removed, list):
                raise unusable(path, "has no list `removed`", "the record of a save")
            names = tuple(check_name(name, within=directory) for name in removed)
            return cls(Path(directory), content["files"], names)
        except FileError as error:
            if not is_pending(directory):
                return None
            raise _damaged(directory, str(error)) from error

    def check(self) -> None:
        """Refuse a publication that leads elsewhere, or of which a file is neither staged nor in its place."""
        for name in (*self.files, *self.removed):
            check_target(self.directory, name)
            for kind in ("files", "old"):
                safe_join(self.directory, Path(PUBLISHED, kind, name).parent.as_posix())
        for name, entry in self.files.items():
            staged, target, _ = self._places(name)
            try:
                status = os.lstat(staged)
            except FileNotFoundError:
                if os.path.lexists(target):
                    continue
                raise _damaged(self.directory, f"it lacks {name}") from None
            if not stat.S_ISREG(status.st_mode) or status.st_size != entry.size:
                found = f"{name} is not the file of {entry.size} bytes that was recorded"
                raise _damaged(self.directory, found)

    def move(self) -> None:
        """Put every file in its place and delete what is left of the publication."""
        for name in self.files:
            _move_in(*self._places(name))
        for name in self.removed:
            _, target, aside = self._places(name)
            if os.path.lexists(target):
                os.replace(target, aside)
        for folder in {(self.directory / name).parent for name in (*self.files, *self.removed)} | {self.directory}:
            if folder.is_dir():
                sync_folder(folder)
        done = self.directory / HIDDEN / f"done-{os.urandom(8).hex()}"
        os.rename(self.directory / PUBLISHED, done)
        with suppress(OSError):  # the save is complete, whatever becomes of its litter
            sync_folder(self.directory / HIDDEN)
            delete_folder(done)
            os.rmdir(self.directory / HIDDEN)

    def undo(self, stage: Path) -> None:
        """Put what was replaced back, and make the publication the stage that it was.

        It is whole at every step, so that a process killed here leaves one to roll forward.
        """
        for name in self.files:
            _take_back(*self._places(name))
        for name in self.removed:
            _, target, aside = self._places(name)
            _restore(target, aside)
        os.rename(self.directory / PUBLISHED, stage)
        for name in self.files:
            with suppress(OSError):  # ends at a folder that is not empty; the directory itself has the stage in it
                os.removedirs((self.directory / name).parent)

    def _places(self, name: str) -> tuple[Path, Path, Path]:
        """Where a file waits, where it belongs, and where what it replaces is kept."""
        published = self.directory / PUBLISHED
        return published / "files" / name, self.directory / name, published / "old" / name


def _move_in(staged: Path, target: Path, aside: Path) -> None:
    """Put a published file in its place. There is no moment at which the place is empty."""
    if os.path.lexists(staged):
        make_folders(target.parent)
        _keep_aside(target, aside)
        os.replace(staged, target)


def _keep_aside(target: Path, aside: Path) -> None:
    """Keep what is about to be replaced until the save is over: as a second name, not a copy."""
    if os.path.lexists(aside) or not os.path.lexists(target):
        return
    if not linked(target, aside):
        os.rename(target, aside)


def _take_back(staged: Path, target: Path, aside: Path) -> None:
    if not os.path.lexists(staged):
        if os.path.lexists(aside) and linked(target, staged):
            os.replace(aside, target)
            return
        os.rename(target, staged)
    _restore(target, aside)  # also of a file that was not moved: it may be aside already


def _restore(target: Path, aside: Path) -> None:
    if os.path.lexists(aside) and not os.path.lexists(target):
        os.rename(aside, target)


def _roll_back(directory: Path, stage: Path) -> None:
    """Undo a publication of this process that could not be moved into place."""
    try:
        publication = Publication.find(directory)
        if publication is not None:  # otherwise all was in place already
            publication.undo(stage)
    except OSError as error:
        found = f"was saved into, but the system refused to move the files to their places ({error})"
        remedy = "This library reads them from where they are, and moves them at the next load or save that can."
        raise file_error(directory, found, "a folder in which files can be renamed", remedy) from error


def _damaged(directory: str | os.PathLike[str], reason: str) -> FileError:
    found = f"is the rest of a save that was cut short, and is damaged ({reason})"
    remedy = "Delete this folder, and save or fetch the checkpoint again."
    return file_error(Path(directory, PUBLISHED), found, "what the save recorded", remedy)
