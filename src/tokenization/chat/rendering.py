"""Rendering a chat template: compiled once, run on a budget, its failures made clear."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any, NamedTuple

from jinja2 import Template, TemplateError

from ...files.errors import three_beats
from .budget import Budget, begin, end
from .errors import ChatTemplateError, ChatTemplateTypeError
from .sandbox import ChatEnvironment, metered

#: Longer templates are refused: they would take seconds to compile.
LONGEST = 2**18
#: What a template can raise; a failing attribute of a caller's own object is the caller's.
_FAILURES = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
)


class Rendered(NamedTuple):
    """A conversation as text, and where the assistant's words are in it."""

    text: str
    spans: list[tuple[int, int]]


def render(template: str, variables: Mapping[str, Any]) -> Rendered:
    """Lay out a conversation.

    Args:
        template: The source of the template.
        variables: What it is given, `messages` among them.

    Raises:
        ChatTemplateError: It is no template, it fails, it refuses the conversation, or it takes too much.
    """
    budget = Budget(variables)
    token = begin(budget)
    try:
        with _failures():
            pieces = _compiled(template).generate(variables)
            text = "".join(map(budget.write, pieces))
    finally:
        end(token)
    return Rendered(text, budget.spans)


@cache
def _environment() -> ChatEnvironment:
    return ChatEnvironment()


@lru_cache(maxsize=64)
def _compiled(source: str) -> Template:
    if len(source) > LONGEST:
        found = f"the chat template has {len(source)} characters"
        raise ChatTemplateError(three_beats(found, f"at most {LONGEST}", "Check that it is one."))
    environment = _environment()
    code = environment.compile(metered(environment, environment.parse(source)))
    return environment.template_class.from_code(environment, code, environment.make_globals(None))


@contextmanager
def _failures() -> Iterator[None]:
    """Say what went wrong in a template, as an error of this library's."""
    try:
        yield
    except ChatTemplateError:
        raise
    except TemplateError as error:
        raise _failed(error, ChatTemplateError) from error
    except TypeError as error:
        raise _failed(error, ChatTemplateTypeError) from error
    except _FAILURES as error:
        raise _failed(error, ChatTemplateError) from error


def _failed(error: BaseException, kind: Callable[[str], ChatTemplateError]) -> ChatTemplateError:
    reason = str(error)[:200]
    line = getattr(error, "lineno", None)
    if type(error) is TemplateError:
        found = f"the chat template refuses the messages: {reason}"
    else:
        found = f"the chat template failed{f' in line {line}' if line else ''}: {type(error).__name__}: {reason}"
    return kind(
        three_beats(found, "messages that it can lay out, and a template that can", "Correct the one or the other.")
    )
