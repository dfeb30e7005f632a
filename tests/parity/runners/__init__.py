"""One runner per framework, with the same functions: what the harness needs a framework for."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from triformers.outputs import dotted

#: Almost all the time of XLA's programs goes into compiling what runs once.
FAST_TO_COMPILE = (
    "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"
)


def compile_fast() -> None:
    """Let XLA compile as fast as it can; it reads this when it compiles the first program of a process."""
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {FAST_TO_COMPILE}"


def runner_of(backend: str) -> ModuleType:
    """The runner of a framework."""
    return importlib.import_module(f"{__name__}.{backend}_runner")


def arrays(output: Any) -> Iterator[tuple[str, Any]]:
    """The arrays of an output by flat name, without the cache: it is compared by what is read through it."""
    return dotted({name: value for name, value in output.items() if name != "past_key_values"})
