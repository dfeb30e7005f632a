"""The modules that own parameters: linen's own, told their sizes, so that no trace is needed to know them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array


class Dense(nn.Dense):
    """x kernel + bias: [..., in_features] -> [..., features]."""

    in_features: int = 0

    @nn.nowrap  # so that asking does not run `setup`
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Linen's name of each parameter -> its shape."""
        bias = {"bias": (self.features,)} if self.use_bias else {}
        return {"kernel": (self.in_features, self.features), **bias}


class Embed(nn.Embed):
    """Rows of a table: [...] -> [..., features].

    Attributes:
        padding: The index of a row that learns nothing, as PyTorch's `padding_idx`.
    """

    padding: int | None = None

    def __call__(self, inputs: Any) -> Array:
        rows = super().__call__(inputs)
        if self.padding is None:
            return rows
        return jnp.where((inputs == self.padding % self.num_embeddings)[..., None], jax.lax.stop_gradient(rows), rows)

    @nn.nowrap
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Linen's name of each parameter -> its shape."""
        return {"embedding": (self.num_embeddings, self.features)}


class LayerNorm(nn.LayerNorm):
    """Normalization over the last axis, of `size`; the variance is computed around the mean, which keeps its digits."""

    use_fast_variance: bool = False
    size: int = 0

    @nn.nowrap
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Linen's name of each parameter -> its shape."""
        return {"scale": (self.size,), "bias": (self.size,)}


class Stack(nn.Module):
    """`count` modules of one class, named 0, 1, 2, ...: the tree that existing Flax checkpoints have.

    Attributes:
        module_class: The class.
        count: How many.
        config: Their first argument.
        dtype: Their second.
    """

    module_class: Any
    count: int
    config: Any
    dtype: Any

    def setup(self) -> None:
        self.items = [self.module_class(self.config, self.dtype, name=str(index)) for index in range(self.count)]

    def __iter__(self) -> Iterator[nn.Module]:
        return iter(self.items)


def walk(module: nn.Module, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], nn.Module]]:
    """Every module below a bound one, with the names that lead to it; nothing is traced or computed.

    Linen runs `setup` when an attribute is first asked for; what it made is then among the module's attributes.
    """
    yield path, module
    if hasattr(module, "parameter_shapes"):
        return
    hasattr(module, "no_such_attribute")  # makes linen run `setup`
    for value in list(vars(module).values()):
        for child in _modules(value):
            if child.name is not None and child.path == (*module.path, child.name):
                yield from walk(child, (*path, child.name))


def _modules(value: Any) -> Iterator[nn.Module]:
    if isinstance(value, nn.Module):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _modules(item)
