"""Wav2Vec2's processor: its feature extractor for sounds, its tokenizer for what is said in them."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from typing import Any, ClassVar, NoReturn

from ...files.errors import FileError, InputError, MissingDependencyError, three_beats
from ...processing.processor import ProcessorMixin, options_of, warn_of_unknown
from .feature_extraction_wav2vec2 import Wav2Vec2FeatureExtractor
from .tokenization_wav2vec2 import Wav2Vec2CTCTokenizer

logger = logging.getLogger(__name__)


class Wav2Vec2Processor(ProcessorMixin):
    """A feature extractor and a CTC tokenizer.

    Args:
        feature_extractor: The `Wav2Vec2FeatureExtractor`.
        tokenizer: The tokenizer.
    """

    attributes = ("feature_extractor", "tokenizer")
    feature_extractor_class: ClassVar[str] = "Wav2Vec2FeatureExtractor"

    feature_extractor: Any
    tokenizer: Any

    def __init__(self, feature_extractor: Any, tokenizer: Any) -> None:
        super().__init__(feature_extractor, tokenizer)
        self.current_processor = self.feature_extractor
        self._in_target_context_manager = False

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike[str], *args: Any, **kwargs: Any) -> Any:
        """As `ProcessorMixin.from_pretrained`; a tokenizer that no file names is a `Wav2Vec2CTCTokenizer`."""
        try:
            return super().from_pretrained(pretrained_model_name_or_path, *args, **kwargs)
        except FileError:
            tokenizer = Wav2Vec2CTCTokenizer.from_pretrained(pretrained_model_name_or_path, *args, **kwargs)
            logger.warning("%s names no tokenizer_class: a Wav2Vec2CTCTokenizer.", pretrained_model_name_or_path)
            extractor = Wav2Vec2FeatureExtractor.from_pretrained(pretrained_model_name_or_path, *args, **kwargs)
            return cls(extractor, tokenizer)

    def __call__(
        self, audio: Any = None, text: Any = None, images: Any = None, videos: Any = None, **kwargs: Any
    ) -> Any:
        """Prepare sounds, or texts, or both.

        Args:
            audio: What the feature extractor takes.
            text: What the tokenizer takes.
            images, videos: None: there is no part for them.
            kwargs: The arguments of either part's call; those that both have go to both. `audio_kwargs` and
                `text_kwargs` hold arguments for one part alone.

        Returns:
            The part's answer; of both, that of the sounds with the texts' ids as `labels`.

        Raises:
            InputError: Neither was given; or as of the parts.
        """
        if "raw_speech" in kwargs:
            warnings.warn("raw_speech is called audio now.", FutureWarning, stacklevel=2)
            audio = kwargs.pop("raw_speech")
        if self._in_target_context_manager:
            given = (audio,) if audio is not None else ()
            return self.tokenizer(*given, **({"text": text} if text is not None else {}), **kwargs)
        if audio is None and text is None:
            remedy = "Give audio=... or text=..."
            raise InputError(three_beats("neither audio nor text", "at least one of the two", remedy))
        calls = self.feature_extractor.__call__, self.tokenizer.__call__
        warn_of_unknown(kwargs, calls)
        encoded = None if text is None else self.tokenizer(text, **options_of(calls[1], kwargs, "text_kwargs"))
        if audio is None:
            return encoded
        inputs = self.feature_extractor(audio, **options_of(calls[0], kwargs, "audio_kwargs"))
        if encoded is not None:
            inputs["labels"] = encoded["input_ids"]
        return inputs

    def pad(self, *args: Any, **kwargs: Any) -> Any:
        """Make rows of features, of ids, or of both equally long.

        Args:
            args: As of the feature extractor's `pad`.
            kwargs: `input_features` for the extractor's `pad`, `labels` for the tokenizer's; the arguments of both.

        Returns:
            The part's answer; of both, that of the features with the ids as `labels`.
        """
        if self._in_target_context_manager:
            return self.tokenizer.pad(*args, **kwargs)
        features, labels = kwargs.pop("input_features", None), kwargs.pop("labels", None)
        if args:
            features, args = args[0], args[1:]
        padded = None if labels is None else self.tokenizer.pad(labels, **kwargs)
        if features is None:
            return padded
        inputs = self.feature_extractor.pad(features, *args, **kwargs)
        if padded is not None:
            inputs["labels"] = padded["input_ids"]
        return inputs

    def batch_decode(self, *args: Any, **kwargs: Any) -> Any:
        """The tokenizer's `batch_decode`."""
        return self.tokenizer.batch_decode(*args, **kwargs)

    def decode(self, *args: Any, **kwargs: Any) -> Any:
        """The tokenizer's `decode`."""
        return self.tokenizer.decode(*args, **kwargs)

    @contextlib.contextmanager
    def as_target_processor(self) -> Iterator[None]:
        """Within this context a call means the tokenizer; of old, for labels."""
        warnings.warn("as_target_processor: give a call text=... instead.", FutureWarning, stacklevel=3)
        self._in_target_context_manager, self.current_processor = True, self.tokenizer
        try:
            yield
        finally:
            self._in_target_context_manager, self.current_processor = False, self.feature_extractor


class Wav2Vec2ProcessorWithLM(Wav2Vec2Processor):
    """Refused: a processor whose decoder is another package's, with a language model."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refuse()

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike[str], *args: Any, **kwargs: Any) -> Any:
        """Refused.

        Raises:
            MissingDependencyError: Always.
        """
        _refuse()


def _refuse() -> NoReturn:
    found = "Wav2Vec2ProcessorWithLM decodes with pyctcdecode, which is not integrated here"
    remedy = "Use Wav2Vec2Processor, and give the model's logits to a decoder of pyctcdecode yourself."
    raise MissingDependencyError(three_beats(found, "a processor without a language model", remedy))
