"""T5 (Raffel et al. 2019, https://arxiv.org/abs/1910.10683): every task as text to text."""

from ...cards import Card

CARD = Card(model_type="t5", tokenizers=("T5Tokenizer", "T5TokenizerFast"))

__getattr__ = CARD.export
