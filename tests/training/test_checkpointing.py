"""Gradient checkpointing: the same gradients, intermediate values computed twice."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.parity.runners import runner_of
from tests.specs import all_specs

INPUTS = {"input_ids": np.array([[3, 5, 7, 2, 9]]), "labels": np.array([[4, 5, 6, 7, 8]])}


def made(runner: ModuleType, **fields: Any) -> Any:
    """A small BERT with a language-model head, dropout on."""
    model_class = runner.model_class("BertForMaskedLM")
    return model_class(model_class.config_class(**{**all_specs()["bert"].tiny, **fields}), seed=0)


@pytest.mark.backend("torch")
@pytest.mark.parametrize("options", [None, {"use_reentrant": True}, {"use_reentrant": False}], ids=str)
def test_in_torch(options: dict[str, bool] | None) -> None:
    import torch

    model = made(runner_of("torch")).train()
    layer, calls = model.bert.encoder.layer[0].intermediate, []
    layer.register_forward_hook(lambda *_: calls.append(1))

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


@pytest.mark.backend("flax")
def test_in_flax() -> None:
    import jax

    model = made(runner_of("flax"))

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
