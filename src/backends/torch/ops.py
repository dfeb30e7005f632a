"""The array operations that neutral code asks for, in PyTorch; every framework's `ops` has the same functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

abs = torch.abs
exp = torch.exp
log1p = torch.log1p
mean = torch.mean
sum = torch.sum
reshape = torch.reshape


def where(condition: Tensor, yes: Tensor | float, no: Tensor | float) -> Tensor:
    """`yes` where the condition holds, else `no`."""
    return torch.where(condition, yes, no)


def maximum(array: Tensor, floor: float) -> Tensor:
    """Every element, at least `floor`."""
    return torch.clamp(array, min=floor)


def clip(array: Tensor, low: int, high: int) -> Tensor:
    """Every element, at least `low` and at most `high`."""
    return torch.clamp(array, low, high)


def shape(array: Tensor) -> tuple[int, ...]:
    """The array's shape."""
    return tuple(array.shape)


def is_integer(array: Tensor) -> bool:
    """Whether the elements are whole numbers."""
    return not array.is_floating_point()


def widen(array: Tensor) -> Tensor:
    """The array in float32 if it is narrower."""
    return array.float() if array.dtype in (torch.float16, torch.bfloat16) else array


def cast_like(array: Tensor, example: Tensor) -> Tensor:
    """The array in the type of another."""
    return array.to(example.dtype)


def log_softmax(logits: Tensor) -> Tensor:
    """Log-probabilities over the last axis."""
    return torch.log_softmax(logits, -1)


def take_along_last(array: Tensor, indices: Tensor) -> Tensor:
    """One element of each row: [B, L], [B] -> [B]."""
    return torch.take_along_dim(array, indices.long()[..., None], -1)[..., 0]


def full_like(array: Tensor, value: float) -> Tensor:
    """An array of one value, with the type and shape of another."""
    return torch.full_like(array, value)


def count(mask: Tensor) -> Tensor:
    """The sum of each row of ones and zeros, whole numbers: [B, L] -> [B]."""
    return mask.sum(-1, dtype=torch.long)


# ---- what searches ask for ----------------------------------------------------------------------------------

log = torch.log
all = torch.all
max = torch.max
any = torch.any


def minimum(array: Tensor, ceiling: float) -> Tensor:
    """Every element, at most `ceiling`."""
    return torch.clamp(array, max=ceiling)


def cast(array: Tensor, dtype: str) -> Tensor:
    """The array in the type of this name."""
    return array.to(getattr(torch, dtype))


def arange(size: int, like: Tensor) -> Tensor:
    """0, 1, 2, ... in the type of another array: [size]."""
    return torch.arange(size, dtype=like.dtype, device=like.device)


def full(shape: tuple[int, ...], value: float, like: Tensor, dtype: str | None = None) -> Tensor:
    """An array of one value, in the type of another or of a name, and where the other is."""
    return torch.full(shape, value, dtype=like.dtype if dtype is None else getattr(torch, dtype), device=like.device)


def shift_right(array: Tensor, bits: int) -> Tensor:
    """The bits of int32 elements moved to the right, zeros from the left."""
    return (array >> bits) & ((1 << (32 - bits)) - 1)


def log_probabilities(scores: Tensor) -> Tensor:
    """Log-probabilities of a search: [R, V]."""
    return log_softmax(scores)


def argmax(array: Tensor) -> Tensor:
    """Where the largest element of each row is: [..., L] -> [...]."""
    return torch.argmax(array, -1)


