"""GPT-2 in Flax (Radford et al. 2019, Language Models are Unsupervised Multitask Learners).

Shape letters: B batch, C choices, T length, S positions attended to, D width, N heads, H head size, F feed-forward
width, L labels, V vocabulary.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from ...backends.cache import heads_per_layer
from ...backends.checks import check_cross_attention, check_length, check_one_of
from ...backends.flax import ops
from ...backends.flax.activations import activation, identity
from ...backends.flax.attention import (
    attend,
    attend_in_float32,
    join_heads,
    padding_mask,
    per_layer_head_masks,
    preceding_mask,
    split_heads,
)
from ...backends.flax.cache import Cache, LayerCache
from ...backends.flax.checks import check_indices, check_token_ids, known
from ...backends.flax.generation import FlaxGenerationMixin
from ...backends.flax.heads import (
    QuestionAnswering,
    SequenceSummary,
    TokenClassification,
    choices_as_rows,
    rightmost,
    scored_positions,
)
from ...backends.flax.layers import Conv1D, Dense, Embed, LayerNorm, Stack, TiedDense, checkpointed
from ...backends.flax.model import FlaxModuleModel, Params
from ...backends.heads import leading_axes
from ...losses import causal_language_model_loss, cross_entropy, sequence_classification_loss
from ...outputs import (
    BaseModelOutputWithPastAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    GPT2DoubleHeadsModelOutput,
    SequenceClassifierOutputWithPast,
    Wanted,
)
from .configuration_gpt2 import GPT2Config


class FlaxGPT2Attention(nn.Module):
    """Attention to the tokens before, and its projection."""

    config: GPT2Config
    heads: int
    layer: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.n_embd
        self.head_size = width // config.n_head
        inner = self.heads * self.head_size
        self.attend = attend_in_float32 if config.reorder_and_upcast_attn else attend
        self.scale = config.attention_scale(self.layer)
        self.c_attn = Conv1D(3 * inner, width, self.dtype)
        self.c_proj = Conv1D(width, inner, self.dtype)
        self.attn_dropout = nn.Dropout(config.attn_pdrop)
        self.resid_dropout = nn.Dropout(config.resid_pdrop)

    def __call__(
        self,
        hidden: Array,
        score_mask: Array | None,
        head_mask: Array | None,
        memory: LayerCache | None,
        deterministic: bool = True,
    ) -> tuple[Array, Array]:
        query, key, value = (split_heads(part, self.head_size) for part in jnp.split(self.c_attn(hidden), 3, axis=-1))
        if memory is not None:
            key, value = memory.extend(key, value)  # [B, N, S, H]
        context, weights = self.attend(
            query, key, value, score_mask, self.attn_dropout, head_mask, deterministic, self.scale
        )
        return self.resid_dropout(self.c_proj(join_heads(context)), deterministic=deterministic), weights


class FlaxGPT2CrossAttention(nn.Module):
    """Attention to an encoder, and its projection."""

    config: GPT2Config
    layer: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.n_embd
        self.head_size = width // config.n_head
        self.attend = attend_in_float32 if config.reorder_and_upcast_attn else attend
        self.scale = config.attention_scale(self.layer)
        self.q_attn = Conv1D(width, width, self.dtype)
        self.c_attn = Conv1D(2 * width, width, self.dtype)
        self.c_proj = Conv1D(width, width, self.dtype)
        self.attn_dropout = nn.Dropout(config.attn_pdrop)
        self.resid_dropout = nn.Dropout(config.resid_pdrop)

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
            key, value = jnp.split(self.c_attn(encoder_hidden), 2, axis=-1)
            return split_heads(key, self.head_size), split_heads(value, self.head_size)

        query = split_heads(self.q_attn(hidden), self.head_size)  # [B, N, T, H]
        key, value = keys_and_values() if memory is None else memory.once(keys_and_values)  # [B, N, S, H]
        context, weights = self.attend(
            query, key, value, score_mask, self.attn_dropout, head_mask, deterministic, self.scale
        )
        return self.resid_dropout(self.c_proj(join_heads(context)), deterministic=deterministic), weights


class FlaxGPT2MLP(nn.Module):
    """The feed-forward block: wider, and back."""

    config: GPT2Config
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        self.c_fc = Conv1D(config.inner_width, config.n_embd, self.dtype)
        self.c_proj = Conv1D(config.n_embd, config.inner_width, self.dtype)
        self.activation = activation(config.activation_function)
        self.dropout = nn.Dropout(config.resid_pdrop)

    def __call__(self, hidden: Array, deterministic: bool = True) -> Array:
        widened = self.activation(self.c_fc(hidden))  # [B, T, F]
        return self.dropout(self.c_proj(widened), deterministic=deterministic)


class FlaxGPT2Block(nn.Module):
    """One layer: attention, perhaps to an encoder too, then feed-forward; each part normalizes what it reads."""

    config: GPT2Config
    heads: int
    layer: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        norm = partial(LayerNorm, epsilon=config.layer_norm_epsilon, size=config.n_embd, dtype=self.dtype)
        crossing = partial(FlaxGPT2CrossAttention, config, self.layer, self.dtype)
        self.ln_1 = norm()
        self.attn = FlaxGPT2Attention(config, self.heads, self.layer, self.dtype)
        self.ln_cross_attn = norm() if config.add_cross_attention else None
        self.crossattention = crossing() if config.add_cross_attention else None
        self.ln_2 = norm()
        self.mlp = FlaxGPT2MLP(config, self.dtype)

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
        attended, weights = self.attn(self.ln_1(hidden), score_mask, head_mask, memory, deterministic)
        hidden = hidden + attended
        cross_weights = None
        if self.crossattention is not None and self.ln_cross_attn is not None and encoder_hidden is not None:
            attended, cross_weights = self.crossattention(
                self.ln_cross_attn(hidden), encoder_hidden, encoder_mask, head_mask, memory, deterministic
            )
            hidden = hidden + attended
        return hidden + self.mlp(self.ln_2(hidden), deterministic), weights, cross_weights


def check_inputs(
    config: GPT2Config,
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
    check_indices(token_type_ids, config.vocab_size, "token_type_ids")
    check_indices(position_ids, config.n_positions, "position_ids")
    check_cross_attention(encoder_hidden_states, config, is_decoder=True)


class FlaxGPT2Module(nn.Module):
    """`FlaxGPT2Model` as a linen module; its call says `deterministic` for `not train`."""

    config: GPT2Config
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        blocks = tuple((config, heads, layer, self.dtype) for layer, heads in enumerate(heads_per_layer(config)))
        self.wte = Embed(config.vocab_size, config.n_embd, dtype=self.dtype)
        self.wpe = Embed(config.n_positions, config.n_embd, dtype=self.dtype)
        self.drop = nn.Dropout(config.embd_pdrop)
        self.h = Stack(FlaxGPT2Block, blocks)
        self.ln_f = LayerNorm(epsilon=config.layer_norm_epsilon, size=config.n_embd, dtype=self.dtype)

    def embed(
        self,
        input_ids: Array | None,
        token_type_ids: Array | None,
        position_ids: Array | None,
        inputs_embeds: Array | None,
        past: int | Array,
        deterministic: bool,
    ) -> Array:
        """Tokens and positions, and tokens again that say of what kind each is: [B, T, D]."""
        hidden = self.wte(input_ids) if inputs_embeds is None else inputs_embeds
        if position_ids is None:
            length = hidden.shape[1]
            check_length(int(past) + length if known(past) else length, self.wpe.num_embeddings)
            position_ids = past + jnp.arange(length)[None]  # [1, T]
        hidden = hidden + self.wpe(position_ids)
        hidden = hidden if token_type_ids is None else hidden + self.wte(token_type_ids)
        return self.drop(hidden, deterministic=deterministic)

    def __call__(
        self,
        input_ids: Array | None = None,
        past_key_values: Any = None,
        cache_position: Array | None = None,
        attention_mask: Array | None = None,
        token_type_ids: Array | None = None,
        position_ids: Array | None = None,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
        encoder_hidden_states: Array | None = None,
        encoder_attention_mask: Array | None = None,
        use_cache: bool | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        config = self.config
        is_checkpointed = self.gradient_checkpointing and not deterministic
        use_cache = False if is_checkpointed else use_cache
        wanted = Wanted.of(config, output_attentions, output_hidden_states, return_dict, use_cache)
        position_ids = cache_position[None] if position_ids is None and cache_position is not None else position_ids
        check_inputs(config, input_ids, inputs_embeds, token_type_ids, position_ids, encoder_hidden_states)
        cache = Cache.open(past_key_values, wanted.cache, config.n_layer)
        past = cache.length if cache is not None else 0
        hidden = self.embed(input_ids, token_type_ids, position_ids, inputs_embeds, past, deterministic)  # [B, T, D]
        reach = cache.reach(hidden.shape[1]) if cache is not None else None
        score_mask = preceding_mask(attention_mask, hidden, past, reach)
        encoder_mask = None
        if encoder_hidden_states is not None:
            encoder_mask = padding_mask(encoder_attention_mask, encoder_hidden_states)
        head_masks = per_layer_head_masks(head_mask, config.n_layer)
        memories = [None] * config.n_layer if cache is None else cache.layers
        is_checkpointed = is_checkpointed and cache is None
        states, attentions, cross_attentions = (), (), ()
        for block, own_head_mask, memory in zip(self.h, head_masks, memories, strict=True):
            states += wanted.state(hidden)
            hidden, weights, cross_weights = checkpointed(block, is_checkpointed)(
                hidden, score_mask, own_head_mask, encoder_hidden_states, encoder_mask, memory, deterministic
            )
            attentions += wanted.attention(weights)
            cross_attentions += wanted.attention(cross_weights)
        hidden = self.ln_f(hidden)
        states += wanted.state(hidden)
        output = BaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=hidden,
            past_key_values=cache if wanted.cache else None,
            hidden_states=states or None,
            attentions=attentions or None,
            cross_attentions=cross_attentions or None,
        )
        return wanted.answer(output)


class FlaxGPT2LMHeadModule(nn.Module):
    """`FlaxGPT2LMHeadModel` as a linen module."""

    config: GPT2Config
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        untied = partial(Dense, config.vocab_size, in_features=config.n_embd, use_bias=False, dtype=self.dtype)
        self.transformer = FlaxGPT2Module(config, self.dtype, self.gradient_checkpointing)
        self.lm_head = TiedDense(self.transformer.wte) if config.tie_word_embeddings else untied()

    def __call__(
        self,
        input_ids: Array | None = None,
        past_key_values: Any = None,
        cache_position: Array | None = None,
        attention_mask: Array | None = None,
        token_type_ids: Array | None = None,
        position_ids: Array | None = None,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
        encoder_hidden_states: Array | None = None,
        encoder_attention_mask: Array | None = None,
        labels: Array | None = None,
        use_cache: bool | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        logits_to_keep: int | Array = 0,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        outputs = self.transformer(
            input_ids, past_key_values, cache_position, attention_mask, token_type_ids, position_ids, head_mask,
            inputs_embeds, encoder_hidden_states, encoder_attention_mask, use_cache, deterministic=deterministic,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.lm_head(scored_positions(outputs.last_hidden_state, logits_to_keep))  # [B, T, V]
        output = CausalLMOutputWithCrossAttentions(
            loss=causal_language_model_loss(logits, labels, ops),
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            cross_attentions=outputs.cross_attentions,
        )
        return wanted.answer(output)


class FlaxGPT2DoubleHeadsModule(nn.Module):
    """`FlaxGPT2DoubleHeadsModel` as a linen module."""

    config: GPT2Config
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        untied = partial(Dense, config.vocab_size, in_features=config.n_embd, use_bias=False, dtype=self.dtype)
        self.transformer = FlaxGPT2Module(config, self.dtype, self.gradient_checkpointing)
        self.lm_head = TiedDense(self.transformer.wte) if config.tie_word_embeddings else untied()
        self.multiple_choice_head = SequenceSummary(config, self.dtype)

    def __call__(
        self,
        input_ids: Array | None = None,
        past_key_values: Any = None,
        cache_position: Array | None = None,
        attention_mask: Array | None = None,
        token_type_ids: Array | None = None,
        position_ids: Array | None = None,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
        mc_token_ids: Array | None = None,
        labels: Array | None = None,
        mc_labels: Array | None = None,
        use_cache: bool | None = None,
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
            rows(input_ids), past_key_values, cache_position, rows(attention_mask), rows(token_type_ids),
            rows(position_ids), head_mask, rows(inputs_embeds), use_cache=use_cache, deterministic=deterministic,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        last = outputs.last_hidden_state
        hidden = last.reshape(*axes, *last.shape[1:])  # [B, C, T, D]
        check_indices(mc_token_ids, ops.shape(hidden)[-2], "mc_token_ids")
        logits = self.lm_head(hidden)  # [B, C, T, V]
        mc_logits = self.multiple_choice_head(hidden, mc_token_ids, deterministic)  # [B, C, L]
        mc_logits = mc_logits[..., 0] if mc_logits.shape[-1] == 1 else mc_logits
        output = GPT2DoubleHeadsModelOutput(
            loss=causal_language_model_loss(logits, labels, ops),
            mc_loss=cross_entropy(mc_logits, mc_labels, ops),
            logits=logits,
            mc_logits=mc_logits,
            past_key_values=outputs.past_key_values,
            hidden_states=(*outputs.hidden_states[:-1], hidden) if outputs.hidden_states else None,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class FlaxGPT2ForSequenceClassificationModule(nn.Module):
    """`FlaxGPT2ForSequenceClassification` as a linen module."""

    config: GPT2Config
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        self.transformer = FlaxGPT2Module(config, self.dtype, self.gradient_checkpointing)
        self.score = Dense(config.num_labels, in_features=config.n_embd, use_bias=False, dtype=self.dtype)

    def __call__(
        self,
        input_ids: Array | None = None,
        past_key_values: Any = None,
        attention_mask: Array | None = None,
        token_type_ids: Array | None = None,
        position_ids: Array | None = None,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
        labels: Array | None = None,
        use_cache: bool | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        outputs = self.transformer(
            input_ids, past_key_values, None, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            use_cache=use_cache, deterministic=deterministic, output_attentions=wanted.attentions,
            output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.score(rightmost(outputs.last_hidden_state, input_ids, self.config.pad_token_id))  # [B, L]
        output = SequenceClassifierOutputWithPast(
            loss=sequence_classification_loss(logits, labels, self.config, ops),
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class FlaxGPT2ForTokenClassificationModule(
    TokenClassification, backbone=FlaxGPT2Module, prefix="transformer", decoding=("past_key_values", "use_cache")
):
    """`FlaxGPT2ForTokenClassification` as a linen module."""


class FlaxGPT2ForQuestionAnsweringModule(QuestionAnswering, backbone=FlaxGPT2Module, prefix="transformer"):
    """`FlaxGPT2ForQuestionAnswering` as a linen module."""


class FlaxGPT2PreTrainedModel(FlaxModuleModel):
    """Base of every GPT-2 model in Flax; see `FlaxModuleModel` for its arguments."""

    config_class = GPT2Config
    base_model_prefix = "transformer"

    def __call__(
        self,
        input_ids: Array | None = None,
        attention_mask: Array | None = None,
        position_ids: Array | None = None,
        encoder_hidden_states: Array | None = None,
        encoder_attention_mask: Array | None = None,
        params: Params | None = None,
        past_key_values: Any = None,
        dropout_rng: Array | None = None,
        train: bool = False,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        token_type_ids: Array | None = None,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
        cache_position: Array | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | Array | None = None,
        **labels: Array,
    ) -> Any:
        """Run the model on a batch of sequences.

        Args:
            input_ids: [B, T] integers.
            attention_mask: [B, S], 1 where a token counts and 0 where it is padding, those in the cache included; or
                [B, T, S], its own for each position.
            position_ids: [B, T] or [1, T]; counted from the end of the cache if not given.
            encoder_hidden_states: [B, E, D], what a model with cross-attention attends to.
            encoder_attention_mask: [B, E] or [B, T, E], as `attention_mask`.
            params: The parameters; the model's own if None.
            past_key_values: What an earlier call or `init_cache` returned, to read on from there.
            dropout_rng: The key of dropout, needed in training.
            train: Whether dropout is on.
            token_type_ids: [B, T], tokens of the vocabulary that say of what kind each token is.
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            inputs_embeds: [B, T, D] instead of `input_ids`.
            cache_position: [T], another way to say `position_ids`, the same for every row.
            use_cache: Whether keys and values are returned; as the configuration says if None.
            logits_to_keep: For a class that predicts tokens: score only this many last positions, all if 0; or the
                positions in a vector.
            labels: The labels of a class with a head, by the names that it takes.

        Returns:
            The class's output, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        options = {
            "past_key_values": past_key_values, "use_cache": use_cache, "output_attentions": output_attentions,
            "output_hidden_states": output_hidden_states, "return_dict": return_dict, "logits_to_keep": logits_to_keep,
        }  # fmt: skip
        arrays = {
            "input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": token_type_ids,
            "position_ids": position_ids, "head_mask": head_mask, "inputs_embeds": inputs_embeds,
            "cache_position": cache_position, "encoder_hidden_states": encoder_hidden_states,
            "encoder_attention_mask": encoder_attention_mask, **labels,
        }  # fmt: skip
        return self.run(arrays, options, params, dropout_rng, train)


