"""GPT-2's golden cases that are in the repository: every option once, as small as shows it.

4.53.3 cannot compute `reorder_and_upcast_attn` in float64; a test of its own is about it.

`make_case.py --cases tests/golden/cases/gpt2.py --out FOLDER --seed 4242` writes them; the cases without a variant, and
those called `nomask`, come from a run of its own list. `tx`, `ALL`, `HID`, `torch` and `transformers` are names that it
lends to this file.
"""
# ruff: noqa: F821

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: Vocabulary, rows, length and width of every case, and the token that is padding.
V, B, T, D, PAD = 61, 2, 9, 24, 5
#: What makes the arguments of a call from random numbers.
Inputs = Callable[[Any], dict[str, Any]]


def text(task: str | None = None, **options: Any) -> Inputs:
    """Inputs of the common size: `tx` says what the options are."""
    return tx(task, V, **{"B": B, "S": T, "pad": PAD, **options})


def also(make: Inputs, **changes: Callable[[dict[str, Any], Any], Any]) -> Inputs:
    """The inputs of `make`, some of them made from the others, and without those made None."""

    def changed(random: Any) -> dict[str, Any]:
        inputs = make(random)
        for name, change in changes.items():
            inputs[name] = change(inputs, random)
        return {name: value for name, value in inputs.items() if value is not None}

    return changed


def blind_row(inputs: dict[str, Any], random: Any) -> Any:
    """A mask whose last row hides everything."""
    mask = inputs["attention_mask"].clone()
    mask[-1] = 0
    return mask


def scattered(inputs: dict[str, Any], random: Any) -> Any:
    """Padding within the text, after it, and in the last row nothing else."""
    ids = inputs["input_ids"].clone()
    ids[0, [2, 7, 8]] = PAD
    ids[-1] = PAD
    return ids


def far_off(inputs: dict[str, Any], random: Any) -> Any:
    """Start positions, one of them behind the end."""
    return torch.tensor([T + 2, 3])


def left_out(inputs: dict[str, Any], random: Any) -> None:
    """Nothing in the place of an argument."""


def cases(s: Any) -> None:
    """Add every case."""
    small = dict(vocab_size=V, n_embd=D, n_layer=2, n_head=4, n_inner=17, n_positions=20, pad_token_id=PAD)
    s.arch("gpt2", transformers.GPT2Config, {**small, "layer_norm_epsilon": 0.02})
    bare(s)
    language_models(s)
    double_heads(s)
    classifiers(s)


CROSS = {"add_cross_attention": True}
BY_LAYER = {"scale_attn_by_inverse_layer_idx": True}
PRUNED = {"pruned_heads": {0: [1, 3], 1: [0]}}
STEPS = [5, 1, 3]


def bare(s: Any) -> None:
    """GPT2Model: scores scaled in every way, masks of every kind, with and without an encoder's states."""
    s.add("GPT2Model", "by-layer", {**BY_LAYER, "n_layer": 3, "activation_function": "relu"}, text(), ALL)
    unscaled = {"scale_attn_weights": False, "activation_function": "gelu"}
    s.add("GPT2Model", "unscaled", unscaled, text(types=V, heads=(2, 4)), ALL)
    both = {**BY_LAYER, "scale_attn_weights": False, "activation_function": "tanh"}
    s.add("GPT2Model", "by-layer-alone", both, text(heads=(4,)), ALL, cache_steps=STEPS)
    s.add("GPT2Model", "left", {}, text(left=True, pos="cumsum"), cache_steps=STEPS, compare_mask="attention_mask")
    other = {"n_inner": None, "activation_function": "silu"}
    s.add("GPT2Model", "embeds", other, text(embeds=D, types=V, mask=False), cache_steps=[1, 5, 3])
    s.add("GPT2Model", "holes", {"n_layer": 1}, text(holes=True, pos="random:20"))
    s.add("GPT2Model", "blind-row", {"n_layer": 1}, also(text(), attention_mask=blind_row))
    s.add("GPT2Model", "pruned", PRUNED, text(), ALL, cache_steps=STEPS)
    s.add("GPT2Model", "cross", CROSS, text(cross=(D, 6), heads=(2, 4), types=V), ALL, cache_steps=STEPS)
    mixed = {**CROSS, **BY_LAYER, **PRUNED}
    s.add("GPT2Model", "cross-nomask", mixed, text(cross=(D, 6), cross_mask=False), ALL, cache_steps=STEPS)


