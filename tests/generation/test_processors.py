"""Logits processors in every framework: recorded answers, room after the tokens, traced lengths, what others say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import triformers
from tests.generation.frameworks import array_of, at_once, compiled, traced
from tests.generation.goldens import Case, cases
from triformers import LogitsProcessor, LogitsProcessorList
from triformers.generation import logits_process as rules
from triformers.generation.processors import processors_for

pytestmark = pytest.mark.backend

ALL = [case for case in cases("processors") if "processors" in case.call]
GROUPS = {group: list(members) for group, members in groupby(ALL, key=lambda case: case.group)}
INF = float("inf")


def processors(case: Case, array: Any) -> LogitsProcessorList:
    made = [getattr(triformers, entry["class"])(**case.read(entry["init"], array)) for entry in case.call["processors"]]
    return LogitsProcessorList(made)


def close(found: Any, expected: Any) -> bool:
    return np.allclose(np.asarray(found), np.asarray(expected), rtol=1e-9, atol=1e-12, equal_nan=True)


def roomy(ids: np.ndarray, more: int = 3) -> np.ndarray:
    """Ids with room after them, filled with tokens that are there and with some that are no tokens."""
    after = np.concatenate([ids[:, -1:], np.full_like(ids[:, :1], -1), ids[:, :1]] * more, 1)[:, :more]
    return np.concatenate([ids, after], 1)


# ---- recorded answers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", GROUPS)
def test_recorded_scores(group: str, backend: str) -> None:
    array = array_of(backend)
    answering = [case for case in GROUPS[group] if case.error is None]
    # one after another costs compilations; all of them are compiled together below
    for case in answering if backend == "torch" else answering[:1]:
        scores, listed = case.read(case.call["scores"], array), processors(case, array)
        call = at_once(backend, lambda ids, scores, listed=listed: listed(ids, scores))
        found = call(case.read(case.call["input_ids"], array), scores)
        assert close(found, case.answer), case.name
        assert found.dtype == scores.dtype


@pytest.mark.parametrize("case", [case for case in ALL if case.error], ids=lambda case: case.name)
def test_recorded_refusals(case: Case, backend: str) -> None:
    array = array_of(backend)
    with pytest.raises(case.error or ()) as caught:
        processors(case, array)(case.read(case.call["input_ids"], array), case.read(case.call["scores"], array))
    assert isinstance(caught.value, triformers.TriformersError) and len(str(caught.value)) < 400


@pytest.mark.parametrize("group", GROUPS)
def test_recorded_scores_compiled_with_room(group: str, backend: str) -> None:
    array, answering = array_of(backend), [case for case in GROUPS[group] if case.error is None]
    listed = [processors(case, array) for case in answering]

    def every(ids: Sequence[Any], scores: Sequence[Any], lengths: Sequence[Any]) -> list[Any]:
        return [rule(*arguments) for rule, *arguments in zip(listed, ids, scores, lengths, strict=True)]

    ids = [case.read(case.call["input_ids"]) for case in answering]
    scores = [array(case.read(case.call["scores"])) for case in answering]
    lengths = [traced(backend, row.shape[1]) for row in ids]
    call = compiled(backend, every) if all(rule.compiles for rule in listed) else every
    for case, found in zip(answering, call([array(roomy(row)) for row in ids], scores, lengths), strict=True):
        assert close(found, case.answer), case.name


# ---- room and traced lengths --------------------------------------------------------------------------------

SIZE = 13

#: Options that ask for all that compiles, as `generate` would.
EVERYTHING = dict(
    sequence_bias={(3,): 1.5, (1, 2): -2.5, (2, 1, 4): 3.5, (4, 4): -INF},
    encoder_repetition_penalty=1.5,
    repetition_penalty=1.25,
    no_repeat_ngram_size=2,
    encoder_no_repeat_ngram_size=3,
    bad_words_ids=[[7], [1, 3], [2, 2, 5], [6]],
    min_length=6,
    min_new_tokens=5,
    forced_bos_token_id=4,
    forced_eos_token_id=[5, 6],
    remove_invalid_values=True,
    exponential_decay_length_penalty=(2, 1.01),
    suppress_tokens=[8],
    begin_suppress_tokens=[9, 10],
    eos_token_id=[6, 11],
    do_sample=True,
    temperature=0.5,
    top_k=9,
    top_p=0.95,
    min_p=0.01,
    typical_p=0.9,
    epsilon_cutoff=0.001,
    eta_cutoff=0.001,
    renormalize_logits=True,
)


def options(**kwargs: Any) -> Any:
    return triformers.GenerationConfig(**kwargs)


def sample(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Tokens of which few differ, and scores: [3, 10], [3, SIZE]."""
    generator = np.random.default_rng(seed)
    return generator.integers(0, 5, (3, 10)), generator.normal(size=(3, SIZE)) * 3


