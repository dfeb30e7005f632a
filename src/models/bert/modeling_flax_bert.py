"""BERT in Flax (Devlin et al. 2018, https://arxiv.org/abs/1810.04805).

Shape letters: B batch, T length, D width, N heads, L labels, F feed-forward width.
"""

from __future__ import annotations

from typing import Any, ClassVar

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from ...backends.checks import check_length, check_one_of
from ...backends.flax import ops
from ...backends.flax.activations import activation
from ...backends.flax.attention import additive_mask, attend, join_heads, per_layer_head_masks, split_heads
from ...backends.flax.checks import check_indices, check_token_ids
from ...backends.flax.layers import Dense, Embed, LayerNorm, Stack
from ...backends.flax.model import FlaxPreTrainedModel, Params, as_array
from ...losses import sequence_classification_loss
from ...outputs import BaseModelOutputWithPoolingAndCrossAttentions, SequenceClassifierOutput, Wanted
from .configuration_bert import BertConfig


class FlaxBertEmbeddings(nn.Module):
    """Token, segment and position embeddings, summed and normalized."""

    config: BertConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.hidden_size
        self.word_embeddings = Embed(config.vocab_size, width, padding=config.pad_token_id, dtype=self.dtype)
        self.position_embeddings = Embed(config.max_position_embeddings, width, dtype=self.dtype)
        self.token_type_embeddings = Embed(config.type_vocab_size, width, dtype=self.dtype)
        self.LayerNorm = LayerNorm(epsilon=config.layer_norm_eps, size=width, dtype=self.dtype)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def __call__(
        self,
        input_ids: Array | None,
        token_type_ids: Array | None,
        position_ids: Array | None,
        inputs_embeds: Array | None,
        deterministic: bool = True,
    ) -> Array:
        words = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds  # [B, T, D]
        length = words.shape[1]
        if position_ids is None:
            check_length(length, self.position_embeddings.num_embeddings)
            position_ids = jnp.arange(length)[None]  # [1, T]
        segments = self.token_type_embeddings(
            jnp.zeros_like(position_ids) if token_type_ids is None else token_type_ids
        )
        embedded = words + segments + self.position_embeddings(position_ids)
        return self.dropout(self.LayerNorm(embedded), deterministic=deterministic)


class FlaxBertSelfAttention(nn.Module):
    """Queries, keys and values of one layer, and what each head makes of them."""

    config: BertConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.hidden_size
        self.heads = config.num_attention_heads
        self.query = Dense(width, in_features=width, dtype=self.dtype)
        self.key = Dense(width, in_features=width, dtype=self.dtype)
        self.value = Dense(width, in_features=width, dtype=self.dtype)
        self.dropout = nn.Dropout(config.attention_probs_dropout_prob)

    def __call__(
        self, hidden: Array, score_mask: Array | None, head_mask: Array | None, deterministic: bool = True
    ) -> tuple[Array, Array]:
        query, key, value = (
            split_heads(project(hidden), self.heads) for project in (self.query, self.key, self.value)
        )  # [B, N, T, H]
        context, weights = attend(query, key, value, score_mask, self.dropout, head_mask, deterministic)
        return join_heads(context), weights


class FlaxBertSelfOutput(nn.Module):
    """The projection after attention, with its residual and norm."""

    config: BertConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.hidden_size
        self.dense = Dense(width, in_features=width, dtype=self.dtype)
        self.LayerNorm = LayerNorm(epsilon=config.layer_norm_eps, size=width, dtype=self.dtype)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def __call__(self, context: Array, hidden: Array, deterministic: bool = True) -> Array:
        return self.LayerNorm(self.dropout(self.dense(context), deterministic=deterministic) + hidden)


class FlaxBertAttention(nn.Module):
    """Self-attention and its output projection."""

    config: BertConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        self.self = FlaxBertSelfAttention(self.config, self.dtype)
        self.output = FlaxBertSelfOutput(self.config, self.dtype)

    def __call__(
        self, hidden: Array, score_mask: Array | None, head_mask: Array | None, deterministic: bool = True
    ) -> tuple[Array, Array]:
        context, weights = self.self(hidden, score_mask, head_mask, deterministic)
        return self.output(context, hidden, deterministic), weights


class FlaxBertIntermediate(nn.Module):
    """The widening half of the feed-forward block."""

    config: BertConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        self.dense = Dense(config.intermediate_size, in_features=config.hidden_size, dtype=self.dtype)
        self.activation = activation(config.hidden_act)

    def __call__(self, hidden: Array) -> Array:
        return self.activation(self.dense(hidden))  # [B, T, F]


class FlaxBertOutput(nn.Module):
    """The narrowing half of the feed-forward block, with its residual and norm."""

    config: BertConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        self.dense = Dense(config.hidden_size, in_features=config.intermediate_size, dtype=self.dtype)
        self.LayerNorm = LayerNorm(epsilon=config.layer_norm_eps, size=config.hidden_size, dtype=self.dtype)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def __call__(self, widened: Array, hidden: Array, deterministic: bool = True) -> Array:
        return self.LayerNorm(self.dropout(self.dense(widened), deterministic=deterministic) + hidden)


class FlaxBertLayer(nn.Module):
    """One layer: attention, then feed-forward."""

    config: BertConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        self.attention = FlaxBertAttention(self.config, self.dtype)
        self.intermediate = FlaxBertIntermediate(self.config, self.dtype)
        self.output = FlaxBertOutput(self.config, self.dtype)

    def __call__(
        self, hidden: Array, score_mask: Array | None, head_mask: Array | None, deterministic: bool = True
    ) -> tuple[Array, Array]:
        attended, weights = self.attention(hidden, score_mask, head_mask, deterministic)
        return self.output(self.intermediate(attended), attended, deterministic), weights


