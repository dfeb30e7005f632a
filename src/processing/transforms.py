"""What is done to images, on NumPy and Pillow: resize, crop, pad, rescale, normalize, and put channels first or last.

Arrays are [Y, X, C] or [C, Y, X]; `data_format` says how the answer is wanted, as it came if None, and
`input_data_format` how it comes, as it looks if None.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..fields import short
from ..files.errors import InputError, three_beats
from .images import ChannelDimension, channel_format, get_image_size, pillow
from .sizes import LONGEST_SIDE, sides

if TYPE_CHECKING:
    from PIL.Image import Image

Format: TypeAlias = ChannelDimension | str | None

#: The largest 8-bit number, which stands for 1.
WHITE = 255
#: Pillow's filters by number: nearest, Lanczos, bilinear, bicubic, box, Hamming.
FILTERS = range(6)


def to_channel_dimension_format(image: np.ndarray, channel_dim: Format, input_channel_dim: Format = None) -> np.ndarray:
    """An array with its channels where they are wanted."""
    source = channel_format(image, input_channel_dim)
    target = source if channel_dim is None else ChannelDimension(channel_dim)
    if source is target:
        return image
    return np.moveaxis(image, -1, -3) if target is ChannelDimension.FIRST else np.moveaxis(image, -3, -1)


# ---- numbers ------------------------------------------------------------------------------------------------


def rescale(
    image: np.ndarray,
    scale: float,
    data_format: Format = None,
    dtype: Any = np.float32,
    input_data_format: Format = None,
) -> np.ndarray:
    """The array times a number, computed in float64."""
    scaled = image.astype(np.float64) * scale
    if data_format is not None:
        scaled = to_channel_dimension_format(scaled, data_format, input_data_format)
    return scaled.astype(dtype)


def normalize(
    image: np.ndarray,
    mean: float | Iterable[float],
    std: float | Iterable[float],
    data_format: Format = None,
    input_data_format: Format = None,
) -> np.ndarray:
    """(image - mean) / std, channel by channel; what is not floating becomes float32.

    Args:
        mean: One number, or one for each channel.
        std: The same.

    Raises:
        InputError: There are as many numbers as the image has no channels.
    """
    source = channel_format(image, input_data_format)
    if image.dtype.kind != "f":
        image = image.astype(np.float32)
    last = to_channel_dimension_format(image, ChannelDimension.LAST, source)
    shift, divisor = (
        _per_channel(values, last.shape[-1], what, image.dtype) for values, what in ((mean, "mean"), (std, "std"))
    )
    normed = (last - shift) / divisor
    return to_channel_dimension_format(normed, data_format or source, ChannelDimension.LAST)


def _per_channel(values: Any, channels: int, what: str, dtype: np.dtype) -> np.ndarray:
    try:
        numbers = np.atleast_1d(np.asarray(list(values) if isinstance(values, Iterable) else values, dtype))
    except (TypeError, ValueError):
        numbers = np.empty((0, 0), dtype)
    if numbers.ndim != 1 or len(numbers) not in ((channels,) if isinstance(values, Iterable) else (1,)):
        found, expected = f"image_{what} {short(values)}", f"one number, or {channels}, one for each channel"
        raise InputError(three_beats(found, expected, "Correct the option, or convert the image to RGB."))
    return numbers


# ---- sizes --------------------------------------------------------------------------------------------------


def get_resize_output_image_size(
    input_image: np.ndarray,
    size: int | Sequence[int],
    default_to_square: bool = True,
    max_size: int | None = None,
    input_data_format: Format = None,
) -> tuple[int, int]:
    """Rows and columns that an image gets.

    Args:
        size: A pair as it is; or a number, both sides or the shorter one, and the other in proportion.
        default_to_square: Whether a number is both sides.
        max_size: What the longer side is at most.

    Raises:
        InputError: `max_size` is not larger than the shorter side.
    """
    if not isinstance(size, int):
        if len(size) == 2:
            return size[0], size[1]
        size = size[0]
    if default_to_square:
        return size, size
    height, width = get_image_size(input_image, input_data_format)
    short_side, long_side = min(height, width), max(height, width)
    shorter, longer = size, int(size * long_side / short_side)
    if max_size is not None and max_size <= size:
        found = f"the longer side {max_size} with the shorter side {size}"
        raise InputError(three_beats(found, "a longer one", "Correct the option size."))
    if max_size is not None and longer > max_size:
        shorter, longer = int(max_size * shorter / longer), max_size
    return (longer, shorter) if width <= height else (shorter, longer)


def resize(
    image: np.ndarray,
    size: tuple[int, int],
    resample: int | None = None,
    reducing_gap: int | None = None,
    data_format: Format = None,
    return_numpy: bool = True,
    input_data_format: Format = None,
) -> Any:
    """The image with other rows and columns, by Pillow, in 8 bits.

    Args:
        image: 8-bit numbers, or others that are all whole from 0 to 255, or all from 0 to 1.
        size: Rows and columns.
        resample: One of Pillow's filters; bilinear if None.
        reducing_gap: Pillow's option of that name.
        return_numpy: Whether the answer is an array, or PIL's image.

    Raises:
        InputError: Other numbers, another filter, or sides that no image has.
    """
    resample = int(pillow().Resampling.BILINEAR) if resample is None else resample
    if resample not in FILTERS:
        expected = "0 (nearest), 1 (Lanczos), 2 (bilinear), 3 (bicubic), 4 (box) or 5 (Hamming)"
        raise InputError(three_beats(f"resample is {short(resample)}", expected, "Correct the option."))
    height, width = size
    if not (1 <= height <= LONGEST_SIDE and 1 <= width <= LONGEST_SIDE):
        found, expected = f"an image is to become {height} x {width}", f"sides from 1 to {LONGEST_SIDE}"
        raise InputError(three_beats(found, expected, "Correct the option size, or leave very long images out."))
    source = channel_format(image, input_data_format)
    was_scaled = _is_to_be_scaled(image)
    drawn = to_pil_image(image, was_scaled, input_data_format=source)
    drawn = drawn.resize((width, height), resample=pillow().Resampling(resample), reducing_gap=reducing_gap)
    if not return_numpy:
        return drawn
    array = np.array(drawn)
    array = array[..., None] if array.ndim == 2 else array
    array = to_channel_dimension_format(array, data_format or source, ChannelDimension.LAST)
    return rescale(array, 1 / WHITE) if was_scaled else array


def to_pil_image(
    image: Any, do_rescale: bool | None = None, image_mode: str | None = None, input_data_format: Format = None
) -> Image:
    """An array as PIL's image of 8 bits.

    Args:
        image: The array; PIL's image stays.
        do_rescale: Whether its numbers are from 0 to 1; as they look if None.
        image_mode: The mode of PIL's image, as the channels say if None.

    Raises:
        InputError: Its numbers have no 8-bit form.
    """
    if isinstance(image, pillow().Image):
        return image
    last = to_channel_dimension_format(image, ChannelDimension.LAST, input_data_format)
    last = last[..., 0] if last.shape[-1] == 1 else last
    if _is_to_be_scaled(last) if do_rescale is None else do_rescale:
        last = rescale(last, WHITE)
    drawn = pillow().fromarray(np.ascontiguousarray(last.astype(np.uint8)))
    return drawn if image_mode in (None, drawn.mode) else drawn.convert(image_mode)


def _is_to_be_scaled(image: np.ndarray) -> bool:
    """Whether an array must be multiplied by 255 to be an 8-bit image.

    Raises:
        InputError: Its numbers are neither all whole from 0 to 255 nor all from 0 to 1.
    """
    if image.dtype == np.uint8:
        return False
    low, high = float(image.min()), float(image.max())
    is_whole = bool(np.allclose(image, image.astype(np.int64)))
    if low >= 0 and high <= (WHITE if is_whole else 1):
        return not is_whole
    found = f"an image of numbers from {low:.4g} to {high:.4g}" + ("" if is_whole else ", not all whole")
    expected = f"whole numbers from 0 to {WHITE}, or numbers from 0 to 1"
    raise InputError(three_beats(found, expected, "Bring it into either range, or pass do_resize=False."))


# ---- cutting and filling up ---------------------------------------------------------------------------------


def center_crop(
    image: np.ndarray, size: Sequence[int], data_format: Format = None, input_data_format: Format = None
) -> np.ndarray:
    """The middle of an image, [rows, columns] of it; where the image is smaller, with zeros around it."""
    source = channel_format(image, input_data_format)
    first = to_channel_dimension_format(image, ChannelDimension.FIRST, source)
    for axis, wanted in zip((-2, -1), size, strict=True):
        first = _middle(first, axis, int(wanted))
    return to_channel_dimension_format(first, data_format or source, ChannelDimension.FIRST)


def _middle(image: np.ndarray, axis: int, wanted: int) -> np.ndarray:
    """The middle of one axis; an odd remainder is left over at its end, and filled up at its start."""
    there = image.shape[axis]
    if wanted <= there:
        start = (there - wanted) // 2
        return np.take(image, range(start, start + wanted), axis)
    before = math.ceil((wanted - there) / 2)
    widths = [(0, 0)] * image.ndim
    widths[axis] = (before, wanted - there - before)
    return np.pad(image, widths)


def pad(
    image: np.ndarray,
    padding: int | tuple[int, int] | Iterable[tuple[int, int]],
    mode: str = "constant",
    constant_values: float | Iterable[float] = 0.0,
    data_format: Format = None,
    input_data_format: Format = None,
) -> np.ndarray:
    """The image with a border.

    Args:
        padding: A number for all sides, (before, after) for both axes, or that pair for rows and for columns.
        mode: "constant", "reflect", "replicate" or "symmetric".
        constant_values: What a constant border holds.

    Raises:
        InputError: Another mode.
    """
    modes: dict[str, Any] = {
        "constant": "constant",
        "reflect": "reflect",
        "replicate": "edge",
        "symmetric": "symmetric",
    }
    if mode not in modes:
        raise InputError(three_beats(f"the mode {mode!r}", f"one of {', '.join(modes)}", "Correct the argument."))
    source = channel_format(image, input_data_format)
    rows, columns = _borders(padding)
    borders = ((0, 0), rows, columns) if source is ChannelDimension.FIRST else (rows, columns, (0, 0))
    filling: dict[str, Any] = {"constant_values": constant_values} if mode == "constant" else {}
    padded = np.pad(image, ((0, 0),) * (image.ndim - 3) + borders, mode=modes[mode], **filling)
    return to_channel_dimension_format(padded, data_format or source, source)


def _borders(padding: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    if isinstance(padding, int):
        return (padding, padding), (padding, padding)
    pairs = tuple(padding)
    if isinstance(pairs[0], int):
        return (pairs[0], pairs[-1]), (pairs[0], pairs[-1])
    rows, columns = (tuple(pair) for pair in (pairs[0], pairs[-1]))
    return (rows[0], rows[-1]), (columns[0], columns[-1])


def flip_channel_order(image: np.ndarray, data_format: Format = None, input_data_format: Format = None) -> np.ndarray:
    """Red, green and blue as blue, green and red, and the other way round."""
    source = channel_format(image, input_data_format)
    axis = -3 if source is ChannelDimension.FIRST else -1
    return to_channel_dimension_format(np.flip(image, axis), data_format or source, source)


def resize_to(
    image: np.ndarray, size: Mapping[str, int], resample: int | None, data_format: Format, input_data_format: Format
) -> np.ndarray:
    """`resize` to the sides that an option names: height and width."""
    height, width = sides(size, "height", "width")
    return resize(image, (height, width), resample, data_format=data_format, input_data_format=input_data_format)
