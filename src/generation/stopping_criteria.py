"""Stopping rules: what tells which rows are done, one set of classes for three frameworks.

Shapes: B rows, L room for tokens, V tokens of the vocabulary.
"""

from __future__ import annotations

import logging
import time
from typing import Any, ClassVar

import numpy as np

from ..fields import short
from ..files.errors import InputError, three_beats
from .arrays import is_number, last_tokens, length_of, ops_of, token_ids, whole
from .rules import Rule, call, compile_together

logger = logging.getLogger(__name__)


class StoppingCriteria(Rule):
    """Tells which rows are done. One class serves arrays of PyTorch, TensorFlow and JAX.

    A class of one's own overrides `__call__`; its argument `cur_len` may be left out, it then sees the tokens so far.
    """

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None, **kwargs: Any) -> Any:
        """Whether each row is done: [B], true or false.

        Args:
            input_ids: [B, L], the tokens so far; with `cur_len` they may be followed by room for more.
            scores: [B, V], those that the last token was chosen by; None where a rule does not ask for them.
            cur_len: How many tokens each row has, a number or a traced scalar; all of `input_ids` if None.
            kwargs: Further arguments, for rules of one's own.

        Raises:
            InputError: The arrays are of no framework.
        """
        return super().__call__(input_ids, scores, cur_len)


class StoppingCriteriaList(list[Any]):
    """Stopping rules of which one is enough; functions of ids and scores may be among them."""

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None, **kwargs: Any) -> Any:
        """Whether each row is done, [B]: what any of the rules says. A rule may answer with one value for all rows."""
        done = _everywhere(False, input_ids, ops_of(input_ids))
        for criterion in self:
            done = done | call(criterion, input_ids, scores, cur_len, kwargs)
        return done

    @property
    def compiles(self) -> bool:
        """Whether all of them can be traced."""
        return compile_together(self)

    @property
    def max_length(self) -> Any:
        """The most tokens that the first rule about it allows, None if none does."""
        lengths = (rule.max_length for rule in self if isinstance(rule, MaxLengthCriteria))
        return next(lengths, None)


class MaxLengthCriteria(StoppingCriteria):
    """All rows are done when they have `max_length` tokens, the prompt included.

    Args:
        max_length: A number, or a traced scalar.
        max_position_embeddings: How many positions the model knows; a warning is logged beyond it.
    """

    def __init__(self, max_length: Any, max_position_embeddings: int | None = None) -> None:
        self.max_length = max_length
        self.max_position_embeddings = max_position_embeddings

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None, **kwargs: Any) -> Any:
        ops = ops_of(input_ids)
        length = length_of(input_ids, cur_len, ops)
        known = self.max_position_embeddings
        # said once, at the length itself
        if known is not None and is_number(length) and length == known and length < self.max_length:
            logger.warning("The model has %d positions, and the text is longer from here on.", known)
        return _everywhere(length >= whole(self.max_length, ops), input_ids, ops)


class MaxTimeCriteria(StoppingCriteria):
    """All rows are done when a number of seconds has passed.

    Args:
        max_time: Seconds.
        initial_timestamp: When they began, as `time.time()` says it; now if None.
    """

    compiles: ClassVar[bool] = False

    def __init__(self, max_time: float, initial_timestamp: float | None = None) -> None:
        self.max_time = max_time
        self.initial_timestamp = time.time() if initial_timestamp is None else initial_timestamp

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None, **kwargs: Any) -> Any:
        is_over = time.time() - self.initial_timestamp > self.max_time
        return _everywhere(is_over, input_ids, ops_of(input_ids))


class EosTokenCriteria(StoppingCriteria):
    """A row is done when its last token is an end of a text.

    Raises:
        InputError: What is handed is no token id.
    """

    def __init__(self, eos_token_id: Any) -> None:
        self.eos_token_id = token_ids("eos_token_id", eos_token_id)

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None, **kwargs: Any) -> Any:
        ops = ops_of(input_ids)
        last = last_tokens(input_ids, length_of(input_ids, cur_len, ops), 1, ops)  # [B, 1]
        ends = ops.constant(np.array(self.eos_token_id, np.int32), input_ids)
        return ops.any(last == ops.cast_like(ends, last), -1)


class StopStringCriteria(StoppingCriteria):
    """A row is done when a stop string ends in its last token, which may go on after it.

    Tokens count as the text that they add to a word before them; the prompt's tokens count too.

    Args:
        tokenizer: The one that the ids are of.
        stop_strings: One string or several.

    Raises:
        InputError: There is no stop string, or one is empty; the tokenizer cannot write letters.
    """

    compiles: ClassVar[bool] = False

    #: What a token is written after, to see what it adds.
    PREFIX = "abcdef"

    def __init__(self, tokenizer: Any, stop_strings: str | list[str]) -> None:
        self.tokenizer = tokenizer
        self.stop_strings = (stop_strings,) if isinstance(stop_strings, str) else tuple(stop_strings)
        if not self.stop_strings or not all(isinstance(string, str) and string for string in self.stop_strings):
            expected = "strings that are not empty"
            raise InputError(three_beats(f"`stop_strings` is {short(stop_strings)}", expected, "Leave the others out."))
        self._prefix = tokenizer.convert_ids_to_tokens(tokenizer(self.PREFIX, add_special_tokens=False)["input_ids"])
        self._texts: dict[int, str] = {}
        if self.PREFIX not in tokenizer.convert_tokens_to_string(self._prefix):
            found = f"{type(tokenizer).__name__} cannot write {self.PREFIX!r}, after which the text of a token is read"
            raise InputError(three_beats(found, "a tokenizer of letters", "Hand a stopping rule of your own instead."))

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None, **kwargs: Any) -> Any:
        ops = ops_of(input_ids)
        length = length_of(input_ids, cur_len, ops)

        def done(ids: Any, length: Any) -> np.ndarray:
            window = max(map(len, self.stop_strings))
            return np.array([self._ends(row.tolist()) for row in ids[:, max(0, int(length) - window) : int(length)]])

        return ops.host(done, tuple(input_ids.shape[:1]), "bool", input_ids, length)

    def _ends(self, tokens: list[int]) -> bool:
        """Whether a stop string ends in the last of some tokens."""
        texts = [self._text(token) for token in tokens]
        text, before = "".join(texts), len("".join(texts[:-1]))
        return any(text.find(stop, max(0, before - len(stop) + 1)) >= 0 for stop in self.stop_strings)

    def _text(self, token: int) -> str:
        """What a token adds to a text."""
        if token not in self._texts:
            piece = self.tokenizer.convert_ids_to_tokens(token)  # None for an id that is no token
            text = self.tokenizer.convert_tokens_to_string([*self._prefix, *([piece] if piece is not None else [])])
            self._texts[token] = text.partition(self.PREFIX)[2]
        return self._texts[token]


def _everywhere(is_done: Any, input_ids: Any, ops: Any) -> Any:
    """One answer for all rows: [B], true or false."""
    return ops.full((ops.shape(input_ids)[0],), False, input_ids, "bool") | is_done
