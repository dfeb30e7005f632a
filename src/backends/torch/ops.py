"""The array operations that neutral code asks for, in PyTorch; every framework's `ops` has the same functions."""

from __future__ import annotations

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
