"""CTRL (Keskar et al. 2019, https://arxiv.org/abs/1909.05858): a decoder of texts that begin with their kind."""

from ...cards import Card

CARD = Card(model_type="ctrl", tokenizers=("CTRLTokenizer",))

__getattr__ = CARD.export
