"""Greedy search and sampling: one token after another, each row for itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from .decoding import Decoder
from .sampling import gumbel


@dataclass
class Rules:
    """What a search keeps to.

    Attributes:
        processors: Changes scores: (ids, scores, length, **further) -> scores.
        criteria: Tells which rows are done: (ids, scores, length) -> [R].
        max_length: The most tokens of a row.
        pad_token: What a row that is done goes on with; None where it goes on as before.
        words: [steps, choices, 2] random words; None where nothing is drawn.
        observe: Called with raw scores, processed scores and chosen tokens of every step, where Python drives the loop.
    """

    processors: Callable[..., Any]
    criteria: Callable[[Any, Any, Any], Any]
    max_length: Any
    pad_token: int | None = None
    words: Any = None
    observe: Callable[[Any, Any, Any], None] | None = None

    def noise(self, step: Any, size: int, ops: Any) -> Any:
        """The noise of one step's choices: float32 [choices, size]."""
        return gumbel(ops.row(self.words, step), size, ops)


class Progress(NamedTuple):
    """Where a search is.

    Attributes:
        length: How many tokens each row has.
        ids: [R, L].
        done: [R] whether a row is.
        cache: What the model has read, () where it keeps nothing.
    """

    length: Any
    ids: Any
    done: Any
    cache: Any


def search_tokens(decoder: Decoder, rules: Rules) -> Progress:
    """Take the most likely token, or a drawn one, until every row is done.

    Args:
        decoder: The model and its prompt.
        rules: What to keep to.
    """
    ops, first = decoder.ops, decoder.prompt.length

    def chosen(scores: Any, length: Any) -> Any:
        if rules.words is not None:
            scores = scores + rules.noise(length - first, scores.shape[-1], ops)
        return ops.argmax(scores)  # [R]

    def extended(progress: Progress, logits: Any) -> Progress:
        length, ids, done, cache = progress
        scores = rules.processors(ids, logits, length)
        tokens = ops.cast_like(chosen(scores, length), ids)
        if rules.pad_token is not None:
            tokens = ops.where(done, ops.full((), rules.pad_token, tokens), tokens)
        ids = ops.write(ids, tokens, length)
        if rules.observe is not None:
            rules.observe(logits, scores, tokens)
        return Progress(length + 1, ids, done | rules.criteria(ids, scores, length + 1), cache)

    def going_on(progress: Progress) -> Any:
        return (progress.length < rules.max_length) & ~ops.all(progress.done)

    def step(progress: Progress) -> Progress:
        logits, cache = decoder.read(progress.ids, progress.length, progress.cache)
        return extended(progress._replace(cache=cache), logits)

    logits, cache = decoder.read_prompt()
    nobody = ops.full((decoder.ids.shape[0],), False, decoder.ids, "bool")
    return decoder.backend.loop(going_on, step, extended(Progress(first, decoder.ids, nobody, cache), logits))
