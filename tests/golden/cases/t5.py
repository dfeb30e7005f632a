"""T5's golden cases that are in the repository: every option once, as small as shows it.

4.53.3 cannot load pruned heads, and not take a mask of the encoder's heads alone.

`make_case.py --cases tests/golden/cases/t5.py --out FOLDER --seed 4242` writes them. `tx`, `s2s`, `ALL`, `HID`, `torch`
and `transformers` are names that it lends to this file.
"""
# ruff: noqa: F821

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: Vocabulary, rows, lengths and width of every case.
V, B, S, T, D = 61, 2, 9, 8, 24
#: What makes the arguments of a call from random numbers.
Inputs = Callable[[Any], dict[str, Any]]
HEADS = ((2, 4), (3, 4))


def texts(task: str | None = None, **options: Any) -> Inputs:
    """Inputs of both stacks: `s2s` says what the options are."""
    return s2s(task, V, **{"B": B, "S": S, "T": T, "pad": 0, "bos": 0, "eos": 1, **options})


def text(task: str | None = None, **options: Any) -> Inputs:
    """Inputs of the encoder alone: `tx` says what the options are."""
    return tx(task, V, **{"B": B, "S": S, "pad": 0, **options})


def blind(make: Inputs) -> Inputs:
    """The inputs of `make`, with masks that leave some positions nothing to see: padding before a text, and alone."""

    def changed(random: Any) -> dict[str, Any]:
        inputs = make(random)
        inputs["attention_mask"][-1] = 0
        inputs["decoder_attention_mask"][:, :3] = 0
        return inputs

    return changed


def cases(s: Any) -> None:
    """Add every case."""
    small = dict(vocab_size=V, d_model=D, d_kv=6, d_ff=17, num_layers=2, num_decoder_layers=3, num_heads=4)
    positions = dict(relative_attention_num_buckets=8, relative_attention_max_distance=20)
    s.arch(
        "t5",
        transformers.T5Config,
        {**small, **positions, "decoder_start_token_id": 0, "layer_norm_epsilon": 0.02},
    )
    bare(s)
    language_models(s)
    classifiers(s)


STEPS = [4, 1, 3]
GATED = {"feed_forward_proj": "gated-gelu", "d_kv": 5}


def bare(s: Any) -> None:
    """T5Model and T5EncoderModel: gates, heads of other sizes, buckets, masks of every kind."""
    s.add("T5Model", "", {}, texts(dec_mask=True), ALL)
    s.add("T5Model", "gated", GATED, texts(heads=HEADS), ALL, cache_steps=STEPS)
    other = {"feed_forward_proj": "gated-silu", "num_decoder_layers": 1}
    s.add("T5Model", "embeds", other, texts(embeds=D, dec_embeds=D, mask=False), cache_steps=[1, 5, 2])
    odd = {"relative_attention_num_buckets": 11, "relative_attention_max_distance": 6, "feed_forward_proj": "tanh"}
    s.add("T5Model", "odd-buckets", odd, texts(dec_mask=True), cache_steps=STEPS)
    s.add("T5Model", "blind", {"num_decoder_layers": 1, "num_layers": 1}, blind(texts(dec_mask=True)))
    s.add("T5EncoderModel", "", {}, text(), ALL)
    s.add("T5EncoderModel", "gated", {**GATED, "num_layers": 1}, text(embeds=D, heads=(4,)), ALL)


def language_models(s: Any) -> None:
    """T5ForConditionalGeneration, tied and not."""
    s.add("T5ForConditionalGeneration", "", {}, texts("lm", dec="none", label_hole=True), HID)
    untied = {**GATED, "tie_word_embeddings": False, "num_decoder_layers": 2}
    s.add("T5ForConditionalGeneration", "untied", untied, texts("lm", dec_mask=True), ALL, cache_steps=STEPS)
    gelu = {"feed_forward_proj": "gelu", "num_layers": 1}
    s.add("T5ForConditionalGeneration", "embeds", gelu, texts("lm", dec="none", embeds=D))
    s.add("T5ForConditionalGeneration", "nomask", {"d_kv": 3}, texts(mask=False), cache_steps=[3, 2, 1, 2])


def classifiers(s: Any) -> None:
    """The classes that answer with labels."""
    labels = {"num_labels": 3}
    s.add("T5ForQuestionAnswering", "", {}, texts("qa", dec="none"), ALL)
    s.add("T5ForQuestionAnswering", "own-decoder", {**GATED, "num_layers": 1}, texts("qa", heads=((1, 4), (3, 4))))
    s.add("T5ForSequenceClassification", "", labels, texts("seq", dec="none", n_labels=3), ALL)
    several = {"num_labels": 4, "problem_type": "regression", **GATED, "classifier_dropout": 0.3}
    s.add("T5ForSequenceClassification", "several-ends", several, texts("reg", dec="none", n_labels=4, n_eos=2))
    one_layer = {"num_layers": 1, "num_decoder_layers": 1, "num_labels": 4}
    s.add("T5ForSequenceClassification", "multilabel", one_layer, texts("multi", n_labels=4, T=S, mask=False))
    s.add("T5ForTokenClassification", "", labels, text("tok", n_labels=3), ALL)
    s.add("T5ForTokenClassification", "embeds", {**labels, **GATED}, text("tok", n_labels=3, embeds=D, heads=(2, 4)))
