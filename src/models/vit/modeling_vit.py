"""ViT in PyTorch (Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929).

Shape letters: B batch, C channels, Y and X rows and columns of pixels, P patches, T positions (one for the image, then
the patches), D width, N heads, H head size, F feed-forward width, L labels.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...backends.cache import heads_per_layer
from ...backends.images import check_mask_token, check_patches, check_reconstruction, pair, patch_grid
from ...backends.torch import ops
from ...backends.torch.activations import activation
from ...backends.torch.attention import attend, join_heads, per_layer_head_masks, split_heads
from ...backends.torch.images import ImageModel, checked_pixels, resize_positions
from ...backends.torch.layers import CheckpointedLayer
from ...losses import masked_image_loss, sequence_classification_loss
from ...outputs import BaseModelOutputWithPooling, ImageClassifierOutput, MaskedImageModelingOutput, Wanted
from .configuration_vit import ViTConfig


class ViTPatchEmbeddings(nn.Module):
    """Patches of pixels, projected."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        patch = pair(config.patch_size)
        self.projection = nn.Conv2d(config.num_channels, config.hidden_size, patch, stride=patch)

    def forward(self, pixel_values: Tensor) -> Tensor:
        patches = self.projection(pixel_values.to(self.projection.weight.dtype))  # [B, D, rows, columns]
        return patches.flatten(2).transpose(1, 2)  # [B, P, D]


class ViTEmbeddings(nn.Module):
    """A token for the whole image, then its patches, with their positions; masked patches are all alike."""

    def __init__(self, config: ViTConfig, use_mask_token: bool) -> None:
        super().__init__()
        self.patch_size, self.grid = config.patch_size, patch_grid(config.image_size, config.patch_size)
        count, width = self.grid[0] * self.grid[1], config.hidden_size
        self.cls_token = nn.Parameter(torch.empty(1, 1, width))
        self.mask_token = nn.Parameter(torch.empty(1, 1, width)) if use_mask_token else None
        self.position_embeddings = nn.Parameter(torch.empty(1, 1 + count, width))
        self.patch_embeddings = ViTPatchEmbeddings(config)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, pixel_values: Tensor, bool_masked_pos: Tensor | None) -> Tensor:
        patches = self.patch_embeddings(pixel_values)  # [B, P, D]
        if bool_masked_pos is not None:
            mask_token = check_mask_token(self.mask_token)
            check_patches(bool_masked_pos.shape, patches.shape[1])
            masked = bool_masked_pos[..., None].to(patches.dtype)
            patches = patches * (1.0 - masked) + mask_token * masked
        hidden = torch.cat([self.cls_token.expand(len(patches), -1, -1), patches], 1)  # [B, T, D]
        return self.dropout(hidden + self.positions(patch_grid(pixel_values.shape[2:], self.patch_size)))

    def positions(self, grid: tuple[int, int]) -> Tensor:
        """The positions for a grid of patches, between those that there are: [1, T, D]."""
        whole, patches = self.position_embeddings[:, :1], self.position_embeddings[:, 1:]
        return torch.cat([whole, resize_positions(patches, self.grid, grid)], 1)


class ViTSelfAttention(nn.Module):
    """Queries, keys and values of one layer, and what each head makes of them."""

    def __init__(self, config: ViTConfig, heads: int) -> None:
        super().__init__()
        width, self.head_size = config.hidden_size, config.hidden_size // config.num_attention_heads
        self.explicit = config._attn_implementation == "eager"
        self.query = nn.Linear(width, heads * self.head_size, bias=config.qkv_bias)
        self.key = nn.Linear(width, heads * self.head_size, bias=config.qkv_bias)
        self.value = nn.Linear(width, heads * self.head_size, bias=config.qkv_bias)
        self.dropout = nn.Dropout(config.attention_probs_dropout_prob)

    def forward(self, hidden: Tensor, head_mask: Tensor | None, wanted: Wanted) -> tuple[Tensor, Tensor | None]:
        query, key, value = (
            split_heads(project(hidden), self.head_size) for project in (self.query, self.key, self.value)
        )  # [B, N, T, H]
        dropout = self.dropout.p if self.training else 0.0
        context, weights = attend(query, key, value, None, dropout, head_mask, self.explicit or wanted.attentions)
        return join_heads(context), weights


