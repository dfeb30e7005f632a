"""The list of what is missing: `to_come.json`, each gap under the issue that will close it or the reason it stays.

    python -m tests.api.to_come    write it anew: what is closed goes, what is new is put under "unsorted"

A new gap that another name has too goes where that one is; the rest is for a person to sort, which a test demands.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.api.contract import contract
from tests.api.extract import text
from triformers.cards import BACKENDS

LIST = Path(__file__).with_name("to_come.json")

#: The gaps that nobody has sorted yet.
UNSORTED = ("to come", "unsorted")


class Entry(NamedTuple):
    """One gap, and where the list has it: to come with an issue, or refused with a reason."""

    section: str
    reason: str
    name: str
    gap: str


@cache
def entries() -> tuple[Entry, ...]:
    """Every gap of the list."""
    return tuple(
        Entry(section, reason, name, gap)
        for section, reasons in json.loads(LIST.read_text()).items()
        for reason, names in reasons.items()
        for name, gaps in names.items()
        for gap in gaps
    )


def listed(name: str) -> list[str]:
    """The gaps that the list has of a name."""
    return [entry.gap for entry in entries() if entry.name == name]


def sort(found: Mapping[str, list[str]], known: Sequence[Entry]) -> list[Entry]:
    """Every gap found, where the list has it, or has the same gap of another name, or else unsorted."""
    places = {(entry.name, entry.gap): entry[:2] for entry in known}
    alike = {entry.gap: entry[:2] for entry in known if entry.gap != "the name"}
    return [
        Entry(*places.get((name, gap), alike.get(gap, UNSORTED)), name, gap)
        for name, gaps in found.items()
        for gap in gaps
    ]


def write(found: Sequence[Entry], known: Sequence[Entry]) -> None:
    """Write the list: sections and reasons in the order that they have, names in the contract's."""
    order = list(dict.fromkeys(entry[:2] for entry in [*known, *found]))
    tree: dict[str, dict[str, dict[str, list[str]]]] = {"to come": {}, "refused": {}}
    for section, reason in order:
        names = defaultdict(list)
        for entry in found:
            if entry[:2] == (section, reason):
                names[entry.name].append(entry.gap)
        if names:
            tree[section][reason] = {name: names[name] for name in contract() if name in names}
    LIST.write_text(text(tree, dicts=0, lists=110) + "\n")


def find() -> dict[str, list[str]]:
    """The gaps of every name, each framework's found in a process of its own."""
    found: dict[str, list[str]] = {}
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    for backend in ((), *((name,) for name in BACKENDS)):
        command = [sys.executable, "-m", "tests.api.gaps", *backend]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
        found |= json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Write the list anew, and say how much it is."""
    known = entries()
    now = sort(find(), known)
    write(now, known)
    sections = [entry.section for entry in now]
    counts = ", ".join(f"{sections.count(section)} {section}" for section in ("to come", "refused"))
    print(f"{len(contract())} names: {counts}; {[entry[:2] for entry in now].count(UNSORTED)} unsorted")


if __name__ == "__main__":
    main()
