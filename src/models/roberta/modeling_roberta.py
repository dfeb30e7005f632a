"""RoBERTa in PyTorch (Liu et al. 2019, https://arxiv.org/abs/1907.11692).

The encoder is BERT's (`models/bert`). What differs: positions are counted from the padding token's number, in a table
whose row for padding stays zero; the head for tokens is one block; a classifier of texts has two layers and reads no
summary.

Shape letters: B batch, T length, D width, V vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...backends.checks import warn_unless_decoder
from ...backends.positions import positions_after_padding, required_padding
from ...backends.torch import ops
from ...backends.torch.activations import activation
from ...backends.torch.attention import causal_mask, padding_mask, per_layer_head_masks
from ...backends.torch.cache import Cache
from ...backends.torch.checks import check_positions
from ...backends.torch.generation import GenerationMixin
from ...backends.torch.heads import FirstTokenClassification, MultipleChoice, QuestionAnswering, TokenClassification
from ...backends.torch.model import PreTrainedModel
from ...losses import causal_language_model_loss, cross_entropy
from ...outputs import BaseModelOutputWithPoolingAndCrossAttentions, CausalLMOutputWithCrossAttentions, MaskedLMOutput
from ..bert.modeling_bert import BertEncoder, BertPooler, BertUnusedPositions, check_inputs
from .configuration_roberta import RobertaConfig


class RobertaEmbeddings(nn.Module):
    """Token, segment and position embeddings, summed and normalized."""

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__()
        width = config.hidden_size
        positions = nn.Embedding if config.position_embedding_type == "absolute" else BertUnusedPositions
        self.padding = config.pad_token_id
        self.word_embeddings = nn.Embedding(config.vocab_size, width, padding_idx=config.pad_token_id)
        self.position_embeddings = positions(config.max_position_embeddings, width, padding_idx=config.pad_token_id)
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
        words = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds  # [B, T, D]
        if position_ids is None:
            position_ids = self.counted(input_ids, words, past)
        segments = self.token_type_embeddings(
            torch.zeros_like(position_ids) if token_type_ids is None else token_type_ids
        )
        embedded = words + segments + self.position_embeddings(position_ids)
        return self.dropout(self.LayerNorm(embedded))

    def counted(self, input_ids: Tensor | None, words: Tensor, past: int) -> Tensor:
        """The position of each token, from the one after the padding's on: [B, T] or [1, T]."""
        padding, rows = required_padding(self.padding), self.position_embeddings.num_embeddings
        positions = positions_after_padding(input_ids, words, padding, rows, past, ops)
        check_positions(positions, padding, rows)
        return positions


class RobertaLMHead(nn.Module):
    """A score for each token. The decoder's bias, and its table where weights are tied, are shared."""

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.activation = activation("gelu")
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, hidden: Tensor) -> Tensor:
        return self.decoder(self.layer_norm(self.activation(self.dense(hidden))))  # [B, T, V]


class RobertaPreTrainedModel(PreTrainedModel):
    """Base of every RoBERTa model in PyTorch."""

    config_class = RobertaConfig
    base_model_prefix = "roberta"
    config: RobertaConfig


