"""HDF5 files made by hand, in which every structure can be wrong.

A `Sketch` is a file to which objects are added one by one; what is added is right unless it is told to be wrong.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

NOWHERE = 2**64 - 1
SYMBOLS, CONTINUATION, LINK, LINK_INFO = 0x11, 0x10, 0x06, 0x02
FLOAT32 = bytes.fromhex("11201f00 04000000 0000 2000 17 08 00 17 7f000000")


# ---- made by hand ----------------------------------------------------------------------------------------


class Sketch:
    """A file in the making; everything added gives the address of it."""

    def __init__(self) -> None:
        self._data = bytearray(96)

    @property
    def end(self) -> int:
        """Where the next thing will be."""
        return len(self._data)

    def add(self, data: bytes) -> int:
        """Append bytes."""
        address = self.end
        self._data += data + bytes(-len(data) % 8)
        return address

    def file(self, at: int, **facts: int) -> bytes:
        """The file with this object at its root; its superblock may say otherwise."""
        said = dict(version=0, width=8, base=0, end=self.end, root=at) | facts
        head = b"\x89HDF\r\n\x1a\n" + bytes([said["version"], 0, 0, 0, 0, said["width"], 8, 0])
        head += struct.pack("<2HI", 4, 16, 0)
        head += struct.pack("<4Q", said["base"], NOWHERE, said["end"], NOWHERE) + struct.pack("<2Q", 0, said["root"])
        return head.ljust(96, b"\0") + bytes(self._data[96:])


def message(kind: int, body: bytes, flags: int = 0, size: int | None = None) -> bytes:
    """One message of an object."""
    body += bytes(-len(body) % 8)
    return struct.pack("<HHB3x", kind, len(body) if size is None else size, flags) + body


def header(*messages: bytes, version: int = 1, size: int | None = None) -> bytes:
    """An object of these messages."""
    body = b"".join(messages)
    return struct.pack("<BxHII4x", version, len(messages), 1, len(body) if size is None else size) + body


def array(shape: tuple[int, ...] = (2,), described: bytes = FLOAT32, **facts: Any) -> bytes:
    """The header of an array; by default of two numbers at the start of the file."""
    said = dict(version=1, axes=len(shape), layout=3, kind=1, place=0, size=8, flags=0) | facts
    space = bytes([said["version"], said["axes"]]) + bytes(6) + struct.pack(f"<{len(shape)}Q", *shape)
    layout = bytes([said["layout"], said["kind"]]) + struct.pack("<QQ", said["place"], said["size"])
    return header(message(1, space), message(3, described, said["flags"]), message(8, layout))


def heap(sketch: Sketch, names: bytes, **facts: int) -> int:
    """A heap of names."""
    said = dict(size=len(names), place=sketch.end + 32) | facts
    address = sketch.add(b"HEAP" + bytes(4) + struct.pack("<3Q", said["size"], NOWHERE, said["place"]))
    sketch.add(names)
    return address


def symbols(*entries: tuple[int, int], kind: int = 0, count: int | None = None) -> bytes:
    """A node of names and the objects that they lead to."""
    body = b"".join(struct.pack("<QQI20x", name, address, kind) for name, address in entries)
    return b"SNOD" + struct.pack("<BxH", 1, len(entries) if count is None else count) + body


def tree(*children: int, level: int = 0, kind: int = 0, count: int | None = None) -> bytes:
    """A node of a tree."""
    body = b"".join(struct.pack("<QQ", 0, child) for child in children)
    said = len(children) if count is None else count
    return b"TREE" + struct.pack("<BBHQQ", kind, level, said, NOWHERE, NOWHERE) + body + bytes(8)


def group(tree_at: int, heap_at: int) -> bytes:
    """The header of a group."""
    return header(message(SYMBOLS, struct.pack("<QQ", tree_at, heap_at)))


def with_array(data: bytes, **facts: int) -> bytes:
    """A file with one object called x in a group called l."""
    sketch = Sketch()
    target = sketch.add(data)
    names = heap(sketch, b"l\0\0\0\0\0\0\0x\0\0\0\0\0\0\0")
    inner = sketch.add(group(sketch.add(tree(sketch.add(symbols((8, target))))), names))
    return sketch.file(sketch.add(group(sketch.add(tree(sketch.add(symbols((0, inner))))), names)), **facts)


def with_node(node: Callable[[Sketch, int], bytes], **facts: int) -> bytes:
    """A file whose root's tree is a node that is given the sketch and its own address."""
    sketch = Sketch()
    names = heap(sketch, b"l\0\0\0\0\0\0\0", **facts)
    address = sketch.end
    sketch.add(node(sketch, address))
    return sketch.file(sketch.add(group(address, names)))


