"""The configuration of Wav2Vec2."""

from __future__ import annotations

import math
from typing import Literal

from ...configuration import PretrainedConfig
from ...fields import Count, OptionalSize, Positive, Probability, Size, TokenId
from ...files.errors import ConfigurationError, three_beats
from ...sizes import check_heads


class Wav2Vec2Config(PretrainedConfig):
    """What a Wav2Vec2 model is (Baevski et al. 2020, https://arxiv.org/abs/2006.11477).

    Attributes:
        vocab_size: Tokens that the CTC head scores.
        hidden_size: Width of every hidden state.
        num_hidden_layers: Layers of the encoder.
        num_attention_heads: Heads per layer; must divide `hidden_size`.
        intermediate_size: Width between the two feed-forward projections.
        hidden_act: Name of the feed-forward activation.
        hidden_dropout: Dropout of what each block adds to the hidden state.
        activation_dropout: Dropout between the two feed-forward projections.
        attention_dropout: Dropout of the attention probabilities.
        feat_proj_dropout: Dropout after the projection of the features.
        feat_quantizer_dropout: Dropout of the features that are quantized.
        final_dropout: Dropout before the scores of tokens.
        layerdrop: Probability with which training leaves a layer out.
        initializer_range: Standard deviation of fresh weights.
        layer_norm_eps: What the encoder's normalizations add to the variance.
        feat_extract_norm: Whether the first convolution alone is normalized, each channel over time (group), or each
            convolution over its channels (layer).
        feat_extract_activation: Name of the activation of the convolutions.
        conv_dim: Channels of each convolution of the waveform.
        conv_stride: Their strides.
        conv_kernel: Their lengths.
        conv_bias: Whether they have a bias.
        num_conv_pos_embeddings: Length of the convolution that tells positions.
        num_conv_pos_embedding_groups: Groups of its channels.
        do_stable_layer_norm: Whether a block's input is normalized, or what comes out of it.
        apply_spec_augment: Whether features are masked at all.
        mask_time_prob: Part of the frames that training masks, spans that overlap counted twice.
        mask_time_length: Frames of a span.
        mask_time_min_masks: The least number of spans.
        mask_feature_prob: Part of the features that training masks, as `mask_time_prob`.
        mask_feature_length: Features of a span.
        mask_feature_min_masks: The least number of spans.
        num_codevectors_per_group: Entries of each codebook.
        num_codevector_groups: Codebooks.
        contrastive_logits_temperature: What similarities are divided by in pre-training.
        num_negatives: Distractors for each frame.
        codevector_dim: Width of a quantized frame; codebooks share it evenly.
        proj_codevector_dim: Width in which predictions and quantized frames are compared.
        diversity_loss_weight: Weight of the loss that asks for the use of all entries.
        ctc_loss_reduction: Whether the losses of a batch are summed, averaged or kept apart.
        ctc_zero_infinity: Whether a label that is too long for its sound costs nothing instead of infinity.
        use_weighted_layer_sum: Whether classifiers read all layers, with learnt weights.
        classifier_proj_size: Width that classifiers of whole sounds project to first.
        tdnn_dim: Widths of the x-vector's time-delay layers.
        tdnn_kernel: How many frames each of them reads.
        tdnn_dilation: How far these are apart.
        xvector_output_dim: Width of the x-vector.
        pad_token_id: The token of CTC's blank.
        bos_token_id: The token that a text begins with.
        eos_token_id: The token that it ends with.
        add_adapter: Whether convolutions shorten what the encoder gives.
        adapter_kernel_size: Their length.
        adapter_stride: Their stride.
        num_adapter_layers: Their number.
        output_hidden_size: Their width, `hidden_size` if null.
        adapter_attn_dim: Inner width of the small adapters in each layer of a stable encoder, for a language each.
        num_feat_extract_layers: The number of convolutions of the waveform; follows from `conv_dim`.
    """

    model_type = "wav2vec2"

    vocab_size: OptionalSize | None = 32
    hidden_size: Size = 768
    num_hidden_layers: Count = 12
    num_attention_heads: Count = 12
    intermediate_size: Size = 3072
    hidden_act: str = "gelu"
    hidden_dropout: Probability = 0.1
    activation_dropout: Probability = 0.1
    attention_dropout: Probability = 0.1
    feat_proj_dropout: Probability = 0.0
    feat_quantizer_dropout: Probability = 0.0
    final_dropout: Probability = 0.1
    layerdrop: Probability = 0.1
    initializer_range: Positive = 0.02
    layer_norm_eps: Positive = 1e-5
    feat_extract_norm: Literal["group", "layer"] = "group"
    feat_extract_activation: str = "gelu"
    conv_dim: list[Size] = [512, 512, 512, 512, 512, 512, 512]
    conv_stride: list[Size] = [5, 2, 2, 2, 2, 2, 2]
    conv_kernel: list[Size] = [10, 3, 3, 3, 3, 2, 2]
    conv_bias: bool = False
    num_conv_pos_embeddings: Size = 128
    num_conv_pos_embedding_groups: Size = 16
    do_stable_layer_norm: bool = False
    apply_spec_augment: bool = True
    mask_time_prob: Probability = 0.05
    mask_time_length: Size = 10
    mask_time_min_masks: OptionalSize = 2
    mask_feature_prob: Probability = 0.0
    mask_feature_length: Size = 10
    mask_feature_min_masks: OptionalSize = 0
    num_codevectors_per_group: Size = 320
    num_codevector_groups: Size = 2
    contrastive_logits_temperature: Positive = 0.1
    num_negatives: OptionalSize = 100
    codevector_dim: Size = 256
    proj_codevector_dim: Size = 256
    diversity_loss_weight: Positive = 0.1
    ctc_loss_reduction: Literal["sum", "mean", "none"] = "sum"
    ctc_zero_infinity: bool = False
    use_weighted_layer_sum: bool = False
    classifier_proj_size: Size = 256
    tdnn_dim: list[Size] = [512, 512, 512, 512, 1500]
    tdnn_kernel: list[Size] = [5, 3, 3, 1, 1]
    tdnn_dilation: list[Size] = [1, 2, 3, 1, 1]
    xvector_output_dim: Size = 512
    pad_token_id: TokenId | None = 0
    bos_token_id: TokenId | None = 1
    eos_token_id: TokenId | None = 2
    add_adapter: bool = False
    adapter_kernel_size: Size = 3
    adapter_stride: Size = 2
    num_adapter_layers: Count = 3
    output_hidden_size: Size | None = None
    adapter_attn_dim: Size | None = None
    num_feat_extract_layers: Count = 7

    def settle(self) -> None:
        self.output_hidden_size = self.output_hidden_size or self.hidden_size
        self.num_feat_extract_layers = len(self.conv_dim)

    def validate(self) -> None:
        super().validate()
        check_heads(self)
        self._check_lists("conv_dim", "conv_stride", "conv_kernel")
        self._check_lists("tdnn_dim", "tdnn_kernel", "tdnn_dilation")
        self._check_shares("hidden_size", "num_conv_pos_embedding_groups")
        self._check_shares("codevector_dim", "num_codevector_groups")

    def _check_lists(self, *names: str) -> None:
        lengths = [len(getattr(self, name)) for name in names]
        if len(set(lengths)) > 1 or not lengths[0]:
            found = f"{', '.join(names)} with {', '.join(map(str, lengths))} entries"
            raise ConfigurationError(three_beats(found, "one entry in each for each layer", "Make them equally long."))

    def _check_shares(self, width: str, groups: str) -> None:
        if getattr(self, width) % getattr(self, groups):
            found = f"{width} {getattr(self, width)} is not a multiple of {groups} {getattr(self, groups)}"
            raise ConfigurationError(three_beats(found, "groups of equal width", "Change one of the two."))

    @property
    def inputs_to_logits_ratio(self) -> int:
        """The samples from one frame to the next."""
        return math.prod(self.conv_stride)

    @property
    def masks_features(self) -> bool:
        """Whether there is something to put in the place of masked frames."""
        return self.mask_time_prob > 0 or self.mask_feature_prob > 0

    @property
    def head_width(self) -> int:
        """The width of what a head that follows an adapter reads."""
        return (self.output_hidden_size or self.hidden_size) if self.add_adapter else self.hidden_size

    @property
    def feature_width(self) -> int:
        """The channels of the last convolution of the waveform."""
        return self.conv_dim[-1]

    @property
    def positional_length(self) -> float:
        """The length of the positional convolution's directions when they are fresh, hence that of its weights."""
        return (self.hidden_size / (3 * self.num_conv_pos_embeddings)) ** 0.5

    @property
    def layer_share(self) -> float:
        """The weight of each layer before anything is learnt."""
        return 1.0 / (self.num_hidden_layers + 1)
