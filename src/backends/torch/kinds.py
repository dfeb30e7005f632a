"""Which kind of layer each PyTorch module is, for the table of layouts and that of initial values."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from ...conversion.layouts import RAW
from .layers import Conv1D, RMSNorm, WeightNorm, WeightNormConv1d

KINDS: Mapping[type[nn.Module], str] = {
    nn.Linear: "linear",
    Conv1D: "linear_in_out",
    nn.Embedding: "embedding",
    nn.LayerNorm: "layer_norm",
    RMSNorm: "rms_norm",
    nn.Conv1d: "conv_1d",
    nn.Conv2d: "conv_2d",
    nn.GroupNorm: "group_norm",
    WeightNorm: "weight_norm",
    WeightNormConv1d: "weight_norm",
}


def kind_of(module: nn.Module) -> str:
    """The kind of a module, `raw` where none is known."""
    return next((kind for cls, kind in KINDS.items() if isinstance(module, cls)), RAW)


def note_sizes(module: nn.Module) -> None:
    """Bring what a layer says of its sizes in line with its parameters."""
    if isinstance(module, nn.Linear):
        module.out_features, module.in_features = module.weight.shape
    elif isinstance(module, Conv1D):
        module.nx, module.nf = module.weight.shape
    elif isinstance(module, nn.Embedding):
        module.num_embeddings, module.embedding_dim = module.weight.shape