class RobertaModel(RobertaPreTrainedModel):
    """The bare encoder or decoder: hidden states, and a summary of each sequence.

    Args:
        config: What the model is.
        add_pooling_layer: Whether there is a summary.
    """

    def __init__(self, config: RobertaConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.score_mask = causal_mask if config.is_decoder else padding_mask
        self.embeddings = RobertaEmbeddings(config)
        self.encoder = BertEncoder(config)
        self.pooler = BertPooler(config) if add_pooling_layer else None

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
            position_ids: [B, T] or [1, T]; if not given, tokens are counted from `pad_token_id + 1` on, after those in
                the cache, and padding is at `pad_token_id`; embeddings are counted as if the cache were empty.
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            inputs_embeds: [B, T, D] instead of `input_ids`.
            encoder_hidden_states: [B, E, D], what a decoder with cross-attention attends to.
            encoder_attention_mask: [B, E] or [B, T, E], as `attention_mask`.
            past_key_values: What an earlier call returned, to read on from there.
            use_cache: Whether a decoder returns its keys and values; as the configuration says if None.

        Returns:
            `BaseModelOutputWithPoolingAndCrossAttentions`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        use_cache = use_cache if self.config.is_decoder else False
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict, use_cache)
        check_inputs(self.config, input_ids, inputs_embeds, token_type_ids, position_ids, encoder_hidden_states)
        cache = Cache.open(past_key_values, wanted.cache, self.config.num_hidden_layers)
        past = cache.length if cache is not None else 0
        hidden = self.embeddings(input_ids, token_type_ids, position_ids, inputs_embeds, past)  # [B, T, D]
        reach = cache.reach(hidden.shape[1]) if cache is not None else None
        score_mask = self.score_mask(attention_mask, hidden, past, reach)
        encoder_mask = None
        if encoder_hidden_states is not None:
            encoder_mask = padding_mask(encoder_attention_mask, encoder_hidden_states)
        head_masks = per_layer_head_masks(head_mask, self.config.num_hidden_layers)
        hidden, states, attentions, cross_attentions = self.encoder(
            hidden, score_mask, head_masks, encoder_hidden_states, encoder_mask, cache, wanted
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


class RobertaForCausalLM(RobertaPreTrainedModel, GenerationMixin):
    """RoBERTa as a decoder that predicts the next token; wants `is_decoder=True`."""

    counts_from_zero = False

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__(config)
        warn_unless_decoder(config, "RobertaForCausalLM")
        self.roberta = RobertaModel(config, add_pooling_layer=False)
        self.lm_head = RobertaLMHead(config)

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
        """Predict the token after each position; the arguments are those of `RobertaModel`, and

        Args:
            labels: [B, T] the tokens themselves, -100 where one is not to be predicted.

        Returns:
            `CausalLMOutputWithCrossAttentions`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        use_cache = use_cache if labels is None else False  # there is nothing to read on to
        outputs = self.roberta(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            encoder_hidden_states, encoder_attention_mask, past_key_values, use_cache,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
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


class RobertaForMaskedLM(RobertaPreTrainedModel):
    """RoBERTa with a head that predicts masked tokens."""

    def __init__(self, config: RobertaConfig) -> None:
        super().__init__(config)
        self.roberta = RobertaModel(config, add_pooling_layer=False)
        self.lm_head = RobertaLMHead(config)

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
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Predict the token at each position; the arguments are those of `RobertaModel`, and

        Args:
            labels: [B, T] tokens, -100 where one is not to be predicted.

        Returns:
            `MaskedLMOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.roberta(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            encoder_hidden_states, encoder_attention_mask, use_cache=False,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.lm_head(outputs.last_hidden_state)  # [B, T, V]
        output = MaskedLMOutput(
            loss=cross_entropy(logits, labels, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class RobertaForSequenceClassification(FirstTokenClassification, RobertaPreTrainedModel, backbone=RobertaModel):
    """RoBERTa with a classifier of whole sequences."""


class RobertaForMultipleChoice(
    MultipleChoice,
    RobertaPreTrainedModel,
    backbone=RobertaModel,
    before="position_ids",
    first=("input_ids", "token_type_ids", "attention_mask"),
):
    """RoBERTa with a score for each of several choices; its arguments come in an order of their own."""


class RobertaForTokenClassification(TokenClassification, RobertaPreTrainedModel, backbone=RobertaModel):
    """RoBERTa with a classifier of every token."""


class RobertaForQuestionAnswering(QuestionAnswering, RobertaPreTrainedModel, backbone=RobertaModel):
    """RoBERTa with scores for where an answer starts and ends."""
