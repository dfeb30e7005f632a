"""The scaled-dot-product attention call, and the masks that go into it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..checks import check_mask_shape
from . import ops


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    dropout: float,
    head_mask: Tensor | None,
    explicit: bool,
    scale: float | None = None,
) -> tuple[Tensor, Tensor | None]:
    """softmax(scale query key^T + mask) value.

    Args:
        query: [B, N, T, H].
        key: [B, N, S, H].
        value: [B, N, S, H].
        mask: Added to the scores, broadcast to [B, N, T, S].
        dropout: The probability with which a weight is dropped, 0 outside training.
        head_mask: Multiplied with the weights, broadcast to [B, N, T, S].
        explicit: Whether the weights are to be returned, or PyTorch's fused call avoided.
        scale: What the scores are multiplied with; 1 / sqrt(H) if None.

    Returns:
        The context [B, N, T, H], and the weights [B, N, T, S] if they were computed explicitly.
    """
    if not explicit and head_mask is None:
        return F.scaled_dot_product_attention(query, key, value, mask, dropout, scale=scale), None
    scores = query @ key.transpose(-1, -2) * (query.shape[-1] ** -0.5 if scale is None else scale)  # [B, N, T, S]
    if mask is not None:
        scores = scores + mask
    weights = F.dropout(torch.softmax(scores, -1).to(value.dtype), dropout)
    if head_mask is not None:
        weights = weights * head_mask
    return weights @ value, weights


def attend_in_float32(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    dropout: float,
    head_mask: Tensor | None,
    explicit: bool,
    scale: float | None = None,
) -> tuple[Tensor, Tensor | None]:
    """`attend`, with scores in float32 where its arguments are narrower, so that none overflows."""
    wide = ops.widen(query)
    explicit = explicit or wide is not query  # PyTorch's fused call wants values of the same type
    return attend(wide, ops.widen(key), value, mask, dropout, head_mask, explicit, scale)


def padding_mask(
    attention_mask: Tensor | None, hidden: Tensor, past: int = 0, reach: int | None = None
) -> Tensor | None:
    """What is added to scores where every position may attend to every other: see `additive`.

    Args:
        attention_mask: [B, S] or [B, T, S], 1 where a position may be attended to and 0 where it is padding; None
            lets every position see every other.
        hidden: [B, T, D]; gives sizes and type.
        past: How many positions a cache holds before these.
        reach: S, the positions attended to; past + T if None.

    Returns:
        [B, 1, 1, S] or [B, 1, T, S].
    """
    if attention_mask is None:
        return None
    length = past + hidden.shape[1] if reach is None else reach
    check_mask_shape(tuple(attention_mask.shape), (hidden.shape[0], length))
    return with_exact_gradient(additive(_with_queries(attention_mask), hidden))


def causal_mask(
    attention_mask: Tensor | None, hidden: Tensor, past: int = 0, reach: int | None = None
) -> Tensor | None:
    """What is added to scores where a position may attend to itself and those before it; as `padding_mask`.

    A mask of three axes says for itself who attends to whom. One new position sees all there is: without another mask
    that needs none.
    """
    length = past + hidden.shape[1] if reach is None else reach
    if attention_mask is None and hidden.shape[1] == 1 and length == past + 1:
        return None
    positions = torch.arange(length, device=hidden.device)
    queries = past + torch.arange(hidden.shape[1], device=hidden.device)
    allowed = (positions <= queries[:, None])[None, None]  # [1, 1, T, S]
    if attention_mask is not None:
        check_mask_shape(tuple(attention_mask.shape), (hidden.shape[0], length))
        own = _with_queries(attention_mask)
        allowed = own if attention_mask.dim() == 3 else allowed * own
    return with_exact_gradient(additive(allowed, hidden))


def preceding_mask(
    attention_mask: Tensor | None, hidden: Tensor, past: int = 0, reach: int | None = None
) -> Tensor | None:
    """As `causal_mask`, but a position that padding alone precedes looks at that padding, not ahead of itself."""
    ahead = causal_mask(None, hidden, past, reach)
    padding = padding_mask(attention_mask, hidden, past, reach)
    if ahead is None or padding is None:
        return plus(ahead, padding)
    return with_exact_gradient(ahead + ahead + padding)  # what lies ahead is further away than padding


def following_mask(
    attention_mask: Tensor | None,
    hidden: Tensor,
    past: int = 0,
    reach: int | None = None,
    distance: float | None = None,
) -> Tensor | None:
    """As `causal_mask`, but a position that padding alone precedes looks at what follows it, less the padding.

    Args:
        attention_mask: As of `padding_mask`.
        hidden: [B, T, D].
        past: As of `padding_mask`.
        reach: As of `padding_mask`.
        distance: How much lower the scores of what follows are; None where they count for nothing: then all of it is
            looked at alike.
    """
    ahead = causal_mask(None, hidden, past, reach)
    padding = padding_mask(attention_mask, hidden, past, reach)
    if ahead is None or padding is None:
        return plus(ahead, padding)
    ahead = ahead if distance is None else ahead.clamp(min=-distance)
    return with_exact_gradient(torch.minimum(ahead, 1.5 * padding))  # padding is further away than what lies ahead


def additive(mask: Tensor, hidden: Tensor) -> Tensor:
    """A mask of ones and zeros as what is added to scores: 0 where it is 1, half the lowest number where it is 0.

    That is so low that no score is seen beside it, and finite whatever is added: a row with nothing to attend to gives
    an average instead of not-a-number, in half precision too.
    """
    return (1.0 - mask.to(hidden.dtype)) * (torch.finfo(hidden.dtype).min / 2)


def with_exact_gradient(mask: Tensor) -> Tensor:
    """A mask as PyTorch's fused call must be given it for the gradient to be right.

    In a row that sees nothing, the logarithm of the sum that the fused backward pass starts from is lost beside numbers
    as low as the mask's. With a mask that wants a gradient itself, PyTorch computes softmax and product one by one.
    """
    if torch.is_grad_enabled() and not torch.compiler.is_compiling():
        mask.requires_grad_(bool((mask.amax(-1) < torch.finfo(mask.dtype).min / 4).any()) or mask.requires_grad)
    return mask


def _with_queries(mask: Tensor) -> Tensor:
    """[B, S] -> [B, 1, 1, S]; [B, T, S] -> [B, 1, T, S]."""
    return mask[:, None, None, :] if mask.dim() == 2 else mask[:, None]


def plus(mask: Tensor | None, scores: Tensor | None) -> Tensor | None:
    """The sum of what is added to scores; None is nothing."""
    if mask is None or scores is None:
        return scores if mask is None else mask
    return mask + scores


def per_layer_head_masks(head_mask: Tensor | None, layers: int) -> list[Tensor | None]:
    """A head mask for each layer: [N] or [layers, N] -> `layers` times [1, N, 1, 1]."""
    if head_mask is None:
        return [None] * layers
    rows = head_mask if head_mask.dim() == 2 else head_mask.expand(layers, -1)
    return [row[None, :, None, None] for row in rows]


def split_heads(array: Tensor, size: int) -> Tensor:
    """[B, T, N * H] -> [B, N, T, H], for heads of one size."""
    batch, length, width = array.shape
    return array.reshape(batch, length, width // size, size).transpose(1, 2)


def join_heads(array: Tensor) -> Tensor:
    """[B, N, T, H] -> [B, T, N * H]."""
    return array.transpose(1, 2).flatten(2)
