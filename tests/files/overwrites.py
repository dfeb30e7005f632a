"""A reader beside a writer: `python -m tests.files.overwrites` needs PyTorch."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.files.saves import exit_code, has_ended, started
from tests.files.sweep import SIDES, SUBJECTS, Place, load_model, load_tokenizer, tokenizer
from triformers.files.transaction import verify_manifest


def read_during_overwrites(count: int, scratch: Path) -> dict[str, Any]:
    """Load without a pause while another process saves a model, in shards, and a tokenizer into the same folder."""
    place = Place(SUBJECTS["sharded"], scratch)
    tokenizer("A").save_pretrained(place.directory)

    def overwrite() -> None:
        for turn in range(count):
            place.subject.save(place.directory, SIDES[turn % 2])
            tokenizer(SIDES[turn % 2]).save_pretrained(place.directory)

    writer, found = started(overwrite), Counter[str]()
    while not has_ended(writer):
        found[load_model(place.directory) + load_tokenizer(place.directory)] += 1  # either fails on a mixture
    assert exit_code(writer) == 0
    assert verify_manifest(place.directory) == []
    return {"overwrites": count, "loads": sum(found.values()), "model and tokenizer": dict(sorted(found.items()))}


def main() -> None:
    """Run it, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500, help="how often each of the two is saved")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        found = read_during_overwrites(parser.parse_args().count, Path(scratch))
    print(json.dumps({**found, "seconds": round(time.monotonic() - began)}))


if __name__ == "__main__":
    sys.exit(main())
