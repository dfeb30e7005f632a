"""CamemBERT in PyTorch (Martin et al. 2019, https://arxiv.org/abs/1911.03894).

RoBERTa (`models/roberta`) in every layer and call, and in its checkpoints' names. What differs: the text that it was
trained on, the tokenizer, and the size of the vocabulary.
"""

from __future__ import annotations

from ...backends.checks import warn_unless_decoder
from ...backends.torch.generation import GenerationMixin
from ...backends.torch.heads import FirstTokenClassification, MultipleChoice, QuestionAnswering, TokenClassification
from ..roberta.modeling_roberta import (
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaLMHead,
    RobertaModel,
    RobertaPreTrainedModel,
)
from .configuration_camembert import CamembertConfig


class CamembertPreTrainedModel(RobertaPreTrainedModel):
    """Base of every CamemBERT model in PyTorch."""

    config_class = CamembertConfig
    config: CamembertConfig


class CamembertModel(CamembertPreTrainedModel, RobertaModel):
    """The bare encoder or decoder: hidden states, and a summary of each sequence.

    Args:
        config: What the model is.
        add_pooling_layer: Whether there is a summary.
    """


class CamembertForCausalLM(CamembertPreTrainedModel, GenerationMixin):
    """CamemBERT as a decoder that predicts the next token; wants `is_decoder=True`."""

    counts_from_zero = False

    def __init__(self, config: CamembertConfig) -> None:
        super().__init__(config)
        warn_unless_decoder(config, "CamembertForCausalLM")
        self.roberta = CamembertModel(config, add_pooling_layer=False)
        self.lm_head = RobertaLMHead(config)

    forward = RobertaForCausalLM.forward


class CamembertForMaskedLM(CamembertPreTrainedModel):
    """CamemBERT with a head that predicts masked tokens."""

    def __init__(self, config: CamembertConfig) -> None:
        super().__init__(config)
        self.roberta = CamembertModel(config, add_pooling_layer=False)
        self.lm_head = RobertaLMHead(config)

    forward = RobertaForMaskedLM.forward


class CamembertForSequenceClassification(FirstTokenClassification, CamembertPreTrainedModel, backbone=CamembertModel):
    """CamemBERT with a classifier of whole sequences."""


class CamembertForMultipleChoice(
    MultipleChoice,
    CamembertPreTrainedModel,
    backbone=CamembertModel,
    before="position_ids",
    first=("input_ids", "token_type_ids", "attention_mask"),
):
    """CamemBERT with a score for each of several choices; its arguments come in an order of their own."""


class CamembertForTokenClassification(TokenClassification, CamembertPreTrainedModel, backbone=CamembertModel):
    """CamemBERT with a classifier of every token."""


class CamembertForQuestionAnswering(QuestionAnswering, CamembertPreTrainedModel, backbone=CamembertModel):
    """CamemBERT with scores for where an answer starts and ends."""
