"""A process that reads every file of a folder within narrow limits, and prints what came of each as JSON.

Run as `python -m tests.conversion.read_hostile FOLDER`; `sound` in it is read first, so that all is imported.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from triformers.conversion.formats.pickled import read_pickled
from triformers.files.errors import FileError

#: How much memory reading one file may take beyond what the process has.
ROOM = 200 * 2**20
#: How many seconds of a processor all files together may take: none of them may keep the process for ever.
SECONDS = 120
#: What would show that something in a file was run.
SUSPECT = ("import", "exec", "compile", "os.", "subprocess.", "socket.", "ctypes.", "pickle.", "marshal.", "shutil.")


def main(folder: Path) -> None:
    """Read the files and print, by name: the error's class, its message, processor seconds, suspect events."""
    events: list[str] = []
    found = {}
    read_all(folder / "sound")
    sys.addaudithook(lambda event, _: events.append(event) if event.startswith(SUSPECT) else None)
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else None
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    if pages is not None:
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ROOM,) * 2)
    for path in sorted(folder.glob("*.bin")):
        events.clear()
        start = time.process_time()
        error = outcome(path)
        found[path.stem] = [*error, time.process_time() - start, list(events)]
    print(json.dumps(found))


def outcome(path: Path) -> tuple[str, str]:
    """What reading a file raises: "refused" and the message, or the name of an error that should not be."""
    try:
        read_all(path)
    except FileError as error:
        return "refused", str(error)
    except BaseException as error:  # noqa: BLE001 - which ones come out is what is tested
        return type(error).__name__, str(error)
    return "read", ""


def read_all(path: Path) -> Any:
    """Every number of a file."""
    return {name: tensor.read() for name, tensor in read_pickled(path).items()}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
