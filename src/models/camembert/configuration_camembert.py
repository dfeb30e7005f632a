"""The configuration of CamemBERT."""

from __future__ import annotations

from ...fields import Size
from ..roberta.configuration_roberta import RobertaConfig


class CamembertConfig(RobertaConfig):
    """What a CamemBERT model is (Martin et al. 2019, https://arxiv.org/abs/1911.03894): RoBERTa's fields."""

    model_type = "camembert"

    vocab_size: Size = 30522
