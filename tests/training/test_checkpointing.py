"""Gradient checkpointing: the same gradients, intermediate values computed twice."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.parity.runners import runner_of
from tests.specs import spec_of

INPUTS = {"input_ids": np.array([[3, 5, 7, 2, 9]]), "labels": np.array([[4, 5, 6, 7, 8]])}
STEMS = ["BertForMaskedLM", "GPT2LMHeadModel"]


def made(runner: ModuleType, stem: str, **fields: Any) -> Any:
    """A small language model, dropout on."""
    model_class = runner.model_class(stem)
    return model_class(model_class.config_class(**{**spec_of(stem).tiny, **fields}), seed=0)


@pytest.mark.backend("torch")
@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("options", [None, {"use_reentrant": True}, {"use_reentrant": False}], ids=str)
def test_in_torch(options: dict[str, bool] | None, stem: str) -> None:
    import torch

    from triformers.backends.torch.layers import CheckpointedLayer

    model, calls = made(runner_of("torch"), stem).train(), []
    layer = next(module for module in model.modules() if isinstance(module, CheckpointedLayer))
    next(layer.children()).register_forward_hook(lambda *_: calls.append(1))

    def gradients() -> dict[str, torch.Tensor]:
        model.zero_grad()
        torch.manual_seed(0)
        model(**{name: torch.from_numpy(array) for name, array in INPUTS.items()}).loss.backward()
        return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}

    expected = gradients()
    assert len(calls) == 1 and not model.is_gradient_checkpointing
    model.gradient_checkpointing_enable(options)
    found = gradients()
    assert len(calls) == 3 and model.is_gradient_checkpointing
    assert found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in expected)
    model.gradient_checkpointing_disable()
    gradients()
    assert len(calls) == 4
    model.gradient_checkpointing_enable()
    model.eval()
    gradients()
    assert len(calls) == 5


@pytest.mark.backend("tensorflow")
@pytest.mark.parametrize("stem", STEMS)
def test_in_keras(stem: str) -> None:
    import keras
    import tensorflow as tf

    inputs, found = {name: tf.constant(array) for name, array in INPUTS.items()}, []
    for is_on in (False, True):
        keras.utils.set_random_seed(0)
        model = made(runner_of("tensorflow"), stem)
        if is_on:
            model.gradient_checkpointing_enable()
        assert model.is_gradient_checkpointing is is_on
        with tf.GradientTape() as tape:
            output = model(**inputs, training=True)
        found.append(tape.gradient(output.loss, model.trainable_variables))
        assert output.get("past_key_values") is None or not is_on
    for one, other in zip(*found, strict=True):
        one, other = map(tf.convert_to_tensor, (one, other))
        assert float(tf.reduce_max(tf.abs(one - other))) <= 1e-6


@pytest.mark.backend("flax")
@pytest.mark.parametrize("stem", STEMS)
def test_in_flax(stem: str) -> None:
    import jax

    model = made(runner_of("flax"), stem)

    def loss(params: Any) -> Any:
        return model(**INPUTS, params=params, train=True, dropout_rng=jax.random.key(0)).loss

    expected = jax.grad(loss)(model.params)
    assert "remat" not in str(jax.make_jaxpr(jax.grad(loss))(model.params))
    model.enable_gradient_checkpointing()
    found = jax.grad(loss)(model.params)
    assert str(jax.make_jaxpr(jax.grad(loss))(model.params)).count("remat") >= 2
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert np.abs(np.asarray(one) - np.asarray(other)).max() <= 1e-6
    again = type(model)(model.config, gradient_checkpointing=True, seed=0)
    assert again.module.gradient_checkpointing
