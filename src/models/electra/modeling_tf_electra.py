"""ELECTRA in Keras (Clark et al. 2020, https://arxiv.org/abs/2003.10555).

The encoder is BERT's (`models/bert`). What differs: embeddings have a width of their own and are projected; there is no
pooled summary; a discriminator tells which tokens were replaced, and a generator's head is as wide as the embeddings.

Shape letters: B batch, T length, S positions attended to, E width of the embeddings, D width, N heads, V vocabulary,
C choices.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from ...backends.checks import warn_unless_decoder
from ...backends.tensorflow import ops
from ...backends.tensorflow.activations import activation, identity
from ...backends.tensorflow.attention import causal_mask, padding_mask, per_layer_head_masks
from ...backends.tensorflow.cache import Cache
from ...backends.tensorflow.checks import check_length
from ...backends.tensorflow.generation import TFGenerationMixin
from ...backends.tensorflow.heads import (
    FirstTokenClassification,
    MultipleChoice,
    QuestionAnswering,
    SequenceSummary,
    TokenClassification,
)
from ...backends.tensorflow.layers import Dense, Dropout, Embedding, LayerNorm, TiedBiasedDense
from ...backends.tensorflow.model import TFPreTrainedModel
from ...losses import causal_language_model_loss, cross_entropy, replaced_token_loss
from ...outputs import (
    BaseModelOutputWithPastAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    ElectraForPreTrainingOutput,
    MaskedLMOutput,
)
from ..bert.modeling_tf_bert import TFBertEncoder, TFBertUnusedPositions, check_inputs
from .configuration_electra import ElectraConfig


class TFElectraEmbeddings(layers.Layer):
    """Token, segment and position embeddings, summed and normalized."""

    def __init__(self, config: ElectraConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width = config.embedding_size
        positions = Embedding if config.position_embedding_type == "absolute" else TFBertUnusedPositions
        self.word_embeddings = Embedding(
            config.vocab_size, width, padding=config.pad_token_id, name="word_embeddings", dtype=dtype
        )
        self.position_embeddings = positions(
            config.max_position_embeddings, width, name="position_embeddings", dtype=dtype
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
        words = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds  # [B, T, E]
        length = ops.shape(words)[1]
        if position_ids is None:
            check_length(past + length, self.position_embeddings.input_dim)
            position_ids = (past + tf.range(length))[None]  # [1, T]; XLA wants to know the size of a range
        segments = self.token_type_embeddings(
            keras.ops.zeros_like(position_ids) if token_type_ids is None else token_type_ids
        )
        embedded = words + segments + self.position_embeddings(position_ids)
        return self.dropout(self.LayerNorm(embedded), training=training)


class TFElectraDiscriminatorPredictions(layers.Layer):
    """How sure each token is to be a replaced one."""

    def __init__(self, config: ElectraConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.dense = Dense(config.hidden_size, config.hidden_size, name="dense", dtype=dtype)
        self.activation = activation(config.hidden_act)
        self.dense_prediction = Dense(config.hidden_size, 1, name="dense_prediction", dtype=dtype)

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        return self.dense_prediction(self.activation(self.dense(hidden)))[..., 0]  # [B, T]


class TFElectraGeneratorPredictions(layers.Layer):
    """What a position goes through before its token is predicted."""

    def __init__(self, config: ElectraConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width = config.embedding_size
        self.dense = Dense(config.hidden_size, width, name="dense", dtype=dtype)
        self.activation = activation("gelu")
        self.LayerNorm = LayerNorm(width, epsilon=config.layer_norm_eps, name="LayerNorm", dtype=dtype)

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        return self.LayerNorm(self.activation(self.dense(hidden)))  # [B, T, E]


class TFElectraPreTrainedModel(TFPreTrainedModel):
    """Base of every ELECTRA model in Keras."""

    config_class = ElectraConfig
    base_model_prefix = "electra"
    config: ElectraConfig


class TFElectraModel(TFElectraPreTrainedModel):
    """The bare encoder or decoder: hidden states."""

    def __init__(self, config: ElectraConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype, width = self.dtype_policy, config.hidden_size
        projection = partial(Dense, config.embedding_size, width, name="embeddings_project", dtype=dtype)
        self.score_mask = causal_mask if config.is_decoder else padding_mask
        self.embeddings = TFElectraEmbeddings(config, name="embeddings", dtype=dtype)
        self.embeddings_project = projection() if config.embedding_size != width else identity
        self.encoder = TFBertEncoder(config, name="encoder", dtype=dtype)

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
            position_ids: [B, T] or [1, T]; counted from the end of the cache if not given.
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            inputs_embeds: [B, T, E] instead of `input_ids`.
            encoder_hidden_states: [B, S, D], what a decoder with cross-attention attends to.
            encoder_attention_mask: [B, S] or [B, T, S], as `attention_mask`.
            past_key_values: What an earlier call returned, to read on from there.
            use_cache: Whether a decoder returns its keys and values; as the configuration says if None.
            training: Whether dropout is on.

        Returns:
            `BaseModelOutputWithPastAndCrossAttentions`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        recomputes = training and self.is_gradient_checkpointing  # and then there is nothing to keep for a next call
        use_cache = use_cache if self.config.is_decoder and not recomputes else False
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict, use_cache)
        check_inputs(self.config, input_ids, inputs_embeds, token_type_ids, position_ids, encoder_hidden_states)
        cache = Cache.open(past_key_values, wanted.cache, self.config.num_hidden_layers)
        past = cache.length if cache is not None else 0
        embedded = self.embeddings(
            input_ids, token_type_ids, position_ids, inputs_embeds, past=past, training=training
        )  # [B, T, E]
        hidden = self.embeddings_project(embedded)  # [B, T, D]
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
        output = BaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=hidden,
            past_key_values=cache if wanted.cache else None,
            hidden_states=states or None,
            attentions=attentions or None,
            cross_attentions=cross_attentions or None,
        )
        return wanted.answer(output)


class TFElectraForPreTraining(TFElectraPreTrainedModel):
    """ELECTRA as the discriminator that it is trained as: which tokens were replaced?"""

    def __init__(self, config: ElectraConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.electra = TFElectraModel(config, name="electra", dtype=dtype)
        self.discriminator_predictions = TFElectraDiscriminatorPredictions(
            config, name="discriminator_predictions", dtype=dtype
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
        training: bool = False,
        *,
        labels: tf.Tensor | None = None,
    ) -> Any:
        """Tell which tokens were replaced; the arguments are those of `TFElectraModel`, and

        Args:
            labels: [B, T], 1 where a token was replaced and 0 where it was not; padding takes no part.

        Returns:
            `ElectraForPreTrainingOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.electra(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds, use_cache=False,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
            training=training,
        )  # fmt: skip
        logits = self.discriminator_predictions(outputs.last_hidden_state)  # [B, T]
        output = ElectraForPreTrainingOutput(
            loss=replaced_token_loss(logits, labels, attention_mask, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class TFElectraForCausalLM(TFElectraPreTrainedModel, TFGenerationMixin):
    """ELECTRA as a decoder that predicts the next token; wants `is_decoder=True`."""

    def __init__(self, config: ElectraConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        warn_unless_decoder(config, "TFElectraForCausalLM")
        self.electra = TFElectraModel(config, name="electra", dtype=dtype)
        self.generator_predictions = TFElectraGeneratorPredictions(config, name="generator_predictions", dtype=dtype)
        tied = partial(TiedBiasedDense, self.electra.get_input_embeddings, config.vocab_size)
        untied = partial(Dense, config.embedding_size, config.vocab_size)
        head = tied if config.tie_word_embeddings else untied
        self.generator_lm_head = head(name="generator_lm_head", dtype=dtype)

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
        labels: tf.Tensor | None = None,
        past_key_values: Any = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
    ) -> Any:
        """Predict the token after each position; the arguments are those of `TFElectraModel`, and

        Args:
            labels: [B, T] the tokens themselves, -100 where one is not to be predicted.

        Returns:
            `CausalLMOutputWithCrossAttentions`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        use_cache = use_cache if labels is None else False  # there is nothing to read on to
        outputs = self.electra(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            encoder_hidden_states, encoder_attention_mask, past_key_values=past_key_values, use_cache=use_cache,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
            training=training,
        )  # fmt: skip
        logits = self.generator_lm_head(self.generator_predictions(outputs.last_hidden_state))  # [B, T, V]
        output = CausalLMOutputWithCrossAttentions(
            loss=causal_language_model_loss(logits, labels, ops),
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            cross_attentions=outputs.cross_attentions,
        )
        return wanted.answer(output)


class TFElectraForMaskedLM(TFElectraPreTrainedModel):
    """ELECTRA with a head that predicts masked tokens."""

    def __init__(self, config: ElectraConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.electra = TFElectraModel(config, name="electra", dtype=dtype)
        self.generator_predictions = TFElectraGeneratorPredictions(config, name="generator_predictions", dtype=dtype)
        tied = partial(TiedBiasedDense, self.electra.get_input_embeddings, config.vocab_size)
        untied = partial(Dense, config.embedding_size, config.vocab_size)
        head = tied if config.tie_word_embeddings else untied
        self.generator_lm_head = head(name="generator_lm_head", dtype=dtype)

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
    ) -> Any:
        """Predict the token at each position; the arguments are those of `TFElectraModel`, and

        Args:
            labels: [B, T] tokens, -100 where one is not to be predicted.

        Returns:
            `MaskedLMOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.electra(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds, use_cache=False,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
            training=training,
        )  # fmt: skip
        logits = self.generator_lm_head(self.generator_predictions(outputs.last_hidden_state))  # [B, T, V]
        output = MaskedLMOutput(
            loss=cross_entropy(logits, labels, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class TFElectraForSequenceClassification(FirstTokenClassification, TFElectraPreTrainedModel, backbone=TFElectraModel):
    """ELECTRA with a classifier of whole sequences."""

    function = "gelu"


class TFElectraForMultipleChoice(MultipleChoice, TFElectraPreTrainedModel, backbone=TFElectraModel):
    """ELECTRA with a score for each of several choices, on the summary that the configuration describes."""

    def make_summary(self, config: ElectraConfig) -> None:
        self.sequence_summary = SequenceSummary(config, name="sequence_summary", dtype=self.dtype_policy)

    def summarize(self, outputs: Any, training: bool) -> tf.Tensor:
        return self.sequence_summary(outputs.last_hidden_state, training=training)  # [B C, D]


class TFElectraForTokenClassification(TokenClassification, TFElectraPreTrainedModel, backbone=TFElectraModel):
    """ELECTRA with a classifier of every token."""


class TFElectraForQuestionAnswering(QuestionAnswering, TFElectraPreTrainedModel, backbone=TFElectraModel):
    """ELECTRA with scores for where an answer starts and ends."""
