"""Processors that shape the distribution which tokens are drawn from, whatever came before.

Shapes: B rows, V tokens of the vocabulary.
"""

from __future__ import annotations

import math
from typing import Any

from ..arrays import is_number, ops_of
from .base import INFINITY, LogitsProcessor, refused


class TemperatureLogitsWarper(LogitsProcessor):
    """Divides scores by a temperature: above 1 makes the distribution flatter, below 1 sharper.

    Raises:
        InputError: The temperature is no float above 0.
    """

    def __init__(self, temperature: float) -> None:
        if not isinstance(temperature, float) or not temperature > 0:
            remedy = "Hand a positive float, or choose greedy search with do_sample=False."
            raise refused("temperature", temperature, "a float above 0", remedy)
        self.temperature = temperature

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        return scores / self.temperature


class TopKLogitsWarper(LogitsProcessor):
    """Keeps the `top_k` tokens with the highest scores, and all that are equal to the last of them.

    Raises:
        InputError: `top_k` is no whole number above 0.
    """

    def __init__(self, top_k: int, filter_value: float = -INFINITY, min_tokens_to_keep: int = 1) -> None:
        if not is_number(top_k) or top_k <= 0:
            raise refused("top_k", top_k, "a whole number above 0")
        self.top_k = max(top_k, min_tokens_to_keep)
        self.filter_value = filter_value

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        ops = ops_of(scores)
        return ops.where(scores < _nth_best(scores, self.top_k, ops), self.filter_value, scores)


class TopPLogitsWarper(LogitsProcessor):
    """Keeps the fewest tokens whose probabilities sum to `top_p` (Holtzman et al. 2020, https://arxiv.org/abs/1904.09751).

    Raises:
        InputError: `top_p` is not between 0 and 1, or no token would be kept.
    """

    def __init__(self, top_p: float, filter_value: float = -INFINITY, min_tokens_to_keep: int = 1) -> None:
        self.top_p = _between("top_p", top_p, 0 <= _number(top_p) <= 1, "a number from 0 to 1")
        self.filter_value = filter_value
        self.min_tokens_to_keep = _kept(min_tokens_to_keep)

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        ops = ops_of(scores)
        vocabulary = ops.shape(scores)[-1]
        ascending = ops.sort(scores)
        superfluous = ops.cumsum(ops.softmax(ascending)) <= 1 - self.top_p
        count = ops.minimum(_count(superfluous, ops), max(vocabulary - self.min_tokens_to_keep, 0))  # [B]
        lowest = ops.take_along_last(ascending, count)[..., None]  # of those that stay
        # some of those that are equal to it may go: the first of them
        equal = scores == lowest
        surplus = count - _count(scores < lowest, ops)
        goes = (scores < lowest) | (equal & (ops.cumsum(ops.cast(equal, "int32")) <= surplus[..., None]))
        return ops.where(goes, self.filter_value, scores)


class MinPLogitsWarper(LogitsProcessor):
    """Keeps tokens at least `min_p` times as likely as the likeliest (Nguyen et al. 2024, https://arxiv.org/abs/2407.01082).

    Raises:
        InputError: `min_p` is not between 0 and 1, or no token would be kept.
    """

    def __init__(self, min_p: float, filter_value: float = -INFINITY, min_tokens_to_keep: int = 1) -> None:
        self.min_p = _between("min_p", min_p, 0 <= _number(min_p) <= 1, "a number from 0 to 1")
        self.filter_value = filter_value
        self.min_tokens_to_keep = _kept(min_tokens_to_keep)

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        ops = ops_of(scores)
        probabilities = ops.softmax(scores)
        unlikely = probabilities < self.min_p * ops.max_of_rows(probabilities)[..., None]
        if self.min_tokens_to_keep > 1:
            unlikely = unlikely & ~_first(ops.argsort(-scores), self.min_tokens_to_keep, ops)
        return ops.where(unlikely, self.filter_value, scores)


class TypicalLogitsWarper(LogitsProcessor):
    """Keeps the tokens whose surprise is nearest to the expected, until their probabilities sum to `mass`.

    Locally typical sampling: Meister et al. 2022, https://arxiv.org/abs/2202.00666.

    Raises:
        InputError: `mass` is not between 0 and 1, both excluded, or no token would be kept.
    """

    def __init__(self, mass: float = 0.9, filter_value: float = -INFINITY, min_tokens_to_keep: int = 1) -> None:
        self.mass = _between("typical_p", mass, 0 < _number(mass) < 1, "a number between 0 and 1")
        self.filter_value = filter_value
        self.min_tokens_to_keep = _kept(min_tokens_to_keep)

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        ops = ops_of(scores)
        logarithms = ops.log_softmax(scores)
        distances = ops.abs(-logarithms - _entropy(logarithms, ops)[..., None])
        order = ops.argsort(distances)  # [B, V], the most typical first
        shares = ops.cumsum(ops.take_beams(ops.exp(logarithms), order))
        count = ops.minimum(_count(shares < self.mass, ops), ops.shape(scores)[-1] - 1)  # [B], those before the last
        last = ops.take_along_last(order, count)
        untypical = distances > ops.take_along_last(distances, last)[..., None]
        if self.min_tokens_to_keep > 1:
            untypical = untypical & ~_first(order, self.min_tokens_to_keep, ops)
        return ops.where(untypical, self.filter_value, scores)


