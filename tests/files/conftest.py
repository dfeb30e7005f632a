"""What the tests of saving start from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.files.saves import CHANGING, OLD, restore, save


@pytest.fixture
def originals() -> Iterator[dict[str, Callable]]:
    functions = {name: getattr(os, name) for name in CHANGING}
    yield functions
    restore(functions)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    directory = tmp_path / "model"
    save(directory, OLD)
    return directory
