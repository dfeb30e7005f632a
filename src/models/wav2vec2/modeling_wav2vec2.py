"""Wav2Vec2 in PyTorch (Baevski et al. 2020, https://arxiv.org/abs/2006.11477).

Shape letters: B batch, S samples, C channels, T frames, D width, F feed-forward width, V vocabulary, L labels,
G codebooks, E entries of each, K negatives.
"""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...backends.adapters import LanguageAdapters
from ...backends.noise import NoiseSource
from ...backends.sounds import (
    Draw,
    after_convolutions,
    check_frame_mask,
    check_masks_features,
    check_sound_mask,
    check_spans,
    check_without_adapter,
    checked_sound,
    feature_spans,
    frame_lengths,
    frame_mask,
    known_vocabulary,
    mean_and_deviation,
    span_mask,
    time_spans,
)
from ...backends.torch import ops
from ...backends.torch.activations import activation
from ...backends.torch.attention import attend, join_heads, padding_mask, split_heads
from ...backends.torch.layers import CheckpointedLayer, WeightNormConv1d
from ...backends.torch.losses import ctc_loss
from ...backends.torch.sounds import SoundModel, draw_for, gumbel, left_out
from ...losses import contrastive_loss, cross_entropy, margin_loss
from ...outputs import (
    CausalLMOutput,
    MaskedLMOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
    Wanted,
    Wav2Vec2BaseModelOutput,
    Wav2Vec2ForPreTrainingOutput,
    XVectorOutput,
)
from .configuration_wav2vec2 import Wav2Vec2Config


def convolution(config: Wav2Vec2Config, index: int) -> nn.Conv1d:
    """The convolution of the waveform with this number."""
    channels, kernel, stride = config.conv_dim[index], config.conv_kernel[index], config.conv_stride[index]
    return nn.Conv1d(config.conv_dim[index - 1] if index else 1, channels, kernel, stride, bias=config.conv_bias)


class Wav2Vec2NoLayerNormConvLayer(nn.Module):
    """A convolution."""

    def __init__(self, config: Wav2Vec2Config, index: int) -> None:
        super().__init__()
        self.conv = convolution(config, index)
        self.activation = activation(config.feat_extract_activation)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.activation(self.conv(hidden))  # [B, C, T]


class Wav2Vec2LayerNormConvLayer(nn.Module):
    """A convolution whose channels are normalized together in each frame."""

    def __init__(self, config: Wav2Vec2Config, index: int) -> None:
        super().__init__()
        self.conv = convolution(config, index)
        self.layer_norm = nn.LayerNorm(config.conv_dim[index])
        self.activation = activation(config.feat_extract_activation)

    def forward(self, hidden: Tensor) -> Tensor:
        hidden = self.layer_norm(self.conv(hidden).transpose(1, 2))  # [B, T, C]
        return self.activation(hidden.transpose(1, 2))


class Wav2Vec2GroupNormConvLayer(nn.Module):
    """A convolution each of whose channels is normalized over time."""

    def __init__(self, config: Wav2Vec2Config, index: int) -> None:
        super().__init__()
        self.conv = convolution(config, index)
        self.layer_norm = nn.GroupNorm(config.conv_dim[index], config.conv_dim[index])
        self.activation = activation(config.feat_extract_activation)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.activation(self.layer_norm(self.conv(hidden)))  # [B, C, T]


def convolution_layer(config: Wav2Vec2Config, index: int) -> nn.Module:
    """The layer with this number, of the kind that `feat_extract_norm` says."""
    if config.feat_extract_norm == "layer":
        return Wav2Vec2LayerNormConvLayer(config, index)
    return (Wav2Vec2NoLayerNormConvLayer if index else Wav2Vec2GroupNormConvLayer)(config, index)


