"""What a search with beams holds on the host: candidates of a step, beams that go on, hypotheses that have ended.

Shapes as in `beam_search`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..files.errors import InputError, three_beats
from .arrays import as_framework, token_ids

#: The rows that the tokens of a hypothesis were chosen in.
Origins = tuple[int, ...] | None

#: A hypothesis: its score, its tokens [L], its origins.
Hypothesis = tuple[float, np.ndarray, Origins]


class Step(NamedTuple):
    """What a scorer is given at one step, as NumPy arrays.

    Attributes:
        ids: [R, L].
        scores: [B, M] of the candidates, the best first.
        tokens: [B, M] the candidates' last tokens.
        beams: [B, M] the beam of the prompt (or of its group) that each goes on with.
        ends: The tokens that end a text.
        origins: The rows that the tokens of each row were chosen in.
        group: Which group this is.
        prompt_length: How many tokens are the prompt's.
        vocabulary: [R, V] the scores of every continuation, where constraints ask for them.
    """

    ids: np.ndarray
    scores: np.ndarray
    tokens: np.ndarray
    beams: np.ndarray
    ends: tuple[int, ...]
    origins: Sequence[tuple[int, ...]] | None
    group: int
    prompt_length: int
    vocabulary: np.ndarray | None = None


class Beams(NamedTuple):
    """The beams of one prompt that go on: scores, last tokens, and the rows that they go on with, [K / G] each."""

    scores: Any
    tokens: Any
    rows: Any

    def like(self, scores: Any, tokens: Any, rows: Any) -> Beams:
        """The same as arrays of the framework, and where, others are."""
        return Beams(*map(as_framework, self, (scores, tokens, rows)))


#: What `process` answers.
NEXT = ("next_beam_scores", "next_beam_tokens", "next_beam_indices")


class BeamHypotheses:
    """The best hypotheses of one prompt, or of one of its groups, that have ended.

    Args:
        num_beams: How many are kept.
        length_penalty: The power of a hypothesis' length by which its score is divided.
        early_stopping: True to stop when there are enough; False when no better one is likely; "never" when none is
            possible.
        max_length: The most tokens of a text, which "never" needs.

    Attributes:
        beams: (score, tokens, origins) of each.
        worst_score: The lowest of their scores.
    """

    def __init__(
        self, num_beams: int, length_penalty: float, early_stopping: bool | str, max_length: int | None = None
    ) -> None:
        if not isinstance(early_stopping, bool) and max_length is None:
            found = f"early_stopping={early_stopping!r} without max_length"
            raise InputError(three_beats(found, "both, or True or False", "Say how long a text can be."))
        self.length_penalty = length_penalty
        self.early_stopping = early_stopping
        self.max_length = max_length
        self.num_beams = num_beams
        self.beams: list[Hypothesis] = []
        self.worst_score = 1e9

    def __len__(self) -> int:
        return len(self.beams)

    def add(
        self, hyp: Any, sum_logprobs: float, beam_indices: Origins = None, generated_len: int | None = None
    ) -> None:
        """Take a hypothesis that has ended, if it is better than the worst of those that are kept.

        Args:
            hyp: [L] its tokens.
            sum_logprobs: Its score.
            beam_indices: The rows that its tokens were chosen in.
            generated_len: How many of its tokens are new; all of them if it is not said.
        """
        length = len(hyp) if generated_len is None else generated_len
        score = sum_logprobs / length**self.length_penalty
        if len(self) >= self.num_beams and score <= self.worst_score:
            return
        self.beams.append((score, hyp, beam_indices))
        if len(self) > self.num_beams:
            del self.beams[min(range(len(self)), key=lambda index: score_of(self.beams[index]))]
        self.worst_score = min(map(score_of, self.beams))

    def is_done(self, best_sum_logprobs: float, cur_len: int, decoder_prompt_len: int | None = 0) -> bool:
        """Whether what goes on can no longer become better than the worst of those that are kept.

        Args:
            best_sum_logprobs: The highest score of what goes on.
            cur_len: How many tokens that has.
            decoder_prompt_len: How many of them are the prompt's.
        """
        if len(self) < self.num_beams:
            return False
        if self.early_stopping is True:
            return True
        reaches_end = self.early_stopping == "never" and self.length_penalty > 0.0
        length = self.max_length if reaches_end and self.max_length is not None else cur_len
        return self.worst_score >= best_sum_logprobs / (length - (decoder_prompt_len or 0)) ** self.length_penalty


def score_of(hypothesis: Hypothesis) -> float:
    """What hypotheses are compared by."""
    return hypothesis[0]


def ends_of(eos_token_id: Any) -> tuple[int, ...]:
    """The tokens that end a text."""
    return () if eos_token_id is None else token_ids("eos_token_id", eos_token_id)


def laid_out(
    best: Sequence[Hypothesis],
    max_length: int | None,
    pad_token_id: Any,
    ends: tuple[int, ...],
    dtype: np.dtype,
) -> tuple[np.ndarray, np.ndarray | None]:
    """The tokens and origins of hypotheses as arrays, each text ended and filled up: [B * kept, T] both."""
    lengths = [len(tokens) for _, tokens, _ in best]
    width = max(lengths) + (1 if ends else 0)
    width = width if max_length is None else min(width, max_length)
    if len(set(lengths)) > 1 and pad_token_id is None:
        found = f"texts of {min(lengths)} to {max(lengths)} tokens, and no pad_token_id"
        raise InputError(three_beats(found, "a token to fill the shorter ones", "Set it in the call."))
    pad = 0 if pad_token_id is None else token_ids("pad_token_id", pad_token_id)[0]
    sequences = np.full((len(best), width), pad, dtype)
    has_origins = best[0][2] is not None
    rows = np.full((len(best), width), -1, dtype) if has_origins else None
    for index, (_, tokens, origins) in enumerate(best):
        sequences[index, : len(tokens)] = tokens[:width]
        if len(tokens) < width and ends:
            sequences[index, len(tokens)] = ends[0]
        if rows is not None and origins is not None:
            rows[index, : len(origins)] = origins
    return sequences, rows
