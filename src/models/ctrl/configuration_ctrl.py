"""The configuration of CTRL."""

from __future__ import annotations

from ...configuration import PretrainedConfig
from ...fields import Count, Positive, Probability, Size
from ...sizes import check_heads

#: What a normalization in a layer adds to the variance.
LAYER_EPSILON = 1e-6


class CTRLConfig(PretrainedConfig):
    """What a CTRL model is (Keskar et al. 2019, https://arxiv.org/abs/1909.05858).

    Attributes:
        vocab_size: Rows of the token embedding.
        n_positions: The longest input.
        n_embd: Width of every hidden state.
        dff: Width between the two feed-forward projections.
        n_layer: Layers.
        n_head: Heads per layer; must divide `n_embd`.
        resid_pdrop: Dropout of what each block adds to the hidden state.
        embd_pdrop: Dropout after the embeddings.
        layer_norm_epsilon: What the last normalization adds to the variance; those in the layers add `LAYER_EPSILON`.
        initializer_range: Standard deviation of fresh weights.
        use_cache: Whether a call returns its keys and values.
    """

    model_type = "ctrl"
    attribute_map = {
        "hidden_size": "n_embd",
        "max_position_embeddings": "n_positions",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }
    keys_to_ignore_at_inference = ("past_key_values",)

    vocab_size: Size = 246534
    n_positions: Size = 256
    n_embd: Size = 1280
    dff: Size = 8192
    n_layer: Count = 48
    n_head: Count = 16
    resid_pdrop: Probability = 0.1
    embd_pdrop: Probability = 0.1
    layer_norm_epsilon: Positive = 1e-6
    initializer_range: Positive = 0.02
    use_cache: bool = True

    def validate(self) -> None:
        super().validate()
        check_heads(self)
