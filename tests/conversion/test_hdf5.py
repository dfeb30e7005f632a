"""TensorFlow's HDF5 files: every bit survives, h5py reads them as Keras does, and no damage passes."""

from __future__ import annotations

import io
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile import hdf5_files
from tests.hostile.hdf5_structures import sound
from triformers.conversion.formats.hdf5 import MAX_ATTRIBUTE, TYPES, SparseFile, read_hdf5, write_hdf5
from triformers.conversion.formats.tensors import Tensor, numpy_dtype
from triformers.files.errors import FileError, InputError, MissingDependencyError

h5py = pytest.importorskip("h5py")

DATA = Path(__file__).parent / "data"
SHAPES = [(), (0,), (3,), (0, 5), (2, 1, 3)]
MODEL = "tf_bert_model"


def written(arrays: Mapping[str, np.ndarray], **options: Any) -> bytes:
    """The file that these arrays make."""
    file = io.BytesIO()
    tensors = {
        name: Tensor(name, array.shape, array.dtype, lambda array=array: array) for name, array in arrays.items()
    }
    write_hdf5(file, tensors, MODEL, **options)
    return file.getvalue()


def opened(data: bytes, folder: Path) -> dict[str, Tensor]:
    """The tensors of a file with these bytes."""
    path = folder / "tf_model.h5"
    path.unlink(missing_ok=True)  # never truncate a file that is mapped
    path.write_bytes(data)
    return read_hdf5(path)


def made(folder: Path, fill: Callable[[Any], Any]) -> Path:
    """A file that h5py makes, with whatever is put into it."""
    path = folder / "tf_model.h5"
    path.write_bytes(hdf5_files.made(fill))
    return path


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
    found = opened(written({"bert/x/kernel:0": array}), tmp_path)["bert/x/kernel:0"]
    assert (found.shape, found.dtype.name, found.layout) == (shape, name, "tensorflow")
    assert same(found.read(), array)


@pytest.mark.parametrize("bits", [0x7FC00001, 0xFFC12345, 0x7F800001, 0x80000000, 0x00000001, 0x7F800000])
def test_nan_payloads_and_negative_zero_survive(bits: int, tmp_path: Path) -> None:
    array = np.full((2, 3), bits, np.uint32).view(np.float32)
    found = opened(written({"l/x:0": array}), tmp_path)["l/x:0"].read()
    assert found.view(np.uint32).tolist() == [[bits] * 3] * 2


def test_all_bit_patterns_of_the_small_floats_survive(tmp_path: Path) -> None:
    halves = {
        f"l/{name}": np.arange(2**16, dtype=np.uint16).view(numpy_dtype(name)) for name in ("float16", "bfloat16")
    }
    found = opened(written(halves), tmp_path)
    assert all(same(found[name].read(), array) for name, array in halves.items())


WORDS = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=["Cc"]), min_size=1, max_size=5
)
TREES = st.dictionaries(
    st.lists(WORDS.filter(lambda word: word.strip(".")), min_size=2, max_size=4).map("/".join),
    st.tuples(st.sampled_from(TYPES), st.sampled_from(SHAPES), st.integers(0, 99)),
    max_size=5,
)


@settings(max_examples=60)
@given(TREES)
def test_any_tree_survives_bitwise(facts: dict[str, tuple[str, tuple[int, ...], int]]) -> None:
    names = [name for name in facts if not any(other.startswith(f"{name}/") for other in facts)]
    arrays = {name: random_array(numpy_dtype(facts[name][0]), *facts[name][1:]) for name in names}
    with tempfile.TemporaryDirectory() as folder:
        found = opened(written(arrays), Path(folder))
        assert found.keys() == arrays.keys()
        assert all(same(found[name].read(), array) for name, array in arrays.items())


def test_arrays_in_any_order_of_axes_and_bytes_are_written_as_they_read(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    arrays = {"l/turned": array.T, "l/strided": array[:, ::2], "l/big": array.astype(">f4")}
    found = opened(written(arrays), tmp_path)
    for name, expected in arrays.items():
        assert found[name].dtype == np.float32 and (found[name].read() == expected).all(), name


def test_big_endian_numbers_are_read_as_what_they_are(tmp_path: Path) -> None:
    found = made(tmp_path, lambda file: file.create_dataset("l/x", data=np.arange(5, dtype=">f8")))
    assert same(read_hdf5(found)["l/x"].read(), np.arange(5.0))


def test_the_same_tensors_give_the_same_bytes() -> None:
    arrays = {f"bert/{index}/kernel:0": random_array(np.dtype("float32"), (3, 2), index) for index in range(12)}
    assert written(arrays) == written(arrays)


def test_a_tensor_is_private_to_the_process_and_stands_where_its_type_may(tmp_path: Path) -> None:
    found = opened(written({"l/a": np.zeros(3, np.int8), "l/b": np.zeros(3), "l/c": np.zeros(3, np.float32)}), tmp_path)
    for each in found.values():
        array = each.read()
        assert array.flags.aligned and array.flags.writeable
        array[:] = 7
    assert not any(each.read().any() for each in read_hdf5(tmp_path / "tf_model.h5").values())


def test_one_tensor_is_in_memory_at_a_time(tmp_path: Path) -> None:
    size = 2**22
    ones = {f"l/{n}": Tensor("", (size,), np.dtype(np.uint8), lambda: np.ones(size, np.uint8)) for n in range(8)}
    seen: list[int] = []
    write_hdf5(io.BytesIO(), {}, MODEL)  # imports what it needs
    tracemalloc.start()
    try:
        with (tmp_path / "tf_model.h5").open("wb", buffering=0) as file:
            write_hdf5(file, ones, MODEL, progress=seen.append)
        assert tracemalloc.get_traced_memory()[1] < 3 * size and seen == [size] * 8
    finally:
        tracemalloc.stop()
    assert all(each.read().all() for each in read_hdf5(tmp_path / "tf_model.h5").values())


@pytest.mark.parametrize("names", [("l/a", "l/a/b"), ("l/a/b", "l/a")])
def test_names_of_which_one_begins_another_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="where another weight is"):
        written({name: np.zeros(1) for name in names})


