"""DistilBERT (Sanh et al. 2019, https://arxiv.org/abs/1910.01108): BERT with half the layers, taught by BERT."""

from ...cards import Card

CARD = Card(model_type="distilbert", tokenizers=("DistilBertTokenizer", "DistilBertTokenizerFast"))

__getattr__ = CARD.export
