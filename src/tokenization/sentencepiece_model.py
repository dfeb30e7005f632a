"""Reading a SentencePiece model: its pieces, and how it treats a text. All is checked before anything relies on it.

The file is a message of Protocol Buffers. What the `sentencepiece` library (and the `tokenizers` library, which fast
tokenizers are built on) takes on trust is checked here, so that a damaged file is an error and not a crash.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from enum import IntEnum

from ..files.errors import FileError, file_error
from .charsmap import fault_in
from .protobuf import WireError, as_float, bytes_field, encoded, fields, float_field, number_field
from .reading import read_bytes

#: What stands for a space inside a piece.
SPACE = "\u2581"
#: The largest file accepted; that of a million pieces has about 20 MiB.
MAX_BYTES = 32 * 2**20
#: The most pieces accepted: twice the largest vocabulary in common use.
MAX_PIECES = 2**21
#: The longest piece accepted, in bytes; training makes none beyond a few dozen.
MAX_PIECE_BYTES = 1024

_PIECES, _TRAINER, _NORMALIZER, _DENORMALIZER = (bytes_field(number) for number in (1, 2, 3, 5))
_TEXT, _SCORE, _KIND = bytes_field(1), float_field(2), number_field(3)
_ALGORITHM, _BYTE_FALLBACK = number_field(3), number_field(35)
_CHARSMAP, _ADD_DUMMY_PREFIX = bytes_field(2), number_field(3)


class Algorithm(IntEnum):
    """How a text is cut into pieces."""

    UNIGRAM = 1
    BPE = 2
    WORD = 3
    CHAR = 4


class Kind(IntEnum):
    """What a piece stands for."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


_ALGORITHMS, _KINDS = frozenset(Algorithm), frozenset(Kind)
_NORMAL = int(Kind.NORMAL)


@dataclass
class SentencePieceModel:
    """A model as its file describes it.

    Attributes:
        data: The file itself.
        pieces: The pieces by id, with a score and a kind for each.
        algorithm: How a text is cut into pieces.
        byte_fallback: Whether what the vocabulary lacks becomes pieces of single bytes.
        charsmap: The table of characters to replace, empty if there is none.
        denormalizing: The same for decoding.
    """

    data: bytes = b""
    pieces: list[str] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    algorithm: int = Algorithm.UNIGRAM
    byte_fallback: bool = False
    charsmap: bytes = b""
    denormalizing: bytes = b""

    @property
    def unk_id(self) -> int:
        """The id of the piece for what the vocabulary lacks."""
        return self.kinds.index(Kind.UNKNOWN)


def read_model(path: str | os.PathLike[str]) -> SentencePieceModel:
    """Read and check a .model file.

    Raises:
        FileError: It is missing, too large, damaged, or holds a model that cannot work.
    """
    data = read_bytes(path, MAX_BYTES)
    try:
        model = _parse(data)
        fault = _fault_in(model)
    except (WireError, UnicodeDecodeError) as error:
        raise _refusal(path, f"is no SentencePiece model ({error})") from error
    if fault is not None:
        raise _refusal(path, fault)
    return model


def without_prefix(data: bytes) -> bytes:
    """A model's file, changed so that no space is put before a text."""
    return data + encoded(_NORMALIZER, encoded(_ADD_DUMMY_PREFIX, 0))


def _parse(data: bytes) -> SentencePieceModel:
    model = SentencePieceModel(data)
    for key, value in fields(data):
        if key == _PIECES:
            _add_piece(model, value)
        elif key == _TRAINER:
            _read_trainer(model, value)
        elif key == _NORMALIZER:
            model.charsmap = _charsmap_in(value, model.charsmap)
        elif key == _DENORMALIZER:
            model.denormalizing = _charsmap_in(value, model.denormalizing)
    return model


def _add_piece(model: SentencePieceModel, message: bytes) -> None:
    piece, score, kind = b"", 0.0, _NORMAL
    for key, value in fields(message):
        if key == _TEXT:
            piece = value
        elif key == _SCORE:
            score = as_float(value)
        elif key == _KIND and value in _KINDS:  # others are kept aside as unknown by every reader of this format
            kind = value
    if not 0 < len(piece) <= MAX_PIECE_BYTES:
        raise WireError(f"piece {len(model.pieces)} has {len(piece)} bytes")
    if len(model.pieces) == MAX_PIECES:
        raise WireError(f"more than {MAX_PIECES} pieces")
    model.pieces.append(piece.decode("utf-8"))
    model.scores.append(score)
    model.kinds.append(kind)


def _read_trainer(model: SentencePieceModel, message: bytes) -> None:
    for key, value in fields(message):
        if key == _ALGORITHM and value in _ALGORITHMS:
            model.algorithm = value
        elif key == _BYTE_FALLBACK:
            model.byte_fallback = value != 0


def _charsmap_in(message: bytes, before: bytes) -> bytes:
    """The table of characters that a normalizer's message sets, the one before where it sets none."""
    for key, value in fields(message):
        if key == _CHARSMAP:
            before = value
    return before


def _fault_in(model: SentencePieceModel) -> str | None:
    """Why no library can work with a model, None if it can."""
    for name, table in (("normalizing", model.charsmap), ("denormalizing", model.denormalizing)):
        fault = fault_in(table)
        if fault is not None:
            return f"has a table for {name} that {fault}"
    unknown, single = model.kinds.count(Kind.UNKNOWN), model.kinds.count(Kind.BYTE)
    if unknown != 1:
        return f"has {unknown} pieces for what is unknown"
    if all(kind in (Kind.UNKNOWN, Kind.CONTROL) for kind in model.kinds):
        return "has no pieces"
    if single != (256 if model.byte_fallback else 0):
        return f"has {single} pieces for single bytes, and byte_fallback is {model.byte_fallback}"
    if len(set(model.pieces)) < len(model.pieces):
        return f"has the piece {_repeated(model.pieces)!r} twice"
    with_null = next((piece for piece in model.pieces if "\0" in piece), None)
    if with_null is not None:
        return f"has the piece {with_null!r}"
    if not all(map(math.isfinite, model.scores)):
        return "has a score that is no finite number"
    return None


def _repeated(pieces: list[str]) -> str:
    seen: set[str] = set()
    return next(piece for piece in pieces if piece in seen or seen.add(piece))


def _refusal(path: str | os.PathLike[str], found: str) -> FileError:
    return file_error(path, found, "a .model file of SentencePiece, as it was published", "Fetch it again.")
