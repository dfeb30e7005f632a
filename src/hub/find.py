"""Find the files of a checkpoint, by the directory it is in or by its name on the Hub.

A `Repository` is one checkpoint during one load: the first answer of the Hub pins the commit, and every later
file is asked for at that commit, so that a load never mixes two revisions. A directory needs neither the
network nor huggingface_hub.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, overload

from ..files.errors import FileError, InputError, three_beats
from ..files.paths import check_name, safe_join
from ..files.transaction import locate, reading, settle

_COMMIT = re.compile(r"[0-9a-f]{40}")
_HUB_NAME = re.compile(r"(?:[\w\-.]+/)?[\w\-.]{1,96}", re.ASCII)


@dataclass(frozen=True)
class HubOptions:
    """How to ask the Hub; a directory takes only `subfolder` from it.

    Attributes:
        revision: A branch, a tag or a commit; None is `main`.
        token: An access token; True for the stored one, False for none, None to use the stored one if any.
        cache_dir: Where downloads are kept; None is huggingface_hub's own place.
        local_files_only: Take what the cache has and never go online.
        force_download: Download even what the cache has.
        subfolder: The folder inside the repository or directory that holds the files.
    """

    revision: str | None = "main"
    token: str | bool | None = field(default=None, repr=False)
    cache_dir: str | os.PathLike[str] | None = None
    local_files_only: bool = False
    force_download: bool = False
    subfolder: str = ""

    @classmethod
    def take_from(cls, arguments: Mapping[str, Any]) -> tuple[HubOptions, dict[str, Any]]:
        """Split keyword arguments into those that say how to ask the Hub, and the rest."""
        own = {name: value for name, value in arguments.items() if name in cls.__dataclass_fields__}
        return cls(**own), {name: value for name, value in arguments.items() if name not in own}

    def __post_init__(self) -> None:
        if self.force_download and self.local_files_only:
            raise InputError(
                three_beats(
                    "force_download=True and local_files_only=True were given together",
                    "at most one of them",
                    "Drop one: the first always goes online, the second never.",
                )
            )
        if isinstance(self.token, str) and re.fullmatch(r"[!-~]+", self.token) is None:
            raise InputError(
                three_beats(
                    "the token is empty, or has characters that no token has (a line end, a space)",
                    "an access token of the Hub",
                    "Copy it again from https://huggingface.co/settings/tokens.",
                )
            )


class Repository:
    """One checkpoint during one load: a directory, or a name on the Hub with its commit.

    Args:
        name_or_directory: A directory, which wins if it exists, or a Hub name (`model`, `org/model`).
        options: How to ask the Hub, and the subfolder.

    Attributes:
        directory: The directory, subfolder included; None for a Hub name.
        commit: The Hub commit that all files come from; None before the first answer, and for a directory.

    Raises:
        FileError: It is a file, a directory that does not exist, or lacks the subfolder.
    """

    def __init__(self, name_or_directory: str | os.PathLike[str], options: HubOptions | None = None) -> None:
        self.name = os.fspath(name_or_directory)
        self.options = options or HubOptions()
        self.directory: Path | None = None
        self.commit: str | None = None
        folder = self.options.subfolder
        self._subfolder = check_name(folder, within=self.name) if folder else ""
        if os.path.isdir(self.name):
            self.directory = Path(self.name, self._subfolder)
            if not self.directory.is_dir():
                raise _no_directory(os.fspath(self.directory), "an existing directory")
        elif os.path.exists(self.name):
            raise FileError(
                three_beats(
                    f"{self.name} is a file",
                    "a directory, or a name on the Hub",
                    "Give the directory that it is in.",
                )
            )
        elif isinstance(name_or_directory, os.PathLike) or not is_hub_name(self.name):
            raise _no_directory(self.name, "an existing directory, or a name on the Hub such as org/model")
        elif self.options.revision is not None and _COMMIT.fullmatch(self.options.revision):
            self.commit = self.options.revision

    @overload
    def file(self, filename: str, *, required: Literal[True] = True, listed: bool = False) -> Path: ...

    @overload
    def file(self, filename: str, *, required: bool, listed: bool = False) -> Path | None: ...

    def file(self, filename: str, *, required: bool = True, listed: bool = False) -> Path | None:
        """Where to read a file of this checkpoint, downloaded if need be.

        Args:
            filename: Its name, relative to the subfolder.
            required: Raise if the checkpoint does not have it; False gives None.
            listed: The name was read from a file of the checkpoint (an index), not chosen by the caller: a
                link of that name is then refused where it leads out of the directory.

        Raises:
            FileError: The file is missing and required, its name leaves the directory, or the Hub cannot give
                it: no such repository or revision, no access, no connection and nothing in the cache.
        """
        filename = check_name(filename, within=self.name)
        if self.directory is None:
            path = self._from_hub(filename)
        else:
            if listed:
                safe_join(self.directory, filename)
            settle(self.directory)
            path = locate(self.directory, filename)
        if path is None and required:
            raise self._missing([filename])
        return path

    def first(self, filenames: Iterable[str], *, required: bool = True) -> Path | None:
        """The first of several files that this checkpoint has. Arguments and errors are those of `file`."""
        tried = list(filenames)
        for filename in tried:
            path = self.file(filename, required=False)
            if path is not None:
                return path
        if required:
            raise self._missing(tried)
        return None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold a directory still while its files are opened, so that a save cannot come between them.

        For a Hub name there is nothing to hold: its files never change.

        Raises:
            FileError: A save keeps the directory locked, or left it damaged.
        """
        if self.directory is None:
            yield
        else:
            with reading(self.directory):
                yield

    def _from_hub(self, filename: str) -> Path | None:
        """The cached or downloaded file, None if the repository does not have it."""
        from huggingface_hub import hf_hub_download

        if self.commit is None and self._offline():
            self.commit = self._cached_commit()
        if self.commit is not None and not self.options.force_download:
            known, path = self._cached(filename)
            if known:
                return path
        try:
            path = Path(
                hf_hub_download(
                    self.name,
                    self._remote(filename),
                    revision=self._revision,
                    token=self.options.token,
                    cache_dir=self._cache_dir,
                    local_files_only=self.options.local_files_only,
                    force_download=self.options.force_download,
                )
            )
        except _download_errors() as error:
            # None: a cause can quote request headers, and with them the token.
            raise_as = self._judge(error, filename)
            if raise_as is not None:
                raise raise_as from None
            return None
        self._pin(path.parents[self._remote(filename).count("/")].name)
        return path

    @property
    def _revision(self) -> str:
        return self.commit or self.options.revision or "main"

    @property
    def _cache_dir(self) -> str | None:
        return None if self.options.cache_dir is None else os.fspath(self.options.cache_dir)

    def _remote(self, filename: str) -> str:
        return f"{self._subfolder}/{filename}" if self._subfolder else filename

    def _pin(self, commit: str | None) -> None:
        if self.commit is None and commit is not None and _COMMIT.fullmatch(commit):
            self.commit = commit

    def _offline(self) -> bool:
        from huggingface_hub import constants

        return self.options.local_files_only or constants.HF_HUB_OFFLINE

    def _cache(self) -> Path:
        """The folder of this repository in the cache, which need not exist."""
        from huggingface_hub import constants

        cache = Path(self._cache_dir or constants.HF_HUB_CACHE).expanduser()
        return cache / f"models--{self.name.replace('/', '--')}"

    def _cached_commit(self) -> str | None:
        """The commit that the wanted revision had when it was last asked for."""
        try:
            commit = (self._cache() / "refs" / self._revision).read_text().strip()
        except OSError:
            return None
        return commit if _COMMIT.fullmatch(commit) else None

    def _cached(self, filename: str) -> tuple[bool, Path | None]:
        """Whether the cache knows about a file at the pinned commit, and where it is (None: nowhere)."""
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(
            self.name, self._remote(filename), cache_dir=self._cache_dir, revision=self.commit
        )
        return found is not None, Path(found) if isinstance(found, str) else None

    def _judge(self, error: Exception, filename: str) -> FileError | None:
        """What an error of the download means: None if the repository just does not have the file."""
        from huggingface_hub import errors

        if isinstance(error, errors.LocalEntryNotFoundError):
            return self._not_cached(error, filename)
        if isinstance(error, errors.EntryNotFoundError):
            self._pin(_header(error, "X-Repo-Commit"))
            return None
        if isinstance(error, errors.GatedRepoError):
            found, expected = f"access to {self.name} is restricted", "an account that was granted access"
            remedy = f"Ask for access at https://huggingface.co/{self.name}, then log in or pass token=."
        elif isinstance(error, errors.RepositoryNotFoundError):
            found = f"there is no directory {self.name}, and the Hub has no such repository or hides it"
            expected = "an existing directory, or the name of a repository that you may read"
            remedy = "Check the spelling; for a private repository log in (`hf auth login`) or pass token=."
        elif isinstance(error, errors.RevisionNotFoundError):
            found = f"{self.name} on the Hub has no revision {self._revision!r}"
            expected, remedy = "a branch, a tag or a full commit hash", "Correct revision=."
        elif getattr(getattr(error, "response", None), "status_code", None) == 401:
            found, expected = f"the Hub refused the token for {self.name}", "a token that is valid"
            remedy = "Log in again (`hf auth login`), or correct token= or HF_TOKEN."
        else:
            found = f"{filename} of {self.name} could not be fetched ({self._reason(error)})"
            expected, remedy = (
                "an answer of the Hub and room in the cache",
                "Correct the cause and try again.",
            )
        return FileError(three_beats(found, expected, remedy))

    def _not_cached(self, error: Exception, filename: str) -> FileError | None:
        """The judgement on a file that the cache lacks when the Hub was not asked, or did not answer."""
        if self._offline():
            if self.commit is not None and (self._cache() / "snapshots" / self.commit).is_dir():
                return None  # who chooses to stay offline chooses what the cache has
            found = f"{self.name} ({self._revision}) is not in the cache, and this load is offline"
            remedy = "Load it once online: without local_files_only=True, and with HF_HUB_OFFLINE unset."
            return FileError(three_beats(found, "a repository that was downloaded before", remedy))
        cause = error.__cause__ or error
        found = f"the Hub gave no usable answer for {filename} of {self.name} ({self._reason(cause)})"
        remedy = "Try again online; or set HF_HUB_OFFLINE=1 to take the cache for all that there is."
        return FileError(three_beats(found, "a connection, or a repository that was downloaded before", remedy))

    def _reason(self, error: BaseException) -> str:
        """The first line of an error, without any token in it."""
        from huggingface_hub import get_token

        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
        for token in (self.options.token, get_token()):
            if isinstance(token, str) and token:
                text = text.replace(token, "***")
        return text

    def _missing(self, filenames: list[str]) -> FileError:
        names = " or ".join(filenames)
        folder = f", folder {self._subfolder}" if self._subfolder else ""
        where = self.directory or f"{self.name} on the Hub, revision {self._revision}{folder}"
        return FileError(
            three_beats(
                f"there is no {names} in {where}",
                "a complete checkpoint in the Hugging Face layout",
                "Check the name, the subfolder and the revision, or save the checkpoint again.",
            )
        )


