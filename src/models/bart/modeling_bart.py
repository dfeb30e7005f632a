"""BART in PyTorch (Lewis et al. 2019, https://arxiv.org/abs/1910.13461).

Shape letters: B batch, T target length, E source length, S positions attended to, D width, N heads, H head size,
F feed-forward width, V vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...backends.checks import check_length, check_one_of
from ...backends.seq2seq import EncoderDecoder, as_encoder_output, headed_output, joined_output
from ...backends.torch import ops
from ...backends.torch.activations import activation
from ...backends.torch.attention import (
    attend,
    causal_mask,
    join_heads,
    padding_mask,
    per_layer_head_masks,
    split_heads,
)
from ...backends.torch.cache import Cache, LayerCache
from ...backends.torch.checks import check_indices, check_token_ids
from ...backends.torch.generation import GenerationMixin
from ...backends.torch.heads import scored_positions
from ...backends.torch.layers import CheckpointedLayer, LayerDrop, ScaledEmbedding
from ...backends.torch.model import PreTrainedModel
from ...backends.torch.seq2seq import Seq2SeqQuestionAnswering, Seq2SeqSequenceClassification
from ...losses import cross_entropy
from ...outputs import (
    BaseModelOutput,
    BaseModelOutputWithPastAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    Seq2SeqLMOutput,
    Seq2SeqModelOutput,
    Wanted,
)
from .configuration_bart import BartConfig

#: The rows that the table of positions has before the first position.
OFFSET = 2


class BartAttention(nn.Module):
    """Attention of positions to one another, or to an encoder's, and its projection."""

    def __init__(self, config: BartConfig, heads: int) -> None:
        super().__init__()
        width, self.head_size = config.d_model, config.d_model // heads
        self.explicit = config._attn_implementation == "eager"
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.q_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)
        self.dropout = nn.Dropout(config.attention_dropout)

    def forward(
        self,
        hidden: Tensor,
        encoder_hidden: Tensor | None,
        score_mask: Tensor | None,
        head_mask: Tensor | None,
        memory: LayerCache | None,
        wanted: Wanted,
    ) -> tuple[Tensor, Tensor | None]:
        def keys_and_values() -> tuple[Tensor, Tensor]:
            source = hidden if encoder_hidden is None else encoder_hidden
            return split_heads(self.k_proj(source), self.head_size), split_heads(self.v_proj(source), self.head_size)

        query = split_heads(self.q_proj(hidden), self.head_size)  # [B, N, T, H]
        if memory is None:
            key, value = keys_and_values()
        elif encoder_hidden is None:
            key, value = memory.extend(*keys_and_values())  # [B, N, S, H]
        else:
            key, value = memory.once(keys_and_values)  # [B, N, E, H]
        dropout = self.dropout.p if self.training else 0.0
        explicit = self.explicit or wanted.attentions
        context, weights = attend(query, key, value, score_mask, dropout, head_mask, explicit)
        return self.out_proj(join_heads(context)), weights


class BartEncoderLayer(CheckpointedLayer):
    """One layer of the encoder: attention, then feed-forward; each sum is normalized."""

    def __init__(self, config: BartConfig) -> None:
        super().__init__()
        width, inner = config.d_model, config.encoder_ffn_dim
        self.self_attn = BartAttention(config, config.encoder_attention_heads)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.activation = activation(config.activation_function)
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)
        self.final_layer_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(config.dropout)
        self.activation_dropout = nn.Dropout(config.activation_dropout)

    def forward(
        self, hidden: Tensor, score_mask: Tensor | None, head_mask: Tensor | None, wanted: Wanted
    ) -> tuple[Tensor, Tensor | None]:
        attended, weights = self.self_attn(hidden, None, score_mask, head_mask, None, wanted)
        hidden = self.self_attn_layer_norm(hidden + self.dropout(attended))
        widened = self.activation_dropout(self.activation(self.fc1(hidden)))  # [B, T, F]
        return self.final_layer_norm(hidden + self.dropout(self.fc2(widened))), weights


