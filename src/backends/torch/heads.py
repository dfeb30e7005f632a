"""The plain task heads: a backbone, and one `classifier` or `qa_outputs` that reads its hidden states.

An architecture gets one in a line: `class BertForTokenClassification(TokenClassification, BertPreTrainedModel,
backbone=BertModel)`. Its call takes the backbone's arguments and the head's labels. Shape letters: B batch, C choices,
T length, D width, L labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ...losses import cross_entropy, question_answering_loss, sequence_classification_loss
from ...outputs import (
    ModelOutput,
    MultipleChoiceModelOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)
from ..checks import check_choices, check_padding
from ..heads import (
    PER_POSITION,
    call_options,
    check_summary,
    constructor_options,
    head_signature,
    named,
    summary_width,
)
from . import ops
from .activations import activation
from .model import PreTrainedModel


def scored_positions(hidden: Tensor, keep: int | Tensor) -> Tensor:
    """The positions that a language model scores: the last `keep`, all if 0, or those in a vector.

    [B, T, D] -> [B, t, D].
    """
    return hidden[:, -keep:] if isinstance(keep, int) else hidden[:, keep]


def rightmost(hidden: Tensor, input_ids: Tensor | None, padding: int | None) -> Tensor:
    """The hidden state of each sequence's rightmost token that is no padding: [B, T, D] -> [B, D].

    Args:
        hidden: [B, T, D].
        input_ids: [B, T]; without them the last position is taken. Of a row of padding alone it is the first.
        padding: The token that is padding; without one, the last position is taken, and there may be one row alone.

    Raises:
        InputError: There are several rows and no padding.
    """
    check_padding(hidden.shape[0], padding)
    return hidden[:, -1] if input_ids is None or padding is None else last_where(hidden, input_ids != padding)


def last_where(hidden: Tensor, flags: Tensor) -> Tensor:
    """The hidden state of each sequence's last position with a flag, the first where none has: [B, T, D] -> [B, D].

    Args:
        hidden: [B, T, D].
        flags: [B, T].
    """
    places = torch.arange(hidden.shape[1], device=hidden.device) * flags  # [B, T]
    return hidden[torch.arange(hidden.shape[0], device=hidden.device), places.amax(-1)]


def choices_as_rows(array: Tensor | None) -> Tensor | None:
    """[B, C, T, ...] -> [B C, T, ...]; what has no axis of choices stays."""
    return array.flatten(0, 1) if array is not None and array.dim() > 2 else array


class ClassificationHead(nn.Module):
    """A classifier of two layers: [B, D] -> [B, L].

    Args:
        width: D.
        labels: L.
        dropout: The dropout before both.
        function: The activation between them.
    """

    def __init__(self, width: int, labels: int, dropout: float, function: str = "tanh") -> None:
        super().__init__()
        self.activation = activation(function)
        self.dense = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.out_proj = nn.Linear(width, labels)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.out_proj(self.dropout(self.activation(self.dense(self.dropout(hidden)))))


class SequenceSummary(nn.Module):
    """A summary of each sequence: one position or the mean of all, projected if the configuration says so."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        check_summary(config)
        width = summary_width(config)
        self.choose = SUMMARIES[config.summary_type]
        self.summary = nn.Linear(config.hidden_size, width) if config.summary_use_proj else nn.Identity()
        self.activation = activation(config.summary_activation or "linear")
        self.first_dropout = nn.Dropout(getattr(config, "summary_first_dropout", 0.0))
        self.last_dropout = nn.Dropout(getattr(config, "summary_last_dropout", 0.0))

    def forward(self, hidden: Tensor, places: Tensor | None = None) -> Tensor:
        """[..., T, D] and the places [...] for the kind of summary that asks for them -> [..., L]."""
        projected = self.summary(self.first_dropout(self.choose(hidden, places)))
        return self.last_dropout(self.activation(projected))


def _at_place(hidden: Tensor, places: Tensor | None) -> Tensor:
    if places is None:
        return hidden[..., -1, :]
    return torch.take_along_dim(hidden, places[..., None, None], -2)[..., 0, :]


#: Kind of summary -> what it is made of. All but the first take the second axis, as 4.x does: with choices, theirs.
SUMMARIES: Mapping[str, Callable[[Tensor, Tensor | None], Tensor]] = {
    "cls_index": _at_place,
    "first": lambda hidden, places: hidden[:, 0],
    "last": lambda hidden, places: hidden[:, -1],
    "mean": lambda hidden, places: hidden.mean(1),
}


