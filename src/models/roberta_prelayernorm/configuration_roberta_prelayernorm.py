"""The configuration of RoBERTa-PreLayerNorm."""

from __future__ import annotations

from ..roberta.configuration_roberta import RobertaConfig


class RobertaPreLayerNormConfig(RobertaConfig):
    """What a RoBERTa-PreLayerNorm model is (Ott et al. 2019, https://arxiv.org/abs/1904.01038): RoBERTa's fields."""

    model_type = "roberta-prelayernorm"
