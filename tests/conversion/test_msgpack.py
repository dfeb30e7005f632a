"""Flax's msgpack files: every bit survives, Flax reads them, and no damage passes or costs memory."""

from __future__ import annotations

import contextlib
import io
import struct
import tempfile
import tracemalloc
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from tests.hostile.msgpack_files import HOSTILE, SOUND, array_of, chunked, extension
from triformers.conversion.formats.msgpack import CHUNKED, MAX_DEPTH, MAX_NAME, TYPES, read_msgpack, write_msgpack
from triformers.conversion.formats.tensors import Tensor, numpy_dtype
from triformers.files.errors import FileError, InputError

DATA = Path(__file__).parent / "data"
SHAPES = [(), (0,), (3,), (0, 5), (2, 1, 3)]


def tensor(name: str, array: np.ndarray) -> Tensor:
    """An array as a tensor to write."""
    return Tensor(name, array.shape, array.dtype, lambda: array)


def written(arrays: Mapping[str, np.ndarray], **options: int) -> bytes:
    """The file that these arrays make."""
    file = io.BytesIO()
    write_msgpack(file, {name: tensor(name, array) for name, array in arrays.items()}, **options)
    return file.getvalue()


def opened(data: bytes, folder: Path) -> dict[str, Tensor]:
    """The tensors of a file with these bytes."""
    path = folder / "flax_model.msgpack"
    path.unlink(missing_ok=True)  # never truncate a file that is mapped
    path.write_bytes(data)
    return read_msgpack(path)


