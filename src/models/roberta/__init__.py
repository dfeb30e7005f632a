"""RoBERTa (Liu et al. 2019, https://arxiv.org/abs/1907.11692): BERT trained longer, on more, without pairs."""

from ...cards import Card

CARD = Card(model_type="roberta", tokenizers=("RobertaTokenizer", "RobertaTokenizerFast"))

__getattr__ = CARD.export
