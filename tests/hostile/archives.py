"""Archives and rows of pickles that are wrong, each by what is wrong with it; and all files in PyTorch's form."""

from __future__ import annotations

import pickle
import zipfile

from tests.hostile.pickled_files import (
    GOOD,
    MAGIC,
    NUMBERS,
    ROW,
    ZIP,
    archive,
    called,
    items,
    patched,
    rebuilt,
    row,
    state,
    stored,
    whole,
    zipped,
)
from tests.hostile.pickles import BAD_PICKLES

CENTRAL, LOCAL, END = b"PK\1\2", b"PK\3\4", b"PK\5\6"


def _field(at: int, size: int, number: int, header: bytes = CENTRAL, which: int = 0, data: bytes = ZIP) -> bytes:
    """The archive with one number of one header changed."""
    position = -1
    for _ in range(which + 1):
        position = data.index(header, position + 1)
    position += at
    return data[:position] + number.to_bytes(size, "little") + data[position + size :]


PACKED = archive(GOOD, packed=zipfile.ZIP_DEFLATED)
SMALL = archive(GOOD, {"0": bytes(2**23)}, zipfile.ZIP_DEFLATED)
BOMB = archive(state(x=rebuilt(stored("0", 2**21), 0, (2**21,), (1,))), {"0": bytes(2**23)}, zipfile.ZIP_DEFLATED)
LONG = archive(state(x=rebuilt(stored("0", 25, "ByteStorage"), 0, (25,), (1,))))
DATA_RECORD = 3  # data.pkl, byteorder, version, data/0


def _nested() -> bytes:
    """An archive with a record in another: the directory finds `data/1` inside `data/0`."""
    plain = archive(state(x=rebuilt()), {"1": NUMBERS})
    inner = plain[plain.rindex(LOCAL) : plain.index(CENTRAL)]
    code = state(x=rebuilt(stored("0", len(inner), "ByteStorage"), 0, (), ()), y=rebuilt(stored("1")))
    outer = archive(code, {"0": inner, "1": NUMBERS})
    return _field(42, 4, outer.index(inner), which=DATA_RECORD + 1, data=outer)


