"""Files of torch.save: every bit survives, PyTorch reads ours and we read its, and nothing hostile runs or costs much.

The files made by hand are in `pickled_files`. The tests marked for PyTorch let it write and read the others.
"""

from __future__ import annotations

import io
import os
import pickle
import re
import tempfile
import tracemalloc
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Mapping
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile.archives import HOSTILE, WIDE
from tests.hostile.pickled_files import (
    GOOD,
    MAGIC,
    NUMBERS,
    ROW,
    ZIP,
    archive,
    called,
    items,
    rebuilt,
    row,
    state,
    stored,
    text,
    value,
    whole,
    word,
    zipped,
)
from triformers.conversion.formats.pickled import HEAD_BYTES, is_pickled, read_pickled, write_pickled
from triformers.conversion.formats.pickled.archive import ALIGNMENT
from triformers.conversion.formats.pickled.words import STORAGES, UNTYPED, WORDS
from triformers.conversion.formats.tensors import Tensor, numpy_dtype
from triformers.files.errors import FileError, InputError

ROOT = Path(__file__).parents[2]
TYPES = {name: numpy_dtype(name) for name in (*STORAGES.values(), *UNTYPED)}
SHAPES = [(), (3,), (0, 5), (2, 0, 3), (2, 1, 3)]
SIX = np.arange(1, 7, dtype=np.float32).reshape(2, 3)


def tensor(name: str, array: np.ndarray) -> Tensor:
    """An array as a tensor to write."""
    return Tensor(name, array.shape, array.dtype, lambda: array)


