"""How two results are compared, and how near they must be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from triformers.conversion.verify import relative_error


@dataclass(frozen=True)
class Bands:
    """The largest differences allowed on one kind of device, all relative.

    Attributes:
        outputs: Of an output in float64.
        gradients: Of a gradient in float64, to the case's largest.
        training: Of a weight after five optimizer steps in float64.
        float32: The least that an output in float32 is allowed.
    """

    outputs: float
    gradients: float
    training: float
    float32: float


#: On a GPU reductions are ordered otherwise; a TPU emulates float64 and multiplies float32 in several passes.
BANDS: Mapping[str, Bands] = {
    "cpu": Bands(outputs=1e-12, gradients=1e-10, training=1e-9, float32=1e-6),
    "gpu": Bands(outputs=1e-11, gradients=1e-9, training=1e-8, float32=2e-6),
    "tpu": Bands(outputs=1e-10, gradients=1e-8, training=1e-7, float32=1e-5),
}


def errors(found: Mapping[str, np.ndarray], truth: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The error of each true array; infinite where one is absent."""
    absent = float("inf")
    return {name: relative_error(found[name], array) if name in found else absent for name, array in truth.items()}


def beyond(found: Mapping[str, np.ndarray], truth: Mapping[str, np.ndarray], band: float) -> dict[str, float]:
    """The arrays whose error is larger than the band, with the error."""
    return {name: size for name, size in errors(found, truth).items() if not size <= band}
