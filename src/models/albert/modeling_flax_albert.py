"""ALBERT in Flax (Lan et al. 2019, https://arxiv.org/abs/1909.11942).

Positions are BERT's (`models/bert`). What differs: embeddings have a width of their own and are projected; layers stand
in groups, and a group is run several times with the same weights; attention holds its output projection itself, and
scores distances unscaled; the pooled summary is one linear layer; the second head that ALBERT was trained with tells
the order of two sentences.

Shape letters: B batch, T length, S positions attended to, E width of the embeddings, D width, N heads, H head size,
F feed-forward width, V vocabulary, L labels, two for the order of sentences.
"""

from __future__ import annotations

from typing import Any, ClassVar

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from ...backends.cache import heads_per_layer
from ...backends.checks import check_length, check_one_of
from ...backends.flax import ops
from ...backends.flax.activations import activation
from ...backends.flax.attention import attend, join_heads, padding_mask, per_layer_head_masks, plus, split_heads
from ...backends.flax.checks import check_indices, check_token_ids
from ...backends.flax.heads import MultipleChoice, QuestionAnswering, SequenceClassification, TokenClassification
from ...backends.flax.layers import Dense, Embed, LayerNorm, Stack, TiedDense, checkpointed, in_chunks
from ...backends.flax.model import FlaxModuleModel, Params
from ...losses import cross_entropy
from ...outputs import AlbertForPreTrainingOutput, BaseModelOutputWithPooling, MaskedLMOutput, Wanted
from ..bert.modeling_flax_bert import (
    FlaxBertAbsolutePositions,
    FlaxBertRelativeKey,
    FlaxBertRelativeKeyQuery,
    FlaxBertUnusedPositions,
)
from .configuration_albert import AlbertConfig


class FlaxAlbertEmbeddings(nn.Module):
    """Token, segment and position embeddings, summed and normalized."""

    config: AlbertConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.embedding_size
        positions = Embed if config.position_embedding_type == "absolute" else FlaxBertUnusedPositions
        self.word_embeddings = Embed(config.vocab_size, width, padding=config.pad_token_id, dtype=self.dtype)
        self.position_embeddings = positions(config.max_position_embeddings, width, dtype=self.dtype)
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
        words = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds  # [B, T, E]
        length = words.shape[1]
        if position_ids is None:
            check_length(length, self.position_embeddings.num_embeddings)
            position_ids = jnp.arange(length)[None]  # [1, T]
        segments = self.token_type_embeddings(
            jnp.zeros_like(position_ids) if token_type_ids is None else token_type_ids
        )
        embedded = words + segments + self.position_embeddings(position_ids)
        return self.dropout(self.LayerNorm(embedded), deterministic=deterministic)


class FlaxAlbertRelativeKey(FlaxBertRelativeKey):
    """Scores of queries with learnt distances, which the size of a head does not scale."""

    def __call__(self, query: Array, key: Array, past: int | Array) -> Array:
        return self.scores(query, key, self.distances(query, key, past))  # [B, N, T, S]


class FlaxAlbertRelativeKeyQuery(FlaxAlbertRelativeKey, FlaxBertRelativeKeyQuery):
    """Scores of queries and of keys with learnt distances, which the size of a head does not scale."""


#: What `position_embedding_type` adds to attention's scores.
POSITIONS = {
    "absolute": FlaxBertAbsolutePositions,
    "relative_key": FlaxAlbertRelativeKey,
    "relative_key_query": FlaxAlbertRelativeKeyQuery,
}


class FlaxAlbertAttention(nn.Module):
    """Self-attention of one layer and its output projection, with residual and norm."""

    config: AlbertConfig
    heads: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.hidden_size
        self.head_size = width // config.num_attention_heads
        inner = self.heads * self.head_size
        positions = POSITIONS[config.position_embedding_type]
        self.query = Dense(inner, in_features=width, dtype=self.dtype)
        self.key = Dense(inner, in_features=width, dtype=self.dtype)
        self.value = Dense(inner, in_features=width, dtype=self.dtype)
        self.distance_embedding = positions(2 * config.max_position_embeddings - 1, self.head_size, dtype=self.dtype)
        self.attention_dropout = nn.Dropout(config.attention_probs_dropout_prob)
        self.dense = Dense(width, in_features=inner, dtype=self.dtype)
        self.output_dropout = nn.Dropout(config.hidden_dropout_prob)
        self.LayerNorm = LayerNorm(epsilon=config.layer_norm_eps, size=width, dtype=self.dtype)

    def __call__(
        self, hidden: Array, score_mask: Array | None, head_mask: Array | None, deterministic: bool = True
    ) -> tuple[Array, Array]:
        query, key, value = (
            split_heads(project(hidden), self.head_size) for project in (self.query, self.key, self.value)
        )  # [B, N, T, H]
        score_mask = plus(score_mask, self.distance_embedding(query, key, 0))
        context, weights = attend(query, key, value, score_mask, self.attention_dropout, head_mask, deterministic)
        projected = self.output_dropout(self.dense(join_heads(context)), deterministic=deterministic)
        return self.LayerNorm(projected + hidden), weights


