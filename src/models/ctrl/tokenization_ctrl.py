"""CTRL's tokenizer: words between spaces, then byte-pair encoding; nothing around the sequences."""

from __future__ import annotations

import os
from typing import Any, ClassVar

import regex

from ...tokenization.bpe import BytePairTokenizer
from ...tokenization.special_tokens import Token

#: What the last symbol of a word ends with while it is merged, and what all pieces but the last one end with after it.
_END_OF_WORD, _CONTINUED = "</w>", "@@"

#: A word, with the line end after it.
_WORD = regex.compile(r"\S+\n?")

#: The kind of a text -> the id of the word that such a text begins with.
CONTROL_CODES = {
    "Pregnancy": 168629,
    "Christianity": 7675,
    "Explain": 106423,
    "Fitness": 63440,
    "Saving": 63163,
    "Ask": 27171,
    "Ass": 95985,
    "Joke": 163509,
    "Questions": 45622,
    "Thoughts": 49605,
    "Retail": 52342,
    "Feminism": 164338,
    "Writing": 11992,
    "Atheism": 192263,
    "Netflix": 48616,
    "Computing": 39639,
    "Opinion": 43213,
    "Alone": 44967,
    "Funny": 58917,
    "Gaming": 40358,
    "Human": 4088,
    "India": 1331,
    "Joker": 77138,
    "Diet": 36206,
    "Legal": 11859,
    "Norman": 4939,
    "Tip": 72689,
    "Weight": 52343,
    "Movies": 46273,
    "Running": 23425,
    "Science": 2090,
    "Horror": 37793,
    "Confession": 60572,
    "Finance": 12250,
    "Politics": 16360,
    "Scary": 191985,
    "Support": 12654,
    "Technologies": 32516,
    "Teenage": 66160,
    "Event": 32769,
    "Learned": 67460,
    "Notion": 182770,
    "Wikipedia": 37583,
    "Books": 6665,
    "Extract": 76050,
    "Confessions": 102701,
    "Conspiracy": 75932,
    "Links": 63674,
    "Narcissus": 150425,
    "Relationship": 54766,
    "Relationships": 134796,
    "Reviews": 41671,
    "News": 4256,
    "Translation": 26820,
    "multilingual": 128406,
}


class CTRLTokenizer(BytePairTokenizer):
    """CTRL's tokenizer, in pure Python only.

    Args:
        vocab_file: The vocabulary, a vocab.json.
        merges_file: The merges, a merges.txt.
        unk_token: What stands for a piece that the vocabulary lacks.
        kwargs: As for every tokenizer.

    Raises:
        FileError: A file cannot be read, or is damaged.
    """

    control_codes: ClassVar[dict[str, int]] = CONTROL_CODES
    _words_hold_line_ends = True

    def __init__(
        self,
        vocab_file: str | os.PathLike[str],
        merges_file: str | os.PathLike[str],
        unk_token: Token = "<unk>",
        **kwargs: Any,
    ) -> None:
        self._read(vocab_file, merges_file)
        super().__init__(unk_token=unk_token, **kwargs)

    def _words_of(self, text: str) -> list[str]:
        return _WORD.findall(text)

    def _pieces(self, word: str) -> list[str]:
        *pieces, last = self._encoding.merge([*word[:-1], word[-1:] + _END_OF_WORD])
        return [*(piece + _CONTINUED for piece in pieces), last.removesuffix(_END_OF_WORD)]

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Tokens joined to a text: spaces between words, none inside them."""
        return " ".join(tokens).replace(f"{_CONTINUED} ", "").strip()
