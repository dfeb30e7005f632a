"""The plain task heads: a backbone, and one `classifier` or `qa_outputs` that reads its hidden states.

An architecture gets one in a line: `class TFBertForTokenClassification(TokenClassification, TFBertPreTrainedModel,
backbone=TFBertModel)`. Its call takes the backbone's arguments and the head's labels. Shape letters: B batch,
C choices, T length, D width, L labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
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
from .activations import activation, identity
from .layers import Dense, Dropout
from .model import TFPreTrainedModel


def scored_positions(hidden: tf.Tensor, keep: int | tf.Tensor) -> tf.Tensor:
    """The positions that a language model scores: the last `keep`, all if 0, or those in a vector.

    [B, T, D] -> [B, t, D].
    """
    return hidden[:, -keep:] if isinstance(keep, int) else tf.gather(hidden, keep, axis=1)


def rightmost(hidden: tf.Tensor, input_ids: tf.Tensor | None, padding: int | None) -> tf.Tensor:
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


def last_where(hidden: tf.Tensor, flags: tf.Tensor) -> tf.Tensor:
    """The hidden state of each sequence's last position with a flag, the first where none has: [B, T, D] -> [B, D].

    Args:
        hidden: [B, T, D].
        flags: [B, T].
    """
    places = tf.range(ops.shape(hidden)[1]) * tf.cast(flags, tf.int32)  # [B, T]
    return tf.gather(hidden, tf.reduce_max(places, -1), batch_dims=1)


def choices_as_rows(array: tf.Tensor | None) -> tf.Tensor | None:
    """[B, C, T, ...] -> [B C, T, ...]; what has no axis of choices stays."""
    return tf.reshape(array, (-1, *ops.shape(array)[2:])) if array is not None and len(array.shape) > 2 else array


class ClassificationHead(layers.Layer):
    """A classifier of two layers: [B, D] -> [B, L].

    Args:
        width: D.
        labels: L.
        dropout: The dropout before both.
        function: The activation between them.
    """

    def __init__(
        self, width: int, labels: int, dropout: float, function: str = "tanh", *, name: str, dtype: Any
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.activation = activation(function)
        self.dense = Dense(width, width, name="dense", dtype=dtype)
        self.dropout = Dropout(dropout, name="dropout", dtype=dtype)
        self.out_proj = Dense(width, labels, name="out_proj", dtype=dtype)

    def call(self, hidden: tf.Tensor, training: bool = False) -> tf.Tensor:
        projected = self.activation(self.dense(self.dropout(hidden, training=training)))
        return self.out_proj(self.dropout(projected, training=training))


class SequenceSummary(layers.Layer):
    """A summary of each sequence: one position or the mean of all, projected if the configuration says so."""

    def __init__(self, config: Any, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        check_summary(config)
        projection = partial(Dense, config.hidden_size, summary_width(config), name="summary", dtype=dtype)
        last_rate = getattr(config, "summary_last_dropout", 0.0)
        self.choose = SUMMARIES[config.summary_type]
        self.summary = projection() if config.summary_use_proj else identity
        self.activation = activation(config.summary_activation or "linear")
        self.first_dropout = Dropout(getattr(config, "summary_first_dropout", 0.0), name="first_dropout", dtype=dtype)
        self.last_dropout = Dropout(last_rate, name="last_dropout", dtype=dtype)

    def call(self, hidden: tf.Tensor, places: tf.Tensor | None = None, training: bool = False) -> tf.Tensor:
        """[..., T, D] and the places [...] for the kind of summary that asks for them -> [..., L]."""
        projected = self.summary(self.first_dropout(self.choose(hidden, places), training=training))
        return self.last_dropout(self.activation(projected), training=training)


def _at_place(hidden: tf.Tensor, places: tf.Tensor | None) -> tf.Tensor:
    if places is None:
        return tf.gather(hidden, ops.shape(hidden)[-2] - 1, axis=-2)
    return tf.gather(hidden, places, batch_dims=len(places.shape))


#: Kind of summary -> what it is made of. All but the first take the second axis, as 4.x does: with choices, theirs.
SUMMARIES: Mapping[str, Callable[[tf.Tensor, tf.Tensor | None], tf.Tensor]] = {
    "cls_index": _at_place,
    "first": lambda hidden, places: hidden[:, 0],
    "last": lambda hidden, places: hidden[:, -1],
    "mean": lambda hidden, places: tf.reduce_mean(hidden, 1),
}


class PlainHead(TFPreTrainedModel):
    """A backbone and what reads its hidden states.

    An architecture's class says `backbone=`, and where its call is another than usual, `before=`: the argument that the
    labels stand in front of, `decoding=`: the arguments for decoding that it takes, and `by_name=`: those that it takes
    by name alone.

    Attributes:
        backbone: The class of the bare model.
        labels: The arguments that the loss is computed from.
    """

    backbone: ClassVar[type[TFPreTrainedModel]]
    labels: ClassVar[tuple[str, ...]] = ("labels",)

    def __init_subclass__(
        cls,
        backbone: type[TFPreTrainedModel] | None = None,
        before: str = "training",
        decoding: Sequence[str] = (),
        by_name: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        if backbone is not None:
            cls.backbone = backbone
            cls.call = _call(backbone.call, cls.labels, before, decoding, by_name)

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


def _call(
    backbone: Callable[..., Any],
    labels: tuple[str, ...],
    before: str,
    decoding: Sequence[str],
    by_name: Sequence[str],
) -> Callable[..., Any]:
    """A head's call, with a signature made from its backbone's: see `head_signature`."""
    signature, options = head_signature(backbone, labels, before, decoding, by_name), call_options(backbone, decoding)

    def call(self: PlainHead, *args: Any, **kwargs: Any) -> Any:
        """Run the backbone on its arguments and read its hidden states; labels give a loss."""
        inputs = named(signature, args, kwargs)
        given = {name: inputs.pop(name, None) for name in labels}
        names = ("output_attentions", "output_hidden_states", "return_dict")
        wanted = self.wanted(*(inputs.pop(name, None) for name in names))
        outputs = self.run_backbone(
            **{**options, **inputs},
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        return wanted.answer(self.read(outputs, inputs.get("training", False), **given))

    call.__signature__ = signature  # type: ignore[attr-defined]
    return call


class SummaryHead(PlainHead):
    """What reads a summary of each sequence: the pooled one, unless a class makes another."""

    def make_summary(self, config: Any) -> None:
        """Make the layers that `summarize` needs."""
        self.dropout = Dropout(config.head_dropout, name="dropout", dtype=self.dtype_policy)

    def summarize(self, outputs: Any, training: bool) -> tf.Tensor:
        """The summaries, from the backbone's output: [B, D]."""
        return self.dropout(outputs.pooler_output, training=training)


