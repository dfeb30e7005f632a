"""ConvNeXT, for the tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.specs import Spec, images


def vary(generator: np.random.Generator, task: str) -> dict[str, Any]:
    """Other sizes, constants, activations and options."""
    stages, patch = int(generator.integers(1, 5)), int(generator.integers(1, 5))
    smallest = patch * 2 ** (stages - 1)
    chosen = np.flatnonzero(generator.random(stages + 1) < 0.6).tolist()
    return {
        "num_stages": stages,
        "hidden_sizes": generator.integers(3, 12, stages).tolist(),
        "depths": generator.integers(0, 3, stages).tolist(),
        "num_labels": int(generator.integers(1, 6)),
        "num_channels": int(generator.integers(1, 5)),
        "patch_size": patch,
        "image_size": [int(size) for size in generator.integers(smallest, 3 * smallest + 9, 2)],
        "layer_norm_eps": float(10.0 ** generator.uniform(-12, -1)),
        "layer_scale_init_value": 0.0 if generator.random() < 0.3 else 0.5,
        "hidden_act": str(generator.choice(["gelu", "relu", "gelu_new", "silu", "quick_gelu", "mish", "tanh"])),
        "out_indices": chosen or None,
    }


SPEC = Spec(
    model_type="convnext",
    tiny=dict(
        num_stages=2,
        hidden_sizes=[6, 10],
        depths=[1, 2],
        image_size=24,
        patch_size=4,
        layer_norm_eps=0.05,
        num_labels=5,
    ),
    full=dict(
        layer_scale_init_value=0.0,
        out_features=["stem", "stage2"],
    ),
    batch_of=images,
    vary=vary,
    mutations=(
        ({}, {"hidden_act": "relu"}),
        ({}, {"layer_norm_eps": 0.1}),
    ),
    square="encoder.stages.0.layers.0.dwconv.weight",
    swap=("encoder.stages.1.layers.0.layernorm.weight", "encoder.stages.1.layers.1.layernorm.weight"),
    bias="encoder.stages.0.layers.0.dwconv.bias",
    has_attentions=False,
)
