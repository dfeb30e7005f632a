"""BERT's golden cases that are in the repository: every option once, as small as shows it.

`make_case.py --cases tests/golden/cases/bert.py --out FOLDER --seed 4242` writes them; the cases without a variant come
from a run of its own list. `tx`, `ALL`, `HID`, `torch` and `transformers` are names that it lends to this file.
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


def causal(inputs: dict[str, Any], random: Any) -> Any:
    """A mask [B, T, T] in which nothing sees what comes later."""
    rows = inputs["input_ids"].shape
    seen = random.coin(*rows, rows[1], p=0.7).long() | torch.eye(rows[1], dtype=torch.int64)
    return seen.tril() * inputs["attention_mask"][:, None]


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
    small = dict(vocab_size=V, hidden_size=D, num_hidden_layers=2, num_attention_heads=4, intermediate_size=17)
    s.arch("bert", transformers.BertConfig, {**small, "max_position_embeddings": 20, "layer_norm_eps": 0.02})
    encoders(s)
    decoders(s)
    language_models(s)
    classifiers(s)


def relative(kind: str = "relative_key") -> dict[str, Any]:
    """The option of positions as distances."""
    return {"position_embedding_type": kind}


DECODER = {"is_decoder": True}
CROSS = {**DECODER, "add_cross_attention": True}
ONE_LAYER = {"num_hidden_layers": 1}
PRUNED = {"pruned_heads": {0: [1, 3], 1: [0]}}
#: 4.53.3 reads chunks of several tokens with the distances of others.
SINGLY = [5, 1, 1, 1, 1]


def encoders(s: Any) -> None:
    """BertModel, reading both ways."""
    query = relative("relative_key_query")
    s.add("BertModel", "relative", {**relative(), "hidden_act": "silu"}, text(types=2, holes=True), ALL)
    s.add("BertModel", "relative-query", {**query, "hidden_act": "gelu_new"}, text(mask_dim=3), ALL)
    other = {**ONE_LAYER, "pad_token_id": 5, "hidden_act": "relu", "type_vocab_size": 3}
    s.add("BertModel", "mask-3d", other, text(mask_dim=3, types=3, pos="random:20", pad=5))
    one = {**ONE_LAYER, "type_vocab_size": 1, "hidden_act": "quick_gelu"}
    s.add("BertModel", "blind-row", one, also(text(), attention_mask=blind_row), ALL)
    nothing = {"pad_token_id": None, "hidden_act": "tanh"}
    s.add("BertModel", "embeds-left", nothing, text(embeds=D, left=True, pos="cumsum", types=2))
    chunked = {**ONE_LAYER, "chunk_size_feed_forward": 4, "hidden_act": "gelu_pytorch_tanh"}
    s.add("BertModel", "chunked", chunked, text(S=12))
    s.add("BertModel", "pruned", PRUNED, text(), ALL)


def decoders(s: Any) -> None:
    """BertModel, reading forwards, alone or with an encoder's states."""
    query, states, short = relative("relative_key_query"), (D, 6), {**DECODER, **ONE_LAYER}
    s.add("BertModel", "decoder", DECODER, text(types=2), ALL, cache_steps=[5, 1, 3])
    left = text(left=True, pos="cumsum")
    s.add("BertModel", "decoder-left", DECODER, left, cache_steps=[5, 1, 3], compare_mask="attention_mask")
    s.add("BertModel", "decoder-blind-row", short, also(text(), attention_mask=blind_row))
    s.add("BertModel", "decoder-mask-3d", short, text(mask_dim=3))
    s.add("BertModel", "decoder-causal-3d", short, also(text(), attention_mask=causal), cache_steps=[T])
    s.add("BertModel", "decoder-relative-query", {**DECODER, **query}, text(), cache_steps=SINGLY)
    s.add("BertModel", "decoder-embeds", {**DECODER, **PRUNED}, text(embeds=D), cache_steps=[1, 5, 3])
    s.add("BertModel", "cross", CROSS, text(cross=states, heads=(2, 4), types=2), ALL, cache_steps=[5, 1, 3])
    weights = dict(output_attentions=True)
    unmasked = text(cross=states, cross_mask=False, mask=False, heads=(4,))
    s.add("BertModel", "cross-nomask", {**CROSS, **ONE_LAYER}, unmasked, weights, cache_steps=SINGLY)
    own_masks = also(text(cross=states, mask_dim=3), encoder_attention_mask=per_query)
    s.add("BertModel", "cross-mask-3d", CROSS, own_masks, weights)
    s.add("BertModel", "cross-relative", {**CROSS, **relative()}, text(cross=states), ALL, cache_steps=SINGLY)


def language_models(s: Any) -> None:
    """The classes that answer with words."""
    untied, states = {"tie_word_embeddings": False}, (D, 6)
    query = relative("relative_key_query")
    s.add("BertLMHeadModel", "cross", CROSS, text("clm", cross=states), ALL, cache_steps=[5, 1, 3])
    s.add("BertLMHeadModel", "untied", {**DECODER, **untied, **relative()}, text("clm"), cache_steps=SINGLY)
    s.add("BertForMaskedLM", "untied", {**untied, "hidden_act": "tanh"}, text("mlm", types=2))
    s.add("BertForMaskedLM", "cross", {**CROSS, **ONE_LAYER}, text("mlm", cross=states), dict(output_attentions=True))
    mixed = {**query, "chunk_size_feed_forward": 3, "pad_token_id": 7}
    s.add("BertForMaskedLM", "mixed", mixed, text("mlm", pad=7, embeds=D))
    s.add("BertForPreTraining", "untied", {**untied, "hidden_act": "silu"}, text("pre", types=2))
    no_loss = "there is no loss without both labels"
    s.add("BertForPreTraining", "words-only", ONE_LAYER, text("mlm"), note=no_loss)
    s.add("BertForPreTraining", "next-only", ONE_LAYER, next_only(), note=no_loss)


def next_only() -> Inputs:
    """Whether the second sentence follows, and nothing else to learn from."""
    return also(text(labels=False), next_sentence_label=lambda inputs, random: random.ints(0, 2, (B,)))


def classifiers(s: Any) -> None:
    """The classes that answer with labels."""
    dropout = {"classifier_dropout": 0.3, "num_labels": 3}
    query = relative("relative_key_query")
    ignored = {**ONE_LAYER, **relative(), "num_labels": 5}
    s.add("BertForNextSentencePrediction", "relative", ignored, text("nsp", types=2))
    single = {**dropout, "problem_type": "single_label_classification"}
    s.add("BertForSequenceClassification", "dropout", single, text("seq", n_labels=3, left=True))
    several = {**ONE_LAYER, "num_labels": 4, "problem_type": "regression"}
    s.add("BertForSequenceClassification", "regression-several", several, text("reg", n_labels=4))
    s.add("BertForMultipleChoice", "embeds", {**query, **dropout}, text("mc", embeds=D, types=2, heads=(2, 4)))
    s.add("BertForTokenClassification", "pruned", {**PRUNED, **dropout}, text("tok", n_labels=3))
    chunked = {"chunk_size_feed_forward": 9, "hidden_act": "relu"}
    s.add("BertForQuestionAnswering", "far-off", chunked, also(text("qa", mask=False), start_positions=far_off))
