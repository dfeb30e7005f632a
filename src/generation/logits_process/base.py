"""The base of logits processors, lists of them, and what several of them do.

Shapes: B rows, L room for tokens, V tokens of the vocabulary.
"""

from __future__ import annotations

from typing import Any

from ...fields import short
from ...files.errors import InputError, three_beats
from ..arrays import is_number, token_mask
from ..rules import Rule, call, compile_together

INFINITY = float("inf")


class LogitsProcessor(Rule):
    """Changes the scores of the next token. One class serves arrays of PyTorch, TensorFlow and JAX.

    A class of one's own overrides `__call__`; its third argument may be left out, it then sees the tokens so far.
    """

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        """New scores, [B, V] in the type of the old.

        Args:
            input_ids: [B, L], the tokens so far; with `cur_len` they may be followed by room for more.
            scores: [B, V].
            cur_len: How many tokens each row has, a number or a traced scalar; all of `input_ids` if None.

        Raises:
            InputError: The arrays are of no framework.
        """
        return super().__call__(input_ids, scores, cur_len)


#: The base of old of those that shape the distribution.
LogitsWarper = LogitsProcessor


class LogitsProcessorList(list[Any]):
    """Logits processors that are applied one after the other; functions of ids and scores may be among them."""

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None, **kwargs: Any) -> Any:
        """New scores, [B, V].

        Args:
            input_ids: [B, L].
            scores: [B, V].
            cur_len: How many tokens each row has; all of `input_ids` if None.
            kwargs: Arguments that some of the processors need, such as `beam_group_idx`.

        Raises:
            InputError: A processor needs an argument that is not there.
        """
        for processor in self:
            scores = call(processor, input_ids, scores, cur_len, kwargs)
        return scores

    @property
    def compiles(self) -> bool:
        """Whether all of them can be traced."""
        return compile_together(self)


def refused(option: str, value: Any, expected: str, remedy: str = "Hand another value, or leave it out.") -> InputError:
    """The error about one argument."""
    return InputError(three_beats(f"`{option}` is {short(value)}", expected, remedy))


def length_option(option: str, value: Any) -> Any:
    """A length as a constructor takes it: a number that is not negative, a traced scalar, None.

    Raises:
        InputError: It is another number.
    """
    if isinstance(value, float) or (is_number(value) and value < 0):
        raise refused(option, value, "a whole number that is not negative")
    return value


def banned(scores: Any, tokens: tuple[int, ...], applies: Any, ops: Any) -> Any:
    """Scores in which some tokens are impossible.

    Args:
        scores: [B, V].
        tokens: Which.
        applies: Whether they are, true or false or a traced scalar.
        ops: The framework's array operations.
    """
    if applies is False:
        return scores
    mask = ops.constant(token_mask(tokens, ops.shape(scores)[-1]), scores)
    return ops.where(mask & applies, -INFINITY, scores)


def forced(scores: Any, mask: Any, applies: Any, ops: Any) -> Any:
    """Scores in which only some tokens are possible, each with the score 0.

    Args:
        scores: [B, V].
        mask: [V], which.
        applies: Whether they are, true or false or a traced scalar.
        ops: The framework's array operations.
    """
    if applies is False:
        return scores
    return ops.where(mask & applies, 0.0, ops.where(~mask & applies, -INFINITY, scores))