class ViTSelfOutput(nn.Module):
    """The projection after attention; its residual is added in the layer."""

    def __init__(self, config: ViTConfig, heads: int) -> None:
        super().__init__()
        width, head_size = config.hidden_size, config.hidden_size // config.num_attention_heads
        self.dense = nn.Linear(heads * head_size, width)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, context: Tensor) -> Tensor:
        return self.dropout(self.dense(context))


class ViTAttention(nn.Module):
    """Self-attention and its output projection."""

    def __init__(self, config: ViTConfig, heads: int) -> None:
        super().__init__()
        self.attention = ViTSelfAttention(config, heads)
        self.output = ViTSelfOutput(config, heads)

    def forward(self, hidden: Tensor, head_mask: Tensor | None, wanted: Wanted) -> tuple[Tensor, Tensor | None]:
        context, weights = self.attention(hidden, head_mask, wanted)
        return self.output(context), weights


class ViTIntermediate(nn.Module):
    """The widening half of the feed-forward block."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = activation(config.hidden_act)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.activation(self.dense(hidden))  # [B, T, F]


class ViTOutput(nn.Module):
    """The narrowing half of the feed-forward block, with its residual."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.intermediate_size, config.hidden_size)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, widened: Tensor, hidden: Tensor) -> Tensor:
        return self.dropout(self.dense(widened)) + hidden


class ViTLayer(CheckpointedLayer):
    """One layer: attention, then feed-forward, each with a norm before it."""

    def __init__(self, config: ViTConfig, heads: int) -> None:
        super().__init__()
        self.attention = ViTAttention(config, heads)
        self.intermediate = ViTIntermediate(config)
        self.output = ViTOutput(config)
        self.layernorm_before = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.layernorm_after = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, hidden: Tensor, head_mask: Tensor | None, wanted: Wanted) -> tuple[Tensor, Tensor | None]:
        attended, weights = self.attention(self.layernorm_before(hidden), head_mask, wanted)
        hidden = attended + hidden
        return self.output(self.intermediate(self.layernorm_after(hidden)), hidden), weights


class ViTEncoder(nn.Module):
    """The stack of layers."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList(ViTLayer(config, heads) for heads in heads_per_layer(config))

    def forward(
        self, hidden: Tensor, head_masks: list[Tensor | None], wanted: Wanted
    ) -> tuple[Tensor, tuple[Tensor, ...], tuple[Tensor, ...]]:
        states, attentions = wanted.state(hidden), ()
        for layer, head_mask in zip(self.layer, head_masks, strict=True):
            hidden, weights = layer(hidden, head_mask, wanted)
            states += wanted.state(hidden)
            attentions += wanted.attention(weights)
        return hidden, states, attentions


class ViTPooler(nn.Module):
    """The first position, projected: a summary of the image."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.pooler_width)
        self.activation = activation(config.pooler_act)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.activation(self.dense(hidden[:, 0]))  # [B, D]


