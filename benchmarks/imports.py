"""What importing a name costs over importing what it stands on: `make benchmarks`.

Each import runs in a fresh interpreter, the two of a pair in turn, and the smallest time of each counts: what other
processes take away is noise that only adds.
"""

from __future__ import annotations

import subprocess
import sys
import time

from triformers.conversion.tables import format_table

ROUNDS = 9

#: (what is imported, what it stands on, the budget for the difference in seconds)
PAIRS = (
    ("import triformers", "import numpy", 0.05),
    ("from triformers import BertConfig", "import numpy", None),
    ("from triformers import BertTokenizer", "import numpy, tokenizers", None),
    ("from triformers import BertTokenizerFast", "import numpy, tokenizers", None),
    ("from triformers import BertModel", "import torch", 0.2),
    ("from triformers import TFBertModel", "import tensorflow, keras", 0.2),
    ("from triformers import FlaxBertModel", "import jax, flax.linen", 0.2),
)


def seconds(statement: str) -> float:
    """The time of one fresh interpreter that runs a statement."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Time every pair and print them."""
    rows = []
    for statement, floor, budget in PAIRS:
        rounds = [(seconds(statement), seconds(floor)) for _ in range(ROUNDS)]
        ours, theirs = (min(times) for times in zip(*rounds, strict=True))
        allowed = "" if budget is None else f"{budget:.2f}"
        rows.append([statement, floor, f"{theirs:.3f}", f"{ours:.3f}", f"{ours - theirs:+.3f}", allowed])
    header = ["statement", "stands on", "floor, s", "whole, s", "difference, s", "budget, s"]
    print(format_table(header, rows, right=header[2:]))


if __name__ == "__main__":
    main()
