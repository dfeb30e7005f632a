"""The configuration of RoBERTa."""

from __future__ import annotations

from typing import Any

from ...fields import Size, TokenId
from ...files.errors import ConfigurationError, three_beats
from ..bert.configuration_bert import BertConfig


class RobertaConfig(BertConfig):
    """What a RoBERTa model is (Liu et al. 2019, https://arxiv.org/abs/1907.11692): BERT's fields with other meanings.

    Attributes:
        max_position_embeddings: Rows of the position embedding; positions count from `pad_token_id + 1`, so that the
            longest input has `pad_token_id + 1` tokens fewer.
        pad_token_id: The token that is padding; in both tables its row starts at zero.
        bos_token_id: The token that a text begins with.
        eos_token_id: The token that it ends with.
    """

    model_type = "roberta"

    vocab_size: Size = 50265
    pad_token_id: TokenId | None = 1
    bos_token_id: Any = 0
    eos_token_id: Any = 2

    def validate(self) -> None:
        super().validate()
        padding, rows = self.pad_token_id, self.max_position_embeddings
        if padding is not None and not -rows <= padding < rows:
            found = f"pad_token_id {padding} with max_position_embeddings {rows}"
            raise ConfigurationError(three_beats(found, "a row of both tables", "Change one of the two."))
