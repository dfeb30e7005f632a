"""An HDF5 file below its groups: the superblock, and the header of each object, which is a list of messages.

The format is that of the HDF5 group's specification (https://support.hdfgroup.org/documentation/, "HDF5 File Format
Specification Version 3.0"). What is read here is what h5py writes, in its older forms (its default, `earliest`) and in
its newer ones (`latest`). Every place that the file names is compared with its size first, and whatever is walked over
is counted, for a few bytes can name themselves without end.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from struct import Struct

from triformers.conversion.formats.safetensors import damaged

SIGNATURE = b"\x89HDF\r\n\x1a\n"
#: An address that leads nowhere.
NOWHERE = 2**64 - 1
#: The most nodes, names and messages walked over in a file. A tensor takes about fifteen.
MAX_STEPS = 2**18
#: The most messages of one object; each is an attribute, or one of a few facts.
MAX_MESSAGES = 2**12

SPACE, LINK_INFO, TYPE, LINK, OUTSIDE, LAYOUT = 0x01, 0x02, 0x03, 0x06, 0x07, 0x08
FILTERS, ATTRIBUTE, CONTINUATION, SYMBOLS, ATTRIBUTE_INFO = 0x0B, 0x0C, 0x10, 0x11, 0x15
#: The flag of a message whose content is kept elsewhere.
SHARED = 0x02

#: kind, length, flags
_OLD_MESSAGE, _NEW_MESSAGE, _NUMBERED_MESSAGE = Struct("<HHB3x"), Struct("<BHB"), Struct("<BHB2x")
_PLACE = Struct("<QQ")


@dataclass(frozen=True, slots=True)
class Message:
    """One message of an object: what it is about, its flags, its content."""

    kind: int
    flags: int
    body: memoryview


class Structure:
    """A file as nodes and messages.

    Args:
        path: The file, for messages.
        data: Its bytes.

    Attributes:
        root: The address of the outermost group.

    Raises:
        FileError: It is no HDF5 file, or of a kind that h5py does not write.
    """

    def __init__(self, path: Path, data: memoryview) -> None:
        self.path = path
        self._data = data
        self._steps = 0
        if bytes(data[: len(SIGNATURE)]) != SIGNATURE:
            raise self.damaged("no HDF5 file", "its signature at the start")
        self.root = self._root()

    def _root(self) -> int:
        """What the superblock leads to."""
        version = self.natural(8, 1)
        if version > 3:
            raise self.damaged(f"a superblock of version {version}", "one of 0 to 3")
        widths, base, end = (13, 24 + 4 * version, 40 + 4 * version) if version < 2 else (9, 12, 28)
        if (self.natural(widths, 1), self.natural(widths + 1, 1)) != (8, 8):
            raise self.damaged("addresses and lengths of other sizes", "8 bytes each, as h5py writes them")
        if self.natural(base, 8):
            raise self.damaged(f"structures that begin at byte {self.natural(base, 8)}", "the start of the file")
        if self.natural(end, 8) > len(self._data):
            raise self.damaged(f"{len(self._data)} bytes of {self.natural(end, 8)}", "a file that is whole")
        return self.natural(end + (24 if version < 2 else 8), 8)  # behind the link's name, or at once

    # ---- bytes ----------------------------------------------------------------------------------------------

    def take(self, begin: int, size: int) -> memoryview:
        """Some bytes that the file must have."""
        if begin + size > len(self._data):
            raise self.damaged(f"{size} bytes at byte {begin} of {len(self._data)}", "structures within the file")
        return self._data[begin : begin + size]

    def natural(self, begin: int, width: int) -> int:
        """A number of so many bytes."""
        return int.from_bytes(self.take(begin, width), "little")

    def until_nul(self, begin: int, end: int) -> bytes:
        """The bytes from one place up to a zero byte, which must come before another place."""
        found, ended, _ = bytes(self.take(begin, max(end - begin, 0))).partition(b"\0")
        if not ended:
            raise self.damaged(f"a name at byte {begin} that does not end", "names within their place")
        return found

    def node(self, begin: int, signature: bytes, size: int) -> memoryview:
        """The first bytes of a node, which must begin with its signature; the node is counted."""
        self.count()
        if bytes(self.take(begin, len(signature))) != signature:
            raise self.damaged(f"no {signature.decode()} at byte {begin}", "the structures of HDF5")
        return self.take(begin, size)

    def count(self, steps: int = 1) -> None:
        """Count what is walked over.

        Raises:
            FileError: It is more than any model has.
        """
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise self.damaged(f"more than {MAX_STEPS} parts, or parts within themselves", "the layers of a model")

    def damaged(self, found: str, expected: str) -> Exception:
        """The error about this file."""
        return damaged(self.path, found, expected)

    # ---- objects --------------------------------------------------------------------------------------------

    def messages(self, address: int) -> list[Message]:
        """The messages of the object at an address, those that its header continues with elsewhere included."""
        head = self.take(address, 6)
        if bytes(head[:4]) == b"OHDR":
            flags = head[5]
            width = 2 ** (flags & 0x03)  # of the size; before it times and limits, if there are any
            sized = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
            form, begin, size = (
                _NUMBERED_MESSAGE if flags & 0x04 else _NEW_MESSAGE,
                sized + width,
                self.natural(sized, width),
            )
            known, frame = head[4] == 2, 4  # a signature before and a checksum after each further part
        else:
            form, begin, size = _OLD_MESSAGE, address + 16, self.natural(address + 8, 4)
            known, frame = head[0] == 1, 0
        if not known:
            raise self.damaged(f"no object at byte {address}", "the header of a group or an array")
        return self._listed(form, begin, size, frame)

    def _listed(self, form: Struct, begin: int, size: int, frame: int) -> list[Message]:
        found: list[Message] = []
        parts = [(begin, size)]
        for begin, size in parts:  # which grows on the way
            part, position = self.take(begin, size), 0
            while position + form.size <= size:
                kind, length, flags = form.unpack_from(part, position)
                position += form.size + length
                self.count()
                if position > size or len(found) >= MAX_MESSAGES:
                    raise self.damaged(f"an object at byte {begin} of more parts than there are", "whole headers")
                found.append(Message(kind, flags, part[position - length : position]))
                if kind == CONTINUATION:
                    place, room = self.unpacked(_PLACE, found[-1])
                    parts.append((place + frame, max(room - 2 * frame, 0)))
        return found

    def unpacked(self, form: Struct, message: Message, begin: int = 0) -> tuple[int, ...]:
        """The numbers at a place in a message."""
        if message.flags & SHARED:
            raise self.damaged("a message that is kept elsewhere", "each in its object")
        if begin + form.size > len(message.body):
            raise self.damaged(f"a message {message.kind} of {len(message.body)} bytes", "a longer one")
        return form.unpack_from(message.body, begin)
