"""Scorers of beams, and the searches that they keep the books of: groups, and beams under constraints.

`scorers_4.53.3.json` and `searches_4.53.3.json` are runs of transformers 4.53.3 with the same tables in place of a
model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.generation.frameworks import array_of
from tests.generation.tables import TableDecoder, TableModel, scorer_run
from triformers import BeamSearchScorer, ConstrainedBeamSearchScorer, GenerationConfig, PhrasalConstraint
from triformers.files.errors import InputError
from triformers.generation.arrays import ops_of
from triformers.generation.beam_state import BeamHypotheses
from triformers.generation.host_search import Ended, constraints_of, search_constrained, search_groups
from triformers.generation.processors import criteria_for, processors_for
from triformers.generation.token_search import Rules


def read(name: str) -> Any:
    return json.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))


SCORERS, SEARCHES = read("scorers_4.53.3.json"), read("searches_4.53.3.json")


def scorer_of(run: Mapping[str, Any]) -> BeamSearchScorer:
    constraints = list(constraints_of(GenerationConfig(force_words_ids=run["constraints"] or None)))
    if constraints:
        return ConstrainedBeamSearchScorer(constraints=constraints, **run["scorer"])
    return BeamSearchScorer(**run["scorer"])


def check_scorer(recorded: Mapping[str, Any], array: Any) -> None:
    """Drive a scorer as the recorded one was driven."""
    run, answer = recorded["run"], recorded["answer"]
    found = scorer_run(scorer_of(run), run, array)
    assert found["sequences"] == answer["sequences"] and found["beam_indices"] == answer["beam_indices"]
    np.testing.assert_allclose(found["sequence_scores"], answer["sequence_scores"], rtol=1e-6)
    for (scores, *choice), (expected, *chosen) in zip(found["steps"][-2:], answer["steps"], strict=True):
        assert choice == chosen
        np.testing.assert_allclose(scores, expected, rtol=1e-6)


@pytest.mark.parametrize("recorded", SCORERS, ids=range(len(SCORERS)))
def test_scorers_choose_as_ever(recorded: Mapping[str, Any]) -> None:
    check_scorer(recorded, np.asarray)


@pytest.mark.backend
@pytest.mark.parametrize("recorded", SCORERS[:6], ids=range(6))
def test_scorers_take_arrays_of_every_framework(recorded: Mapping[str, Any], backend: str) -> None:
    check_scorer(recorded, array_of(backend))


def test_answers_are_where_the_arrays_are() -> None:
    answer = BeamSearchScorer(1, 2).process(
        np.zeros((2, 1), np.int32), np.array([[-1, -2, -3, -4]], np.float32), np.array([[5, 6, 7, 8]], np.int32),
        np.array([[0, 1, 0, 1]], np.int32),
    )  # fmt: skip
    assert [array.tolist() for array in answer.values()] == [[-1, -2], [5, 6], [0, 1]]
    assert [str(array.dtype) for array in answer.values()] == ["float32", "int32", "int32"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"num_beams": 1}, "num_beams"),
        ({"num_beams": 4, "num_beam_groups": 3}, "groups"),
        ({"num_beams": 2, "num_beam_groups": 4}, "groups"),
        ({"num_beams": 2, "do_early_stopping": "never"}, "max_length"),
    ],
)
def test_contradicting_arguments(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        BeamSearchScorer(1, **options)


def test_a_step_that_does_not_fit() -> None:
    ids, one = np.zeros((2, 1), int), np.ones((1, 2), int)
    with pytest.raises(InputError, match="2 rows"):
        BeamSearchScorer(2, 2).process(ids, one, one, one)
    with pytest.raises(InputError, match="go on"):
        BeamSearchScorer(1, 2).process(ids, one - 1.0, one, one, eos_token_id=1)
    done = BeamSearchScorer(1, 2, do_early_stopping=True)
    step = (np.array([[-1.0, -2, -3, -4]]), np.array([[1, 1, 2, 3]]), np.array([[0, 1, 0, 1]]))
    done.process(ids, *step, eos_token_id=1)
    assert done.is_done
    with pytest.raises(InputError, match="pad_token_id"):
        done.process(ids, *step, eos_token_id=1)


def test_hypotheses_keep_the_best() -> None:
    kept = BeamHypotheses(2, 1.0, False)
    for score, length in ((-4.0, 4), (-9.0, 3), (-1.0, 2), (-8.0, 2)):
        kept.add(np.zeros(length, int), score)
    assert sorted(score for score, _, _ in kept.beams) == [-1.0, -0.5] and kept.worst_score == -1.0
    assert kept.is_done(-3.0, 2) and not kept.is_done(-3.0, 4)
    assert not BeamHypotheses(2, 1.0, True).is_done(-3.0, 2)


# ---- searches -----------------------------------------------------------------------------------------------


def search(case: Mapping[str, Any], backend: str) -> tuple[Ended, list[Any], TableDecoder]:
    """Run a search with a framework's arrays: what it found, and the scores of each step."""
    config, array = GenerationConfig(**case["options"]), array_of(backend)
    model = TableModel(case["seed"], case["spread"])
    length = len(case["prompts"][0])
    longest = length + case["options"]["max_new_tokens"]
    prompts = np.array(case["prompts"])
    ops = ops_of(array(prompts))
    decoder = TableDecoder(model, prompts, config.max_new_tokens or 0, config.num_beams or 1, array, ops)
    processors = processors_for(
        config,
        prompt_length=length,
        max_length=longest,
        encoder_input_ids=array(prompts),
        prefix_allowed_tokens_fn=None,
    )
    criteria, shown = criteria_for(config, longest), []
    rules = Rules(
        lambda ids, scores, length, **further: processors(ids, scores, length, **further),
        criteria,
        longest,
        observe=lambda logits, scores, tokens: shown.append(np.asarray(scores)),
    )
    run = search_constrained if config.force_words_ids is not None else search_groups
    return run(decoder, rules, config), shown, decoder  # pyright: ignore[reportArgumentType]


