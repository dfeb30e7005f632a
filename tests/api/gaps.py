"""What the library lacks of the contract: one line for each name, argument, method, default and field.

python -m tests.api.gaps [FRAMEWORK]    the gaps of a framework's names, or of those that need none, as JSON
"""

from __future__ import annotations

import enum
import inspect
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import triformers
import triformers.modeling_outputs
from tests.api.contract import CALLS, contract, extract, names_of
from tests.api.extract import ATTRIBUTES
from tests.specs import all_specs
from triformers.backends.options import ALWAYS_SO, RENAMED, LoadOptions
from triformers.cards import card_of
from triformers.configuration import PretrainedConfig
from triformers.hub import HubOptions
from triformers.hub.options import DECIDED

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

Parameters = Mapping[str, inspect.Parameter]


def gaps(name: str) -> list[str]:
    """What a name lacks of its contract."""
    entry = contract()[name]
    found = getattr(triformers.modeling_outputs if entry["of"] == "outputs" else triformers, name, None)
    return ["the name"] if found is None else list(gaps_of(found, entry, name))


def gaps_of(found: Any, entry: Mapping[str, Any], name: str = "") -> Iterator[str]:
    """What something lacks of a contract's entry."""
    yield from _facts(found, entry)
    if "fields" in entry:
        yield from _fields(found, entry["fields"], is_part=name.startswith(("TF", "Flax")))
    if "args" in entry:
        yield from _arguments("", entry["args"], inspect.signature(found).parameters)
    if "init" in entry:
        yield from _arguments("__init__", entry["init"], constructor(found))
    for call in CALLS.values():
        if call in entry:
            yield from _method(found, call, entry[call])
            yield from _labels(found, call, entry.get("labels", ()))
    for method, arguments in entry.get("methods", {}).items():
        yield from _method(found, method, arguments)
    for model_type, model in extract()["auto"].get(name, {}).items():
        if getattr(triformers, model, None) is not None:
            yield from _auto(found, model_type, model)


def _facts(found: Any, entry: Mapping[str, Any]) -> Iterator[str]:
    """Base classes, class attributes, an enumeration's values, a configuration's defaults."""
    for base in entry.get("bases", ()):
        if not issubclass(found, getattr(triformers, base, ())):
            yield f"base {base}"
    for key in ATTRIBUTES:
        if key in entry and plain(getattr(found, key, None)) != entry[key]:
            yield f"{key} = {json.dumps(entry[key])}"
    if "values" in entry:
        known = [member.value for member in found]
        yield from (f"value {value}" for value in entry["values"] if value not in known)
    if "defaults" in entry:
        ours = json.loads(json.dumps(found().to_dict()))
        for key, default in entry["defaults"].items():
            if key not in ours or ours[key] != default:
                yield f"default {key} = {json.dumps(default)}"
        more = ours.keys() - entry["defaults"].keys() - {"transformers_version"}
        yield from (f"no default {key}" for key in sorted(more))


def _fields(found: Any, fields: list[str], is_part: bool) -> Iterator[str]:
    """The fields of an output type and their order; a framework's own type may be a part of ours."""
    ours = [field for field in found._fields if field in fields]
    yield from (f"field {field}" for field in fields if field not in ours)
    yield from (f"no field {field}" for field in found._fields if field not in fields and not is_part)
    if ours != [field for field in fields if field in ours]:
        yield f"fields in the order {', '.join(fields)}"


def _auto(found: Any, model_type: str, model: str) -> Iterator[str]:
    config = getattr(triformers, card_of(model_type).config)(**all_specs()[model_type].tiny)
    if type(found.from_config(config)) is not getattr(triformers, model):
        yield f"{model} for {model_type}"


# ---- methods and arguments ----------------------------------------------------------------------------------


def _method(found: Any, method: str, expected: list[Any] | str) -> Iterator[str]:
    if expected == "property":
        if not (hasattr(found, method) or _is_annotated(found, method)):
            yield method
        elif inspect.isfunction(inspect.getattr_static(found, method, None)):
            yield f"{method} as a property"
    elif not callable(getattr(found, method, None)):
        yield f"{method}()"
    elif any(not _name(argument).startswith("*") for argument in expected):
        door = MODEL_DOOR if method == "from_pretrained" and hasattr(found, "main_input_name") else {}
        yield from _arguments(method, expected, method_parameters(found, method), door)


