"""RoBERTa-PreLayerNorm (Ott et al. 2019, https://arxiv.org/abs/1904.01038): RoBERTa that normalizes first."""

from ...cards import Card

CARD = Card(model_type="roberta-prelayernorm", tokenizers_of="roberta")

__getattr__ = CARD.export
