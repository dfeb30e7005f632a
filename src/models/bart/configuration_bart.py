"""The configuration of BART."""

from __future__ import annotations

import copy
import logging
from typing import Any

from ...configuration import PretrainedConfig
from ...fields import Count, Labels, Positive, Probability, Size, TokenId
from ...sizes import check_even_heads, check_padding_token

logger = logging.getLogger(__name__)


class BartConfig(PretrainedConfig):
    """What a BART model is (Lewis et al. 2019, https://arxiv.org/abs/1910.13461).

    Attributes:
        vocab_size: Rows of the token embedding, which encoder and decoder share.
        max_position_embeddings: The longest input of either.
        encoder_layers: Layers of the encoder.
        encoder_ffn_dim: Width between its two feed-forward projections.
        encoder_attention_heads: Heads per layer of it; must divide `d_model`.
        decoder_layers: Layers of the decoder.
        decoder_ffn_dim: Width between its two feed-forward projections.
        decoder_attention_heads: Heads per layer of it; must divide `d_model`.
        encoder_layerdrop: The probability with which training leaves a layer of the encoder out.
        decoder_layerdrop: The same of the decoder.
        activation_function: Name of the feed-forward activation.
        d_model: Width of every hidden state.
        dropout: Dropout after embeddings, attention and feed-forward.
        attention_dropout: Dropout of the attention probabilities.
        activation_dropout: Dropout after the feed-forward activation.
        init_std: Standard deviation of fresh weights.
        classifier_dropout: Dropout before both projections of a classifier of whole sequences.
        scale_embedding: Whether token embeddings are multiplied with the square root of `d_model`.
        use_cache: Whether a call returns the decoder's keys and values.
        num_labels: How many classes there are.
        pad_token_id: The token that is padding, whose embedding starts at zero.
        bos_token_id: The token that a text begins with.
        eos_token_id: The token that it ends with.
        is_encoder_decoder: Whether there is an encoder; not in the decoder alone.
        decoder_start_token_id: The token that every text of the decoder starts with.
        forced_eos_token_id: The token that a text ends with at its greatest length.
        num_hidden_layers: `encoder_layers` unless it is given; read by nothing here.
    """

    model_type = "bart"
    attribute_map = {"hidden_size": "d_model", "num_attention_heads": "encoder_attention_heads"}
    keys_to_ignore_at_inference = ("past_key_values",)

    vocab_size: Size = 50265
    max_position_embeddings: Size = 1024
    encoder_layers: Count = 12
    encoder_ffn_dim: Size = 4096
    encoder_attention_heads: Count = 16
    decoder_layers: Count = 12
    decoder_ffn_dim: Size = 4096
    decoder_attention_heads: Count = 16
    encoder_layerdrop: Probability = 0.0
    decoder_layerdrop: Probability = 0.0
    activation_function: str = "gelu"
    d_model: Size = 1024
    dropout: Probability = 0.1
    attention_dropout: Probability = 0.0
    activation_dropout: Probability = 0.0
    init_std: Positive = 0.02
    classifier_dropout: Probability = 0.0
    scale_embedding: bool = False
    use_cache: bool = True
    num_labels: Labels = 3
    pad_token_id: TokenId | None = 1
    bos_token_id: Any = 0
    eos_token_id: Any = 2
    is_encoder_decoder: bool = True
    decoder_start_token_id: Any = 2
    forced_eos_token_id: Any = 2
    num_hidden_layers: Count | None = None

    def settle(self) -> None:
        if self.num_hidden_layers is None:
            self.num_hidden_layers = self.encoder_layers
        if self.forced_bos_token_id is None and getattr(self, "force_bos_token_to_be_generated", False):
            self.forced_bos_token_id = self.bos_token_id
            logger.warning("force_bos_token_to_be_generated is an old option: say forced_bos_token_id instead.")

    def validate(self) -> None:
        super().validate()
        for stack in ("encoder", "decoder"):
            check_even_heads(self.d_model, getattr(self, f"{stack}_attention_heads"), f"{stack}_attention_heads")
        check_padding_token(self)

    def cache_sizes(self) -> tuple[list[int], int]:
        """The heads of each layer of the decoder, and the size of one."""
        heads = self.decoder_attention_heads
        return [heads] * self.decoder_layers, self.d_model // heads

    def of_decoder(self) -> BartConfig:
        """The same of the decoder alone."""
        config = copy.deepcopy(self)
        config.is_decoder, config.is_encoder_decoder = True, False
        return config

    @property
    def embedding_scale(self) -> float:
        """What token embeddings are multiplied with."""
        return self.d_model**0.5 if self.scale_embedding else 1.0