def with_symbols(*entries: tuple[int, int], **facts: int) -> bytes:
    """A file whose root has these entries."""
    sketch = Sketch()
    names = heap(sketch, b"l\0\0\0\0\0\0\0a/b\0\0\0\0\0..\0\0\0\0\0\0\xff\xfe\0\0\0\0\0\0.\0\0\0\0\0\0\0" + b"n" * 8)
    target = sketch.add(array())
    node = symbols(*((name, target if at < 0 else at) for name, at in entries), **facts)
    return sketch.file(sketch.add(group(sketch.add(tree(sketch.add(node))), names)))


def with_root(*messages: bytes, **facts: int) -> bytes:
    """A file whose root is an object of these messages."""
    sketch = Sketch()
    return sketch.file(sketch.add(header(*messages, **facts)))


def newer(*messages: tuple[int, bytes], flags: int = 0, size: int | None = None) -> bytes:
    """A file whose root is an object of the newer form; an array comes first."""
    body = b"".join(struct.pack("<BHB", kind, len(data), 0) + data for kind, data in messages)
    sketch = Sketch()
    sketch.add(array())
    head = b"OHDR" + bytes([2, flags]) + bytes([(len(body) if size is None else size) & 0xFF])
    return sketch.file(sketch.add(head + body + bytes(4)))


def link(name: bytes, kind: int = 0, target: bytes = bytes(8), size: int | None = None) -> bytes:
    """A link as a message."""
    return bytes([1, 0x08, kind, len(name) if size is None else size]) + name + target


def dense(fractal: Mapping[str, int] | None = None, index: Mapping[str, int] | None = None, count: int = 1) -> bytes:
    """A file whose root keeps its links in a heap with an index, of which some numbers are changed."""
    sketch = Sketch()
    target = sketch.add(array())
    block = sketch.add((b"FHDB" + bytes(13) + link(b"x", 0, struct.pack("<Q", target))).ljust(512, b"\0"))
    said = dict(id=7, filters=0, largest=4096, width=4, first=512, last=65536, bits=32, root=block, rows=0)
    said |= dict(fractal or {})
    heap_at = sketch.add(
        b"FRHP" + struct.pack("<BHHBI", 0, said["id"], said["filters"], 0, said["largest"]) + bytes(96)
        + struct.pack("<HQQHHQ", said["width"], said["first"], said["last"], said["bits"], 1, said["root"])
        + struct.pack("<H", said["rows"])
    )  # fmt: skip
    leaf = sketch.end
    sketch.add(b"BTLF" + bytes([0, 5]) + (bytes(4) + b"\0" + struct.pack("<IH", 17, 13)) * count + bytes(4))
    tells = dict(kind=5, node=512, record=11, depth=0, root=leaf, count=count) | dict(index or {})
    tree_at = sketch.add(
        b"BTHD" + struct.pack("<BBIHHBBQHQ", 0, tells["kind"], tells["node"], tells["record"], tells["depth"], 100, 40,
                              tells["root"], tells["count"], tells["count"])
    )  # fmt: skip
    return sketch.file(sketch.add(header(message(LINK_INFO, bytes(2) + struct.pack("<QQ", heap_at, tree_at)))))


