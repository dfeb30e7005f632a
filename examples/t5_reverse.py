"""T5 learns to write digits in reverse in each framework; what one has learnt, the other two write alike.

    python examples/t5_reverse.py

Each framework trains a small T5 from scratch in a process of its own, in its own usual way, and saves it. Then each
loads all three and writes the reverse of strings that no one has learnt from. The exit status is 1 if one of them has
fewer than 99 % exactly right, or if what two frameworks write differs. Needs `pip install 'triformers[all]'`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import triformers
from triformers import T5Config

#: Framework -> the prefix of its classes.
PREFIXES: Mapping[str, str] = {"torch": "", "tensorflow": "TF", "flax": "Flax"}
#: The part of the held-back strings whose reverse must be exact.
GOAL = 0.99
STEPS, ROWS, RATE, SEED = 1500, 64, 2e-3, 0

#: Padding, the end, and ten digits.
PAD, END, FIRST_DIGIT, SHORTEST, LONGEST = 0, 1, 2, 3, 8

CONFIG = T5Config(
    vocab_size=FIRST_DIGIT + 10,
    d_model=64,
    d_kv=16,
    d_ff=128,
    num_layers=2,
    num_heads=4,
    relative_attention_num_buckets=16,
    relative_attention_max_distance=16,
    feed_forward_proj="gated-gelu",
    dropout_rate=0.0,
    pad_token_id=PAD,
    eos_token_id=END,
)
CONFIG.decoder_start_token_id = PAD


def strings(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Strings of digits [B, S] and their reverse [B, S], each with an end token and padded."""
    generator = np.random.default_rng(seed)
    texts, reverses = np.full((2, count, LONGEST + 1), PAD)
    for text, reverse, length in zip(texts, reverses, generator.integers(SHORTEST, LONGEST + 1, count), strict=True):
        digits = generator.integers(FIRST_DIGIT, CONFIG.vocab_size, length)
        text[: length + 1] = [*digits, END]
        reverse[: length + 1] = [*digits[::-1], END]
    return texts, reverses


@cache
def held_back() -> tuple[np.ndarray, np.ndarray]:
    """Strings to write the reverse of, none of which was among those to learn from, and their reverse."""
    learnt = {text.tobytes() for text in strings(STEPS * ROWS, SEED)[0]}
    texts, reverses = strings(1000, SEED + 1)
    is_new = np.array([text.tobytes() not in learnt for text in texts])
    return texts[is_new], reverses[is_new]


def labels_of(reverses: np.ndarray) -> np.ndarray:
    """What is to be predicted: padding is not."""
    return np.where(reverses == PAD, -100, reverses)


def rates(steps: int) -> np.ndarray:
    """The learning rate of each step: it rises for a twentieth of them, then falls to 0."""
    passed = np.arange(steps) / steps
    return (RATE * np.minimum(20 * (passed + 1 / steps), 1 - passed)).astype(np.float32)


# ---- learning, in each framework's own way ------------------------------------------------------------------


def train_torch(texts: np.ndarray, labels: np.ndarray, steps: int) -> Any:
    """A loop over batches with PyTorch's Adam."""
    import torch

    model = triformers.T5ForConditionalGeneration(CONFIG, seed=SEED).train()
    optimizer = torch.optim.Adam(model.parameters())
    for rate, rows in zip(rates(steps).tolist(), torch.arange(steps * ROWS).split(ROWS), strict=True):
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        ids = torch.from_numpy(texts)[rows]
        model(input_ids=ids, attention_mask=ids != PAD, labels=torch.from_numpy(labels)[rows]).loss.backward()
        optimizer.step()
    return model.eval()


def train_tensorflow(texts: np.ndarray, labels: np.ndarray, steps: int) -> Any:
    """Keras' `compile` and `fit`, with the labels among the inputs and the model's own loss."""
    import keras

    model = triformers.TFT5ForConditionalGeneration(CONFIG, seed=SEED)
    model.compile(optimizer=keras.optimizers.Adam())
    inputs = {"input_ids": texts, "attention_mask": (texts != PAD).astype(np.int64), "labels": labels}

    def set_rate(step: int, logs: Any) -> None:
        model.optimizer.learning_rate = rates(steps)[step]

    schedule = keras.callbacks.LambdaCallback(on_train_batch_begin=set_rate)
    model.fit(inputs, batch_size=ROWS, epochs=1, shuffle=False, verbose=0, callbacks=[schedule])
    return model


