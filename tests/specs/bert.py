"""BERT, for the tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.specs import Spec, text_batch


def vary(generator: np.random.Generator) -> dict[str, Any]:
    """Other sizes, constants and activations."""
    heads, size = (int(number) for number in generator.integers(1, 6, 2))
    return {
        "num_attention_heads": heads,
        "hidden_size": heads * (size + 2),
        "num_hidden_layers": int(generator.integers(0, 4)),
        "intermediate_size": int(generator.integers(1, 60)),
        "vocab_size": int(generator.integers(20, 120)),
        "max_position_embeddings": int(generator.integers(4, 30)),
        "type_vocab_size": int(generator.integers(1, 4)),
        "num_labels": int(generator.integers(1, 6)),
        "layer_norm_eps": float(10.0 ** generator.uniform(-12, -1)),
        "hidden_act": str(generator.choice(["gelu", "relu", "gelu_new", "silu", "quick_gelu", "mish", "tanh"])),
        "pad_token_id": int(generator.integers(0, 20)),
    }


SPEC = Spec(
    model_type="bert",
    tiny=dict(
        vocab_size=101,
        hidden_size=36,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=53,
        max_position_embeddings=23,
        type_vocab_size=3,
        layer_norm_eps=0.05,
        num_labels=5,
    ),
    batch_of=text_batch,
    vary=vary,
    mutations={"hidden_act": "gelu_new", "layer_norm_eps": 1e-6},
    square="encoder.layer.0.attention.self.query.weight",
    swap=("encoder.layer.1.attention.self.query.weight", "encoder.layer.1.attention.self.key.weight"),
    bias="encoder.layer.0.attention.self.query.bias",
)