def in_a_circle() -> bytes:
    """An object whose header continues with itself."""
    sketch = Sketch()
    begin = sketch.end + 16
    return sketch.file(sketch.add(header(message(CONTINUATION, struct.pack("<QQ", begin, 24)))))


def in_each_other() -> bytes:
    """Two groups, each in the other."""
    sketch = Sketch()
    first = sketch.end
    second = first + len(header(message(LINK, link(b"l"))))
    sketch.add(header(message(LINK, link(b"l", 0, struct.pack("<Q", second)))))
    return sketch.file(sketch.add(header(message(LINK, link(b"l", 0, struct.pack("<Q", first))))))


def wide_headers() -> bytes:
    """Thousands of groups that all continue with the same long list of messages."""
    sketch = Sketch()
    shared = sketch.add(message(0, b"") * 4000)
    empty = struct.pack("<QQ", sketch.add(tree()), heap(sketch, bytes(8)))
    parts = message(SYMBOLS, empty), message(CONTINUATION, struct.pack("<QQ", shared, 8 * 4000))
    groups = [sketch.add(header(*parts)) for _ in range(2000)]
    names = heap(sketch, b"".join(f"n{index:06d}\0".encode() for index in range(2000)))
    node = sketch.add(symbols(*((8 * index, address) for index, address in enumerate(groups))))
    return sketch.file(sketch.add(group(sketch.add(tree(node)), names)))


def wide_trees() -> bytes:
    """A tree of 30,000 children that are the same tree of 30,000 children that are the same."""
    sketch = Sketch()
    names = heap(sketch, bytes(8))
    node = sketch.add(tree())
    for level in (1, 2):
        node = sketch.add(tree(*[node] * 30_000, level=level))
    return sketch.file(sketch.add(group(node, names)))


def long_name() -> bytes:
    """A heap that is one long name."""
    sketch = Sketch()
    names = heap(sketch, b"n" * 10**6 + b"\0")
    node = sketch.add(symbols((0, sketch.add(array()))))
    return sketch.file(sketch.add(group(sketch.add(tree(node)), names)))


def listing(described: bytes, values: bytes, axes: int = 1, count: int = 1, **facts: Any) -> bytes:
    """A root with an array called l, and a list of layers of this type and these values."""
    said = dict(version=1, flags=0, sizes=(12, 8, 16)) | facts
    space = bytes([1, axes]) + bytes(6) + struct.pack("<Q", count)
    head = struct.pack("<BB3H", said["version"], said["flags"], *said["sizes"]) + bytes(said["version"] == 3)
    sketch = Sketch()
    target = sketch.add(array())
    found = message(LINK, link(b"l", 0, struct.pack("<Q", target)))
    named = message(0x0C, head + b"layer_names\0\0\0\0\0" + described + space + values)
    return sketch.file(sketch.add(header(found, named)))


def text_type(kind: int = 0x13, size: int = 4) -> bytes:
    """The type of texts of one length, or of those in a heap."""
    return struct.pack("<BBxxI", kind, kind == 0x19, size)


