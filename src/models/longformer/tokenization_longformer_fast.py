"""Longformer's tokenizer on the `tokenizers` library: RoBERTa's."""

from __future__ import annotations

from ..roberta.tokenization_roberta_fast import RobertaTokenizerFast
from .tokenization_longformer import LongformerTokenizer


class LongformerTokenizerFast(RobertaTokenizerFast):
    """Longformer's tokenizer on the `tokenizers` library. The arguments are those of `RobertaTokenizerFast`."""

    slow_tokenizer_class = LongformerTokenizer
