"""What a file of tensors may say: every word, what it stands for here, and why a file may need it.

Nothing in this table imports or runs anything. A storage, a tensor, a type are small records of what the file
claims; whether the claims are true is for `placing` to check, before any array exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any

import numpy as np

from triformers.conversion.formats.pickled.machine import Constructor
from triformers.conversion.formats.pickled.refusals import Refusal, quoted
from triformers.conversion.formats.safetensors import MAX_AXES
from triformers.conversion.formats.tensors import numpy_dtype

#: The storage classes that PyTorch writes by type, and the NumPy type of each.
STORAGES: Mapping[str, str] = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8",
    "ByteStorage": "uint8", "BoolStorage": "bool", "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
}  # fmt: skip
#: The types that have no class of storage: their tensors are bytes, and say their type themselves (PyTorch 2.1).
UNTYPED: tuple[str, ...] = (
    "uint16", "uint32", "uint64", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz",
)  # fmt: skip


_dtype = cache(numpy_dtype)


@dataclass(frozen=True, slots=True)
class ElementType:
    """A type of numbers by NumPy's name; `uint8` also stands for bytes of no type."""

    name: str

    @property
    def dtype(self) -> np.dtype:
        """The NumPy type, in this machine's order of bytes."""
        return _dtype(self.name)


@dataclass(frozen=True, slots=True)
class StorageClass:
    """A class of storages: what its elements are."""

    element: ElementType


@dataclass(frozen=True, slots=True)
class TensorClass:
    """A class that a tensor may say it is of. All are alike here."""


