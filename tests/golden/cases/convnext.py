"""ConvNeXT's golden cases that are in the repository: every option once, as small as shows it.

`make_case.py --cases tests/golden/cases/convnext.py --out FOLDER --seed 4242` writes them; the cases without a variant,
and those called `plain`, `odd-size` and `last-only`, come from a run of its own list. `img`, `HID`, `torch` and
`transformers` are names that it lends to this file.
"""
# ruff: noqa: F821

from __future__ import annotations

from typing import Any


def pixels(rows: int, columns: int, **options: Any) -> Any:
    """Images of a size: `img` says what the options are."""
    return img(None, rows, columns, labels=False, **options)


def cases(s: Any) -> None:
    """Add every case."""
    small = dict(num_stages=2, hidden_sizes=[4, 6], depths=[1, 2], image_size=16, layer_norm_eps=0.02)
    s.arch("convnext", transformers.ConvNextConfig, small)
    s.add("ConvNextModel", "noscale", {"layer_scale_init_value": 0.0, "hidden_act": "relu"}, pixels(16, 16), HID)
    s.add(
        "ConvNextModel", "patch", {"patch_size": 3, "num_channels": 2, "hidden_act": "silu"}, pixels(14, 19, channels=2)
    )
    s.add("ConvNextModel", "one-stage", {"num_stages": 1, "hidden_sizes": [5], "depths": [2]}, pixels(9, 8), HID)
    several = {"num_labels": 4}
    s.add("ConvNextForImageClassification", "multilabel", several, img("multi", 16, 20, n_labels=4))
    s.add("ConvNextForImageClassification", "regression", {"num_labels": 1}, img("reg", 16, 16, n_labels=1), HID)
    s.add("ConvNextForImageClassification", "nolabels", {"num_labels": 0}, pixels(16, 16))
    s.add("ConvNextBackbone", "stem", {"out_features": ["stem", "stage1", "stage2"]}, pixels(17, 24), HID)
    s.add("ConvNextBackbone", "indices", {"out_indices": [-2]}, pixels(16, 16))
