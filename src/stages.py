"""The configuration of a network of stages, which can be a backbone: other models read the maps of some of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .configuration import PretrainedConfig
from .files.errors import ConfigurationError, three_beats

#: The two fields that say which stages those are.
OUTPUTS = ("out_features", "out_indices")


class StagedConfig(PretrainedConfig):
    """A configuration that names stages; `out_features` and `out_indices` always say the same, whichever is set.

    A subclass sets `stage_names` in `settle`, then calls this class's.
    """

    stage_names: list[str]

    def settle(self) -> None:
        align_stages(self)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in OUTPUTS and "stage_names" in vars(self):
            vars(self).update({other: None for other in OUTPUTS if other != name})
            align_stages(self)

    @classmethod
    def from_dict(cls, config_dict: Mapping[str, Any], **kwargs: Any) -> Any:
        """Build a configuration from plain values; the argument for one of the two fields is that for the other too."""
        given = [name for name in OUTPUTS if name in kwargs]
        left_out = set(OUTPUTS) if len(given) == 1 else set()
        return super().from_dict({name: value for name, value in config_dict.items() if name not in left_out}, **kwargs)


def align_stages(config: Any) -> None:
    """Make the names and the numbers of the chosen stages say the same: the last one if neither is given.

    Raises:
        ConfigurationError: One is not a stage, is there twice or out of turn, or the two name different stages.
    """
    names, features, indices = config.stage_names, config.out_features, config.out_indices
    if features is None and indices is None:
        features = [names[-1]]
    expected = f"stages of {', '.join(names)}, each once and in their order"
    error = ConfigurationError(
        three_beats(f"out_features {features} and out_indices {indices}", expected, "Correct them, or give one alone.")
    )
    if not all(-len(names) <= index < len(names) for index in indices or ()) or not set(features or ()) <= set(names):
        raise error
    from_features = [names.index(name) for name in features or ()]
    from_indices = [index % len(names) for index in indices or ()]
    chosen = from_indices if features is None else from_features
    if sorted(set(chosen)) != chosen or (None not in (features, indices) and from_features != from_indices):
        raise error
    vars(config).update(
        out_features=[names[index] for index in chosen],
        out_indices=list(from_features if indices is None else indices),
    )
