"""What must hold between the sizes of a configuration, for the architectures that have heads of attention."""

from __future__ import annotations

from typing import Any

from .files.errors import ConfigurationError, three_beats


def check_heads(config: Any) -> None:
    """Refuse heads that do not share the width evenly, and pruning that leaves a layer none.

    Raises:
        ConfigurationError: The sizes, or the heads to prune, do not fit together.
    """
    heads, layers = config.num_attention_heads, config.num_hidden_layers
    if heads < 1 or config.hidden_size % heads:
        found = f"hidden_size {config.hidden_size} is not a multiple of num_attention_heads {heads}"
        raise ConfigurationError(three_beats(found, "heads of equal width", "Change one of the two."))
    for layer, pruned in config.pruned_heads.items():
        if not 0 <= layer < layers or not set(pruned) < set(range(heads)):
            found = f"pruned_heads {{{layer}: {pruned}}} with {layers} layers of {heads} heads"
            raise ConfigurationError(three_beats(found, "some but not all heads of a layer", "Correct it."))