class FlaxAlbertLayer(nn.Module):
    """One layer: attention, then feed-forward."""

    config: AlbertConfig
    heads: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.hidden_size
        self.attention = FlaxAlbertAttention(config, self.heads, self.dtype)
        self.ffn = Dense(config.intermediate_size, in_features=width, dtype=self.dtype)
        self.activation = activation(config.hidden_act)
        self.ffn_output = Dense(width, in_features=config.intermediate_size, dtype=self.dtype)
        self.full_layer_layer_norm = LayerNorm(epsilon=config.layer_norm_eps, size=width, dtype=self.dtype)

    def __call__(
        self, hidden: Array, score_mask: Array | None, head_mask: Array | None, deterministic: bool = True
    ) -> tuple[Array, Array]:
        hidden, weights = self.attention(hidden, score_mask, head_mask, deterministic)
        return in_chunks(self.feed_forward, hidden, self.config.chunk_size_feed_forward), weights

    def feed_forward(self, hidden: Array) -> Array:
        widened = self.activation(self.ffn(hidden))  # [B, T, F]
        return self.full_layer_layer_norm(self.ffn_output(widened) + hidden)


class FlaxAlbertLayerGroup(nn.Module):
    """The layers that are run, and run again, one after another."""

    config: AlbertConfig
    heads: tuple[int, ...]
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        self.albert_layers = Stack(FlaxAlbertLayer, tuple((self.config, each, self.dtype) for each in self.heads))

    def __call__(
        self,
        hidden: Array,
        score_mask: Array | None,
        head_masks: list[Array | None],
        wanted: Wanted,
        deterministic: bool = True,
    ) -> tuple[Array, tuple[Array, ...]]:
        attentions = ()
        is_checkpointed = self.gradient_checkpointing and not deterministic
        for layer, head_mask in zip(self.albert_layers, head_masks, strict=True):
            hidden, weights = checkpointed(layer, is_checkpointed)(hidden, score_mask, head_mask, deterministic)
            attentions += wanted.attention(weights)
        return hidden, attentions


class FlaxAlbertTransformer(nn.Module):
    """The projection of the embeddings, and the groups of layers, each several times."""

    config: AlbertConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config, is_checkpointed = self.config, self.gradient_checkpointing
        inner, heads = config.inner_group_num, heads_per_layer(config, config.own_layers)
        arguments = tuple(
            (config, tuple(heads[group * inner :][:inner]), self.dtype, is_checkpointed)
            for group in range(config.num_hidden_groups)
        )
        self.groups_in_turn = config.groups_in_turn()
        self.embedding_hidden_mapping_in = Dense(
            config.hidden_size, in_features=config.embedding_size, dtype=self.dtype
        )
        self.albert_layer_groups = Stack(FlaxAlbertLayerGroup, arguments)

    def __call__(
        self,
        embedded: Array,
        score_mask: Array | None,
        head_masks: list[list[Array | None]],
        wanted: Wanted,
        deterministic: bool = True,
    ) -> tuple[Array, tuple[Array, ...], tuple[Array, ...]]:
        hidden = self.embedding_hidden_mapping_in(embedded)  # [B, T, D]
        states, attentions = wanted.state(hidden), ()
        groups = list(self.albert_layer_groups)
        for group in self.groups_in_turn:
            hidden, weights = groups[group](hidden, score_mask, head_masks[group], wanted, deterministic)
            states += wanted.state(hidden)
            attentions += weights
        return hidden, states, attentions


