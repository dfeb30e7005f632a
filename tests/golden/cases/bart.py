"""BART's golden cases that are in the repository: every option once, as small as shows it.

`make_case.py --cases tests/golden/cases/bart.py --out FOLDER --seed 4242` writes them; the cases without a variant, and
those called `autoshift`, `decoder-inputs`, `nomask` and `cross`, come from a run of its own list. `tx`, `s2s`, `ALL`,
`HID`, `torch` and `transformers` are names that it lends to this file.

4.53.3 does not read its own checkpoints of an encoder and a decoder with `tie_word_embeddings` off: they hold the table
once, and the two come out with fresh ones.
"""
# ruff: noqa: F821

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: Vocabulary, rows, lengths and width of every case, and the token that is padding.
V, B, S, T, D, PAD = 61, 2, 9, 7, 24, 1
#: What makes the arguments of a call from random numbers.
Inputs = Callable[[Any], dict[str, Any]]

STEPS = [3, 2, 2]


def texts(task: str | None = None, **options: Any) -> Inputs:
    """Inputs of the common size: `s2s` says what the options are."""
    return s2s(task, V, **{"B": B, "S": S, "T": T, "pad": PAD, **options})


def text(task: str | None = None, **options: Any) -> Inputs:
    """Inputs of the decoder alone: `tx` says what the options are."""
    return tx(task, V, **{"B": B, "S": S, "pad": PAD, **options})


def also(make: Inputs, **changes: Callable[[dict[str, Any], Any], Any]) -> Inputs:
    """The inputs of `make`, some of them made from the others."""

    def changed(random: Any) -> dict[str, Any]:
        inputs = make(random)
        return {**inputs, **{name: change(inputs, random) for name, change in changes.items()}}

    return changed


def blind_row(inputs: dict[str, Any], random: Any) -> Any:
    """A mask of the encoder whose last row hides everything."""
    mask = inputs["attention_mask"].clone()
    mask[-1] = 0
    return mask


def late_start(inputs: dict[str, Any], random: Any) -> Any:
    """A mask of the decoder that hides the beginning of the last row."""
    mask = torch.ones(B, T, dtype=torch.long)
    mask[-1, :3] = 0
    return mask


def cases(s: Any) -> None:
    """Add every case."""
    small = dict(
        vocab_size=V, d_model=D, max_position_embeddings=20, pad_token_id=PAD, encoder_layers=2, encoder_ffn_dim=17,
        encoder_attention_heads=2, decoder_layers=1, decoder_ffn_dim=29, decoder_attention_heads=4,
    )  # fmt: skip
    s.arch("bart", transformers.BartConfig, small)
    bare(s)
    writers(s)
    classifiers(s)


def bare(s: Any) -> None:
    """BartModel: scaled, masked and switched off in every way, from embeddings, in pieces."""
    scaled = {"scale_embedding": True, "activation_function": "relu", "decoder_layers": 2}
    s.add("BartModel", "scaled", scaled, texts(dec_mask=True), ALL, cache_steps=STEPS)
    heads = {"encoder_layers": 3, "activation_function": "gelu_new"}
    s.add("BartModel", "heads", heads, texts(heads=((3, 2), (1, 4))), ALL, cache_steps=STEPS)
    s.add("BartModel", "embeds", {"scale_embedding": True}, texts(embeds=D, dec_embeds=D), cache_steps=STEPS)
    s.add("BartModel", "blind-row", {}, also(texts(), attention_mask=blind_row))
    late = also(texts(), decoder_attention_mask=late_start)
    s.add("BartModel", "late-start", {}, late, cache_steps=STEPS, compare_mask="decoder_attention_mask")
    s.add("BartModel", "other-start", {"decoder_start_token_id": 9}, texts(dec="none"))


def writers(s: Any) -> None:
    """The classes that predict tokens, tied and not."""
    hole = {"scale_embedding": True, "encoder_layers": 1}
    s.add("BartForConditionalGeneration", "hole", hole, texts("lm", dec="none", label_hole=True), HID)
    untied = {"tie_word_embeddings": False, "scale_embedding": True}
    s.add("BartForCausalLM", "untied", untied, text("clm"), ALL, cache_steps=[4, 3, 2])
    s.add("BartForCausalLM", "left", {}, text("clm", left=True), compare_mask="attention_mask", cache_steps=[4, 3, 2])
    s.add("BartForCausalLM", "embeds", {"scale_embedding": True}, text("clm", embeds=D, mask=False))


def classifiers(s: Any) -> None:
    """The classes that answer with labels."""
    s.add("BartForSequenceClassification", "two-ends", {}, texts("seq", n_labels=3, n_eos=2, dec="none"))
    single = {"num_labels": 1, "encoder_layers": 1}
    s.add("BartForSequenceClassification", "regression", single, texts("reg", n_labels=1, dec="none"))
    several = {"num_labels": 4, "encoder_layers": 1, "problem_type": "multi_label_classification"}
    s.add("BartForSequenceClassification", "multilabel", several, texts("multi", n_labels=4, dec="none"))
    s.add("BartForQuestionAnswering", "decoder-inputs", {"num_labels": 2}, texts("qa", dec_mask=True), HID)
