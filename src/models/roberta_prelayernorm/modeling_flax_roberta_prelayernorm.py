"""RoBERTa-PreLayerNorm in Flax (Ott et al. 2019, https://arxiv.org/abs/1904.01038).

Embeddings and heads are RoBERTa's (`models/roberta`), attention and the pooler BERT's (`models/bert`). What differs:
each block reads normalized states and its sum is left as it is, so the norms stand in `attention` and `intermediate`
and none in the outputs; the model normalizes what the last layer answers, while the hidden states are those before.

Shape letters: B batch, T length, D width, F feed-forward width, V vocabulary.
"""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from ...backends.cache import heads_per_layer
from ...backends.checks import warn_unless_decoder
from ...backends.flax import ops
from ...backends.flax.activations import activation
from ...backends.flax.attention import causal_mask, padding_mask, per_layer_head_masks
from ...backends.flax.cache import Cache, LayerCache
from ...backends.flax.generation import FlaxGenerationMixin
from ...backends.flax.heads import FirstTokenClassification, MultipleChoice, QuestionAnswering, TokenClassification
from ...backends.flax.layers import Dense, LayerNorm, Stack, checkpointed, in_chunks
from ...backends.flax.model import FlaxModuleModel, Params
from ...losses import causal_language_model_loss, cross_entropy
from ...outputs import (
    BaseModelOutputWithPoolingAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    MaskedLMOutput,
    Wanted,
)
from ..bert.modeling_flax_bert import FlaxBertEncoderAttention, FlaxBertPooler, FlaxBertSelfAttention, check_inputs
from ..roberta.modeling_flax_roberta import FlaxRobertaEmbeddings, FlaxRobertaLMHead
from .configuration_roberta_prelayernorm import RobertaPreLayerNormConfig


