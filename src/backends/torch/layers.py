"""GPT-2's linear layer, and what layers of every architecture can do: be computed again, work on a piece at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..cache import LayerCacheBase
from ..checks import check_divides


class Conv1D(nn.Module):
    """x weight + bias, the linear layer of GPT-2, whose weight is [in, out]: [..., nx] -> [..., nf].

    Args:
        nf: The width of what it gives.
        nx: The width of what it takes.
    """

    def __init__(self, nf: int, nx: int) -> None:
        super().__init__()
        self.nf, self.nx = nf, nx
        self.weight = nn.Parameter(torch.empty(nx, nf))
        self.bias = nn.Parameter(torch.empty(nf))
        nn.init.normal_(self.weight, std=0.02)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        return torch.addmm(self.bias, rows, self.weight).view(*x.shape[:-1], -1)

    def extra_repr(self) -> str:
        """The sizes, for `print`."""
        return f"nf={self.nf}, nx={self.nx}"


class CheckpointedLayer(nn.Module):
    """A layer whose intermediate values the backward pass may compute again instead of keeping them.

    A call that adds to a cache is not made twice.

    Attributes:
        checkpoint: PyTorch's function that does so, None while it is off.
    """

    checkpoint: Callable[..., Any] | None = None

    def __call__(self, *args: Any) -> Any:
        is_adding = any(isinstance(value, LayerCacheBase) for value in args)
        if self.checkpoint is None or not self.training or is_adding:
            return super().__call__(*args)
        return self.checkpoint(super().__call__, *args)


def in_chunks(function: Callable[[Tensor], Tensor], hidden: Tensor, size: int) -> Tensor:
    """A function of single positions, applied to `size` positions at a time to save memory; to all at once if 0.

    Args:
        function: [B, t, D] -> [B, t, D].
        hidden: [B, T, D].
        size: Positions at a time; must divide T.

    Raises:
        InputError: It does not.
    """
    if size == 0:
        return function(hidden)
    check_divides(size, hidden.shape[1])
    return torch.cat([function(piece) for piece in hidden.split(size, 1)], 1)
