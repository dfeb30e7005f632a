"""BART, for the tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.specs import Spec, seq2seq_batch


def vary(generator: np.random.Generator, task: str) -> dict[str, Any]:
    """Other sizes, constants, activations and options."""
    encoder_heads, decoder_heads, size = (int(number) for number in generator.integers(1, 5, 3))
    layers = [int(number) for number in generator.integers(0, 4, 2)]
    return {
        "d_model": encoder_heads * decoder_heads * (size + 2),
        "encoder_layers": layers[0],
        "encoder_ffn_dim": int(generator.integers(1, 60)),
        "encoder_attention_heads": encoder_heads,
        "decoder_layers": layers[1],
        "decoder_ffn_dim": int(generator.integers(1, 60)),
        "decoder_attention_heads": decoder_heads,
        "vocab_size": int(generator.integers(20, 120)),
        "max_position_embeddings": int(generator.integers(4, 30)),
        "activation_function": str(generator.choice(["gelu", "relu", "gelu_new", "silu", "quick_gelu", "tanh"])),
        "scale_embedding": bool(generator.random() < 0.5),
        "num_labels": int(generator.integers(1, 6)),
        "pad_token_id": int(generator.integers(0, 20)),
        "eos_token_id": int(generator.integers(0, 19)),
        "decoder_start_token_id": int(generator.integers(0, 20)),
        "tie_word_embeddings": bool(generator.random() < 0.6),
    }


SPEC = Spec(
    model_type="bart",
    tiny=dict(
        vocab_size=101,
        d_model=36,
        encoder_layers=2,
        encoder_ffn_dim=41,
        encoder_attention_heads=3,
        decoder_layers=2,
        decoder_ffn_dim=53,
        decoder_attention_heads=4,
        max_position_embeddings=23,
        init_std=0.05,
        num_labels=5,
        pad_token_id=7,
        eos_token_id=3,
        decoder_start_token_id=11,
    ),
    full=dict(tie_word_embeddings=False, scale_embedding=True),
    decoder=dict(is_decoder=True),
    batch_of=seq2seq_batch,
    vary=vary,
    mutations=(
        ({}, {"activation_function": "gelu_new"}),
        ({}, {"scale_embedding": True}),
        ({"is_encoder_decoder": True}, {"encoder_attention_heads": 1}),
        ({}, {"decoder_attention_heads": 1}),
    ),
    square="decoder.layers.0.self_attn.q_proj.weight",
    swap=("decoder.layers.0.self_attn.q_proj.weight", "decoder.layers.0.self_attn.k_proj.weight"),
    bias="decoder.layers.0.self_attn.v_proj.bias",
)