class FlaxRobertaPreLayerNormSelfOutput(nn.Module):
    """The projection after attention, with its residual."""

    config: RobertaPreLayerNormConfig
    heads: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.hidden_size
        inner = self.heads * (width // config.num_attention_heads)
        self.dense = Dense(width, in_features=inner, dtype=self.dtype)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def __call__(self, context: Array, hidden: Array, deterministic: bool = True) -> Array:
        return self.dropout(self.dense(context), deterministic=deterministic) + hidden


class FlaxRobertaPreLayerNormAttention(nn.Module):
    """A norm, self-attention and its output projection."""

    config: RobertaPreLayerNormConfig
    heads: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        self.LayerNorm = LayerNorm(epsilon=config.layer_norm_eps, size=config.hidden_size, dtype=self.dtype)
        self.self = FlaxBertSelfAttention(config, self.heads, self.dtype)
        self.output = FlaxRobertaPreLayerNormSelfOutput(config, self.heads, self.dtype)

    def __call__(
        self,
        hidden: Array,
        score_mask: Array | None,
        head_mask: Array | None,
        memory: LayerCache | None,
        deterministic: bool = True,
    ) -> tuple[Array, Array]:
        context, weights = self.self(self.LayerNorm(hidden), score_mask, head_mask, memory, deterministic)
        return self.output(context, hidden, deterministic), weights


class FlaxRobertaPreLayerNormCrossAttention(nn.Module):
    """A norm, attention to an encoder, whose states are read as they are, and its output projection."""

    config: RobertaPreLayerNormConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        self.LayerNorm = LayerNorm(epsilon=config.layer_norm_eps, size=config.hidden_size, dtype=self.dtype)
        self.self = FlaxBertEncoderAttention(config, self.dtype)
        self.output = FlaxRobertaPreLayerNormSelfOutput(config, config.num_attention_heads, self.dtype)

    def __call__(
        self,
        hidden: Array,
        encoder_hidden: Array,
        score_mask: Array | None,
        head_mask: Array | None,
        memory: LayerCache | None,
        deterministic: bool = True,
    ) -> tuple[Array, Array]:
        normalized = self.LayerNorm(hidden)
        context, weights = self.self(normalized, encoder_hidden, score_mask, head_mask, memory, deterministic)
        return self.output(context, hidden, deterministic), weights


class FlaxRobertaPreLayerNormIntermediate(nn.Module):
    """A norm, and the widening half of the feed-forward block."""

    config: RobertaPreLayerNormConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        self.LayerNorm = LayerNorm(epsilon=config.layer_norm_eps, size=config.hidden_size, dtype=self.dtype)
        self.dense = Dense(config.intermediate_size, in_features=config.hidden_size, dtype=self.dtype)
        self.activation = activation(config.hidden_act)

    def __call__(self, hidden: Array) -> Array:
        return self.activation(self.dense(self.LayerNorm(hidden)))  # [B, T, F]


class FlaxRobertaPreLayerNormOutput(nn.Module):
    """The narrowing half of the feed-forward block, with its residual."""

    config: RobertaPreLayerNormConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        self.dense = Dense(config.hidden_size, in_features=config.intermediate_size, dtype=self.dtype)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def __call__(self, widened: Array, hidden: Array, deterministic: bool = True) -> Array:
        return self.dropout(self.dense(widened), deterministic=deterministic) + hidden


class FlaxRobertaPreLayerNormLayer(nn.Module):
    """One layer: attention, in a decoder attention to the encoder, then feed-forward."""

    config: RobertaPreLayerNormConfig
    heads: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, crossing = self.config, FlaxRobertaPreLayerNormCrossAttention
        self.attention = FlaxRobertaPreLayerNormAttention(config, self.heads, self.dtype)
        self.crossattention = crossing(config, self.dtype) if config.add_cross_attention else None
        self.intermediate = FlaxRobertaPreLayerNormIntermediate(config, self.dtype)
        self.output = FlaxRobertaPreLayerNormOutput(config, self.dtype)

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


class FlaxRobertaPreLayerNormEncoder(nn.Module):
    """The stack of layers."""

    config: RobertaPreLayerNormConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        arguments = tuple((self.config, heads, self.dtype) for heads in heads_per_layer(self.config))
        self.layer = Stack(FlaxRobertaPreLayerNormLayer, arguments)

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


class FlaxRobertaPreLayerNormModule(nn.Module):
    """`FlaxRobertaPreLayerNormModel` as a linen module; its call says `deterministic` for `not train`."""

    config: RobertaPreLayerNormConfig
    dtype: Any = jnp.float32
    add_pooling_layer: bool = True
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        self.score_mask = causal_mask if config.is_decoder else padding_mask
        self.embeddings = FlaxRobertaEmbeddings(config, self.dtype)
        self.encoder = FlaxRobertaPreLayerNormEncoder(config, self.dtype, self.gradient_checkpointing)
        self.LayerNorm = LayerNorm(epsilon=config.layer_norm_eps, size=config.hidden_size, dtype=self.dtype)
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
        hidden = self.LayerNorm(hidden)
        output = BaseModelOutputWithPoolingAndCrossAttentions(
            last_hidden_state=hidden,
            pooler_output=self.pooler(hidden) if self.pooler is not None else None,
            hidden_states=states or None,
            past_key_values=cache if wanted.cache else None,
            attentions=attentions or None,
            cross_attentions=cross_attentions or None,
        )
        return wanted.answer(output)


class FlaxRobertaPreLayerNormForCausalLMModule(nn.Module):
    """`FlaxRobertaPreLayerNormForCausalLM` as a linen module."""

    config: RobertaPreLayerNormConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        self.roberta_prelayernorm = FlaxRobertaPreLayerNormModule(
            self.config, self.dtype, False, self.gradient_checkpointing
        )
        self.lm_head = FlaxRobertaLMHead(self.config, self.roberta_prelayernorm.embeddings.word_embeddings, self.dtype)

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
        outputs = self.roberta_prelayernorm(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            encoder_hidden_states, encoder_attention_mask, past_key_values, use_cache,
            deterministic=deterministic, output_attentions=wanted.attentions,
            output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.lm_head(outputs.last_hidden_state)  # [B, T, V]
        output = CausalLMOutputWithCrossAttentions(
            loss=causal_language_model_loss(logits, labels, ops),
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            cross_attentions=outputs.cross_attentions,
        )
        return wanted.answer(output)


class FlaxRobertaPreLayerNormForMaskedLMModule(nn.Module):
    """`FlaxRobertaPreLayerNormForMaskedLM` as a linen module."""

    config: RobertaPreLayerNormConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        self.roberta_prelayernorm = FlaxRobertaPreLayerNormModule(
            self.config, self.dtype, False, self.gradient_checkpointing
        )
        self.lm_head = FlaxRobertaLMHead(self.config, self.roberta_prelayernorm.embeddings.word_embeddings, self.dtype)

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
        outputs = self.roberta_prelayernorm(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            encoder_hidden_states, encoder_attention_mask, use_cache=False,
            deterministic=deterministic, output_attentions=wanted.attentions,
            output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.lm_head(outputs.last_hidden_state)  # [B, T, V]
        output = MaskedLMOutput(
            loss=cross_entropy(logits, labels, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class FlaxRobertaPreLayerNormForSequenceClassificationModule(
    FirstTokenClassification, backbone=FlaxRobertaPreLayerNormModule, prefix="roberta_prelayernorm"
):
    """`FlaxRobertaPreLayerNormForSequenceClassification` as a linen module."""


class FlaxRobertaPreLayerNormForMultipleChoiceModule(
    MultipleChoice, backbone=FlaxRobertaPreLayerNormModule, prefix="roberta_prelayernorm"
):
    """`FlaxRobertaPreLayerNormForMultipleChoice` as a linen module."""


class FlaxRobertaPreLayerNormForTokenClassificationModule(
    TokenClassification, backbone=FlaxRobertaPreLayerNormModule, prefix="roberta_prelayernorm"
):
    """`FlaxRobertaPreLayerNormForTokenClassification` as a linen module."""


class FlaxRobertaPreLayerNormForQuestionAnsweringModule(
    QuestionAnswering, backbone=FlaxRobertaPreLayerNormModule, prefix="roberta_prelayernorm"
):
    """`FlaxRobertaPreLayerNormForQuestionAnswering` as a linen module."""


class FlaxRobertaPreLayerNormPreTrainedModel(FlaxModuleModel):
    """Base of every RoBERTa-PreLayerNorm model in Flax; see `FlaxModuleModel` for its arguments."""

    config_class = RobertaPreLayerNormConfig
    base_model_prefix = "roberta_prelayernorm"

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
            position_ids: [B, T] or [1, T]; if not given, tokens are counted from `pad_token_id + 1` on, after those in
                the cache, and padding is at `pad_token_id`; embeddings are counted as if the cache were empty.
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


class FlaxRobertaPreLayerNormModel(FlaxRobertaPreLayerNormPreTrainedModel):
    """The bare encoder or decoder: hidden states, and a summary of each sequence.

    Args:
        add_pooling_layer: Whether there is a summary.
    """

    module_class = FlaxRobertaPreLayerNormModule


class FlaxRobertaPreLayerNormForCausalLM(FlaxRobertaPreLayerNormPreTrainedModel, FlaxGenerationMixin):
    """RoBERTa-PreLayerNorm as a decoder that predicts the next token; wants `is_decoder=True`, takes `labels`."""

    counts_from_zero = False
    module_class = FlaxRobertaPreLayerNormForCausalLMModule

    def __init__(self, config: RobertaPreLayerNormConfig, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        warn_unless_decoder(config, "FlaxRobertaPreLayerNormForCausalLM")


class FlaxRobertaPreLayerNormForMaskedLM(FlaxRobertaPreLayerNormPreTrainedModel):
    """RoBERTa-PreLayerNorm with a head that predicts masked tokens; takes `labels`."""

    module_class = FlaxRobertaPreLayerNormForMaskedLMModule


class FlaxRobertaPreLayerNormForSequenceClassification(FlaxRobertaPreLayerNormPreTrainedModel):
    """RoBERTa-PreLayerNorm with a classifier of whole sequences; takes `labels`."""

    module_class = FlaxRobertaPreLayerNormForSequenceClassificationModule


class FlaxRobertaPreLayerNormForMultipleChoice(FlaxRobertaPreLayerNormPreTrainedModel):
    """RoBERTa-PreLayerNorm with a score for each of several choices; takes `labels`."""

    module_class = FlaxRobertaPreLayerNormForMultipleChoiceModule


class FlaxRobertaPreLayerNormForTokenClassification(FlaxRobertaPreLayerNormPreTrainedModel):
    """RoBERTa-PreLayerNorm with a classifier of every token; takes `labels`."""

    module_class = FlaxRobertaPreLayerNormForTokenClassificationModule


class FlaxRobertaPreLayerNormForQuestionAnswering(FlaxRobertaPreLayerNormPreTrainedModel):
    """RoBERTa-PreLayerNorm with scores for where an answer starts and ends; takes its labels by their names."""

    module_class = FlaxRobertaPreLayerNormForQuestionAnsweringModule
