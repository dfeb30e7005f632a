"""The configuration of GPT."""

from __future__ import annotations

from typing import Literal

from ...configuration import PretrainedConfig
from ...fields import Count, Positive, Probability, Size
from ...sizes import check_heads


class OpenAIGPTConfig(PretrainedConfig):
    """What a GPT model is (Radford et al. 2018, Improving Language Understanding by Generative Pre-Training).

    Attributes:
        vocab_size: Rows of the token embedding.
        n_positions: Rows of the position embedding, hence the longest input.
        n_embd: Width of every hidden state.
        n_layer: Layers.
        n_head: Heads per layer; must divide `n_embd`.
        afn: Name of the feed-forward activation; `gelu` is its tanh approximation here.
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
    """

    model_type = "openai-gpt"
    attribute_map = {
        "hidden_size": "n_embd",
        "max_position_embeddings": "n_positions",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }

    vocab_size: Size = 40478
    n_positions: Size = 512
    n_embd: Size = 768
    n_layer: Count = 12
    n_head: Count = 12
    afn: str = "gelu"
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

    def validate(self) -> None:
        super().validate()
        check_heads(self)

    @property
    def activation(self) -> str:
        """The name that the feed-forward activation has elsewhere."""
        return "gelu_new" if self.afn == "gelu" else self.afn
