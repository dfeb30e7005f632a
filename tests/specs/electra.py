"""ELECTRA, for the tests: BERT's, with embeddings of another width, and a summary that has options."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tests.specs import bert


def vary(generator: np.random.Generator, task: str) -> dict[str, Any]:
    """As BERT, with summaries of every kind, and some embeddings as wide as what follows them."""
    options = bert.vary(generator, task)
    is_projected, is_active = generator.random(2) < 0.7
    return {
        **options,
        "embedding_size": options["hidden_size"] if generator.random() < 0.3 else int(generator.integers(1, 40)),
        "summary_type": str(generator.choice(["cls_index", "first", "last", "mean"])),
        "summary_use_proj": bool(is_projected),
        "summary_activation": str(generator.choice(["gelu", "relu", "tanh", "silu"])) if is_active else None,
    }


SPEC = replace(bert.SPEC, model_type="electra", tiny={**bert.SPEC.tiny, "embedding_size": 19}, vary=vary)
