"""One runner per framework, with the same functions: what the harness needs a framework for."""

from __future__ import annotations

import importlib
from types import ModuleType


def runner_of(backend: str) -> ModuleType:
    """The runner of a framework."""
    return importlib.import_module(f"{__name__}.{backend}_runner")