@dataclass(frozen=True, slots=True)
class Storage:
    """A row of elements, or a part of one.

    Attributes:
        key: Its name in the file.
        element: What it is a row of.
        total: How many elements the whole row has.
        start: Which of them is the first of this part.
        length: How many the part has.
    """

    key: str
    element: ElementType
    total: int
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor as a file describes it: a way of walking over a storage.

    Attributes:
        storage: What it walks over.
        dtype: The type of its elements.
        offset: Its first element, counted in its own type from the start of the storage.
        shape: How many steps along each axis.
        strides: How many elements a step along each axis is.
    """

    storage: Storage
    dtype: np.dtype
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def storage(value: Any) -> Storage:
    """The storage of a persistent id: ("storage", class, key, device, length[, (key of the part, start, length)]).

    The part is written by the form before PyTorch 1.6 alone. On which device it was is of no interest.
    """
    if type(value) is not tuple or len(value) not in (5, 6) or value[0] != "storage":
        raise Refusal("refers to what is no storage", "storages alone")
    _, kind, key, _, total, *parts = value
    if type(kind) is not StorageClass or type(key) is not str or not is_natural(total):
        raise Refusal("describes a storage by what is no class, key and length", "those three")
    part = parts[0] if parts and parts[0] is not None else (key, 0, total)
    if type(part) is not tuple or len(part) != 3 or not is_natural(part[1]) or not is_natural(part[2]):
        raise Refusal(f"describes a part of storage {quoted(key)} by no start and length", "those two")
    if part[1] + part[2] > total:
        raise Refusal(f"takes elements {part[1]} to {part[1] + part[2]} of storage {quoted(key)}", f"at most {total}")
    return Storage(key, kind.element, total, part[1], part[2])


def is_natural(value: Any) -> bool:
    """Whether a value is a whole number that a size or an offset can be."""
    return type(value) is int and 0 <= value < 2**63


def _are_naturals(values: Any) -> bool:
    if type(values) not in (tuple, list) or len(values) > MAX_AXES or not {int}.issuperset(map(type, values)):
        return False
    return not values or (min(values) >= 0 and max(values) < 2**63)


def _tensor(arguments: tuple[Any, ...], lengths: tuple[int, ...], element: ElementType | None = None) -> StoredTensor:
    """The tensor of (storage, offset, shape, strides, ...); what comes after is for training."""
    if len(arguments) not in lengths or type(arguments[0]) is not Storage:
        raise Refusal("rebuilds a tensor from what is no storage, offset, shape and strides", "those four")
    store, offset, shape, strides = arguments[:4]
    if not is_natural(offset) or not _are_naturals(shape) or not _are_naturals(strides) or len(shape) != len(strides):
        expected = f"natural numbers, as many strides as sizes, at most {MAX_AXES}"
        raise Refusal("rebuilds a tensor by an offset, shape or strides that cannot be", expected)
    dtype = (element or store.element).dtype
    if prod(size or 1 for size in shape) * dtype.itemsize >= 2**63:
        raise Refusal(f"has a tensor of shape {tuple(shape)}", "a shape that an array can have")
    return StoredTensor(store, dtype, offset, tuple(shape), tuple(strides))


def _check_plain(metadata: tuple[Any, ...]) -> None:
    """Refuse marks on a tensor that change its numbers: conjugate or negate when read."""
    if metadata and metadata[0]:
        raise Refusal("has a tensor that is conjugated or negated as it is read", "plain ones: save x.clone()")


def _rebuild_tensor(arguments: tuple[Any, ...]) -> StoredTensor:
    return _tensor(arguments, lengths=(4,))


def _rebuild_tensor_v2(arguments: tuple[Any, ...]) -> StoredTensor:
    """(storage, offset, shape, strides, requires_grad, hooks[, metadata])"""
    _check_plain(arguments[6:])
    return _tensor(arguments, lengths=(6, 7))


def _rebuild_tensor_v3(arguments: tuple[Any, ...]) -> StoredTensor:
    """(storage, offset, shape, strides, requires_grad, hooks, type[, metadata])"""
    _check_plain(arguments[7:])
    element = arguments[6] if len(arguments) > 6 else None
    if type(element) is not ElementType:
        raise Refusal("rebuilds a tensor of no type", "a type such as torch.float32")
    return _tensor(arguments, (7, 8), element)


def _rebuild_parameter(arguments: tuple[Any, ...]) -> StoredTensor:
    """(tensor, requires_grad, hooks[, attributes])"""
    if len(arguments) not in (3, 4) or type(arguments[0]) is not StoredTensor:
        raise Refusal("rebuilds a parameter from what is no tensor", "a tensor")
    return arguments[0]


def _rebuild_from_type(arguments: tuple[Any, ...]) -> StoredTensor:
    """(rebuilder, class, its arguments, attributes)"""
    if len(arguments) != 4 or type(arguments[1]) is not TensorClass or type(arguments[2]) is not tuple:
        raise Refusal("rebuilds a tensor of what is no class of tensors", "torch.Tensor or a parameter")
    if arguments[0] not in _PLAIN:  # not itself, which would nest
        raise Refusal("rebuilds a tensor with attributes by an unusual call", "that of a plain tensor")
    return arguments[0].build(arguments[2])


def _ordered_dict(arguments: tuple[Any, ...]) -> dict[Any, Any]:
    if arguments:
        raise Refusal("makes a dictionary from arguments", "an empty one, then its items")
    return {}


def _size(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(arguments) != 1 or not _are_naturals(arguments[0]):
        raise Refusal("makes a shape from what is no sizes", "natural numbers")
    return tuple(arguments[0])


def _device(arguments: tuple[Any, ...]) -> str:
    return "device"


_PLAIN = (
    Constructor("torch._utils._rebuild_tensor", _rebuild_tensor),  # PyTorch before 0.4
    Constructor("torch._utils._rebuild_tensor_v2", _rebuild_tensor_v2),  # every tensor since
    Constructor("torch._utils._rebuild_tensor_v3", _rebuild_tensor_v3),  # types without a class of storage
)
_CONSTRUCTORS = (
    *_PLAIN,
    Constructor("torch._utils._rebuild_parameter", _rebuild_parameter),  # parameters saved as such
    Constructor("torch._utils._rebuild_parameter_with_state", _rebuild_parameter),  # and with attributes
    Constructor("torch._tensor._rebuild_from_type_v2", _rebuild_from_type),  # tensors with attributes, buffers
    Constructor("collections.OrderedDict", _ordered_dict),  # state dicts, and the hooks of every tensor
    Constructor("torch.Size", _size),  # shapes that tools note beside the tensors
    Constructor("torch.device", _device),  # and devices, of which only the fact is kept
)

#: Every word that a file may use.
WORDS: Mapping[str, Any] = {
    **{word.name: word for word in _CONSTRUCTORS},
    **{f"torch.{name}": StorageClass(ElementType(element)) for name, element in STORAGES.items()},
    # Bytes of no type: the tensor says it.
    **{f"torch.{room}UntypedStorage": StorageClass(ElementType("uint8")) for room in ("", "storage.")},
    # Types: the last argument of _rebuild_tensor_v3, and a setting that tools note beside the tensors.
    **{f"torch.{element}": ElementType(element) for element in (*STORAGES.values(), *UNTYPED)},
    # Classes that _rebuild_from_type_v2 is given.
    **{word: TensorClass() for word in ("torch.Tensor", "torch.nn.parameter.Parameter")},
}
