"""Protocol Buffers' wire format, as far as SentencePiece's files use it: a message as its fields, each in bounds.

A message is a row of fields, each a key (the field's number and how its value is written) and the value. Nothing is
copied that is not there: a length is believed only as far as the message reaches.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
_FLOAT = struct.Struct("<f")
_SIZES = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}
#: A number of 64 bits takes ten bytes of seven.
_LONGEST_VARINT = 10


class WireError(ValueError):
    """Bytes that are no message."""


def number_field(number: int) -> int:
    """The key of a field that holds a whole number, a choice or a truth value."""
    return number << 3 | _VARINT


def bytes_field(number: int) -> int:
    """The key of a field that holds text, bytes or a message."""
    return number << 3 | _BYTES


def float_field(number: int) -> int:
    """The key of a field that holds a float32."""
    return number << 3 | _FOUR_BYTES


def fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a message, in order: key and value, numbers as they stand there, without a sign.

    Raises:
        WireError: The message ends within a field, or holds something that is none.
    """
    position, end = 0, len(message)
    while position < end:
        key, position = _varint(message, position)
        kind = key & 7
        if key < 8:
            raise WireError(f"field number 0 at byte {position}")
        if kind == _BYTES:
            size, position = _varint(message, position)
        elif kind == _VARINT:
            value, position = _varint(message, position)
            yield key, value
            continue
        elif kind in _SIZES:
            size = _SIZES[kind]
        else:
            raise WireError(f"a field of the unknown kind {kind} at byte {position}")
        if size > end - position:
            raise WireError(f"a field of {size} bytes where {end - position} are left")
        yield key, message[position : position + size]
        position += size


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first, and the position behind it."""
    if position < len(message) and message[position] < 0x80:
        return message[position], position + 1
    value = 0
    for place, byte in enumerate(message[position : position + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value & 2**64 - 1, position + place + 1
    raise WireError(f"a number without an end at byte {position}")


def as_float(value: bytes) -> float:
    """The number of a field of four bytes."""
    return _FLOAT.unpack(value)[0]


def encoded(key: int, value: int | bytes) -> bytes:
    """A field as it is written: the inverse of `fields`.

    A message with fields appended is the message with these fields set: of a field that stands twice the last value
    counts, and messages are merged.
    """
    if isinstance(value, int):
        return _as_varint(key) + _as_varint(value)
    return _as_varint(key) + _as_varint(len(value)) + value


def _as_varint(value: int) -> bytes:
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)
