"""One file of a save being written: on the disk when it is closed, and hashed on the way there."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from .disk import ROOM, os_errors
from .errors import file_error
from .inventory import Entry

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_OVERLAP_FROM = 2**20  # below this, handing the hash to a thread costs more than it saves
_CHUNK = 2**24
_FLUSH_FROM = 2**26  # a file that is larger goes to the disk while its rest is still hashed


class StagedFile(io.BufferedIOBase):
    """A binary file that cannot seek, and knows its size and hash when it is closed.

    Args:
        path: Where to write; nothing is there yet.

    Attributes:
        path: The same.
        entry: What was written, once the file was closed in order; None before, and if it was abandoned.
    """

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(path, flags, 0o666)
        self.path = path
        self.entry: Entry | None = None
        self._hash = hashlib.sha256()
        self._size = 0
        self._torn = False
        self._flushing: threading.Thread | None = None
        self._refused: OSError | None = None

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
            with view.cast("B") as flat, os_errors(self.path, "cannot be written"):
                try:
                    for start in range(0, flat.nbytes, _CHUNK):
                        self._write_chunk(flat[start : start + _CHUNK])
                except BaseException:
                    self._torn = True
                    raise
                return flat.nbytes

    def _write_chunk(self, chunk: memoryview) -> None:
        if chunk.nbytes < _OVERLAP_FROM:
            self._hash.update(chunk)
            self._write_all(chunk)
        else:
            # Hashing takes about as long as writing, and neither holds the interpreter.
            hashing = threading.Thread(target=self._hash.update, args=(chunk,), name="sha256")
            hashing.start()
            try:
                self._write_all(chunk)
            finally:
                hashing.join()
        self._size += chunk.nbytes
        if self._size >= _FLUSH_FROM:
            self._flush_behind()

    def _flush_behind(self) -> None:
        """Send what is written to the disk, beside what goes on, unless that is on its way."""
        if self._flushing is None or not self._flushing.is_alive():
            self._flushing = threading.Thread(target=self._flush, name="flush")
            self._flushing.start()

    def _flush(self) -> None:
        try:
            os.fsync(self._descriptor)
        except OSError as error:  # told once: the last fsync would say that all is well
            self._refused = error

    def _finish_flushing(self) -> None:
        if self._flushing is not None:
            self._flushing.join()
            self._flushing = None

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
                raise file_error(self.path, "was not written to its end", "every write to succeed", ROOM)
            with os_errors(self.path, "cannot be flushed to the disk"):
                self._finish_flushing()
                if self._refused is not None:
                    raise self._refused
                os.fsync(self._descriptor)
        except BaseException:
            self.abandon()
            raise
        self._release()
        self.entry = Entry(self._size, self._hash.hexdigest())

    def abandon(self) -> None:
        """Close the file, if it is open, and take it out of the save."""
        if not self.closed:
            with suppress(OSError):
                os.unlink(self.path)
            self._release()

    def _release(self) -> None:
        self._finish_flushing()  # a number of a closed file may be another's
        super().close()
        with suppress(OSError):  # what matters was said by fsync
            os.close(self._descriptor)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def __del__(self) -> None:
        # In place of io's finaliser, which would flush a file that nobody closed, or delete it: this may be a
        # forked child's copy of its parent's file. Without a descriptor, it was never opened.
        if hasattr(self, "_descriptor") and not self.closed:
            self._release()
