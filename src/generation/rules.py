"""What logits processors and stopping rules have in common: they compare by value, and one function calls them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, ClassVar

from ..files.errors import InputError, three_beats


class Rule:
    """A logits processor or a stopping rule.

    Attributes:
        compiles: Whether JAX and TensorFlow can trace a call. A class from outside this library says so itself;
            until it does, it is called with concrete arrays only.
    """

    compiles: ClassVar[bool] = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "compiles" not in vars(cls) and not cls.__module__.startswith(f"{__package__}."):
            cls.compiles = False

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define __call__.")

    def __eq__(self, other: object) -> bool:
        """Whether both are of one class and hold the same values; arrays, and what does not compile, by identity."""
        return self is other or (isinstance(other, Rule) and self.compiles and self._values() == other._values())

    def __hash__(self) -> int:
        return hash(self._values()) if self.compiles else id(self)

    def _values(self) -> tuple[Any, ...]:
        return (type(self), *(_comparable(value) for name, value in vars(self).items() if not name.startswith("_")))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if not name.startswith("_"))
        return f"{type(self).__name__}({values})"


def _comparable(value: Any) -> Any:
    """A value that can be compared and hashed: itself, or who it is."""
    if isinstance(value, tuple):
        return tuple(_comparable(item) for item in value)
    return value if value is None or isinstance(value, (int, float, str)) else id(value)


def compile_together(rules: Iterable[Any]) -> bool:
    """Whether all of some rules, plain functions among them, can be traced."""
    return all(getattr(rule, "compiles", False) for rule in rules)


def call(rule: Any, input_ids: Any, scores: Any, cur_len: Any, further: Mapping[str, Any]) -> Any:
    """Call a rule with as much as it takes.

    A rule that knows nothing of `cur_len` is given the tokens before it alone.

    Args:
        rule: A rule, or any function of ids and scores.
        input_ids: [B, L].
        scores: [B, V], or None.
        cur_len: How many tokens each row has; None if all of them.
        further: Further arguments by name, of which it is given those that it has.

    Raises:
        InputError: It needs an argument that is not there.
    """
    named, takes_all = _of_class(type(rule)) if isinstance(rule, Rule) else _parameters(inspect.signature(rule))
    given = {name: value for name, value in further.items() if takes_all or name in named}
    if "cur_len" in named:
        given["cur_len"] = input_ids.shape[1] if cur_len is None else cur_len
    elif cur_len is not None:
        input_ids = _shown(rule, input_ids, cur_len)
    missing = [name for name, is_needed in named.items() if is_needed and name not in given]
    if missing:
        found = f"{_name(rule)} needs {', '.join(missing)}, which this search does not have"
        raise InputError(three_beats(found, "only arguments that it has", "Leave the processor out of this search."))
    return rule(input_ids, scores, **given)


@cache
def _of_class(cls: type[Rule]) -> tuple[Mapping[str, bool], bool]:
    signature = inspect.signature(cls.__call__)
    return _parameters(signature.replace(parameters=list(signature.parameters.values())[1:]))


def _parameters(signature: inspect.Signature) -> tuple[Mapping[str, bool], bool]:
    """A rule's arguments after ids and scores, and whether each must be given; whether it takes any others."""
    parameters = list(signature.parameters.values())
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    named = [p for p in parameters[2:] if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return {parameter.name: parameter.default is parameter.empty for parameter in named}, takes_all


def _shown(rule: Any, input_ids: Any, cur_len: Any) -> Any:
    """The tokens so far, for a rule that would take padding for tokens."""
    try:
        length = int(cur_len)
    except TypeError:
        found = f"{_name(rule)} has no argument `cur_len`, and the number of tokens is traced here"
        expected = "a call with the arguments (input_ids, scores, cur_len)"
        raise InputError(three_beats(found, expected, "Give it that third argument.")) from None
    return input_ids[:, :length]


def _name(rule: Any) -> str:
    return getattr(rule, "__name__", type(rule).__name__)