class FlaxAlbertMLMHead(nn.Module):
    """A score for each token of the vocabulary. Where weights are tied, the decoder's table is that of `embedding`."""

    config: AlbertConfig
    embedding: nn.Module
    dtype: Any = jnp.float32

    has_parts: ClassVar[bool] = True

    def setup(self) -> None:
        config, width = self.config, self.config.embedding_size
        self.dense = Dense(width, in_features=config.hidden_size, dtype=self.dtype)
        self.activation = activation(config.hidden_act)
        self.LayerNorm = LayerNorm(epsilon=config.layer_norm_eps, size=width, dtype=self.dtype)
        self.decoder = (
            TiedDense(self.embedding)
            if config.tie_word_embeddings
            else Dense(config.vocab_size, in_features=width, use_bias=False, dtype=self.dtype)
        )

    @nn.compact
    def __call__(self, hidden: Array) -> Array:
        bias = self.param("bias", nn.initializers.zeros, (self.config.vocab_size,))
        transformed = self.LayerNorm(self.activation(self.dense(hidden)))  # [B, T, E]
        return self.decoder(transformed) + bias.astype(self.dtype)  # [B, T, V]

    @nn.nowrap
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Linen's name of each parameter of its own -> its shape."""
        return {"bias": (self.config.vocab_size,)}


class FlaxAlbertSOPHead(nn.Module):
    """The head that tells whether two sentences are in their order: a score for each label."""

    config: AlbertConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        self.dropout = nn.Dropout(config.head_dropout)
        self.classifier = Dense(config.num_labels, in_features=config.hidden_size, dtype=self.dtype)

    def __call__(self, pooled: Array, deterministic: bool = True) -> Array:
        return self.classifier(self.dropout(pooled, deterministic=deterministic))  # [B, L]


class FlaxAlbertModule(nn.Module):
    """`FlaxAlbertModel` as a linen module; its call says `deterministic` for `not train`."""

    config: AlbertConfig
    dtype: Any = jnp.float32
    add_pooling_layer: bool = True
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config, width = self.config, self.config.hidden_size
        self.embeddings = FlaxAlbertEmbeddings(config, self.dtype)
        self.encoder = FlaxAlbertTransformer(config, self.dtype, self.gradient_checkpointing)
        self.pooler = Dense(width, in_features=width, dtype=self.dtype) if self.add_pooling_layer else None

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
        config = self.config
        wanted = Wanted.of(config, output_attentions, output_hidden_states, return_dict)
        check_one_of(input_ids, inputs_embeds)
        if input_ids is not None:
            check_token_ids(input_ids, config.vocab_size)
        check_indices(token_type_ids, config.type_vocab_size, "token_type_ids")
        check_indices(position_ids, config.max_position_embeddings, "position_ids")
        embedded = self.embeddings(input_ids, token_type_ids, position_ids, inputs_embeds, deterministic)  # [B, T, E]
        score_mask = padding_mask(attention_mask, embedded)
        head_masks = config.masks_by_group(per_layer_head_masks(head_mask, config.num_hidden_layers))
        hidden, states, attentions = self.encoder(embedded, score_mask, head_masks, wanted, deterministic)
        output = BaseModelOutputWithPooling(
            last_hidden_state=hidden,
            pooler_output=jnp.tanh(self.pooler(hidden[:, 0])) if self.pooler is not None else None,  # [B, D]
            hidden_states=states or None,
            attentions=attentions or None,
        )
        return wanted.answer(output)