def language_models(s: Any) -> None:
    """GPT2LMHeadModel, tied and not, with an encoder and without."""
    untied = {"tie_word_embeddings": False, **BY_LAYER}
    s.add("GPT2LMHeadModel", "untied", untied, text("clm", types=V), ALL, cache_steps=STEPS)
    s.add("GPT2LMHeadModel", "cross", CROSS, text("clm", cross=(D, 6)), ALL, cache_steps=STEPS)
    s.add(
        "GPT2LMHeadModel", "left", {"n_layer": 1}, text("clm", left=True, pos="cumsum"), compare_mask="attention_mask"
    )
    s.add("GPT2LMHeadModel", "last-two", {"n_layer": 1}, text("clm", labels=False), dict(logits_to_keep=2))


def double_heads(s: Any) -> None:
    """GPT2DoubleHeadsModel, with every kind of summary."""
    s.add("GPT2DoubleHeadsModel", "mean", {"summary_type": "mean", "summary_activation": "tanh"}, text("dh"), HID)
    s.add("GPT2DoubleHeadsModel", "first", {"summary_type": "first", **PRUNED}, text("dh", types=V))
    s.add(
        "GPT2DoubleHeadsModel", "last", {"summary_type": "last", "summary_activation": "relu"}, text("dh", mask=False)
    )
    wide = {"summary_proj_to_labels": False, "summary_activation": "gelu_new"}
    s.add("GPT2DoubleHeadsModel", "wide", wide, text("dh", mc_labels=False))
    plain = {"summary_use_proj": False, "tie_word_embeddings": False}
    s.add("GPT2DoubleHeadsModel", "unprojected", plain, text("dh", mc_labels=False))
    s.add("GPT2DoubleHeadsModel", "no-place", {"n_layer": 1}, also(text("dh"), mc_token_ids=left_out))
    s.add("GPT2DoubleHeadsModel", "one-text", {"n_layer": 1}, text("clm"), HID, note="without an axis of choices")


def classifiers(s: Any) -> None:
    """The classes that answer with labels."""
    labels, one_layer = {"num_labels": 3}, {"n_layer": 1}
    s.add("GPT2ForSequenceClassification", "scattered", labels, also(text("seq", n_labels=3), input_ids=scattered))
    s.add("GPT2ForSequenceClassification", "left", {**labels, **BY_LAYER}, text("seq", n_labels=3, left=True))
    s.add("GPT2ForSequenceClassification", "embeds", labels, text("seq", n_labels=3, embeds=D))
    alone = {**labels, **one_layer, "pad_token_id": None}
    s.add("GPT2ForSequenceClassification", "alone", alone, text("seq", n_labels=3, B=1))
    several = {"num_labels": 4, "problem_type": "regression", **PRUNED}
    s.add("GPT2ForSequenceClassification", "regression", several, text("reg", n_labels=4))
    s.add("GPT2ForSequenceClassification", "multilabel", {"num_labels": 4, **one_layer}, text("multi", n_labels=4))
    dropout = {**labels, "classifier_dropout": 0.3, "scale_attn_weights": False}
    s.add("GPT2ForTokenClassification", "dropout", dropout, text("tok", n_labels=3, types=V))
    s.add("GPT2ForQuestionAnswering", "far-off", {**one_layer}, also(text("qa", mask=False), start_positions=far_off))
    s.add("GPT2ForQuestionAnswering", "left", BY_LAYER, text("qa", left=True), note="rows that see nothing but padding")
