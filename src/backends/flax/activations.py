"""Activations by the names that configurations use."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ..activations import unknown_activation

Activation = Callable[[Array], Array]


def gelu(x: Array) -> Array:
    """x times the normal distribution function."""
    return jax.nn.gelu(x, approximate=False)


def gelu_tanh(x: Array) -> Array:
    """The tanh approximation of gelu (Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415)."""
    return 0.5 * x * (1.0 + jnp.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x)))


def gelu_fast(x: Array) -> Array:
    """The same with sqrt(2 / pi) in ten digits, 4e-12 off: far enough to be another function in float64."""
    return 0.5 * x * (1.0 + jnp.tanh(x * 0.7978845608 * (1.0 + 0.044715 * x * x)))


def quick_gelu(x: Array) -> Array:
    """The sigmoid approximation of gelu."""
    return x * jax.nn.sigmoid(1.702 * x)


def gelu_10(x: Array) -> Array:
    """gelu, clipped to [-10, 10] (https://arxiv.org/abs/2004.09602)."""
    return jnp.clip(gelu(x), -10, 10)


def laplace(x: Array) -> Array:
    """The distribution function of a normal with mean sqrt(1/2) and variance 1/(4 pi) (https://arxiv.org/abs/2209.10655)."""
    return 0.5 * (1.0 + jax.lax.erf((x - 0.707107) / (0.282095 * math.sqrt(2.0))))


def leaky_relu(x: Array) -> Array:
    """x, a hundredth of it where it is negative."""
    return jnp.where(x >= 0, x, 0.01 * x)


def mish(x: Array) -> Array:
    """x tanh(log(1 + exp(x))) (https://arxiv.org/abs/1908.08681)."""
    return x * jnp.tanh(jax.nn.softplus(x))


def relu_squared(x: Array) -> Array:
    """relu, squared (https://arxiv.org/abs/2109.08668)."""
    return jnp.square(jax.nn.relu(x))


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
    "relu": jax.nn.relu,
    "relu2": relu_squared,
    "relu6": jax.nn.relu6,
    "sigmoid": jax.nn.sigmoid,
    "silu": jax.nn.silu,
    "swish": jax.nn.silu,
    "tanh": jnp.tanh,
}


def activation(name: str) -> Activation:
    """The activation of this name.

    Raises:
        ConfigurationError: There is none.
    """
    if name not in ACTIVATIONS:
        raise unknown_activation(name, ACTIVATIONS)
    return ACTIVATIONS[name]
