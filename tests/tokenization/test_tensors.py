"""`return_tensors`: the types that users of each framework know, made from one array."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from triformers import BatchEncoding, cards
from triformers.files.errors import InputError
from triformers.tokenization.options import TensorType
from triformers.tokenization.tensors import library_of, to_array, to_lists, to_tensor

KINDS = {"torch": "pt", "tensorflow": "tf", "flax": "jax"}


def usual(backend: str, wide: type, narrow: type) -> np.dtype:
    """The type that a framework gives to plain Python numbers."""
    if backend == "flax":
        import jax

        return np.dtype(wide if jax.config.jax_enable_x64 else narrow)
    return np.dtype(wide if backend == "torch" and wide is np.int64 else narrow)


@pytest.mark.backend("torch", "tensorflow", "flax")
def test_tensors_of_a_framework(tokenizer: Any, backend: str) -> None:
    kind = KINDS[backend]
    batch = tokenizer(["a b", "c"], padding=True, return_tensors=kind)
    wanted = tokenizer(["a b", "c"], padding=True)
    for name, tensor in batch.items():
        assert library_of(tensor) is TensorType(kind)
        assert np.asarray(tensor).tolist() == wanted[name] == to_lists(tensor)
        assert np.asarray(tensor).dtype == usual(backend, np.int64, np.int32)
    assert tokenizer.batch_decode(batch["input_ids"]) == tokenizer.batch_decode(wanted["input_ids"])
    assert tokenizer.decode(batch["input_ids"][0]) == tokenizer.decode(wanted["input_ids"][0])
    padded = tokenizer.pad([{"input_ids": row} for row in batch["input_ids"]], pad_to_multiple_of=8)
    assert library_of(padded["input_ids"]) is TensorType(kind) and padded["input_ids"].shape == (2, 8)
    with pytest.raises(ValueError, match="padding=True"):
        tokenizer(["a b", "c"], return_tensors=kind)


@pytest.mark.backend("torch", "tensorflow", "flax")
def test_floats_and_tensors_of_its_own(backend: str) -> None:
    kind = TensorType(KINDS[backend])
    tensor = to_tensor([[0.5, 1.5]], kind, "scores")
    assert np.asarray(tensor).dtype == usual(backend, np.float64, np.float32)
    assert to_tensor(tensor, kind, "scores") is tensor
    assert BatchEncoding({"x": [1.0]}, tensor_type=kind)["x"].shape == (1,)


@pytest.mark.backend("torch", "tensorflow", "flax")
def test_arrays_keep_their_type(tokenizer: Any, backend: str) -> None:
    kind = TensorType(KINDS[backend])
    for dtype in ("int32", "uint8", "float32", "bool"):
        array = np.array([[1, 0], [1, 1]], dtype=dtype)
        tensor = np.asarray(to_tensor(array, kind, "x"))
        assert tensor.dtype == dtype and tensor.tolist() == array.tolist()
        rows = np.asarray(to_tensor(list(array), kind, "x"))
        in_lists = "int32" if (backend, dtype) == ("tensorflow", "uint8") else dtype  # as TensorFlow itself does
        assert rows.dtype == in_lists and rows.tolist() == array.tolist()
        back = to_tensor(to_tensor(array, kind, "x"), TensorType.NUMPY, "x")
        assert back.dtype == dtype and back.tolist() == array.tolist()
    rows = [{"input_ids": [1], "labels": np.float32(0.5)}, {"input_ids": [2, 3], "labels": np.float32(1.5)}]
    padded = tokenizer.pad(rows, return_tensors=kind)
    assert np.asarray(padded["labels"]).dtype == np.float32 and padded["input_ids"].shape == (2, 2)


@pytest.mark.backend("torch", "tensorflow", "flax")
def test_numbers_are_never_cut(backend: str) -> None:
    kind = TensorType(KINDS[backend])
    assert np.asarray(to_tensor(7, kind, "x")).shape == ()
    frozen = np.arange(3)
    frozen.flags.writeable = False
    for array in (frozen, np.arange(6)[::-2], np.arange(6).reshape(2, 3).T):
        assert np.asarray(to_tensor(array, kind, "x")).tolist() == array.tolist()
    large = [[2**40, 1]]
    if backend == "flax":
        import jax

        if not jax.config.jax_enable_x64:
            with pytest.raises(InputError, match="32 bits"):
                to_tensor(large, kind, "x")
            return
    assert np.asarray(to_tensor(large, kind, "x")).tolist() == large


@pytest.mark.backend("torch")
def test_torch_takes_the_array_as_it_is(tokenizer: Any) -> None:
    array = np.arange(6).reshape(2, 3)
    tensor = to_tensor(array, TensorType.PYTORCH, "x")
    array[0, 0] = 7
    assert tensor[0, 0] == 7
    moved = tokenizer("a", return_tensors="pt").to("meta")
    assert moved["input_ids"].device.type == "meta"


@pytest.mark.parametrize("kind", list(KINDS.values()))
def test_a_missing_framework_is_named(monkeypatch: pytest.MonkeyPatch, cased: Any, kind: str) -> None:
    monkeypatch.setattr(cards, "_importable", lambda module: False)
    with pytest.raises(ImportError, match=r"pip install 'triformers\["):
        cased.load("slow")("a", return_tensors=kind)


def test_arrays_of_lists() -> None:
    assert to_array([[1, 2], [3, 4]]).dtype == np.int64
    assert to_array([[True, False]]).dtype == bool
    assert to_array([[1, 0.5]]).tolist() == [[1, 0.5]]
    assert to_array([]).dtype == np.int64
    ragged = to_array([[1], [2, 3]])
    assert ragged.dtype == object and ragged[1].tolist() == [2, 3]
    assert to_lists([np.int64(3), np.array([1, 2]), (4, 5)]) == [3, [1, 2], [4, 5]]
