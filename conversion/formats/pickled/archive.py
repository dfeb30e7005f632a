"""The zip archive that a checkpoint is: records found without trusting any number twice, and written in one stream.

The layout is APPNOTE.TXT's (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT): records, each after a local
header and here before a descriptor of its size; a central directory; for more than four gigabytes the zip64 forms of
both; the end record. PyTorch adds (docs: "Serialization semantics"; its files): records are stored, their bytes begin
at multiples of 64, padded by an extra field called FB, and one folder holds them all.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from itertools import pairwise
from struct import Struct

from triformers.conversion.formats.pickled.refusals import Refusal, quoted
from triformers.conversion.formats.safetensors import Writable

LOCAL_MAGIC, CENTRAL_MAGIC, DESCRIPTOR_MAGIC = b"PK\3\4", b"PK\1\2", b"PK\7\x08"
END_MAGIC, END64_MAGIC, LOCATOR_MAGIC = b"PK\5\6", b"PK\6\6", b"PK\6\7"
# magic, version, flags, method, time, date, crc, compressed size, size, length of the name, of the extra field
LOCAL = Struct("<4s5H3I2H")
# magic, versions, flags, method, time, date, crc, compressed size, size, lengths of the name, extra field and comment,
# disk, attributes, where the record begins
CENTRAL = Struct("<4s6H3I5H2I")
# magic, disk, disk of the directory, records on this disk, records, size and offset of the directory, comment
END = Struct("<4s4H2IH")
# magic, size of the rest, versions, then as in END, wider
END64 = Struct("<4sQ2H2I4Q")
# magic, disk, offset of END64, disks
LOCATOR = Struct("<4sIQI")

STORED = 0
ENCRYPTED, SIZED_LATER, UTF8 = 0x2041, 0x0008, 0x0800
MEANINGFUL = ENCRYPTED | SIZED_LATER
FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF
ZIP64_FIELD = 1
ALIGNMENT = 64
#: Where an archive of TorchScript keeps its program, compressed.
CODE = "/code/"
#: The most records read: twice as many as the largest pickle has tensors.
MAX_RECORDS = 100_000


@dataclass(frozen=True, slots=True)
class Record:
    """Where a record's bytes are in the file.

    Attributes:
        begin: Its first byte.
        size: How many it has.
        checksum: Its CRC-32; 0 where the writer made none.
    """

    begin: int
    size: int
    checksum: int

    def read(self, file: memoryview) -> bytes:
        """The record's bytes, copied."""
        return bytes(file[self.begin : self.begin + self.size])


@dataclass(frozen=True, slots=True)
class Entry:
    """What the directory says of a record.

    Attributes:
        name: What it is called: a key to look up, never a path.
        start: Where its local header begins.
        flags: Bits, of which one says that its size is written after it.
        checksum: Its CRC-32.
        size: How many bytes it has.
    """

    name: str
    start: int
    flags: int
    checksum: int
    size: int


def read_directory(file: memoryview) -> dict[str, Record]:
    """Every record by name, each local header checked against the directory.

    Raises:
        Refusal: A number in it cannot be true, or two of them contradict each other.
    """
    count, begin, end = _find_directory(file)
    records: dict[str, Record] = {}
    spans: list[tuple[int, int]] = []
    position = begin
    for _ in range(count):
        entry, position = _read_entry(file, position, end)
        if entry.name in records:
            raise Refusal(f"has the record {quoted(entry.name)} twice", "every record once")
        record = _locate(file, entry, begin)
        records[entry.name] = record
        spans.append((entry.start, record.begin + record.size))
    if position != end:
        raise Refusal(f"has a zip directory with {end - position} bytes too many", "one as long as it says")
    spans.sort()
    if any(end > start for (_, end), (start, _) in pairwise(spans)):
        raise Refusal("has records that overlap", "each in a place of its own")
    return records