class PlainHead(PreTrainedModel):
    """A backbone and what reads its hidden states.

    An architecture's class says `backbone=`, and where its call is another than usual, `before=`: the argument that the
    labels stand in front of, `decoding=`: the arguments for decoding that it takes, and `first=`: the arguments that
    come first.

    Attributes:
        backbone: The class of the bare model.
        labels: The arguments that the loss is computed from.
    """

    backbone: ClassVar[type[PreTrainedModel]]
    labels: ClassVar[tuple[str, ...]] = ("labels",)

    def __init_subclass__(
        cls,
        backbone: type[PreTrainedModel] | None = None,
        before: str = "output_attentions",
        decoding: Sequence[str] = (),
        first: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        if backbone is not None:
            cls.backbone = backbone
            cls.forward = _forward(backbone.forward, cls.labels, before, decoding, first)

    def read(self, outputs: Any, **labels: Tensor | None) -> ModelOutput:
        """The head's output, with a loss if there are labels, from the backbone's."""
        raise NotImplementedError

    def run_backbone(self, **inputs: Any) -> Any:
        """The backbone's output."""
        return self.base_model(**inputs)


def _forward(
    backbone: Callable[..., Any], labels: tuple[str, ...], before: str, decoding: Sequence[str], first: Sequence[str]
) -> Callable[..., Any]:
    """A head's call, with a signature made from its backbone's: see `head_signature`."""
    signature = head_signature(backbone, labels, before, decoding, first=first)
    options = call_options(backbone, decoding)

    def forward(self: PlainHead, *args: Any, **kwargs: Any) -> Any:
        """Run the backbone on its arguments and read its hidden states; labels give a loss."""
        inputs = named(signature, args, kwargs)
        given = {name: inputs.pop(name, None) for name in labels}
        names = ("output_attentions", "output_hidden_states", "return_dict")
        wanted = self.wanted(*(inputs.pop(name, None) for name in names))
        outputs = self.run_backbone(
            **{**options, **inputs},
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        return wanted.answer(self.read(outputs, **given))

    forward.__signature__ = signature  # type: ignore[attr-defined]
    return forward


class SummaryHead(PlainHead):
    """What reads a summary of each sequence: the pooled one, unless a class makes another."""

    def make_summary(self, config: Any) -> None:
        """Make the layers that `summarize` needs."""
        self.dropout = nn.Dropout(config.head_dropout)

    def summarize(self, outputs: Any) -> Tensor:
        """The summaries, from the backbone's output: [B, D]."""
        return self.dropout(outputs.pooler_output)


class SequenceClassification(SummaryHead):
    """A classifier of whole sequences, on their summaries.

    labels: [B] class indices; [B] or [B, L] targets for regression; [B, L] zeros and ones for several labels each.
    """

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        setattr(self, self.base_model_prefix, self.backbone(config))
        self.make_summary(config)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def read(self, outputs: Any, labels: Tensor | None = None) -> ModelOutput:
        logits = self.classifier(self.summarize(outputs))  # [B, L]
        loss = sequence_classification_loss(logits, labels, self.config, ops)
        return SequenceClassifierOutput(loss, logits, outputs.hidden_states, outputs.attentions)


class FirstTokenClassification(PlainHead):
    """A classifier of whole sequences, of two layers, on their first token.

    labels: [B] class indices; [B] or [B, L] targets for regression; [B, L] zeros and ones for several labels each.

    Attributes:
        function: The activation between the two layers.
    """

    function: ClassVar[str] = "tanh"

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        sizes = config.hidden_size, config.num_labels, config.head_dropout
        setattr(self, self.base_model_prefix, self.backbone(config, **constructor_options(self.backbone)))
        self.classifier = ClassificationHead(*sizes, self.function)

    def read(self, outputs: Any, labels: Tensor | None = None) -> ModelOutput:
        logits = self.classifier(outputs.last_hidden_state[:, 0])  # [B, L]
        loss = sequence_classification_loss(logits, labels, self.config, ops)
        return SequenceClassifierOutput(loss, logits, outputs.hidden_states, outputs.attentions)


class MultipleChoice(SummaryHead):
    """A score for each choice's sequence, on its summary. Inputs are [B, C, T].

    labels: [B], the index of the right choice.
    """

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        setattr(self, self.base_model_prefix, self.backbone(config))
        self.make_summary(config)
        self.classifier = nn.Linear(config.hidden_size, 1)

    def run_backbone(self, **inputs: Any) -> tuple[Any, int]:
        """The backbone's output for rows [B C, T], and how many choices there are."""
        given = {name: inputs[name] for name in PER_POSITION if inputs.get(name) is not None}
        for name, array in given.items():
            check_choices(array.shape, 4 if name == "inputs_embeds" else 3, name)
        choices = next(iter(given.values())).shape[1]
        rows = {name: array.flatten(0, 1) for name, array in given.items()}
        return super().run_backbone(**{**inputs, **rows}), choices

    def read(self, outputs: Any, labels: Tensor | None = None) -> ModelOutput:
        outputs, choices = outputs
        logits = self.classifier(self.summarize(outputs)).unflatten(0, (-1, choices))[..., 0]  # [B, C]
        loss = cross_entropy(logits, labels, ops)
        return MultipleChoiceModelOutput(loss, logits, outputs.hidden_states, outputs.attentions)


class TokenClassification(PlainHead):
    """A classifier of every token.

    labels: [B, T] class indices, -100 where a token does not count.
    """

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        setattr(self, self.base_model_prefix, self.backbone(config, **constructor_options(self.backbone)))
        self.dropout = nn.Dropout(config.head_dropout)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def read(self, outputs: Any, labels: Tensor | None = None) -> ModelOutput:
        logits = self.classifier(self.dropout(outputs.last_hidden_state))  # [B, T, L]
        loss = cross_entropy(logits, labels, ops)
        return TokenClassifierOutput(loss, logits, outputs.hidden_states, outputs.attentions)


class QuestionAnswering(PlainHead):
    """Two scores for every token: that the answer starts there, and that it ends there.

    start_positions, end_positions: [B]; a position outside the sequence does not count.
    """

    labels = ("start_positions", "end_positions")

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        setattr(self, self.base_model_prefix, self.backbone(config, **constructor_options(self.backbone)))
        self.qa_outputs = nn.Linear(config.hidden_size, 2)

    def read(
        self, outputs: Any, start_positions: Tensor | None = None, end_positions: Tensor | None = None
    ) -> ModelOutput:
        start, end = self.qa_outputs(outputs.last_hidden_state).unbind(-1)  # [B, T] each
        loss = question_answering_loss(start, end, start_positions, end_positions, ops)
        return QuestionAnsweringModelOutput(loss, start, end, outputs.hidden_states, outputs.attentions)