def top_k(array: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The largest elements of each row and where they are, the largest first: [B, L] -> [B, count] twice."""
    return torch.topk(array, count)


def concatenate(arrays: list[Tensor], axis: int) -> Tensor:
    """Arrays one after the other."""
    return torch.cat(arrays, axis)


def cumsum(array: Tensor) -> Tensor:
    """Sums from the left along the last axis, in the array's own type."""
    return torch.cumsum(array, -1, dtype=array.dtype)


def repeat_rows(array: Tensor, times: int) -> Tensor:
    """Every row several times, its copies beside it: [B, ...] -> [B * times, ...]."""
    return array.repeat_interleave(times, 0)


def take_rows(array: Tensor, rows: Tensor) -> Tensor:
    """Some rows: [B, ...], [M] -> [M, ...]."""
    return array.index_select(0, rows)


def take_beams(array: Tensor, indices: Tensor) -> Tensor:
    """Other beams of each row: [B, K, ...], [B, M] -> [B, M, ...]."""
    return array[torch.arange(len(array), device=array.device)[:, None], indices]


def write(array: Tensor, values: Tensor, at: int) -> Tensor:
    """The array [..., L] with values [...] at one position of the last axis; it may be the same array, changed."""
    array[..., at] = values
    return array


def column(array: Tensor, at: int) -> Tensor:
    """One place of the second axis: [B, L, ...] -> [B, ...]."""
    return array[:, at]


def row(array: Tensor, at: int) -> Tensor:
    """One place of the first axis: [L, ...] -> [...]."""
    return array[at]


def all_of_rows(array: Tensor) -> Tensor:
    """Whether all of each row are true: [B, L] -> [B]."""
    return array.all(-1)


def any_of_rows(array: Tensor) -> Tensor:
    """Whether any of each row is true: [B, L] -> [B]."""
    return array.any(-1)


def min_of_rows(array: Tensor) -> Tensor:
    """The smallest of each row: [B, L] -> [B]."""
    return array.amin(-1)


def max_of_rows(array: Tensor) -> Tensor:
    """The largest of each row: [..., L] -> [...]."""
    return array.amax(-1)


def norm_of_rows(array: Tensor) -> Tensor:
    """The length of each row, as a vector: [..., L] -> [...]."""
    return torch.linalg.vector_norm(array, dim=-1)


def products(left: Tensor, right: Tensor) -> Tensor:
    """The inner product of every vector with every other: [B, M, D], [B, N, D] -> [B, M, N]."""
    return left @ right.transpose(-1, -2)


# ---- what rules ask for -------------------------------------------------------------------------------------


def softmax(logits: Tensor) -> Tensor:
    """Probabilities over the last axis."""
    return torch.softmax(logits, -1)


def sort(array: Tensor) -> Tensor:
    """Each row's elements, the smallest first."""
    return torch.sort(array)[0]


def argsort(array: Tensor) -> Tensor:
    """Where each row's elements are, the smallest first; of equals, the first first."""
    return torch.argsort(array, stable=True)


def constant(array: np.ndarray, like: Tensor) -> Tensor:
    """A NumPy array as one of this framework, where another is."""
    return torch.from_numpy(array).to(like.device)


def take_columns(array: Tensor, columns: Tensor) -> Tensor:
    """Some columns: [B, L], [M] -> [B, M]."""
    return array[:, columns]


def put(array: Tensor, tokens: Tensor, values: Tensor | float, flags: Tensor | None = None) -> Tensor:
    """The array [B, V] with values at some tokens of each row, both [B, L], where there is a flag if there are any."""
    size = array.shape[-1]
    if flags is not None:
        tokens = torch.where(flags, tokens, size)
    wide = torch.nn.functional.pad(array, (0, 1))  # with a place for what has no flag
    return wide.scatter_(1, tokens.long(), values)[:, :size]


def add_to_tokens(array: Tensor, tokens: Tensor, values: Tensor) -> Tensor:
    """The array with values added at some tokens, which may repeat: [B, V], [N], [B, N] -> [B, V]."""
    return array.index_add(1, tokens, values)


def largest(array: Tensor) -> float:
    """The largest number of the array's type; the smallest is its negative."""
    return torch.finfo(array.dtype).max


def host(function: Callable[..., Any], shape: tuple[int, ...], dtype: str, *arrays: Any) -> Tensor:
    """What a Python function of the arrays' values gives, an array of this shape and type."""
    answer = torch.as_tensor(function(*arrays), dtype=getattr(torch, dtype), device=arrays[0].device)
    return answer.reshape(shape)
