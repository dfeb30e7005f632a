"""Many links of one group in an HDF5 file: a heap that holds them, and an index of where each is.

The specification's "Fractal Heap" is a row of blocks that grow in rows of one width: two rows of the first size, then
each row's blocks twice as large. "Version 2 B-trees" are the index; of its records only the place in the heap is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from triformers.conversion.formats.hdf5.structure import Structure

#: id size, filter size, flags, largest object, then 11 numbers on its use, width, first and largest block, bits of its
#: size, first rows, root, rows of the root
_HEAP = Struct("<5x2HxI96xHQQHHQH")
#: kind, size of a node and of a record, depth, root, records there
_INDEX = Struct("<5xBIHH2xQH")
#: the records that lead to a group's links by their names: a hash, then a place in the heap
_BY_NAME, _HASH = 5, 4
#: signatures, versions and checksum of a node
_FRAME = 10
MAX_DEPTH = 8


class FractalHeap:
    """A heap of links.

    Args:
        file: The file.
        address: Where the heap's header is.

    Raises:
        FileError: It is none, or filtered.
    """

    def __init__(self, file: Structure, address: int) -> None:
        self._file = file
        fields = _HEAP.unpack(file.node(address, b"FRHP", _HEAP.size))
        self.id_size, filters, largest, self._width, self._first, self._last, bits, _, self._root, self._rows = fields
        if filters or not self._width or not self._first or self._last < self._first or bits > 64:
            raise file.damaged(f"a heap of {self._width} blocks of {self._first} bytes", "one as HDF5 makes it")
        self._place = -(-bits // 8)
        self._length = _bytes_for(min(self._last, largest))
        self._head = 13 + self._place  # of a block: signature, version, address of the heap, its own place

    def read(self, identity: memoryview) -> memoryview:
        """An object of the heap, by its identity."""
        if len(identity) < 1 + self._place + self._length or identity[0] & 0xF0:
            raise self._file.damaged("a link outside its heap", "links of the usual size")
        offset = int.from_bytes(identity[1 : 1 + self._place], "little")
        length = int.from_bytes(identity[1 + self._place : 1 + self._place + self._length], "little")
        address, room = self._block(offset)
        if length > room:
            raise self._file.damaged(f"a link of {length} bytes in a block with {room}", "links within their block")
        return self._file.take(address, length)

    def _block(self, offset: int) -> tuple[int, int]:
        """Where a place of the heap is in the file, and how many bytes its block has from there on."""
        if not self._rows:
            return self._within(self._root, offset, self._first)
        address, rows = self._root, self._rows
        for _ in range(64):  # each block is smaller than the one that it is listed in
            row, column, begin, size = self._cell(offset)
            if row >= rows:
                break
            self._file.node(address, b"FHIB", self._head)
            child = self._file.natural(address + self._head + 8 * (row * self._width + column), 8)
            if size <= self._last:
                return self._within(child, offset - begin, size)
            address, offset, rows = child, offset - begin, (size // (self._width * self._first)).bit_length()
        raise self._file.damaged("a link beyond its heap", "links within it")

    def _cell(self, offset: int) -> tuple[int, int, int, int]:
        """The row and column of the block that holds a place, where it begins in the heap, and its size."""
        row = (offset // (self._width * self._first)).bit_length()
        size = self._first << max(row - 1, 0)
        start = self._width * size if row else 0
        column = (offset - start) // size
        return row, column, start + column * size, size

    def _within(self, address: int, offset: int, size: int) -> tuple[int, int]:
        self._file.node(address, b"FHDB", self._head)
        if not self._head <= offset < size:
            raise self._file.damaged(f"a link at byte {offset} of a block of {size}", "links behind its head")
        return address + offset, size - offset


def indexed(file: Structure, address: int) -> Iterator[memoryview]:
    """The identities that an index lists.

    Raises:
        FileError: It is no index of names.
    """
    kind, node, record, depth, root, count = _INDEX.unpack(file.node(address, b"BTHD", _INDEX.size))
    if kind != _BY_NAME or record <= _HASH or depth > MAX_DEPTH or node <= _FRAME + record:
        raise file.damaged(f"an index of kind {kind} and {depth} levels", "that of the names of a group")
    yield from _Index(file, node, record).below(root, count, depth)


class _Index:
    """The nodes of an index: how large the numbers in them are follows from how many records a node can have."""

    def __init__(self, file: Structure, node: int, record: int) -> None:
        self._file = file
        self._record = record
        most = (node - _FRAME) // record
        self._in_node = _bytes_for(most)
        self._in_all: list[int] = [0]  # the width of the number of all records below, by depth; a leaf has none
        total = most
        for _ in range(MAX_DEPTH):
            pointer = 8 + self._in_node + self._in_all[-1]
            here = max(node - _FRAME - pointer, 0) // (record + pointer)
            total = (here + 1) * total + here
            self._in_all.append(_bytes_for(total))

    def below(self, address: int, count: int, depth: int) -> Iterator[memoryview]:
        """The identities in a node and in those below it."""
        self._file.node(address, b"BTIN" if depth else b"BTLF", _FRAME - 4)
        self._file.count(count)
        begin = address + _FRAME - 4
        for index in range(count):
            yield self._file.take(begin + index * self._record + _HASH, self._record - _HASH)
        if depth:
            begin += count * self._record
            step = 8 + self._in_node + self._in_all[depth - 1]
            for index in range(count + 1):
                child = self._file.natural(begin + index * step, 8)
                yield from self.below(child, self._file.natural(begin + index * step + 8, self._in_node), depth - 1)


def _bytes_for(largest: int) -> int:
    """How many bytes hold every number up to this one."""
    return max(-(-largest.bit_length() // 8), 1)