class FlaxGPT2Model(FlaxGPT2PreTrainedModel):
    """The bare decoder: hidden states."""

    module_class = FlaxGPT2Module


class FlaxGPT2LMHeadModel(FlaxGPT2PreTrainedModel, FlaxGenerationMixin):
    """GPT-2 with a score for each token that may come next; takes `labels`."""

    module_class = FlaxGPT2LMHeadModule


class FlaxGPT2DoubleHeadsModel(FlaxGPT2PreTrainedModel):
    """GPT-2 with a score for each token that may come next, and one for each of several choices of a text.

    Its call takes [B, C, T] for [B, T], `mc_token_ids`, `labels` and `mc_labels`.
    """

    module_class = FlaxGPT2DoubleHeadsModule

    def __init__(self, config: GPT2Config, *args: Any, **kwargs: Any) -> None:
        config.num_labels = 1  # a choice has one score
        super().__init__(config, *args, **kwargs)


class FlaxGPT2ForSequenceClassification(FlaxGPT2PreTrainedModel):
    """GPT-2 with a classifier of whole sequences, on the rightmost token that is no padding; takes `labels`."""

    module_class = FlaxGPT2ForSequenceClassificationModule


class FlaxGPT2ForTokenClassification(FlaxGPT2PreTrainedModel):
    """GPT-2 with a classifier of every token; takes `labels`."""

    module_class = FlaxGPT2ForTokenClassificationModule


class FlaxGPT2ForQuestionAnswering(FlaxGPT2PreTrainedModel):
    """GPT-2 with scores for where an answer starts and ends; takes `start_positions` and `end_positions`."""

    module_class = FlaxGPT2ForQuestionAnsweringModule