#: A link to what a sketch has first.
X = link(b"x", 0, struct.pack("<Q", 96))
#: Structures that no library writes.
BROKEN: Mapping[str, Callable[[], bytes]] = {
    "a signature alone": lambda: b"\x89HDF\r\n\x1a\n",
    "a superblock of another version": lambda: with_array(array(), version=9),
    "addresses of three bytes": lambda: with_array(array(), width=3),
    "a base elsewhere": lambda: with_array(array(), base=512),
    "an end beyond the file": lambda: with_array(array(), end=2**40),
    "a root beyond the file": lambda: with_array(array(), root=2**63),
    "a root nowhere": lambda: with_array(array(), root=NOWHERE),
    "a root in the superblock": lambda: with_array(array(), root=0),
    "a root that is no group": lambda: with_root(message(1, bytes(8))),
    "an object of another version": lambda: with_array(header(version=7)),
    "an object without messages": lambda: with_array(header()),
    "a header larger than the file": lambda: with_array(header(size=2**31)),
    "a message larger than its header": lambda: with_array(header(message(1, bytes(8), size=4096))),
    "a header that continues with itself": in_a_circle,
    "a header that continues beyond the file": lambda: with_root(
        message(CONTINUATION, struct.pack("<QQ", 2**62, 2**62))
    ),
    "a header that continues for a terabyte": lambda: with_root(message(CONTINUATION, struct.pack("<QQ", 0, 2**40))),
    "a continuation of four bytes": lambda: with_root(message(CONTINUATION, b"")),
    "five thousand messages": lambda: with_root(*[message(0, b"")] * 5000),
    "thousands of objects with one long header": wide_headers,
    "a name of a megabyte": long_name,
    "a shape of absurd sizes": lambda: with_array(array((2**63, 2**63), size=0)),
    "a shape whose product wraps": lambda: with_array(array((2**62, 4), size=0)),
    "a shape of 255 axes": lambda: with_array(array((1,), axes=255)),
    "a shape of another version": lambda: with_array(array(version=3)),
    "a shape cut short": lambda: with_array(
        header(message(1, bytes([1, 4, 0, 0])), message(3, FLOAT32), message(8, b"\3\1" + bytes(22)))
    ),
    "more bytes than the shape": lambda: with_array(array(size=12)),
    "fewer bytes than the shape": lambda: with_array(array(size=4)),
    "numbers beyond the file": lambda: with_array(array(place=2**40)),
    "numbers at the end of the world": lambda: with_array(array(place=NOWHERE - 1)),
    "numbers nowhere": lambda: with_array(array(place=NOWHERE)),
    "a layout of another version": lambda: with_array(array(layout=1)),
    "a layout of another class": lambda: with_array(array(kind=3)),
    "a layout cut short": lambda: with_array(header(message(1, bytes([1, 0])), message(3, FLOAT32), message(8, b""))),
    "a type that is shared": lambda: with_array(array(flags=2)),
    "a type of no size": lambda: with_array(array(described=FLOAT32[:4] + bytes(4) + FLOAT32[8:])),
    "a type of four gigabytes": lambda: with_array(array(described=FLOAT32[:4] + b"\xff" * 4 + FLOAT32[8:])),
    "a type cut short": lambda: with_array(array(described=b"\x11")),
    "a type of unknown class": lambda: with_array(array(described=b"\x1f" + FLOAT32[1:])),
    "fields in fields": lambda: with_array(array(described=(b"\x16\1\0\0\4\0\0\0x\0\0\0\0\0\0\0" + bytes(32)) * 200)),
    "a tree that is its own child": lambda: with_node(lambda sketch, own: tree(own, level=1)),
    "a tree of every level": lambda: with_node(lambda sketch, own: tree(own, level=255)),
    "a tree of children beyond the file": lambda: with_node(lambda sketch, own: tree(2**63, NOWHERE)),
    "a tree of more children than bytes": lambda: with_node(lambda sketch, own: tree(count=65535)),
    "a tree of chunks": lambda: with_node(lambda sketch, own: tree(kind=1)),
    "a tree that is none": lambda: with_node(lambda sketch, own: b"FOREST"),
    "a tree of the same tree, often": wide_trees,
    "a heap beyond the file": lambda: with_node(lambda sketch, own: tree(), place=2**50),
    "a heap of a terabyte": lambda: with_node(lambda sketch, own: tree(), size=2**40),
    "more names than a node has": lambda: with_symbols((0, -1), count=65535),
    "a name beyond its heap": lambda: with_symbols((4096, -1)),
    "a name at the end of the world": lambda: with_symbols((NOWHERE, -1)),
    "a name without an end": lambda: with_symbols((40, -1)),
    "an empty name": lambda: with_symbols((1, -1)),
    "a name twice": lambda: with_symbols((0, -1), (0, -1)),
    "a name with a slash": lambda: with_symbols((8, -1)),
    "a name that climbs": lambda: with_symbols((16, 96)),
    "a name that is not UTF-8": lambda: with_symbols((24, -1)),
    "a name that stays": lambda: with_symbols((32, -1)),
    "a name that leads nowhere": lambda: with_symbols((0, NOWHERE)),
    "a name that leads beyond the file": lambda: with_symbols((0, 2**50)),
    "a name that leads into a name": lambda: with_symbols((0, 128)),
    "a soft link in a node": lambda: with_symbols((0, -1), kind=2),
    "two groups in each other": in_each_other,
    "a newer object of another version": lambda: newer((LINK, X)).replace(b"OHDR\2", b"OHDR\3"),
    "a newer object larger than the file": lambda: newer(flags=3, size=0xFF),
    "a link beyond the file": lambda: newer((LINK, link(b"x", 0, struct.pack("<Q", 2**60)))),
    "a link to its own group": lambda: newer((LINK, link(b"x", 0, struct.pack("<Q", 96 + len(array()))))),
    "a soft link in a message": lambda: newer((LINK, link(b"x", 1, b"\4\0/abc"))),
    "a link to another file in a message": lambda: newer((LINK, link(b"x", 64, b"\x0f\0\0/etc/passwd\0/x\0"))),
    "a link of a user's kind": lambda: newer((LINK, link(b"x", 200, b"\0\0"))),
    "a link with a name longer than it": lambda: newer((LINK, link(b"x", size=200))),
    "a link of nothing": lambda: newer((LINK, b"")),
    "two links of one name": lambda: newer(*[(LINK, X)] * 2),
    "links in a heap that is none": lambda: newer((LINK_INFO, bytes(2) + struct.pack("<QQ", 8, 16))),
    "links in a heap beyond the file": lambda: newer((LINK_INFO, bytes(2) + struct.pack("<QQ", 2**50, 2**50))),
    "a heap of no width": lambda: dense(dict(width=0)),
    "a heap of blocks of nothing": lambda: dense(dict(first=0)),
    "a heap that is filtered": lambda: dense(dict(filters=8)),
    "a heap of 65535 bits": lambda: dense(dict(bits=65535)),
    "a heap of rows within itself": lambda: dense(dict(rows=60, root=96)),
    "a heap elsewhere": lambda: dense(dict(root=2**60)),
    "a heap with a link longer than its block": lambda: dense(dict(first=16, last=16)),
    "an index of another kind": lambda: dense(None, dict(kind=8)),
    "an index of records of nothing": lambda: dense(None, dict(record=0)),
    "an index of nodes of nothing": lambda: dense(None, dict(node=0)),
    "an index of 65535 levels": lambda: dense(None, dict(depth=65535)),
    "an index of eight levels in a leaf": lambda: dense(None, dict(depth=8)),
    "an index of more records than bytes": lambda: dense(None, dict(count=65535)),
    "an index elsewhere": lambda: dense(None, dict(root=2**60)),
    "an index that lists a link twice": lambda: dense(count=2),
    "a list of absurd length": lambda: listing(text_type(), b"l\0\0\0", count=2**64 - 1),
    "a list of texts of nothing": lambda: listing(text_type(size=0), b"", count=2**64 - 1),
    "a list of 255 axes": lambda: listing(text_type(), b"l\0\0\0", axes=255),
    "a list of texts elsewhere": lambda: listing(text_type(0x19, 16), struct.pack("<IQI", 4, 2**50, 1)),
    "a list of texts in no heap": lambda: listing(text_type(0x19, 16), struct.pack("<IQI", 4, 96, 1)),
    "a list of a shared type": lambda: listing(text_type(), b"l\0\0\0", version=3, flags=1),
    "a list cut short": lambda: listing(text_type(), b"", sizes=(12, 65535, 65535)),
}  # fmt: skip


def sound() -> dict[str, bytes]:
    """What the broken files are made of."""
    return {
        "older": with_array(array()), "newer": newer((LINK, X)), "dense": dense(), "symbols": with_symbols((0, -1)),
        "listed": listing(text_type(), b"l\0\0\0"), "node": with_node(lambda sketch, own: tree()),
    }  # fmt: skip
