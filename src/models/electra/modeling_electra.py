"""ELECTRA in PyTorch (Clark et al. 2020, https://arxiv.org/abs/2003.10555).

The encoder is BERT's (`models/bert`). What differs: embeddings have a width of their own and are projected; there is no
pooled summary; a discriminator tells which tokens were replaced, and a generator's head is as wide as the embeddings.

Shape letters: B batch, T length, S positions attended to, E width of the embeddings, D width, N heads, V vocabulary,
C choices.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...backends.checks import check_length, warn_unless_decoder
from ...backends.torch import ops
from ...backends.torch.activations import activation
from ...backends.torch.attention import causal_mask, padding_mask, per_layer_head_masks
from ...backends.torch.cache import Cache
from ...backends.torch.generation import GenerationMixin
from ...backends.torch.heads import (
    FirstTokenClassification,
    MultipleChoice,
    QuestionAnswering,
    SequenceSummary,
    TokenClassification,
)
from ...backends.torch.model import PreTrainedModel
from ...losses import causal_language_model_loss, cross_entropy, replaced_token_loss
from ...outputs import (
    BaseModelOutputWithPastAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    ElectraForPreTrainingOutput,
    MaskedLMOutput,
)
from ..bert.modeling_bert import BertEncoder, BertUnusedPositions, check_inputs
from .configuration_electra import ElectraConfig


class ElectraEmbeddings(nn.Module):
    """Token, segment and position embeddings, summed and normalized."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        width = config.embedding_size
        positions = nn.Embedding if config.position_embedding_type == "absolute" else BertUnusedPositions
        self.word_embeddings = nn.Embedding(config.vocab_size, width, padding_idx=config.pad_token_id)
        self.position_embeddings = positions(config.max_position_embeddings, width)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, width)
        self.LayerNorm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(
        self,
        input_ids: Tensor | None,
        token_type_ids: Tensor | None,
        position_ids: Tensor | None,
        inputs_embeds: Tensor | None,
        past: int,
    ) -> Tensor:
        words = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds  # [B, T, E]
        length = past + words.shape[1]
        if position_ids is None:
            check_length(length, self.position_embeddings.num_embeddings)
            position_ids = torch.arange(past, length, device=words.device)[None]  # [1, T]
        segments = self.token_type_embeddings(
            torch.zeros_like(position_ids) if token_type_ids is None else token_type_ids
        )
        embedded = words + segments + self.position_embeddings(position_ids)
        return self.dropout(self.LayerNorm(embedded))


class ElectraDiscriminatorPredictions(nn.Module):
    """How sure each token is to be a replaced one."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.activation = activation(config.hidden_act)
        self.dense_prediction = nn.Linear(config.hidden_size, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.dense_prediction(self.activation(self.dense(hidden)))[..., 0]  # [B, T]


class ElectraGeneratorPredictions(nn.Module):
    """What a position goes through before its token is predicted."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.embedding_size)
        self.activation = activation("gelu")
        self.LayerNorm = nn.LayerNorm(config.embedding_size, eps=config.layer_norm_eps)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.LayerNorm(self.activation(self.dense(hidden)))  # [B, T, E]


class ElectraPreTrainedModel(PreTrainedModel):
    """Base of every ELECTRA model in PyTorch."""

    config_class = ElectraConfig
    base_model_prefix = "electra"
    config: ElectraConfig


