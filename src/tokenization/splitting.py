"""Finding a tokenizer's added tokens in a text, before the text is tokenized."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from tokenizers import AddedToken

#: How many characters at a place are looked at before any string is tried there.
_LOOKED_AT = 4


class Splitter:
    """Cuts a text at certain strings: the leftmost first, and of those that begin there the longest.

    Only places where characters stand that strings begin with are looked at, and there only the lengths of strings are
    tried, so that the time is linear in the text.
    """

    def __init__(self, tokens: Collection[str]) -> None:
        self._tokens = frozenset(token for token in tokens if token)
        by_first: dict[str, set[int]] = {}
        for token in self._tokens:
            by_first.setdefault(token[0], set()).add(len(token))
        self._lengths = {first: sorted(lengths, reverse=True) for first, lengths in by_first.items()}
        # A character from one of the strings at each place, as far as the shortest reaches.
        columns = [sorted(set(column)) for column in zip(*self._tokens, strict=False)][:_LOOKED_AT]
        # With "[" and "]" in it, a character class needs every character escaped.
        classes = ["[" + "".join(map(re.escape, column)) + "]" for column in columns]
        self._first = re.compile(f"{classes[0]}(?={''.join(classes[1:])})") if classes else None

    def split(self, text: str) -> list[str]:
        """The pieces of a text, tokens and what is between them; joined, they are the text."""
        pieces: list[str] = []
        done = 0
        for start, end in self._places(text):
            if start > done:
                pieces.append(text[done:start])
            pieces.append(text[start:end])
            done = end
        if done < len(text):
            pieces.append(text[done:])
        return pieces

    def _places(self, text: str) -> Iterator[tuple[int, int]]:
        """Where tokens begin and end."""
        if self._first is None:
            return
        position = 0
        while match := self._first.search(text, position):
            start = match.start()
            position = start + 1
            for length in self._lengths[match.group()]:
                if text[start : start + length] in self._tokens:
                    position = start + length
                    yield start, position
                    break


def apply_flags(pieces: list[str], tokens: Mapping[str, AddedToken]) -> list[str]:
    """Let added tokens treat their neighbours as their flags say.

    A token with `rstrip` takes the spaces after it away, one with `lstrip` those before it. A `single_word`
    token that touches other text is no token but part of that text.
    """
    if not any(token.lstrip or token.rstrip or token.single_word for token in tokens.values()):
        return pieces
    segments: list[str] = []
    carried = ""
    strip_next = False
    for number, piece in enumerate(pieces):
        if strip_next:
            piece, strip_next = piece.lstrip(), False
        piece, carried = carried + piece, ""
        token = tokens.get(piece)
        if token is None:
            segments.append(piece)
            continue
        before = segments[-1][-1:] if segments else ""
        after = pieces[number + 1][:1] if number + 1 < len(pieces) else ""
        strip_next = token.rstrip
        if token.lstrip and segments:
            segments[-1] = segments[-1].rstrip()
        if token.single_word and before not in ("", " "):
            segments[-1] += piece
            segments.append("")  # to the next piece, nothing stands before it
        elif token.single_word and after not in ("", " "):
            segments.append("")
            carried = piece
        else:
            segments.append(piece)
    return segments
