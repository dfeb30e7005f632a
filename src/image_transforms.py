"""What is done to images, under the module path of 4.x."""

from .processing.images import convert_to_rgb
from .processing.transforms import (
    center_crop,
    flip_channel_order,
    get_resize_output_image_size,
    normalize,
    pad,
    rescale,
    resize,
    to_channel_dimension_format,
    to_pil_image,
)

__all__ = [
    "center_crop",
    "convert_to_rgb",
    "flip_channel_order",
    "get_resize_output_image_size",
    "normalize",
    "pad",
    "rescale",
    "resize",
    "to_channel_dimension_format",
    "to_pil_image",
]
