"""CTRL in Keras (Keskar et al. 2019, https://arxiv.org/abs/1909.05858).

Shape letters: B batch, T length, S positions attended to, D width, N heads, H head size, F feed-forward width, L
labels, V vocabulary.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import tensorflow as tf
from keras import layers

from ...backends.cache import heads_per_layer
from ...backends.checks import check_one_of
from ...backends.positions import sines_then_cosines
from ...backends.tensorflow import ops
from ...backends.tensorflow.attention import attend, following_mask, join_heads, per_layer_head_masks, split_heads
from ...backends.tensorflow.cache import Cache, LayerCache
from ...backends.tensorflow.checks import check_indices, check_length, check_token_ids
from ...backends.tensorflow.generation import TFGenerationMixin
from ...backends.tensorflow.heads import rightmost, scored_positions
from ...backends.tensorflow.layers import CheckpointedLayer, Dense, Dropout, Embedding, LayerNorm, TiedBiasedDense
from ...backends.tensorflow.model import TFPreTrainedModel
from ...losses import causal_language_model_loss, sequence_classification_loss
from ...outputs import BaseModelOutputWithPast, CausalLMOutputWithPast, SequenceClassifierOutput
from .configuration_ctrl import LAYER_EPSILON, CTRLConfig

#: How much lower the scores of tokens to come are than those of tokens before.
AHEAD = 1e4


class TFCTRLAttention(layers.Layer):
    """Attention to the tokens before, and its projection."""

    def __init__(self, config: CTRLConfig, heads: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, self.head_size = config.n_embd, config.n_embd // config.n_head
        inner = heads * self.head_size
        self.Wq = Dense(width, inner, name="Wq", dtype=dtype)
        self.Wk = Dense(width, inner, name="Wk", dtype=dtype)
        self.Wv = Dense(width, inner, name="Wv", dtype=dtype)
        self.dense = Dense(inner, width, name="dense", dtype=dtype)
        self.dropout = Dropout(0.0, name="dropout", dtype=dtype)  # no configuration of CTRL drops weights

    def call(
        self,
        hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        memory: LayerCache | None = None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        query, key, value = (split_heads(part(hidden), self.head_size) for part in (self.Wq, self.Wk, self.Wv))
        if memory is not None:
            key, value = memory.extend(key, value)  # [B, N, S, H]
        context, weights = attend(query, key, value, score_mask, self.dropout, head_mask, training)
        return self.dense(join_heads(context)), weights


class TFCTRLFeedForward(layers.Layer):
    """The feed-forward block: wider, and back."""

    def __init__(self, config: CTRLConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.items = [
            Dense(config.n_embd, config.dff, name="0", dtype=dtype),
            Dense(config.dff, config.n_embd, name="2", dtype=dtype),
        ]

    def call(self, hidden: tf.Tensor) -> tf.Tensor:
        wider, narrower = self.items
        return narrower(tf.nn.relu(wider(hidden)))  # between them [B, T, F]


class TFCTRLBlock(CheckpointedLayer):
    """One layer: attention, then feed-forward; each part normalizes what it reads."""

    def __init__(self, config: CTRLConfig, heads: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        norm = partial(LayerNorm, config.n_embd, epsilon=LAYER_EPSILON, dtype=dtype)
        self.multi_head_attention = TFCTRLAttention(config, heads, name="multi_head_attention", dtype=dtype)
        self.ffn = TFCTRLFeedForward(config, name="ffn", dtype=dtype)
        self.layernorm1 = norm(name="layernorm1")
        self.layernorm2 = norm(name="layernorm2")
        self.dropout1 = Dropout(config.resid_pdrop, name="dropout1", dtype=dtype)
        self.dropout2 = Dropout(config.resid_pdrop, name="dropout2", dtype=dtype)

    def call(
        self,
        hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        memory: LayerCache | None = None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        attended, weights = self.multi_head_attention(
            self.layernorm1(hidden), score_mask, head_mask, memory=memory, training=training
        )
        hidden = hidden + self.dropout1(attended, training=training)
        return hidden + self.dropout2(self.ffn(self.layernorm2(hidden)), training=training), weights


class TFCTRLPreTrainedModel(TFPreTrainedModel):
    """Base of every CTRL model in Keras."""

    config_class = CTRLConfig
    base_model_prefix = "transformer"
    config: CTRLConfig


def check_inputs(
    config: CTRLConfig,
    input_ids: tf.Tensor | None,
    inputs_embeds: tf.Tensor | None,
    token_type_ids: tf.Tensor | None,
    position_ids: tf.Tensor | None,
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


class TFCTRLModel(TFCTRLPreTrainedModel):
    """The bare decoder: hidden states."""

    def __init__(self, config: CTRLConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.scale = config.n_embd**0.5
        self.positions = sines_then_cosines(config.n_positions, config.n_embd)
        self.w = Embedding(config.vocab_size, config.n_embd, name="w", dtype=dtype)
        self.dropout = Dropout(config.embd_pdrop, name="dropout", dtype=dtype)
        self.h = [
            TFCTRLBlock(config, heads, name=f"h.{layer}", dtype=dtype)
            for layer, heads in enumerate(heads_per_layer(config))
        ]
        self.layernorm = LayerNorm(config.n_embd, epsilon=config.layer_norm_epsilon, name="layernorm", dtype=dtype)

    def embed(
        self,
        input_ids: tf.Tensor | None,
        token_type_ids: tf.Tensor | None,
        position_ids: tf.Tensor | None,
        inputs_embeds: tf.Tensor | None,
        past: int | tf.Tensor,
        training: bool,
    ) -> tf.Tensor:
        """Tokens, scaled, and positions, and tokens again that say of what kind each is: [B, T, D]."""
        hidden = self.scale * (self.w(input_ids) if inputs_embeds is None else inputs_embeds)
        if position_ids is None:
            length = ops.shape(hidden)[1]
            check_length(past + length, len(self.positions))
            position_ids = (past + tf.range(length))[None]  # [1, T]; XLA wants to know the size of a range
        hidden = hidden + tf.gather(tf.constant(self.positions, hidden.dtype), position_ids)
        hidden = hidden if token_type_ids is None else hidden + self.scale * self.w(token_type_ids)
        return self.dropout(hidden, training=training)

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        past_key_values: Any = None,
        attention_mask: tf.Tensor | None = None,
        token_type_ids: tf.Tensor | None = None,
        position_ids: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        inputs_embeds: tf.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
    ) -> Any:
        """Read a batch of sequences.

        Args:
            input_ids: [B, T] integers.
            past_key_values: What an earlier call returned, to read on from there.
            attention_mask: [B, S], 1 where a token counts and 0 where it is padding, those in the cache included; or
                [B, T, S], its own for each position.
            token_type_ids: [B, T], tokens of the vocabulary that say of what kind each token is.
            position_ids: [B, T] or [1, T]; counted from the end of the cache if not given.
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            inputs_embeds: [B, T, D] instead of `input_ids`.
            use_cache: Whether keys and values are returned; as the configuration says if None.
            training: Whether dropout is on.

        Returns:
            `BaseModelOutputWithPast`, or a tuple with `return_dict=False`. Its `hidden_states` are what each layer
            reads, and last what the model answers.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        recomputes = training and self.is_gradient_checkpointing  # and then there is nothing to keep for a next call
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict, False if recomputes else use_cache)
        check_inputs(self.config, input_ids, inputs_embeds, token_type_ids, position_ids)
        cache = Cache.open(past_key_values, wanted.cache, len(self.h))
        past = cache.length if cache is not None else 0
        hidden = self.embed(input_ids, token_type_ids, position_ids, inputs_embeds, past, training)  # [B, T, D]
        reach = cache.reach(ops.shape(hidden)[1]) if cache is not None else None
        score_mask = following_mask(attention_mask, hidden, past, reach, AHEAD)
        head_masks = per_layer_head_masks(head_mask, len(self.h))
        memories = [None] * len(self.h) if cache is None else cache.layers
        states, attentions = (), ()
        for block, own_head_mask, memory in zip(self.h, head_masks, memories, strict=True):
            states += wanted.state(hidden)
            hidden, weights = block(hidden, score_mask, own_head_mask, memory=memory, training=training)
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


