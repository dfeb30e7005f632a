"""CTRL, for the tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.specs import Inputs, Spec, pruned, text_batch


def batch(config: Any, generator: np.random.Generator) -> Inputs:
    """Text with tokens for segments."""
    return text_batch(config, generator, config.vocab_size)


def vary(generator: np.random.Generator, task: str) -> dict[str, Any]:
    """Other sizes, constants and options."""
    heads, size = (int(number) for number in generator.integers(1, 6, 2))
    layers = int(generator.integers(0, 4))
    return {
        "n_head": heads,
        "n_embd": heads * (size + 2),
        "n_layer": layers,
        "dff": int(generator.integers(1, 60)),
        "vocab_size": int(generator.integers(20, 120)),
        "n_positions": int(generator.integers(4, 30)),
        "num_labels": int(generator.integers(1, 6)),
        "layer_norm_epsilon": float(10.0 ** generator.uniform(-12, -1)),
        "pad_token_id": int(generator.integers(0, 20)),
        "tie_word_embeddings": bool(generator.random() < 0.6),
        "pruned_heads": pruned(heads, layers, generator) if generator.random() < 0.3 else {},
    }


SPEC = Spec(
    model_type="ctrl",
    tiny=dict(
        vocab_size=101,
        n_embd=36,
        dff=53,
        n_layer=2,
        n_head=4,
        n_positions=23,
        layer_norm_epsilon=0.05,
        num_labels=5,
        pad_token_id=7,
    ),
    full=dict(tie_word_embeddings=False, pruned_heads={0: [1, 3], 1: [0]}),
    batch_of=batch,
    vary=vary,
    mutations=(({}, {"layer_norm_epsilon": 0.3}),),
    square="h.0.multi_head_attention.Wq.weight",
    swap=("h.1.layernorm1.weight", "h.1.layernorm2.weight"),
    bias="h.0.multi_head_attention.Wv.bias",
    incumbent=dict(layer_norm_epsilon=1e-6),  # which TensorFlow's classes there use in the layers too
)
