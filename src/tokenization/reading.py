"""Files that are no JSON, read with the same caution: what they are and how large is known before they are opened."""

from __future__ import annotations

import os
import stat

from ..files.errors import FileError, three_beats

#: The largest file accepted: four times the largest tokenizer.json in common use.
MAX_BYTES = 128 * 2**20


def check_file(path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> str:
    """The path, if it is that of a regular file of a reasonable size.

    Raises:
        FileError: It is missing, a directory or a pipe (which could be waited on for ever), or too large.
    """
    try:
        source = os.fspath(path)
        status = os.stat(source)
    except (OSError, TypeError, ValueError) as error:  # ValueError: a path with a NUL in it
        reason = getattr(error, "strerror", None) or str(error)
        raise FileError(
            three_beats(f"{path} cannot be read ({reason})", "a readable file", "Check the path.")
        ) from None
    if not stat.S_ISREG(status.st_mode):
        kind = "a directory" if stat.S_ISDIR(status.st_mode) else "no regular file"
        raise FileError(three_beats(f"{path} is {kind}", "a file", "Check the path."))
    if status.st_size > max_bytes:
        found = f"{path} has {status.st_size} bytes"
        raise FileError(three_beats(found, f"at most {max_bytes}", "Fetch it again, or check the path."))
    return source


def read_bytes(path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> bytes:
    """A file as it is.

    Raises:
        FileError: As `check_file`.
    """
    source = check_file(path, max_bytes)
    try:
        with open(source, "rb") as file:
            return file.read(max_bytes)
    except OSError as error:
        raise FileError(
            three_beats(f"{path} cannot be read ({error.strerror})", "a readable file", "Check it.")
        ) from error


def read_text(path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> str:
    """A text in UTF-8, every kind of line end as a newline.

    Raises:
        FileError: As `check_file`, or it is not UTF-8.
    """
    source = check_file(path, max_bytes)
    try:
        with open(source, encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError as error:
        found = f"{path} is not UTF-8 (byte {error.start})"
        raise FileError(three_beats(found, "text in UTF-8", "Fetch it again, or correct it.")) from None
    except OSError as error:
        raise FileError(
            three_beats(f"{path} cannot be read ({error.strerror})", "a readable file", "Check it.")
        ) from error
