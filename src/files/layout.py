"""Where a save keeps what, and which names it leaves to others.

A checkpoint folder during a save::

    <directory>/
      config.json, model.safetensors, ...  what foreign readers read
      .triformers_manifest.json            names, sizes, SHA-256 of all that was saved here, and its own hash
      .triformers/                         exists only while a save is under way, or after one was killed
        stage-<random>/                    a save being written; nobody reads it
        published/                         a save that counts: complete, on the disk, being moved into place
          record.json                      what it consists of
          files/<name>                     its files, until they are moved
          old/<name>                       what they replace
        done-<random>/                     to be deleted

The stage is inside the target directory, not beside it: that is the same file system even where the
directory is a mount point, it needs no permission on the parent, and an unfinished publication stays with its
checkpoint when the folder is moved or copied. `published` is the same name for everyone, so that a folder has
at most one unfinished publication, with or without locks, and a reader with nothing to settle pays for one
`lstat`.

The manifest is hidden because it is ours alone: folder listings stay what users know, and tools that copy
`*.json` from one model to the next do not carry hashes along that are wrong there.
"""

from __future__ import annotations

import os
from pathlib import Path

from .errors import file_error
from .paths import safe_join

HIDDEN = ".triformers"
PUBLISHED = f"{HIDDEN}/published"
RECORD_NAME = "record.json"
MANIFEST_NAME = f"{HIDDEN}_manifest.json"

_ELSEWHERE = "Move it away, or save elsewhere."


def check_target(directory: Path, name: str) -> None:
    """Check that a file can be put here under this name, which is in its plain form.

    Raises:
        FileError: The name is reserved or a folder's, or its folder is a file or a link out of the directory.
    """
    target = directory / name
    if name.startswith(HIDDEN) and name != MANIFEST_NAME:
        expected = f"names that do not begin with {HIDDEN}"
        raise file_error(target, "is a reserved name", expected, "Choose another.")
    if "/" in name:
        folder = safe_join(directory, name.rpartition("/")[0])
        if os.path.lexists(folder) and not folder.is_dir():
            raise file_error(folder, "is a file", "a folder to save into", _ELSEWHERE)
    if target.is_dir() and not target.is_symlink():
        raise file_error(target, "is a folder", "a file, or nothing", _ELSEWHERE)
