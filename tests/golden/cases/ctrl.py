"""CTRL's golden cases that are in the repository: every option once, as small as shows it.

`make_case.py --cases tests/golden/cases/ctrl.py --out FOLDER --seed 4245` writes them; the cases without a variant, and
those called `nomask`, come from a run of its own list. `tx`, `ALL`, `HID` and `transformers` are names that it lends to
this file.
"""
# ruff: noqa: F821

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: Vocabulary, rows, length and width of every case, and the token that is padding.
V, B, T, D, PAD = 61, 2, 9, 24, 5
#: What makes the arguments of a call from random numbers.
Inputs = Callable[[Any], dict[str, Any]]

LABELS = {"num_labels": 3}
ONE_LAYER = {"n_layer": 1}
PRUNED = {"pruned_heads": {0: [1, 3], 1: [0]}}
STEPS = [5, 1, 3]


def text(task: str | None = None, **options: Any) -> Inputs:
    """Inputs of the common size: `tx` says what the options are."""
    return tx(task, V, **{"B": B, "S": T, "pad": PAD, **options})


def changed(make: Inputs, change: Callable[[dict[str, Any]], Any]) -> Inputs:
    """The inputs of `make`, changed in place."""

    def making(random: Any) -> dict[str, Any]:
        inputs = make(random)
        change(inputs)
        return inputs

    return making


def hide_last_row(inputs: dict[str, Any]) -> None:
    """A mask whose last row hides everything."""
    inputs["attention_mask"][-1] = 0


def scatter(inputs: dict[str, Any]) -> None:
    """Padding within the text, after it, and in the last row nothing else."""
    inputs["input_ids"][0, [2, 7, 8]] = PAD
    inputs["input_ids"][-1] = PAD


def cases(s: Any) -> None:
    """Add every case."""
    small = dict(vocab_size=V, n_embd=D, dff=17, n_layer=2, n_head=4, n_positions=20, pad_token_id=PAD)
    s.arch("ctrl", transformers.CTRLConfig, {**small, "layer_norm_epsilon": 0.02})
    bare(s)
    s.add("CTRLLMHeadModel", "untied", {"tie_word_embeddings": False}, text("clm", types=V), HID, cache_steps=STEPS)
    s.add("CTRLLMHeadModel", "left", ONE_LAYER, text("clm", left=True))
    classifiers(s)


def bare(s: Any) -> None:
    """CTRLModel: masks of every kind."""
    s.add("CTRLModel", "heads", ONE_LAYER, text(types=V, heads=(1, 4)), ALL)
    s.add("CTRLModel", "odd", {"n_embd": 25, "n_head": 5, **ONE_LAYER}, text(), note="a sine more than cosines")
    s.add("CTRLModel", "left", {}, text(left=True, pos="cumsum"), ALL, note="padding looks at what follows it")
    left = text(left=True, pos="cumsum")
    s.add("CTRLModel", "left-steps", ONE_LAYER, left, cache_steps=STEPS, compare_mask="attention_mask")
    s.add("CTRLModel", "embeds", ONE_LAYER, text(embeds=D, types=V, mask=False), cache_steps=[1, 5, 3])
    s.add("CTRLModel", "holes", ONE_LAYER, text(holes=True, pos="random:20", heads=(4,)))
    s.add("CTRLModel", "blind-row", ONE_LAYER, changed(text(), hide_last_row))
    s.add("CTRLModel", "pruned", PRUNED, text(), ALL, cache_steps=STEPS)


def classifiers(s: Any) -> None:
    """CTRLForSequenceClassification, with every kind of label, and padding wherever it may be."""
    name, small = "CTRLForSequenceClassification", {**LABELS, **ONE_LAYER}
    s.add(name, "scattered", small, changed(text("seq", n_labels=3), scatter))
    s.add(name, "left", LABELS, text("seq", n_labels=3, left=True))
    s.add(name, "embeds", small, text("seq", n_labels=3, embeds=D))
    s.add(name, "alone", {**small, "pad_token_id": None}, text("seq", n_labels=3, B=1))
    s.add(name, "regression", {"num_labels": 1, **ONE_LAYER}, text("reg", n_labels=1))
    s.add(name, "multilabel", {"num_labels": 4, **ONE_LAYER}, text("multi", n_labels=4))
