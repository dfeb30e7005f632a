"""ViT in Flax (Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929).

Shape letters: B batch, C channels, Y and X rows and columns of pixels, P patches, T positions (one for the image, then
the patches), D width, N heads, H head size, F feed-forward width, L labels.
"""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from ...backends.cache import heads_per_layer
from ...backends.flax import ops
from ...backends.flax.activations import activation, identity
from ...backends.flax.attention import attend, join_heads, per_layer_head_masks, split_heads
from ...backends.flax.images import FlaxImageModel, channels_last, checked_pixels, pixel_shuffle, resize_positions
from ...backends.flax.layers import Conv, Dense, LayerNorm, Stack, checkpointed
from ...backends.flax.model import Params
from ...backends.images import check_mask_token, check_patches, check_reconstruction, pair, patch_grid
from ...losses import masked_image_loss, sequence_classification_loss
from ...outputs import BaseModelOutputWithPooling, ImageClassifierOutput, MaskedImageModelingOutput, Wanted
from .configuration_vit import ViTConfig


class FlaxViTPatchEmbeddings(nn.Module):
    """Patches of pixels, projected."""

    config: ViTConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, patch = self.config, pair(self.config.patch_size)
        self.projection = Conv(
            config.hidden_size, patch, strides=patch, in_features=config.num_channels, dtype=self.dtype
        )

    def __call__(self, pixel_values: Array) -> Array:
        patches = self.projection(channels_last(pixel_values.astype(self.dtype)))  # [B, rows, columns, D]
        return patches.reshape(len(patches), -1, patches.shape[-1])  # [B, P, D]


class FlaxViTEmbeddings(nn.Module):
    """A token for the whole image, then its patches, with their positions; masked patches are all alike."""

    config: ViTConfig
    use_mask_token: bool
    dtype: Any = jnp.float32

    has_parts: ClassVar[bool] = True

    def setup(self) -> None:
        self.patch_embeddings = FlaxViTPatchEmbeddings(self.config, self.dtype)
        self.dropout = nn.Dropout(self.config.hidden_dropout_prob)

    @nn.compact
    def __call__(self, pixel_values: Array, bool_masked_pos: Array | None, deterministic: bool = True) -> Array:
        held = {
            name: self.param(name, nn.initializers.normal(0.02), shape).astype(self.dtype)
            for name, shape in self.parameter_shapes().items()
        }
        patches = self.patch_embeddings(pixel_values)  # [B, P, D]
        if bool_masked_pos is not None:
            mask_token = check_mask_token(held.get("mask_token"))
            check_patches(bool_masked_pos.shape, patches.shape[1])
            masked = bool_masked_pos[..., None].astype(patches.dtype)
            patches = patches * (1.0 - masked) + mask_token * masked
        whole = jnp.broadcast_to(held["cls_token"], (len(patches), *held["cls_token"].shape[1:]))
        hidden = jnp.concatenate([whole, patches], 1)  # [B, T, D]
        grid = patch_grid(pixel_values.shape[2:], self.config.patch_size)
        return self.dropout(hidden + self.positions(held["position_embeddings"], grid), deterministic=deterministic)

    @nn.nowrap
    def positions(self, positions: Array, grid: tuple[int, int]) -> Array:
        """The positions for a grid of patches, between those that there are: [1, T, D]."""
        own = patch_grid(self.config.image_size, self.config.patch_size)
        return jnp.concatenate([positions[:, :1], resize_positions(positions[:, 1:], own, grid)], 1)

    @nn.nowrap
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Linen's name of each parameter of its own -> its shape."""
        rows, columns = patch_grid(self.config.image_size, self.config.patch_size)
        token, count = (1, 1, self.config.hidden_size), 1 + rows * columns
        mask = {"mask_token": token} if self.use_mask_token else {}
        return {"cls_token": token, **mask, "position_embeddings": (1, count, self.config.hidden_size)}


