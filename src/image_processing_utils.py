"""The bases of image processors under the module path of 4.x."""

from .processing import BaseImageProcessor, BatchFeature, ImageProcessingMixin
from .processing.sizes import get_size_dict

__all__ = ["BaseImageProcessor", "BatchFeature", "ImageProcessingMixin", "get_size_dict"]
