"""ViT learns scikit-learn's handwritten digits in each framework; what one has learnt, the other two read.

    python examples/vit_digits.py

Each framework trains a small ViT from scratch in a process of its own, in its own usual way, and saves it with its
image processor. Then each loads all three and predicts the digits that were held back. The exit status is 1 if one of
them has fewer than 95 % right, or if the predictions differ. Needs `pip install 'triformers[all,examples]'`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

import triformers
from triformers import AutoImageProcessor, ViTConfig, ViTImageProcessor

#: Framework -> the prefix of its classes.
PREFIXES: Mapping[str, str] = {"torch": "", "tensorflow": "TF", "flax": "Flax"}
#: The part of the held-back digits that must be right.
GOAL = 0.95
EPOCHS, ROWS, RATE, SEED = 30, 64, 1e-3, 0

CONFIG = ViTConfig(
    image_size=8,
    patch_size=2,
    num_channels=1,
    hidden_size=48,
    num_hidden_layers=3,
    num_attention_heads=4,
    intermediate_size=96,
    initializer_range=0.1,
    num_labels=10,
)
#: The digits are 8 x 8 numbers from 0 to 16.
PROCESSOR = ViTImageProcessor(do_resize=False, rescale_factor=1 / 16, image_mean=0.5, image_std=0.5)


def digits(is_training: bool) -> tuple[np.ndarray, np.ndarray]:
    """Four fifths of the images [B, 8, 8, 1] to learn from or the rest, and their digits [B]."""
    bunch: Any = load_digits()
    order = np.random.default_rng(SEED).permutation(len(bunch.target))
    cut = 4 * len(order) // 5
    chosen = order[:cut] if is_training else order[cut:]
    return bunch.images[chosen][..., None], bunch.target[chosen]


# ---- learning, in each framework's own way ------------------------------------------------------------------


def train_torch(pixels: np.ndarray, labels: np.ndarray, epochs: int) -> Any:
    """A loop over batches with PyTorch's AdamW."""
    import torch

    model = triformers.ViTForImageClassification(CONFIG, seed=SEED)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    images, targets = torch.from_numpy(pixels), torch.from_numpy(labels)
    generator = torch.Generator().manual_seed(SEED)
    for _ in range(epochs):
        for rows in torch.randperm(len(images), generator=generator).split(ROWS):
            optimizer.zero_grad()
            model(pixel_values=images[rows], labels=targets[rows]).loss.backward()
            optimizer.step()
    return model.eval()


def train_tensorflow(pixels: np.ndarray, labels: np.ndarray, epochs: int) -> Any:
    """Keras' `compile` and `fit`, with the model's own loss."""
    import keras

    keras.utils.set_random_seed(SEED)
    model = triformers.TFViTForImageClassification(CONFIG, seed=SEED)
    model.compile(optimizer=keras.optimizers.AdamW(RATE, weight_decay=0.01))
    model.fit({"pixel_values": pixels, "labels": labels}, batch_size=ROWS, epochs=epochs, verbose=0)
    return model


def train_flax(pixels: np.ndarray, labels: np.ndarray, epochs: int) -> Any:
    """A compiled step with optax' AdamW."""
    import jax
    import optax

    model = triformers.FlaxViTForImageClassification(CONFIG, seed=SEED)
    optimizer = optax.adamw(RATE, weight_decay=0.01)
    params, state = model.params, optimizer.init(model.params)

    @jax.jit
    def step(params: Any, state: Any, images: Any, targets: Any) -> Any:
        gradient = jax.grad(lambda params: model(images, params=params, labels=targets).loss)(params)
        updates, state = optimizer.update(gradient, state, params)
        return optax.apply_updates(params, updates), state

    generator = np.random.default_rng(SEED)
    for _ in range(epochs):
        order = generator.permutation(len(pixels))
        for first in range(0, len(order) - ROWS + 1, ROWS):  # whole batches, for which one program is compiled
            rows = order[first : first + ROWS]
            params, state = step(params, state, pixels[rows], labels[rows])
    model.params = params
    return model


TRAINERS: Mapping[str, Callable[[np.ndarray, np.ndarray, int], Any]] = {
    "torch": train_torch,
    "tensorflow": train_tensorflow,
    "flax": train_flax,
}


def train(backend: str, folder: Path, epochs: int = EPOCHS) -> None:
    """Learn in one framework, and save model and processor."""
    images, labels = digits(is_training=True)
    pixels = PROCESSOR(images, return_tensors="np")["pixel_values"]
    TRAINERS[backend](pixels, labels, epochs).save_pretrained(folder)
    PROCESSOR.save_pretrained(folder)


# ---- predicting ---------------------------------------------------------------------------------------------


def predict(backend: str, folder: Path) -> np.ndarray:
    """The scores [B, 10] of the held-back digits, by a saved model in one framework."""
    name = f"{PREFIXES[backend]}AutoModelForImageClassification"
    model = getattr(triformers, name).from_pretrained(folder)
    tensors = {"torch": "pt", "tensorflow": "tf", "flax": "jax"}[backend]
    inputs = AutoImageProcessor.from_pretrained(folder)(digits(is_training=False)[0], return_tensors=tensors)
    logits = model(**inputs).logits
    return logits.detach().numpy() if backend == "torch" else np.asarray(logits)


def right(scores: np.ndarray) -> float:
    """The part of the held-back digits that scores get right."""
    return float((scores.argmax(-1) == digits(is_training=False)[1]).mean())


# ---- all three ----------------------------------------------------------------------------------------------


def in_process(*arguments: str) -> None:
    """Run this file in a process of its own."""
    subprocess.run([sys.executable, __file__, *arguments], check=True)


def compare(root: Path, epochs: int) -> int:
    """Train in all frameworks, predict in all with each, print the table; 1 if a goal is missed."""
    for backend in PREFIXES:
        in_process("--train", backend, "--folder", str(root / backend), "--epochs", str(epochs))
    for backend in PREFIXES:
        for source in PREFIXES:
            in_process("--predict", backend, "--folder", str(root / source))
    status = 0
    print("| trained in | right | predictions that differ from PyTorch's in TensorFlow, in Flax |\n|---|---|---|")
    for source in PREFIXES:
        scores = [np.load(root / source / f"{backend}.npy") for backend in PREFIXES]
        differing = [int((each.argmax(-1) != scores[0].argmax(-1)).sum()) for each in scores[1:]]
        print(f"| {source} | {right(scores[0]):.1%} | {differing[0]}, {differing[1]} |")
        status |= right(scores[0]) < GOAL or any(differing)
    return int(status)


def main(arguments: list[str] | None = None) -> int:
    """Compare all, or do one framework's part."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--train", choices=PREFIXES, help="train in this framework alone, and save into --folder")
    parser.add_argument("--predict", choices=PREFIXES, help="predict in this framework, from what --folder holds")
    parser.add_argument("--folder", type=Path, help="where models are, or go; a temporary folder by default")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    options = parser.parse_args(arguments)
    if options.train or options.predict:
        if options.folder is None:
            parser.error("--train and --predict need --folder")
        if options.train:
            train(options.train, options.folder, options.epochs)
        else:
            np.save(options.folder / f"{options.predict}.npy", predict(options.predict, options.folder))
        return 0
    if options.folder is not None:
        return compare(options.folder, options.epochs)
    with tempfile.TemporaryDirectory() as folder:
        return compare(Path(folder), options.epochs)


if __name__ == "__main__":
    sys.exit(main())
