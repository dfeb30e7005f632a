"""The public names that belong to no architecture."""

from __future__ import annotations

from collections.abc import Mapping

from .auto.tasks import AUTO_MODELS
from .generation import PUBLIC as GENERATION

#: Public name -> the module that defines it.
SHARED_NAMES: Mapping[str, str] = {
    "AddedToken": "tokenization",
    "BatchEncoding": "tokenization",
    "BatchFeature": "processing",
    "CharSpan": "tokenization",
    "FeatureExtractionMixin": "processing",
    "FlaxGenerationMixin": "backends.flax.generation",
    "FlaxPreTrainedModel": "backends.flax.model",
    "GenerationMixin": "backends.torch.generation",
    "ImageProcessingMixin": "processing",
    "PretrainedConfig": "configuration",
    "PreTrainedModel": "backends.torch.model",
    "PreTrainedTokenizer": "tokenization",
    "PreTrainedTokenizerBase": "tokenization",
    "PreTrainedTokenizerFast": "tokenization",
    "ProcessorMixin": "processing",
    "SequenceFeatureExtractor": "processing",
    "SpecialTokensMixin": "tokenization",
    "TensorType": "tokenization",
    "TFGenerationMixin": "backends.tensorflow.generation",
    "TFPreTrainedModel": "backends.tensorflow.model",
    "TokenSpan": "tokenization",
    "TriformersError": "files.errors",
    "AdamWeightDecay": "training.tensorflow",
    "AutoConfig": "auto.configuration",
    "AutoFeatureExtractor": "auto.processing",
    "AutoImageProcessor": "auto.processing",
    "AutoProcessor": "auto.processor",
    "AutoTokenizer": "auto.tokenization",
    "create_optimizer": "training.tensorflow",
    "DataCollatorForSeq2Seq": "training.seq2seq",
    **dict.fromkeys(("Cache", "DynamicCache", "EncoderDecoderCache", "StaticCache"), "backends.torch.cache"),
    **dict.fromkeys(AUTO_MODELS, "auto.models"),
    **{name: f"generation.{module}" for name, module in GENERATION.items()},
}
