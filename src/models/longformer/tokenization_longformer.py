"""Longformer's tokenizer in pure Python: RoBERTa's."""

from __future__ import annotations

from ..roberta.tokenization_roberta import RobertaTokenizer


class LongformerTokenizer(RobertaTokenizer):
    """Longformer's tokenizer in pure Python. The arguments are those of `RobertaTokenizer`."""
