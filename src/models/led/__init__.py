"""LED (Beltagy et al. 2020, https://arxiv.org/abs/2004.05150): BART whose encoder reads long texts through a window."""

from ...cards import Card

CARD = Card(model_type="led", tokenizers=("LEDTokenizer", "LEDTokenizerFast"))

__getattr__ = CARD.export
