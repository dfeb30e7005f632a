"""DistilBERT's tokenizer in pure Python: BERT's, for a model that knows no token types."""

from __future__ import annotations

from ..bert.tokenization_bert import BertTokenizer


class DistilBertTokenizer(BertTokenizer):
    """DistilBERT's tokenizer in pure Python. The arguments are those of `BertTokenizer`."""

    model_input_names = ["input_ids", "attention_mask"]
