"""The manifest of a folder: what was saved there, and whether it is still that."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from .errors import FileError, file_error
from .inventory import Entry, unseal
from .layout import MANIFEST_NAME
from .paths import safe_join
from .reading import locate, reading


def manifest_entries(directory: Path) -> dict[str, Entry]:
    """What the folder's manifest lists; nothing if it is missing or damaged: only verifying minds that."""
    try:
        return unseal(directory / MANIFEST_NAME)["files"]
    except FileError:
        return {}


def verify_manifest(directory: str | os.PathLike[str]) -> list[str]:
    """Compare every file that was saved here with its size and hash in the folder's manifest.

    Returns:
        One line for each problem, none if all is as it was saved. Files that no save wrote are not looked at.

    Raises:
        FileError: It is no directory, or a save keeps it locked.
    """
    with reading(directory):
        try:
            path = locate(directory, MANIFEST_NAME)
            if path is None:
                return [f"{MANIFEST_NAME}: missing, so there is nothing to compare with"]
            entries = unseal(path)["files"]
        except FileError as error:
            return [f"{MANIFEST_NAME}: {error}"]
        problems = (_problem(directory, name, entry) for name, entry in sorted(entries.items()))
        return [problem for problem in problems if problem is not None]


def check_manifest(directory: str | os.PathLike[str]) -> frozenset[str]:
    """The names of all that was saved in a folder, every file of it compared with its hash.

    Raises:
        FileError: One differs or is missing, or there is no manifest to compare with.
    """
    with reading(directory):
        if problems := verify_manifest(directory):
            more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
            found = f"is not as it was saved: {', '.join(problems[:3])}{more}"
            remedy = "Save or fetch the checkpoint again, or load without verify=True."
            raise file_error(directory, found, "every file with its hash", remedy)
        path = locate(directory, MANIFEST_NAME)
        return frozenset() if path is None else frozenset(unseal(path)["files"])


def _problem(directory: str | os.PathLike[str], name: str, entry: Entry) -> str | None:
    try:
        safe_join(directory, name)
        path = locate(directory, name)
        if path is None:
            return f"{name}: missing"
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size != entry.size:
                return f"{name}: has {size} bytes, was saved with {entry.size}"
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"{name}: cannot be read ({error})"
    return None if found == entry.sha256 else f"{name}: has SHA-256 {found}, was saved with {entry.sha256}"
