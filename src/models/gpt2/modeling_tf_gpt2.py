"""GPT-2 in Keras (Radford et al. 2019, Language Models are Unsupervised Multitask Learners).

Shape letters: B batch, C choices, T length, S positions attended to, D width, N heads, H head size, F feed-forward
width, L labels, V vocabulary.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import tensorflow as tf
from keras import layers

from ...backends.cache import heads_per_layer
from ...backends.checks import check_cross_attention, check_one_of
from ...backends.heads import leading_axes
from ...backends.tensorflow import ops
from ...backends.tensorflow.activations import activation, identity
from ...backends.tensorflow.attention import (
    attend,
    attend_in_float32,
    join_heads,
    padding_mask,
    per_layer_head_masks,
    preceding_mask,
    split_heads,
)
from ...backends.tensorflow.cache import Cache, LayerCache
from ...backends.tensorflow.checks import check_indices, check_length, check_token_ids
from ...backends.tensorflow.generation import TFGenerationMixin
from ...backends.tensorflow.heads import (
    QuestionAnswering,
    SequenceSummary,
    TokenClassification,
    choices_as_rows,
    rightmost,
    scored_positions,
)
from ...backends.tensorflow.layers import CheckpointedLayer, Conv1D, Dense, Dropout, Embedding, LayerNorm, TiedDense
from ...backends.tensorflow.model import TFPreTrainedModel
from ...losses import causal_language_model_loss, cross_entropy, sequence_classification_loss
from ...outputs import (
    BaseModelOutputWithPastAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    GPT2DoubleHeadsModelOutput,
    SequenceClassifierOutputWithPast,
)
from .configuration_gpt2 import GPT2Config


class TFGPT2Attention(layers.Layer):
    """Attention to the tokens before, and its projection."""

    def __init__(self, config: GPT2Config, heads: int, layer: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, self.head_size = config.n_embd, config.n_embd // config.n_head
        self.attend = attend_in_float32 if config.reorder_and_upcast_attn else attend
        self.scale = config.attention_scale(layer)
        self.c_attn = Conv1D(3 * heads * self.head_size, width, name="c_attn", dtype=dtype)
        self.c_proj = Conv1D(width, heads * self.head_size, name="c_proj", dtype=dtype)
        self.attn_dropout = Dropout(config.attn_pdrop, name="attn_dropout", dtype=dtype)
        self.resid_dropout = Dropout(config.resid_pdrop, name="resid_dropout", dtype=dtype)

    def call(
        self,
        hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        memory: LayerCache | None = None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        query, key, value = (split_heads(part, self.head_size) for part in tf.split(self.c_attn(hidden), 3, -1))
        if memory is not None:
            key, value = memory.extend(key, value)  # [B, N, S, H]
        context, weights = self.attend(
            query, key, value, score_mask, self.attn_dropout, head_mask, training, self.scale
        )
        return self.resid_dropout(self.c_proj(join_heads(context)), training=training), weights


class TFGPT2CrossAttention(layers.Layer):
    """Attention to an encoder, and its projection."""

    def __init__(self, config: GPT2Config, layer: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, self.head_size = config.n_embd, config.n_embd // config.n_head
        self.attend = attend_in_float32 if config.reorder_and_upcast_attn else attend
        self.scale = config.attention_scale(layer)
        self.q_attn = Conv1D(width, width, name="q_attn", dtype=dtype)
        self.c_attn = Conv1D(2 * width, width, name="c_attn", dtype=dtype)
        self.c_proj = Conv1D(width, width, name="c_proj", dtype=dtype)
        self.attn_dropout = Dropout(config.attn_pdrop, name="attn_dropout", dtype=dtype)
        self.resid_dropout = Dropout(config.resid_pdrop, name="resid_dropout", dtype=dtype)

    def call(
        self,
        hidden: tf.Tensor,
        encoder_hidden: tf.Tensor,
        score_mask: tf.Tensor | None,
        head_mask: tf.Tensor | None,
        memory: LayerCache | None = None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        def keys_and_values() -> tuple[tf.Tensor, tf.Tensor]:
            key, value = tf.split(self.c_attn(encoder_hidden), 2, -1)
            return split_heads(key, self.head_size), split_heads(value, self.head_size)

        query = split_heads(self.q_attn(hidden), self.head_size)  # [B, N, T, H]
        key, value = keys_and_values() if memory is None else memory.once(keys_and_values)  # [B, N, S, H]
        context, weights = self.attend(
            query, key, value, score_mask, self.attn_dropout, head_mask, training, self.scale
        )
        return self.resid_dropout(self.c_proj(join_heads(context)), training=training), weights


class TFGPT2MLP(layers.Layer):
    """The feed-forward block: wider, and back."""

    def __init__(self, config: GPT2Config, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.c_fc = Conv1D(config.inner_width, config.n_embd, name="c_fc", dtype=dtype)
        self.c_proj = Conv1D(config.n_embd, config.inner_width, name="c_proj", dtype=dtype)
        self.activation = activation(config.activation_function)
        self.dropout = Dropout(config.resid_pdrop, name="dropout", dtype=dtype)

    def call(self, hidden: tf.Tensor, training: bool = False) -> tf.Tensor:
        widened = self.activation(self.c_fc(hidden))  # [B, T, F]
        return self.dropout(self.c_proj(widened), training=training)


class TFGPT2Block(CheckpointedLayer):
    """One layer: attention, perhaps to an encoder too, then feed-forward; each part normalizes what it reads."""

    def __init__(self, config: GPT2Config, heads: int, layer: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        norm = partial(LayerNorm, config.n_embd, epsilon=config.layer_norm_epsilon, dtype=dtype)
        crossing = partial(TFGPT2CrossAttention, config, layer, name="crossattention", dtype=dtype)
        self.ln_1 = norm(name="ln_1")
        self.attn = TFGPT2Attention(config, heads, layer, name="attn", dtype=dtype)
        self.ln_cross_attn = norm(name="ln_cross_attn") if config.add_cross_attention else None
        self.crossattention = crossing() if config.add_cross_attention else None
        self.ln_2 = norm(name="ln_2")
        self.mlp = TFGPT2MLP(config, name="mlp", dtype=dtype)

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
        attended, weights = self.attn(self.ln_1(hidden), score_mask, head_mask, memory=memory, training=training)
        hidden = hidden + attended
        cross_weights = None
        if self.crossattention is not None and self.ln_cross_attn is not None and encoder_hidden is not None:
            attended, cross_weights = self.crossattention(
                self.ln_cross_attn(hidden), encoder_hidden, encoder_mask, head_mask, memory=memory, training=training
            )
            hidden = hidden + attended
        return hidden + self.mlp(self.ln_2(hidden), training=training), weights, cross_weights


class TFGPT2PreTrainedModel(TFPreTrainedModel):
    """Base of every GPT-2 model in Keras."""

    config_class = GPT2Config
    base_model_prefix = "transformer"
    config: GPT2Config


def check_inputs(
    config: GPT2Config,
    input_ids: tf.Tensor | None,
    inputs_embeds: tf.Tensor | None,
    token_type_ids: tf.Tensor | None,
    position_ids: tf.Tensor | None,
    encoder_hidden_states: tf.Tensor | None,
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


class TFGPT2Model(TFGPT2PreTrainedModel):
    """The bare decoder: hidden states."""

    def __init__(self, config: GPT2Config, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.wte = Embedding(config.vocab_size, config.n_embd, name="wte", dtype=dtype)
        self.wpe = Embedding(config.n_positions, config.n_embd, name="wpe", dtype=dtype)
        self.drop = Dropout(config.embd_pdrop, name="drop", dtype=dtype)
        self.h = [
            TFGPT2Block(config, heads, layer, name=f"h.{layer}", dtype=dtype)
            for layer, heads in enumerate(heads_per_layer(config))
        ]
        self.ln_f = LayerNorm(config.n_embd, epsilon=config.layer_norm_epsilon, name="ln_f", dtype=dtype)

    def embed(
        self,
        input_ids: tf.Tensor | None,
        token_type_ids: tf.Tensor | None,
        position_ids: tf.Tensor | None,
        inputs_embeds: tf.Tensor | None,
        past: int | tf.Tensor,
        training: bool,
    ) -> tf.Tensor:
        """Tokens and positions, and tokens again that say of what kind each is: [B, T, D]."""
        hidden = self.wte(input_ids) if inputs_embeds is None else inputs_embeds
        if position_ids is None:
            length = ops.shape(hidden)[1]
            check_length(past + length, self.wpe.input_dim)
            position_ids = (past + tf.range(length))[None]  # [1, T]; XLA wants to know the size of a range
        hidden = hidden + self.wpe(position_ids)
        hidden = hidden if token_type_ids is None else hidden + self.wte(token_type_ids)
        return self.drop(hidden, training=training)

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        past_key_values: Any = None,
        attention_mask: tf.Tensor | None = None,
        token_type_ids: tf.Tensor | None = None,
        position_ids: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        inputs_embeds: tf.Tensor | None = None,
        encoder_hidden_states: tf.Tensor | None = None,
        encoder_attention_mask: tf.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
        *,
        cache_position: tf.Tensor | None = None,
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
            encoder_hidden_states: [B, E, D], what a model with cross-attention attends to.
            encoder_attention_mask: [B, E] or [B, T, E], as `attention_mask`.
            use_cache: Whether keys and values are returned; as the configuration says if None.
            training: Whether dropout is on.
            cache_position: [T], another way to say `position_ids`, the same for every row.

        Returns:
            `BaseModelOutputWithPastAndCrossAttentions`, or a tuple with `return_dict=False`. Its `hidden_states` are
            what each layer reads, and last what the model answers.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        recomputes = training and self.is_gradient_checkpointing  # and then there is nothing to keep for a next call
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict, False if recomputes else use_cache)
        position_ids = cache_position[None] if position_ids is None and cache_position is not None else position_ids
        check_inputs(self.config, input_ids, inputs_embeds, token_type_ids, position_ids, encoder_hidden_states)
        cache = Cache.open(past_key_values, wanted.cache, len(self.h))
        past = cache.length if cache is not None else 0
        hidden = self.embed(input_ids, token_type_ids, position_ids, inputs_embeds, past, training)  # [B, T, D]
        reach = cache.reach(ops.shape(hidden)[1]) if cache is not None else None
        score_mask = preceding_mask(attention_mask, hidden, past, reach)
        encoder_mask = None
        if encoder_hidden_states is not None:
            encoder_mask = padding_mask(encoder_attention_mask, encoder_hidden_states)
        head_masks = per_layer_head_masks(head_mask, len(self.h))
        memories = [None] * len(self.h) if cache is None else cache.layers
        states, attentions, cross_attentions = (), (), ()
        for block, own_head_mask, memory in zip(self.h, head_masks, memories, strict=True):
            states += wanted.state(hidden)
            hidden, weights, cross_weights = block(
                hidden, score_mask, own_head_mask, encoder_hidden_states, encoder_mask,
                memory=memory, training=training,
            )  # fmt: skip
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


class TFGPT2LMHeadModel(TFGPT2PreTrainedModel, TFGenerationMixin):
    """GPT-2 with a score for each token that may come next."""

    def __init__(self, config: GPT2Config, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.transformer = TFGPT2Model(config, name="transformer", dtype=dtype)
        tied = partial(TiedDense, self.transformer.get_input_embeddings)
        untied = partial(Dense, config.n_embd, config.vocab_size, use_bias=False)
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
        encoder_hidden_states: tf.Tensor | None = None,
        encoder_attention_mask: tf.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        labels: tf.Tensor | None = None,
        training: bool = False,
        *,
        cache_position: tf.Tensor | None = None,
        logits_to_keep: int | tf.Tensor = 0,
    ) -> Any:
        """Predict the token after each position; the arguments are those of `TFGPT2Model`, and

        Args:
            labels: [B, T] the tokens themselves, -100 where one is not to be predicted.
            logits_to_keep: Score only this many last positions, all if 0; or the positions in a vector.

        Returns:
            `CausalLMOutputWithCrossAttentions`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.transformer(
            input_ids, past_key_values=past_key_values, attention_mask=attention_mask, token_type_ids=token_type_ids,
            position_ids=position_ids, head_mask=head_mask, inputs_embeds=inputs_embeds,
            encoder_hidden_states=encoder_hidden_states, encoder_attention_mask=encoder_attention_mask,
            use_cache=use_cache, output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states,
            return_dict=True, training=training, cache_position=cache_position,
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


class TFGPT2DoubleHeadsModel(TFGPT2PreTrainedModel):
    """GPT-2 with a score for each token that may come next, and one for each of several choices of a text."""

    def __init__(self, config: GPT2Config, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        config.num_labels = 1  # a choice has one score
        self.transformer = TFGPT2Model(config, name="transformer", dtype=dtype)
        tied = partial(TiedDense, self.transformer.get_input_embeddings)
        untied = partial(Dense, config.n_embd, config.vocab_size, use_bias=False)
        self.lm_head = (tied if config.tie_word_embeddings else untied)(name="lm_head", dtype=dtype)
        self.multiple_choice_head = SequenceSummary(config, name="multiple_choice_head", dtype=dtype)

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        past_key_values: Any = None,
        attention_mask: tf.Tensor | None = None,
        token_type_ids: tf.Tensor | None = None,
        position_ids: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        inputs_embeds: tf.Tensor | None = None,
        mc_token_ids: tf.Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
        *,
        labels: tf.Tensor | None = None,
        mc_labels: tf.Tensor | None = None,
        cache_position: tf.Tensor | None = None,
    ) -> Any:
        """Predict tokens and score choices; the arguments are those of `TFGPT2Model`, [B, C, T] for [B, T], and

        Args:
            mc_token_ids: [B, C], the place of the token that each choice's score is read from; the last if not given.
            labels: [B, C, T] the tokens themselves, -100 where one is not to be predicted.
            mc_labels: [B], the right choice.

        Returns:
            `GPT2DoubleHeadsModelOutput`, or a tuple with `return_dict=False`. Its `hidden_states` are [B C, T, D], the
            last one [B, C, T, D].
        """
        check_one_of(input_ids, inputs_embeds)
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        axes = leading_axes(input_ids, inputs_embeds, ops)
        rows = choices_as_rows if len(axes) == 2 else identity
        outputs = self.transformer(
            rows(input_ids), past_key_values=past_key_values, attention_mask=rows(attention_mask),
            token_type_ids=rows(token_type_ids), position_ids=rows(position_ids), head_mask=head_mask,
            inputs_embeds=rows(inputs_embeds), use_cache=use_cache, output_attentions=wanted.attentions,
            output_hidden_states=wanted.hidden_states, return_dict=True, training=training,
            cache_position=cache_position,
        )  # fmt: skip
        last = outputs.last_hidden_state
        hidden = tf.reshape(last, (*axes, *ops.shape(last)[1:]))  # [B, C, T, D]
        check_indices(mc_token_ids, ops.shape(hidden)[-2], "mc_token_ids")
        logits = self.lm_head(hidden)  # [B, C, T, V]
        mc_logits = self.multiple_choice_head(hidden, mc_token_ids, training=training)  # [B, C, L]
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


class TFGPT2ForSequenceClassification(TFGPT2PreTrainedModel):
    """GPT-2 with a classifier of whole sequences, on the rightmost token that is no padding."""

    def __init__(self, config: GPT2Config, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.transformer = TFGPT2Model(config, name="transformer", dtype=dtype)
        self.score = Dense(config.n_embd, config.num_labels, use_bias=False, name="score", dtype=dtype)

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
        """Classify sequences; the arguments are those of `TFGPT2Model`, and

        Args:
            labels: [B] class indices; [B] or [B, L] targets for regression; [B, L] zeros and ones for several each.

        Returns:
            `SequenceClassifierOutputWithPast`, or a tuple with `return_dict=False`.

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
        logits = self.score(rightmost(outputs.last_hidden_state, input_ids, self.config.pad_token_id))  # [B, L]
        output = SequenceClassifierOutputWithPast(
            loss=sequence_classification_loss(logits, labels, self.config, ops),
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class TFGPT2ForTokenClassification(
    TokenClassification,
    TFGPT2PreTrainedModel,
    backbone=TFGPT2Model,
    before="use_cache",
    decoding=("past_key_values", "use_cache"),
):
    """GPT-2 with a classifier of every token."""


class TFGPT2ForQuestionAnswering(
    QuestionAnswering, TFGPT2PreTrainedModel, backbone=TFGPT2Model, before="output_attentions"
):
    """GPT-2 with scores for where an answer starts and ends."""
