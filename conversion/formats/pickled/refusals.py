"""How the parts of this reader refuse: they know what is wrong, and the border knows which file it is wrong with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from triformers.files.errors import FileError, file_error

#: The longest account of what was found: names, keys and shapes can be as long as the file.
MAX_FOUND = 200
REMEDY = "Fetch or save the file again, best as safetensors."


class Refusal(Exception):
    """What a file holds and what it should hold; never leaves this package.

    Args:
        found: What is wrong, in words that follow the file's path.
        expected: What would have been right.
    """

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(found)
        self.found = found if len(found) <= MAX_FOUND else f"{found[:MAX_FOUND]}..."
        self.expected = expected


@contextmanager
def refusals_of(path: Path) -> Iterator[None]:
    """Within this context, a refusal or a failing system call becomes the public error about this file.

    Raises:
        FileError: The file is refused, or cannot be read.
    """
    try:
        yield
    except FileError:
        raise
    except Refusal as refusal:
        raise file_error(path, refusal.found, refusal.expected, REMEDY) from None
    except OSError as error:
        reason = f"cannot be read ({error.strerror or type(error).__name__})"
        raise file_error(path, reason, "a readable file", "Check the path and its permissions.") from error


def quoted(text: str) -> str:
    """A word of the file as an error message shows it: short, and in ASCII whatever it holds."""
    return ascii(text if len(text) <= 80 else f"{text[:80]}...")
