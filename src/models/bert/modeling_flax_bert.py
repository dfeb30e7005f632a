"""BERT in Flax (Devlin et al. 2018, https://arxiv.org/abs/1810.04805).

Shape letters: B batch, T length, S positions attended to, D width, N heads, H head size, F feed-forward width,
V vocabulary.
"""

from __future__ import annotations

from typing import Any, ClassVar

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from ...backends.cache import heads_per_layer
from ...backends.checks import check_cross_attention, check_length, check_one_of, warn_unless_decoder
from ...backends.flax import ops
from ...backends.flax.activations import activation
from ...backends.flax.attention import (
    attend,
    causal_mask,
    join_heads,
    padding_mask,
    per_layer_head_masks,
    plus,
    split_heads,
)
from ...backends.flax.cache import Cache, LayerCache
from ...backends.flax.checks import check_indices, check_token_ids, known
from ...backends.flax.generation import FlaxGenerationMixin
from ...backends.flax.heads import MultipleChoice, QuestionAnswering, SequenceClassification, TokenClassification
from ...backends.flax.layers import Dense, Embed, LayerNorm, Stack, TiedDense, checkpointed, in_chunks
from ...backends.flax.model import FlaxModuleModel, Params
from ...losses import causal_language_model_loss, cross_entropy
from ...outputs import (
    BaseModelOutputWithPoolingAndCrossAttentions,
    BertForPreTrainingOutput,
    CausalLMOutputWithCrossAttentions,
    MaskedLMOutput,
    NextSentencePredictorOutput,
    Wanted,
)
from .configuration_bert import BertConfig


class FlaxBertUnusedPositions(Embed):
    """The table of positions that checkpoints hold and relative positions do not read."""

    def __call__(self, position_ids: Array) -> float:
        return 0.0


class FlaxBertEmbeddings(nn.Module):
    """Token, segment and position embeddings, summed and normalized."""

    config: BertConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.hidden_size
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
        past: int | Array,
        deterministic: bool = True,
    ) -> Array:
        words = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds  # [B, T, D]
        length = words.shape[1]
        if position_ids is None:
            check_length(int(past) + length if known(past) else length, self.position_embeddings.num_embeddings)
            position_ids = past + jnp.arange(length)[None]  # [1, T]
        segments = self.token_type_embeddings(
            jnp.zeros_like(position_ids) if token_type_ids is None else token_type_ids
        )
        embedded = words + segments + self.position_embeddings(position_ids)
        return self.dropout(self.LayerNorm(embedded), deterministic=deterministic)


class FlaxBertAbsolutePositions(nn.Module):
    """Absolute positions add nothing to attention's scores: they are in the embeddings."""

    rows: int
    size: int
    dtype: Any = jnp.float32

    def __call__(self, query: Array, key: Array, past: int | Array) -> None:
        return None


