"""A user's own Flax model: known modules, and one with a parameter of its own; a base and a head."""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from tests.auto.own import ScalerConfig
from triformers import FlaxPreTrainedModel


class Scaler(nn.Module):
    """A module of no kind that the library knows, with values of its own making."""

    @nn.compact
    def __call__(self, x: Array) -> Array:
        return x * self.param("scale", nn.initializers.uniform(1.0), (x.shape[-1],), jnp.float32)


class ScalerModule(nn.Module):
    """The network."""

    config: ScalerConfig
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, pixels: Array) -> Array:
        hidden = jnp.tanh(nn.Dense(self.config.features, dtype=self.dtype, name="dense")(pixels))
        return Scaler(name="scaler")(nn.LayerNorm(dtype=self.dtype, name="norm")(hidden))


class ScalerForImageClassificationModule(nn.Module):
    """The network with a head."""

    config: ScalerConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        self.network = ScalerModule(self.config, self.dtype)
        self.head = nn.Dense(self.config.num_labels, dtype=self.dtype)

    def __call__(self, pixels: Array, weights: Array) -> dict[str, Array]:
        return {"logits": self.head(self.network(pixels * weights))}


class ScalerPreTrainedModel(FlaxPreTrainedModel):
    """Holds the module, as the classes of the ecosystem do."""

    config_class = ScalerConfig
    main_input_name = "pixels"

    def __init__(
        self,
        config: ScalerConfig,
        input_shape: tuple[int, ...] | None = None,
        seed: int = 0,
        dtype: Any = jnp.float32,
        _do_init: bool = True,
        **kwargs: Any,
    ) -> None:
        module = self.module_class(config=config, dtype=dtype, **kwargs)
        shape = input_shape or (1, config.width)
        super().__init__(config, module, input_shape=shape, seed=seed, dtype=dtype, _do_init=_do_init)

    def __call__(self, pixels: Any, params: Any = None) -> Any:
        return self.module.apply({"params": params or self.params}, jnp.asarray(pixels))


class ScalerModel(ScalerPreTrainedModel):
    """The bare network."""

    module_class = ScalerModule


class ScalerModelForImageClassification(ScalerPreTrainedModel):
    """The network with a head and a second input, so that it says itself how its parameters are made."""

    module_class = ScalerForImageClassificationModule

    def init_weights(self, rng: Array, input_shape: tuple[int, ...], params: Any = None) -> Any:
        pixels = jnp.zeros(input_shape, jnp.float32)
        return self.module.init({"params": rng}, pixels, jnp.ones_like(pixels))["params"]

    def __call__(self, pixels: Any, params: Any = None) -> Any:
        pixels = jnp.asarray(pixels)
        return self.module.apply({"params": params or self.params}, pixels, jnp.ones_like(pixels))


def train(model: Any, pixels: np.ndarray) -> None:
    """One step that moves every parameter."""

    def loss(params: Any) -> Array:
        answer = model(pixels, params=params)
        return jnp.mean((answer["logits"] if isinstance(answer, dict) else answer) ** 2)

    gradients = jax.grad(loss)(model.params)
    model.params = jax.tree.map(lambda value, gradient: value - 0.1 * gradient, model.params, gradients)


def run(model: Any, pixels: np.ndarray) -> np.ndarray:
    """The answer to a batch."""
    answer = model(pixels)
    return np.asarray(answer["logits"] if isinstance(answer, dict) else answer)