def find_file(
    name_or_directory: str | os.PathLike[str],
    filename: str,
    options: HubOptions | None = None,
    *,
    required: bool = True,
) -> Path | None:
    """`Repository(...).file(filename)`, for a load of this one file. Arguments and errors are the same."""
    return Repository(name_or_directory, options).file(filename, required=required)


def find_first(
    name_or_directory: str | os.PathLike[str],
    filenames: Iterable[str],
    options: HubOptions | None = None,
    *,
    required: bool = True,
) -> Path | None:
    """`Repository(...).first(filenames)`, for a load of this one file. Arguments and errors are the same."""
    return Repository(name_or_directory, options).first(filenames, required=required)


def is_hub_name(name: str) -> bool:
    """Whether a string can name a repository on the Hub: `model` or `organisation/model`."""
    parts = name.split("/")
    return (
        _HUB_NAME.fullmatch(name) is not None
        and not any(part[0] in "-." or part[-1] in "-." for part in parts)
        and not any(forbidden in name for forbidden in ("--", ".."))
        and not name.endswith(".git")
    )


def _download_errors() -> tuple[type[Exception], ...]:
    """All that a download raises on purpose; its HTTP library differs between versions of huggingface_hub."""
    from huggingface_hub import errors

    http = errors.HfHubHTTPError.__bases__[0]
    return (http, errors.EntryNotFoundError, OSError, ValueError, RuntimeError)


def _header(error: Any, name: str) -> str | None:
    response = getattr(error, "response", None)
    return None if response is None else response.headers.get(name)


def _no_directory(path: str, expected: str) -> FileError:
    return FileError(
        three_beats(f"the directory {path} does not exist", expected, "Check the spelling, and where you are.")
    )
