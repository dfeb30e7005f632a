"""Loading and saving a 110M-parameter BERT, side by side with transformers 4.53.3 in an environment of its own.

    python -m benchmarks.loading --reference PYTHON [--rounds 5]

Every figure is the smallest of some fresh processes, ours and the incumbent's in turn: seconds of the first load and of
the second in a process, seconds of a save, and peak memory over that of the framework and the class imported. Ours
saves with fsync and a manifest, the incumbent without.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

#: Framework -> its class.
CLASSES = {"torch": "BertModel", "tensorflow": "TFBertModel", "flax": "FlaxBertModel"}

#: Run in a fresh process of either library: LIBRARY CLASS FOLDER SAVED ARGUMENTS.
PROGRAM = """
import gc, json, os, resource, sys, time, warnings
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_USE_LEGACY_KERAS="1", CUDA_VISIBLE_DEVICES="-1")
warnings.filterwarnings("ignore")
library, name, folder, saved, arguments = sys.argv[1:]
model_class = getattr(__import__(library), name)
if name.startswith("TF"):
    import tensorflow as tf
    tf.constant(0.0)
if name.startswith("Flax"):
    import jax
    jax.numpy.zeros(1)
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
def load():
    start = time.perf_counter()
    model = model_class.from_pretrained(folder, **json.loads(arguments))
    if name.startswith("Flax"):
        jax.block_until_ready(model.params)
    return model, time.perf_counter() - start
before = peak()
model, first = load()
over = peak() - before
del model
gc.collect()
model, again = load()
start = time.perf_counter()
model.save_pretrained(saved)
print(json.dumps({"first": first, "load": again, "save": time.perf_counter() - start, "peak": over}))
"""


def measure(python: str, library: str, name: str, folder: Path, arguments: dict[str, object]) -> dict[str, float]:
    """One fresh process."""
    with tempfile.TemporaryDirectory() as saved:
        command = [python, "-c", PROGRAM, library, name, str(folder), saved, json.dumps(arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", required=True, help="the python that has transformers 4.53.3")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make = "from triformers import BertConfig, BertModel; BertModel(BertConfig(), seed=0).save_pretrained"
        subprocess.run([sys.executable, "-c", f"{make}({folder!r})"], check=True)
        size = (Path(folder) / "model.safetensors").stat().st_size / 2**20
        print(f"{size:.0f} MiB\n\n| | figure | ours | transformers 4.53.3 | ratio |\n|---|---|---|---|---|")
        for backend, name in CLASSES.items():
            runs: dict[str, list[dict[str, float]]] = {"ours": [], "theirs": []}
            for _ in range(options.rounds):
                runs["ours"].append(measure(sys.executable, "triformers", name, Path(folder), {}))
                runs["theirs"].append(measure(options.reference, "transformers", name, Path(folder), {}))
            for figure in ("first", "load", "save", "peak"):
                ours, theirs = (min(run[figure] for run in runs[side]) for side in ("ours", "theirs"))
                unit = " MiB" if figure == "peak" else " s"
                print(
                    f"| {backend} | {figure} | {ours:.3g}{unit} | {theirs:.3g}{unit} | {ours / theirs:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
