"""Every recorded call gives the recorded answer: exact for whole numbers and sizes, within 1e-6 for pixels."""

from __future__ import annotations

import numpy as np
import pytest

from tests.processing.goldens import Mismatch, Recorded, check, folders, run

#: The folders of recorded calls whose classes there are.
FOLDERS = ("image_vit", "image_convnext", "audio_wav2vec2")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "recorded" in metafunc.fixturenames:
        found = list(folders(metafunc.config.getoption("golden"), FOLDERS))
        metafunc.parametrize("recorded", found, ids=[each.folder.name for each in found])


def test_recorded_calls(recorded: Recorded) -> None:
    assert len(recorded.of(None)) > 10
    failures = run(recorded, None)
    assert not failures, "\n".join(failures[:10])


@pytest.mark.backend
def test_recorded_calls_with_tensors(recorded: Recorded, backend: str) -> None:
    assert recorded.of(backend)
    failures = run(recorded, backend)
    assert not failures, "\n".join(failures[:10])


def test_the_comparison_can_fail() -> None:
    node = {"$array": {"dtype": "float32", "shape": [2], "data": [1.0, 2.0]}}
    check(np.array([1.0, 2.0000005], np.float32), node, "near", {})
    for wrong in ([1.0, 2.00001], [1.0, 2.0, 3.0]):
        with pytest.raises(Mismatch):
            check(np.array(wrong, np.float32), node, "wrong", {})
    with pytest.raises(Mismatch):
        check(np.array([1.0, 2.0]), node, "another type", {})
