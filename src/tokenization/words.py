"""A memory of words: texts repeat them, and working one out costs more than finding it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

#: How many words are remembered, and how long they may be. Hostile texts repeat nothing, and stop here.
MOST, LONGEST = 2**16, 256

Found = TypeVar("Found")


class Remembered(dict[str, Found], Generic[Found]):
    """Word -> what `find` gives for it. A copy begins with an empty memory."""

    def __init__(self, find: Callable[[str], Found]) -> None:
        self._find = find

    def __missing__(self, word: str) -> Found:
        found = self._find(word)
        if len(self) < MOST and len(word) <= LONGEST:
            self[word] = found
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        return Remembered, (self._find,)