class Wav2Vec2FeatureEncoder(nn.Module):
    """Convolutions that make frames of the waveform."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        self.conv_layers = nn.ModuleList(convolution_layer(config, index) for index in range(len(config.conv_dim)))

    def forward(self, sound: Tensor) -> Tensor:
        hidden = sound[:, None]  # [B, 1, S]
        for layer in self.conv_layers:
            hidden = layer(hidden)
        return hidden.transpose(1, 2)  # [B, T, C]


class Wav2Vec2FeatureProjection(nn.Module):
    """The frames, normalized, in the encoder's width."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(config.conv_dim[-1], eps=config.layer_norm_eps)
        self.projection = nn.Linear(config.conv_dim[-1], config.hidden_size)
        self.dropout = nn.Dropout(config.feat_proj_dropout)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        normal = self.layer_norm(features)
        return self.dropout(self.projection(normal)), normal


class Wav2Vec2PositionalConvEmbedding(nn.Module):
    """What a frame's neighbours say of where it is."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        groups = config.num_conv_pos_embedding_groups
        self.conv = WeightNormConv1d(config.hidden_size, config.num_conv_pos_embeddings, groups)
        self.activation = activation(config.feat_extract_activation)

    def forward(self, hidden: Tensor) -> Tensor:
        positions = self.conv(hidden.transpose(1, 2))[..., : hidden.shape[1]]  # an even kernel makes a frame too many
        return self.activation(positions.transpose(1, 2))


class Wav2Vec2Attention(nn.Module):
    """Attention of frames to frames."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        width, self.head_size = config.hidden_size, config.hidden_size // config.num_attention_heads
        self.explicit = config._attn_implementation == "eager"
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.q_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)
        self.dropout = nn.Dropout(config.attention_dropout)

    def forward(self, hidden: Tensor, score_mask: Tensor | None, wanted: Wanted) -> tuple[Tensor, Tensor | None]:
        query, key, value = (
            split_heads(project(hidden), self.head_size) for project in (self.q_proj, self.k_proj, self.v_proj)
        )  # [B, N, T, H]
        dropout = self.dropout.p if self.training else 0.0
        context, weights = attend(query, key, value, score_mask, dropout, None, self.explicit or wanted.attentions)
        return self.out_proj(join_heads(context)), weights


class Wav2Vec2FeedForward(nn.Module):
    """The feed-forward block."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        self.intermediate_dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = activation(config.hidden_act)
        self.intermediate_dropout = nn.Dropout(config.activation_dropout)
        self.output_dense = nn.Linear(config.intermediate_size, config.hidden_size)
        self.output_dropout = nn.Dropout(config.hidden_dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        widened = self.intermediate_dropout(self.activation(self.intermediate_dense(hidden)))  # [B, T, F]
        return self.output_dropout(self.output_dense(widened))


class Wav2Vec2EncoderLayer(CheckpointedLayer):
    """One layer, which normalizes what each of its blocks gives."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        self.attention = Wav2Vec2Attention(config)
        self.dropout = nn.Dropout(config.hidden_dropout)
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.feed_forward = Wav2Vec2FeedForward(config)
        self.final_layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, hidden: Tensor, score_mask: Tensor | None, wanted: Wanted) -> tuple[Tensor, Tensor | None]:
        attended, weights = self.attention(hidden, score_mask, wanted)
        hidden = self.layer_norm(hidden + self.dropout(attended))
        return self.final_layer_norm(hidden + self.feed_forward(hidden)), weights


class Wav2Vec2AttnAdapterLayer(nn.Module):
    """A narrow block at the end of a layer, learnt for one language (Pratap et al. 2023, arXiv 2305.13516)."""

    def __init__(self, config: Wav2Vec2Config, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.hidden_size)
        self.linear_1 = nn.Linear(config.hidden_size, width)
        self.linear_2 = nn.Linear(width, config.hidden_size)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.linear_2(F.relu(self.linear_1(self.norm(hidden))))


class Wav2Vec2NoAdapterLayer(nn.Module):
    """No such block: nothing is added."""

    def forward(self, hidden: Tensor) -> float:
        return 0.0