class BartDecoderLayer(CheckpointedLayer):
    """One layer of the decoder: attention, attention to the encoder, then feed-forward; each sum is normalized."""

    def __init__(self, config: BartConfig) -> None:
        super().__init__()
        width, inner = config.d_model, config.decoder_ffn_dim
        self.self_attn = BartAttention(config, config.decoder_attention_heads)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        self.encoder_attn = BartAttention(config, config.decoder_attention_heads)
        self.encoder_attn_layer_norm = nn.LayerNorm(width)
        self.activation = activation(config.activation_function)
        self.fc1 = nn.Linear(width, inner)
        self.fc2 = nn.Linear(inner, width)
        self.final_layer_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(config.dropout)
        self.activation_dropout = nn.Dropout(config.activation_dropout)

    def forward(
        self,
        hidden: Tensor,
        score_mask: Tensor | None,
        head_mask: Tensor | None,
        encoder_hidden: Tensor | None,
        encoder_mask: Tensor | None,
        cross_head_mask: Tensor | None,
        memory: LayerCache | None,
        wanted: Wanted,
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        attended, weights = self.self_attn(hidden, None, score_mask, head_mask, memory, wanted)
        hidden = self.self_attn_layer_norm(hidden + self.dropout(attended))
        cross_weights = None
        if encoder_hidden is not None:
            attended, cross_weights = self.encoder_attn(
                hidden, encoder_hidden, encoder_mask, cross_head_mask, memory, wanted
            )
            hidden = self.encoder_attn_layer_norm(hidden + self.dropout(attended))
        widened = self.activation_dropout(self.activation(self.fc1(hidden)))  # [B, T, F]
        return self.final_layer_norm(hidden + self.dropout(self.fc2(widened))), weights, cross_weights


def token_embedding(config: BartConfig) -> ScaledEmbedding:
    """The table that embeds tokens."""
    return ScaledEmbedding(config.vocab_size, config.d_model, config.pad_token_id, config.embedding_scale)


class BartStack(nn.Module):
    """What encoder and decoder begin with: tokens, by the table that they share or their own, and positions."""

    def __init__(self, config: BartConfig, tokens: ScaledEmbedding | None = None) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = token_embedding(config) if tokens is None else tokens
        self.embed_positions = nn.Embedding(config.max_position_embeddings + OFFSET, config.d_model)
        self.layernorm_embedding = nn.LayerNorm(config.d_model)
        self.dropout = nn.Dropout(config.dropout)

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int = 0
    ) -> Tensor:
        """Tokens [B, T] or their embeddings [B, T, D], and positions [B, T] or [1, T]: [B, T, D]."""
        check_one_of(input_ids, inputs_embeds)
        if input_ids is not None:
            check_token_ids(input_ids, self.embed_tokens.num_embeddings)
        hidden = self.embed_tokens(input_ids) if inputs_embeds is None else inputs_embeds
        longest = self.embed_positions.num_embeddings - OFFSET
        check_indices(position_ids, longest, "position_ids")
        if position_ids is None:
            length = past + hidden.shape[1]
            check_length(length, longest)
            position_ids = torch.arange(past, length, device=hidden.device)[None]  # [1, T]
        return self.dropout(self.layernorm_embedding(hidden + self.embed_positions(position_ids + OFFSET)))


