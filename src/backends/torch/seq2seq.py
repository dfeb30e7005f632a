"""The heads that models of an encoder and a decoder share.

Shape letters: B batch, T target length, D width, L labels.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ...losses import question_answering_loss, sequence_classification_loss
from ...outputs import ModelOutput, Seq2SeqQuestionAnsweringModelOutput, Seq2SeqSequenceClassifierOutput
from ..seq2seq import headed_output, tokens_of
from . import ops
from .checks import check_ends
from .heads import ClassificationHead, PlainHead, last_where


class Seq2SeqSequenceClassification(PlainHead):
    """A classifier of whole sequences, on the decoder's last position whose token ends one.

    labels: [B] class indices; [B] or [B, L] targets for regression; [B, L] zeros and ones for several labels each.
    """

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        setattr(self, self.base_model_prefix, self.backbone(config))
        self.classification_head = ClassificationHead(config.d_model, config.num_labels, config.classifier_dropout)

    def run_backbone(self, **inputs: Any) -> Any:
        ends = tokens_of(inputs) == self.config.eos_token_id
        check_ends(ends)
        outputs = super().run_backbone(**inputs)
        outputs.last_hidden_state = last_where(outputs.last_hidden_state, ends)  # [B, D]
        return outputs

    def read(self, outputs: Any, labels: Tensor | None = None) -> ModelOutput:
        logits = self.classification_head(outputs.last_hidden_state)  # [B, L]
        loss = sequence_classification_loss(logits, labels, self.config, ops)
        return headed_output(Seq2SeqSequenceClassifierOutput, outputs, loss=loss, logits=logits)


class Seq2SeqQuestionAnswering(PlainHead):
    """Two scores for every token of the decoder: that the answer starts there, and that it ends there.

    start_positions, end_positions: [B]; a position outside the sequence does not count.
    """

    labels = ("start_positions", "end_positions")

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        setattr(self, self.base_model_prefix, self.backbone(config))
        self.qa_outputs = nn.Linear(config.d_model, 2)

    def read(
        self, outputs: Any, start_positions: Tensor | None = None, end_positions: Tensor | None = None
    ) -> ModelOutput:
        start, end = self.qa_outputs(outputs.last_hidden_state).unbind(-1)  # [B, T] each
        loss = question_answering_loss(start, end, start_positions, end_positions, ops)
        output_type = Seq2SeqQuestionAnsweringModelOutput
        return headed_output(output_type, outputs, loss=loss, start_logits=start, end_logits=end)
