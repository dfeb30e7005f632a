"""`triformers inspect`: what a checkpoint holds, and which classes can load it."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..backends.limits import check_parts
from ..cards import BACKENDS, Card, all_cards
from ..configuration import CONFIG_NAME
from ..conversion.formats import open_checkpoint
from ..conversion.formats.names import FORMATS
from ..conversion.formats.shards import size_of
from ..conversion.formats.tensors import Tensor, not_finite
from ..conversion.mapping import make_plan
from ..conversion.native import canonical_checkpoint
from ..conversion.tables import format_table
from ..files.errors import TriformersError
from ..files.strict_json import load_json_object
from ..hub.find import HubOptions, Repository
from .choose import config_of, is_installed, model_class
from .tokenizers import is_changed, tokenizer_line, tokenizer_of

#: How many tensors are listed without --all.
SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("checkpoint", metavar="NAME", help="a directory or Hub name")
    parser.add_argument("--format", choices=list(FORMATS), help="the format to read, if there are several")
    parser.add_argument("--variant", help="the files of this variant, such as fp16")
    parser.add_argument("--all", action="store_true", help=f"every tensor, not the first {SHOWN} alone")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument(
        "--verify",
        action="store_true",
        help="compare every file with the hash of its save, and look for NaN and infinity (exit status 1 if there are, "
        "or if the tokenizer is not the one whose fingerprint was saved)",
    )


def run(options: argparse.Namespace) -> int:
    """Print what there is.

    Raises:
        TriformersError: There is no such checkpoint, it is damaged, or it is not as it was saved and that is asked.
    """
    hub = HubOptions(verify=options.verify)
    repository = Repository(options.checkpoint, hub)
    with repository.reading():
        path = repository.file(CONFIG_NAME, required=False)
        config = {} if path is None else load_json_object(path)
        formats = [options.format] if options.format else list(FORMATS)
        there, tokenizer = _formats(repository, options.variant), tokenizer_of(repository, hub)
        is_tokenizer_alone = tokenizer is not None and not there and options.format is None
        tensors = {} if is_tokenizer_alone else open_checkpoint(repository, formats, options.variant)
        found = {
            "checkpoint": options.checkpoint,
            "config": {name: config[name] for name in sorted(config)},
            "formats": there,
            "tensors": [_row(tensor) for tensor in tensors.values()],
            "bytes": sum(map(size_of, tensors.values())),
            "classes": _classes(repository, tensors, config) if tensors else {},
            "tokenizer": tokenizer,
            **({"not finite": not_finite(tensors)} if options.verify else {}),
        }
    print(json.dumps(found, indent=1) if options.json else _as_text(found, options.all))
    return int(options.verify and (bool(found["not finite"]) or is_changed(tokenizer)))


def _formats(repository: Repository, variant: str | None) -> list[str]:
    """The formats that the checkpoint is there in, whole or sharded."""
    return [
        name
        for name, form in FORMATS.items()
        if any(repository.file(file, required=False) for file in (form.whole(variant), form.index(variant)))
    ]


def _row(tensor: Tensor) -> dict[str, Any]:
    return {
        "name": tensor.name, "shape": list(tensor.shape), "dtype": tensor.dtype.name, "bytes": size_of(tensor),
    }  # fmt: skip


def _classes(
    repository: Repository, tensors: Mapping[str, Tensor], config: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """The architecture's classes, in which frameworks, and what each would start afresh or could not load."""
    card = all_cards().get(str(config.get("model_type")))
    backend = next((name for name in card.backends if is_installed(name)), None) if card is not None else None
    if card is None or backend is None:
        return {}
    found = canonical_checkpoint(tensors, repository.name, card.weights)
    return {stem: _verdict(card, stem, backend, repository, found) for stem in card.models.values()}


def _verdict(
    card: Card, stem: str, backend: str, repository: Repository, tensors: Mapping[str, Tensor]
) -> dict[str, Any]:
    """How a checkpoint fits one class."""
    config = config_of(repository)
    names = [BACKENDS[name].class_prefix + stem for name in card.backends]
    try:
        build = model_class(stem, backend).structure
        check_parts(config, tensors, card.weights, repository.name, build)
        plan = make_plan(
            build(config).slots(), tensors, card.weights, config,
            is_of_another_class=bool(config.architectures) and stem not in config.architectures,
        )  # fmt: skip
        plan.check(repository.name)
    except TriformersError as error:
        return {"names": names, "loads": False, "new": [], "reason": str(error)}
    return {"names": names, "loads": True, "new": plan.new, "reason": ""}


def _as_text(found: Mapping[str, Any], is_all: bool) -> str:
    rows = found["tensors"]
    types = Counter(row["dtype"] for row in rows)
    total = f"{len(rows)} tensors, {found['bytes']:,} bytes ({', '.join(f'{n} {t}' for t, n in types.items())})"
    shown = rows if is_all else rows[:SHOWN]
    table = format_table(
        ["tensor", "shape", "type", "bytes"],
        [[printable(row["name"]), str(row["shape"]), row["dtype"], f"{row['bytes']:,}"] for row in shown],
    )
    more = [] if len(shown) == len(rows) else [f"... and {len(rows) - len(shown)} more (--all lists them)"]
    config = ", ".join(
        printable(f"{name} {value}") for name, value in found["config"].items() if isinstance(value, (int, str))
    )
    classes = [[_fits(verdict), ", ".join(verdict["names"])] for verdict in found["classes"].values()]
    parts = [
        f"{found['checkpoint']}: {', '.join(found['formats']) or 'a tokenizer alone'}",
        f"config: {config or 'none'}",
        *([printable(tokenizer_line(found["tokenizer"]))] if found["tokenizer"] else []),
        *(["\n".join([total, "", table, *more])] if rows else []),
        *_verified(found),
    ]
    return "\n\n".join([*parts, format_table(["loads", "classes"], classes)] if classes else parts)


def _verified(found: Mapping[str, Any]) -> list[str]:
    """What came of --verify; nothing without it."""
    if "not finite" not in found:
        return []
    numbers = [f"{printable(name)} has {count} NaN or infinite" for name, count in found["not finite"].items()]
    return ["\n".join(["verified: every file is as it was saved", *(numbers or ["every number is finite"])])]


def printable(text: str) -> str:
    """A name of a file as a terminal may be shown it: what moves the cursor or changes its colours is written out."""
    return text if text.isprintable() else ascii(text)


def _fits(verdict: Mapping[str, Any]) -> str:
    if not verdict["loads"]:
        return "no"
    return f"with {len(verdict['new'])} new tensors" if verdict["new"] else "whole"
