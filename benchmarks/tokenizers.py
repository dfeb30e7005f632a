"""Text to padded arrays with BERT's tokenizers, side by side with transformers 4.53.3 in an environment of its own.

    python -m benchmarks.tokenizers --reference PYTHON [--rounds 5] [--only fast-np ...]

Every figure is the smallest of some fresh processes, ours and the incumbent's in turn, each of which takes the smallest
of three runs: 10,000 sentences to padded arrays, one short text on its own, a chat to text. `bare` is the `tokenizers`
library alone with three NumPy arrays, in our environment: the floor of `fast-np`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

FILES = Path(__file__).parents[1] / "tests" / "golden" / "tokenizers" / "bert_uncased" / "slow"

#: What is timed -> the most that it may take, as a share of the incumbent's time.
GOALS = {
    "bare": None,
    "fast-np": 0.65,
    "fast-pt": 0.47,
    "fast-tf": 1.0,
    "fast-jax": 0.06,
    "slow-np": 0.8,
    "fast-one": 1.0,
    "slow-one": 0.8,
    "chat": 1.0,
}

#: Run in a fresh process of either library: LIBRARY CASE FOLDER.
PROGRAM = r"""
import json, os, random, sys, time, warnings
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
warnings.filterwarnings("ignore")
library, case, folder = sys.argv[1:]
kind, _, form = case.partition("-")
module = __import__(library)
cls = module.BertTokenizer if kind == "slow" else module.BertTokenizerFast
tokenizer = cls.from_pretrained(folder)
draw = random.Random(0)
words = [word for word in tokenizer.get_vocab() if word.isalpha() and len(word) > 2]
words.sort()
ends = ["", "", "s", "ing", ","]
lengths = [draw.randint(8, 30) for _ in range(10_000)]
sentences = [" ".join(draw.choice(words) + draw.choice(ends) for _ in range(length)) + "." for length in lengths]
chat = [{"role": role, "content": text} for role, text in zip(["user", "assistant"] * 5, sentences)]
template = (
    "{% for message in messages %}{% if message.role not in ['user', 'assistant'] %}"
    "{{ raise_exception('no ' + message.role) }}{% endif %}"
    "{{ '<|' + message['role'] + '|>\n' + message['content'] | trim + '\n' }}"
    "{% if loop.last and add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}{% endfor %}"
)

def bare():
    import numpy as np
    backend = tokenizer.backend_tokenizer
    backend.enable_padding()
    rows = backend.encode_batch(sentences)
    return [np.array([getattr(row, name) for row in rows]) for name in ("ids", "type_ids", "attention_mask")]

def many():
    return tokenizer(sentences, padding=True, return_tensors=form)

def one():
    for _ in range(2000):
        tokenizer("A short text, as a user types it.")

def chats():
    for _ in range(500):
        tokenizer.apply_chat_template(chat, chat_template=template, tokenize=False, add_generation_prompt=True)

run = {"bare": bare, "chat": chats, "fast-one": one, "slow-one": one}.get(case, many)
share = {"chat": 500, "fast-one": 2000, "slow-one": 2000}.get(case, 1)
if run is many:
    tokenizer(["warm", "up"], padding=True, return_tensors=form)
times = []
for _ in range(3):
    start = time.perf_counter()
    answer = run()
    times.append(time.perf_counter() - start)
    del answer
print(json.dumps(min(times) / share))
"""


def measure(python: str, library: str, case: str) -> float:
    """The seconds of one fresh process."""
    command = [python, "-c", PROGRAM, library, case, str(FILES)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.strip().splitlines()[-1]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", required=True, help="the python that has transformers 4.53.3")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", choices=list(GOALS), default=list(GOALS))
    options = parser.parse_args()
    print("| case | ours, s | transformers 4.53.3, s | ratio | goal |\n|---|---|---|---|---|")
    for case in options.only:
        ours, theirs = [], []
        for _ in range(options.rounds):
            ours.append(measure(sys.executable, "triformers", case))
            theirs.append(measure(options.reference, "transformers", case))
        ratio = min(ours) / min(theirs)
        print(f"| {case} | {min(ours):.3g} | {min(theirs):.3g} | {ratio:.2f} | {GOALS[case] or ''} |", flush=True)


if __name__ == "__main__":
    main()
