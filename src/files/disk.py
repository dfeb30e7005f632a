"""What a save asks of the disk, and how it says that the disk refused."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import FileError, file_error

#: What the remedy is when the system refuses.
ROOM = "Check the name, the permissions and the space on the disk, and try again."

#: What a file system answers that cannot do a thing at all: lock a folder, flush it, link a file.
UNSUPPORTED = frozenset({errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP})
_NO_LINKS = UNSUPPORTED | {errno.EPERM, errno.EMLINK}


@contextmanager
def os_errors(path: str | os.PathLike[str], found: str) -> Iterator[None]:
    """Turn the system's errors into this library's, the number kept."""
    try:
        yield
    except FileError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        refused = file_error(path, f"{found} ({reason})", "the system to allow it", ROOM)
        refused.errno = error.errno
        raise refused from error


def check_path(path: str | os.PathLike[str]) -> None:
    """Refuse what the system cannot take for a path: text outside its encoding, a NUL.

    Raises:
        FileError: It is such a path.
    """
    try:
        encoded = os.fsencode(path)
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded:
        raise file_error(repr(os.fspath(path)), "has a character that no path has", "a path", "Give another name.")


def make_folders(folder: Path) -> None:
    """Make a folder and those above it, as far as they are missing."""
    for _ in range(100):  # another save that ends may delete the hidden folder between two of these steps
        with suppress(FileNotFoundError):
            folder.mkdir(parents=True, exist_ok=True)
            return
    folder.mkdir(parents=True, exist_ok=True)


def delete_folder(folder: str | os.PathLike[str]) -> None:
    """Delete a folder with all in it, as far as the system allows."""
    import shutil  # brings the compression modules, which a load does not need

    shutil.rmtree(folder, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk, where the system can do that for a folder."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
    finally:
        os.close(descriptor)


def linked(path: Path, second: Path) -> bool:
    """Give a file a second name, if the file system can; whether it could."""
    try:
        os.link(path, second, follow_symlinks=False)
    except NotImplementedError:
        return False
    except OSError as error:
        if error.errno in _NO_LINKS:
            return False
        raise
    return True
