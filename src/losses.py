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
    return ops.mean(_binary_cross_entropies(logits, labels, ops))


def replaced_token_loss(logits: Any, labels: Any, attention_mask: Any, ops: Any) -> Any:
    """The mean of -log p over whether each token was replaced; None without labels.

    Args:
        logits: [B, T].
        labels: [B, T], 1 where a token was replaced.
        attention_mask: [B, T], what is not 1 there takes no part; without one, or with one for each pair of positions,
            all do.
        ops: The framework's array operations.
    """
    if labels is None:
        return None
    losses = _binary_cross_entropies(logits, labels, ops)
    if attention_mask is None or len(attention_mask.shape) != 2:
        return ops.mean(losses)
    weights = ops.cast_like(attention_mask == 1, losses)
    return ops.sum(losses * weights) / ops.sum(weights)


def _binary_cross_entropies(logits: Any, labels: Any, ops: Any) -> Any:
    logits = ops.widen(logits)
    labels = ops.cast_like(labels, logits)
    # max(x, 0) - x * y + log(1 + exp(-|x|)): the form that never overflows
    return ops.maximum(logits, 0.0) - logits * labels + ops.log1p(ops.exp(-ops.abs(logits)))


def masked_image_loss(pixels: Any, reconstruction: Any, masked: Any, grid: tuple[int, int], ops: Any) -> Any:
    """The mean distance of the pixels under masked patches from those that were made up; None without a mask.

    Args:
        pixels: [B, C, Y, X].
        reconstruction: The same.
        masked: [B, P], 1 where a patch was masked.
        grid: Rows and columns of patches, which divide Y and X.
        ops: The framework's array operations.
    """
    if masked is None:
        return None
    reconstruction = ops.widen(reconstruction)
    batch, channels, rows, columns = ops.shape(reconstruction)
    height, width = rows // grid[0], columns // grid[1]  # of a patch
    patches = ops.reshape(ops.cast_like(masked, reconstruction), (batch, grid[0], 1, grid[1], 1))
    pixel_weights = patches * ops.full((1, 1, height, 1, width), 1.0, reconstruction)
    weights = ops.reshape(pixel_weights, (batch, 1, rows, columns))
    distance = ops.abs(ops.cast_like(pixels, reconstruction) - reconstruction)
    return ops.sum(distance * weights) / (ops.sum(weights) + 1e-5) / channels


def contrastive_loss(
    predicted: Any, quantized: Any, codes: Any, negatives: Any, masked: Any, perplexity: Any, config: Any, ops: Any
) -> tuple[Any, Any, Any]:
    """The loss of Wav2Vec2's pre-training and its two parts, summed over masked frames; None each without negatives.

    Args:
        predicted: [B, T, P].
        quantized: [B, T, P].
        codes: [B, T, C], the same before it was projected: what is equal in it is the same frame.
        negatives: [B, T, K], for each frame the numbers of others, counted through the whole batch.
        masked: [B, T], true where a frame was masked.
        perplexity: [], how many entries of the codebooks are in use.
        config: The model's configuration.
        ops: The framework's array operations.
    """
    if negatives is None or masked is None:
        return None, None, None
    predicted, quantized = ops.widen(predicted), ops.widen(quantized)
    others = _taken(quantized, negatives, ops)  # [B, T, K, P]
    is_truth = ops.all_of_rows(_taken(codes, negatives, ops) == codes[:, :, None])
    likeness = cosine(predicted[:, :, None], others, ops) / config.contrastive_logits_temperature
    right = cosine(predicted, quantized, ops)[..., None] / config.contrastive_logits_temperature
    logits = ops.concatenate([right, ops.where(is_truth, ops.full_like(likeness, -float("inf")), likeness)], -1)
    weights = ops.cast_like(masked, logits)
    contrastive = -ops.sum(ops.log_softmax(logits)[..., 0] * weights)
    entries = config.num_codevectors_per_group * config.num_codevector_groups
    diversity = (entries - ops.widen(perplexity)) / entries * ops.sum(weights)
    return contrastive + config.diversity_loss_weight * diversity, contrastive, diversity


def _taken(frames: Any, numbers: Any, ops: Any) -> Any:
    """Frames [B, T, P] of these numbers [B, T, K], counted through the whole batch: [B, T, K, P]."""
    batch, length, width = ops.shape(frames)
    rows = ops.take_rows(ops.reshape(frames, (batch * length, width)), ops.reshape(numbers, (-1,)))
    return ops.reshape(rows, (batch, length, ops.shape(numbers)[-1], width))


def cosine(one: Any, other: Any, ops: Any, least: float = 1e-8) -> Any:
    """The cosine of the angle between vectors: [..., P], [..., P] -> [...]; their lengths are at least `least`."""
    return ops.sum(_directions(one, least, ops) * _directions(other, least, ops), -1)


def _directions(vectors: Any, least: float, ops: Any) -> Any:
    """Vectors [..., P] of length one; shorter than `least` where they were so short."""
    squares = ops.sum(vectors * vectors, -1)[..., None]
    is_short = squares <= least**2  # where a root may have no gradient
    lengths = ops.where(is_short, ops.full_like(squares, 1), squares) ** 0.5
    return vectors / ops.where(is_short, ops.full_like(lengths, least), lengths)


def margin_loss(hidden: Any, weight: Any, labels: Any, ops: Any, scale: float = 30.0, margin: float = 0.4) -> Any:
    """The cross-entropy of angles, that of the right class made worse by a margin; None without labels.

    Args:
        hidden: [B, D].
        weight: [D, L], a direction for each class.
        labels: [B], integers.
        ops: The framework's array operations.
        scale: What cosines are multiplied with.
        margin: What is taken from the right class's cosine (Wang et al. 2018, https://arxiv.org/abs/1801.05599).
    """
    if labels is None:
        return None
    hidden, weight = ops.widen(hidden), ops.widen(weight)
    lengths = ops.sum(weight * weight, 0) ** 0.5
    cosines = _directions(hidden, 1e-12, ops) @ (weight / ops.maximum(lengths, 1e-12))
    labels = ops.reshape(labels, (-1,))
    is_right = ops.arange(ops.shape(cosines)[-1], labels)[None] == labels[:, None]
    return cross_entropy(scale * ops.where(is_right, cosines - margin, cosines), labels, ops)
