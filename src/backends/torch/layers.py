"""GPT-2's linear layer, and what layers of every architecture can do: be computed again, work on a piece at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..cache import LayerCacheBase
from ..checks import check_divides
from . import ops


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


class ScaledEmbedding(nn.Embedding):
    """Rows of a table, each multiplied with one number: [...] -> [..., embedding_dim].

    Args:
        rows: How many there are.
        width: The size of each.
        padding: The index of a row that learns nothing.
        scale: The number.
    """

    def __init__(self, rows: int, width: int, padding: int | None = None, scale: float = 1.0) -> None:
        super().__init__(rows, width, padding)
        self.scale = scale

    def forward(self, input: Tensor) -> Tensor:
        rows = super().forward(input)
        return rows if self.scale == 1.0 else rows * self.scale


class LayerDrop(nn.Module):
    """Leaves a layer out in training, with some probability (Fan et al. 2019, https://arxiv.org/abs/1909.11556).

    Args:
        rate: The probability.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        """What a layer read and what it answered, either [B, T, D]: the first if the layer is left out."""
        if not self.training or self.rate == 0.0:
            return after
        return torch.where(torch.rand((), device=after.device) < self.rate, before, after)


class RMSNorm(nn.Module):
    """Division by the root of the mean square (Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467).

    Args:
        size: The width of what it normalizes, [..., size].
        eps: What is added to the mean square.
    """

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, hidden: Tensor) -> Tensor:
        wide = ops.widen(hidden)
        if wide.dtype == self.weight.dtype:
            return F.rms_norm(wide, self.weight.shape, self.weight, self.eps)
        return self.weight * F.rms_norm(wide, self.weight.shape, eps=self.eps).to(self.weight.dtype)

    def extra_repr(self) -> str:
        """The sizes, for `print`."""
        return f"{len(self.weight)}, eps={self.eps}"


class WeightNorm(nn.Module):
    """A weight that is a length for each position times a direction, under PyTorch's names (Salimans and Kingma 2016).

    Args:
        shape: [out, in, K] of the weight; the lengths are [1, 1, K].
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.original0 = nn.Parameter(torch.empty(1, 1, shape[-1]))
        self.original1 = nn.Parameter(torch.empty(shape))
        nn.init.ones_(self.original0)
        nn.init.normal_(self.original1)

    def forward(self) -> Tensor:
        return self.original1 * (self.original0 / torch.linalg.vector_norm(self.original1, dim=(0, 1), keepdim=True))


class WeightNormConv1d(nn.Module):
    """A convolution in groups with a normed weight, its input padded on both sides: [B, C, T] -> [B, C, T or T + 1].

    Args:
        channels: C.
        kernel_size: K; where it is even there is one frame more.
        groups: Groups of channels.
    """

    def __init__(self, channels: int, kernel_size: int, groups: int) -> None:
        super().__init__()
        self.padding, self.groups = kernel_size // 2, groups
        self.parametrizations = nn.ModuleDict({"weight": WeightNorm((channels, channels // groups, kernel_size))})
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, hidden: Tensor) -> Tensor:
        weight = self.parametrizations["weight"]()
        return F.conv1d(hidden, weight, self.bias, padding=self.padding, groups=self.groups)


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