class EpsilonLogitsWarper(LogitsProcessor):
    """Keeps tokens of a probability of at least `epsilon` (Hewitt et al. 2022, https://arxiv.org/abs/2210.15191).

    Raises:
        InputError: `epsilon` is not between 0 and 1, both excluded, or no token would be kept.
    """

    def __init__(self, epsilon: float, filter_value: float = -INFINITY, min_tokens_to_keep: int = 1) -> None:
        self.epsilon = _between("epsilon_cutoff", epsilon, 0 < _number(epsilon) < 1, "a number between 0 and 1")
        self.filter_value = filter_value
        self.min_tokens_to_keep = _kept(min_tokens_to_keep)

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        ops = ops_of(scores)
        unlikely = ops.softmax(scores) < self.epsilon
        unlikely = unlikely & (scores < _nth_best(scores, self.min_tokens_to_keep, ops))
        return ops.where(unlikely, self.filter_value, scores)


class EtaLogitsWarper(LogitsProcessor):
    """Keeps tokens of a probability of at least `epsilon`, or less where the distribution is flat.

    The threshold is min(epsilon, sqrt(epsilon) exp(-entropy)): Hewitt et al. 2022, https://arxiv.org/abs/2210.15191.

    Raises:
        InputError: `epsilon` is not between 0 and 1, both excluded, or no token would be kept.
    """

    def __init__(
        self, epsilon: float, filter_value: float = -INFINITY, min_tokens_to_keep: int = 1, device: Any = "cpu"
    ) -> None:
        del device  # of old, where `epsilon` was kept
        self.epsilon = _between("eta_cutoff", epsilon, 0 < _number(epsilon) < 1, "a number between 0 and 1")
        self.filter_value = filter_value
        self.min_tokens_to_keep = _kept(min_tokens_to_keep)

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        ops = ops_of(scores)
        logarithms = ops.log_softmax(scores)
        threshold = ops.minimum(math.sqrt(self.epsilon) * ops.exp(-_entropy(logarithms, ops)), self.epsilon)
        unlikely = ops.exp(logarithms) < threshold[..., None]
        unlikely = unlikely & (scores < _nth_best(scores, self.min_tokens_to_keep, ops))
        return ops.where(unlikely, self.filter_value, scores)


class LogitNormalization(LogitsProcessor):
    """Makes scores log-probabilities again, after processors that changed their sum."""

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        return ops_of(scores).log_softmax(scores)


# ---- what several of them do --------------------------------------------------------------------------------


def _number(value: Any) -> float:
    """A value to compare; what is no number lies in no interval."""
    return float(value) if isinstance(value, (int, float)) else math.nan


def _between(option: str, value: float, is_there: bool, expected: str) -> float:
    if not is_there:
        raise refused(option, value, expected)
    return float(value)


def _kept(count: int) -> int:
    if not is_number(count) or count < 1:
        raise refused("min_tokens_to_keep", count, "a whole number above 0")
    return int(count)


def _count(flags: Any, ops: Any) -> Any:
    """How many of each row are true: [B, V] -> [B]."""
    return ops.sum(ops.cast(flags, "int32"), -1)


def _nth_best(scores: Any, count: int, ops: Any) -> Any:
    """The lowest of the `count` highest scores: [B, V] -> [B, 1]."""
    best, _ = ops.top_k(scores, min(count, ops.shape(scores)[-1]))
    # not a slice of them: XLA would sort all scores for that, which takes fifty times as long
    return ops.min_of_rows(best)[..., None]


def _first(order: Any, count: int, ops: Any) -> Any:
    """Which tokens are the first `count` of an order: [B, V], true or false."""
    return ops.put(ops.full(ops.shape(order), False, order, "bool"), order[:, :count], True)


def _entropy(logarithms: Any, ops: Any) -> Any:
    """The expected surprise: [B, V] -> [B]. What is impossible adds nothing."""
    probabilities = ops.exp(logarithms)
    return -ops.sum(ops.where(probabilities > 0, probabilities * logarithms, 0.0), -1)
