"""The groups of an HDF5 file: which names lead to which objects.

Groups are kept in two ways. The older one is a tree of nodes with names in a heap of their own (specification, "B-trees
Version 1", "Symbol Table Nodes", "Local Heaps"). In the newer one a link is a message, of the group itself or, when
there are many, of a heap that an index leads into (`dense`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from struct import Struct

from triformers.conversion.formats.hdf5.dense import FractalHeap, indexed
from triformers.conversion.formats.hdf5.structure import (
    LINK,
    LINK_INFO,
    NOWHERE,
    SYMBOLS,
    Message,
    Structure,
)

#: The longest name in a group; a place in a file is a name in a group in a group.
MAX_NAME = 1024
#: The deepest tree of nodes of one group.
MAX_LEVEL = 16
#: What the older groups keep in place of the address of a link that leads elsewhere.
_SOFT = 2
#: type of a link in a message
_HARD = 0

_INFO, _PAIR, _TREE, _HEAP, _SYMBOL = (
    Struct("<BB"),
    Struct("<QQ"),
    Struct("<4x2BH16x"),
    Struct("<8xQ8xQ"),
    Struct("<QQI20x"),
)
_SYMBOL_NODE = Struct("<6xH")


def is_group(messages: Iterable[Message]) -> bool:
    """Whether an object is a group."""
    return any(message.kind in (SYMBOLS, LINK, LINK_INFO) for message in messages)


def links(file: Structure, messages: Sequence[Message], where: str) -> dict[str, int]:
    """What is in a group: name -> the address of the object, names in their order.

    Args:
        file: The file.
        messages: Those of the group.
        where: The group, for messages.

    Raises:
        FileError: A name leads elsewhere than to an object of this file, or there are two.
    """
    found: dict[str, int] = {}
    for raw, address in _links(file, messages):
        file.count()
        name = _decoded(file, raw)
        if address is None:
            raise file.damaged(f"a link at {f'{where}/{name}'[-80:]!r}", "weights in the file itself")
        if name in found:
            raise file.damaged(f"the name {f'{where}/{name}'[-80:]!r} twice", "every name once")
        found[name] = address
    return dict(sorted(found.items()))


def _links(file: Structure, messages: Sequence[Message]) -> Iterator[tuple[bytes, int | None]]:
    """The links of a group: name, and address of the object, None if there is none in this file."""
    for message in messages:
        if message.kind == SYMBOLS:
            tree, heap = file.unpacked(_PAIR, message)
            (size, begin) = _HEAP.unpack(file.node(heap, b"HEAP", _HEAP.size))
            file.take(begin, size)
            yield from _in_tree(file, tree, begin, begin + size)
        elif message.kind == LINK:
            yield _link(file, message.body)
        elif message.kind == LINK_INFO:
            _, flags = file.unpacked(_INFO, message)
            heap, tree = file.unpacked(_PAIR, message, 10 if flags & 1 else 2)
            if heap != NOWHERE:
                objects = FractalHeap(file, heap)
                for record in indexed(file, tree):
                    yield _link(file, objects.read(record))


# ---- the older groups ------------------------------------------------------------------------------------


def _in_tree(
    file: Structure, address: int, begin: int, end: int, above: int = MAX_LEVEL
) -> Iterator[tuple[bytes, int | None]]:
    """The links below a node of a tree, whose names are between two places."""
    kind, level, count = _TREE.unpack(file.node(address, b"TREE", _TREE.size))
    if kind or level >= above:
        raise file.damaged(f"a tree of kind {kind} and level {level}", "one of groups, each level below the last")
    for index in range(count):
        child = file.natural(address + _TREE.size + 8 + 16 * index, 8)
        yield from _in_tree(file, child, begin, end, level) if level else _in_node(file, child, begin, end)


def _in_node(file: Structure, address: int, begin: int, end: int) -> Iterator[tuple[bytes, int | None]]:
    (count,) = _SYMBOL_NODE.unpack(file.node(address, b"SNOD", _SYMBOL_NODE.size))
    entries = file.take(address + _SYMBOL_NODE.size, count * _SYMBOL.size)
    for name, target, kind in _SYMBOL.iter_unpack(entries):
        is_hard = kind != _SOFT and target != NOWHERE
        yield file.until_nul(begin + name, min(end, begin + name + MAX_NAME + 1)), target if is_hard else None


# ---- the newer groups ------------------------------------------------------------------------------------


def _link(file: Structure, body: memoryview) -> tuple[bytes, int | None]:
    """The link that a message is."""
    head = bytes(body[:3]).ljust(3, b"\0")
    flags = head[1]
    kind = head[2] if flags & 0x08 else _HARD
    # after the kind, if it is said: a number in the order of creation, a set of characters
    at = 2 + (1 if flags & 0x08 else 0) + (8 if flags & 0x04 else 0) + (1 if flags & 0x10 else 0)
    width = 2 ** (flags & 0x03)
    begin = at + width
    size = int.from_bytes(body[at:begin], "little")
    end = begin + size
    if size > MAX_NAME or end + (8 if kind == _HARD else 0) > len(body):
        raise file.damaged(f"a link of {len(body)} bytes with a name of {size}", "room for both")
    return bytes(body[begin:end]), int.from_bytes(body[end : end + 8], "little") if kind == _HARD else None


def _decoded(file: Structure, name: bytes) -> str:
    try:
        text = name.decode()
    except UnicodeDecodeError:
        raise file.damaged(f"the name {name[:40]!r}", "text in UTF-8") from None
    if not text or "/" in text or "\0" in text or text == "." or len(name) > MAX_NAME:
        raise file.damaged(f"the name {text[:80]!r}", f"a name of 1 to {MAX_NAME} bytes without a slash")
    return text