#: Archives that are none, or whose parts contradict each other.
BAD_ARCHIVES = {
    "the first record alone": ZIP[: ZIP.index(CENTRAL)],
    "something before it": b"#!/bin/sh\n" + ZIP,
    "another archive before it": ZIP + ZIP,
    "something after it": ZIP + b"\0",
    "a comment": ZIP[:-2] + b"\5\0hello",
    "no end record": ZIP[:-22],
    "an end record alone": ZIP[-22:],
    "a directory elsewhere": _field(16, 4, 0, END),
    "a directory at the end of the world": _field(16, 4, 0xFFFFFFFE, END),
    "a directory too small": _field(12, 4, 40, END),
    "more records than there are": _field(10, 2, 5, END),
    "fewer records than there are": _field(8, 4, 0x0004_0004, END, data=archive(GOOD, {"0": NUMBERS, "1": b""})),
    "a comment that is not there": _field(20, 2, 5, END),
    "65535 records": _field(8, 4, 0xFFFF_FFFF, END),
    "another disk": _field(4, 2, 1, END),
    "an entry on another disk": _field(34, 2, 1),
    "an entry without its magic": patched(ZIP, CENTRAL, b"PK\1\3"),
    "a record without its magic": patched(ZIP, LOCAL, b"PK\3\5", which=1),
    "a name longer than the directory": _field(28, 2, 0xFFFF),
    "another name in the record": patched(ZIP, b"archive/data.pkl", b"archive/data.pkk"),
    "a name that is not UTF-8": patched(ZIP, b"archive/data.pkl", b"archive/\xff\xff\xff\xff.pkl", which=1),
    "an encrypted record": _field(8, 2, 1),
    "an encrypted record's header": _field(6, 2, 0x41, LOCAL),
    "an encrypted record in both": _field(6, 2, 1, LOCAL, 0, _field(8, 2, 1)),
    "a stored record of two sizes in both": _field(
        22, 4, 25, LOCAL, DATA_RECORD, _field(24, 4, 25, which=3, data=LONG)
    ),
    "an unknown method": _field(10, 2, 12),
    "two methods": _field(10, 2, 8),
    "a stored record of two sizes": _field(24, 4, 23, which=DATA_RECORD),
    "a record larger than the file": _field(20, 8, 0x7FFFFFFF_7FFFFFFF, which=DATA_RECORD),
    "a record of four gigabytes": _field(20, 8, 0xFFFFFFFF_FFFFFFFF, which=DATA_RECORD),
    "a record cut short": _field(20, 8, 0x0000000C_0000000C, which=DATA_RECORD),
    "a record's header of another size": _field(22, 4, 12, LOCAL, which=DATA_RECORD),
    "a record beyond the file": _field(42, 4, 0x7FFFFFFF, which=DATA_RECORD),
    "a record in the directory": _field(42, 4, ZIP.index(CENTRAL), which=DATA_RECORD),
    "a record in the place of another": _field(42, 4, 0, which=DATA_RECORD),
    "an extra field beyond the file": _field(28, 2, 0xFFFF, LOCAL, which=DATA_RECORD),
    "a record in a record": _nested(),
    "a record twice": archive(GOOD, {"0": NUMBERS, "1": NUMBERS}).replace(b"data/1", b"data/0"),
    "a damaged pickle": patched(ZIP, b"FloatStorage", b"HalfStorage\n"),
    "a folder in a folder": zipped({"a/b/data.pkl": GOOD, "a/b/data/0": NUMBERS}),
    "no folder": zipped({"data.pkl": GOOD, "data/0": NUMBERS}),
    "two folders": zipped({"a/data.pkl": GOOD, "a/data/0": NUMBERS, "b/data.pkl": GOOD}),
    "names that climb": zipped({"../data.pkl": GOOD, "../../data/0": NUMBERS}),
    "no pickle": zipped({"archive/version": b"3\n"}),
    "a document": zipped({"[Content_Types].xml": b"<xml/>"}),
    "a program": archive(GOOD, **{"constants.pkl": b"\x80\2)."}),
    "an order of bytes in the middle": archive(GOOD, byteorder=b"middle"),
    "an order of bytes without end": archive(GOOD, byteorder=b"little" * 10_000),
    "a pickle of 17 megabytes": archive(bytes(17 * 2**20)),
    "packed records": PACKED,
    "one packed record": _field(8, 2, 8, LOCAL, DATA_RECORD, _field(10, 2, 8, which=DATA_RECORD)),
    "an archive in an archive": zipped({"archive/data.pkl": ZIP, "archive/data/0": NUMBERS}),
    "an archive as a storage of calls": archive(
        state(x=rebuilt(stored("0", 1, "ByteStorage"), 0, (1,), (1,)), y=called("torch", "load", "data/0")),
        {"0": archive(whole(called("os", "system", "touch executed")))},
    ),
    "a pickle in a folder in an archive": zipped(
        {"a/data.pkl": whole(called("os", "system", "x")), "a/b/data.pkl": GOOD}
    ),
    "a storage under thousands of names": archive(
        whole(items({f"x{n}": rebuilt(stored("0", 2**18, "ByteStorage"), 0, (2**18,), (1,)) for n in range(2000)})),
        {"0": bytes(2**18)},
    ),
    "a name that is absolute": zipped({"/etc/data.pkl": GOOD, "/etc/data/0": NUMBERS}),
    "a pickle of zeros, packed": archive(bytes(2**23), packed=zipfile.ZIP_DEFLATED),
    "a bomb": BOMB,
    "a bomb that says it is small": _field(22, 4, 24, LOCAL, DATA_RECORD, _field(24, 4, 24, which=3, data=SMALL)),
}


