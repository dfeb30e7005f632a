"""The heads that models of an encoder and a decoder share.

Shape letters: B batch, T target length, D width, L labels.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ...losses import question_answering_loss, sequence_classification_loss
from ...outputs import ModelOutput, Seq2SeqQuestionAnsweringModelOutput, Seq2SeqSequenceClassifierOutput
from ..seq2seq import headed_output, tokens_of
from . import ops
from .checks import check_ends
from .heads import ClassificationHead, PlainHead, last_where
from .layers import Dense


class Seq2SeqSequenceClassification(PlainHead):
    """A classifier of whole sequences, on the decoder's last position whose token ends one.

    labels: [B] class indices; [B] or [B, L] targets for regression; [B, L] zeros and ones for several labels each.
    """

    def __init__(self, config: Any, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        sizes = config.d_model, config.num_labels, config.classifier_dropout
        self.make_backbone()
        self.classification_head = ClassificationHead(*sizes, name="classification_head", dtype=self.dtype_policy)

    def run_backbone(self, **inputs: Any) -> Any:
        ends = tf.equal(tokens_of(inputs), self.config.eos_token_id)
        check_ends(ends)
        outputs = super().run_backbone(**inputs)
        outputs.last_hidden_state = last_where(outputs.last_hidden_state, ends)  # [B, D]
        return outputs

    def read(self, outputs: Any, training: bool, labels: tf.Tensor | None = None) -> ModelOutput:
        logits = self.classification_head(outputs.last_hidden_state, training=training)  # [B, L]
        loss = sequence_classification_loss(logits, labels, self.config, ops)
        return headed_output(Seq2SeqSequenceClassifierOutput, outputs, loss=loss, logits=logits)


class Seq2SeqQuestionAnswering(PlainHead):
    """Two scores for every token of the decoder: that the answer starts there, and that it ends there.

    start_positions, end_positions: [B]; a position outside the sequence does not count.
    """

    labels = ("start_positions", "end_positions")

    def __init__(self, config: Any, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        self.make_backbone()
        self.qa_outputs = Dense(config.d_model, 2, name="qa_outputs", dtype=self.dtype_policy)

    def read(
        self,
        outputs: Any,
        training: bool,
        start_positions: tf.Tensor | None = None,
        end_positions: tf.Tensor | None = None,
    ) -> ModelOutput:
        start, end = tf.unstack(self.qa_outputs(outputs.last_hidden_state), axis=-1)  # [B, T] each
        loss = question_answering_loss(start, end, start_positions, end_positions, ops)
        output_type = Seq2SeqQuestionAnsweringModelOutput
        return headed_output(output_type, outputs, loss=loss, start_logits=start, end_logits=end)
