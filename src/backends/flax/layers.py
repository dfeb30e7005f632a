"""The modules that own parameters: linen's own, told their sizes, so that no trace is needed to know them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax.linen.dtypes import promote_dtype
from jax import Array

from ..checks import check_divides
from . import ops


class Dense(nn.Dense):
    """x kernel + bias: [..., in_features] -> [..., features]."""

    in_features: int = 0

    @nn.nowrap  # so that asking does not run `setup`
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Linen's name of each parameter -> its shape."""
        bias = {"bias": (self.features,)} if self.use_bias else {}
        return {"kernel": (self.in_features, self.features), **bias}


class Conv1D(nn.Module):
    """x kernel^T + bias, the linear layer of GPT-2, whose kernel in Flax is [out, in]: [..., nx] -> [..., nf].

    Attributes:
        nf: The width of what it gives.
        nx: The width of what it takes.
    """

    nf: int
    nx: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, inputs: Any) -> Array:
        kernel = self.param("kernel", nn.initializers.normal(0.02), (self.nf, self.nx))
        bias = self.param("bias", nn.initializers.zeros, (self.nf,))
        inputs, kernel, bias = promote_dtype(inputs, kernel, bias, dtype=self.dtype)
        return jnp.einsum("...i,oi->...o", inputs, kernel) + bias

    @nn.nowrap
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Linen's name of each parameter -> its shape."""
        return {"kernel": (self.nf, self.nx), "bias": (self.nf,)}


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


class ScaledEmbed(Embed):
    """Rows of a table, each multiplied with one number: [...] -> [..., features].

    Attributes:
        scale: The number.
    """

    scale: float = 1.0

    def __call__(self, inputs: Any) -> Array:
        rows = super().__call__(inputs)
        return rows if self.scale == 1.0 else rows * self.scale


class LayerDrop(nn.Module):
    """Leaves a layer out in training, with some probability (Fan et al. 2019, https://arxiv.org/abs/1909.11556).

    Attributes:
        rate: The probability.
    """

    rate: float

    def __call__(self, before: Array, after: Array, deterministic: bool = True) -> Array:
        """What a layer read and what it answered, either [B, T, D]: the first if the layer is left out."""
        if deterministic or self.rate == 0.0:
            return after
        return jnp.where(jax.random.uniform(self.make_rng("dropout")) < self.rate, before, after)


class TiedDense(nn.Module):
    """x table^T, where the table is that of an embedding: [..., features] -> [..., num_embeddings].

    Attributes:
        embedding: The module that holds the table.
    """

    embedding: nn.Module

    def __call__(self, inputs: Array) -> Array:
        return self.embedding.attend(inputs)


class TiedBiasedDense(TiedDense):
    """x table^T + bias, where the table is that of an embedding: [..., features of the embedding] -> [..., features].

    Attributes:
        features: The size of the bias, one number for each row of the table.
    """

    features: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, inputs: Array) -> Array:
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        return super().__call__(inputs) + bias.astype(self.dtype)

    @nn.nowrap
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Linen's name of each parameter -> its shape."""
        return {"bias": (self.features,)}


class LayerNorm(nn.LayerNorm):
    """Normalization over the last axis, of `size`; the variance is computed around the mean, which keeps its digits."""

    use_fast_variance: bool = False
    size: int = 0

    @nn.nowrap
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Linen's name of each parameter -> its shape."""
        return {"scale": (self.size,), "bias": (self.size,)}


class Conv(nn.Conv):
    """A convolution, by default without padding: [B, *space, in_features] -> [B, *space', features]."""

    in_features: int = 0
    padding: Any = "VALID"

    @nn.nowrap
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Linen's name of each parameter -> its shape."""
        bias = {"bias": (self.features,)} if self.use_bias else {}
        inner = self.in_features // self.feature_group_count
        return {"kernel": (*np.atleast_1d(self.kernel_size).tolist(), inner, self.features), **bias}


class GroupNorm(nn.Module):
    """Normalization of each channel over time, a group for each: [B, T, size] -> the same.

    Attributes:
        size: How many channels there are.
        epsilon: What is added to the variance.
    """

    size: int
    epsilon: float = 1e-5
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, inputs: Any) -> Array:
        scale = self.param("scale", nn.initializers.ones, (self.size,))
        bias = self.param("bias", nn.initializers.zeros, (self.size,))
        inputs, scale, bias = promote_dtype(inputs, scale, bias, dtype=self.dtype)
        wide = ops.widen(inputs)
        distance = wide - wide.mean(1, keepdims=True)
        normal = distance * jax.lax.rsqrt(jnp.square(distance).mean(1, keepdims=True) + self.epsilon)
        return normal.astype(inputs.dtype) * scale + bias

    @nn.nowrap
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Linen's name of each parameter -> its shape."""
        return {"scale": (self.size,), "bias": (self.size,)}


