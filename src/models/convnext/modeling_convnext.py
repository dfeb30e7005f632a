"""ConvNeXT in PyTorch (Liu et al. 2022, https://arxiv.org/abs/2201.03545).

Shape letters: B batch, C channels, Y and X rows and columns of a map, L labels.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ...backends.images import BackboneBase, chosen_channels, drop_path_rates
from ...backends.torch import ops
from ...backends.torch.activations import activation
from ...backends.torch.images import ChannelNorm, DropPath, ImageModel, checked_pixels
from ...backends.torch.layers import CheckpointedLayer
from ...losses import sequence_classification_loss
from ...outputs import (
    BackboneOutput,
    BaseModelOutputWithPoolingAndNoAttention,
    ImageClassifierOutputWithNoAttention,
)
from .configuration_convnext import ConvNextConfig

#: What layer normalization adds to the variance everywhere but at the end.
EPSILON = 1e-6


class ConvNextEmbeddings(nn.Module):
    """The stem: patches of pixels, projected and normalized."""

    def __init__(self, config: ConvNextConfig) -> None:
        super().__init__()
        width, patch = config.hidden_sizes[0], config.patch_size
        self.channels = config.num_channels
        self.patch_embeddings = nn.Conv2d(config.num_channels, width, patch, stride=patch)
        self.layernorm = ChannelNorm(width, eps=EPSILON)

    def forward(self, pixel_values: Tensor | None) -> Tensor:
        pixels = checked_pixels(pixel_values, self.channels)
        return self.layernorm(self.patch_embeddings(pixels.to(self.patch_embeddings.weight.dtype)))


class ConvNextLayer(CheckpointedLayer):
    """One layer: a wide convolution of each channel, then channels mixed as in a feed-forward block."""

    def __init__(self, config: ConvNextConfig, width: int, drop_path: float) -> None:
        super().__init__()
        scale = config.layer_scale_init_value
        self.dwconv = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.layernorm = nn.LayerNorm(width, eps=EPSILON)
        self.pwconv1 = nn.Linear(width, 4 * width)
        self.activation = activation(config.hidden_act)
        self.pwconv2 = nn.Linear(4 * width, width)
        self.layer_scale_parameter = nn.Parameter(torch.empty(width)) if scale > 0 else None
        self.drop_path = DropPath(drop_path)

    def forward(self, hidden: Tensor) -> Tensor:
        normed = self.layernorm(self.dwconv(hidden).permute(0, 2, 3, 1))  # [B, Y, X, C]
        branch = self.pwconv2(self.activation(self.pwconv1(normed)))
        if self.layer_scale_parameter is not None:
            branch = branch * self.layer_scale_parameter
        return hidden + self.drop_path(branch.permute(0, 3, 1, 2))


class ConvNextDownsampling(nn.ModuleList):
    """A norm and a convolution that halves rows and columns."""

    def __init__(self, width: int, wider: int) -> None:
        super().__init__([ChannelNorm(width, eps=EPSILON), nn.Conv2d(width, wider, 2, stride=2)])

    def forward(self, hidden: Tensor) -> Tensor:
        norm, convolution = self
        return convolution(norm(hidden))


class ConvNextStage(nn.Module):
    """Layers of one width; all stages but the first begin by halving rows and columns."""

    def __init__(self, config: ConvNextConfig, index: int) -> None:
        super().__init__()
        widths, width = config.hidden_sizes, config.hidden_sizes[index]
        self.downsampling_layer = ConvNextDownsampling(widths[index - 1], width) if index > 0 else nn.Identity()
        self.layers = nn.ModuleList(ConvNextLayer(config, width, rate) for rate in drop_path_rates(config)[index])

    def forward(self, hidden: Tensor) -> Tensor:
        hidden = self.downsampling_layer(hidden)
        for layer in self.layers:
            hidden = layer(hidden)
        return hidden


class ConvNextEncoder(nn.Module):
    """The stages; answers with the map that each was given, and the last one's."""

    def __init__(self, config: ConvNextConfig) -> None:
        super().__init__()
        self.stages = nn.ModuleList(ConvNextStage(config, index) for index in range(config.num_stages))

    def forward(self, hidden: Tensor) -> tuple[Tensor, ...]:
        states = (hidden,)
        for stage in self.stages:
            states += (stage(states[-1]),)
        return states


