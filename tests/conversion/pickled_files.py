"""Files in PyTorch's form made by hand, so that every byte of them can be wrong: what the tests of `pickled` read."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Mapping
from typing import Any

NO_DATE = (1980, 1, 1, 0, 0, 0)
MAGIC = pickle.PROTO + b"\2" + pickle.LONG1 + b"\x0a" + 0x1950A86A20F9469CFC6C.to_bytes(10, "little") + pickle.STOP


# ---- pickles ---------------------------------------------------------------------------------------------


def word(module: str, name: str) -> bytes:
    """A name, as protocol 2 has it."""
    return pickle.GLOBAL + f"{module}\n{name}\n".encode()


def text(value: str) -> bytes:
    """A string."""
    data = value.encode()
    return pickle.BINUNICODE + len(data).to_bytes(4, "little") + data


def value(item: Any) -> bytes:
    """Numbers, strings, tuples of them, and pickle code as it is."""
    if isinstance(item, bytes):
        return item
    if isinstance(item, str):
        return text(item)
    if isinstance(item, tuple):
        return pickle.MARK + b"".join(map(value, item)) + pickle.TUPLE
    return pickle.dumps(item, 2)[2:-1]


def called(module: str, name: str, *arguments: Any) -> bytes:
    """A call."""
    return word(module, name) + value(arguments) + pickle.REDUCE


def stored(key: str = "0", numel: Any = 6, storage: str = "FloatStorage", *part: Any, module: str = "torch") -> bytes:
    """A storage."""
    return value(("storage", word(module, storage), key, "cpu", numel, *part)) + pickle.BINPERSID


def rebuilt(
    store: bytes | None = None, offset: Any = 0, shape: Any = (2, 3), strides: Any = (3, 1), *more: Any
) -> bytes:
    """A tensor; by default one that is right with 24 bytes in storage 0."""
    rest = more or (False, called("collections", "OrderedDict"))
    return called("torch._utils", "_rebuild_tensor_v2", store or stored(), offset, shape, strides, *rest)


def items(entries: Mapping[Any, bytes]) -> bytes:
    """A dictionary."""
    inside = b"".join(value(key) + code for key, code in entries.items())
    return pickle.EMPTY_DICT + pickle.MARK + inside + pickle.SETITEMS


def whole(code: bytes) -> bytes:
    """A pickle of protocol 2."""
    return pickle.PROTO + b"\2" + code + pickle.STOP


def state(**entries: bytes) -> bytes:
    """The pickle of a state dict."""
    return whole(items(entries))


# ---- files -----------------------------------------------------------------------------------------------


def archive(
    code: bytes, storages: Mapping[str, bytes] | None = None, packed: int = zipfile.ZIP_STORED, **records: bytes
) -> bytes:
    """A zip archive around a pickle; by default with 24 bytes in storage 0."""
    inside = {"data.pkl": code, "byteorder": b"little", "version": b"3\n"} | records
    inside |= {f"data/{key}": data for key, data in ({"0": NUMBERS} if storages is None else storages).items()}
    return zipped({f"archive/{name}": data for name, data in inside.items()}, packed)


def zipped(records: Mapping[str, bytes], packed: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive of these records."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in records.items():
            entry = zipfile.ZipInfo(name, NO_DATE)
            if "/data/" in name:  # as PyTorch aligns them
                padding = -(file.tell() + 30 + len(name.encode()) + 4) % 64
                entry.extra = b"FB" + padding.to_bytes(2, "little") + bytes(padding)
            archive.writestr(entry, data, packed)
    return file.getvalue()


def row(code: bytes, storages: Mapping[str, tuple[int, bytes]] | None = None, **parts: bytes) -> bytes:
    """A file of the older form around a pickle; by default with six floats in storage 0."""
    storages = {"0": (6, NUMBERS)} if storages is None else storages
    facts = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    pickles = {
        "magic": MAGIC,
        "version": pickle.dumps(1001, 2),
        "machine": pickle.dumps(facts, 2),
        "tensors": code,
        "keys": pickle.dumps(list(storages), 2),
        "data": b"".join(count.to_bytes(8, "little") + data for count, data in storages.values()),
    }
    return b"".join((pickles | parts).values())


def patched(data: bytes, old: bytes, new: bytes, which: int = 0) -> bytes:
    """The same bytes with one occurrence of some replaced; there must be that many."""
    position = -1
    for _ in range(which + 1):
        position = data.index(old, position + 1)
    return data[:position] + new + data[position + len(old) :]


NUMBERS = b"".join(bytes.fromhex(f"0000{high:04x}")[::1] for high in (0x803F, 0x0040, 0x4040, 0x8040, 0xA040, 0xC040))
GOOD = state(x=rebuilt())
ZIP = archive(GOOD)
ROW = row(state(x=rebuilt(stored("0", 6, "FloatStorage", None))))


# ---- what must be refused --------------------------------------------------------------------------------

EVIL = {
    ("os", "system"): ("touch executed",),
    ("posix", "system"): ("touch executed",),
    ("nt", "system"): ("touch executed",),
    ("subprocess", "Popen"): (("touch", "executed"),),
    ("builtins", "eval"): ("open('executed', 'w')",),
    ("builtins", "exec"): ("open('executed', 'w')",),
    ("__builtin__", "eval"): ("open('executed', 'w')",),
    ("builtins", "getattr"): ("a", "b"),
    ("builtins", "open"): ("executed", "w"),
    ("builtins", "__import__"): ("antigravity",),
    ("runpy", "run_path"): ("executed",),
    ("operator", "attrgetter"): ("system",),
    ("functools", "partial"): (1,),
    ("torch", "load"): ("x",),
    ("torch.storage", "_load_from_bytes"): (b"\x80\2.",),
    ("torch.serialization", "load"): ("x",),
    ("torch.hub", "load"): ("x",),
    ("torch._utils", "_rebuild_tensor_v2.__globals__"): (),
    ("torch._utils", "_rebuild_sparse_tensor"): (),
    ("torch", "QInt8Storage"): (),
    ("torch", "ComplexHalfStorage"): (),
    ("numpy.core.multiarray", "_reconstruct"): (),
    ("numpy", "dtype"): ("O",),
    ("collections", "defaultdict"): (),
    ("argparse", "Namespace"): (),
    ("__main__", "Model"): (),
    ("triformers", "BertModel"): (),
}
MANY = 10**6
CYCLE = pickle.EMPTY_DICT + pickle.BINPUT + b"\0" + text("self") + pickle.BINGET + b"\0" + pickle.SETITEM
TWINS = pickle.EMPTY_TUPLE + b"".join(
    pickle.BINPUT + bytes([index]) + pickle.BINGET + bytes([index]) + pickle.TUPLE2 for index in range(100)
)
#: Pickles that no state dict is, each by what is wrong with it.
BAD_PICKLES = {
    **{
        f"{module}.{name}": state(x=called(module, name, *map(value, arguments)))
        for (module, name), arguments in EVIL.items()
    },
    "a name by STACK_GLOBAL": whole(text("os") + text("system") + pickle.STACK_GLOBAL),
    "a name by numbers": whole(pickle.NONE + pickle.NONE + pickle.STACK_GLOBAL),
    "INST": whole(pickle.MARK + text("touch executed") + b"ios\nsystem\n"),
    "OBJ": whole(pickle.MARK + word("collections", "OrderedDict") + b"o"),
    "NEWOBJ": whole(word("collections", "OrderedDict") + pickle.EMPTY_TUPLE + pickle.NEWOBJ),
    "EXT1": whole(b"\x82\1"),
    "PERSID": whole(b"Pstorage\n"),
    "LONG4": whole(b"\x8b" + (2**31 - 1).to_bytes(4, "little")),
    "a number in digits": whole(b"I" + b"9" * 100_000 + b"\n"),
    "BUILD of a tensor": state(x=rebuilt() + items({"a": value(1)}) + pickle.BUILD),
    "BUILD of a name": whole(word("torch", "Size") + items({"build": value(1)}) + pickle.BUILD),
    "a call of a number": whole(value(7) + pickle.EMPTY_TUPLE + pickle.REDUCE),
    "a call of a class of storages": whole(called("torch", "FloatStorage", 10**12)),
    "a call with a list": whole(word("torch", "Size") + pickle.EMPTY_LIST + pickle.REDUCE),
    "empty": b"",
    "STOP alone": whole(b""),
    "no STOP": GOOD[:-1],
    "two values": whole(value(1) + value(2)),
    "an open mark": whole(pickle.MARK + pickle.EMPTY_DICT),
    "an endless string": whole(pickle.BINUNICODE + b"\xff\xff\xff\xff"),
    "an endless string of eight bytes": whole(pickle.BINUNICODE8 + b"\xff" * 8),
    "an endless frame": b"\x80\4\x95" + b"\xff" * 8,
    "an endless name": whole(pickle.GLOBAL + b"a" * 100_000),
    "a string that is not UTF-8": state(x=pickle.BINUNICODE + b"\1\0\0\0\xff"),
    "GET of an unknown value": whole(pickle.BINGET + b"\7"),
    "LONG_BINGET of an unknown value": whole(pickle.LONG_BINGET + b"\xff" * 4),
    "PUT of nothing": whole(pickle.BINPUT + b"\0"),
    "LONG_BINPUT far away": whole(b"".join([pickle.NONE] + [pickle.LONG_BINPUT + b"\xff" * 4] * 1000)),
    "underflow of REDUCE": whole(pickle.REDUCE),
    "underflow of TUPLE3": whole(pickle.NONE + pickle.TUPLE3),
    "underflow below a mark of TUPLE2": whole(pickle.NONE + pickle.NONE + pickle.MARK + pickle.TUPLE2),
    "underflow below a mark of SETITEM": whole(
        pickle.EMPTY_DICT + pickle.MARK + text("x") + rebuilt() + pickle.SETITEM + pickle.SETITEMS
    ),
    "underflow of SETITEM": whole(pickle.EMPTY_DICT + pickle.NONE + pickle.SETITEM),
    "TUPLE without a mark": whole(pickle.TUPLE),
    "APPEND to a dictionary": whole(pickle.EMPTY_DICT + pickle.NONE + pickle.APPEND),
    "SETITEM of a list": whole(pickle.EMPTY_LIST + pickle.NONE + pickle.NONE + pickle.SETITEM),
    "a key without a value": whole(pickle.EMPTY_DICT + pickle.MARK + text("x") + pickle.SETITEMS),
    "a key twice": whole(pickle.EMPTY_DICT + pickle.MARK + (text("x") + rebuilt()) * 2 + pickle.SETITEMS),
    "a key that hashes for ever": whole(pickle.EMPTY_DICT + TWINS + pickle.NONE + pickle.SETITEM),
    "a key that is a list": whole(pickle.EMPTY_DICT + pickle.EMPTY_LIST + pickle.NONE + pickle.SETITEM),
    "tuples in tuples": state(x=pickle.EMPTY_TUPLE + pickle.TUPLE1 * 790_000),
    "lists in lists": state(x=pickle.EMPTY_LIST * 399_000 + pickle.APPEND * 398_999),
    "dictionaries in a heap": whole(pickle.EMPTY_DICT * MANY),
    "dictionaries with items": whole((pickle.EMPTY_DICT + value(1) + value(1) + pickle.SETITEM) * 190_000),
    "calls in a heap": whole(
        word("collections", "OrderedDict") + b"q\0)q\1" + b"h\0h\1R" * 260_000
    ),
    "tensors in a heap": whole(
        word("torch._utils", "_rebuild_tensor") + b"q\0" + value((stored(), 0, (), ())) + b"q\1" + b"h\0h\1R" * 260_000
    ),
    "tensors of many axes in a heap": whole(
        word("torch._utils", "_rebuild_tensor") + b"q\0" + value((stored(), 0, (1,) * 32, (2**62,) * 32))
        + b"q\1" + b"h\0h\1R" * 260_000
    ),
    "storages in a heap": whole(
        value(("storage", word("torch", "FloatStorage"), "0", "cpu", 6)) + b"q\0" + b"h\0Q" * 399_000
    ),
    "marks in a heap": whole(pickle.MARK * MANY),
    "a memo of a million": whole(
        pickle.NONE + b"".join(pickle.LONG_BINPUT + index.to_bytes(4, "little") for index in range(MANY))
    ),
    "more instructions than are followed": whole(pickle.NONE * 2_000_000),
    "a dictionary in itself": whole(CYCLE),
    "a dictionary in itself beside a tensor": whole(CYCLE + text("x") + rebuilt() + pickle.SETITEM),
    # what no state dict is
    "a number": whole(value(7)),
    "a tensor alone": whole(rebuilt()),
    "a list of tensors": whole(pickle.EMPTY_LIST + rebuilt() + pickle.APPEND),
    "numbers alone": state(epoch=value(3)),
    "an optimizer": state(state=items({0: items({"step": rebuilt()})}), param_groups=pickle.EMPTY_LIST),
    "two state dicts": state(model=items({"x": rebuilt()}), state_dict=items({"x": rebuilt()})),
    "a state dict two levels down": state(model=items({"state_dict": items({"x": rebuilt()})})),
    "a dictionary among tensors": state(x=rebuilt(), y=items({"z": rebuilt()})),
    "a number for a name": whole(items({7: rebuilt()})),
    "a call of OrderedDict with items": whole(called("collections", "OrderedDict", (("a", 1),))),
    # what no tensor is
    "a tensor of nothing": state(x=called("torch._utils", "_rebuild_tensor_v2")),
    "a tensor of numbers": state(x=called("torch._utils", "_rebuild_tensor_v2", 1, 2, 3, 4, 5, 6)),
    "a parameter of a number": state(x=called("torch._utils", "_rebuild_parameter", 1, False, 0)),
    "a conjugated tensor": state(x=rebuilt(None, 0, (2,), (1,), False, 0, items({"conj": value(True)}))),
    "a tensor of type_v2 in itself": state(
        x=called(
            "torch._tensor", "_rebuild_from_type_v2", word("torch._tensor", "_rebuild_from_type_v2"),
            word("torch", "Tensor"),
            (
                word("torch._utils", "_rebuild_tensor_v2"), word("torch", "Tensor"),
                (stored(), 0, (2, 3), (3, 1), False, items({})), items({}),
            ),
            items({}),
        )
    ),
    "a tensor of no type": state(
        x=called("torch._utils", "_rebuild_tensor_v3", stored("0", 24, "UntypedStorage"), 0, (2,), (1,), 0, 0, 7)
    ),
    "a negative offset": state(x=rebuilt(None, -1)),
    "an offset of truth": state(x=rebuilt(None, True, (3,), (1,))),
    "negative sizes": state(x=rebuilt(None, 0, (-2, -3))),
    "negative strides": state(x=rebuilt(None, 5, (2, 3), (-3, -1))),
    "a size of truth": state(x=rebuilt(None, 0, (True, 3))),
    "sizes that are a string": state(x=rebuilt(None, 0, "23")),
    "fewer strides than sizes": state(x=rebuilt(None, 0, (2, 3), (1,))),
    "more axes than an array has": state(x=rebuilt(None, 0, (1,) * 65, (1,) * 65)),
    "a size beyond 64 bits": state(x=rebuilt(None, 0, (2**64,), (0,))),
    "a size of 255 bytes": state(x=rebuilt(None, 0, (2**2000,), (1,))),
    "sizes whose product wraps": state(x=rebuilt(None, 0, (2**32, 2**32), (0, 0))),
    "sizes whose product has thousands of digits": state(x=rebuilt(None, 0, (2**62,) * 32, (0,) * 32)),
    "nothing of an impossible shape": state(x=rebuilt(None, 0, (0, 2**40, 2**40), (0, 0, 0))),
    "an expanded tensor of a terabyte": state(x=rebuilt(None, 0, (10**12,), (0,))),
    "an expanded tensor of 64 megabytes": state(x=rebuilt(None, 0, (2**24,), (0,))),
    "one element too many": state(x=rebuilt(None, 0, (7,), (1,))),
    "an offset too far": state(x=rebuilt(None, 1)),
    "an empty tensor too far": state(x=rebuilt(None, 7, (0,), (1,))),
    "a stride too long": state(x=rebuilt(None, 0, (2, 3), (4, 1))),
    "a stride beyond 64 bits": state(x=rebuilt(None, 0, (2,), (2**63,))),
    "a stride whose bytes wrap": state(x=rebuilt(None, 0, (2,), (2**62,))),
    "a storage of a negative size": state(x=rebuilt(stored("0", -6))),
    "a storage of a fraction": state(x=rebuilt(stored("0", 6.0))),
    "a storage larger than its record": state(x=rebuilt(stored("0", 7))),
    "a storage smaller than its record": state(x=rebuilt(stored("0", 5))),
    "a storage wider than its record": state(x=rebuilt(stored("0", 6, "DoubleStorage"))),
    "a storage without a record": state(x=rebuilt(stored("1"))),
    "a storage outside its folder": state(x=rebuilt(stored("../byteorder", 6, "ByteStorage"))),
    "a storage of no class": state(x=rebuilt(value(("storage", "FloatStorage", "0", "cpu", 6)) + pickle.BINPERSID)),
    "a storage by a type": state(
        x=rebuilt(value(("storage", word("torch", "float32"), "0", "cpu", 6)) + pickle.BINPERSID)
    ),
    "a storage that is a module": state(x=value(("module", "a", "b", "c", "d")) + pickle.BINPERSID),
    "a storage that is a string": state(x=value("storage") + pickle.BINPERSID),
    "a part beyond its storage": state(x=rebuilt(stored("0", 6, "FloatStorage", ("1", 4, 3)), 0, (3,), (1,))),
    "a part that is a number": state(x=rebuilt(stored("0", 6, "FloatStorage", 7))),
}  # fmt: skip

CENTRAL, LOCAL, END = b"PK\1\2", b"PK\3\4", b"PK\5\6"


def _field(at: int, size: int, number: int, header: bytes = CENTRAL, which: int = 0, data: bytes = ZIP) -> bytes:
    """The archive with one number of one header changed."""
    position = -1
    for _ in range(which + 1):
        position = data.index(header, position + 1)
    position += at
    return data[:position] + number.to_bytes(size, "little") + data[position + size :]


PACKED = archive(GOOD, packed=zipfile.ZIP_DEFLATED)
SMALL = archive(GOOD, {"0": bytes(2**27)}, zipfile.ZIP_DEFLATED)
BOMB = archive(state(x=rebuilt(stored("0", 2**25), 0, (2**25,), (1,))), {"0": bytes(2**27)}, zipfile.ZIP_DEFLATED)
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
    "a pickle of zeros, packed": archive(bytes(60 * 2**20), packed=zipfile.ZIP_DEFLATED),
    "a bomb": BOMB,
    "a bomb that says it is small": _field(22, 4, 24, LOCAL, DATA_RECORD, _field(24, 4, 24, which=3, data=SMALL)),
    "a packed pickle cut short": _field(18, 4, 50, LOCAL, 0, _field(20, 4, 50, data=PACKED)),
    "a packed pickle of noise": patched(PACKED, PACKED[46:70], b"\xff" * 24),
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
