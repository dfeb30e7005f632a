"""A user's own configuration, as the guides to custom models teach it: a constructor of its own, checks in it."""

from __future__ import annotations

from typing import Any

from triformers import PretrainedConfig


class ScalerConfig(PretrainedConfig):
    """Of a small convolution-free image model."""

    model_type = "scaler-net"

    def __init__(self, width: int = 6, features: int = 5, initializer_range: float = 0.05, **kwargs: Any) -> None:
        if width < 1:
            raise ValueError(f"width must be positive, got {width}")
        self.width = width
        self.features = features
        self.initializer_range = initializer_range
        super().__init__(**kwargs)