class SequenceClassification(SummaryHead):
    """A classifier of whole sequences, on their summaries.

    labels: [B] class indices; [B] or [B, L] targets for regression; [B, L] zeros and ones for several labels each.
    """

    def __init__(self, config: Any, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        self.make_backbone()
        self.make_summary(config)
        self.classifier = Dense(config.hidden_size, config.num_labels, name="classifier", dtype=self.dtype_policy)

    def read(self, outputs: Any, training: bool, labels: tf.Tensor | None = None) -> ModelOutput:
        logits = self.classifier(self.summarize(outputs, training))  # [B, L]
        loss = sequence_classification_loss(logits, labels, self.config, ops)
        return SequenceClassifierOutput(loss, logits, outputs.hidden_states, outputs.attentions)


class FirstTokenClassification(PlainHead):
    """A classifier of whole sequences, of two layers, on their first token.

    labels: [B] class indices; [B] or [B, L] targets for regression; [B, L] zeros and ones for several labels each.

    Attributes:
        function: The activation between the two layers.
    """

    function: ClassVar[str] = "tanh"

    def __init__(self, config: Any, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        sizes = config.hidden_size, config.num_labels, config.head_dropout
        self.make_backbone(**constructor_options(self.backbone))
        self.classifier = ClassificationHead(*sizes, self.function, name="classifier", dtype=self.dtype_policy)

    def read(self, outputs: Any, training: bool, labels: tf.Tensor | None = None) -> ModelOutput:
        logits = self.classifier(outputs.last_hidden_state[:, 0], training=training)  # [B, L]
        loss = sequence_classification_loss(logits, labels, self.config, ops)
        return SequenceClassifierOutput(loss, logits, outputs.hidden_states, outputs.attentions)


class MultipleChoice(SummaryHead):
    """A score for each choice's sequence, on its summary. Inputs are [B, C, T].

    labels: [B], the index of the right choice.
    """

    def __init__(self, config: Any, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        self.make_backbone()
        self.make_summary(config)
        self.classifier = Dense(config.hidden_size, 1, name="classifier", dtype=self.dtype_policy)

    def run_backbone(self, **inputs: Any) -> tuple[Any, Any]:
        """The backbone's output for rows [B C, T], and how many choices there are."""
        given = {name: inputs[name] for name in PER_POSITION if inputs.get(name) is not None}
        for name, array in given.items():
            check_choices(array.shape, 4 if name == "inputs_embeds" else 3, name)
        choices = ops.shape(next(iter(given.values())))[1]
        rows = {name: tf.reshape(array, (-1, *ops.shape(array)[2:])) for name, array in given.items()}
        return super().run_backbone(**{**inputs, **rows}), choices

    def read(self, outputs: Any, training: bool, labels: tf.Tensor | None = None) -> ModelOutput:
        outputs, choices = outputs
        logits = tf.reshape(self.classifier(self.summarize(outputs, training)), (-1, choices))  # [B, C]
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
        self.dropout = Dropout(config.head_dropout, name="dropout", dtype=dtype)
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
