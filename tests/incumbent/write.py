"""Writes every class in every format, whole and in shards, with what it computes.

python -m tests.incumbent.write DIR
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np

from tests.parity.runners import runner_of
from tests.parity.sweep import loud, taken_by
from tests.specs import FIELDS, all_specs
from triformers.cards import Card, all_cards
from triformers.cli import main
from triformers.conversion.formats.names import FORMATS

#: Name -> the arguments of `triformers convert` that make it.
SIZES = {"whole": [], "sharded": ["--max-shard-size", "20KB"]}


def write(folder: Path) -> int:
    """Write everything; answers how many checkpoints there are."""
    runner, count = runner_of("torch"), 0
    runner.prepare("cpu")
    for model_type, card in all_cards().items():
        for stem in card.models.values():
            source = _source(folder / stem, model_type, card, stem, runner)
            for form in FORMATS:
                for size, arguments in SIZES.items():
                    target = folder / stem / f"{form}-{size}"
                    main(["convert", str(source), str(target), "--to", form, *arguments])
                    count += 1
    return count


def _source(folder: Path, model_type: str, card: Card, stem: str, runner: ModuleType) -> Path:
    """A loud model, its inputs and its outputs."""
    spec, generator = all_specs()[model_type], np.random.default_rng(0)
    model_class = runner.model_class(stem)
    task = next(task for task, name in card.models.items() if name == stem)
    decoder = {name: value for name, value in spec.decoder.items() if name == "is_decoder" and task == "causal-lm"}
    fields = {**decoder, "torch_dtype": "float32", **FIELDS.get(task, {})}
    model = model_class(model_class.config_class(**{**spec.tiny, **spec.incumbent, **fields}), seed=0)
    model.fill(loud(generator), "float32")
    model.save_pretrained(folder / "source")
    inputs = taken_by(model_class, spec.batch_of(model.config, generator))
    if not hasattr(
        model.config, "type_vocab_size"
    ):  # where segments are tokens, not every framework of 4.53.3 has them
        inputs.pop("token_type_ids", None)
    if task == "multiple-choice":
        inputs = {name: np.stack([array, array[:, ::-1]], 1) for name, array in inputs.items()}
    inputs = {name: array.astype(np.float32) if array.dtype.kind == "f" else array for name, array in inputs.items()}
    np.savez(folder / "inputs.npz", **inputs)
    np.savez(folder / "outputs.npz", **runner.forward(runner.load(stem, folder / "source", "float32"), inputs))
    (folder / "case.json").write_text(json.dumps({"class": stem}))
    return folder / "source"


if __name__ == "__main__":
    print(f"{write(Path(sys.argv[1]))} checkpoints")
