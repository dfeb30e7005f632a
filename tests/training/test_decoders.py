"""A language model learns a text by heart in each framework's own way, and is kept as any model is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from triformers import GPT2Config

CONFIG = GPT2Config(
    vocab_size=31, n_embd=24, n_layer=1, n_head=4, n_inner=37, n_positions=16, initializer_range=0.1, pad_token_id=0,
    embd_pdrop=0.0, attn_pdrop=0.0, resid_pdrop=0.0,
)  # fmt: skip
IDS = np.random.default_rng(0).integers(1, 31, (6, 7)).astype(np.int32)
STEPS, RATE = 25, 1e-2


@pytest.mark.backend("torch")
def test_in_torch() -> None:
    import torch

    from triformers import GPT2LMHeadModel

    model, ids = GPT2LMHeadModel(CONFIG, seed=0), torch.as_tensor(IDS).long()
    optimizer, losses = torch.optim.AdamW(model.parameters(), lr=RATE), []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = model(ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.backend("flax")
def test_in_flax() -> None:
    import jax
    import optax

    from triformers import FlaxGPT2LMHeadModel

    model, optimizer = FlaxGPT2LMHeadModel(CONFIG, seed=0), optax.adamw(RATE)

    @jax.jit
    def step(params: Any, state: Any) -> Any:
        def loss(params: Any) -> Any:
            return model(IDS, labels=IDS, params=params, train=True, dropout_rng=jax.random.key(0)).loss

        value, gradient = jax.value_and_grad(loss)(params)
        updates, state = optimizer.update(gradient, state, params)
        return optax.apply_updates(params, updates), state, value

    params, state, losses = model.params, optimizer.init(model.params), []
    for _ in range(STEPS):
        params, state, value = step(params, state)
        losses.append(float(value))
    assert losses[-1] < 0.5 * losses[0]


def trained(stem: str, inputs: dict[str, np.ndarray], **options: Any) -> tuple[Any, list[float]]:
    """A Keras model trained with its own loss, and the losses."""
    import triformers

    model = getattr(triformers, stem)(CONFIG, seed=0)
    model.compile(triformers.create_optimizer(RATE, STEPS, 0, min_lr_ratio=1.0)[0], **options)
    return model, model.fit(inputs, epochs=STEPS, batch_size=6, verbose=0).history["loss"]


@pytest.mark.backend("tensorflow")
def test_in_keras(tmp_path: Path) -> None:
    import keras
    import tensorflow as tf

    model, losses = trained("TFGPT2LMHeadModel", {"input_ids": IDS, "labels": IDS}, jit_compile=False)
    assert losses[-1] < 0.5 * losses[0]
    expected = np.asarray(model(IDS).logits)
    found = model.predict({"input_ids": IDS}, batch_size=4, verbose=0)
    np.testing.assert_allclose(found.logits, expected, atol=1e-5)
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras")(IDS).logits, expected)
    signature = [{"input_ids": keras.InputSpec(dtype="int32", shape=(None, None), name="input_ids")}]
    model.export(str(tmp_path / "served"), input_signature=signature, verbose=False)
    served = tf.saved_model.load(str(tmp_path / "served"))
    answer = served.serve({"input_ids": tf.constant(IDS[:2, :5])})
    assert set(answer) == {"logits"} and model.config.use_cache
    np.testing.assert_allclose(answer["logits"], expected[:2, :5], atol=1e-5)


@pytest.mark.backend("tensorflow")
def test_two_heads_learn_at_once_in_keras() -> None:
    pairs = np.stack([IDS, IDS[::-1]], 1)  # [B, C, T]
    inputs = {"input_ids": pairs, "labels": pairs, "mc_labels": np.arange(6) % 2}
    model, losses = trained("TFGPT2DoubleHeadsModel", inputs, jit_compile=False)
    output = model(**inputs)
    assert losses[-1] < 0.5 * losses[0]
    assert float(output.mc_loss) < 0.6 and abs(float(output.loss + output.mc_loss) - losses[-1]) < 0.1 * losses[0]
