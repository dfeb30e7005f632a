"""BART's tokenizer in pure Python: RoBERTa's."""

from __future__ import annotations

from ..roberta.tokenization_roberta import RobertaTokenizer


class BartTokenizer(RobertaTokenizer):
    """BART's tokenizer in pure Python. The arguments are those of `RobertaTokenizer`."""

    _normalizes_mask = True
