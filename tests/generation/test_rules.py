"""Processors and stopping rules as objects: what they refuse, how they compare, which ones the options ask for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import triformers
from triformers import LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList
from triformers import generation as public
from triformers.generation import flax_logits_process, logits_process, stopping_criteria, tf_logits_process
from triformers.generation.processors import criteria_for, processors_for
from triformers.generation.rules import compile_together

IDS = np.zeros((2, 3), np.int64)


# ---- names --------------------------------------------------------------------------------------------------


def test_every_framework_has_its_names() -> None:
    for name in public.PROCESSORS:
        cls = getattr(logits_process, name)
        assert (
            getattr(triformers, name) is getattr(triformers, f"TF{name}") is getattr(triformers, f"Flax{name}") is cls
        )
        assert getattr(tf_logits_process, f"TF{name}") is getattr(flax_logits_process, f"Flax{name}") is cls
    for name in public.STOPPING_RULES:
        assert getattr(triformers, name) is getattr(public, name) is getattr(stopping_criteria, name)
    with pytest.raises(AttributeError, match="Watermark"):
        logits_process.TFWatermarkLogitsProcessor  # noqa: B018


# ---- refusals -----------------------------------------------------------------------------------------------

WRONG: dict[str, list[tuple[Any, ...]]] = {
    "TemperatureLogitsWarper": [(0.0,), (-1.0,), (1,), ("hot",), (float("nan"),)],
    "TopKLogitsWarper": [(0,), (-1,), (2.0,)],
    "TopPLogitsWarper": [(-0.1,), (1.1,), ("most",), (None,), (0.5, -1.0, 0)],
    "MinPLogitsWarper": [(-0.1,), (1.1,), ("most",), (0.5, -1.0, 0)],
    "TypicalLogitsWarper": [(0.0,), (1.0,), (0.5, -1.0, 0)],
    "EpsilonLogitsWarper": [(0.0,), (1.0,), (0.5, -1.0, 0)],
    "EtaLogitsWarper": [(0.0,), (1.0,), (0.5, -1.0, 1.5)],
    "RepetitionPenaltyLogitsProcessor": [(0.0,), (-1.0,), (2,), (2.0, -1), (2.0, 1.5)],
    "EncoderRepetitionPenaltyLogitsProcessor": [(0.0, IDS), (2, IDS)],
    "NoRepeatNGramLogitsProcessor": [(0,), (1.0,)],
    "EncoderNoRepeatNGramLogitsProcessor": [(0, IDS), ("2", IDS)],
    "SequenceBiasLogitsProcessor": [
        ({},), ([],), ("bias",), ({(3,): 1},), ({3: 1.0},), ({(): 1.0},), ({(-1,): 1.0},), ({(1.0,): 1.0},),
        ([[[3], 1]],), ([[3, 1.0]],), ([[(3,), 1.0]],),
    ],
    "NoBadWordsLogitsProcessor": [([], 2), (None, 2), ([3], 2), ([[]], 2), ([[-1]], 2), ([[1.5]], 2)],
    "MinLengthLogitsProcessor": [(-1, 2), (1.5, 2), (3, None), (3, "end"), (3, [[2]]), (3, 2.5)],
    "MinNewTokensLengthLogitsProcessor": [(-1, 2, 3), (1, -2, 3), (1, 2.0, 3), (1, 2, None)],
    "ForcedBOSTokenLogitsProcessor": [(None,), ("start",)],
    "ForcedEOSTokenLogitsProcessor": [(4, -1), (4, [2, -1]), (4, []), (4, None)],
    "ForceTokensLogitsProcessor": [([1, 2],), ([[1, 2, 3]],), ({"1": 2},)],
    "SuppressTokensLogitsProcessor": [(None,), ([1.5],)],
    "ExponentialDecayLengthPenalty": [((1, 1.5), -1, 3), ((1, 1.5), None, 3), (1.5, 2, 3), ((1,), 2, 3)],
    "HammingDiversityLogitsProcessor": [(0.0, 4, 2), (1, 4, 2), (1.0, 1, 1), (1.0, 4, 1), (1.0, 4, 5)],
    "EosTokenCriteria": [(None,), (1.5,)],
}  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), [(name, row) for name, rows in WRONG.items() for row in rows], ids=str)
def test_wrong_arguments_are_refused(name: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        getattr(triformers, name)(*arguments)
    assert isinstance(caught.value, triformers.TriformersError) and len(str(caught.value)) < 400


def test_arrays_of_no_framework_are_refused() -> None:
    with pytest.raises(ValueError, match=r"numpy\.ndarray"):
        triformers.TopKLogitsWarper(3)(IDS, np.zeros((2, 5)))
    with pytest.raises(NotImplementedError):
        LogitsProcessor()(IDS, IDS)
    with pytest.raises(NotImplementedError):
        StoppingCriteria()(IDS, IDS)


# ---- comparing ----------------------------------------------------------------------------------------------

MAKERS: list[Callable[[], Any]] = [
    lambda: triformers.TemperatureLogitsWarper(0.5),
    lambda: triformers.TemperatureLogitsWarper(0.7),
    lambda: triformers.TopPLogitsWarper(0.5),
    lambda: triformers.MinPLogitsWarper(0.5),
    lambda: triformers.EpsilonLogitsWarper(0.5),
    lambda: triformers.EtaLogitsWarper(0.5),
    lambda: triformers.SequenceBiasLogitsProcessor({(1, 2): 1.0, (3,): 2.0}),
    lambda: triformers.SequenceBiasLogitsProcessor({(1, 2): 1.0, (3,): 2.5}),
    lambda: triformers.NoBadWordsLogitsProcessor([[1, 2], [3]], [4]),
    lambda: triformers.MinLengthLogitsProcessor(3, [4, 5]),
    lambda: triformers.MinLengthLogitsProcessor(3, 4),
    lambda: triformers.EncoderNoRepeatNGramLogitsProcessor(2, IDS),
    lambda: triformers.EncoderNoRepeatNGramLogitsProcessor(2, IDS[:1]),
    lambda: triformers.ExponentialDecayLengthPenalty((2, 1.5), 3, 4),
    lambda: triformers.MaxLengthCriteria(4),
    lambda: triformers.MaxLengthCriteria(5),
    lambda: triformers.EosTokenCriteria([3, 4]),
]


def test_equal_values_are_equal_rules() -> None:
    sliced = IDS[:1]
    for number, make in enumerate(MAKERS):
        for other, make_other in enumerate(MAKERS):
            left, right = make(), make_other()
            if left.__dict__.get("encoder_input_ids", IDS) is not IDS:
                left.encoder_input_ids = right.encoder_input_ids = sliced
                if number != other:
                    continue
            assert (left == right) is (number == other), (left, right)
            assert number != other or hash(left) == hash(right)
    assert triformers.EosTokenCriteria(3) == triformers.EosTokenCriteria(np.array([3]))
    assert triformers.TopKLogitsWarper(3) != triformers.TopKLogitsWarper(4)


def test_what_calls_python_is_itself_alone() -> None:
    def allowed(prompt: int, ids: Any) -> list[int]:
        return [prompt]

    class Own(LogitsProcessor):
        def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
            return scores

    class Traceable(Own):
        compiles = True

    class Cooler(triformers.TemperatureLogitsWarper):
        """A class from outside may do anything in its call."""

    for make in (lambda: triformers.PrefixConstrainedLogitsProcessor(allowed, 1), Own, lambda: Cooler(0.5)):
        assert not make().compiles and make() != make()
        rule = make()
        assert rule == rule and hash(rule) == hash(rule)
    assert Traceable().compiles and Traceable() == Traceable()
    assert compile_together([triformers.TopKLogitsWarper(3), Traceable()])
    assert not compile_together([triformers.TopKLogitsWarper(3), Own()])
    assert not compile_together([lambda ids, scores: scores])
    assert not triformers.MaxTimeCriteria(1.0).compiles


# ---- lists --------------------------------------------------------------------------------------------------


def test_a_list_hands_each_what_it_takes() -> None:
    seen: list[tuple[Any, ...]] = []

    class Named(LogitsProcessor):
        def __call__(self, input_ids: Any, scores: Any, group: int, cur_len: Any) -> Any:
            seen.append((input_ids.shape[1], group, cur_len))
            return scores + 1

    class Any_(LogitsProcessor):
        def __call__(self, input_ids: Any, scores: Any, **rest: Any) -> Any:
            seen.append((input_ids.shape[1], rest))
            return scores * 2

    def function(input_ids: Any, scores: Any) -> Any:
        seen.append((input_ids.shape[1],))
        return scores * 3

    listed = LogitsProcessorList([Named(), Any_(), function])
    assert listed(IDS, 1, group=7, more=8) == 12
    assert seen == [(3, 7, 3), (3, {"group": 7, "more": 8}), (3,)]
    seen.clear()
    assert listed(IDS, 1, 2, group=7) == 12
    assert seen == [(3, 7, 2), (2, {"group": 7}), (2,)]
    with pytest.raises(ValueError, match="Named needs group"):
        listed(IDS, 1)
    assert LogitsProcessorList()(IDS, 5) == 5


# ---- what the options ask for -------------------------------------------------------------------------------


def options(**kwargs: Any) -> Any:
    return triformers.GenerationConfig(**kwargs)


def names(rules: list[Any]) -> list[str]:
    return [type(rule).__name__ for rule in rules]


def test_the_order_of_processors() -> None:
    config = options(
        guidance_scale=1.5, sequence_bias={(3,): 1.0}, diversity_penalty=1.0, num_beams=6, num_beam_groups=2,
        encoder_repetition_penalty=1.2, repetition_penalty=1.3, no_repeat_ngram_size=2, encoder_no_repeat_ngram_size=2,
        bad_words_ids=[[5]], min_length=3, min_new_tokens=2, forced_bos_token_id=4, forced_eos_token_id=5,
        remove_invalid_values=True, exponential_decay_length_penalty=(3, 1.1), suppress_tokens=[7],
        begin_suppress_tokens=[8], renormalize_logits=True, max_length=20, eos_token_id=2,
    )  # fmt: skip
    made = processors_for(config, 3, None, IDS, lambda prompt, ids: [1], [str])
    assert names(made) == [
        "UnbatchedClassifierFreeGuidanceLogitsProcessor", "SequenceBiasLogitsProcessor",
        "HammingDiversityLogitsProcessor", "EncoderRepetitionPenaltyLogitsProcessor",
        "RepetitionPenaltyLogitsProcessor", "NoRepeatNGramLogitsProcessor", "EncoderNoRepeatNGramLogitsProcessor",
        "NoBadWordsLogitsProcessor", "MinLengthLogitsProcessor", "MinNewTokensLengthLogitsProcessor",
        "PrefixConstrainedLogitsProcessor", "ForcedBOSTokenLogitsProcessor", "ForcedEOSTokenLogitsProcessor",
        "InfNanRemoveLogitsProcessor", "ExponentialDecayLengthPenalty", "SuppressTokensLogitsProcessor",
        "SuppressTokensAtBeginLogitsProcessor", "type", "LogitNormalization",
    ]  # fmt: skip
    assert made[10].num_beams == 3
    assert made[12] == triformers.ForcedEOSTokenLogitsProcessor(20, 5)
    assert made[14] == triformers.ExponentialDecayLengthPenalty((3, 1.1), 2, 3)
    assert made[16] == triformers.SuppressTokensAtBeginLogitsProcessor([8], 3)


def test_the_order_of_warpers_and_how_many_tokens_they_leave() -> None:
    shaping = dict(temperature=0.5, top_k=7, top_p=0.8, min_p=0.1, typical_p=0.3, epsilon_cutoff=0.01, eta_cutoff=0.02)
    own = [str]
    made = processors_for(options(do_sample=True, **shaping, repetition_penalty=1.5), 3, logits_processor=own)
    assert names(made)[:2] == ["RepetitionPenaltyLogitsProcessor", "type"]
    assert made[2:] == [
        triformers.TemperatureLogitsWarper(0.5), triformers.TopKLogitsWarper(7), triformers.TopPLogitsWarper(0.8),
        triformers.MinPLogitsWarper(0.1), triformers.TypicalLogitsWarper(0.3), triformers.EpsilonLogitsWarper(0.01),
        triformers.EtaLogitsWarper(0.02),
    ]  # fmt: skip
    for ends, kept in ((None, 2), (3, 2), ([3, 4, 5], 4)):
        made = processors_for(options(do_sample=True, num_beams=3, **shaping, eos_token_id=ends), 3)
        assert {rule.min_tokens_to_keep for rule in made[2:]} == {kept}
    assert names(processors_for(options(do_sample=True), 3)) == ["TopKLogitsWarper"]


@pytest.mark.parametrize(
    "neutral",
    [
        dict(),
        dict(do_sample=True, temperature=1.0, top_k=0, top_p=1.0, typical_p=1.0, epsilon_cutoff=0.0, eta_cutoff=0.0),
        dict(do_sample=True, temperature=None, top_k=None, top_p=None, typical_p=None, epsilon_cutoff=None),
        dict(repetition_penalty=1.0, encoder_repetition_penalty=1.0, no_repeat_ngram_size=0, min_length=0),
        dict(guidance_scale=1.0, diversity_penalty=0.0, encoder_no_repeat_ngram_size=0, remove_invalid_values=False),
        dict(min_length=5, min_new_tokens=5),
        dict(temperature=0.3, top_k=5, top_p=0.5),
    ],
)
def test_neutral_options_ask_for_nothing(neutral: dict[str, Any]) -> None:
    assert processors_for(options(**neutral), 3) == []


def test_a_forced_first_token_moves_the_beginning() -> None:
    for length, forced, begin in ((1, None, 1), (1, 4, 2), (3, None, 3), (3, 4, 3)):
        made = processors_for(options(begin_suppress_tokens=[8], forced_bos_token_id=forced), length)
        assert made[-1] == triformers.SuppressTokensAtBeginLogitsProcessor([8], begin)


def test_own_processors_take_the_place_of_their_kind(caplog: pytest.LogCaptureFixture) -> None:
    strict, stricter = (
        triformers.RepetitionPenaltyLogitsProcessor(3.0),
        triformers.RepetitionPenaltyLogitsProcessor(4.0),
    )
    sharp = triformers.TopKLogitsWarper(2)
    config = options(repetition_penalty=1.5, min_length=4, do_sample=True, top_k=5, eos_token_id=2)
    with caplog.at_level(logging.WARNING, "triformers"):
        made = processors_for(config, 3, logits_processor=[strict, sharp, stricter])
    minimum = triformers.MinLengthLogitsProcessor(4, 2)
    assert made == [strict, minimum, sharp, stricter, triformers.TopKLogitsWarper(5)]
    assert "RepetitionPenaltyLogitsProcessor" in caplog.text and "TopK" not in caplog.text


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (dict(do_sample=True, temperature=2), "temperature"),
        (dict(do_sample=True, top_k=-1), "top_k"),
        (dict(repetition_penalty=2), "penalty"),
        (dict(exponential_decay_length_penalty=(3, 1.1)), "eos_token_id"),
        (dict(encoder_repetition_penalty=1.5), "encoder_repetition_penalty"),
    ],
)
def test_options_that_cannot_be_are_refused(wrong: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        processors_for(options(**wrong), 3)


def test_the_stopping_rules_of_options() -> None:
    made = criteria_for(options(max_length=9, max_time=2.0, eos_token_id=[2, 3]), max_position_embeddings=32)
    assert names(made) == ["MaxLengthCriteria", "MaxTimeCriteria", "EosTokenCriteria"]
    assert made[0] == triformers.MaxLengthCriteria(9, 32) and made.max_length == 9
    assert criteria_for(options(max_length=9), 7) == [triformers.MaxLengthCriteria(7)]
    own = triformers.EosTokenCriteria(5)
    assert criteria_for(options(eos_token_id=2, max_length=9), stopping_criteria=[own])[1:] == [own]
    assert criteria_for(options(max_length=9), stopping_criteria=[own])[1:] == [own]
    with pytest.raises(ValueError, match="stop_strings"):
        criteria_for(options(stop_strings="end"))
    assert StoppingCriteriaList().max_length is None