def test_room_and_traced_lengths_change_nothing(backend: str) -> None:
    """Each processor at several lengths of one compiled function, whose numbers are all traced."""
    array = array_of(backend)
    ids, scores = sample()
    source = array(ids[:, ::2])

    def every(ids: Any, scores: Any, prompt: Any, maximum: Any, length: Any) -> list[Any]:
        made = processors_for(options(**EVERYTHING), prompt, maximum, source)
        assert len(made) == 22 and made.compiles
        # what comes after these looks at no tokens, and has its recorded answers
        return [rule(ids, scores, length) for rule in made[:14]]

    call = compiled(backend, every)
    for length in (1, 3, 9):
        room = np.concatenate([ids[:, :length], ids[:, ::-1]], 1)[:, :10]
        padded = call(array(room), array(scores), *(traced(backend, number) for number in (3, 10, length)))
        plain = at_once(backend, lambda ids, scores: every(ids, scores, 3, 10, None))
        for number, pair in enumerate(zip(padded, plain(array(ids[:, :length]), array(scores)), strict=True)):
            assert close(*pair), (length, number)


def test_columns_after_an_encoders_tokens_are_none(backend: str) -> None:
    array, (ids, scores) = array_of(backend), sample(11)

    def call(ids: Any, scores: Any, text: Any, length: Any) -> Any:
        repetition = rules.EncoderRepetitionPenaltyLogitsProcessor(2.0, text, length)(ids, scores)
        return repetition, rules.EncoderNoRepeatNGramLogitsProcessor(2, text, length)(ids, scores)

    text = np.array([[0, 1, 2, 3, 0, 4], [4, 3, 2, 1, 0, 3], [0, 0, 1, 1, 2, 2]])
    found = compiled(backend, call)(array(ids), array(scores), array(text), traced(backend, 4))
    expected = at_once(backend, lambda *arguments: call(*arguments, None))(
        array(ids), array(scores), array(text[:, :4])
    )
    assert all(close(*pair) for pair in zip(found, expected, strict=True))


def test_positions_that_a_prompt_length_hides(backend: str) -> None:
    array, (ids, scores) = array_of(backend), sample(1)

    def call(ids: Any, scores: Any, ignored: Any, length: Any) -> Any:
        return rules.RepetitionPenaltyLogitsProcessor(2.0, prompt_ignore_length=ignored)(ids, scores, length)

    found = compiled(backend, call)(array(ids), array(scores), traced(backend, 4), traced(backend, 6))
    for row, tokens in enumerate(ids[:, 4:6]):
        for token, score in enumerate(scores[row]):
            factor = 1.0 if token not in tokens else 2.0 if score < 0 else 0.5
            assert np.isclose(np.asarray(found)[row, token], score * factor)


def test_what_cannot_be_there_changes_nothing(backend: str) -> None:
    array, (ids, scores) = array_of(backend), sample(2)
    for rule in (
        rules.SequenceBiasLogitsProcessor({tuple(range(12)): 5.0}),
        rules.NoRepeatNGramLogitsProcessor(11),
        rules.EncoderNoRepeatNGramLogitsProcessor(12, array(ids)),
        rules.NoBadWordsLogitsProcessor([[3]], eos_token_id=[3]),
    ):
        assert close(rule(array(ids), array(scores)), scores)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_scores_keep_their_type(dtype: str, backend: str) -> None:
    ids, scores = sample(3)
    ops = triformers.generation.arrays.ops_of(array_of(backend)(scores))
    cast = ops.cast(array_of(backend)(scores), dtype)
    made = processors_for(options(**EVERYTHING), 3, 20, array_of(backend)(ids[:, ::2]))
    if backend != "torch":
        made = LogitsProcessorList(
            made[:2]
        )  # the others take long one by one; their types come out of the same operations
    assert made(array_of(backend)(ids), cast).dtype == cast.dtype


def test_ties_at_the_edge_are_broken_alike(backend: str) -> None:
    """Of equal tokens, those with the higher ids stay for `top_p`; all stay for `top_k`."""
    array = array_of(backend)
    scores = np.array([[0.0, 1.0, 1.0, 1.0, 1.0, -INF], [2.0, 2.0, 2.0, 2.0, -INF, -INF]], np.float32)
    ids = array(np.zeros((2, 1), np.int64))
    kept = np.asarray(rules.TopPLogitsWarper(0.5)(ids, array(scores))) > -INF
    assert kept.tolist() == [[False, False, True, True, True, False], [False, False, True, True, False, False]]
    kept = np.asarray(rules.TopKLogitsWarper(2)(ids, array(scores))) > -INF
    assert kept.tolist() == [[False, True, True, True, True, False], [True, True, True, True, False, False]]


# ---- what other beams, functions and models say -------------------------------------------------------------


