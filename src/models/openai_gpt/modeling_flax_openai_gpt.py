"""GPT in Flax (Radford et al. 2018, Improving Language Understanding by Generative Pre-Training).

Shape letters: B batch, C choices, T length, D width, N heads, H head size, F feed-forward width, L labels, V
vocabulary.
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
from ...backends.flax.activations import activation, identity
from ...backends.flax.attention import attend, following_mask, join_heads, per_layer_head_masks, split_heads
from ...backends.flax.checks import check_indices, check_token_ids
from ...backends.flax.generation import FlaxGenerationMixin
from ...backends.flax.heads import SequenceSummary, choices_as_rows, rightmost
from ...backends.flax.layers import Conv1D, Dense, Embed, LayerNorm, Stack, TiedDense, checkpointed
from ...backends.flax.model import FlaxModuleModel, Params
from ...backends.heads import leading_axes
from ...losses import causal_language_model_loss, cross_entropy, sequence_classification_loss
from ...outputs import (
    BaseModelOutput,
    CausalLMOutput,
    OpenAIGPTDoubleHeadsModelOutput,
    SequenceClassifierOutput,
    Wanted,
)
from .configuration_openai_gpt import OpenAIGPTConfig


class FlaxOpenAIGPTAttention(nn.Module):
    """Attention to the tokens before, and its projection."""

    config: OpenAIGPTConfig
    heads: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.n_embd
        self.head_size = width // config.n_head
        inner = self.heads * self.head_size
        self.c_attn = Conv1D(3 * inner, width, self.dtype)
        self.c_proj = Conv1D(width, inner, self.dtype)
        self.attn_dropout = nn.Dropout(config.attn_pdrop)
        self.resid_dropout = nn.Dropout(config.resid_pdrop)

    def __call__(
        self, hidden: Array, score_mask: Array | None, head_mask: Array | None, deterministic: bool = True
    ) -> tuple[Array, Array]:
        query, key, value = (split_heads(part, self.head_size) for part in jnp.split(self.c_attn(hidden), 3, axis=-1))
        context, weights = attend(query, key, value, score_mask, self.attn_dropout, head_mask, deterministic)
        return self.resid_dropout(self.c_proj(join_heads(context)), deterministic=deterministic), weights


class FlaxOpenAIGPTMLP(nn.Module):
    """The feed-forward block: four times as wide, and back."""

    config: OpenAIGPTConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        self.c_fc = Conv1D(4 * config.n_embd, config.n_embd, self.dtype)
        self.c_proj = Conv1D(config.n_embd, 4 * config.n_embd, self.dtype)
        self.activation = activation(config.activation)
        self.dropout = nn.Dropout(config.resid_pdrop)

    def __call__(self, hidden: Array, deterministic: bool = True) -> Array:
        widened = self.activation(self.c_fc(hidden))  # [B, T, F]
        return self.dropout(self.c_proj(widened), deterministic=deterministic)


class FlaxOpenAIGPTBlock(nn.Module):
    """One layer: attention, then feed-forward; each sum is normalized."""

    config: OpenAIGPTConfig
    heads: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        norm = partial(LayerNorm, epsilon=config.layer_norm_epsilon, size=config.n_embd, dtype=self.dtype)
        self.attn = FlaxOpenAIGPTAttention(config, self.heads, self.dtype)
        self.ln_1 = norm()
        self.mlp = FlaxOpenAIGPTMLP(config, self.dtype)
        self.ln_2 = norm()

    def __call__(
        self, hidden: Array, score_mask: Array | None, head_mask: Array | None, deterministic: bool = True
    ) -> tuple[Array, Array]:
        attended, weights = self.attn(hidden, score_mask, head_mask, deterministic)
        hidden = self.ln_1(hidden + attended)
        return self.ln_2(hidden + self.mlp(hidden, deterministic)), weights


def check_inputs(
    config: OpenAIGPTConfig,
    input_ids: Array | None,
    inputs_embeds: Array | None,
    token_type_ids: Array | None,
    position_ids: Array | None,
) -> None:
    """Refuse inputs that the model cannot read.

    Raises:
        InputError: An input is absent, has a wrong shape, or an id is out of range.
    """
    check_one_of(input_ids, inputs_embeds)
    if input_ids is not None:
        check_token_ids(input_ids, config.vocab_size)
    check_indices(token_type_ids, config.vocab_size, "token_type_ids")
    check_indices(position_ids, config.n_positions, "position_ids")


class FlaxOpenAIGPTModule(nn.Module):
    """`FlaxOpenAIGPTModel` as a linen module; its call says `deterministic` for `not train`."""

    config: OpenAIGPTConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        blocks = tuple((config, heads, self.dtype) for heads in heads_per_layer(config))
        self.tokens_embed = Embed(config.vocab_size, config.n_embd, dtype=self.dtype)
        self.positions_embed = Embed(config.n_positions, config.n_embd, dtype=self.dtype)
        self.drop = nn.Dropout(config.embd_pdrop)
        self.h = Stack(FlaxOpenAIGPTBlock, blocks)

    def embed(
        self,
        input_ids: Array | None,
        token_type_ids: Array | None,
        position_ids: Array | None,
        inputs_embeds: Array | None,
        deterministic: bool,
    ) -> Array:
        """Tokens and positions, and tokens again that say of what kind each is: [B, T, D]."""
        hidden = self.tokens_embed(input_ids) if inputs_embeds is None else inputs_embeds
        if position_ids is None:
            length = hidden.shape[1]
            check_length(length, self.positions_embed.num_embeddings)
            position_ids = jnp.arange(length)[None]  # [1, T]
        hidden = hidden + self.positions_embed(position_ids)
        hidden = hidden if token_type_ids is None else hidden + self.tokens_embed(token_type_ids)
        return self.drop(hidden, deterministic=deterministic)

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
        check_inputs(config, input_ids, inputs_embeds, token_type_ids, position_ids)
        hidden = self.embed(input_ids, token_type_ids, position_ids, inputs_embeds, deterministic)  # [B, T, D]
        score_mask = following_mask(attention_mask, hidden)
        is_checkpointed = self.gradient_checkpointing and not deterministic
        states, attentions = (), ()
        for block, own_head_mask in zip(self.h, per_layer_head_masks(head_mask, config.n_layer), strict=True):
            states += wanted.state(hidden)
            hidden, weights = checkpointed(block, is_checkpointed)(hidden, score_mask, own_head_mask, deterministic)
            attentions += wanted.attention(weights)
        states += wanted.state(hidden)
        return wanted.answer(BaseModelOutput(hidden, states or None, attentions or None))


class FlaxOpenAIGPTLMHeadModule(nn.Module):
    """`FlaxOpenAIGPTLMHeadModel` as a linen module."""

    config: OpenAIGPTConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        untied = partial(Dense, config.vocab_size, in_features=config.n_embd, use_bias=False, dtype=self.dtype)
        self.transformer = FlaxOpenAIGPTModule(config, self.dtype, self.gradient_checkpointing)
        self.lm_head = TiedDense(self.transformer.tokens_embed) if config.tie_word_embeddings else untied()

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
        outputs = self.transformer(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds, deterministic,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.lm_head(outputs.last_hidden_state)  # [B, T, V]
        loss = causal_language_model_loss(logits, labels, ops)
        return wanted.answer(CausalLMOutput(loss, logits, outputs.hidden_states, outputs.attentions))


class FlaxOpenAIGPTDoubleHeadsModule(nn.Module):
    """`FlaxOpenAIGPTDoubleHeadsModel` as a linen module."""

    config: OpenAIGPTConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        untied = partial(Dense, config.vocab_size, in_features=config.n_embd, use_bias=False, dtype=self.dtype)
        self.transformer = FlaxOpenAIGPTModule(config, self.dtype, self.gradient_checkpointing)
        self.lm_head = TiedDense(self.transformer.tokens_embed) if config.tie_word_embeddings else untied()
        self.multiple_choice_head = SequenceSummary(config, self.dtype)

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        token_type_ids: Array | None = None,
        position_ids: Array | None = None,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
        mc_token_ids: Array | None = None,
        labels: Array | None = None,
        mc_labels: Array | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        check_one_of(input_ids, inputs_embeds)
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        axes = leading_axes(input_ids, inputs_embeds, ops)
        rows = choices_as_rows if len(axes) == 2 else identity
        outputs = self.transformer(
            rows(input_ids), rows(attention_mask), rows(token_type_ids), rows(position_ids), head_mask,
            rows(inputs_embeds), deterministic, output_attentions=wanted.attentions,
            output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        last = outputs.last_hidden_state
        hidden = last.reshape(*axes, *last.shape[1:])  # [B, C, T, D]
        check_indices(mc_token_ids, ops.shape(hidden)[-2], "mc_token_ids")
        logits = self.lm_head(hidden)  # [B, C, T, V]
        mc_logits = self.multiple_choice_head(hidden, mc_token_ids, deterministic)  # [B, C, L]
        mc_logits = mc_logits[..., 0] if mc_logits.shape[-1] == 1 else mc_logits
        output = OpenAIGPTDoubleHeadsModelOutput(
            loss=causal_language_model_loss(logits, labels, ops),
            mc_loss=cross_entropy(mc_logits, mc_labels, ops),
            logits=logits,
            mc_logits=mc_logits,
            hidden_states=(*outputs.hidden_states[:-1], hidden) if outputs.hidden_states else None,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class FlaxOpenAIGPTForSequenceClassificationModule(nn.Module):
    """`FlaxOpenAIGPTForSequenceClassification` as a linen module."""

    config: OpenAIGPTConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        self.transformer = FlaxOpenAIGPTModule(config, self.dtype, self.gradient_checkpointing)
        self.score = Dense(config.num_labels, in_features=config.n_embd, use_bias=False, dtype=self.dtype)

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
        outputs = self.transformer(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds, deterministic,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.score(rightmost(outputs.last_hidden_state, input_ids, self.config.pad_token_id))  # [B, L]
        loss = sequence_classification_loss(logits, labels, self.config, ops)
        return wanted.answer(SequenceClassifierOutput(loss, logits, outputs.hidden_states, outputs.attentions))


class FlaxOpenAIGPTPreTrainedModel(FlaxModuleModel):
    """Base of every GPT model in Flax; see `FlaxModuleModel` for its arguments."""

    config_class = OpenAIGPTConfig
    base_model_prefix = "transformer"

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        token_type_ids: Array | None = None,
        position_ids: Array | None = None,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
        params: Params | None = None,
        dropout_rng: Array | None = None,
        train: bool = False,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        **labels: Array,
    ) -> Any:
        """Run the model on a batch of sequences.

        Args:
            input_ids: [B, T] integers.
            attention_mask: [B, T], 1 where a token counts and 0 where it is padding; or [B, T, T], its own for each
                position.
            token_type_ids: [B, T], tokens of the vocabulary that say of what kind each token is.
            position_ids: [B, T] or [1, T]; counted from 0 if not given.
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            inputs_embeds: [B, T, D] instead of `input_ids`.
            params: The parameters; the model's own if None.
            dropout_rng: The key of dropout, needed in training.
            train: Whether dropout is on.
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