class WeightNormConv1D(nn.Module):
    """A convolution in groups with a weight that is a length for each position times a direction.

    Its input is padded on both sides: [B, T, C] -> [B, T or T + 1, C].

    Attributes:
        channels: C.
        kernel_size: K; where it is even there is one frame more.
        groups: Groups of channels.
    """

    channels: int
    kernel_size: int
    groups: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, inputs: Any) -> Array:
        shapes = self.parameter_shapes()
        length = self.param("weight_g", nn.initializers.ones, shapes["weight_g"])
        direction = self.param("weight_v", nn.initializers.normal(1.0), shapes["weight_v"])
        bias = self.param("bias", nn.initializers.zeros, shapes["bias"])
        inputs, length, direction, bias = promote_dtype(inputs, length, direction, bias, dtype=self.dtype)
        weight = direction * (length / jnp.sqrt(jnp.square(direction).sum((0, 1), keepdims=True)))
        padding = [(self.kernel_size // 2, self.kernel_size // 2)]
        axes = ("NWC", "OIW", "NWC")
        return jax.lax.conv_general_dilated(inputs, weight, (1,), padding, (1,), (1,), axes, self.groups) + bias

    @nn.nowrap
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Linen's name of each parameter -> its shape."""
        inner = self.channels // self.groups
        return {
            "weight_g": (1, 1, self.kernel_size),
            "weight_v": (self.channels, inner, self.kernel_size),
            "bias": (self.channels,),
        }


class RMSNorm(nn.Module):
    """Division by the root of the mean square (Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467).

    Attributes:
        size: The width of what it normalizes, [..., size].
        epsilon: What is added to the mean square.
    """

    size: int
    epsilon: float
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, inputs: Any) -> Array:
        weight = self.param("weight", nn.initializers.ones, (self.size,))
        inputs, weight = promote_dtype(inputs, weight, dtype=self.dtype)
        wide = ops.widen(inputs)
        normal = wide * jax.lax.rsqrt(jnp.square(wide).mean(-1, keepdims=True) + self.epsilon)
        return weight * normal.astype(weight.dtype)

    @nn.nowrap
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Linen's name of each parameter -> its shape."""
        return {"weight": (self.size,)}


class Stack(nn.Module):
    """Modules of one class, named 0, 1, 2, ...: the tree that existing Flax checkpoints have.

    Attributes:
        module_class: The class.
        arguments: What each is made from.
    """

    module_class: Any
    arguments: tuple[tuple[Any, ...], ...]

    def setup(self) -> None:
        self.items = [self.module_class(*each, name=str(index)) for index, each in enumerate(self.arguments)]

    def __iter__(self) -> Iterator[nn.Module]:
        return iter(self.items)


def checkpointed(layer: nn.Module, is_on: bool) -> Callable[..., Any]:
    """A layer whose intermediate values the backward pass computes again instead of keeping them, if that is on.

    The last argument of its call says whether dropout is off; the others are arrays or None.
    """
    if not is_on:
        return layer

    def call(*args: Any) -> Any:
        return nn.remat(type(layer).__call__, static_argnums=(len(args),))(layer, *args)  # linen counts the layer too

    return call


def in_chunks(function: Callable[[Array], Array], hidden: Array, size: int) -> Array:
    """A function of single positions, applied to `size` positions at a time to save memory; to all at once if 0.

    Args:
        function: [B, t, D] -> [B, t, D].
        hidden: [B, T, D].
        size: Positions at a time; must divide T.

    Raises:
        InputError: It does not.
    """
    if size == 0:
        return function(hidden)
    check_divides(size, hidden.shape[1])
    pieces = jnp.split(hidden, hidden.shape[1] // size, axis=1)
    return jnp.concatenate([function(piece) for piece in pieces], axis=1)


def walk(module: nn.Module, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], nn.Module]]:
    """Every module below a bound one, with the names that lead to it; nothing is traced or computed.

    Linen runs `setup` when an attribute is first asked for; what it made is then among the module's attributes.
    """
    yield path, module
    if hasattr(type(module), "parameter_shapes") and not getattr(type(module), "has_parts", False):
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
