"""`generate` against recorded calls of 4.53.3: the same tokens, and what else was asked for, in every framework."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triformers
from tests.generation.frameworks import array_of, numpy_of
from tests.generation.goldens import FOLDER, Case, cases
from triformers.cards import BACKENDS

#: The largest relative error of scores, which both sides round to float32, and of a call in float64.
SCORES, FORWARD = 1e-6, 1e-12

#: PyTorch answers every call; frameworks that compile each search, the first of some groups.
FOLDERS = ("gpt2", "openai_gpt", "ctrl", "bert_decoder", "roberta", "bart", "t5")
EVERY = [case for name in FOLDERS for case in cases(name)]
GROUPS = {
    "gpt2": (
        "padded",
        "several",
        "beam_fields",
        "group_beam",
        "sampling",
        "states",
        "forward",
        "errors",
        "contrastive",
    ),
    "openai_gpt": ("padded", "beam", "sampling", "states"),
    "ctrl": ("padded", "beam"),
    "roberta": ("greedy", "padded"),
    "bart": ("forward",),
    "t5": ("beam", "forward"),
}
SAMPLE = [
    case
    for name, groups in GROUPS.items()
    for group, case in {case.group: case for case in reversed(cases(name))}.items()
    if group in groups
]


@cache
def model_of(folder: Path, backend: str, name: str, dtype: str) -> Any:
    """The checkpoint of a folder."""
    options = {"attn_implementation": "eager"} if backend == "torch" else {}
    return getattr(triformers, BACKENDS[backend].class_prefix + name).from_pretrained(folder, dtype=dtype, **options)


def answer_of(case: Case, backend: str) -> Any:
    """What the recorded call answers here."""
    wanted = case.facts["object"]
    model = model_of(case.folder, backend, wanted["class"], wanted["dtype"])
    call, tensor = case.call, array_of(backend)
    arguments = case.read(call["kwargs"], tensor)
    if call["call"] == "compute_transition_scores":
        found = model.generate(**case.read(call["generate"], tensor))
        return model.compute_transition_scores(found.sequences, found.scores, found.get("beam_indices"), **arguments)
    found = model.generate(**arguments) if call["call"] == "generate" else model(**arguments)
    if "pick" in call:
        return {name: found[name] for name in call["pick"] if found.get(name) is not None}
    return found.sequences if hasattr(found, "sequences") else found


def arrays(value: Any, name: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """Every array of an answer by its place."""
    if isinstance(value, (Mapping, Sequence)):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, item in items:
            yield from arrays(item, f"{name}.{key}")
    elif value is not None:
        yield name, numpy_of(value)


def check(found: np.ndarray, truth: np.ndarray, band: float) -> None:
    assert found.shape == truth.shape
    if truth.dtype.kind != "f":
        np.testing.assert_array_equal(found, truth)
        return
    finite = np.isfinite(truth)
    np.testing.assert_array_equal(found[~finite], truth[~finite])
    scale = max(np.abs(truth[finite]).max(initial=0.0), 1e-3)
    assert np.abs(found[finite].astype(np.float64) - truth[finite]).max(initial=0.0) <= band * scale


def check_case(case: Case, backend: str) -> None:
    if case.error is not None:
        with pytest.raises(case.error):
            answer_of(case, backend)
        return
    found, truth = dict(arrays(answer_of(case, backend))), dict(arrays(case.answer))
    assert found.keys() == truth.keys()
    for name, array in truth.items():
        check(found[name], array, FORWARD if case.call["call"] == "forward" else SCORES)


@pytest.mark.backend("torch")
@pytest.mark.parametrize("case", EVERY, ids=lambda case: f"{case.folder.name}-{case.name}")
def test_every_recorded_call(case: Case, backend: str) -> None:
    check_case(case, backend)


@pytest.mark.backend("tensorflow", "flax")
@pytest.mark.parametrize("case", SAMPLE, ids=lambda case: f"{case.folder.name}-{case.name}")
def test_a_recorded_call_of_some_groups(case: Case, backend: str) -> None:
    check_case(case, backend)


@pytest.mark.slow
@pytest.mark.backend("tensorflow", "flax")
@pytest.mark.parametrize("case", EVERY, ids=lambda case: f"{case.folder.name}-{case.name}")
def test_every_recorded_call_compiled(case: Case, backend: str) -> None:
    check_case(case, backend)


def test_the_goldens_are_there() -> None:
    """A folder that is empty would make the tests above pass."""
    assert len(EVERY) > 500
    assert FOLDER.is_dir()
