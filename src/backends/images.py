"""What models of images in the three frameworks share: sizes, checks, and how a grid of positions changes its size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from ..files.errors import InputError, three_beats

Token = TypeVar("Token")

#: The constant of the cubic convolution (Keys 1981, IEEE Trans. ASSP 29) that resizes positions.
CUBIC = -0.75


def pair(size: int | Sequence[int]) -> tuple[int, int]:
    """Rows and columns: of a square if it is one number."""
    rows, columns = (size, size) if isinstance(size, int) else size
    return rows, columns


def patch_grid(image: int | Sequence[int], patch: int | Sequence[int]) -> tuple[int, int]:
    """How many rows and columns of whole patches an image has."""
    (rows, columns), (height, width) = pair(image), pair(patch)
    return rows // height, columns // width


class BackboneBase:
    """What a backbone says of the maps that it gives: those of the stages that its configuration names."""

    config: Any

    @property
    def stage_names(self) -> list[str]:
        """The stages that there are."""
        return self.config.stage_names

    @property
    def out_features(self) -> list[str]:
        """The stages whose maps are given."""
        return self.config.out_features

    @property
    def out_indices(self) -> list[int]:
        """Their numbers among all stages."""
        return self.config.out_indices

    @property
    def num_features(self) -> list[int]:
        """The channels of every stage's map."""
        return stage_channels(self.config)

    @property
    def out_feature_channels(self) -> dict[str, int]:
        """Stage -> the channels of its map."""
        return dict(zip(self.stage_names, self.num_features, strict=True))

    @property
    def channels(self) -> list[int]:
        """The channels of each map that is given."""
        return list(chosen_channels(self.config).values())


def chosen_channels(config: Any) -> dict[str, int]:
    """Stage -> the channels of its map, of those whose maps a backbone gives."""
    every = dict(zip(config.stage_names, stage_channels(config), strict=True))
    return {name: every[name] for name in config.out_features}


def stage_channels(config: Any) -> list[int]:
    """The channels of each stage's map, the stem first, which has those of the first stage."""
    return [config.hidden_sizes[0], *config.hidden_sizes]


def pixel_shape(config: Any) -> tuple[int, int, int, int]:
    """The shape of one image for a model: [1, C, Y, X]."""
    return (1, config.num_channels, *pair(config.image_size))


def check_pixels(shape: Sequence[int | None] | None, channels: int, size: int | Sequence[int] | None = None) -> None:
    """Refuse what are no images that a model reads; a size that is not known yet may be any.

    Args:
        shape: That of the images, None where none were given.
        channels: How many channels the model reads.
        size: The size that they must have, if any.

    Raises:
        InputError: There are no images, or they have other axes, channels or another size.
    """
    if shape is None:
        raise InputError(three_beats("got no pixel_values", "images [batch, channels, rows, columns]", "Give some."))
    if len(shape) != 4:
        remedy = "Add a batch dimension: pixel_values[None]." if len(shape) == 3 else "Use what the processor answers."
        raise InputError(
            three_beats(f"pixel_values of shape {list(shape)}", "[batch, channels, rows, columns]", remedy)
        )
    if shape[1] not in (channels, None):
        remedy = "Put the channels first, or set num_channels in the configuration."
        raise InputError(three_beats(f"pixel_values with {shape[1]} channels", f"{channels} channels", remedy))
    expected = None if size is None else pair(size)
    if expected is not None and any(
        given not in (wanted, None) for given, wanted in zip(shape[2:], expected, strict=True)
    ):
        found, wanted = (f"{rows} x {columns}" for rows, columns in (shape[2:], expected))
        remedy = "Resize them with the image processor, or pass interpolate_pos_encoding=True."
        raise InputError(three_beats(f"images of {found} pixels", wanted, remedy))


def check_patches(shape: Sequence[int | None], count: int) -> None:
    """Refuse a mask of patches that does not have one entry for each.

    Raises:
        InputError: It has not.
    """
    if len(shape) != 2 or shape[1] not in (count, None):
        found = f"bool_masked_pos of shape {list(shape)}"
        raise InputError(three_beats(found, f"[batch, {count}]", "Give one truth value for each patch."))


def check_mask_token(mask_token: Token | None) -> Token:
    """What masked patches are replaced with.

    Raises:
        InputError: It has nothing.
    """
    if mask_token is None:
        remedy = "Make the model with use_mask_token=True, or use its class for masked image modelling."
        raise InputError(three_beats("bool_masked_pos for a model without a mask token", "one that has it", remedy))
    return mask_token


def check_reconstruction(pixels: Sequence[int | None], made: Sequence[int | None]) -> None:
    """Refuse to compare images with those that were made up for them where the two differ in size.

    Raises:
        InputError: They do.
    """
    if any(None not in sizes and sizes[0] != sizes[1] for sizes in zip(pixels[2:], made[2:], strict=True)):
        found, expected = (f"{rows} x {columns}" for rows, columns in (made[2:], pixels[2:]))
        remedy = "Set encoder_stride to the patch_size, and give images of whole patches."
        raise InputError(three_beats(f"a reconstruction of {found} pixels", f"{expected}, as the images", remedy))


def drop_path_rates(config: Any) -> list[list[float]]:
    """The part of the rows that each layer of each stage leaves out, more from layer to layer."""
    rates = iter(np.linspace(0.0, config.drop_path_rate, sum(config.depths)).tolist())
    return [[next(rates) for _ in range(depth)] for depth in config.depths]


def bicubic_weights(source: int, target: int) -> np.ndarray:
    """What each of `source` samples has to do with each of `target` between them: [target, source], rows of sum 1.

    Cubic convolution with the centres of the samples half a step from the borders, beyond which the last one is
    repeated: PyTorch's `interpolate(mode="bicubic")`. TensorFlow and JAX have other constants.
    """
    centres = (np.arange(target) + 0.5) * (source / target) - 0.5
    first = np.floor(centres).astype(np.int64)
    weights = np.zeros((target, source))
    for tap in range(-1, 3):
        share = _cubic(np.abs(centres - (first + tap)))
        np.add.at(weights, (np.arange(target), np.clip(first + tap, 0, source - 1)), share)
    return weights


def _cubic(distance: np.ndarray) -> np.ndarray:
    near = ((CUBIC + 2) * distance - (CUBIC + 3)) * distance**2 + 1
    far = ((distance - 5) * distance + 8) * distance * CUBIC - 4 * CUBIC
    return np.where(distance <= 1, near, far)
