"""Processors that look at the tokens so far: what is repeated, what follows what.

Shapes: B rows, L room for tokens, V tokens of the vocabulary, E tokens of an encoder's input, N sequences.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arrays import is_number, last_tokens, length_of, ops_of, positions_of, token_ids, whole
from .base import INFINITY, LogitsProcessor, length_option, refused


class RepetitionPenaltyLogitsProcessor(LogitsProcessor):
    """Makes tokens that are there already less likely: their scores are divided by a penalty, negative ones multiplied.

    Keskar et al. 2019, https://arxiv.org/abs/1909.05858.

    Args:
        penalty: Above 1 for less repetition, below for more.
        prompt_ignore_length: How many tokens at the beginning do not count.

    Raises:
        InputError: The penalty is no float above 0, or the length is negative.
    """

    def __init__(self, penalty: float, prompt_ignore_length: Any = None) -> None:
        self.penalty = _penalty(penalty)
        self.prompt_ignore_length = length_option("prompt_ignore_length", prompt_ignore_length)

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        ops = ops_of(scores)
        positions = positions_of(input_ids, ops)
        counted = positions < length_of(input_ids, cur_len, ops)
        if self.prompt_ignore_length is not None:
            counted = counted & (positions >= whole(self.prompt_ignore_length, ops))
        return _penalized(scores, input_ids, counted, self.penalty, ops)


class EncoderRepetitionPenaltyLogitsProcessor(LogitsProcessor):
    """Makes tokens of the encoder's input more likely: the inverse of a repetition penalty.

    Args:
        penalty: Above 1 for more of the input's tokens, below for fewer.
        encoder_input_ids: [B, E], or one row for several beams of each prompt.
        encoder_length: How many of its columns are tokens, a number or a traced scalar; all if None.

    Raises:
        InputError: The penalty is no float above 0.
    """

    def __init__(self, penalty: float, encoder_input_ids: Any, encoder_length: Any = None) -> None:
        self.penalty = 1 / _penalty(penalty)
        self.encoder_input_ids = encoder_input_ids
        self.encoder_length = encoder_length

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        ops = ops_of(scores)
        tokens = _rows(self.encoder_input_ids, scores, ops)
        counted = positions_of(tokens, ops) < length_of(tokens, self.encoder_length, ops)
        return _penalized(scores, tokens, counted, self.penalty, ops)


class NoRepeatNGramLogitsProcessor(LogitsProcessor):
    """Makes sequences of `ngram_size` tokens impossible that are there already.

    Raises:
        InputError: The size is no whole number above 0.
    """

    def __init__(self, ngram_size: int) -> None:
        self.ngram_size = _size("ngram_size", ngram_size)

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        ops = ops_of(scores)
        length = length_of(input_ids, cur_len, ops)
        return _without_ngrams(scores, input_ids, length, input_ids, length, self.ngram_size)


class EncoderNoRepeatNGramLogitsProcessor(LogitsProcessor):
    """Makes sequences of `encoder_ngram_size` tokens impossible that the encoder's input has.

    Args:
        encoder_ngram_size: The length of such sequences.
        encoder_input_ids: [B, E], or one row for several beams of each prompt.
        encoder_length: How many of its columns are tokens, a number or a traced scalar; all if None.

    Raises:
        InputError: The size is no whole number above 0.
    """

    def __init__(self, encoder_ngram_size: int, encoder_input_ids: Any, encoder_length: Any = None) -> None:
        self.ngram_size = _size("encoder_ngram_size", encoder_ngram_size)
        self.encoder_input_ids = encoder_input_ids
        self.encoder_length = encoder_length

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        ops = ops_of(scores)
        text = _rows(self.encoder_input_ids, scores, ops)
        end = length_of(text, self.encoder_length, ops)
        length = length_of(input_ids, cur_len, ops)
        return _without_ngrams(scores, text, end, input_ids, length, self.ngram_size)


class SequenceBiasLogitsProcessor(LogitsProcessor):
    """Adds to the score of a sequence's last token where the tokens before it are there.

    A sequence of one token is biased always, a longer one where the row has at least as many tokens as it.

    Args:
        sequence_bias: `{(ids, ...): bias}` or `[[[ids, ...], bias], ...]`, biases as floats.

    Raises:
        InputError: It is neither, or empty; in a call, a sequence has tokens beyond the vocabulary.
    """

    def __init__(self, sequence_bias: Mapping[tuple[int, ...], float] | list[Any]) -> None:
        self._hold(_biases(sequence_bias))

    def _hold(self, biases: tuple[Any, ...]) -> None:
        self.biases = biases
        self._groups = [  # those of one length together: [N, length] and [N]
            (np.array([s for s, _ in group], np.int32), np.array([bias for _, bias in group], np.float32))
            for group in ([row for row in biases if len(row[0]) == n] for n in {len(s) for s, _ in biases})
        ]

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        ops = ops_of(scores)
        length, vocabulary = length_of(input_ids, cur_len, ops), ops.shape(scores)[-1]
        self._check(vocabulary)
        for sequences, biases in self._groups:
            size = sequences.shape[1]
            if size == 1:
                always = np.zeros(vocabulary, np.float32)
                always[sequences[:, 0]] = biases
                scores = scores + ops.cast_like(ops.constant(always, scores), scores)
            elif not (is_number(length) and length < size):
                follows = self._follows(sequences, input_ids, length, ops)
                values = ops.where(follows, ops.cast_like(ops.constant(biases, scores), scores), 0.0)  # [B, N]
                scores = ops.add_to_tokens(scores, ops.constant(sequences[:, -1], scores), values)
        return scores

    def _follows(self, sequences: np.ndarray, input_ids: Any, length: Any, ops: Any) -> Any:
        """Whether each sequence's last token would complete it: [B, N]."""
        size = sequences.shape[1]
        tail = ops.cast(last_tokens(input_ids, length, size - 1, ops), "int32")
        is_there = ops.all(tail[:, None] == ops.constant(sequences[:, :-1], input_ids)[None], -1)
        return is_there & (length >= size)

    def _check(self, vocabulary: int) -> None:
        beyond = [token for sequences, _ in self._groups for token in sequences[sequences >= vocabulary].tolist()]
        if beyond:
            expected = f"ids below {vocabulary}, the number of the model's tokens"
            raise refused("sequence_bias", beyond, expected, "Make the ids with this model's tokenizer.")


