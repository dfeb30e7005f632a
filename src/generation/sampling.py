"""Random choices that are the same in every framework.

A few random words are drawn on the host before a search starts; the noise of each token is made from them by integer
arithmetic, which is exact everywhere. Adding Gumbel noise to log-probabilities and taking the largest sums is sampling
without replacement (Gumbel 1954; Kool et al. 2019, https://arxiv.org/abs/1903.06059). A framework's rounding then
changes a choice only where two sums are as close as its rounding, however large the vocabulary.
"""

from __future__ import annotations

from typing import Any

import numpy as np

#: Multipliers of MurmurHash3's finalizer (Appleby 2011), and an odd one that spreads the tokens' numbers, as int32.
MIX = -2048144789, -1028477387
SPREAD = -1640531527

#: Random words for one choice of one row.
WORDS = 2


def random_words(seed: int, steps: int, rows: int) -> np.ndarray:
    """The random words of a search: int32 [steps, rows, WORDS].

    Args:
        seed: Any whole number.
        steps: The most tokens that the search adds.
        rows: How many choices it makes at each.
    """
    raw = np.random.Philox(key=seed % 2**128).random_raw(steps * rows)
    return np.asarray(raw, "<u8").view("<i4").reshape(steps, rows, WORDS)


def gumbel(words: Any, size: int, ops: Any) -> Any:
    """Noise whose largest sum with log-probabilities is a sample: float32 [rows, size].

    Args:
        words: [rows, WORDS], int32.
        size: How many things there are to choose from.
        ops: The framework's array operations.
    """
    first, second = words[:, :1], words[:, 1:]
    bits = _mixed(_mixed((ops.arange(size, words) * SPREAD)[None] ^ first, ops) + second, ops)  # [rows, size]
    uniform = (ops.cast(ops.shift_right(bits, 1), "float32") + 0.5) * 2.0**-31
    return -ops.log(-ops.log1p(-ops.minimum(uniform, 1 - 2.0**-24)))


def uniform(words: Any, ops: Any) -> Any:
    """A number between 0 and 1 for each row: float32 [rows].

    Args:
        words: [rows, WORDS], int32.
        ops: The framework's array operations.
    """
    return ops.cast(ops.shift_right(words[:, 0], 9), "float32") * 2.0**-23


def _mixed(bits: Any, ops: Any) -> Any:
    """Every bit of the answer depends on every bit of an int32 array."""
    bits = (bits ^ ops.shift_right(bits, 16)) * MIX[0]
    bits = (bits ^ ops.shift_right(bits, 13)) * MIX[1]
    return bits ^ ops.shift_right(bits, 16)
