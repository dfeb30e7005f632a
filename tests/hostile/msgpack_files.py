"""Files of Flax' msgpack format that are wrong, each by what is wrong with it."""

from __future__ import annotations

from triformers.conversion.formats.msgpack import CHUNKED, MAX_DEPTH


def extension(payload: bytes, code: int = 1) -> bytes:
    """An extension of at most 255 bytes."""
    return bytes([0xC7, len(payload), code]) + payload


def array_of(shape: bytes = b"\x91\x02", name: bytes = b"\xa7float32", data: bytes = b"\xc4\x08" + bytes(8)) -> bytes:
    """An array as Flax packs it; by default two numbers of float32."""
    return extension(b"\x93" + shape + name + data)


def chunked(
    shape: bytes = b"\x81\xa10\x04",
    chunks: bytes = b"\x82\xa10" + array_of() + b"\xa11" + array_of(),
    flag: bytes = b"\xc3",
) -> bytes:
    """A file with an array in pieces; by default one that is right."""
    return b"\x81\xa1x\x83\xb9" + CHUNKED.encode() + flag + b"\xa5shape" + shape + b"\xa6chunks" + chunks


SOUND = b"\x81\xa1x" + array_of()

HOSTILE = {
    "empty": b"",
    "a number": b"\x07",
    "a time": b"\x81\xa1x\xd6\xff" + bytes(4),
    "a list of four thousand million": b"\xdd\xff\xff\xff\xff",
    "text of four gigabytes": b"\xdb\xff\xff\xff\xff",
    "bytes of four gigabytes": b"\x81\xa1x\xc6\xff\xff\xff\xff",
    "a megabyte of empty dicts in dicts": (b"\x81\xa1x" * 340_000) + b"\x80",
    "lists in lists": b"\x81\xa1x" + b"\x91" * 10**6,
    "an array alone": array_of(),
    "a list": b"\x91" + array_of(),
    "text": b"\xa1x",
    "an unknown header": b"\xc1",
    "nil": b"\x81\xa1x\xc0",
    "a number at the end": b"\x81\xa1x\x07",
    "a truth value at the end": b"\x81\xa1x\xc3",
    "a float at the end": b"\x81\xa1x\xcb" + bytes(8),
    "text at the end": b"\x81\xa1x\xa1y",
    "a list at the end": b"\x81\xa1x\x91" + array_of(),
    "bytes behind the end": SOUND + b"\x00",
    "more entries than bytes": b"\xdf\xff\xff\xff\xff",
    "more entries than there are": b"\x82\xa1x" + array_of(),
    "a name twice": b"\x82" + (b"\xa1x" + array_of()) * 2,
    "a number for a name": b"\x81\x01" + array_of(),
    "an empty name": b"\x81\xa0" + array_of(),
    "a name with a slash": b"\x81\xa3a/b" + array_of(),
    "a name that is not UTF-8": b"\x81\xa1\xff" + array_of(),
    "a name longer than the file": b"\x81\xdb\xff\xff\xff\xff" + array_of(),
    "a name longer than any": b"\x81\xda\x20\x00" + b"x" * 0x2000 + array_of(),
    "deep nesting": b"\x81\xa1x" * 100_000 + array_of(),
    "a little too deep": b"\x81\xa1x" * (MAX_DEPTH + 1) + array_of(),
    "an extension longer than the file": b"\x81\xa1x\xc9\xff\xff\xff\xff\x01",
    "an extension of another type": b"\x81\xa1x" + extension(bytes(4), 5),
    "a negative type": b"\x81\xa1x" + extension(bytes(4), 0xFF),
    "an empty extension": b"\x81\xa1x" + extension(b""),
    "an extension longer than its array": b"\x81\xa1x" + extension(array_of()[3:] + b"\x00"),
    "an extension shorter than its array": b"\x81\xa1x" + extension(array_of()[3:])[:1] + b"\x10\x01" + array_of()[3:],
    "an array of two parts": b"\x81\xa1x" + extension(b"\x92\x91\x02\xa7float32"),
    "an array that is a dict": b"\x81\xa1x" + extension(b"\x83" + array_of()[4:]),
    "a shape that is a number": b"\x81\xa1x" + array_of(shape=b"\x02"),
    "negative sizes": b"\x81\xa1x" + array_of(shape=b"\x92\xff\xfe"),
    "wide negative sizes": b"\x81\xa1x" + array_of(shape=b"\x91\xd0\xfe"),
    "fractions for sizes": b"\x81\xa1x" + array_of(shape=b"\x91\xcb" + bytes(8)),
    "truth values for sizes": b"\x81\xa1x" + array_of(shape=b"\x92\xc3\x02"),
    "more axes than an array has": b"\x81\xa1x" + array_of(shape=b"\xdc\x00\x41" + b"\x01" * 65),
    "more axes than bytes": b"\x81\xa1x" + array_of(shape=b"\xdd\xff\xff\xff\xff"),
    "sizes whose product wraps": b"\x81\xa1x" + array_of(shape=b"\x92" + b"\xcf\x80\0\0\0\0\0\0\x01" * 2),
    "nothing of an impossible shape": b"\x81\xa1x"
    + array_of(shape=b"\x93\x00" + b"\xcf\x00\0\x01\0\0\0\0\0" * 2, data=b"\xc4\x00"),
    "a type of objects": b"\x81\xa1x" + array_of(name=b"\xa6object"),
    "a type of text": b"\x81\xa1x" + array_of(name=b"\xa2U2"),
    "a type with fields": b"\x81\xa1x" + array_of(name=b"\xa5f4,f4"),
    "a type that is a number": b"\x81\xa1x" + array_of(name=b"\x07"),
    "a long type": b"\x81\xa1x" + array_of(name=b"\xd9\x40" + b"x" * 64),
    "fewer bytes than the shape": b"\x81\xa1x" + array_of(data=b"\xc4\x07" + bytes(7)),
    "more bytes than the shape": b"\x81\xa1x" + array_of(data=b"\xc4\x09" + bytes(9)),
    "a list for bytes": b"\x81\xa1x" + array_of(data=b"\x98" + bytes(8)),
    "a complex number of one part": b"\x81\xa1x" + extension(b"\x91\xcb" + bytes(8), 2),
    "a complex number of whole ones": b"\x81\xa1x" + extension(b"\x92" + bytes(18), 2),
    "pieces without a shape": chunked(shape=b"\x07"),
    "pieces without pieces": chunked(chunks=b"\x80", shape=b"\x81\xa10\x00"),
    "pieces that are an array": chunked(chunks=array_of()),
    "a piece that is a number": chunked(chunks=b"\x81\xa10\x07"),
    "a piece left out": chunked(chunks=b"\x82\xa10" + array_of() + b"\xa12" + array_of()),
    "a piece of pieces": chunked(chunks=b"\x81\xa10" + chunked()[3:]),
    "pieces of two types": chunked(chunks=b"\x82\xa10" + array_of() + b"\xa11" + array_of(name=b"\xa5int32")),
    "pieces with axes": chunked(chunks=b"\x82\xa10" + array_of() + b"\xa11" + array_of(shape=b"\x92\x01\x02")),
    "pieces that are too few": chunked(shape=b"\x81\xa10\x05"),
    "pieces that are too many": chunked(shape=b"\x81\xa10\x03"),
    "pieces of a shape of truth values": chunked(shape=b"\x82\xa10\xc3\xa11\x04"),
    "pieces of nothing times much": chunked(shape=b"\x82\xa10\x00\xa11\xcf" + b"\xff" * 8),
    "empty pieces of an impossible shape": chunked(
        shape=b"\x82\xa10\x00\xa11\xcf" + b"\xff" * 8,
        chunks=b"\x81\xa10" + array_of(shape=b"\x91\x00", data=b"\xc4\x00"),
    ),
    "pieces that are not said to be": chunked(flag=b"\xc2"),
    "pieces at the root": chunked()[3:],
}
