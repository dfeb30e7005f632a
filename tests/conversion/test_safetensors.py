"""safetensors files: every bit survives, other programs read them, and no damage passes or costs memory."""

from __future__ import annotations

import io
import json
import tempfile
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from safetensors import deserialize
from safetensors.numpy import save

from tests.hostile.safetensors_files import HOSTILE, assembled, entry
from triformers.conversion.formats.safetensors import (
    DTYPES,
    MAX_HEADER,
    read_safetensors,
    write_safetensors,
)
from triformers.conversion.formats.tensors import Tensor, numpy_dtype
from triformers.files.errors import FileError

TYPES = {code: numpy_dtype(name) for code, name in DTYPES.items()}
SHAPES = [(), (0,), (3,), (0, 5), (2, 1, 3)]


def tensor(name: str, array: np.ndarray) -> Tensor:
    """An array as a tensor to write."""
    return Tensor(name, array.shape, array.dtype, lambda: array)


def written(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> bytes:
    """The file that these arrays make."""
    file = io.BytesIO()
    write_safetensors(file, {name: tensor(name, array) for name, array in arrays.items()}, metadata or {})
    return file.getvalue()


def opened(data: bytes, folder: Path) -> dict[str, Tensor]:
    """The tensors of a file with these bytes."""
    path = folder / "model.safetensors"
    path.unlink(missing_ok=True)  # never truncate a file that is mapped
    path.write_bytes(data)
    return read_safetensors(path)


def random_array(dtype: np.dtype, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Any bits at all in a type; a truth value is a whole byte, but only 0 or 1."""
    generator = np.random.default_rng(seed)
    size = int(np.prod(shape)) * dtype.itemsize
    high = 2 if dtype.kind == "b" else 256
    return generator.integers(0, high, size, np.uint8).view(dtype).reshape(shape)


def same(found: np.ndarray, expected: np.ndarray) -> bool:
    """Whether type, shape and every bit are the same."""
    return found.dtype == expected.dtype and found.shape == expected.shape and found.tobytes() == expected.tobytes()


# ---- what survives ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("writer", "name", "layout"),
    [
        ("pt", "dense.weight", "torch"),
        ("tf", "bert/dense/kernel:0", "tensorflow"),
        ("flax", "bert.dense.kernel", "flax"),
        ("tf", "bert.dense.weight", "torch"),
        ("flax", "bert.dense.weight", "torch"),
        ("mlx", "bert.dense.scale", "torch"),
    ],
)
def test_a_file_says_whose_names_it_has(writer: str, name: str, layout: str, tmp_path: Path) -> None:
    found = opened(written({name: np.zeros((2, 3), np.float32)}, {"format": writer}), tmp_path)
    assert {key: tensor.layout for key, tensor in found.items()} == {name: layout}


@pytest.mark.parametrize("code", TYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_type_and_shape_survives_bitwise(code: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    array = random_array(TYPES[code], shape)
    found = opened(written({"name": array}), tmp_path)["name"]
    assert (found.name, found.shape, found.dtype) == ("name", shape, TYPES[code])
    assert same(found.read(), array)


@pytest.mark.parametrize("bits", [0x7FC00001, 0xFFC12345, 0x7F800001, 0x80000000, 0x00000001, 0x7F800000])
def test_nan_payloads_and_negative_zero_survive(bits: int, tmp_path: Path) -> None:
    array = np.full((2, 3), bits, np.uint32).view(np.float32)
    found = opened(written({"x": array}), tmp_path)["x"].read()
    assert found.view(np.uint32).tolist() == [[bits] * 3] * 2


def test_all_bit_patterns_of_the_small_floats_survive(tmp_path: Path) -> None:
    arrays = {
        "half": np.arange(2**16, dtype=np.uint16).view(np.float16),
        "brain": np.arange(2**16, dtype=np.uint16).view(TYPES["BF16"]),
        "quarter": np.arange(2**8, dtype=np.uint8).view(TYPES["F8_E4M3"]),
    }
    found = opened(written(arrays), tmp_path)
    assert all(same(found[name].read(), array) for name, array in arrays.items())


@st.composite
def files(draw: st.DrawFn) -> dict[str, np.ndarray]:
    """The arrays of a file: any names, types, shapes and bits."""
    names = draw(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), max_size=5, unique=True))
    found = {}
    for name in names:
        dtype = draw(st.sampled_from([dtype for dtype in TYPES.values() if dtype.kind != "b"]))
        shape = draw(arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
        size = int(np.prod(shape)) * dtype.itemsize
        data = draw(st.binary(min_size=size, max_size=size))
        found[name] = np.frombuffer(data, np.uint8).view(dtype).reshape(shape)
    return {name: array for name, array in found.items() if name != "__metadata__"}


@given(files(), st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), st.just("value"), max_size=2))
def test_any_file_survives_bitwise(arrays: dict[str, np.ndarray], metadata: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = opened(written(arrays, metadata), Path(folder))
        assert found.keys() == arrays.keys()
        assert all(same(found[name].read(), array) for name, array in arrays.items())


def test_arrays_in_any_order_of_axes_and_bytes_are_written_as_they_read(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    arrays = {"turned": array.T, "strided": array[:, ::2], "big": array.astype(">f4")}
    found = opened(written(arrays), tmp_path)
    for name, expected in arrays.items():
        assert found[name].shape == expected.shape and found[name].dtype == np.float32
        assert (found[name].read() == expected).all(), name


def test_the_same_tensors_give_the_same_bytes() -> None:
    arrays = {f"layer.{index}": random_array(TYPES["F32"], (3, 2), index) for index in range(5)}
    arrays["mask"] = random_array(TYPES["BOOL"], (7,))
    arrays["wide"] = random_array(TYPES["F64"], (2,))
    first = written(arrays, {"format": "pt"})
    assert written(dict(reversed(arrays.items())), {"format": "pt"}) == first
    assert written(arrays, {"format": "pt"}) == first
    assert written(arrays) != first


def test_tensors_start_where_their_type_may_stand() -> None:
    arrays = {code: random_array(dtype, (3,)) for code, dtype in TYPES.items()}
    data = written(arrays)
    size = int.from_bytes(data[:8], "little")
    assert size % 8 == 0
    for code, facts in json.loads(data[8 : 8 + size]).items():
        assert facts["data_offsets"][0] % TYPES[code].alignment == 0


def test_a_tensor_is_private_to_the_process(tmp_path: Path) -> None:
    found = opened(written({"x": np.zeros(3, np.float32)}), tmp_path)
    found["x"].read()[:] = 7
    assert not read_safetensors(tmp_path / "model.safetensors")["x"].read().any()


# ---- other programs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_safetensors_library_reads_our_files(shape: tuple[int, ...]) -> None:
    arrays = {code: random_array(dtype, shape) for code, dtype in TYPES.items()}
    found = dict(deserialize(written(arrays, {"format": "pt"})))
    assert found.keys() == arrays.keys()
    for code, array in arrays.items():
        assert (found[code]["dtype"], tuple(found[code]["shape"])) == (code, shape)
        assert bytes(found[code]["data"]) == array.tobytes()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_we_read_the_files_of_the_safetensors_library(shape: tuple[int, ...], tmp_path: Path) -> None:
    arrays = {code: random_array(dtype, shape) for code, dtype in TYPES.items()}
    found = opened(save(arrays, {"format": "pt"}), tmp_path)
    assert found.keys() == arrays.keys()
    assert all(same(found[code].read(), array) for code, array in arrays.items())


def test_our_bytes_are_those_of_the_safetensors_library() -> None:
    arrays = {"b.weight": random_array(TYPES["F32"], (2, 3)), "a.bias": random_array(TYPES["F32"], (3,))}
    assert written(arrays, {"format": "pt"}) == save(arrays, {"format": "pt"})


def test_a_header_that_is_not_padded_is_read(tmp_path: Path) -> None:
    header = json.dumps({"x": entry()}).encode()
    for spaces in range(8):
        found = opened(assembled(header + b" " * spaces, np.float32([1.5, -2]).tobytes()), tmp_path)
        assert found["x"].read().tolist() == [1.5, -2]


# ---- damage ----------------------------------------------------------------------------------------------


def test_what_the_damaged_files_are_made_of_is_sound(tmp_path: Path) -> None:
    assert opened(assembled({"x": entry()}, bytes(8)), tmp_path)["x"].read().tolist() == [0, 0]
    assert opened(assembled({}), tmp_path) == {}


@pytest.mark.parametrize("what", HOSTILE)
def test_damage_is_refused_by_name_and_costs_no_memory(what: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(HOSTILE[what])
    tracemalloc.start()
    try:
        with pytest.raises(FileError, match=r"model\.safetensors") as error:
            read_safetensors(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100 * len(HOSTILE[what]) + 2**20
    assert len(str(error.value)) - len(str(path)) < 600


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    data = written({"x": random_array(TYPES["F32"], (2, 3)), "y": random_array(TYPES["I64"], (2,))})
    for size in range(len(data)):
        with pytest.raises(FileError):
            opened(data[:size], tmp_path)
    assert opened(data, tmp_path).keys() == {"x", "y"}


def test_a_header_beyond_the_bound_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    with path.open("wb") as file:
        file.write((MAX_HEADER + 8).to_bytes(8, "little") + b"{}")
        file.truncate(MAX_HEADER + 100)  # a hole: no disk is used
    tracemalloc.start()
    try:
        with pytest.raises(FileError, match="a header of 100000008 bytes"):
            read_safetensors(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**20


def test_a_shape_of_endless_axes_is_refused_before_it_is_multiplied_out(tmp_path: Path) -> None:
    axes = ",".join([str(2**62)] * 200_000)  # their product has 12 million bits
    header = b'{"x":{"dtype":"F32","shape":[%s],"data_offsets":[0,0]}}' % axes.encode()
    with pytest.raises(FileError, match="a shape that an array can have") as error:
        opened(assembled(header), tmp_path)
    assert len(str(error.value)) - len(str(tmp_path)) < 600


SOUND = written(
    {
        "a.weight": random_array(TYPES["F32"], (2, 3)),
        "b": random_array(TYPES["BF16"], (4,), 1),
        "c": random_array(TYPES["I64"], (), 2),
        "d": random_array(TYPES["U8"], (0, 3), 3),
    },
    {"format": "pt"},
)
HEADER_END = 8 + int.from_bytes(SOUND[:8], "little")


@settings(max_examples=600)
@given(st.lists(st.tuples(st.integers(0, HEADER_END - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_changed_header_is_refused_or_gives_sound_tensors(changes: list[tuple[int, int]]) -> None:
    data = bytearray(SOUND)
    for position, byte in changes:
        data[position] = byte
    check_refused_or_sound(bytes(data))


@settings(max_examples=300)
@given(
    st.dictionaries(
        st.sampled_from(["x", "y", "__metadata__"]),
        st.fixed_dictionaries(
            {},
            optional={
                "dtype": st.sampled_from([*DTYPES, "F4", "", 7, None, []]),
                "shape": st.lists(st.sampled_from([0, 1, 2, 3, 2**31, 2**62, -1, 1.0, True]), max_size=4),
                "data_offsets": st.lists(st.sampled_from([0, 4, 8, 12, 16, 2**63, -4]), max_size=3),
            },
        ),
    ),
    st.integers(0, 20),
)
def test_any_header_is_refused_or_gives_sound_tensors(header: dict[str, Any], size: int) -> None:
    check_refused_or_sound(assembled(header, bytes(size)))


def check_refused_or_sound(data: bytes) -> None:
    """A file raises nothing but `FileError`; or all its tensors can be read and are exactly its payload."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            tensors = opened(data, Path(folder))
        except FileError:
            return
        read = {name: tensor.read() for name, tensor in tensors.items()}
        assert all(
            (read[name].shape, read[name].dtype) == (tensor.shape, tensor.dtype) for name, tensor in tensors.items()
        )
        payload = len(data) - 8 - int.from_bytes(data[:8], "little")
        assert sum(array.nbytes for array in read.values()) == payload
