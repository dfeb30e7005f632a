"""What PyTorch computes beyond what goldens hold: gradients, weights after training, initial weights, saved bytes.

PyTorch is the truth for these, and its own goldens prove PyTorch. The other frameworks' processes have it written to a
file by a process of its own: `python -m tests.parity.truth FOLDER OUTPUT [every]`.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from tests.parity.goldens import Case, cases
from tests.parity.runners import runner_of
from tests.specs import FIELDS, all_specs, task_of
from triformers.cards import all_cards

#: The configurations whose initial weights are compared: the spec's, and the same with every option set.
OPTIONS = ("tiny", "full")
STEPS, RATE, DECAY, SEED = 5, 1e-2, 0.1, 7


def compute(runner: Any, root: Path, every: bool) -> dict[str, np.ndarray]:
    """By `kind|case|tensor`, what the short tests need, or with `every` all of it."""
    found: dict[str, np.ndarray] = {}
    for case in (case for case in cases(root) if every or case.is_sample):
        found |= {f"saved|{case.name}": saved_bytes(runner, case)}
        if case.has_loss:
            found |= prefixed(f"gradient|{case.name}", gradients(runner, case))
        if case.has_loss and (every or not case.is_variant):
            found |= prefixed(f"trained|{case.name}", trained(runner, case))
    for model_type, card in all_cards().items():
        for stem, options in product(card.models.values(), OPTIONS if every else OPTIONS[:1]):
            found |= prefixed(f"initial|{stem}|{options}", initial(runner, model_type, stem, options))
    return found


def prefixed(prefix: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays under longer names."""
    return {f"{prefix}|{name}": array for name, array in arrays.items()}


def gradients(runner: Any, case: Case) -> dict[str, np.ndarray]:
    """Every gradient of a case's loss, in float64."""
    return runner.gradients(runner.load(case.class_name, case.folder, "float64"), case.inputs("float64"))


def trained(runner: Any, case: Case) -> dict[str, np.ndarray]:
    """Every weight after some steps of AdamW, in float64, dropout off."""
    model = runner.load(case.class_name, case.folder, "float64")
    runner.train(model, case.inputs("float64"), STEPS, RATE, DECAY)
    return values(model)


def initial(runner: Any, model_type: str, stem: str, options: str) -> dict[str, np.ndarray]:
    """Every weight of a freshly made tiny model, with few options or with all."""
    model_class, spec = runner.model_class(stem), all_specs()[model_type]
    fields = {**spec.tiny, **(spec.full if options == "full" else {}), **FIELDS.get(task_of(model_type, stem), {})}
    return values(model_class(model_class.config_class(**fields), seed=SEED))


def values(model: Any) -> dict[str, np.ndarray]:
    """A model's tensors in canonical names and axes."""
    return {name: np.ascontiguousarray(tensor.read()) for name, tensor in model.canonical_tensors().items()}


def saved_bytes(runner: Any, case: Case) -> np.ndarray:
    """The hash of the file that a model saves right after it was loaded."""
    with tempfile.TemporaryDirectory() as folder:
        runner.load(case.class_name, case.folder, "float32").save_pretrained(folder)
        digest = hashlib.sha256((Path(folder) / "model.safetensors").read_bytes()).digest()
    return np.frombuffer(digest, np.uint8)


def of_torch(root: Path, output: Path, every: bool) -> dict[str, np.ndarray]:
    """PyTorch's truth, computed in a process of its own."""
    command = [sys.executable, "-m", "tests.parity.truth", str(root), str(output), *(["every"] if every else [])]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2])
    return dict(np.load(output))


if __name__ == "__main__":
    torch_runner = runner_of("torch")
    torch_runner.prepare("cpu")
    np.savez(sys.argv[2], **compute(torch_runner, Path(sys.argv[1]), "every" in sys.argv[3:]))
