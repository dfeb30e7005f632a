"""DistilBERT in Flax (Sanh et al. 2019, https://arxiv.org/abs/1910.01108).

Shape letters: B batch, T length, S positions attended to, D width, N heads, H head size, F feed-forward width,
V vocabulary.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from ...backends.cache import heads_per_layer
from ...backends.checks import check_length, check_one_of
from ...backends.flax import ops
from ...backends.flax.activations import activation
from ...backends.flax.attention import attend, join_heads, padding_mask, per_layer_head_masks, split_heads
from ...backends.flax.checks import check_token_ids
from ...backends.flax.heads import (
    MultipleChoice,
    QuestionAnswering,
    SequenceClassification,
    SummaryHead,
    TokenClassification,
)
from ...backends.flax.layers import Dense, Embed, LayerNorm, Stack, TiedBiasedDense, checkpointed, in_chunks
from ...backends.flax.model import FlaxModuleModel, Params
from ...losses import cross_entropy
from ...outputs import BaseModelOutput, MaskedLMOutput, ModelOutput, Wanted
from .configuration_distilbert import DistilBertConfig

#: What layer normalization adds to the variance.
EPSILON = 1e-12


class FlaxDistilBertEmbeddings(nn.Module):
    """Token and position embeddings, summed and normalized."""

    config: DistilBertConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.dim
        self.word_embeddings = Embed(config.vocab_size, width, padding=config.pad_token_id, dtype=self.dtype)
        self.position_embeddings = Embed(config.max_position_embeddings, width, dtype=self.dtype)
        self.LayerNorm = LayerNorm(epsilon=EPSILON, size=width, dtype=self.dtype)
        self.dropout = nn.Dropout(config.dropout)

    def __call__(self, input_ids: Array | None, inputs_embeds: Array | None, deterministic: bool = True) -> Array:
        words = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds  # [B, T, D]
        length = words.shape[1]
        check_length(length, self.position_embeddings.num_embeddings)
        positions = self.position_embeddings(jnp.arange(length)[None])  # [1, T, D]
        return self.dropout(self.LayerNorm(words + positions), deterministic=deterministic)


class FlaxDistilBertAttention(nn.Module):
    """Self-attention of one layer, and its output projection."""

    config: DistilBertConfig
    heads: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.dim
        self.head_size = width // config.n_heads
        inner = self.heads * self.head_size
        self.dropout = nn.Dropout(config.attention_dropout)
        self.q_lin = Dense(inner, in_features=width, dtype=self.dtype)
        self.k_lin = Dense(inner, in_features=width, dtype=self.dtype)
        self.v_lin = Dense(inner, in_features=width, dtype=self.dtype)
        self.out_lin = Dense(width, in_features=inner, dtype=self.dtype)

    def __call__(
        self, hidden: Array, score_mask: Array | None, head_mask: Array | None, deterministic: bool = True
    ) -> tuple[Array, Array]:
        query, key, value = (
            split_heads(project(hidden), self.head_size) for project in (self.q_lin, self.k_lin, self.v_lin)
        )  # [B, N, T, H]
        context, weights = attend(query, key, value, score_mask, self.dropout, head_mask, deterministic)
        return self.out_lin(join_heads(context)), weights


class FlaxDistilBertFeedForward(nn.Module):
    """The feed-forward block: wider, an activation, narrower."""

    config: DistilBertConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        self.dropout = nn.Dropout(config.dropout)
        self.lin1 = Dense(config.hidden_dim, in_features=config.dim, dtype=self.dtype)
        self.lin2 = Dense(config.dim, in_features=config.hidden_dim, dtype=self.dtype)
        self.activation = activation(config.activation)

    def __call__(self, hidden: Array, deterministic: bool = True) -> Array:
        widened = self.activation(self.lin1(hidden))  # [B, T, F]
        return self.dropout(self.lin2(widened), deterministic=deterministic)


class FlaxDistilBertLayer(nn.Module):
    """One layer: attention, then feed-forward, each sum normalized."""

    config: DistilBertConfig
    heads: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        self.attention = FlaxDistilBertAttention(config, self.heads, self.dtype)
        self.sa_layer_norm = LayerNorm(epsilon=EPSILON, size=config.dim, dtype=self.dtype)
        self.ffn = FlaxDistilBertFeedForward(config, self.dtype)
        self.output_layer_norm = LayerNorm(epsilon=EPSILON, size=config.dim, dtype=self.dtype)

    def __call__(
        self, hidden: Array, score_mask: Array | None, head_mask: Array | None, deterministic: bool = True
    ) -> tuple[Array, Array]:
        attended, weights = self.attention(hidden, score_mask, head_mask, deterministic)
        hidden = self.sa_layer_norm(attended + hidden)
        feed_forward = partial(self.ffn, deterministic=deterministic)
        fed = in_chunks(feed_forward, hidden, self.config.chunk_size_feed_forward)
        return self.output_layer_norm(fed + hidden), weights


class FlaxDistilBertTransformer(nn.Module):
    """The stack of layers."""

    config: DistilBertConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        arguments = tuple((self.config, heads, self.dtype) for heads in heads_per_layer(self.config))
        self.layer = Stack(FlaxDistilBertLayer, arguments)

    def __call__(
        self,
        hidden: Array,
        score_mask: Array | None,
        head_masks: list[Array | None],
        wanted: Wanted,
        deterministic: bool = True,
    ) -> tuple[Array, tuple[Array, ...], tuple[Array, ...]]:
        states, attentions = wanted.state(hidden), ()
        is_checkpointed = self.gradient_checkpointing and not deterministic
        for layer, head_mask in zip(self.layer, head_masks, strict=True):
            hidden, weights = checkpointed(layer, is_checkpointed)(hidden, score_mask, head_mask, deterministic)
            states += wanted.state(hidden)
            attentions += wanted.attention(weights)
        return hidden, states, attentions


class FlaxDistilBertModule(nn.Module):
    """`FlaxDistilBertModel` as a linen module; its call says `deterministic` for `not train`."""

    config: DistilBertConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        self.embeddings = FlaxDistilBertEmbeddings(self.config, self.dtype)
        self.transformer = FlaxDistilBertTransformer(self.config, self.dtype, self.gradient_checkpointing)

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        check_one_of(input_ids, inputs_embeds)
        if input_ids is not None:
            check_token_ids(input_ids, self.config.vocab_size)
        hidden = self.embeddings(input_ids, inputs_embeds, deterministic)  # [B, T, D]
        score_mask = padding_mask(attention_mask, hidden)
        head_masks = per_layer_head_masks(head_mask, self.config.n_layers)
        hidden, states, attentions = self.transformer(hidden, score_mask, head_masks, wanted, deterministic)
        output = BaseModelOutput(hidden, hidden_states=states or None, attentions=attentions or None)
        return wanted.answer(output)


class FlaxDistilBertForMaskedLMModule(nn.Module):
    """`FlaxDistilBertForMaskedLM` as a linen module."""

    config: DistilBertConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config, dtype = self.config, self.dtype
        self.distilbert = FlaxDistilBertModule(config, dtype, self.gradient_checkpointing)
        self.activation = activation(config.activation)
        self.vocab_transform = Dense(config.dim, in_features=config.dim, dtype=dtype)
        self.vocab_layer_norm = LayerNorm(epsilon=EPSILON, size=config.dim, dtype=dtype)
        self.vocab_projector = (
            TiedBiasedDense(self.distilbert.embeddings.word_embeddings, config.vocab_size, dtype)
            if config.tie_word_embeddings
            else Dense(config.vocab_size, in_features=config.dim, dtype=dtype)
        )

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
        labels: Array | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        outputs = self.distilbert(
            input_ids, attention_mask, head_mask, inputs_embeds, deterministic,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        transformed = self.activation(self.vocab_transform(outputs.last_hidden_state))  # [B, T, D]
        logits = self.vocab_projector(self.vocab_layer_norm(transformed))  # [B, T, V]
        output = MaskedLMOutput(
            loss=cross_entropy(logits, labels, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class FlaxDistilBertSummary(SummaryHead):
    """Base of the heads that read a summary of each sequence: its first position, projected."""

    def make_summary(self) -> None:
        self.pre_classifier = Dense(self.config.dim, in_features=self.config.dim, dtype=self.dtype)
        self.dropout = nn.Dropout(self.config.seq_classif_dropout)

    def summarize(self, outputs: Any, deterministic: bool) -> Array:
        summary = nn.relu(self.pre_classifier(outputs.last_hidden_state[:, 0]))  # [B, D]
        return self.dropout(summary, deterministic=deterministic)


class FlaxDistilBertForSequenceClassificationModule(
    FlaxDistilBertSummary, SequenceClassification, backbone=FlaxDistilBertModule, prefix="distilbert"
):
    """`FlaxDistilBertForSequenceClassification` as a linen module."""


class FlaxDistilBertForMultipleChoiceModule(
    FlaxDistilBertSummary, MultipleChoice, backbone=FlaxDistilBertModule, prefix="distilbert"
):
    """`FlaxDistilBertForMultipleChoice` as a linen module."""


class FlaxDistilBertForTokenClassificationModule(
    TokenClassification, backbone=FlaxDistilBertModule, prefix="distilbert"
):
    """`FlaxDistilBertForTokenClassification` as a linen module."""


class FlaxDistilBertForQuestionAnsweringModule(QuestionAnswering, backbone=FlaxDistilBertModule, prefix="distilbert"):
    """`FlaxDistilBertForQuestionAnswering` as a linen module."""

    def setup(self) -> None:
        super().setup()
        self.dropout = nn.Dropout(self.config.qa_dropout)

    def read(
        self,
        outputs: Any,
        deterministic: bool,
        start_positions: Array | None = None,
        end_positions: Array | None = None,
    ) -> ModelOutput:
        outputs.last_hidden_state = self.dropout(outputs.last_hidden_state, deterministic=deterministic)
        return super().read(outputs, deterministic, start_positions, end_positions)


class FlaxDistilBertPreTrainedModel(FlaxModuleModel):
    """Base of every DistilBERT model in Flax; see `FlaxModuleModel` for its arguments."""

    config_class = DistilBertConfig
    base_model_prefix = "distilbert"

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        head_mask: Array | None = None,
        params: Params | None = None,
        dropout_rng: Array | None = None,
        train: bool = False,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        inputs_embeds: Array | None = None,
        **labels: Array,
    ) -> Any:
        """Run the model on a batch of sequences.

        Args:
            input_ids: [B, T] integers.
            attention_mask: [B, T], 1 where a token counts and 0 where it is padding; or [B, T, S].
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            params: The parameters; the model's own if None.
            dropout_rng: The key of dropout, needed in training.
            train: Whether dropout is on.
            inputs_embeds: [B, T, D] instead of `input_ids`.
            labels: The labels of a class with a head, by the names that it takes.

        Returns:
            The class's output, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        options = {
            "output_attentions": output_attentions, "output_hidden_states": output_hidden_states,
            "return_dict": return_dict,
        }  # fmt: skip
        arrays = {
            "input_ids": input_ids, "attention_mask": attention_mask, "head_mask": head_mask,
            "inputs_embeds": inputs_embeds, **labels,
        }  # fmt: skip
        return self.run(arrays, options, params, dropout_rng, train)


