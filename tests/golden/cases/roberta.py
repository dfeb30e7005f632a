"""RoBERTa's golden cases that are in the repository: every option once, as small as shows it.

`make_case.py --cases tests/golden/cases/roberta.py --out FOLDER --seed 4243` writes them; the cases without a variant
and those called `nomask` come from a run of its own list. `tx`, `ALL` and `transformers` are names that it lends to
this file.
"""
# ruff: noqa: F821

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: Vocabulary, rows, length and width of every case.
V, B, T, D = 61, 2, 9, 24
#: What makes the arguments of a call from random numbers.
Inputs = Callable[[Any], dict[str, Any]]


def text(task: str | None = None, **options: Any) -> Inputs:
    """Inputs of the common size: `tx` says what the options are."""
    return tx(task, V, **{"B": B, "S": T, "pad": 1, **options})


def holes(make: Inputs) -> Inputs:
    """The inputs of `make` with padding among the tokens, as only positions that are counted notice."""

    def changed(random: Any) -> dict[str, Any]:
        inputs = make(random)
        inputs["input_ids"][0, 3] = inputs["input_ids"][1, 1] = 1
        return inputs

    return changed


def blind_row(make: Inputs) -> Inputs:
    """The inputs of `make` with a mask whose last row hides everything."""

    def changed(random: Any) -> dict[str, Any]:
        inputs = make(random)
        inputs["attention_mask"][-1] = 0
        return inputs

    return changed


def cases(s: Any) -> None:
    """Add every case."""
    small = dict(vocab_size=V, hidden_size=D, num_hidden_layers=2, num_attention_heads=4, intermediate_size=17)
    s.arch("roberta", transformers.RobertaConfig, {**small, "max_position_embeddings": 20, "layer_norm_eps": 0.02})
    encoders(s)
    decoders(s)
    heads(s)


ONE_LAYER = {"num_hidden_layers": 1}
DECODER = {"is_decoder": True}
CROSS = {**DECODER, "add_cross_attention": True}
KEY, QUERY = ({"position_embedding_type": kind} for kind in ("relative_key", "relative_key_query"))
PRUNED = {"pruned_heads": {0: [1, 3], 1: [0]}}
#: 4.53.3 reads chunks of several tokens with the distances of others.
SINGLY = [5, 1, 1, 1, 1]


def encoders(s: Any) -> None:
    """RobertaModel, reading both ways."""
    s.add("RobertaModel", "holes", {**ONE_LAYER, "hidden_act": "relu"}, holes(text(types=2)))
    s.add("RobertaModel", "left", {**ONE_LAYER, "type_vocab_size": 1}, text(left=True))
    s.add("RobertaModel", "embeds", {**ONE_LAYER, "hidden_act": "tanh"}, text(embeds=D, types=2))
    s.add("RobertaModel", "pad-5", {**ONE_LAYER, "pad_token_id": 5}, text(pad=5, mask_dim=3))
    s.add("RobertaModel", "pad-0", {**ONE_LAYER, "pad_token_id": 0}, text(pad=0, left=True))
    s.add("RobertaModel", "positions", {**ONE_LAYER, "chunk_size_feed_forward": 3}, text(pos="random:20"))
    s.add("RobertaModel", "blind-row", ONE_LAYER, blind_row(text()), ALL)
    s.add("RobertaModel", "relative-query", {**ONE_LAYER, **QUERY}, text(heads=(4,)), ALL)
    s.add("RobertaModel", "pruned", PRUNED, text(), ALL)


def decoders(s: Any) -> None:
    """RobertaModel, reading forwards, alone or with an encoder's states."""
    s.add("RobertaModel", "decoder", DECODER, text(types=2, mask=False), ALL, cache_steps=[5, 1, 3])
    s.add("RobertaModel", "decoder-relative", {**DECODER, **KEY}, text(mask=False), cache_steps=SINGLY)
    s.add("RobertaModel", "cross", CROSS, text(cross=(D, 6), heads=(2, 4), mask=False), ALL, cache_steps=[5, 1, 3])


def heads(s: Any) -> None:
    """The classes with a head."""
    untied, several = {"tie_word_embeddings": False}, {**ONE_LAYER, "num_labels": 4, "problem_type": "regression"}
    s.add("RobertaForCausalLM", "cross", {**CROSS, **ONE_LAYER}, text("clm", cross=(D, 6)))
    s.add("RobertaForMaskedLM", "untied", {**untied, **ONE_LAYER, "hidden_act": "relu"}, text("mlm", types=2))
    s.add("RobertaForSequenceClassification", "regression", several, text("reg", n_labels=4))
    multiple = {**ONE_LAYER, "num_labels": 3, "classifier_dropout": 0.3}
    s.add("RobertaForSequenceClassification", "multilabel", multiple, text("multi", n_labels=3, left=True))
    s.add("RobertaForMultipleChoice", "embeds", ONE_LAYER, text("mc", embeds=D, types=2))
    s.add("RobertaForTokenClassification", "pruned", {**PRUNED, "num_labels": 3}, text("tok", n_labels=3))
