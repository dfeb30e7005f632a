"""CamemBERT's golden cases that are in the repository: the options that RoBERTa's layers read, once each.

`make_case.py --cases tests/golden/cases/camembert.py --out FOLDER --seed 4245` writes them; the cases without a variant
and those called `nomask` come from a run of its own list. `tx` and `transformers` are names that it lends to this file.
"""
# ruff: noqa: F821

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: Vocabulary, rows, length and width of every case.
V, B, T, D = 61, 2, 9, 24

DECODER = {"is_decoder": True}
KEY, QUERY = ({"position_embedding_type": kind} for kind in ("relative_key", "relative_key_query"))


def text(task: str | None = None, **options: Any) -> Callable[[Any], dict[str, Any]]:
    """Inputs of the common size: `tx` says what the options are."""
    return tx(task, V, **{"B": B, "S": T, "pad": 1, **options})


def cases(s: Any) -> None:
    """Add every case."""
    small = dict(vocab_size=V, hidden_size=D, num_hidden_layers=1, num_attention_heads=4, intermediate_size=17)
    common = {**small, "max_position_embeddings": 20, "layer_norm_eps": 0.02}
    s.arch("camembert", transformers.CamembertConfig, common)
    cross = {**DECODER, **QUERY, "add_cross_attention": True}
    s.add("CamembertModel", "decoder-relative", {**DECODER, **KEY}, text(mask=False), cache_steps=[5, 1, 1, 1, 1])
    s.add("CamembertModel", "relative-query", {**QUERY, "hidden_act": "relu"}, text(embeds=D, heads=(4,), types=2))
    s.add("CamembertForCausalLM", "cross", cross, text("clm", cross=(D, 6)))
    s.add("CamembertForMaskedLM", "untied", {**KEY, "tie_word_embeddings": False}, text("mlm", types=2))
