"""RoBERTa in Keras (Liu et al. 2019, https://arxiv.org/abs/1907.11692).

The encoder is BERT's (`models/bert`). What differs: positions are counted from the padding token's number, in a table
whose row for padding stays zero; the head for tokens is one block; a classifier of texts has two layers and reads no
summary.

Shape letters: B batch, T length, D width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from ...backends.checks import warn_unless_decoder
from ...backends.positions import positions_after_padding, required_padding
from ...backends.tensorflow import ops
from ...backends.tensorflow.activations import activation
from ...backends.tensorflow.attention import causal_mask, padding_mask, per_layer_head_masks
from ...backends.tensorflow.cache import Cache
from ...backends.tensorflow.checks import check_positions
from ...backends.tensorflow.generation import TFGenerationMixin
from ...backends.tensorflow.heads import (
    FirstTokenClassification,
    MultipleChoice,
    QuestionAnswering,
    TokenClassification,
)
from ...backends.tensorflow.layers import Dense, Dropout, Embedding, Holder, LayerNorm, TiedDense
from ...backends.tensorflow.model import TFPreTrainedModel
from ...losses import causal_language_model_loss, cross_entropy
from ...outputs import BaseModelOutputWithPoolingAndCrossAttentions, CausalLMOutputWithCrossAttentions, MaskedLMOutput
from ..bert.modeling_tf_bert import TFBertEncoder, TFBertPooler, TFBertUnusedPositions, check_inputs
from .configuration_roberta import RobertaConfig


class TFRobertaEmbeddings(layers.Layer):
    """Token, segment and position embeddings, summed and normalized."""

    def __init__(self, config: RobertaConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width = config.hidden_size
        positions = Embedding if config.position_embedding_type == "absolute" else TFBertUnusedPositions
        self.padding = config.pad_token_id
        self.word_embeddings = Embedding(
            config.vocab_size, width, padding=config.pad_token_id, name="word_embeddings", dtype=dtype
        )
        self.position_embeddings = positions(
            config.max_position_embeddings, width, padding=config.pad_token_id, name="position_embeddings", dtype=dtype
        )
        self.token_type_embeddings = Embedding(config.type_vocab_size, width, name="token_type_embeddings", dtype=dtype)
        self.LayerNorm = LayerNorm(width, epsilon=config.layer_norm_eps, name="LayerNorm", dtype=dtype)
        self.dropout = Dropout(config.hidden_dropout_prob, name="dropout", dtype=dtype)

    def call(
        self,
        input_ids: tf.Tensor | None,
        token_type_ids: tf.Tensor | None,
        position_ids: tf.Tensor | None,
        inputs_embeds: tf.Tensor | None,
        past: int | tf.Tensor,
        training: bool = False,
    ) -> tf.Tensor:
        words = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds  # [B, T, D]
        if position_ids is None:
            position_ids = self.counted(input_ids, words, past)
        segments = self.token_type_embeddings(
            keras.ops.zeros_like(position_ids) if token_type_ids is None else token_type_ids
        )
        embedded = words + segments + self.position_embeddings(position_ids)
        return self.dropout(self.LayerNorm(embedded), training=training)

    def counted(self, input_ids: tf.Tensor | None, words: tf.Tensor, past: int | tf.Tensor) -> tf.Tensor:
        """The position of each token, from the one after the padding's on: [B, T] or [1, T]."""
        padding, rows = required_padding(self.padding), self.position_embeddings.input_dim
        positions = positions_after_padding(input_ids, words, padding, rows, past, ops)
        check_positions(positions, padding, rows)
        return positions


