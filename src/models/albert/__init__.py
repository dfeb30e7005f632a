"""ALBERT (Lan et al. 2019, https://arxiv.org/abs/1909.11942): BERT with one set of weights for all layers."""

from ...cards import Card

CARD = Card(model_type="albert", tokenizers=("AlbertTokenizer", "AlbertTokenizerFast"))

__getattr__ = CARD.export
