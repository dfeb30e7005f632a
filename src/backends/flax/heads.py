"""The plain task heads: a backbone, and one `classifier` or `qa_outputs` that reads its hidden states.

An architecture gets one in a line: `class FlaxBertForTokenClassificationModule(TokenClassification,
backbone=FlaxBertModule, prefix="bert")`. Its call takes the backbone's arguments and the head's labels. Shape letters:
B batch, C choices, T length, D width, L labels.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from ...losses import cross_entropy, question_answering_loss, sequence_classification_loss
from ...outputs import (
    ModelOutput,
    MultipleChoiceModelOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
    Wanted,
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
from .layers import Dense


def scored_positions(hidden: Array, keep: int | Array) -> Array:
    """The positions that a language model scores: the last `keep`, all if 0, or those in a vector.

    [B, T, D] -> [B, t, D].
    """
    return hidden[:, -keep:] if isinstance(keep, int) else hidden[:, keep]


def rightmost(hidden: Array, input_ids: Array | None, padding: int | None) -> Array:
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


def last_where(hidden: Array, flags: Array) -> Array:
    """The hidden state of each sequence's last position with a flag, the first where none has: [B, T, D] -> [B, D].

    Args:
        hidden: [B, T, D].
        flags: [B, T].
    """
    places = jnp.arange(hidden.shape[1]) * flags  # [B, T]
    return hidden[jnp.arange(hidden.shape[0]), places.max(-1)]


def choices_as_rows(array: Array | None) -> Array | None:
    """[B, C, T, ...] -> [B C, T, ...]; what has no axis of choices stays."""
    return array.reshape(-1, *array.shape[2:]) if array is not None and array.ndim > 2 else array


class ClassificationHead(nn.Module):
    """A classifier of two layers: [B, D] -> [B, L].

    Attributes:
        width: D.
        labels: L.
        rate: The dropout before both.
        function: The activation between them.
    """

    width: int
    labels: int
    rate: float
    function: str = "tanh"
    dtype: Any = jnp.float32

    def setup(self) -> None:
        self.dense = Dense(self.width, in_features=self.width, dtype=self.dtype)
        self.activation = activation(self.function)
        self.dropout = nn.Dropout(self.rate)
        self.out_proj = Dense(self.labels, in_features=self.width, dtype=self.dtype)

    def __call__(self, hidden: Array, deterministic: bool = True) -> Array:
        projected = self.activation(self.dense(self.dropout(hidden, deterministic=deterministic)))
        return self.out_proj(self.dropout(projected, deterministic=deterministic))


class SequenceSummary(nn.Module):
    """A summary of each sequence: one position or the mean of all, projected if the configuration says so."""

    config: Any
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        check_summary(config)
        projection = partial(Dense, summary_width(config), in_features=config.hidden_size, dtype=self.dtype)
        self.choose = SUMMARIES[config.summary_type]
        self.summary = projection() if config.summary_use_proj else identity
        self.activation = activation(config.summary_activation or "linear")
        self.first_dropout = nn.Dropout(getattr(config, "summary_first_dropout", 0.0))
        self.last_dropout = nn.Dropout(getattr(config, "summary_last_dropout", 0.0))

    def __call__(self, hidden: Array, places: Array | None = None, deterministic: bool = True) -> Array:
        """[..., T, D] and the places [...] for the kind of summary that asks for them -> [..., L]."""
        projected = self.summary(self.first_dropout(self.choose(hidden, places), deterministic=deterministic))
        return self.last_dropout(self.activation(projected), deterministic=deterministic)


def _at_place(hidden: Array, places: Array | None) -> Array:
    if places is None:
        return hidden[..., -1, :]
    return jnp.take_along_axis(hidden, places[..., None, None], axis=-2)[..., 0, :]


#: Kind of summary -> what it is made of. All but the first take the second axis, as 4.x does: with choices, theirs.
SUMMARIES: Mapping[str, Callable[[Array, Array | None], Array]] = {
    "cls_index": _at_place,
    "first": lambda hidden, places: hidden[:, 0],
    "last": lambda hidden, places: hidden[:, -1],
    "mean": lambda hidden, places: hidden.mean(1),
}


class PlainHead(nn.Module):
    """A backbone and what reads its hidden states.

    An architecture's class says `backbone=`, and where its call is another than usual, `decoding=`: the arguments for
    decoding that it takes.

    Attributes:
        backbone: The class of the bare model's module.
        prefix: The backbone's name.
        labels: The arguments that the loss is computed from.
    """

    config: Any
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    backbone: ClassVar[type[nn.Module]]
    prefix: ClassVar[str]
    labels: ClassVar[tuple[str, ...]] = ("labels",)
    signature: ClassVar[inspect.Signature]
    options: ClassVar[dict[str, bool]]

    def __init_subclass__(
        cls,
        backbone: type[nn.Module] | None = None,
        prefix: str = "",
        decoding: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        if backbone is not None:
            cls.backbone, cls.prefix = backbone, prefix
            cls.signature = head_signature(backbone.__call__, cls.labels, "deterministic", decoding)
            cls.options = call_options(backbone.__call__, decoding)

    def make_backbone(self, **options: Any) -> None:
        """Make the backbone under its name."""
        module = self.backbone(self.config, self.dtype, gradient_checkpointing=self.gradient_checkpointing, **options)
        setattr(self, self.prefix, module)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the backbone on its arguments and read its hidden states; labels give a loss."""
        inputs = named(self.signature, args, kwargs)
        given = {name: inputs.pop(name, None) for name in self.labels}
        names = ("output_attentions", "output_hidden_states", "return_dict")
        wanted = Wanted.of(self.config, *(inputs.pop(name, None) for name in names))
        outputs = self.run_backbone(
            **{**self.options, **inputs},
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        return wanted.answer(self.read(outputs, inputs.get("deterministic", True), **given))

    def run_backbone(self, **inputs: Any) -> Any:
        """The backbone's output."""
        return getattr(self, self.prefix)(**inputs)

    def read(self, outputs: Any, deterministic: bool, **labels: Array | None) -> ModelOutput:
        """The head's output, with a loss if there are labels, from the backbone's."""
        raise NotImplementedError


class SummaryHead(PlainHead):
    """What reads a summary of each sequence: the pooled one, unless a class makes another."""

    def make_summary(self) -> None:
        """Make the layers that `summarize` needs."""
        self.dropout = nn.Dropout(self.config.head_dropout)

    def summarize(self, outputs: Any, deterministic: bool) -> Array:
        """The summaries, from the backbone's output: [B, D]."""
        return self.dropout(outputs.pooler_output, deterministic=deterministic)


class SequenceClassification(SummaryHead):
    """A classifier of whole sequences, on their summaries.

    labels: [B] class indices; [B] or [B, L] targets for regression; [B, L] zeros and ones for several labels each.
    """

    def setup(self) -> None:
        config = self.config
        self.make_backbone()
        self.make_summary()
        self.classifier = Dense(config.num_labels, in_features=config.hidden_size, dtype=self.dtype)

    def read(self, outputs: Any, deterministic: bool, labels: Array | None = None) -> ModelOutput:
        logits = self.classifier(self.summarize(outputs, deterministic))  # [B, L]
        loss = sequence_classification_loss(logits, labels, self.config, ops)
        return SequenceClassifierOutput(loss, logits, outputs.hidden_states, outputs.attentions)


class FirstTokenClassification(PlainHead):
    """A classifier of whole sequences, of two layers, on their first token.

    labels: [B] class indices; [B] or [B, L] targets for regression; [B, L] zeros and ones for several labels each.

    Attributes:
        function: The activation between the two layers.
    """

    function: ClassVar[str] = "tanh"

    def setup(self) -> None:
        config = self.config
        sizes = config.hidden_size, config.num_labels, config.head_dropout
        self.make_backbone(**constructor_options(self.backbone))
        self.classifier = ClassificationHead(*sizes, self.function, self.dtype)

    def read(self, outputs: Any, deterministic: bool, labels: Array | None = None) -> ModelOutput:
        logits = self.classifier(outputs.last_hidden_state[:, 0], deterministic)  # [B, L]
        loss = sequence_classification_loss(logits, labels, self.config, ops)
        return SequenceClassifierOutput(loss, logits, outputs.hidden_states, outputs.attentions)


class MultipleChoice(SummaryHead):
    """A score for each choice's sequence, on its summary. Inputs are [B, C, T].

    labels: [B], the index of the right choice.
    """

    def setup(self) -> None:
        config = self.config
        self.make_backbone()
        self.make_summary()
        self.classifier = Dense(1, in_features=config.hidden_size, dtype=self.dtype)

    def run_backbone(self, **inputs: Any) -> tuple[Any, int]:
        """The backbone's output for rows [B C, T], and how many choices there are."""
        given = {name: inputs[name] for name in PER_POSITION if inputs.get(name) is not None}
        for name, array in given.items():
            check_choices(array.shape, 4 if name == "inputs_embeds" else 3, name)
        choices = next(iter(given.values())).shape[1]
        rows = {name: array.reshape(-1, *array.shape[2:]) for name, array in given.items()}
        return super().run_backbone(**{**inputs, **rows}), choices

    def read(self, outputs: Any, deterministic: bool, labels: Array | None = None) -> ModelOutput:
        outputs, choices = outputs
        logits = self.classifier(self.summarize(outputs, deterministic)).reshape(-1, choices)  # [B, C]
        loss = cross_entropy(logits, labels, ops)
        return MultipleChoiceModelOutput(loss, logits, outputs.hidden_states, outputs.attentions)


class TokenClassification(PlainHead):
    """A classifier of every token.

    labels: [B, T] class indices, -100 where a token does not count.
    """

    def setup(self) -> None:
        config = self.config
        self.make_backbone(**constructor_options(self.backbone))
        self.dropout = nn.Dropout(config.head_dropout)
        self.classifier = Dense(config.num_labels, in_features=config.hidden_size, dtype=self.dtype)

    def read(self, outputs: Any, deterministic: bool, labels: Array | None = None) -> ModelOutput:
        logits = self.classifier(self.dropout(outputs.last_hidden_state, deterministic=deterministic))  # [B, T, L]
        loss = cross_entropy(logits, labels, ops)
        return TokenClassifierOutput(loss, logits, outputs.hidden_states, outputs.attentions)


class QuestionAnswering(PlainHead):
    """Two scores for every token: that the answer starts there, and that it ends there.

    start_positions, end_positions: [B]; a position outside the sequence does not count.
    """

    labels = ("start_positions", "end_positions")

    def setup(self) -> None:
        self.make_backbone(**constructor_options(self.backbone))
        self.qa_outputs = Dense(2, in_features=self.config.hidden_size, dtype=self.dtype)

    def read(
        self,
        outputs: Any,
        deterministic: bool,
        start_positions: Array | None = None,
        end_positions: Array | None = None,
    ) -> ModelOutput:
        scores = self.qa_outputs(outputs.last_hidden_state)
        start, end = scores[..., 0], scores[..., 1]  # [B, T] each
        loss = question_answering_loss(start, end, start_positions, end_positions, ops)
        return QuestionAnsweringModelOutput(loss, start, end, outputs.hidden_states, outputs.attentions)
