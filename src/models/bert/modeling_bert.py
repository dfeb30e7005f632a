"""BERT in PyTorch (Devlin et al. 2018, https://arxiv.org/abs/1810.04805).

Shape letters: B batch, T length, S positions attended to, D width, N heads, H head size, F feed-forward width,
V vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...backends.cache import heads_per_layer
from ...backends.checks import check_cross_attention, check_length, check_one_of, warn_unless_decoder
from ...backends.torch import ops
from ...backends.torch.activations import activation
from ...backends.torch.attention import (
    attend,
    causal_mask,
    join_heads,
    padding_mask,
    per_layer_head_masks,
    plus,
    split_heads,
)
from ...backends.torch.cache import Cache, LayerCache
from ...backends.torch.checks import check_indices, check_token_ids
from ...backends.torch.generation import GenerationMixin
from ...backends.torch.heads import MultipleChoice, QuestionAnswering, SequenceClassification, TokenClassification
from ...backends.torch.layers import CheckpointedLayer, in_chunks
from ...backends.torch.model import PreTrainedModel
from ...losses import causal_language_model_loss, cross_entropy
from ...outputs import (
    BaseModelOutputWithPoolingAndCrossAttentions,
    BertForPreTrainingOutput,
    CausalLMOutputWithCrossAttentions,
    MaskedLMOutput,
    NextSentencePredictorOutput,
    Wanted,
)
from .configuration_bert import BertConfig


class BertUnusedPositions(nn.Embedding):
    """The table of positions that checkpoints hold and relative positions do not read."""

    def forward(self, position_ids: Tensor) -> float:
        return 0.0


class BertEmbeddings(nn.Module):
    """Token, segment and position embeddings, summed and normalized."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        width = config.hidden_size
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
        words = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds  # [B, T, D]
        length = past + words.shape[1]
        if position_ids is None:
            check_length(length, self.position_embeddings.num_embeddings)
            position_ids = torch.arange(past, length, device=words.device)[None]  # [1, T]
        segments = self.token_type_embeddings(
            torch.zeros_like(position_ids) if token_type_ids is None else token_type_ids
        )
        embedded = words + segments + self.position_embeddings(position_ids)
        return self.dropout(self.LayerNorm(embedded))


class BertAbsolutePositions(nn.Module):
    """Absolute positions add nothing to attention's scores: they are in the embeddings."""

    def __init__(self, rows: int, size: int) -> None:
        super().__init__()

    def forward(self, query: Tensor, key: Tensor, past: int) -> None:
        return None


