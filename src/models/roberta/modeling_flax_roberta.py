"""RoBERTa in Flax (Liu et al. 2019, https://arxiv.org/abs/1907.11692).

The encoder is BERT's (`models/bert`). What differs: positions are counted from the padding token's number, in a table
whose row for padding stays zero; the head for tokens is one block; a classifier of texts has two layers and reads no
summary.

Shape letters: B batch, T length, D width, V vocabulary.
"""

from __future__ import annotations

from typing import Any, ClassVar

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from ...backends.checks import warn_unless_decoder
from ...backends.flax import ops
from ...backends.flax.activations import activation
from ...backends.flax.attention import causal_mask, padding_mask, per_layer_head_masks
from ...backends.flax.cache import Cache
from ...backends.flax.checks import check_positions
from ...backends.flax.generation import FlaxGenerationMixin
from ...backends.flax.heads import FirstTokenClassification, MultipleChoice, QuestionAnswering, TokenClassification
from ...backends.flax.layers import Dense, Embed, LayerNorm, TiedDense
from ...backends.flax.model import FlaxModuleModel, Params
from ...backends.positions import positions_after_padding, required_padding
from ...losses import causal_language_model_loss, cross_entropy
from ...outputs import (
    BaseModelOutputWithPoolingAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    MaskedLMOutput,
    Wanted,
)
from ..bert.modeling_flax_bert import FlaxBertEncoder, FlaxBertPooler, FlaxBertUnusedPositions, check_inputs
from .configuration_roberta import RobertaConfig


class FlaxRobertaEmbeddings(nn.Module):
    """Token, segment and position embeddings, summed and normalized."""

    config: RobertaConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.hidden_size
        positions = Embed if config.position_embedding_type == "absolute" else FlaxBertUnusedPositions
        self.word_embeddings = Embed(config.vocab_size, width, padding=config.pad_token_id, dtype=self.dtype)
        self.position_embeddings = positions(
            config.max_position_embeddings, width, padding=config.pad_token_id, dtype=self.dtype
        )
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
        if position_ids is None:
            position_ids = self.counted(input_ids, words, past)
        segments = self.token_type_embeddings(
            jnp.zeros_like(position_ids) if token_type_ids is None else token_type_ids
        )
        embedded = words + segments + self.position_embeddings(position_ids)
        return self.dropout(self.LayerNorm(embedded), deterministic=deterministic)

    def counted(self, input_ids: Array | None, words: Array, past: int | Array) -> Array:
        """The position of each token, from the one after the padding's on: [B, T] or [1, T]."""
        padding, rows = required_padding(self.config.pad_token_id), self.position_embeddings.num_embeddings
        positions = positions_after_padding(input_ids, words, padding, rows, past, ops)
        check_positions(positions, padding, rows)
        return positions


class FlaxRobertaLMHead(nn.Module):
    """A score for each token of the vocabulary. Where weights are tied, the decoder's table is that of `embedding`."""

    config: RobertaConfig
    embedding: nn.Module
    dtype: Any = jnp.float32

    has_parts: ClassVar[bool] = True

    def setup(self) -> None:
        config, width = self.config, self.config.hidden_size
        self.dense = Dense(width, in_features=width, dtype=self.dtype)
        self.activation = activation("gelu")
        self.layer_norm = LayerNorm(epsilon=config.layer_norm_eps, size=width, dtype=self.dtype)
        self.decoder = (
            TiedDense(self.embedding)
            if config.tie_word_embeddings
            else Dense(config.vocab_size, in_features=width, use_bias=False, dtype=self.dtype)
        )

    @nn.compact
    def __call__(self, hidden: Array) -> Array:
        bias = self.param("bias", nn.initializers.zeros, (self.config.vocab_size,))
        scores = self.decoder(self.layer_norm(self.activation(self.dense(hidden))))
        return scores + bias.astype(self.dtype)  # [B, T, V]

    @nn.nowrap
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Linen's name of each parameter of its own -> its shape."""
        return {"bias": (self.config.vocab_size,)}