class FlaxViTSelfAttention(nn.Module):
    """Queries, keys and values of one layer, and what each head makes of them."""

    config: ViTConfig
    heads: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.hidden_size
        self.head_size = width // config.num_attention_heads
        inner, bias = self.heads * self.head_size, config.qkv_bias
        self.query = Dense(inner, in_features=width, use_bias=bias, dtype=self.dtype)
        self.key = Dense(inner, in_features=width, use_bias=bias, dtype=self.dtype)
        self.value = Dense(inner, in_features=width, use_bias=bias, dtype=self.dtype)
        self.dropout = nn.Dropout(config.attention_probs_dropout_prob)

    def __call__(self, hidden: Array, head_mask: Array | None, deterministic: bool = True) -> tuple[Array, Array]:
        query, key, value = (
            split_heads(project(hidden), self.head_size) for project in (self.query, self.key, self.value)
        )  # [B, N, T, H]
        context, weights = attend(query, key, value, None, self.dropout, head_mask, deterministic)
        return join_heads(context), weights


class FlaxViTSelfOutput(nn.Module):
    """The projection after attention; its residual is added in the layer."""

    config: ViTConfig
    heads: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config, width = self.config, self.config.hidden_size
        inner = self.heads * (width // config.num_attention_heads)
        self.dense = Dense(width, in_features=inner, dtype=self.dtype)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def __call__(self, context: Array, deterministic: bool = True) -> Array:
        return self.dropout(self.dense(context), deterministic=deterministic)


class FlaxViTAttention(nn.Module):
    """Self-attention and its output projection."""

    config: ViTConfig
    heads: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        self.attention = FlaxViTSelfAttention(self.config, self.heads, self.dtype)
        self.output = FlaxViTSelfOutput(self.config, self.heads, self.dtype)

    def __call__(self, hidden: Array, head_mask: Array | None, deterministic: bool = True) -> tuple[Array, Array]:
        context, weights = self.attention(hidden, head_mask, deterministic)
        return self.output(context, deterministic), weights


class FlaxViTIntermediate(nn.Module):
    """The widening half of the feed-forward block."""

    config: ViTConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        self.dense = Dense(config.intermediate_size, in_features=config.hidden_size, dtype=self.dtype)
        self.activation = activation(config.hidden_act)

    def __call__(self, hidden: Array) -> Array:
        return self.activation(self.dense(hidden))  # [B, T, F]


class FlaxViTOutput(nn.Module):
    """The narrowing half of the feed-forward block, with its residual."""

    config: ViTConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        self.dense = Dense(config.hidden_size, in_features=config.intermediate_size, dtype=self.dtype)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def __call__(self, widened: Array, hidden: Array, deterministic: bool = True) -> Array:
        return self.dropout(self.dense(widened), deterministic=deterministic) + hidden


class FlaxViTLayer(nn.Module):
    """One layer: attention, then feed-forward, each with a norm before it."""

    config: ViTConfig
    heads: int
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        self.attention = FlaxViTAttention(config, self.heads, self.dtype)
        self.intermediate = FlaxViTIntermediate(config, self.dtype)
        self.output = FlaxViTOutput(config, self.dtype)
        self.layernorm_before = LayerNorm(epsilon=config.layer_norm_eps, size=config.hidden_size, dtype=self.dtype)
        self.layernorm_after = LayerNorm(epsilon=config.layer_norm_eps, size=config.hidden_size, dtype=self.dtype)

    def __call__(self, hidden: Array, head_mask: Array | None, deterministic: bool = True) -> tuple[Array, Array]:
        attended, weights = self.attention(self.layernorm_before(hidden), head_mask, deterministic)
        hidden = attended + hidden
        return self.output(self.intermediate(self.layernorm_after(hidden)), hidden, deterministic), weights


class FlaxViTEncoder(nn.Module):
    """The stack of layers."""

    config: ViTConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        arguments = tuple((self.config, heads, self.dtype) for heads in heads_per_layer(self.config))
        self.layer = Stack(FlaxViTLayer, arguments)

    def __call__(
        self, hidden: Array, head_masks: list[Array | None], wanted: Wanted, deterministic: bool = True
    ) -> tuple[Array, tuple[Array, ...], tuple[Array, ...]]:
        states, attentions = wanted.state(hidden), ()
        is_checkpointed = self.gradient_checkpointing and not deterministic
        for layer, head_mask in zip(self.layer, head_masks, strict=True):
            hidden, weights = checkpointed(layer, is_checkpointed)(hidden, head_mask, deterministic)
            states += wanted.state(hidden)
            attentions += wanted.attention(weights)
        return hidden, states, attentions


class FlaxViTPooler(nn.Module):
    """The first position, projected: a summary of the image."""

    config: ViTConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        self.dense = Dense(config.pooler_width, in_features=config.hidden_size, dtype=self.dtype)
        self.activation = activation(config.pooler_act)

    def __call__(self, hidden: Array) -> Array:
        return self.activation(self.dense(hidden[:, 0]))  # [B, D]


class FlaxViTDecoder(nn.Module):
    """The pixels of each patch, from its hidden state."""

    config: ViTConfig
    dtype: Any = jnp.float32

    def setup(self) -> None:
        config = self.config
        features = config.encoder_stride**2 * config.num_channels
        self.items = [Conv(features, (1, 1), in_features=config.hidden_size, dtype=self.dtype, name="0")]

    def __call__(self, hidden: Array, grid: tuple[int, int]) -> Array:
        maps = hidden.reshape(len(hidden), *grid, -1)  # [B, rows, columns, D]
        return pixel_shuffle(self.items[0](maps), self.config.encoder_stride)  # [B, C, Y, X]


class FlaxViTModule(nn.Module):
    """`FlaxViTModel` as a linen module; its call says `deterministic` for `not train`."""

    config: ViTConfig
    dtype: Any = jnp.float32
    add_pooling_layer: bool = True
    use_mask_token: bool = False
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        self.embeddings = FlaxViTEmbeddings(config, self.use_mask_token, self.dtype)
        self.encoder = FlaxViTEncoder(config, self.dtype, self.gradient_checkpointing)
        self.layernorm = LayerNorm(epsilon=config.layer_norm_eps, size=config.hidden_size, dtype=self.dtype)
        self.pooler = FlaxViTPooler(config, self.dtype) if self.add_pooling_layer else None

    def __call__(
        self,
        pixel_values: Array | None = None,
        bool_masked_pos: Array | None = None,
        head_mask: Array | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        interpolate_pos_encoding: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        config = self.config
        wanted = Wanted.of(config, output_attentions, output_hidden_states, return_dict)
        size = None if interpolate_pos_encoding else config.image_size
        pixels = checked_pixels(pixel_values, config.num_channels, size)
        hidden = self.embeddings(pixels, bool_masked_pos, deterministic)  # [B, T, D]
        head_masks = per_layer_head_masks(head_mask, config.num_hidden_layers)
        hidden, states, attentions = self.encoder(hidden, head_masks, wanted, deterministic)
        hidden = self.layernorm(hidden)
        output = BaseModelOutputWithPooling(
            last_hidden_state=hidden,
            pooler_output=self.pooler(hidden) if self.pooler is not None else None,
            hidden_states=states or None,
            attentions=attentions or None,
        )
        return wanted.answer(output)


class FlaxViTForMaskedImageModelingModule(nn.Module):
    """`FlaxViTForMaskedImageModeling` as a linen module."""

    config: ViTConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        self.vit = FlaxViTModule(self.config, self.dtype, False, True, self.gradient_checkpointing)
        self.decoder = FlaxViTDecoder(self.config, self.dtype)

    def __call__(
        self,
        pixel_values: Array | None = None,
        bool_masked_pos: Array | None = None,
        head_mask: Array | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        interpolate_pos_encoding: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        pixels = checked_pixels(pixel_values, self.config.num_channels)
        outputs = self.vit(
            pixel_values, bool_masked_pos, head_mask, deterministic, wanted.attentions, wanted.hidden_states,
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


class FlaxViTForImageClassificationModule(nn.Module):
    """`FlaxViTForImageClassification` as a linen module."""

    config: ViTConfig
    dtype: Any = jnp.float32
    gradient_checkpointing: bool = False

    def setup(self) -> None:
        config = self.config
        classifier = partial(Dense, config.num_labels, in_features=config.hidden_size, dtype=self.dtype)
        self.vit = FlaxViTModule(config, self.dtype, False, gradient_checkpointing=self.gradient_checkpointing)
        self.classifier = classifier() if config.num_labels > 0 else identity

    def __call__(
        self,
        pixel_values: Array | None = None,
        head_mask: Array | None = None,
        labels: Array | None = None,
        deterministic: bool = True,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        interpolate_pos_encoding: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        wanted = Wanted.of(self.config, output_attentions, output_hidden_states, return_dict)
        outputs = self.vit(
            pixel_values, None, head_mask, deterministic, wanted.attentions, wanted.hidden_states,
            interpolate_pos_encoding, return_dict=True,
        )  # fmt: skip
        logits = self.classifier(outputs.last_hidden_state[:, 0])  # [B, L]
        output = ImageClassifierOutput(
            loss=sequence_classification_loss(logits, labels, self.config, ops),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
        return wanted.answer(output)


class FlaxViTPreTrainedModel(FlaxImageModel):
    """Base of every ViT model in Flax: a linen module of `module_class` and its parameters."""

    config_class = ViTConfig
    base_model_prefix = "vit"

    def __call__(
        self,
        pixel_values: Array | None = None,
        params: Params | None = None,
        dropout_rng: Array | None = None,
        train: bool = False,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        interpolate_pos_encoding: bool | None = None,
        head_mask: Array | None = None,
        **arrays: Array,
    ) -> Any:
        """Run the model on a batch of images.

        Args:
            pixel_values: [B, C, Y, X].
            params: The parameters; the model's own if None.
            dropout_rng: The key of dropout, needed in training.
            train: Whether dropout is on.
            interpolate_pos_encoding: Whether images may have another size than the configuration's; positions are
                then put between those that there are.
            head_mask: [N] or [layers, N], 0 where a head is switched off.
            arrays: What the class takes beside: `bool_masked_pos` ([B, P], 1 where a patch is masked) or `labels`.

        Returns:
            The class's output, or a tuple with `return_dict=False`.

        Raises:
            InputError: The images have other channels or another size, or there is nothing to mask patches with.
        """
        options = {
            "output_attentions": output_attentions, "output_hidden_states": output_hidden_states,
            "return_dict": return_dict, "interpolate_pos_encoding": interpolate_pos_encoding,
        }  # fmt: skip
        given = {"pixel_values": pixel_values, "head_mask": head_mask, **arrays}
        return self.run(given, options, params, dropout_rng, train)


class FlaxViTModel(FlaxViTPreTrainedModel):
    """The bare encoder: hidden states, and a summary of each image.

    Args:
        add_pooling_layer: Whether there is a summary.
        use_mask_token: Whether patches can be masked.
    """

    module_class = FlaxViTModule


class FlaxViTForMaskedImageModeling(FlaxViTPreTrainedModel):
    """ViT with a head that makes up the pixels of masked patches; takes `bool_masked_pos`."""

    module_class = FlaxViTForMaskedImageModelingModule


class FlaxViTForImageClassification(FlaxViTPreTrainedModel):
    """ViT with a classifier of images; takes `labels`."""

    module_class = FlaxViTForImageClassificationModule
