"""Recorded calls about generation (`cases.json`): searches, processors and stopping rules, with their answers."""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import triformers
from tests.conftest import GOLDEN
from tests.tokenization import goldens as recorded

FOLDER = GOLDEN / "generation"


@dataclass(frozen=True)
class Case:
    """One recorded case.

    Attributes:
        folder: Where it is, beside a checkpoint if it is about a model.
        facts: Its line in `cases.json`.
    """

    folder: Path
    facts: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.facts["id"]

    @property
    def group(self) -> str:
        return self.facts["group"]

    @property
    def call(self) -> Mapping[str, Any]:
        """The one call."""
        (call,) = self.facts["calls"]
        return call

    @property
    def error(self) -> type[Exception] | None:
        """What the call raises, None if it answers."""
        (answer,) = self.facts["expect"]
        raised = answer.get("$raises") if isinstance(answer, dict) else None
        return None if raised is None else getattr(builtins, raised)

    @property
    def answer(self) -> Any:
        """What it answers, arrays as NumPy's."""
        (answer,) = self.facts["expect"]
        return self.read(answer)

    def read(self, node: Any, tensor: Callable[[np.ndarray], Any] | None = None) -> Any:
        """The value of a node of the call.

        Args:
            node: The node.
            tensor: Makes a framework's array of what was a tensor; NumPy's stay if None.
        """
        arrays = _arrays(self.folder)
        further: dict[str, Callable[[Any], Any]] = {
            "$prefix_allowed": lambda value: prefix_function(**value),
            "$generation_config": lambda value: triformers.GenerationConfig(**self.read(value, tensor)),
        }
        if tensor is not None:
            further["$tensor"] = lambda value: tensor(recorded.read(value, arrays))
        return recorded.read(node, arrays, further)


@cache
def _arrays(folder: Path) -> Mapping[str, np.ndarray]:
    with np.load(folder / "arrays.npz") as stored:
        return dict(stored)


def cases(name: str, root: Path = FOLDER) -> list[Case]:
    """The cases of one folder."""
    document = json.loads((root / name / "cases.json").read_text(encoding="utf-8"))
    return [Case(root / name, facts) for facts in document["cases"]]


def prefix_function(by: str, lists: list[list[int]]) -> Callable[[int, Any], list[int]]:
    """The function of the recorded calls: the tokens that may follow hang on the length, or on the last token."""

    def allowed(prompt: int, ids: Any) -> list[int]:
        del prompt
        return lists[(len(ids) if by == "length" else int(ids[-1])) % len(lists)]

    return allowed