class ConvNextStateNorms(nn.ModuleDict):
    """A norm for each stage whose map the backbone gives."""

    def __init__(self, config: ConvNextConfig) -> None:
        super().__init__({name: ChannelNorm(width, eps=EPSILON) for name, width in chosen_channels(config).items()})
        self.names = config.stage_names

    def forward(self, states: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        named = dict(zip(self.names, states, strict=True))
        return tuple(norm(named[name]) for name, norm in self.items())


class ConvNextPreTrainedModel(ImageModel):
    """Base of every ConvNeXT model in PyTorch."""

    config_class = ConvNextConfig
    base_model_prefix = "convnext"
    config: ConvNextConfig


class ConvNextModel(ConvNextPreTrainedModel):
    """The bare network: the last map, and a summary of each image."""

    def __init__(self, config: ConvNextConfig) -> None:
        super().__init__(config)
        self.embeddings = ConvNextEmbeddings(config)
        self.encoder = ConvNextEncoder(config)
        self.layernorm = nn.LayerNorm(config.hidden_sizes[-1], eps=config.layer_norm_eps)

    def forward(
        self,
        pixel_values: Tensor | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Encode a batch of images.

        Args:
            pixel_values: [B, C, Y, X].

        Returns:
            `BaseModelOutputWithPoolingAndNoAttention`, or a tuple with `return_dict=False`.

        Raises:
            InputError: The images have other channels.
        """
        wanted = self.wanted(False, output_hidden_states, return_dict)
        states = self.encoder(self.embeddings(pixel_values))  # [B, C, Y, X] each
        output = BaseModelOutputWithPoolingAndNoAttention(
            last_hidden_state=states[-1],
            pooler_output=self.layernorm(states[-1].mean((-2, -1))),
            hidden_states=states if wanted.hidden_states else None,
        )
        return wanted.answer(output)


class ConvNextForImageClassification(ConvNextPreTrainedModel):
    """ConvNeXT with a classifier of images."""

    def __init__(self, config: ConvNextConfig) -> None:
        super().__init__(config)
        width, count = config.hidden_sizes[-1], config.num_labels
        self.convnext = ConvNextModel(config)
        self.classifier = nn.Linear(width, count) if count > 0 else nn.Identity()

    def forward(
        self,
        pixel_values: Tensor | None = None,
        labels: Tensor | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Classify images.

        Args:
            pixel_values: [B, C, Y, X].
            labels: [B] class indices; [B] or [B, L] targets for regression; [B, L] zeros and ones for several each.

        Returns:
            `ImageClassifierOutputWithNoAttention`, or a tuple with `return_dict=False`.

        Raises:
            InputError: The images have other channels.
        """
        wanted = self.wanted(False, output_hidden_states, return_dict)
        outputs = self.convnext(pixel_values, wanted.hidden_states, return_dict=True)
        logits = self.classifier(outputs.pooler_output)  # [B, L]
        output = ImageClassifierOutputWithNoAttention(
            loss=sequence_classification_loss(logits, labels, self.config, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
        )
        return wanted.answer(output)


class ConvNextBackbone(ConvNextPreTrainedModel, BackboneBase):
    """ConvNeXT as a part of other models: the normalized maps of the stages that the configuration names."""

    def __init__(self, config: ConvNextConfig) -> None:
        super().__init__(config)
        self.embeddings = ConvNextEmbeddings(config)
        self.encoder = ConvNextEncoder(config)
        self.hidden_states_norms = ConvNextStateNorms(config)

    def forward(
        self, pixel_values: Tensor, output_hidden_states: bool | None = None, return_dict: bool | None = None
    ) -> Any:
        """Encode a batch of images.

        Args:
            pixel_values: [B, C, Y, X].

        Returns:
            `BackboneOutput`, or a tuple with `return_dict=False`.

        Raises:
            InputError: The images have other channels.
        """
        wanted = self.wanted(False, output_hidden_states, return_dict)
        states = self.encoder(self.embeddings(pixel_values))  # [B, C, Y, X] each
        output = BackboneOutput(
            feature_maps=self.hidden_states_norms(states), hidden_states=states if wanted.hidden_states else None
        )
        return wanted.answer(output)
