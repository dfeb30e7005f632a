"""The image processor of ConvNeXT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...processing.batch_feature import BatchFeature
from ...processing.image_processor import BaseImageProcessor
from ...processing.images import ChannelDimension, ImageInput
from ...processing.sizes import get_size_dict, sides
from ...processing.transforms import (
    Format,
    center_crop,
    get_resize_output_image_size,
    resize_to,
    to_channel_dimension_format,
)

#: From this side on an image is resized as a whole; below, its middle is cut out of a larger one.
WHOLE = 384


class ConvNextImageProcessor(BaseImageProcessor):
    """Resizes images to squares, of the middle or of the whole, rescales and normalizes them.

    Args:
        do_resize: Whether to resize.
        size: The side of the answer, as `shortest_edge`. Below 384 the shorter side is first made 1 / `crop_pct` of
            it, and the middle cut out; from 384 on the whole image is made a square.
        crop_pct: How much of the shorter side is left when the middle is cut out; 224 / 256 if None.
        resample: Pillow's filter for resizing: 0 nearest, 1 Lanczos, 2 bilinear, 3 bicubic, 4 box, 5 Hamming.
        do_rescale: Whether to multiply with `rescale_factor`.
        rescale_factor: What brings 8-bit numbers between 0 and 1.
        do_normalize: Whether to subtract `image_mean` and divide by `image_std`.
        image_mean: One number, or one for each channel.
        image_std: The same.
        kwargs: Further options, which are kept.

    Raises:
        InputError: `size` is none.
    """

    model_input_names = ["pixel_values"]

    def __init__(
        self,
        do_resize: bool = True,
        size: Mapping[str, int] | int | None = None,
        crop_pct: float | None = None,
        resample: int = 2,
        do_rescale: bool = True,
        rescale_factor: float = 1 / 255,
        do_normalize: bool = True,
        image_mean: float | list[float] | None = None,
        image_std: float | list[float] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.do_resize = do_resize
        self.size = get_size_dict({"shortest_edge": 384} if size is None else size, default_to_square=False)
        self.crop_pct = 224 / 256 if crop_pct is None else crop_pct
        self.resample = resample
        self.do_rescale = do_rescale
        self.rescale_factor = rescale_factor
        self.do_normalize = do_normalize
        self.image_mean = [0.5, 0.5, 0.5] if image_mean is None else image_mean
        self.image_std = [0.5, 0.5, 0.5] if image_std is None else image_std

    def resize(
        self,
        image: np.ndarray,
        size: Mapping[str, int],
        crop_pct: float,
        resample: int = 3,
        data_format: Format = None,
        input_data_format: Format = None,
    ) -> np.ndarray:
        """The image as a square of the size's `shortest_edge`.

        Raises:
            InputError: The size names other sides, or the image's numbers have no 8-bit form.
        """
        (side,) = sides(get_size_dict(size, default_to_square=False), "shortest_edge")
        square = {"height": side, "width": side}
        if side >= WHOLE:
            return resize_to(image, square, resample, data_format, input_data_format)
        shorter = int(side / crop_pct)
        rows, columns = get_resize_output_image_size(image, shorter, False, input_data_format=input_data_format)
        larger = resize_to(image, {"height": rows, "width": columns}, resample, data_format, input_data_format)
        return center_crop(larger, (side, side), data_format, data_format or input_data_format)

    def preprocess(
        self,
        images: ImageInput,
        do_resize: bool | None = None,
        size: Mapping[str, int] | int | None = None,
        crop_pct: float | None = None,
        resample: int | None = None,
        do_rescale: bool | None = None,
        rescale_factor: float | None = None,
        do_normalize: bool | None = None,
        image_mean: float | list[float] | None = None,
        image_std: float | list[float] | None = None,
        return_tensors: str | None = None,
        data_format: ChannelDimension | str = ChannelDimension.FIRST,
        input_data_format: Format = None,
    ) -> BatchFeature:
        """Turn images into `pixel_values`; what is None is as the processor has it.

        Args:
            images: One image or several: PIL's, arrays of any framework, paths of files.
            return_tensors: "pt", "tf", "jax" or "np"; a list of NumPy arrays if None.
            data_format: Where the answer has its channels.
            input_data_format: Where the images have theirs, as they look if None.

        Raises:
            FileError: A file cannot be read.
            InputError: What was given is no image, has other channels, or cannot be one array.
        """
        options = self.chosen(
            do_resize=do_resize, size=size, crop_pct=crop_pct, resample=resample, do_rescale=do_rescale,
            rescale_factor=rescale_factor, do_normalize=do_normalize, image_mean=image_mean, image_std=image_std,
        )  # fmt: skip
        arrays, form = self.opened(images, input_data_format, None, options["do_rescale"])
        if options["do_resize"]:
            resizing = options["size"], options["crop_pct"], options["resample"]
            arrays = [self.resize(array, *resizing, None, form) for array in arrays]
        if options["do_rescale"]:
            arrays = [self.rescale(array, options["rescale_factor"], None, form) for array in arrays]
        if options["do_normalize"]:
            mean, std = options["image_mean"], options["image_std"]
            arrays = [self.normalize(array, mean, std, None, form) for array in arrays]
        arrays = [to_channel_dimension_format(array, data_format, form) for array in arrays]
        return BatchFeature({"pixel_values": arrays}, return_tensors)
