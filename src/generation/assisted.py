"""Assisted search: a smaller model drafts some tokens, the model reads them at once and keeps those it agrees with.

Greedy search gives the same tokens as without an assistant. Sampling draws from the same distribution (speculative
sampling, Leviathan et al. 2023, https://arxiv.org/abs/2211.17192). One prompt at a time: each would agree with another
number of tokens. V is the vocabulary.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .configuration import GenerationConfig
from .decoding import Decoder
from .sampling import gumbel, uniform
from .token_search import Progress, Rules

#: For each token: words to draft it by, to judge it by, and to draw another by.
CHOICES = 3
DRAFT, JUDGE, DRAW = range(CHOICES)


class Draft(NamedTuple):
    """What the assistant proposes.

    Attributes:
        tokens: The tokens.
        scores: [1, V] for each, those that it was chosen by.
    """

    tokens: list[Any]
    scores: list[Any]


class Reader:
    """A model that reads on from where it is, and can forget what turned out otherwise."""

    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self.cache: Any = None
        self.read = 0

    def scores(self, ids: Any, length: int) -> Any:
        """The raw scores after each token that was not read yet: [1, T, V] in float32."""
        if self.cache is None:
            logits, self.cache = self.decoder.read_prompt()
            self.read = int(self.decoder.prompt.length)
            if length == self.read:
                return logits[:, None]
            rest = self.scores(ids, length)
            return self.decoder.ops.concatenate([logits[:, None], rest], 1)
        logits, self.cache = self.decoder.read_span(ids, self.read, length, self.cache)
        self.read = length
        return logits

    def forget(self, length: int) -> None:
        """Keep the first `length` tokens only."""
        self.read = min(self.read, length)
        self.cache = self.cache.cropped(self.read + self.decoder.prompt.offset)


class AssistedSearch:
    """One search with an assistant.

    Args:
        decoder: The model and its prompt.
        assistant: The smaller model and the same prompt.
        rules: What to keep to.
        config: The options.
    """

    def __init__(self, decoder: Decoder, assistant: Decoder, rules: Rules, config: GenerationConfig) -> None:
        self.model, self.assistant = Reader(decoder), Reader(assistant)
        self.ops, self.rules, self.config = decoder.ops, rules, config
        self.decoder, self.first = decoder, int(decoder.prompt.length)
        self.at_once = int(config.num_assistant_tokens or 1)

    def run(self) -> Progress:
        """Search until the text is done."""
        ids, length = self.decoder.ids, self.first
        done = self.ops.full((1,), False, ids, "bool")
        while length < int(self.rules.max_length) and not bool(self.ops.all(done)):
            room = int(self.rules.max_length) - length
            ids, draft = self._drafted(ids, length, min(self.at_once, room - 1))
            logits = self.model.scores(ids, length + len(draft.tokens))
            logits = logits[:, -len(draft.tokens) - 1 :]
            ids, length, done, agreed = self._judged(ids, length, draft, logits)
            self._schedule(agreed == len(draft.tokens))
            self.model.forget(length - 1)
            self.assistant.forget(length - 1)
        return Progress(length, ids, done, self.model.cache)

    # ---- drafts ---------------------------------------------------------------------------------------------

    def _drafted(self, ids: Any, length: int, count: int) -> tuple[Any, Draft]:
        """Tokens that the assistant writes behind the first `length`."""
        draft = Draft([], [])
        for place in range(length, length + count):
            raw = self.assistant.scores(ids, place)[:, -1]
            scores = self.rules.processors(ids, raw, place)
            token = self._choice(scores, place, DRAFT)
            ids = self.ops.write(ids, self.ops.cast_like(token, ids), place)
            draft.tokens.append(int(token[0]))
            draft.scores.append(scores)
            ended = bool(self.ops.all(self.rules.criteria(ids, scores, place + 1)))
            if ended or self._doubts(scores, int(token[0])):
                break
        return ids, draft

    def _doubts(self, scores: Any, token: int) -> bool:
        """Whether the assistant thinks its token too unlikely to go on from it."""
        threshold = self.config.assistant_confidence_threshold
        return bool(threshold) and float(self.ops.softmax(scores)[0, token]) < threshold

    def _schedule(self, agreed: bool) -> None:
        if self.config.num_assistant_tokens_schedule in ("heuristic", "heuristic_transient"):
            self.at_once = self.at_once + 2 if agreed else max(1, self.at_once - 1)

    # ---- judgements -----------------------------------------------------------------------------------------

    def _judged(self, ids: Any, length: int, draft: Draft, logits: Any) -> tuple[Any, int, Any, int]:
        """The tokens that the model agrees with and one of its own: ids, length, whether done, how many agreed."""
        done = self.ops.full((1,), False, ids, "bool")
        for step in range(len(draft.tokens) + 1):
            raw = logits[:, step]
            scores = self.rules.processors(ids, raw, length)
            drafted = step < len(draft.tokens)
            token = self._own_choice(scores, length, draft, step) if drafted else self._choice(scores, length, DRAW)
            agrees = drafted and int(token[0]) == draft.tokens[step]
            token = self.ops.cast_like(token, ids)
            ids = self.ops.write(ids, token, length)
            if self.rules.observe is not None:
                self.rules.observe(raw, scores, token)
            length += 1
            done = self.rules.criteria(ids, scores, length)
            if not agrees or bool(self.ops.all(done)) or length >= int(self.rules.max_length):
                return ids, length, done, step + agrees
        return ids, length, done, len(draft.tokens)

    def _own_choice(self, scores: Any, length: int, draft: Draft, step: int) -> Any:
        """The model's choice where the assistant has made one: that, if it is likely enough, or another."""
        if self.rules.words is None:
            return self.ops.argmax(scores)
        ops, token = self.ops, draft.tokens[step]
        own, other = ops.softmax(scores), ops.softmax(draft.scores[step])
        words = ops.row(self.rules.words, length - self.first)
        if float(uniform(words[JUDGE : JUDGE + 1], ops)[0]) * float(other[0, token]) < float(own[0, token]):
            return ops.full((1,), token, self.decoder.ids)
        rest = ops.maximum(own - other, 0.0)  # what the assistant draws too seldom
        return self._choice(ops.log(rest), length, DRAW)

    def _choice(self, scores: Any, length: int, use: int) -> Any:
        """The most likely token, or a drawn one: [1]."""
        if self.rules.words is None:
            return self.ops.argmax(scores)
        words = self.ops.row(self.rules.words, length - self.first)[use : use + 1]
        return self.ops.argmax(scores + gumbel(words, scores.shape[-1], self.ops))
