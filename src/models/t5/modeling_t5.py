"""T5 in PyTorch (Raffel et al. 2019, https://arxiv.org/abs/1910.10683).

Shape letters: B batch, T length, S positions attended to, E length of what the encoder reads, D width, N heads, H head
size, F feed-forward width, L labels, V vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...backends.cache import heads_per_layer
from ...backends.checks import check_one_of
from ...backends.seq2seq import EncoderDecoder, as_encoder_output, headed_output, joined_output, tokens_of
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
from ...backends.torch.checks import check_token_ids
from ...backends.torch.generation import GenerationMixin
from ...backends.torch.heads import TokenClassification
from ...backends.torch.layers import CheckpointedLayer, RMSNorm
from ...backends.torch.model import PreTrainedModel
from ...backends.torch.seq2seq import Seq2SeqSequenceClassification
from ...losses import cross_entropy, question_answering_loss
from ...outputs import (
    BaseModelOutput,
    BaseModelOutputWithPastAndCrossAttentions,
    Seq2SeqLMOutput,
    Seq2SeqModelOutput,
    Seq2SeqQuestionAnsweringModelOutput,
    Wanted,
)
from .configuration_t5 import T5Config


class T5PositionBias(nn.Embedding):
    """What is added to attention's scores for how far a key is from a query: a number for each bucket and head."""

    def __init__(self, config: T5Config, is_decoder: bool) -> None:
        super().__init__(config.relative_attention_num_buckets, config.num_heads)
        self.config, self.is_decoder = config, is_decoder

    def between(self, length: int, reach: int, past: int = 0) -> Tensor:
        """For queries from position `past` on and keys from the first position on: [1, N, T, S].

        Args:
            length: T.
            reach: S.
            past: How many positions there are before the first query.
        """
        device = self.weight.device
        keys, starts = torch.arange(reach, device=device), self.config.bucket_starts(self.is_decoder)
        ahead = keys - (past + keys[:length])[:, None]  # [T, S]
        distances = (-ahead).clamp(min=0) if self.is_decoder else ahead.abs()
        buckets = torch.bucketize(keys, torch.tensor(starts, device=device), right=True)[distances]
        if not self.is_decoder:  # keys that lie ahead have the second half of the buckets
            buckets = buckets + (ahead > 0) * (self.num_embeddings // 2)
        return self(buckets).permute(2, 0, 1)[None]


class T5Attention(nn.Module):
    """Attention to the same text; scores are not scaled, for the weights start so small that they need not be."""

    def __init__(self, config: T5Config, heads: int, is_decoder: bool, is_first: bool) -> None:
        super().__init__()
        width, self.head_size = config.d_model, config.d_kv
        self.explicit = config._attn_implementation == "eager"
        self.q = nn.Linear(width, heads * self.head_size, bias=False)
        self.k = nn.Linear(width, heads * self.head_size, bias=False)
        self.v = nn.Linear(width, heads * self.head_size, bias=False)
        self.o = nn.Linear(heads * self.head_size, width, bias=False)
        self.relative_attention_bias = T5PositionBias(config, is_decoder) if is_first else None
        self.dropout = nn.Dropout(config.dropout_rate)

    def forward(
        self,
        hidden: Tensor,
        score_mask: Tensor | None,
        head_mask: Tensor | None,
        memory: LayerCache | None,
        wanted: Wanted,
    ) -> tuple[Tensor, Tensor | None]:
        query, key, value = (split_heads(project(hidden), self.head_size) for project in (self.q, self.k, self.v))
        if memory is not None:
            key, value = memory.extend(key, value)  # [B, N, S, H]
        dropout = self.dropout.p if self.training else 0.0
        explicit = self.explicit or wanted.attentions
        context, weights = attend(query, key, value, score_mask, dropout, head_mask, explicit, scale=1.0)
        return self.o(join_heads(context)), weights


class T5CrossAttention(nn.Module):
    """Attention to what the encoder has read, wherever it stands."""

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        width, self.head_size = config.d_model, config.d_kv
        self.explicit = config._attn_implementation == "eager"
        self.q = nn.Linear(width, config.num_heads * self.head_size, bias=False)
        self.k = nn.Linear(width, config.num_heads * self.head_size, bias=False)
        self.v = nn.Linear(width, config.num_heads * self.head_size, bias=False)
        self.o = nn.Linear(config.num_heads * self.head_size, width, bias=False)
        self.dropout = nn.Dropout(config.dropout_rate)

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
            key, value = (split_heads(project(encoder_hidden), self.head_size) for project in (self.k, self.v))
            return key, value

        query = split_heads(self.q(hidden), self.head_size)  # [B, N, T, H]
        key, value = keys_and_values() if memory is None else memory.once(keys_and_values)  # [B, N, E, H]
        dropout = self.dropout.p if self.training else 0.0
        explicit = self.explicit or wanted.attentions
        context, weights = attend(query, key, value, score_mask, dropout, head_mask, explicit, scale=1.0)
        return self.o(join_heads(context)), weights


def bounded(hidden: Tensor) -> Tensor:
    """A hidden state, or what is added to it, without infinities: float16 has no room for some checkpoints' sums."""
    if hidden.dtype != torch.float16:
        return hidden
    bound = torch.finfo(hidden.dtype).max - 1000
    return hidden.clamp(-bound, bound)


class T5LayerSelfAttention(nn.Module):
    """Self-attention with the norm before it and the residual around it."""

    def __init__(self, config: T5Config, heads: int, is_decoder: bool, is_first: bool) -> None:
        super().__init__()
        self.SelfAttention = T5Attention(config, heads, is_decoder, is_first)
        self.layer_norm = RMSNorm(config.d_model, eps=config.layer_norm_epsilon)
        self.dropout = nn.Dropout(config.dropout_rate)

    def forward(
        self,
        hidden: Tensor,
        score_mask: Tensor | None,
        head_mask: Tensor | None,
        memory: LayerCache | None,
        wanted: Wanted,
    ) -> tuple[Tensor, Tensor | None]:
        attended, weights = self.SelfAttention(self.layer_norm(hidden), score_mask, head_mask, memory, wanted)
        return bounded(hidden + self.dropout(bounded(attended))), weights


class T5LayerCrossAttention(nn.Module):
    """Attention to the encoder with the norm before it and the residual around it."""

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        self.EncDecAttention = T5CrossAttention(config)
        self.layer_norm = RMSNorm(config.d_model, eps=config.layer_norm_epsilon)
        self.dropout = nn.Dropout(config.dropout_rate)

    def forward(
        self,
        hidden: Tensor,
        encoder_hidden: Tensor,
        score_mask: Tensor | None,
        head_mask: Tensor | None,
        memory: LayerCache | None,
        wanted: Wanted,
    ) -> tuple[Tensor, Tensor | None]:
        attended, weights = self.EncDecAttention(
            self.layer_norm(hidden), encoder_hidden, score_mask, head_mask, memory, wanted
        )
        return bounded(hidden + self.dropout(bounded(attended))), weights


class T5DenseActDense(nn.Module):
    """The feed-forward block: wider, and back."""

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        self.wi = nn.Linear(config.d_model, config.d_ff, bias=False)
        self.wo = nn.Linear(config.d_ff, config.d_model, bias=False)
        self.dropout = nn.Dropout(config.dropout_rate)
        self.act = activation(str(config.dense_act_fn))

    def forward(self, hidden: Tensor) -> Tensor:
        widened = self.act(self.wi(hidden))  # [B, T, F]
        return self.wo(self.dropout(widened).to(self.wo.weight.dtype))


class T5DenseGatedActDense(nn.Module):
    """The feed-forward block with a gate (Shazeer 2020, https://arxiv.org/abs/2002.05202)."""

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        self.wi_0 = nn.Linear(config.d_model, config.d_ff, bias=False)
        self.wi_1 = nn.Linear(config.d_model, config.d_ff, bias=False)
        self.wo = nn.Linear(config.d_ff, config.d_model, bias=False)
        self.dropout = nn.Dropout(config.dropout_rate)
        self.act = activation(str(config.dense_act_fn))

    def forward(self, hidden: Tensor) -> Tensor:
        widened = self.act(self.wi_0(hidden)) * self.wi_1(hidden)  # [B, T, F]
        return self.wo(self.dropout(widened).to(self.wo.weight.dtype))


class T5LayerFF(nn.Module):
    """The feed-forward block with the norm before it and the residual around it."""

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        dense = T5DenseGatedActDense if config.is_gated_act else T5DenseActDense
        self.DenseReluDense = dense(config)
        self.layer_norm = RMSNorm(config.d_model, eps=config.layer_norm_epsilon)
        self.dropout = nn.Dropout(config.dropout_rate)

    def forward(self, hidden: Tensor) -> Tensor:
        return bounded(hidden + self.dropout(self.DenseReluDense(self.layer_norm(hidden))))


class T5EncoderBlock(CheckpointedLayer):
    """One layer of the encoder."""

    def __init__(self, config: T5Config, heads: int, is_first: bool) -> None:
        super().__init__()
        self.layer = nn.ModuleList([T5LayerSelfAttention(config, heads, False, is_first), T5LayerFF(config)])

    def forward(
        self, hidden: Tensor, score_mask: Tensor | None, head_mask: Tensor | None, wanted: Wanted
    ) -> tuple[Tensor, Tensor | None]:
        attend_to_text, feed_forward = self.layer
        hidden, weights = attend_to_text(hidden, score_mask, head_mask, None, wanted)
        return feed_forward(hidden), weights


class T5DecoderBlock(CheckpointedLayer):
    """One layer of the decoder."""

    def __init__(self, config: T5Config, is_first: bool) -> None:
        super().__init__()
        attention = T5LayerSelfAttention(config, config.num_heads, True, is_first)
        self.layer = nn.ModuleList([attention, T5LayerCrossAttention(config), T5LayerFF(config)])

    def forward(
        self,
        hidden: Tensor,
        score_mask: Tensor | None,
        head_mask: Tensor | None,
        encoder_hidden: Tensor,
        encoder_mask: Tensor | None,
        cross_head_mask: Tensor | None,
        memory: LayerCache | None,
        wanted: Wanted,
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        attend_to_text, attend_to_encoder, feed_forward = self.layer
        hidden, weights = attend_to_text(hidden, score_mask, head_mask, memory, wanted)
        hidden, cross_weights = attend_to_encoder(hidden, encoder_hidden, encoder_mask, cross_head_mask, memory, wanted)
        return feed_forward(hidden), weights, cross_weights


def bias_of(blocks: Any) -> T5PositionBias:
    """The bias of positions, which the first of a stack's blocks holds for all."""
    return blocks[0].layer[0].SelfAttention.relative_attention_bias


class T5Encoder(nn.Module):
    """The stack that reads: every position sees every other.

    Args:
        config: What the model is.
        embed_tokens: The embedding that it shares with the decoder.
    """

    def __init__(self, config: T5Config, embed_tokens: nn.Embedding) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = embed_tokens
        self.block = nn.ModuleList(
            T5EncoderBlock(config, heads, is_first=layer == 0) for layer, heads in enumerate(heads_per_layer(config))
        )
        self.final_layer_norm = RMSNorm(config.d_model, eps=config.layer_norm_epsilon)
        self.dropout = nn.Dropout(config.dropout_rate)

    def scores(self, attention_mask: Tensor | None, hidden: Tensor) -> list[Tensor | None]:
        """What is added to the scores of each layer, [B, N, T, T], of the heads that pruning has left it."""
        if not len(self.block):
            return []
        bias = bias_of(self.block).between(hidden.shape[1], hidden.shape[1])
        every: Any = plus(padding_mask(attention_mask, hidden), bias)
        return [every if kept is None else every[:, kept] for kept in self.config.kept_heads]

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Read a batch of sequences; the arguments are those of `T5EncoderModel`.

        Returns:
            `BaseModelOutput`, or a tuple with `return_dict=False`.
        """
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        check_one_of(input_ids, inputs_embeds)
        if input_ids is not None:
            check_token_ids(input_ids, self.config.vocab_size)
        hidden = self.dropout(self.embed_tokens(input_ids) if inputs_embeds is None else inputs_embeds)  # [B, T, D]
        head_masks = per_layer_head_masks(head_mask, len(self.block))
        states, attentions = (), ()
        for block, score_mask, own_head_mask in zip(
            self.block, self.scores(attention_mask, hidden), head_masks, strict=True
        ):
            states += wanted.state(hidden)
            hidden, weights = block(hidden, score_mask, own_head_mask, wanted)
            attentions += wanted.attention(weights)
        hidden = self.dropout(self.final_layer_norm(hidden))
        states += wanted.state(hidden)
        return wanted.answer(BaseModelOutput(hidden, states or None, attentions or None))


class T5Decoder(nn.Module):
    """The stack that writes: a position sees itself and those before it, and all that the encoder has read.

    Args:
        config: What the model is.
        embed_tokens: The embedding that it shares with the encoder.
    """

    def __init__(self, config: T5Config, embed_tokens: nn.Embedding) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = embed_tokens
        self.block = nn.ModuleList(
            T5DecoderBlock(config, is_first=layer == 0) for layer in range(config.num_decoder_layers or 0)
        )
        self.final_layer_norm = RMSNorm(config.d_model, eps=config.layer_norm_epsilon)
        self.dropout = nn.Dropout(config.dropout_rate)

    def scores(self, attention_mask: Tensor | None, hidden: Tensor, past: int, reach: int) -> Tensor | None:
        """What is added to the scores of every layer: [B, N, T, S]."""
        if not len(self.block):
            return None
        bias = bias_of(self.block).between(hidden.shape[1], reach, past)
        return plus(causal_mask(attention_mask, hidden, past, reach), bias)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        encoder_hidden_states: Any = None,
        encoder_attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        cross_attn_head_mask: Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Read what was written so far; the arguments are those of `T5Model`, there with `decoder_` before them, and

        Args:
            encoder_hidden_states: [B, E, D], what the encoder has answered.
            encoder_attention_mask: [B, E], 1 where a position of the encoder counts and 0 where it is padding.

        Returns:
            `BaseModelOutputWithPastAndCrossAttentions`, or a tuple with `return_dict=False`.
        """
        config = self.config
        wanted = Wanted.of(config, output_attentions, output_hidden_states, return_dict, use_cache)
        check_one_of(input_ids, inputs_embeds, "decoder_")
        if input_ids is not None:
            check_token_ids(input_ids, config.vocab_size, "decoder_input_ids")
        cache = Cache.open(past_key_values, wanted.cache, len(self.block))
        hidden = self.dropout(self.embed_tokens(input_ids) if inputs_embeds is None else inputs_embeds)  # [B, T, D]
        past, reach = (0, hidden.shape[1]) if cache is None else (cache.length, cache.reach(hidden.shape[1]))
        score_mask = self.scores(attention_mask, hidden, past, reach)
        encoder_mask = padding_mask(encoder_attention_mask, encoder_hidden_states)
        masks = (per_layer_head_masks(mask, len(self.block)) for mask in (head_mask, cross_attn_head_mask))
        memories = [None] * len(self.block) if cache is None else cache.layers
        states, attentions, cross_attentions = (), (), ()
        for block, own_mask, cross_mask, memory in zip(self.block, *masks, memories, strict=True):
            states += wanted.state(hidden)
            hidden, weights, cross_weights = block(
                hidden, score_mask, own_mask, encoder_hidden_states, encoder_mask, cross_mask, memory, wanted
            )
            attentions += wanted.attention(weights)
            cross_attentions += wanted.attention(cross_weights)
        hidden = self.dropout(self.final_layer_norm(hidden))
        states += wanted.state(hidden)
        output = BaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=hidden,
            past_key_values=cache if wanted.cache else None,
            hidden_states=states or None,
            attentions=attentions or None,
            cross_attentions=cross_attentions or None,
        )
        return wanted.answer(output)


class T5PreTrainedModel(EncoderDecoder, PreTrainedModel):
    """Base of every T5 model in PyTorch."""

    config_class = T5Config
    base_model_prefix = "transformer"
    _keep_in_fp32_modules = ("wo",)  # its sums leave float16's range in checkpoints that were trained in bfloat16
    config: T5Config

    def set_input_embeddings(self, new_embeddings: nn.Module) -> None:
        """Put another module in the place of the one that embeds tokens, in both stacks."""
        super().set_input_embeddings(new_embeddings)
        for stack in ("encoder", "decoder"):
            if hasattr(self.base_model, stack):
                getattr(self.base_model, stack).embed_tokens = new_embeddings

    def _shift_right(self, input_ids: Tensor) -> Tensor:
        """`prepare_decoder_input_ids_from_labels`, by the name that examples of 4.x use."""
        return self.prepare_decoder_input_ids_from_labels(input_ids)


class T5EncoderDecoder(T5PreTrainedModel):
    """The encoder and the decoder, with the embedding that they share; what the bare model and two heads stand on."""

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.shared = nn.Embedding(config.vocab_size, config.d_model)
        self.encoder = T5Encoder(config, self.shared)
        self.decoder = T5Decoder(config, self.shared)

    def read(
        self,
        input_ids: Tensor | None,
        attention_mask: Tensor | None,
        decoder_input_ids: Tensor | None,
        decoder_attention_mask: Tensor | None,
        head_mask: Tensor | None,
        decoder_head_mask: Tensor | None,
        cross_attn_head_mask: Tensor | None,
        encoder_outputs: Any,
        past_key_values: Any,
        inputs_embeds: Tensor | None,
        decoder_inputs_embeds: Tensor | None,
        use_cache: bool | None,
        wanted: Wanted,
    ) -> Seq2SeqModelOutput:
        """What both stacks make of the arguments of `T5Model`'s call."""
        options = {"output_attentions": wanted.attentions, "output_hidden_states": wanted.hidden_states}
        encoded = as_encoder_output(encoder_outputs)
        if encoded is None:
            encoded = self.encoder(input_ids, attention_mask, head_mask, inputs_embeds, **options, return_dict=True)
        if decoder_head_mask is None and self.config.num_layers == self.config.num_decoder_layers:
            decoder_head_mask = head_mask  # as 4.x does
        decoded = self.decoder(
            decoder_input_ids, decoder_attention_mask, encoded.last_hidden_state, attention_mask, decoder_head_mask,
            cross_attn_head_mask, past_key_values, decoder_inputs_embeds, use_cache, **options, return_dict=True,
        )  # fmt: skip
        return joined_output(Seq2SeqModelOutput, decoded, encoded, last_hidden_state=decoded.last_hidden_state)

    @property
    def dummy_inputs(self) -> dict[str, Tensor]:
        """The least inputs that a call takes: token ids [1, 2] for both stacks."""
        return {**super().dummy_inputs, "decoder_input_ids": super().dummy_inputs["input_ids"]}


class T5Model(T5EncoderDecoder):
    """The bare model: hidden states of encoder and decoder."""

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        decoder_head_mask: Tensor | None = None,
        cross_attn_head_mask: Tensor | None = None,
        encoder_outputs: Any = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        cache_position: Tensor | None = None,
    ) -> Any:
        """Read a batch of sequences, and others with a view of them.

        Args:
            input_ids: [B, E] integers, what the encoder reads.
            attention_mask: [B, E], 1 where a token of it counts and 0 where it is padding; or [B, E, E].
            decoder_input_ids: [B, T], what the decoder reads.
            decoder_attention_mask: [B, S], as `attention_mask`, those in the cache included; or [B, T, S].
            head_mask: [N] or [layers, N], 0 where a head of the encoder is switched off.
            decoder_head_mask: The same of the decoder; that of the encoder if both have as many layers.
            cross_attn_head_mask: The same of the decoder's attention to the encoder.
            encoder_outputs: What the encoder answered before; then it does not run.
            past_key_values: What an earlier call returned, for the decoder to read on from there.
            inputs_embeds: [B, E, D] instead of `input_ids`.
            decoder_inputs_embeds: [B, T, D] instead of `decoder_input_ids`.
            use_cache: Whether keys and values are returned; as the configuration says if None.
            cache_position: Unused: a cache knows where it ends.

        Returns:
            `Seq2SeqModelOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input is absent, has a wrong shape, or an id is out of range.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict, use_cache)
        output = self.read(
            input_ids, attention_mask, decoder_input_ids, decoder_attention_mask, head_mask, decoder_head_mask,
            cross_attn_head_mask, encoder_outputs, past_key_values, inputs_embeds, decoder_inputs_embeds,
            wanted.cache, wanted,
        )  # fmt: skip
        return wanted.answer(output)


class T5ForConditionalGeneration(T5EncoderDecoder, GenerationMixin):
    """T5 with a score for each token that the decoder may write next."""

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.scale = config.d_model**-0.5 if config.tie_word_embeddings else 1.0
        self.lm_head = nn.Linear(config.d_model, config.vocab_size, bias=False)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        decoder_head_mask: Tensor | None = None,
        cross_attn_head_mask: Tensor | None = None,
        encoder_outputs: Any = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        cache_position: Tensor | None = None,
    ) -> Any:
        """Predict each token of the decoder; the arguments are those of `T5Model`, and

        Args:
            labels: [B, T] the tokens to be written, -100 where one is not to be predicted; shifted to the right, they
                are what the decoder reads if it is given nothing else.

        Returns:
            `Seq2SeqLMOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict, use_cache)
        if labels is not None and decoder_input_ids is None and decoder_inputs_embeds is None:
            decoder_input_ids = self.prepare_decoder_input_ids_from_labels(labels)
        outputs = self.read(
            input_ids, attention_mask, decoder_input_ids, decoder_attention_mask, head_mask, decoder_head_mask,
            cross_attn_head_mask, encoder_outputs, past_key_values, inputs_embeds, decoder_inputs_embeds,
            wanted.cache, wanted,
        )  # fmt: skip
        logits = self.lm_head(outputs.last_hidden_state * self.scale)  # [B, T, V]
        loss = cross_entropy(logits, labels, ops)
        return wanted.answer(headed_output(Seq2SeqLMOutput, outputs, loss=loss, logits=logits))


class T5EncoderModel(T5PreTrainedModel):
    """The encoder alone: hidden states."""

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.shared = nn.Embedding(config.vocab_size, config.d_model)
        self.encoder = T5Encoder(config, self.shared)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Read a batch of sequences.

        Args:
            input_ids: [B, T] integers.
            attention_mask: [B, T], 1 where a token counts and 0 where it is padding; or [B, T, T].
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            inputs_embeds: [B, T, D] instead of `input_ids`.

        Returns:
            `BaseModelOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input is absent, has a wrong shape, or an id is out of range.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        output = self.encoder(
            input_ids, attention_mask, head_mask, inputs_embeds, output_attentions=wanted.attentions,
            output_hidden_states=wanted.hidden_states, return_dict=True,
        )  # fmt: skip
        return wanted.answer(output)