def test_a_type_that_the_format_lacks_is_refused() -> None:
    with pytest.raises(InputError, match="float8_e5m2, which HDF5 does not have"):
        written({"l/a": np.zeros(1, numpy_dtype("float8_e5m2"))})


def test_files_are_read_without_h5py_and_to_write_them_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = written({"l/a": np.zeros(1)})
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert opened(data, tmp_path).keys() == {"l/a"}
    with pytest.raises(MissingDependencyError, match=r"pip install 'triformers\[formats\]'") as error:
        written({"l/a": np.zeros(1)})
    assert len(str(error.value)) < 400


# ---- the groups of Keras ---------------------------------------------------------------------------------


def test_layers_list_their_weights_as_keras_does() -> None:
    arrays = {"bert/x/kernel:0": np.ones((2, 3)), "bert/x/bias:0": np.ones(3), "classifier/kernel:0": np.ones((3, 1))}
    with h5py.File(io.BytesIO(written(arrays, shared={"classifier": ["bert/x/bias:0"]}))) as file:
        assert {name: file.attrs[name] for name in ("backend", "keras_version")} == {
            "backend": b"tensorflow", "keras_version": b"2.18.0",
        }  # fmt: skip
        assert file.attrs["layer_names"].tolist() == [b"bert", b"classifier"]
        assert file["bert"].attrs["weight_names"].tolist() == [
            b"tf_bert_model/bert/x/kernel:0",
            b"tf_bert_model/bert/x/bias:0",
        ]
        listed = file["classifier"].attrs["weight_names"].tolist()
        assert listed == [b"tf_bert_model/classifier/kernel:0", b"tf_bert_model/bert/x/bias:0"]
        assert [file["classifier"][name].shape for name in listed] == [(3, 1), (3,)]
        assert file["classifier"][listed[1]] == file["bert"][listed[1]]


def test_a_shared_weight_is_read_once(tmp_path: Path) -> None:
    data = written({"bert/x:0": np.arange(9.0), "head/y:0": np.zeros(1)}, shared={"head": ["bert/x:0"]})
    found = opened(data, tmp_path)
    assert found.keys() == {"bert/x:0", "head/y:0"} and found["bert/x:0"].read().tolist() == list(range(9))


def test_of_two_copies_the_one_in_its_own_layer_counts(tmp_path: Path) -> None:
    def fill(file: Any) -> None:
        for layer, value in (("a", 1.0), ("bert", 2.0), ("cls", 3.0)):
            file.create_dataset(f"{layer}/model/bert/x:0", data=[value])
            file[layer].attrs["weight_names"] = ["model/bert/x:0"]

    assert read_hdf5(made(tmp_path, fill))["bert/x:0"].read() == [2.0]


def test_long_lists_are_split(tmp_path: Path) -> None:
    names = [f"bert/{'long' * 20}/{index}" for index in range(2000)]
    data = written({name: np.int8([1]) for name in names})
    with h5py.File(io.BytesIO(data)) as file:
        lists = [file["bert"].attrs[f"weight_names{index}"] for index in range(len(file["bert"].attrs))]
        assert len(lists) > 1 and all(each.nbytes <= MAX_ATTRIBUTE for each in lists)
        assert [name.decode() for each in lists for name in each] == [f"{MODEL}/{name}" for name in names]
    assert opened(data, tmp_path).keys() == set(names)


def test_the_files_of_transformers_are_read() -> None:
    whole = read_hdf5(DATA / "tensorflow" / "tf_model.h5")
    assert whole["mlm___cls/predictions/bias:0"].shape == (20,)
    piece = read_hdf5(DATA / "tensorflow-shards" / "tf_model-00001-of-00002.h5")
    name = "bert/embeddings/word_embeddings/weight:0"
    assert same(piece[name].read(), whole[name].read()) and whole[name].shape == (20, 8)


# ---- every form of HDF5 ---------------------------------------------------------------------------------

