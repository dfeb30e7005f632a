"""Losses without parameters, written once over each framework's `ops`.

Shapes: B batch, L labels. Logits narrower than float32 are widened first: the logarithm of a sum needs the digits.
"""

from __future__ import annotations

from typing import Any

from .configuration import PretrainedConfig

#: Labels with this value take no part in the loss.
IGNORED = -100


def sequence_classification_loss(logits: Any, labels: Any, config: PretrainedConfig, ops: Any) -> Any:
    """The loss of a classifier of whole sequences, by the kind of its labels; None without labels.

    Args:
        logits: [B, L].
        labels: Class indices [B]; or targets [B] or [B, L] for regression; or 0 and 1 [B, L] for several labels each.
        config: Its `problem_type` decides; if that is not set, the number of labels and the labels' type do.
        ops: The framework's array operations.
    """
    if labels is None:
        return None
    problem = config.problem_type or _problem_type(config.num_labels, ops.is_integer(labels))
    if problem == "regression":
        return mean_squared_error(logits, labels, ops)
    if problem == "single_label_classification":
        return cross_entropy(logits, labels, ops)
    return binary_cross_entropy(logits, labels, ops)


def _problem_type(num_labels: int, integer_labels: bool) -> str:
    if num_labels == 1:
        return "regression"
    return "single_label_classification" if integer_labels else "multi_label_classification"


def cross_entropy(logits: Any, labels: Any, ops: Any, ignored: Any = IGNORED) -> Any:
    """The mean of -log p(label) over the labels that are not `ignored`; not a number if all are. None without labels.

    Args:
        logits: [..., L].
        labels: [...], integers.
        ops: The framework's array operations.
        ignored: The label that takes no part.
    """
    if labels is None:
        return None
    logits = ops.widen(ops.reshape(logits, (-1, ops.shape(logits)[-1])))
    labels = ops.reshape(labels, (-1,))
    counted = labels != ignored
    chosen = ops.take_along_last(ops.log_softmax(logits), ops.where(counted, labels, 0))  # [B]
    weights = ops.cast_like(counted, logits)
    return -ops.sum(chosen * weights) / ops.sum(weights)


def causal_language_model_loss(logits: Any, labels: Any, ops: Any) -> Any:
    """The cross-entropy of each position's prediction of the next token; None without labels.

    Args:
        logits: [..., T, V].
        labels: [..., T], the tokens themselves, -100 where one is not to be predicted.
        ops: The framework's array operations.
    """
    return None if labels is None else cross_entropy(logits[..., :-1, :], labels[..., 1:], ops)


def question_answering_loss(
    start_logits: Any, end_logits: Any, start_positions: Any, end_positions: Any, ops: Any
) -> Any:
    """The mean of the cross-entropies of an answer's start and end; None without both positions.

    Args:
        start_logits: [B, T].
        end_logits: [B, T].
        start_positions: [B] or [B, 1]; a position outside the sequence takes no part.
        end_positions: [B] or [B, 1].
        ops: The framework's array operations.
    """
    if start_positions is None or end_positions is None:
        return None
    length = ops.shape(start_logits)[1]
    start, end = (
        cross_entropy(logits, ops.clip(ops.reshape(positions, (-1,)), 0, length), ops, ignored=length)
        for logits, positions in ((start_logits, start_positions), (end_logits, end_positions))
    )
    return (start + end) / 2


def mean_squared_error(logits: Any, labels: Any, ops: Any) -> Any:
    """The mean of (logits - labels)^2.

    Args:
        logits: [B, L].
        labels: [B, L], or [B] if L is 1.
    """
    logits = ops.widen(logits)
    difference = logits - ops.reshape(ops.cast_like(labels, logits), ops.shape(logits))
    return ops.mean(difference * difference)


def binary_cross_entropy(logits: Any, labels: Any, ops: Any) -> Any:
    """The mean of -log p over independent yes-or-no labels.

    Args:
        logits: [B, L].
        labels: [B, L], between 0 and 1.
    """
    logits = ops.widen(logits)
    labels = ops.cast_like(labels, logits)
    # max(x, 0) - x * y + log(1 + exp(-|x|)): the form that never overflows
    return ops.mean(ops.maximum(logits, 0.0) - logits * labels + ops.log1p(ops.exp(-ops.abs(logits))))
