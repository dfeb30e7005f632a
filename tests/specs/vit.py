"""ViT, for the tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.specs import Spec, images, pruned


def vary(generator: np.random.Generator, task: str) -> dict[str, Any]:
    """Other sizes, constants, activations and options."""
    heads, size = (int(number) for number in generator.integers(1, 6, 2))
    layers, patch = int(generator.integers(0, 4)), int(generator.integers(2, 9))
    rows, columns = (int(count) * patch for count in generator.integers(1, 5, 2))
    return {
        "num_attention_heads": heads,
        "hidden_size": heads * (size + 2),
        "num_hidden_layers": layers,
        "intermediate_size": int(generator.integers(1, 60)),
        "num_labels": int(generator.integers(1, 6)),
        "num_channels": int(generator.integers(1, 5)),
        "patch_size": patch,
        "encoder_stride": patch,
        "image_size": [rows, columns] if generator.random() < 0.6 else rows,
        "layer_norm_eps": float(10.0 ** generator.uniform(-12, -1)),
        "hidden_act": str(generator.choice(["gelu", "relu", "gelu_new", "silu", "quick_gelu", "mish", "tanh"])),
        "pooler_act": str(generator.choice(["tanh", "relu", "gelu"])),
        "pooler_output_size": int(generator.integers(1, 40)) if generator.random() < 0.5 else None,
        "qkv_bias": bool(generator.random() < 0.6),
        "pruned_heads": pruned(heads, layers, generator) if generator.random() < 0.3 else {},
    }


SPEC = Spec(
    model_type="vit",
    tiny=dict(
        hidden_size=36,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=53,
        image_size=24,
        patch_size=8,
        encoder_stride=8,
        layer_norm_eps=0.05,
        num_labels=5,
    ),
    full=dict(
        qkv_bias=False,
        pooler_output_size=21,
        pruned_heads={0: [1, 3], 1: [0]},
    ),
    batch_of=images,
    vary=vary,
    mutations=(
        ({}, {"hidden_act": "relu"}),
        ({}, {"layer_norm_eps": 0.1}),
    ),
    square="encoder.layer.0.attention.output.dense.weight",
    swap=("encoder.layer.1.layernorm_before.weight", "encoder.layer.1.layernorm_after.weight"),
    bias="encoder.layer.0.attention.attention.query.bias",
)
