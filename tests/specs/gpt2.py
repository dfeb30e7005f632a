"""GPT-2, for the tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.specs import Inputs, Spec, encoder_states, pruned, text_batch


def batch(config: Any, generator: np.random.Generator) -> Inputs:
    """Text with tokens for segments, and an encoder's states if the configuration reads some."""
    inputs = text_batch(config, generator, config.vocab_size)
    if config.add_cross_attention:
        inputs |= encoder_states(config, len(inputs["input_ids"]), generator)
    return inputs


def vary(generator: np.random.Generator, task: str) -> dict[str, Any]:
    """Other sizes, constants, activations and options."""
    heads, size = (int(number) for number in generator.integers(1, 6, 2))
    layers = int(generator.integers(0, 4))
    return {
        "n_head": heads,
        "n_embd": heads * (size + 2),
        "n_layer": layers,
        "n_inner": int(generator.integers(1, 60)) if generator.random() < 0.7 else None,
        "vocab_size": int(generator.integers(20, 120)),
        "n_positions": int(generator.integers(4, 30)),
        "num_labels": int(generator.integers(1, 6)),
        "layer_norm_epsilon": float(10.0 ** generator.uniform(-12, -1)),
        "activation_function": str(generator.choice(["gelu", "relu", "gelu_new", "silu", "quick_gelu", "tanh"])),
        "pad_token_id": int(generator.integers(0, 20)),
        "scale_attn_weights": bool(generator.random() < 0.6),
        "scale_attn_by_inverse_layer_idx": bool(generator.random() < 0.5),
        "reorder_and_upcast_attn": bool(generator.random() < 0.5),
        "add_cross_attention": bool(generator.random() < 0.5),
        "tie_word_embeddings": bool(generator.random() < 0.6),
        "summary_type": str(generator.choice(["cls_index", "first", "last", "mean"])),
        "summary_activation": str(generator.choice(["tanh", "relu", ""])) or None,
        "pruned_heads": pruned(heads, layers, generator) if generator.random() < 0.3 else {},
    }


SPEC = Spec(
    model_type="gpt2",
    tiny=dict(
        vocab_size=101,
        n_embd=36,
        n_layer=2,
        n_head=4,
        n_inner=53,
        n_positions=23,
        layer_norm_epsilon=0.05,
        num_labels=5,
        pad_token_id=7,
    ),
    full=dict(
        add_cross_attention=True,
        tie_word_embeddings=False,
        n_inner=None,
        pruned_heads={0: [1, 3], 1: [0]},
    ),
    decoder=dict(add_cross_attention=True),
    batch_of=batch,
    vary=vary,
    mutations=(
        ({}, {"activation_function": "gelu"}),
        ({}, {"layer_norm_epsilon": 1e-6}),
        ({}, {"scale_attn_weights": False}),
        ({}, {"scale_attn_by_inverse_layer_idx": True}),
    ),
    square="h.0.attn.c_proj.weight",
    swap=("h.1.ln_1.weight", "h.1.ln_2.weight"),
    bias="h.0.attn.c_attn.bias",
)
