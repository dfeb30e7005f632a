"""Makes `transformers_4.53.3.json` here from the full list of 4.53.3's call surface.

    python -m tests.api.extract FULL_LIST

Kept is what concerns the architectures that have a card (their tokenizers alone, where it has no more), and the shared
machinery below: run it again when an architecture is added. Arguments are written as `"name"` where they are required,
`["name", default]` where not. A method that a listed base has too, with the same arguments, is written with the base
alone; a name in all like an earlier one is written as `{"like": EARLIER}`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triformers.cards import all_cards

EXTRACT = Path(__file__).with_name("transformers_4.53.3.json")

SHARED = (
    "PretrainedConfig", "PreTrainedModel", "TFPreTrainedModel", "FlaxPreTrainedModel",
    "PreTrainedTokenizerBase", "PreTrainedTokenizer", "PreTrainedTokenizerFast",
    "AddedToken", "BatchEncoding", "TensorType",
    "Cache", "DynamicCache", "StaticCache", "EncoderDecoderCache",
    "AdamWeightDecay", "create_optimizer",
)  # fmt: skip

AUTO = re.compile(r"(TF|Flax)?Auto[A-Z]")

#: The keys of an entry whose values are argument lists.
CALLABLES = ("init", "args", "forward", "call", "__call__")

#: The keys of an entry that are values of class attributes, compared as they are.
ATTRIBUTES = (
    "model_type", "attribute_map", "base_model_prefix", "main_input_name",
    "model_input_names", "padding_side", "vocab_files_names",
)  # fmt: skip

#: The arguments of 4.53.3 that only a bare `*` makes keyword-only, which the full list does not say.
KEYWORD_ONLY = {"BatchEncoding.to": "non_blocking"}


def main() -> None:
    """Write the extract."""
    full = json.loads(Path(sys.argv[1]).read_text())
    cards = all_cards().values()
    families = {card.config.removesuffix("Config") for card in cards if card.config}
    tokenizers = {name for card in cards for name in card.tokenizers}
    names = {
        name: entry
        for name, entry in _by_family(full["names"]).items()
        if name in SHARED or name in tokenizers or entry["of"] in families or AUTO.match(name)
    }
    kept = {
        "transformers": full["transformers"],
        "names": _without_repeats({name: _entry(name, entry, names) for name, entry in sorted(names.items())}),
        "outputs": full["outputs"],
        "auto": _auto(full["auto"]),
    }
    EXTRACT.write_text(text(kept, dicts=110) + "\n")


def _by_family(names: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The entries, each of the longest architecture that its name begins with: RobertaPreLayerNorm is not Roberta."""
    of_own = (name for name, entry in names.items() if name.endswith("Config") and entry["of"] != "general")
    stems = [name.removesuffix("Config") for name in of_own]
    fitting = {name: [stem for stem in stems if re.match(f"(TF|Flax)?{stem}", name)] for name in names}
    return {name: {**entry, "of": max(fitting[name], key=len, default=entry["of"])} for name, entry in names.items()}


def _entry(name: str, entry: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    bases = [base for base in entry.get("bases", ()) if base in names]
    inherited = {(method, str(what)) for base in bases for method, what in names[base].get("methods", {}).items()}
    kept: dict[str, Any] = {"of": entry["of"]} | ({"bases": bases} if bases else {})
    kept |= {key: entry[key] for key in (*ATTRIBUTES, "values", "defaults") if key in entry}
    kept |= {key: _arguments(entry[key]) for key in CALLABLES if key in entry}
    methods = {
        method: _arguments(what, KEYWORD_ONLY.get(f"{name}.{method}")) if isinstance(what, list) else what
        for method, what in entry.get("methods", {}).items()
        if (method, str(what)) not in inherited
    }
    return kept | ({"methods": methods} if methods else {})


def _without_repeats(entries: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    first: dict[str, str] = {}
    for name, entry in entries.items():
        first.setdefault(json.dumps(entry), name)
    return {
        name: entry if (like := first[json.dumps(entry)]) == name else {"like": like} for name, entry in entries.items()
    }


def _arguments(parameters: list[Mapping[str, Any]], keyword_only: str | None = None) -> list[Any]:
    arguments: list[Any] = []
    for parameter in parameters:
        arguments += ["*"] if parameter["name"] == keyword_only else []
        arguments.append(_argument(parameter))
    return arguments


def _argument(parameter: Mapping[str, Any]) -> Any:
    if "default" in parameter:
        return [parameter["name"], parameter["default"]]
    if "default_repr" in parameter:
        return [parameter["name"], {"repr": parameter["default_repr"]}]
    return parameter["name"]


def _auto(auto: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Which class each Auto class gives for the model types that have models here."""
    known = {model_type for model_type, card in all_cards().items() if card.models}
    rows = {name: {key: given for key, given in row.items() if key in known} for name, row in auto.items()}
    return {name: row for name, row in sorted(rows.items()) if row and not name.startswith("_")}


def text(value: Any, dicts: int | None = None, lists: int | None = None, indent: str = "") -> str:
    """JSON in which what stands on one line is no longer than `dicts` and `lists` say; None is any length."""
    line, width = json.dumps(value), {dict: dicts, list: lists}.get(type(value))
    if width is None or len(indent) + len(line) <= width:
        return line
    inner = indent + " "
    if isinstance(value, list):
        items = [text(item, dicts, lists, inner) for item in value]
    else:
        items = [f"{json.dumps(key)}: {text(item, dicts, lists, inner)}" for key, item in value.items()]
    opening, closing = "[]" if isinstance(value, list) else "{}"
    return "".join([f"{opening}\n{inner}", f",\n{inner}".join(items), f"\n{indent}{closing}"])


if __name__ == "__main__":
    main()
