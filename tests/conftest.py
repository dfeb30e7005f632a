"""Each framework's tests run in a process of their own: `pytest tests --backend NAME`.

Without `--backend`, only the tests that need no framework run; with it, only those marked for it: three frameworks in
one process would compete for threads, and hide an import that should not be there.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# the same examples in every run: one that nobody has seen must not fail somebody else's change
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")

BACKENDS = ("torch", "tensorflow", "flax")
GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--backend", choices=BACKENDS, help="run the tests of this framework, and only those")
    parser.addoption("--golden", type=Path, help="a folder of goldens to use instead of tests/golden")
    parser.addoption("--device", choices=("cpu", "gpu", "tpu"), default="cpu", help="where the models run")


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    _keep_to_one_core()
    backend, device = config.getoption("backend"), config.getoption("device")
    if backend is not None:
        from tests.parity.runners import runner_of

        runner_of(backend).prepare(device)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    backend = config.getoption("backend")
    for item in items:
        short = item.get_closest_marker("short")
        if short is not None and backend not in short.args:
            item.add_marker("slow")
    slow = "slow" in (config.getoption("markexpr") or "")
    wanted = [item for item in items if _belongs(item, backend) and (slow or not item.get_closest_marker("slow"))]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(wanted)])
    items[:] = wanted


def _keep_to_one_core() -> None:
    """Where several processes share the tests, each has a core: their threads would wait for one another."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is not None and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})


def _belongs(item: pytest.Item, backend: str | None) -> bool:
    marker = item.get_closest_marker("backend")
    if marker is None:
        return backend is None
    return backend is not None and (not marker.args or backend in marker.args)


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> str:
    """The framework of this process."""
    return request.config.getoption("backend")


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest) -> str:
    """Where models run: cpu, gpu or tpu."""
    return request.config.getoption("device")
