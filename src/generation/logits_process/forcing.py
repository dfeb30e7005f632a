"""Processors that forbid or demand certain tokens at certain lengths.

Shapes: B rows, L room for tokens, V tokens of the vocabulary. Lengths and positions may be numbers or traced scalars.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arrays import is_number, length_of, ops_of, token_ids, token_mask, whole
from .base import INFINITY, LogitsProcessor, banned, forced, length_option, refused


class MinLengthLogitsProcessor(LogitsProcessor):
    """Makes the end of a text impossible before it has `min_length` tokens, the prompt included.

    Raises:
        InputError: The length is no whole number, or negative.
    """

    def __init__(self, min_length: Any, eos_token_id: Any, device: Any = "cpu") -> None:
        del device  # of old, where the ids were kept
        self.min_length = length_option("min_length", min_length)
        self.eos_token_id = token_ids("eos_token_id", eos_token_id)

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        ops = ops_of(scores)
        is_short = length_of(input_ids, cur_len, ops) < whole(self.min_length, ops)
        return banned(scores, self.eos_token_id, is_short, ops)


class MinNewTokensLengthLogitsProcessor(LogitsProcessor):
    """Makes the end of a text impossible before it has `min_new_tokens` tokens after the prompt.

    Raises:
        InputError: A length is no whole number, or negative.
    """

    def __init__(self, prompt_length_to_skip: Any, min_new_tokens: Any, eos_token_id: Any, device: Any = "cpu") -> None:
        del device
        self.prompt_length_to_skip = length_option("prompt_length_to_skip", prompt_length_to_skip)
        self.min_new_tokens = length_option("min_new_tokens", min_new_tokens)
        self.eos_token_id = token_ids("eos_token_id", eos_token_id)

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        ops = ops_of(scores)
        added = length_of(input_ids, cur_len, ops) - whole(self.prompt_length_to_skip, ops)
        return banned(scores, self.eos_token_id, added < whole(self.min_new_tokens, ops), ops)


class SuppressTokensLogitsProcessor(LogitsProcessor):
    """Makes some tokens impossible."""

    def __init__(self, suppress_tokens: Any, device: Any = "cpu") -> None:
        del device
        self.suppress_tokens = token_ids("suppress_tokens", suppress_tokens)

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        return banned(scores, self.suppress_tokens, True, ops_of(scores))


class SuppressTokensAtBeginLogitsProcessor(LogitsProcessor):
    """Makes some tokens impossible as the first token that is written, where `begin_index` tokens are there."""

    def __init__(self, begin_suppress_tokens: Any, begin_index: Any, device: Any = "cpu") -> None:
        del device
        self.begin_suppress_tokens = token_ids("begin_suppress_tokens", begin_suppress_tokens)
        self.begin_index = begin_index

    def set_begin_index(self, begin_index: Any) -> None:
        """Let writing begin after another number of tokens."""
        self.begin_index = begin_index

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        ops = ops_of(scores)
        begins = length_of(input_ids, cur_len, ops) == whole(self.begin_index, ops)
        return banned(scores, self.begin_suppress_tokens, begins, ops)


class ForcedBOSTokenLogitsProcessor(LogitsProcessor):
    """Makes one token the only possible second one, after the one that starts the decoder."""

    def __init__(self, bos_token_id: int) -> None:
        self.bos_token_id = token_ids("bos_token_id", bos_token_id)

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        ops = ops_of(scores)
        mask = _mask("bos_token_id", self.bos_token_id, scores, ops)
        return forced(scores, mask, length_of(input_ids, cur_len, ops) == 1, ops)


class ForcedEOSTokenLogitsProcessor(LogitsProcessor):
    """Makes the end of a text, one token or several, the only possible last token of `max_length`.

    Raises:
        InputError: There is no such token, or one is negative; in a call, one is beyond the vocabulary.
    """

    def __init__(self, max_length: Any, eos_token_id: Any, device: Any = "cpu") -> None:
        del device
        self.max_length = max_length
        self.eos_token_id = _ends(eos_token_id)

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        ops = ops_of(scores)
        is_last = length_of(input_ids, cur_len, ops) == whole(self.max_length, ops) - 1
        return forced(scores, _mask("eos_token_id", self.eos_token_id, scores, ops), is_last, ops)


class ForceTokensLogitsProcessor(LogitsProcessor):
    """Makes one token the only possible one at some positions.

    Args:
        force_token_map: `{position: token}`, or a list of such pairs.

    Raises:
        InputError: It holds something else; in a call, a token is beyond the vocabulary.
    """

    def __init__(self, force_token_map: Any) -> None:
        pairs = force_token_map.items() if isinstance(force_token_map, Mapping) else force_token_map
        if not all(isinstance(pair, (list, tuple)) and len(pair) == 2 and all(map(is_number, pair)) for pair in pairs):
            raise refused("force_token_map", force_token_map, "pairs of a position and a token id")
        self.force_token_map = tuple(sorted((int(position), int(token)) for position, token in dict(pairs).items()))

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        ops = ops_of(scores)
        length = length_of(input_ids, cur_len, ops)
        for position, token in self.force_token_map:
            if token >= 0:
                scores = forced(scores, _mask("force_token_map", (token,), scores, ops), length == position, ops)
        return scores


class ExponentialDecayLengthPenalty(LogitsProcessor):
    """Makes the end of a text more likely with every token beyond a length.

    Args:
        exponential_decay_length_penalty: How many tokens after the prompt it begins, and the factor by which it grows.
        eos_token_id: The end of a text, one id or several.
        input_ids_seq_length: How many tokens the prompt has.

    Raises:
        InputError: A token is negative; in a call, one is beyond the vocabulary.
    """

    def __init__(
        self, exponential_decay_length_penalty: tuple[int, float], eos_token_id: Any, input_ids_seq_length: Any
    ) -> None:
        if not _are_numbers(exponential_decay_length_penalty):
            expected = "a length and a factor"
            raise refused("exponential_decay_length_penalty", exponential_decay_length_penalty, expected)
        self.start, self.factor = exponential_decay_length_penalty
        self.eos_token_id = _ends(eos_token_id)
        self.input_ids_seq_length = input_ids_seq_length

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        ops = ops_of(scores)
        steps = length_of(input_ids, cur_len, ops) - whole(self.input_ids_seq_length, ops)
        mask = _mask("eos_token_id", self.eos_token_id, scores, ops)
        if is_number(steps):
            growth = float(self._growth(steps))
        else:
            # a table: a power of a traced exponent would lose the digits that the factor has beyond float32
            table = self._growth(np.arange(ops.shape(input_ids)[1] + 1))
            growth = ops.cast_like(ops.row(ops.constant(table, scores), steps), scores)
        mask = mask & (steps > self.start)
        return ops.where(mask, scores + ops.abs(scores) * growth, scores)

    def _growth(self, steps: Any) -> Any:
        """What is added after so many new tokens, as a share of the score."""
        with np.errstate(over="ignore"):
            return np.power(float(self.factor), np.maximum(steps - self.start, 0)) - 1


class InfNanRemoveLogitsProcessor(LogitsProcessor):
    """Makes scores finite: what is no number becomes 0, what is infinite the largest or smallest number."""

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        ops = ops_of(scores)
        largest = ops.largest(scores)
        scores = ops.where(scores != scores, 0.0, scores)
        return ops.where(scores == INFINITY, largest, ops.where(scores == -INFINITY, -largest, scores))


# ---- what several of them do --------------------------------------------------------------------------------


def _ends(eos_token_id: Any) -> tuple[int, ...]:
    """The tokens that end a text."""
    tokens = token_ids("eos_token_id", eos_token_id)
    if not tokens or min(tokens) < 0:
        raise refused("eos_token_id", eos_token_id, "token ids that are not negative")
    return tokens


def _mask(option: str, tokens: tuple[int, ...], scores: Any, ops: Any) -> Any:
    """Which of the vocabulary's tokens are listed: [V]."""
    vocabulary = ops.shape(scores)[-1]
    if max(tokens) >= vocabulary:
        raise refused(option, tokens, f"ids below {vocabulary}, the number of the model's tokens")
    return ops.constant(token_mask(tokens, vocabulary), scores)


def _are_numbers(pair: Any) -> bool:
    return isinstance(pair, (list, tuple)) and len(pair) == 2 and all(isinstance(n, (int, float)) for n in pair)