def _wide(**changes: int) -> bytes:
    """The archive with the end record of large files, in which some numbers are changed."""
    at = len(ZIP) - 22
    count, size, begin = 4, at - ZIP.index(CENTRAL), ZIP.index(CENTRAL)
    fields = dict(rest=44, disk=0, count=count, size=size, begin=begin, where=at, disks=1, narrow=0xFFFF) | changes
    end = b"PK\6\6" + fields["rest"].to_bytes(8, "little") + bytes(4) + fields["disk"].to_bytes(8, "little")
    for name in ("count", "count", "size", "begin"):
        end += fields[name].to_bytes(8, "little")
    locator = b"PK\6\7" + bytes(4) + fields["where"].to_bytes(8, "little") + fields["disks"].to_bytes(4, "little")
    narrow = fields["narrow"].to_bytes(2, "little") * 2 + b"\xff" * 8
    return ZIP[:at] + end + locator + END + bytes(4) + narrow + bytes(2)


WIDE = _wide()
BAD_ARCHIVES |= {
    f"an end record of large files with another {name}": _wide(**{name: number})
    for name, number in dict(
        rest=45, disk=1, count=2**63, size=2**64 - 1, begin=2**63, where=0, disks=2, narrow=3
    ).items()
}

TENSOR = state(x=rebuilt())
#: Files of the older form, and other files under the name of a checkpoint.
BAD_ROWS = {
    "a row of another version": row(TENSOR, version=pickle.dumps(1002, 2)),
    "a row of a version without end": row(TENSOR, version=b"\x80\2" + pickle.NONE * 2_000_000),
    "a row of a big-endian machine": row(TENSOR, machine=pickle.dumps({"little_endian": False}, 2)),
    "a row of no machine": row(TENSOR, machine=pickle.dumps([], 2)),
    "a row with a call in its machine": row(TENSOR, machine=whole(called("os", "system", "touch executed"))),
    "a row with a storage in its machine": row(TENSOR, machine=whole(stored())),
    "a row with a call in its keys": row(TENSOR, keys=whole(called("os", "system", "touch executed"))),
    "a row with a call": row(whole(called("os", "system", "touch executed"))),
    "a row without keys": row(TENSOR, keys=pickle.dumps([], 2)),
    "a row of keys that are numbers": row(TENSOR, keys=pickle.dumps([0], 2)),
    "a row of keys that are one": row(TENSOR, keys=pickle.dumps("0", 2)),
    "a row of a key twice": row(TENSOR, keys=pickle.dumps(["0", "0"], 2)),
    "a row of another key": row(TENSOR, keys=pickle.dumps(["1"], 2)),
    "a row with fewer elements": row(TENSOR, {"0": (5, NUMBERS)}),
    "a row with a negative count": row(TENSOR, {"0": (2**64 - 1, NUMBERS)}),
    "a row cut in its numbers": ROW[:-1],
    "a row cut in its count": ROW[:-27],
    "a row without its numbers": ROW[:-32],
    "a row with more after it": ROW + b"\0",
    "a row with a storage of two types": row(
        state(x=rebuilt(), y=rebuilt(stored("0", 6, "IntStorage")))
    ),
    "a row of a huge storage": row(state(x=rebuilt(stored("0", 2**61))), {"0": (2**61, NUMBERS)}),
    "the magic number alone": MAGIC,
    "a tar archive": b"sys_info".ljust(257, b"\0") + b"ustar  \0" + bytes(247) + bytes(1024),
    "nothing": b"",
    "zeros": bytes(1000),
    "a pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "a page": b"<!DOCTYPE html><html></html>",
    "an HDF5 file": b"\x89HDF\r\n\x1a\n" + bytes(100),
    "a plain pickle": pickle.dumps({"x": 1}),
    "a plain pickle with a call": b"\x80\2cos\nsystem\nX\x0e\0\0\0touch executed\x85R.",
    "an old pickle with a call": b"cos\nsystem\n(S'touch executed'\ntR.",
    "a safetensors file": (2).to_bytes(8, "little") + b"{}",
}  # fmt: skip

HOSTILE: dict[str, bytes] = {
    **{f"pickle: {name}": archive(code) for name, code in BAD_PICKLES.items()},
    **{f"archive: {name}": data for name, data in BAD_ARCHIVES.items()},
    **BAD_ROWS,
}
