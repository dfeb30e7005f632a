"""JAX, for the harness."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import optax

import triformers
from tests.parity.runners import arrays, compile_fast
from triformers.backends.flax.model import nest

PREFIX = "Flax"


def prepare(device: str) -> None:
    """Pin the precision, so that the device computes what it is asked to.

    JAX' own store of compiled programs would save more, but crashes on some searches (jaxlib 0.10.2).
    """
    if device == "cpu":
        compile_fast()
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
    return {name: np.asarray(value) for name, value in arrays(model(**inputs, **options))}


def evaluate(model: Any, inputs: dict[str, np.ndarray], **options: Any) -> dict[str, np.ndarray]:
    """The same, compiled as a whole, which is faster here; a compiled model cannot refuse an input by its values."""
    call = jax.jit(lambda params: dict(arrays(model(**inputs, params=params, **options))))
    return {name: np.asarray(value) for name, value in call(model.params).items()}


def step(model: Any, inputs: dict[str, np.ndarray], past: Any) -> tuple[dict[str, np.ndarray], Any]:
    """The outputs of a call that reads on from a cache, and the cache that it answers with."""
    output = model(**inputs, past_key_values=past, use_cache=True)
    return {name: np.asarray(value) for name, value in arrays(output)}, output.past_key_values


def empty_caches(model: Any, batch: int, length: int) -> list[Any]:
    """What a sequence can be begun with: no cache, and one with room for all of it."""
    return [None, model.init_cache(batch, length)]


def forward_as_float32(model: Any, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The outputs of a call, whatever type they are computed in, widened to what NumPy knows."""
    return {name: np.asarray(value, dtype=np.float32) for name, value in arrays(model(**inputs))}


def gradients(model: Any, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The gradient of the loss with respect to every parameter that has one, in canonical names and axes."""
    tree = jax.jit(jax.grad(lambda params: model(**inputs, params=params).loss))(model.params)
    return {slot.name: slot.layout.to_canonical(np.asarray(_at(tree, slot.path))) for slot in model.slots()}


def train(model: Any, inputs: dict[str, np.ndarray], steps: int, rate: float, decay: float) -> None:
    """Optimizer steps with AdamW, dropout off."""
    constants = {slot.path for slot in model.slots_named(model.weights_of(model.config).token_biases)}
    decays = nest((slot.path, slot.path not in constants) for slot in model.slots())  # elsewhere they are no parameters
    optimizer = optax.adamw(rate, weight_decay=decay, mask=decays)
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