def written(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The file that these arrays make."""
    file = io.BytesIO()
    write_pickled(file, {name: tensor(name, array) for name, array in arrays.items()})
    return file.getvalue()


def opened(data: bytes, folder: Path) -> dict[str, Tensor]:
    """The tensors of a file with these bytes."""
    path = folder / "pytorch_model.bin"
    path.unlink(missing_ok=True)  # never truncate a file that is mapped
    path.write_bytes(data)
    return read_pickled(path)


def random_array(dtype: np.dtype, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Any bits at all in a type; a truth value is a whole byte, but only 0 or 1."""
    size = int(np.prod(shape)) * dtype.itemsize
    high = 2 if dtype.kind == "b" else 256
    return np.random.default_rng(seed).integers(0, high, size, np.uint8).view(dtype).reshape(shape)


def same(found: np.ndarray, expected: np.ndarray) -> bool:
    """Whether type, shape and every bit are the same."""
    return found.dtype == expected.dtype and found.shape == expected.shape and found.tobytes() == expected.tobytes()


def begin_of(data: bytes, entry: zipfile.ZipInfo) -> int:
    """Where the bytes of a record begin."""
    header = entry.header_offset
    name, extra = (int.from_bytes(data[at : at + 2], "little") for at in (header + 26, header + 28))
    return header + 30 + name + extra


# ---- our own files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_type_and_shape_survives_bitwise(name: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    array = random_array(TYPES[name], shape)
    found = opened(written({"x": array}), tmp_path)["x"]
    assert (found.name, found.shape, found.dtype) == ("x", shape, TYPES[name])
    assert same(found.read(), array)


@pytest.mark.parametrize("bits", [0x7FC00001, 0xFFC12345, 0x7F800001, 0x80000000, 0x00000001, 0x7F800000])
def test_nan_payloads_and_negative_zero_survive(bits: int, tmp_path: Path) -> None:
    array = np.full((2, 3), bits, np.uint32).view(np.float32)
    assert opened(written({"x": array}), tmp_path)["x"].read().view(np.uint32).tolist() == [[bits] * 3] * 2


def test_arrays_in_any_order_of_axes_and_bytes_are_written_as_they_read(tmp_path: Path) -> None:
    arrays = {
        "turned": SIX.T,
        "strided": SIX[:, ::2],
        "big": SIX.astype(">f4"),
        "wide": np.broadcast_to(SIX, (4, 2, 3)),
    }
    found = opened(written(arrays), tmp_path)
    for name, expected in arrays.items():
        assert found[name].dtype == np.float32
        assert np.array_equal(found[name].read(), expected), name


@given(st.dictionaries(st.text(max_size=8), st.tuples(st.sampled_from(sorted(TYPES)), st.sampled_from(SHAPES))))
def test_any_file_survives_bitwise_and_in_order(forms: dict[str, tuple[str, tuple[int, ...]]]) -> None:
    arrays = {name: random_array(TYPES[kind], shape, len(name)) for name, (kind, shape) in forms.items()}
    with tempfile.TemporaryDirectory() as folder:
        found = opened(written(arrays), Path(folder))
        assert list(found) == list(arrays)
        assert all(same(found[name].read(), array) for name, array in arrays.items())


def test_the_same_tensors_give_the_same_bytes() -> None:
    arrays = {f"layer.{index}": random_array(TYPES["float32"], (3, 2), index) for index in range(5)}
    assert written(arrays) == written(arrays)
    assert written(arrays) != written(dict(reversed(arrays.items())))


def test_records_begin_at_multiples_of_64_and_are_a_sound_archive() -> None:
    arrays = {"a" * size: random_array(TYPES["float32"], (size,)) for size in range(1, 70)}
    data = written(arrays)
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        assert found.testzip() is None
        for entry in found.infolist():
            assert begin_of(data, entry) % ALIGNMENT == 0


@pytest.mark.parametrize("dtype", [np.dtype("U3"), np.dtype("O"), np.dtype("M8[s]"), numpy_dtype("float8_e4m3b11fnuz")])
def test_a_type_that_pytorch_does_not_have_is_refused_before_a_byte_is_written(dtype: np.dtype) -> None:
    file = io.BytesIO()
    with pytest.raises(InputError, match=re.escape(f"'x' has the type {dtype.name}")):
        write_pickled(file, {"x": tensor("x", np.empty(2, dtype))})
    assert not file.getvalue()


def test_a_writer_holds_one_tensor_at_a_time() -> None:
    class Sink:
        """Keeps nothing."""

        def write(self, data: Any, /) -> None:
            """Drop the bytes."""

    shape, megabytes = (2**20,), 4
    tensors = {str(key): Tensor(str(key), shape, SIX.dtype, lambda: np.zeros(shape, SIX.dtype)) for key in range(20)}
    tracemalloc.start()
    try:
        write_pickled(Sink(), tensors)
        assert tracemalloc.get_traced_memory()[1] < 2.5 * megabytes * 2**20
    finally:
        tracemalloc.stop()


class WithHoles(io.FileIO):
    """A file in which a large write takes no disk."""

    def write(self, data: Any, /) -> int:
        """Write what is small, and step over what is large."""
        if len(data) < 2**20:
            return super().write(data)
        self.seek(len(data), os.SEEK_CUR)
        return len(data)


def test_files_of_more_than_four_gigabytes_are_written_and_mapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zlib.crc32", lambda data, crc32=zlib.crc32: crc32(data) if len(data) < 2**20 else 0)
    hole, path = tmp_path / "hole", tmp_path / "pytorch_model.bin"
    with hole.open("wb") as file:
        file.truncate(2**32 + 64)
    zeros = np.memmap(hole, np.uint8, "r")
    with WithHoles(path, "w") as file:
        write_pickled(file, {"a": tensor("a", SIX), "large": tensor("large", zeros), "b": tensor("b", SIX + 1)})
    found = read_pickled(path)
    assert same(found["a"].read(), SIX) and same(found["b"].read(), SIX + 1)
    assert found["large"].read().shape == zeros.shape
    with zipfile.ZipFile(path) as library:
        assert library.read("archive/data/2") == (SIX + 1).tobytes()


# ---- files made by hand ----------------------------------------------------------------------------------

PARAMETER = called("torch._utils", "_rebuild_parameter", rebuilt(), True, called("collections", "OrderedDict"))
STATED = called("torch._utils", "_rebuild_parameter_with_state", rebuilt(), True, items({}), items({"a": value(1)}))
TYPED = called(
    "torch._tensor", "_rebuild_from_type_v2", word("torch._utils", "_rebuild_tensor_v2"), word("torch", "Tensor"),
    (stored(), 0, (2, 3), (3, 1), False, items({})), items({"note": value("x")}),
)  # fmt: skip
BYTES = called(
    "torch._utils", "_rebuild_tensor_v3", stored("0", 24, "UntypedStorage", module="torch.storage"), 0, (2, 3), (3, 1),
    False, items({}), word("torch", "float32"), value(None),
)  # fmt: skip
ORDERED = called("collections", "OrderedDict")
WITH_METADATA = ORDERED + text("x") + rebuilt() + b"s" + items({"_metadata": ORDERED}) + pickle.BUILD
OLD_STRING = pickle.SHORT_BINSTRING + b"\1x"
IN_A_ROW = rebuilt(stored("0", 6, "FloatStorage", pickle.NONE))
BESIDE = dict(epoch=value(3), rate=value(0.5), name=value("run"), best=pickle.NONE, done=pickle.NEWTRUE)

#: Files that all hold SIX as `x`, each by what is unusual in it.
SAME: dict[str, bytes] = {
    "an archive": ZIP,
    "an archive with wide end records": WIDE,
    "a row": ROW,
    "no order of bytes": zipped({"a/data.pkl": GOOD, "a/data/0": NUMBERS, "a/version": b"3\n"}),
    "a folder of another name": zipped({"b ü/data.pkl": GOOD, "b ü/data/0": NUMBERS, "b ü/version": b"3\n"}),
    "folders as records": zipped({"a/": b"", "a/data.pkl": GOOD, "a/data/": b"", "a/data/0": NUMBERS}),
    "the other order of bytes": archive(GOOD, {"0": SIX.astype(">f4").tobytes()}, byteorder=b"big"),
    "more records": archive(GOOD, **{".format_version": b"1", ".storage_alignment": b"64", "data/7": b"unused"}),
    "a state dict with its metadata": archive(whole(WITH_METADATA)),
    "a parameter": archive(state(x=PARAMETER)),
    "a parameter with attributes": archive(state(x=STATED)),
    "a tensor with attributes": archive(state(x=TYPED)),
    "a tensor of bytes": archive(state(x=BYTES)),
    "the call before 0.4": archive(state(x=called("torch._utils", "_rebuild_tensor", stored(), 0, (2, 3), (3, 1)))),
    "lists for sizes": archive(state(x=rebuilt(None, 0, pickle.dumps([2, 3], 2)[2:-1], (3, 1)))),
    "torch.Size for sizes": archive(state(x=rebuilt(None, 0, called("torch", "Size", (2, 3)), (3, 1)))),
    "a string of Python 2": archive(whole(pickle.EMPTY_DICT + OLD_STRING + rebuilt() + pickle.SETITEM)),
    "memos": archive(whole(items({"x": rebuilt() + b"q\xff" + b"r\xff\xff\0\0"}))),
    "numbers and strings beside it": archive(state(x=rebuilt(), **BESIDE)),
    "empty things beside it": archive(state(x=rebuilt(), a=value(()), b=pickle.EMPTY_LIST, c=pickle.EMPTY_DICT)),
    "a device and a type beside it": archive(
        state(x=rebuilt(), device=called("torch", "device", "cuda", 0), dtype=word("torch", "float16"))
    ),
    "a storage of another device": archive(
        state(x=rebuilt(value(("storage", word("torch", "FloatStorage"), "0", "cuda:3", 6)) + pickle.BINPERSID))
    ),
    "a tool's file": archive(
        state(state_dict=items({"x": rebuilt()}), epoch=value(1), optimizer=items({"state": items({0: rebuilt()})}))
    ),
    "a tool's model": archive(state(model=items({"x": rebuilt()}))),
    "a tool's model_state_dict": row(state(model_state_dict=items({"x": IN_A_ROW}))),
    "a row with a part of a storage": row(
        state(x=rebuilt(stored("0", 8, "FloatStorage", ("1", 1, 6)))), {"0": (8, bytes(4) + NUMBERS + bytes(4))}
    ),
    "a row of bytes": row(state(x=BYTES.replace(b"K\x18t", b"K\x18Nt")), {"0": (24, NUMBERS)}),
    "a row of two storages": row(
        state(y=rebuilt(stored("7", 1, "LongStorage", pickle.NONE), 0, (), ()), x=IN_A_ROW),
        {"7": (1, bytes(8)), "0": (6, NUMBERS)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SAME)
def test_every_form_of_the_same_tensor_is_read(what: str, tmp_path: Path) -> None:
    found = opened(SAME[what], tmp_path)
    assert same(found["x"].read(), SIX)
    assert found.keys() <= {"x", "y"}
    assert is_pickled(SAME[what][:HEAD_BYTES])


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_what_python_pickles_is_what_is_read(protocol: int, tmp_path: Path) -> None:
    values = [2**31, -(2**40), 1.5, "ü" * 300, b"bytes", (), None, True]
    plain = pickle.dumps({f"beside{index}": item for index, item in enumerate(values)}, protocol)
    with_tensor = plain[:-1] + text("x") + rebuilt() + pickle.SETITEM + pickle.STOP
    if protocol >= 4:
        with_tensor = with_tensor[:2] + pickle.FRAME + (len(with_tensor) - 11).to_bytes(8, "little") + with_tensor[11:]
    if protocol == 2:
        with_tensor = state(x=rebuilt())  # protocol 2 makes bytes by a call of a codec, which no state dict needs
    assert same(opened(archive(with_tensor), tmp_path)["x"].read(), SIX)


VIEWS: dict[str, tuple[int, tuple[int, ...], tuple[int, ...]]] = {
    "a row": (3, (3,), (1,)),
    "a column": (1, (2,), (3,)),
    "turned": (0, (3, 2), (1, 3)),
    "one number": (4, (), ()),
    "expanded": (2, (4, 1000), (0, 0)),
    "expanded in part": (0, (5, 3), (0, 1)),
    "windows": (0, (4, 3), (1, 1)),
    "an axis of one with an endless stride": (0, (1, 3), (2**62, 1)),
    "nothing": (6, (0, 3), (3, 1)),
    "nothing with strides beyond it": (0, (0, 3), (2**62, 2**62)),
}


@pytest.mark.parametrize("data", [archive, row], ids=["archive", "row"])
@pytest.mark.parametrize("what", VIEWS)
def test_views_are_read_and_given_in_rows(what: str, data: Any, tmp_path: Path) -> None:
    offset, shape, strides = VIEWS[what]
    found = opened(data(state(x=rebuilt(None, offset, shape, strides))), tmp_path)["x"].read()
    flat = SIX.reshape(-1)
    expected = np.empty(shape, np.float32)
    for index in np.ndindex(shape):
        expected[index] = flat[offset + sum(i * stride for i, stride in zip(index, strides, strict=True))]
    assert same(found, expected)
    assert found.flags.c_contiguous and found.flags.aligned and found.flags.writeable


def test_names_that_share_a_storage_do_not_change_together(tmp_path: Path) -> None:
    code = state(a=rebuilt(), b=rebuilt(), end=rebuilt(None, 3, (3,), (1,)))
    for first, second in permutations(("a", "b", "end"), 2):
        found = opened(archive(code), tmp_path)
        found[first].read()[:] = 0
        assert same(found[second].read(), SIX[1] if second == "end" else SIX)


def test_names_that_have_parts_of_a_storage_are_all_mapped(tmp_path: Path) -> None:
    code = state(a=rebuilt(None, 0, (3,), (1,)), b=rebuilt(None, 3, (3,), (1,)))
    found = opened(archive(code), tmp_path)
    assert all(np.shares_memory(tensor.read(), tensor.read()) for tensor in found.values())


def test_a_tensor_is_private_to_the_process(tmp_path: Path) -> None:
    opened(ZIP, tmp_path)["x"].read()[:] = 7
    assert same(read_pickled(tmp_path / "pytorch_model.bin")["x"].read(), SIX)


def test_tensors_are_mapped_and_not_read(tmp_path: Path) -> None:
    arrays = {str(key): np.zeros((1024, 4096), np.float32) for key in range(4)}
    data = written(arrays)
    path = tmp_path / "pytorch_model.bin"
    path.write_bytes(data)
    tracemalloc.start()
    try:
        read = [tensor.read() for tensor in read_pickled(path).values()]
        assert tracemalloc.get_traced_memory()[1] < 2**20 < len(data) / 60
    finally:
        tracemalloc.stop()
    assert len(read) == 4


# ---- other files -------------------------------------------------------------------------------------------


def test_what_a_file_is_shows_in_its_beginning_and_not_in_its_name() -> None:
    assert is_pickled(ZIP) and is_pickled(ROW) and is_pickled(MAGIC)
    assert is_pickled(HOSTILE["a tar archive"])
    for name in ("nothing", "zeros", "a page", "a plain pickle", "a safetensors file", "an HDF5 file"):
        assert not is_pickled(HOSTILE[name][:HEAD_BYTES]), name


@pytest.mark.parametrize("what", ["absent", "a folder", "a pipe", "forbidden"])
def test_what_cannot_be_read_is_refused_by_name(what: str, tmp_path: Path) -> None:
    path = tmp_path / "pytorch_model.bin"
    if what == "a folder":
        path.mkdir()
    elif what == "a pipe":
        os.mkfifo(path)
    elif what == "forbidden":
        path.write_bytes(ZIP)
        path.chmod(0)
        if os.access(path, os.R_OK):
            pytest.skip("this user may read everything")
    with pytest.raises(FileError, match=r"pytorch_model\.bin"):
        read_pickled(path)


def test_no_word_of_the_table_is_anything_but_ours() -> None:
    for name, meaning in WORDS.items():
        assert type(meaning).__module__.startswith("triformers."), name


#: What a refusal says, where another reason would also have refused the file, but later.
REASONS = {
    "pickle: dictionaries in a heap": "has a pickle of more than 800000 instructions",
    "pickle: more instructions than are followed": "has a pickle of more than 800000 instructions",
    "pickle: tensors in a heap": "has a pickle of more than 80000 calls",
    "pickle: storages in a heap": "has a pickle of more than 80000 calls",
    "pickle: a call with a list": "calls a Constructor",
    "pickle: a storage larger than its record": "has a record of 24 bytes for storage '0'; expected 7 of float32",
    "pickle: sizes whose product wraps": "expected a shape that an array can have",
    "pickle: tensors that fill a terabyte": "has tensors of 1677721600 bytes in storages of 24",
    "archive: a storage under thousands of names": "has tensors of 524288000 bytes in storages of 262144",
    "pickle: os.system": "names 'os.system', which is never run or imported",
    "archive: a pickle of 17 megabytes": "has a data.pkl of 17825792 bytes; expected at most 16777216",
    "archive: an order of bytes without end": "has a record byteorder of 60000 bytes",
    "archive: a bomb": "encrypted or compressed (method 8); expected stored records",
    "archive: a damaged pickle": "has a data.pkl that its checksum contradicts",
    "a row cut in its numbers": "ends within storage '0'",
    "a row of a big-endian machine": "was written by a big-endian machine",
    "a tar archive": "is a tar archive",
    "a pointer": "is a pointer of Git LFS",
}


@pytest.mark.parametrize("what", REASONS)
def test_a_refusal_says_why(what: str, tmp_path: Path) -> None:
    with pytest.raises(FileError) as error:
        opened(HOSTILE[what], tmp_path)
    assert REASONS[what] in str(error.value)


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    for data in (written({"x": SIX, "y": SIX}), ROW):
        for size in range(len(data)):
            with pytest.raises(FileError):
                opened(data[:size], tmp_path)
        opened(data, tmp_path)


SOUND = {"zip": written({"a.weight": SIX, "b": SIX[0]}), "row": ROW, "wide": WIDE}


def check_refused_or_sound(data: bytes) -> None:
    """A file raises nothing but `FileError`; or all its tensors can be read and are what they say."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            tensors = opened(data, Path(folder))
            read = {name: tensor.read() for name, tensor in tensors.items()}
        except FileError as error:
            assert len(str(error)) - len(folder) < 400
            return
        for name, tensor in tensors.items():
            assert (read[name].shape, read[name].dtype, tensor.name) == (tensor.shape, tensor.dtype, name)


@pytest.mark.parametrize("what", SOUND)
def test_every_changed_byte_is_refused_or_gives_sound_tensors(what: str) -> None:
    data = SOUND[what]
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= (0x01, 0x80, 0xFF)[position % 3]
        check_refused_or_sound(bytes(changed))


@settings(max_examples=300)
@given(st.sampled_from(sorted(SOUND)), st.data())
def test_any_damage_is_refused_or_gives_sound_tensors(what: str, data: st.DataObject) -> None:
    changed = bytearray(SOUND[what])
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(changed)))
        end = data.draw(st.integers(start, min(len(changed), start + 16)))
        changed[start:end] = data.draw(st.binary(max_size=16))
    check_refused_or_sound(bytes(changed))


OPCODES = sorted(
    getattr(pickle, name) for name in pickle.__all__ if name.isupper() and type(getattr(pickle, name)) is bytes
)
PIECES = [
    *OPCODES, b"\0", b"\1", text("storage"), text("x"), value(0), value(6), value((2, 3)),
    word("torch", "FloatStorage"), word("torch._utils", "_rebuild_tensor_v2"),
    word("collections", "OrderedDict"), rebuilt(), stored(), items({}),
]  # fmt: skip


@settings(max_examples=600)
@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_any_pickle_is_refused_or_gives_sound_tensors(pieces: list[bytes]) -> None:
    check_refused_or_sound(archive(whole(b"".join(pieces))))
    check_refused_or_sound(archive(whole(pickle.EMPTY_DICT + text("x") + b"".join(pieces) + rebuilt() + b"s")))


@settings(max_examples=200)
@given(st.binary(max_size=200), st.sampled_from([b"", b"PK\3\4", MAGIC, MAGIC + pickle.dumps(1001, 2)]))
def test_any_bytes_are_refused(data: bytes, beginning: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.raises(FileError):
        opened(beginning + data, Path(folder))


@settings(max_examples=300)
@given(
    st.one_of(st.integers(-(2**70), 2**70), st.integers(-1, 8)),
    st.lists(st.one_of(st.integers(-1, 7), st.sampled_from([2**31, 2**62, 2**63, 10**12])), max_size=4),
    st.lists(st.one_of(st.integers(-1, 7), st.sampled_from([2**31, 2**62, 2**63])), max_size=4),
)
def test_any_walk_over_a_storage_is_refused_or_stays_in_it(offset: int, shape: list[int], strides: list[int]) -> None:
    check_refused_or_sound(archive(state(x=rebuilt(None, offset, tuple(shape), tuple(strides)))))


# ---- PyTorch -----------------------------------------------------------------------------------------------

FORMS = {
    "zip": {},
    "zip, protocol 3": {"pickle_protocol": 3},
    "zip, protocol 4": {"pickle_protocol": 4},
    "row": {"_use_new_zipfile_serialization": False},
}


def torch_bytes(torch: Any, found: Any) -> bytes:
    """The bits of a PyTorch tensor, in rows."""
    flat = found.detach().clone(memory_format=torch.contiguous_format).reshape(-1)
    return bytes(flat.untyped_storage().tolist()) if flat.numel() else b""


def as_torch(torch: Any, array: np.ndarray) -> Any:
    """An array as a PyTorch tensor of its type, bit by bit."""
    flat = torch.frombuffer(bytearray(array.tobytes() or b"\0"), dtype=torch.uint8)[: array.nbytes]
    return flat.clone().view(getattr(torch, array.dtype.name)).reshape(array.shape)


def agrees(torch: Any, found: Tensor, expected: Any) -> bool:
    """Whether a tensor of ours is one of PyTorch's, bit by bit."""
    array, kind = found.read(), str(expected.dtype).removeprefix("torch.")
    facts = (array.dtype.name, array.shape) == (kind, tuple(expected.shape))
    return facts and array.tobytes() == torch_bytes(torch, expected)


@pytest.mark.backend("torch")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", TYPES)
def test_we_read_what_pytorch_writes(name: str, shape: tuple[int, ...], form: str, tmp_path: Path) -> None:
    import torch

    expected = as_torch(torch, random_array(TYPES[name], shape))
    path = tmp_path / "pytorch_model.bin"
    torch.save({"x": expected}, path, **FORMS[form])
    assert agrees(torch, read_pickled(path)["x"], expected)


def many_forms(torch: Any) -> dict[str, Any]:
    """Objects that PyTorch saves, all of them tensors of one state dict."""
    base = torch.arange(24.0).reshape(2, 3, 4)
    parameter = torch.nn.Parameter(base.clone())
    noted = base.clone()
    noted.note = "x"
    torch.manual_seed(0)
    return {
        "turned": base.permute(2, 0, 1),
        "strided": base[:, ::2, 1::2],
        "shifted": base[1, 1:],
        "expanded": torch.ones(1).expand(7, 5),
        "expanded in part": torch.arange(3.0)[:, None].expand(3, 4),
        "windows": torch.arange(9).unfold(0, 3, 1),
        "channels last": torch.randn(1, 2, 3, 3).to(memory_format=torch.channels_last),
        "shared": base,
        "shared again": base.view(-1),
        "parameter": parameter,
        "buffer": torch.nn.Buffer(torch.ones(2)) if hasattr(torch.nn, "Buffer") else torch.ones(2),
        "noted": noted,
        "gradient": base.clone().requires_grad_(),
        "nan": torch.tensor([0x7FC00001, -1, -(2**31)], dtype=torch.int32).view(torch.float32),
        "half": torch.randn(5).half(),
        "brain": torch.randn(5).bfloat16(),
        "empty": torch.empty(0, 3),
        "one": torch.tensor(3),
        "imaginary": torch.view_as_real(torch.randn(3, dtype=torch.complex64))[:, 1],
        "": torch.ones(2),
        "ü\n": torch.ones(2),
    }


@pytest.mark.backend("torch")
@pytest.mark.parametrize("form", FORMS)
def test_we_read_every_view_that_pytorch_writes(form: str, tmp_path: Path) -> None:
    import torch

    expected = many_forms(torch)
    path = tmp_path / "pytorch_model.bin"
    for beside in ({}, {"epoch": 3, "rate": 0.5, "type": torch.float32}):
        torch.save(OrderedDict(**expected, **beside), path.with_suffix(f".{len(beside)}"), **FORMS[form])
        found = read_pickled(path.with_suffix(f".{len(beside)}"))
        assert list(found) == list(expected)
        assert all(agrees(torch, found[name], item) for name, item in expected.items())


@pytest.mark.backend("torch")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("wrapper", ["", "state_dict", "model", "model_state_dict"])
def test_we_read_the_state_dict_of_a_module(form: str, wrapper: str, tmp_path: Path) -> None:
    import torch

    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Embedding(5, 2))
    expected = module.state_dict()
    optimizer = torch.optim.AdamW(module.parameters())
    saved = {wrapper: expected, "optimizer": optimizer.state_dict(), "epoch": 3} if wrapper else expected
    path = tmp_path / "pytorch_model.bin"
    torch.save(saved, path, **FORMS[form])
    found = read_pickled(path)
    assert list(found) == list(expected)
    assert all(agrees(torch, found[name], item) for name, item in expected.items())


@pytest.mark.backend("torch")
def test_what_holds_no_state_dict_of_plain_tensors_is_refused(tmp_path: Path) -> None:
    import torch

    module = torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(module.parameters())
    module(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    things = {
        "module": module,
        "optimizer": optimizer.state_dict(),
        "tensor": torch.ones(2),
        "list": [torch.ones(2)],
        "sparse": {"x": torch.eye(2).to_sparse()},
        "meta": {"x": torch.ones(2, device="meta")},
        "conjugated": {"x": torch.ones(2, dtype=torch.complex64).conj()},
        "negated": {"x": torch.ones(2, dtype=torch.complex64).conj().imag},
        "quantized": {"x": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)},
        "storage": {"x": torch.ones(2).untyped_storage()},
    }
    for form in FORMS.values():
        for name, thing in things.items():
            path = tmp_path / f"{name}.{len(form)}"
            path.unlink(missing_ok=True)
            torch.save(thing, path, **form)
            with pytest.raises(FileError, match=name):
                read_pickled(path)


@pytest.mark.backend("torch")
def test_a_program_is_refused(tmp_path: Path) -> None:
    import torch

    path = tmp_path / "pytorch_model.bin"
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2)), path)
    with pytest.raises(FileError, match="is a TorchScript program"):
        read_pickled(path)


