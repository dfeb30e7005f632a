"""ELECTRA's tokenizer in pure Python: BERT's."""

from __future__ import annotations

from ..bert.tokenization_bert import BertTokenizer


class ElectraTokenizer(BertTokenizer):
    """ELECTRA's tokenizer in pure Python. The arguments are those of `BertTokenizer`."""
