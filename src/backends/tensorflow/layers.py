"""The layers that own parameters: Keras' own, told their sizes, so that they can be built before any call.

A size that is known when the layer is made gives every parameter a slot before a single value is there; the value
then becomes the variable, without an initial one in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import keras
import tensorflow as tf

#: The values of the layer that is being built; no attribute, for Keras would track it as a part of the layer.
_first_values: ContextVar[Mapping[str, tf.Tensor] | None] = ContextVar("first_values", default=None)


class Sized(keras.layers.Layer):
    """A layer that knows the shapes of its parameters before it is built."""

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Keras' name of each parameter -> its shape."""
        raise NotImplementedError

    def build_with(self, values: Mapping[str, tf.Tensor]) -> None:
        """Create the variables with these values, or give them these values where they are there already."""
        if self.built:
            for variable in self.variables:
                if variable.name in values:
                    variable.assign(values[variable.name])
            return
        token = _first_values.set(values)
        try:
            self.build(self.shape_to_build())
        finally:
            _first_values.reset(token)

    def shape_to_build(self) -> tuple[int | None, ...] | None:
        """What Keras' `build` wants to be told."""
        return None

    def add_weight(self, *args: Any, name: str | None = None, **kwargs: Any) -> Any:
        """Keras' `add_weight`, with the value at hand as the initial one."""
        values = _first_values.get() or {}
        if name is not None and name in values:
            kwargs["initializer"] = lambda shape, dtype: values[name]
        return super().add_weight(*args, name=name, **kwargs)


class Dense(Sized, keras.layers.Dense):
    """x kernel + bias: [..., in_features] -> [..., units]."""

    def __init__(self, in_features: int, units: int, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.in_features = in_features

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        bias = {"bias": (self.units,)} if self.use_bias else {}
        return {"kernel": (self.in_features, self.units), **bias}

    def shape_to_build(self) -> tuple[int | None, ...]:
        return (None, self.in_features)


class Embedding(Sized, keras.layers.Embedding):
    """Rows of a table: [...] -> [..., output_dim].

    Args:
        padding: The index of a row that learns nothing, as PyTorch's `padding_idx`.
    """

    def __init__(self, input_dim: int, output_dim: int, *, padding: int | None = None, **kwargs: Any) -> None:
        super().__init__(input_dim, output_dim, **kwargs)
        self.padding = None if padding is None else padding % input_dim

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        rows: Any = super().call(inputs)
        if self.padding is None:
            return rows
        is_padding = tf.expand_dims(tf.equal(inputs, self.padding), -1)
        return tf.where(is_padding, tf.stop_gradient(rows), rows)

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        return {"embeddings": (self.input_dim, self.output_dim)}


class LayerNorm(Sized, keras.layers.LayerNormalization):
    """Normalization over the last axis, of `size`."""

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        return {"gamma": (self.size,), "beta": (self.size,)}

    def shape_to_build(self) -> tuple[int | None, ...]:
        return (None, self.size)
