"""Writing tokens, side by side with transformers 4.53.3 in an environment of its own.

    python -m benchmarks.generation --reference PYTHON [--model gpt2|t5] [--rounds 3] [--turns 1]

Random weights in float32: those of GPT-2 (124M, 64 tokens read, 128 written) or of T5-small (60M, 64 read and written).
For each run a fresh process of ours and one of the incumbent's, in turn: new tokens a second of greedy search for one
and for eight prompts and of four beams, and the seconds of the first call; the best of some calls and turns. The
floor reads once for each step what a step needs (of T5 the decoder and the table of tokens), at the speed at which this
machine's processors together read its memory.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import safetensors

PREFIXES = {"torch": "", "tensorflow": "TF", "flax": "Flax"}

#: Model -> its class, its configuration, how many tokens are written.
MODELS = {
    "gpt2": ("GPT2LMHeadModel", "GPT2Config()", 128),
    "t5": ("T5ForConditionalGeneration", "T5Config(decoder_start_token_id=0)", 64),
}

#: Name of a run -> (prompts, options).
RUNS = {"greedy 1": (1, {}), "greedy 8": (8, {}), "beams 4": (1, {"num_beams": 4})}

#: Run in a fresh process of either library: LIBRARY CLASS FOLDER PROMPTS NEW OPTIONS ROUNDS.
PROGRAM = """
import json, os, sys, time, warnings
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_USE_LEGACY_KERAS="1", CUDA_VISIBLE_DEVICES="-1")
warnings.filterwarnings("ignore")
import numpy as np
library, name, folder, rows, new, options, rounds = sys.argv[1:]
rows, new = int(rows), int(new)
model = getattr(__import__(library), name).from_pretrained(folder)
ids = np.random.default_rng(0).integers(3, 32000, (rows, 64))
options = dict(json.loads(options), do_sample=False, max_new_tokens=new, pad_token_id=0, eos_token_id=None)
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
        options["eos_token_id"] = 32127  # it asks for one: a token that is hardly ever chosen
else:
    import torch
    ids = torch.from_numpy(ids)
    model.eval()
def seconds():
    start = time.perf_counter()
    found = generate(ids, **options)
    tokens = np.asarray(getattr(found, "sequences", found))
    assert tokens.shape[1] == new + (1 if "T5" in name else 64), tokens.shape
    return time.perf_counter() - start
first = seconds()
again = min(seconds() for _ in range(int(rounds)))
print(json.dumps({"first": first, "rate": rows * new / again}))
"""

#: Reads large arrays with two threads: bytes a second.
MEMORY = """
import time, numpy as np
from concurrent.futures import ThreadPoolExecutor
arrays = [np.ones(2**26, np.float32) for _ in range(2)]
times = []
with ThreadPoolExecutor(2) as pool:
    for _ in range(7):
        start = time.perf_counter(); list(pool.map(np.max, arrays)); times.append(time.perf_counter() - start)
print(2 * arrays[0].nbytes / min(times))
"""


def measure(
    python: str, library: str, name: str, folder: str, rows: int, new: int, options: dict[str, object], rounds: int
) -> dict[str, float]:
    """One fresh process."""
    command = [python, "-c", PROGRAM, library, name, folder, str(rows), str(new), json.dumps(options), str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.strip().splitlines()[-1])


def bytes_of_a_step(file: Path) -> int:
    """The bytes of the weights that writing a token reads: all but an encoder's."""
    with safetensors.safe_open(file, "numpy") as tensors:
        names = [name for name in tensors.keys() if not name.startswith("encoder.")]  # noqa: SIM118
        return sum(tensors.get_tensor(name).nbytes for name in names)


def best(found: list[dict[str, float]]) -> dict[str, float]:
    """The best figures of some processes."""
    return {"rate": max(one["rate"] for one in found), "first": min(one["first"] for one in found)}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", required=True, help="the python that has transformers 4.53.3")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--turns", type=int, default=1, help="processes of either library, where others use the machine"
    )
    parser.add_argument("--model", default="gpt2", choices=MODELS)
    parser.add_argument("--backends", default=",".join(PREFIXES))
    options = parser.parse_args()
    name, config, new = MODELS[options.model]
    with tempfile.TemporaryDirectory() as folder:
        make = f"import triformers as t; t.{name}(t.{config}, seed=0).save_pretrained({folder!r})"
        subprocess.run([sys.executable, "-c", make], check=True)
        size = bytes_of_a_step(Path(folder) / "model.safetensors")
        speed = float(subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, check=True).stdout)
        print(f"{size / 2**20:.0f} MiB of weights a step, {speed / 1e9:.0f} GB/s: {speed / size:.0f} steps a second\n")
        print("| | run | ours | transformers 4.53.3 | ratio | first call | its | ratio |")
        print("|---|---|---|---|---|---|---|---|")
        for backend in options.backends.split(","):
            for run, (rows, further) in RUNS.items():
                arguments = PREFIXES[backend] + name, folder, rows, new, further, options.rounds
                turns = [
                    (
                        measure(sys.executable, "triformers", *arguments),
                        measure(options.reference, "transformers", *arguments),
                    )
                    for _ in range(options.turns)
                ]
                ours, theirs = (best(list(side)) for side in zip(*turns, strict=True))
                cells = [
                    f"{ours[figure]:.1f} | {theirs[figure]:.1f} | {ours[figure] / theirs[figure]:.2f}"
                    for figure in ("rate", "first")
                ]
                print(f"| {backend} | {run} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