class BartEncoder(BartStack):
    """The encoder: hidden states of what is read."""

    def __init__(self, config: BartConfig, tokens: ScaledEmbedding | None = None) -> None:
        super().__init__(config, tokens)
        self.layers = nn.ModuleList(BartEncoderLayer(config) for _ in range(config.encoder_layers))
        self.layerdrop = LayerDrop(config.encoder_layerdrop)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        *,
        position_ids: Tensor | None = None,
    ) -> Any:
        """Read a batch of sequences.

        Args:
            input_ids: [B, E] integers.
            attention_mask: [B, E], 1 where a token counts and 0 where it is padding; or [B, E, E].
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            inputs_embeds: [B, E, D] instead of `input_ids`.
            position_ids: [B, E] or [1, E]; counted from 0 if not given.

        Returns:
            `BaseModelOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        hidden = self.embed(input_ids, inputs_embeds, position_ids)  # [B, E, D]
        score_mask = padding_mask(attention_mask, hidden)
        states, attentions = wanted.state(hidden), ()
        for layer, own_head_mask in zip(self.layers, per_layer_head_masks(head_mask, len(self.layers)), strict=True):
            answer, weights = layer(hidden, score_mask, own_head_mask, wanted)
            hidden = self.layerdrop(hidden, answer)
            states += wanted.state(hidden)
            attentions += wanted.attention(weights)
        return wanted.answer(BaseModelOutput(hidden, states or None, attentions or None))


class BartDecoder(BartStack):
    """The decoder: hidden states of what is written, with a view of what the encoder read."""

    def __init__(self, config: BartConfig, tokens: ScaledEmbedding | None = None) -> None:
        super().__init__(config, tokens)
        self.layers = nn.ModuleList(BartDecoderLayer(config) for _ in range(config.decoder_layers))
        self.layerdrop = LayerDrop(config.decoder_layerdrop)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        cross_attn_head_mask: Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        cache_position: Tensor | None = None,
        *,
        position_ids: Tensor | None = None,
    ) -> Any:
        """Read a batch of sequences.

        Args:
            input_ids: [B, T] integers.
            attention_mask: [B, S], 1 where a token counts and 0 where it is padding, those in the cache included; or
                [B, T, S], its own for each position.
            encoder_hidden_states: [B, E, D], what the encoder answered; without it there is nothing to attend to.
            encoder_attention_mask: [B, E] or [B, T, E], as `attention_mask`.
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            cross_attn_head_mask: The same of the attention to the encoder.
            past_key_values: What an earlier call returned, to read on from there.
            inputs_embeds: [B, T, D] instead of `input_ids`.
            use_cache: Whether keys and values are returned; as the configuration says if None.
            cache_position: [T], another way to say `position_ids`, the same for every row.
            position_ids: [B, T] or [1, T]; counted from the end of the cache if not given.

        Returns:
            `BaseModelOutputWithPastAndCrossAttentions`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input has a wrong shape, an id is out of range, the sequence is too long.
        """
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict, use_cache)
        position_ids = cache_position[None] if position_ids is None and cache_position is not None else position_ids
        count = len(self.layers)
        cache = Cache.open(past_key_values, wanted.cache, count)
        past = cache.length if cache is not None else 0
        hidden = self.embed(input_ids, inputs_embeds, position_ids, past)  # [B, T, D]
        reach = cache.reach(hidden.shape[1]) if cache is not None else None
        score_mask = causal_mask(attention_mask, hidden, past, reach)
        encoder_mask = None
        if encoder_hidden_states is not None:
            encoder_mask = padding_mask(encoder_attention_mask, encoder_hidden_states)
        masks = per_layer_head_masks(head_mask, count), per_layer_head_masks(cross_attn_head_mask, count)
        memories = [None] * count if cache is None else cache.layers
        states, attentions, cross_attentions = wanted.state(hidden), (), ()
        for layer, own_head_mask, cross_head_mask, memory in zip(self.layers, *masks, memories, strict=True):
            answer, weights, cross_weights = layer(
                hidden, score_mask, own_head_mask, encoder_hidden_states, encoder_mask, cross_head_mask, memory, wanted
            )
            hidden = self.layerdrop(hidden, answer)
            states += wanted.state(hidden)
            attentions += wanted.attention(weights)
            cross_attentions += wanted.attention(cross_weights)
        output = BaseModelOutputWithPastAndCrossAttentions(
            last_hidden_state=hidden,
            past_key_values=cache if wanted.cache else None,
            hidden_states=states or None,
            attentions=attentions or None,
            cross_attentions=cross_attentions or None,
        )
        return wanted.answer(output)


class BartPreTrainedModel(EncoderDecoder, PreTrainedModel):
    """Base of every BART model in PyTorch."""

    config_class = BartConfig
    base_model_prefix = "model"
    config: BartConfig


BartPretrainedModel = BartPreTrainedModel


class BartModel(BartPreTrainedModel):
    """The bare model: hidden states of encoder and decoder."""

    def __init__(self, config: BartConfig) -> None:
        super().__init__(config)
        self.shared = token_embedding(config)
        self.encoder = BartEncoder(config, self.shared)
        self.decoder = BartDecoder(config, self.shared)

    def set_input_embeddings(self, value: Any) -> None:
        """Put another module in the place of the one that embeds tokens, in encoder and decoder too."""
        self.shared = self.encoder.embed_tokens = self.decoder.embed_tokens = value

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
        *,
        position_ids: Tensor | None = None,
        decoder_position_ids: Tensor | None = None,
    ) -> Any:
        """Read a batch of sequences, and others with a view of them.

        Args:
            input_ids: [B, E] integers, what the encoder reads.
            attention_mask: [B, E], 1 where a token of it counts and 0 where it is padding; or [B, E, E].
            decoder_input_ids: [B, T], what the decoder reads; `input_ids` shifted to the right if not given.
            decoder_attention_mask: [B, S], as `attention_mask`, those in the cache included; or [B, T, S].
            head_mask: [N] or [layers, N], 0 where a head of the encoder is switched off.
            decoder_head_mask: The same of the decoder.
            cross_attn_head_mask: The same of the decoder's attention to the encoder.
            encoder_outputs: What the encoder answered before; then it does not run.
            past_key_values: What an earlier call returned, for the decoder to read on from there.
            inputs_embeds: [B, E, D] instead of `input_ids`.
            decoder_inputs_embeds: [B, T, D] instead of `decoder_input_ids`.
            use_cache: Whether keys and values are returned; as the configuration says if None.
            cache_position: [T], another way to say `decoder_position_ids`, the same for every row.
            position_ids: [B, E] or [1, E]; counted from 0 if not given.
            decoder_position_ids: [B, T] or [1, T]; counted from the end of the cache if not given.

        Returns:
            `Seq2SeqModelOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input is absent, has a wrong shape, an id is out of range, a sequence is too long.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict, use_cache)
        if decoder_input_ids is None and decoder_inputs_embeds is None and input_ids is not None:
            decoder_input_ids = self.prepare_decoder_input_ids_from_labels(input_ids)
        options = {"output_attentions": wanted.attentions, "output_hidden_states": wanted.hidden_states}
        encoded = as_encoder_output(encoder_outputs)
        if encoded is None:
            encoded = self.encoder(
                input_ids, attention_mask, head_mask, inputs_embeds,
                **options, return_dict=True, position_ids=position_ids,
            )  # fmt: skip
        decoded = self.decoder(
            decoder_input_ids, decoder_attention_mask, encoded.last_hidden_state, attention_mask, decoder_head_mask,
            cross_attn_head_mask, past_key_values, decoder_inputs_embeds, wanted.cache,
            **options, return_dict=True, cache_position=cache_position, position_ids=decoder_position_ids,
        )  # fmt: skip
        hidden = decoded.last_hidden_state
        return wanted.answer(joined_output(Seq2SeqModelOutput, decoded, encoded, last_hidden_state=hidden))


class BartForConditionalGeneration(BartPreTrainedModel, GenerationMixin):
    """BART with a score for each token that the decoder may write next."""

    def __init__(self, config: BartConfig) -> None:
        super().__init__(config)
        self.model = BartModel(config)
        self.lm_head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        self.register_buffer("final_logits_bias", torch.zeros(1, config.vocab_size))

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
        *,
        position_ids: Tensor | None = None,
        decoder_position_ids: Tensor | None = None,
    ) -> Any:
        """Predict each token of the decoder; the arguments are those of `BartModel`, and

        Args:
            labels: [B, T] the tokens to be written, -100 where one is not to be predicted; shifted to the right, they
                are what the decoder reads if it is given nothing else. No cache is returned with them.

        Returns:
            `Seq2SeqLMOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        if labels is not None and decoder_input_ids is None and decoder_inputs_embeds is None:
            decoder_input_ids = self.prepare_decoder_input_ids_from_labels(labels)
        outputs = self.model(
            input_ids, attention_mask, decoder_input_ids, decoder_attention_mask, head_mask, decoder_head_mask,
            cross_attn_head_mask, encoder_outputs, past_key_values, inputs_embeds, decoder_inputs_embeds,
            use_cache if labels is None else False, wanted.attentions, wanted.hidden_states, True, cache_position,
            position_ids=position_ids, decoder_position_ids=decoder_position_ids,
        )  # fmt: skip
        logits = self.lm_head(outputs.last_hidden_state) + self.final_logits_bias  # [B, T, V]
        loss = cross_entropy(logits, labels, ops)
        return wanted.answer(headed_output(Seq2SeqLMOutput, outputs, loss=loss, logits=logits))


