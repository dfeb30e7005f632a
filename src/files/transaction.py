"""The one save transaction: whoever is killed when, a reader here finds all old files or all new ones.

A checkpoint folder during a save::

    <directory>/
      config.json, model.safetensors, ...  what foreign readers read
      .triformers_manifest.json            names, sizes, SHA-256 of all that was saved here, and its own hash
      .triformers/                         exists only while a save is under way, or after one was killed
        stage-<random>/                    a save being written; nobody reads it
        published/                         a save that counts: complete, on the disk, being moved into place
          record.json                      what it consists of
          files/<name>                     its files, until they are moved
          old/<name>                       what they replace
        done-<random>/                     to be deleted

The stage is inside the target directory, not beside it: that is the same file system even where the
directory is a mount point, it needs no permission on the parent, and an unfinished publication stays with its
checkpoint when the folder is moved or copied. One rename to the fixed name `published` publishes. The same
name for everyone means that a folder has at most one unfinished publication, with or without locks, and that
a reader with nothing to settle pays for one `lstat`.

The manifest is hidden because it is ours alone: folder listings stay what users know, and tools that copy
`*.json` from one model to the next do not carry hashes along that are wrong there.

Locks are `flock` on directories. They leave no files behind, end with their process, and readers can hold
them where they may not write. Where the platform or the file system has none, saves are still atomic (each
step can be repeated by anyone); only a reader that runs during a save can then meet files of two saves.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import stat
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .errors import FileError, InputError, three_beats
from .paths import check_name, safe_join
from .strict_json import load_json_object

try:
    import fcntl
except ImportError:  # not a POSIX system
    fcntl = None

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

HIDDEN = ".triformers"
PUBLISHED = f"{HIDDEN}/published"
MANIFEST_NAME = f"{HIDDEN}_manifest.json"

#: How long a save or a load waits for the others in its folder, in seconds. Locks are held while files are
#: moved or opened, never while they are written.
LOCK_TIMEOUT = 300.0

_OVERLAP_FROM = 2**20  # below this, handing the hash to a thread costs more than it saves
_CHUNK = 2**24
_ABANDONED_AFTER = 24 * 3600.0  # seconds; without locks, only age tells a killed save from a live one
_MAX_RECORD_BYTES = 16 * 2**20
_NOT_HERE = {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}
_NO_LINKS = {*_NOT_HERE, errno.EPERM, errno.EMLINK}

_reading: Counter[tuple[int, int]] = Counter()  # (device, inode) of the directories held by `reading`
_reading_guard = threading.Lock()


@dataclass(frozen=True)
class Entry:
    """One saved file: its size in bytes and the SHA-256 of its content, in hexadecimal."""

    size: int
    sha256: str


@dataclass(frozen=True)
class _Record:
    """What one publication consists of, as its `record.json` says."""

    files: Mapping[str, Entry]
    removed: tuple[str, ...]


class StagedFile(io.BufferedIOBase):
    """A binary file of a save being written: it cannot seek, and knows its hash when it is closed.

    Args:
        path: Where to write; nothing is there yet.
        on_close: Called once: with the file's entry if it was closed in order, with None if it was abandoned.
    """

    def __init__(self, path: Path, on_close: Callable[[Entry | None], None]) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(path, flags, 0o666)
        self._path = path
        self._on_close = on_close
        self._hash = hashlib.sha256()
        self._size = 0
        self._torn = False
        self._hasher: ThreadPoolExecutor | None = None

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._size

    def write(self, data: ReadableBuffer, /) -> int:
        """Write all of `data`, any contiguous buffer, and give its size in bytes.

        Raises:
            FileError: The disk refuses; the file is then out of the save.
        """
        if self.closed:
            raise ValueError("write to a closed staged file; expected an open one. Open it again.")
        with memoryview(data) as view:
            if view.nbytes == 0:  # a view with a zero in its shape cannot be cast
                return 0
            with view.cast("B") as flat, _os_errors(self._path, "cannot be written"):
                self._torn = True
                for start in range(0, flat.nbytes, _CHUNK):
                    self._write_chunk(flat[start : start + _CHUNK])
                self._torn = False
                return flat.nbytes

    def _write_chunk(self, chunk: memoryview) -> None:
        if chunk.nbytes < _OVERLAP_FROM:
            self._hash.update(chunk)
            self._write_all(chunk)
        else:
            # Hashing takes about as long as writing, and neither holds the interpreter.
            self._hasher = self._hasher or ThreadPoolExecutor(1, thread_name_prefix="sha256")
            hashed = self._hasher.submit(self._hash.update, chunk)
            try:
                self._write_all(chunk)
            finally:
                hashed.result()
        self._size += chunk.nbytes

    def _write_all(self, chunk: memoryview) -> None:
        while chunk.nbytes:
            chunk = chunk[os.write(self._descriptor, chunk) :]

    def close(self) -> None:
        """Flush the file to the disk and count it into the save.

        Raises:
            FileError: The disk refuses now, or refused a write before.
        """
        if self.closed:
            return
        try:
            if self._torn:
                raise _refusal(self._path, "was not written to its end", "every write to succeed", _SPACE)
            with _os_errors(self._path, "cannot be flushed to the disk"):
                os.fsync(self._descriptor)
        except BaseException:
            self.abandon()
            raise
        self._release(Entry(self._size, self._hash.hexdigest()))

    def abandon(self) -> None:
        """Close the file and take it out of the save."""
        if not self.closed:
            with suppress(OSError):
                os.unlink(self._path)
            self._release(None)

    def _release(self, entry: Entry | None) -> None:
        super().close()
        if self._hasher is not None:
            self._hasher.shutdown()
        with suppress(OSError):  # what matters was said by fsync
            os.close(self._descriptor)
        self._on_close(entry)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def __del__(self) -> None:
        # In place of io's finaliser, which would count a file that nobody closed. Without a hasher, it was
        # never opened. Nothing is deleted: this may be a forked child's copy of its parent's file.
        if hasattr(self, "_hasher") and not self.closed:
            self._release(None)


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
        self._files: dict[str, Entry] = {}
        self._removed: set[str] = set()
        self._open: dict[str, StagedFile] = {}
        self._made: list[Path] = []
        self._stage: Path | None = None
        self._liveness: int | None = None
        self._process = 0

    def __enter__(self) -> Self:
        if self._process:
            raise InputError(
                three_beats("this SaveTransaction was used before", "a new one", "Make one a save.")
            )
        self._process = os.getpid()
        try:
            with _os_errors(self.directory, "cannot be saved into"):
                self._make_directory()
                self._make_stage()
        except BaseException:
            self._discard(failed=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if (
            os.getpid() != self._process
        ):  # a forked child that leaves the block must not end its parent's save
            return
        failed = True
        try:
            if kind is None:
                with _os_errors(self.directory, "could not be saved into, its files are as they were"):
                    self._commit()
                failed = False
        finally:
            self._discard(failed)

    def open(self, name: str) -> StagedFile:
        """A binary file to write `name` through; it counts once it is closed in order.

        Args:
            name: A relative name, its folders separated by `/`.

        Raises:
            FileError: The name leaves the directory, is reserved, or is a folder's; or the disk is full.
        """
        name = self._checked(name)
        staged = self._open_staged(name)
        self._removed.discard(name)
        return staged

    def write_bytes(self, name: str, data: ReadableBuffer) -> None:
        """Save `data` as `name`. Raises as `open`."""
        with self.open(name) as file:
            file.write(data)

    def write_text(self, name: str, text: str) -> None:
        """Save `text` as `name`, in UTF-8, line ends as they are. Raises as `open`."""
        self.write_bytes(name, text.encode("utf-8"))

    def remove(self, name: str) -> None:
        """Delete `name` when this save is published, if it is there. Raises as `open`."""
        name = self._checked(name)
        self._forget(name)
        self._removed.add(name)

    @property
    def _folder(self) -> Path:
        if self._stage is None:
            found = "this SaveTransaction is not open"
            raise InputError(three_beats(found, "a call inside its `with` block", "Make a new one."))
        return self._stage

    def _checked(self, name: str) -> str:
        """The plain form of a name that a file can be saved under now."""
        _ = self._folder
        name = check_name(name, within=self.directory)
        _check_target(self.directory, name)
        return name

    def _make_directory(self) -> None:
        missing = []
        folder = self.directory
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for folder in reversed(missing):
            with suppress(FileExistsError):
                folder.mkdir()
                self._made.append(folder)
                _sync_directory(folder.parent)
        if not self.directory.is_dir():
            raise _refusal(self.directory, "is a file", "a directory to save into", "Give another name.")

    def _make_stage(self) -> None:
        with _locked(self.directory, exclusive=True):
            hidden = self.directory / HIDDEN
            if hidden.is_symlink():
                raise _refusal(hidden, "is a link", "a folder of this library's", "Delete the link.")
            _roll_forward(self.directory)
            _sweep(self.directory)
            stage = hidden / f"stage-{secrets.token_hex(8)}"
            _make_folders(stage / "files")
            self._stage = stage
            if fcntl is not None:
                # Taken before the directory is let go, so that no other save takes this stage for abandoned.
                self._liveness = os.open(stage, os.O_RDONLY)
                _try_lock(self._liveness, exclusive=True)

    def _open_staged(self, name: str) -> StagedFile:
        path = self._folder / "files" / name
        self._forget(name)
        with _os_errors(path, "cannot be staged"):
            _make_folders(path.parent)
            staged = StagedFile(path, lambda entry: self._closed(name, staged, entry))
        self._open[name] = staged
        return staged

    def _forget(self, name: str) -> None:
        """Drop what was staged under this name before."""
        if name in self._open:
            self._open[name].abandon()
        if self._files.pop(name, None) is not None:
            with _os_errors(self._folder / "files" / name, "cannot be staged again"):
                os.unlink(self._folder / "files" / name)

    def _closed(self, name: str, file: StagedFile, entry: Entry | None) -> None:
        if self._open.get(name) is file:
            del self._open[name]
            if entry is not None:
                self._files[name] = entry

    def _commit(self) -> None:
        if self._open:
            found = f"{', '.join(sorted(self._open))} was not closed"
            raise InputError(
                three_beats(found, "every staged file to be closed", "Open it in a `with` block.")
            )
        if not (self._files or self._removed):
            return
        with _locked(self.directory, exclusive=True):
            _roll_forward(self.directory)  # another save may have been killed since this one began
            for name in (*self._files, *self._removed):
                _check_target(self.directory, name)
            self._write_record()
            os.rename(self._folder, self.directory / PUBLISHED)
            try:
                _sync_directory(self.directory / HIDDEN)
                _roll_forward(self.directory)
            except BaseException:
                _roll_back(self.directory, self._folder)
                raise

    def _write_record(self) -> None:
        """Stage the merged manifest as one more file, then the record of the whole publication."""
        merged = {**_manifest_entries(self.directory), **self._files}
        kept = {name: entry for name, entry in merged.items() if name not in self._removed}
        with self._open_staged(MANIFEST_NAME) as file:
            file.write(_sealed({"files": _plain(kept)}))
        with StagedFile(self._folder / "record.json", lambda entry: None) as file:
            file.write(_sealed({"files": _plain(self._files), "removed": sorted(self._removed)}))
        for folder, _, _ in os.walk(self._folder, topdown=False):
            _sync_directory(Path(folder))
        _sync_directory(self.directory / HIDDEN)
        _sync_directory(self.directory)

    def _discard(self, failed: bool) -> None:
        """Leave nothing of the save but what was published."""
        for file in list(self._open.values()):
            file.abandon()
        if self._stage is not None:
            shutil.rmtree(self._stage, ignore_errors=True)
        if self._liveness is not None:
            _unlock(self._liveness)
        self._stage = self._liveness = None
        with suppress(OSError):
            os.rmdir(self.directory / HIDDEN)
        if failed:
            for folder in reversed(self._made):
                with suppress(OSError):
                    folder.rmdir()


def settle(directory: str | os.PathLike[str]) -> None:
    """Finish what a killed save published in this directory; one `lstat` when there is nothing to do.

    Where this process may not write, or holds the directory by `reading`, nothing is changed: `locate` gives
    the published files where they are.

    Raises:
        FileError: The publication is damaged, or another process keeps the directory locked.
    """
    if not _pending(directory) or _identity(directory) in _reading or not os.access(directory, os.W_OK):
        return
    try:
        with _locked(directory, exclusive=True):
            _roll_forward(directory)
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
    name = check_name(name, within=directory)
    with _os_errors(directory, "cannot be read"):
        record = _read_record(directory)
        if record is not None:
            if name in record.removed:
                return None
            staged = safe_join(directory, f"{PUBLISHED}/files/{name}")
            if name in record.files and staged.is_file():
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
    with ExitStack() as held:
        with _os_errors(directory, "cannot be read"):
            identity = _identity(directory)
            settle(directory)
            held.enter_context(_locked(directory, exclusive=False))
        with _reading_guard:
            _reading[identity] += 1
        try:
            yield
        finally:
            with _reading_guard:
                _reading[identity] -= 1
                if not _reading[identity]:
                    del _reading[identity]


def verify_manifest(directory: str | os.PathLike[str]) -> list[str]:
    """Compare every file that was saved here with its size and hash in the folder's manifest.

    Returns:
        One line for each problem, none if all is as it was saved. Files that no save wrote are not looked at.

    Raises:
        FileError: It is no directory, or a save keeps it locked.
    """
    with reading(directory):
        try:
            path = locate(directory, MANIFEST_NAME)
            if path is None:
                return [f"{MANIFEST_NAME}: missing, so there is nothing to compare with"]
            entries = _entries(_unsealed(path), path)
        except FileError as error:
            return [f"{MANIFEST_NAME}: {error}"]
        problems = (_problem(directory, name, entry) for name, entry in sorted(entries.items()))
        return [problem for problem in problems if problem is not None]


def _problem(directory: str | os.PathLike[str], name: str, entry: Entry) -> str | None:
    try:
        safe_join(directory, name)
        path = locate(directory, name)
        if path is None:
            return f"{name}: missing"
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size != entry.size:
                return f"{name}: has {size} bytes, was saved with {entry.size}"
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"{name}: cannot be read ({error})"
    return None if found == entry.sha256 else f"{name}: has SHA-256 {found}, was saved with {entry.sha256}"


# A publication: forward, back, and its litter. Whoever calls these holds the directory's lock.


def _pending(directory: str | os.PathLike[str]) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(os.path.join(directory, PUBLISHED)).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _roll_forward(directory: str | os.PathLike[str]) -> None:
    """Move a publication into place, whatever part of that was done before; nothing if there is none.

    Raises:
        FileError: The publication is damaged or leads out of the directory; nothing was moved.
        OSError: The system refuses a step; what remains can be finished later.
    """
    record = _read_record(directory)
    if record is None:
        return
    directory = Path(directory)
    published = directory / PUBLISHED
    for name in (*record.files, *record.removed):
        _check_target(directory, name)
        _check_published(directory, name, record.files.get(name))
    for name in record.files:
        _move_in(published / "files" / name, directory / name, published / "old" / name)
    for name in record.removed:
        _move_out(directory / name, published / "old" / name)
    for folder in {(directory / name).parent for name in record.files} | {directory}:
        _sync_directory(folder)
    done = directory / HIDDEN / f"done-{secrets.token_hex(8)}"
    os.rename(published, done)
    with suppress(OSError):  # the save is complete, whatever becomes of its litter
        _sync_directory(directory / HIDDEN)
        shutil.rmtree(done, ignore_errors=True)
        os.rmdir(directory / HIDDEN)


def _move_in(staged: Path, target: Path, aside: Path) -> None:
    """Put a published file in its place. There is no moment at which the place is empty."""
    if os.path.lexists(staged):
        _make_folders(target.parent)
        _keep_aside(target, aside)
        os.replace(staged, target)


def _keep_aside(target: Path, aside: Path) -> None:
    """Keep what is about to be replaced until the save is over: as a second name, not a copy."""
    if os.path.lexists(aside) or not os.path.lexists(target):
        return
    _make_folders(aside.parent)
    if not _linked(target, aside):
        os.rename(target, aside)


def _linked(path: Path, second: Path) -> bool:
    """Give a file a second name, if the file system can."""
    try:
        os.link(path, second, follow_symlinks=False)
    except NotImplementedError:
        return False
    except OSError as error:
        if error.errno in _NO_LINKS:
            return False
        raise
    return True


def _move_out(target: Path, aside: Path) -> None:
    if os.path.lexists(target):
        _make_folders(aside.parent)
        os.replace(target, aside)


def _roll_back(directory: Path, stage: Path) -> None:
    """Undo a publication of this process that could not be moved into place, and take it back as `stage`.

    The publication is whole at every step, so that a process killed here leaves one to roll forward.

    Raises:
        FileError: The system refuses this too: the publication stays, to be finished later.
    """
    try:
        record = _read_record(directory)
        if record is None:  # all was in place already
            return
        published = directory / PUBLISHED
        for name in record.files:
            _take_back(published / "files" / name, directory / name, published / "old" / name)
        for name in record.removed:
            _restore(directory / name, published / "old" / name)
        os.rename(published, stage)
        for name in record.files:
            if "/" in name:
                with suppress(OSError):
                    os.rmdir((directory / name).parent)
    except OSError as error:
        raise _refusal(
            directory,
            f"was saved into, but the system refused to move the files to their places ({error})",
            "a folder in which files can be renamed",
            "This library reads them from where they are, and moves them at the next load or save that can.",
        ) from error


def _take_back(staged: Path, target: Path, aside: Path) -> None:
    if os.path.lexists(staged):  # not moved, but the old file may be
        _restore(target, aside)
    elif os.path.lexists(aside):
        if not _linked(target, staged):
            os.rename(target, staged)
        os.replace(aside, target)
    else:
        os.rename(target, staged)


def _restore(target: Path, aside: Path) -> None:
    if os.path.lexists(aside) and not os.path.lexists(target):
        os.rename(aside, target)


def _sweep(directory: Path) -> None:
    """Delete what killed saves left behind."""
    with suppress(FileNotFoundError), os.scandir(directory / HIDDEN) as entries:
        for entry in entries:
            abandoned = entry.name.startswith("stage-") and _is_abandoned(entry.path)
            if abandoned or entry.name.startswith("done-"):
                shutil.rmtree(entry.path, ignore_errors=True)


def _is_abandoned(stage: str) -> bool:
    """Whether the process that was writing this stage has ended."""
    try:
        modified = os.stat(stage).st_mtime
        descriptor = None if fcntl is None else os.open(stage, os.O_RDONLY)
    except FileNotFoundError:  # its owner deleted it just now
        return False
    free = None
    if descriptor is not None:
        free = _try_lock(descriptor, exclusive=True)
        _unlock(descriptor)
    return time.time() - modified > _ABANDONED_AFTER if free is None else free


def _check_target(directory: Path, name: str) -> None:
    """Refuse a name that is reserved or taken by a folder, or whose folder is a file or leads elsewhere."""
    target = directory / name
    if name.startswith(HIDDEN) and name != MANIFEST_NAME:
        raise _refusal(
            target, "is a reserved name", f"names that do not begin with {HIDDEN}", "Choose another."
        )
    parent = Path(name).parent
    if parent.parts:
        folder = safe_join(directory, parent.as_posix())
        if os.path.lexists(folder) and not folder.is_dir():
            raise _refusal(folder, "is a file", "a folder to save into", "Move it away, or save elsewhere.")
    if target.is_dir() and not target.is_symlink():
        raise _refusal(target, "is a folder", "a file, or nothing", "Move it away, or save elsewhere.")


def _check_published(directory: Path, name: str, entry: Entry | None) -> None:
    """Refuse a publication that leads elsewhere, or of which a file is neither staged nor in its place."""
    for kind in ("files", "old"):
        safe_join(directory, (Path(PUBLISHED, kind, name).parent).as_posix())
    if entry is None:  # a file to be removed
        return
    try:
        status = os.lstat(directory / PUBLISHED / "files" / name)
    except FileNotFoundError:
        if os.path.lexists(directory / name):
            return
        raise _damaged(directory, f"it lacks {name}") from None
    if not stat.S_ISREG(status.st_mode) or status.st_size != entry.size:
        raise _damaged(directory, f"{name} is not the file of {entry.size} bytes that was recorded")


# Records and manifests: JSON with its own hash.


def _read_record(directory: str | os.PathLike[str]) -> _Record | None:
    """The record of the directory's publication, None if there is none (or it is over by now)."""
    if not _pending(directory):
        return None
    path = safe_join(directory, f"{PUBLISHED}/record.json")
    try:
        content = _unsealed(path)
        removed = content.get("removed")
        if not isinstance(removed, list):
            raise _refusal(path, "has no list `removed`", "the record of a save", _FETCH)
        return _Record(_entries(content, path), tuple(check_name(name, within=directory) for name in removed))
    except FileError as error:
        if not _pending(directory):
            return None
        raise _damaged(directory, str(error)) from error


