"""Pushing to the Hub: whatever can be saved into a directory, in one commit, with a card.

What is pushed is saved first, whole. Then the Hub is told once: files are uploaded into its store, where nobody sees
them, and one commit makes all of them the new state. Killed at any moment, a push leaves the repository as it was, or
empty where it was new.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..files.layout import HIDDEN
from .model_card import CardFacts
from .upload import PushOptions, Upload

if TYPE_CHECKING:
    from huggingface_hub import CommitInfo

__all__ = ["PushOptions", "PushToHub"]


class PushToHub:
    """What can be saved into a directory, and from there pushed to the Hub."""

    #: Arguments of a push that `save_pretrained` takes.
    _form_of_push: ClassVar[tuple[str, ...]] = ()

    def push_to_hub(
        self,
        repo_id: str,
        use_temp_dir: bool | None = None,
        commit_message: str | None = None,
        private: bool | None = None,
        token: str | bool | None = None,
        max_shard_size: int | str | None = "5GB",
        create_pr: bool = False,
        safe_serialization: bool = True,
        revision: str | None = None,
        commit_description: str | None = None,
        tags: list[str] | str | None = None,
        **deprecated_kwargs: Any,
    ) -> CommitInfo:
        """Save, and push what was saved to the Hub in one commit.

        A repository without a card (README.md) gets one; one that is there stays, but for the tags. Files of an
        earlier push that these take the place of under other names (shards for a whole file) go in the same commit.

        Args:
            repo_id: The repository, made if it is not there: `organisation/model`, or `model` of your own account.
            use_temp_dir: Whether to save into a temporary folder, else into one called like the model in the working
                directory; None for the second where there is such a folder.
            commit_message: The commit's first line; "Upload" and the class's name by default.
            private: Whether a repository that is made is private; None for the account's own default.
            token: An access token with the right to write; None or True for the stored one.
            max_shard_size: Of a model, the most bytes of tensors in one file: a number, or a text such as "5GB".
            create_pr: Whether to ask for the change in a pull request.
            safe_serialization: Of a model, whether in safetensors, else in the framework's own format.
            revision: The branch, made if it is not there; `main` by default.
            commit_description: The text below the commit's first line.
            tags: What the card is found by.
            deprecated_kwargs: `use_auth_token` (`token`), `organization` (the first part of `repo_id`); for the head
                of a card that is made: `language`, `license`, `finetuned_from`, `tasks`, `dataset`, `dataset_tags`,
                `model_name`.

        Returns:
            What huggingface_hub says of the commit: its address, its hash, that of the pull request.

        Raises:
            FileError: It cannot be saved, or the Hub refuses; the message says which and why.
            InputError: An argument that cannot be.
        """
        options = PushOptions.take_from({
            "repo_id": repo_id, "commit_message": commit_message, "commit_description": commit_description,
            "private": private, "token": token, "create_pr": create_pr, "revision": revision, "tags": tags,
            **deprecated_kwargs,
        })  # fmt: skip
        form = {"max_shard_size": max_shard_size, "safe_serialization": safe_serialization}
        folder = Path(options.repo_id.rpartition("/")[2])
        is_temporary = not folder.is_dir() if use_temp_dir is None else use_temp_dir
        with tempfile.TemporaryDirectory() if is_temporary else nullcontext(folder) as directory:
            before = _files(directory)
            self.save_pretrained(directory, **{name: form[name] for name in self._form_of_push})
            return self._push(Path(directory), before, options)

    def save_pretrained(self, save_directory: str | os.PathLike, **kwargs: Any) -> Any:
        """Save into a directory."""
        raise NotImplementedError

    @contextmanager
    def pushing(self, directory: str | os.PathLike, is_wanted: bool, arguments: Mapping[str, Any]) -> Iterator[None]:
        """Push what the block saves, if that is wanted.

        Args:
            directory: Where the block saves; its name is that of the repository if the arguments name none.
            is_wanted: Whether to push.
            arguments: Those of `PushOptions`; looked at before anything is saved, whether they are used or not.

        Raises:
            FileError: The Hub refuses. What was saved stays.
            InputError: An argument that cannot be.
        """
        named = {name: value for name, value in arguments.items() if value is not None}
        if is_wanted:
            named.setdefault("repo_id", os.path.basename(os.path.abspath(directory)))
        options = PushOptions.take_from({"repo_id": "unused", **named})
        before = _files(directory) if is_wanted else {}
        yield
        if is_wanted:
            self._push(Path(directory), before, options)

    def _push(self, directory: Path, before: Mapping[str, Any], options: PushOptions) -> CommitInfo:
        """Push the files of a directory that are not what they were before."""
        saved = {name for name, stamp in _files(directory).items() if before.get(name) != stamp}
        message = options.commit_message or f"Upload {type(self).__name__}"
        return Upload(directory, saved, message, options, self._card_facts(), self._left_over_beside(saved)).commit()

    def _card_facts(self) -> CardFacts:
        """What a card that is made says of this object."""
        return CardFacts.of(self)

    def _left_over_beside(self, saved: Collection[str]) -> Callable[[str], bool]:
        """Which files of the repository these take the place of under other names."""
        return lambda name: False


def _files(directory: str | os.PathLike) -> dict[str, tuple[int, int, int]]:
    """The files of a directory by name, with what changes when one is written; this library's own are not counted."""
    found = {}
    for folder, folders, names in os.walk(directory):
        folders[:] = [each for each in folders if each not in (HIDDEN, ".git", ".cache")]
        for name in names:
            path = Path(folder, name)
            relative = path.relative_to(directory).as_posix()
            if not relative.startswith(HIDDEN) and path.is_file():
                status = path.stat()
                found[relative] = (status.st_ino, status.st_size, status.st_mtime_ns)
    return found
