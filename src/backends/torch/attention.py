"""The scaled-dot-product attention call, and the masks that go into it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..checks import check_mask_shape


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    dropout: float,
    head_mask: Tensor | None,
    explicit: bool,
) -> tuple[Tensor, Tensor | None]:
    """softmax(query key^T / sqrt(H) + mask) value.

    Args:
        query: [B, N, T, H].
        key: [B, N, S, H].
        value: [B, N, S, H].
        mask: Added to the scores, broadcast to [B, N, T, S].
        dropout: The probability with which a weight is dropped, 0 outside training.
        head_mask: Multiplied with the weights, broadcast to [B, N, T, S].
        explicit: Whether the weights are to be returned, or PyTorch's fused call avoided.

    Returns:
        The context [B, N, T, H], and the weights [B, N, T, S] if they were computed explicitly.
    """
    if not explicit and head_mask is None:
        return F.scaled_dot_product_attention(query, key, value, mask, dropout), None
    scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5  # [B, N, T, S]
    if mask is not None:
        scores = scores + mask
    weights = F.dropout(torch.softmax(scores, -1), dropout)
    if head_mask is not None:
        weights = weights * head_mask
    return weights @ value, weights


def additive_mask(attention_mask: Tensor | None, hidden: Tensor) -> Tensor | None:
    """A mask of ones and zeros as what is added to scores: 0 where it is 1, the lowest finite number where it is 0.

    The number is finite, so that a row with nothing to attend to gives an average instead of not-a-number.

    Args:
        attention_mask: [B, S] or [B, T, S]; None lets every position see every other.
        hidden: [B, S, D]; gives sizes and type.

    Returns:
        [B, 1, 1, S] or [B, 1, T, S].
    """
    if attention_mask is None:
        return None
    check_mask_shape(tuple(attention_mask.shape), tuple(hidden.shape[:2]))
    mask = attention_mask[:, None, None, :] if attention_mask.dim() == 2 else attention_mask[:, None]
    return (1.0 - mask.to(hidden.dtype)) * torch.finfo(hidden.dtype).min


def per_layer_head_masks(head_mask: Tensor | None, layers: int) -> list[Tensor | None]:
    """A head mask for each layer: [N] or [layers, N] -> `layers` times [1, N, 1, 1]."""
    if head_mask is None:
        return [None] * layers
    rows = head_mask if head_mask.dim() == 2 else head_mask.expand(layers, -1)
    return [row[None, :, None, None] for row in rows]


def split_heads(array: Tensor, heads: int) -> Tensor:
    """[B, T, D] -> [B, N, T, H]."""
    return array.unflatten(-1, (heads, -1)).transpose(1, 2)


def join_heads(array: Tensor) -> Tensor:
    """[B, N, T, H] -> [B, T, D]."""
    return array.transpose(1, 2).flatten(2)
