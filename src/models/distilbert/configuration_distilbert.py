"""The configuration of DistilBERT."""

from __future__ import annotations

from ...configuration import PretrainedConfig
from ...fields import Count, Positive, Probability, Size, TokenId
from ...sizes import check_heads, check_padding_token


class DistilBertConfig(PretrainedConfig):
    """What a DistilBERT model is (Sanh et al. 2019, https://arxiv.org/abs/1910.01108).

    Attributes:
        vocab_size: Rows of the token embedding.
        max_position_embeddings: Rows of the position embedding, hence the longest input.
        sinusoidal_pos_embds: Whether fresh positions are sines and cosines; a checkpoint's are read as they are.
        n_layers: Layers of the encoder.
        n_heads: Heads per layer; must divide `dim`.
        dim: Width of every hidden state.
        hidden_dim: Width between the two feed-forward projections.
        dropout: Dropout after embeddings and feed-forward, and before a classifier of tokens.
        attention_dropout: Dropout of the attention probabilities.
        activation: Name of the activation of feed-forward and language-model head.
        initializer_range: Standard deviation of fresh weights.
        qa_dropout: Dropout before the scores of an answer's start and end.
        seq_classif_dropout: Dropout before a classifier of sequences or choices.
        pad_token_id: The token whose embedding starts at zero.
    """

    model_type = "distilbert"
    attribute_map = {"hidden_size": "dim", "num_attention_heads": "n_heads", "num_hidden_layers": "n_layers"}

    vocab_size: Size = 30522
    max_position_embeddings: Size = 512
    sinusoidal_pos_embds: bool = False
    n_layers: Count = 6
    n_heads: Count = 12
    dim: Size = 768
    hidden_dim: Size = 3072
    dropout: Probability = 0.1
    attention_dropout: Probability = 0.1
    activation: str = "gelu"
    initializer_range: Positive = 0.02
    qa_dropout: Probability = 0.1
    seq_classif_dropout: Probability = 0.2
    pad_token_id: TokenId | None = 0

    def validate(self) -> None:
        super().validate()
        check_heads(self)
        check_padding_token(self)

    @property
    def head_dropout(self) -> float:
        """The dropout before a classifier of tokens."""
        return self.dropout
