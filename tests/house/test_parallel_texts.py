"""The three modelling files of an architecture are parallel texts: the same classes, parts and arguments."""

from __future__ import annotations

import ast
from dataclasses import dataclass

import pytest

from tests.house.source import modules
from triformers.cards import BACKENDS, Card, all_cards

#: Arguments that carry a framework's own way of saying "training".
IDIOM = {"self", "training", "deterministic", "wanted", "params", "dropout_rng", "train"}


@dataclass(frozen=True)
class Part:
    """A class of a modelling file, in words that the three frameworks share."""

    name: str
    parts: tuple[str, ...]
    arguments: tuple[str, ...]


def read(card: Card, backend: str) -> list[Part]:
    """The classes of one modelling file that hold layers, in order."""
    grammar = BACKENDS[backend]
    tree = modules()[card.module(grammar.module_prefix)]
    stems = set(card.models.values())
    found = []
    for node in tree.body:
        if not isinstance(node, ast.ClassDef):
            continue
        name = node.name.removeprefix(grammar.class_prefix)
        if backend == "flax" and (name in stems or name in card.bases):
            continue  # the public wrapper; the layers are in its module
        if name in card.bases:
            continue
        found.append(Part(_public(name), _parts(node), _arguments(node)))
    return found


def _public(name: str) -> str:
    """`BertModule` is `BertModel`'s module, `BertForXModule` is `BertForX`'s."""
    if not name.endswith("Module"):
        return name
    stem = name.removesuffix("Module")
    return stem if "For" in stem or stem.endswith(("Model", "Backbone")) else f"{stem}Model"


def _parts(node: ast.ClassDef) -> tuple[str, ...]:
    """The attributes that a constructor makes by a call: layers, stacks of layers, activations.

    A parameter of the layer's own is no part: each framework makes it in a place of its own.
    """
    builder = next((f for f in node.body if isinstance(f, ast.FunctionDef) and f.name in ("__init__", "setup")), None)
    made = []
    for statement in ast.walk(builder) if builder else ():
        if isinstance(statement, ast.Assign) and isinstance(statement.value, (ast.Call, ast.ListComp, ast.IfExp)):
            target = statement.targets[0]
            own_parameter = ast.unparse(statement.value).startswith(("nn.Parameter(", "self.parameter("))
            if isinstance(target, ast.Attribute) and not own_parameter:
                made.append((statement.lineno, target.attr.rstrip("_")))
    return tuple(name for _, name in sorted(made))


def _arguments(node: ast.ClassDef) -> tuple[str, ...]:
    names = ("forward", "call", "__call__")
    call = next((f for f in node.body if isinstance(f, ast.FunctionDef) and f.name in names), None)
    every = [*call.args.args, *call.args.kwonlyargs] if call else []
    return tuple(argument.arg for argument in every if argument.arg not in IDIOM)


CARDS = [card for card in all_cards().values() if card.models]


@pytest.mark.parametrize("card", CARDS, ids=[card.model_type for card in CARDS])
def test_the_same_classes_in_the_same_order(card: Card) -> None:
    names = [[part.name for part in read(card, backend)] for backend in card.backends]
    assert all(other == names[0] for other in names)


@pytest.mark.parametrize("card", CARDS, ids=[card.model_type for card in CARDS])
def test_the_same_parts_under_the_same_names(card: Card) -> None:
    for versions in zip(*(read(card, backend) for backend in card.backends), strict=True):
        assert len({version.parts for version in versions}) == 1, versions


@pytest.mark.parametrize("card", CARDS, ids=[card.model_type for card in CARDS])
def test_the_same_arguments(card: Card) -> None:
    for versions in zip(*(read(card, backend) for backend in card.backends), strict=True):
        assert len({tuple(sorted(version.arguments)) for version in versions}) == 1, versions
