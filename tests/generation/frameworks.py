"""What tests of rules need of a framework: its arrays, and a function compiled as its searches are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def array_of(backend: str) -> Callable[[Any], Any]:
    """What makes a framework's array of a NumPy array."""
    if backend == "torch":
        import torch

        return lambda array: torch.from_numpy(np.array(array))
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.constant
    import jax.numpy as jnp

    return jnp.asarray


def compiled(backend: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose arguments are traced; PyTorch runs it as it is."""
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function, jit_compile=True, autograph=False)
    if backend == "flax":
        import jax

        return jax.jit(function)
    return function


def at_once(backend: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, in JAX compiled: one compilation is faster there than one for each operation."""
    return compiled(backend, function) if backend == "flax" else function


def traced(backend: str, number: int) -> Any:
    """A number as an argument of a compiled function; PyTorch is given numbers."""
    return number if backend == "torch" else array_of(backend)(np.int32(number))


def numpy_of(array: Any) -> np.ndarray:
    """A framework's array as NumPy's."""
    return np.asarray(array.detach() if hasattr(array, "detach") else array)
