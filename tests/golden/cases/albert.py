"""ALBERT's golden cases that are in the repository: every option once, as small as shows it.

`make_case.py --cases tests/golden/cases/albert.py --out FOLDER --seed 4242` writes them; the cases without a variant,
and those called `nomask`, come from a run of its own list. `tx`, `ALL`, `torch` and `transformers` are names that it
lends to this file.
"""
# ruff: noqa: F821

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: Vocabulary, rows, length, width of the embeddings and width of every case.
V, B, T, E, D = 47, 2, 9, 14, 20
#: What makes the arguments of a call from random numbers.
Inputs = Callable[[Any], dict[str, Any]]


def text(task: str | None = None, **options: Any) -> Inputs:
    """Inputs of the common size: `tx` says what the options are."""
    return tx(task, V, **{"B": B, "S": T, **options})


def also(make: Inputs, **changes: Callable[[dict[str, Any], Any], Any]) -> Inputs:
    """The inputs of `make`, some of them made from the others."""

    def changed(random: Any) -> dict[str, Any]:
        inputs = make(random)
        for name, change in changes.items():
            inputs[name] = change(inputs, random)
        return inputs

    return changed


def blind_row(inputs: dict[str, Any], random: Any) -> Any:
    """A mask whose last row hides everything."""
    mask = inputs["attention_mask"].clone()
    mask[-1] = 0
    return mask


def far_off(inputs: dict[str, Any], random: Any) -> Any:
    """Start positions, one of them behind the end."""
    return torch.tensor([T + 2, 3])


def relative(kind: str = "relative_key") -> dict[str, Any]:
    """The option of positions as distances."""
    return {"position_embedding_type": kind}


#: Seven turns for three groups of two layers: the first group has three.
GROUPS = {"num_hidden_layers": 7, "num_hidden_groups": 3, "inner_group_num": 2}
PRUNED = {"num_hidden_layers": 4, "num_hidden_groups": 2, "inner_group_num": 2, "pruned_heads": {1: [1, 3], 2: [0]}}


def cases(s: Any) -> None:
    """Add every case."""
    sizes = dict(vocab_size=V, embedding_size=E, hidden_size=D, num_attention_heads=4, intermediate_size=17)
    common = {**sizes, "num_hidden_layers": 2, "max_position_embeddings": 15, "layer_norm_eps": 0.02}
    s.arch("albert", transformers.AlbertConfig, common)
    encoders(s)
    language_models(s)
    classifiers(s)


def encoders(s: Any) -> None:
    """AlbertModel."""
    other = {"embedding_size": D, "hidden_act": "relu", "type_vocab_size": 3, "pad_token_id": 5}
    s.add("AlbertModel", "groups", GROUPS, text(types=2, heads=(7, 4)), ALL)
    uneven = {"num_hidden_layers": 5, "num_hidden_groups": 3}
    s.add("AlbertModel", "uneven-groups", uneven, text(heads=(5, 4)), ALL)
    s.add("AlbertModel", "one-width", other, text(types=3, pos="random:15", pad=5, holes=True), ALL)
    s.add("AlbertModel", "relative", relative(), text(types=2, heads=(2, 4)), ALL)
    s.add("AlbertModel", "relative-query", relative("relative_key_query"), text(), ALL)
    s.add("AlbertModel", "embeds-left", {"pad_token_id": None}, text(embeds=E, left=True, pos="cumsum", types=2))
    s.add("AlbertModel", "blind-row", {}, also(text(), attention_mask=blind_row), ALL)
    s.add("AlbertModel", "chunked", {"chunk_size_feed_forward": 4}, text(S=12))
    s.add("AlbertModel", "pruned", PRUNED, text(), ALL)
    s.add("AlbertModel", "no-layers", {"num_hidden_layers": 0}, text(types=2))


def language_models(s: Any) -> None:
    """The classes that answer with words."""
    untied = {"tie_word_embeddings": False}
    s.add("AlbertForPreTraining", "untied", {**untied, "hidden_act": "gelu"}, text("sop", types=2))
    s.add("AlbertForPreTraining", "groups", GROUPS, text("sop", left=True, embeds=E))
    s.add("AlbertForPreTraining", "three-labels", {"num_labels": 3, "num_hidden_layers": 1}, text(types=2))
    s.add("AlbertForMaskedLM", "untied", {**untied, "hidden_act": "relu"}, text("mlm", types=2))
    s.add("AlbertForMaskedLM", "one-width", {"embedding_size": D, "pad_token_id": 7}, text("mlm", pad=7, embeds=D))


def classifiers(s: Any) -> None:
    """The classes that answer with labels."""
    dropout = {"classifier_dropout_prob": 0.3, "num_labels": 3}
    single = {**dropout, "problem_type": "single_label_classification", "hidden_act": "silu"}
    s.add("AlbertForSequenceClassification", "single-label", single, text("seq", n_labels=3, left=True))
    s.add("AlbertForSequenceClassification", "regression", {"num_labels": 1}, text("reg", n_labels=1))
    s.add("AlbertForSequenceClassification", "multilabel", {"num_labels": 4}, text("multi", n_labels=4))
    plain = {"classifier_dropout_prob": None, "hidden_dropout_prob": 0.2, "num_labels": 3}
    s.add("AlbertForTokenClassification", "dropout", plain, text("tok", n_labels=3))
    query = relative("relative_key_query")
    s.add("AlbertForQuestionAnswering", "far-off", query, also(text("qa", mask=False), start_positions=far_off))
    s.add("AlbertForMultipleChoice", "embeds", relative(), text("mc", embeds=E, types=2, heads=(1, 4)))
