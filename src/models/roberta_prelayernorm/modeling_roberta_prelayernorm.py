"""RoBERTa-PreLayerNorm in PyTorch (Ott et al. 2019, https://arxiv.org/abs/1904.01038).

Embeddings and heads are RoBERTa's (`models/roberta`), attention and the pooler BERT's (`models/bert`). What differs:
each block reads normalized states and its sum is left as it is, so the norms stand in `attention` and `intermediate`
and none in the outputs; the model normalizes what the last layer answers, while the hidden states are those before.

Shape letters: B batch, T length, D width, F feed-forward width, V vocabulary.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ...backends.cache import heads_per_layer
from ...backends.checks import warn_unless_decoder
from ...backends.torch import ops
from ...backends.torch.activations import activation
from ...backends.torch.attention import causal_mask, padding_mask, per_layer_head_masks
from ...backends.torch.cache import Cache, LayerCache
from ...backends.torch.generation import GenerationMixin
from ...backends.torch.heads import FirstTokenClassification, MultipleChoice, QuestionAnswering, TokenClassification
from ...backends.torch.layers import CheckpointedLayer, in_chunks
from ...backends.torch.model import PreTrainedModel
from ...losses import causal_language_model_loss, cross_entropy
from ...outputs import (
    BaseModelOutputWithPoolingAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    MaskedLMOutput,
    Wanted,
)
from ..bert.modeling_bert import BertEncoderAttention, BertPooler, BertSelfAttention, check_inputs
from ..roberta.modeling_roberta import RobertaEmbeddings, RobertaLMHead
from .configuration_roberta_prelayernorm import RobertaPreLayerNormConfig


class RobertaPreLayerNormSelfOutput(nn.Module):
    """The projection after attention, with its residual."""

    def __init__(self, config: RobertaPreLayerNormConfig, heads: int) -> None:
        super().__init__()
        width, head_size = config.hidden_size, config.hidden_size // config.num_attention_heads
        self.dense = nn.Linear(heads * head_size, width)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, context: Tensor, hidden: Tensor) -> Tensor:
        return self.dropout(self.dense(context)) + hidden


class RobertaPreLayerNormAttention(nn.Module):
    """A norm, self-attention and its output projection."""

    def __init__(self, config: RobertaPreLayerNormConfig, heads: int) -> None:
        super().__init__()
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.self = BertSelfAttention(config, heads)
        self.output = RobertaPreLayerNormSelfOutput(config, heads)

    def forward(
        self,
        hidden: Tensor,
        score_mask: Tensor | None,
        head_mask: Tensor | None,
        memory: LayerCache | None,
        wanted: Wanted,
    ) -> tuple[Tensor, Tensor | None]:
        context, weights = self.self(self.LayerNorm(hidden), score_mask, head_mask, memory, wanted)
        return self.output(context, hidden), weights


class RobertaPreLayerNormCrossAttention(nn.Module):
    """A norm, attention to an encoder, whose states are read as they are, and its output projection."""

    def __init__(self, config: RobertaPreLayerNormConfig) -> None:
        super().__init__()
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.self = BertEncoderAttention(config)
        self.output = RobertaPreLayerNormSelfOutput(config, config.num_attention_heads)

    def forward(
        self,
        hidden: Tensor,
        encoder_hidden: Tensor,
        score_mask: Tensor | None,
        head_mask: Tensor | None,
        memory: LayerCache | None,
        wanted: Wanted,
    ) -> tuple[Tensor, Tensor | None]:
        normalized = self.LayerNorm(hidden)
        context, weights = self.self(normalized, encoder_hidden, score_mask, head_mask, memory, wanted)
        return self.output(context, hidden), weights


class RobertaPreLayerNormIntermediate(nn.Module):
    """A norm, and the widening half of the feed-forward block."""

    def __init__(self, config: RobertaPreLayerNormConfig) -> None:
        super().__init__()
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = activation(config.hidden_act)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.activation(self.dense(self.LayerNorm(hidden)))  # [B, T, F]


class RobertaPreLayerNormOutput(nn.Module):
    """The narrowing half of the feed-forward block, with its residual."""

    def __init__(self, config: RobertaPreLayerNormConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.intermediate_size, config.hidden_size)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, widened: Tensor, hidden: Tensor) -> Tensor:
        return self.dropout(self.dense(widened)) + hidden


class RobertaPreLayerNormLayer(CheckpointedLayer):
    """One layer: attention, in a decoder attention to the encoder, then feed-forward."""

    def __init__(self, config: RobertaPreLayerNormConfig, heads: int) -> None:
        super().__init__()
        self.chunk_size = config.chunk_size_feed_forward
        self.attention = RobertaPreLayerNormAttention(config, heads)
        self.crossattention = RobertaPreLayerNormCrossAttention(config) if config.add_cross_attention else None
        self.intermediate = RobertaPreLayerNormIntermediate(config)
        self.output = RobertaPreLayerNormOutput(config)

    def forward(
        self,
        hidden: Tensor,
        score_mask: Tensor | None,
        head_mask: Tensor | None,
        encoder_hidden: Tensor | None,
        encoder_mask: Tensor | None,
        memory: LayerCache | None,
        wanted: Wanted,
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        hidden, weights = self.attention(hidden, score_mask, head_mask, memory, wanted)
        cross_weights = None
        if self.crossattention is not None and encoder_hidden is not None:
            hidden, cross_weights = self.crossattention(hidden, encoder_hidden, encoder_mask, head_mask, memory, wanted)
        return in_chunks(self.feed_forward, hidden, self.chunk_size), weights, cross_weights

    def feed_forward(self, hidden: Tensor) -> Tensor:
        return self.output(self.intermediate(hidden), hidden)


class RobertaPreLayerNormEncoder(nn.Module):
    """The stack of layers."""

    def __init__(self, config: RobertaPreLayerNormConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList(RobertaPreLayerNormLayer(config, heads) for heads in heads_per_layer(config))

    def forward(
        self,
        hidden: Tensor,
        score_mask: Tensor | None,
        head_masks: list[Tensor | None],
        encoder_hidden: Tensor | None,
        encoder_mask: Tensor | None,
        cache: Cache | None,
        wanted: Wanted,
    ) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, ...], tuple[Tensor, ...]]:
        states, attentions, cross_attentions = wanted.state(hidden), (), ()
        memories = [None] * len(self.layer) if cache is None else cache.layers
        for layer, head_mask, memory in zip(self.layer, head_masks, memories, strict=True):
            hidden, weights, cross_weights = layer(
                hidden, score_mask, head_mask, encoder_hidden, encoder_mask, memory, wanted
            )
            states += wanted.state(hidden)
            attentions += wanted.attention(weights)
            cross_attentions += wanted.attention(cross_weights)
        return hidden, states, attentions, cross_attentions


class RobertaPreLayerNormPreTrainedModel(PreTrainedModel):
    """Base of every RoBERTa-PreLayerNorm model in PyTorch."""

    config_class = RobertaPreLayerNormConfig
    base_model_prefix = "roberta_prelayernorm"
    config: RobertaPreLayerNormConfig


class RobertaPreLayerNormModel(RobertaPreLayerNormPreTrainedModel):
    """The bare encoder or decoder: hidden states, and a summary of each sequence.

    Args:
        config: What the model is.
        add_pooling_layer: Whether there is a summary.
    """

    def __init__(self, config: RobertaPreLayerNormConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.score_mask = causal_mask if config.is_decoder else padding_mask
        self.embeddings = RobertaEmbeddings(config)
        self.encoder = RobertaPreLayerNormEncoder(config)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
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
        hidden = self.LayerNorm(hidden)
        output = BaseModelOutputWithPoolingAndCrossAttentions(
            last_hidden_state=hidden,
            pooler_output=self.pooler(hidden) if self.pooler is not None else None,
            hidden_states=states or None,
            past_key_values=cache if wanted.cache else None,
            attentions=attentions or None,
            cross_attentions=cross_attentions or None,
        )
        return wanted.answer(output)


class RobertaPreLayerNormForCausalLM(RobertaPreLayerNormPreTrainedModel, GenerationMixin):
    """RoBERTa-PreLayerNorm as a decoder that predicts the next token; wants `is_decoder=True`."""

    counts_from_zero = False

    def __init__(self, config: RobertaPreLayerNormConfig) -> None:
        super().__init__(config)
        warn_unless_decoder(config, "RobertaPreLayerNormForCausalLM")
        self.roberta_prelayernorm = RobertaPreLayerNormModel(config, add_pooling_layer=False)
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
        """Predict the token after each position; the arguments are those of `RobertaPreLayerNormModel`, and

        Args:
            labels: [B, T] the tokens themselves, -100 where one is not to be predicted.

        Returns:
            `CausalLMOutputWithCrossAttentions`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        use_cache = use_cache if labels is None else False  # there is nothing to read on to
        outputs = self.roberta_prelayernorm(
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


class RobertaPreLayerNormForMaskedLM(RobertaPreLayerNormPreTrainedModel):
    """RoBERTa-PreLayerNorm with a head that predicts masked tokens."""

    def __init__(self, config: RobertaPreLayerNormConfig) -> None:
        super().__init__(config)
        self.roberta_prelayernorm = RobertaPreLayerNormModel(config, add_pooling_layer=False)
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
        """Predict the token at each position; the arguments are those of `RobertaPreLayerNormModel`, and

        Args:
            labels: [B, T] tokens, -100 where one is not to be predicted.

        Returns:
            `MaskedLMOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.roberta_prelayernorm(
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


class RobertaPreLayerNormForSequenceClassification(
    FirstTokenClassification, RobertaPreLayerNormPreTrainedModel, backbone=RobertaPreLayerNormModel
):
    """RoBERTa-PreLayerNorm with a classifier of whole sequences."""


class RobertaPreLayerNormForMultipleChoice(
    MultipleChoice,
    RobertaPreLayerNormPreTrainedModel,
    backbone=RobertaPreLayerNormModel,
    before="position_ids",
    first=("input_ids", "token_type_ids", "attention_mask"),
):
    """RoBERTa-PreLayerNorm with a score for each of several choices; its arguments come in an order of their own."""


class RobertaPreLayerNormForTokenClassification(
    TokenClassification, RobertaPreLayerNormPreTrainedModel, backbone=RobertaPreLayerNormModel
):
    """RoBERTa-PreLayerNorm with a classifier of every token."""


class RobertaPreLayerNormForQuestionAnswering(
    QuestionAnswering, RobertaPreLayerNormPreTrainedModel, backbone=RobertaPreLayerNormModel
):
    """RoBERTa-PreLayerNorm with scores for where an answer starts and ends."""
