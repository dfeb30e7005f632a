"""Names, sizes and hashes of saved files, as JSON with its own hash: a folder's manifest, a save's record."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import FileError, file_error
from .paths import check_name
from .strict_json import load_json_object

_MAX_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Entry:
    """One saved file: its size in bytes and the SHA-256 of its content, in hexadecimal."""

    size: int
    sha256: str


def seal(content: Mapping[str, Any]) -> bytes:
    """The JSON text of `content` with its format and hash: the same bytes for the same content.

    Args:
        content: What to seal: under `files` the entries by name, and plain JSON values.
    """
    content = {"format": 1, **content}
    sealed = {**content, "sha256": _digest(content)}
    return json.dumps(sealed, indent=2, sort_keys=True, default=vars).encode("utf-8") + b"\n"


def unseal(path: Path) -> dict[str, Any]:
    """The content of a sealed file, under `files` the entries by name.

    Raises:
        FileError: It cannot be read, is not what was sealed, or describes no files.
    """
    content = load_json_object(path, max_bytes=_MAX_BYTES)
    if content.pop("sha256", None) != _digest(content):
        raise unusable(path, "is damaged", "content of the SHA-256 that it states")
    if content.get("format") != 1:
        found = f"has format {content.get('format')!r}"
        remedy = "Use the version of triformers that wrote it, or a newer one."
        raise file_error(path, found, "format 1", remedy)
    files = content.get("files")
    if not isinstance(files, dict):
        raise unusable(path, "has no object `files`", "the names, sizes and hashes of a save")
    entries = {check_name(name, within=path.parent): _entry(value, name, path) for name, value in files.items()}
    return {**content, "files": entries}


def unusable(path: Path, found: str, expected: str) -> FileError:
    """The error about an inventory that says nothing usable."""
    return file_error(path, found, expected, "Save or fetch the checkpoint again.")


def _digest(content: Mapping[str, Any]) -> str:
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"), default=vars)
    return hashlib.sha256(plain.encode("utf-8")).hexdigest()


def _entry(value: object, name: str, path: Path) -> Entry:
    if isinstance(value, dict):
        size, digest = value.get("size"), value.get("sha256")
        if type(size) is int and isinstance(digest, str) and re.fullmatch("[0-9a-f]{64}", digest):
            return Entry(size, digest)
    raise unusable(path, f"does not describe {name!r}", "its `size` and `sha256`")
