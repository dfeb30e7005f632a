"""Names that are read from files: they never lead out of the directory that the files are in."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath

from .errors import FileError, three_beats

_DRIVE = re.compile(r"[A-Za-z]:")
_HUB_REPOSITORY = re.compile(r"(model|dataset|space|kernel)s--")


def check_name(name: str, *, within: str | os.PathLike[str]) -> str:
    """Check a relative file name by its text alone, and give it in its plainest form (`a/b`).

    Args:
        name: The name, its folders separated by `/`.
        within: The directory, for the message.

    Raises:
        FileError: The name is empty, absolute, climbs with `..`, or holds a backslash, a drive or a NUL.
    """
    if not isinstance(name, str):
        raise _refusal(repr(name), within, f"is a {type(name).__name__}, not a string")
    plain = str(PurePosixPath(name))
    reasons = {
        "is empty": plain == ".",
        "holds a NUL character": "\0" in name,
        "holds a backslash": "\\" in name,
        "is absolute": name.startswith("/"),
        "names a drive": _DRIVE.match(name) is not None,
        "climbs out with '..'": ".." in PurePosixPath(name).parts,
    }
    for reason, applies in reasons.items():
        if applies:
            raise _refusal(repr(name), within, reason)
    return plain


def safe_join(directory: str | os.PathLike[str], name: str) -> Path:
    """The path of `name` in `directory`, for a name that was read from a file.

    A link is followed, and refused where it leads out of the directory. In a snapshot folder of the Hub's
    cache every file is a link into the same repository's blobs; those are accepted.

    Args:
        directory: The directory; it may itself be reached through links.
        name: A relative name, its folders separated by `/`. The file need not exist.

    Returns:
        `directory / name`, links unresolved.

    Raises:
        FileError: The name or a link behind it leaves the directory.
    """
    path = Path(directory, check_name(name, within=directory))
    try:
        base, target = Path(directory).resolve(), path.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: a link to itself, before Python 3.13
        raise _refusal(repr(name), directory, f"cannot be followed ({error})") from None
    if not any(target.is_relative_to(root) for root in (base, *_hub_blobs(base))):
        raise _refusal(repr(name), directory, f"is a link that leads out of it, to {target}")
    return path


def _hub_blobs(base: Path) -> tuple[Path, ...]:
    """The blob folders behind a snapshot folder of the Hub's cache, nothing for any other folder.

    The layout is `<cache>/<kind>s--<name>/snapshots/<commit>/`, with blobs in the repository's `blobs/`,
    which newer versions of huggingface_hub fill with links into the whole cache's store, `<cache>/blobs/`.
    """
    for folder in (base, *base.parents):
        repository = folder.parent.parent
        if folder.parent.name == "snapshots" and _HUB_REPOSITORY.match(repository.name):
            return repository / "blobs", repository.parent / "blobs"
    return ()


def _refusal(name: str, within: str | os.PathLike[str], reason: str) -> FileError:
    return FileError(
        three_beats(
            f"the file name {name} in {os.fspath(within)} {reason}",
            "a relative name that stays inside the directory",
            "Correct the file that gives this name, or copy the file it means into the directory.",
        )
    )
