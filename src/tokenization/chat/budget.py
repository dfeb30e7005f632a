"""What a rendering may cost. One step is about a tenth of a microsecond, and at most some 64 bytes of new memory."""

from __future__ import annotations

import sys
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, Set, ValuesView
from contextvars import ContextVar
from itertools import chain
from typing import Any, NoReturn

from jinja2.runtime import Undefined
from jinja2.utils import Cycler, Namespace

from ...files.errors import three_beats
from .errors import ChatTemplateCostError

#: Characters that are read or written in one step.
CHARACTERS = 16
#: Steps that every rendering may take: a hundred times what long templates need.
STEPS = 5_000_000
#: Further steps for each step that it takes to read what the template is given.
STEPS_PER_INPUT = 50
#: Characters that every rendering may give, and further ones for each step of input.
OUTPUT = 2**20
OUTPUT_PER_INPUT = 8 * CHARACTERS

#: How deep a value may be: the interpreter follows it by recursion, not always with a limit of its own.
_DEEPEST_VALUE = 500
#: How many iterators may stand on each other.
_DEEPEST = 100
_PLAIN = frozenset({str, list, dict, tuple, int, float, bool, type(None)})
_VIEWS = (KeysView, ValuesView, ItemsView)
#: Steps for a value that holds others, beside those for them.
_CONTAINER = 4
_ATOMS = frozenset({int, float, bool, type(None)})


class Budget:
    """The steps and the characters that are left to one rendering, and what it has given so far.

    Attributes:
        room: The steps that there were.
        steps: Those that are left.
        written: How many characters were given.
        pieces: In how many pieces.
        spans: Where the assistant's words begin and end in them.
    """

    def __init__(self, inputs: Any = ()) -> None:
        weight = weigh(inputs, once=set())
        self.steps = self.room = STEPS + STEPS_PER_INPUT * weight
        self.written = self.pieces = 0
        self.spans: list[tuple[int, int]] = []
        self._output = OUTPUT + OUTPUT_PER_INPUT * weight

    def write(self, piece: str) -> str:
        """Count a piece of the answer.

        Raises:
            ChatTemplateCostError: The answer is too long.
        """
        self.pieces += 1
        self.written += len(piece)
        if self.written > self._output:
            self.refuse(f"gives more than {self._output} characters")
        return piece

    def refuse(self, what: str) -> NoReturn:
        """Stop the rendering."""
        found = f"rendering the chat template {what}"
        raise ChatTemplateCostError(three_beats(found, "a template that only lays out messages", "Correct it."))


#: The budget of the rendering that runs in this thread or task.
_BUDGET: ContextVar[Budget] = ContextVar("budget")
current = _BUDGET.get
begin = _BUDGET.set
end = _BUDGET.reset


def spend(steps: int) -> bool:
    """Take steps off the rendering that runs; True, so that it can stand in a condition.

    Raises:
        ChatTemplateCostError: There are not as many left.
    """
    budget = _BUDGET.get()
    budget.steps -= steps
    if budget.steps < 0:
        budget.refuse(f"takes more than {budget.room} steps")
    return True


def weigh(value: Any, once: set[int] | None = None) -> int:
    """The steps that it takes to look at the whole of a value: its elements, theirs, and all characters.

    A part that is in several places counts in each, as it would be printed.

    Args:
        value: Anything.
        once: Count a part once, wherever it is: the places in memory of those that were seen.

    Raises:
        ChatTemplateCostError: They are more than are left, or nested too deep.
    """
    kind = type(value)
    if kind is str:
        return 1 + len(value) // CHARACTERS
    if kind in _ATOMS:
        return 1
    room, deepest = (_BUDGET.get().steps, _DEEPEST_VALUE) if once is None else (sys.maxsize, sys.maxsize)
    total, layer, depth = 1, [value], 0
    while layer:
        depth += 1
        below: list[Any] = []
        for part in layer if once is None else _not_seen(layer, once):
            count, parts = _parts(part)
            total += _CONTAINER + count
            if total > room or depth > deepest:
                _BUDGET.get().refuse("meets a value that is too large, or too deep")
            for inner in parts:
                kind = type(inner)
                if kind is str or kind is bytes:
                    total += len(inner) // CHARACTERS
                elif kind not in _ATOMS:
                    below.append(inner)
        layer = below
    return total


def _not_seen(values: list[Any], seen: set[int]) -> list[Any]:
    """Those of some values that are not in a set of places in memory, which they join."""
    new = [value for value in values if id(value) not in seen]
    seen.update(map(id, new))
    return new


def _parts(value: Any) -> tuple[int, Iterable[Any]]:
    """What a value holds, and how much that is."""
    if isinstance(value, (list, tuple)):
        return len(value), value
    if isinstance(value, Mapping):
        return 2 * len(value), chain(value, value.values())
    if isinstance(value, (str, bytes)):
        return len(value) // CHARACTERS, ()
    if isinstance(value, range):
        return len(value), ()
    if isinstance(value, (Set, *_VIEWS)):
        return len(value), value
    if isinstance(value, Namespace):
        return 1, (object.__getattribute__(value, "__dict__"),)
    return 0, ()


class Paying(Iterator[Any]):
    """An iterator each of whose values costs a step.

    Args:
        values: The values.
        sources: What they are made from. Iterators over iterators are followed by recursion, in the interpreter and
            down to where it frees them, so they cannot be stacked without end.

    Raises:
        ChatTemplateCostError: Too many are stacked.
    """

    def __init__(self, values: Iterator[Any], sources: Iterable[Any] = ()) -> None:
        self._values = values
        self._depth: int = 1 + max((source._depth for source in sources if isinstance(source, Paying)), default=0)
        if self._depth > _DEEPEST:
            _BUDGET.get().refuse(f"stacks more than {_DEEPEST} filters on a sequence")

    def __next__(self) -> Any:
        spend(1)
        return next(self._values)


def is_iterator(value: Any) -> bool:
    """Whether a value gives its parts only once. (An undefined one has any attribute.)"""
    if type(value) in _PLAIN or isinstance(value, (Undefined, Cycler)):
        return False
    return hasattr(type(value), "__next__")
