"""What counts as one text, a pair, a batch, and what is refused before any work is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..files.errors import InputError, three_beats
from .errors import ArgumentTypeError
from .tensors import to_lists

Text = str
Words = Sequence[str]


def check_text(value: Any, name: str) -> None:
    """Check that an argument is a text, a list of texts, or a list of lists of words, by its first element.

    Raises:
        InputError: It is something else.
    """
    first = value
    for _ in range(2):
        if isinstance(first, (list, tuple)):
            if not first:
                return
            first = first[0]
    if isinstance(first, str):
        return
    raise InputError(
        three_beats(
            f"`{name}` is {describe(value)}",
            "a string, a list of strings, or a list of lists of strings (pairs, or texts split into words)",
            "Convert it to strings; to build a sequence from ids use prepare_for_model.",
        )
    )


def checked_ids(ids: Any, method: str) -> list[Any]:
    """A row of ids as a list.

    Raises:
        ArgumentTypeError: It is a text, or no row at all.
    """
    row = to_lists(ids)
    if isinstance(row, (list, tuple, range)):
        return row if isinstance(row, list) else list(row)
    raise ArgumentTypeError(
        three_beats(f"{method}() was given {describe(ids)}", "a list of ids", "For a text call the tokenizer with it.")
    )


def is_batched(value: Any, is_split_into_words: bool) -> bool:
    """Whether an argument of `__call__` holds several examples."""
    if not isinstance(value, (list, tuple)):
        return False
    return not is_split_into_words or (len(value) > 0 and isinstance(value[0], (list, tuple)))


def with_pairs(texts: Any, pairs: Any) -> list[Any]:
    """A batch as a list of examples, each a text or a tuple of two.

    Raises:
        ArgumentTypeError: The pairs are a single string.
        InputError: There are more of one than of the other, or nothing at all.
    """
    if len(texts) == 0:
        raise InputError(
            three_beats("the batch is empty", "at least one text", "Skip the call when there is nothing to encode.")
        )
    if pairs is None:
        return list(texts)
    if isinstance(pairs, str):
        raise ArgumentTypeError(
            three_beats(
                f"`text` is a batch of {len(texts)} and `text_pair` is one string",
                "a list with one second text for each first",
                "Write [text_pair] * len(text) to pair all with the same.",
            )
        )
    if len(texts) != len(pairs):
        raise InputError(
            three_beats(
                f"`text` has {len(texts)} examples and `text_pair` {len(pairs)}",
                "one second text for each first",
                "Make the two lists equally long.",
            )
        )
    return list(zip(texts, pairs, strict=True))


def split_pair(example: Any, is_split_into_words: bool) -> tuple[Any, Any]:
    """An example of a batch as first and second sequence, the second None where there is none.

    Raises:
        InputError: A list that is neither a pair nor a list of words.
    """
    if not isinstance(example, (list, tuple)):
        return example, None
    if is_split_into_words and not (example and isinstance(example[0], (list, tuple))):
        return example, None
    if len(example) != 2:
        raise InputError(
            three_beats(
                f"an example of the batch is a list of {len(example)}",
                "a string, or a pair of them",
                "For texts that are lists of words pass is_split_into_words=True.",
            )
        )
    return example[0], example[1]


def describe(value: Any) -> str:
    """What an argument is, in few words."""
    if isinstance(value, (list, tuple)) and value:
        return f"a {type(value).__name__} that begins with {describe(value[0])}"
    text = repr(value)
    return f"{text if len(text) <= 40 else text[:37] + '...'} ({type(value).__name__})"
