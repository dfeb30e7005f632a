"""SentencePiece's table of characters to replace, checked before a library walks through it.

The table is a trie of UTF-8 bytes in two parts: an array of units (a "double array"), and the replacements one behind
the other, each with a zero byte at its end. The libraries that use it follow the array's offsets without looking at
its size, so a damaged one would have them read memory that is not theirs.
"""

from __future__ import annotations

import numpy as np

#: The largest table accepted: ten times the one of Unicode's NFKC with case folding.
MAX_BYTES = 4 * 2**20
#: The longest string of bytes that a table may replace; a longer path is one that never ends.
_DEEPEST = 256
_BLOCK = 256
_NO_LABEL = np.uint32(0x8000_0000)


def fault_in(table: bytes) -> str | None:
    """What is wrong with a table, None if nothing is; an empty one replaces nothing and is right."""
    if not table:
        return None
    size = int.from_bytes(table[:4], "little")
    if len(table) > MAX_BYTES:
        return f"has {len(table)} bytes"
    if len(table) < 4 or size % 4 or not 0 < size <= len(table) - 4:
        return "does not say where its trie ends"
    units = np.frombuffer(table, dtype="<u4", count=size // 4, offset=4)
    replacements = table[4 + size :]
    if not _ends_well(replacements):
        return "has replacements that are not text"
    return _fault_in_trie(units, np.frombuffer(replacements, dtype=np.uint8))


def _ends_well(replacements: bytes) -> bool:
    """Whether the replacements are UTF-8 with a zero byte at the end."""
    try:
        replacements.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return replacements.endswith(b"\0")


def _fault_in_trie(units: np.ndarray, replacements: np.ndarray) -> str | None:
    """Walk through all strings of the trie at once, one byte further in each round.

    A unit holds an offset; the unit at (position XOR offset XOR byte) is the child for a byte if that byte is its
    label. The one at (position XOR offset) is the value, where the unit says that there is one.
    """
    labels = units & np.uint32(0x8000_00FF)
    # The place that a unit's siblings share; a unit without a label, or with the label 0, is nobody's child.
    families = np.where(labels == 0, _NO_LABEL, np.arange(len(units), dtype=np.uint32) ^ labels)
    frontier = np.zeros(1, dtype=np.int64)
    for _ in range(_DEEPEST):
        offsets = (units[frontier] >> np.uint32(10)) << ((units[frontier] & np.uint32(0x200)) >> np.uint32(6))
        places = frontier ^ offsets.astype(np.int64)
        if (places | (_BLOCK - 1) >= len(units)).any():
            return "leads out of its trie"
        values = units[places[(units[frontier] & np.uint32(0x100)) != 0]] & np.uint32(0x7FFF_FFFF)
        if (values >= len(replacements)).any() or ((replacements[values] & 0xC0) == 0x80).any():
            return "leads to no replacement"
        expected = np.zeros(len(units), dtype=bool)
        expected[places] = True
        known = families < len(units)
        frontier = np.flatnonzero(known & expected[np.where(known, families, 0)])
        if not len(frontier):
            return None
    return "has a path without an end"
