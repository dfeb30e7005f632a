"""The types that a configuration's fields are annotated with, and what they admit.

A field's annotation says what a `config.json` may hold there; it is checked before anything is allocated from it.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin


@dataclass(frozen=True)
class Between:
    """Bounds of a number, both inclusive; written into a field's annotation."""

    low: float
    high: float


#: A width, a vocabulary, a table length: a dimension of some tensor.
Size = Annotated[int, Between(1, 10**9)]
#: How many of something are built one by one: layers, heads. A larger number is a mistake, not a model.
Count = Annotated[int, Between(0, 1024)]
#: How many classes there are, each with a name.
Labels = Annotated[int, Between(0, 10**5)]
#: A dimension that may be absent.
OptionalSize = Annotated[int, Between(0, 10**9)]
Probability = Annotated[float, Between(0.0, 1.0)]
Positive = Annotated[float, Between(0.0, 1e9)]
TokenId = Annotated[int, Between(-(10**9), 10**9)]


def admits(value: Any, hint: Any) -> bool:
    """Whether a value is one that an annotation admits; whole numbers pass as floats, truth values as no number."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if hint is None or hint is types.NoneType:
        return value is None
    if origin in (Union, types.UnionType):
        return any(admits(value, option) for option in arguments)
    if origin is Annotated:
        base, bounds = arguments
        return admits(value, base) and bounds.low <= value <= bounds.high
    if origin is Literal:
        return value in arguments
    if origin in (list, tuple):
        inner = arguments[0] if arguments else Any
        return isinstance(value, (list, tuple)) and all(admits(item, inner) for item in value)
    if origin is Callable or hint is Callable:
        return callable(value)
    if hint is float:  # a whole number may be too large to become one
        return isinstance(value, float) or (admits(value, int) and abs(value) < 2**1023)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, origin or hint)


def describe(hint: Any) -> str:
    """An annotation in words, for an error message."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(describe(option) for option in arguments)
    if origin is Annotated:
        return f"{describe(arguments[0])} from {arguments[1].low:g} to {arguments[1].high:g}"
    if origin is Literal:
        return "one of " + ", ".join(map(repr, arguments))
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "a string", types.NoneType: "null"}
    return words.get(hint, str(getattr(hint, "__name__", hint)))


def counted(hints: Mapping[str, Any], values: Callable[[str], Any]) -> dict[str, int]:
    """How many parts each field asks to be built one by one, those of a list together.

    Args:
        hints: The annotations of the fields.
        values: Gives the value of a field, which its annotation admits.
    """
    found = {name: values(name) for name, hint in hints.items() if _has_count(hint)}
    return {name: sum(value) if isinstance(value, (list, tuple)) else value or 0 for name, value in found.items()}


def _has_count(hint: Any) -> bool:
    return hint == Count or any(map(_has_count, get_args(hint)))


def is_needed(cls: type, name: str) -> bool:
    """Whether a class needs an attribute of this name for itself, so that no file may set it: a method, say."""
    found = inspect.getattr_static(cls, name, None)
    may_be_set = isinstance(found, property) and found.fset is not None
    is_code = callable(found) or isinstance(found, (property, classmethod, staticmethod))
    return name.startswith("__") or name in ("_fields", "_positional") or (is_code and not may_be_set)


def short(value: Any) -> str:
    """A value as an error message shows it."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
