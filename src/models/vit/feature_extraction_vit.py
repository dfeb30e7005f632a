"""The image processor of ViT under its old name."""

from __future__ import annotations

import warnings
from typing import Any

from .image_processing_vit import ViTImageProcessor


class ViTFeatureExtractor(ViTImageProcessor):
    """`ViTImageProcessor` under its old name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        message = "`ViTFeatureExtractor` is the old name of `ViTImageProcessor`."
        warnings.warn(message, FutureWarning, stacklevel=2)
        super().__init__(*args, **kwargs)
