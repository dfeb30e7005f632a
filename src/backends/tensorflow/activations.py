"""Activations by the names that configurations use."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from ..activations import unknown_activation

Activation = Callable[[tf.Tensor], tf.Tensor]


def gelu(x: tf.Tensor) -> tf.Tensor:
    """x times the normal distribution function; TensorFlow's own has its constants in float32."""
    return 0.5 * x * (1.0 + tf.math.erf(x * math.sqrt(0.5)))


def gelu_tanh(x: tf.Tensor) -> tf.Tensor:
    """The tanh approximation of gelu (Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415)."""
    return 0.5 * x * (1.0 + tf.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x)))


def gelu_fast(x: tf.Tensor) -> tf.Tensor:
    """The same with sqrt(2 / pi) in ten digits, 4e-12 off: far enough to be another function in float64."""
    return 0.5 * x * (1.0 + tf.tanh(x * 0.7978845608 * (1.0 + 0.044715 * x * x)))


def quick_gelu(x: tf.Tensor) -> tf.Tensor:
    """The sigmoid approximation of gelu."""
    return x * tf.sigmoid(1.702 * x)


def gelu_10(x: tf.Tensor) -> tf.Tensor:
    """gelu, clipped to [-10, 10] (https://arxiv.org/abs/2004.09602)."""
    return tf.clip_by_value(gelu(x), -10, 10)


def laplace(x: tf.Tensor) -> tf.Tensor:
    """The distribution function of a normal with mean sqrt(1/2) and variance 1/(4 pi) (https://arxiv.org/abs/2209.10655)."""
    return 0.5 * (1.0 + tf.math.erf((x - 0.707107) / (0.282095 * math.sqrt(2.0))))


def leaky_relu(x: tf.Tensor) -> tf.Tensor:
    """x, a hundredth of it where it is negative."""
    return tf.where(x >= 0, x, 0.01 * x)


def mish(x: tf.Tensor) -> tf.Tensor:
    """x tanh(log(1 + exp(x))) (https://arxiv.org/abs/1908.08681)."""
    return x * tf.tanh(tf.math.softplus(x))


def relu_squared(x: tf.Tensor) -> tf.Tensor:
    """relu, squared (https://arxiv.org/abs/2109.08668)."""
    return tf.square(tf.nn.relu(x))


def silu(x: tf.Tensor) -> tf.Tensor:
    """x sigmoid(x)."""
    return x * tf.sigmoid(x)


def identity(x: Any) -> Any:
    """The input itself."""
    return x


ACTIVATIONS: Mapping[str, Activation] = {
    "gelu": gelu,
    "gelu_10": gelu_10,
    "gelu_accurate": gelu_tanh,
    "gelu_fast": gelu_fast,
    "gelu_new": gelu_tanh,
    "gelu_python": gelu,
    "gelu_pytorch_tanh": gelu_tanh,
    "laplace": laplace,
    "leaky_relu": leaky_relu,
    "linear": identity,
    "mish": mish,
    "quick_gelu": quick_gelu,
    "relu": tf.nn.relu,
    "relu2": relu_squared,
    "relu6": tf.nn.relu6,
    "sigmoid": tf.sigmoid,
    "silu": silu,
    "swish": silu,
    "tanh": tf.tanh,
}


def activation(name: str) -> Activation:
    """The activation of this name.

    Raises:
        ConfigurationError: There is none.
    """
    if name not in ACTIVATIONS:
        raise unknown_activation(name, ACTIVATIONS)
    return ACTIVATIONS[name]
