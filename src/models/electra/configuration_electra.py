"""The configuration of ELECTRA."""

from __future__ import annotations

from typing import Literal

from ...fields import Count, Positive, Probability, Size
from ..bert.configuration_bert import BertConfig


class ElectraConfig(BertConfig):
    """What an ELECTRA model is (Clark et al. 2020, https://arxiv.org/abs/2003.10555): BERT's fields, and some more.

    Attributes:
        embedding_size: Width of the embeddings; projected if it differs from `hidden_size`.
        summary_type: Which position a choice's summary is made of: the first, the last, or the mean of all; `cls_index`
            is the last too.
        summary_use_proj: Whether the summary is projected.
        summary_activation: Name of the activation after that, none if null.
        summary_last_dropout: Dropout after the activation.
    """

    model_type = "electra"

    vocab_size: Size = 30522
    embedding_size: Size = 128
    hidden_size: Size = 256
    num_attention_heads: Count = 4
    intermediate_size: Size = 1024
    layer_norm_eps: Positive = 1e-12
    summary_type: Literal["cls_index", "first", "last", "mean", "attn"] = "first"
    summary_use_proj: bool = True
    summary_activation: str | None = "gelu"
    summary_last_dropout: Probability = 0.1
