"""What hundreds of loads and saves leave behind, failing ones among them: nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.run import ROOT

#: How many loads and saves; `make test-hostile` says 500.
CYCLES = int(os.environ.get("CYCLES", "100"))
#: By how many bytes the memory in use may grow.
MAX_GROWTH = 20 * 2**20

pytestmark = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the system does not say what is open")


def ran(folder: Path, *backend: str) -> dict[str, Any]:
    """What a process of its own has in use after its cycles."""
    command = [sys.executable, "-m", "tests.hostile.cycles", str(CYCLES), str(folder), *backend]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def check(found: dict[str, Any]) -> None:
    """Nothing is left, and what had to fail did."""
    assert found["failed"] == CYCLES // 2
    assert found["open"] == [] and found["grown"] < MAX_GROWTH
    assert not [name for name in found["left"] if name == ".triformers"]


def test_loads_and_saves_leave_nothing(tmp_path: Path) -> None:
    found = ran(tmp_path)
    check(found)
    assert found["left"] == [".triformers_manifest.json", "pytorch_model.bin"]


@pytest.mark.backend
def test_models_leave_nothing(backend: str, tmp_path: Path) -> None:
    check(ran(tmp_path, backend))
