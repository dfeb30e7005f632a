"""BART (Lewis et al. 2019, https://arxiv.org/abs/1910.13461): an encoder and a decoder that learned to mend text."""

from ...cards import Card

CARD = Card(model_type="bart", tokenizers=("BartTokenizer", "BartTokenizerFast"))

__getattr__ = CARD.export
