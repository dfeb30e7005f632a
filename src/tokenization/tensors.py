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

    Whole numbers become int64 in PyTorch and NumPy and int32 in TensorFlow, others float32; JAX follows its
    x64 mode, NumPy keeps float64.

    Args:
        values: A rectangular nesting of lists of numbers, a list of tensors of one shape, or a tensor.
        tensor_type: The framework; a tensor that is its own already comes back as it is.
        name: The field, for the message.

    Raises:
        InputError: Rows differ in length (NumPy gives an object array of rows instead), or hold no numbers.
        MissingDependencyError: The framework is not installed.
    """
    convert = _converter(tensor_type)
    if library_of(values) is tensor_type:
        return values
    array = to_array(values)
    if tensor_type is TensorType.NUMPY:
        return array
    if array.dtype.kind not in "biuf":
        raise InputError(
            three_beats(
                f"the rows of `{name}` differ in length, or hold something that is not a number",
                "one rectangular table of numbers",
                "Pass padding=True (and truncation=True) to make the rows equally long, and leave out columns of text.",
            )
        )
    return convert(array)


def to_array(values: Any) -> np.ndarray:
    """A nesting of lists as one array; rows of different lengths become an object array of arrays."""
    if isinstance(values, np.ndarray):
        return values
    if library_of(values) is not None:
        return np.asarray(to_lists(values))
    array = _nested(to_lists(values))
    return array.astype(np.int64) if array.size == 0 else array  # NumPy calls an empty list float64


def _nested(rows: Any) -> np.ndarray:
    try:
        return np.asarray(rows)
    except ValueError:  # rows of different lengths
        array = np.empty(len(rows), dtype=object)
        array[:] = [_nested(row) for row in rows]  # one without numbers stays float64 among them, as in 4.x
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

        return lambda array: torch.from_numpy(_narrow(array, np.float32, np.int64))
    if tensor_type is TensorType.TENSORFLOW:
        import tensorflow

        return lambda array: tensorflow.convert_to_tensor(_narrow(array, np.float32, np.int32))
    import jax.numpy

    return jax.numpy.asarray  # which narrows by itself, as its x64 mode says


def _narrow(array: np.ndarray, floats: type, ints: type) -> np.ndarray:
    """The array in the precision that a framework gives to plain Python numbers."""
    if array.dtype == np.float64:
        return array.astype(floats)
    if array.dtype.kind == "i" and array.dtype != ints:
        return array.astype(ints)
    return np.ascontiguousarray(array)