class FlaxBertEncoder(nn.Module):
    """The stack of layers."""

    config: BertConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        self.layer = Stack(FlaxBertLayer, self.config.num_hidden_layers, self.config, self.dtype)

    def __call__(
        self,
        hidden: Array,
        score_mask: Array | None,
        head_masks: list[Array | None],
        wanted: Wanted,
        deterministic: bool = True,
    ) -> tuple[Array, tuple[Array, ...], tuple[Array, ...]]:
        states, attentions = wanted.state(hidden), ()
        for layer, head_mask in zip(self.layer, head_masks, strict=True):
            hidden, weights = layer(hidden, score_mask, head_mask, deterministic)
            states += wanted.state(hidden)
            attentions += wanted.attention(weights)
        return hidden, states, attentions


class FlaxBertPooler(nn.Module):
    """The first position, projected: a summary of the sequence."""

    config: BertConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        width = self.config.hidden_size
        self.dense = Dense(width, in_features=width, dtype=self.dtype)

    def __call__(self, hidden: Array) -> Array:
        return jnp.tanh(self.dense(hidden[:, 0]))  # [B, D]


class FlaxBertModule(nn.Module):
    """`FlaxBertModel` as a linen module; its call says `deterministic` for `not train`."""

    config: BertConfig
    dtype: Any = jnp.float32
    add_pooling_layer: bool = True

    def setup(self) -> None:
        self.embeddings = FlaxBertEmbeddings(self.config, self.dtype)
        self.encoder = FlaxBertEncoder(self.config, self.dtype)
        self.pooler = FlaxBertPooler(self.config, self.dtype) if self.add_pooling_layer else None

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        token_type_ids: Array | None = None,
        position_ids: Array | None = None,
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
        check_indices(token_type_ids, self.config.type_vocab_size, "token_type_ids")
        check_indices(position_ids, self.config.max_position_embeddings, "position_ids")
        hidden = self.embeddings(input_ids, token_type_ids, position_ids, inputs_embeds, deterministic)  # [B, T, D]
        score_mask = additive_mask(attention_mask, hidden)
        head_masks = per_layer_head_masks(head_mask, self.config.num_hidden_layers)
        hidden, states, attentions = self.encoder(hidden, score_mask, head_masks, wanted, deterministic)
        output = BaseModelOutputWithPoolingAndCrossAttentions(
            last_hidden_state=hidden,
            pooler_output=self.pooler(hidden) if self.pooler is not None else None,
            hidden_states=states or None,
            attentions=attentions or None,
        )
        return wanted.answer(output)


class FlaxBertForSequenceClassificationModule(nn.Module):
    """`FlaxBertForSequenceClassification` as a linen module."""

    config: BertConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        dropout = config.hidden_dropout_prob if config.classifier_dropout is None else config.classifier_dropout
        self.bert = FlaxBertModule(config, self.dtype)
        self.dropout = nn.Dropout(dropout)
        self.classifier = Dense(config.num_labels, in_features=config.hidden_size, dtype=self.dtype)

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        token_type_ids: Array | None = None,
        position_ids: Array | None = None,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
        labels: Array | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        outputs = self.bert(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds, deterministic,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.classifier(self.dropout(outputs.pooler_output, deterministic=deterministic))  # [B, L]
        output = SequenceClassifierOutput(
            loss=sequence_classification_loss(logits, labels, self.config, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class FlaxBertPreTrainedModel(FlaxPreTrainedModel):
    """Base of every BERT model in Flax: a linen module of `module_class` and its parameters.

    Args:
        config: What the model is.
        input_shape: Unused: the parameters are known without a trace.
        seed: Seed of the initial weights.
        dtype: The type of the computation.
        _do_init: Whether to make parameters; without, every call must be given them.
        param_dtype: The type of the parameters: float32, or float64 if `dtype` is.
        module_kwargs: Further attributes of the module.
    """

    config_class = BertConfig
    base_model_prefix = "bert"
    module_class: ClassVar[type[nn.Module]]

    def __init__(
        self,
        config: BertConfig,
        input_shape: tuple[int, ...] = (1, 1),
        seed: int = 0,
        dtype: Any = jnp.float32,
        _do_init: bool = True,
        param_dtype: Any = None,
        **module_kwargs: Any,
    ) -> None:
        module = self.module_class(config, jnp.dtype(dtype), **module_kwargs)
        super().__init__(config, module, input_shape, seed, dtype, _do_init, param_dtype)

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        token_type_ids: Array | None = None,
        position_ids: Array | None = None,
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
            attention_mask: [B, T], 1 where a token counts and 0 where it is padding; or [B, T, T].
            token_type_ids: [B, T], the segment of each token; 0 if not given.
            position_ids: [B, T] or [1, T]; 0, 1, 2, ... if not given.
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
        return self.apply(
            params, dropout_rng, train,
            *map(as_array, (input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds)),
            output_attentions=output_attentions, output_hidden_states=output_hidden_states, return_dict=return_dict,
            **{name: as_array(value) for name, value in labels.items()},
        )  # fmt: skip


class FlaxBertModel(FlaxBertPreTrainedModel):
    """The bare encoder: hidden states, and a summary of each sequence.

    Args:
        add_pooling_layer: Whether there is a summary.
    """

    module_class = FlaxBertModule


class FlaxBertForSequenceClassification(FlaxBertPreTrainedModel):
    """BERT with a classifier of whole sequences on its summary; takes `labels` as `BertForSequenceClassification`."""

    module_class = FlaxBertForSequenceClassificationModule
