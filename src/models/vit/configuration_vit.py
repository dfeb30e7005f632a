"""The configuration of ViT."""

from __future__ import annotations

from ...configuration import PretrainedConfig
from ...fields import Count, Positive, Probability, Size
from ...sizes import check_heads, check_image


class ViTConfig(PretrainedConfig):
    """What a ViT model is (Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929).

    Attributes:
        hidden_size: Width of every hidden state.
        num_hidden_layers: Layers of the encoder.
        num_attention_heads: Heads per layer; must divide `hidden_size`.
        intermediate_size: Width between the two feed-forward projections.
        hidden_act: Name of the feed-forward activation.
        hidden_dropout_prob: Dropout after embeddings, attention and feed-forward.
        attention_probs_dropout_prob: Dropout of the attention probabilities.
        initializer_range: Standard deviation of fresh weights.
        layer_norm_eps: What layer normalization adds to the variance.
        image_size: Rows and columns of the images, one number for a square.
        patch_size: Rows and columns of a patch, one number for a square.
        num_channels: Channels of the images.
        qkv_bias: Whether queries, keys and values have a bias.
        encoder_stride: Rows and columns of pixels that masked image modelling makes of each patch.
        pooler_output_size: Width of the pooler's output, `hidden_size` if null.
        pooler_act: Name of the pooler's activation.
    """

    model_type = "vit"

    hidden_size: Size = 768
    num_hidden_layers: Count = 12
    num_attention_heads: Count = 12
    intermediate_size: Size = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: Probability = 0.0
    attention_probs_dropout_prob: Probability = 0.0
    initializer_range: Positive = 0.02
    layer_norm_eps: Positive = 1e-12
    image_size: Size | list[Size] = 224
    patch_size: Size | list[Size] = 16
    num_channels: Size = 3
    qkv_bias: bool = True
    encoder_stride: Size = 16
    pooler_output_size: Size | None = None
    pooler_act: str = "tanh"

    def settle(self) -> None:
        self.pooler_output_size = self.pooler_width

    @property
    def pooler_width(self) -> int:
        """The width of the pooler's output."""
        return self.pooler_output_size or self.hidden_size

    def validate(self) -> None:
        super().validate()
        check_heads(self)
        check_image(self)
