"""What models of sounds in the three frameworks share: frames, masks over them, statistics, and checks.

Shape letters: B batch, S samples, T frames, D width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..files.errors import ConfigurationError, InputError, three_beats

#: Draws uniform numbers for a purpose, in a shape: `drawn` of a framework's room with a source put in.
Draw = Callable[[str, Sequence[Any]], Any]


# ---- frames -------------------------------------------------------------------------------------------------


def after_convolutions(lengths: Any, kernels: Sequence[int], strides: Sequence[int]) -> Any:
    """The lengths of what convolutions without padding make of these lengths: numbers, or an array of integers."""
    for kernel, stride in zip(kernels, strides, strict=True):
        lengths = (lengths - kernel) // stride + 1
    return lengths


def frame_lengths(lengths: Any, config: Any, add_adapter: bool | None = None) -> Any:
    """How many frames sounds of so many samples have: numbers, or an array of integers.

    Args:
        lengths: Samples.
        config: The model's configuration.
        add_adapter: Whether the adapter has shortened them; as the configuration says if None.
    """
    lengths = after_convolutions(lengths, config.conv_kernel, config.conv_stride)
    if config.add_adapter if add_adapter is None else add_adapter:
        for _ in range(config.num_adapter_layers):  # 4.x counts as if each read one frame at a time
            lengths = (lengths - 1) // config.adapter_stride + 1
    return lengths


def frame_mask(attention_mask: Any, frames: int, config: Any, ops: Any, add_adapter: bool | None = None) -> Any:
    """Which frames hold sound: [B, S] ones and zeros -> [B, frames] truth values.

    Args:
        attention_mask: 1 where there is sound and 0 where it is padding.
        frames: How many frames the model has of a whole row.
        config: The model's configuration.
        ops: The framework's array operations.
        add_adapter: As of `frame_lengths`.
    """
    lengths = frame_lengths(ops.count(attention_mask), config, add_adapter)
    # of a row without a frame 4.x takes all: its last frame is the one before the first
    last = (lengths - 1) % frames
    return ops.arange(frames, lengths)[None] <= last[:, None]


def shortest_sound(config: Any) -> int:
    """The fewest samples that make a frame."""
    samples = 1
    for kernel, stride in zip(reversed(config.conv_kernel), reversed(config.conv_stride), strict=True):
        samples = (samples - 1) * stride + kernel
    return samples


# ---- masks that training puts over frames or features -------------------------------------------------------


class Spans(NamedTuple):
    """How much is masked.

    Attributes:
        part: The part of a row that is covered, spans that overlap counted twice.
        length: The length of a span.
        least: The least number of spans.
    """

    part: float
    length: int
    least: int


def time_spans(config: Any) -> Spans:
    """How much of the frames training masks."""
    return Spans(config.mask_time_prob, config.mask_time_length, config.mask_time_min_masks)


def feature_spans(config: Any) -> Spans:
    """How much of the features training masks."""
    return Spans(config.mask_feature_prob, config.mask_feature_length, config.mask_feature_min_masks)


def span_mask(draw: Draw, name: str, lengths: Any, size: Any, spans: Spans, ops: Any) -> Any:
    """Where random spans lie, as SpecAugment masks (Park et al. 2019, https://arxiv.org/abs/1904.08779): [B, size].

    A row of so many positions gets part * positions / length spans, rounded up or down at random but in the same way
    for all rows; they start at different places and may overlap.

    Args:
        draw: Where random numbers come from.
        name: What they are for.
        lengths: [B], the positions of each row that may be masked.
        size: How many positions there are.
        spans: How much is masked.
        ops: The framework's array operations.
    """
    wide = ops.cast(lengths, "float32")
    rounding = draw(f"{name}.rounding", ())
    count = ops.cast(wide * (spans.part / spans.length) + rounding, "int32")
    most = size // spans.length
    places = ops.cast(lengths, "int32") - (spans.length - 1)  # where a span may start
    count = ops.where(count < spans.least, ops.full_like(count, spans.least), count)
    count = ops.where(count > most, ops.full_like(count, most), count)
    count = ops.where(count > places, places, count)
    drawn = draw(f"{name}.starts", (ops.shape(lengths)[0], size))
    positions = ops.arange(size, count)[None]  # [1, size]
    drawn = ops.where(positions < places[:, None], drawn, ops.full_like(drawn, 2.0))  # those are the last in order
    ranks = ops.argsort(ops.argsort(drawn))
    starts = ops.cast(ops.cast(ranks, "int32") < count[:, None], "int32")
    begun = ops.cumsum(starts)
    ended = ops.concatenate([ops.full_like(begun[:, : spans.length], 0), begun[:, : -spans.length]], 1)
    return begun > ended


# ---- statistics over time -----------------------------------------------------------------------------------


def mean_and_deviation(hidden: Any, lengths: Any, ops: Any) -> Any:
    """The mean and the standard deviation of each feature over time, one after the other: [B, T, D] -> [B, 2 D].

    Args:
        hidden: [B, T, D].
        lengths: [B], the frames that count; below zero, so many less than there are, as in a slice. None for all.
        ops: The framework's array operations.
    """
    if lengths is None:
        weights = ops.full_like(hidden[..., :1], 1)
    else:
        size = ops.shape(hidden)[1]
        lengths = ops.where(lengths < 0, lengths + size, lengths)
        weights = ops.cast_like(ops.arange(size, lengths)[None] < lengths[:, None], hidden)[..., None]  # [B, T, 1]
    number = ops.sum(weights, 1)  # [B, 1]
    mean = ops.sum(hidden * weights, 1) / number
    distance = (hidden - mean[:, None]) * weights
    variance = ops.sum(distance * distance, 1) / (number - 1)
    is_flat = variance == 0  # where a root has no gradient
    deviation = ops.where(is_flat, ops.full_like(variance, 0), ops.where(is_flat, 1.0, variance) ** 0.5)
    return ops.concatenate([mean, deviation], -1)


# ---- checks -------------------------------------------------------------------------------------------------


def checked_sound(sound: Any, config: Any) -> Any:
    """A batch of sounds that are long enough for one frame; a size that is not known may be any.

    Raises:
        InputError: There are none, their shape is another one, or they are too short.
    """
    if sound is None:
        raise InputError(three_beats("got no input_values", "sounds [batch, samples]", "Give some."))
    shape = tuple(sound.shape)
    if len(shape) != 2:
        remedy = "Add a batch dimension: input_values[None]." if len(shape) == 1 else "Give one channel alone."
        raise InputError(three_beats(f"input_values of shape {list(shape)}", "[batch, samples]", remedy))
    least = shortest_sound(config)
    if shape[1] is not None and shape[1] < least:
        remedy = "Pad the sound: padding='max_length', max_length=..."
        raise InputError(three_beats(f"sounds of {shape[1]} samples", f"at least {least}", remedy))
    return sound


def check_sound_mask(mask: Sequence[int | None], sound: Sequence[int | None]) -> None:
    """Refuse an attention mask that does not go with sounds.

    Raises:
        InputError: It is not [batch, samples].
    """
    fits = len(mask) == 2 and all(one == other or None in (one, other) for one, other in zip(mask, sound, strict=True))
    if not fits:
        found, remedy = f"an attention_mask of shape {list(mask)}", "Make it the processor's, one number per sample."
        raise InputError(three_beats(found, str(list(sound)), remedy))


def check_frame_mask(mask: Sequence[int | None], batch: int | None, frames: int | None) -> None:
    """Refuse `mask_time_indices` that do not say of each frame whether it is masked.

    Raises:
        InputError: They are not [batch, frames].
    """
    if len(mask) != 2 or any(
        None not in (one, other) and one != other for one, other in zip(mask, (batch, frames), strict=True)
    ):
        found = f"mask_time_indices of shape {list(mask)}"
        raise InputError(three_beats(found, f"[{batch}, {frames}]", "Give one truth value for each frame."))


def check_spans(spans: Spans, size: int | None, what: str) -> None:
    """Refuse spans that are longer than what they are to lie in.

    Raises:
        InputError: They are.
    """
    if size is not None and spans.length > size:
        found, remedy = f"spans of {spans.length} {what} in {size}", "Give longer sounds, or shorten the spans."
        raise InputError(three_beats(found, f"at most {size}", remedy))


def check_masks_features(masked_spec_embed: object) -> None:
    """Refuse `mask_time_indices` for a model that has nothing to put in the place of masked frames.

    Raises:
        InputError: It has not.
    """
    if masked_spec_embed is None:
        remedy = "Set mask_time_prob or mask_feature_prob in the configuration."
        raise InputError(three_beats("mask_time_indices for a model without masking", "one that masks", remedy))


def check_without_adapter(config: Any, what: str) -> None:
    """Refuse a configuration with an adapter for a class that cannot have one.

    Raises:
        ConfigurationError: It has one.
    """
    if config.add_adapter:
        found, remedy = f"{what} with add_adapter=True", "Set it to False."
        raise ConfigurationError(three_beats(found, "a model without adapter", remedy))


def known_vocabulary(config: Any, what: str) -> int:
    """How many tokens a class scores.

    Raises:
        ConfigurationError: The configuration does not say.
    """
    if config.vocab_size is None:
        found, remedy = f"{what} without a vocab_size", "Set it to the size of the tokenizer's vocabulary."
        raise ConfigurationError(three_beats(found, "the number of tokens", remedy))
    return config.vocab_size


def check_ctc_labels(highest: int, vocabulary: int) -> None:
    """Refuse labels that the vocabulary does not have.

    Raises:
        InputError: One is too large.
    """
    if highest >= vocabulary:
        found, remedy = f"labels contain {highest}", "Check that tokenizer and model belong together."
        raise InputError(three_beats(found, f"0 to {vocabulary - 1}, or -100 for none", remedy))
