"""Losses that JAX has not itself."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from .. import ctc
from ..sounds import check_ctc_labels
from . import ops
from .checks import known


def ctc_loss(logits: Array, labels: Array | None, lengths: Array, config: Any) -> Array | None:
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
    if known(labels) and labels.size:
        check_ctc_labels(int(labels.max()), config.vocab_size)
    scores = ops.log_softmax(ops.widen(logits))
    text = ctc.text_of(labels, config.pad_token_id, scores, ops)
    by_place = jnp.take_along_axis(scores, text.places[:, None], axis=2)  # [B, T, P]

    def walk(reached: Array, frame: tuple[Array, Array]) -> tuple[Array, None]:
        index, heard = frame
        return ctc.step(reached, heard, text, index < lengths, ops), None

    frames = (jnp.arange(scores.shape[1]), by_place.swapaxes(0, 1))
    reached, _ = jax.lax.scan(walk, ctc.begin(text, scores, ops), frames)
    return ctc.losses(reached, text, config, ops)
