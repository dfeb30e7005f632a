"""CTRL in Flax (Keskar et al. 2019, https://arxiv.org/abs/1909.05858).

Shape letters: B batch, T length, S positions attended to, D width, N heads, H head size, F feed-forward width, L
labels, V vocabulary.
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
from ...backends.flax.attention import attend, following_mask, join_heads, per_layer_head_masks, split_heads
from ...backends.flax.cache import Cache, LayerCache
from ...backends.flax.checks import check_indices, check_token_ids, known
from ...backends.flax.generation import FlaxGenerationMixin
from ...backends.flax.heads import rightmost, scored_positions
from ...backends.flax.layers import Dense, Embed, LayerNorm, Stack, TiedBiasedDense, checkpointed
from ...backends.flax.model import FlaxModuleModel, Params
from ...backends.positions import sines_then_cosines
from ...losses import causal_language_model_loss, sequence_classification_loss
from ...outputs import BaseModelOutputWithPast, CausalLMOutputWithPast, SequenceClassifierOutput, Wanted
from .configuration_ctrl import LAYER_EPSILON, CTRLConfig

#: How much lower the scores of tokens to come are than those of tokens before.
AHEAD = 1e4


class FlaxCTRLAttention(nn.Module):
    """Attention to the tokens before, and its projection."""

    config: CTRLConfig
    heads: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.n_embd
        self.head_size = width // config.n_head
        inner = self.heads * self.head_size
        self.Wq = Dense(inner, in_features=width, dtype=self.dtype)
        self.Wk = Dense(inner, in_features=width, dtype=self.dtype)
        self.Wv = Dense(inner, in_features=width, dtype=self.dtype)
        self.dense = Dense(width, in_features=inner, dtype=self.dtype)
        self.dropout = nn.Dropout(0.0)  # no configuration of CTRL drops weights

    def __call__(
        self,
        hidden: Array,
        score_mask: Array | None,
        head_mask: Array | None,
        memory: LayerCache | None,
        deterministic: bool = True,
    ) -> tuple[Array, Array]:
        query, key, value = (split_heads(part(hidden), self.head_size) for part in (self.Wq, self.Wk, self.Wv))
        if memory is not None:
            key, value = memory.extend(key, value)  # [B, N, S, H]
        context, weights = attend(query, key, value, score_mask, self.dropout, head_mask, deterministic)
        return self.dense(join_heads(context)), weights


class FlaxCTRLFeedForward(nn.Module):
    """The feed-forward block: wider, and back."""

    config: CTRLConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        self.items = [
            Dense(config.dff, in_features=config.n_embd, dtype=self.dtype, name="0"),
            Dense(config.n_embd, in_features=config.dff, dtype=self.dtype, name="2"),
        ]

    def __call__(self, hidden: Array) -> Array:
        wider, narrower = self.items
        return narrower(nn.relu(wider(hidden)))  # between them [B, T, F]


class FlaxCTRLBlock(nn.Module):
    """One layer: attention, then feed-forward; each part normalizes what it reads."""

    config: CTRLConfig
    heads: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        norm = partial(LayerNorm, epsilon=LAYER_EPSILON, size=config.n_embd, dtype=self.dtype)
        self.multi_head_attention = FlaxCTRLAttention(config, self.heads, self.dtype)
        self.ffn = FlaxCTRLFeedForward(config, self.dtype)
        self.layernorm1 = norm()
        self.layernorm2 = norm()
        self.dropout1 = nn.Dropout(config.resid_pdrop)
        self.dropout2 = nn.Dropout(config.resid_pdrop)

    def __call__(
        self,
        hidden: Array,
        score_mask: Array | None,
        head_mask: Array | None,
        memory: LayerCache | None,
        deterministic: bool = True,
    ) -> tuple[Array, Array]:
        attended, weights = self.multi_head_attention(
            self.layernorm1(hidden), score_mask, head_mask, memory, deterministic
        )
        hidden = hidden + self.dropout1(attended, deterministic=deterministic)
        return hidden + self.dropout2(self.ffn(self.layernorm2(hidden)), deterministic=deterministic), weights


def check_inputs(
    config: CTRLConfig,
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


class FlaxCTRLModule(nn.Module):
    """`FlaxCTRLModel` as a linen module; its call says `deterministic` for `not train`."""

    config: CTRLConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        blocks = tuple((config, heads, self.dtype) for heads in heads_per_layer(config))
        self.scale = config.n_embd**0.5
        self.positions = sines_then_cosines(config.n_positions, config.n_embd)
        self.w = Embed(config.vocab_size, config.n_embd, dtype=self.dtype)
        self.dropout = nn.Dropout(config.embd_pdrop)
        self.h = Stack(FlaxCTRLBlock, blocks)
        self.layernorm = LayerNorm(epsilon=config.layer_norm_epsilon, size=config.n_embd, dtype=self.dtype)

    def embed(
        self,
        input_ids: Array | None,
        token_type_ids: Array | None,
        position_ids: Array | None,
        inputs_embeds: Array | None,
        past: int | Array,
        deterministic: bool,
    ) -> Array:
        """Tokens, scaled, and positions, and tokens again that say of what kind each is: [B, T, D]."""
        hidden = self.scale * (self.w(input_ids) if inputs_embeds is None else inputs_embeds)
        if position_ids is None:
            length = hidden.shape[1]
            check_length(int(past) + length if known(past) else length, len(self.positions))
            position_ids = past + jnp.arange(length)[None]  # [1, T]
        hidden = hidden + jnp.asarray(self.positions, hidden.dtype)[position_ids]
        hidden = hidden if token_type_ids is None else hidden + self.scale * self.w(token_type_ids)
        return self.dropout(hidden, deterministic=deterministic)

    def __call__(
        self,
        input_ids: Array | None = None,
        past_key_values: Any = None,
        attention_mask: Array | None = None,
        token_type_ids: Array | None = None,
        position_ids: Array | None = None,
        head_mask: Array | None = None,
        inputs_embeds: Array | None = None,
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
        check_inputs(config, input_ids, inputs_embeds, token_type_ids, position_ids)
        cache = Cache.open(past_key_values, wanted.cache, config.n_layer)
        past = cache.length if cache is not None else 0
        hidden = self.embed(input_ids, token_type_ids, position_ids, inputs_embeds, past, deterministic)  # [B, T, D]
        reach = cache.reach(hidden.shape[1]) if cache is not None else None
        score_mask = following_mask(attention_mask, hidden, past, reach, AHEAD)
        head_masks = per_layer_head_masks(head_mask, config.n_layer)
        memories = [None] * config.n_layer if cache is None else cache.layers
        is_checkpointed = is_checkpointed and cache is None
        states, attentions = (), ()
        for block, own_head_mask, memory in zip(self.h, head_masks, memories, strict=True):
            states += wanted.state(hidden)
            hidden, weights = checkpointed(block, is_checkpointed)(
                hidden, score_mask, own_head_mask, memory, deterministic
            )
            attentions += wanted.attention(weights)
        hidden = self.layernorm(hidden)
        states += wanted.state(hidden)
        output = BaseModelOutputWithPast(
            last_hidden_state=hidden,
            past_key_values=cache if wanted.cache else None,
            hidden_states=states or None,
            attentions=attentions or None,
        )
        return wanted.answer(output)


class FlaxCTRLLMHeadModule(nn.Module):
    """`FlaxCTRLLMHeadModel` as a linen module."""

    config: CTRLConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        self.transformer = FlaxCTRLModule(config, self.dtype, self.gradient_checkpointing)
        tied = partial(TiedBiasedDense, self.transformer.w, config.vocab_size)
        untied = partial(Dense, config.vocab_size, in_features=config.n_embd)
        self.lm_head = (tied if config.tie_word_embeddings else untied)(dtype=self.dtype)

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
        logits_to_keep: int | Array = 0,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        outputs = self.transformer(
            input_ids, past_key_values, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            use_cache, deterministic, output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states,
            return_dict=True,
        )  # fmt: skip
        logits = self.lm_head(scored_positions(outputs.last_hidden_state, logits_to_keep))  # [B, T, V]
        output = CausalLMOutputWithPast(
            loss=causal_language_model_loss(logits, labels, ops),
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class FlaxCTRLForSequenceClassificationModule(nn.Module):
    """`FlaxCTRLForSequenceClassification` as a linen module."""

    config: CTRLConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        self.transformer = FlaxCTRLModule(config, self.dtype, self.gradient_checkpointing)
        self.classifier = Dense(config.num_labels, in_features=config.n_embd, use_bias=False, dtype=self.dtype)

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
            input_ids, past_key_values, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            use_cache, deterministic, output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states,
            return_dict=True,
        )  # fmt: skip
        logits = self.classifier(rightmost(outputs.last_hidden_state, input_ids, self.config.pad_token_id))  # [B, L]
        loss = sequence_classification_loss(logits, labels, self.config, ops)
        return wanted.answer(SequenceClassifierOutput(loss, logits, outputs.hidden_states, outputs.attentions))


class FlaxCTRLPreTrainedModel(FlaxModuleModel):
    """Base of every CTRL model in Flax; see `FlaxModuleModel` for its arguments."""

    config_class = CTRLConfig
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
        past_key_values: Any = None,
        dropout_rng: Array | None = None,
        train: bool = False,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | Array | None = None,
        **labels: Array,
    ) -> Any:
        """Run the model on a batch of sequences.

        Args:
            input_ids: [B, T] integers.
            attention_mask: [B, S], 1 where a token counts and 0 where it is padding, those in the cache included; or
                [B, T, S], its own for each position.
            token_type_ids: [B, T], tokens of the vocabulary that say of what kind each token is.
            position_ids: [B, T] or [1, T]; counted from the end of the cache if not given.
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            inputs_embeds: [B, T, D] instead of `input_ids`.
            params: The parameters; the model's own if None.
            past_key_values: What an earlier call or `init_cache` returned, to read on from there.
            dropout_rng: The key of dropout, needed in training.
            train: Whether dropout is on.
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
            "position_ids": position_ids, "head_mask": head_mask, "inputs_embeds": inputs_embeds, **labels,
        }  # fmt: skip
        return self.run(arrays, options, params, dropout_rng, train)


class FlaxCTRLModel(FlaxCTRLPreTrainedModel):
    """The bare decoder: hidden states."""

    module_class = FlaxCTRLModule


class FlaxCTRLLMHeadModel(FlaxCTRLPreTrainedModel, FlaxGenerationMixin):
    """CTRL with a score for each token that may come next; takes `labels`."""

    module_class = FlaxCTRLLMHeadModule
    reads_tokens_alone = True


class FlaxCTRLForSequenceClassification(FlaxCTRLPreTrainedModel):
    """CTRL with a classifier of whole sequences, on the rightmost token that is no padding; takes `labels`."""

    module_class = FlaxCTRLForSequenceClassificationModule
