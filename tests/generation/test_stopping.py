"""Stopping rules in every framework: recorded answers, room after the tokens, stop strings."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triformers
from tests.conftest import GOLDEN
from tests.generation.frameworks import array_of, compiled, traced
from tests.generation.goldens import Case, cases
from tests.tokenization.goldens import open_family
from triformers import StoppingCriteriaList

pytestmark = pytest.mark.backend

ALL = [case for case in cases("processors") if "criteria" in case.call]
IDS = np.array([[1, 2, 3, 4, 5], [3, 4, 5, 3, 1]])


def answer(found: Any) -> list[bool]:
    found = np.asarray(found)
    assert found.dtype == bool
    return found.tolist()


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_recorded_answers(case: Case, backend: str) -> None:
    array = array_of(backend)
    entry = case.call["criteria"]
    rule = getattr(triformers, entry["class"])(**case.read(entry["init"], array))
    ids = case.read(case.call["input_ids"])
    assert answer(rule(array(ids), None)) == case.answer.tolist()
    room = array(np.concatenate([ids, ids + 1], 1))
    call = compiled(backend, lambda ids, length: rule(ids, None, length))
    assert answer(call(room, traced(backend, ids.shape[1]))) == case.answer.tolist()


def test_one_rule_is_enough(backend: str) -> None:
    array = array_of(backend)

    def first(input_ids: Any, scores: Any) -> Any:
        return input_ids[:, 0] == 1

    def never(input_ids: Any, scores: Any, **kwargs: Any) -> bool:
        return False

    assert answer(StoppingCriteriaList()(array(IDS), None)) == [False, False]
    assert answer(StoppingCriteriaList([first, never])(array(IDS), None)) == [True, False]
    ends = triformers.EosTokenCriteria([3, 7])
    both = StoppingCriteriaList([ends, triformers.MaxLengthCriteria(4), never])
    assert not both.compiles and StoppingCriteriaList([ends]).compiles
    for length, expected in ((1, [False, True]), (2, [False, False]), (3, [True, False]), (4, [True, True])):
        assert answer(both(array(IDS), None, length)) == expected


def test_a_traced_maximum(backend: str) -> None:
    def call(ids: Any, maximum: Any, length: Any) -> Any:
        return triformers.MaxLengthCriteria(maximum)(ids, None, length)

    call = compiled(backend, call)
    for maximum, expected in ((4, False), (3, True), (2, True)):
        found = call(array_of(backend)(IDS), traced(backend, maximum), traced(backend, 3))
        assert answer(found) == [expected] * 2


def test_time(backend: str) -> None:
    ids = array_of(backend)(IDS)
    assert answer(triformers.MaxTimeCriteria(0.0, initial_timestamp=0.0)(ids, None)) == [True, True]
    assert answer(triformers.MaxTimeCriteria(1e6)(ids, None)) == [False, False]


def test_positions_that_a_model_does_not_know_are_warned_of_once(
    backend: str, caplog: pytest.LogCaptureFixture
) -> None:
    rule = triformers.MaxLengthCriteria(5, max_position_embeddings=3)
    with caplog.at_level(logging.WARNING, "triformers"):
        for length in (2, 3, 4, 5):
            rule(array_of(backend)(IDS), None, length)
    assert len(caplog.records) == 1 and "3 positions" in caplog.text


def test_stop_strings(backend: str) -> None:
    tokenizer = Words(["st", "op", "stop", "sto", "p!", "pst", "o", "", "s t"])
    array = array_of(backend)
    for tokens, expected in (
        (["st", "op"], True),
        (["stop"], True),
        (["sto", "p!"], True),  # it may go on after the end
        (["stop", "o"], False),  # what has ended before has been answered before
        (["stop", ""], False),
        (["st", "", "op"], True),
        (["st", "o"], False),
        (["pst", "op"], True),
        (["s t", "op"], False),
        (["stop", "st", "o", "pst"], True),
    ):
        ids = np.array([[tokenizer.words.index(word) for word in tokens], [0] * len(tokens)])
        rule = triformers.StopStringCriteria(tokenizer, "stop")
        assert answer(rule(array(ids), None)) == [expected, False], tokens
        room = np.concatenate([ids, ids, ids], 1)
        assert answer(rule(array(room), None, traced(backend, len(tokens)))) == [expected, False], tokens
        assert answer(triformers.StopStringCriteria(tokenizer, ["zzz", "stop"])(array(ids), None)) == [expected, False]


class Words:
    """A tokenizer whose tokens stand for themselves."""

    def __init__(self, words: list[str]) -> None:
        self.words = words

    def __call__(self, text: str, add_special_tokens: bool = True) -> dict[str, list[int]]:
        return {"input_ids": [-1]}

    def convert_ids_to_tokens(self, ids: Any) -> Any:
        if isinstance(ids, list):
            return [self.convert_ids_to_tokens(token) for token in ids]
        return "abcdef" if ids == -1 else self.words[ids]

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return "".join(tokens)


@pytest.mark.parametrize(("name", "kind"), [("gpt2", "fast"), ("bert_uncased", "slow")])
def test_recorded_stop_strings(name: str, kind: str, backend: str, tmp_path: Path) -> None:
    """What transformers 4.53.3 answered for random tokens and pieces of their text."""
    recorded = json.loads(Path(__file__).with_name("stop_strings_4.53.3.json").read_text(encoding="utf-8"))
    tokenizer = open_family(GOLDEN / "tokenizers" / name, tmp_path).load(kind)
    rows = [row for row in recorded if (row["tokenizer"], row["kind"]) == (name, kind)]
    assert len(rows) > 20
    for row in rows:
        rule = triformers.StopStringCriteria(tokenizer, row["stop_strings"])
        assert answer(rule(array_of(backend)(np.array(row["ids"])), None)) == row["done"], row


@pytest.mark.parametrize("wrong", ["", [], ["a", ""], [1]], ids=str)
def test_stop_strings_that_are_none_are_refused(wrong: Any, backend: str) -> None:
    with pytest.raises(ValueError, match="stop_strings"):
        triformers.StopStringCriteria(Words(["a"]), wrong)
