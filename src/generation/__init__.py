"""How tokens are chosen: options, rules and searches, written once over each framework's array operations."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

#: One class each for three frameworks, under the names of all three.
PROCESSORS = (
    "LogitsProcessor", "LogitsProcessorList", "LogitsWarper",
    "TemperatureLogitsWarper", "TopKLogitsWarper", "TopPLogitsWarper", "MinPLogitsWarper", "TypicalLogitsWarper",
    "EpsilonLogitsWarper", "EtaLogitsWarper", "LogitNormalization",
    "RepetitionPenaltyLogitsProcessor", "EncoderRepetitionPenaltyLogitsProcessor",
    "NoRepeatNGramLogitsProcessor", "EncoderNoRepeatNGramLogitsProcessor",
    "SequenceBiasLogitsProcessor", "NoBadWordsLogitsProcessor",
    "MinLengthLogitsProcessor", "MinNewTokensLengthLogitsProcessor", "ExponentialDecayLengthPenalty",
    "ForcedBOSTokenLogitsProcessor", "ForcedEOSTokenLogitsProcessor", "ForceTokensLogitsProcessor",
    "SuppressTokensLogitsProcessor", "SuppressTokensAtBeginLogitsProcessor", "InfNanRemoveLogitsProcessor",
    "PrefixConstrainedLogitsProcessor", "HammingDiversityLogitsProcessor",
    "UnbatchedClassifierFreeGuidanceLogitsProcessor",
)  # fmt: skip

STOPPING_RULES = (
    "StoppingCriteria", "StoppingCriteriaList",
    "EosTokenCriteria", "MaxLengthCriteria", "MaxTimeCriteria", "StopStringCriteria",
)  # fmt: skip

#: Public name -> the module of this folder that defines it.
PUBLIC: Mapping[str, str] = {
    **dict.fromkeys(("GenerationConfig", "GenerationMode"), "configuration"),
    **dict.fromkeys(("BaseStreamer", "TextStreamer", "TextIteratorStreamer", "AsyncTextIteratorStreamer"), "streamers"),
    **dict.fromkeys(
        ("Constraint", "PhrasalConstraint", "DisjunctiveConstraint", "ConstraintListState"), "beam_constraints"
    ),
    **dict.fromkeys(("BeamScorer", "BeamSearchScorer", "ConstrainedBeamSearchScorer"), "beam_search"),
    "BeamHypotheses": "beam_state",
    **dict.fromkeys(STOPPING_RULES, "stopping_criteria"),
    **{prefix + name: "logits_process" for prefix in ("", "TF", "Flax") for name in PROCESSORS},
}


def __getattr__(name: str) -> Any:
    if name in PUBLIC:
        return getattr(importlib.import_module(f".{PUBLIC[name]}", __name__), name)
    if name.endswith("Output"):
        return getattr(importlib.import_module("..outputs", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *PUBLIC})
