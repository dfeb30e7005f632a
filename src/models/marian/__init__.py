"""Marian (Junczys-Dowmunt et al. 2018, https://arxiv.org/abs/1804.00344): translation between two languages or more."""

from ...cards import Card

CARD = Card(model_type="marian", tokenizers=("MarianTokenizer",))

__getattr__ = CARD.export
