"""Losses that PyTorch has itself."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..sounds import check_ctc_labels
from . import ops


def ctc_loss(logits: Tensor, labels: Tensor | None, lengths: Tensor, config: Any) -> Tensor | None:
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
    if labels.numel():
        check_ctc_labels(int(labels.max()), config.vocab_size)
    is_there = labels >= 0
    return F.ctc_loss(
        torch.log_softmax(ops.widen(logits), -1).transpose(0, 1),
        labels.masked_select(is_there),
        lengths.clamp(max=logits.shape[1]),  # an adapter may give fewer frames than 4.x counts
        is_there.sum(-1),
        blank=config.pad_token_id,
        reduction=config.ctc_loss_reduction,
        zero_infinity=config.ctc_zero_infinity,
    )
