"""The example that reverses digits, in a short form: it learns, and another framework writes what it has learnt."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "t5_reverse.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    """The example as a module."""
    spec = importlib.util.spec_from_file_location("t5_reverse", EXAMPLE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.backend("torch")
def test_a_short_training_is_read_by_another_framework(example: ModuleType, backend: str, tmp_path: Path) -> None:
    check_training(example, backend, tmp_path)


@pytest.mark.slow
@pytest.mark.backend("tensorflow", "flax")
def test_training_in_another_framework(example: ModuleType, backend: str, tmp_path: Path) -> None:
    check_training(example, backend, tmp_path)


def check_training(example: ModuleType, backend: str, tmp_path: Path) -> None:
    other = "torch" if backend != "torch" else "flax"
    example.train(backend, tmp_path, steps=300)
    written, (_, reverses) = example.write(backend, tmp_path), example.held_back()
    assert (written == reverses).mean() > 0.55  # guesses are right at the ends and at one digit in ten
    subprocess.run([sys.executable, EXAMPLE, "--write", other, "--folder", tmp_path], check=True)
    assert np.array_equal(np.load(tmp_path / f"{other}.npy"), written)