class FlaxOpenAIGPTModel(FlaxOpenAIGPTPreTrainedModel):
    """The bare decoder: hidden states."""

    module_class = FlaxOpenAIGPTModule


class FlaxOpenAIGPTLMHeadModel(FlaxOpenAIGPTPreTrainedModel, FlaxGenerationMixin):
    """GPT with a score for each token that may come next; takes `labels`."""

    module_class = FlaxOpenAIGPTLMHeadModule
    reads_tokens_alone = True


class FlaxOpenAIGPTDoubleHeadsModel(FlaxOpenAIGPTPreTrainedModel):
    """GPT with a score for each token that may come next, and one for each of several choices of a text.

    Its call takes [B, C, T] for [B, T], `mc_token_ids`, `labels` and `mc_labels`.
    """

    module_class = FlaxOpenAIGPTDoubleHeadsModule

    def __init__(self, config: OpenAIGPTConfig, *args: Any, **kwargs: Any) -> None:
        config.num_labels = 1  # a choice has one score
        super().__init__(config, *args, **kwargs)


class FlaxOpenAIGPTForSequenceClassification(FlaxOpenAIGPTPreTrainedModel):
    """GPT with a classifier of whole sequences, on the rightmost token that is no padding; takes `labels`."""

    module_class = FlaxOpenAIGPTForSequenceClassificationModule