def random_array(dtype: np.dtype, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Any bits at all in a type; a truth value is a whole byte, but only 0 or 1."""
    generator = np.random.default_rng(seed)
    size = int(np.prod(shape)) * dtype.itemsize
    return generator.integers(0, 2 if dtype.kind == "b" else 256, size, np.uint8).view(dtype).reshape(shape)


def same(found: np.ndarray, expected: np.ndarray) -> bool:
    """Whether type, shape and every bit are the same."""
    return found.dtype == expected.dtype and found.shape == expected.shape and found.tobytes() == expected.tobytes()


# ---- what survives ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_type_and_shape_survives_bitwise(name: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    array = random_array(numpy_dtype(name), shape)
    found = opened(written({"layer/kernel": array}), tmp_path)["layer/kernel"]
    assert (found.name, found.shape, found.dtype.name, found.layout) == ("layer/kernel", shape, name, "flax")
    assert same(found.read(), array)


@pytest.mark.parametrize("bits", [0x7FC00001, 0xFFC12345, 0x7F800001, 0x80000000, 0x00000001, 0x7F800000])
def test_nan_payloads_and_negative_zero_survive(bits: int, tmp_path: Path) -> None:
    array = np.full((2, 3), bits, np.uint32).view(np.float32)
    assert opened(written({"x": array}), tmp_path)["x"].read().view(np.uint32).tolist() == [[bits] * 3] * 2


def test_all_bit_patterns_of_the_small_floats_survive(tmp_path: Path) -> None:
    halves = {name: np.arange(2**16, dtype=np.uint16).view(numpy_dtype(name)) for name in ("float16", "bfloat16")}
    found = opened(written(halves), tmp_path)
    assert all(same(found[name].read(), array) for name, array in halves.items())


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=6)


@st.composite
def trees(draw: st.DrawFn) -> dict[str, np.ndarray]:
    """The arrays of a file: any names of up to three words, types, shapes and bits."""
    found: dict[str, np.ndarray] = {}
    for words in draw(st.lists(st.lists(NAMES, min_size=1, max_size=3), max_size=5)):
        name = "/".join(words)
        if any(f"{name}/".startswith(f"{other}/") or f"{other}/".startswith(f"{name}/") for other in found):
            continue
        dtype = numpy_dtype(draw(st.sampled_from([name for name in TYPES if name != "bool"])))
        shape = draw(arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
        size = int(np.prod(shape)) * dtype.itemsize
        data = draw(st.binary(min_size=size, max_size=size))
        found[name] = np.frombuffer(data, np.uint8).view(dtype).reshape(shape)
    return {name: array for name, array in found.items() if CHUNKED not in name}


@given(trees(), st.sampled_from([2**30, 1, 16, 20]))
def test_any_tree_survives_bitwise_in_pieces_of_any_size(arrays: dict[str, np.ndarray], chunk_bytes: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = opened(written(arrays, chunk_bytes=chunk_bytes), Path(folder))
        assert found.keys() == arrays.keys()
        assert all(same(found[name].read(), array) for name, array in arrays.items())


@pytest.mark.parametrize("size", [0, 1, 31, 32, 100, 255, 256, 65535, 65536, 70000])
def test_lengths_around_every_header_are_read(size: int, tmp_path: Path) -> None:
    arrays = {
        "x" * min(size + 1, MAX_NAME): np.arange(size, dtype=np.uint8),
        **{f"n{i}": np.int8(i) for i in range(20)},
    }
    found = opened(written({name: np.asarray(array) for name, array in arrays.items()}), tmp_path)
    assert all(same(found[name].read(), np.asarray(array)) for name, array in arrays.items())


def test_arrays_in_any_order_of_axes_and_bytes_are_written_as_they_read(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    arrays = {"turned": array.T, "strided": array[:, ::2], "big": array.astype(">f4")}
    found = opened(written(arrays), tmp_path)
    for name, expected in arrays.items():
        assert found[name].dtype == np.float32 and (found[name].read() == expected).all(), name


def test_the_order_of_the_tensors_makes_no_difference() -> None:
    arrays = {f"layer/{index}/kernel": random_array(np.dtype("float32"), (3, 2), index) for index in range(12)}
    assert written(dict(reversed(arrays.items()))) == written(arrays)


def test_a_tensor_is_private_to_the_process_and_stands_where_its_type_may(tmp_path: Path) -> None:
    found = opened(written({"a": np.zeros(3, np.int8), "b": np.zeros(3), "c": np.zeros(3, np.float32)}), tmp_path)
    for each in found.values():
        array = each.read()
        assert array.flags.aligned and array.flags.writeable
        array[:] = 7
    assert not any(each.read().any() for each in read_msgpack(tmp_path / "flax_model.msgpack").values())


def test_names_of_which_one_begins_another_are_refused() -> None:
    with pytest.raises(InputError, match="goes on behind an array"):
        written({"a": np.zeros(1), "a/b": np.zeros(1)})


def test_opening_reads_headers_alone(tmp_path: Path) -> None:
    path = tmp_path / "flax_model.msgpack"
    message = b"\x93\x91\xce\x3f\xff\x00\x00\xa5uint8\xc6\x3f\xff\x00\x00"
    with path.open("wb") as file:  # a gigabyte that takes no room on the disk
        file.write(b"\x81\xa1x\xc9" + (len(message) + 0x3FFF0000).to_bytes(4, "big") + b"\x01" + message)
        file.truncate(file.tell() + 0x3FFF0000)
    tracemalloc.start()
    try:
        found = read_msgpack(path)["x"]
        assert found.read()[-1] == 0 and tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_one_tensor_is_in_memory_at_a_time(tmp_path: Path) -> None:
    size = 2**22
    tensors = {
        f"{index}": Tensor("", (size,), np.dtype(np.uint8), lambda: np.ones(size, np.uint8)) for index in range(8)
    }
    tracemalloc.start()
    try:
        with (tmp_path / "out").open("wb", buffering=0) as file:
            seen: list[int] = []
            write_msgpack(file, tensors, seen.append)
        assert tracemalloc.get_traced_memory()[1] < 3 * size and seen == [size] * 8
    finally:
        tracemalloc.stop()


# ---- other programs --------------------------------------------------------------------------------------


def test_what_transformers_wrote_is_written_again_byte_for_byte() -> None:
    path = DATA / "flax" / "flax_model.msgpack"
    file = io.BytesIO()
    write_msgpack(file, read_msgpack(path))
    assert file.getvalue() == path.read_bytes()


def test_the_msgpack_library_reads_our_files() -> None:
    msgpack = pytest.importorskip("msgpack")
    array = random_array(np.dtype("float32"), (300, 5))
    found = msgpack.unpackb(written({"a/b": array, "c": np.int8([1])}))
    shape, name, data = msgpack.unpackb(found["a"]["b"].data)
    assert (found["a"]["b"].code, shape, name, data) == (1, [300, 5], "float32", array.tobytes())


@pytest.mark.backend("flax")
@pytest.mark.parametrize("limit", [2**30, 16, 24, 1])
def test_flax_writes_the_same_bytes_and_reads_them(limit: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flax import serialization

    monkeypatch.setattr(serialization, "MAX_CHUNK_SIZE", limit)
    arrays = {name: random_array(numpy_dtype(name), shape) for name in TYPES for shape in SHAPES[2:3]}
    arrays |= {f"s{index}": random_array(np.dtype("float32"), shape) for index, shape in enumerate(SHAPES)}
    tree = {"params": {"bert": dict(sorted(arrays.items()))}}
    data = written({f"params/bert/{name}": array for name, array in arrays.items()}, chunk_bytes=limit)
    assert data == serialization.msgpack_serialize(tree)
    restored = serialization.msgpack_restore(data)["params"]["bert"]
    found = opened(data, tmp_path)
    for name, array in arrays.items():
        assert same(np.asarray(restored[name]), array) and same(found[f"params/bert/{name}"].read(), array)


@pytest.mark.backend("flax")
def test_scalars_and_complex_numbers_of_flax_are_read(tmp_path: Path) -> None:
    from flax import serialization

    data = serialization.msgpack_serialize({"a": np.float32(3.5), "b": 1 - 2j, "c": {}, "d": np.array(7)})
    found = {name: each.read() for name, each in opened(data, tmp_path).items()}
    assert found == {"a": 3.5, "b": 1 - 2j, "d": 7} and found["a"].dtype == np.float32 and found["b"].shape == ()


# ---- damage ----------------------------------------------------------------------------------------------


def test_what_the_damaged_files_are_made_of_is_sound(tmp_path: Path) -> None:
    assert opened(SOUND, tmp_path)["x"].read().tolist() == [0, 0]
    assert opened(chunked(), tmp_path)["x"].read().tolist() == [0, 0, 0, 0]
    assert opened(b"\x81\xa1x" * MAX_DEPTH + array_of(), tmp_path).keys() == {"/".join("x" * MAX_DEPTH)}
    assert opened(b"\x81\xc4\x01x" + array_of(data=b"\xa8" + bytes(8)), tmp_path).keys() == {"x"}  # older spellings
    assert (
        opened(b"\x81\xa1x" + extension(b"\x92" + (b"\xcb" + struct.pack(">d", 2)) * 2, 2), tmp_path)["x"].read()
        == 2 + 2j
    )
    assert opened(b"\x80", tmp_path) == {}


@pytest.mark.parametrize("what", HOSTILE)
def test_damage_is_refused_by_name_and_costs_no_memory(what: str, tmp_path: Path) -> None:
    path = tmp_path / "flax_model.msgpack"
    path.write_bytes(HOSTILE[what])
    tracemalloc.start()
    try:
        with pytest.raises(FileError, match=r"flax_model\.msgpack") as error:
            read_msgpack(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100 * len(HOSTILE[what]) + 2**20
    assert len(str(error.value)) - len(str(path)) < 400


@pytest.mark.parametrize("data", [SOUND, chunked()], ids=["whole", "in pieces"])
def test_a_file_cut_anywhere_is_refused(data: bytes, tmp_path: Path) -> None:
    for end in range(len(data)):
        with pytest.raises(FileError):
            opened(data[:end], tmp_path)


def test_what_transformers_wrote_is_refused_when_cut(tmp_path: Path) -> None:
    data = (DATA / "flax" / "flax_model.msgpack").read_bytes()
    for end in range(0, len(data), 7):
        with pytest.raises(FileError):
            opened(data[:end], tmp_path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        read_msgpack(tmp_path / "flax_model.msgpack")


@settings(max_examples=300)
@given(st.data())
def test_a_changed_file_is_read_or_refused(data: st.DataObject) -> None:
    changed = bytearray(
        data.draw(st.sampled_from([SOUND, chunked(), written({"a/b": np.zeros((2, 3)), "c": np.int8([1])})]))
    )
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = opened(bytes(changed), Path(folder))
        except FileError as error:
            assert len(str(error)) < 600
        else:
            assert all(each.read().shape == each.shape for each in found.values())


@settings(max_examples=300)
@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(FileError):
        opened(data, Path(folder))
