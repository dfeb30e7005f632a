"""Which tasks each Auto class stands for: the one table that all Auto classes of all frameworks come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..cards import BACKENDS, Card

#: Auto class, in its PyTorch spelling -> the tasks of a card (the keys of `Card.models`) that it tries, in order.
TASKS: Mapping[str, tuple[str, ...]] = {
    "AutoModel": ("base",),
    "AutoBackbone": ("backbone",),
    # text
    "AutoModelForPreTraining": ("pretraining", "masked-lm", "denoising", "seq2seq-lm", "causal-lm"),
    "AutoModelWithLMHead": ("masked-lm", "denoising", "seq2seq-lm", "causal-lm"),
    "AutoModelForCausalLM": ("causal-lm",),
    "AutoModelForMaskedLM": ("masked-lm", "denoising"),
    "AutoModelForSeq2SeqLM": ("seq2seq-lm", "denoising"),
    "AutoModelForMultipleChoice": ("multiple-choice",),
    "AutoModelForNextSentencePrediction": ("next-sentence-prediction",),
    "AutoModelForQuestionAnswering": ("question-answering",),
    "AutoModelForSequenceClassification": ("sequence-classification",),
    "AutoModelForTableQuestionAnswering": ("table-question-answering",),
    "AutoModelForTextEncoding": ("text-encoding", "base"),
    "AutoModelForTokenClassification": ("token-classification",),
    # images and videos
    "AutoModelForDepthEstimation": ("depth-estimation",),
    "AutoModelForImageClassification": ("image-classification",),
    "AutoModelForImageSegmentation": ("image-segmentation",),
    "AutoModelForImageToImage": ("image-to-image",),
    "AutoModelForInstanceSegmentation": ("instance-segmentation",),
    "AutoModelForKeypointDetection": ("keypoint-detection",),
    "AutoModelForMaskGeneration": ("mask-generation",),
    "AutoModelForMaskedImageModeling": ("masked-image-modeling",),
    "AutoModelForObjectDetection": ("object-detection",),
    "AutoModelForSemanticSegmentation": ("semantic-segmentation",),
    "AutoModelForUniversalSegmentation": ("universal-segmentation", "image-segmentation"),
    "AutoModelForVideoClassification": ("video-classification",),
    "AutoModelForZeroShotImageClassification": ("zero-shot-image-classification",),
    "AutoModelForZeroShotObjectDetection": ("zero-shot-object-detection",),
    # images with text
    "AutoModelForDocumentQuestionAnswering": ("document-question-answering",),
    "AutoModelForImageTextToText": ("image-text-to-text",),
    "AutoModelForVision2Seq": ("vision2seq",),
    "AutoModelForVisualQuestionAnswering": ("visual-question-answering",),
    # sound
    "AutoModelForAudioClassification": ("audio-classification",),
    "AutoModelForAudioFrameClassification": ("audio-frame-classification",),
    "AutoModelForAudioTokenization": ("audio-tokenization",),
    "AutoModelForAudioXVector": ("audio-xvector",),
    "AutoModelForCTC": ("ctc",),
    "AutoModelForSpeechSeq2Seq": ("speech-seq2seq",),
    "AutoModelForTextToSpectrogram": ("text-to-spectrogram",),
    "AutoModelForTextToWaveform": ("text-to-waveform",),
    # numbers
    "AutoModelForTimeSeriesPrediction": ("time-series-prediction",),
}


class AutoModelName(NamedTuple):
    """What the name of an Auto class says: the framework, and the tasks to try in order."""

    backend: str
    tasks: tuple[str, ...]


#: Every Auto class of models: `AutoModel`, `TFAutoModelForMaskedLM`, ...
AUTO_MODELS: Mapping[str, AutoModelName] = {
    grammar.class_prefix + name: AutoModelName(backend, tasks)
    for backend, grammar in BACKENDS.items()
    for name, tasks in TASKS.items()
}


def stem_of(card: Card, tasks: tuple[str, ...]) -> str | None:
    """The card's class for the first of some tasks that it has, without the framework's prefix."""
    return next((card.models[task] for task in tasks if task in card.models), None)


def class_name(card: Card, wanted: AutoModelName) -> str | None:
    """The public class that an Auto class gives for an architecture; None if there is none."""
    stem = stem_of(card, wanted.tasks)
    if stem is None or wanted.backend not in card.backends:
        return None
    return BACKENDS[wanted.backend].class_prefix + stem


def auto_names(card: Card, backend: str) -> Iterator[str]:
    """The Auto classes of a framework that have a class for an architecture."""
    return (name for name, wanted in AUTO_MODELS.items() if wanted.backend == backend and class_name(card, wanted))
