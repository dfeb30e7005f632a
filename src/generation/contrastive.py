"""Contrastive search (Su et al. 2022, https://arxiv.org/abs/2202.06417): likely tokens that say something new.

Of the most likely tokens it takes the one whose probability, less its likeness to what was said, is largest.
Shapes: B prompts, K candidates of each, S positions so far, D width, V tokens of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .decoding import Decoder
from .token_search import Progress, Rules

#: A likeness below that of any two vectors.
UNLIKE = -2.0


def search_contrastive(
    decoder: Decoder,
    rules: Rules,
    candidates: int,
    penalty: float,
    record: Callable[..., None] | None = None,
) -> Progress:
    """Search with a penalty on likeness.

    Args:
        decoder: The model and its prompt, one row for each prompt; its calls return hidden states.
        rules: What to keep to.
        candidates: K.
        penalty: How much likeness counts, between 0 and 1.
        record: Called with the output of every call of the model, the number of positions that it attends to, and
            which of its rows count.
    """
    return _ContrastiveSearch(decoder, rules, candidates, penalty, record or (lambda *args: None)).run()


class _ContrastiveSearch:
    def __init__(
        self, decoder: Decoder, rules: Rules, candidates: int, penalty: float, record: Callable[..., None]
    ) -> None:
        self.ops, self.rules, self.record = decoder.ops, rules, record
        self.candidates, self.penalty = candidates, penalty
        self.reader = Decoder(decoder.backend, decoder.prompt, 1, self._note)
        self.trier = Decoder(decoder.backend, decoder.prompt, candidates, self._note)
        self.mask = decoder.prompt.mask
        self.seen: tuple[Any, Any] = (None, None)

    def _note(self, output: Any, positions: Any) -> None:
        self.seen = output, positions

    def run(self) -> Progress:
        """Search until every row is done."""
        ops, length = self.ops, int(self.reader.prompt.length)
        ids, max_length = self.reader.ids, int(self.rules.max_length)
        logits, cache = self.reader.read_prompt()
        self.record(*self.seen, None)
        said = _hidden(self.seen[0])  # [B, S, D]
        done = ops.full((ids.shape[0],), False, ids, "bool")
        while length < max_length and not bool(ops.all(done)):
            scores = self.rules.processors(ids, logits, length)
            likely, tokens = ops.top_k(ops.softmax(scores), self.candidates)  # [B, K]
            tried = ops.write(ops.repeat_rows(ids, self.candidates), ops.reshape(tokens, (-1,)), length)
            next_logits, next_cache = self.trier.read(tried, length + 1, _repeated(cache, self.candidates))
            new = _hidden(self.seen[0])[:, -1:]  # [B * K, 1, D]
            rows = self._chosen(likely, said, new)  # [B]
            ids = self._written(ids, ops.take_rows(tried[:, length], rows), done, length)
            if self.rules.observe is not None:
                self.rules.observe(logits, scores, ids[:, length])
            self.record(*self.seen, rows)
            logits, said = ops.take_rows(next_logits, rows), ops.concatenate([said, ops.take_rows(new, rows)], 1)
            cache = next_cache if isinstance(next_cache, tuple) else next_cache.selected(rows)
            length += 1
            done = done | self.rules.criteria(ids, scores, length)
        return Progress(length, ids, done, cache)

    def _chosen(self, likely: Any, said: Any, new: Any) -> Any:
        """The row of the best candidate of each prompt: [B]."""
        ops, (batch, count) = self.ops, likely.shape
        said, new = _normalized(said, ops), ops.reshape(_normalized(new, ops), (batch, count, -1))
        likeness = ops.products(new, said)  # [B, K, S]
        if self.mask is not None:  # padding says nothing
            likeness = ops.where(self.mask[:, None, : said.shape[1]] == 0, UNLIKE, likeness)
        worth = (1.0 - self.penalty) * likely - self.penalty * ops.cast(ops.max_of_rows(likeness), "float32")
        best = ops.argmax(worth)
        return ops.arange(batch, best) * count + best

    def _written(self, ids: Any, tokens: Any, done: Any, length: int) -> Any:
        tokens = self.ops.cast_like(tokens, ids)
        if self.rules.pad_token is not None:
            tokens = self.ops.where(done, self.ops.full((), self.rules.pad_token, tokens), tokens)
        return self.ops.write(ids, tokens, length)


def _hidden(output: Any) -> Any:
    """The states of the decoder's last layer, [B, T, D]."""
    states = output.hidden_states if "hidden_states" in output else output.decoder_hidden_states
    return states[-1]


def _normalized(states: Any, ops: Any) -> Any:
    """Vectors of length one: [..., D]."""
    return states / ops.norm_of_rows(states)[..., None]


def _repeated(cache: Any, times: int) -> Any:
    return cache if isinstance(cache, tuple) else cache.repeated(times)
