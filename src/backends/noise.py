"""Random numbers inside a model from a source that a caller passes in, so that they are the same in every framework."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from ..initialization import stream_key

#: Called with what the numbers are for and their shape; answers with float32 numbers between 0 and 1, neither included.
NoiseSource: TypeAlias = Callable[[str, Sequence[int]], np.ndarray]


class Noise:
    """Uniform numbers from one seed: each purpose has a stream of its own, which goes on from call to call.

    A program that a framework has compiled asks once, when it is traced: compile with a source of your own that hands
    out arguments of the program where every call shall differ.

    Args:
        seed: Any non-negative integer.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.turns: Counter[str] = Counter()

    def __call__(self, name: str, shape: Sequence[int]) -> np.ndarray:
        """Numbers of a shape for a purpose."""
        turn = self.turns[name]
        self.turns[name] += 1
        bits = np.random.Philox(key=stream_key(self.seed, f"{name}:{turn}"))
        count = int(np.prod(tuple(shape)))
        # 23 bits and a half: exact in float32, and never 0 or 1
        drawn = ((bits.random_raw(count) >> np.uint64(41)).astype(np.float64) + 0.5) * 2.0**-23
        return drawn.astype(np.float32).reshape(tuple(shape))
