"""GPT in Keras (Radford et al. 2018, Improving Language Understanding by Generative Pre-Training).

Shape letters: B batch, C choices, T length, D width, N heads, H head size, F feed-forward width, L labels, V
vocabulary.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import tensorflow as tf
from keras import layers

from ...backends.cache import heads_per_layer
from ...backends.checks import check_one_of
from ...backends.heads import leading_axes
from ...backends.tensorflow import ops
from ...backends.tensorflow.activations import activation, identity
from ...backends.tensorflow.attention import attend, following_mask, join_heads, per_layer_head_masks, split_heads
from ...backends.tensorflow.checks import check_indices, check_length, check_token_ids
from ...backends.tensorflow.generation import TFGenerationMixin
from ...backends.tensorflow.heads import SequenceSummary, choices_as_rows, rightmost
from ...backends.tensorflow.layers import CheckpointedLayer, Conv1D, Dense, Dropout, Embedding, LayerNorm, TiedDense
from ...backends.tensorflow.model import TFPreTrainedModel
from ...losses import causal_language_model_loss, cross_entropy, sequence_classification_loss
from ...outputs import BaseModelOutput, CausalLMOutput, OpenAIGPTDoubleHeadsModelOutput, SequenceClassifierOutput
from .configuration_openai_gpt import OpenAIGPTConfig


class TFOpenAIGPTAttention(layers.Layer):
    """Attention to the tokens before, and its projection."""

    def __init__(self, config: OpenAIGPTConfig, heads: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        width, self.head_size = config.n_embd, config.n_embd // config.n_head
        self.c_attn = Conv1D(3 * heads * self.head_size, width, name="c_attn", dtype=dtype)
        self.c_proj = Conv1D(width, heads * self.head_size, name="c_proj", dtype=dtype)
        self.attn_dropout = Dropout(config.attn_pdrop, name="attn_dropout", dtype=dtype)
        self.resid_dropout = Dropout(config.resid_pdrop, name="resid_dropout", dtype=dtype)

    def call(
        self, hidden: tf.Tensor, score_mask: tf.Tensor | None, head_mask: tf.Tensor | None, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        query, key, value = (split_heads(part, self.head_size) for part in tf.split(self.c_attn(hidden), 3, -1))
        context, weights = attend(query, key, value, score_mask, self.attn_dropout, head_mask, training)
        return self.resid_dropout(self.c_proj(join_heads(context)), training=training), weights


class TFOpenAIGPTMLP(layers.Layer):
    """The feed-forward block: four times as wide, and back."""

    def __init__(self, config: OpenAIGPTConfig, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.c_fc = Conv1D(4 * config.n_embd, config.n_embd, name="c_fc", dtype=dtype)
        self.c_proj = Conv1D(config.n_embd, 4 * config.n_embd, name="c_proj", dtype=dtype)
        self.activation = activation(config.activation)
        self.dropout = Dropout(config.resid_pdrop, name="dropout", dtype=dtype)

    def call(self, hidden: tf.Tensor, training: bool = False) -> tf.Tensor:
        widened = self.activation(self.c_fc(hidden))  # [B, T, F]
        return self.dropout(self.c_proj(widened), training=training)


class TFOpenAIGPTBlock(CheckpointedLayer):
    """One layer: attention, then feed-forward; each sum is normalized."""

    def __init__(self, config: OpenAIGPTConfig, heads: int, *, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        norm = partial(LayerNorm, config.n_embd, epsilon=config.layer_norm_epsilon, dtype=dtype)
        self.attn = TFOpenAIGPTAttention(config, heads, name="attn", dtype=dtype)
        self.ln_1 = norm(name="ln_1")
        self.mlp = TFOpenAIGPTMLP(config, name="mlp", dtype=dtype)
        self.ln_2 = norm(name="ln_2")

    def call(
        self, hidden: tf.Tensor, score_mask: tf.Tensor | None, head_mask: tf.Tensor | None, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        attended, weights = self.attn(hidden, score_mask, head_mask, training=training)
        hidden = self.ln_1(hidden + attended)
        return self.ln_2(hidden + self.mlp(hidden, training=training)), weights


class TFOpenAIGPTPreTrainedModel(TFPreTrainedModel):
    """Base of every GPT model in Keras."""

    config_class = OpenAIGPTConfig
    base_model_prefix = "transformer"
    config: OpenAIGPTConfig


def check_inputs(
    config: OpenAIGPTConfig,
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


class TFOpenAIGPTModel(TFOpenAIGPTPreTrainedModel):
    """The bare decoder: hidden states."""

    def __init__(self, config: OpenAIGPTConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.tokens_embed = Embedding(config.vocab_size, config.n_embd, name="tokens_embed", dtype=dtype)
        self.positions_embed = Embedding(config.n_positions, config.n_embd, name="positions_embed", dtype=dtype)
        self.drop = Dropout(config.embd_pdrop, name="drop", dtype=dtype)
        self.h = [
            TFOpenAIGPTBlock(config, heads, name=f"h.{layer}", dtype=dtype)
            for layer, heads in enumerate(heads_per_layer(config))
        ]

    def embed(
        self,
        input_ids: tf.Tensor | None,
        token_type_ids: tf.Tensor | None,
        position_ids: tf.Tensor | None,
        inputs_embeds: tf.Tensor | None,
        training: bool,
    ) -> tf.Tensor:
        """Tokens and positions, and tokens again that say of what kind each is: [B, T, D]."""
        hidden = self.tokens_embed(input_ids) if inputs_embeds is None else inputs_embeds
        if position_ids is None:
            length = ops.shape(hidden)[1]
            check_length(length, self.positions_embed.input_dim)
            position_ids = tf.range(length)[None]  # [1, T]
        hidden = hidden + self.positions_embed(position_ids)
        hidden = hidden if token_type_ids is None else hidden + self.tokens_embed(token_type_ids)
        return self.drop(hidden, training=training)

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
    ) -> Any:
        """Read a batch of sequences.

        Args:
            input_ids: [B, T] integers.
            attention_mask: [B, T], 1 where a token counts and 0 where it is padding; or [B, T, T], its own for each
                position.
            token_type_ids: [B, T], tokens of the vocabulary that say of what kind each token is.
            position_ids: [B, T] or [1, T]; counted from 0 if not given.
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            inputs_embeds: [B, T, D] instead of `input_ids`.
            training: Whether dropout is on.

        Returns:
            `BaseModelOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        check_inputs(self.config, input_ids, inputs_embeds, token_type_ids, position_ids)
        hidden = self.embed(input_ids, token_type_ids, position_ids, inputs_embeds, training)  # [B, T, D]
        score_mask = following_mask(attention_mask, hidden)
        states, attentions = (), ()
        for block, own_head_mask in zip(self.h, per_layer_head_masks(head_mask, len(self.h)), strict=True):
            states += wanted.state(hidden)
            hidden, weights = block(hidden, score_mask, own_head_mask, training=training)
            attentions += wanted.attention(weights)
        states += wanted.state(hidden)
        return wanted.answer(BaseModelOutput(hidden, states or None, attentions or None))


class TFOpenAIGPTLMHeadModel(TFOpenAIGPTPreTrainedModel, TFGenerationMixin):
    """GPT with a score for each token that may come next."""

    reads_tokens_alone = True

    def __init__(self, config: OpenAIGPTConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.transformer = TFOpenAIGPTModel(config, name="transformer", dtype=dtype)
        tied = partial(TiedDense, self.transformer.get_input_embeddings)
        untied = partial(Dense, config.n_embd, config.vocab_size, use_bias=False)
        self.lm_head = (tied if config.tie_word_embeddings else untied)(name="lm_head", dtype=dtype)

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
        """Predict the token after each position; the arguments are those of `TFOpenAIGPTModel`, and

        Args:
            labels: [B, T] the tokens themselves, -100 where one is not to be predicted.

        Returns:
            `CausalLMOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.transformer(
            input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids, position_ids=position_ids,
            head_mask=head_mask, inputs_embeds=inputs_embeds, output_attentions=wanted.attentions,
            output_hidden_states=wanted.hidden_states, return_dict=True, training=training,
        )  # fmt: skip
        logits = self.lm_head(outputs.last_hidden_state)  # [B, T, V]
        loss = causal_language_model_loss(logits, labels, ops)
        return wanted.answer(CausalLMOutput(loss, logits, outputs.hidden_states, outputs.attentions))