FORMS = ["earliest", "v108", "v110", "v112", "latest"]
PATHS = st.lists(
    st.lists(st.integers(0, 40).map(lambda n: f"{'x' * (n % 7 * 15)}{n}"), min_size=1, max_size=4).map("/".join),
    max_size=150,
    unique=True,
)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=25)
@given(PATHS, st.sampled_from(TYPES), st.booleans(), st.booleans())
def test_any_tree_of_h5py_is_read_as_h5py_reads_it(
    form: str, paths: list[str], name: str, is_big: bool, in_order: bool
) -> None:
    dtype = np.dtype("float32") if name == "bfloat16" else np.dtype(name)  # which NumPy has not, and h5py neither
    dtype = dtype.newbyteorder(">") if is_big else dtype
    paths = [path for path in paths if not any(other.startswith(f"{path}/") for other in paths)]

    def fill(file: Any) -> None:
        for index, path in enumerate(paths):
            file.create_dataset(f"l/{path}", data=random_array(dtype.newbyteorder("="), (2, 3), index).astype(dtype))

    with tempfile.TemporaryDirectory() as folder:
        data = hdf5_files.made(fill, libver=(form, "latest"), track_order=in_order)
        found = opened(data, Path(folder))
        assert found.keys() == {f"l/{path}" for path in paths}
        for index, path in enumerate(paths):
            assert same(found[f"l/{path}"].read(), random_array(dtype.newbyteorder("="), (2, 3), index))


@pytest.mark.parametrize("form", FORMS)
def test_thousands_of_names_in_one_group_are_read(form: str, tmp_path: Path) -> None:
    names = [f"{'long' * (index % 9)}{index}" for index in range(3000)]
    data = hdf5_files.made(lambda file: [file.create_dataset(name, data=[1.0]) for name in names], libver=form)
    assert list(opened(data, tmp_path)) == sorted(names)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", [bytes, str])
def test_lists_of_names_are_read_in_every_form(form: str, kind: type, tmp_path: Path) -> None:
    def fill(file: Any, lie: str = "") -> None:
        file.create_dataset("l/model/l/x:0", data=[1.0])
        file.create_dataset("l/model/l/y:0", data=[2.0])
        listed = [f"model/l/{name}:0{lie}" for name in "xy"]
        file["l"].attrs["weight_names"] = [each.encode() for each in listed] if kind is bytes else listed

    assert opened(hdf5_files.made(fill, libver=form), tmp_path).keys() == {"l/x:0", "l/y:0"}
    with pytest.raises(FileError, match="'l' lists 'model/l/x:0z', which it does not have"):
        opened(hdf5_files.made(lambda file: fill(file, "z"), libver=form), tmp_path)


# ---- damage ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", sorted(hdf5_files.hostile()))
def test_damage_is_refused_by_name(what: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"tf_model\.h5") as error:
        opened(hdf5_files.hostile()[what], tmp_path)
    assert len(str(error.value)) - len(str(tmp_path)) < 600


@pytest.mark.parametrize("what", sound())
def test_what_the_damaged_files_are_made_of_is_sound(what: str, tmp_path: Path) -> None:
    assert all(each.read().shape == (2,) for each in opened(sound()[what], tmp_path).values())


@pytest.mark.parametrize("data", [b"", b"\x89HDF", b"\x89HDF\r\n\x1a\n", b"not one" * 99], ids=str)
def test_what_is_no_such_file_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"tf_model\.h5"):
        opened(data, tmp_path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        read_hdf5(tmp_path / "tf_model.h5")


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    data = written({"bert/x/kernel:0": np.ones((2, 3)), "cls/bias:0": np.ones(3)})
    for end in range(0, len(data), 13):
        with pytest.raises(FileError):
            opened(data[:end], tmp_path)


@settings(max_examples=200)
@given(st.data())
def test_a_changed_file_is_read_or_refused(data: st.DataObject) -> None:
    changed = bytearray(written({"bert/x/kernel:0": np.ones((2, 3)), "cls/bias:0": np.ones(3)}))
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = opened(bytes(changed), Path(folder))
        except FileError as error:
            assert len(str(error)) < 600
        else:
            assert all(each.read().shape == each.shape for each in found.values())


# ---- the file between h5py and the disk ------------------------------------------------------------------

STEPS = st.one_of(
    st.tuples(st.just("write"), st.integers(0, 20_000), st.binary(min_size=1, max_size=9000)),
    st.tuples(st.just("read"), st.integers(0, 30_000), st.integers(0, 9000)),
)


@given(st.lists(STEPS, max_size=8))
def test_a_sparse_file_is_a_file(steps: list[tuple[str, int, Any]]) -> None:
    found, expected = SparseFile(), io.BytesIO()
    for step, position, value in steps:
        for file in (found, expected):
            assert file.seek(position) == file.tell() == position
        if step == "write":
            assert found.write(value) == expected.write(value)
        else:
            assert found.read(value) == expected.read(value)
        assert found.tell() == expected.tell() and found.size == len(expected.getvalue())
    copied = io.BytesIO()
    found.copy(copied, 0, found.size)
    assert copied.getvalue() == expected.getvalue()
