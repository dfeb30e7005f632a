"""BART's tokenizer on the `tokenizers` library: RoBERTa's."""

from __future__ import annotations

from ..roberta.tokenization_roberta_fast import RobertaTokenizerFast
from .tokenization_bart import BartTokenizer


class BartTokenizerFast(RobertaTokenizerFast):
    """BART's tokenizer on the `tokenizers` library. The arguments are those of `RobertaTokenizerFast`."""

    slow_tokenizer_class = BartTokenizer
    _normalizes_mask = True
