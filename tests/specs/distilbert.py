"""DistilBERT, for the tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.specs import Inputs, Spec, pruned, text_batch


def batch(config: Any, generator: np.random.Generator) -> Inputs:
    """Text without segments."""
    inputs = text_batch(config, generator, 1)
    return {name: inputs[name] for name in ("input_ids", "attention_mask")}


def vary(generator: np.random.Generator, task: str) -> dict[str, Any]:
    """Other sizes, activations and options."""
    heads, size = (int(number) for number in generator.integers(1, 6, 2))
    layers = int(generator.integers(0, 4))
    return {
        "n_heads": heads,
        "dim": heads * (size + 2),
        "n_layers": layers,
        "hidden_dim": int(generator.integers(1, 60)),
        "vocab_size": int(generator.integers(20, 120)),
        "max_position_embeddings": int(generator.integers(4, 30)),
        "num_labels": int(generator.integers(1, 6)),
        "activation": str(generator.choice(["gelu", "relu", "gelu_new", "silu", "quick_gelu", "mish", "tanh"])),
        "pad_token_id": int(generator.integers(0, 20)),
        "sinusoidal_pos_embds": bool(generator.random() < 0.4),
        "chunk_size_feed_forward": int(generator.integers(0, 5)),
        "tie_word_embeddings": bool(generator.random() < 0.6),
        "pruned_heads": pruned(heads, layers, generator) if generator.random() < 0.3 else {},
    }


SPEC = Spec(
    model_type="distilbert",
    tiny=dict(
        vocab_size=101,
        dim=36,
        n_layers=2,
        n_heads=4,
        hidden_dim=53,
        max_position_embeddings=23,
        num_labels=5,
    ),
    full=dict(sinusoidal_pos_embds=True, tie_word_embeddings=False, pruned_heads={0: [1, 3], 1: [0]}),
    batch_of=batch,
    vary=vary,
    mutations=(
        ({}, {"activation": "gelu_new"}),
        ({}, {"n_heads": 2}),
        ({"sinusoidal_pos_embds": True}, {"activation": "relu"}),
    ),
    square="transformer.layer.0.attention.q_lin.weight",
    swap=("transformer.layer.1.attention.q_lin.weight", "transformer.layer.1.attention.k_lin.weight"),
    bias="transformer.layer.0.attention.q_lin.bias",
)
