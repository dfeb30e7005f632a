"""JAX, for the harness."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import optax

import triformers
from triformers.outputs import dotted

PREFIX = "Flax"


def prepare(device: str) -> None:
    """Pin the precision, so that the device computes what it is asked to."""
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_default_matmul_precision", "highest")
    jax.config.update("jax_platforms", {"cpu": "cpu", "gpu": "cuda", "tpu": "tpu"}[device])


def model_class(stem: str) -> Any:
    """The class of this name."""
    return getattr(triformers, PREFIX + stem)


def load(stem: str, folder: Any, dtype: str, **kwargs: Any) -> Any:
    """A checkpoint, every parameter in `dtype`."""
    return model_class(stem).from_pretrained(folder, dtype=dtype, param_dtype=dtype, **kwargs)


def forward(model: Any, inputs: dict[str, np.ndarray], **options: Any) -> dict[str, np.ndarray]:
    """The outputs of a call by flat name."""
    return {name: np.asarray(value) for name, value in dotted(model(**inputs, **options))}


def forward_as_float32(model: Any, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The outputs of a call, whatever type they are computed in, widened to what NumPy knows."""
    return {name: np.asarray(value, dtype=np.float32) for name, value in dotted(model(**inputs))}


def gradients(model: Any, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The gradient of the loss with respect to every parameter that has one, in canonical names and axes."""
    tree = jax.grad(lambda params: model(**inputs, params=params).loss)(model.params)
    return {slot.name: slot.layout.to_canonical(np.asarray(_at(tree, slot.path))) for slot in model.slots()}


def train(model: Any, inputs: dict[str, np.ndarray], steps: int, rate: float, decay: float) -> None:
    """Optimizer steps with AdamW, dropout off."""
    optimizer = optax.adamw(rate, weight_decay=decay)
    params, state = model.params, optimizer.init(model.params)

    @jax.jit
    def step(params: Any, state: Any) -> Any:
        gradient = jax.grad(lambda params: model(**inputs, params=params).loss)(params)
        updates, state = optimizer.update(gradient, state, params)
        return optax.apply_updates(params, updates), state

    for _ in range(steps):
        params, state = step(params, state)
    model.params = params


def _at(tree: Any, path: tuple[str, ...]) -> Any:
    for segment in path:
        tree = tree[segment]
    return tree