class ElectraModel(ElectraPreTrainedModel):
    """The bare encoder or decoder: hidden states."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config)
        width = config.hidden_size
        is_projected = config.embedding_size != width
        self.score_mask = causal_mask if config.is_decoder else padding_mask
        self.embeddings = ElectraEmbeddings(config)
        self.embeddings_project = nn.Linear(config.embedding_size, width) if is_projected else nn.Identity()
        self.encoder = BertEncoder(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        past_key_values: Any = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
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

        Returns:
            `BaseModelOutputWithPastAndCrossAttentions`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        use_cache = use_cache if self.config.is_decoder else False
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict, use_cache)
        check_inputs(self.config, input_ids, inputs_embeds, token_type_ids, position_ids, encoder_hidden_states)
        cache = Cache.open(past_key_values, wanted.cache, self.config.num_hidden_layers)
        past = cache.length if cache is not None else 0
        embedded = self.embeddings(input_ids, token_type_ids, position_ids, inputs_embeds, past)  # [B, T, E]
        hidden = self.embeddings_project(embedded)  # [B, T, D]
        reach = cache.reach(hidden.shape[1]) if cache is not None else None
        score_mask = self.score_mask(attention_mask, hidden, past, reach)
        encoder_mask = None
        if encoder_hidden_states is not None:
            encoder_mask = padding_mask(encoder_attention_mask, encoder_hidden_states)
        head_masks = per_layer_head_masks(head_mask, self.config.num_hidden_layers)
        hidden, states, attentions, cross_attentions = self.encoder(
            hidden, score_mask, head_masks, encoder_hidden_states, encoder_mask, cache, wanted
        )
        output = BaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=hidden,
            past_key_values=cache if wanted.cache else None,
            hidden_states=states or None,
            attentions=attentions or None,
            cross_attentions=cross_attentions or None,
        )
        return wanted.answer(output)


class ElectraForPreTraining(ElectraPreTrainedModel):
    """ELECTRA as the discriminator that it is trained as: which tokens were replaced?"""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config)
        self.electra = ElectraModel(config)
        self.discriminator_predictions = ElectraDiscriminatorPredictions(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Tell which tokens were replaced; the arguments are those of `ElectraModel`, and

        Args:
            labels: [B, T], 1 where a token was replaced and 0 where it was not; padding takes no part.

        Returns:
            `ElectraForPreTrainingOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.electra(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds, use_cache=False,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.discriminator_predictions(outputs.last_hidden_state)  # [B, T]
        output = ElectraForPreTrainingOutput(
            loss=replaced_token_loss(logits, labels, attention_mask, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class ElectraForCausalLM(ElectraPreTrainedModel, GenerationMixin):
    """ELECTRA as a decoder that predicts the next token; wants `is_decoder=True`."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config)
        warn_unless_decoder(config, "ElectraForCausalLM")
        self.electra = ElectraModel(config)
        self.generator_predictions = ElectraGeneratorPredictions(config)
        self.generator_lm_head = nn.Linear(config.embedding_size, config.vocab_size)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        past_key_values: Any = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Predict the token after each position; the arguments are those of `ElectraModel`, and

        Args:
            labels: [B, T] the tokens themselves, -100 where one is not to be predicted.

        Returns:
            `CausalLMOutputWithCrossAttentions`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        use_cache = use_cache if labels is None else False  # there is nothing to read on to
        outputs = self.electra(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            encoder_hidden_states, encoder_attention_mask, past_key_values, use_cache,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
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


class ElectraForMaskedLM(ElectraPreTrainedModel):
    """ELECTRA with a head that predicts masked tokens."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config)
        self.electra = ElectraModel(config)
        self.generator_predictions = ElectraGeneratorPredictions(config)
        self.generator_lm_head = nn.Linear(config.embedding_size, config.vocab_size)

    def set_output_embeddings(self, word_embeddings: nn.Module) -> None:
        """Put another module in the place of the one that scores tokens; 4.x calls the argument so in this class."""
        super().set_output_embeddings(word_embeddings)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Predict the token at each position; the arguments are those of `ElectraModel`, and

        Args:
            labels: [B, T] tokens, -100 where one is not to be predicted.

        Returns:
            `MaskedLMOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.electra(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds, use_cache=False,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.generator_lm_head(self.generator_predictions(outputs.last_hidden_state))  # [B, T, V]
        output = MaskedLMOutput(
            loss=cross_entropy(logits, labels, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class ElectraForSequenceClassification(FirstTokenClassification, ElectraPreTrainedModel, backbone=ElectraModel):
    """ELECTRA with a classifier of whole sequences."""

    function = "gelu"


class ElectraForMultipleChoice(MultipleChoice, ElectraPreTrainedModel, backbone=ElectraModel):
    """ELECTRA with a score for each of several choices, on the summary that the configuration describes."""

    def make_summary(self, config: ElectraConfig) -> None:
        self.sequence_summary = SequenceSummary(config)

    def summarize(self, outputs: Any) -> Tensor:
        return self.sequence_summary(outputs.last_hidden_state)  # [B C, D]


class ElectraForTokenClassification(TokenClassification, ElectraPreTrainedModel, backbone=ElectraModel):
    """ELECTRA with a classifier of every token."""


class ElectraForQuestionAnswering(QuestionAnswering, ElectraPreTrainedModel, backbone=ElectraModel):
    """ELECTRA with scores for where an answer starts and ends."""
