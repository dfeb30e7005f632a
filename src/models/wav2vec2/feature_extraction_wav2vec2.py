"""Wav2Vec2's feature extractor: waveforms, brought to mean 0 and variance 1."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

import numpy as np

from ...files.errors import InputError, three_beats
from ...processing.batch_feature import BatchFeature
from ...processing.sequence_features import MASK, SequenceFeatureExtractor, as_batch, as_row
from ...tokenization.options import PaddingStrategy, TensorType
from ...tokenization.tensors import library_of

logger = logging.getLogger(__name__)

VALUES = "input_values"


class Wav2Vec2FeatureExtractor(SequenceFeatureExtractor):
    """Makes Wav2Vec2's inputs of waveforms.

    Args:
        feature_size: 1: sounds of one channel.
        sampling_rate: The samples of a second of sound.
        padding_value: What sounds are filled up with.
        return_attention_mask: Whether to say where they are: for models whose features are normalized layer by layer.
        do_normalize: Whether each sound is brought to mean 0 and variance 1.
        kwargs: As of `SequenceFeatureExtractor`.
    """

    model_input_names: ClassVar[list[str]] = [VALUES, MASK]

    def __init__(
        self,
        feature_size: int = 1,
        sampling_rate: int = 16000,
        padding_value: float | None = 0.0,
        return_attention_mask: bool = False,
        do_normalize: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(feature_size, sampling_rate, padding_value, **kwargs)
        self.return_attention_mask = return_attention_mask
        self.do_normalize = do_normalize

    def __call__(
        self,
        raw_speech: Any,
        padding: bool | str | PaddingStrategy = False,
        max_length: int | None = None,
        truncation: bool = False,
        pad_to_multiple_of: int | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: str | TensorType | None = None,
        sampling_rate: int | None = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare sounds.

        Args:
            raw_speech: A sound, or several: a list of numbers, an array or a tensor [samples], or a list of those, or
                [sounds, samples].
            padding, max_length, truncation, pad_to_multiple_of, return_attention_mask: As of `pad`; nothing is filled
                up by default.
            return_tensors: `pt`, `tf`, `np` or `jax`; arrays if None.
            sampling_rate: The samples of a second of these sounds.
            kwargs: Not read; for other extractors' options.

        Returns:
            `input_values`, and if asked for `attention_mask`.

        Raises:
            InputError: A sound is empty, not finite, of several channels, or sampled at another rate; or as of `pad`.
        """
        self._check_rate(sampling_rate)
        lengths = {"max_length": max_length, "truncation": truncation, "pad_to_multiple_of": pad_to_multiple_of}
        sounds = {VALUES: sounds_of(raw_speech)}
        padded = self.pad(sounds, padding, **lengths, return_attention_mask=return_attention_mask)
        if MASK in padded:
            padded[MASK] = [np.asarray(row, np.int32) for row in padded[MASK]]
        if self.do_normalize:
            is_padded = self.strategy(padding, max_length) is not PaddingStrategy.DO_NOT_PAD
            mask = padded.get(MASK) if is_padded else None
            padded[VALUES] = self.zero_mean_unit_var_norm(padded[VALUES], mask, self.padding_value)
        return padded if return_tensors is None else as_batch(padded, return_tensors)

    @staticmethod
    def zero_mean_unit_var_norm(
        input_values: Any, attention_mask: Any, padding_value: float | None = 0.0
    ) -> list[np.ndarray]:
        """Bring each sound to mean 0 and variance 1.

        Args:
            input_values: The sounds [samples].
            attention_mask: One row for each, 1 where it is not filled up; None takes all.
            padding_value: What stands where it is filled up.
        """
        if attention_mask is None:
            return [normalized(sound, len(sound)) for sound in input_values]
        normal = []
        for sound, length in zip(input_values, np.asarray(attention_mask, np.int32).sum(-1), strict=True):
            filled = normalized(sound, length)
            filled[length:] = padding_value  # on the right, whatever the padding's side: as 4.x does
            normal.append(filled)
        return normal

    def _check_rate(self, sampling_rate: int | None) -> None:
        if sampling_rate is None:
            logger.warning("%s was not told the sampling_rate of the sounds.", type(self).__name__)
        elif sampling_rate != self.sampling_rate:
            found, remedy = f"sounds of {sampling_rate} samples a second", "Resample them first."
            raise InputError(three_beats(found, f"{self.sampling_rate}, as the model was trained with", remedy))


def normalized(sound: np.ndarray, length: int) -> np.ndarray:
    """A sound with mean 0 and variance 1 in its first `length` samples."""
    heard = sound[:length]
    return (sound - heard.mean()) / np.sqrt(heard.var() + 1e-7)


def sounds_of(raw_speech: Any) -> list[np.ndarray]:
    """One sound or several, in whichever form they come, as arrays [samples].

    Raises:
        InputError: One is empty, not finite, no numbers, or of several channels.
    """
    is_list = isinstance(raw_speech, (list, tuple))
    if is_list and len(raw_speech) == 0:
        raise _empty()
    is_batch = is_list and (isinstance(raw_speech[0], (list, tuple)) or library_of(raw_speech[0]) is not None)
    sounds = [as_row(sound, "raw_speech") for sound in raw_speech] if is_batch else [as_row(raw_speech, "raw_speech")]
    if not is_batch and sounds[0].ndim == 2:
        sounds = list(sounds[0])
    for sound in sounds:
        if sound.ndim != 1:
            found, remedy = f"a sound of shape {list(sound.shape)}", "Mix the channels into one."
            raise InputError(three_beats(found, "[samples], of one channel", remedy))
        if not sound.size:
            raise _empty()
        if sound.dtype.kind == "f" and not np.isfinite(sound).all():
            remedy = "Check how it was read; a silent sound is zeros."
            raise InputError(three_beats("a sound with samples that are not finite", "finite numbers", remedy))
    return sounds


def _empty() -> InputError:
    return InputError(three_beats("an empty sound", "at least one sample", "Leave it out, or check how it was read."))
