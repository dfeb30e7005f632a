"""Transformer-XL (Dai et al. 2019, https://arxiv.org/abs/1901.02860): a decoder that remembers the segment before."""

from ...cards import Card

CARD = Card(model_type="transfo-xl", tokenizers=("TransfoXLTokenizer",))

__getattr__ = CARD.export
