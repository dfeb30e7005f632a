"""One runner per framework, with the same functions: what the harness needs a framework for."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np


def runner_of(backend: str) -> ModuleType:
    """The runner of a framework."""
    return importlib.import_module(f"{__name__}.{backend}_runner")


def flat(output: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The arrays of an output, nested ones under dotted names."""
    pairs = output.items() if isinstance(output, dict) else enumerate(output)
    for name, value in pairs:
        if isinstance(value, (dict, tuple, list)):
            yield from flat(value, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", value


def largest(arrays: dict[str, np.ndarray]) -> float:
    """The largest norm among arrays."""
    return max(float(np.linalg.norm(array)) for array in arrays.values())