class T5ForQuestionAnswering(T5EncoderDecoder):
    """T5 with scores for where an answer starts and ends, by the decoder's view of the text."""

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.qa_outputs = nn.Linear(config.d_model, 2)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        decoder_head_mask: Tensor | None = None,
        cross_attn_head_mask: Tensor | None = None,
        encoder_outputs: Any = None,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Find an answer; the arguments are those of `T5Model`, with `input_ids`, shifted to the right, for the decoder
        too if it is given nothing else, and

        Args:
            start_positions: [B], where the answer starts; a position outside the sequence does not count.
            end_positions: [B], where it ends.

        Returns:
            `Seq2SeqQuestionAnsweringModelOutput`, or a tuple with `return_dict=False`.
        """
        learns = start_positions is not None and end_positions is not None
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict, False if learns else use_cache)
        if decoder_input_ids is None and decoder_inputs_embeds is None and input_ids is not None:
            decoder_input_ids = self.prepare_decoder_input_ids_from_labels(input_ids)
        outputs = self.read(
            input_ids, attention_mask, decoder_input_ids, decoder_attention_mask, head_mask, decoder_head_mask,
            cross_attn_head_mask, encoder_outputs, None, inputs_embeds, decoder_inputs_embeds, wanted.cache, wanted,
        )  # fmt: skip
        start, end = self.qa_outputs(outputs.last_hidden_state).unbind(-1)  # [B, T] each
        loss = question_answering_loss(start, end, start_positions, end_positions, ops)
        logits = {"start_logits": start, "end_logits": end}
        return wanted.answer(headed_output(Seq2SeqQuestionAnsweringModelOutput, outputs, loss=loss, **logits))


class T5ForSequenceClassification(
    Seq2SeqSequenceClassification, T5PreTrainedModel, backbone=T5Model, before="use_cache", decoding=("use_cache",)
):
    """T5 with a classifier of whole sequences, on the decoder's view of their last end token."""

    def run_backbone(self, **inputs: Any) -> Any:
        """The backbone's output; the decoder reads the text shifted to the right if it is given nothing else."""
        if inputs.get("decoder_input_ids") is None and inputs.get("decoder_inputs_embeds") is None:
            inputs["decoder_input_ids"] = self.prepare_decoder_input_ids_from_labels(tokens_of(inputs))
        return super().run_backbone(**inputs)


class T5ForTokenClassification(TokenClassification, T5PreTrainedModel, backbone=T5EncoderModel):
    """T5's encoder with a classifier of every token."""