def train_flax(texts: np.ndarray, labels: np.ndarray, steps: int) -> Any:
    """A compiled step with optax' Adam."""
    import jax
    import optax

    model = triformers.FlaxT5ForConditionalGeneration(CONFIG, seed=SEED)
    optimizer = optax.adam(lambda step: jax.numpy.asarray(rates(steps))[step])
    params, state = model.params, optimizer.init(model.params)

    @jax.jit
    def step(params: Any, state: Any, texts: Any, labels: Any) -> Any:
        def loss(params: Any) -> Any:
            return model(texts, attention_mask=texts != PAD, labels=labels, params=params).loss

        updates, state = optimizer.update(jax.grad(loss)(params), state, params)
        return optax.apply_updates(params, updates), state

    for first in range(0, steps * ROWS, ROWS):
        rows = slice(first, first + ROWS)
        params, state = step(params, state, texts[rows], labels[rows])
    model.params = params
    return model


TRAINERS: Mapping[str, Callable[[np.ndarray, np.ndarray, int], Any]] = {
    "torch": train_torch,
    "tensorflow": train_tensorflow,
    "flax": train_flax,
}


def train(backend: str, folder: Path, steps: int = STEPS) -> None:
    """Learn in one framework, and save the model."""
    texts, reverses = strings(steps * ROWS, SEED)
    TRAINERS[backend](texts, labels_of(reverses), steps).save_pretrained(folder)


# ---- writing ------------------------------------------------------------------------------------------------


def write(backend: str, folder: Path) -> np.ndarray:
    """What a saved model writes in one framework for the held-back strings: [B, T] tokens, from the first digit on."""
    model = getattr(triformers, f"{PREFIXES[backend]}AutoModelForSeq2SeqLM").from_pretrained(folder)
    texts: Any = held_back()[0]
    if backend == "torch":
        import torch

        texts = torch.from_numpy(texts)
    written = model.generate(texts, attention_mask=texts != PAD, max_length=LONGEST + 2, num_beams=1, do_sample=False)
    tokens = np.asarray(getattr(written, "sequences", written))[:, 1:]
    return np.pad(tokens, ((0, 0), (0, LONGEST + 1 - tokens.shape[1])), constant_values=PAD)


def right(written: np.ndarray) -> float:
    """The part of the held-back strings whose reverse was written exactly."""
    return float((written == held_back()[1]).all(-1).mean())


# ---- all three ----------------------------------------------------------------------------------------------


def in_process(*arguments: str) -> None:
    """Run this file in a process of its own."""
    subprocess.run([sys.executable, __file__, *arguments], check=True)


def compare(root: Path, steps: int) -> int:
    """Train in all frameworks, write in all with each, print the table; 1 if a goal is missed."""
    for backend in PREFIXES:
        in_process("--train", backend, "--folder", str(root / backend), "--steps", str(steps))
    for backend in PREFIXES:
        for source in PREFIXES:
            in_process("--write", backend, "--folder", str(root / source))
    status = 0
    print("| trained in | exactly right | texts that differ from PyTorch's in TensorFlow, in Flax |\n|---|---|---|")
    for source in PREFIXES:
        written = [np.load(root / source / f"{backend}.npy") for backend in PREFIXES]
        differing = [int((each != written[0]).any(-1).sum()) for each in written[1:]]
        print(f"| {source} | {right(written[0]):.1%} | {differing[0]}, {differing[1]} |")
        status |= right(written[0]) < GOAL or any(differing)
    return int(status)


def main(arguments: list[str] | None = None) -> int:
    """Compare all, or do one framework's part."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--train", choices=PREFIXES, help="train in this framework alone, and save into --folder")
    parser.add_argument("--write", choices=PREFIXES, help="write in this framework, with what --folder holds")
    parser.add_argument("--folder", type=Path, help="where models are, or go; a temporary folder by default")
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args(arguments)
    if options.train or options.write:
        if options.folder is None:
            parser.error("--train and --write need --folder")
        if options.train:
            train(options.train, options.folder, options.steps)
        else:
            np.save(options.folder / f"{options.write}.npy", write(options.write, options.folder))
        return 0
    if options.folder is not None:
        return compare(options.folder, options.steps)
    with tempfile.TemporaryDirectory() as folder:
        return compare(Path(folder), options.steps)


if __name__ == "__main__":
    sys.exit(main())
