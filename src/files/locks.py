"""Locks on directories, by `flock`: held to move files in one, shared to read them.

They leave no files behind, end with their process, and readers can hold them where they may not write. Where
the platform or the file system has none, nobody waits for anybody.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .disk import UNSUPPORTED
from .errors import file_error

try:
    import fcntl
except ImportError:  # not a POSIX system
    fcntl = None

#: How long a save or a load waits for the others in its folder, in seconds. Locks are held while files are
#: moved or opened, never while they are written.
LOCK_TIMEOUT = 300.0


@contextmanager
def locked(directory: str | os.PathLike[str], *, exclusive: bool) -> Iterator[None]:
    """Hold the directory's lock. Raises as `acquire`."""
    descriptor = acquire(directory, exclusive=exclusive)
    try:
        yield
    finally:
        release(descriptor)


def acquire(directory: str | os.PathLike[str], *, exclusive: bool) -> int | None:
    """Take the directory's lock; what `release` is to be given.

    Raises:
        FileError: Others held it for `LOCK_TIMEOUT` seconds.
    """
    if fcntl is None:
        return None
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        except PermissionError:
            if exclusive:
                raise
            return None  # files can be opened by name in a folder that may not be listed
        try:
            _wait(descriptor, directory, exclusive, deadline)
            if os.path.samestat(os.fstat(descriptor), os.stat(directory)):
                return descriptor
        except BaseException:
            release(descriptor)
            raise
        release(descriptor)  # while this waited, another folder came in the place of the one that it locked


def _wait(descriptor: int, directory: str | os.PathLike[str], exclusive: bool, deadline: float) -> None:
    """Lock an open directory, as soon as the others let it go."""
    pause = 0.001
    while _try_lock(descriptor, exclusive=exclusive) is False:
        if time.monotonic() > deadline:
            found = f"was in use by another save or load for {LOCK_TIMEOUT:.0f} seconds"
            remedy = "Wait for the other to end, and try again."
            raise file_error(directory, found, "it to be free", remedy)
        time.sleep(pause)
        pause = min(2 * pause, 0.01)


def release(descriptor: int | None) -> None:
    """Give a lock back that `acquire` took."""
    if descriptor is None:
        return
    if fcntl is not None:
        with suppress(OSError):  # said, not left to close: a child forked meanwhile has the same lock open
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def is_free(directory: str | os.PathLike[str]) -> bool | None:
    """Whether nobody holds the directory's lock; None where there are no locks."""
    if fcntl is None:
        return None
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        return _try_lock(descriptor, exclusive=True)
    finally:
        release(descriptor)


def _try_lock(descriptor: int, *, exclusive: bool) -> bool | None:
    """Whether the lock is ours now; None where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in UNSUPPORTED:
            return None
        raise
    return True
