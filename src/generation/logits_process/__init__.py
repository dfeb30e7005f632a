"""Logits processors: what changes the scores of the next token, one set of classes for three frameworks.

`TFTopKLogitsWarper` and `FlaxTopKLogitsWarper` are other names of `TopKLogitsWarper`, and so with all of them.
Processors for speech, for music and for watermarks are not here.
"""

from __future__ import annotations

from typing import Any

from .base import LogitsProcessor as LogitsProcessor
from .base import LogitsProcessorList as LogitsProcessorList
from .base import LogitsWarper as LogitsWarper
from .forcing import ExponentialDecayLengthPenalty as ExponentialDecayLengthPenalty
from .forcing import ForcedBOSTokenLogitsProcessor as ForcedBOSTokenLogitsProcessor
from .forcing import ForcedEOSTokenLogitsProcessor as ForcedEOSTokenLogitsProcessor
from .forcing import ForceTokensLogitsProcessor as ForceTokensLogitsProcessor
from .forcing import InfNanRemoveLogitsProcessor as InfNanRemoveLogitsProcessor
from .forcing import MinLengthLogitsProcessor as MinLengthLogitsProcessor
from .forcing import MinNewTokensLengthLogitsProcessor as MinNewTokensLengthLogitsProcessor
from .forcing import SuppressTokensAtBeginLogitsProcessor as SuppressTokensAtBeginLogitsProcessor
from .forcing import SuppressTokensLogitsProcessor as SuppressTokensLogitsProcessor
from .guidance import HammingDiversityLogitsProcessor as HammingDiversityLogitsProcessor
from .guidance import PrefixConstrainedLogitsProcessor as PrefixConstrainedLogitsProcessor
from .guidance import UnbatchedClassifierFreeGuidanceLogitsProcessor as UnbatchedClassifierFreeGuidanceLogitsProcessor
from .penalties import EncoderNoRepeatNGramLogitsProcessor as EncoderNoRepeatNGramLogitsProcessor
from .penalties import EncoderRepetitionPenaltyLogitsProcessor as EncoderRepetitionPenaltyLogitsProcessor
from .penalties import NoBadWordsLogitsProcessor as NoBadWordsLogitsProcessor
from .penalties import NoRepeatNGramLogitsProcessor as NoRepeatNGramLogitsProcessor
from .penalties import RepetitionPenaltyLogitsProcessor as RepetitionPenaltyLogitsProcessor
from .penalties import SequenceBiasLogitsProcessor as SequenceBiasLogitsProcessor
from .warpers import EpsilonLogitsWarper as EpsilonLogitsWarper
from .warpers import EtaLogitsWarper as EtaLogitsWarper
from .warpers import LogitNormalization as LogitNormalization
from .warpers import MinPLogitsWarper as MinPLogitsWarper
from .warpers import TemperatureLogitsWarper as TemperatureLogitsWarper
from .warpers import TopKLogitsWarper as TopKLogitsWarper
from .warpers import TopPLogitsWarper as TopPLogitsWarper
from .warpers import TypicalLogitsWarper as TypicalLogitsWarper


def __getattr__(name: str) -> Any:
    """The classes under the names that TensorFlow's and Flax' users know."""
    known = globals().get(name.removeprefix("TF") if name.startswith("TF") else name.removeprefix("Flax"))
    if isinstance(known, type):
        return known
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
