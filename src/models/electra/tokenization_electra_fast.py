"""ELECTRA's tokenizer on the `tokenizers` library: BERT's."""

from __future__ import annotations

from ..bert.tokenization_bert_fast import BertTokenizerFast
from .tokenization_electra import ElectraTokenizer


class ElectraTokenizerFast(BertTokenizerFast):
    """ELECTRA's tokenizer on the `tokenizers` library. The arguments are those of `BertTokenizerFast`."""

    slow_tokenizer_class = ElectraTokenizer