@pytest.mark.backend("torch")
@pytest.mark.parametrize("case", SEARCHES, ids=range(len(SEARCHES)))
def test_searches_find_what_they_found_before(case: Mapping[str, Any], backend: str) -> None:
    check_search(case, backend)


@pytest.mark.backend("tensorflow", "flax")
@pytest.mark.parametrize("case", SEARCHES[1:4], ids=range(3))
def test_searches_find_the_same_in_every_framework(case: Mapping[str, Any], backend: str) -> None:
    check_search(case, backend)


def check_search(case: Mapping[str, Any], backend: str) -> None:
    ended, shown, _ = search(case, backend)
    assert np.asarray(ended.ids).tolist() == case["sequences"]
    np.testing.assert_allclose(np.asarray(ended.scores), case["sequences_scores"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(shown[-1][0], case["first_scores"], rtol=1e-5, atol=2e-5)


GROUPS = [case for case in SEARCHES if "num_beam_groups" in case["options"] and case["options"]["eos_token_id"] == 2]


@pytest.mark.backend("torch")
@pytest.mark.parametrize("case", GROUPS, ids=range(len(GROUPS)))
def test_scores_of_the_tokens_make_up_those_of_the_texts(case: Mapping[str, Any], backend: str) -> None:
    ended, shown, decoder = search(case, backend)
    penalty = case["options"]["length_penalty"]
    for ids, score, rows in zip(*(np.asarray(array).tolist() for array in ended[:3]), strict=True):
        chosen = [row for row in rows if row >= 0]
        new = ids[decoder.prompt.length :][: len(chosen)]
        total = sum(shown[step][row, token] for step, (row, token) in enumerate(zip(chosen, new, strict=True)))
        assert total / len(chosen) ** penalty == pytest.approx(score, rel=1e-4, abs=1e-4)


@pytest.mark.backend
def test_constraints_are_fulfilled_if_there_is_room(backend: str) -> None:
    case = {"seed": 5, "spread": 3.0, "prompts": [[3, 4], [6, 0]], "options": {"max_new_tokens": 12, "num_beams": 4}}
    words = [[20, 21, 22], [[17, 18], [19]]]
    case["options"] |= {"force_words_ids": words, "constraints": [PhrasalConstraint([11])]}
    for ids in np.asarray(search(case, backend)[0].ids).tolist():
        text = " ".join(map(str, ids[2:]))
        assert "20 21 22" in text and ("17 18" in text or "19" in text) and "11" in text


@pytest.mark.parametrize("wrong", [[], 3, [3], [[]], [[[]]], [[1.5]], [[-1]], [[[1], 2]], "words"], ids=repr)
def test_words_that_are_no_token_ids(wrong: Any) -> None:
    with pytest.raises(InputError):
        list(constraints_of(GenerationConfig(force_words_ids=wrong)))


def test_constraints_that_are_none() -> None:
    with pytest.raises(InputError, match="PhrasalConstraint"):
        list(constraints_of(GenerationConfig(num_beams=2, constraints=[[1, 2]])))
