"""Wav2Vec2 (Baevski et al. 2020, https://arxiv.org/abs/2006.11477): speech from waveforms, learned without texts."""

from ...cards import Card

CARD = Card(model_type="wav2vec2", tokenizers=("Wav2Vec2CTCTokenizer",))

__getattr__ = CARD.export
