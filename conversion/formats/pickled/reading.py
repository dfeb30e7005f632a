"""Reading the files of `torch.save` without PyTorch: the zip archive of today, and the row of pickles before 1.6.

PyTorch's docs, "Serialization semantics", describe the archive: `data.pkl` describes every tensor, `data/<key>` is the
storage of that key, `byteorder` its order of bytes. The older form is five pickles (a magic number, a version, the
machine, the tensors, the keys of the storages) and then each storage: its length in eight bytes, and its elements.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from triformers.conversion.formats.pickled.archive import LOCAL_MAGIC, Record, read_directory
from triformers.conversion.formats.pickled.machine import MAX_BYTES, Machine
from triformers.conversion.formats.pickled.placing import Region, place
from triformers.conversion.formats.pickled.refusals import Refusal, quoted, refusals_of
from triformers.conversion.formats.pickled.words import WORDS, Storage, StoredTensor, storage
from triformers.conversion.formats.tensors import Tensor, map_file

#: The pickle of the magic number that every file of the older form begins with.
LEGACY_MAGIC = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e")
LEGACY_VERSION = 1001
COUNT_BYTES = 8
#: Where a tar archive says that it is one: the oldest form, of the first weeks of PyTorch.
TAR_AT, TAR_MAGIC = 257, b"ustar"
#: How much of a file's beginning says which form it is in.
HEAD_BYTES = TAR_AT + len(TAR_MAGIC)

#: How files begin that are often found under the name of a checkpoint, and what they are.
OTHER_FORMS: Mapping[bytes, str] = {
    b"version https://git-lfs": "is a pointer of Git LFS, not the file that it points to",
    b"\x89HDF\r\n\x1a\n": "is an HDF5 file, as Keras writes",
    b"<": "is a page of HTML or XML",
    b"PK\5\6": "is an empty zip archive",
    b"\x1f\x8b": "is compressed by gzip",
    b"\x80": "is a pickle, but none that torch.save writes",
}

#: Under which key tools for training keep the state dict, among what else they save.
WRAPPERS = ("state_dict", "model_state_dict", "model")


def is_pickled(head: bytes) -> bool:
    """Whether a file that begins with these `HEAD_BYTES` bytes is one that `torch.save` wrote."""
    return head.startswith((LOCAL_MAGIC, LEGACY_MAGIC)) or head[TAR_AT:HEAD_BYTES] == TAR_MAGIC


def read_pickled(path: Path) -> dict[str, Tensor]:
    """Open a file: its tensors by name, each mapped copy-on-write when it is read. Nothing in it is ever run.

    A tensor is copied only where its bytes lie in another order than its rows, are not aligned (as in the older
    form), or belong to another tensor too, which must not change with it. Numbers and strings among the tensors are
    left out; a file that a tool for training wrote is read for its state dict.

    Raises:
        FileError: The file is damaged, in another form, or holds anything but a state dict.
    """
    with refusals_of(path):
        mapped = map_file(path)
        head = mapped[:HEAD_BYTES].tobytes()
        if head.startswith(LOCAL_MAGIC):
            return _read_archive(path, mapped)
        if head.startswith(LEGACY_MAGIC):
            return _read_row(path, mapped)
        if head[TAR_AT:] == TAR_MAGIC:
            raise Refusal("is a tar archive, as PyTorch wrote before version 0.1.10", "a file of a later version")
        found = next((words for magic, words in OTHER_FORMS.items() if head.startswith(magic)), "is no checkpoint")
        raise Refusal(found, "a file that torch.save wrote")


# ---- the archive -----------------------------------------------------------------------------------------


def _read_archive(path: Path, mapped: np.ndarray) -> dict[str, Tensor]:
    file = mapped.data
    records = read_directory(file)
    folder = _folder(records)
    is_big_endian = _is_big_endian(records.get(f"{folder}/byteorder"), file)
    regions: dict[str, Region] = {}

    def persistent(value: Any) -> Storage:
        found = storage(value)
        record = records.get(f"{folder}/data/{found.key}")
        if record is None:
            raise Refusal(f"has no record of storage {quoted(found.key)}", "one in its folder data")
        if record.size // found.element.dtype.itemsize != found.total:
            size = f"{found.total} of {found.element.name}"
            raise Refusal(f"has a record of {record.size} bytes for storage {quoted(found.key)}", size)
        regions[found.key] = Region(record.size, mapped, record.begin, is_big_endian)
        return found

    value = Machine(_pickle(records[f"{folder}/data.pkl"], file), WORDS, persistent).run()
    return place(path, state_dict(value), regions)


def _folder(records: Mapping[str, Record]) -> str:
    """The one folder of the archive."""
    found = [name.partition("/")[0] for name in records if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(found) != 1:
        raise Refusal(f"has {len(found)} records data.pkl", "one in one folder, as torch.save writes")
    return found[0]


def _is_big_endian(record: Record | None, file: memoryview) -> bool:
    """What the record of the order of bytes says. PyTorch before 2.1 wrote none, and little-endian files alone."""
    if record is None:
        return False
    order = record.read(file) if record.size <= len(b"little") else b""
    if order not in (b"little", b"big"):
        raise Refusal(f"has a record byteorder of {record.size} bytes: {order!r}", "little or big")
    return order == b"big"


def _pickle(record: Record, file: memoryview) -> bytes:
    if record.size > MAX_BYTES:
        raise Refusal(f"has a data.pkl of {record.size} bytes", f"at most {MAX_BYTES}")
    data = record.read(file)
    if record.checksum not in (0, zlib.crc32(data)):
        raise Refusal("has a data.pkl that its checksum contradicts", "an undamaged one")
    return data


# ---- the older form --------------------------------------------------------------------------------------


def _read_row(path: Path, mapped: np.ndarray) -> dict[str, Tensor]:
    position = len(LEGACY_MAGIC)
    storages: dict[str, Storage] = {}

    def following(persistent: Callable[[Any], Any] | None = None) -> Any:
        nonlocal position
        machine = Machine(mapped[position : position + MAX_BYTES].tobytes(), WORDS, persistent)
        value = machine.run()
        position += machine.position
        return value

    def persistent(value: Any) -> Storage:
        found = storage(value)
        first = storages.setdefault(found.key, found)
        if (found.element, found.total) != (first.element, first.total):
            raise Refusal(f"describes storage {quoted(found.key)} in two ways", "one type and one length")
        return found

    version, machine = following(), following()
    if version != LEGACY_VERSION:
        raise Refusal("is of a version that torch.save never wrote", str(LEGACY_VERSION))
    if type(machine) is not dict or machine.get("little_endian") is not True:
        raise Refusal("was written by a big-endian machine", "a little-endian one: save the file again in today's form")
    value, keys = following(persistent), following()
    return place(path, state_dict(value), _row_regions(mapped, position, keys, storages))


def _row_regions(mapped: np.ndarray, position: int, keys: Any, storages: Mapping[str, Storage]) -> dict[str, Region]:
    """Where each storage of the older form is: one after another, in the order of the keys, up to the file's end."""
    if type(keys) is not list or not all(type(key) is str for key in keys) or sorted(keys) != sorted(storages):
        raise Refusal("has a list of storages that are not those of its tensors", "each of them once")
    regions = {}
    for key in keys:
        begin = position + COUNT_BYTES
        count, claimed = int.from_bytes(mapped[position:begin].tobytes(), "little"), storages[key]
        size = claimed.total * claimed.element.dtype.itemsize
        if begin + size > len(mapped):
            raise Refusal(f"ends within storage {quoted(key)}, which begins at byte {begin}", f"{size} bytes of it")
        if count != claimed.total:
            raise Refusal(f"has {count} elements in storage {quoted(key)}", f"{claimed.total}, as its tensors say")
        regions[key] = Region(size, mapped, begin)
        position = begin + size
    if position != len(mapped):
        raise Refusal(f"has {len(mapped) - position} bytes after its last storage", "its end there")
    return regions