def _arguments(
    method: str, expected: list[Any], actual: Parameters, door: Mapping[str, tuple[Any, ...]] | None = None
) -> Iterator[str]:
    """What a signature lacks: arguments, their defaults, their positions."""
    door = door or {}
    names = [_name(argument) for argument in expected]
    star = next((index for index, name in enumerate(names) if name.startswith("*")), len(names))
    ours = [name for name, parameter in actual.items() if parameter.kind in POSITIONAL]
    for argument in expected:
        name, defaults = _name(argument), argument[1:] if isinstance(argument, list) else []
        if name.startswith("*"):
            continue
        if name not in actual and not (name in door and all(default in door[name] for default in defaults)):
            yield f"{method}({name})"
        elif name in actual and not all(_same(default, actual[name].default) for default in defaults):
            yield f"{method}({name}={json.dumps(defaults[0])})"
        elif name in names[:star] and name not in ours:
            yield f"{method}({name}) by position"
    shared = [name for name in names[:star] if name in ours]
    if ours[: len(shared)] != shared:
        yield f"{method}({', '.join(shared)}) in this order, before others"


def _labels(found: Any, call: str, labels: Iterable[str]) -> Iterator[str]:
    """The labels that a head's call does not take: in Flax they may come through `**labels`."""
    parameters = method_parameters(found, call)
    if not any(p.kind is p.VAR_KEYWORD and p.name == "labels" for p in parameters.values()):
        yield from (f"{call}({label})" for label in labels if label not in parameters)


def constructor(found: type) -> Parameters:
    """The parameters by which a class is made: those that it says itself, else its constructor's."""
    if hasattr(found, "__signature__"):
        return inspect.signature(found).parameters
    return method_parameters(found, "__init__")


def method_parameters(found: type, method: str) -> Parameters:
    """A method's parameters; what it passes on with `*args` or `**kwargs` are those of the next class's method."""
    owners = [cls for cls in found.__mro__ if method in cls.__dict__]
    merged: dict[str, inspect.Parameter] = {}
    by_position = True
    for owner in owners:
        signature = _own_signature(owner, method)
        for name, parameter in signature.items():
            passed_by_name = parameter.kind in POSITIONAL and not by_position
            kind = inspect.Parameter.KEYWORD_ONLY if passed_by_name else parameter.kind
            merged.setdefault(name, parameter.replace(kind=kind))
        kinds = {parameter.kind for parameter in signature.values()}
        by_position = inspect.Parameter.VAR_POSITIONAL in kinds
        if inspect.Parameter.VAR_KEYWORD not in kinds:
            break
    return merged


def _own_signature(owner: type, method: str) -> Parameters:
    static = owner.__dict__[method]
    bound = isinstance(static, (classmethod, staticmethod))
    try:
        signature = inspect.signature(static.__func__ if bound else static)
    except ValueError:  # of a class that is not written in Python
        return {}
    names = list(signature.parameters)[0 if isinstance(static, staticmethod) else 1 :]
    return {name: signature.parameters[name] for name in names}


def _model_door() -> dict[str, tuple[Any, ...]]:
    """The options that a model's `from_pretrained` reads out of its keyword arguments, with their defaults."""
    own = {
        name: (field.default,) for cls in (LoadOptions, HubOptions) for name, field in cls.__dataclass_fields__.items()
    }
    decided = {name: accepted for name, (accepted, _) in {**ALWAYS_SO, **DECIDED}.items()}
    return {**own, **{old: own[new] for old, new in RENAMED.items()}, **decided}


MODEL_DOOR = _model_door()


# ---- values -------------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """A value as JSON knows it."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _same(expected: Any, ours: Any) -> bool:
    """Whether a default is the expected one; of one that JSON cannot hold, whether there is one."""
    if isinstance(expected, dict) and "repr" in expected:
        return ours is not inspect.Parameter.empty
    return plain(ours) == expected and isinstance(expected, bool) == isinstance(ours, bool)


def _name(argument: str | list[Any]) -> str:
    return argument if isinstance(argument, str) else argument[0]


def _is_annotated(found: type, name: str) -> bool:
    fields = found._fields if issubclass(found, PretrainedConfig) else ()
    return name in fields or any(name in inspect.get_annotations(cls) for cls in found.__mro__)


if __name__ == "__main__":
    print(json.dumps({name: gaps(name) for name in names_of(sys.argv[1] if len(sys.argv) > 1 else None)}))