def _find_directory(file: memoryview) -> tuple[int, int, int]:
    """(how many records, where their directory begins, where it ends)"""
    at = len(file) - END.size
    if at < 0 or file[at : at + 4] != END_MAGIC:
        raise Refusal("does not end as a zip archive does: it is cut short or padded", "the end record, and no comment")
    _, disk, of_directory, here, count, size, begin, comment = END.unpack_from(file, at)
    found, end = (here, count, size, begin), at
    wide = at - LOCATOR.size - END64.size
    if wide >= 0 and file[at - LOCATOR.size : at - LOCATOR.size + 4] == LOCATOR_MAGIC:
        _, first, where, disks = LOCATOR.unpack_from(file, at - LOCATOR.size)
        magic, rest, _, _, disk64, of_directory64, *found64 = END64.unpack_from(file, wide)
        if (magic, where, rest, first, disks, disk64, of_directory64) != (END64_MAGIC, wide, 44, 0, 1, 0, 0):
            raise Refusal("has a zip64 end record that is not where it must be", "one that its locator finds")
        narrow = zip(found, found64, (FULL16, FULL16, FULL32, FULL32), strict=True)
        if any(value not in (full, value64) for value, value64, full in narrow):
            raise Refusal("has two end records that contradict each other", "two that agree")
        found, end = (found64[0], found64[1], found64[2], found64[3]), wide
    here, count, size, begin = found
    if disk or of_directory or comment or here != count or begin + size != end:
        raise Refusal(f"has a zip directory of {size} bytes at byte {begin}", f"one that ends at byte {end}")
    if count > MAX_RECORDS or count * CENTRAL.size > size:
        raise Refusal(f"has {count} records", f"at most {MAX_RECORDS}, as many as its directory has room for")
    return count, begin, end


def _read_entry(file: memoryview, position: int, end: int) -> tuple[Entry, int]:
    """One entry of the directory, and where the next one is."""
    if position + CENTRAL.size > end:
        raise Refusal("has a zip directory that ends within an entry", "whole entries")
    fields = CENTRAL.unpack_from(file, position)
    magic, _, _, flags, method, _, _, crc, packed, size, of_name, of_extra, of_comment, disk, _, _, start = fields
    name_at = position + CENTRAL.size
    extra_at = name_at + of_name
    following = extra_at + of_extra + of_comment
    if magic != CENTRAL_MAGIC or following > end or disk:
        raise Refusal(f"has a damaged entry at byte {position} of its zip directory", "whole entries")
    try:
        name = bytes(file[name_at:extra_at]).decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal("has a record whose name is not UTF-8", "names that are") from None
    size, packed, start = _widened(file[extra_at : extra_at + of_extra], size, packed, start)
    if CODE in name:
        raise Refusal("is a TorchScript program", "a state dict: save module.state_dict() of what torch.jit.load gives")
    if flags & ENCRYPTED or method != STORED:  # PyTorch compresses nothing, and few bytes can unpack to very many
        found = f"has the record {quoted(name)} encrypted or compressed (method {method})"
        raise Refusal(found, "stored records, as torch.save writes them")
    if packed != size:
        raise Refusal(f"has the stored record {quoted(name)} of {size} bytes in {packed}", "as many as it has")
    return Entry(name, start, flags, crc, size), following


def _locate(file: memoryview, entry: Entry, limit: int) -> Record:
    """Where an entry's bytes are, all of them before the directory at `limit`."""
    name_at = entry.start + LOCAL.size
    if name_at > limit:
        raise Refusal(f"has the record {quoted(entry.name)} at byte {entry.start}", f"one before byte {limit}")
    magic, _, flags, method, _, _, _, packed, size, of_name, of_extra = LOCAL.unpack_from(file, entry.start)
    begin = name_at + of_name + of_extra
    if begin + entry.size > limit:
        raise Refusal(f"has the record {quoted(entry.name)} of {entry.size} bytes at {begin}", f"an end by {limit}")
    later = (0,) if flags & SIZED_LATER else ()
    says_the_same = (
        magic == LOCAL_MAGIC
        and (flags & MEANINGFUL, method) == (entry.flags & MEANINGFUL, STORED)
        and packed in (entry.size, FULL32, *later)
        and size in (entry.size, FULL32, *later)
        and bytes(file[name_at : name_at + of_name]) == entry.name.encode()
    )
    if not says_the_same:
        raise Refusal(f"has a header of {quoted(entry.name)} that its directory contradicts", "two that agree")
    return Record(begin, entry.size, entry.checksum)


