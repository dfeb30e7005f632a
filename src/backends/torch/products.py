"""The product of few rows with a large matrix, which decoding consists of, by the fastest way that this machine has.

With few rows PyTorch's own product reads the weights at half the memory's speed or less on some processors; libraries
that lay the weights out once, for their own loops, read them at full speed. Which way is fastest is measured once for
each shape class in a process, with the default among the candidates. Parameters and checkpoints stay as they are: a
layout is a copy beside them, made when a way that needs it has won, and made anew when the parameter changes. Never in
float64, in training, under autograd or autocast, and on the CPU alone.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...files.errors import InputError, three_beats
from .layers import Conv1D

#: With more rows than this the default is as fast as any.
MOST_ROWS = 32

#: How much faster than the default a way must be to be worth its copy of the weights.
WORTH = 1.1

#: How often a way is tried to find its time.
TRIES = 5

#: How many weights are read to find it: more than a core's caches keep, as in a model.
SAMPLE = 2**23


class Way(NamedTuple):
    """A way to multiply.

    Attributes:
        lay_out: (weight [N, K], rows) -> the weight in the way's own layout.
        multiply: (x [M, K], what `lay_out` gave, weight [N, K], bias [N] or None) -> [M, N].
    """

    lay_out: Callable[[Tensor, int], Any]
    multiply: Callable[[Tensor, Any, Tensor, Tensor | None], Tensor]


def _onednn_layout(weight: Tensor, rows: int) -> Tensor:
    return torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), rows)


def _onednn(x: Tensor, packed: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(x, packed, bias, "none", [], "")


WAYS: dict[str, Way | None] = {"default": None, "onednn": Way(_onednn_layout, _onednn)}

#: What `pin` chose for all shapes; None to measure.
_pinned: str | None = None

#: (class of rows, N, K, threads) -> the fastest way.
_fastest: dict[tuple[int, int, int, int], str] = {}

#: Layer -> (way and state of its parameter, the weights laid out); beside the model, which is copied and saved.
_layouts: WeakKeyDictionary[nn.Module, tuple[Any, Any]] = WeakKeyDictionary()


def pin(way: str | None) -> None:
    """Choose the way for all products of few rows in this process.

    Args:
        way: One of `WAYS`; "default" is PyTorch's own. None to measure, as is usual.

    Raises:
        InputError: There is no such way.
    """
    if way is not None and way not in WAYS:
        raise InputError(three_beats(f"the way {way!r}", f"one of {', '.join(WAYS)}, or None", "Correct it."))
    global _pinned
    _pinned = way


@contextlib.contextmanager
def fast_products(model: nn.Module) -> Iterator[None]:
    """Within this context, a model's linear layers multiply few rows by the fastest way."""
    layers: list[Any] = [layer for layer in model.modules() if _is_eligible(layer)] if _applies(model) else []
    peers: dict[tuple[int, ...], list[Any]] = {}
    for layer in layers:
        alike = peers.setdefault(_matrix(layer).shape, [])
        alike.append(layer)
        layer.forward = partial(_forward, layer, alike)
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


def _applies(model: nn.Module) -> bool:
    quiet = not (model.training or torch.is_grad_enabled() or torch.is_autocast_enabled("cpu"))
    return quiet and _pinned != "default" and torch.backends.mkldnn.is_available()


def _is_eligible(layer: nn.Module) -> bool:
    """Whether a layer is one of ours to speed up; a user's own subclass multiplies as it says."""
    if type(layer) not in (nn.Linear, Conv1D) or "forward" in vars(layer) or layer._forward_hooks:
        return False
    weight = layer.weight
    return weight.dtype == torch.float32 and weight.device.type == "cpu"


def _forward(layer: Any, alike: list[Any], x: Tensor) -> Tensor:
    """A layer's product; `alike` are the model's layers of its shape."""
    width = x.shape[-1]
    rows = x.numel() // width
    name = _way_of(alike, rows) if rows <= MOST_ROWS and x.dtype == torch.float32 else "default"
    way = WAYS[name]
    if way is None:
        return type(layer).forward(layer, x)
    packed, weight = _laid_out(layer, name, way, rows)
    return way.multiply(x.reshape(rows, width), packed, weight, layer.bias).view(*x.shape[:-1], -1)


def _matrix(layer: Any) -> Tensor:
    """The weights as [N, K]."""
    return layer.weight if isinstance(layer, nn.Linear) else layer.weight.t()


def _laid_out(layer: Any, name: str, way: Way, rows: int) -> tuple[Any, Tensor]:
    """The weights in a way's layout, made when the parameter has changed, and as [N, K]."""
    weight = layer.weight
    state = name, weight.data_ptr(), weight._version
    kept = _layouts.get(layer)
    if kept is None or kept[0] != state:
        kept = _layouts[layer] = state, way.lay_out(_matrix(layer), rows)
    return kept[1], _matrix(layer)


def _way_of(layers: list[Any], rows: int) -> str:
    if _pinned is not None:
        return _pinned
    size, width = _matrix(layers[0]).shape
    key = rows.bit_length(), size, width, torch.get_num_threads()
    if key not in _fastest:
        _fastest[key] = _measured(layers, rows)
    return _fastest[key]


def _measured(layers: list[Any], rows: int) -> str:
    """The fastest way for layers of one shape; the default where no other is worth it."""
    sample = list(_sample(layers))
    x = torch.randn(rows, sample[0][0].shape[1])
    runs: dict[str, list[Callable[[], Tensor]]] = {"default": [partial(F.linear, x, *part) for part in sample]}
    for name, way in WAYS.items():
        if way is not None:
            runs[name] = [partial(way.multiply, x, way.lay_out(part[0], rows), *part) for part in sample]
    times = _times(runs)
    return min(times, key=lambda name: times[name] * (1 if name == "default" else WORTH))


def _sample(layers: list[Any]) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Weights [N, K] and biases [N] of layers, or the first rows of them, until there are enough to measure with."""
    missing = SAMPLE
    for layer in layers:
        matrix = _matrix(layer)
        count = -(-missing // matrix.shape[1])
        matrix = matrix[:count]
        yield matrix, None if layer.bias is None else layer.bias[:count]
        missing -= matrix.numel()
        if missing <= 0:
            return


def _times(runs: dict[str, list[Callable[[], Any]]]) -> dict[str, float]:
    """The shortest time of each run in seconds, of some taken in turn, so that a busy moment hits them all."""
    times = dict.fromkeys(runs, float("inf"))
    for _ in range(TRIES):
        for name, parts in runs.items():
            start = time.perf_counter()
            for part in parts:
                part()
            times[name] = min(times[name], time.perf_counter() - start)
    return times
