"""Beam search and beam sampling: several hypotheses of each prompt, of which the best go on.

Shapes: B prompts, K beams of each, M candidates to go on, L room for tokens, N the most tokens that are added,
V tokens of the vocabulary.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .decoding import Decoder
from .token_search import Rules

#: The score of a hypothesis that is none: below every real one, and still a number.
NONE = -1.0e9


class Hypotheses(NamedTuple):
    """Some hypotheses of each prompt.

    Attributes:
        ids: [B, K, L].
        scores: [B, K] in float32.
        origins: [B, K, N] the row that each token was chosen in, -1 where there is no token yet.
    """

    ids: Any
    scores: Any
    origins: Any

    def best(self, count: int, ops: Any) -> tuple[Hypotheses, Any]:
        """The best of them, and which they were: [B, count]."""
        scores, which = ops.top_k(self.scores, count)
        return Hypotheses(ops.take_beams(self.ids, which), scores, ops.take_beams(self.origins, which)), which


class BeamProgress(NamedTuple):
    """Where a beam search is.

    Attributes:
        length: How many tokens the hypotheses that go on have.
        running: Those that go on.
        finished: The best of those that have ended.
        is_finished: [B, K] which of these are real.
        hopeful: [B] whether what goes on can still become better than what has ended.
        stuck: Whether no candidate can go on.
        cache: What the model has read, () where it keeps nothing.
    """

    length: Any
    running: Hypotheses
    finished: Hypotheses
    is_finished: Any
    hopeful: Any
    stuck: Any
    cache: Any


class BeamSearch:
    """One beam search.

    Args:
        decoder: The model and its prompt, with a row for each beam.
        rules: What to keep to; the criteria are asked of every candidate.
        beams: K.
        candidates: M, more than can end at once.
        length_penalty: The power of a hypothesis' length by which its score is divided.
        early_stopping: True to stop when K hypotheses have ended; False when no better one is likely; "never" when
            none is possible.
    """

    def __init__(
        self,
        decoder: Decoder,
        rules: Rules,
        beams: int,
        candidates: int,
        length_penalty: float,
        early_stopping: bool | str | None,
    ) -> None:
        self.decoder, self.rules, self.ops = decoder, rules, decoder.ops
        self.beams, self.candidates = beams, candidates
        self.length_penalty = length_penalty
        self.early_stopping = early_stopping
        self.first = decoder.prompt.length

    def run(self, steps: int) -> BeamProgress:
        """Search until no prompt has anything to hope for.

        Args:
            steps: N.
        """
        logits, cache = self.decoder.read_prompt()
        start = self._start(steps)._replace(cache=cache)
        return self.decoder.backend.loop(self._going_on, self._step, self._extended(start, logits))

    def _start(self, steps: int) -> BeamProgress:
        ops, ids, beams = self.ops, self.decoder.ids, self.beams
        batch, room = ids.shape[0] // beams, ids.shape[1]
        ids = ops.reshape(ids, (batch, beams, room))
        none = ops.full((batch, beams), NONE, ids, "float32")
        # the beams of a prompt are still the same: only the first counts, or all would find the same K times
        first = ops.where((ops.arange(beams, ids) == 0)[None], ops.full((), 0.0, none), none)
        nowhere = ops.full((batch, beams, steps), -1, ids)
        # each has arrays of its own, since writing may change an array in place
        finished = Hypotheses(ops.full((batch, beams, room), 0, ids) + ids, none, nowhere)
        nothing = ops.full((batch, beams), False, ids, "bool")
        everywhere = ops.full((batch,), True, ids, "bool")
        stuck = ops.full((), False, ids, "bool")
        return BeamProgress(self.first, Hypotheses(ids, first, nowhere), finished, nothing, everywhere, stuck, ())

    def _going_on(self, progress: BeamProgress) -> Any:
        any_left = self.ops.any(progress.hopeful) & ~progress.stuck
        if self.early_stopping is True:
            any_left = any_left & ~self.ops.all(progress.is_finished)
        return any_left & (progress.length < self.rules.max_length)

    def _step(self, progress: BeamProgress) -> BeamProgress:
        ids = self._flat(progress.running.ids)
        logits, cache = self.decoder.read(ids, progress.length, progress.cache)
        return self._extended(progress._replace(cache=cache), logits)

    def _extended(self, progress: BeamProgress, logits: Any) -> BeamProgress:
        """One more token: candidates, of which some go on and some have ended."""
        ops, length = self.ops, progress.length
        candidates, scores = self._candidates(progress, logits)
        flat = self._flat(candidates.ids)
        ends = ops.reshape(self.rules.criteria(flat, scores, length + 1), ops.shape(candidates.scores))
        ends = ends | (length + 1 >= self.rules.max_length)  # [B, M]

        going = candidates._replace(scores=candidates.scores + ops.cast_like(ends, candidates.scores) * NONE)
        running, _ = going.best(self.beams, ops)
        finished, is_finished = self._ended(progress, candidates, ends)
        origins = ops.column(ops.reshape(running.origins, (-1, ops.shape(running.origins)[2])), length - self.first)
        cache = progress.cache if isinstance(progress.cache, tuple) else progress.cache.reordered(origins)
        progress = BeamProgress(length + 1, running, finished, is_finished, progress.hopeful, ops.all(ends), cache)
        return progress._replace(hopeful=progress.hopeful & self._can_improve(progress))

    def _flat(self, array: Any) -> Any:
        """[B, K, ...] -> [B * K, ...]."""
        shape = self.ops.shape(array)
        return self.ops.reshape(array, (-1, *shape[2:]))

    def _candidates(self, progress: BeamProgress, logits: Any) -> tuple[Hypotheses, Any]:
        """The M best continuations of what goes on, and the processed scores [R, V]."""
        ops, running, length = self.ops, progress.running, progress.length
        flat = self._flat(running.ids)
        scores = self.rules.processors(flat, ops.log_probabilities(logits), length)  # [R, V]
        batch, vocabulary = ops.shape(running.scores)[0], scores.shape[-1]
        totals = ops.reshape(scores + ops.reshape(running.scores, (-1, 1)), (batch, -1))  # [B, K * V]
        values, chosen = self._chosen(totals, length)
        beams = ops.cast_like(chosen // vocabulary, running.ids)  # [B, M]
        tokens = ops.cast_like(chosen % vocabulary, running.ids)
        origins = beams + (ops.arange(batch, running.ids) * self.beams)[:, None]
        candidates = Hypotheses(
            ops.write(ops.take_beams(running.ids, beams), tokens, length),
            values,
            ops.write(ops.take_beams(running.origins, beams), origins, length - self.first),
        )
        if self.rules.observe is not None:
            self.rules.observe(logits, scores, tokens)
        return candidates, scores

    def _chosen(self, totals: Any, length: Any) -> tuple[Any, Any]:
        """M continuations of each prompt, the best or drawn ones: their scores and places, [B, M] each."""
        ops = self.ops
        if self.rules.words is None:
            return ops.top_k(totals, self.candidates)
        noise = self.rules.noise(length - self.first, totals.shape[-1], ops)
        _, chosen = ops.top_k(totals + noise, self.candidates)
        return ops.take_beams(totals, chosen), chosen

    def _ended(self, progress: BeamProgress, candidates: Hypotheses, ends: Any) -> tuple[Hypotheses, Any]:
        """The best K of what had ended before and of what ends now; only the first K candidates count."""
        ops = self.ops
        ends = ends & (ops.arange(self.candidates, candidates.ids) < self.beams)[None]
        added = ops.cast(ops.full((), 0, candidates.ids) + (progress.length + 1 - self.first), "float32")
        scores = candidates.scores / added**self.length_penalty
        closed = ~ends
        if self.early_stopping is True:
            closed = closed | ops.all_of_rows(progress.is_finished)[:, None]
        scores = scores + ops.cast_like(closed, scores) * NONE
        both = Hypotheses(
            *(
                ops.concatenate([old, new], 1)
                for old, new in zip(progress.finished, candidates._replace(scores=scores), strict=True)
            )
        )
        finished, which = both.best(self.beams, ops)
        return finished, ops.take_beams(ops.concatenate([progress.is_finished, ends], 1), which)

    def _can_improve(self, progress: BeamProgress) -> Any:
        """[B] whether the best of what goes on can still become better than the worst of what has ended."""
        ops = self.ops
        far = self.early_stopping == "never" and self.length_penalty > 0.0
        added = (self.rules.max_length if far else progress.length) - self.first
        added = ops.cast(ops.full((), 0, progress.running.ids) + added, "float32")
        best = progress.running.scores[:, 0] / added**self.length_penalty
        worst = ops.min_of_rows(progress.finished.scores)
        worst = ops.where(progress.is_finished, worst[:, None], ops.full((), NONE, worst))  # [B, K]
        return ops.any_of_rows(best[:, None] > worst)
