"""What the three tables of activations share: the error for a name that is in none."""

from __future__ import annotations

from collections.abc import Iterable

from ..files.errors import ConfigurationError, closest, three_beats


def unknown_activation(name: str, known: Iterable[str]) -> ConfigurationError:
    """The error for an activation that there is not."""
    known = sorted(known)
    near = closest(name, known) or known
    return ConfigurationError(
        three_beats(
            f"activation {name!r} is not known", f"one such as {', '.join(near[:3])}", "Correct the configuration."
        )
    )
