"""Images as they come, under the module path of 4.x."""

from .processing.images import (
    ChannelDimension,
    ImageInput,
    get_image_size,
    infer_channel_dimension_format,
    is_scaled_image,
    load_image,
    make_list_of_images,
    to_numpy_array,
)

__all__ = [
    "ChannelDimension",
    "ImageInput",
    "get_image_size",
    "infer_channel_dimension_format",
    "is_scaled_image",
    "load_image",
    "make_list_of_images",
    "to_numpy_array",
]