class NoBadWordsLogitsProcessor(SequenceBiasLogitsProcessor):
    """Makes sequences of tokens impossible.

    Args:
        bad_words_ids: A list of lists of token ids.
        eos_token_id: The end of a text, one id or several, which stays possible.

    Raises:
        InputError: There are no words, or they are no lists of ids; in a call, one has tokens beyond the vocabulary.
    """

    def __init__(self, bad_words_ids: list[list[int]], eos_token_id: Any = None) -> None:
        expected = "a list of lists of token ids that are not negative"
        if not isinstance(bad_words_ids, list) or not bad_words_ids:
            raise refused("bad_words_ids", bad_words_ids, expected)
        for word in bad_words_ids:
            if not isinstance(word, list) or not word or not _are_ids(word):
                raise refused("bad_words_ids", word, expected)
        ends = () if eos_token_id is None else token_ids("eos_token_id", eos_token_id)
        words = dict.fromkeys(tuple(map(int, word)) for word in bad_words_ids)
        self._hold(tuple((word, -INFINITY) for word in words if not (len(word) == 1 and word[0] in ends)))


# ---- what several of them do --------------------------------------------------------------------------------


def _penalty(penalty: float) -> float:
    if not isinstance(penalty, float) or not penalty > 0:
        raise refused("penalty", penalty, "a float above 0")
    return penalty


def _size(option: str, size: int) -> int:
    if not is_number(size) or size <= 0:
        raise refused(option, size, "a whole number above 0")
    return int(size)


def _penalized(scores: Any, tokens: Any, counted: Any, penalty: float, ops: Any) -> Any:
    """Scores of the tokens [B, L] that count, [L], divided by a penalty, negative ones multiplied."""
    tokens = ops.where(counted, tokens, 0)
    old = ops.take_beams(scores, tokens)  # [B, L]
    return ops.put(scores, tokens, ops.where(old < 0, old * penalty, old / penalty), counted)


def _rows(encoder_input_ids: Any, scores: Any, ops: Any) -> Any:
    """The encoder's input with a row for each row of the scores: those of one prompt stand together."""
    if isinstance(encoder_input_ids, np.ndarray):
        encoder_input_ids = ops.constant(encoder_input_ids, scores)
    rows = encoder_input_ids if len(encoder_input_ids.shape) == 2 else encoder_input_ids[None]
    return ops.repeat_rows(rows, ops.shape(scores)[0] // ops.shape(rows)[0])


def _without_ngrams(scores: Any, text: Any, end: Any, input_ids: Any, length: Any, size: int) -> Any:
    """Scores in which no token completes a sequence of `size` tokens that stands in the text.

    Args:
        scores: [B, V].
        text: [B, E].
        end: How many tokens the text has.
        input_ids: [B, L], what has been written.
        length: How many tokens that has.
        size: How long such sequences are.
    """
    ops = ops_of(scores)
    room = ops.shape(text)[1]
    if any(is_number(known) and known < least for known, least in ((room, size), (length, size - 1))):
        return scores
    completing = text[:, size - 1 :]  # [B, E - size + 1], the last token of each
    before = positions_of(completing, ops) < end - (size - 1)
    repeats = before & (length >= size - 1)
    tail = ops.cast_like(last_tokens(input_ids, length, size - 1, ops), text)
    for place in range(size - 1):
        repeats = repeats & (text[:, place : room - size + 1 + place] == tail[:, place : place + 1])
    return ops.put(scores, completing, -INFINITY, repeats)


def _biases(sequence_bias: Any) -> tuple[tuple[tuple[int, ...], float], ...]:
    """Each sequence with its bias; of a sequence that is there twice, the last."""
    if isinstance(sequence_bias, list) and sequence_bias:
        sequence_bias = dict(map(_listed, sequence_bias))
    if not isinstance(sequence_bias, Mapping) or not sequence_bias:
        raise refused("sequence_bias", sequence_bias, "a dict, or a list of [ids, bias], that is not empty")
    for sequence, bias in sequence_bias.items():
        if not isinstance(sequence, tuple) or not sequence or not _are_ids(sequence):
            raise refused("sequence_bias", sequence, "tuples of token ids that are not negative, as keys")
        if not isinstance(bias, float):
            raise refused("sequence_bias", bias, "floats as biases")
    return tuple((tuple(map(int, sequence)), bias) for sequence, bias in sequence_bias.items())


def _listed(entry: Any) -> tuple[tuple[int, ...], float]:
    if isinstance(entry, (list, tuple)) and len(entry) == 2 and isinstance(entry[0], list):
        return tuple(entry[0]), entry[1]
    raise refused("sequence_bias", entry, "a list of token ids and a float in each entry of a list")


def _are_ids(tokens: Any) -> bool:
    return all(is_number(token) and token >= 0 for token in tokens)