def attention_adapter(config: Wav2Vec2Config) -> nn.Module:
    """The block for a language, if the configuration has one."""
    width = config.adapter_attn_dim
    return Wav2Vec2NoAdapterLayer() if width is None else Wav2Vec2AttnAdapterLayer(config, width)


class Wav2Vec2EncoderLayerStableLayerNorm(CheckpointedLayer):
    """One layer, which normalizes what each of its blocks is given."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        self.attention = Wav2Vec2Attention(config)
        self.dropout = nn.Dropout(config.hidden_dropout)
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.feed_forward = Wav2Vec2FeedForward(config)
        self.final_layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.adapter_layer = attention_adapter(config)

    def forward(self, hidden: Tensor, score_mask: Tensor | None, wanted: Wanted) -> tuple[Tensor, Tensor | None]:
        attended, weights = self.attention(self.layer_norm(hidden), score_mask, wanted)
        hidden = hidden + self.dropout(attended)
        hidden = hidden + self.feed_forward(self.final_layer_norm(hidden))
        return hidden + self.adapter_layer(hidden), weights


class Wav2Vec2Encoder(nn.Module):
    """The stack of layers, its input normalized."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        self.layerdrop = config.layerdrop
        self.pos_conv_embed = Wav2Vec2PositionalConvEmbedding(config)
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout)
        self.layers = nn.ModuleList(Wav2Vec2EncoderLayer(config) for _ in range(config.num_hidden_layers))

    def forward(
        self, hidden: Tensor, frames: Tensor | None, draw: Draw | None, wanted: Wanted
    ) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, ...]]:
        score_mask = padding_mask(frames, hidden)
        if frames is not None:
            hidden = torch.where(frames[..., None], hidden, 0.0)
        hidden = self.dropout(self.layer_norm(hidden + self.pos_conv_embed(hidden)))
        states, attentions = wanted.state(hidden), ()
        for index, layer in enumerate(self.layers):
            after, weights = layer(hidden, score_mask, wanted)
            hidden = left_out(draw, f"layers.{index}", self.layerdrop, hidden, after)
            states += wanted.state(hidden)
            attentions += wanted.attention(weights)
        return hidden, states, attentions


class Wav2Vec2EncoderStableLayerNorm(nn.Module):
    """The stack of layers, its output normalized."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        self.layerdrop = config.layerdrop
        self.pos_conv_embed = Wav2Vec2PositionalConvEmbedding(config)
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout)
        self.layers = nn.ModuleList(
            Wav2Vec2EncoderLayerStableLayerNorm(config) for _ in range(config.num_hidden_layers)
        )

    def forward(
        self, hidden: Tensor, frames: Tensor | None, draw: Draw | None, wanted: Wanted
    ) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, ...]]:
        score_mask = padding_mask(frames, hidden)
        if frames is not None:
            hidden = torch.where(frames[..., None], hidden, 0.0)
        hidden = self.dropout(hidden + self.pos_conv_embed(hidden))
        states, attentions = (), ()
        for index, layer in enumerate(self.layers):
            states += wanted.state(hidden)
            after, weights = layer(hidden, score_mask, wanted)
            hidden = left_out(draw, f"layers.{index}", self.layerdrop, hidden, after)
            attentions += wanted.attention(weights)
        hidden = self.layer_norm(hidden)
        return hidden, states + wanted.state(hidden), attentions


class Wav2Vec2AdapterLayer(nn.Module):
    """A convolution that makes fewer frames, half of its channels gates for the other half."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        width = config.head_width
        self.conv = nn.Conv1d(width, 2 * width, config.adapter_kernel_size, config.adapter_stride, padding=1)

    def forward(self, hidden: Tensor) -> Tensor:
        return F.glu(self.conv(hidden.transpose(1, 2)), 1).transpose(1, 2)


