"""ELECTRA's golden cases that are in the repository: every option once, as small as shows it.

`make_case.py --cases tests/golden/cases/electra.py --out FOLDER --seed 4242` writes them; the cases without a variant,
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


def per_query(inputs: dict[str, Any], random: Any) -> Any:
    """An encoder mask [B, T, S]: each query its own; one sees nothing."""
    mask = random.coin(*inputs["input_ids"].shape, inputs["encoder_hidden_states"].shape[1], p=0.6).long()
    mask[0, 2] = 0
    return mask


def far_off(inputs: dict[str, Any], random: Any) -> Any:
    """Start positions, one of them behind the end."""
    return torch.tensor([T + 2, 3])


def cases(s: Any) -> None:
    """Add every case."""
    sizes = dict(vocab_size=V, embedding_size=E, hidden_size=D, num_attention_heads=4, intermediate_size=17)
    common = {**sizes, "num_hidden_layers": 1, "max_position_embeddings": 15, "layer_norm_eps": 0.02}
    s.arch("electra", transformers.ElectraConfig, common)
    encoders(s)
    decoders(s)
    language_models(s)
    classifiers(s)
    choices(s)


def relative(kind: str = "relative_key") -> dict[str, Any]:
    """The option of positions as distances."""
    return {"position_embedding_type": kind}


DECODER = {"is_decoder": True}
CROSS = {**DECODER, "add_cross_attention": True}
TWO_LAYERS = {"num_hidden_layers": 2}
#: Embeddings as wide as what follows them: nothing projects them.
ONE_WIDTH = {"embedding_size": D}
PRUNED = {**TWO_LAYERS, "pruned_heads": {0: [1, 3], 1: [0]}}
#: 4.53.3 reads chunks of several tokens with the distances of others.
SINGLY = [5, 1, 1, 1, 1]


def encoders(s: Any) -> None:
    """ElectraModel, reading both ways."""
    other = {**TWO_LAYERS, "hidden_act": "relu", "type_vocab_size": 3, "pad_token_id": 5}
    s.add("ElectraModel", "one-width", {**ONE_WIDTH, **other}, text(types=3, pos="random:15", pad=5, holes=True), ALL)
    s.add("ElectraModel", "relative", relative(), text(types=2, heads=(1, 4)), ALL)
    s.add("ElectraModel", "relative-query", relative("relative_key_query"), text(mask_dim=3), ALL)
    s.add("ElectraModel", "embeds-left", {"pad_token_id": None}, text(embeds=E, left=True, pos="cumsum", types=2))
    s.add("ElectraModel", "blind-row", {}, also(text(), attention_mask=blind_row), ALL)
    s.add("ElectraModel", "chunked", {"chunk_size_feed_forward": 4}, text(S=12))
    s.add("ElectraModel", "pruned", PRUNED, text(), ALL)


def decoders(s: Any) -> None:
    """ElectraModel, reading forwards, alone or with an encoder's states."""
    query, states = relative("relative_key_query"), (D, 6)
    s.add("ElectraModel", "decoder", {**DECODER, **TWO_LAYERS}, text(types=2), ALL, cache_steps=[5, 1, 3])
    left = text(left=True, pos="cumsum")
    s.add("ElectraModel", "decoder-left", DECODER, left, cache_steps=[5, 1, 3], compare_mask="attention_mask")
    s.add("ElectraModel", "decoder-relative-query", {**DECODER, **query}, text(embeds=E), cache_steps=SINGLY)
    s.add(
        "ElectraModel", "cross", {**CROSS, **TWO_LAYERS}, text(cross=states, heads=(2, 4)), ALL, cache_steps=[5, 1, 3]
    )
    s.add("ElectraModel", "cross-relative", {**CROSS, **relative()}, text(cross=states), ALL, cache_steps=SINGLY)
    own_masks = also(text(cross=states, mask_dim=3), encoder_attention_mask=per_query)
    s.add("ElectraModel", "cross-mask-3d", CROSS, own_masks, dict(output_attentions=True))


def language_models(s: Any) -> None:
    """The discriminator, and the classes that answer with words."""
    untied = {"tie_word_embeddings": False}
    s.add("ElectraForPreTraining", "holes", {"hidden_act": "tanh"}, text("rtd", holes=True, types=2))
    s.add("ElectraForPreTraining", "one-width", {**ONE_WIDTH, "hidden_act": "silu"}, text("rtd", left=True, embeds=D))
    s.add("ElectraForMaskedLM", "untied", {**untied, "hidden_act": "relu"}, text("mlm", types=2))
    s.add("ElectraForMaskedLM", "one-width", {**ONE_WIDTH, "pad_token_id": 7}, text("mlm", pad=7, embeds=D))
    s.add("ElectraForCausalLM", "cross", CROSS, text("clm", cross=(D, 6)), ALL, cache_steps=[5, 1, 3])
    mixed = {**DECODER, **untied, **relative(), "hidden_act": "tanh"}
    s.add("ElectraForCausalLM", "untied", mixed, text("clm"), cache_steps=SINGLY)


def classifiers(s: Any) -> None:
    """The classes that answer with labels."""
    dropout = {"classifier_dropout": 0.3, "num_labels": 3}
    single = {**dropout, "problem_type": "single_label_classification", "hidden_act": "relu"}
    s.add("ElectraForSequenceClassification", "relu", single, text("seq", n_labels=3, left=True))
    s.add("ElectraForSequenceClassification", "regression", {"num_labels": 1}, text("reg", n_labels=1))
    s.add("ElectraForSequenceClassification", "multilabel", {"num_labels": 4}, text("multi", n_labels=4))
    s.add("ElectraForTokenClassification", "one-width", {**ONE_WIDTH, **dropout}, text("tok", n_labels=3))
    s.add("ElectraForQuestionAnswering", "far-off", {}, also(text("qa", mask=False), start_positions=far_off))


def choices(s: Any) -> None:
    """A score for each choice, on every kind of summary."""
    s.add("ElectraForMultipleChoice", "last", {"summary_type": "last", "summary_activation": None}, text("mc"))
    mean = {"summary_type": "mean", "summary_activation": "tanh", **ONE_WIDTH}
    s.add("ElectraForMultipleChoice", "mean", mean, text("mc", embeds=D, types=2))
    s.add("ElectraForMultipleChoice", "cls-index", {"summary_type": "cls_index"}, text("mc", types=2))
    s.add("ElectraForMultipleChoice", "unprojected", {"summary_use_proj": False}, text("mc", heads=(1, 4)))
