"""ELECTRA in Flax (Clark et al. 2020, https://arxiv.org/abs/2003.10555).

The encoder is BERT's (`models/bert`). What differs: embeddings have a width of their own and are projected; there is no
pooled summary; a discriminator tells which tokens were replaced, and a generator's head is as wide as the embeddings.

Shape letters: B batch, T length, S positions attended to, E width of the embeddings, D width, N heads, V vocabulary,
C choices.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from ...backends.checks import check_length, warn_unless_decoder
from ...backends.flax import ops
from ...backends.flax.activations import activation, identity
from ...backends.flax.attention import causal_mask, padding_mask, per_layer_head_masks
from ...backends.flax.cache import Cache
from ...backends.flax.checks import known
from ...backends.flax.generation import FlaxGenerationMixin
from ...backends.flax.heads import (
    FirstTokenClassification,
    MultipleChoice,
    QuestionAnswering,
    SequenceSummary,
    TokenClassification,
)
from ...backends.flax.layers import Dense, Embed, LayerNorm, TiedBiasedDense
from ...backends.flax.model import FlaxModuleModel, Params
from ...losses import causal_language_model_loss, cross_entropy, replaced_token_loss
from ...outputs import (
    BaseModelOutputWithPastAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    ElectraForPreTrainingOutput,
    MaskedLMOutput,
    Wanted,
)
from ..bert.modeling_flax_bert import FlaxBertEncoder, FlaxBertUnusedPositions, check_inputs
from .configuration_electra import ElectraConfig


class FlaxElectraEmbeddings(nn.Module):
    """Token, segment and position embeddings, summed and normalized."""

    config: ElectraConfig
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
        past: int | Array,
        deterministic: bool = True,
    ) -> Array:
        words = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds  # [B, T, E]
        length = words.shape[1]
        if position_ids is None:
            check_length(int(past) + length if known(past) else length, self.position_embeddings.num_embeddings)
            position_ids = past + jnp.arange(length)[None]  # [1, T]
        segments = self.token_type_embeddings(
            jnp.zeros_like(position_ids) if token_type_ids is None else token_type_ids
        )
        embedded = words + segments + self.position_embeddings(position_ids)
        return self.dropout(self.LayerNorm(embedded), deterministic=deterministic)


class FlaxElectraDiscriminatorPredictions(nn.Module):
    """How sure each token is to be a replaced one."""

    config: ElectraConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.hidden_size
        self.dense = Dense(width, in_features=width, dtype=self.dtype)
        self.activation = activation(config.hidden_act)
        self.dense_prediction = Dense(1, in_features=width, dtype=self.dtype)

    def __call__(self, hidden: Array) -> Array:
        return self.dense_prediction(self.activation(self.dense(hidden)))[..., 0]  # [B, T]


class FlaxElectraGeneratorPredictions(nn.Module):
    """What a position goes through before its token is predicted."""

    config: ElectraConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.embedding_size
        self.dense = Dense(width, in_features=config.hidden_size, dtype=self.dtype)
        self.activation = activation("gelu")
        self.LayerNorm = LayerNorm(epsilon=config.layer_norm_eps, size=width, dtype=self.dtype)

    def __call__(self, hidden: Array) -> Array:
        return self.LayerNorm(self.activation(self.dense(hidden)))  # [B, T, E]


class FlaxElectraModule(nn.Module):
    """`FlaxElectraModel` as a linen module; its call says `deterministic` for `not train`."""

    config: ElectraConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config, width = self.config, self.config.hidden_size
        projection = partial(Dense, width, in_features=config.embedding_size, dtype=self.dtype)
        self.score_mask = causal_mask if config.is_decoder else padding_mask
        self.embeddings = FlaxElectraEmbeddings(config, self.dtype)
        self.embeddings_project = projection() if config.embedding_size != width else identity
        self.encoder = FlaxBertEncoder(config, self.dtype, self.gradient_checkpointing)

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
        embedded = self.embeddings(
            input_ids, token_type_ids, position_ids, inputs_embeds, past, deterministic
        )  # [B, T, E]
        hidden = self.embeddings_project(embedded)  # [B, T, D]
        reach = cache.reach(hidden.shape[1]) if cache is not None else None
        score_mask = self.score_mask(attention_mask, hidden, past, reach)
        encoder_mask = None
        if encoder_hidden_states is not None:
            encoder_mask = padding_mask(encoder_attention_mask, encoder_hidden_states)
        head_masks = per_layer_head_masks(head_mask, config.num_hidden_layers)
        hidden, states, attentions, cross_attentions = self.encoder(
            hidden, score_mask, head_masks, encoder_hidden_states, encoder_mask, cache, wanted, deterministic
        )
        output = BaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=hidden,
            past_key_values=cache if wanted.cache else None,
            hidden_states=states or None,
            attentions=attentions or None,
            cross_attentions=cross_attentions or None,
        )
        return wanted.answer(output)


class FlaxElectraForPreTrainingModule(nn.Module):
    """`FlaxElectraForPreTraining` as a linen module."""

    config: ElectraConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        self.electra = FlaxElectraModule(self.config, self.dtype, self.gradient_checkpointing)
        self.discriminator_predictions = FlaxElectraDiscriminatorPredictions(self.config, self.dtype)

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
        outputs = self.electra(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds, use_cache=False,
            deterministic=deterministic, output_attentions=wanted.attentions,
            output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.discriminator_predictions(outputs.last_hidden_state)  # [B, T]
        output = ElectraForPreTrainingOutput(
            loss=replaced_token_loss(logits, labels, attention_mask, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class FlaxElectraForCausalLMModule(nn.Module):
    """`FlaxElectraForCausalLM` as a linen module."""

    config: ElectraConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        self.electra = FlaxElectraModule(config, self.dtype, self.gradient_checkpointing)
        self.generator_predictions = FlaxElectraGeneratorPredictions(config, self.dtype)
        tied = partial(TiedBiasedDense, self.electra.embeddings.word_embeddings, config.vocab_size)
        untied = partial(Dense, config.vocab_size, in_features=config.embedding_size)
        self.generator_lm_head = (tied if config.tie_word_embeddings else untied)(dtype=self.dtype)

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
        outputs = self.electra(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            encoder_hidden_states, encoder_attention_mask, past_key_values, use_cache,
            deterministic=deterministic, output_attentions=wanted.attentions,
            output_hidden_states=wanted.hidden_states, return_dict=True,
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


class FlaxElectraForMaskedLMModule(nn.Module):
    """`FlaxElectraForMaskedLM` as a linen module."""

    config: ElectraConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        self.electra = FlaxElectraModule(config, self.dtype, self.gradient_checkpointing)
        self.generator_predictions = FlaxElectraGeneratorPredictions(config, self.dtype)
        tied = partial(TiedBiasedDense, self.electra.embeddings.word_embeddings, config.vocab_size)
        untied = partial(Dense, config.vocab_size, in_features=config.embedding_size)
        self.generator_lm_head = (tied if config.tie_word_embeddings else untied)(dtype=self.dtype)

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
        outputs = self.electra(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds, use_cache=False,
            deterministic=deterministic, output_attentions=wanted.attentions,
            output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.generator_lm_head(self.generator_predictions(outputs.last_hidden_state))  # [B, T, V]
        output = MaskedLMOutput(
            loss=cross_entropy(logits, labels, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class FlaxElectraForSequenceClassificationModule(
    FirstTokenClassification, backbone=FlaxElectraModule, prefix="electra"
):
    """`FlaxElectraForSequenceClassification` as a linen module."""

    function = "gelu"


class FlaxElectraForMultipleChoiceModule(MultipleChoice, backbone=FlaxElectraModule, prefix="electra"):
    """`FlaxElectraForMultipleChoice` as a linen module."""

    def make_summary(self) -> None:
        self.sequence_summary = SequenceSummary(self.config, self.dtype)

    def summarize(self, outputs: Any, deterministic: bool) -> Array:
        return self.sequence_summary(outputs.last_hidden_state, deterministic=deterministic)  # [B C, D]


class FlaxElectraForTokenClassificationModule(TokenClassification, backbone=FlaxElectraModule, prefix="electra"):
    """`FlaxElectraForTokenClassification` as a linen module."""


class FlaxElectraForQuestionAnsweringModule(QuestionAnswering, backbone=FlaxElectraModule, prefix="electra"):
    """`FlaxElectraForQuestionAnswering` as a linen module."""


class FlaxElectraPreTrainedModel(FlaxModuleModel):
    """Base of every ELECTRA model in Flax; see `FlaxModuleModel` for its arguments."""

    config_class = ElectraConfig
    base_model_prefix = "electra"

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
            encoder_hidden_states: [B, S, D], what a decoder with cross-attention attends to.
            encoder_attention_mask: [B, S] or [B, T, S], as `attention_mask`.
            params: The parameters; the model's own if None.
            dropout_rng: The key of dropout, needed in training.
            train: Whether dropout is on.
            past_key_values: What an earlier call or `init_cache` returned, to read on from there.
            inputs_embeds: [B, T, E] instead of `input_ids`.
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


class FlaxElectraModel(FlaxElectraPreTrainedModel):
    """The bare encoder or decoder: hidden states."""

    module_class = FlaxElectraModule


class FlaxElectraForPreTraining(FlaxElectraPreTrainedModel):
    """ELECTRA as the discriminator that it is trained as: which tokens were replaced? Takes `labels`."""

    module_class = FlaxElectraForPreTrainingModule


class FlaxElectraForCausalLM(FlaxElectraPreTrainedModel, FlaxGenerationMixin):
    """ELECTRA as a decoder that predicts the next token; wants `is_decoder=True`, takes `labels`."""

    module_class = FlaxElectraForCausalLMModule

    def __init__(self, config: ElectraConfig, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        warn_unless_decoder(config, "FlaxElectraForCausalLM")


class FlaxElectraForMaskedLM(FlaxElectraPreTrainedModel):
    """ELECTRA with a head that predicts masked tokens; takes `labels`."""

    module_class = FlaxElectraForMaskedLMModule


class FlaxElectraForSequenceClassification(FlaxElectraPreTrainedModel):
    """ELECTRA with a classifier of whole sequences; takes `labels`."""

    module_class = FlaxElectraForSequenceClassificationModule


class FlaxElectraForMultipleChoice(FlaxElectraPreTrainedModel):
    """ELECTRA with a score for each of several choices, on their summaries; takes `labels`."""

    module_class = FlaxElectraForMultipleChoiceModule


class FlaxElectraForTokenClassification(FlaxElectraPreTrainedModel):
    """ELECTRA with a classifier of every token; takes `labels`."""

    module_class = FlaxElectraForTokenClassificationModule


class FlaxElectraForQuestionAnswering(FlaxElectraPreTrainedModel):
    """ELECTRA with scores for where an answer starts and ends; takes `start_positions` and `end_positions`."""

    module_class = FlaxElectraForQuestionAnsweringModule