class FlaxAlbertForPreTrainingModule(nn.Module):
    """`FlaxAlbertForPreTraining` as a linen module."""

    config: AlbertConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config, dtype = self.config, self.dtype
        self.albert = FlaxAlbertModule(config, dtype, gradient_checkpointing=self.gradient_checkpointing)
        self.predictions = FlaxAlbertMLMHead(config, self.albert.embeddings.word_embeddings, dtype)
        self.sop_classifier = FlaxAlbertSOPHead(config, dtype)

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        token_type_ids: Array | None = None,
        position_ids: Array | None = None,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
        labels: Array | None = None,
        sentence_order_label: Array | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        outputs = self.albert(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds, deterministic,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        predictions = self.predictions(outputs.last_hidden_state)  # [B, T, V]
        order = self.sop_classifier(outputs.pooler_output, deterministic)  # [B, L]
        loss = None
        if labels is not None and sentence_order_label is not None:
            loss = cross_entropy(predictions, labels, ops) + cross_entropy(order, sentence_order_label, ops)
        output = AlbertForPreTrainingOutput(
            loss=loss,
            prediction_logits=predictions,
            sop_logits=order,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class FlaxAlbertForMaskedLMModule(nn.Module):
    """`FlaxAlbertForMaskedLM` as a linen module."""

    config: AlbertConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        self.albert = FlaxAlbertModule(self.config, self.dtype, False, self.gradient_checkpointing)
        self.predictions = FlaxAlbertMLMHead(self.config, self.albert.embeddings.word_embeddings, self.dtype)

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
        outputs = self.albert(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds, deterministic,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.predictions(outputs.last_hidden_state)  # [B, T, V]
        output = MaskedLMOutput(
            loss=cross_entropy(logits, labels, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class FlaxAlbertForSequenceClassificationModule(SequenceClassification, backbone=FlaxAlbertModule, prefix="albert"):
    """`FlaxAlbertForSequenceClassification` as a linen module."""


class FlaxAlbertForMultipleChoiceModule(MultipleChoice, backbone=FlaxAlbertModule, prefix="albert"):
    """`FlaxAlbertForMultipleChoice` as a linen module."""


class FlaxAlbertForTokenClassificationModule(TokenClassification, backbone=FlaxAlbertModule, prefix="albert"):
    """`FlaxAlbertForTokenClassification` as a linen module."""


class FlaxAlbertForQuestionAnsweringModule(QuestionAnswering, backbone=FlaxAlbertModule, prefix="albert"):
    """`FlaxAlbertForQuestionAnswering` as a linen module."""


class FlaxAlbertPreTrainedModel(FlaxModuleModel):
    """Base of every ALBERT model in Flax; see `FlaxModuleModel` for its arguments."""

    config_class = AlbertConfig
    base_model_prefix = "albert"

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        token_type_ids: Array | None = None,
        position_ids: Array | None = None,
        params: Params | None = None,
        dropout_rng: Array | None = None,
        train: bool = False,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
        **labels: Array,
    ) -> Any:
        """Run the model on a batch of sequences.

        Args:
            input_ids: [B, T] integers.
            attention_mask: [B, T], 1 where a token counts and 0 where it is padding; or [B, T, S].
            token_type_ids: [B, T], the segment of each token; 0 if not given.
            position_ids: [B, T] or [1, T]; 0, 1, 2, ... if not given.
            params: The parameters; the model's own if None.
            dropout_rng: The key of dropout, needed in training.
            train: Whether dropout is on.
            head_mask: [N] or [layers, N], 0 where a head is switched off; a layer that is run again has in all its
                turns the row of the first (`AlbertConfig.masks_by_group`).
            inputs_embeds: [B, T, E] instead of `input_ids`.
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
            "input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": token_type_ids,
            "position_ids": position_ids, "head_mask": head_mask, "inputs_embeds": inputs_embeds, **labels,
        }  # fmt: skip
        return self.run(arrays, options, params, dropout_rng, train)


class FlaxAlbertModel(FlaxAlbertPreTrainedModel):
    """The bare encoder: hidden states, and a summary of each sequence.

    Args:
        add_pooling_layer: Whether there is a summary.
    """

    module_class = FlaxAlbertModule


class FlaxAlbertForPreTraining(FlaxAlbertPreTrainedModel):
    """ALBERT with both heads that it was trained with; takes `labels` and `sentence_order_label`."""

    module_class = FlaxAlbertForPreTrainingModule


class FlaxAlbertForMaskedLM(FlaxAlbertPreTrainedModel):
    """ALBERT with a head that predicts masked tokens; takes `labels`."""

    module_class = FlaxAlbertForMaskedLMModule


class FlaxAlbertForSequenceClassification(FlaxAlbertPreTrainedModel):
    """ALBERT with a classifier of whole sequences; takes `labels`."""

    module_class = FlaxAlbertForSequenceClassificationModule


class FlaxAlbertForMultipleChoice(FlaxAlbertPreTrainedModel):
    """ALBERT with a score for each of several choices; takes `labels`."""

    module_class = FlaxAlbertForMultipleChoiceModule


class FlaxAlbertForTokenClassification(FlaxAlbertPreTrainedModel):
    """ALBERT with a classifier of every token; takes `labels`."""

    module_class = FlaxAlbertForTokenClassificationModule


class FlaxAlbertForQuestionAnswering(FlaxAlbertPreTrainedModel):
    """ALBERT with scores for where an answer starts and ends; takes `start_positions` and `end_positions`."""

    module_class = FlaxAlbertForQuestionAnsweringModule
