"""mBART (Liu et al. 2020, https://arxiv.org/abs/2001.08210): BART for translation between 25 languages."""

from ...cards import Card

CARD = Card(model_type="mbart", tokenizers=("MBartTokenizer", "MBartTokenizerFast"))

__getattr__ = CARD.export
