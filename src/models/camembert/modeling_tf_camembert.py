"""CamemBERT in Keras (Martin et al. 2019, https://arxiv.org/abs/1911.03894).

RoBERTa (`models/roberta`) in every layer and call, and in its checkpoints' names. What differs: the text that it was
trained on, the tokenizer, and the size of the vocabulary.
"""

from __future__ import annotations

from typing import Any

from ...backends.checks import warn_unless_decoder
from ...backends.tensorflow.generation import TFGenerationMixin
from ...backends.tensorflow.heads import (
    FirstTokenClassification,
    MultipleChoice,
    QuestionAnswering,
    TokenClassification,
)
from ..roberta.modeling_tf_roberta import (
    TFRobertaForCausalLM,
    TFRobertaForMaskedLM,
    TFRobertaLMHead,
    TFRobertaModel,
    TFRobertaPreTrainedModel,
)
from .configuration_camembert import CamembertConfig


class TFCamembertPreTrainedModel(TFRobertaPreTrainedModel):
    """Base of every CamemBERT model in Keras."""

    config_class = CamembertConfig
    config: CamembertConfig


class TFCamembertModel(TFCamembertPreTrainedModel, TFRobertaModel):
    """The bare encoder or decoder: hidden states, and a summary of each sequence.

    Args:
        config: What the model is.
        add_pooling_layer: Whether there is a summary.
    """


class TFCamembertForCausalLM(TFCamembertPreTrainedModel, TFGenerationMixin):
    """CamemBERT as a decoder that predicts the next token; wants `is_decoder=True`."""

    counts_from_zero = False

    def __init__(self, config: CamembertConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        warn_unless_decoder(config, "TFCamembertForCausalLM")
        self.roberta = TFCamembertModel(config, add_pooling_layer=False, name="roberta", dtype=dtype)
        self.lm_head = TFRobertaLMHead(config, self.roberta.get_input_embeddings, name="lm_head", dtype=dtype)

    call = TFRobertaForCausalLM.call


class TFCamembertForMaskedLM(TFCamembertPreTrainedModel):
    """CamemBERT with a head that predicts masked tokens."""

    def __init__(self, config: CamembertConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.roberta = TFCamembertModel(config, add_pooling_layer=False, name="roberta", dtype=dtype)
        self.lm_head = TFRobertaLMHead(config, self.roberta.get_input_embeddings, name="lm_head", dtype=dtype)

    call = TFRobertaForMaskedLM.call


class TFCamembertForSequenceClassification(
    FirstTokenClassification, TFCamembertPreTrainedModel, backbone=TFCamembertModel
):
    """CamemBERT with a classifier of whole sequences."""


class TFCamembertForMultipleChoice(MultipleChoice, TFCamembertPreTrainedModel, backbone=TFCamembertModel):
    """CamemBERT with a score for each of several choices."""


class TFCamembertForTokenClassification(TokenClassification, TFCamembertPreTrainedModel, backbone=TFCamembertModel):
    """CamemBERT with a classifier of every token."""


class TFCamembertForQuestionAnswering(QuestionAnswering, TFCamembertPreTrainedModel, backbone=TFCamembertModel):
    """CamemBERT with scores for where an answer starts and ends."""
