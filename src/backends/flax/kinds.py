"""Which kind of layer each linen module is, for the table of layouts and that of initial values."""

from __future__ import annotations

from collections.abc import Mapping

import flax.linen as nn
import numpy as np

from ...conversion.layouts import RAW
from .layers import Conv1D, GroupNorm, RMSNorm, TiedBiasedDense, WeightNormConv1D

KINDS: Mapping[type[nn.Module], str] = {
    nn.Dense: "linear",
    TiedBiasedDense: "linear",
    Conv1D: "linear_in_out",
    nn.Embed: "embedding",
    nn.LayerNorm: "layer_norm",
    RMSNorm: "rms_norm",
    GroupNorm: "group_norm",
    WeightNormConv1D: "weight_norm",
}


def kind_of(module: nn.Module) -> str:
    """The kind of a module, `raw` where none is known."""
    if isinstance(module, nn.Conv):  # one class, however many axes of space there are
        return f"conv_{np.size(module.kernel_size)}d"
    return next((kind for cls, kind in KINDS.items() if isinstance(module, cls)), RAW)
