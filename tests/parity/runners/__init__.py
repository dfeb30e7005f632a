"""One runner per framework, with the same functions: what the harness needs a framework for."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from triformers.outputs import dotted


def runner_of(backend: str) -> ModuleType:
    """The runner of a framework."""
    return importlib.import_module(f"{__name__}.{backend}_runner")


def arrays(output: Any) -> Iterator[tuple[str, Any]]:
    """The arrays of an output by flat name, without the cache: it is compared by what is read through it."""
    return dotted({name: value for name, value in output.items() if name != "past_key_values"})