# ---- what the pickle describes ---------------------------------------------------------------------------


def state_dict(value: Any) -> dict[str, StoredTensor]:
    """The tensors by name of a state dict, or of the one that a tool for training keeps under a usual key.

    Raises:
        Refusal: It is something else, or tensors could be hidden in it where no model would find them.
    """
    if type(value) is not dict:
        raise Refusal(f"holds a {type(value).__name__}", "a dictionary of tensors by name: save module.state_dict()")
    inside = [value[key] for key in WRAPPERS if _has_tensors(value.get(key))]
    if value and not _has_tensors(value):
        if len(inside) != 1:
            names = ", ".join(quoted(str(key)) for key in list(value)[:5])
            raise Refusal(
                f"holds no tensors by name, but {names}", f"a state dict, or one under {' or '.join(WRAPPERS)}"
            )
        value = inside[0]
    found = {}
    for name, item in value.items():
        if type(name) is not str:
            raise Refusal(f"has the number {name} for a name", "names that are strings")
        if type(item) is StoredTensor:
            found[name] = item
        elif type(item) in (dict, list, tuple) and item:  # it may hold tensors, and none is left out in silence
            raise Refusal(f"has a {type(item).__name__} under {quoted(name)} among its tensors", "tensors alone")
    return found


def _has_tensors(value: Any) -> bool:
    return type(value) is dict and any(type(item) is StoredTensor for item in value.values())
