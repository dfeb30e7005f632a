"""Searches with beams that a scorer keeps the books of, on the host: beams in groups, and beams under constraints.

Each group of beams chooses with the choices of those before it in sight (diverse beam search, Vijayakumar et al. 2018,
https://arxiv.org/abs/1610.02424).

Shapes: B prompts, K beams of each, R = B * K rows, G groups, M candidates of each prompt, L room for tokens, V tokens
of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..fields import short
from ..files.errors import InputError, three_beats
from .arrays import as_framework, as_numpy
from .beam_constraints import Constraint, DisjunctiveConstraint, PhrasalConstraint
from .beam_search import BeamSearchScorer, ConstrainedBeamSearchScorer
from .beam_state import ends_of
from .configuration import GenerationConfig
from .decoding import Decoder
from .token_search import Rules

#: The score of a beam that is still the same as another: below every real one, and still a number.
SAME = -1.0e9


class Ended(NamedTuple):
    """What a search returns, kept texts of each prompt below each other.

    Attributes:
        ids: [B * kept, T], the shorter texts filled up.
        scores: [B * kept], of whole texts.
        origins: [B * kept, T - prompt] the rows that the tokens were chosen in, -1 after a text's end.
        cache: What the model has read, () where it keeps nothing.
    """

    ids: Any
    scores: Any
    origins: Any
    cache: Any


def search_groups(decoder: Decoder, rules: Rules, config: GenerationConfig) -> Ended:
    """Beam search in `num_beam_groups` groups, each of which avoids the tokens of those before it.

    Args:
        decoder: The model and its prompt, with a row for each beam.
        rules: What to keep to; the processors are told `current_tokens` and `beam_group_idx`.
        config: The options.
    """
    scorer = BeamSearchScorer(num_beam_groups=config.num_beam_groups, **_scorer_options(decoder, rules, config))
    return _HostSearch(decoder, rules, config, scorer).run()


def search_constrained(decoder: Decoder, rules: Rules, config: GenerationConfig) -> Ended:
    """Beam search for texts that fulfil `constraints` and hold what `force_words_ids` lists.

    Args:
        decoder: The model and its prompt, with a row for each beam.
        rules: What to keep to.
        config: The options.

    Raises:
        InputError: There is one beam only, or the constraints are none.
    """
    constraints = list(constraints_of(config))
    scorer = ConstrainedBeamSearchScorer(constraints=constraints, **_scorer_options(decoder, rules, config))
    return _HostSearch(decoder, rules, config, scorer).run()


def constraints_of(config: GenerationConfig) -> Iterator[Constraint]:
    """The constraints that the options ask for.

    Raises:
        InputError: Something else stands there.
    """
    constraints, words = config.constraints or [], config.force_words_ids
    for constraint in constraints:
        if not isinstance(constraint, Constraint):
            found = f"constraints holds {short(constraint)}"
            raise InputError(three_beats(found, "objects of the class Constraint", "Use PhrasalConstraint([...])."))
        yield constraint
    if words is None:
        return
    if not isinstance(words, list) or not words or not all(isinstance(word, list) and word for word in words):
        found = f"force_words_ids is {short(words)}"
        raise InputError(three_beats(found, "a list of words, each a list of token ids", "Correct it."))
    for word in words:
        yield DisjunctiveConstraint(word) if isinstance(word[0], list) else PhrasalConstraint(word)


def _scorer_options(decoder: Decoder, rules: Rules, config: GenerationConfig) -> dict[str, Any]:
    beams = config.num_beams or 1
    return {
        "batch_size": decoder.ids.shape[0] // beams,
        "num_beams": beams,
        "length_penalty": config.length_penalty,
        "do_early_stopping": config.early_stopping,
        "num_beam_hyps_to_keep": config.num_return_sequences,
        "max_length": rules.max_length,
    }


class _Choice(NamedTuple):
    """What the beams of a group go on with.

    Attributes:
        rows: [B * K / G] their own rows.
        origins: The rows that they go on with.
        tokens: Their last tokens.
        scores: Their scores.
        shown: [B * K / G, V] the scores that a caller who asks for scores is shown.
    """

    rows: np.ndarray
    origins: np.ndarray
    tokens: np.ndarray
    scores: np.ndarray
    shown: Any


class _HostSearch:
    """One search, with the rows' tokens and scores on the host and the model's arrays where they are.

    Args:
        decoder: The model and its prompt.
        rules: What to keep to.
        config: The options.
        scorer: What keeps the books.
    """

    def __init__(self, decoder: Decoder, rules: Rules, config: GenerationConfig, scorer: BeamSearchScorer) -> None:
        self.decoder, self.rules, self.ops, self.scorer = decoder, rules, decoder.ops, scorer
        self.is_constrained = isinstance(scorer, ConstrainedBeamSearchScorer)
        self.ends = ends_of(config.eos_token_id)
        pad = config.pad_token_id
        self.special = {
            "pad_token_id": pad if pad is not None or not self.ends else self.ends[0],
            "eos_token_id": self.ends or None,
            "decoder_prompt_len": int(decoder.prompt.length),
        }
        self.ids = as_numpy(decoder.ids)  # [R, L]
        self.length = int(decoder.prompt.length)
        self.scores = np.where(np.arange(len(self.ids)) % scorer.group_size == 0, 0.0, SAME).astype(np.float32)
        self.origins: list[tuple[int, ...]] = [()] * len(self.ids)

    def run(self) -> Ended:
        """Search until no prompt has anything to hope for."""
        logits, cache = self.decoder.read_prompt()
        while True:
            choices = self._chosen(logits)
            shown, origins = self._take(choices)
            if self.rules.observe is not None:
                self.rules.observe(logits, shown, self._like_ids(self.ids[:, self.length - 1]))
            cache = cache if isinstance(cache, tuple) else cache.reordered(self._like_ids(origins))
            ids = self._like_ids(self.ids)
            if self._is_over(ids, shown):
                return self._ended(cache)
            logits, cache = self.decoder.read(ids, self.length, cache)

    def _like_ids(self, array: np.ndarray) -> Any:
        return as_framework(array.astype(self.ids.dtype, copy=False), self.decoder.ids)

    def _rows(self, array: Any, rows: np.ndarray) -> Any:
        """Some rows of an array of the framework."""
        return self.ops.take_beams(array[None], self._like_ids(rows[None]))[0]

    # ---- a step ---------------------------------------------------------------------------------------------

    def _chosen(self, logits: Any) -> list[_Choice]:
        """What each group goes on with, those before it in sight."""
        tokens = np.zeros(len(self.ids), self.ids.dtype)  # [R] what is chosen at this step
        choices = []
        for group in range(self.scorer.num_beam_groups):
            choice = self._chosen_by(group, logits, tokens)
            tokens[choice.rows] = choice.tokens
            choices.append(choice)
        return choices

    def _chosen_by(self, group: int, logits: Any, tokens: np.ndarray) -> _Choice:
        rows = np.flatnonzero(np.arange(len(self.ids)) % self.scorer.num_beams // self.scorer.group_size == group)
        in_groups = self.scorer.num_beam_groups > 1
        further = {"current_tokens": self._like_ids(tokens.copy()), "beam_group_idx": group} if in_groups else {}
        scores = self.ops.log_probabilities(self._rows(logits, rows) if in_groups else logits)
        processed = self.rules.processors(self._like_ids(self.ids[rows]), scores, self.length, **further)
        totals = processed + as_framework(self.scores[rows][:, None], scores)
        beams = self._scored(group, rows, totals)
        shown = totals if self.is_constrained else processed  # as 4.x does: whole texts' scores, or each token's
        origins = rows[beams["next_beam_indices"]]
        return _Choice(rows, origins, beams["next_beam_tokens"], beams["next_beam_scores"], shown)

    def _scored(self, group: int, rows: np.ndarray, totals: Any) -> dict[str, np.ndarray]:
        """The scorer's answer for the rows of a group and the scores [B * K / G, V] of their continuations."""
        size, vocabulary = self.scorer.group_size, totals.shape[-1]
        count = max(2, 1 + len(self.ends)) * size  # so many that enough go on, whichever end
        best = self.ops.top_k(self.ops.reshape(totals, (-1, size * vocabulary)), count)
        values, places = map(as_numpy, best)  # [B, M]
        origins = [self.origins[row] for row in rows]
        step = (self.ids[rows, : self.length], values, places % vocabulary, places // vocabulary)
        if self.is_constrained:
            return self.scorer.process(*step, as_numpy(totals), beam_indices=origins, **self.special)
        return self.scorer.process(*step, beam_indices=origins, group_index=group, **self.special)

    def _take(self, choices: list[_Choice]) -> tuple[Any, np.ndarray]:
        """Go on as chosen: the scores [R, V] to show of the step, and the rows [R] that each row goes on with."""
        rows, origins, tokens, scores = (
            np.concatenate([choice[field] for choice in choices]) for field in range(len(_Choice._fields) - 1)
        )
        order = np.argsort(rows)
        origins = origins[order]
        self.origins = [(*self.origins[row], int(row)) for row in origins]
        self.scores = scores[order]
        self.ids = self.ids[origins]
        self.ids[:, self.length] = tokens[order]
        self.length += 1
        shown = [choice.shown for choice in choices]
        return (shown[0] if len(shown) == 1 else self._rows(self.ops.concatenate(shown, 0), order)), origins

    # ---- the end --------------------------------------------------------------------------------------------

    def _is_over(self, ids: Any, scores: Any) -> bool:
        if self.scorer.is_done or self.length >= self.rules.max_length:
            return True
        return bool(as_numpy(self.rules.criteria(ids, scores, self.length)).all())

    def _ended(self, cache: Any) -> Ended:
        ids, tokens = self.ids[:, : self.length], self.ids[:, self.length - 1]
        ended = self.scorer.finalize(
            ids, self.scores, tokens, tokens, self.rules.max_length, beam_indices=self.origins, **self.special
        )
        sequences, origins = ended["sequences"], ended["beam_indices"]
        scores = as_framework(ended["sequence_scores"], self.decoder.ids)
        origins = origins[:, : sequences.shape[1] - self.special["decoder_prompt_len"]]
        return Ended(self._like_ids(sequences), scores, self._like_ids(origins), cache)
