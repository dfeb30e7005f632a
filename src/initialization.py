"""Initial weights: drawn by canonical parameter name, so that `config + seed` is the same bytes in every framework.

Each parameter has a random stream of its own, keyed by the seed and its name. NumPy promises a stable stream of raw
Philox bits (Salmon et al. 2011), but none of its own normals; so the bits become uniforms here and the uniforms
become normals by the inverse distribution function, in float64, rounded once to the parameter's type.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from .configuration import PretrainedConfig

#: Numbers drawn and transformed at a time: small enough to stay in a core's cache.
CHUNK = 1 << 16
#: Numbers that one thread draws at a time; a stream can be entered at any of its steps.
BLOCK = 1 << 19
#: Numbers that one step of a stream gives.
WORDS = 4


@dataclass(frozen=True)
class Constant:
    """Every element is `value`, or what the configuration's field of that name holds."""

    value: float | str


@dataclass(frozen=True)
class Normal:
    """Normally distributed around zero.

    Attributes:
        deviation: The standard deviation, or the name of the configuration's field that holds it.
        zero_row: Name of the configuration's field that holds the index of a row of zeros (padding), if any.
    """

    deviation: float | str = "initializer_range"
    zero_row: str | None = None


@dataclass(frozen=True)
class Uniform:
    """Evenly distributed between 0 and 1."""


@dataclass(frozen=True)
class FanIn:
    """Spread by how many numbers each output is a sum of (He et al. 2015, https://arxiv.org/abs/1502.01852).

    Attributes:
        gain: The standard deviation, or where it is uniform the largest size, times the root of that count.
        size: Name of the configuration's field that holds the count; the product of all axes but the first if empty.
        is_uniform: Whether it is evenly distributed around zero instead of normally.
    """

    gain: float = 1.0
    size: str = ""
    is_uniform: bool = False


@dataclass(frozen=True)
class Sinusoids:
    """Sines and cosines of each row's number, at frequencies that fall from column to column (Vaswani et al. 2017).

    Attributes:
        when: The configuration's field that asks for them; without it, the table is normally distributed.
    """

    when: str


Initializer: TypeAlias = Constant | Normal | Uniform | FanIn | Sinusoids

ZEROS, ONES = Constant(0.0), Constant(1.0)

#: (layer kind, canonical leaf) -> initial value, unless the architecture's card says otherwise.
BY_KIND: Mapping[tuple[str, str], Initializer] = {
    ("linear", "weight"): Normal(),
    ("linear", "bias"): ZEROS,
    ("linear_in_out", "weight"): Normal(),
    ("linear_in_out", "bias"): ZEROS,
    ("embedding", "weight"): Normal(),
    ("conv_1d", "weight"): Normal(),
    ("conv_1d", "bias"): ZEROS,
    ("conv_2d", "weight"): Normal(),
    ("conv_2d", "bias"): ZEROS,
    ("layer_norm", "weight"): ONES,
    ("layer_norm", "bias"): ZEROS,
    ("rms_norm", "weight"): ONES,
    ("group_norm", "weight"): ONES,
    ("group_norm", "bias"): ZEROS,
}


def usual(kind: str, leaf: str, deviation: str) -> Initializer | None:
    """The initial value that is usual for a parameter of a layer of some kind; None where the kind is not known.

    Args:
        kind: The kind of the layer.
        leaf: The parameter's canonical leaf name.
        deviation: The configuration's field that holds the standard deviation.
    """
    initializer = BY_KIND.get((kind, leaf))
    return Normal(deviation) if initializer == Normal() else initializer


def is_defined(initializer: Initializer, config: PretrainedConfig) -> bool:
    """Whether a configuration has the field that an initial value is named after."""
    if isinstance(initializer, Uniform):
        return True
    if isinstance(initializer, Sinusoids):
        return hasattr(config, initializer.when)
    if isinstance(initializer, FanIn):
        return not initializer.size or hasattr(config, initializer.size)
    number = initializer.value if isinstance(initializer, Constant) else initializer.deviation
    return not isinstance(number, str) or hasattr(config, number)


def is_computed(initializer: Initializer | None, config: PretrainedConfig | None) -> bool:
    """Whether a value follows from the configuration alone, so that a checkpoint need not hold it."""
    return isinstance(initializer, Sinusoids) and config is not None and getattr(config, initializer.when, False)


