"""ViT's golden cases that are in the repository: every option once, as small as shows it.

`make_case.py --cases tests/golden/cases/vit.py --out FOLDER --seed 4242` writes them; the cases without a variant, and
those called `plain` and `nomask`, come from a run of its own list. `img`, `ALL`, `torch` and `transformers` are names
that it lends to this file.
"""
# ruff: noqa: F821

from __future__ import annotations

from typing import Any

#: A patch's side and the width of every case.
PATCH, D = 4, 12
ANY_SIZE = {"interpolate_pos_encoding": True}
ONE_LAYER = {"num_hidden_layers": 1}


def pixels(rows: int, columns: int, **options: Any) -> Any:
    """Images of a size: `img` says what the options are."""
    return img(None, rows, columns, labels=False, **options)


def cases(s: Any) -> None:
    """Add every case."""
    small = dict(hidden_size=D, num_hidden_layers=2, num_attention_heads=3, intermediate_size=17, layer_norm_eps=0.02)
    s.arch("vit", transformers.ViTConfig, {**small, "image_size": 12, "patch_size": PATCH, "encoder_stride": PATCH})
    bare(s)
    heads(s)


def bare(s: Any) -> None:
    """ViTModel: positions between positions, heads switched off, options of its parts."""
    s.add("ViTModel", "larger", ONE_LAYER, pixels(20, 20), {**ALL, **ANY_SIZE})
    s.add("ViTModel", "smaller", ONE_LAYER, pixels(8, 4), ANY_SIZE)
    s.add("ViTModel", "turned", {**ONE_LAYER, "image_size": 16}, pixels(8, 32), ANY_SIZE)
    s.add("ViTModel", "cut", ONE_LAYER, pixels(15, 22), ANY_SIZE, note="the last rows and columns make no whole patch")
    s.add("ViTModel", "nobias", {"qkv_bias": False, "hidden_act": "relu"}, pixels(12, 12, heads=(2, 3)), ALL)
    other = {"pooler_output_size": 7, "pooler_act": "relu", "hidden_act": "quick_gelu", "num_channels": 2}
    s.add("ViTModel", "pooler", other, pixels(12, 12, channels=2, heads=(3,)))
    s.add("ViTModel", "pruned", {"pruned_heads": {0: [1], 1: [0, 2]}}, pixels(12, 12), ALL)


def heads(s: Any) -> None:
    """The classes with a head."""
    several = {**ONE_LAYER, "num_labels": 4}
    s.add(
        "ViTForImageClassification",
        "regression",
        {**several, "problem_type": "regression"},
        img("reg", 12, 12, n_labels=4),
    )
    s.add("ViTForImageClassification", "multilabel", several, img("multi", 12, 12, n_labels=4))
    s.add("ViTForImageClassification", "larger", {"num_labels": 3}, pixels(16, 24), ANY_SIZE)
    s.add("ViTForImageClassification", "nolabels", {**ONE_LAYER, "num_labels": 0}, pixels(12, 12))
    one = {**ONE_LAYER, "num_channels": 1, "qkv_bias": False}
    s.add("ViTForMaskedImageModeling", "grey", one, img("mim", 12, 12, channels=1, patches=9))