class Wav2Vec2Adapter(nn.Module):
    """Convolutions that shorten what the encoder gives, in another width if the configuration says so."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        width, output = config.hidden_size, config.head_width
        self.proj = nn.Linear(width, output) if output != width else None
        self.proj_layer_norm = nn.LayerNorm(output) if output != width else None
        self.layers = nn.ModuleList(Wav2Vec2AdapterLayer(config) for _ in range(config.num_adapter_layers))

    def forward(self, hidden: Tensor) -> Tensor:
        if self.proj is not None and self.proj_layer_norm is not None:
            hidden = self.proj_layer_norm(self.proj(hidden))
        for layer in self.layers:
            hidden = layer(hidden)
        return hidden


class Wav2Vec2GumbelVectorQuantizer(nn.Module):
    """Frames as entries of several codebooks; in training a random choice that lets gradients through."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        self.groups, self.entries = config.num_codevector_groups, config.num_codevectors_per_group
        self.temperature = 2.0
        self.codevectors = nn.Parameter(
            torch.empty(1, self.groups * self.entries, config.codevector_dim // self.groups)
        )
        self.weight_proj = nn.Linear(config.conv_dim[-1], self.groups * self.entries)

    def forward(
        self, hidden: Tensor, mask_time_indices: Tensor | None, draw: Draw | None, temperature: float | None
    ) -> tuple[Tensor, Tensor]:
        """[B, T, C] -> the quantized frames [B, T, ...], and how many entries are in use []."""
        batch, length, _ = hidden.shape
        scores = self.weight_proj(hidden).view(batch, length, self.groups, self.entries)  # [B, T, G, E]
        chosen, shares = self.choose(scores, draw, self.temperature if temperature is None else temperature)
        books = self.codevectors.view(self.groups, self.entries, -1)
        quantized = torch.einsum("btge,gec->btgc", chosen, books).flatten(2)
        return quantized, self.perplexity(shares, mask_time_indices)

    def choose(self, scores: Tensor, draw: Draw | None, temperature: float) -> tuple[Tensor, Tensor]:
        """The choice of an entry, one-hot, and how much each entry is used; both [B, T, G, E]."""
        if draw is None:
            chosen = F.one_hot(scores.argmax(-1), self.entries).to(scores.dtype)
            return chosen, chosen
        wide = ops.widen(scores)
        soft = torch.softmax((wide + gumbel(draw, "quantizer", wide)) / temperature, -1)
        hard = F.one_hot(soft.argmax(-1), self.entries).to(soft.dtype)
        return (hard + (soft - soft.detach())).to(scores.dtype), torch.softmax(wide, -1)

    def perplexity(self, shares: Tensor, mask_time_indices: Tensor | None) -> Tensor:
        """The number of entries that would, evenly used, be as surprising as those of the masked frames."""
        if mask_time_indices is None:
            mean = shares.mean((0, 1))  # [G, E]
        else:
            weights = mask_time_indices.to(shares.dtype)  # [B, T]
            mean = torch.einsum("bt,btge->ge", weights, shares) / weights.sum()
        return torch.exp(-(mean * torch.log(mean + 1e-7)).sum(-1)).sum()


class Wav2Vec2PreTrainedModel(LanguageAdapters, SoundModel):
    """Base of every Wav2Vec2 model in PyTorch."""

    config_class = Wav2Vec2Config
    base_model_prefix = "wav2vec2"
    config: Wav2Vec2Config

    def freeze_feature_encoder(self) -> None:
        """Let training leave the convolutions of the waveform as they are."""
        self.base_model.feature_extractor.requires_grad_(False)

    def freeze_feature_extractor(self) -> None:
        """`freeze_feature_encoder` under its old name."""
        warnings.warn("freeze_feature_extractor is called freeze_feature_encoder now.", FutureWarning, stacklevel=2)
        self.freeze_feature_encoder()

    def freeze_base_model(self) -> None:
        """Let training change the head alone."""
        self.base_model.requires_grad_(False)

    def _get_feat_extract_output_lengths(self, input_lengths: Tensor | int, add_adapter: bool | None = None) -> Tensor:
        """How many frames sounds of so many samples have, under the name that scripts of 4.x call."""
        return frame_lengths(torch.as_tensor(input_lengths), self.config, add_adapter)

    def _get_feature_vector_attention_mask(
        self, feature_vector_length: int, attention_mask: Tensor, add_adapter: bool | None = None
    ) -> Tensor:
        """Which frames hold sound, bool [B, T], under the name that scripts of 4.x call."""
        return frame_mask(attention_mask, feature_vector_length, self.config, ops, add_adapter)


class Wav2Vec2Model(Wav2Vec2PreTrainedModel):
    """The bare model: what the encoder, and its adapter if there is one, makes of each frame."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__(config)
        encoder = Wav2Vec2EncoderStableLayerNorm if config.do_stable_layer_norm else Wav2Vec2Encoder
        self.feature_extractor = Wav2Vec2FeatureEncoder(config)
        self.feature_projection = Wav2Vec2FeatureProjection(config)
        self.masked_spec_embed = nn.Parameter(torch.empty(config.hidden_size)) if config.masks_features else None
        self.encoder = encoder(config)
        self.adapter = Wav2Vec2Adapter(config) if config.add_adapter else None

    def forward(
        self,
        input_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        mask_time_indices: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        noise: NoiseSource | None = None,
    ) -> Any:
        """Encode a batch of sounds.

        Args:
            input_values: [B, S], the waveforms as the feature extractor gives them.
            attention_mask: [B, S], 1 where there is sound and 0 where it is padding.
            mask_time_indices: [B, T], true where a frame is masked; drawn in training if None.
            noise: Where training's random numbers come from (`triformers.backends.noise.Noise`): what is masked, which
                layers are left out. The framework's generator if None.

        Returns:
            `Wav2Vec2BaseModelOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: An input has a wrong shape, or sounds are too short.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        sound = checked_sound(input_values, self.config)
        features = self.feature_extractor(sound)  # [B, T, C]
        frames = None
        if attention_mask is not None:
            check_sound_mask(tuple(attention_mask.shape), tuple(sound.shape))
            frames = frame_mask(attention_mask, features.shape[1], self.config, ops, add_adapter=False)  # [B, T]
        draw = draw_for(noise, features, self.training)
        hidden, features = self.feature_projection(features)  # [B, T, D], [B, T, C]
        hidden = self.masked(hidden, frames, mask_time_indices, draw)
        hidden, states, attentions = self.encoder(hidden, frames, draw, wanted)
        output = Wav2Vec2BaseModelOutput(
            last_hidden_state=hidden if self.adapter is None else self.adapter(hidden),
            extract_features=features,
            hidden_states=states or None,
            attentions=attentions or None,
        )
        return wanted.answer(output)

    def masked(
        self, hidden: Tensor, frames: Tensor | None, mask_time_indices: Tensor | None, draw: Draw | None
    ) -> Tensor:
        """Hidden states with those of masked frames replaced, and in training some features at zero: [B, T, D]."""
        config, (batch, length, width) = self.config, hidden.shape
        if not config.apply_spec_augment:
            return hidden
        if mask_time_indices is None and draw is not None and config.mask_time_prob > 0:
            check_spans(time_spans(config), length, "frames")
            lengths = torch.full((batch,), length, device=hidden.device) if frames is None else ops.count(frames)
            mask_time_indices = span_mask(draw, "frames", lengths, length, time_spans(config), ops)
        if mask_time_indices is not None:
            own: Any = self.masked_spec_embed
            check_masks_features(own)
            check_frame_mask(tuple(mask_time_indices.shape), batch, length)
            hidden = torch.where(mask_time_indices.bool()[..., None], own.to(hidden.dtype), hidden)
        if draw is not None and config.mask_feature_prob > 0:
            check_spans(feature_spans(config), width, "features")
            lengths = torch.full((batch,), width, device=hidden.device)
            mask = span_mask(draw, "features", lengths, width, feature_spans(config), ops)  # [B, D]
            hidden = torch.where(mask[:, None], 0.0, hidden)
        return hidden


class Wav2Vec2ForPreTraining(Wav2Vec2PreTrainedModel):
    """Wav2Vec2 as it was trained: which of several quantized frames is the one that was masked."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__(config)
        self.wav2vec2 = Wav2Vec2Model(config)
        self.dropout_features = nn.Dropout(config.feat_quantizer_dropout)
        self.quantizer = Wav2Vec2GumbelVectorQuantizer(config)
        self.project_hid = nn.Linear(config.hidden_size, config.proj_codevector_dim)
        self.project_q = nn.Linear(config.codevector_dim, config.proj_codevector_dim)

    def set_gumbel_temperature(self, temperature: float) -> None:
        """Set how random training's choice of entries is."""
        self.quantizer.temperature = temperature

    def forward(
        self,
        input_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        mask_time_indices: Tensor | None = None,
        sampled_negative_indices: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        gumbel_temperature: float | None = None,
        noise: NoiseSource | None = None,
    ) -> Any:
        """Predict masked frames; the arguments are those of `Wav2Vec2Model`, and

        Args:
            sampled_negative_indices: [B, T, K], for each frame the numbers of others, counted through the whole batch.
            gumbel_temperature: How random training's choice of entries is; as was set if None.

        Returns:
            `Wav2Vec2ForPreTrainingOutput`, whose losses need masks and negatives, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        if mask_time_indices is not None:
            mask_time_indices = mask_time_indices.bool()
        outputs = self.wav2vec2(
            input_values, attention_mask, mask_time_indices, wanted.attentions, wanted.hidden_states,
            return_dict=True, noise=noise,
        )  # fmt: skip
        predicted = self.project_hid(outputs.last_hidden_state)  # [B, T, P]
        draw = draw_for(noise, predicted, self.training)
        features = self.dropout_features(outputs.extract_features)
        codes, perplexity = self.quantizer(features, mask_time_indices, draw, gumbel_temperature)
        quantized = self.project_q(codes)  # [B, T, P]
        loss, contrastive, diversity = contrastive_loss(
            predicted, quantized, codes, sampled_negative_indices, mask_time_indices, perplexity, self.config, ops
        )
        output = Wav2Vec2ForPreTrainingOutput(
            loss=loss,
            projected_states=predicted,
            projected_quantized_states=quantized,
            codevector_perplexity=perplexity,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            contrastive_loss=contrastive,
            diversity_loss=diversity,
        )
        return wanted.answer(output)


class Wav2Vec2ForMaskedLM(Wav2Vec2PreTrainedModel):
    """Wav2Vec2 with a score for each token in each frame; a class of old, `Wav2Vec2ForCTC` without a loss."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__(config)
        vocabulary = known_vocabulary(config, "Wav2Vec2ForMaskedLM")
        self.wav2vec2 = Wav2Vec2Model(config)
        self.dropout = nn.Dropout(config.final_dropout)
        self.lm_head = nn.Linear(config.hidden_size, vocabulary)

    def forward(
        self,
        input_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        labels: Tensor | None = None,
        noise: NoiseSource | None = None,
    ) -> Any:
        """Score tokens; the arguments are those of `Wav2Vec2Model`. The mask and labels are not read, as in 4.x.

        Returns:
            `MaskedLMOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.wav2vec2(
            input_values, None, None, wanted.attentions, wanted.hidden_states, return_dict=True, noise=noise
        )
        logits = self.lm_head(self.dropout(outputs.last_hidden_state))  # [B, T, V]
        output = MaskedLMOutput(logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions)
        return wanted.answer(output)


class Wav2Vec2ForCTC(Wav2Vec2PreTrainedModel):
    """Wav2Vec2 that writes what is said: a score for each token in each frame.

    Args:
        config: What the model is.
        target_lang: The language whose adapter is to be loaded with a checkpoint.
    """

    def __init__(self, config: Wav2Vec2Config, target_lang: str | None = None) -> None:
        super().__init__(config)
        vocabulary = known_vocabulary(config, "Wav2Vec2ForCTC")
        self.target_lang = target_lang
        self.wav2vec2 = Wav2Vec2Model(config)
        self.dropout = nn.Dropout(config.final_dropout)
        self.lm_head = nn.Linear(config.head_width, vocabulary)

    def forward(
        self,
        input_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        labels: Tensor | None = None,
        mask_time_indices: Tensor | None = None,
        noise: NoiseSource | None = None,
    ) -> Any:
        """Score tokens; the arguments are those of `Wav2Vec2Model`, and

        Args:
            labels: [B, U], the tokens of each sound, -100 where there is none.

        Returns:
            `CausalLMOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: As of `Wav2Vec2Model`; or a label that the vocabulary does not have.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.wav2vec2(
            input_values, attention_mask, mask_time_indices, wanted.attentions, wanted.hidden_states,
            return_dict=True, noise=noise,
        )  # fmt: skip
        logits = self.lm_head(self.dropout(outputs.last_hidden_state))  # [B, T, V]
        assert input_values is not None
        heard = torch.ones_like(input_values) if attention_mask is None else attention_mask
        output = CausalLMOutput(
            loss=ctc_loss(logits, labels, frame_lengths(ops.count(heard), self.config), self.config),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class Wav2Vec2Classifier(Wav2Vec2PreTrainedModel):
    """What classifiers of sounds share: they read the last hidden state, or a learnt mean of all."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__(config)
        states = config.num_hidden_layers + 1
        self.wav2vec2 = Wav2Vec2Model(config)
        self.layer_weights = nn.Parameter(torch.empty(states)) if config.use_weighted_layer_sum else None

    def read(self, outputs: Any) -> Tensor:
        """What a classifier reads of the model's output: [B, T, D]."""
        if self.layer_weights is None:
            return outputs.last_hidden_state
        shares = torch.softmax(self.layer_weights, -1)
        return torch.einsum("sbtd,s->btd", torch.stack(outputs.hidden_states), shares)


class Wav2Vec2ForSequenceClassification(Wav2Vec2Classifier):
    """Wav2Vec2 with a classifier of whole sounds."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        check_without_adapter(config, "Wav2Vec2ForSequenceClassification")
        super().__init__(config)
        self.projector = nn.Linear(config.hidden_size, config.classifier_proj_size)
        self.classifier = nn.Linear(config.classifier_proj_size, config.num_labels)

    def forward(
        self,
        input_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        labels: Tensor | None = None,
        noise: NoiseSource | None = None,
    ) -> Any:
        """Classify sounds; the arguments are those of `Wav2Vec2Model`, and

        Args:
            labels: [B] class indices.

        Returns:
            `SequenceClassifierOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.wav2vec2(
            input_values, attention_mask, None, wanted.attentions,
            wanted.hidden_states or self.config.use_weighted_layer_sum, return_dict=True, noise=noise,
        )  # fmt: skip
        hidden = self.projector(self.read(outputs))  # [B, T, D]
        if attention_mask is None:
            pooled = hidden.mean(1)
        else:
            frames = frame_mask(attention_mask, hidden.shape[1], self.config, ops)
            pooled = torch.where(frames[..., None], hidden, 0.0).sum(1) / ops.count(frames)[:, None]
        logits = self.classifier(pooled)  # [B, L]
        output = SequenceClassifierOutput(
            loss=cross_entropy(logits, labels, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class Wav2Vec2ForAudioFrameClassification(Wav2Vec2Classifier):
    """Wav2Vec2 with a classifier of every frame: who speaks when."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        check_without_adapter(config, "Wav2Vec2ForAudioFrameClassification")
        super().__init__(config)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def forward(
        self,
        input_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        noise: NoiseSource | None = None,
    ) -> Any:
        """Classify frames; the arguments are those of `Wav2Vec2Model`, and

        Args:
            labels: [B, T, L], 1 for the class of a frame.

        Returns:
            `TokenClassifierOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.wav2vec2(
            input_values, attention_mask, None, wanted.attentions,
            wanted.hidden_states or self.config.use_weighted_layer_sum, return_dict=True, noise=noise,
        )  # fmt: skip
        logits = self.classifier(self.read(outputs))  # [B, T, L]
        output = TokenClassifierOutput(
            loss=cross_entropy(logits, None if labels is None else ops.argmax(labels), ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class AMSoftmaxLoss(nn.Module):
    """The loss of classes that keep a distance from each other (Wang et al. 2018, https://arxiv.org/abs/1801.05599)."""

    def __init__(self, width: int, labels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width, labels))

    def forward(self, hidden: Tensor, labels: Tensor | None) -> Tensor | None:
        return margin_loss(hidden, self.weight, labels, ops)


class TDNNLayer(nn.Module):
    """A time-delay layer: a projection of several frames, some steps apart, side by side."""

    def __init__(self, config: Wav2Vec2Config, index: int) -> None:
        super().__init__()
        self.reach, self.dilation = config.tdnn_kernel[index], config.tdnn_dilation[index]
        width = config.tdnn_dim[max(0, index - 1)]
        self.kernel = nn.Linear(width * self.reach, config.tdnn_dim[index])

    def forward(self, hidden: Tensor) -> Tensor:
        length = hidden.shape[1] - self.dilation * (self.reach - 1)
        starts = range(0, self.dilation * self.reach, self.dilation)
        windows = torch.cat([hidden[:, start : start + length] for start in starts], -1)  # [B, T, reach D]
        return F.relu(self.kernel(windows))


class Wav2Vec2ForXVector(Wav2Vec2Classifier):
    """Wav2Vec2 with an x-vector for each sound, by which speakers are told apart (Snyder et al. 2018)."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__(config)
        width = config.xvector_output_dim
        self.projector = nn.Linear(config.hidden_size, config.tdnn_dim[0])
        self.tdnn = nn.ModuleList(TDNNLayer(config, index) for index in range(len(config.tdnn_dim)))
        self.feature_extractor = nn.Linear(2 * config.tdnn_dim[-1], width)
        self.classifier = nn.Linear(width, width)
        self.objective = AMSoftmaxLoss(width, config.num_labels)

    def forward(
        self,
        input_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        labels: Tensor | None = None,
        noise: NoiseSource | None = None,
    ) -> Any:
        """Tell speakers apart; the arguments are those of `Wav2Vec2Model`, and

        Args:
            labels: [B] class indices.

        Returns:
            `XVectorOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.wav2vec2(
            input_values, attention_mask, None, wanted.attentions,
            wanted.hidden_states or self.config.use_weighted_layer_sum, return_dict=True, noise=noise,
        )  # fmt: skip
        hidden = self.projector(self.read(outputs))
        for layer in self.tdnn:
            hidden = layer(hidden)
        lengths = None
        if attention_mask is not None:
            lengths = frame_lengths(ops.count(attention_mask), self.config)
            # 4.x counts as if the frames that a layer reads were side by side
            lengths = after_convolutions(lengths, self.config.tdnn_kernel, [1] * len(self.config.tdnn_kernel))
        embeddings = self.feature_extractor(mean_and_deviation(hidden, lengths, ops))  # [B, X]
        logits = self.classifier(embeddings)
        output = XVectorOutput(
            loss=self.objective(logits, labels),
            logits=logits,
            embeddings=embeddings,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)