def _manifest_entries(directory: Path) -> dict[str, Entry]:
    """What the folder's manifest lists; nothing if it is missing or damaged: only verifying minds that."""
    path = directory / MANIFEST_NAME
    try:
        return _entries(_unsealed(path), path)
    except FileError:
        return {}


def _plain(entries: Mapping[str, Entry]) -> dict[str, dict[str, Any]]:
    return {name: asdict(entry) for name, entry in entries.items()}


def _sealed(content: Mapping[str, Any]) -> bytes:
    """The JSON text of `content` with its format and hash: the same bytes for the same content."""
    content = {"format": 1, **content}
    text = json.dumps({**content, "sha256": _digest(content)}, indent=2, sort_keys=True)
    return text.encode("utf-8") + b"\n"


def _unsealed(path: Path) -> dict[str, Any]:
    content = load_json_object(path, max_bytes=_MAX_RECORD_BYTES)
    if content.pop("sha256", None) != _digest(content):
        raise _refusal(path, "is damaged", "content of the SHA-256 that it states", _FETCH)
    if content.get("format") != 1:
        found = f"has format {content.get('format')!r}"
        raise _refusal(
            path, found, "format 1", "Use the version of triformers that wrote it, or a newer one."
        )
    return content


def _digest(content: Mapping[str, Any]) -> str:
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode("utf-8")).hexdigest()


