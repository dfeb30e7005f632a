"""The bases of image processors: what turns images into a model's inputs."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from ..files.errors import InputError, three_beats
from . import transforms
from .base import Preprocessor, read_values
from .batch_feature import BatchFeature
from .images import (
    ChannelDimension,
    ImageInput,
    channel_format,
    convert_to_rgb,
    is_scaled_image,
    load_image,
    make_list_of_images,
    to_numpy_array,
)
from .sizes import get_size_dict, sides
from .transforms import Format

logger = logging.getLogger(__name__)


class ImageProcessingMixin(Preprocessor):
    """A preprocessor that its file calls an image processor."""

    type_key: ClassVar[str] = "image_processor_type"
    constructed: ClassVar[tuple[str, ...]] = ("size", "crop_size")

    @classmethod
    def get_image_processor_dict(
        cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The raw values of the file, and the keyword arguments that did not say where to find it."""
        return read_values(pretrained_model_name_or_path, kwargs)

    @classmethod
    def from_dict(cls, image_processor_dict: Mapping[str, Any], **kwargs: Any) -> Any:
        """Build one from plain values; keyword arguments override those that it has."""
        return super().from_dict(image_processor_dict, **kwargs)

    def fetch_images(self, image_url_or_urls: str | list[str]) -> Any:
        """PIL's image, or a list of them, from addresses, which are fetched.

        Raises:
            FileError: An address does not answer, or what it answers is no image.
        """
        if isinstance(image_url_or_urls, (list, tuple)):
            return [self.fetch_images(address) for address in image_url_or_urls]
        return load_image(image_url_or_urls, allow_urls=True)


class BaseImageProcessor(ImageProcessingMixin):
    """An image processor: called with images, it answers with arrays. Its methods do one thing to one array each."""

    def __call__(self, images: ImageInput, **kwargs: Any) -> BatchFeature:
        """Turn images into a model's inputs; the arguments are those of `preprocess`."""
        return self.preprocess(images, **kwargs)

    def preprocess(self, images: ImageInput, **kwargs: Any) -> BatchFeature:
        """Turn images into a model's inputs."""
        raise NotImplementedError(f"{type(self).__name__} has no preprocess of its own")

    # ---- what a call needs ----------------------------------------------------------------------------------

    def chosen(self, **given: Any) -> dict[str, Any]:
        """The options of a call, the processor's own where it gives none.

        Raises:
            InputError: A step is wanted without what it needs.
        """
        options = {name: getattr(self, name) if value is None else value for name, value in given.items()}
        needed = {
            "do_resize": ("size", "resample"),
            "do_rescale": ("rescale_factor",),
            "do_normalize": ("image_mean", "image_std"),
        }
        for step, names in needed.items():
            absent = [name for name in names if options.get(name, "unknown") is None]
            if options[step] and absent:
                raise InputError(three_beats(f"{step} without {absent[0]}", "both", f"Give {absent[0]}."))
        return options

    def opened(
        self, images: ImageInput, input_data_format: Format, to_rgb: bool | None, is_to_be_rescaled: bool
    ) -> tuple[list[np.ndarray], ChannelDimension]:
        """Images as arrays, and where they have their channels.

        Raises:
            FileError: A file cannot be read.
            InputError: What was given is no image, or has no axis of channels.
        """
        every = make_list_of_images(images)
        arrays = [to_numpy_array(convert_to_rgb(image) if to_rgb else image) for image in every]
        formats = [channel_format(array, input_data_format) for array in arrays]
        if is_to_be_rescaled and is_scaled_image(arrays[0]):
            logger.warning("The images look as if they were from 0 to 1 already: pass do_rescale=False if they are.")
        form = formats[0]
        arrays = [
            transforms.to_channel_dimension_format(array, form, own) for array, own in zip(arrays, formats, strict=True)
        ]
        return arrays, form

    # ---- single steps ---------------------------------------------------------------------------------------

    def rescale(
        self,
        image: np.ndarray,
        scale: float,
        data_format: Format = None,
        input_data_format: Format = None,
        **kwargs: Any,
    ) -> np.ndarray:
        """The array times a number; see `transforms.rescale`."""
        return transforms.rescale(image, scale, data_format=data_format, input_data_format=input_data_format, **kwargs)

    def normalize(
        self,
        image: np.ndarray,
        mean: float | Iterable[float],
        std: float | Iterable[float],
        data_format: Format = None,
        input_data_format: Format = None,
        **kwargs: Any,
    ) -> np.ndarray:
        """(image - mean) / std, channel by channel; see `transforms.normalize`."""
        return transforms.normalize(
            image, mean, std, data_format=data_format, input_data_format=input_data_format, **kwargs
        )

    def center_crop(
        self,
        image: np.ndarray,
        size: Mapping[str, int],
        data_format: Format = None,
        input_data_format: Format = None,
        **kwargs: Any,
    ) -> np.ndarray:
        """The middle of an image, of the size's height and width, with zeros around it where it is smaller."""
        wanted = sides(get_size_dict(size), "height", "width")
        return transforms.center_crop(
            image, wanted, data_format=data_format, input_data_format=input_data_format, **kwargs
        )
