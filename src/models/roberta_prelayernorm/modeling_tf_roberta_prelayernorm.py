"""RoBERTa-PreLayerNorm in Keras (Ott et al. 2019, https://arxiv.org/abs/1904.01038).

Embeddings and heads are RoBERTa's (`models/roberta`), attention and the pooler BERT's (`models/bert`). What differs:
each block reads normalized states and its sum is left as it is, so the norms stand in `attention` and `intermediate`
and none in the outputs; the model normalizes what the last layer answers, while the hidden states are those before.

Shape letters: B batch, T length, D width, F feed-forward width, V vocabulary.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import tensorflow as tf
from keras import layers

from ...backends.cache import heads_per_layer
from ...backends.checks import warn_unless_decoder
from ...backends.tensorflow import ops
from ...backends.tensorflow.activations import activation
from ...backends.tensorflow.attention import causal_mask, padding_mask, per_layer_head_masks
from ...backends.tensorflow.cache import Cache, LayerCache
from ...backends.tensorflow.generation import TFGenerationMixin
from ...backends.tensorflow.heads import (
    FirstTokenClassification,
    MultipleChoice,
    QuestionAnswering,
    TokenClassification,
)
from ...backends.tensorflow.layers import CheckpointedLayer, Dense, Dropout, LayerNorm, Unconverted, in_chunks
from ...backends.tensorflow.model import TFPreTrainedModel
from ...losses import causal_language_model_loss, cross_entropy
from ...outputs import (
    BaseModelOutputWithPoolingAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    MaskedLMOutput,
    Wanted,
)
from ..bert.modeling_tf_bert import TFBertEncoderAttention, TFBertPooler, TFBertSelfAttention, check_inputs
from ..roberta.modeling_tf_roberta import TFRobertaEmbeddings, TFRobertaLMHead
from .configuration_roberta_prelayernorm import RobertaPreLayerNormConfig


class TFRobertaPreLayerNormSelfOutput(layers.Layer):
    """The projection after attention, with its residual."""

    def __init__(self, config: RobertaPreLayerNormConfig, heads: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, head_size = config.hidden_size, config.hidden_size // config.num_attention_heads
        self.dense = Dense(heads * head_size, width, name="dense", dtype=dtype)
        self.dropout = Dropout(config.hidden_dropout_prob, name="dropout", dtype=dtype)

    def call(self, context: tf.Tensor, hidden: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.dropout(self.dense(context), training=training) + hidden


class TFRobertaPreLayerNormAttention(layers.Layer):
    """A norm, self-attention and its output projection."""

    def __init__(self, config: RobertaPreLayerNormConfig, heads: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.LayerNorm = LayerNorm(config.hidden_size, epsilon=config.layer_norm_eps, name="LayerNorm", dtype=dtype)
        self.self = TFBertSelfAttention(config, heads, name="self", dtype=dtype)
        # Keras keeps `output` for itself
        self.output_ = TFRobertaPreLayerNormSelfOutput(config, heads, name="output", dtype=dtype)

    def call(
        self,
        hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        memory: LayerCache | None = None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        context, weights = self.self(self.LayerNorm(hidden), score_mask, head_mask, memory=memory, training=training)
        return self.output_(context, hidden, training=training), weights


class TFRobertaPreLayerNormCrossAttention(layers.Layer):
    """A norm, attention to an encoder, whose states are read as they are, and its output projection."""

    def __init__(self, config: RobertaPreLayerNormConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.LayerNorm = LayerNorm(config.hidden_size, epsilon=config.layer_norm_eps, name="LayerNorm", dtype=dtype)
        self.self = TFBertEncoderAttention(config, name="self", dtype=dtype)
        self.output_ = TFRobertaPreLayerNormSelfOutput(config, config.num_attention_heads, name="output", dtype=dtype)

    def call(
        self,
        hidden: tf.Tensor,
        encoder_hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        memory: LayerCache | None = None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        normalized = self.LayerNorm(hidden)
        context, weights = self.self(
            normalized, encoder_hidden, score_mask, head_mask, memory=memory, training=training
        )
        return self.output_(context, hidden, training=training), weights


class TFRobertaPreLayerNormIntermediate(layers.Layer):
    """A norm, and the widening half of the feed-forward block."""

    def __init__(self, config: RobertaPreLayerNormConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.LayerNorm = LayerNorm(config.hidden_size, epsilon=config.layer_norm_eps, name="LayerNorm", dtype=dtype)
        self.dense = Dense(config.hidden_size, config.intermediate_size, name="dense", dtype=dtype)
        self.activation = activation(config.hidden_act)

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        return self.activation(self.dense(self.LayerNorm(hidden)))  # [B, T, F]


class TFRobertaPreLayerNormOutput(layers.Layer):
    """The narrowing half of the feed-forward block, with its residual."""

    def __init__(self, config: RobertaPreLayerNormConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.dense = Dense(config.intermediate_size, config.hidden_size, name="dense", dtype=dtype)
        self.dropout = Dropout(config.hidden_dropout_prob, name="dropout", dtype=dtype)

    def call(self, widened: tf.Tensor, hidden: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.dropout(self.dense(widened), training=training) + hidden


class TFRobertaPreLayerNormLayer(CheckpointedLayer):
    """One layer: attention, in a decoder attention to the encoder, then feed-forward."""

    def __init__(self, config: RobertaPreLayerNormConfig, heads: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        crossing = partial(TFRobertaPreLayerNormCrossAttention, config, name="crossattention", dtype=dtype)
        self.chunk_size = config.chunk_size_feed_forward
        self.attention = TFRobertaPreLayerNormAttention(config, heads, name="attention", dtype=dtype)
        self.crossattention = crossing() if config.add_cross_attention else None
        self.intermediate = TFRobertaPreLayerNormIntermediate(config, name="intermediate", dtype=dtype)
        # Keras keeps `output` for itself
        self.output_ = TFRobertaPreLayerNormOutput(config, name="output", dtype=dtype)

    def call(
        self,
        hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        encoder_hidden: tf.Tensor | None,
        encoder_mask: tf.Tensor | None,
        memory: LayerCache | None = None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor | None]:
        hidden, weights = self.attention(hidden, score_mask, head_mask, memory=memory, training=training)
        cross_weights = None
        if self.crossattention is not None and encoder_hidden is not None:
            hidden, cross_weights = self.crossattention(
                hidden, encoder_hidden, encoder_mask, head_mask, memory=memory, training=training
            )
        feed_forward = partial(self.feed_forward, training=training)
        return in_chunks(feed_forward, hidden, self.chunk_size), weights, cross_weights

    def feed_forward(self, hidden: tf.Tensor, training: bool) -> tf.Tensor:
        return self.output_(self.intermediate(hidden), hidden, training=training)


class TFRobertaPreLayerNormEncoder(Unconverted):
    """The stack of layers."""

    def __init__(self, config: RobertaPreLayerNormConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.layer = [
            TFRobertaPreLayerNormLayer(config, heads, name=f"layer.{index}", dtype=dtype)
            for index, heads in enumerate(heads_per_layer(config))
        ]

    def call(
        self,
        hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_masks: list[tf.Tensor | None],
        encoder_hidden: tf.Tensor | None,
        encoder_mask: tf.Tensor | None,
        cache: Cache | None,
        wanted: Wanted,
        training: bool = False,
    ) -> tuple[tf.Tensor, tuple[tf.Tensor, ...], tuple[tf.Tensor, ...], tuple[tf.Tensor, ...]]:
        states, attentions, cross_attentions = wanted.state(hidden), (), ()
        memories = [None] * len(self.layer) if cache is None else cache.layers
        for layer, head_mask, memory in zip(self.layer, head_masks, memories, strict=True):
            hidden, weights, cross_weights = layer(
                hidden, score_mask, head_mask, encoder_hidden, encoder_mask, memory=memory, training=training
            )
            states += wanted.state(hidden)
            attentions += wanted.attention(weights)
            cross_attentions += wanted.attention(cross_weights)
        return hidden, states, attentions, cross_attentions


class TFRobertaPreLayerNormPreTrainedModel(TFPreTrainedModel):
    """Base of every RoBERTa-PreLayerNorm model in Keras."""

    config_class = RobertaPreLayerNormConfig
    base_model_prefix = "roberta_prelayernorm"
    config: RobertaPreLayerNormConfig


class TFRobertaPreLayerNormModel(TFRobertaPreLayerNormPreTrainedModel):
    """The bare encoder or decoder: hidden states, and a summary of each sequence.

    Args:
        config: What the model is.
        add_pooling_layer: Whether there is a summary.
    """

    def __init__(self, config: RobertaPreLayerNormConfig, add_pooling_layer: bool = True, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.score_mask = causal_mask if config.is_decoder else padding_mask
        self.embeddings = TFRobertaEmbeddings(config, name="embeddings", dtype=dtype)
        self.encoder = TFRobertaPreLayerNormEncoder(config, name="encoder", dtype=dtype)
        self.LayerNorm = LayerNorm(config.hidden_size, epsilon=config.layer_norm_eps, name="LayerNorm", dtype=dtype)
        self.pooler = TFBertPooler(config, name="pooler", dtype=dtype) if add_pooling_layer else None

    def get_config(self) -> dict[str, Any]:
        """What Keras writes into a `.keras` file to make the model again."""
        return {**super().get_config(), "add_pooling_layer": self.pooler is not None}

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        token_type_ids: tf.Tensor | None = None,
        position_ids: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        inputs_embeds: tf.Tensor | None = None,
        encoder_hidden_states: tf.Tensor | None = None,
        encoder_attention_mask: tf.Tensor | None = None,
        past_key_values: Any = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
    ) -> Any:
        """Encode a batch of sequences.

        Args:
            input_ids: [B, T] integers.
            attention_mask: [B, S], 1 where a token counts and 0 where it is padding, those in the cache included; or
                [B, T, S], which in a decoder says also what lies ahead.
            token_type_ids: [B, T], the segment of each token; 0 if not given.
            position_ids: [B, T] or [1, T]; if not given, tokens are counted from `pad_token_id + 1` on, after those in
                the cache, and padding is at `pad_token_id`; embeddings are counted as if the cache were empty.
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            inputs_embeds: [B, T, D] instead of `input_ids`.
            encoder_hidden_states: [B, E, D], what a decoder with cross-attention attends to.
            encoder_attention_mask: [B, E] or [B, T, E], as `attention_mask`.
            past_key_values: What an earlier call returned, to read on from there.
            use_cache: Whether a decoder returns its keys and values; as the configuration says if None.
            training: Whether dropout is on.

        Returns:
            `BaseModelOutputWithPoolingAndCrossAttentions`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        recomputes = training and self.is_gradient_checkpointing  # and then there is nothing to keep for a next call
        use_cache = use_cache if self.config.is_decoder and not recomputes else False
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict, use_cache)
        check_inputs(self.config, input_ids, inputs_embeds, token_type_ids, position_ids, encoder_hidden_states)
        cache = Cache.open(past_key_values, wanted.cache, self.config.num_hidden_layers)
        past = cache.length if cache is not None else 0
        hidden = self.embeddings(
            input_ids, token_type_ids, position_ids, inputs_embeds, past=past, training=training
        )  # [B, T, D]
        reach = cache.reach(ops.shape(hidden)[1]) if cache is not None else None
        score_mask = self.score_mask(attention_mask, hidden, past, reach)
        encoder_mask = None
        if encoder_hidden_states is not None:
            encoder_mask = padding_mask(encoder_attention_mask, encoder_hidden_states)
        head_masks = per_layer_head_masks(head_mask, self.config.num_hidden_layers)
        hidden, states, attentions, cross_attentions = self.encoder(
            hidden, score_mask, head_masks, encoder_hidden_states, encoder_mask,
            cache=cache, wanted=wanted, training=training,
        )  # fmt: skip
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


