"""Golden cases: one recorded run of one class each, as files (the format is described in tests/golden/README.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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

    @cached_property
    def gradient_norms(self) -> Mapping[str, float]:
        """The norm of the gradient of every parameter that has one."""
        return json.loads((self.folder / "grads.json").read_text())

    @property
    def has_loss(self) -> bool:
        """Whether the call has labels."""
        return self.facts["has_loss"]


def golden_root(config: pytest.Config) -> Path:
    """The folder of model goldens."""
    return (config.getoption("golden") or GOLDEN) / "models"


def cases(root: Path) -> Iterator[Case]:
    """The cases of every class that a card lists."""
    for model_type, card in all_cards().items():
        listed = set(card.models.values())
        for folder in sorted((root / model_type).iterdir()):
            if folder.name.partition("--")[0] in listed:
                yield Case(folder)
