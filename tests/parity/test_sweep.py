"""The frameworks agree on random configurations, not on the recorded ones alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.parity.compare import BANDS, beyond
from tests.parity.runners import runner_of
from tests.parity.sweep import classes, everything

SHORT, LONG = 1, 40
SEEDS = [*range(SHORT), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(SHORT, LONG))]

pytestmark = pytest.mark.backend


@pytest.fixture(scope="module")
def cases_of_torch(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """PyTorch's cases, computed in a process of their own."""
    folder, count = tmp_path_factory.mktemp("sweep"), SHORT
    if "slow" in request.config.getoption("markexpr"):
        count = LONG
    command = [sys.executable, "-m", "tests.parity.sweep", str(folder), str(count)]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2])
    return folder


@pytest.mark.parametrize("stem", [stem for *_, stem in classes()])
@pytest.mark.parametrize("seed", SEEDS)
def test_random_configurations(stem: str, seed: int, cases_of_torch: Path, backend: str, device: str) -> None:
    folder, runner = cases_of_torch / stem / str(seed), runner_of(backend)
    inputs, expected = (dict(np.load(folder / f"{name}.npz")) for name in ("inputs", "outputs"))
    found = runner.evaluate(runner.load(stem, folder, "float64"), inputs, **everything(stem))
    assert found.keys() == expected.keys()
    assert not beyond(found, expected, BANDS[device].outputs)
