"""What models of sounds share: their base class, random numbers, and the parts that own no parameter."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from ..noise import NoiseSource
from ..sounds import Draw, shortest_sound
from .model import PreTrainedModel


class SoundModel(PreTrainedModel):
    """Base of models that read sounds [B, S]."""

    main_input_name = "input_values"

    @property
    def dummy_inputs(self) -> dict[str, Tensor]:
        """The least inputs that a call takes: a sound of one frame."""
        sound = torch.zeros((1, shortest_sound(self.config)), dtype=self.dtype, device=self.device)
        return {self.main_input_name: sound}


def drawn(noise: NoiseSource | None, device: torch.device, name: str, shape: Sequence[int]) -> Tensor:
    """Numbers between 0 and 1 for a purpose: from a caller's source, or from PyTorch's global generator."""
    if noise is None:
        return torch.rand(tuple(shape), device=device).clamp_(min=2.0**-25)
    return torch.as_tensor(noise(name, tuple(shape)), dtype=torch.float32, device=device)


def draw_for(noise: NoiseSource | None, like: Tensor, is_training: bool) -> Draw | None:
    """Where a call's random numbers come from; None outside training, where there are none."""
    return partial(drawn, noise, like.device) if is_training else None


def left_out(draw: Draw | None, name: str, rate: float, before: Tensor, after: Tensor) -> Tensor:
    """What a layer answered; in training, with some probability, what it read (Fan et al. 2019, arXiv 1909.11556)."""
    if draw is None or rate == 0.0:
        return after
    return torch.where(draw(name, ()) < rate, before, after)


def gumbel(draw: Draw, name: str, like: Tensor) -> Tensor:
    """Noise that makes a choice of the largest sum a choice by probability; in the shape of another array."""
    return -torch.log(-torch.log(draw(name, tuple(like.shape)).to(like.dtype)))
