"""Tools that a chat may use: a Python function described as the JSON schema that templates and models know.

What the function is for, its parameters and its answer are said in its docstring, in Google's style; their types in
its annotations.
"""

from __future__ import annotations

import inspect
import json
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ...files.errors import InputError, three_beats
from ..errors import ArgumentTypeError
from ..inputs import describe

_PLAIN_TYPES: Mapping[Any, Mapping[str, str]] = {
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    types.NoneType: {"type": "null"},
    Any: {},
}
#: Classes of libraries that need not be installed, by module and name.
_MEDIA = {("PIL.Image", "Image"): "image", ("torch", "Tensor"): "audio"}

_SECTION = re.compile(r"^[ \t]*(Args|Returns|Raises):[ \t]*$", re.MULTILINE)
_ARGUMENT = re.compile(r"(\w+):\s*(.*)")
_CHOICES = re.compile(r"\(choices:\s*(.*?)\)\s*$", re.IGNORECASE)


def tool_schemas(tools: Sequence[Mapping[str, Any] | Callable[..., Any]] | None) -> list[Any] | None:
    """The schemas of tools, each given as one or as a function.

    Raises:
        ArgumentTypeError: A tool is neither.
        InputError: A function that does not say what it takes.
    """
    if tools is None:
        return None
    if isinstance(tools, str) or not isinstance(tools, Iterable):
        raise ArgumentTypeError(three_beats(f"the tools are {describe(tools)}", "a list of them", "Write [tool, ...]."))
    schemas: list[Any] = []
    for tool in tools:
        if isinstance(tool, dict):
            schemas.append(tool)
        elif inspect.isfunction(tool) or inspect.ismethod(tool):
            schemas.append(schema_of(tool))
        else:
            raise ArgumentTypeError(
                three_beats(
                    f"a tool is {describe(tool)}",
                    "a JSON schema (a dict), or a function with annotations and a docstring",
                    "Write tools=[function, ...].",
                )
            )
    return schemas


def schema_of(function: Callable[..., Any]) -> dict[str, Any]:
    """A function as a JSON schema.

    Raises:
        InputError: It has no docstring, or an argument has no annotation or no description.
    """
    name, text = function.__name__, inspect.getdoc(function)
    if not text:
        raise _undescribed(name, "it has no docstring")
    purpose, arguments, answer = _read_docstring(text)
    hints = typing.get_type_hints(function)
    properties: dict[str, Any] = {}
    required = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name not in hints:
            raise _undescribed(name, f"its argument {parameter.name} has no annotation")
        if parameter.name not in arguments:
            raise _undescribed(name, f"its docstring does not say what {parameter.name} is")
        properties[parameter.name] = {
            **_schema_of_type(hints[parameter.name], name),
            **_described(name, parameter.name, arguments[parameter.name]),
        }
        if parameter.default is parameter.empty:
            required.append(parameter.name)
    parameters = {"type": "object", "properties": properties} | ({"required": required} if required else {})
    schema: dict[str, Any] = {"name": name, "description": purpose, "parameters": parameters}
    if "return" in hints:
        schema["return"] = _schema_of_type(hints["return"], name) | ({"description": answer} if answer else {})
    return {"type": "function", "function": schema}


def _undescribed(name: str, found: str) -> InputError:
    return InputError(
        three_beats(
            f"the tool {name} cannot be described: {found}",
            "annotations, and a docstring with `Args:`, for all arguments",
            "Add them, or pass a JSON schema.",
        )
    )


def _described(name: str, argument: str, text: str) -> dict[str, Any]:
    """The description of an argument, and the values that `(choices: [...])` at its end allows."""
    match = _CHOICES.search(text)
    if match is None:
        return {"description": text}
    try:
        choices = json.loads(match.group(1))
        allowed = [choice.strip() if isinstance(choice, str) else choice for choice in choices]
    except (TypeError, ValueError):
        raise _undescribed(name, f"the choices of {argument} are no JSON list: {match.group(1)}") from None
    return {"enum": allowed, "description": text[: match.start()].strip()}


def _read_docstring(text: str) -> tuple[str, dict[str, str], str | None]:
    """What a function is for, its arguments, and its answer, from a docstring in Google's style."""
    marks = list(_SECTION.finditer(text))
    ends = [*(mark.start() for mark in marks), len(text)]
    sections: dict[str, str] = {}
    for mark, end in zip(marks, ends[1:], strict=True):
        sections.setdefault(mark.group(1), text[mark.end() : end])
    answer = sections.get("Returns", "").strip()
    return text[: ends[0]].strip(), _read_arguments(sections.get("Args", "")), answer or None


def _read_arguments(section: str) -> dict[str, str]:
    """The arguments of a section; a line that does not begin with a name continues the one before it."""
    arguments: dict[str, list[str]] = {}
    name = None
    for line in filter(None, map(str.strip, section.splitlines())):
        match = _ARGUMENT.match(line)
        if match is not None:
            name, first = match.groups()
            arguments[name] = [first] if first else []
        elif name is not None:
            arguments[name].append(line)
    return {name: " ".join(parts) for name, parts in arguments.items()}


def _schema_of_type(hint: Any, owner: str) -> dict[str, Any]:
    """The JSON schema of an annotation.

    Raises:
        InputError: There is none.
    """
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is None:
        return _schema_of_class(hint, owner)
    if origin is typing.Union or origin is types.UnionType:
        return _schema_of_union(parts, owner)
    if origin is list:
        return {"type": "array"} | ({"items": _schema_of_type(parts[0], owner)} if parts else {})
    if origin is dict:
        return {"type": "object"} | ({"additionalProperties": _schema_of_type(parts[1], owner)} if parts else {})
    if origin is tuple and len(parts) != 1 and ... not in parts:
        items = [_schema_of_type(part, owner) for part in parts]
        return {"type": "array"} | ({"prefixItems": items} if items else {})
    raise _undescribed(owner, f"{hint} has no JSON schema (for many values of a type write list[...])")


def _schema_of_class(hint: Any, owner: str) -> dict[str, Any]:
    if hint in _PLAIN_TYPES:
        return dict(_PLAIN_TYPES[hint])
    if not isinstance(hint, type):
        raise _undescribed(owner, f"{hint} has no JSON schema")
    return {"type": _MEDIA.get((hint.__module__, hint.__name__), "object")}


def _schema_of_union(parts: tuple[Any, ...], owner: str) -> dict[str, Any]:
    """One of several types; None makes it nullable."""
    schemas = [_schema_of_type(part, owner) for part in parts if part is not types.NoneType]
    if len(schemas) == 1:
        schema = schemas[0]
    elif all("type" in schema for schema in schemas):
        schema = {"type": sorted(schema["type"] for schema in schemas)}
    else:
        raise _undescribed(owner, "a union with Any has no JSON schema")
    return schema | ({"nullable": True} if types.NoneType in parts else {})
