"""Doors that do what no reader may: by these the watch is proved to see it."""

from __future__ import annotations

import ctypes
import os
import pickle
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def doors(backend: str | None, target: Path) -> Mapping[str, Callable[[Path], Any]]:
    """Each misdeed by its name; while the process warms up, all behave."""

    def after_warming(misdeed: Callable[[], Any]) -> Callable[[Path], Any]:
        return lambda folder: None if folder.parent.name == "warm" else misdeed()

    return {name: after_warming(misdeed) for name, misdeed in MISDEEDS.items()}


def _raise(error: BaseException) -> None:
    raise error


def _spin() -> None:
    while True:
        pass


MISDEEDS: Mapping[str, Callable[[], Any]] = {
    "runs a command": lambda: os.system("true"),
    "starts a process": lambda: subprocess.run(["true"], check=False),
    "runs a string": lambda: eval("1 + 1"),
    "loads a pickle": lambda: pickle.loads(b"cos\nsystem\n."),
    "connects": lambda: socket.socket().close(),
    "reads elsewhere": lambda: Path("/etc/passwd").read_bytes(),
    "lists elsewhere": lambda: os.listdir("/"),
    "writes elsewhere": lambda: Path("/tmp/.written").touch(),
    "imports": lambda: __import__("this"),
    "raises a KeyError": lambda: {}["x"],
    "raises a ValueError": lambda: int("x"),
    "ends the process": lambda: _raise(SystemExit(3)),
    "recurses": lambda: (lambda again: again(again))(lambda again: again(again)),
    "takes a gigabyte": lambda: len(b"\1" * 2**30),
    "crashes": lambda: ctypes.string_at(0),
    "takes for ever": _spin,
    "sleeps for ever": lambda: time.sleep(10**6),
    "reads": lambda: None,
}