def _entries(content: Mapping[str, Any], path: Path) -> dict[str, Entry]:
    files = content.get("files")
    if not isinstance(files, dict):
        raise _refusal(path, "has no object `files`", "the names, sizes and hashes of a save", _FETCH)
    return {check_name(name, within=path.parent): _entry(value, name, path) for name, value in files.items()}


def _entry(value: object, name: str, path: Path) -> Entry:
    if isinstance(value, dict):
        size, digest = value.get("size"), value.get("sha256")
        if type(size) is int and isinstance(digest, str) and re.fullmatch("[0-9a-f]{64}", digest):
            return Entry(size, digest)
    raise _refusal(path, f"does not describe {name!r}", "its `size` and `sha256`", _FETCH)


# Locks, folders, errors.


@contextmanager
def _locked(directory: str | os.PathLike[str], *, exclusive: bool) -> Iterator[None]:
    """Hold the directory's lock, exclusively to move files in it, shared to read them.

    Raises:
        FileError: Others held it for `LOCK_TIMEOUT` seconds.
    """
    if fcntl is None:
        yield
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        deadline, pause = time.monotonic() + LOCK_TIMEOUT, 0.001
        while _try_lock(descriptor, exclusive=exclusive) is False:
            if time.monotonic() > deadline:
                found = f"was in use by another save or load for {LOCK_TIMEOUT:.0f} seconds"
                raise _refusal(directory, found, "it to be free", "Wait for the other to end, and try again.")
            time.sleep(pause)
            pause = min(2 * pause, 0.1)
        yield
    finally:
        _unlock(descriptor)


