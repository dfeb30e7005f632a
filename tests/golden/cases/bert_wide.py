"""More of BERT's golden cases than the repository holds: every activation, and random mixtures of all options.

`make_case.py --cases tests/golden/cases/bert_wide.py --out FOLDER --seed 4242` writes them, for
`make test-goldens GOLDEN=<the folder above>`. `tx`, `ALL`, `torch` and `transformers` are names that it lends to this
file.
"""
# ruff: noqa: F821

from __future__ import annotations

import random as stdlib_random
from typing import Any

#: Class -> the task whose inputs `tx` makes for it.
TASKS = {
    "BertModel": None,
    "BertForPreTraining": "pre",
    "BertLMHeadModel": "clm",
    "BertForMaskedLM": "mlm",
    "BertForNextSentencePrediction": "nsp",
    "BertForSequenceClassification": "seq",
    "BertForMultipleChoice": "mc",
    "BertForTokenClassification": "tok",
    "BertForQuestionAnswering": "qa",
}
CACHED = ("BertModel", "BertLMHeadModel")
CROSSED = (*CACHED, "BertForMaskedLM")
#: prelu has a weight of its own, which the architecture's checkpoints do not name.
ACTIVATIONS = sorted(set(transformers.activations.ACT2FN) - {"prelu"})
#: Mixtures of each class.
COUNT = 8


def cases(s: Any) -> None:
    """Add every case."""
    small = dict(vocab_size=71, hidden_size=20, num_hidden_layers=1, num_attention_heads=5, intermediate_size=33)
    s.arch("bert", transformers.BertConfig, {**small, "max_position_embeddings": 24})
    for name in ACTIVATIONS:
        s.add("BertForMaskedLM", f"act-{name}", {"hidden_act": name}, tx("mlm", 71, B=2, S=8))
    for stem, task in TASKS.items():
        for number in range(COUNT):
            mixture(s, stem, task, stdlib_random.Random(f"{stem} {number}"), f"mix-{number}")


def mixture(s: Any, stem: str, task: str | None, draw: stdlib_random.Random, variant: str) -> None:
    """One case, its options drawn together."""
    length = draw.choice([6, 8, 9, 10, 12])
    over = options(stem, draw, length)
    facts = inputs_of(stem, over, draw, length)
    steps = {}
    if over["is_decoder"] and stem in CACHED and facts.get("mask_dim") != 3:
        steps["cache_steps"] = chunks(over, draw, length)
        if facts["left"]:
            steps["compare_mask"] = "attention_mask"
    inputs = tx(task, over["vocab_size"], n_labels=over["num_labels"], **facts)
    s.add(stem, variant, over, inputs, draw.choice([ALL, {}, {}, {"output_attentions": True}]), **steps)


def options(stem: str, draw: stdlib_random.Random, length: int) -> dict[str, Any]:
    """A random configuration."""
    heads, layers = draw.randint(1, 5), draw.randint(1, 3)
    decoder = draw.random() < (0.8 if stem == "BertLMHeadModel" else 0.5 if stem == "BertModel" else 0.2)
    divisor = 3 if length % 2 else 2
    return {
        "num_attention_heads": heads,
        "hidden_size": heads * draw.randint(max(2, 8 // heads), 9),  # of two numbers a norm leaves the signs
        "num_hidden_layers": layers,
        "intermediate_size": draw.randint(3, 60),
        "vocab_size": draw.randint(40, 99),
        "max_position_embeddings": length + draw.randint(0, 12),
        "type_vocab_size": draw.randint(1, 4),
        "num_labels": draw.randint(2, 6) if stem != "BertForQuestionAnswering" else 2,
        "layer_norm_eps": 10.0 ** draw.uniform(-12, -1),
        "hidden_act": draw.choice(ACTIVATIONS),
        "pad_token_id": draw.choice([0, 3, None]),
        "position_embedding_type": draw.choice(["absolute", "relative_key", "relative_key_query"]),
        "is_decoder": decoder,
        "add_cross_attention": decoder and draw.random() < 0.6,
        "chunk_size_feed_forward": draw.choice([0, 0, 1] if decoder else [0, 1, length // divisor, length]),
        "tie_word_embeddings": draw.random() < 0.6,
        "pruned_heads": pruned(heads, layers, draw) if heads > 1 and draw.random() < 0.3 else {},
        "classifier_dropout": draw.choice([None, 0.0, 0.4]),
    }


def pruned(heads: int, layers: int, draw: stdlib_random.Random) -> dict[int, list[int]]:
    """Some heads of every layer, at least one left in each."""
    return {layer: sorted(draw.sample(range(heads), draw.randint(1, heads - 1))) for layer in range(layers)}


def inputs_of(stem: str, over: dict[str, Any], draw: stdlib_random.Random, length: int) -> dict[str, Any]:
    """What `tx` is asked for."""
    shapes = ["none", "right", "left"] + ["holes", "square"] * (stem != "BertForMultipleChoice")
    mask = draw.choice(shapes)
    heads, layers = over["num_attention_heads"], over["num_hidden_layers"]
    facts: dict[str, Any] = {
        "B": draw.randint(2, 3),
        "S": length,
        "pad": over["pad_token_id"] or 0,
        "mask": mask != "none",
        "left": mask == "left",
        "holes": mask == "holes",
        "types": over["type_vocab_size"] if draw.random() < 0.6 else 0,
        "embeds": over["hidden_size"] if draw.random() < 0.25 else None,
        "heads": draw.choice([None, (heads,), (layers, heads)]) if not over["pruned_heads"] else None,
        "pos": draw.choice([None, f"random:{over['max_position_embeddings']}"]) if mask != "left" else "cumsum",
    }
    if mask == "square":
        facts["mask_dim"] = 3
    if over["add_cross_attention"] and stem in CROSSED:
        facts |= {"cross": (over["hidden_size"], draw.randint(1, 13)), "cross_mask": draw.random() < 0.6}
    return facts


def chunks(over: dict[str, Any], draw: stdlib_random.Random, length: int) -> list[int]:
    """Lengths that add up; of one token each after the first where 4.53.3 needs that."""
    if over["position_embedding_type"] != "absolute":
        first = draw.randint(1, length)
        return [first] + [1] * (length - first)
    found: list[int] = []
    while length > sum(found):
        found.append(draw.randint(1, min(5, length - sum(found))))
    return found
