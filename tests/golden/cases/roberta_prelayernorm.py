"""RoBERTa-PreLayerNorm's golden cases that are in the repository: each option that its layers show.

`make_case.py --cases tests/golden/cases/roberta_prelayernorm.py --out FOLDER --seed 4244` writes them; the cases
without a variant and those called `nomask` come from a run of its own list. `tx`, `ALL` and `transformers` are names
that it lends to this file.
"""
# ruff: noqa: F821

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: Vocabulary, rows, length and width of every case.
V, B, T, D = 61, 2, 9, 24

ONE_LAYER = {"num_hidden_layers": 1}
DECODER = {"is_decoder": True}
CROSS = {**DECODER, "add_cross_attention": True}
KEY, QUERY = ({"position_embedding_type": kind} for kind in ("relative_key", "relative_key_query"))
PRUNED = {"pruned_heads": {0: [1, 3], 1: [0]}}
#: 4.53.3 reads chunks of several tokens with the distances of others.
SINGLY = [5, 1, 1, 1, 1]


def text(task: str | None = None, **options: Any) -> Callable[[Any], dict[str, Any]]:
    """Inputs of the common size: `tx` says what the options are."""
    return tx(task, V, **{"B": B, "S": T, "pad": 1, **options})


def cases(s: Any) -> None:
    """Add every case."""
    small = dict(vocab_size=V, hidden_size=D, num_hidden_layers=2, num_attention_heads=4, intermediate_size=17)
    common = {**small, "max_position_embeddings": 20, "layer_norm_eps": 0.02}
    s.arch("roberta-prelayernorm", transformers.RobertaPreLayerNormConfig, common)
    bare, untied = "RobertaPreLayerNormModel", {"tie_word_embeddings": False}
    s.add(bare, "embeds", {**ONE_LAYER, "hidden_act": "tanh"}, text(embeds=D, types=2))
    s.add(bare, "pad-5", {**ONE_LAYER, "pad_token_id": 5}, text(pad=5, mask_dim=3))
    s.add(bare, "positions", {**ONE_LAYER, "chunk_size_feed_forward": 3}, text(pos="random:20", left=True))
    s.add(bare, "relative-query", {**ONE_LAYER, **QUERY}, text(heads=(4,)), ALL)
    s.add(bare, "pruned", PRUNED, text(), ALL)
    s.add(bare, "decoder", DECODER, text(types=2, mask=False), ALL, cache_steps=[5, 1, 3])
    s.add(bare, "decoder-relative", {**DECODER, **KEY}, text(mask=False), cache_steps=SINGLY)
    s.add(bare, "cross", CROSS, text(cross=(D, 6), heads=(2, 4), mask=False), ALL, cache_steps=[5, 1, 3])
    s.add("RobertaPreLayerNormForCausalLM", "cross", {**CROSS, **ONE_LAYER}, text("clm", cross=(D, 6)))
    s.add("RobertaPreLayerNormForMaskedLM", "untied", {**untied, **ONE_LAYER, **KEY}, text("mlm", types=2))
    s.add("RobertaPreLayerNormForMultipleChoice", "embeds", {**ONE_LAYER, **QUERY}, text("mc", embeds=D, types=2))
