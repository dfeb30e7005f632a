"""A process that takes checkpoints through doors and is watched: run as `python -m tests.hostile.watched PLAN`.

For each door of each checkpoint it prints, as one line of JSON each, that it begins, and then what came of it: the
error, the processor's seconds, the memory, and whatever an audit hook saw that reading a file does not need. What takes
too long ends the process; whoever started it sees where that was, and starts another behind it.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from triformers.files.errors import TriformersError

#: How much address space the process may take beyond what it has: the hard end. What is measured is in use.
ROOM = 3 * 2**30
#: What shows that something of a file was run, or went out.
FORBIDDEN = (
    "subprocess.", "socket.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.startfile", "pty.",
    "ctypes.dlopen", "pickle.", "marshal.", "urllib.", "http.", "ftplib.", "smtplib.", "webbrowser.", "os.putenv",
    "os.unsetenv", "builtins.input", "exec", "compile", "code.__new__",
)  # fmt: skip
#: What touches the paths in its arguments.
TOUCHING = (
    "open", "os.listdir", "os.scandir", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink",
    "os.chmod", "os.chown", "os.truncate", "os.utime", "shutil.", "glob.", "tempfile.",
)  # fmt: skip
#: Packages that the library itself imports when it first needs them.
OWN = frozenset(
    {
        "triformers",
        "numpy",
        "ml_dtypes",
        "tokenizers",
        "torch",
        "keras",
        "tensorflow",
        "jax",
        "jaxlib",
        "flax",
        "optree",
    }
)


class Watch:
    """What an audit hook sees while a door is open.

    Attributes:
        seen: Events that should not be.
        allowed: The folders in which paths may be touched; empty while no door is open.
    """

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.allowed: tuple[str, ...] = ()
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.allowed or event.startswith("sys."):
            return
        allowed, self.allowed = self.allowed, ()  # what is done here is not looked at
        try:
            if event.startswith(TOUCHING):
                paths = [os.fsdecode(each) for each in arguments[:2] if isinstance(each, (str, bytes, os.PathLike))]
                outside = [path for path in paths if not _is_within(path, allowed)]
                if outside and not _is_importing():
                    self.seen.append(f"{event} {outside}"[:200])
            elif event.startswith(FORBIDDEN):
                if not (event.startswith(("exec", "compile", "marshal.")) and _is_importing()):
                    self.seen.append(f"{event} {arguments}"[:200])
            elif event == "import" and str(arguments[0]).partition(".")[0] not in OWN and not _is_importing():
                self.seen.append(f"import {arguments[0]}")
        finally:
            self.allowed = allowed


def _is_within(path: str, folders: tuple[str, ...]) -> bool:
    real = os.path.realpath(path)
    return any(real == folder or real.startswith(f"{folder}{os.sep}") for folder in folders)


def _is_importing() -> bool:
    """Whether Python is importing a module now, and so opens and runs what is installed, or reads a signature."""
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.startswith(("<frozen importlib", inspect.__file__)):
            return True
        frame = frame.f_back
    return False


def run(plan: Mapping[str, Any]) -> None:
    """Take the checkpoints of a plan through their doors."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a door prints is no answer
    found = importlib.import_module(plan["doors"]).doors(plan["backend"], Path(plan["work"], "target"))
    for folder in plan["warm"]:  # so that all is imported, for good files and for bad ones
        for door in found.values():
            _outcome(door, Path(folder))
    gc.collect()
    gc.freeze()  # so that looking for garbage means looking at what a door has left
    watch = Watch()
    _limit_space()
    for case, name in plan["cases"]:
        if name in found:
            print(json.dumps([case, name]), file=answers, flush=True)
            result = _measured(found[name], Path(case), watch, os.path.realpath(plan["work"]), plan["seconds"])
            print(json.dumps([case, name, result]), file=answers, flush=True)


def _measured(door: Callable[[Path], Any], folder: Path, watch: Watch, work: str, seconds: float) -> dict[str, Any]:
    gc.collect()
    _forget_peak()
    before, start = _memory("VmRSS"), time.process_time()
    watch.seen.clear()
    watch.allowed = (os.path.realpath(folder), work)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        kind, family, message = _outcome(door, folder)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        watch.allowed = ()
    taken, peak = time.process_time() - start, _memory("VmHWM")
    return {
        "kind": kind, "family": family, "message": message, "seconds": taken, "memory": max(peak - before, 0),
        "events": list(watch.seen),
    }  # fmt: skip


def _outcome(door: Callable[[Path], Any], folder: Path) -> tuple[str, list[str], str]:
    """What came of a door: "read", "refused", or the name of an error that should not be."""
    try:
        door(folder)
    except TriformersError as error:
        return "refused", [base.__name__ for base in type(error).__mro__], str(error)
    except BaseException as error:  # noqa: BLE001 - which ones come out is what is looked at
        return type(error).__name__, [base.__name__ for base in type(error).__mro__], str(error)[:2000]
    return "read", [], ""


def _memory(name: str) -> int:
    """A figure of this process's memory in bytes; 0 where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), 0)


def _forget_peak() -> None:
    """Let the system count the most memory in use from now on."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:  # then the peak is that of the whole process, and never less
        return


def _limit_space() -> None:
    taken = _memory("VmSize")
    if taken:
        resource.setrlimit(resource.RLIMIT_AS, (taken + ROOM, taken + ROOM))


if __name__ == "__main__":
    run(json.loads(Path(sys.argv[1]).read_text()))
