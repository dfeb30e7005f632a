"""Activations by the names that configurations use."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..activations import unknown_activation

Activation = Callable[[Tensor], Tensor]


def gelu_tanh(x: Tensor) -> Tensor:
    """The tanh approximation of gelu (Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415)."""
    return F.gelu(x, approximate="tanh")


def gelu_fast(x: Tensor) -> Tensor:
    """The same with sqrt(2 / pi) in ten digits, 4e-12 off: far enough to be another function in float64."""
    return 0.5 * x * (1.0 + torch.tanh(x * 0.7978845608 * (1.0 + 0.044715 * x * x)))


def quick_gelu(x: Tensor) -> Tensor:
    """The sigmoid approximation of gelu."""
    return x * torch.sigmoid(1.702 * x)


def gelu_10(x: Tensor) -> Tensor:
    """gelu, clipped to [-10, 10] (https://arxiv.org/abs/2004.09602)."""
    return torch.clamp(F.gelu(x), -10, 10)


def laplace(x: Tensor) -> Tensor:
    """The distribution function of a normal with mean sqrt(1/2) and variance 1/(4 pi) (https://arxiv.org/abs/2209.10655)."""
    return 0.5 * (1.0 + torch.erf((x - 0.707107) / (0.282095 * math.sqrt(2.0))))


def relu_squared(x: Tensor) -> Tensor:
    """relu, squared (https://arxiv.org/abs/2109.08668)."""
    return torch.square(F.relu(x))


def identity(x: Any) -> Any:
    """The input itself."""
    return x


ACTIVATIONS: Mapping[str, Activation] = {
    "gelu": F.gelu,
    "gelu_10": gelu_10,
    "gelu_accurate": gelu_tanh,
    "gelu_fast": gelu_fast,
    "gelu_new": gelu_tanh,
    "gelu_python": F.gelu,
    "gelu_pytorch_tanh": gelu_tanh,
    "laplace": laplace,
    "leaky_relu": F.leaky_relu,
    "linear": identity,
    "mish": F.mish,
    "quick_gelu": quick_gelu,
    "relu": F.relu,
    "relu2": relu_squared,
    "relu6": F.relu6,
    "sigmoid": torch.sigmoid,
    "silu": F.silu,
    "swish": F.silu,
    "tanh": torch.tanh,
}


def activation(name: str) -> Activation:
    """The activation of this name.

    Raises:
        ConfigurationError: There is none.
    """
    if name not in ACTIVATIONS:
        raise unknown_activation(name, ACTIVATIONS)
    return ACTIVATIONS[name]