class ViTDecoder(nn.ModuleList):
    """The pixels of each patch, from its hidden state."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__([nn.Conv2d(config.hidden_size, config.encoder_stride**2 * config.num_channels, 1)])
        self.stride = config.encoder_stride

    def forward(self, hidden: Tensor, grid: tuple[int, int]) -> Tensor:
        maps = hidden.transpose(1, 2).unflatten(2, grid)  # [B, D, rows, columns]
        return F.pixel_shuffle(self[0](maps), self.stride)  # [B, C, Y, X]


class ViTPreTrainedModel(ImageModel):
    """Base of every ViT model in PyTorch."""

    config_class = ViTConfig
    base_model_prefix = "vit"
    config: ViTConfig

    def get_input_embeddings(self) -> ViTPatchEmbeddings:
        """The module that embeds patches."""
        return self.base_model.embeddings.patch_embeddings


class ViTModel(ViTPreTrainedModel):
    """The bare encoder: hidden states, and a summary of each image.

    Args:
        config: What the model is.
        add_pooling_layer: Whether there is a summary.
        use_mask_token: Whether patches can be masked.
    """

    def __init__(self, config: ViTConfig, add_pooling_layer: bool = True, use_mask_token: bool = False) -> None:
        super().__init__(config)
        self.embeddings = ViTEmbeddings(config, use_mask_token)
        self.encoder = ViTEncoder(config)
        self.layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.pooler = ViTPooler(config) if add_pooling_layer else None

    def forward(
        self,
        pixel_values: Tensor | None = None,
        bool_masked_pos: Tensor | None = None,
        head_mask: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        interpolate_pos_encoding: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Encode a batch of images.

        Args:
            pixel_values: [B, C, Y, X].
            bool_masked_pos: [B, P], 1 where a patch is masked.
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            interpolate_pos_encoding: Whether images may have another size than the configuration's; positions are
                then put between those that there are.

        Returns:
            `BaseModelOutputWithPooling`, or a tuple with `return_dict=False`.

        Raises:
            InputError: The images have other channels or another size, or there is nothing to mask patches with.
        """
        config, wanted = self.config, self.wanted(output_attentions, output_hidden_states, return_dict)
        size = None if interpolate_pos_encoding else config.image_size
        pixels = checked_pixels(pixel_values, config.num_channels, size)
        hidden = self.embeddings(pixels, bool_masked_pos)  # [B, T, D]
        head_masks = per_layer_head_masks(head_mask, config.num_hidden_layers)
        hidden, states, attentions = self.encoder(hidden, head_masks, wanted)
        hidden = self.layernorm(hidden)
        output = BaseModelOutputWithPooling(
            last_hidden_state=hidden,
            pooler_output=self.pooler(hidden) if self.pooler is not None else None,
            hidden_states=states or None,
            attentions=attentions or None,
        )
        return wanted.answer(output)


class ViTForMaskedImageModeling(ViTPreTrainedModel):
    """ViT with a head that makes up the pixels of masked patches (Xie et al. 2021, https://arxiv.org/abs/2111.09886)."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__(config)
        self.vit = ViTModel(config, add_pooling_layer=False, use_mask_token=True)
        self.decoder = ViTDecoder(config)

    def forward(
        self,
        pixel_values: Tensor | None = None,
        bool_masked_pos: Tensor | None = None,
        head_mask: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        interpolate_pos_encoding: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Make up the pixels of masked patches; the arguments are those of `ViTModel`.

        Returns:
            `MaskedImageModelingOutput`, whose loss needs `bool_masked_pos`, or a tuple with `return_dict=False`.

        Raises:
            InputError: As of `ViTModel`; or a mask where patches and the pixels made for them differ in size.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        pixels = checked_pixels(pixel_values, self.config.num_channels)
        outputs = self.vit(
            pixel_values, bool_masked_pos, head_mask, wanted.attentions, wanted.hidden_states,
            interpolate_pos_encoding, return_dict=True,
        )  # fmt: skip
        grid = patch_grid(pixels.shape[2:], self.config.patch_size)
        reconstruction = self.decoder(outputs.last_hidden_state[:, 1:], grid)  # [B, C, Y, X]
        if bool_masked_pos is not None:
            check_reconstruction(tuple(pixels.shape), tuple(reconstruction.shape))
        output = MaskedImageModelingOutput(
            loss=masked_image_loss(pixels, reconstruction, bool_masked_pos, grid, ops),
            reconstruction=reconstruction,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class ViTForImageClassification(ViTPreTrainedModel):
    """ViT with a classifier of images."""

    def __init__(self, config: ViTConfig) -> None:
        super().__init__(config)
        self.vit = ViTModel(config, add_pooling_layer=False)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels) if config.num_labels > 0 else nn.Identity()

    def forward(
        self,
        pixel_values: Tensor | None = None,
        head_mask: Tensor | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        interpolate_pos_encoding: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Classify images; the arguments are those of `ViTModel`, and

        Args:
            labels: [B] class indices; [B] or [B, L] targets for regression; [B, L] zeros and ones for several each.

        Returns:
            `ImageClassifierOutput`, or a tuple with `return_dict=False`.
        """
        wanted = self.wanted(output_attentions, output_hidden_states, return_dict)
        outputs = self.vit(
            pixel_values, None, head_mask, wanted.attentions, wanted.hidden_states, interpolate_pos_encoding,
            return_dict=True,
        )  # fmt: skip
        logits = self.classifier(outputs.last_hidden_state[:, 0])  # [B, L]
        output = ImageClassifierOutput(
            loss=sequence_classification_loss(logits, labels, self.config, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)
