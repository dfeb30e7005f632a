"""Wav2Vec2's golden cases that are in the repository: every option once, as small as shows it.

`make_case.py --cases tests/golden/cases/wav2vec2.py --out FOLDER --seed 4242` writes them; the cases without a variant,
and those called `nomask`, come from a run of its own list. `ALL`, `HID`, `torch` and `transformers` are names that it
lends to this file.
"""
# ruff: noqa: F821

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: Tokens, rows, samples and frames of every case.
V, B, S, T = 19, 2, 320, 9
#: What makes the arguments of a call from random numbers.
Inputs = Callable[[Any], dict[str, Any]]
#: Makes labels from random numbers.
Labels = Callable[[Any], dict[str, Any]]


def sound(labels: Labels = lambda random: {}, lengths: tuple[int, ...] | None = (S, 215)) -> Inputs:
    """Sounds, of different lengths unless there are none, and labels."""

    def made(random: Any) -> dict[str, Any]:
        values = random.normal(B, S)
        if lengths is None:
            return {"input_values": values, **labels(random)}
        mask = (torch.arange(S) < torch.tensor(lengths)[:, None]).long()
        return {"input_values": values * mask, "attention_mask": mask, **labels(random)}

    return made


def words(random: Any) -> dict[str, Any]:
    """Tokens of each sound, with a hole, one that repeats, and a row of fewer."""
    labels = random.ints(1, V, (B, 4))
    labels[0, 1] = labels[0, 0]
    labels[0, 2] = -100
    labels[1, 2:] = -100
    return {"labels": labels}


def too_many(random: Any) -> dict[str, Any]:
    """More tokens than the second sound has frames, and in the first none."""
    labels = random.ints(1, V, (B, 8))
    labels[0] = -100
    return {"labels": labels}


def classes(random: Any) -> dict[str, Any]:
    """A class of each sound."""
    return {"labels": random.ints(0, 4, (B,))}


def frame_classes(random: Any) -> dict[str, Any]:
    """A class of each frame, one-hot."""
    return {"labels": torch.nn.functional.one_hot(random.ints(0, 4, (B, T)), 4)}


def masks(random: Any) -> dict[str, Any]:
    """Which frames are masked."""
    return {"mask_time_indices": random.coin(B, T)}


def guesses(random: Any) -> dict[str, Any]:
    """Which frames are masked, and which others may be taken for each."""
    return {**masks(random), "sampled_negative_indices": random.ints(0, B * T, (B, T, 6))}


LAYER = {"feat_extract_norm": "layer", "conv_bias": True}
STABLE = {"do_stable_layer_norm": True}
ADAPTER = {"add_adapter": True, "num_adapter_layers": 2}
SUMMED = {"use_weighted_layer_sum": True}


def cases(s: Any) -> None:
    """Add every case."""
    small = dict(vocab_size=V, hidden_size=24, num_hidden_layers=2, num_attention_heads=4, intermediate_size=17)
    waves = dict(conv_dim=(6, 10, 14), conv_kernel=(8, 4, 3), conv_stride=(5, 3, 2))
    places = dict(num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=3, layer_norm_eps=0.03)
    books = dict(num_codevector_groups=2, num_codevectors_per_group=3, codevector_dim=10, proj_codevector_dim=7)
    heads = dict(classifier_proj_size=11, xvector_output_dim=9, num_labels=4)
    delays = dict(tdnn_dim=(8, 11, 13), tdnn_kernel=(3, 2, 1), tdnn_dilation=(1, 2, 1))
    s.arch("wav2vec2", transformers.Wav2Vec2Config, {**small, **waves, **places, **books, **heads, **delays})
    bare(s)
    writers(s)
    classifiers(s)


def bare(s: Any) -> None:
    """Wav2Vec2Model: both norms of the features, both of the encoder, adapters of both kinds, masks."""
    s.add("Wav2Vec2Model", "layer", {**LAYER, "feat_extract_activation": "relu"}, sound(), ALL)
    s.add("Wav2Vec2Model", "stable", {**STABLE, "hidden_act": "relu"}, sound(), ALL)
    s.add("Wav2Vec2Model", "odd", {**LAYER, **STABLE, "num_conv_pos_embeddings": 5}, sound(lengths=None), HID)
    s.add("Wav2Vec2Model", "adapter", {**ADAPTER, "adapter_kernel_size": 4, "num_hidden_layers": 1}, sound(), HID)
    wide = {**ADAPTER, "output_hidden_size": 15, "adapter_stride": 3, "num_hidden_layers": 1}
    s.add("Wav2Vec2Model", "adapter-wide", wide, sound())
    s.add("Wav2Vec2Model", "language", {**STABLE, "adapter_attn_dim": 5}, sound(), ALL)
    s.add("Wav2Vec2Model", "language-unread", {"adapter_attn_dim": 5, "num_hidden_layers": 1}, sound())
    s.add("Wav2Vec2Model", "masked", {"num_hidden_layers": 1}, sound(masks), HID)
    s.add("Wav2Vec2Model", "masks-unread", {"apply_spec_augment": False, "num_hidden_layers": 1}, sound(masks))
    s.add("Wav2Vec2Model", "no-frames", {"num_hidden_layers": 1}, sound(lengths=(S, 12)), ALL)
    unmasked = {"mask_time_prob": 0.0, "num_hidden_layers": 1}
    s.add("Wav2Vec2Model", "unmasked", unmasked, sound())


def writers(s: Any) -> None:
    """The classes that score tokens, and the pre-training."""
    s.add("Wav2Vec2ForCTC", "mean", {**LAYER, **STABLE, "ctc_loss_reduction": "mean"}, sound(words), HID)
    endless = {"ctc_zero_infinity": True, "num_hidden_layers": 1, "pad_token_id": 3}
    s.add("Wav2Vec2ForCTC", "too-long", endless, sound(too_many))
    wide = {**ADAPTER, "num_adapter_layers": 1, "output_hidden_size": 15, "num_hidden_layers": 1}
    s.add("Wav2Vec2ForCTC", "adapter", {**wide, "ctc_zero_infinity": True}, sound(words))
    s.add("Wav2Vec2ForCTC", "language", {**STABLE, "adapter_attn_dim": 5, "num_hidden_layers": 1}, sound(words))
    s.add("Wav2Vec2ForPreTraining", "stable", {**LAYER, **STABLE}, sound(guesses), HID)
    weights = {"diversity_loss_weight": 0.5, "contrastive_logits_temperature": 0.4, "num_hidden_layers": 1}
    s.add("Wav2Vec2ForPreTraining", "weights", weights, sound(guesses, lengths=None))
    s.add("Wav2Vec2ForMaskedLM", "layer", {**LAYER, "num_hidden_layers": 1}, sound())


def classifiers(s: Any) -> None:
    """The classes that answer with labels."""
    s.add("Wav2Vec2ForSequenceClassification", "summed", {**SUMMED, **LAYER}, sound(classes), HID)
    s.add("Wav2Vec2ForSequenceClassification", "stable", {**SUMMED, **STABLE}, sound(classes))
    s.add("Wav2Vec2ForAudioFrameClassification", "summed", {**SUMMED, "num_hidden_layers": 1}, sound(frame_classes))
    s.add("Wav2Vec2ForXVector", "summed", {**SUMMED, **STABLE}, sound(classes), HID)
    s.add("Wav2Vec2ForXVector", "short", {"num_hidden_layers": 1}, sound(classes, lengths=(S, 90)))