class BertRelativeKey(nn.Embedding):
    """Scores of queries with learnt distances (Shaw et al. 2018, https://arxiv.org/abs/1803.02155)."""

    def forward(self, query: Tensor, key: Tensor, past: int) -> Tensor:
        return self.scores(query, key, self.distances(query, key, past)) * query.shape[-1] ** -0.5  # [B, N, T, S]

    def distances(self, query: Tensor, key: Tensor, past: int) -> Tensor:
        """The embedding of how far each query is from each key: [T, S, H]."""
        queries = past + torch.arange(query.shape[2], device=query.device)
        keys = torch.arange(key.shape[2], device=query.device)
        return super().forward(queries[:, None] - keys + self.num_embeddings // 2)

    def scores(self, query: Tensor, key: Tensor, distances: Tensor) -> Tensor:
        return torch.einsum("bnth,tsh->bnts", query, distances)


class BertRelativeKeyQuery(BertRelativeKey):
    """Scores of queries and of keys with learnt distances (Huang et al. 2020, https://arxiv.org/abs/2009.13658)."""

    def scores(self, query: Tensor, key: Tensor, distances: Tensor) -> Tensor:
        return super().scores(query, key, distances) + torch.einsum("bnsh,tsh->bnts", key, distances)


#: What `position_embedding_type` adds to attention's scores.
POSITIONS = {
    "absolute": BertAbsolutePositions,
    "relative_key": BertRelativeKey,
    "relative_key_query": BertRelativeKeyQuery,
}


class BertSelfAttention(nn.Module):
    """Queries, keys and values of one layer, and what each head makes of them."""

    def __init__(self, config: BertConfig, heads: int) -> None:
        super().__init__()
        width, self.head_size = config.hidden_size, config.hidden_size // config.num_attention_heads
        positions = POSITIONS[config.position_embedding_type]
        self.explicit = config._attn_implementation == "eager"
        self.query = nn.Linear(width, heads * self.head_size)
        self.key = nn.Linear(width, heads * self.head_size)
        self.value = nn.Linear(width, heads * self.head_size)
        self.distance_embedding = positions(2 * config.max_position_embeddings - 1, self.head_size)
        self.dropout = nn.Dropout(config.attention_probs_dropout_prob)

    def forward(
        self,
        hidden: Tensor,
        score_mask: Tensor | None,
        head_mask: Tensor | None,
        memory: LayerCache | None,
        wanted: Wanted,
    ) -> tuple[Tensor, Tensor | None]:
        query, key, value = (
            split_heads(project(hidden), self.head_size) for project in (self.query, self.key, self.value)
        )  # [B, N, T, H]
        past = 0
        if memory is not None:
            past = memory.length
            key, value = memory.extend(key, value)  # [B, N, S, H]
        score_mask = plus(score_mask, self.distance_embedding(query, key, past))
        dropout = self.dropout.p if self.training else 0.0
        explicit = self.explicit or wanted.attentions
        context, weights = attend(query, key, value, score_mask, dropout, head_mask, explicit)
        return join_heads(context), weights


class BertEncoderAttention(nn.Module):
    """Queries of a decoder, keys and values of the encoder that it attends to."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        width, self.head_size = config.hidden_size, config.hidden_size // config.num_attention_heads
        self.explicit = config._attn_implementation == "eager"
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.dropout = nn.Dropout(config.attention_probs_dropout_prob)

    def forward(
        self,
        hidden: Tensor,
        encoder_hidden: Tensor,
        score_mask: Tensor | None,
        head_mask: Tensor | None,
        memory: LayerCache | None,
        wanted: Wanted,
    ) -> tuple[Tensor, Tensor | None]:
        def keys_and_values() -> tuple[Tensor, Tensor]:
            key, value = (split_heads(project(encoder_hidden), self.head_size) for project in (self.key, self.value))
            return key, value

        query = split_heads(self.query(hidden), self.head_size)  # [B, N, T, H]
        key, value = keys_and_values() if memory is None else memory.once(keys_and_values)  # [B, N, S, H]
        dropout = self.dropout.p if self.training else 0.0
        explicit = self.explicit or wanted.attentions
        context, weights = attend(query, key, value, score_mask, dropout, head_mask, explicit)
        return join_heads(context), weights


class BertSelfOutput(nn.Module):
    """The projection after attention, with its residual and norm."""

    def __init__(self, config: BertConfig, heads: int) -> None:
        super().__init__()
        width, head_size = config.hidden_size, config.hidden_size // config.num_attention_heads
        self.dense = nn.Linear(heads * head_size, width)
        self.LayerNorm = nn.LayerNorm(width, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, context: Tensor, hidden: Tensor) -> Tensor:
        return self.LayerNorm(self.dropout(self.dense(context)) + hidden)


class BertAttention(nn.Module):
    """Self-attention and its output projection."""

    def __init__(self, config: BertConfig, heads: int) -> None:
        super().__init__()
        self.self = BertSelfAttention(config, heads)
        self.output = BertSelfOutput(config, heads)

    def forward(
        self,
        hidden: Tensor,
        score_mask: Tensor | None,
        head_mask: Tensor | None,
        memory: LayerCache | None,
        wanted: Wanted,
    ) -> tuple[Tensor, Tensor | None]:
        context, weights = self.self(hidden, score_mask, head_mask, memory, wanted)
        return self.output(context, hidden), weights


class BertCrossAttention(nn.Module):
    """Attention to an encoder and its output projection."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.self = BertEncoderAttention(config)
        self.output = BertSelfOutput(config, config.num_attention_heads)

    def forward(
        self,
        hidden: Tensor,
        encoder_hidden: Tensor,
        score_mask: Tensor | None,
        head_mask: Tensor | None,
        memory: LayerCache | None,
        wanted: Wanted,
    ) -> tuple[Tensor, Tensor | None]:
        context, weights = self.self(hidden, encoder_hidden, score_mask, head_mask, memory, wanted)
        return self.output(context, hidden), weights


class BertIntermediate(nn.Module):
    """The widening half of the feed-forward block."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = activation(config.hidden_act)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.activation(self.dense(hidden))  # [B, T, F]


class BertOutput(nn.Module):
    """The narrowing half of the feed-forward block, with its residual and norm."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.intermediate_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, widened: Tensor, hidden: Tensor) -> Tensor:
        return self.LayerNorm(self.dropout(self.dense(widened)) + hidden)


class BertLayer(CheckpointedLayer):
    """One layer: attention, in a decoder attention to the encoder, then feed-forward."""

    def __init__(self, config: BertConfig, heads: int) -> None:
        super().__init__()
        self.chunk_size = config.chunk_size_feed_forward
        self.attention = BertAttention(config, heads)
        self.crossattention = BertCrossAttention(config) if config.add_cross_attention else None
        self.intermediate = BertIntermediate(config)
        self.output = BertOutput(config)

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


class BertEncoder(nn.Module):
    """The stack of layers."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList(BertLayer(config, heads) for heads in heads_per_layer(config))

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


class BertPooler(nn.Module):
    """The first position, projected: a summary of the sequence."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden: Tensor) -> Tensor:
        return torch.tanh(self.dense(hidden[:, 0]))  # [B, D]


class BertPredictionHeadTransform(nn.Module):
    """What a position goes through before its token is predicted."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.activation = activation(config.hidden_act)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.LayerNorm(self.activation(self.dense(hidden)))


class BertLMPredictionHead(nn.Module):
    """A score for each token. The decoder's bias, and its table where weights are tied, are shared."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.transform = BertPredictionHeadTransform(config)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, hidden: Tensor) -> Tensor:
        return self.decoder(self.transform(hidden))  # [B, T, V]


class BertOnlyMLMHead(nn.Module):
    """The head of language models."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.predictions = BertLMPredictionHead(config)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.predictions(hidden)


class BertOnlyNSPHead(nn.Module):
    """The head that tells whether one sentence follows the other."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.seq_relationship = nn.Linear(config.hidden_size, 2)

    def forward(self, pooled: Tensor) -> Tensor:
        return self.seq_relationship(pooled)  # [B, 2]


class BertPreTrainingHeads(nn.Module):
    """Both heads that BERT was trained with."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.predictions = BertLMPredictionHead(config)
        self.seq_relationship = nn.Linear(config.hidden_size, 2)

    def forward(self, hidden: Tensor, pooled: Tensor) -> tuple[Tensor, Tensor]:
        return self.predictions(hidden), self.seq_relationship(pooled)


class BertPreTrainedModel(PreTrainedModel):
    """Base of every BERT model in PyTorch."""

    config_class = BertConfig
    base_model_prefix = "bert"
    config: BertConfig


def check_inputs(
    config: BertConfig,
    input_ids: Tensor | None,
    inputs_embeds: Tensor | None,
    token_type_ids: Tensor | None,
    position_ids: Tensor | None,
    encoder_hidden_states: Tensor | None,
) -> None:
    """Refuse inputs that the model cannot read.

    Raises:
        InputError: An input is absent, has a wrong shape, or an id is out of range.
    """
    check_one_of(input_ids, inputs_embeds)
    if input_ids is not None:
        check_token_ids(input_ids, config.vocab_size)
    check_indices(token_type_ids, config.type_vocab_size, "token_type_ids")
    check_indices(position_ids, config.max_position_embeddings, "position_ids")
    check_cross_attention(encoder_hidden_states, config)


class BertModel(BertPreTrainedModel):
    """The bare encoder or decoder: hidden states, and a summary of each sequence.

    Args:
        config: What the model is.
        add_pooling_layer: Whether there is a summary.
    """

    def __init__(self, config: BertConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.score_mask = causal_mask if config.is_decoder else padding_mask
        self.embeddings = BertEmbeddings(config)
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
            position_ids: [B, T] or [1, T]; counted from the end of the cache if not given.
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


class BertForPreTraining(BertPreTrainedModel):
    """BERT with both heads that it was trained with: for masked tokens, and for the relation of two sentences."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config)
        self.cls = BertPreTrainingHeads(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        next_sentence_label: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Predict tokens and the relation of two sentences; the arguments are those of `BertModel`, and

        Args:
            labels: [B, T] tokens, -100 where one is not to be predicted.
            next_sentence_label: [B], 0 where the second sentence follows the first, 1 where it does not.

        Returns:
            `BertForPreTrainingOutput`, whose loss needs both labels, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.bert(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds, use_cache=False,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        predictions, relationship = self.cls(outputs.last_hidden_state, outputs.pooler_output)  # [B, T, V], [B, 2]
        loss = None
        if labels is not None and next_sentence_label is not None:
            loss = cross_entropy(predictions, labels, ops) + cross_entropy(relationship, next_sentence_label, ops)
        output = BertForPreTrainingOutput(
            loss=loss,
            prediction_logits=predictions,
            seq_relationship_logits=relationship,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class BertLMHeadModel(BertPreTrainedModel, GenerationMixin):
    """BERT as a decoder that predicts the next token; wants `is_decoder=True`."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        warn_unless_decoder(config, "BertLMHeadModel")
        self.bert = BertModel(config, add_pooling_layer=False)
        self.cls = BertOnlyMLMHead(config)

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
        """Predict the token after each position; the arguments are those of `BertModel`, and

        Args:
            labels: [B, T] the tokens themselves, -100 where one is not to be predicted.

        Returns:
            `CausalLMOutputWithCrossAttentions`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        use_cache = use_cache if labels is None else False  # there is nothing to read on to
        outputs = self.bert(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            encoder_hidden_states, encoder_attention_mask, past_key_values, use_cache,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.cls(outputs.last_hidden_state)  # [B, T, V]
        output = CausalLMOutputWithCrossAttentions(
            loss=causal_language_model_loss(logits, labels, ops),
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            cross_attentions=outputs.cross_attentions,
        )
        return wanted.answer(output)


class BertForMaskedLM(BertPreTrainedModel):
    """BERT with a head that predicts masked tokens."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)
        self.cls = BertOnlyMLMHead(config)

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
        """Predict the token at each position; the arguments are those of `BertModel`, and

        Args:
            labels: [B, T] tokens, -100 where one is not to be predicted.

        Returns:
            `MaskedLMOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.bert(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds,
            encoder_hidden_states, encoder_attention_mask, use_cache=False,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.cls(outputs.last_hidden_state)  # [B, T, V]
        output = MaskedLMOutput(
            loss=cross_entropy(logits, labels, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class BertForNextSentencePrediction(BertPreTrainedModel):
    """BERT with a head that tells whether the second sentence follows the first."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config)
        self.cls = BertOnlyNSPHead(config)

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
        next_sentence_label: Tensor | None = None,
    ) -> Any:
        """Tell the relation of two sentences; the arguments are those of `BertModel`, and

        Args:
            labels: [B], 0 where the second sentence follows the first, 1 where it does not.
            next_sentence_label: The same under its old name.

        Returns:
            `NextSentencePredictorOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.bert(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds, use_cache=False,
            output_attentions=wanted.attentions, output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        logits = self.cls(outputs.pooler_output)  # [B, 2]
        output = NextSentencePredictorOutput(
            loss=cross_entropy(logits, next_sentence_label if labels is None else labels, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class BertForSequenceClassification(SequenceClassification, BertPreTrainedModel, backbone=BertModel):
    """BERT with a classifier of whole sequences."""


class BertForMultipleChoice(MultipleChoice, BertPreTrainedModel, backbone=BertModel):
    """BERT with a score for each of several choices."""


class BertForTokenClassification(TokenClassification, BertPreTrainedModel, backbone=BertModel):
    """BERT with a classifier of every token."""


class BertForQuestionAnswering(QuestionAnswering, BertPreTrainedModel, backbone=BertModel):
    """BERT with scores for where an answer starts and ends."""
