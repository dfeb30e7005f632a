"""A Hub for the tests that need one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.loopback import Hub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A running Hub without repositories."""
    with Hub(tmp_path / "home").serving() as running:
        yield running
