"""CamemBERT (Martin et al. 2019, https://arxiv.org/abs/1911.03894): RoBERTa for French, on SentencePiece."""

from ...cards import Card

CARD = Card(model_type="camembert", tokenizers=("CamembertTokenizer", "CamembertTokenizerFast"))

__getattr__ = CARD.export
