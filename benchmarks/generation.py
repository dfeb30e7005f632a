"""Writing tokens with a model of GPT-2's size, side by side with transformers 4.53.3 in an environment of its own.

    python -m benchmarks.generation --reference PYTHON [--rounds 3] [--backends torch,tensorflow,flax]

124M random weights in float32, a prompt of 64 tokens, 128 new ones. For each run a fresh process of ours and one of the
incumbent's: new tokens a second of greedy search for one and for eight prompts and of four beams, in the best of some
calls, and the seconds of the first call. The floor reads every weight once for each step, at the speed at which one
reader reads this machine's memory.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

CLASSES = {"torch": "GPT2LMHeadModel", "tensorflow": "TFGPT2LMHeadModel", "flax": "FlaxGPT2LMHeadModel"}

#: Name of a run -> (prompts, options).
RUNS = {"greedy 1": (1, {}), "greedy 8": (8, {}), "beams 4": (1, {"num_beams": 4})}

PROMPT, NEW = 64, 128

#: Run in a fresh process of either library: LIBRARY CLASS FOLDER PROMPTS OPTIONS ROUNDS.
PROGRAM = """
import json, os, sys, time, warnings
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_USE_LEGACY_KERAS="1", CUDA_VISIBLE_DEVICES="-1")
warnings.filterwarnings("ignore")
import numpy as np
library, name, folder, rows, options, rounds = sys.argv[1:]
model = getattr(__import__(library), name).from_pretrained(folder)
ids = np.random.default_rng(0).integers(0, 50000, (int(rows), 64))
options = dict(json.loads(options), do_sample=False, max_new_tokens=128, pad_token_id=0, eos_token_id=None)
generate = model.generate
if name.startswith("TF"):
    import tensorflow as tf
    ids = tf.constant(ids, tf.int32)
    if library == "transformers":
        generate = tf.function(model.generate, jit_compile=True)
elif name.startswith("Flax"):
    import jax.numpy as jnp
    ids = jnp.asarray(ids)
    if library == "transformers":
        options["eos_token_id"] = 50256
else:
    import torch
    ids = torch.from_numpy(ids)
    model.eval()
def seconds():
    start = time.perf_counter()
    found = generate(ids, **options)
    tokens = np.asarray(getattr(found, "sequences", found))
    assert tokens.shape[1] == 192, tokens.shape
    return time.perf_counter() - start
first = seconds()
again = min(seconds() for _ in range(int(rounds)))
print(json.dumps({"first": first, "rate": int(rows) * 128 / again}))
"""

#: Reads a large array: bytes a second.
MEMORY = """
import time, numpy as np
array = np.ones(2**27, np.float32)
times = []
for _ in range(5):
    start = time.perf_counter(); array.sum(); times.append(time.perf_counter() - start)
print(array.nbytes / min(times))
"""


def measure(
    python: str, library: str, name: str, folder: str, rows: int, options: dict[str, object], rounds: int
) -> dict[str, float]:
    """One fresh process."""
    command = [python, "-c", PROGRAM, library, name, folder, str(rows), json.dumps(options), str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", required=True, help="the python that has transformers 4.53.3")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backends", default=",".join(CLASSES))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make = f"import triformers as t; t.GPT2LMHeadModel(t.GPT2Config(), seed=0).save_pretrained({folder!r})"
        subprocess.run([sys.executable, "-c", make], check=True)
        size = (Path(folder) / "model.safetensors").stat().st_size
        speed = float(subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, check=True).stdout)
        print(f"{size / 2**20:.0f} MiB of weights, {speed / 1e9:.0f} GB/s: {speed / size:.0f} steps a second\n")
        print("| | run | ours | transformers 4.53.3 | ratio | first call | its | ratio |")
        print("|---|---|---|---|---|---|---|---|")
        for backend in options.backends.split(","):
            for run, (rows, further) in RUNS.items():
                arguments = CLASSES[backend], folder, rows, further, options.rounds
                ours = measure(sys.executable, "triformers", *arguments)
                theirs = measure(options.reference, "transformers", *arguments)
                cells = [
                    f"{ours[figure]:.1f} | {theirs[figure]:.1f} | {ours[figure] / theirs[figure]:.2f}"
                    for figure in ("rate", "first")
                ]
                print(f"| {backend} | {run} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
