"""Rows of numbers as tensors: one NumPy array per field, handed to the framework whole.

Tensors made element by element from Python lists cost a hundred times what one array costs. PyTorch takes the
array's memory as it is, TensorFlow and JAX copy it once. A framework is imported only when its tensors are
asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

import numpy as np

from ..cards import require_backend
from ..files.errors import InputError, MissingDependencyError, three_beats
from .options import TensorType

#: The row of the backend table that says what each kind of tensor needs.
_BACKENDS = {TensorType.PYTORCH: "torch", TensorType.TENSORFLOW: "tensorflow", TensorType.JAX: "flax"}


def to_tensor(values: Any, tensor_type: TensorType, name: str) -> Any:
    """One field as a tensor of a framework.

    Plain numbers get the type that the framework gives to them: int64 in PyTorch and NumPy, int32 in TensorFlow where
    they fit; others float32, float64 in NumPy; JAX follows its x64 mode. Arrays and tensors keep theirs.

    Args:
        values: A rectangular nesting of lists of numbers, a list of tensors of one shape, or a tensor.
        tensor_type: The framework; a tensor that is its own already comes back as it is.
        name: The field, for the message.

    Raises:
        InputError: Rows differ in length (NumPy gives an object array of rows instead), or hold no numbers, or one that
            the framework cannot count.
        MissingDependencyError: The framework is not installed.
    """
    convert = _converter(tensor_type)
    if library_of(values) is tensor_type:
        return values
    array = to_array(values)
    if tensor_type is TensorType.NUMPY:
        return array
    if array.dtype.kind not in ("biufU" if tensor_type is TensorType.TENSORFLOW else "biuf"):
        raise InputError(
            three_beats(
                f"the rows of `{name}` differ in length, or hold something that is not a number",
                "one rectangular table of numbers",
                "Pass padding=True (and truncation=True) to make the rows equally long, and leave out columns of text.",
            )
        )
    is_plain = not _has_a_type(values)
    if tensor_type is TensorType.TENSORFLOW and isinstance(values, (list, tuple)) and array.dtype.kind in "iu":
        is_plain = True  # as TensorFlow takes whole numbers in lists, whatever they are
    return convert(as_plain_numbers(array, tensor_type) if is_plain else array)


def as_plain_numbers(array: np.ndarray, tensor_type: TensorType | None) -> np.ndarray:
    """An array in the type that a framework gives to plain numbers."""
    if tensor_type is TensorType.TENSORFLOW and array.dtype.kind in "iu" and _fits(array, np.int32):
        return array.astype(np.int32)
    is_narrowed = tensor_type in (TensorType.TENSORFLOW, TensorType.PYTORCH)
    return array.astype(np.float32) if is_narrowed and array.dtype == np.float64 else array


def _fits(array: np.ndarray, kind: type[np.signedinteger[Any]]) -> bool:
    limits = np.iinfo(kind)
    return array.size == 0 or bool(limits.min <= array.min() and array.max() <= limits.max)


def _has_a_type(values: Any) -> bool:
    """Whether numbers are in arrays or tensors, which have a type, by the first of them."""
    while isinstance(values, (list, tuple)) and values:
        values = values[0]
    return isinstance(values, np.generic) or library_of(values) is not None


def to_array(values: Any) -> np.ndarray:
    """A tensor, or a nesting of lists, as one array; rows of different lengths become an object array of arrays."""
    array = _nested(values)
    is_untyped = array.size == 0 and not _has_a_type(values)
    return array.astype(np.int64) if is_untyped else array  # NumPy calls an empty list float64


def _nested(values: Any) -> np.ndarray:
    kind = library_of(values)
    if kind is TensorType.NUMPY:
        return values
    if kind is TensorType.PYTORCH:
        return values.detach().cpu().numpy()
    if kind is not None:
        return np.asarray(values)
    if _has_a_type(values) and isinstance(values, (list, tuple)):
        values = [_nested(value) for value in values]
    try:
        return np.asarray(values)
    except ValueError:  # rows of different lengths
        array = np.empty(len(values), dtype=object)
        array[:] = [_nested(row) for row in values]  # one without numbers stays float64 among them, as in 4.x
        return array


def filled_array(rows: Iterable[Iterable[int]], taken: np.ndarray, value: int) -> np.ndarray:
    """Rows of ints as one int64 array [B, T], filled up with a value.

    Several times as fast as `np.array`, for rows that are known to hold ints only (a float would be cut).

    Args:
        rows: The rows, which may differ in length.
        taken: Where their numbers go, row by row, bool [B, T].
        value: What is everywhere else.

    Raises:
        ValueError: There are fewer numbers than places.
    """
    count = np.count_nonzero(taken)
    numbers = np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=count)
    if count == taken.size:
        return numbers.reshape(taken.shape)
    array = np.full(taken.shape, value, dtype=np.int64)
    array[taken] = numbers
    return array


def library_of(value: Any) -> TensorType | None:
    """The framework whose tensor `value` is, without importing one; None for lists and numbers."""
    if isinstance(value, (list, tuple, int, float, str)) or value is None:
        return None
    if isinstance(value, np.ndarray):
        return TensorType.NUMPY
    for kind in type(value).__mro__:
        root = kind.__module__.partition(".")[0]
        if root == "torch":
            return TensorType.PYTORCH
        if root == "tensorflow":
            return TensorType.TENSORFLOW
        if root in ("jax", "jaxlib"):
            return TensorType.JAX
    return None


def to_lists(value: Any) -> Any:
    """Tensors and arrays, also inside lists and tuples, as plain Python numbers and lists."""
    if isinstance(value, (list, tuple)):
        # A list of plain numbers is the common case, and then there is nothing to look for.
        if not value or type(value[0]) in (int, float, str):
            return list(value)
        return [to_lists(item) for item in value]
    kind = library_of(value)
    if kind is TensorType.TENSORFLOW:
        return value.numpy().tolist()
    if kind is TensorType.PYTORCH:
        return value.detach().cpu().tolist()
    if kind is not None:
        return np.asarray(value).tolist()
    return value.item() if isinstance(value, np.generic) else value


def _converter(tensor_type: TensorType) -> Callable[[np.ndarray], Any]:
    """What makes a framework's tensor from an array; the identity for NumPy."""
    if tensor_type is TensorType.NUMPY:
        return lambda array: array
    if tensor_type is TensorType.MLX:
        raise MissingDependencyError(
            three_beats(
                "return_tensors='mlx': triformers has no MLX models and makes no MLX arrays",
                "'pt', 'tf', 'jax' or 'np'",
                "Ask for 'np' and call mlx.core.array on the fields.",
            )
        )
    require_backend(_BACKENDS[tensor_type], wanted_by=f"return_tensors={tensor_type.value!r}")
    if tensor_type is TensorType.PYTORCH:
        import torch

        return lambda array: torch.from_numpy(_owned(array))
    if tensor_type is TensorType.TENSORFLOW:
        import tensorflow

        return lambda array: tensorflow.convert_to_tensor(array)
    import jax

    def convert(array: np.ndarray) -> Any:
        if array.dtype == np.int64 and not jax.config.read("jax_enable_x64") and not _fits(array, np.int32):
            found = "a whole number is beyond 32 bits, and JAX counts in 32"
            raise InputError(three_beats(found, "smaller numbers", "Set jax_enable_x64 for larger ones."))
        return jax.numpy.asarray(array)  # which narrows by itself, as its x64 mode says

    return convert


def _owned(array: np.ndarray) -> np.ndarray:
    """The array, if PyTorch can take its memory as it is, else a copy."""
    return array if array.flags.c_contiguous and array.flags.writeable else array.copy()
