"""The bookkeeping of searches with beams, step by step and on the host: which beams go on, which hypotheses have ended.

A scorer is driven from Python. It takes and answers arrays of any framework, or NumPy's.

Shapes: B prompts, K beams of each, G groups of K / G beams, R rows (B * K, or B * K / G where a group is given alone),
M candidates of each prompt, L tokens so far, V tokens of the vocabulary.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..fields import short
from ..files.errors import InputError, three_beats
from .arrays import as_framework, as_numpy, token_ids
from .beam_constraints import Constraint, ConstraintListState
from .beam_state import NEXT, BeamHypotheses, Beams, Hypothesis, Step, ends_of, laid_out, score_of

#: How much more a step of a constraint weighs than any score.
BANK_WEIGHT = 100


class BeamScorer(ABC):
    """What a search with beams asks for at each step, and at its end."""

    @abstractmethod
    def process(
        self, input_ids: Any, next_scores: Any, next_tokens: Any, next_indices: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Choose the beams that go on."""

    @abstractmethod
    def finalize(
        self,
        input_ids: Any,
        next_scores: Any,
        next_tokens: Any,
        next_indices: Any,
        max_length: int,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Choose the hypotheses that are returned."""


class BeamSearchScorer(BeamScorer):
    """Beam search, with all beams together or in groups that each choose for themselves.

    Args:
        batch_size: B.
        num_beams: K.
        device: Not used: answers are where the arrays are that are given.
        length_penalty: The power of a hypothesis' length by which its score is divided.
        do_early_stopping: As `early_stopping` of `BeamHypotheses`.
        num_beam_hyps_to_keep: How many hypotheses are returned for each prompt.
        num_beam_groups: G.
        max_length: The most tokens of a text.

    Raises:
        InputError: There is one beam only, or the groups are not of equal size.
    """

    def __init__(
        self,
        batch_size: int,
        num_beams: int,
        device: Any = None,
        length_penalty: float | None = 1.0,
        do_early_stopping: bool | str | None = False,
        num_beam_hyps_to_keep: int | None = 1,
        num_beam_groups: int | None = 1,
        max_length: int | None = None,
    ) -> None:
        groups = num_beam_groups or 1
        if not isinstance(num_beams, int) or num_beams <= 1:
            found = f"num_beams is {short(num_beams)}"
            raise InputError(three_beats(found, "2 at least", "With one beam, search greedily."))
        if groups > num_beams or num_beams % groups:
            found = f"num_beams={num_beams} with num_beam_groups={num_beam_groups}"
            raise InputError(three_beats(found, "groups of equal size", "Make num_beams a multiple."))
        self.num_beams = num_beams
        self.device = device
        self.length_penalty = 1.0 if length_penalty is None else length_penalty
        self.do_early_stopping = False if do_early_stopping is None else do_early_stopping
        self.num_beam_hyps_to_keep = num_beam_hyps_to_keep or 1
        self.num_beam_groups = groups
        self.group_size = num_beams // groups
        self._beam_hyps = [
            BeamHypotheses(self.group_size, self.length_penalty, self.do_early_stopping, max_length)
            for _ in range(batch_size * groups)
        ]
        self._done = np.zeros(batch_size * groups, bool)

    @property
    def is_done(self) -> bool:
        """Whether no prompt has anything to hope for."""
        return bool(self._done.all())

    # ---- a step ---------------------------------------------------------------------------------------------

    def process(
        self,
        input_ids: Any,
        next_scores: Any,
        next_tokens: Any,
        next_indices: Any,
        pad_token_id: Any = None,
        eos_token_id: Any = None,
        beam_indices: Sequence[tuple[int, ...]] | None = None,
        group_index: int | None = 0,
        decoder_prompt_len: int | None = 0,
    ) -> dict[str, Any]:
        """Choose the beams that go on, and keep the hypotheses that have ended.

        Args:
            input_ids: [R, L], of one group if there are several.
            next_scores: [B, M] of the candidates, the best first.
            next_tokens: [B, M] their last tokens.
            next_indices: [B, M] the beam of the prompt (or group) that each goes on with.
            pad_token_id: What a prompt that is done goes on with.
            eos_token_id: The tokens that end a text.
            beam_indices: For each row, the rows that its tokens were chosen in.
            group_index: Which group this is.
            decoder_prompt_len: How many tokens are the prompt's.

        Returns:
            `next_beam_scores`, `next_beam_tokens` and `next_beam_indices`, [R] each.

        Raises:
            InputError: The shapes contradict each other, or a prompt is done and there is no padding.
        """
        step = Step(
            as_numpy(input_ids), as_numpy(next_scores), as_numpy(next_tokens), as_numpy(next_indices),
            ends_of(eos_token_id), beam_indices, group_index or 0, decoder_prompt_len or 0,
        )  # fmt: skip
        chosen = self._processed(step, pad_token_id).like(next_scores, next_tokens, next_indices)
        return dict(zip(NEXT, chosen, strict=True))

    def _processed(self, step: Step, pad_token_id: Any) -> Beams:
        batch = len(self._done) // self.num_beam_groups
        if len(step.ids) != batch * self.group_size:
            found = f"{len(step.ids)} rows of tokens for {batch} prompts with {self.group_size} beams each"
            raise InputError(three_beats(found, f"{batch * self.group_size} rows", "Give one for each beam."))
        chosen = [self._prompt_processed(step, prompt, pad_token_id) for prompt in range(batch)]
        return Beams(*(np.concatenate(arrays) for arrays in zip(*chosen, strict=True)))

    def _prompt_processed(self, step: Step, prompt: int, pad_token_id: Any) -> Beams:
        place = prompt * self.num_beam_groups + step.group
        if self._done[place]:
            if not step.ends or pad_token_id is None:
                found = "a prompt is done before the others, without pad_token_id and eos_token_id"
                raise InputError(three_beats(found, "both", "Set them in the call."))
            nothing = np.zeros(self.group_size, step.tokens.dtype)
            pad = token_ids("pad_token_id", pad_token_id)[0]
            return Beams(nothing.astype(step.scores.dtype), nothing + pad, nothing)
        beams = self._continued(step, prompt, self._beam_hyps[place])
        hypotheses, length = self._beam_hyps[place], step.ids.shape[1] + 1
        self._done[place] = hypotheses.is_done(float(step.scores[prompt].max()), length, step.prompt_length)
        return beams

    def _continued(self, step: Step, prompt: int, hypotheses: BeamHypotheses) -> Beams:
        """The best candidates of a prompt that have not ended; those that have are kept as hypotheses."""
        going: list[int] = []
        for rank, token in enumerate(step.tokens[prompt].tolist()):
            if token not in step.ends:
                going.append(rank)
            elif rank < self.group_size:  # a worse one would not have gone on either
                self._keep_ended(step, prompt, rank, hypotheses)
            if len(going) == self.group_size:
                break
        else:
            found = f"{len(going)} of the candidates {short(step.tokens[prompt].tolist())} go on"
            raise InputError(three_beats(found, f"{self.group_size}", "Give more candidates than can end."))
        rows = prompt * self.group_size + step.beams[prompt, going]
        return Beams(step.scores[prompt, going], step.tokens[prompt, going], rows)

    def _keep_ended(self, step: Step, prompt: int, rank: int, hypotheses: BeamHypotheses) -> None:
        """Keep the hypothesis that a candidate ends."""
        beam = int(step.beams[prompt, rank])
        row = prompt * self.group_size + beam
        if not self._is_complete(step.ids[row]):
            return
        everywhere = prompt * self.num_beams + step.group * self.group_size + beam
        origins = None if step.origins is None else (*step.origins[row], everywhere)
        length = step.ids.shape[1] + 1 - step.prompt_length
        hypotheses.add(step.ids[row].copy(), float(step.scores[prompt, rank]), origins, length)

    def _is_complete(self, tokens: np.ndarray) -> bool:
        """Whether a hypothesis may end here."""
        return True

    # ---- the end --------------------------------------------------------------------------------------------

    def finalize(
        self,
        input_ids: Any,
        final_beam_scores: Any,
        final_beam_tokens: Any,
        final_beam_indices: Any,
        max_length: int | None,
        pad_token_id: Any = None,
        eos_token_id: Any = None,
        beam_indices: Sequence[tuple[int, ...]] | None = None,
        decoder_prompt_len: int | None = 0,
    ) -> dict[str, Any]:
        """Choose the hypotheses that are returned: the best of what has ended, and of what was still going on.

        Args:
            input_ids: [B * K, L].
            final_beam_scores: [B * K] of what was still going on.
            final_beam_tokens: Not used.
            final_beam_indices: Not used.
            max_length: The most tokens of a text.
            pad_token_id: What shorter texts are filled with.
            eos_token_id: What a text that has ended ends with.
            beam_indices: For each row, the rows that its tokens were chosen in.
            decoder_prompt_len: How many tokens are the prompt's.

        Returns:
            `sequences` [B * kept, T], `sequence_scores` [B * kept], and `beam_indices` [B * kept, T], -1 where there is
            no token; None if none are given.

        Raises:
            InputError: Texts of several lengths, and no padding.
        """
        ids, scores = as_numpy(input_ids), as_numpy(final_beam_scores)
        for place, hypotheses in enumerate(self._beam_hyps):
            if not self._done[place]:
                rows = range(place * self.group_size, (place + 1) * self.group_size)
                for row in self._ending(ids, rows):
                    origins = None if beam_indices is None else beam_indices[row]
                    length = ids.shape[1] - (decoder_prompt_len or 0)
                    hypotheses.add(ids[row], float(scores[row]), origins, length)
        best = list(self._best())
        tokens, origins = laid_out(best, max_length, pad_token_id, ends_of(eos_token_id), ids.dtype)
        return {
            "sequences": as_framework(tokens, input_ids),
            "sequence_scores": as_framework(np.array([score for score, _, _ in best], np.float32), final_beam_scores),
            "beam_indices": None if origins is None else as_framework(origins, input_ids),
        }

    def _ending(self, ids: np.ndarray, rows: range) -> Sequence[int]:
        """The rows of a prompt that end with the search."""
        return rows

    def _best(self) -> Iterator[Hypothesis]:
        """The hypotheses that are returned, the best of each prompt first."""
        for start in range(0, len(self._beam_hyps), self.num_beam_groups):
            groups = self._beam_hyps[start : start + self.num_beam_groups]
            ordered = sorted((beam for group in groups for beam in group.beams), key=score_of)
            yield from ordered[::-1][: self.num_beam_hyps_to_keep]


class _Candidate(NamedTuple):
    """A continuation of a beam, and how far it has come with the constraints."""

    score: float
    token: int
    row: int
    state: ConstraintListState


class ConstrainedBeamSearchScorer(BeamSearchScorer):
    """Beam search for texts that fulfil constraints: beams of every stage of them go on side by side.

    The method is dynamic beam allocation (Post and Vilar 2018, https://arxiv.org/abs/1804.06609).

    Args:
        batch_size: B.
        num_beams: K.
        constraints: What every text must contain.
        device: Not used: answers are where the arrays are that are given.
        length_penalty: The power of a hypothesis' length by which its score is divided.
        do_early_stopping: As `early_stopping` of `BeamHypotheses`.
        num_beam_hyps_to_keep: How many hypotheses are returned for each prompt.
        num_beam_groups: Must be 1.
        max_length: The most tokens of a text.
    """

    def __init__(
        self,
        batch_size: int,
        num_beams: int,
        constraints: list[Constraint],
        device: Any = None,
        length_penalty: float | None = 1.0,
        do_early_stopping: bool | str | None = False,
        num_beam_hyps_to_keep: int | None = 1,
        num_beam_groups: int | None = 1,
        max_length: int | None = None,
    ) -> None:
        super().__init__(
            batch_size, num_beams, device, length_penalty, do_early_stopping, num_beam_hyps_to_keep, num_beam_groups,
            max_length,
        )  # fmt: skip
        self.constraints = constraints

    def make_constraint_states(self, n: int) -> list[ConstraintListState]:
        """States of `n` beams that have fulfilled nothing yet."""
        return [ConstraintListState([constraint.copy() for constraint in self.constraints]) for _ in range(n)]

    def check_completes_constraints(self, sequence: list[int]) -> bool:
        """Whether a text fulfils all constraints."""
        return self._state(sequence).completed

    def _state(self, sequence: list[int]) -> ConstraintListState:
        state = self.make_constraint_states(1)[0]
        state.reset(sequence)
        return state

    def _is_complete(self, tokens: np.ndarray) -> bool:
        return self.check_completes_constraints(tokens.tolist())

    def _ending(self, ids: np.ndarray, rows: range) -> Sequence[int]:
        """The rows that fulfil the constraints; where they are too few, all."""
        complete = [row for row in rows if self._is_complete(ids[row])]
        return complete if len(complete) >= self.num_beam_hyps_to_keep else rows

    # ---- a step ---------------------------------------------------------------------------------------------

    def process(  # type: ignore[override]  # the scores of all continuations come in the middle, as callers know it
        self,
        input_ids: Any,
        next_scores: Any,
        next_tokens: Any,
        next_indices: Any,
        scores_for_all_vocab: Any,
        pad_token_id: Any = None,
        eos_token_id: Any = None,
        beam_indices: Sequence[tuple[int, ...]] | None = None,
        decoder_prompt_len: int | None = 0,
    ) -> dict[str, Any]:
        """Choose the beams that go on, and keep the hypotheses that have ended and fulfil the constraints.

        Args:
            input_ids: [R, L].
            next_scores: [B, M] of the candidates, the best first.
            next_tokens: [B, M] their last tokens.
            next_indices: [B, M] the beam of the prompt that each goes on with.
            scores_for_all_vocab: [R, V] of every continuation.
            pad_token_id: What a prompt that is done goes on with.
            eos_token_id: The tokens that end a text.
            beam_indices: For each row, the rows that its tokens were chosen in.
            decoder_prompt_len: How many tokens are the prompt's.

        Returns:
            `next_beam_scores`, `next_beam_tokens` and `next_beam_indices`, [R] each.

        Raises:
            InputError: The shapes contradict each other, or a prompt is done and there is no padding.
        """
        step = Step(
            as_numpy(input_ids), as_numpy(next_scores), as_numpy(next_tokens), as_numpy(next_indices),
            ends_of(eos_token_id), beam_indices, 0, decoder_prompt_len or 0, as_numpy(scores_for_all_vocab),
        )  # fmt: skip
        chosen = self._processed(step, pad_token_id).like(next_scores, next_tokens, next_indices)
        return dict(zip(NEXT, chosen, strict=True))

    def _continued(self, step: Step, prompt: int, hypotheses: BeamHypotheses) -> Beams:
        beams = super()._continued(step, prompt, hypotheses)
        assert step.vocabulary is not None
        return self._advanced(prompt, step.ids, step.vocabulary, beams, push_progress=False)

    def step_sentence_constraint(
        self,
        batch_idx: int,
        input_ids: Any,
        vocab_scores: Any,
        sent_beam_scores: Any,
        sent_beam_tokens: Any,
        sent_beam_indices: Any,
        push_progress: bool = False,
    ) -> tuple[Any, Any, Any]:
        """Put beams of a prompt that make a step in a constraint beside the most likely ones.

        Args:
            batch_idx: Which prompt.
            input_ids: [R, L].
            vocab_scores: [R, V] of every continuation.
            sent_beam_scores: [K] of the beams that would go on without constraints.
            sent_beam_tokens: [K] their last tokens.
            sent_beam_indices: [K] the rows that they go on with.
            push_progress: Whether beams that have fulfilled the constraints add their most likely continuation.

        Returns:
            Scores, last tokens and rows of the beams that go on, [K] each.
        """
        given = sent_beam_scores, sent_beam_tokens, sent_beam_indices
        beams = Beams(*map(as_numpy, given))
        chosen = self._advanced(batch_idx, as_numpy(input_ids), as_numpy(vocab_scores), beams, push_progress)
        return tuple(chosen.like(*given))

    def _advanced(
        self, prompt: int, ids: np.ndarray, vocabulary: np.ndarray, beams: Beams, push_progress: bool
    ) -> Beams:
        """The K best of the beams and of the continuations that constraints ask for, from each stage in turn."""
        likely = list(self._likely(ids, beams))
        known = {(*ids[c.row].tolist(), c.token) for c in likely}
        asked = []
        for candidate in self._asked_for(prompt, ids, vocabulary, push_progress):
            tokens = (*ids[candidate.row].tolist(), candidate.token)
            if tokens not in known:
                known.add(tokens)
                asked.append(candidate)
        if not asked:
            return beams
        chosen = _by_stages([*likely, *asked])[: self.num_beams]
        scores, tokens, rows, _ = zip(*chosen, strict=True)
        return Beams(
            np.array(scores, beams.scores.dtype),
            np.array(tokens, beams.tokens.dtype),
            np.array(rows, beams.rows.dtype),
        )

    def _likely(self, ids: np.ndarray, beams: Beams) -> Iterator[_Candidate]:
        """The beams that would go on without constraints."""
        for score, token, row in zip(*(array.tolist() for array in beams), strict=True):
            yield _Candidate(score, token, row, self._state([*ids[row].tolist(), token]))

    def _asked_for(
        self, prompt: int, ids: np.ndarray, vocabulary: np.ndarray, push_progress: bool
    ) -> Iterator[_Candidate]:
        """The continuations of a prompt's beams that make a step in a constraint."""
        for row in range(prompt * self.num_beams, (prompt + 1) * self.num_beams):
            sequence = ids[row].tolist()
            state = self._state(sequence)
            if not state.completed:
                for token in state.advance() or ():
                    further = state.copy(stateful=True)
                    further.add(token)
                    yield _Candidate(float(vocabulary[row, token]), token, row, further)
            elif push_progress:
                token = int(vocabulary[row].argmax())
                yield _Candidate(float(vocabulary[row, token]), token, row, self._state([*sequence, token]))


def _by_stages(candidates: list[_Candidate]) -> list[_Candidate]:
    """The best of each stage of the constraints first, the furthest stage leading; then the second best, and so on."""
    banks = np.array([candidate.state.get_bank() for candidate in candidates])
    scores = np.array([candidate.score for candidate in candidates], np.float32)
    order = np.argsort(-((banks * BANK_WEIGHT).astype(np.float32) + scores), kind="stable")
    ranks, of_stage = [], -1
    for place, bank in enumerate(banks[order]):
        of_stage = of_stage + 1 if place and bank == banks[order[place - 1]] else 0
        ranks.append(of_stage)
    return [candidates[order[place]] for place in np.argsort(ranks, kind="stable")]
