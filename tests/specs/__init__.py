"""What the harness must be told about each architecture: a small, loud configuration, and what its classes take."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Spec:
    """One architecture, for the tests.

    Attributes:
        model_type: Its card's key.
        tiny: A small configuration in which every size is odd or different and every constant exaggerated.
        batch_of: Inputs of the bare model, made for a configuration by a random generator.
        vary: Fields of a random configuration to set over `tiny`.
        mutations: Configuration fields -> a wrong value that the harness must notice.
        square: Canonical name of a square matrix, whose transposition only the numbers can betray.
        swap: Two canonical names whose values the harness must notice exchanged.
        bias: A bias whose absence it must notice.
    """

    model_type: str
    tiny: Mapping[str, Any]
    batch_of: Callable[[Any, np.random.Generator], dict[str, np.ndarray]]
    vary: Callable[[np.random.Generator], dict[str, Any]]
    mutations: Mapping[str, Any]
    square: str
    swap: tuple[str, str]
    bias: str


def text_batch(config: Any, generator: np.random.Generator) -> dict[str, np.ndarray]:
    """A batch of tokens with ragged masks and segments."""
    rows, length = int(generator.integers(2, 5)), min(11, config.max_position_embeddings)
    lengths = generator.integers(length // 2, length + 1, rows)
    lengths[0] = length
    return {
        "input_ids": generator.integers(1, config.vocab_size, (rows, length)),
        "attention_mask": (np.arange(length) < lengths[:, None]).astype(np.int64),
        "token_type_ids": generator.integers(0, config.type_vocab_size, (rows, length)),
    }


def all_specs() -> dict[str, Spec]:
    """Every architecture's spec by model type."""
    modules = (importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    return {module.SPEC.model_type: module.SPEC for module in modules}
