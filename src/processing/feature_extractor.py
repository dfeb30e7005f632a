"""The base of feature extractors: what turns sounds into a model's inputs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar

from .base import Preprocessor, read_values


class FeatureExtractionMixin(Preprocessor):
    """A preprocessor that its file calls a feature extractor."""

    type_key: ClassVar[str] = "feature_extractor_type"

    @classmethod
    def get_feature_extractor_dict(
        cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The raw values of the file, and the keyword arguments that did not say where to find it."""
        return read_values(pretrained_model_name_or_path, kwargs)

    @classmethod
    def from_dict(cls, feature_extractor_dict: Mapping[str, Any], **kwargs: Any) -> Any:
        """Build one from plain values; keyword arguments override those that it has."""
        return super().from_dict(feature_extractor_dict, **kwargs)
