"""Writes .model files of SentencePiece for tests: a small writer of the wire format, independent of the reader."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

UNIGRAM, BPE, WORD, CHAR = 1, 2, 3, 4
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6


def varint(value: int) -> bytes:
    """A whole number in groups of seven bits; a negative one as 64 bits."""
    value %= 2**64
    groups = [value & 127]
    while value := value >> 7:
        groups.append(value & 127)
    return bytes([group | 128 for group in groups[:-1]] + groups[-1:])


def number(field: int, value: int) -> bytes:
    """A field with a whole number."""
    return varint(field << 3) + varint(value)


def block(field: int, content: bytes | str) -> bytes:
    """A field with text, bytes or a message."""
    data = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(data)) + data


@dataclass(frozen=True)
class Piece:
    """A piece as a model lists it."""

    text: str | bytes
    score: float = 0.0
    kind: int = NORMAL

    def encode(self) -> bytes:
        """The field of the model's message."""
        return block(1, block(1, self.text) + varint(2 << 3 | 5) + struct.pack("<f", self.score) + number(3, self.kind))


#: Pieces that make a model whole, without much in it.
BASIC = (
    Piece("<unk>", kind=UNKNOWN),
    Piece("<s>", kind=CONTROL),
    Piece("</s>", kind=CONTROL),
    Piece("\u2581", -2.0),
    *(Piece(letter, -3.0 - place / 8) for place, letter in enumerate("abcde")),
    Piece("ab", -2.5),
    Piece("\u2581a", -2.25),
)


def model_file(
    pieces: Iterable[Piece] = BASIC,
    algorithm: int = UNIGRAM,
    trainer: bytes = b"",
    normalizer: bytes = b"",
    rest: bytes = b"",
) -> bytes:
    """A .model file.

    Args:
        pieces: Its pieces.
        algorithm: How it cuts texts.
        trainer: Further fields of the trainer's message.
        normalizer: Fields of the normalizer's message.
        rest: Further fields of the model's message.
    """
    listed = b"".join(piece.encode() for piece in pieces)
    return listed + block(2, number(3, algorithm) + trainer) + block(3, normalizer) + rest


def charsmap(units: Iterable[int], replacements: bytes) -> bytes:
    """A table of characters to replace, of these units of its trie."""
    trie = b"".join(struct.pack("<I", unit) for unit in units)
    return struct.pack("<I", len(trie)) + trie + replacements