def _try_lock(descriptor: int, *, exclusive: bool) -> bool | None:
    """Whether the lock is ours now; None where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NOT_HERE:
            return None
        raise
    return True


def _unlock(descriptor: int) -> None:
    # Said, not left to close: a child forked meanwhile has the same lock open.
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _identity(directory: str | os.PathLike[str]) -> tuple[int, int]:
    status = os.stat(directory)
    return status.st_dev, status.st_ino


def _make_folders(folder: Path) -> None:
    for _ in range(100):  # another save that ends may delete the hidden folder between two of these steps
        with suppress(FileNotFoundError):
            folder.mkdir(parents=True, exist_ok=True)
            return
    folder.mkdir(parents=True, exist_ok=True)


def _sync_directory(folder: Path) -> None:
    """Put the names in a folder on the disk, where the system can do that for a folder."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NOT_HERE:
            raise
    finally:
        os.close(descriptor)


@contextmanager
def _os_errors(path: str | os.PathLike[str], found: str) -> Iterator[None]:
    """Turn the system's errors into this library's, the number kept."""
    try:
        yield
    except FileError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        refusal = _refusal(path, f"{found} ({reason})", "the system to allow it", _SPACE)
        refusal.errno = error.errno
        raise refusal from error


_SPACE = "Check the name, the permissions and the space on the disk, and try again."
_FETCH = "Save or fetch the checkpoint again."


def _damaged(directory: str | os.PathLike[str], reason: str) -> FileError:
    found = f"is the rest of a save that was cut short, and is damaged ({reason})"
    remedy = "Delete this folder, and save or fetch the checkpoint again."
    return _refusal(Path(directory, PUBLISHED), found, "what the save recorded", remedy)


def _refusal(path: str | os.PathLike[str], found: str, expected: str, remedy: str) -> FileError:
    return FileError(three_beats(f"{os.fspath(path)} {found}", expected, remedy))
