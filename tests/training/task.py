"""A task that a tiny model learns in a few steps: the label is written in the first token."""

from __future__ import annotations

import numpy as np

from triformers import BertConfig

LABELS = 3
CONFIG = BertConfig(
    vocab_size=31, hidden_size=24, num_hidden_layers=1, num_attention_heads=4, intermediate_size=37,
    max_position_embeddings=16, num_labels=LABELS, initializer_range=0.1,
)  # fmt: skip


def batch(rows: int = 24, length: int = 7, seed: int = 0) -> dict[str, np.ndarray]:
    """Inputs with their labels."""
    generator = np.random.default_rng(seed)
    ids = generator.integers(1, CONFIG.vocab_size, (rows, length)).astype(np.int32)
    ids[:, 0] = 1 + np.arange(rows) % LABELS
    mask = np.ones_like(ids)
    mask[1::2, -2:] = 0
    return {"input_ids": ids, "attention_mask": mask, "labels": (ids[:, 0] - 1).astype(np.int32)}
