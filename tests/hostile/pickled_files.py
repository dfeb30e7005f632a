"""Files in PyTorch's form made by hand, so that every byte of them can be wrong."""

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
