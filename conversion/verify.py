"""The proof that two things are the same: two checkpoints, or one checkpoint in several frameworks.

Nothing here runs a model. What a framework computed is handed in as arrays by name; `triformers verify` has
each framework compute in a process of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from triformers.cards import Weights
from triformers.conversion.formats.tensors import Checkpoint, Tensor, is_floating
from triformers.conversion.mapping import LEGACY_LEAVES, ignored_reason, relative
from triformers.conversion.tables import format_error, format_shape, format_table

#: An error is relative to the largest true number, but to no less than this: below, only rounding is left.
FLOOR = 1e-3
#: The largest relative error at which two float64 runs are the same function.
BAND = 1e-12
#: Numbers compared at a time, so that comparing needs little memory beside the tensors.
CHUNK = 1 << 20
#: How many tensors are listed one by one unless all are asked for.
SHOWN = 20

#: What one run of a model answered: output name -> array.
Outputs: TypeAlias = Mapping[str, np.ndarray]
#: Output name -> what computed it (`flax float64`) -> relative error.
LayerTable: TypeAlias = dict[str, dict[str, float]]


def relative_error(found: np.ndarray, truth: np.ndarray) -> float:
    """`max|found - truth| / max(max|truth|, 1e-3)`; infinite where shapes differ or a number is not finite.

    Args:
        found: Any shape, any numeric type.
        truth: The same shape.
    """
    if found.shape != truth.shape:
        return float("inf")
    if not truth.size:
        return 0.0
    wide = _wide(truth)
    with np.errstate(invalid="ignore", over="ignore"):
        error = float(np.abs(_wide(found) - wide).max() / max(np.abs(wide).max(), FLOOR))
    return error if np.isfinite(error) else float("inf")


def _wide(array: np.ndarray) -> np.ndarray:
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64, copy=False)


# ---- one checkpoint in several frameworks ----------------------------------------------------------------


@dataclass(frozen=True)
class Agreement:
    """How near the runs of one model are to one of them.

    Attributes:
        truth: The run that the others are compared with (`torch float64`).
        errors: The error of every output of every other run.
        judged: The runs that must stay within the band: those in float64.
        band: The largest error that they may have.
    """

    truth: str
    errors: LayerTable
    judged: tuple[str, ...]
    band: float

    @property
    def largest(self) -> float:
        """The largest error of a judged run."""
        return max((row[run] for row in self.errors.values() for run in self.judged), default=float("inf"))

    @property
    def same(self) -> bool:
        """Whether the runs are of the same function."""
        return self.largest <= self.band

    def verdict(self) -> str:
        """The outcome in one line."""
        runs = " and ".join(self.judged)
        size = format_error(self.largest)
        if self.same:
            return f"the same function: {runs} within {size} of {self.truth} (allowed {self.band:g})"
        worst = max(
            self.errors, key=lambda name: max(self.errors[name][run] for run in self.judged), default="no output"
        )
        return f"NOT the same function: {worst} is {size} away from {self.truth} (allowed {self.band:g})"

    def as_json(self) -> dict[str, Any]:
        """The outcome as plain values; an error that is infinite is null."""
        return {
            "same": self.same,
            "truth": self.truth,
            "band": self.band,
            "largest_error": _finite(self.largest),
            "errors": {name: {run: _finite(error) for run, error in row.items()} for name, row in self.errors.items()},
        }


def layer_table(results: Mapping[str, Outputs], truth: Outputs) -> LayerTable:
    """The relative error of every output, hidden states first; infinite where one side lacks an output.

    Args:
        results: What computed it -> its outputs.
        truth: What they should be.
    """
    names = dict.fromkeys([*truth, *(name for outputs in results.values() for name in outputs)])
    ordered = sorted(names, key=lambda name: "." not in name)  # as they are computed: layers, then the head
    return {
        name: {
            run: relative_error(outputs[name], truth[name]) if name in outputs and name in truth else float("inf")
            for run, outputs in results.items()
        }
        for name in ordered
    }


def compare_runs(runs: Mapping[str, Mapping[str, Outputs]], band: float = BAND) -> Agreement:
    """Compare one model's runs with the float64 run of PyTorch, or of the first framework without PyTorch.

    Args:
        runs: Framework -> data type -> outputs; each framework ran in float64.
        band: The largest error that a float64 run may have.
    """
    backend = "torch" if "torch" in runs else next(iter(runs))
    truth = f"{backend} float64"
    results = {f"{name} {dtype}": outputs for name, types in runs.items() for dtype, outputs in types.items()}
    true_outputs = results.pop(truth)
    judged = tuple(run for run in results if run.endswith(" float64"))
    return Agreement(truth, layer_table(results, true_outputs), judged, band)


def format_layers(errors: LayerTable) -> str:
    """The errors as a table: a line per output, a column per run."""
    runs = list(next(iter(errors.values()), {}))
    rows = [[name, *(format_error(row[run]) for run in runs)] for name, row in errors.items()]
    return format_table(["output", *runs], rows, right=runs)


# ---- two checkpoints -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TensorDifference:
    """One tensor in two checkpoints.

    Attributes:
        name: Its canonical name, without the base model's prefix.
        keys: Its key in each file.
        shapes: Its shape in each.
        dtypes: Its type in each, by name.
        absolute: The largest difference of two numbers; infinite where shapes differ.
        relative: The same, relative to the largest number of the second; see `relative_error`.
        bitwise: Whether type, shape and every bit are the same.
    """

    name: str
    keys: tuple[str, str]
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    dtypes: tuple[str, str]
    absolute: float
    relative: float
    bitwise: bool


@dataclass(frozen=True)
class Comparison:
    """Two checkpoints, compared.

    Attributes:
        tensors: The tensors that both have.
        only: The keys that only the first has, and those that only the second has.
        ignored: Keys that one side lacks and no model holds -> the reason.
        band: The largest relative difference at which two tensors are the same; zero asks for every bit.
    """

    tensors: tuple[TensorDifference, ...]
    only: tuple[tuple[str, ...], tuple[str, ...]]
    ignored: Mapping[str, str] = field(default_factory=dict)
    band: float = 0.0

    @property
    def differing(self) -> list[TensorDifference]:
        """The tensors that are not the same."""
        return [tensor for tensor in self.tensors if not tensor.bitwise and not 0 < self.band >= tensor.relative]

    @property
    def same(self) -> bool:
        """Whether both have the same tensors; two checkpoints with nothing in common are not."""
        return bool(self.tensors) and not self.differing and not any(self.only)

    def verdict(self) -> str:
        """The outcome in one line."""
        count = len(self.tensors)
        if self.same:
            how = f"within {self.band:g}" if self.band else "in every bit"
            return f"the same: {count} tensors agree {how}"
        differing, first, second = len(self.differing), *map(len, self.only)
        return (
            f"NOT the same: of {count} tensors in both {differing} differ; "
            f"{first} only in the first, {second} only in the second"
        )

    def layers(self) -> dict[str, list[TensorDifference]]:
        """The tensors that both have, by layer."""
        grouped: dict[str, list[TensorDifference]] = {}
        for tensor in self.tensors:
            grouped.setdefault(layer_of(tensor.name), []).append(tensor)
        return {layer: grouped[layer] for layer in sorted(grouped, key=_counting)}

    def as_json(self) -> dict[str, Any]:
        """The outcome as plain values; a difference that is infinite is null."""
        return {
            "same": self.same,
            "band": self.band,
            "tensors": [
                {
                    "name": tensor.name,
                    "keys": list(tensor.keys),
                    "shapes": [list(shape) for shape in tensor.shapes],
                    "dtypes": list(tensor.dtypes),
                    "largest_absolute_difference": _finite(tensor.absolute),
                    "largest_relative_difference": _finite(tensor.relative),
                    "bitwise_equal": tensor.bitwise,
                }
                for tensor in self.tensors
            ],
            "only_in_first": list(self.only[0]),
            "only_in_second": list(self.only[1]),
            "ignored": dict(self.ignored),
        }


def compare_checkpoints(
    first: Checkpoint, second: Checkpoint, weights: tuple[Weights, Weights], band: float = 0.0
) -> Comparison:
    """Compare two checkpoints tensor by tensor, each read once.

    Args:
        first: One file's tensors.
        second: The other's; differences are relative to these.
        weights: What the architecture of each declares about its tensors' names, such as the base model's
            prefix: it makes no difference.
        band: The largest relative difference at which two tensors are the same; zero asks for every bit.
    """
    sides = (plain_names(first, weights[0]), plain_names(second, weights[1]))
    tensors = tuple(
        compare_tensors(name, first[key], second[sides[1][name]]) for name, key in sides[0].items() if name in sides[1]
    )
    only: list[tuple[str, ...]] = []
    ignored: dict[str, str] = {}
    for own, other, known in zip(sides, reversed(sides), weights, strict=True):
        alone = {key: ignored_reason(name, known) for name, key in own.items() if name not in other}
        only.append(tuple(key for key, reason in alone.items() if not reason))
        ignored |= {key: reason for key, reason in alone.items() if reason}
    return Comparison(tensors, (only[0], only[1]), ignored, band)


def plain_names(keys: Iterable[str], weights: Weights) -> dict[str, str]:
    """Canonical names without the base model's prefix -> the keys of a file.

    Where two keys of a file would get the same name, all keep their own: no tensor is ever lost from sight.
    """
    listed = list(keys)
    names = {_plain_name(key, weights): key for key in listed}
    return names if len(names) == len(listed) else {key: key for key in listed}


def _plain_name(key: str, weights: Weights) -> str:
    parent, dot, leaf = relative(key, weights).rpartition(".")
    return parent + dot + (LEGACY_LEAVES.get(leaf, leaf) if parent else leaf)


def layer_of(name: str) -> str:
    """The layer that a tensor belongs to: its name up to the first index, or its first word."""
    segments = name.split(".")
    index = next((position for position, segment in enumerate(segments) if segment.isdecimal()), 0)
    return ".".join(segments[: index + 1])


def _counting(name: str) -> list[tuple[str, int]]:
    """What sorts layer 2 before layer 10."""
    return [(segment, 0) if not segment.isdecimal() else ("", int(segment)) for segment in name.split(".")]


def compare_tensors(name: str, first: Tensor, second: Tensor) -> TensorDifference:
    """One tensor in two checkpoints, in pieces of `CHUNK` numbers.

    Args:
        name: What to call it.
        first: The one.
        second: The other, which relative differences are relative to.
    """
    absolute = relative_size = float("inf")
    bitwise = False
    if first.shape == second.shape:
        arrays = first.read(), second.read()
        bitwise = first.dtype == second.dtype and _same_bits(*arrays)
        absolute, relative_size = (0.0, 0.0) if bitwise else _differences(*arrays)
        if not (is_floating(first.dtype) and is_floating(second.dtype)) and not _same_values(*arrays):
            relative_size = float("inf")  # whole numbers are names, not sizes: 101 is not near 102
    return TensorDifference(
        name,
        (first.name, second.name),
        (first.shape, second.shape),
        (first.dtype.name, second.dtype.name),
        absolute,
        relative_size,
        bitwise,
    )


def _pieces(*arrays: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    flat = [array.reshape(-1) for array in arrays]
    for start in range(0, flat[0].size, CHUNK):
        yield tuple(array[start : start + CHUNK] for array in flat)


def _same_bits(first: np.ndarray, second: np.ndarray) -> bool:
    return all(np.array_equal(one.view(np.uint8), other.view(np.uint8)) for one, other in _pieces(first, second))


def _same_values(first: np.ndarray, second: np.ndarray) -> bool:
    return all(np.array_equal(one, other) for one, other in _pieces(first, second))


def _differences(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """The largest absolute and relative difference; the same NaN or infinity in both is none."""
    absolute, largest = 0.0, FLOOR
    with np.errstate(invalid="ignore", over="ignore"):
        for one, other in (map(_wide, piece) for piece in _pieces(first, second)):
            same = (one == other) | (np.isnan(one) & np.isnan(other))
            gaps = np.where(same, 0.0, np.abs(one - other))
            absolute = max(absolute, float(np.nan_to_num(gaps, nan=np.inf, posinf=np.inf).max()))
            sizes = np.abs(other)
            largest = max(largest, float(np.where(np.isfinite(sizes), sizes, 0.0).max()))
    return absolute, absolute / largest


def format_comparison(comparison: Comparison, every: bool = False) -> str:
    """Two checkpoints' tensors as a table per layer, then those that differ.

    Args:
        comparison: The two, compared.
        every: Whether to list all tensors that differ, however many they are.
    """
    parts = [_layers_table(comparison.layers())]
    shown = comparison.differing if every else comparison.differing[:SHOWN]
    if shown:
        parts.append(_tensors_table(shown))
    if hidden := len(comparison.differing) - len(shown):
        parts.append(f"... and {hidden} more; --all lists them.")
    for which, keys in zip(("first", "second"), comparison.only, strict=True):
        parts.extend([f"only in the {which}:\n" + "\n".join(f"  {key}" for key in keys)] if keys else [])
    if comparison.ignored:
        lines = (f"  {key}: {reason}" for key, reason in comparison.ignored.items())
        parts.append("ignored:\n" + "\n".join(lines))
    return "\n\n".join(parts)


def _layers_table(layers: Mapping[str, Sequence[TensorDifference]]) -> str:
    header = ["layer", "tensors", "bitwise equal", "largest difference", "relative"]
    rows = [
        [
            layer,
            str(len(tensors)),
            str(sum(tensor.bitwise for tensor in tensors)),
            format_error(max(tensor.absolute for tensor in tensors)),
            format_error(max(tensor.relative for tensor in tensors)),
        ]
        for layer, tensors in layers.items()
    ]
    return format_table(header, rows, right=header[1:])


def _tensors_table(tensors: Iterable[TensorDifference]) -> str:
    header = ["tensor", "shape", "type", "largest difference", "relative"]
    rows = [
        [
            tensor.name,
            _both(*map(format_shape, tensor.shapes)),
            _both(*tensor.dtypes),
            format_error(tensor.absolute),
            format_error(tensor.relative),
        ]
        for tensor in tensors
    ]
    return format_table(header, rows, right=header[3:])


def _both(first: str, second: str) -> str:
    return first if first == second else f"{first} / {second}"


def _finite(number: float) -> float | None:
    return number if np.isfinite(number) else None
