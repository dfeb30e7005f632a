"""The base of feature extractors that make rows of numbers, and how rows become equally long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..files.errors import ConfigurationError, InputError, three_beats
from ..tokenization.options import PaddingStrategy, TensorType
from ..tokenization.tensors import library_of, to_array
from .batch_feature import BatchFeature
from .feature_extractor import FeatureExtractionMixin

MASK = "attention_mask"


class SequenceFeatureExtractor(FeatureExtractionMixin):
    """A feature extractor whose rows differ in length.

    Args:
        feature_size: How many numbers each step of a row has.
        sampling_rate: The samples of a second of sound.
        padding_value: What rows are filled up with.
        kwargs: `padding_side` ("right" or "left"), `return_attention_mask`; others are kept.

    Raises:
        ConfigurationError: An option that cannot be.
    """

    def __init__(self, feature_size: int, sampling_rate: int, padding_value: float | None, **kwargs: Any) -> None:
        self.feature_size = feature_size
        self.sampling_rate = sampling_rate
        self.padding_value = padding_value
        self.padding_side = kwargs.pop("padding_side", "right")
        self.return_attention_mask = kwargs.pop("return_attention_mask", True)
        super().__init__(**kwargs)
        for name in ("feature_size", "sampling_rate"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ConfigurationError(three_beats(f"{name}={value!r}", "a whole number above 0", "Correct it."))
        if self.padding_side not in ("right", "left"):
            found = f"padding_side={self.padding_side!r}"
            raise ConfigurationError(three_beats(found, "'right' or 'left'", "Correct it."))

    def pad(
        self,
        processed_features: Any,
        padding: bool | str | PaddingStrategy = True,
        max_length: int | None = None,
        truncation: bool = False,
        pad_to_multiple_of: int | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: str | TensorType | None = None,
    ) -> BatchFeature:
        """Make rows equally long.

        Args:
            processed_features: A dict of lists of rows, or a list of dicts of one row each; the extractor's main input
                and, if there is one, its `attention_mask`.
            padding: True or "longest", "max_length", False or "do_not_pad".
            max_length: How long rows become, or are cut to.
            truncation: Whether they are cut.
            pad_to_multiple_of: Lengths are rounded up to a multiple of it.
            return_attention_mask: Whether to say where rows are filled up; as the extractor says if None.
            return_tensors: `pt`, `tf`, `np` or `jax`; the framework of the rows if None.

        Raises:
            InputError: The main input is absent, or a length is needed and not given.
        """
        fields, name = collated(processed_features), self.model_input_names[0]
        if name not in fields:
            found = f"features with {', '.join(map(str, fields)) or 'no field'}"
            raise InputError(three_beats(found, name, "Give what the extractor's call answers."))
        wants_mask = self.return_attention_mask if return_attention_mask is None else return_attention_mask
        if len(fields[name]) == 0:
            return BatchFeature({**fields, MASK: []} if wants_mask else dict(fields))
        strategy = self.strategy(padding, max_length)
        length = limit(max_length, pad_to_multiple_of)
        if truncation and length is None:
            raise InputError(three_beats("truncation=True without max_length", "both", "Give max_length too."))
        kind = return_tensors or library_of(fields[name][0]) or TensorType.NUMPY
        count = len(fields[name])
        rows = [{key: as_row(value[index], key) for key, value in fields.items()} for index in range(count)]
        if truncation:
            rows = [{key: row[:length] if key in (name, MASK) else row for key, row in each.items()} for each in rows]
        if strategy is PaddingStrategy.LONGEST:
            length = limit(max(len(each[name]) for each in rows), pad_to_multiple_of)
        if strategy is PaddingStrategy.DO_NOT_PAD:
            length = None
        filled = [self._filled(each, name, length, wants_mask) for each in rows]
        return as_batch({key: [each[key] for each in filled] for key in filled[0]}, kind)

    def strategy(self, padding: bool | str | PaddingStrategy, max_length: int | None) -> PaddingStrategy:
        """What a `padding` argument means.

        Raises:
            InputError: It asks for a length that is not given, or for a value that the extractor has not.
        """
        names = {True: PaddingStrategy.LONGEST, False: PaddingStrategy.DO_NOT_PAD}
        strategy = names[padding] if isinstance(padding, bool) else PaddingStrategy(padding)
        if strategy is PaddingStrategy.MAX_LENGTH and max_length is None:
            raise InputError(three_beats("padding='max_length' without max_length", "both", "Give max_length too."))
        if strategy is not PaddingStrategy.DO_NOT_PAD and self.padding_value is None:
            remedy = "Set the extractor's padding_value."
            raise InputError(three_beats("padding without a padding_value", "what to fill rows up with", remedy))
        return strategy

    def _filled(
        self, row: Mapping[str, np.ndarray], name: str, length: int | None, wants_mask: bool
    ) -> dict[str, np.ndarray]:
        """One row's fields, filled up to a length; None leaves them."""
        missing = max(0, (length or 0) - len(row[name]))
        filled = dict(row)
        if wants_mask and MASK not in filled:
            filled[MASK] = np.ones(len(row[name]), np.int32)
        place = (0, missing) if self.padding_side == "right" else (missing, 0)
        for key, value in ((name, self.padding_value or 0.0), (MASK, 0)):
            if missing and key in filled:
                axes = [place] + [(0, 0)] * (filled[key].ndim - 1)
                filled[key] = np.pad(filled[key], axes, constant_values=value)
        return {key: value.astype(np.float32) if value.dtype == np.float64 else value for key, value in filled.items()}


def as_batch(fields: Mapping[str, Any], kind: str | TensorType) -> BatchFeature:
    """Fields of rows as tensors of a framework; in NumPy, rows of different lengths are an array of arrays as in 4.x.

    Raises:
        InputError: They are, and it is another framework.
    """
    if TensorType(kind) is TensorType.NUMPY:
        return BatchFeature({name: to_array(rows) for name, rows in fields.items()})
    return BatchFeature(dict(fields), kind)


def collated(features: Any) -> Mapping[str, Any]:
    """A list of dicts of one row each as a dict of lists; a dict stays.

    Raises:
        InputError: It is neither.
    """
    if isinstance(features, (Mapping, BatchFeature)):
        return features
    if (
        isinstance(features, Sequence)
        and features
        and all(isinstance(one, (Mapping, BatchFeature)) for one in features)
    ):
        return {key: [one[key] for one in features] for key in features[0]}
    found, remedy = f"features that are a {type(features).__name__}", "Give what the extractor's call answers."
    raise InputError(three_beats(found, "a dict of lists of rows, or a list of dicts", remedy))


def as_row(value: Any, name: str) -> np.ndarray:
    """One row of numbers as an array.

    Raises:
        InputError: It is something else.
    """
    array = np.asarray(value) if isinstance(value, str) else to_array(value)
    if array.dtype.kind not in "biuf" or array.ndim == 0:
        found = f"a row of {name} that is a {type(value).__name__}"
        raise InputError(three_beats(found, "an array, a tensor or a list of numbers", "Read the sound first."))
    return array


def limit(length: int | None, multiple: int | None) -> int | None:
    """A length, rounded up to a multiple."""
    return -(-length // multiple) * multiple if length is not None and multiple else length
