"""What a user of transformers 4.53.3 can have written: the extract, read, with the forms wanted beyond it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from tests.api.extract import AUTO, EXTRACT
from triformers.cards import BACKENDS

#: The arguments by which a model with a head is given its labels.
LABELS = ("labels", "next_sentence_label", "start_positions", "end_positions")

#: The method of a model's call, by framework.
CALLS = {"torch": "forward", "tensorflow": "call", "flax": "__call__"}

#: What PyTorch's arguments of a call lack in another framework.
TRAINING: Mapping[str, list[Any]] = {"tensorflow": [["training", False]], "flax": []}


@cache
def extract() -> Mapping[str, Any]:
    """The file, repeated entries written out."""
    read = json.loads(EXTRACT.read_text())
    names = read["names"]
    return {
        **read,
        "names": {name: names[entry["like"]] if "like" in entry else entry for name, entry in names.items()},
    }


@cache
def contract() -> Mapping[str, Mapping[str, Any]]:
    """Every name with what it must offer: 4.53.3's, the forms that it lacks, and the output types."""
    names = {name: dict(entry) for name, entry in extract()["names"].items()}
    for name in list(names):
        if names[name]["of"] != "general" and backend_of(name) == "torch":
            for backend in ("tensorflow", "flax"):
                names.setdefault(BACKENDS[backend].class_prefix + name, _form(name, backend))
    for name, entry in names.items():
        if labels := list(_labels_beyond(name, entry)):
            entry["labels"] = labels
    return names | {name: {"of": "outputs", "fields": fields} for name, fields in extract()["outputs"].items()}


def backend_of(name: str) -> str | None:
    """The framework in whose process a name is looked at; None for one that needs no framework."""
    entry = extract()["names"].get(name)
    if entry is None and name in extract()["outputs"]:
        return None
    prefixed = next((b for b in ("tensorflow", "flax") if re.match(BACKENDS[b].class_prefix + "[A-Z]", name)), None)
    if prefixed or entry is None:
        return prefixed
    if name in ("AdamWeightDecay", "create_optimizer"):
        return "tensorflow"
    if name == "PreTrainedModel" or "PreTrainedModel" in entry.get("bases", ()):
        return "torch"
    return "torch" if name.endswith("Cache") or (AUTO.match(name) and "Model" in name) else None


def names_of(backend: str | None) -> list[str]:
    """The names that are looked at in one framework's process."""
    return [name for name in contract() if backend_of(name) == backend]


def _form(name: str, backend: str) -> dict[str, Any]:
    """The form of a PyTorch class in a framework that 4.53.3 does not have it in, with its siblings' arguments."""
    prefix, model = BACKENDS[backend].class_prefix, extract()["names"][name]
    base = _base(name, prefix)
    call = base.get(CALLS[backend]) or [*model.get("forward", []), *TRAINING[backend]]
    form = {key: value for key, value in model.items() if key not in ("init", "forward", "methods")}
    return form | {
        "bases": [prefix + base for base in model["bases"]],
        "init": base.get("init", model["init"]),
        CALLS[backend]: call,
    }


def _base(name: str, prefix: str) -> Mapping[str, Any]:
    """The base of a model's siblings in a framework.

    Where 4.53.3 has no siblings there, it is that of an architecture which takes the same arguments in every class.
    """
    names = extract()["names"]
    own = names[name]["of"]
    alike = [of for of in {entry["of"]: None for entry in names.values()} if _calls(own).items() <= _calls(of).items()]
    bases = (f"{prefix}{architecture}PreTrainedModel" for architecture in (own, *alike))
    return next((names[base] for base in bases if base in names), {})


@cache
def _calls(architecture: str) -> dict[str, str]:
    """What the PyTorch classes of an architecture are called, without its name, and the arguments that each takes."""
    return {
        name.removeprefix(architecture): str(entry["forward"])
        for name, entry in extract()["names"].items()
        if entry["of"] == architecture and name.startswith(architecture) and "forward" in entry
    }


def _labels_beyond(name: str, entry: Mapping[str, Any]) -> Iterator[str]:
    """The labels that a class's PyTorch sibling takes and 4.53.3 does not give to it."""
    backend = backend_of(name)
    if backend not in ("tensorflow", "flax") or entry["of"] == "general":
        return
    taken = [argument if isinstance(argument, str) else argument[0] for argument in entry.get(CALLS[backend], ())]
    sibling = extract()["names"].get(_sibling(name, BACKENDS[backend].class_prefix), {})
    for argument in sibling.get("forward", ()):
        if argument[0] in LABELS and argument[0] not in taken:
            yield argument[0]


def _sibling(name: str, prefix: str) -> str:
    """The PyTorch class that does what another framework's does: by its name, or by its Auto class."""
    stem = name.removeprefix(prefix)
    if stem in extract()["names"]:
        return stem
    rows = extract()["auto"]
    found = ((task, model_type) for task, row in rows.items() for model_type, model in row.items() if model == name)
    task, model_type = next(found, ("", ""))
    return rows.get(task.removeprefix(prefix), {}).get(model_type, stem)
