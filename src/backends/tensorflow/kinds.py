"""Which kind of layer each Keras layer is, for the table of layouts and that of initial values."""

from __future__ import annotations

from collections.abc import Mapping

from keras import layers

from ...conversion.layouts import RAW
from .layers import Conv1D, GroupNorm, Holder, RMSNorm, TiedBiasedDense, WeightNormConv1D

KINDS: Mapping[type[layers.Layer], str] = {
    layers.Dense: "linear",
    TiedBiasedDense: "linear",
    Conv1D: "linear_in_out",
    layers.Embedding: "embedding",
    layers.LayerNormalization: "layer_norm",
    RMSNorm: "rms_norm",
    GroupNorm: "group_norm",
    WeightNormConv1D: "weight_norm",
    layers.Conv1D: "conv_1d",
    layers.Conv2D: "conv_2d",
}


def kind_of(layer: layers.Layer) -> str:
    """The kind of a layer, `raw` where none is known."""
    return next((kind for cls, kind in KINDS.items() if isinstance(layer, cls)), RAW)


def note_sizes(layer: layers.Layer) -> None:
    """Bring what a layer says of its sizes in line with its parameters."""
    if isinstance(layer, layers.Dense):
        in_features, layer.units = layer.kernel.shape
        layer.in_features = in_features
        layer.input_spec = layers.InputSpec(min_ndim=2, axes={-1: in_features})
    elif isinstance(layer, Conv1D):
        layer.nx, layer.nf = layer.weight.shape
    elif isinstance(layer, layers.Embedding):
        layer.input_dim, layer.output_dim = layer.embeddings.shape
    elif isinstance(layer, Holder):
        layer.note_shapes()