class TFOpenAIGPTDoubleHeadsModel(TFOpenAIGPTPreTrainedModel):
    """GPT with a score for each token that may come next, and one for each of several choices of a text."""

    def __init__(self, config: OpenAIGPTConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        config.num_labels = 1  # a choice has one score
        self.transformer = TFOpenAIGPTModel(config, name="transformer", dtype=dtype)
        tied = partial(TiedDense, self.transformer.get_input_embeddings)
        untied = partial(Dense, config.n_embd, config.vocab_size, use_bias=False)
        self.lm_head = (tied if config.tie_word_embeddings else untied)(name="lm_head", dtype=dtype)
        self.multiple_choice_head = SequenceSummary(config, name="multiple_choice_head", dtype=dtype)

    def call(
        self,
        input_ids: tf.Tensor | None = None,
        attention_mask: tf.Tensor | None = None,
        token_type_ids: tf.Tensor | None = None,
        position_ids: tf.Tensor | None = None,
        head_mask: tf.Tensor | None = None,
        inputs_embeds: tf.Tensor | None = None,
        mc_token_ids: tf.Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        training: bool = False,
        *,
        labels: tf.Tensor | None = None,
        mc_labels: tf.Tensor | None = None,
    ) -> Any:
        """Predict tokens and score choices; the arguments are those of `TFOpenAIGPTModel`, [B, C, T] for [B, T], and

        Args:
            mc_token_ids: [B, C], the place of the token that each choice's score is read from; the last if not given.
            labels: [B, C, T] the tokens themselves, -100 where one is not to be predicted.
            mc_labels: [B], the right choice.

        Returns:
            `OpenAIGPTDoubleHeadsModelOutput`, or a tuple with `return_dict=False`. Its `hidden_states` are [B C, T, D],
            the last one [B, C, T, D].
        """
        check_one_of(input_ids, inputs_embeds)
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        axes = leading_axes(input_ids, inputs_embeds, ops)
        rows = choices_as_rows if len(axes) == 2 else identity
        outputs = self.transformer(
            rows(input_ids), attention_mask=rows(attention_mask), token_type_ids=rows(token_type_ids),
            position_ids=rows(position_ids), head_mask=head_mask, inputs_embeds=rows(inputs_embeds),
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
            training=training,
        )  # fmt: skip
        last = outputs.last_hidden_state
        hidden = tf.reshape(last, (*axes, *ops.shape(last)[1:]))  # [B, C, T, D]
        check_indices(mc_token_ids, ops.shape(hidden)[-2], "mc_token_ids")
        logits = self.lm_head(hidden)  # [B, C, T, V]
        mc_logits = self.multiple_choice_head(hidden, mc_token_ids, training=training)  # [B, C, L]
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


class TFOpenAIGPTForSequenceClassification(TFOpenAIGPTPreTrainedModel):
    """GPT with a classifier of whole sequences, on the rightmost token that is no padding."""

    def __init__(self, config: OpenAIGPTConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        dtype = self.dtype_policy
        self.transformer = TFOpenAIGPTModel(config, name="transformer", dtype=dtype)
        self.score = Dense(config.n_embd, config.num_labels, use_bias=False, name="score", dtype=dtype)

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
        """Classify sequences; the arguments are those of `TFOpenAIGPTModel`, and

        Args:
            labels: [B] class indices; [B] or [B, L] targets for regression; [B, L] zeros and ones for several each.

        Returns:
            `SequenceClassifierOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: There are several sequences, and the configuration has no padding token.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.transformer(
            input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids, position_ids=position_ids,
            head_mask=head_mask, inputs_embeds=inputs_embeds, output_attentions=wanted.attentions,
            output_hidden_states=wanted.hidden_states, return_dict=True, training=training,
        )  # fmt: skip
        logits = self.score(rightmost(outputs.last_hidden_state, input_ids, self.config.pad_token_id))  # [B, L]
        loss = sequence_classification_loss(logits, labels, self.config, ops)
        return wanted.answer(SequenceClassifierOutput(loss, logits, outputs.hidden_states, outputs.attentions))
