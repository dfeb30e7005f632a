"""`triformers explain`: the journey of every parameter, printed."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ..backends.limits import check_parts
from ..cards import BACKENDS, card_of, configuration_of
from ..conversion.explain import Row, as_json, explain, fold, format_rows, leftovers, summary
from ..conversion.formats import open_checkpoint
from ..conversion.mapping import Plan, make_plan
from ..conversion.native import canonical_checkpoint
from ..conversion.tables import format_table
from ..files.errors import InputError, three_beats
from ..hub.find import Repository
from .choose import backends_of, config_of, model_class, stem_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("architecture", nargs="?", help="a model type (bert); the checkpoint's if left out")
    parser.add_argument("--backend", choices=list(BACKENDS), help="the framework (default: the first installed)")
    parser.add_argument("--class", dest="class_name", metavar="CLASS", help="a class (BertForSequenceClassification)")
    parser.add_argument("--checkpoint", metavar="NAME", help="a directory or Hub name: show how it fills the model")
    parser.add_argument("--all", action="store_true", help="every layer; without it, those that repeat are one row")
    parser.add_argument("--json", action="store_true", help="print every row as JSON")


def run(options: argparse.Namespace) -> int:
    """Print the rows.

    Raises:
        TriformersError: There is no such architecture, class, framework or checkpoint.
    """
    repository = None if options.checkpoint is None else Repository(options.checkpoint)
    loaded = None if repository is None else config_of(repository, options.architecture)
    model_type = options.architecture or (None if loaded is None else loaded.model_type)
    if model_type is None:
        remedy = "Run for example: triformers explain bert."
        raise InputError(three_beats("nothing to explain", "a model type or --checkpoint", remedy))
    card = card_of(model_type)
    if loaded is not None and loaded.model_type != card.model_type:
        remedy = "Leave the model type out, or correct it."
        found = f"{options.checkpoint} is of model type {loaded.model_type!r}"
        raise InputError(three_beats(found, repr(card.model_type), remedy))
    config = loaded if loaded is not None else configuration_of(card)()
    backend = backends_of(card, [options.backend] if options.backend else None)[0]
    stem = stem_of(card, options.class_name, loaded)
    tensors, build = None, model_class(stem, backend).structure
    if repository is not None:
        tensors = canonical_checkpoint(open_checkpoint(repository), repository.name, card.weights)
        check_parts(config, tensors, card.weights, repository.name, build)
    slots = build(config).slots()
    plan = None if tensors is None else make_plan(slots, tensors, card.weights, config)
    rows = explain(slots, backend, plan)
    title = f"{BACKENDS[backend].class_prefix}{stem} in {backend}"
    if options.json:
        print(json.dumps(_as_json(title, rows, plan), indent=1))
    else:
        print(_as_text(title, rows if options.all else fold(rows), plan, options.checkpoint))
    return 0


def _as_text(title: str, rows: list[Row], plan: Plan | None, checkpoint: str | None) -> str:
    source = f", filled from {checkpoint}" if checkpoint else "; file keys are the canonical names"
    parts = [f"{title}{source}", format_rows(rows, with_keys=plan is not None), summary(rows)]
    if plan is not None and (left := leftovers(plan)):
        parts.append(format_table(["not in both", "what becomes of it"], left))
    return "\n\n".join(parts)


def _as_json(title: str, rows: list[Row], plan: Plan | None) -> dict[str, Any]:
    left = [] if plan is None else [{"tensor": name, "fate": fate} for name, fate in leftovers(plan)]
    return {"model": title, "tensors": as_json(rows), "leftovers": left}
