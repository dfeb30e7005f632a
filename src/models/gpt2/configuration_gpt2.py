"""The configuration of GPT-2."""

from __future__ import annotations

from typing import Any, Literal

from ...configuration import PretrainedConfig
from ...fields import Count, Positive, Probability, Size
from ...sizes import check_heads


class GPT2Config(PretrainedConfig):
    """What a GPT-2 model is (Radford et al. 2019, Language Models are Unsupervised Multitask Learners).

    Attributes:
        vocab_size: Rows of the token embedding.
        n_positions: Rows of the position embedding, hence the longest input.
        n_embd: Width of every hidden state.
        n_layer: Layers.
        n_head: Heads per layer; must divide `n_embd`.
        n_inner: Width between the two feed-forward projections, 4 `n_embd` if null.
        activation_function: Name of the feed-forward activation.
        resid_pdrop: Dropout of what each block adds to the hidden state.
        embd_pdrop: Dropout after the embeddings.
        attn_pdrop: Dropout of the attention probabilities.
        layer_norm_epsilon: What layer normalization adds to the variance.
        initializer_range: Standard deviation of fresh weights.
        summary_type: Which position the double-heads model makes its summary of: the first, the last, the one that
            `mc_token_ids` names, or the mean of all.
        summary_use_proj: Whether the summary is projected.
        summary_activation: Name of the activation after that, none if null.
        summary_proj_to_labels: Whether the projection gives a score for each label, or as many numbers as it takes.
        summary_first_dropout: Dropout before the projection.
        scale_attn_weights: Whether attention's scores are divided by the square root of the size of a head.
        use_cache: Whether a call returns its keys and values.
        bos_token_id: The token that a text begins with.
        eos_token_id: The token that it ends with.
        scale_attn_by_inverse_layer_idx: Whether scores are divided by the number of the layer too, counted from 1.
        reorder_and_upcast_attn: Whether scores are computed in float32 where the model is narrower.
    """

    model_type = "gpt2"
    attribute_map = {
        "hidden_size": "n_embd",
        "max_position_embeddings": "n_positions",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }
    keys_to_ignore_at_inference = ("past_key_values",)

    vocab_size: Size = 50257
    n_positions: Size = 1024
    n_embd: Size = 768
    n_layer: Count = 12
    n_head: Count = 12
    n_inner: Size | None = None
    activation_function: str = "gelu_new"
    resid_pdrop: Probability = 0.1
    embd_pdrop: Probability = 0.1
    attn_pdrop: Probability = 0.1
    layer_norm_epsilon: Positive = 1e-5
    initializer_range: Positive = 0.02
    summary_type: Literal["cls_index", "first", "last", "mean", "attn"] = "cls_index"
    summary_use_proj: bool = True
    summary_activation: str | None = None
    summary_proj_to_labels: bool = True
    summary_first_dropout: Probability = 0.1
    scale_attn_weights: bool = True
    use_cache: bool = True
    bos_token_id: Any = 50256
    eos_token_id: Any = 50256
    scale_attn_by_inverse_layer_idx: bool = False
    reorder_and_upcast_attn: bool = False

    def validate(self) -> None:
        super().validate()
        check_heads(self)

    def attention_scale(self, layer: int) -> float:
        """What the attention scores of a layer, counted from 0, are multiplied with."""
        scale = (self.n_embd // self.n_head) ** -0.5 if self.scale_attn_weights else 1.0
        return scale / (layer + 1) if self.scale_attn_by_inverse_layer_idx else scale

    @property
    def inner_width(self) -> int:
        """The width between the two feed-forward projections."""
        return 4 * self.n_embd if self.n_inner is None else self.n_inner

    @property
    def residual_range(self) -> float:
        """The standard deviation of fresh projections onto the hidden state, of which each layer adds two."""
        return self.initializer_range * (2 * max(1, self.n_layer)) ** -0.5

    @property
    def head_dropout(self) -> float:
        """The dropout before a classifier of tokens; the fields that set it are not among the defaults."""
        given = (getattr(self, name, None) for name in ("classifier_dropout", "hidden_dropout"))
        return next((rate for rate in given if rate is not None), 0.1)