class TFCTRLLMHeadModel(TFCTRLPreTrainedModel, TFGenerationMixin):
    """CTRL with a score for each token that may come next."""

    reads_tokens_alone = True

    def __init__(self, config: CTRLConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.transformer = TFCTRLModel(config, name="transformer", dtype=dtype)
        tied = partial(TiedBiasedDense, self.transformer.get_input_embeddings, config.vocab_size)
        untied = partial(Dense, config.n_embd, config.vocab_size)
        self.lm_head = (tied if config.tie_word_embeddings else untied)(name="lm_head", dtype=dtype)

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        past_key_values: Any = None,
        attention_mask: tf.Tensor | None = None,
        token_type_ids: tf.Tensor | None = None,
        position_ids: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        inputs_embeds: tf.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        labels: tf.Tensor | None = None,
        training: bool = False,
        *,
        logits_to_keep: int | tf.Tensor = 0,
    ) -> Any:
        """Predict the token after each position; the arguments are those of `TFCTRLModel`, and

        Args:
            labels: [B, T] the tokens themselves, -100 where one is not to be predicted.
            logits_to_keep: Score only this many last positions, all if 0; or the positions in a vector.

        Returns:
            `CausalLMOutputWithPast`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.transformer(
            input_ids, past_key_values=past_key_values, attention_mask=attention_mask, token_type_ids=token_type_ids,
            position_ids=position_ids, head_mask=head_mask, inputs_embeds=inputs_embeds, use_cache=use_cache,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
            training=training,
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


class TFCTRLForSequenceClassification(TFCTRLPreTrainedModel):
    """CTRL with a classifier of whole sequences, on the rightmost token that is no padding."""

    def __init__(self, config: CTRLConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.transformer = TFCTRLModel(config, name="transformer", dtype=dtype)
        self.classifier = Dense(config.n_embd, config.num_labels, use_bias=False, name="classifier", dtype=dtype)

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        past_key_values: Any = None,
        attention_mask: tf.Tensor | None = None,
        token_type_ids: tf.Tensor | None = None,
        position_ids: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        inputs_embeds: tf.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        labels: tf.Tensor | None = None,
        training: bool = False,
    ) -> Any:
        """Classify sequences; the arguments are those of `TFCTRLModel`, and

        Args:
            labels: [B] class indices; [B] or [B, L] targets for regression; [B, L] zeros and ones for several each.

        Returns:
            `SequenceClassifierOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: There are several sequences, and the configuration has no padding token.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.transformer(
            input_ids, past_key_values=past_key_values, attention_mask=attention_mask, token_type_ids=token_type_ids,
            position_ids=position_ids, head_mask=head_mask, inputs_embeds=inputs_embeds, use_cache=use_cache,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
            training=training,
        )  # fmt: skip
        logits = self.classifier(rightmost(outputs.last_hidden_state, input_ids, self.config.pad_token_id))  # [B, L]
        loss = sequence_classification_loss(logits, labels, self.config, ops)
        return wanted.answer(SequenceClassifierOutput(loss, logits, outputs.hidden_states, outputs.attentions))
