"""Random configurations with loud weights: what PyTorch computes for them, for the others to agree with.

`python -m tests.parity.sweep FOLDER COUNT` writes, for every class of every architecture and COUNT random
configurations, a checkpoint, its inputs and PyTorch's outputs in float64.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.parity.runners import runner_of
from tests.specs import FIELDS, Spec, all_specs, inputs_of, spec_of
from triformers.cards import all_cards
from triformers.conversion.slots import Slot


def classes() -> Iterator[tuple[Spec, str, str]]:
    """Every class that a card lists: its architecture's spec, its task, its name."""
    for model_type, card in all_cards().items():
        for task, stem in card.models.items():
            yield all_specs()[model_type], task, stem


def loud(generator: np.random.Generator) -> Any:
    """A source of weights that hide nothing: every number random, gains away from one, biases away from zero."""

    def value(slot: Slot, dtype: np.dtype) -> np.ndarray:
        around = 1.0 if slot.kind == "layer_norm" and slot.leaf == "weight" else 0.0
        return (around + 0.3 * generator.standard_normal(slot.shape)).astype(dtype)

    return value


def write(spec: Spec, task: str, stem: str, seed: int, folder: Path, runner: Any) -> None:
    """One case of PyTorch's."""
    generator = np.random.default_rng(seed)
    model_class = runner.model_class(stem)
    fields = {**spec.tiny, **spec.vary(generator, task), **FIELDS.get(task, {})}
    config = model_class.config_class(**fields)
    model = model_class(config, seed=0)
    model.fill(loud(generator), "float32")
    model.save_pretrained(folder)
    inputs = taken_by(model_class, inputs_of(spec, task, config, generator))
    outputs = runner.forward(runner.load(stem, folder, "float64"), inputs, **everything(stem))
    np.savez(folder / "inputs.npz", **inputs)
    np.savez(folder / "outputs.npz", **outputs)


def taken_by(model_class: Any, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Those inputs that a class has arguments for; not every class reads an encoder's states."""
    arguments = inspect.signature(model_class.forward).parameters
    return {name: array for name, array in inputs.items() if name in arguments}


def everything(stem: str) -> dict[str, bool]:
    """What a call is asked to return: all that its class can."""
    attentions = {"output_attentions": True} if spec_of(stem).has_attentions else {}
    return {"output_hidden_states": True, **attentions}


if __name__ == "__main__":
    torch_runner = runner_of("torch")
    torch_runner.prepare("cpu")
    for each, task_name, name in classes():
        for number in range(int(sys.argv[2])):
            write(each, task_name, name, number, Path(sys.argv[1]) / name / str(number), torch_runner)
