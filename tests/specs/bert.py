"""BERT, for the tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.specs import Inputs, Spec, encoder_states, pruned, text_batch


def batch(config: Any, generator: np.random.Generator) -> Inputs:
    """Text, and an encoder's states if the configuration reads some."""
    inputs = text_batch(config, generator, config.type_vocab_size)
    if config.add_cross_attention:
        inputs |= encoder_states(config, len(inputs["input_ids"]), generator)
    return inputs


def vary(generator: np.random.Generator, task: str) -> dict[str, Any]:
    """Other sizes, constants, activations and options."""
    heads, size = (int(number) for number in generator.integers(1, 6, 2))
    layers = int(generator.integers(0, 4))
    decoder = bool(generator.random() < (0.9 if task == "causal-lm" else 0.4))
    return {
        "num_attention_heads": heads,
        "hidden_size": heads * (size + 2),
        "num_hidden_layers": layers,
        "intermediate_size": int(generator.integers(1, 60)),
        "vocab_size": int(generator.integers(20, 120)),
        "max_position_embeddings": int(generator.integers(4, 30)),
        "type_vocab_size": int(generator.integers(1, 4)),
        "num_labels": int(generator.integers(1, 6)),
        "layer_norm_eps": float(10.0 ** generator.uniform(-12, -1)),
        "hidden_act": str(generator.choice(["gelu", "relu", "gelu_new", "silu", "quick_gelu", "mish", "tanh"])),
        "pad_token_id": int(generator.integers(0, 20)),
        "position_embedding_type": str(generator.choice(["absolute", "relative_key", "relative_key_query"])),
        "is_decoder": decoder,
        "add_cross_attention": decoder and bool(generator.random() < 0.6),
        "chunk_size_feed_forward": int(generator.integers(0, 5)),
        "tie_word_embeddings": bool(generator.random() < 0.6),
        "pruned_heads": pruned(heads, layers, generator) if generator.random() < 0.3 else {},
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
    full=dict(
        position_embedding_type="relative_key_query",
        is_decoder=True,
        add_cross_attention=True,
        tie_word_embeddings=False,
        pruned_heads={0: [1, 3], 1: [0]},
    ),
    decoder=dict(is_decoder=True, add_cross_attention=True),
    batch_of=batch,
    vary=vary,
    mutations=(
        ({}, {"hidden_act": "gelu_new"}),
        ({}, {"layer_norm_eps": 1e-6}),
        ({"is_decoder": True, "add_cross_attention": False}, {"is_decoder": False}),
        ({"is_decoder": False}, {"is_decoder": True}),
        ({"position_embedding_type": "relative_key"}, {"position_embedding_type": "relative_key_query"}),
        ({"position_embedding_type": "relative_key_query"}, {"position_embedding_type": "relative_key"}),
    ),
    square="encoder.layer.0.attention.self.query.weight",
    swap=("encoder.layer.1.attention.self.query.weight", "encoder.layer.1.attention.self.key.weight"),
    bias="encoder.layer.0.attention.self.query.bias",
)