def draw(
    initializer: Initializer, name: str, shape: tuple[int, ...], dtype: np.dtype, config: PretrainedConfig, seed: int
) -> np.ndarray:
    """The initial value of one parameter.

    Args:
        initializer: Its distribution.
        name: Its canonical name, which keys its random stream.
        shape: Its canonical shape.
        dtype: The type that the float64 value is rounded to.
        config: Where named deviations and rows are looked up.
        seed: Any non-negative integer.
    """
    if isinstance(initializer, Constant):
        return np.full(shape, _number(initializer.value, config), dtype)
    if isinstance(initializer, Sinusoids):
        if is_computed(initializer, config):
            return sinusoids(*shape).astype(dtype)
        initializer = Normal()
    count = int(np.prod(shape))
    if isinstance(initializer, Uniform):
        return numbers(seed, name, count, dtype, lambda uniforms: uniforms).reshape(shape)
    if isinstance(initializer, FanIn):
        size = getattr(config, initializer.size) if initializer.size else int(np.prod(shape[1:]))
        scale = initializer.gain * size**-0.5
        if initializer.is_uniform:
            return numbers(seed, name, count, dtype, lambda uniforms: (2 * uniforms - 1) * scale).reshape(shape)
        return normals(seed, name, count, scale, dtype).reshape(shape)
    scale = _number(initializer.deviation, config)
    values = normals(seed, name, count, scale, dtype).reshape(shape)
    row = getattr(config, initializer.zero_row) if initializer.zero_row else None
    if row is not None and -len(values) <= row < len(values):
        values[row] = 0
    return values


def sinusoids(rows: int, width: int) -> np.ndarray:
    """Sine and cosine by turns of each row's number, divided by a growing power of 10000: [rows, width] in float64."""
    columns = np.arange(width)
    angles = np.arange(rows)[:, None] / 10000.0 ** (2 * (columns // 2) / width)
    return np.where(columns % 2 == 0, np.sin(angles), np.cos(angles))


def _number(number: float | str, config: PretrainedConfig) -> float:
    """A number, or what the configuration's field of that name holds."""
    return getattr(config, number) if isinstance(number, str) else number


def normals(seed: int, name: str, count: int, scale: float, dtype: np.dtype) -> np.ndarray:
    """`count` normally distributed numbers of standard deviation `scale` from the stream of (seed, name)."""
    return numbers(seed, name, count, dtype, lambda uniforms: inverse_normal(uniforms) * scale)


def numbers(
    seed: int, name: str, count: int, dtype: np.dtype, transform: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """`count` numbers that a function makes of uniform ones (0 < u < 1) from the stream of (seed, name)."""
    key, values = stream_key(seed, name), np.empty(count, dtype)

    def fill(start: int) -> None:
        bits = np.random.Philox(key=key)
        bits.advance(start // WORDS)
        for first in range(start, min(start + BLOCK, count), CHUNK):
            size = min(CHUNK, count - first)
            uniforms = ((bits.random_raw(size) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
            values[first : first + size] = transform(uniforms)

    if count <= BLOCK:
        fill(0)
    else:
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # NumPy lets go of the interpreter while it computes
            list(pool.map(fill, range(0, count, BLOCK)))
    return values


def stream_key(seed: int, name: str) -> int:
    """The 128-bit Philox key of one parameter's stream."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:16], "little")


# Rational approximations of the inverse normal distribution (Wichura 1988, algorithm AS 241, PPND16): the first pair
# serves the middle 85 %, the other two the tails, near and far. Coefficients from the highest power down.
_MIDDLE = (
    (2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
     13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608),
    (5226.495278852545925, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
     5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0),
)  # fmt: skip
_NEAR_TAIL = (
    (7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
     3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734),
    (1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
     0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0),
)  # fmt: skip
_FAR_TAIL = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386, 0.026532189526576123093,
     0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772),
    (2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
     0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1.0),
)  # fmt: skip


def inverse_normal(uniforms: np.ndarray) -> np.ndarray:
    """The number below which a standard normal falls with this probability, element by element (0 < u < 1)."""
    offset = uniforms - 0.5
    values = offset * _ratio(_MIDDLE, 0.180625 - offset * offset)
    tail = np.abs(offset) > 0.425
    if tail.any():
        values[tail] = _tail(uniforms[tail]) * np.sign(offset[tail])
    return values


def _tail(uniforms: np.ndarray) -> np.ndarray:
    depth = np.sqrt(-np.log(np.minimum(uniforms, 1.0 - uniforms)))
    return np.where(depth <= 5.0, _ratio(_NEAR_TAIL, depth - 1.6), _ratio(_FAR_TAIL, depth - 5.0))


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: np.ndarray) -> np.ndarray:
    numerator, denominator = (_polynomial(powers, x) for powers in coefficients)
    return numerator / denominator


def _polynomial(coefficients: tuple[float, ...], x: np.ndarray) -> np.ndarray:
    value = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value *= x
        value += coefficient
    return value