class TFRobertaPreLayerNormForCausalLM(TFRobertaPreLayerNormPreTrainedModel, TFGenerationMixin):
    """RoBERTa-PreLayerNorm as a decoder that predicts the next token; wants `is_decoder=True`."""

    counts_from_zero = False

    def __init__(self, config: RobertaPreLayerNormConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        warn_unless_decoder(config, "TFRobertaPreLayerNormForCausalLM")
        self.roberta_prelayernorm = TFRobertaPreLayerNormModel(
            config, add_pooling_layer=False, name="roberta_prelayernorm", dtype=dtype
        )
        self.lm_head = TFRobertaLMHead(
            config, self.roberta_prelayernorm.get_input_embeddings, name="lm_head", dtype=dtype
        )

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        token_type_ids: tf.Tensor | None = None,
        position_ids: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        inputs_embeds: tf.Tensor | None = None,
        encoder_hidden_states: tf.Tensor | None = None,
        encoder_attention_mask: tf.Tensor | None = None,
        past_key_values: Any = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        labels: tf.Tensor | None = None,
        training: bool = False,
    ) -> Any:
        """Predict the token after each position; the arguments are those of `TFRobertaPreLayerNormModel`, and

        Args:
            labels: [B, T] the tokens themselves, -100 where one is not to be predicted.

        Returns:
            `CausalLMOutputWithCrossAttentions`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        use_cache = use_cache if labels is None else False  # there is nothing to read on to
        outputs = self.roberta_prelayernorm(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            encoder_hidden_states, encoder_attention_mask, past_key_values=past_key_values, use_cache=use_cache,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
            training=training,
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


class TFRobertaPreLayerNormForMaskedLM(TFRobertaPreLayerNormPreTrainedModel):
    """RoBERTa-PreLayerNorm with a head that predicts masked tokens."""

    def __init__(self, config: RobertaPreLayerNormConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.roberta_prelayernorm = TFRobertaPreLayerNormModel(
            config, add_pooling_layer=False, name="roberta_prelayernorm", dtype=dtype
        )
        self.lm_head = TFRobertaLMHead(
            config, self.roberta_prelayernorm.get_input_embeddings, name="lm_head", dtype=dtype
        )

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        token_type_ids: tf.Tensor | None = None,
        position_ids: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        inputs_embeds: tf.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        labels: tf.Tensor | None = None,
        training: bool = False,
        *,
        encoder_hidden_states: tf.Tensor | None = None,
        encoder_attention_mask: tf.Tensor | None = None,
    ) -> Any:
        """Predict the token at each position; the arguments are those of `TFRobertaPreLayerNormModel`, and

        Args:
            labels: [B, T] tokens, -100 where one is not to be predicted.

        Returns:
            `MaskedLMOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.roberta_prelayernorm(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            encoder_hidden_states, encoder_attention_mask, use_cache=False,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
            training=training,
        )  # fmt: skip
        logits = self.lm_head(outputs.last_hidden_state)  # [B, T, V]
        output = MaskedLMOutput(
            loss=cross_entropy(logits, labels, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class TFRobertaPreLayerNormForSequenceClassification(
    FirstTokenClassification, TFRobertaPreLayerNormPreTrainedModel, backbone=TFRobertaPreLayerNormModel
):
    """RoBERTa-PreLayerNorm with a classifier of whole sequences."""


class TFRobertaPreLayerNormForMultipleChoice(
    MultipleChoice, TFRobertaPreLayerNormPreTrainedModel, backbone=TFRobertaPreLayerNormModel
):
    """RoBERTa-PreLayerNorm with a score for each of several choices."""


class TFRobertaPreLayerNormForTokenClassification(
    TokenClassification, TFRobertaPreLayerNormPreTrainedModel, backbone=TFRobertaPreLayerNormModel
):
    """RoBERTa-PreLayerNorm with a classifier of every token."""


class TFRobertaPreLayerNormForQuestionAnswering(
    QuestionAnswering, TFRobertaPreLayerNormPreTrainedModel, backbone=TFRobertaPreLayerNormModel
):
    """RoBERTa-PreLayerNorm with scores for where an answer starts and ends."""
