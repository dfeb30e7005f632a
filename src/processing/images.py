"""Images as they come: PIL's, arrays of any framework, files; and as arrays whose channels are known."""

from __future__ import annotations

import base64
import binascii
import contextlib
import io
import os
import urllib.request
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..files.errors import FileError, InputError, MissingDependencyError, three_beats
from ..tokenization.tensors import library_of, to_array

if TYPE_CHECKING:
    from PIL.Image import Image

#: What a processor takes for an image: PIL's, an array or tensor, the path of a file, or a text of base64.
ImageInput: TypeAlias = Any

#: The formats that are read from files. Pillow knows more, and starts other programs for some.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "ICO", "TGA", "JPEG2000")
#: The most bytes that are fetched from an address.
LARGEST_DOWNLOAD = 2**28
#: How many channels an image has.
CHANNELS = (1, 3)


class ChannelDimension(StrEnum):
    """Where an array has its channels."""

    FIRST = "channels_first"
    LAST = "channels_last"

    @classmethod
    def _missing_(cls, value: object) -> Any:
        raise InputError(three_beats(f"{value!r}", "'channels_first' or 'channels_last'", "Correct the argument."))


def pillow() -> Any:
    """Pillow's module of images.

    Raises:
        MissingDependencyError: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        remedy = "Run: pip install 'triformers[vision]'."
        raise MissingDependencyError(three_beats("images need Pillow", "it to be installed", remedy)) from error
    return Image


# ---- files --------------------------------------------------------------------------------------------------


def load_image(image: ImageInput, timeout: float | None = None, allow_urls: bool = False) -> Image:
    """An image upright, as red, green and blue.

    Args:
        image: The path of a file, a text of base64 (`data:image/...;base64,` before it or not), an address if that is
            allowed, or PIL's image.
        timeout: How many seconds an address may take.
        allow_urls: Whether it may be an address, which is then fetched.

    Raises:
        FileError: There is no such file, it is no image, it is cut off, or has too many pixels.
        InputError: It is none of these, or an address that was not asked for.
    """
    if isinstance(image, pillow().Image):
        opened = _complete(image, "the image")
    elif isinstance(image, (str, os.PathLike)):
        opened = _opened(os.fspath(image), timeout, allow_urls)
    else:
        raise not_an_image(image)
    from PIL import ImageOps

    return ImageOps.exif_transpose(opened).convert("RGB")


def _opened(text: str, timeout: float | None, allow_urls: bool) -> Image:
    if text.startswith(("http://", "https://")):
        if not allow_urls:
            remedy = "Call fetch_images(address), or load_image(address, allow_urls=True), if it is to be fetched."
            raise InputError(three_beats(f"{text[:80]} is an address", "an image, or the path of a file", remedy))
        return _decoded(io.BytesIO(_fetched(text, timeout)), text)
    if os.path.isfile(text):
        return _decoded(text, text)
    data = text.partition(",")[2] if text.startswith("data:image/") else text
    try:
        content = base64.b64decode(data.encode(), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        content = b""
    shown = text if len(text) <= 80 else text[:77] + "..."
    if not content:
        raise FileError(three_beats(f"there is no file {shown}", "an image, or the path of one", "Correct the path."))
    return _decoded(io.BytesIO(content), shown)


def _fetched(address: str, timeout: float | None) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=timeout) as answer:
            content = answer.read(LARGEST_DOWNLOAD + 1)
    except OSError as error:
        raise FileError(three_beats(f"{address}: {error}", "an answer", "Check the address.")) from error
    if len(content) > LARGEST_DOWNLOAD:
        raise FileError(three_beats(f"{address} has more than {LARGEST_DOWNLOAD} bytes", "fewer", "Fetch it yourself."))
    return content


def _decoded(source: Any, where: str) -> Image:
    """An image read whole, from a file that is not trusted."""
    module = pillow()
    with _refusals(where):
        module.init()  # so that Pillow says which of them this build of it reads
        image = module.open(source, formats=[name for name in FORMATS if name in module.OPEN])
        limit = module.MAX_IMAGE_PIXELS
        if limit is not None and image.width * image.height > limit:
            found = f"{where} has {image.width} x {image.height} pixels"
            remedy = "Make it smaller, or set PIL.Image.MAX_IMAGE_PIXELS higher if you trust it."
            raise FileError(three_beats(found, f"at most {limit}", remedy))
        image.load()
    return image


def _complete(image: Image, where: str) -> Image:
    """PIL's image with its pixels read, which it may put off."""
    with _refusals(where):
        image.load()
    return image


