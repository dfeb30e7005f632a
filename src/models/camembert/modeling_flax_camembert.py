"""CamemBERT in Flax (Martin et al. 2019, https://arxiv.org/abs/1911.03894).

RoBERTa (`models/roberta`) in every layer and call, and in its checkpoints' names. What differs: the text that it was
trained on, the tokenizer, and the size of the vocabulary.
"""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from ...backends.checks import warn_unless_decoder
from ...backends.flax.generation import FlaxGenerationMixin
from ...backends.flax.heads import FirstTokenClassification, MultipleChoice, QuestionAnswering, TokenClassification
from ..roberta.modeling_flax_roberta import (
    FlaxRobertaForCausalLMModule,
    FlaxRobertaForMaskedLMModule,
    FlaxRobertaLMHead,
    FlaxRobertaModule,
    FlaxRobertaPreTrainedModel,
)
from .configuration_camembert import CamembertConfig


class FlaxCamembertModule(FlaxRobertaModule):
    """`FlaxCamembertModel` as a linen module; its call says `deterministic` for `not train`."""


class FlaxCamembertForCausalLMModule(nn.Module):
    """`FlaxCamembertForCausalLM` as a linen module."""

    config: CamembertConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        self.roberta = FlaxCamembertModule(self.config, self.dtype, False, self.gradient_checkpointing)
        self.lm_head = FlaxRobertaLMHead(self.config, self.roberta.embeddings.word_embeddings, self.dtype)

    __call__ = FlaxRobertaForCausalLMModule.__call__


class FlaxCamembertForMaskedLMModule(nn.Module):
    """`FlaxCamembertForMaskedLM` as a linen module."""

    config: CamembertConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        self.roberta = FlaxCamembertModule(self.config, self.dtype, False, self.gradient_checkpointing)
        self.lm_head = FlaxRobertaLMHead(self.config, self.roberta.embeddings.word_embeddings, self.dtype)

    __call__ = FlaxRobertaForMaskedLMModule.__call__


class FlaxCamembertForSequenceClassificationModule(
    FirstTokenClassification, backbone=FlaxCamembertModule, prefix="roberta"
):
    """`FlaxCamembertForSequenceClassification` as a linen module."""


class FlaxCamembertForMultipleChoiceModule(MultipleChoice, backbone=FlaxCamembertModule, prefix="roberta"):
    """`FlaxCamembertForMultipleChoice` as a linen module."""


class FlaxCamembertForTokenClassificationModule(TokenClassification, backbone=FlaxCamembertModule, prefix="roberta"):
    """`FlaxCamembertForTokenClassification` as a linen module."""


class FlaxCamembertForQuestionAnsweringModule(QuestionAnswering, backbone=FlaxCamembertModule, prefix="roberta"):
    """`FlaxCamembertForQuestionAnswering` as a linen module."""


class FlaxCamembertPreTrainedModel(FlaxRobertaPreTrainedModel):
    """Base of every CamemBERT model in Flax; see `FlaxModuleModel` for its arguments."""

    config_class = CamembertConfig


class FlaxCamembertModel(FlaxCamembertPreTrainedModel):
    """The bare encoder or decoder: hidden states, and a summary of each sequence.

    Args:
        add_pooling_layer: Whether there is a summary.
    """

    module_class = FlaxCamembertModule


class FlaxCamembertForCausalLM(FlaxCamembertPreTrainedModel, FlaxGenerationMixin):
    """CamemBERT as a decoder that predicts the next token; wants `is_decoder=True`, takes `labels`."""

    counts_from_zero = False
    module_class = FlaxCamembertForCausalLMModule

    def __init__(self, config: CamembertConfig, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        warn_unless_decoder(config, "FlaxCamembertForCausalLM")


class FlaxCamembertForMaskedLM(FlaxCamembertPreTrainedModel):
    """CamemBERT with a head that predicts masked tokens; takes `labels`."""

    module_class = FlaxCamembertForMaskedLMModule


class FlaxCamembertForSequenceClassification(FlaxCamembertPreTrainedModel):
    """CamemBERT with a classifier of whole sequences; takes `labels`."""

    module_class = FlaxCamembertForSequenceClassificationModule


class FlaxCamembertForMultipleChoice(FlaxCamembertPreTrainedModel):
    """CamemBERT with a score for each of several choices; takes `labels`."""

    module_class = FlaxCamembertForMultipleChoiceModule


class FlaxCamembertForTokenClassification(FlaxCamembertPreTrainedModel):
    """CamemBERT with a classifier of every token; takes `labels`."""

    module_class = FlaxCamembertForTokenClassificationModule


class FlaxCamembertForQuestionAnswering(FlaxCamembertPreTrainedModel):
    """CamemBERT with scores for where an answer starts and ends; takes `start_positions` and `end_positions`."""

    module_class = FlaxCamembertForQuestionAnsweringModule
