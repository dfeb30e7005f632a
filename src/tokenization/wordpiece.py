"""WordPiece: text to words, words to the longest pieces that a vocabulary has.

Both halves take time linear in the text, whatever the text is. Characters are treated through translation
tables that fill themselves: each character is looked up in the Unicode data once per process, and everything
else happens inside `str.translate`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping

from ..files.errors import three_beats
from .errors import ArgumentTypeError
from .unicode import is_control, is_ideograph, is_punctuation, is_space, normalize
from .words import Remembered

#: Up to so many words it is faster to look for each in a text than to split the text.
_FEW = 16


class _Cleaning(dict[int, str]):
    """Control characters away, every space a plain one, spaces around ideographs if wanted."""

    def __init__(self, space_ideographs: bool) -> None:
        self._space_ideographs = space_ideographs

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if code in (0, 0xFFFD) or is_control(char):
            result = ""
        elif is_space(char):
            result = " "
        elif self._space_ideographs and is_ideograph(char):
            result = f" {char} "
        else:
            result = char
        self[code] = result
        return result


class _Unaccenting(dict[int, str]):
    """Accents away. The canonical order of marks does not matter here, because the marks go."""

    def __missing__(self, code: int) -> str:
        parts = unicodedata.normalize("NFD", chr(code))
        self[code] = result = "".join(part for part in parts if unicodedata.category(part) != "Mn")
        return result


class _Separating(dict[int, str]):
    """Spaces around punctuation."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        self[code] = result = f" {char} " if is_punctuation(char) else char
        return result


_CLEANING = {choice: _Cleaning(choice) for choice in (False, True)}
_UNACCENTING = _Unaccenting()
_SEPARATING = _Separating()


class BasicTokenizer:
    """Text to words: cleaned, lower-cased, and separated at spaces and punctuation.

    Args:
        do_lower_case: Lower-case every word.
        never_split: Words to leave exactly as they are.
        tokenize_chinese_chars: Make every CJK ideograph a word.
        strip_accents: Take accents off; None does so when lower-casing.
        do_split_on_punc: Make every punctuation character a word.

    Raises:
        ArgumentTypeError: `never_split` holds something else than strings.
    """

    def __init__(
        self,
        do_lower_case: bool = True,
        never_split: Iterable[str] | None = None,
        tokenize_chinese_chars: bool = True,
        strip_accents: bool | None = None,
        do_split_on_punc: bool = True,
    ) -> None:
        self.do_lower_case = bool(do_lower_case)
        self.never_split = frozenset(never_split or ())
        if not all(isinstance(word, str) for word in self.never_split):
            raise ArgumentTypeError(
                three_beats(f"never_split={never_split!r}", "a list of strings", "Correct the argument or the file.")
            )
        self.tokenize_chinese_chars = bool(tokenize_chinese_chars)
        self.strip_accents = None if strip_accents is None else bool(strip_accents)
        self.do_split_on_punc = bool(do_split_on_punc)

    def tokenize(self, text: str, never_split: Collection[str] | None = None) -> list[str]:
        """The words of a text; `never_split` adds to the words that are left as they are."""
        kept = self.never_split.union(never_split or ()) if self.never_split else never_split or ()
        cleaned = normalize("NFC", text.translate(_CLEANING[self.tokenize_chinese_chars]))
        folded = self._fold(cleaned)
        if not (_mentioned(kept, cleaned) or _mentioned(kept, folded)):
            return self._separate(folded).split()
        words: list[str] = []
        for word in cleaned.split():
            if word not in kept:
                word = self._fold(word)
            words += word.split() if word in kept else self._separate(word).split()
        return words

    def _fold(self, text: str) -> str:
        """Lower case and without accents, each if wanted."""
        strip = self.do_lower_case if self.strip_accents is None else self.strip_accents
        lowered = text.lower() if self.do_lower_case else text
        return lowered.translate(_UNACCENTING) if strip and not lowered.isascii() else lowered

    def _separate(self, text: str) -> str:
        return text.translate(_SEPARATING) if self.do_split_on_punc else text


def _mentioned(words: Collection[str], text: str) -> bool:
    """Whether one of some words may be among those of a text; each of a few is looked for, many are looked up."""
    if len(words) <= _FEW:
        return any(word in text for word in words)
    return any(word in words for word in text.split())


class WordpieceTokenizer:
    """Words to pieces: from left to right, always the longest one that the vocabulary has.

    Args:
        vocab: The pieces; those that continue a word begin with `##`.
        unk_token: What a word becomes that cannot be made of pieces.
        max_input_chars_per_word: Longer words are not tried.
    """

    def __init__(self, vocab: Mapping[str, int], unk_token: str, max_input_chars_per_word: int = 100) -> None:
        self.vocab = vocab
        self.unk_token = unk_token
        self.max_input_chars_per_word = max_input_chars_per_word
        self._longest = max(map(len, vocab), default=0)
        self._pieces = Remembered(self._search)

    def tokenize(self, text: str) -> list[str]:
        """The pieces of a text's words, which spaces separate."""
        known = self._pieces
        return [piece for word in text.split() for piece in known[word]]

    def pieces(self, word: str) -> list[str]:
        """The pieces of one word."""
        return self._pieces[word]

    def _search(self, word: str) -> list[str]:
        if len(word) > self.max_input_chars_per_word:
            return [self.unk_token]
        pieces: list[str] = []
        start = 0
        while start < len(word):
            prefix = "##" if start else ""
            longest = min(len(word), start + self._longest)
            ends = range(longest, start, -1)
            end = next((end for end in ends if prefix + word[start:end] in self.vocab), None)
            if end is None:
                return [self.unk_token]
            pieces.append(prefix + word[start:end])
            start = end
        return pieces
