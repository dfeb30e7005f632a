"""Images and sounds as a model's inputs, on NumPy and Pillow. No framework is imported, and Pillow only for images."""

from .base import Preprocessor
from .batch_feature import BatchFeature
from .feature_extractor import FeatureExtractionMixin
from .image_processor import BaseImageProcessor, ImageProcessingMixin
from .processor import ProcessorMixin
from .sequence_features import SequenceFeatureExtractor

__all__ = [
    "BaseImageProcessor",
    "BatchFeature",
    "FeatureExtractionMixin",
    "ImageProcessingMixin",
    "Preprocessor",
    "ProcessorMixin",
    "SequenceFeatureExtractor",
]
