"""Longformer (Beltagy et al. 2020, https://arxiv.org/abs/2004.05150): RoBERTa that reads through a window."""

from ...cards import Card

CARD = Card(model_type="longformer", tokenizers=("LongformerTokenizer", "LongformerTokenizerFast"))

__getattr__ = CARD.export
