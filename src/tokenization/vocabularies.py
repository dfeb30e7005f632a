"""The files that hold a vocabulary: ids by token in vocab.json, merges in merges.txt."""

from __future__ import annotations

import os

from ..files.errors import FileError, file_error, three_beats
from ..files.strict_json import load_json_object
from .reading import MAX_BYTES, read_text
from .saving import dump_json
from .token_files import LARGEST_ID, shown

VOCABULARY_FILE = "vocab.json"
MERGES_FILE = "merges.txt"

#: The line that every merges.txt begins with.
_HEADING = "#version: 0.2"

Pair = tuple[str, str]


def read_vocabulary(path: str | os.PathLike[str] | None) -> dict[str, int]:
    """Read a vocab.json: token -> id.

    Raises:
        FileError: The file cannot be read, is no JSON object, or holds something that is no token or no id.
    """
    vocabulary = load_json_object(_given(path, "vocab_file"), max_bytes=MAX_BYTES)
    check_ids(vocabulary, str(path))
    return vocabulary


def check_ids(vocabulary: dict[str, object], where: str) -> None:
    """Check that a vocabulary has ids from 0 on for tokens of Unicode text.

    Raises:
        FileError: It has not.
    """
    for token, index in vocabulary.items():
        if type(index) is not int or not 0 <= index <= LARGEST_ID:
            found = f"{where}: the id of {token[:40]!r} is {shown(index)}"
            raise FileError(three_beats(found, f"a whole number up to {LARGEST_ID}", "Fetch the file again."))
    try:
        "".join(vocabulary).encode("utf-8")
    except UnicodeEncodeError:
        remedy = "Fetch the file again."
        raise FileError(three_beats(f"{where}: a token holds a lone surrogate", "Unicode text", remedy)) from None


def vocabulary_text(vocabulary: dict[str, int]) -> bytes:
    """A vocabulary as slow tokenizers write it into vocab.json."""
    return dump_json(vocabulary)


def read_merges(path: str | os.PathLike[str] | None, some_are_torn: bool = False) -> dict[Pair, int]:
    """Read a merges.txt: pair of symbols -> its rank, the one learned first first.

    The first line is a heading whatever it holds, and the last one counts only where a line end closes it: so these
    files are read everywhere. A symbol with a space of another kind in it is never met in a word, and left out.

    Args:
        path: The file.
        some_are_torn: Whether words may hold line ends, so that a pair of symbols may stand on two lines: what is no
            pair is then passed over.

    Raises:
        FileError: The file cannot be read, or a line is no pair.
    """
    ranks: dict[Pair, int] = {}
    for rank, line in enumerate(read_text(_given(path, "merges_file")).split("\n")[1:-1]):
        parts = line.split()
        if len(parts) == 2:
            ranks[parts[0], parts[1]] = rank
        elif parts and line.count(" ") != 1 and not some_are_torn:
            found = f"holds {line[:40]!r} in line {rank + 2}"
            raise file_error(os.fspath(path or ""), found, "two symbols with a space between", "Fetch it again.")
    return ranks


def merges_text(ranks: dict[Pair, int]) -> str:
    """Merges as merges.txt holds them."""
    lines = (" ".join(pair) for pair, _ in sorted(ranks.items(), key=lambda item: item[1]))
    return "".join(f"{line}\n" for line in (_HEADING, *lines))


def _given(path: str | os.PathLike[str] | None, argument: str) -> str | os.PathLike[str]:
    if path is None:
        raise FileError(three_beats(f"no {argument} was given", "the path of a file", f"Pass {argument}=..."))
    return path