@pytest.mark.backend("torch")
@pytest.mark.parametrize("how", [{}, {"mmap": True}], ids=["read", "mapped"])
def test_pytorch_reads_what_we_write(how: dict[str, Any], tmp_path: Path) -> None:
    import torch

    arrays = {f"{name} {shape}": random_array(dtype, shape) for name, dtype in TYPES.items() for shape in SHAPES}
    path = tmp_path / "pytorch_model.bin"
    path.write_bytes(written(arrays))
    found = torch.load(path, weights_only=True, **how)
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert torch_bytes(torch, found[name]) == array.tobytes(), name
        assert (str(found[name].dtype), tuple(found[name].shape)) == (f"torch.{array.dtype.name}", array.shape)
        assert found[name].is_contiguous() and found[name].stride() == torch.empty(array.shape).stride()


@pytest.mark.backend("torch")
def test_pytorch_reads_an_empty_file_of_ours(tmp_path: Path) -> None:
    import torch

    path = tmp_path / "pytorch_model.bin"
    path.write_bytes(written({}))
    assert torch.load(path, weights_only=True) == {} == read_pickled(path)


@pytest.mark.backend("torch")
def test_pytorch_finds_our_records_by_reckoning_alone(tmp_path: Path) -> None:
    config = pytest.importorskip("torch.utils.serialization").config
    import torch

    if not hasattr(config.load, "calculate_storage_offsets"):
        pytest.skip("this PyTorch always looks")
    arrays = {"a" * size: random_array(TYPES["float32"], (size,), size) for size in range(1, 70)}
    path = tmp_path / "pytorch_model.bin"
    path.write_bytes(written(arrays))
    with config.patch({"load.calculate_storage_offsets": True}):
        found = torch.load(path, weights_only=True, mmap=True)
    assert all(torch_bytes(torch, found[name]) == array.tobytes() for name, array in arrays.items())


