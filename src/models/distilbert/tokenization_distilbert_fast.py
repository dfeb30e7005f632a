"""DistilBERT's tokenizer on the `tokenizers` library: BERT's, for a model that knows no token types."""

from __future__ import annotations

from ..bert.tokenization_bert_fast import BertTokenizerFast
from .tokenization_distilbert import DistilBertTokenizer


class DistilBertTokenizerFast(BertTokenizerFast):
    """DistilBERT's tokenizer on the `tokenizers` library. The arguments are those of `BertTokenizerFast`."""

    model_input_names = ["input_ids", "attention_mask"]
    slow_tokenizer_class = DistilBertTokenizer