def _widened(extra: memoryview, *values: int) -> list[int]:
    """The same numbers, those that do not fit into 32 bits taken from the zip64 extra field."""
    position, field = 0, memoryview(b"")
    while position + 4 <= len(extra):
        kind, size = int.from_bytes(extra[position : position + 2], "little"), extra[position + 2 : position + 4]
        body = position + 4
        position = body + int.from_bytes(size, "little")
        if kind == ZIP64_FIELD and position <= len(extra):
            field = extra[body:position]
    found = []
    for value in values:
        if value == FULL32:
            if len(field) < 8:
                raise Refusal("has a record with a zip64 size or place that is missing", "its zip64 field")
            value, field = int.from_bytes(field[:8], "little"), field[8:]
        found.append(value)
    return found


class ArchiveWriter:
    """Writes records one after another, as PyTorch lays them out; the file is only written to, never sought in.

    Args:
        file: Where to; nothing is written there yet.
        folder: What holds the records.
    """

    def __init__(self, file: Writable, folder: str) -> None:
        self._file = file
        self._folder = folder
        self._position = 0
        self._directory: list[bytes] = []

    def write(self, name: str, data: bytes | memoryview) -> None:
        """Append one record: its header, its bytes from a multiple of 64 on, its descriptor."""
        path, start, size = f"{self._folder}/{name}".encode(), self._position, len(data)
        wide = [value.to_bytes(8, "little") for value in (size, size, start) if value >= FULL32]
        zip64 = _field(ZIP64_FIELD, b"".join(wide)) if wide else b""
        unpadded = start + LOCAL.size + len(path) + len(zip64) + 4
        extra = zip64 + _field(int.from_bytes(b"FB", "little"), b"Z" * (-unpadded % ALIGNMENT))
        flags, none = SIZED_LATER | UTF8, (0, 0, 0)
        self._append(LOCAL.pack(LOCAL_MAGIC, 0, flags, STORED, 0, 0, *none, len(path), len(extra)) + path + extra)
        self._append(data)
        crc, width = zlib.crc32(data), 8 if zip64 else 4
        self._append(DESCRIPTOR_MAGIC + crc.to_bytes(4, "little") + size.to_bytes(width, "little") * 2)
        small, place = min(size, FULL32), min(start, FULL32)
        lengths = (len(path), len(zip64), 0)
        entry = CENTRAL.pack(
            CENTRAL_MAGIC, 0, 0, flags, STORED, 0, 0, crc, small, small, *lengths, 0, 0, 0, place
        )  # fmt: skip
        self._directory.append(entry + path + zip64)

    def finish(self) -> None:
        """Append the directory and the end records, the wide one always, as PyTorch does."""
        begin, count, size = self._position, len(self._directory), sum(map(len, self._directory))
        for entry in self._directory:
            self._append(entry)
        self._append(END64.pack(END64_MAGIC, END64.size - 12, 0, 45, 0, 0, count, count, size, begin))
        self._append(LOCATOR.pack(LOCATOR_MAGIC, 0, begin + size, 1))
        narrow = min(count, FULL16)
        self._append(END.pack(END_MAGIC, 0, 0, narrow, narrow, min(size, FULL32), min(begin, FULL32), 0))

    def _append(self, data: bytes | memoryview) -> None:
        self._file.write(data)
        self._position += len(data)


def _field(kind: int, body: bytes) -> bytes:
    """An extra field."""
    return kind.to_bytes(2, "little") + len(body).to_bytes(2, "little") + body
