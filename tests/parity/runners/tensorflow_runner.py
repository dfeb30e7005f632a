"""Keras, for the harness."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

import triformers
from tests.parity.runners import arrays, compile_fast

PREFIX = "TF"


def prepare(device: str) -> None:
    """Pin the precision, so that the device computes what it is asked to."""
    tf.config.experimental.enable_tensor_float_32_execution(False)
    if device == "cpu":
        compile_fast()
        tf.config.set_visible_devices([], "GPU")


def model_class(stem: str) -> Any:
    """The class of this name."""
    return getattr(triformers, PREFIX + stem)


def load(stem: str, folder: Any, dtype: str, **kwargs: Any) -> Any:
    """A checkpoint, every parameter in `dtype`."""
    return model_class(stem).from_pretrained(folder, dtype=dtype, **kwargs)


def tensors(inputs: dict[str, np.ndarray]) -> dict[str, Any]:
    """NumPy inputs as the framework's."""
    return {name: tf.constant(array) for name, array in inputs.items()}


def forward(model: Any, inputs: dict[str, np.ndarray], **options: Any) -> dict[str, np.ndarray]:
    """The outputs of a call by flat name."""
    return {name: np.asarray(value) for name, value in arrays(model(**tensors(inputs), **options))}


#: How a call that is in order is run fastest.
evaluate = forward


def step(model: Any, inputs: dict[str, np.ndarray], past: Any) -> tuple[dict[str, np.ndarray], Any]:
    """The outputs of a call that reads on from a cache, and the cache that it answers with."""
    output = model(**tensors(inputs), past_key_values=past, use_cache=True)
    return {name: np.asarray(value) for name, value in arrays(output)}, output.past_key_values


def empty_caches(model: Any, batch: int, length: int) -> list[Any]:
    """What a sequence can be begun with: no cache."""
    return [None]


def forward_as_float32(model: Any, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The outputs of a call, whatever type they are computed in, widened to what NumPy knows."""
    return {name: np.asarray(tf.cast(value, tf.float32)) for name, value in arrays(model(**tensors(inputs)))}


def gradients(model: Any, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The gradient of the loss with respect to every parameter that has one, in canonical names and axes."""
    slots = model.slots()
    variables = [model.held(slot).value for slot in slots]
    with tf.GradientTape() as tape:
        loss = model(**tensors(inputs)).loss
    found = zip(slots, tape.gradient(loss, variables), strict=True)
    return {
        slot.name: slot.layout.to_canonical(tf.convert_to_tensor(gradient).numpy())
        for slot, gradient in found
        if gradient is not None
    }


def train(model: Any, inputs: dict[str, np.ndarray], steps: int, rate: float, decay: float) -> None:
    """Optimizer steps with AdamW, dropout off: `fit` would switch it on."""
    optimizer, _ = triformers.create_optimizer(
        rate, steps, 0, min_lr_ratio=1.0, weight_decay_rate=decay, include_in_weight_decay=[".*"]
    )
    variables = model.trainable_variables
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = model(**tensors(inputs)).loss
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
