"""The attributes of an HDF5 group, of which lists of names alone are read: Keras says there which weights a layer has.

An attribute is a message (specification, "The Attribute Message"): a name, a type, a shape and the values themselves.
Texts are of one length each, as Keras writes them, or lie in a heap of the file ("Global Heap"), as h5py writes a list
of Python's strings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod
from struct import Struct

from triformers.conversion.formats.hdf5.structure import ATTRIBUTE, ATTRIBUTE_INFO, NOWHERE, Message, Structure
from triformers.conversion.formats.safetensors import MAX_AXES

_INFO, _PLACE = Struct("<BB"), Struct("<QQ")
#: version, flags, then how many bytes the name, the type and the shape take
_HEAD = Struct("<2B3H")
#: class and version, flags, size of a value
_TYPE, _SPACE = Struct("<BB2xI"), Struct("<2B")
TEXT, TEXT_ELSEWHERE, IS_TEXT = 3, 9, 1
#: of a text in a heap: its length, the heap, its number there; of what is in a heap: its number, its length
_REFERENCE, _HEAP, _OBJECT = Struct("<IQI"), Struct("<8xQ"), Struct("<H6xQ")


def attributes(file: Structure, messages: Iterable[Message]) -> dict[str, Message]:
    """An object's attributes by name.

    Raises:
        FileError: There are so many that they are kept elsewhere.
    """
    found = {}
    for message in messages:
        if message.kind == ATTRIBUTE_INFO:
            _, flags = file.unpacked(_INFO, message)
            (heap, _) = file.unpacked(_PLACE, message, 4 if flags & 1 else 2)
            if heap != NOWHERE:
                raise file.damaged("a group with an index of attributes", "the few that Keras writes")
        elif message.kind == ATTRIBUTE:
            version, _, size, _, _ = file.unpacked(_HEAD, message)
            begin = _HEAD.size + (version == 3)
            name = bytes(message.body[begin : begin + size]).partition(b"\0")[0]
            found[name.decode("utf-8", "replace")] = message
    return found


def listed(file: Structure, found: dict[str, Message], name: str) -> set[str]:
    """The names in a list, which may be in several attributes that end in a number; none if there is no list.

    Raises:
        FileError: It is no list of names.
    """
    parts = [message for each, message in found.items() if each == name or each.removeprefix(name).isdecimal()]
    return {text for part in parts for text in _texts(file, part, name)}


def _texts(file: Structure, message: Message, name: str) -> Iterator[str]:
    version, flags, of_name, of_type, of_space = file.unpacked(_HEAD, message)
    step = 8 if version == 1 else 1
    type_at = _HEAD.size + (version == 3) + -(-of_name // step) * step
    space_at = type_at + -(-of_type // step) * step
    begin = space_at + -(-of_space // step) * step
    if version not in (1, 2, 3) or (flags and version > 1) or of_type < _TYPE.size:
        raise file.damaged(f"an attribute {name} that is kept elsewhere", "a list of names")
    kind, form, size = file.unpacked(_TYPE, message, type_at)
    count, values = _count(file, message, space_at), message.body[begin:]
    if not count:  # of whatever type: an empty list of Python has none
        return
    is_elsewhere = kind & 0x0F == TEXT_ELSEWHERE and form & 0x0F == IS_TEXT and size == _REFERENCE.size
    if not (is_elsewhere or kind & 0x0F == TEXT) or not size or count * size > len(values):
        raise file.damaged(f"an attribute {name} of {count} values of {size} bytes", "a list of names")
    file.count(count)
    for index in range(count):
        value = values[index * size : (index + 1) * size]
        raw = _elsewhere(file, *_REFERENCE.unpack(value)) if is_elsewhere else bytes(value).rstrip(b"\0")
        yield raw.decode("utf-8", "replace")


def _count(file: Structure, message: Message, begin: int) -> int:
    """How many values an attribute has."""
    version, axes = file.unpacked(_SPACE, message, begin)
    if axes > MAX_AXES:
        raise file.damaged(f"an attribute of {axes} axes", f"at most {MAX_AXES}")
    return prod(file.unpacked(Struct(f"<{axes}Q"), message, begin + (8 if version == 1 else 4)))


def _elsewhere(file: Structure, length: int, heap: int, number: int) -> bytes:
    """A text in a heap."""
    (size,) = _HEAP.unpack(file.node(heap, b"GCOL", _HEAP.size))
    position, end = heap + _HEAP.size, heap + size
    while position + _OBJECT.size <= end:
        file.count()
        found, room = _OBJECT.unpack(file.take(position, _OBJECT.size))
        position += _OBJECT.size
        if found == number:
            return bytes(file.take(position, min(length, room)))
        if not found:
            break
        position += -(-room // 8) * 8
    raise file.damaged("a name that its heap does not have", "the names of layers and weights")