class BartForSequenceClassification(
    Seq2SeqSequenceClassification,
    BartPreTrainedModel,
    backbone=BartModel,
    before="use_cache",
    decoding=("use_cache", "cache_position"),
):
    """BART with a classifier of whole sequences, on the decoder's last token that ends one."""


class BartForQuestionAnswering(
    Seq2SeqQuestionAnswering,
    BartPreTrainedModel,
    backbone=BartModel,
    before="inputs_embeds",
    decoding=("use_cache", "cache_position"),
):
    """BART with scores for where an answer starts and ends, on the decoder's hidden states."""


class BartDecoderPreTrainedModel(BartPreTrainedModel):
    """Base of what is made of BART's decoder alone."""

    model: Any

    def __init__(self, config: BartConfig) -> None:
        super().__init__(config.of_decoder())

    def input_embeddings_name(self) -> str:
        """The name of the module that embeds tokens, which no encoder shares."""
        return "decoder.embed_tokens"

    def set_decoder(self, decoder: nn.Module) -> None:
        """Put another decoder in the place of this one."""
        self.model.decoder = decoder

    @classmethod
    def positions_follow_mask(cls) -> bool:
        """Whether positions count from the first token that is no padding: as in 4.53.3 they do not."""
        return False


class BartDecoderWrapper(nn.Module):
    """The decoder under the name that it has in the whole model."""

    def __init__(self, config: BartConfig) -> None:
        super().__init__()
        self.decoder = BartDecoder(config)


