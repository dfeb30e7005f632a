"""What models of images share: their base class, and the parts that own no parameter."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from ..images import bicubic_weights, check_pixels, pixel_shape
from . import ops
from .model import PreTrainedModel


class ImageModel(PreTrainedModel):
    """Base of models that read images [B, C, Y, X]."""

    main_input_name = "pixel_values"

    @property
    def dummy_inputs(self) -> dict[str, Tensor]:
        """The least inputs that a call takes: one image."""
        return {self.main_input_name: torch.zeros(pixel_shape(self.config), dtype=self.dtype, device=self.device)}


def checked_pixels(images: Tensor | None, channels: int, size: Any = None) -> Tensor:
    """The images, if they are some that a model reads; arguments and errors are those of `check_pixels`."""
    check_pixels(None if images is None else tuple(images.shape), channels, size)
    return cast(Tensor, images)


class ChannelNorm(nn.LayerNorm):
    """Normalization over the channels of maps: [B, C, Y, X] -> [B, C, Y, X]."""

    def forward(self, maps: Tensor) -> Tensor:
        return super().forward(maps.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def resize_positions(positions: Tensor, source: tuple[int, int], target: tuple[int, int]) -> Tensor:
    """Positions of a grid as those of a grid of another size, between them by cubic convolution.

    [B, rows * columns, D] for `source` -> the same for `target`.
    """
    if source == target:
        return positions
    grid = ops.widen(positions).unflatten(1, source)  # [B, rows, columns, D]
    down, across = (torch.from_numpy(bicubic_weights(*sizes)).to(grid) for sizes in zip(source, target, strict=True))
    resized = torch.einsum("xr,byrd->byxd", across, torch.einsum("ys,bsrd->byrd", down, grid))
    return resized.flatten(1, 2).to(positions.dtype)


class DropPath(nn.Dropout):
    """In training, what a block adds, left out for a random part of the rows (Huang et al. 2016, arXiv 1603.09382).

    What stays is made larger, so that the mean is the same.
    """

    def forward(self, branch: Tensor) -> Tensor:
        kept = torch.ones((len(branch), *(1,) * (branch.dim() - 1)), dtype=branch.dtype, device=branch.device)
        return branch * super().forward(kept) if self.training and self.p > 0 else branch
