"""The base of feature extractors under the module path of 4.x."""

from .processing import BatchFeature, FeatureExtractionMixin

__all__ = ["BatchFeature", "FeatureExtractionMixin"]
