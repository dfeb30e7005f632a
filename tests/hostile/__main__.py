"""All of the corpus through every door: `python -m tests.hostile --backend torch`; `make test-hostile`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.conftest import BACKENDS
from tests.hostile.corpus import cases
from tests.hostile.run import Outcome, run


def main() -> int:
    """Print what came of it; the exit status is 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description="Take hostile checkpoints through every public door.")
    parser.add_argument("--backend", choices=BACKENDS, help="the framework (default: the doors that need none)")
    parser.add_argument("--only", default="", help="the cases in whose names this is")
    options = parser.parse_args()
    chosen = [case for name, case in cases().items() if options.only in name]
    with tempfile.TemporaryDirectory() as folder:
        outcomes = run(chosen, options.backend, Path(folder))
    faults = [f"{each.case.name} | {each.door}: {fault}" for each in outcomes for fault in each.faults()]
    print("\n".join([*faults, _figures(outcomes, options.backend or "no framework")]))
    return int(bool(faults))


def _figures(outcomes: list[Outcome], what: str) -> str:
    kinds = Counter(each.kind for each in outcomes)
    slowest, largest = max(outcomes, key=lambda each: each.seconds), max(outcomes, key=lambda each: each.memory)
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    parts = [
        f"{what}: {len({each.case.name for each in outcomes})} checkpoints, {len(outcomes)} openings: {told}",
        f"{sum(bool(each.events) for each in outcomes)} ran code or left their folder",
        f"at most {slowest.seconds:.2f} s ({slowest.case.name})",
        f"at most {largest.memory / 2**20:.0f} MiB ({largest.case.name})",
    ]
    return "; ".join(parts)


if __name__ == "__main__":
    sys.exit(main())
