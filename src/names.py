"""The public names that belong to no architecture."""

from __future__ import annotations

from collections.abc import Mapping

from .auto.tasks import AUTO_MODELS

#: Public name -> the module that defines it.
SHARED_NAMES: Mapping[str, str] = {
    "AddedToken": "tokenization",
    "BatchEncoding": "tokenization",
    "FlaxPreTrainedModel": "backends.flax.model",
    "PretrainedConfig": "configuration",
    "PreTrainedModel": "backends.torch.model",
    "PreTrainedTokenizer": "tokenization",
    "PreTrainedTokenizerBase": "tokenization",
    "PreTrainedTokenizerFast": "tokenization",
    "TensorType": "tokenization",
    "TFPreTrainedModel": "backends.tensorflow.model",
    "TriformersError": "files.errors",
    "AdamWeightDecay": "training.tensorflow",
    "AutoConfig": "auto.configuration",
    "AutoTokenizer": "auto.tokenization",
    "create_optimizer": "training.tensorflow",
    **dict.fromkeys(("Cache", "DynamicCache", "EncoderDecoderCache", "StaticCache"), "backends.torch.cache"),
    **dict.fromkeys(AUTO_MODELS, "auto.models"),
}
