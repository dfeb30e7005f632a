"""The example that learns digits, in a short form: it learns, and another framework reads what it has learnt."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "vit_digits.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    """The example as a module."""
    spec = importlib.util.spec_from_file_location("vit_digits", EXAMPLE)
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
    example.train(backend, tmp_path, epochs=6)
    scores = example.predict(backend, tmp_path)
    assert example.right(scores) > 0.7
    subprocess.run([sys.executable, EXAMPLE, "--predict", other, "--folder", tmp_path], check=True)
    found = np.load(tmp_path / f"{other}.npy")
    assert np.abs(found - scores).max() < 1e-4 * np.abs(scores).max()
    assert np.array_equal(found.argmax(-1), scores.argmax(-1))
