"""Takes the corpus through the doors, in processes that may die of it, and counts what came of it."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.hostile.corpus import Case, sound

ROOT = Path(__file__).parents[2]
#: How long to wait for a door that takes no processor: it may wait for something that never comes.
PATIENCE = 60.0
#: What a refusal may cost.
MAX_SECONDS, MAX_MEMORY = 5.0, 512 * 2**20
#: The longest message, the folder's path not counted.
MAX_MESSAGE = 900


@dataclass(frozen=True)
class Outcome:
    """What came of one door of one checkpoint.

    Attributes:
        case: The checkpoint.
        door: The door.
        kind: "read", "refused", the name of an error that should not be, or how the process ended.
        family: The classes that the error is of.
        message: What it says, the folder's path cut out.
        seconds: Of the processor.
        memory: In bytes, at most, beyond what was in use before.
        events: What the audit hook saw that should not be.
    """

    case: Case
    door: str
    kind: str
    family: tuple[str, ...] = ()
    message: str = ""
    seconds: float = 0.0
    memory: int = 0
    events: tuple[str, ...] = field(default=())

    def faults(self) -> Iterator[str]:
        """What is wrong with it."""
        expected = ("read", "refused") if self.case.verdict == "harmless" else (self.case.verdict,)
        if self.kind not in expected:
            yield f"{self.kind}, expected {' or '.join(expected)}: {self.message[:300]}"
        if self.events:
            yield f"did {', '.join(self.events)}"
        if self.seconds > MAX_SECONDS or self.memory > MAX_MEMORY:
            yield f"took {self.seconds:.1f} s and {self.memory / 2**20:.0f} MiB"
        if self.kind == "refused":
            if not {"ValueError", "OSError"} & {*self.family}:
                yield f"is a {self.family[0]}, which is neither ValueError nor OSError"
            if "\n" in self.message or len(self.message) > MAX_MESSAGE or "; expected " not in self.message:
                yield f"says {self.message[:300]!r} of {len(self.message)} characters"
            if self.case.blames not in self.message:
                yield f"does not name {self.case.blames}: {self.message[:300]}"


def run(
    cases: Iterable[Case],
    backend: str | None,
    base: Path,
    doors: str = "tests.hostile.doors",
    seconds: float = MAX_SECONDS,
    patience: float = PATIENCE,
) -> list[Outcome]:
    """Write checkpoints into an empty folder and take each through its doors.

    Args:
        cases: The checkpoints.
        backend: The framework whose classes are to read them too.
        base: The folder.
        doors: The module whose function of this name gives the doors.
        seconds: How many seconds of a processor a door may take.
        patience: How many seconds to wait for a door that takes none.

    Raises:
        AssertionError: Something beside the checkpoints was changed.
    """
    folders = {base / "cases" / str(index): case for index, case in enumerate(cases)}
    for folder, case in folders.items():
        case.write(folder)
    outside, work = base / "cases" / "outside", base / "work"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (outside / "model.safetensors").write_bytes(sound()["model.safetensors"])
    work.mkdir()
    warm = [base / "warm" / name for name in ("sound", "bad")]
    Case("", {}, ()).write(warm[0])
    Case("", dict.fromkeys(sound(), b"{"), ()).write(warm[1])
    plan = {"doors": doors, "seconds": seconds, "backend": backend, "work": str(work), "warm": list(map(str, warm))}
    steps = [(str(folder), door) for folder, case in folders.items() for door in case.doors]
    found = [
        Outcome(folders[Path(folder)], door, **_plain(result, folder))
        for folder, door, result in _results(steps, plan, base, patience)
    ]
    assert sorted(path.name for path in outside.iterdir()) == ["model.safetensors", "secret"], "changed outside"
    assert (outside / "secret").read_text() == "secret" and not list(work.iterdir()), "changed outside"
    assert not Path("/tmp/stolen").exists()
    return found


def _plain(result: dict[str, Any], folder: str) -> dict[str, Any]:
    message = result.get("message", "").replace(folder, "FOLDER")
    return {
        **result,
        "message": message,
        "family": tuple(result.get("family", ())),
        "events": tuple(result.get("events", ())),
    }


def _results(
    steps: list[tuple[str, str]], plan: dict[str, Any], base: Path, patience: float
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every step's result, in as many processes as it takes."""
    while steps:
        last, ended = None, ""
        (base / "plan.json").write_text(json.dumps({**plan, "cases": steps}))
        with _Child(base, patience) as child:
            while (line := child.line()) is not None:
                if len(line) == 3:
                    yield line[0], line[1], line[2]
                last = line
            ended = child.ended
        if last is None:
            raise AssertionError(f"the watched process does not start: {ended}")
        if len(last) == 2:
            yield last[0], last[1], {"kind": f"ended the process ({ended})"}
        if ended == "":
            return
        steps = steps[steps.index((last[0], last[1])) + 1 :]


class _Child:
    """The watched process and the lines that it prints."""

    def __init__(self, base: Path, patience: float) -> None:
        self._patience = patience
        self._errors = base / "errors"
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.ended = ""
        environment = os.environ | {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.watched", str(base / "plan.json")],
            stdout=subprocess.PIPE,
            stderr=self._errors.open("w"),
            text=True,
            cwd=base / "work",
            env=environment,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def line(self) -> list[Any] | None:
        """The next line, None at the end."""
        try:
            line = self._lines.get(timeout=self._patience)
        except queue.Empty:
            self._process.kill()
            self.ended = f"no answer for {self._patience:.0f} seconds"
            return None
        if line is None:
            status = self._process.wait()
            if status:
                self.ended = f"status {status}, {self._errors.read_text()[-300:]!r}"
            return None
        return json.loads(line)

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
