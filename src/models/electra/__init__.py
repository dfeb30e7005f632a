"""ELECTRA (Clark et al. 2020, https://arxiv.org/abs/2003.10555): BERT that learned which words were put in."""

from ...cards import Card

CARD = Card(model_type="electra", tokenizers=("ElectraTokenizer", "ElectraTokenizerFast"))

__getattr__ = CARD.export
