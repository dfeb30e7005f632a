"""Long texts in the `tokenizers` library: in pieces, and aligned with their characters only where somebody asks.

Both give what `encode_batch` gives, in less time and memory. The library keeps some 500 bytes for every word and mark
of a text while it splits it, and takes as long to find the characters of tokens as to find the tokens.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from tokenizers import Encoding, Tokenizer

from .cutting import pieces, places_to_cut
from .rust import Snapshot

#: The number of characters of a call from which on alignment waits until somebody asks for it.
MANY_CHARACTERS = 2**18
#: The number of characters from which on an example is cut, and where it is aligned, so that joining takes longer.
LONG_EXAMPLE, LONG_ALIGNED = 2**20, 2**22
#: The least number of characters of a piece, and the number of pieces that are encoded at once.
PIECE, GROUP = 2**16, 32


class Task(NamedTuple):
    """What a call asks of the backend.

    Attributes:
        examples: Texts, pairs of texts, or lists of words.
        add_special_tokens: Whether the model's own tokens are put around them.
        is_pretokenized: Whether texts are lists of words.
    """

    examples: list[Any]
    add_special_tokens: bool
    is_pretokenized: bool

    @property
    def may_be_aligned_later(self) -> bool:
        """Whether alignment takes long, and the rest is right without it: the library gives second texts no type then.

        Who gives lists of words asks for the words of tokens, so there it does not wait.
        """
        is_plain = not self.is_pretokenized and all(isinstance(example, str) for example in self.examples)
        return is_plain and sum(map(len, self.examples)) >= MANY_CHARACTERS

    @property
    def has_long_examples(self) -> bool:
        """Whether there may be an example to be cut."""
        return any(self.length(example) >= LONG_EXAMPLE for example in self.examples)

    def length(self, example: Any) -> int:
        """The characters of an example; 0 for lists of words, which are not cut."""
        return 0 if self.is_pretokenized else sum(map(len, _texts(example)))


def _texts(example: Any) -> Sequence[str]:
    """The one or two texts of an example; none if it is something else."""
    if isinstance(example, str):
        return (example,)
    is_pair = isinstance(example, (tuple, list)) and all(isinstance(text, str) for text in example)
    return example if is_pair else ()


def encode(backend: Tokenizer, task: Task, aligned: bool = True) -> list[Encoding]:
    """What `backend.encode_batch` gives for a task.

    Args:
        backend: The tokenizer; no other thread may use it meanwhile. With long examples it must not fill up rows.
        task: What is asked of it.
        aligned: Whether tokens, words and offsets are needed; without them only the numbers are right.
    """
    least = LONG_ALIGNED if aligned else LONG_EXAMPLE
    is_long = [task.length(example) >= least for example in task.examples]
    places = places_to_cut(backend) if any(is_long) else None
    if places is None:
        return _encode_whole(backend, task, aligned)
    short = [example for example, is_cut in zip(task.examples, is_long, strict=True) if not is_cut]
    encodings = iter(_encode_whole(backend, task._replace(examples=short), aligned))
    return [
        _encode_long(backend, task._replace(examples=[example]), places, aligned) if is_cut else next(encodings)
        for example, is_cut in zip(task.examples, is_long, strict=True)
    ]


def _encode_whole(backend: Tokenizer, task: Task, aligned: bool) -> list[Encoding]:
    run = backend.encode_batch if aligned else backend.encode_batch_fast
    return run(task.examples, is_pretokenized=task.is_pretokenized, add_special_tokens=task.add_special_tokens)


def _encode_long(backend: Tokenizer, task: Task, places: re.Pattern[str], aligned: bool) -> Encoding:
    """The encoding of the one example of a task."""
    bare = Snapshot.of(backend)._replace(post_processor=None, truncation=None).backend()
    sequences = [
        _encode_text(bare, text, is_second, places, aligned) for is_second, text in enumerate(_texts(task.examples[0]))
    ]
    return backend.post_process(*sequences, add_special_tokens=task.add_special_tokens)


def _encode_text(bare: Tokenizer, text: str, is_second: int, places: re.Pattern[str], aligned: bool) -> Encoding:
    """The encoding of a text, the first or the second of its example, by a backend that puts nothing around it."""
    parts = list(pieces(text, places, PIECE))
    groups = []
    words = 0
    for start in range(0, len(parts), GROUP):
        batch = parts[start : start + GROUP]
        group = _encode_pieces(bare, batch, is_second, aligned)
        if aligned:
            if not all(map(_ends_with_a_token, group[: len(parts) - 1 - start], batch)):
                return _counted_on(_encode_pieces(bare, [text], is_second, aligned), 0)[0][0]
            group, words = _counted_on(group, words)
        groups.append(Encoding.merge(group, growing_offsets=aligned))
    return Encoding.merge(groups, growing_offsets=aligned)


def _encode_pieces(bare: Tokenizer, parts: list[str], is_second: int, aligned: bool) -> list[Encoding]:
    examples = [("", part) for part in parts] if is_second else parts  # which decides on the type of tokens
    return _encode_whole(bare, Task(examples, add_special_tokens=False, is_pretokenized=False), aligned)


def _ends_with_a_token(encoding: Encoding, piece: str) -> bool:
    """Whether what follows can be counted on from here: some models leave out the words that they do not know."""
    span = encoding.token_to_chars(len(encoding) - 1) if len(encoding) else None
    return span is not None and span[1] == len(piece)


def _counted_on(group: list[Encoding], words: int) -> tuple[list[Encoding], int]:
    """The encodings of pieces with their words counted from a number on, and the number for the next one.

    The library lets nobody set the words of tokens, nor unset the places of sequences, which are found later: but it
    reads and writes encodings as JSON.
    """
    counted = []
    for encoding in group:
        state = encoding.__getstate__()
        numbers = [word + words for word in encoding.word_ids if word is not None]  # which no token of a text lacks
        before, after = state.index(b'"words":['), state.index(b',"offsets":[')
        last = state.rindex(b'"sequence_ranges":')
        moved = Encoding()
        moved.__setstate__(
            b'%s"words":%s%s"sequence_ranges":{}}' % (state[:before], json.dumps(numbers).encode(), state[after:last])
        )
        counted.append(moved)
        words = numbers[-1] + 1 if numbers else words
    return counted, words
