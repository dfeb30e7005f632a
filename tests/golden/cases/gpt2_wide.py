"""More of GPT-2's golden cases than the repository holds: every activation, and random mixtures of all options.

`make_case.py --cases tests/golden/cases/gpt2_wide.py --out FOLDER --seed 4242` writes them, for
`make test-goldens GOLDEN=<the folder above>`. `tx`, `ALL`, `torch` and `transformers` are names that it lends to this
file.
"""
# ruff: noqa: F821

from __future__ import annotations

import random as stdlib_random
from typing import Any

#: Class -> the task whose inputs `tx` makes for it.
TASKS = {
    "GPT2Model": None,
    "GPT2LMHeadModel": "clm",
    "GPT2DoubleHeadsModel": "dh",
    "GPT2ForSequenceClassification": "seq",
    "GPT2ForTokenClassification": "tok",
    "GPT2ForQuestionAnswering": "qa",
}
CACHED = ("GPT2Model", "GPT2LMHeadModel")
#: prelu has a weight of its own, which the architecture's checkpoints do not name.
ACTIVATIONS = sorted(set(transformers.activations.ACT2FN) - {"prelu"})
#: Mixtures of each class.
COUNT = 8


def cases(s: Any) -> None:
    """Add every case."""
    small = dict(vocab_size=71, n_embd=20, n_layer=1, n_head=5, n_inner=33, n_positions=24, pad_token_id=3)
    s.arch("gpt2", transformers.GPT2Config, small)
    for name in ACTIVATIONS:
        s.add("GPT2LMHeadModel", f"act-{name}", {"activation_function": name}, tx("clm", 71, B=2, S=8, pad=3))
        summary = {"summary_activation": name, "summary_type": "cls_index"}
        s.add("GPT2DoubleHeadsModel", f"act-{name}", summary, tx("dh", 71, S=6, pad=3))
    for stem, task in TASKS.items():
        for number in range(COUNT):
            mixture(s, stem, task, stdlib_random.Random(f"{stem} {number}"), f"mix-{number}")


def mixture(s: Any, stem: str, task: str | None, draw: stdlib_random.Random, variant: str) -> None:
    """One case, its options drawn together."""
    length = draw.randint(4, 12)
    over = options(stem, draw, length)
    facts = inputs_of(stem, over, draw, length)
    steps = {}
    if stem in CACHED:
        first = draw.randint(1, length - 2)
        steps["cache_steps"] = [first, length - first - 1, 1]
        if facts["left"]:
            steps["compare_mask"] = "attention_mask"
    inputs = tx(task, over["vocab_size"], n_labels=over["num_labels"], **facts)
    s.add(stem, variant, over, inputs, draw.choice([ALL, {}, {}, {"output_attentions": True}]), **steps)


def options(stem: str, draw: stdlib_random.Random, length: int) -> dict[str, Any]:
    """A random configuration."""
    heads, layers = draw.randint(1, 5), draw.randint(0, 3)
    layers = max(layers, 1) if stem in CACHED else layers
    pruned = {layer: draw.sample(range(heads), draw.randint(0, heads - 1)) for layer in range(layers)}
    return {
        "n_head": heads,
        "n_embd": heads * draw.randint(max(2, 8 // heads), 9),  # of two numbers a norm leaves the signs
        "n_layer": layers,
        "n_inner": draw.choice([None, draw.randint(3, 60)]),
        "vocab_size": draw.randint(40, 99),
        "n_positions": length + draw.randint(0, 12),
        "num_labels": 2 if stem == "GPT2ForQuestionAnswering" else draw.randint(2, 6),
        "layer_norm_epsilon": 10.0 ** draw.uniform(-12, -1),
        "activation_function": draw.choice(ACTIVATIONS),
        "scale_attn_weights": draw.random() < 0.5,
        "scale_attn_by_inverse_layer_idx": draw.random() < 0.5,
        "add_cross_attention": stem in CACHED and draw.random() < 0.5,
        "tie_word_embeddings": draw.random() < 0.6,
        "summary_type": draw.choice(["cls_index", "cls_index", "first", "last", "mean"]),
        "summary_activation": draw.choice([None, *ACTIVATIONS]),
        "pruned_heads": pruned if draw.random() < 0.3 else {},
    }


def inputs_of(stem: str, over: dict[str, Any], draw: stdlib_random.Random, length: int) -> dict[str, Any]:
    """What `tx` is to make, beside the task."""
    shape = draw.choice([(over["n_head"],), (over["n_layer"], over["n_head"])])
    left = draw.random() < 0.3
    return {
        "S": length,
        "B": draw.randint(2, 4),
        "pad": 3,
        "left": left,
        "label_ignore": 0.0 if left else 0.3,  # something must be left to predict
        "mask": left or draw.random() < 0.7,
        "types": draw.choice([0, over["vocab_size"]]),
        "heads": None if over["pruned_heads"] or not over["n_layer"] or draw.random() < 0.6 else shape,
        "pos": positions(stem, over, draw, left),
        "embeds": over["n_embd"] if stem != "GPT2DoubleHeadsModel" and draw.random() < 0.3 else None,
        "cross": (over["n_embd"], draw.randint(1, 7)) if over["add_cross_attention"] else None,
        "cross_mask": draw.random() < 0.5,
    }


def positions(stem: str, over: dict[str, Any], draw: stdlib_random.Random, left: bool) -> str | None:
    """What positions there are; 4.53.3 takes none for each choice."""
    if stem == "GPT2DoubleHeadsModel":
        return None
    return "cumsum" if left else draw.choice([None, None, "random:" + str(over["n_positions"])])
