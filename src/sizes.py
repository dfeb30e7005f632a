"""What must hold between the sizes of a configuration, for the architectures that have heads of attention."""

from __future__ import annotations

from typing import Any

from .files.errors import ConfigurationError, three_beats


def check_heads(config: Any) -> None:
    """Refuse heads that do not share the width evenly, and pruning that leaves a layer none.

    Raises:
        ConfigurationError: The sizes, or the heads to prune, do not fit together.
    """
    check_even_heads(config.hidden_size, config.num_attention_heads)
    check_pruning(config)


def check_pruning(config: Any, layers: int | None = None) -> None:
    """Refuse pruning of heads or layers that there are not, or that leaves a layer no head.

    Args:
        config: What the model is.
        layers: How many layers have weights of their own; `num_hidden_layers` if None.

    Raises:
        ConfigurationError: It does.
    """
    heads, layers = config.num_attention_heads, config.num_hidden_layers if layers is None else layers
    for layer, pruned in config.pruned_heads.items():
        if not 0 <= layer < layers or not set(pruned) < set(range(heads)):
            found = f"pruned_heads {{{layer}: {pruned}}} with {layers} layers of {heads} heads"
            raise ConfigurationError(three_beats(found, "some but not all heads of a layer", "Correct it."))


def check_padding_token(config: Any) -> None:
    """Refuse a padding token that the vocabulary does not have.

    Raises:
        ConfigurationError: It does not.
    """
    padding = config.pad_token_id
    if padding is not None and not -config.vocab_size <= padding < config.vocab_size:
        found = f"pad_token_id {padding} with vocab_size {config.vocab_size}"
        raise ConfigurationError(three_beats(found, "a token of the vocabulary", "Change one of the two."))


def check_image(config: Any) -> None:
    """Refuse images and patches that have no two sizes, and images smaller than a patch.

    Raises:
        ConfigurationError: The sizes do not fit together.
    """
    for name in ("image_size", "patch_size"):
        size = getattr(config, name)
        if not isinstance(size, int) and len(size) != 2:
            found = f"{name} {size}"
            raise ConfigurationError(three_beats(found, "one number, or rows and columns", "Correct it."))
    sizes = [(size, size) if isinstance(size, int) else size for size in (config.image_size, config.patch_size)]
    if any(image < patch for image, patch in zip(*sizes, strict=True)):
        found = f"image_size {config.image_size} with patch_size {config.patch_size}"
        raise ConfigurationError(three_beats(found, "images of one patch at least", "Change one of the two."))


def check_even_heads(width: int, heads: int, field: str = "num_attention_heads") -> None:
    """Refuse heads that do not share the width evenly.

    Args:
        width: The width of every hidden state.
        heads: How many heads there are.
        field: What the configuration calls their number.

    Raises:
        ConfigurationError: They do not.
    """
    if heads < 1 or width % heads:
        found = f"hidden_size {width} is not a multiple of {field} {heads}"
        raise ConfigurationError(three_beats(found, "heads of equal width", "Change one of the two."))
