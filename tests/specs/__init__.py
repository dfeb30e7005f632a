"""What the harness must be told about each architecture: a small, loud configuration, and what its classes take."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from triformers.backends.images import patch_grid, pixel_shape
from triformers.backends.sounds import frame_lengths
from triformers.cards import all_cards
from triformers.losses import IGNORED

#: Tasks whose class shows the most of an architecture, in order.
WHOLE = ("pretraining", "masked-lm", "denoising", "seq2seq-lm", "causal-lm", "base")

#: The arguments of a call, by name.
Inputs = dict[str, np.ndarray]


@dataclass(frozen=True)
class Spec:
    """One architecture, for the tests.

    Attributes:
        model_type: Its card's key.
        tiny: A small configuration in which every size is odd or different and every constant exaggerated.
        full: Fields over `tiny` that switch on every option which adds, removes or reshapes a weight.
        decoder: Fields over `tiny` that make a decoder which attends to an encoder; none for what is no decoder.
        batch_of: Inputs of the bare model, made for a configuration by a random generator.
        vary: Fields of a random configuration to set over `tiny`, made by a random generator for a task.
        mutations: (fields of a configuration, wrong values for some of them that the harness must notice there).
        square: Canonical name of a square matrix, or kernel, whose transposition only the numbers can betray.
        swap: Two canonical names whose values the harness must notice exchanged.
        bias: A bias whose absence it must notice.
        has_attentions: Whether calls can return the weights of attention.
        incumbent: Fields over `tiny` with which 4.53.3 can make a model in all its frameworks.
    """

    model_type: str
    tiny: Mapping[str, Any]
    full: Mapping[str, Any]
    batch_of: Callable[[Any, np.random.Generator], Inputs]
    vary: Callable[[np.random.Generator, str], dict[str, Any]]
    mutations: tuple[tuple[Mapping[str, Any], Mapping[str, Any]], ...]
    square: str
    swap: tuple[str, str]
    bias: str
    decoder: Mapping[str, Any] = field(default_factory=dict)
    has_attentions: bool = True
    incumbent: Mapping[str, Any] = field(default_factory=dict)


def all_specs() -> dict[str, Spec]:
    """Every architecture's spec by model type."""
    modules = (importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    return {module.SPEC.model_type: module.SPEC for module in modules}


def task_of(model_type: str, stem: str) -> str:
    """The task of a class."""
    return next(task for task, listed in all_cards()[model_type].models.items() if listed == stem)


def spec_of(stem: str) -> Spec:
    """The spec of the architecture that a class belongs to."""
    cards = all_cards()
    return all_specs()[next(name for name, card in cards.items() if stem in card.models.values())]


def sampled(stems: Iterable[str]) -> list[Any]:
    """Classes to go through one by one: all of BERT; of every other architecture one with a head, the rest as slow."""
    first = {card.models[task] for card in all_cards().values() for task in _first_of(card.models, WHOLE)}
    first |= set(all_cards()["bert"].models.values())
    return [pytest.param(stem, marks=[] if stem in first else pytest.mark.slow) for stem in stems]


def _first_of(there: Iterable[str], wanted: Iterable[str]) -> list[str]:
    return [task for task in wanted if task in there][:1]


def without_dropout(config_class: Any) -> dict[str, float]:
    """The fields of a configuration that drop something, at zero."""
    return {name: 0.0 for name in config_class._fields if "drop" in name}


# ---- configurations -----------------------------------------------------------------------------------------


def pruned(heads: int, layers: int, generator: np.random.Generator) -> dict[int, list[int]]:
    """Some heads of every layer, at least one left in each."""
    counts = generator.integers(0, heads, layers)
    return {layer: sorted(generator.permutation(heads)[:count].tolist()) for layer, count in enumerate(counts)}


# ---- inputs -------------------------------------------------------------------------------------------------


def text_batch(config: Any, generator: np.random.Generator, segments: int) -> Inputs:
    """A batch of tokens with ragged masks and segments, as long as the feed-forward block's pieces allow.

    Args:
        config: The model's configuration.
        generator: Where it comes from.
        segments: How many segments the model knows.
    """
    rows, length = int(generator.integers(2, 5)), min(11, getattr(config, "max_position_embeddings", 11))
    length -= length % max(1, config.chunk_size_feed_forward)
    lengths = generator.integers(length // 2, length + 1, rows)
    lengths[0] = length
    return {
        "input_ids": generator.integers(1, config.vocab_size, (rows, length)),
        "attention_mask": (np.arange(length) < lengths[:, None]).astype(np.int64),
        "token_type_ids": generator.integers(0, segments, (rows, length)),
    }


def images(config: Any, generator: np.random.Generator) -> Inputs:
    """Images of the configuration's size."""
    return {"pixel_values": generator.standard_normal((int(generator.integers(2, 4)), *pixel_shape(config)[1:]))}


def seq2seq_batch(config: Any, generator: np.random.Generator) -> Inputs:
    """What an encoder reads, each text ended by the one token that ends texts, and as many tokens for a decoder.

    A model without an encoder reads the first alone.
    """
    ends, batch = config.eos_token_id, text_batch(config, generator, 1)
    ids, mask = batch["input_ids"], batch["attention_mask"]
    ids = np.where(ids == ends, (ends + 1) % config.vocab_size, ids)
    ids[np.arange(len(ids)), mask.sum(1) - 1] = ends
    read = {"input_ids": ids, "attention_mask": mask}
    if not config.is_encoder_decoder:
        return read
    written = text_batch(config, generator, 1)
    rows = np.arange(len(ids)) % len(written["input_ids"])
    return {**read, **{f"decoder_{name}": written[name][rows] for name in read}}


def encoder_states(config: Any, rows: int, generator: np.random.Generator) -> Inputs:
    """What a decoder is told of an encoder, with ragged masks."""
    length = int(generator.integers(1, 9))
    lengths = generator.integers(1, length + 1, (rows, 1))
    return {
        "encoder_hidden_states": generator.standard_normal((rows, length, config.hidden_size)),
        "encoder_attention_mask": (np.arange(length) < lengths).astype(np.int64),
    }


def inputs_of(spec: Spec, task: str, config: Any, generator: np.random.Generator) -> Inputs:
    """Inputs and labels of the class for a task."""
    inputs = spec.batch_of(config, generator)
    if task in ("multiple-choice", "double-heads"):  # two questions with the same choices, in opposite order
        inputs = {name: np.stack([array, array[::-1]]) for name, array in inputs.items()}  # [2, C, T]
    return {**inputs, **LABELS[task](config, inputs[next(iter(inputs))].shape, generator)}


# ---- labels -------------------------------------------------------------------------------------------------


def no_labels(config: Any, shape: tuple[int, ...], generator: np.random.Generator) -> Inputs:
    """The bare model learns nothing."""
    return {}


def word_labels(config: Any, shape: tuple[int, ...], generator: np.random.Generator) -> Inputs:
    """A word for each token [B, T], some of them ignored."""
    return {"labels": _some_ignored(generator.integers(0, config.vocab_size, shape[:2]), generator)}


def token_labels(config: Any, shape: tuple[int, ...], generator: np.random.Generator) -> Inputs:
    """A class for each token [B, T], some of them ignored."""
    return {"labels": _some_ignored(generator.integers(0, config.num_labels, shape[:2]), generator)}


def row_labels(config: Any, shape: tuple[int, ...], generator: np.random.Generator) -> Inputs:
    """A class for each row [B]; a number if there is one label alone."""
    if config.num_labels == 1:
        return {"labels": generator.standard_normal(shape[0])}
    return {"labels": generator.integers(0, config.num_labels, shape[0])}


def choice_labels(config: Any, shape: tuple[int, ...], generator: np.random.Generator) -> Inputs:
    """The right choice of each row [B]; inputs are [B, C, T]."""
    return {"labels": generator.integers(0, shape[1], shape[0])}


def double_labels(config: Any, shape: tuple[int, ...], generator: np.random.Generator) -> Inputs:
    """A word for each token [B, C, T], and the right choice of each row [B], told by one token of each [B, C]."""
    words = _some_ignored(generator.integers(0, config.vocab_size, shape), generator)
    choices = {"mc_labels": generator.integers(0, shape[1], shape[0])}
    return {"labels": words, **choices, "mc_token_ids": generator.integers(0, shape[2], shape[:2])}


def next_labels(config: Any, shape: tuple[int, ...], generator: np.random.Generator) -> Inputs:
    """Whether the second sentence of each row [B] follows the first."""
    return {"labels": generator.integers(0, 2, shape[0])}


def pretraining_labels(config: Any, shape: tuple[int, ...], generator: np.random.Generator) -> Inputs:
    """Words, and which sentence follows; or what else a model was trained to tell.

    Of sounds, which frames are masked and what may be taken for them; of texts with other words put in, which they are.
    """
    if hasattr(config, "num_negatives"):
        return masked_frames(config, shape, generator)
    if config.model_type == "electra":
        return {"labels": generator.integers(0, 2, shape[:2])}
    following = next_labels(config, shape, generator)["labels"]
    return {**word_labels(config, shape, generator), "next_sentence_label": following}


def answer_labels(config: Any, shape: tuple[int, ...], generator: np.random.Generator) -> Inputs:
    """Where the answer of each row [B] starts and ends; some lie behind the end and are ignored."""
    found = {name: generator.integers(0, shape[1] + 3, shape[0]) for name in ("start_positions", "end_positions")}
    return {name: np.where(np.arange(shape[0]) == 0, array % shape[1], array) for name, array in found.items()}


def masked_patches(config: Any, shape: tuple[int, ...], generator: np.random.Generator) -> Inputs:
    """Which patches of each image [B, P] are masked."""
    rows, columns = patch_grid(config.image_size, config.patch_size)
    return {"bool_masked_pos": generator.random((shape[0], rows * columns)) < 0.5}


def masked_frames(config: Any, shape: tuple[int, ...], generator: np.random.Generator) -> Inputs:
    """Which frames of each sound [B, T] are masked, and the numbers of others for each of them [B, T, K]."""
    rows, frames = shape[0], frame_lengths(shape[1], config, add_adapter=False)
    masked = generator.random((rows, frames)) < 0.5
    masked[:, 0] = True
    others = generator.integers(0, rows * frames, (rows, frames, 4))
    return {"mask_time_indices": masked, "sampled_negative_indices": others}


def spoken_words(config: Any, shape: tuple[int, ...], generator: np.random.Generator) -> Inputs:
    """The tokens of each sound [B, U], some of them none."""
    labels = np.delete(np.arange(config.vocab_size), config.pad_token_id)
    return {"labels": _some_ignored(generator.choice(labels, (shape[0], 3)), generator)}


def frame_labels(config: Any, shape: tuple[int, ...], generator: np.random.Generator) -> Inputs:
    """A class for each frame of each sound, one-hot [B, T, L]."""
    classes = generator.integers(0, config.num_labels, (shape[0], frame_lengths(shape[1], config)))
    return {"labels": np.eye(config.num_labels, dtype=np.int64)[classes]}


def _some_ignored(labels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    ignored = generator.random(labels.shape) < 0.3
    ignored[:, 1] = False  # a loss of nothing is no number
    return np.where(ignored, IGNORED, labels)


#: Task -> labels for inputs of a shape. A new task's labels belong here, not into an architecture's spec.
LABELS: Mapping[str, Callable[[Any, tuple[int, ...], np.random.Generator], Inputs]] = {
    "base": no_labels,
    "pretraining": pretraining_labels,
    "causal-lm": word_labels,
    "denoising": word_labels,
    "seq2seq-lm": word_labels,
    "text-encoding": no_labels,
    "masked-lm": word_labels,
    "next-sentence-prediction": next_labels,
    "sequence-classification": row_labels,
    "multiple-choice": choice_labels,
    "double-heads": double_labels,
    "token-classification": token_labels,
    "question-answering": answer_labels,
    "image-classification": row_labels,
    "masked-image-modeling": masked_patches,
    "backbone": no_labels,
    "ctc": spoken_words,
    "audio-classification": row_labels,
    "audio-frame-classification": frame_labels,
    "audio-xvector": row_labels,
}

#: Task -> fields that its configurations must have: an answer has a start and an end.
FIELDS: Mapping[str, Mapping[str, Any]] = {"question-answering": {"num_labels": 2}}
