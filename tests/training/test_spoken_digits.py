"""The example that writes down spoken digits, in a short form: it learns, and the frameworks write alike."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "spoken_digits.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    """The example as a module."""
    spec = importlib.util.spec_from_file_location("spoken_digits", EXAMPLE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_clips_are_what_they_say(example: ModuleType) -> None:
    clips = example.clips()
    words, utterances = ([clip for clip in clips if (" " in clip[1]) == several] for several in (False, True))
    assert len(words) == 60 and len(utterances) == 12 and {text for _, text in words} >= {"zero", "nine"}
    assert all(0.15 < len(sound) / example.HERTZ < 1.0 and np.abs(sound).max() <= 1 for sound, _ in words)
    assert all(len(text.split()) == 3 and len(sound) > example.HERTZ / 2 for sound, text in utterances)
    assert example.CLIPS.stat().st_size < 400_000


def test_errors_are_counted_by_letters(example: ModuleType) -> None:
    assert example.distance("two", "two") == 0 and example.distance("", "nine") == 4
    assert example.distance("tow", "two") == 2 and example.distance("sven", "seven") == 1
    said = [text for _, text in example.held_back()]
    assert example.error_rate(said) == 0 and example.error_rate([""] * len(said)) == 1


@pytest.fixture(scope="session")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What PyTorch learns in a few steps, and what it hears then."""
    folder = tmp_path_factory.mktemp("learnt")
    for code in ("print(train(folder, 60))", "np.save(folder / 'torch.npy', listen('torch', folder))"):
        names = "from spoken_digits import *; folder = Path(sys.argv[1])"
        command = [sys.executable, "-c", f"{names}\n{code}", str(folder)]
        done = subprocess.run(command, check=True, cwd=EXAMPLE.parent, capture_output=True, text=True)
        (folder / "log").open("a").write(done.stdout)
    return folder


@pytest.mark.backend("tensorflow")
def test_what_is_learnt_in_pytorch_is_heard_alike_in_another(example: ModuleType, backend: str, learnt: Path) -> None:
    check_hearing(example, backend, learnt)


@pytest.mark.slow
@pytest.mark.backend("torch", "flax")
def test_it_is_heard_alike_in_every_framework(example: ModuleType, backend: str, learnt: Path) -> None:
    check_hearing(example, backend, learnt)


def check_hearing(example: ModuleType, backend: str, learnt: Path) -> None:
    before, after = ((learnt / "log").read_text().splitlines()[line].split()[-1] for line in (0, -1))
    assert float(after) < 0.75 * float(before)
    expected = np.load(learnt / "torch.npy")
    found = example.listen(backend, learnt)
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()
    assert example.written(found, learnt) == example.written(expected, learnt)


@pytest.mark.slow
@pytest.mark.backend
def test_the_whole_example_reaches_its_goal(backend: str) -> None:
    if backend != "torch":
        pytest.skip("it runs all frameworks by itself")
    subprocess.run([sys.executable, EXAMPLE], check=True)
