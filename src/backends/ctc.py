"""Connectionist temporal classification (Graves et al. 2006), where a framework's own is not exact.

The probability of a text is that of all ways to write it over the frames: the text with a blank before, after and
between its tokens is walked through from left to right, each frame staying, going on, or leaving out a blank between
two different tokens. Probabilities are kept as logarithms; nothing is `NEVER`, finite so that gradients are too.

Shape letters: B batch, T frames, U labels, P = 2 U + 1 places of the text with its blanks, V vocabulary.
"""

from __future__ import annotations

from typing import Any, NamedTuple

#: The logarithm of no probability at all.
NEVER = -1e30


class Text(NamedTuple):
    """Labels as the frames walk through them.

    Attributes:
        places: [B, P], the token of each place.
        skips: [B, P], 0 where a place can be reached from the one before the last, else `NEVER`.
        lengths: [B], how many labels there are.
    """

    places: Any
    skips: Any
    lengths: Any


def text_of(labels: Any, blank: int, like: Any, ops: Any) -> Text:
    """Labels [B, U] with blanks around them; what is below zero is none, wherever it stands."""
    order = ops.argsort(ops.cast(labels < 0, "int32"))  # what is none goes to the end
    labels = ops.cast(ops.take_beams(labels, order), "int32")
    is_there = labels >= 0
    labels = ops.where(is_there, labels, ops.full_like(labels, blank))
    batch, size = ops.shape(labels)
    blanks = ops.full_like(labels, blank)[..., None]
    places = ops.reshape(ops.concatenate([blanks, labels[..., None]], -1), (batch, 2 * size))
    places = ops.concatenate([places, ops.full((batch, 1), blank, places)], 1)  # [B, P]
    may_skip = (places[:, 2:] != blank) & (places[:, 2:] != places[:, :-2])
    skips = ops.where(may_skip, ops.full(ops.shape(may_skip), 0.0, like), NEVER)
    skips = ops.concatenate([ops.full((batch, 2), NEVER, like), skips], 1)[:, : 2 * size + 1]
    return Text(places, skips, ops.count(is_there))


def begin(text: Text, like: Any, ops: Any) -> Any:
    """The logarithm of being at each place before the first frame: at the first blank, [B, P]."""
    batch, places = ops.shape(text.places)
    return ops.where(ops.arange(places, text.places)[None] == 0, ops.full((batch, 1), 0.0, like), NEVER)


def step(reached: Any, scores: Any, text: Text, is_heard: Any, ops: Any) -> Any:
    """One frame further.

    Args:
        reached: [B, P], the logarithm of being at each place.
        scores: [B, P], the logarithm of each place's token in this frame.
        text: The text.
        is_heard: [B], whether the frame is one of the sound's; others change nothing.
        ops: The framework's array operations.
    """
    gone = ops.full_like(reached[:, :1], NEVER)
    one = ops.concatenate([gone, reached[:, :-1]], 1)
    two = ops.concatenate([gone, gone, reached[:, :-2]], 1)[:, : ops.shape(reached)[1]] + text.skips
    after = log_of_sum([reached, one, two], ops) + scores
    return ops.where(is_heard[:, None], after, reached)


def losses(reached: Any, text: Text, config: Any, ops: Any) -> Any:
    """Minus the logarithm of each text's probability, [B], or what the configuration reduces them to.

    Args:
        reached: [B, P] after the last frame.
        text: The text.
        config: How losses are reduced, and what a text costs that the frames cannot hold.
        ops: The framework's array operations.
    """
    place = 2 * text.lengths
    last = ops.take_along_last(reached, place)
    before = ops.take_along_last(reached, ops.where(place > 0, place - 1, place))
    before = ops.where(place > 0, before, ops.full_like(before, NEVER))
    loss = -log_of_sum([last, before], ops)
    is_endless = loss > -NEVER / 2
    loss = ops.where(is_endless, ops.full_like(loss, 0.0 if config.ctc_zero_infinity else float("inf")), loss)
    if config.ctc_loss_reduction == "none":
        return loss
    if config.ctc_loss_reduction == "sum":
        return ops.sum(loss)
    return ops.mean(loss / ops.maximum(ops.cast_like(text.lengths, loss), 1.0))


def log_of_sum(logarithms: list[Any], ops: Any) -> Any:
    """The logarithm of the sum of numbers that are given by theirs."""
    most = logarithms[0]
    for other in logarithms[1:]:
        most = ops.where(other > most, other, most)
    return most + ops.log(sum(ops.exp(each - most) for each in logarithms))
