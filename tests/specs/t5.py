"""T5, for the tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.specs import Spec, pruned, seq2seq_batch


def vary(generator: np.random.Generator, task: str) -> dict[str, Any]:
    """Other sizes, constants, activations and options."""
    heads, layers = int(generator.integers(1, 6)), int(generator.integers(0, 4))
    buckets = int(generator.integers(2, 40))
    gate = "gated-" if generator.random() < 0.5 else ""
    return {
        "num_heads": heads,
        "d_kv": int(generator.integers(1, 9)),
        "d_model": int(generator.integers(3, 40)),
        "d_ff": int(generator.integers(1, 60)),
        "num_layers": layers,
        "num_decoder_layers": int(generator.integers(0, 4)) if generator.random() < 0.7 else None,
        "vocab_size": int(generator.integers(20, 120)),
        "num_labels": int(generator.integers(1, 6)),
        "layer_norm_epsilon": float(10.0 ** generator.uniform(-12, -1)),
        "feed_forward_proj": gate + str(generator.choice(["gelu", "relu", "gelu_new", "silu", "quick_gelu", "tanh"])),
        "relative_attention_num_buckets": buckets,
        "relative_attention_max_distance": buckets // 2 + int(generator.integers(1, 20)),
        "tie_word_embeddings": bool(generator.random() < 0.6),
        "initializer_factor": float(generator.uniform(0.5, 2)),
        "pruned_heads": pruned(heads, layers, generator) if generator.random() < 0.3 else {},
    }


SPEC = Spec(
    model_type="t5",
    tiny=dict(
        vocab_size=101,
        d_model=26,
        d_kv=5,
        d_ff=41,
        num_layers=2,
        num_decoder_layers=3,
        num_heads=4,
        relative_attention_num_buckets=9,
        relative_attention_max_distance=17,
        layer_norm_epsilon=0.05,
        initializer_factor=0.7,
        num_labels=5,
        decoder_start_token_id=0,
    ),
    full=dict(
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        pruned_heads={0: [1, 3], 1: [0]},
    ),
    batch_of=seq2seq_batch,
    vary=vary,
    mutations=(
        ({}, {"dense_act_fn": "gelu"}),
        ({}, {"layer_norm_epsilon": 1e-6}),
        ({}, {"relative_attention_max_distance": 5}),
    ),
    square="encoder.block.0.layer.0.SelfAttention.q.weight",
    swap=("encoder.block.0.layer.0.layer_norm.weight", "encoder.block.0.layer.1.layer_norm.weight"),
    bias="encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
)
