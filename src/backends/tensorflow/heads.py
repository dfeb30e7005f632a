"""The plain task heads: a backbone, and one `classifier` or `qa_outputs` that reads its hidden states.

An architecture gets one in a line: `class TFBertForTokenClassification(TokenClassification, TFBertPreTrainedModel,
backbone=TFBertModel)`. Its call takes the backbone's arguments and the head's labels. Shape letters: B batch,
C choices, T length, D width, L labels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf
from keras import layers

from ...losses import cross_entropy, question_answering_loss, sequence_classification_loss
from ...outputs import (
    ModelOutput,
    MultipleChoiceModelOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)
from ..checks import check_choices
from ..heads import PER_POSITION, call_options, constructor_options, head_signature, named
from . import ops
from .layers import Dense
from .model import TFPreTrainedModel


class PlainHead(TFPreTrainedModel):
    """A backbone and what reads its hidden states.

    Attributes:
        backbone: The class of the bare model.
        labels: The arguments that the loss is computed from.
    """

    backbone: ClassVar[type[TFPreTrainedModel]]
    labels: ClassVar[tuple[str, ...]] = ("labels",)

    def __init_subclass__(cls, backbone: type[TFPreTrainedModel] | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if backbone is not None:
            cls.backbone = backbone
            cls.call = _call(cls.labels, backbone.call)

    def make_backbone(self, **options: Any) -> None:
        """Make the backbone under its name."""
        name = self.base_model_prefix
        setattr(self, name, self.backbone(self.config, **options, name=name, dtype=self.dtype_policy))

    def run_backbone(self, **inputs: Any) -> Any:
        """The backbone's output."""
        return self.base_model(**inputs)

    def read(self, outputs: Any, training: bool, **labels: tf.Tensor | None) -> ModelOutput:
        """The head's output, with a loss if there are labels, from the backbone's."""
        raise NotImplementedError


def _call(labels: tuple[str, ...], backbone: Callable[..., Any]) -> Callable[..., Any]:
    """A head's call, with a signature made from its backbone's."""
    signature, options = head_signature(backbone, labels, before="training"), call_options(backbone)

    def call(self: PlainHead, *args: Any, **kwargs: Any) -> Any:
        """Run the backbone on its arguments and read its hidden states; labels give a loss."""
        inputs = named(signature, args, kwargs)
        given = {name: inputs.pop(name, None) for name in labels}
        names = ("output_attentions", "output_hidden_states", "return_dict")
        wanted = self.wanted(*(inputs.pop(name, None) for name in names))
        outputs = self.run_backbone(
            **inputs, **options,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        return wanted.answer(self.read(outputs, inputs.get("training", False), **given))

    call.__signature__ = signature  # type: ignore[attr-defined]
    return call


class SequenceClassification(PlainHead):
    """A classifier of whole sequences, on their summaries.

    labels: [B] class indices; [B] or [B, L] targets for regression; [B, L] zeros and ones for several labels each.
    """

    def __init__(self, config: Any, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.make_backbone()
        self.dropout = layers.Dropout(config.head_dropout, name="dropout", dtype=dtype)
        self.classifier = Dense(config.hidden_size, config.num_labels, name="classifier", dtype=dtype)

    def read(self, outputs: Any, training: bool, labels: tf.Tensor | None = None) -> ModelOutput:
        logits = self.classifier(self.dropout(outputs.pooler_output, training=training))  # [B, L]
        loss = sequence_classification_loss(logits, labels, self.config, ops)
        return SequenceClassifierOutput(loss, logits, outputs.hidden_states, outputs.attentions)


class MultipleChoice(PlainHead):
    """A score for each choice's sequence, on its summary. Inputs are [B, C, T].

    labels: [B], the index of the right choice.
    """

    def __init__(self, config: Any, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.make_backbone()
        self.dropout = layers.Dropout(config.head_dropout, name="dropout", dtype=dtype)
        self.classifier = Dense(config.hidden_size, 1, name="classifier", dtype=dtype)

    def run_backbone(self, **inputs: Any) -> Any:
        given = {name: inputs[name] for name in PER_POSITION if inputs.get(name) is not None}
        for name, array in given.items():
            check_choices(array.shape, 4 if name == "inputs_embeds" else 3, name)
        choices = ops.shape(next(iter(given.values())))[1]
        flat = {name: tf.reshape(array, (-1, *ops.shape(array)[2:])) for name, array in given.items()}
        outputs = super().run_backbone(**{**inputs, **flat})
        pooled = outputs.pooler_output
        outputs.pooler_output = tf.reshape(pooled, (-1, choices, pooled.shape[-1]))  # [B, C, D]
        return outputs

    def read(self, outputs: Any, training: bool, labels: tf.Tensor | None = None) -> ModelOutput:
        logits = self.classifier(self.dropout(outputs.pooler_output, training=training))[..., 0]  # [B, C]
        loss = cross_entropy(logits, labels, ops)
        return MultipleChoiceModelOutput(loss, logits, outputs.hidden_states, outputs.attentions)

    @property
    def dummy_inputs(self) -> dict[str, Any]:
        """The least inputs that a call takes: token ids [1, 1, 2]."""
        return {self.main_input_name: np.zeros((1, 1, 2), np.int32)}


class TokenClassification(PlainHead):
    """A classifier of every token.

    labels: [B, T] class indices, -100 where a token does not count.
    """

    def __init__(self, config: Any, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.make_backbone(**constructor_options(self.backbone))
        self.dropout = layers.Dropout(config.head_dropout, name="dropout", dtype=dtype)
        self.classifier = Dense(config.hidden_size, config.num_labels, name="classifier", dtype=dtype)

    def read(self, outputs: Any, training: bool, labels: tf.Tensor | None = None) -> ModelOutput:
        logits = self.classifier(self.dropout(outputs.last_hidden_state, training=training))  # [B, T, L]
        loss = cross_entropy(logits, labels, ops)
        return TokenClassifierOutput(loss, logits, outputs.hidden_states, outputs.attentions)


class QuestionAnswering(PlainHead):
    """Two scores for every token: that the answer starts there, and that it ends there.

    start_positions, end_positions: [B]; a position outside the sequence does not count.
    """

    labels = ("start_positions", "end_positions")

    def __init__(self, config: Any, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        self.make_backbone(**constructor_options(self.backbone))
        self.qa_outputs = Dense(config.hidden_size, 2, name="qa_outputs", dtype=self.dtype_policy)

    def read(
        self,
        outputs: Any,
        training: bool,
        start_positions: tf.Tensor | None = None,
        end_positions: tf.Tensor | None = None,
    ) -> ModelOutput:
        start, end = tf.unstack(self.qa_outputs(outputs.last_hidden_state), axis=-1)  # [B, T] each
        loss = question_answering_loss(start, end, start_positions, end_positions, ops)
        return QuestionAnsweringModelOutput(loss, start, end, outputs.hidden_states, outputs.attentions)
