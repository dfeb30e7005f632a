"""Wav2Vec2, for the tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.specs import Inputs, Spec


def batch(config: Any, generator: np.random.Generator) -> Inputs:
    """Sounds of different lengths."""
    rows, samples = int(generator.integers(2, 4)), 400
    lengths = generator.integers(samples // 2, samples + 1, rows)
    lengths[0] = samples
    mask = np.arange(samples) < lengths[:, None]
    return {
        "input_values": generator.standard_normal((rows, samples)) * mask,
        "attention_mask": mask.astype(np.int64),
    }


def vary(generator: np.random.Generator, task: str) -> dict[str, Any]:
    """Other sizes, constants, activations and options."""
    heads, size, groups = (int(number) for number in generator.integers(1, 5, 3))
    count = int(generator.integers(1, 4))
    kernels = generator.integers(2, 7, count)
    has_adapter = task in ("base", "ctc") and bool(generator.random() < 0.5)
    return {
        "num_attention_heads": heads,
        "hidden_size": heads * groups * (size + 1),
        "num_hidden_layers": int(generator.integers(0, 4)),
        "intermediate_size": int(generator.integers(1, 60)),
        "vocab_size": int(generator.integers(20, 60)),
        "num_labels": int(generator.integers(2, 6)),
        "layer_norm_eps": float(10.0 ** generator.uniform(-12, -1)),
        "hidden_act": str(generator.choice(["gelu", "relu", "gelu_new", "silu"])),
        "feat_extract_norm": str(generator.choice(["group", "layer"])),
        "feat_extract_activation": str(generator.choice(["gelu", "relu", "tanh"])),
        "conv_bias": bool(generator.random() < 0.5),
        "conv_dim": generator.integers(3, 12, count).tolist(),
        "conv_kernel": kernels.tolist(),
        "conv_stride": np.minimum(kernels, generator.integers(2, 5, count)).tolist(),
        "num_conv_pos_embeddings": int(generator.integers(1, 8)),
        "num_conv_pos_embedding_groups": groups,
        "do_stable_layer_norm": bool(generator.random() < 0.5),
        "adapter_attn_dim": int(generator.integers(2, 9)) if generator.random() < 0.5 else None,
        "add_adapter": has_adapter,
        "adapter_kernel_size": int(generator.integers(2, 5)),
        "output_hidden_size": int(generator.integers(3, 20)) if has_adapter else None,
        "num_adapter_layers": int(generator.integers(1, 3)),
        "use_weighted_layer_sum": bool(generator.random() < 0.5),
        "ctc_loss_reduction": str(generator.choice(["sum", "mean"])),
        "ctc_zero_infinity": True,
    }


SPEC = Spec(
    model_type="wav2vec2",
    tiny=dict(
        vocab_size=33,
        hidden_size=36,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=53,
        layer_norm_eps=0.05,
        conv_dim=[10, 14, 18],
        conv_kernel=[8, 4, 3],
        conv_stride=[5, 3, 2],
        num_conv_pos_embeddings=6,
        num_conv_pos_embedding_groups=3,
        num_codevector_groups=3,
        num_codevectors_per_group=11,
        codevector_dim=15,
        proj_codevector_dim=13,
        classifier_proj_size=17,
        tdnn_dim=[16, 19, 21],
        tdnn_kernel=[3, 2, 1],
        tdnn_dilation=[1, 2, 1],
        xvector_output_dim=12,
        num_labels=5,
        mask_time_length=3,
    ),
    full=dict(
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        conv_bias=True,
        use_weighted_layer_sum=True,
        adapter_attn_dim=7,
        mask_feature_prob=0.1,
        mask_feature_length=2,
    ),
    incumbent=dict(feat_extract_norm="layer", do_stable_layer_norm=True, conv_dim=[14, 14, 14], layer_norm_eps=1e-5),
    batch_of=batch,
    vary=vary,
    mutations=(
        ({}, {"hidden_act": "gelu_new"}),
        ({}, {"feat_extract_activation": "gelu_new"}),
        ({}, {"layer_norm_eps": 1e-6}),
        ({}, {"do_stable_layer_norm": True}),
    ),
    square="encoder.layers.0.attention.q_proj.weight",
    swap=("encoder.layers.1.attention.q_proj.weight", "encoder.layers.1.attention.k_proj.weight"),
    bias="encoder.layers.0.attention.q_proj.bias",
)
