"""Losses whose form in TensorFlow itself computes in float32."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .. import ctc
from ..sounds import check_ctc_labels
from . import ops


def ctc_loss(logits: tf.Tensor, labels: tf.Tensor | None, lengths: tf.Tensor, config: Any) -> tf.Tensor | None:
    """Connectionist temporal classification (Graves et al. 2006); None without labels.

    Args:
        logits: [B, T, V].
        labels: [B, U], tokens; what is below zero is none.
        lengths: [B], the frames of each sound.
        config: Says which token is the blank, and how losses are reduced.

    Raises:
        InputError: A label that the vocabulary does not have.
    """
    if labels is None:
        return None
    labels, lengths = tf.cast(labels, tf.int32), tf.cast(lengths, tf.int32)
    if tf.executing_eagerly() and labels.shape.num_elements():
        check_ctc_labels(int(tf.reduce_max(labels)), config.vocab_size)
    scores = ops.log_softmax(ops.widen(logits))
    text = ctc.text_of(labels, config.pad_token_id, scores, ops)
    by_place = tf.gather(scores, text.places, axis=2, batch_dims=1)  # [B, T, P]

    def walk(reached: tf.Tensor, frame: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        index, heard = frame
        return ctc.step(reached, heard, text, index < lengths, ops)

    frames = (tf.range(ops.shape(scores)[1]), tf.transpose(by_place, (1, 0, 2)))
    reached = tf.scan(walk, frames, ctc.begin(text, scores, ops))[-1]
    return ctc.losses(reached, text, config, ops)