class BartForCausalLM(BartDecoderPreTrainedModel, GenerationMixin):
    """BART's decoder alone, with a score for each token that may come next."""

    def __init__(self, config: BartConfig) -> None:
        super().__init__(config)
        self.model = BartDecoderWrapper(self.config)
        self.lm_head = nn.Linear(config.d_model, config.vocab_size, bias=False)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        cross_attn_head_mask: Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        cache_position: Tensor | None = None,
        *,
        position_ids: Tensor | None = None,
        logits_to_keep: int | Tensor = 0,
    ) -> Any:
        """Predict tokens; the arguments are those of `BartDecoder`, and

        Args:
            labels: [B, T] the token to predict at each position, -100 where none is. They are not shifted here.
            logits_to_keep: Score only this many last positions, all if 0; or the positions in a vector.

        Returns:
            `CausalLMOutputWithCrossAttentions`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict, use_cache)
        outputs = self.model.decoder(
            input_ids, attention_mask, encoder_hidden_states, encoder_attention_mask, head_mask, cross_attn_head_mask,
            past_key_values, inputs_embeds, wanted.cache, wanted.attentions, wanted.hidden_states, True,
            cache_position, position_ids=position_ids,
        )  # fmt: skip
        logits = self.lm_head(scored_positions(outputs.last_hidden_state, logits_to_keep))  # [B, T, V]
        loss = cross_entropy(logits, labels, ops)
        return wanted.answer(headed_output(CausalLMOutputWithCrossAttentions, outputs, loss=loss, logits=logits))