@contextlib.contextmanager
def _refusals(where: str) -> Iterator[None]:
    """Pillow's many ways to refuse a file, as one error."""
    module = pillow()
    try:
        yield
    except FileError:
        raise
    except (module.DecompressionBombError, module.DecompressionBombWarning) as error:
        remedy = "Make it smaller, or set PIL.Image.MAX_IMAGE_PIXELS higher if you trust it."
        raise FileError(three_beats(f"{where}: {error}", "fewer pixels", remedy)) from error
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, OverflowError, MemoryError) as error:
        found = f"{where} cannot be read as an image ({error})"
        raise FileError(three_beats(found, "a whole file of a known format", "Fetch or save it again.")) from error


# ---- arrays -------------------------------------------------------------------------------------------------


def make_list_of_images(images: ImageInput, expected_ndims: int = 3) -> list[ImageInput]:
    """One image, several, or an array of several, as a list.

    Args:
        images: What a processor was given.
        expected_ndims: The axes of one image's array; one more is a batch.

    Raises:
        InputError: There is none, or an array has other axes.
    """
    if isinstance(images, (list, tuple)):
        if not images:
            raise InputError(three_beats("an empty list of images", "one image at least", "Give some."))
        return list(images)
    if library_of(images) is None:
        return [images]
    axes = len(images.shape)
    if axes not in (expected_ndims, expected_ndims + 1):
        found = f"an array of shape {list(images.shape)}"
        expected = f"{expected_ndims} axes for an image, {expected_ndims + 1} for a batch"
        raise InputError(three_beats(found, expected, "Give a grey image an axis of one channel: array[..., None]."))
    return [images] if axes == expected_ndims else list(images)


def to_numpy_array(image: ImageInput) -> np.ndarray:
    """An image as an array [Y, X, C] or [C, Y, X]; [Y, X] of PIL's grey ones.

    Raises:
        FileError: It is the path of a file that cannot be read.
        InputError: It is no image, has no pixels, or holds what is no number.
    """
    if isinstance(image, (str, os.PathLike)):
        array = np.asarray(load_image(image))
    elif library_of(image) is not None:
        array = to_array(image)
    elif isinstance(image, pillow().Image):
        array = np.array(_complete(image, "the image"))
    else:
        raise not_an_image(image)
    if array.dtype.kind not in "biuf":
        raise InputError(three_beats(f"an image of {array.dtype} elements", "numbers", "Convert it."))
    if array.size == 0:
        remedy = "Leave it out, or check how it was cut."
        raise InputError(three_beats(f"an image of shape {list(array.shape)}", "at least one pixel", remedy))
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        found = "an image with numbers that are NaN or infinite"
        raise InputError(three_beats(found, "finite numbers", "Check where it comes from."))
    return array


def not_an_image(image: object) -> InputError:
    """The refusal of what is no image."""
    found = f"a {type(image).__name__} in the place of an image"
    expected = "PIL's image, an array of NumPy, PyTorch, TensorFlow or JAX, or the path of a file"
    return InputError(three_beats(found, expected, "Convert it."))


def convert_to_rgb(image: ImageInput) -> ImageInput:
    """PIL's image as red, green and blue, transparency left out; arrays stay."""
    if not isinstance(image, pillow().Image):
        return image
    return _complete(image, "the image").convert("RGB")


def infer_channel_dimension_format(
    image: np.ndarray, num_channels: int | Sequence[int] | None = None
) -> ChannelDimension:
    """Where an array has its channels; first where both ends could be.

    Args:
        image: [..., C, Y, X] or [..., Y, X, C], of three or four axes.
        num_channels: How many there can be; one or three if None.

    Raises:
        InputError: It has other axes, or neither end can be channels.
    """
    counts = CHANNELS if num_channels is None else np.atleast_1d(num_channels).tolist()
    if image.ndim not in (3, 4):
        found = f"an image of {image.ndim} axes"
        remedy = "Convert it: do_convert_rgb=True for PIL's grey and palette images, array[..., None] for arrays."
        raise InputError(three_beats(found, "an axis of channels beside rows and columns", remedy))
    if image.shape[-3] in counts:
        return ChannelDimension.FIRST
    if image.shape[-1] in counts:
        return ChannelDimension.LAST
    found = f"an image of shape {list(image.shape)}"
    expected = f"{' or '.join(map(str, counts))} channels, first or last"
    raise InputError(three_beats(found, expected, "Convert it to RGB, or pass input_data_format."))


def channel_format(image: np.ndarray, given: ChannelDimension | str | None = None) -> ChannelDimension:
    """Where an array has its channels, as the caller says or as it looks."""
    return infer_channel_dimension_format(image) if given is None else ChannelDimension(given)


def get_image_size(image: np.ndarray, channel_dim: ChannelDimension | str | None = None) -> tuple[int, int]:
    """Rows and columns of an array."""
    rows = -2 if channel_format(image, channel_dim) is ChannelDimension.FIRST else -3
    return image.shape[rows], image.shape[rows + 1]


def is_scaled_image(image: np.ndarray) -> bool:
    """Whether an array's numbers look like ones between 0 and 1 already."""
    return image.dtype != np.uint8 and bool(image.min() >= 0 and image.max() <= 1)
