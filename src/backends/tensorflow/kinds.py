"""Which kind of layer each Keras layer is, for the table of layouts and that of initial values."""

from __future__ import annotations

from collections.abc import Mapping

from keras import layers

from ...conversion.layouts import RAW

KINDS: Mapping[type[layers.Layer], str] = {
    layers.Dense: "linear",
    layers.Embedding: "embedding",
    layers.LayerNormalization: "layer_norm",
}


def kind_of(layer: layers.Layer) -> str:
    """The kind of a layer, `raw` where none is known."""
    return next((kind for cls, kind in KINDS.items() if isinstance(layer, cls)), RAW)
