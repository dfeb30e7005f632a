"""The configuration of T5."""

from __future__ import annotations

import math
from bisect import bisect_left
from functools import cache
from typing import Any

import numpy as np

from ...configuration import PretrainedConfig
from ...fields import Count, Positive, Probability, Size, TokenId
from ...files.errors import ConfigurationError, three_beats
from ...sizes import check_pruning


class T5Config(PretrainedConfig):
    """What a T5 model is (Raffel et al. 2019, https://arxiv.org/abs/1910.10683).

    Attributes:
        vocab_size: Rows of the token embedding.
        d_model: Width of every hidden state.
        d_kv: Size of a head; the heads together need not be as wide as the hidden state.
        d_ff: Width between the feed-forward projections.
        num_layers: Layers of the encoder.
        num_decoder_layers: Layers of the decoder, as many as the encoder's if null.
        num_heads: Heads per layer.
        relative_attention_num_buckets: How many groups of distances between positions have a bias of their own.
        relative_attention_max_distance: From where on all distances are of the last group.
        dropout_rate: Dropout everywhere but before a classifier.
        layer_norm_epsilon: What normalization adds to the mean square.
        initializer_factor: By how much fresh weights are larger than usual.
        feed_forward_proj: Name of the feed-forward activation; with `gated-` before it, two projections are multiplied,
            of which one has gone through the activation.
        use_cache: Whether a decoder returns its keys and values.
        pad_token_id: The padding token.
        eos_token_id: The token that a text ends with.
        classifier_dropout: Dropout before a classifier.
        dense_act_fn: Name of the feed-forward activation; as `feed_forward_proj` says if null.
        is_gated_act: Whether the feed-forward block is gated; as `feed_forward_proj` says if null.
    """

    model_type = "t5"
    attribute_map = {
        "hidden_size": "d_model",
        "num_attention_heads": "num_heads",
        "num_hidden_layers": "num_layers",
        "head_dim": "d_kv",
    }
    keys_to_ignore_at_inference = ("past_key_values",)

    vocab_size: Size = 32128
    d_model: Size = 512
    d_kv: Size = 64
    d_ff: Size = 2048
    num_layers: Count = 6
    num_decoder_layers: Count | None = None
    num_heads: Count = 8
    relative_attention_num_buckets: Size = 32
    relative_attention_max_distance: Size = 128
    dropout_rate: Probability = 0.1
    layer_norm_epsilon: Positive = 1e-6
    initializer_factor: Positive = 1.0
    feed_forward_proj: str = "relu"
    is_encoder_decoder: bool = True
    use_cache: bool = True
    pad_token_id: TokenId | None = 0
    eos_token_id: Any = 1
    classifier_dropout: Probability = 0.0
    dense_act_fn: str | None = None
    is_gated_act: bool | None = None

    def settle(self) -> None:
        gate, _, name = self.feed_forward_proj.rpartition("-")
        if gate not in ("", "gated") or not name:
            found = f"feed_forward_proj {self.feed_forward_proj!r}"
            remedy = 'Write "relu", or "gated-gelu" for a gated block.'
            raise ConfigurationError(three_beats(found, "an activation, perhaps with gated- before it", remedy))
        if self.num_decoder_layers is None:
            self.num_decoder_layers = self.num_layers
        if self.is_gated_act is None:
            self.is_gated_act = gate == "gated"
        if self.dense_act_fn is None:  # the first gated checkpoints meant this by gelu
            self.dense_act_fn = "gelu_new" if self.feed_forward_proj == "gated-gelu" else name

    def validate(self) -> None:
        super().validate()
        check_pruning(self)
        if self.num_heads < 1:
            raise ConfigurationError(three_beats("num_heads 0", "one head at least", "Correct the configuration."))

    def cache_sizes(self) -> tuple[list[int], int]:
        """How many heads each layer of the decoder has, and the size of one."""
        return [self.num_heads] * (self.num_decoder_layers or 0), self.d_kv

    @property
    def kept_heads(self) -> list[list[int] | None]:
        """The heads that pruning has left each layer of the encoder; None for all."""
        pruned, every = self.pruned_heads, range(self.num_heads)
        return [
            [head for head in every if head not in pruned[layer]] if pruned.get(layer) else None
            for layer in range(self.num_layers)
        ]

    def bucket_starts(self, is_decoder: bool) -> tuple[int, ...]:
        """The distance at which each bucket of distances begins, without the first, which begins at 0.

        The encoder looks both ways and has half of the buckets for each of the two.

        Args:
            is_decoder: Whether they are the decoder's.
        """
        buckets = self.relative_attention_num_buckets // (1 if is_decoder else 2)
        return bucket_starts(buckets, self.relative_attention_max_distance)

    # ---- the standard deviations of fresh weights ------------------------------------------------------------

    @property
    def query_range(self) -> float:
        """Of queries: so small that scores need no scale."""
        return self.initializer_factor * (self.d_model * self.d_kv) ** -0.5

    @property
    def width_range(self) -> float:
        """Of what reads a hidden state."""
        return self.initializer_factor * self.d_model**-0.5

    @property
    def heads_range(self) -> float:
        """Of what reads all heads."""
        return self.initializer_factor * (self.num_heads * self.d_kv) ** -0.5

    @property
    def inner_range(self) -> float:
        """Of what reads the feed-forward block's inner width."""
        return self.initializer_factor * self.d_ff**-0.5

    @property
    def head_dropout(self) -> float:
        """The dropout before a classifier."""
        return self.classifier_dropout


@cache
def bucket_starts(buckets: int, longest: int) -> tuple[int, ...]:
    """The distance at which each of some buckets begins, without the first, which begins at 0.

    Half of the buckets hold one distance each, the others grow with the distance.

    Args:
        buckets: How many there are.
        longest: From where on all distances are in the last.

    Raises:
        ConfigurationError: Buckets for single distances reach further than that.
    """
    exact = buckets // 2
    further = range(exact + 1, buckets)
    if further and longest <= exact:
        found = f"relative_attention_max_distance {longest} with {buckets} buckets"
        raise ConfigurationError(three_beats(found, f"more than {exact}", "Change one of the two."))

    def bucket(distance: int) -> int:
        # in float32 and in this order, for some distances lie on the very edge of two buckets
        growth = np.log(np.float32(distance) / np.float32(exact)) / np.float32(math.log(longest / exact))
        return exact + int(growth * np.float32(buckets - exact))

    starts = (bisect_left(range(longest), number, exact, key=bucket) for number in further)
    return (*range(1, exact + 1), *starts)
