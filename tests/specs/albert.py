"""ALBERT, for the tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.specs import Inputs, Spec, pruned, text_batch


def batch(config: Any, generator: np.random.Generator) -> Inputs:
    """Text with segments."""
    return text_batch(config, generator, config.type_vocab_size)


def vary(generator: np.random.Generator, task: str) -> dict[str, Any]:
    """Other sizes, groups, constants, activations and options."""
    heads, size = (int(number) for number in generator.integers(1, 6, 2))
    layers, groups, inner = (int(generator.integers(low, high)) for low, high in ((0, 6), (1, 4), (1, 3)))
    return {
        "num_attention_heads": heads,
        "hidden_size": heads * (size + 2),
        "embedding_size": int(generator.integers(1, 40)),
        "num_hidden_layers": layers,
        "num_hidden_groups": groups,
        "inner_group_num": inner,
        "intermediate_size": int(generator.integers(1, 60)),
        "vocab_size": int(generator.integers(20, 120)),
        "max_position_embeddings": int(generator.integers(4, 30)),
        "type_vocab_size": int(generator.integers(1, 4)),
        "num_labels": int(generator.integers(1, 6)),
        "layer_norm_eps": float(10.0 ** generator.uniform(-12, -1)),
        "hidden_act": str(generator.choice(["gelu", "relu", "gelu_new", "silu", "quick_gelu", "mish", "tanh"])),
        "pad_token_id": int(generator.integers(0, 20)),
        "position_embedding_type": str(generator.choice(["absolute", "relative_key", "relative_key_query"])),
        "chunk_size_feed_forward": int(generator.integers(0, 5)),
        "tie_word_embeddings": bool(generator.random() < 0.6),
        "pruned_heads": pruned(heads, groups * inner, generator) if generator.random() < 0.3 else {},
    }


SPEC = Spec(
    model_type="albert",
    tiny=dict(
        vocab_size=101,
        embedding_size=19,
        hidden_size=36,
        num_hidden_layers=5,
        num_hidden_groups=2,
        inner_group_num=2,
        num_attention_heads=4,
        intermediate_size=53,
        max_position_embeddings=23,
        type_vocab_size=3,
        layer_norm_eps=0.05,
        num_labels=5,
    ),
    full=dict(
        position_embedding_type="relative_key_query",
        tie_word_embeddings=False,
        pruned_heads={0: [1, 3], 3: [0]},
    ),
    incumbent=dict(num_labels=2),  # its Flax model has two scores for the order of sentences whatever this says
    batch_of=batch,
    vary=vary,
    mutations=(
        ({}, {"hidden_act": "gelu"}),
        ({}, {"layer_norm_eps": 1e-6}),
        ({}, {"num_hidden_layers": 2}),
        ({"position_embedding_type": "relative_key"}, {"position_embedding_type": "relative_key_query"}),
        ({"position_embedding_type": "relative_key_query"}, {"position_embedding_type": "relative_key"}),
    ),
    square="encoder.albert_layer_groups.0.albert_layers.0.attention.query.weight",
    swap=(
        "encoder.albert_layer_groups.0.albert_layers.0.attention.query.weight",
        "encoder.albert_layer_groups.0.albert_layers.0.attention.key.weight",
    ),
    bias="encoder.albert_layer_groups.0.albert_layers.0.attention.query.bias",
)
