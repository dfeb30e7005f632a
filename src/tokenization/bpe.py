"""Byte-pair encoding: the engine, and what the slow tokenizers with a vocab.json and a merges.txt share."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import ClassVar

from .slow import PreTrainedTokenizer
from .vocabularies import (
    MERGES_FILE,
    VOCABULARY_FILE,
    Pair,
    merges_text,
    read_merges,
    read_vocabulary,
    vocabulary_text,
)
from .words import Remembered


class BytePairEncoding:
    """Symbols merged pair by pair: first, from left to right, the pair that was learned first of all that stand side by
    side; then again, until there is none that was learned.

    Only the neighbours of what was merged are looked at again, so that the time is linear in the number of symbols.

    Args:
        ranks: Pair of symbols, none of them empty -> when it was learned.
    """

    def __init__(self, ranks: Mapping[Pair, int]) -> None:
        self.ranks = ranks
        self._pairs = {rank: pair for pair, rank in ranks.items()}

    def merge(self, symbols: Sequence[str]) -> list[str]:
        """The symbols after all merges. None of those given may be empty."""
        ranks, end = self.ranks, len(symbols)
        word = [*symbols, ""]  # an end, at both sides of which nothing merges: it is also at the place -1
        after, before = list(range(1, end + 1)), list(range(-1, end))
        places: dict[int, list[int]] = {}  # rank -> where its pair stands, or stood
        for place in range(end - 1):
            rank = ranks.get((word[place], word[place + 1]))
            if rank is not None:
                places.setdefault(rank, []).append(place)
        waiting = list(places)
        heapify(waiting)
        while waiting:
            rank = heappop(waiting)
            first, second = self._pairs[rank]
            for place in sorted(places.pop(rank)):
                gone = after[place]
                if word[place] != first or word[gone] != second:
                    continue  # an earlier merge took one of the two
                word[place], word[gone] = first + second, ""
                after[place], before[after[gone]] = after[gone], place
                for left in (before[place], place):
                    found = ranks.get((word[left], word[after[left]]))
                    if found is None:
                        continue
                    if found not in places:
                        heappush(waiting, found)
                    places.setdefault(found, []).append(left)
        return [symbol for symbol in word if symbol]


class BytePairTokenizer(PreTrainedTokenizer):
    """What the slow tokenizers with a vocab.json and a merges.txt share.

    A class derived from this one says in `_words_of` how a text falls into words, and in `_pieces` what the pieces of a
    word are.
    """

    vocab_files_names: ClassVar[dict[str, str]] = {"vocab_file": VOCABULARY_FILE, "merges_file": MERGES_FILE}
    #: Whether words hold line ends, which tear pairs of symbols in merges.txt.
    _words_hold_line_ends: ClassVar[bool] = False

    def _read(self, vocab_file: str | os.PathLike[str] | None, merges_file: str | os.PathLike[str] | None) -> None:
        """Read the two files; to be called before this class's constructor.

        Raises:
            FileError: One of them cannot be read, or is damaged.
        """
        self.encoder = read_vocabulary(vocab_file)
        self.decoder = {index: token for token, index in self.encoder.items()}
        self.bpe_ranks = read_merges(merges_file, self._words_hold_line_ends)
        self._encoding = BytePairEncoding(self.bpe_ranks)
        self._remembered = Remembered(self._pieces)

    @property
    def vocab_size(self) -> int:
        """The size of the vocabulary without added tokens."""
        return len(self.encoder)

    def get_vocab(self) -> dict[str, int]:
        """Token -> id, added tokens included."""
        return {**self.encoder, **self._added_tokens_encoder}

    def bpe(self, token: str) -> str:
        """The pieces of a word, with spaces between them."""
        return " ".join(self._pieces(token))

    def _tokenize(self, text: str, **kwargs: object) -> list[str]:
        pieces = self._remembered
        return [piece for word in self._words_of(text) for piece in pieces[word]]

    def _words_of(self, text: str) -> list[str]:
        """The words of a text."""
        raise NotImplementedError

    def _pieces(self, word: str) -> list[str]:
        """The pieces of a word, which is not empty."""
        raise NotImplementedError

    def _convert_token_to_id(self, token: str) -> int | None:
        index = self.encoder.get(token)
        return self.encoder.get(self.unk_token) if index is None else index

    def _convert_id_to_token(self, index: int) -> str | None:
        token = self.decoder.get(index)
        return self.unk_token if token is None else token

    def _vocabulary_contents(self) -> dict[str, str | bytes]:
        return {VOCABULARY_FILE: vocabulary_text(self.encoder), MERGES_FILE: merges_text(self.bpe_ranks)}
