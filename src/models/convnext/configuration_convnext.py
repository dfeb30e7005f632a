"""The configuration of ConvNeXT."""

from __future__ import annotations

from typing import Any

from ...fields import Count, Positive, Probability, Size
from ...files.errors import ConfigurationError, three_beats
from ...sizes import check_image
from ...stages import StagedConfig


class ConvNextConfig(StagedConfig):
    """What a ConvNeXT model is (Liu et al. 2022, https://arxiv.org/abs/2201.03545).

    Attributes:
        num_channels: Channels of the images.
        patch_size: Rows and columns of the patches that the stem projects.
        num_stages: Stages; each but the first halves rows and columns.
        hidden_sizes: Channels of each stage.
        depths: Layers of each stage.
        hidden_act: Name of the activation between a layer's two projections.
        initializer_range: Standard deviation of fresh weights.
        layer_norm_eps: What the last layer normalization adds to the variance.
        layer_scale_init_value: What each channel that a layer adds is multiplied with at first; it is not multiplied
            if that is 0.
        drop_path_rate: The part of the rows for which the last layer adds nothing in training; less in those before.
        image_size: Rows and columns of the images, which may have any size.
        out_features: The stages that the backbone gives maps of, the last if null.
        out_indices: The same by number, the stem being 0.
    """

    model_type = "convnext"

    num_channels: Size = 3
    patch_size: Size = 4
    num_stages: Count = 4
    hidden_sizes: list[Size] = [96, 192, 384, 768]
    depths: list[Count] = [3, 3, 9, 3]
    hidden_act: str = "gelu"
    initializer_range: Positive = 0.02
    layer_norm_eps: Positive = 1e-12
    layer_scale_init_value: float = 1e-6
    drop_path_rate: Probability = 0.0
    image_size: Size | list[Size] = 224
    out_features: list[str] | None = None
    out_indices: list[int] | None = None

    def _bind(self, args: tuple, kwargs: dict[str, Any]) -> dict[str, Any]:
        given = super()._bind(args, kwargs)  # 4.x takes None for these two, and so do its users
        return {
            name: value for name, value in given.items() if value is not None or name not in ("hidden_sizes", "depths")
        }

    def settle(self) -> None:
        self.hidden_sizes, self.depths = list(self.hidden_sizes), list(self.depths)
        self.stage_names = ["stem", *(f"stage{number}" for number in range(1, len(self.depths) + 1))]
        super().settle()

    def validate(self) -> None:
        super().validate()
        check_image(self)
        if not len(self.hidden_sizes) == len(self.depths) == self.num_stages > 0:
            found = f"num_stages {self.num_stages} with hidden_sizes {self.hidden_sizes} and depths {self.depths}"
            raise ConfigurationError(three_beats(found, "one of each for each stage", "Correct the configuration."))
