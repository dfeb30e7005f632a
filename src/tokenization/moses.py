"""Words as the Moses scripts cut them and join them, through the `sacremoses` library."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from ..files.errors import InputError, MissingDependencyError, three_beats

#: A repetition in a pattern: a text could be made for it that is searched for ever.
_REPETITION = re.compile(r"(?<!\\)(?:\\\\)*[*+{]")


class Moses:
    """The scripts for one language. It can be copied and pickled.

    Args:
        language: Its code; it decides which abbreviations keep their period, and where apostrophes belong.

    Raises:
        MissingDependencyError: The `sacremoses` library is not installed.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        library = _sacremoses()
        self._normalizer = library.MosesPunctNormalizer(language)
        self._tokenizer = _linear(library)(language)
        self._detokenizer = library.MosesDetokenizer(language)

    def __reduce__(self) -> tuple[Any, ...]:
        return Moses, (self.language,)

    def normalize(self, text: str) -> str:
        """The text with plain quotation marks, dashes and spaces."""
        return self._normalizer.normalize(text)

    def words(self, text: str, kept: Sequence[str]) -> list[str]:
        """The words of a text; a hyphen inside a word becomes the word `@-@`.

        Args:
            text: The text.
            kept: Patterns of what is to stay whole.

        Raises:
            InputError: The library finds too much that is to stay whole.
        """
        try:
            return self._tokenizer.tokenize(
                text, aggressive_dash_splits=True, return_str=False, escape=False, protected_patterns=list(kept)
            )
        except ValueError as error:
            remedy = "Encode shorter texts, or give fewer words in never_split."
            raise InputError(three_beats(f"sacremoses refuses the text ({error})", "one it can cut", remedy)) from error

    def join(self, words: Sequence[str]) -> str:
        """The text of words."""
        return self._detokenizer.detokenize(words)


def check_patterns(patterns: Sequence[str], name: str) -> None:
    """Check that patterns of what stays whole are ones that are found in linear time.

    Raises:
        InputError: One is no regular expression, or repeats something.
    """
    for pattern in patterns:
        try:
            re.compile(pattern)
            found = "repeats something" if _REPETITION.search(pattern) else ""
        except re.error as error:
            found = f"is no pattern ({error})"
        if found:
            remedy = f"Write {re.escape(pattern)!r} for these characters themselves."
            raise InputError(three_beats(f"{pattern!r} in {name} {found}", "a pattern of fixed length", remedy))


def _sacremoses() -> ModuleType:
    try:
        import sacremoses
    except ImportError as error:
        raise MissingDependencyError(
            three_beats(
                "the Transformer-XL tokenizer needs the sacremoses library, which cannot be imported here",
                "it to be installed",
                "Run: pip install 'triformers[sentencepiece]'.",
            )
        ) from error
    return sacremoses


def _linear(library: ModuleType) -> Any:
    """The library's tokenizer, but with the set of all lower-case letters made once, not for each word's period."""

    class Tokenizer(library.MosesTokenizer):
        """Moses' words."""

        def __init__(self, language: str) -> None:
            super().__init__(language)
            self._lower = frozenset(self.IsLower)

        def islower(self, text: str) -> bool:
            """Whether a text has lower-case letters alone."""
            return self._lower.issuperset(text)

    return Tokenizer
