"""Unicode as the pure-Python tokenizers need it: classes of characters, and normal forms in linear time."""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby
from typing import Any, Literal

from ..files.errors import three_beats
from .errors import ArgumentTypeError

NormalForm = Literal["NFC", "NFD", "NFKC", "NFKD"]

#: Below this length the quadratic case of `unicodedata.normalize` costs less than looking for it.
_SHORT = 1024
#: A word that could hold a run of combining marks worth sorting.
_LONG_WORD = re.compile(r"\S{257,}")
#: Longer runs of combining marks are sorted before the standard library sees them.
_LONG_RUN = 64
#: Half of a pair of UTF-16, which is no character.
_SURROGATE = re.compile("[\ud800-\udfff]")

#: The blocks of CJK ideographs. Hangul, Hiragana and Katakana are not among them: those scripts are written
#: with spaces, or as words.
_IDEOGRAPHS = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)


def is_ideograph(char: str) -> bool:
    """Whether a character is a CJK ideograph."""
    code = ord(char)
    return code >= 0x3400 and any(first <= code <= last for first, last in _IDEOGRAPHS)


def is_space(char: str) -> bool:
    """Whether a character separates words: a space of any width, a tab or a line break."""
    return char in " \t\n\r" or unicodedata.category(char) == "Zs"


def is_control(char: str) -> bool:
    """Whether a character has no look of its own: control, format, surrogate, private or unassigned."""
    return char not in "\t\n\r" and unicodedata.category(char).startswith("C")


def is_punctuation(char: str) -> bool:
    """Whether a character is punctuation, or any ASCII character that is neither letter, digit nor space.

    Characters such as `$` and `^` are symbols to Unicode and are treated as punctuation all the same.
    """
    if char.isascii():
        return char.isprintable() and not char.isalnum() and char != " "
    return unicodedata.category(char).startswith("P")


def lone_surrogate(texts: Any) -> ArgumentTypeError | None:
    """The refusal of a text, or nested lists of texts, with half a surrogate pair in it; None if there is none."""
    if isinstance(texts, (list, tuple)):
        return next(filter(None, map(lone_surrogate, texts)), None)
    found = _SURROGATE.search(texts) if isinstance(texts, str) else None
    if found is None:
        return None
    return ArgumentTypeError(
        three_beats(
            f"a text holds the lone surrogate U+{ord(found.group()):04X} at position {found.start()}",
            "Unicode text",
            "Repair it with text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace').",
        )
    )


def normalize(form: NormalForm, text: str) -> str:
    """`unicodedata.normalize` that takes linear time.

    The standard library sorts a run of combining marks in quadratic time; a text of one letter and a million
    accents would take hours. Sorting long runs first leaves it nothing to do and does not change the result.
    """
    if text.isascii():
        return text
    if len(text) > _SHORT:
        text = _LONG_WORD.sub(_sort_marks, text)
    return unicodedata.normalize(form, text)


def _sort_marks(match: re.Match[str]) -> str:
    """A word with its long runs of combining marks in canonical order."""
    word = match.group()
    runs = [(marks, list(chars)) for marks, chars in groupby(word, _is_mark)]
    if all(not marks or len(chars) < _LONG_RUN for marks, chars in runs):
        return word
    ordered: list[str] = []
    for marks, chars in runs:
        if marks and len(chars) >= _LONG_RUN:
            parts = "".join(unicodedata.normalize("NFD", char) for char in chars)
            ordered += sorted(parts, key=unicodedata.combining)
        else:
            ordered += chars
    return "".join(ordered)


def _is_mark(char: str) -> bool:
    """Whether a character, decomposed, is nothing but combining marks with a place in the canonical order."""
    return all(map(unicodedata.combining, unicodedata.normalize("NFD", char)))
