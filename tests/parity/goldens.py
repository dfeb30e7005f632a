"""Golden cases: one recorded run of one class each, as files (the format is described in tests/golden/README.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import GOLDEN
from triformers.cards import all_cards
from triformers.conversion.formats.safetensors import read_safetensors


@dataclass(frozen=True)
class Case:
    """One golden case.

    Attributes:
        folder: Where its files are.
    """

    folder: Path

    @property
    def name(self) -> str:
        """Architecture, class and variant."""
        return f"{self.folder.parent.name}/{self.folder.name}"

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """`case.json`."""
        return json.loads((self.folder / "case.json").read_text())

    @cached_property
    def tensors(self) -> Mapping[str, np.ndarray]:
        """`io.safetensors`."""
        return {name: tensor.read() for name, tensor in read_safetensors(self.folder / "io.safetensors").items()}

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """`config.json`."""
        return json.loads((self.folder / "config.json").read_text())

    @property
    def class_name(self) -> str:
        """The class without a framework's prefix."""
        return self.facts["class"]

    def inputs(self, dtype: str) -> dict[str, np.ndarray]:
        """The arguments of the call, floats in the working type."""
        return {
            name.removeprefix("input."): array.astype(dtype) if array.dtype.kind == "f" else array
            for name, array in self.tensors.items()
            if name.startswith("input.")
        }

    @property
    def outputs(self) -> dict[str, np.ndarray]:
        """What the call must answer, lists and tuples as dotted names."""
        return {
            name.removeprefix("output."): array for name, array in self.tensors.items() if name.startswith("output.")
        }

    def meaningful(self, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs at the positions where they mean something: all, unless the case names a mask [B, T] of them."""
        name = self.facts.get("compare_mask")
        if not name:
            return dict(outputs)
        mask = self.tensors[f"input.{name}"].astype(bool)
        return {key: array[mask] if array.shape[:2] == mask.shape else array for key, array in outputs.items()}

    @property
    def main_output(self) -> str:
        """The name of the output that has a row for every token."""
        return "logits" if "logits" in self.outputs else "last_hidden_state"

    @property
    def cache_steps(self) -> list[int]:
        """The lengths of the chunks in which a cache must give the same; none for a class that has no cache."""
        return self.facts.get("cache_steps", [])

    @cached_property
    def gradient_norms(self) -> Mapping[str, float]:
        """The norm of the gradient of every parameter that has one."""
        return json.loads((self.folder / "grads.json").read_text())

    @property
    def is_variant(self) -> bool:
        """Whether it is another than the first case of its class."""
        return "--" in self.folder.name

    @property
    def is_sample(self) -> bool:
        """Whether what costs more is tested with it in short: all of BERT, and of others the first two classes."""
        model_type = self.folder.parent.name
        first = list(all_cards()[model_type].models.values())[:2]
        return model_type == "bert" or (self.class_name in first and not self.is_variant)

    @property
    def has_loss(self) -> bool:
        """Whether the call has labels."""
        return self.facts["has_loss"]


def chunks(inputs: Mapping[str, np.ndarray], lengths: Sequence[int]) -> Iterator[dict[str, np.ndarray]]:
    """A call's arguments, cut into those of several calls that read the sequence bit by bit.

    Args:
        inputs: The arguments of the whole; labels are left out.
        lengths: How many tokens each call reads.
    """
    end = 0
    has_decoder = any(name.startswith("decoder_") for name in inputs)
    for length in lengths:
        start, end = end, end + length
        yield {name: _cut(name, array, start, end, has_decoder) for name, array in inputs.items() if name != "labels"}


def _cut(name: str, array: np.ndarray, start: int, end: int, has_decoder: bool) -> np.ndarray:
    """What a call that reads the tokens from `start` to `end` is given of an argument; an encoder's are whole."""
    if has_decoder:
        if not name.startswith("decoder_"):
            return array
        name = name.removeprefix("decoder_")
    if name in ("input_ids", "inputs_embeds", "token_type_ids", "position_ids"):
        return array[:, start:end]
    if name == "attention_mask":
        return array[:, :end] if array.ndim == 2 else array[:, start:end, :end]
    if name == "encoder_attention_mask" and array.ndim == 3:
        return array[:, start:end]
    return array


def golden_root(config: pytest.Config) -> Path:
    """The folder of model goldens."""
    return (config.getoption("golden") or GOLDEN) / "models"


def cases(root: Path) -> Iterator[Case]:
    """The cases of every class that a card lists."""
    for model_type, card in all_cards().items():
        listed = set(card.models.values())
        for folder in sorted((root / model_type).iterdir()) if listed else ():
            if folder.name.partition("--")[0] in listed:
                yield Case(folder)
