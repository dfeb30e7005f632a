"""Wav2Vec2 learns to write down spoken digits; what PyTorch has learnt, TensorFlow and Flax write down alike.

    python examples/spoken_digits.py

A small Wav2Vec2 learns in PyTorch, from scratch, with CTC, from single digits that are strung together at random
(`speak_digits.py` made them with espeak-ng, in several voices). It then writes down utterances that were held back,
spoken at once at another pitch and speed; each framework does so in a process of its own. The exit status is 1 if 10 %
of the characters or more are wrong, or if the frameworks write differently.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import triformers
from triformers import Wav2Vec2Config, Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor, Wav2Vec2Processor
from triformers.backends.sounds import frame_lengths

CLIPS = Path(__file__).parent / "data" / "spoken_digits.npz"
#: Framework -> the prefix of its classes, and what it calls its tensors.
FRAMEWORKS: Mapping[str, tuple[str, str]] = {"torch": ("", "pt"), "tensorflow": ("TF", "tf"), "flax": ("Flax", "jax")}
#: The part of the characters that may be wrong.
GOAL = 0.1
STEPS, ROWS, RATE, SEED, HERTZ = 1200, 16, 2e-3, 0, 8000

TOKENS = ("<pad>", "<s>", "</s>", "<unk>", "|", *"efghinorstuvwxz")
CONFIG = Wav2Vec2Config(
    vocab_size=len(TOKENS),
    hidden_size=96,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=192,
    conv_dim=[32, 48, 64, 64],
    conv_kernel=[10, 4, 4, 4],
    conv_stride=[5, 4, 4, 2],
    num_conv_pos_embeddings=9,
    num_conv_pos_embedding_groups=4,
    feat_extract_norm="layer",
    do_stable_layer_norm=True,
    layerdrop=0.0,
    mask_time_length=2,
    ctc_loss_reduction="mean",
)


# ---- sounds -------------------------------------------------------------------------------------------------


def clips() -> list[tuple[np.ndarray, str]]:
    """Every clip: its samples between -1 and 1, and what is said."""
    with np.load(CLIPS) as stored:
        bent = stored["samples"].astype(np.float32) / 127.5 - 1
        samples = np.sign(bent) * (256 ** np.abs(bent) - 1) / 255
        return list(zip(np.split(samples, stored["ends"][:-1]), stored["texts"].tolist(), strict=True))


def held_back() -> list[tuple[np.ndarray, str]]:
    """The utterances of several digits."""
    return [(sound, text) for sound, text in clips() if " " in text]


def strung_together(words: Sequence[tuple[np.ndarray, str]], random: np.random.Generator) -> tuple[np.ndarray, str]:
    """A new utterance of one to three single digits, each at a speed of its own, with pauses between and around."""
    sound, text = [], []
    for index in random.integers(0, len(words), random.integers(1, 4)):
        clip, word = words[index]
        places = np.arange(0, len(clip) - 1, random.uniform(0.85, 1.2))
        faster = np.interp(places, np.arange(len(clip)), clip) * random.uniform(0.5, 1)
        sound += [pause(random), faster]
        text.append(word)
    whole = np.concatenate([*sound, pause(random)])
    return (whole + 0.003 * random.standard_normal(len(whole))).astype(np.float32), " ".join(text)


def pause(random: np.random.Generator) -> np.ndarray:
    """Silence of up to a fifth of a second, often none."""
    return np.zeros(max(0, random.integers(-HERTZ // 5, HERTZ // 5)))


def processor(folder: Path) -> Wav2Vec2Processor:
    """A processor whose tokens are the letters of the digits."""
    path = folder / "vocab.json"
    path.write_text(json.dumps({token: index for index, token in enumerate(TOKENS)}))
    extractor = Wav2Vec2FeatureExtractor(sampling_rate=HERTZ, return_attention_mask=True)
    return Wav2Vec2Processor(extractor, Wav2Vec2CTCTokenizer(path))


# ---- learning -----------------------------------------------------------------------------------------------


def batches(prepare: Wav2Vec2Processor, steps: int) -> Iterator[Any]:
    """Random utterances with their labels, a batch for each step."""
    random, words = np.random.default_rng(SEED), [clip for clip in clips() if " " not in clip[1]]
    for _ in range(steps):
        sounds, texts = zip(*(strung_together(words, random) for _ in range(ROWS)), strict=True)
        inputs = prepare(list(sounds), text=list(texts), sampling_rate=HERTZ, padding=True, return_tensors="pt")
        labels = inputs["labels"]
        inputs["labels"] = labels.masked_fill(labels == CONFIG.pad_token_id, -100)
        yield inputs


def train(folder: Path, steps: int = STEPS) -> float:
    """Learn in PyTorch, and save model and processor; the mean loss of the last steps."""
    import torch

    torch.manual_seed(SEED)
    prepare, model = processor(folder), triformers.Wav2Vec2ForCTC(CONFIG, seed=SEED).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps, pct_start=0.2)
    losses: list[float] = []
    for inputs in batches(prepare, steps):
        optimizer.zero_grad()
        loss = model(**inputs).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if len(losses) % 50 == 0:
            print(f"step {len(losses)}: loss {np.mean(losses[-50:]):.3f}", flush=True)
    model.eval().save_pretrained(folder)
    prepare.save_pretrained(folder)
    return float(np.mean(losses[-20:]))


# ---- writing down -------------------------------------------------------------------------------------------


def listen(backend: str, folder: Path) -> np.ndarray:
    """The scores [B, T, V] that a saved model gives to each frame of the held-back utterances, in one framework."""
    prefix, tensors = FRAMEWORKS[backend]
    model = getattr(triformers, f"{prefix}AutoModelForCTC").from_pretrained(folder)
    sounds = [sound for sound, _ in held_back()]
    prepare = triformers.AutoProcessor.from_pretrained(folder)
    logits = model(**prepare(sounds, sampling_rate=HERTZ, padding=True, return_tensors=tensors)).logits
    return logits.detach().numpy() if backend == "torch" else np.asarray(logits)


def written(scores: np.ndarray, folder: Path) -> list[str]:
    """The texts that scores mean; frames after the end of a sound, which fill up its row, mean nothing."""
    tokens = scores.argmax(-1)  # [B, T]
    for row, (sound, _) in zip(tokens, held_back(), strict=True):
        row[frame_lengths(len(sound), CONFIG) :] = CONFIG.pad_token_id
    return triformers.AutoProcessor.from_pretrained(folder).batch_decode(tokens)


def error_rate(texts: Sequence[str]) -> float:
    """The part of the held-back characters that are wrong, absent or too many."""
    said = [text for _, text in held_back()]
    wrong = sum(distance(one, other) for one, other in zip(texts, said, strict=True))
    return wrong / sum(map(len, said))


def distance(one: str, other: str) -> int:
    """The fewest letters to change, add or leave out that make one text of another (Levenshtein)."""
    row = list(range(len(other) + 1))
    for start, letter in enumerate(one, 1):
        above, row = row, [start]
        for place, wanted in enumerate(other, 1):
            row.append(min(above[place] + 1, row[-1] + 1, above[place - 1] + (letter != wanted)))
    return row[-1]


# ---- all three ----------------------------------------------------------------------------------------------


def compare(folder: Path, steps: int) -> int:
    """Learn, listen in every framework, print the texts; 1 if the goal is missed."""
    train(folder, steps)
    texts = {}
    for backend in FRAMEWORKS:
        subprocess.run([sys.executable, __file__, "--listen", backend, "--folder", str(folder)], check=True)
        texts[backend] = written(np.load(folder / f"{backend}.npy"), folder)
    for (_, said), heard in zip(held_back(), texts["torch"], strict=True):
        print(f"{said:24} {heard}")
    rate, is_same = error_rate(texts["torch"]), all(each == texts["torch"] for each in texts.values())
    print(f"{rate:.1%} of the characters are wrong; the frameworks write {'alike' if is_same else 'differently'}.")
    return int(rate >= GOAL or not is_same)


def main(arguments: list[str] | None = None) -> int:
    """Do all, or one framework's part."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--listen", choices=FRAMEWORKS, help="listen in this framework, by what --folder holds")
    parser.add_argument("--folder", type=Path, help="where the model is, or goes; a temporary folder by default")
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args(arguments)
    if options.listen:
        if options.folder is None:
            parser.error("--listen needs --folder")
        np.save(options.folder / f"{options.listen}.npy", listen(options.listen, options.folder))
        return 0
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
        return compare(options.folder, options.steps)
    with tempfile.TemporaryDirectory() as folder:
        return compare(Path(folder), options.steps)


if __name__ == "__main__":
    sys.exit(main())
