"""The image processor of ViT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...processing.batch_feature import BatchFeature
from ...processing.image_processor import BaseImageProcessor
from ...processing.images import ChannelDimension, ImageInput
from ...processing.sizes import get_size_dict
from ...processing.transforms import Format, resize_to, to_channel_dimension_format


class ViTImageProcessor(BaseImageProcessor):
    """Resizes images to one size, rescales and normalizes them.

    Args:
        do_resize: Whether to resize.
        size: Height and width of the answer; one number for a square.
        resample: Pillow's filter for resizing: 0 nearest, 1 Lanczos, 2 bilinear, 3 bicubic, 4 box, 5 Hamming.
        do_rescale: Whether to multiply with `rescale_factor`.
        rescale_factor: What brings 8-bit numbers between 0 and 1.
        do_normalize: Whether to subtract `image_mean` and divide by `image_std`.
        image_mean: One number, or one for each channel.
        image_std: The same.
        do_convert_rgb: Whether PIL's images are made red, green and blue first.
        kwargs: Further options, which are kept.

    Raises:
        InputError: `size` is none.
    """

    model_input_names = ["pixel_values"]

    def __init__(
        self,
        do_resize: bool = True,
        size: Mapping[str, int] | int | None = None,
        resample: int = 2,
        do_rescale: bool = True,
        rescale_factor: float = 1 / 255,
        do_normalize: bool = True,
        image_mean: float | list[float] | None = None,
        image_std: float | list[float] | None = None,
        do_convert_rgb: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.do_resize = do_resize
        self.do_rescale = do_rescale
        self.do_normalize = do_normalize
        self.size = get_size_dict({"height": 224, "width": 224} if size is None else size)
        self.resample = resample
        self.rescale_factor = rescale_factor
        self.image_mean = [0.5, 0.5, 0.5] if image_mean is None else image_mean
        self.image_std = [0.5, 0.5, 0.5] if image_std is None else image_std
        self.do_convert_rgb = do_convert_rgb

    def resize(
        self,
        image: np.ndarray,
        size: Mapping[str, int],
        resample: int = 2,
        data_format: Format = None,
        input_data_format: Format = None,
    ) -> np.ndarray:
        """The image with the size's height and width.

        Raises:
            InputError: The size names other sides, or the image's numbers have no 8-bit form.
        """
        return resize_to(image, get_size_dict(size), resample, data_format, input_data_format)

    def preprocess(
        self,
        images: ImageInput,
        do_resize: bool | None = None,
        size: Mapping[str, int] | int | None = None,
        resample: int | None = None,
        do_rescale: bool | None = None,
        rescale_factor: float | None = None,
        do_normalize: bool | None = None,
        image_mean: float | list[float] | None = None,
        image_std: float | list[float] | None = None,
        return_tensors: str | None = None,
        data_format: ChannelDimension | str = ChannelDimension.FIRST,
        input_data_format: Format = None,
        do_convert_rgb: bool | None = None,
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
            do_resize=do_resize, size=size, resample=resample, do_rescale=do_rescale, rescale_factor=rescale_factor,
            do_normalize=do_normalize, image_mean=image_mean, image_std=image_std, do_convert_rgb=do_convert_rgb,
        )  # fmt: skip
        arrays, form = self.opened(images, input_data_format, options["do_convert_rgb"], options["do_rescale"])
        if options["do_resize"]:
            arrays = [self.resize(array, options["size"], options["resample"], None, form) for array in arrays]
        if options["do_rescale"]:
            arrays = [self.rescale(array, options["rescale_factor"], None, form) for array in arrays]
        if options["do_normalize"]:
            mean, std = options["image_mean"], options["image_std"]
            arrays = [self.normalize(array, mean, std, None, form) for array in arrays]
        arrays = [to_channel_dimension_format(array, data_format, form) for array in arrays]
        return BatchFeature({"pixel_values": arrays}, return_tensors)