class FlaxRobertaModule(nn.Module):
    """`FlaxRobertaModel` as a linen module; its call says `deterministic` for `not train`."""

    config: RobertaConfig
    dtype: Any = jnp.float32
    add_pooling_layer: bool = True
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        self.score_mask = causal_mask if config.is_decoder else padding_mask
        self.embeddings = FlaxRobertaEmbeddings(config, self.dtype)
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


class FlaxRobertaForCausalLMModule(nn.Module):
    """`FlaxRobertaForCausalLM` as a linen module."""

    config: RobertaConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        self.roberta = FlaxRobertaModule(self.config, self.dtype, False, self.gradient_checkpointing)
        self.lm_head = FlaxRobertaLMHead(self.config, self.roberta.embeddings.word_embeddings, self.dtype)

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
        outputs = self.roberta(
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


class FlaxRobertaForMaskedLMModule(nn.Module):
    """`FlaxRobertaForMaskedLM` as a linen module."""

    config: RobertaConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        self.roberta = FlaxRobertaModule(self.config, self.dtype, False, self.gradient_checkpointing)
        self.lm_head = FlaxRobertaLMHead(self.config, self.roberta.embeddings.word_embeddings, self.dtype)

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
        outputs = self.roberta(
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


class FlaxRobertaForSequenceClassificationModule(
    FirstTokenClassification, backbone=FlaxRobertaModule, prefix="roberta"
):
    """`FlaxRobertaForSequenceClassification` as a linen module."""


class FlaxRobertaForMultipleChoiceModule(MultipleChoice, backbone=FlaxRobertaModule, prefix="roberta"):
    """`FlaxRobertaForMultipleChoice` as a linen module."""


class FlaxRobertaForTokenClassificationModule(TokenClassification, backbone=FlaxRobertaModule, prefix="roberta"):
    """`FlaxRobertaForTokenClassification` as a linen module."""


class FlaxRobertaForQuestionAnsweringModule(QuestionAnswering, backbone=FlaxRobertaModule, prefix="roberta"):
    """`FlaxRobertaForQuestionAnswering` as a linen module."""


class FlaxRobertaPreTrainedModel(FlaxModuleModel):
    """Base of every RoBERTa model in Flax; see `FlaxModuleModel` for its arguments."""

    config_class = RobertaConfig
    base_model_prefix = "roberta"

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


class FlaxRobertaModel(FlaxRobertaPreTrainedModel):
    """The bare encoder or decoder: hidden states, and a summary of each sequence.

    Args:
        add_pooling_layer: Whether there is a summary.
    """

    module_class = FlaxRobertaModule


class FlaxRobertaForCausalLM(FlaxRobertaPreTrainedModel, FlaxGenerationMixin):
    """RoBERTa as a decoder that predicts the next token; wants `is_decoder=True`, takes `labels`."""

    counts_from_zero = False
    module_class = FlaxRobertaForCausalLMModule

    def __init__(self, config: RobertaConfig, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        warn_unless_decoder(config, "FlaxRobertaForCausalLM")


class FlaxRobertaForMaskedLM(FlaxRobertaPreTrainedModel):
    """RoBERTa with a head that predicts masked tokens; takes `labels`."""

    module_class = FlaxRobertaForMaskedLMModule


class FlaxRobertaForSequenceClassification(FlaxRobertaPreTrainedModel):
    """RoBERTa with a classifier of whole sequences; takes `labels`."""

    module_class = FlaxRobertaForSequenceClassificationModule


class FlaxRobertaForMultipleChoice(FlaxRobertaPreTrainedModel):
    """RoBERTa with a score for each of several choices; takes `labels`."""

    module_class = FlaxRobertaForMultipleChoiceModule


class FlaxRobertaForTokenClassification(FlaxRobertaPreTrainedModel):
    """RoBERTa with a classifier of every token; takes `labels`."""

    module_class = FlaxRobertaForTokenClassificationModule


class FlaxRobertaForQuestionAnswering(FlaxRobertaPreTrainedModel):
    """RoBERTa with scores for where an answer starts and ends; takes `start_positions` and `end_positions`."""

    module_class = FlaxRobertaForQuestionAnsweringModule
