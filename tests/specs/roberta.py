"""RoBERTa, for the tests: BERT's, but for where its positions are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tests.specs import Inputs, bert


def batch(config: Any, generator: np.random.Generator) -> Inputs:
    """What BERT reads, with padding where nothing counts: positions are counted from it."""
    inputs = bert.batch(config, generator)
    words = np.where(inputs["attention_mask"] == 1, inputs["input_ids"], config.pad_token_id)
    return {**inputs, "input_ids": words}


def vary(generator: np.random.Generator, task: str) -> dict[str, Any]:
    """As BERT, with room for positions behind the padding's."""
    options = bert.vary(generator, task)
    rows, padding = int(generator.integers(19, 30)), int(generator.integers(0, 7))
    return {**options, "max_position_embeddings": rows, "pad_token_id": padding}


SPEC = replace(
    bert.SPEC,
    model_type="roberta",
    tiny={**bert.SPEC.tiny, "vocab_size": 103},
    batch_of=batch,
    vary=vary,
    mutations=(*bert.SPEC.mutations, ({}, {"pad_token_id": 2})),
)
