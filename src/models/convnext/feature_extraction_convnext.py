"""The image processor of ConvNeXT under its old name."""

from __future__ import annotations

import warnings
from typing import Any

from .image_processing_convnext import ConvNextImageProcessor


class ConvNextFeatureExtractor(ConvNextImageProcessor):
    """`ConvNextImageProcessor` under its old name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        message = "`ConvNextFeatureExtractor` is the old name of `ConvNextImageProcessor`."
        warnings.warn(message, FutureWarning, stacklevel=2)
        super().__init__(*args, **kwargs)