@pytest.mark.backend("torch")
def test_our_records_lie_where_those_of_pytorch_lie() -> None:
    import torch

    def records(data: bytes) -> list[tuple[str, int, bytes]]:
        """Name, place and bytes of each record after data.pkl, whose length differs."""
        with zipfile.ZipFile(io.BytesIO(data)) as found:
            entries = [entry for entry in found.infolist() if not entry.filename.endswith(("data.pkl", "_id"))]
            places = [begin_of(data, entry) for entry in entries]
            return [
                (entry.filename, place - places[0], found.read(entry))
                for entry, place in zip(entries, places, strict=True)
            ]

    arrays = {str(size): random_array(TYPES["float32"], (size,)) for size in range(1, 40)}
    file = io.BytesIO()
    torch.save({name: as_torch(torch, array) for name, array in arrays.items()}, file)
    assert records(written(arrays)) == records(file.getvalue())


@pytest.mark.backend("torch")
@pytest.mark.parametrize("what", SAME)
def test_pytorch_reads_the_files_made_by_hand_alike(what: str, tmp_path: Path) -> None:
    import torch

    path = tmp_path / "pytorch_model.bin"
    path.write_bytes(SAME[what])
    if what in ("folders as records", "a row of bytes"):
        pytest.skip("PyTorch takes the first record for a file, and does not read the rows of bytes that it writes")
    loaded = torch.load(path, weights_only=True, map_location="cpu")
    for key in ("state_dict", "model", "model_state_dict"):
        loaded = loaded.get(key, loaded)
    assert agrees(torch, read_pickled(path)["x"], loaded["x"])