def test_tokens_of_earlier_groups_cost(backend: str) -> None:
    array = array_of(backend)
    generator = np.random.default_rng(4)
    scores, tokens = generator.normal(size=(4, SIZE)), generator.integers(0, 3, 12)  # 2 prompts, 6 beams, 3 groups
    rule = LogitsProcessorList([rules.HammingDiversityLogitsProcessor(0.75, 6, 3)])
    for group in range(3):
        found = rule(array(scores), array(scores), current_tokens=array(tokens), beam_group_idx=group)
        for row in range(4):
            earlier = tokens.reshape(2, 6)[row // 2, : 2 * group]
            expected = scores[row] - 0.75 * np.bincount(earlier, minlength=SIZE)
            assert close(np.asarray(found)[row], expected)
    with pytest.raises(ValueError, match="current_tokens"):
        rule(array(scores), array(scores))


def test_tokens_are_forced_where_the_map_says(backend: str) -> None:
    array, (ids, scores) = array_of(backend), sample(5)
    rule = rules.ForceTokensLogitsProcessor([[2, 7], [4, 1]])
    assert rule == rules.ForceTokensLogitsProcessor({4: 1, 2: 7})
    call = compiled(backend, rule)
    for length, token in ((2, 7), (3, None), (4, 1), (9, None)):
        expected = scores if token is None else np.where(np.arange(SIZE) == token, 0.0, -INF) + 0 * scores
        assert close(call(array(ids), array(scores), traced(backend, length)), expected)


@pytest.mark.parametrize("trace", [False, True])
def test_a_function_sees_the_tokens_so_far(trace: bool, backend: str) -> None:
    array, (ids, scores) = array_of(backend), sample(6)
    seen: list[tuple[int, list[int]]] = []

    def allowed(prompt: int, tokens: Any) -> list[int]:
        seen.append((prompt, tokens.tolist()))
        return [prompt, 5]

    rule: Callable[..., Any] = rules.PrefixConstrainedLogitsProcessor(allowed, num_beams=3)
    if trace and backend == "tensorflow":
        import tensorflow as tf

        rule = tf.function(rule, autograph=False)  # a Python function has no place in XLA's programs
    elif trace:
        rule = compiled(backend, rule)
    found = np.asarray(rule(array(ids), array(scores), traced(backend, 7)))
    assert close(found, np.where(np.isin(np.arange(SIZE), [0, 5]), scores, -INF))
    assert seen == [(0, row) for row in ids[:, :7].tolist()]


def test_a_function_that_allows_nothing_is_refused(backend: str) -> None:
    array, (ids, scores) = array_of(backend), sample(7)
    for answer in ([], [SIZE]):
        rule = rules.PrefixConstrainedLogitsProcessor(lambda prompt, tokens, answer=answer: answer, 1)
        with pytest.raises(ValueError, match="prefix_allowed_tokens_fn"):
            rule(array(ids), array(scores))


class Model:
    """A model whose scores hang on all tokens that it has read, whether at once or one after another."""

    def __init__(self, table: np.ndarray, array: Callable[[Any], Any]) -> None:
        self.table, self.array = table, array
        self.calls: list[tuple[int, int, bool]] = []

    def __call__(self, input_ids: Any, attention_mask: Any, use_cache: bool, past_key_values: Any) -> Any:
        self.calls.append((input_ids.shape[1], attention_mask.shape[1], past_key_values is not None))
        read = self.table[np.asarray(input_ids)].cumsum(1) + (0 if past_key_values is None else past_key_values)
        return SimpleNamespace(logits=self.array(read), past_key_values=read[:, -1:] if use_cache else None)


@pytest.mark.parametrize("use_cache", [True, False])
@pytest.mark.parametrize("negative", [True, False])
def test_guidance_moves_away_from_the_other_prompt(negative: bool, use_cache: bool, backend: str) -> None:
    array, (ids, scores) = array_of(backend), sample(8)
    table = np.random.default_rng(9).normal(size=(SIZE, SIZE))
    model, prompt = Model(table, array), ids[:, :4] if negative else ids[:, 2:3]
    rule = rules.UnbatchedClassifierFreeGuidanceLogitsProcessor(
        1.5, model, array(prompt) if negative else None, use_cache=use_cache
    )

    def logarithms(scores: np.ndarray) -> np.ndarray:
        return scores - np.log(np.exp(scores).sum(-1, keepdims=True))

    for length in (3, 4, 5):
        other = logarithms(table[np.concatenate([prompt, ids[:, 3:length]], 1)].sum(1))
        expected = 1.5 * (logarithms(scores) - other) + other
        assert close(rule(array(ids), array(scores), length), expected)
    first = prompt.shape[1]
    assert model.calls == [(1 if n and use_cache else first + n, first + n, n > 0 and use_cache) for n in range(3)]
    assert close(
        rules.UnbatchedClassifierFreeGuidanceLogitsProcessor(1, model)(array(ids), array(scores)), logarithms(scores)
    )


class Doubled(LogitsProcessor):
    """A user's own, as PyTorch's users write one."""

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        return scores * float(input_ids.shape[1])


@pytest.mark.parametrize(
    "own", [Doubled(), lambda ids, scores: scores * float(ids.shape[1])], ids=["class", "function"]
)
def test_own_processors_see_the_tokens_so_far(own: Any, backend: str) -> None:
    array, (ids, scores) = array_of(backend), sample(10)
    listed = LogitsProcessorList([own])
    assert not listed.compiles
    assert close(listed(array(ids), array(scores)), scores * 10)
    assert close(listed(array(ids), array(scores), traced(backend, 4)), scores * 4)
    if backend != "torch":
        with pytest.raises(ValueError, match="cur_len"):
            compiled(backend, lambda *arguments: listed(*arguments))(array(ids), array(scores), traced(backend, 4))