class TFRobertaLMHead(Holder):
    """A score for each token of the vocabulary. Where weights are tied, the decoder reads the embedding's table."""

    def __init__(self, config: RobertaConfig, embedding: Callable[[], Embedding], *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width = config.hidden_size
        tied = partial(TiedDense, embedding)
        untied = partial(Dense, width, config.vocab_size, use_bias=False)
        self.dense = Dense(width, width, name="dense", dtype=dtype)
        self.activation = activation("gelu")
        self.layer_norm = LayerNorm(width, epsilon=config.layer_norm_eps, name="layer_norm", dtype=dtype)
        self.decoder = (tied if config.tie_word_embeddings else untied)(name="decoder", dtype=dtype)
        self.bias = self.parameter("bias", (config.vocab_size,))

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        return self.decoder(self.layer_norm(self.activation(self.dense(hidden)))) + self.bias  # [B, T, V]


class TFRobertaPreTrainedModel(TFPreTrainedModel):
    """Base of every RoBERTa model in Keras."""

    config_class = RobertaConfig
    base_model_prefix = "roberta"
    config: RobertaConfig


class TFRobertaModel(TFRobertaPreTrainedModel):
    """The bare encoder or decoder: hidden states, and a summary of each sequence.

    Args:
        config: What the model is.
        add_pooling_layer: Whether there is a summary.
    """

    def __init__(self, config: RobertaConfig, add_pooling_layer: bool = True, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.score_mask = causal_mask if config.is_decoder else padding_mask
        self.embeddings = TFRobertaEmbeddings(config, name="embeddings", dtype=dtype)
        self.encoder = TFBertEncoder(config, name="encoder", dtype=dtype)
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
        output = BaseModelOutputWithPoolingAndCrossAttentions(
            last_hidden_state=hidden,
            pooler_output=self.pooler(hidden) if self.pooler is not None else None,
            hidden_states=states or None,
            past_key_values=cache if wanted.cache else None,
            attentions=attentions or None,
            cross_attentions=cross_attentions or None,
        )
        return wanted.answer(output)


class TFRobertaForCausalLM(TFRobertaPreTrainedModel, TFGenerationMixin):
    """RoBERTa as a decoder that predicts the next token; wants `is_decoder=True`."""

    counts_from_zero = False

    def __init__(self, config: RobertaConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        warn_unless_decoder(config, "TFRobertaForCausalLM")
        self.roberta = TFRobertaModel(config, add_pooling_layer=False, name="roberta", dtype=dtype)
        self.lm_head = TFRobertaLMHead(config, self.roberta.get_input_embeddings, name="lm_head", dtype=dtype)

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
        """Predict the token after each position; the arguments are those of `TFRobertaModel`, and

        Args:
            labels: [B, T] the tokens themselves, -100 where one is not to be predicted.

        Returns:
            `CausalLMOutputWithCrossAttentions`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        use_cache = use_cache if labels is None else False  # there is nothing to read on to
        outputs = self.roberta(
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


class TFRobertaForMaskedLM(TFRobertaPreTrainedModel):
    """RoBERTa with a head that predicts masked tokens."""

    def __init__(self, config: RobertaConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.roberta = TFRobertaModel(config, add_pooling_layer=False, name="roberta", dtype=dtype)
        self.lm_head = TFRobertaLMHead(config, self.roberta.get_input_embeddings, name="lm_head", dtype=dtype)

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
        """Predict the token at each position; the arguments are those of `TFRobertaModel`, and

        Args:
            labels: [B, T] tokens, -100 where one is not to be predicted.

        Returns:
            `MaskedLMOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.roberta(
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


class TFRobertaForSequenceClassification(FirstTokenClassification, TFRobertaPreTrainedModel, backbone=TFRobertaModel):
    """RoBERTa with a classifier of whole sequences."""


class TFRobertaForMultipleChoice(MultipleChoice, TFRobertaPreTrainedModel, backbone=TFRobertaModel):
    """RoBERTa with a score for each of several choices."""


class TFRobertaForTokenClassification(TokenClassification, TFRobertaPreTrainedModel, backbone=TFRobertaModel):
    """RoBERTa with a classifier of every token."""


class TFRobertaForQuestionAnswering(QuestionAnswering, TFRobertaPreTrainedModel, backbone=TFRobertaModel):
    """RoBERTa with scores for where an answer starts and ends."""
