"""The configuration of ALBERT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ...configuration import PretrainedConfig
from ...fields import Count, OptionalSize, Positive, Probability, Size, TokenId
from ...files.errors import ConfigurationError, InputError, three_beats
from ...sizes import check_even_heads, check_padding_token, check_pruning


class AlbertConfig(PretrainedConfig):
    """What an ALBERT model is (Lan et al. 2019, https://arxiv.org/abs/1909.11942).

    Attributes:
        vocab_size: Rows of the token embedding.
        embedding_size: Width of the embeddings, which are projected to `hidden_size`.
        hidden_size: Width of every hidden state.
        num_hidden_layers: How often a group of layers is run.
        num_hidden_groups: Groups of layers; each has its turns one after another, as evenly many as can be.
        num_attention_heads: Heads per layer; must divide `hidden_size`.
        intermediate_size: Width between the two feed-forward projections.
        inner_group_num: Layers of a group.
        hidden_act: Name of the feed-forward activation.
        hidden_dropout_prob: Dropout after embeddings and attention.
        attention_probs_dropout_prob: Dropout of the attention probabilities.
        max_position_embeddings: Rows of the position embedding, hence the longest input.
        type_vocab_size: Rows of the segment embedding.
        initializer_range: Standard deviation of fresh weights.
        layer_norm_eps: What layer normalization adds to the variance.
        classifier_dropout_prob: Dropout before a classifier, `hidden_dropout_prob` if null.
        position_embedding_type: Absolute positions, or distances learnt per layer.
        pad_token_id: The token whose embedding starts at zero.
        bos_token_id: The token that a text begins with.
        eos_token_id: The token that it ends with.
    """

    model_type = "albert"

    vocab_size: Size = 30000
    embedding_size: Size = 128
    hidden_size: Size = 4096
    num_hidden_layers: Count = 12
    num_hidden_groups: Count = 1
    num_attention_heads: Count = 64
    intermediate_size: Size = 16384
    inner_group_num: Count = 1
    hidden_act: str = "gelu_new"
    hidden_dropout_prob: Probability = 0
    attention_probs_dropout_prob: Probability = 0
    max_position_embeddings: Size = 512
    type_vocab_size: OptionalSize = 2
    initializer_range: Positive = 0.02
    layer_norm_eps: Positive = 1e-12
    classifier_dropout_prob: Probability | None = 0.1
    position_embedding_type: Literal["absolute", "relative_key", "relative_key_query"] = "absolute"
    pad_token_id: TokenId | None = 0
    bos_token_id: Any = 2
    eos_token_id: Any = 3

    def validate(self) -> None:
        super().validate()
        check_even_heads(self.hidden_size, self.num_attention_heads)
        check_pruning(self, self.own_layers)
        check_padding_token(self)
        if self.num_hidden_layers and not self.num_hidden_groups:
            found = f"num_hidden_layers {self.num_hidden_layers} of num_hidden_groups 0"
            raise ConfigurationError(three_beats(found, "a group of layers to run", "Change one of the two."))

    def parts(self) -> dict[str, int]:
        """How many parts each option asks to be built; a group that is run again is not built again."""
        return {name: count for name, count in super().parts().items() if name != "num_hidden_layers"}

    @property
    def head_dropout(self) -> float:
        """The dropout before a classifier."""
        dropout = self.classifier_dropout_prob
        return self.hidden_dropout_prob if dropout is None else dropout

    @property
    def own_layers(self) -> int:
        """How many layers have weights of their own."""
        return self.num_hidden_groups * self.inner_group_num

    def groups_in_turn(self) -> list[int]:
        """Which group is run, `num_hidden_layers` times."""
        return [int(turn / (self.num_hidden_layers / self.num_hidden_groups)) for turn in range(self.num_hidden_layers)]

    def masks_by_group(self, head_masks: Sequence[Any]) -> list[list[Any]]:
        """The head masks of each group's layers, from one for each of `num_hidden_layers`.

        As in 4.x, a group's layers take the masks that stand where its first turns are, and keep them in every turn.

        Raises:
            InputError: There are masks, but not for every layer of a group.
        """
        turns, inner = self.num_hidden_layers // max(1, self.num_hidden_groups), self.inner_group_num
        if all(mask is None for mask in head_masks):
            return [[None] * inner] * self.num_hidden_groups
        if turns < inner:
            found = f"a head_mask for groups of inner_group_num {inner} that are run {turns} times"
            raise InputError(three_beats(found, "a row for every layer of a group", "Leave head_mask out."))
        return [list(head_masks[turns * group :][:inner]) for group in range(self.num_hidden_groups)]