class FlaxDistilBertModel(FlaxDistilBertPreTrainedModel):
    """The bare encoder: hidden states."""

    module_class = FlaxDistilBertModule


class FlaxDistilBertForMaskedLM(FlaxDistilBertPreTrainedModel):
    """DistilBERT with a head that predicts masked tokens; takes `labels`."""

    module_class = FlaxDistilBertForMaskedLMModule


class FlaxDistilBertForSequenceClassification(FlaxDistilBertPreTrainedModel):
    """DistilBERT with a classifier of whole sequences; takes `labels`."""

    module_class = FlaxDistilBertForSequenceClassificationModule


class FlaxDistilBertForMultipleChoice(FlaxDistilBertPreTrainedModel):
    """DistilBERT with a score for each of several choices; takes `labels`."""

    module_class = FlaxDistilBertForMultipleChoiceModule


class FlaxDistilBertForTokenClassification(FlaxDistilBertPreTrainedModel):
    """DistilBERT with a classifier of every token; takes `labels`."""

    module_class = FlaxDistilBertForTokenClassificationModule


class FlaxDistilBertForQuestionAnswering(FlaxDistilBertPreTrainedModel):
    """DistilBERT with scores for where an answer starts and ends; takes `start_positions` and `end_positions`."""

    module_class = FlaxDistilBertForQuestionAnsweringModule