class FlaxBertRelativeKey(Embed):
    """Scores of queries with learnt distances (Shaw et al. 2018, https://arxiv.org/abs/1803.02155)."""

    def __call__(self, query: Array, key: Array, past: int | Array) -> Array:
        return self.scores(query, key, self.distances(query, key, past)) * query.shape[-1] ** -0.5  # [B, N, T, S]

    def distances(self, query: Array, key: Array, past: int | Array) -> Array:
        """The embedding of how far each query is from each key: [T, S, H]."""
        queries = past + jnp.arange(query.shape[2])
        keys = jnp.arange(key.shape[2])
        return super().__call__(queries[:, None] - keys + self.num_embeddings // 2)

    def scores(self, query: Array, key: Array, distances: Array) -> Array:
        return jnp.einsum("bnth,tsh->bnts", query, distances)


class FlaxBertRelativeKeyQuery(FlaxBertRelativeKey):
    """Scores of queries and of keys with learnt distances (Huang et al. 2020, https://arxiv.org/abs/2009.13658)."""

    def scores(self, query: Array, key: Array, distances: Array) -> Array:
        return super().scores(query, key, distances) + jnp.einsum("bnsh,tsh->bnts", key, distances)


#: What `position_embedding_type` adds to attention's scores.
POSITIONS = {
    "absolute": FlaxBertAbsolutePositions,
    "relative_key": FlaxBertRelativeKey,
    "relative_key_query": FlaxBertRelativeKeyQuery,
}


class FlaxBertSelfAttention(nn.Module):
    """Queries, keys and values of one layer, and what each head makes of them."""

    config: BertConfig
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
        self.dropout = nn.Dropout(config.attention_probs_dropout_prob)

    def __call__(
        self,
        hidden: Array,
        score_mask: Array | None,
        head_mask: Array | None,
        memory: LayerCache | None,
        deterministic: bool = True,
    ) -> tuple[Array, Array]:
        query, key, value = (
            split_heads(project(hidden), self.head_size) for project in (self.query, self.key, self.value)
        )  # [B, N, T, H]
        past = 0
        if memory is not None:
            past = memory.length
            key, value = memory.extend(key, value)  # [B, N, S, H]
        score_mask = plus(score_mask, self.distance_embedding(query, key, past))
        context, weights = attend(query, key, value, score_mask, self.dropout, head_mask, deterministic)
        return join_heads(context), weights


class FlaxBertEncoderAttention(nn.Module):
    """Queries of a decoder, keys and values of the encoder that it attends to."""

    config: BertConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.hidden_size
        self.head_size = width // config.num_attention_heads
        self.query = Dense(width, in_features=width, dtype=self.dtype)
        self.key = Dense(width, in_features=width, dtype=self.dtype)
        self.value = Dense(width, in_features=width, dtype=self.dtype)
        self.dropout = nn.Dropout(config.attention_probs_dropout_prob)

    def __call__(
        self,
        hidden: Array,
        encoder_hidden: Array,
        score_mask: Array | None,
        head_mask: Array | None,
        memory: LayerCache | None,
        deterministic: bool = True,
    ) -> tuple[Array, Array]:
        def keys_and_values() -> tuple[Array, Array]:
            key, value = (split_heads(project(encoder_hidden), self.head_size) for project in (self.key, self.value))
            return key, value

        query = split_heads(self.query(hidden), self.head_size)  # [B, N, T, H]
        key, value = keys_and_values() if memory is None else memory.once(keys_and_values)  # [B, N, S, H]
        context, weights = attend(query, key, value, score_mask, self.dropout, head_mask, deterministic)
        return join_heads(context), weights


class FlaxBertSelfOutput(nn.Module):
    """The projection after attention, with its residual and norm."""

    config: BertConfig
    heads: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.hidden_size
        inner = self.heads * (width // config.num_attention_heads)
        self.dense = Dense(width, in_features=inner, dtype=self.dtype)
        self.LayerNorm = LayerNorm(epsilon=config.layer_norm_eps, size=width, dtype=self.dtype)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def __call__(self, context: Array, hidden: Array, deterministic: bool = True) -> Array:
        return self.LayerNorm(self.dropout(self.dense(context), deterministic=deterministic) + hidden)


class FlaxBertAttention(nn.Module):
    """Self-attention and its output projection."""

    config: BertConfig
    heads: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        self.self = FlaxBertSelfAttention(self.config, self.heads, self.dtype)
        self.output = FlaxBertSelfOutput(self.config, self.heads, self.dtype)

    def __call__(
        self,
        hidden: Array,
        score_mask: Array | None,
        head_mask: Array | None,
        memory: LayerCache | None,
        deterministic: bool = True,
    ) -> tuple[Array, Array]:
        context, weights = self.self(hidden, score_mask, head_mask, memory, deterministic)
        return self.output(context, hidden, deterministic), weights


class FlaxBertCrossAttention(nn.Module):
    """Attention to an encoder and its output projection."""

    config: BertConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        self.self = FlaxBertEncoderAttention(self.config, self.dtype)
        self.output = FlaxBertSelfOutput(self.config, self.config.num_attention_heads, self.dtype)

    def __call__(
        self,
        hidden: Array,
        encoder_hidden: Array,
        score_mask: Array | None,
        head_mask: Array | None,
        memory: LayerCache | None,
        deterministic: bool = True,
    ) -> tuple[Array, Array]:
        context, weights = self.self(hidden, encoder_hidden, score_mask, head_mask, memory, deterministic)
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
    """One layer: attention, in a decoder attention to the encoder, then feed-forward."""

    config: BertConfig
    heads: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        self.attention = FlaxBertAttention(config, self.heads, self.dtype)
        self.crossattention = FlaxBertCrossAttention(config, self.dtype) if config.add_cross_attention else None
        self.intermediate = FlaxBertIntermediate(config, self.dtype)
        self.output = FlaxBertOutput(config, self.dtype)

    def __call__(
        self,
        hidden: Array,
        score_mask: Array | None,
        head_mask: Array | None,
        encoder_hidden: Array | None,
        encoder_mask: Array | None,
        memory: LayerCache | None,
        deterministic: bool = True,
    ) -> tuple[Array, Array, Array | None]:
        hidden, weights = self.attention(hidden, score_mask, head_mask, memory, deterministic)
        cross_weights = None
        if self.crossattention is not None and encoder_hidden is not None:
            hidden, cross_weights = self.crossattention(
                hidden, encoder_hidden, encoder_mask, head_mask, memory, deterministic
            )

        def feed_forward(hidden: Array) -> Array:
            return self.output(self.intermediate(hidden), hidden, deterministic)

        return in_chunks(feed_forward, hidden, self.config.chunk_size_feed_forward), weights, cross_weights


class FlaxBertEncoder(nn.Module):
    """The stack of layers."""

    config: BertConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        arguments = tuple((self.config, heads, self.dtype) for heads in heads_per_layer(self.config))
        self.layer = Stack(FlaxBertLayer, arguments)

    def __call__(
        self,
        hidden: Array,
        score_mask: Array | None,
        head_masks: list[Array | None],
        encoder_hidden: Array | None,
        encoder_mask: Array | None,
        cache: Cache | None,
        wanted: Wanted,
        deterministic: bool = True,
    ) -> tuple[Array, tuple[Array, ...], tuple[Array, ...], tuple[Array, ...]]:
        states, attentions, cross_attentions = wanted.state(hidden), (), ()
        memories = [None] * len(head_masks) if cache is None else cache.layers
        is_checkpointed = self.gradient_checkpointing and not deterministic and cache is None
        for layer, head_mask, memory in zip(self.layer, head_masks, memories, strict=True):
            hidden, weights, cross_weights = checkpointed(layer, is_checkpointed)(
                hidden, score_mask, head_mask, encoder_hidden, encoder_mask, memory, deterministic
            )
            states += wanted.state(hidden)
            attentions += wanted.attention(weights)
            cross_attentions += wanted.attention(cross_weights)
        return hidden, states, attentions, cross_attentions


class FlaxBertPooler(nn.Module):
    """The first position, projected: a summary of the sequence."""

    config: BertConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        width = self.config.hidden_size
        self.dense = Dense(width, in_features=width, dtype=self.dtype)

    def __call__(self, hidden: Array) -> Array:
        return jnp.tanh(self.dense(hidden[:, 0]))  # [B, D]


class FlaxBertPredictionHeadTransform(nn.Module):
    """What a position goes through before its token is predicted."""

    config: BertConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.hidden_size
        self.dense = Dense(width, in_features=width, dtype=self.dtype)
        self.activation = activation(config.hidden_act)
        self.LayerNorm = LayerNorm(epsilon=config.layer_norm_eps, size=width, dtype=self.dtype)

    def __call__(self, hidden: Array) -> Array:
        return self.LayerNorm(self.activation(self.dense(hidden)))


class FlaxBertLMPredictionHead(nn.Module):
    """A score for each token of the vocabulary. Where weights are tied, the decoder's table is that of `embedding`."""

    config: BertConfig
    embedding: nn.Module
    dtype: Any = jnp.float32

    has_parts: ClassVar[bool] = True

    def setup(self) -> None:
        config = self.config
        self.transform = FlaxBertPredictionHeadTransform(config, self.dtype)
        self.decoder = (
            TiedDense(self.embedding)
            if config.tie_word_embeddings
            else Dense(config.vocab_size, in_features=config.hidden_size, use_bias=False, dtype=self.dtype)
        )

    @nn.compact
    def __call__(self, hidden: Array) -> Array:
        bias = self.param("bias", nn.initializers.zeros, (self.config.vocab_size,))
        return self.decoder(self.transform(hidden)) + bias.astype(self.dtype)  # [B, T, V]

    @nn.nowrap
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Linen's name of each parameter of its own -> its shape."""
        return {"bias": (self.config.vocab_size,)}


class FlaxBertOnlyMLMHead(nn.Module):
    """The head of language models."""

    config: BertConfig
    embedding: nn.Module
    dtype: Any = jnp.float32

    def setup(self) -> None:
        self.predictions = FlaxBertLMPredictionHead(self.config, self.embedding, self.dtype)

    def __call__(self, hidden: Array) -> Array:
        return self.predictions(hidden)


class FlaxBertOnlyNSPHead(nn.Module):
    """The head that tells whether one sentence follows the other."""

    config: BertConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        self.seq_relationship = Dense(2, in_features=self.config.hidden_size, dtype=self.dtype)

    def __call__(self, pooled: Array) -> Array:
        return self.seq_relationship(pooled)  # [B, 2]


class FlaxBertPreTrainingHeads(nn.Module):
    """Both heads that BERT was trained with."""

    config: BertConfig
    embedding: nn.Module
    dtype: Any = jnp.float32

    def setup(self) -> None:
        self.predictions = FlaxBertLMPredictionHead(self.config, self.embedding, self.dtype)
        self.seq_relationship = Dense(2, in_features=self.config.hidden_size, dtype=self.dtype)

    def __call__(self, hidden: Array, pooled: Array) -> tuple[Array, Array]:
        return self.predictions(hidden), self.seq_relationship(pooled)


def check_inputs(
    config: BertConfig,
    input_ids: Array | None,
    inputs_embeds: Array | None,
    token_type_ids: Array | None,
    position_ids: Array | None,
    encoder_hidden_states: Array | None,
) -> None:
    """Refuse inputs that the model cannot read.

    Raises:
        InputError: An input is absent, has a wrong shape, or an id is out of range.
    """
    check_one_of(input_ids, inputs_embeds)
    if input_ids is not None:
        check_token_ids(input_ids, config.vocab_size)
    check_indices(token_type_ids, config.type_vocab_size, "token_type_ids")
    check_indices(position_ids, config.max_position_embeddings, "position_ids")
    check_cross_attention(encoder_hidden_states, config)


class FlaxBertModule(nn.Module):
    """`FlaxBertModel` as a linen module; its call says `deterministic` for `not train`."""

    config: BertConfig
    dtype: Any = jnp.float32
    add_pooling_layer: bool = True
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        self.score_mask = causal_mask if config.is_decoder else padding_mask
        self.embeddings = FlaxBertEmbeddings(config, self.dtype)
        self.encoder = FlaxBertEncoder(config, self.dtype, self.gradient_checkpointing)
        self.pooler = FlaxBertPooler(config, self.dtype) if self.add_pooling_layer else None

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        token_type_ids: Array | None = None,
        position_ids: Array | None = None,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
        encoder_hidden_states: Array | None = None,
        encoder_attention_mask: Array | None = None,
        past_key_values: Any = None,
        use_cache: bool | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        config = self.config
        is_checkpointed = self.gradient_checkpointing and not deterministic
        use_cache = use_cache if config.is_decoder and not is_checkpointed else False
        wanted = Wanted.of(config, output_attentions, output_hidden_states, return_dict, use_cache)
        check_inputs(config, input_ids, inputs_embeds, token_type_ids, position_ids, encoder_hidden_states)
        cache = Cache.open(past_key_values, wanted.cache, config.num_hidden_layers)
        past = cache.length if cache is not None else 0
        hidden = self.embeddings(
            input_ids, token_type_ids, position_ids, inputs_embeds, past, deterministic
        )  # [B, T, D]
        reach = cache.reach(hidden.shape[1]) if cache is not None else None
        score_mask = self.score_mask(attention_mask, hidden, past, reach)
        encoder_mask = None
        if encoder_hidden_states is not None:
            encoder_mask = padding_mask(encoder_attention_mask, encoder_hidden_states)
        head_masks = per_layer_head_masks(head_mask, config.num_hidden_layers)
        hidden, states, attentions, cross_attentions = self.encoder(
            hidden, score_mask, head_masks, encoder_hidden_states, encoder_mask, cache, wanted, deterministic
        )
        output = BaseModelOutputWithPoolingAndCrossAttentions(
            last_hidden_state=hidden,
            pooler_output=self.pooler(hidden) if self.pooler is not None else None,
            hidden_states=states or None,
            past_key_values=cache if wanted.cache else None,
            attentions=attentions or None,
            cross_attentions=cross_attentions or None,
        )
        return wanted.answer(output)


class FlaxBertForPreTrainingModule(nn.Module):
    """`FlaxBertForPreTraining` as a linen module."""

    config: BertConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        self.bert = FlaxBertModule(self.config, self.dtype, gradient_checkpointing=self.gradient_checkpointing)
        self.cls = FlaxBertPreTrainingHeads(self.config, self.bert.embeddings.word_embeddings, self.dtype)

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        token_type_ids: Array | None = None,
        position_ids: Array | None = None,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
        labels: Array | None = None,
        next_sentence_label: Array | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        outputs = self.bert(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds, use_cache=False,
            deterministic=deterministic, output_attentions=wanted.attentions,
            output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        predictions, relationship = self.cls(outputs.last_hidden_state, outputs.pooler_output)  # [B, T, V], [B, 2]
        loss = None
        if labels is not None and next_sentence_label is not None:
            loss = cross_entropy(predictions, labels, ops) + cross_entropy(relationship, next_sentence_label, ops)
        output = BertForPreTrainingOutput(
            loss=loss,
            prediction_logits=predictions,
            seq_relationship_logits=relationship,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class FlaxBertLMHeadModule(nn.Module):
    """`FlaxBertLMHeadModel` as a linen module."""

    config: BertConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        self.bert = FlaxBertModule(self.config, self.dtype, False, self.gradient_checkpointing)
        self.cls = FlaxBertOnlyMLMHead(self.config, self.bert.embeddings.word_embeddings, self.dtype)

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        token_type_ids: Array | None = None,
        position_ids: Array | None = None,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
        encoder_hidden_states: Array | None = None,
        encoder_attention_mask: Array | None = None,
        labels: Array | None = None,
        past_key_values: Any = None,
        use_cache: bool | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        use_cache = use_cache if labels is None else False  # there is nothing to read on to
        outputs = self.bert(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            encoder_hidden_states, encoder_attention_mask, past_key_values, use_cache,
            deterministic=deterministic, output_attentions=wanted.attentions,
            output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.cls(outputs.last_hidden_state)  # [B, T, V]
        output = CausalLMOutputWithCrossAttentions(
            loss=causal_language_model_loss(logits, labels, ops),
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            cross_attentions=outputs.cross_attentions,
        )
        return wanted.answer(output)


class FlaxBertForMaskedLMModule(nn.Module):
    """`FlaxBertForMaskedLM` as a linen module."""

    config: BertConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        self.bert = FlaxBertModule(self.config, self.dtype, False, self.gradient_checkpointing)
        self.cls = FlaxBertOnlyMLMHead(self.config, self.bert.embeddings.word_embeddings, self.dtype)

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        token_type_ids: Array | None = None,
        position_ids: Array | None = None,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
        encoder_hidden_states: Array | None = None,
        encoder_attention_mask: Array | None = None,
        labels: Array | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        outputs = self.bert(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            encoder_hidden_states, encoder_attention_mask, use_cache=False,
            deterministic=deterministic, output_attentions=wanted.attentions,
            output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.cls(outputs.last_hidden_state)  # [B, T, V]
        output = MaskedLMOutput(
            loss=cross_entropy(logits, labels, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class FlaxBertForNextSentencePredictionModule(nn.Module):
    """`FlaxBertForNextSentencePrediction` as a linen module."""

    config: BertConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        self.bert = FlaxBertModule(self.config, self.dtype, gradient_checkpointing=self.gradient_checkpointing)
        self.cls = FlaxBertOnlyNSPHead(self.config, self.dtype)

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
        next_sentence_label: Array | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        outputs = self.bert(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds, use_cache=False,
            deterministic=deterministic, output_attentions=wanted.attentions,
            output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.cls(outputs.pooler_output)  # [B, 2]
        output = NextSentencePredictorOutput(
            loss=cross_entropy(logits, next_sentence_label if labels is None else labels, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class FlaxBertForSequenceClassificationModule(SequenceClassification, backbone=FlaxBertModule, prefix="bert"):
    """`FlaxBertForSequenceClassification` as a linen module."""


class FlaxBertForMultipleChoiceModule(MultipleChoice, backbone=FlaxBertModule, prefix="bert"):
    """`FlaxBertForMultipleChoice` as a linen module."""


class FlaxBertForTokenClassificationModule(TokenClassification, backbone=FlaxBertModule, prefix="bert"):
    """`FlaxBertForTokenClassification` as a linen module."""


class FlaxBertForQuestionAnsweringModule(QuestionAnswering, backbone=FlaxBertModule, prefix="bert"):
    """`FlaxBertForQuestionAnswering` as a linen module."""


class FlaxBertPreTrainedModel(FlaxModuleModel):
    """Base of every BERT model in Flax; see `FlaxModuleModel` for its arguments."""

    config_class = BertConfig
    base_model_prefix = "bert"

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        token_type_ids: Array | None = None,
        position_ids: Array | None = None,
        head_mask: Array | None = None,
        encoder_hidden_states: Array | None = None,
        encoder_attention_mask: Array | None = None,
        params: Params | None = None,
        dropout_rng: Array | None = None,
        train: bool = False,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        past_key_values: Any = None,
        inputs_embeds: Array | None = None,
        use_cache: bool | None = None,
        **labels: Array,
    ) -> Any:
        """Run the model on a batch of sequences.

        Args:
            input_ids: [B, T] integers.
            attention_mask: [B, S], 1 where a token counts and 0 where it is padding, those in the cache included; or
                [B, T, S], which in a decoder says also what lies ahead.
            token_type_ids: [B, T], the segment of each token; 0 if not given.
            position_ids: [B, T] or [1, T]; counted from the end of the cache if not given.
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            encoder_hidden_states: [B, E, D], what a decoder with cross-attention attends to.
            encoder_attention_mask: [B, E] or [B, T, E], as `attention_mask`.
            params: The parameters; the model's own if None.
            dropout_rng: The key of dropout, needed in training.
            train: Whether dropout is on.
            past_key_values: What an earlier call or `init_cache` returned, to read on from there.
            inputs_embeds: [B, T, D] instead of `input_ids`.
            use_cache: Whether a decoder returns its keys and values; as the configuration says if None.
            labels: The labels of a class with a head, by the names that it takes.

        Returns:
            The class's output, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        options = {
            "past_key_values": past_key_values, "use_cache": use_cache, "output_attentions": output_attentions,
            "output_hidden_states": output_hidden_states, "return_dict": return_dict,
        }  # fmt: skip
        arrays = {
            "input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": token_type_ids,
            "position_ids": position_ids, "head_mask": head_mask, "inputs_embeds": inputs_embeds,
            "encoder_hidden_states": encoder_hidden_states, "encoder_attention_mask": encoder_attention_mask, **labels,
        }  # fmt: skip
        return self.run(arrays, options, params, dropout_rng, train)


class FlaxBertModel(FlaxBertPreTrainedModel):
    """The bare encoder or decoder: hidden states, and a summary of each sequence.

    Args:
        add_pooling_layer: Whether there is a summary.
    """

    module_class = FlaxBertModule


class FlaxBertForPreTraining(FlaxBertPreTrainedModel):
    """BERT with both heads that it was trained with; takes `labels` and `next_sentence_label`."""

    module_class = FlaxBertForPreTrainingModule


class FlaxBertLMHeadModel(FlaxBertPreTrainedModel, FlaxGenerationMixin):
    """BERT as a decoder that predicts the next token; wants `is_decoder=True`, takes `labels`."""

    module_class = FlaxBertLMHeadModule

    def __init__(self, config: BertConfig, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        warn_unless_decoder(config, "FlaxBertLMHeadModel")


#: The name under which 4.x knows it.
FlaxBertForCausalLM = FlaxBertLMHeadModel


class FlaxBertForMaskedLM(FlaxBertPreTrainedModel):
    """BERT with a head that predicts masked tokens; takes `labels`."""

    module_class = FlaxBertForMaskedLMModule


class FlaxBertForNextSentencePrediction(FlaxBertPreTrainedModel):
    """BERT with a head that tells whether the second sentence follows the first; takes `labels`."""

    module_class = FlaxBertForNextSentencePredictionModule


class FlaxBertForSequenceClassification(FlaxBertPreTrainedModel):
    """BERT with a classifier of whole sequences; takes `labels`."""

    module_class = FlaxBertForSequenceClassificationModule


class FlaxBertForMultipleChoice(FlaxBertPreTrainedModel):
    """BERT with a score for each of several choices; takes `labels`."""

    module_class = FlaxBertForMultipleChoiceModule


class FlaxBertForTokenClassification(FlaxBertPreTrainedModel):
    """BERT with a classifier of every token; takes `labels`."""

    module_class = FlaxBertForTokenClassificationModule


class FlaxBertForQuestionAnswering(FlaxBertPreTrainedModel):
    """BERT with scores for where an answer starts and ends; takes `start_positions` and `end_positions`."""

    module_class = FlaxBertForQuestionAnsweringModule
