"""Find the files of a checkpoint, by the directory it is in or by its name on the Hub.

A `Repository` is one checkpoint during one load: the first answer of the Hub pins the commit, and every later
file is asked for at that commit, so that a load never mixes two revisions. A directory needs neither the
network nor huggingface_hub.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Literal, overload

from ..files.errors import FileError, three_beats
from ..files.manifest import check_manifest
from ..files.paths import check_name, safe_join
from ..files.transaction import locate, reading, settle
from .fetch import WrongBytesError, check, compare, fetch
from .options import HubOptions
from .refusals import header_of, hub_errors, is_other_length, refusal

__all__ = ["HubOptions", "Repository", "find_file", "find_first", "is_hub_name"]

_COMMIT = re.compile(r"[0-9a-f]{40}")
_HUB_NAME = re.compile(r"(?:[\w\-.]+/)?[\w\-.]{1,96}", re.ASCII)


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
        self._verified: frozenset[str] | None = None  # the files of a directory that were compared with its manifest
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
                it: no such repository or revision, no access, no connection and nothing in the cache. With
                `verify`: a file is not as it was saved, or as the Hub has it.
        """
        filename = check_name(filename, within=self.name)
        if self.directory is None:
            path = self._from_hub(filename)
        else:
            if listed:
                safe_join(self.directory, filename)
            settle(self.directory)
            path = locate(self.directory, filename)
        if path is not None and self.options.verify:
            self._verify(filename, path)
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

    def _verify(self, filename: str, path: Path) -> None:
        """Compare a file that is about to be read with its hash: in a directory, with all that was saved there."""
        if self.directory is None:
            compare(self._cache(), self._remote(filename), path, partial(self._etag, self._remote(filename)))
            return
        if self._verified is None:
            self._verified = check_manifest(self.directory)
        if filename not in self._verified:
            found = f"{filename} in {self.directory} was not saved there: the manifest does not list it"
            remedy = "Save the checkpoint again, or load without verify=True."
            raise FileError(three_beats(found, "a file whose hash was kept", remedy))

    def _from_hub(self, filename: str) -> Path | None:
        """The cached or downloaded file, None if the repository does not have it."""
        remote, offline = self._remote(filename), self._offline()
        try:
            if self.commit is None and offline:
                self.commit = self._cached_commit()
            if self.commit is not None and not self.options.force_download:
                known, path = self._cached(remote)
                if path is not None:
                    check(self._cache(), remote, path, partial(self._etag, remote))
                if known:
                    return path
            if offline:
                return self._not_cached()
            path = self._fetch(remote)
        except FileError:
            raise
        except hub_errors() as error:
            # None: a cause can quote request headers, and with them the token.
            raise_as = self._judge(error, filename)
            if raise_as is not None:
                raise raise_as from None
            return None
        self._pin(path.parents[remote.count("/")].name)
        return path

    def _fetch(self, remote: str) -> Path:
        """Download a file, or find it in the cache; once more where the body was not what was announced.

        huggingface_hub asks a branch for its commit, and then the branch for the body: if it moved in between, that is
        another commit's. The commit is then known, and is asked for it. Older versions also go on with what a process
        that was killed had of a body, whatever that was.
        """
        try:
            return self._fetch_once(remote, self.options.force_download)
        except OSError as error:
            if not (isinstance(error, WrongBytesError) or is_other_length(error)):
                raise
            self._pin(self._cached_commit())
            return self._fetch_once(remote, force=True)

    def _fetch_once(self, remote: str, force: bool) -> Path:
        from huggingface_hub import hf_hub_download

        def download() -> str:
            return hf_hub_download(
                self.name,
                remote,
                revision=self._revision,
                token=self.options.token,
                cache_dir=self._cache_dir,
                force_download=force,
            )

        return fetch(self._cache(), remote, download, partial(self._etag, remote))

    def _etag(self, remote: str, commit: str) -> str | None:
        """The Hub's hash of a file, None where it is not asked."""
        from huggingface_hub import get_hf_file_metadata, hf_hub_url

        if self._offline():
            return None
        url = hf_hub_url(self.name, remote, revision=commit)
        try:
            return get_hf_file_metadata(url, token=self.options.token).etag
        except hub_errors() as error:
            raise self._refusal(error, remote) from None

    @property
    def _revision(self) -> str:
        return self.commit or self.options.revision or "main"

    @property
    def _cache_dir(self) -> str | None:
        chosen = self.options.cache_dir
        return None if chosen is None else os.path.abspath(os.path.expanduser(chosen))

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
        refs = self._cache() / "refs"
        try:
            commit = (refs / check_name(self._revision, within=refs)).read_bytes().strip().decode("ascii")
        except (OSError, UnicodeDecodeError):
            return None
        return commit if _COMMIT.fullmatch(commit) else None

    def _cached(self, remote: str) -> tuple[bool, Path | None]:
        """Whether the cache knows about a file at the pinned commit, and where it is (None: nowhere)."""
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(self.name, remote, cache_dir=self._cache_dir, revision=self.commit)
        return found is not None, Path(found) if isinstance(found, str) else None

    def _judge(self, error: Exception, filename: str) -> FileError | None:
        """What an error of the download means: None if the repository just does not have the file."""
        from huggingface_hub import errors

        if isinstance(error, errors.EntryNotFoundError) and not isinstance(error, errors.LocalEntryNotFoundError):
            self._pin(header_of(error, "X-Repo-Commit"))
            return None
        found = self._refusal(error, filename)
        if isinstance(error, errors.LocalEntryNotFoundError):  # the Hub gave neither the file nor a refusal
            return FileError(f"{found} HF_HUB_OFFLINE=1 takes the cache for all that there is.")
        return found

    def _refusal(self, error: Exception, filename: str) -> FileError:
        doing = f"{filename} of {self.name} could not be fetched"
        return refusal(error, doing, self.name, self._revision, self.options.token)

    def _not_cached(self) -> None:
        """Answer for a file that the cache lacks when the Hub is not asked.

        Raises:
            FileError: The cache has nothing of this repository, or it is not to be used.
        """
        found = f"{self.name} ({self._revision}) is not in the cache"
        if self.options.force_download:
            found = f"{self.name} ({self._revision}) was to be downloaded again"
        elif self.commit is not None and (self._cache() / "snapshots" / self.commit).is_dir():
            return  # who chooses to stay offline chooses what the cache has
        remedy = "Load it once online: without local_files_only=True, and with HF_HUB_OFFLINE unset."
        found = f"{found}, and this load is offline"
        raise FileError(three_beats(found, "a repository that was downloaded before", remedy))

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


def _no_directory(path: str, expected: str) -> FileError:
    return FileError(
        three_beats(f"the directory {path} does not exist", expected, "Check the spelling, and where you are.")
    )
