"""The configuration of BERT."""

from __future__ import annotations

from typing import Literal

from ...configuration import PretrainedConfig
from ...fields import Count, OptionalSize, Positive, Probability, Size, TokenId
from ...files.errors import ConfigurationError, three_beats
from ...sizes import check_heads, check_padding_token


class BertConfig(PretrainedConfig):
    """What a BERT model is (Devlin et al. 2018, https://arxiv.org/abs/1810.04805).

    Attributes:
        vocab_size: Rows of the token embedding.
        hidden_size: Width of every hidden state.
        num_hidden_layers: Layers of the encoder.
        num_attention_heads: Heads per layer; must divide `hidden_size`.
        intermediate_size: Width between the two feed-forward projections.
        hidden_act: Name of the feed-forward activation.
        hidden_dropout_prob: Dropout after embeddings, attention and feed-forward.
        attention_probs_dropout_prob: Dropout of the attention probabilities.
        max_position_embeddings: Rows of the position embedding, hence the longest input.
        type_vocab_size: Rows of the segment embedding.
        initializer_range: Standard deviation of fresh weights.
        layer_norm_eps: What layer normalization adds to the variance.
        pad_token_id: The token whose embedding starts at zero.
        position_embedding_type: Absolute positions, or distances learnt per layer.
        use_cache: Whether a decoder returns its keys and values.
        classifier_dropout: Dropout before a classifier, `hidden_dropout_prob` if null.
    """

    model_type = "bert"

    vocab_size: Size = 30522
    hidden_size: Size = 768
    num_hidden_layers: Count = 12
    num_attention_heads: Count = 12
    intermediate_size: Size = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: Probability = 0.1
    attention_probs_dropout_prob: Probability = 0.1
    max_position_embeddings: Size = 512
    type_vocab_size: OptionalSize = 2
    initializer_range: Positive = 0.02
    layer_norm_eps: Positive = 1e-12
    pad_token_id: TokenId | None = 0
    position_embedding_type: Literal["absolute", "relative_key", "relative_key_query"] = "absolute"
    use_cache: bool = True
    classifier_dropout: Probability | None = None

    def validate(self) -> None:
        super().validate()
        check_heads(self)
        check_padding_token(self)
        if self.add_cross_attention and not self.is_decoder:
            found, remedy = "add_cross_attention without is_decoder", "Set is_decoder=True too."
            raise ConfigurationError(three_beats(found, "cross-attention in a decoder alone", remedy))

    @property
    def head_dropout(self) -> float:
        """The dropout before a classifier."""
        return self.hidden_dropout_prob if self.classifier_dropout is None else self.classifier_dropout
