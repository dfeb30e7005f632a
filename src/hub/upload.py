"""One commit on the Hub: what it adds and takes away, and the branch and the card that it needs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files.errors import FileError, InputError, closest, three_beats
from .find import is_hub_name
from .model_card import CARD_ARGUMENTS, CARD_NAME, CardFacts, card_text, with_tags
from .options import check_token, with_token
from .refusals import hub_errors, refusal

if TYPE_CHECKING:
    from huggingface_hub import CommitInfo, CommitOperationAdd, CommitOperationDelete, HfApi

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PushOptions:
    """Where a push goes, and what is said with it.

    Attributes:
        repo_id: The repository, made if it is not there: `organisation/model`, or `model` of the token's account.
        commit_message: The commit's first line; "Upload" and the class's name by default.
        commit_description: The text below it.
        private: Whether a repository that is made is private; None for the account's own default.
        token: An access token with the right to write; None or True for the stored one.
        create_pr: Whether to ask for the change in a pull request.
        revision: The branch, made if it is not there; `main` by default.
        tags: What the card is found by.
        card: What else the card's head says, such as `license`.
    """

    repo_id: str
    commit_message: str | None = None
    commit_description: str | None = None
    private: bool | None = None
    token: str | bool | None = field(default=None, repr=False)
    create_pr: bool = False
    revision: str | None = None
    tags: Collection[str] = ()
    card: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def names(cls) -> set[str]:
        """The keyword arguments that say how to push, older names and those about the card included."""
        return {each.name for each in fields(cls) if each.name != "card"} | {
            "use_auth_token", "organization", *CARD_ARGUMENTS,
        }  # fmt: skip

    @classmethod
    def take_from(cls, arguments: Mapping[str, Any]) -> PushOptions:
        """Make the options of keyword arguments.

        Raises:
            InputError: One is not known, or cannot be.
        """
        if unknown := sorted(arguments.keys() - cls.names()):
            near = closest(unknown[0], cls.names()) or sorted(cls.names())
            expected = f"an argument of a push, such as {', '.join(near[:3])}"
            raise InputError(three_beats(f"there is no argument {unknown[0]}", expected, "Correct it, or drop it."))
        given = with_token(arguments)
        if organization := given.pop("organization", None):
            given["repo_id"] = f"{organization}/{given['repo_id'].rpartition('/')[2]}"
        tags = given.pop("tags", None) or ()
        card = {name: given.pop(name) for name in CARD_ARGUMENTS if name in given}
        return cls(**given, tags=(tags,) if isinstance(tags, str) else tuple(tags), card=card)

    def __post_init__(self) -> None:
        check_token(self.token)
        if not isinstance(self.repo_id, str) or not is_hub_name(self.repo_id):
            found = f"the repository {self.repo_id!r}"
            raise InputError(three_beats(found, "a name such as org/model, or model", "Give repo_id=."))


@dataclass(frozen=True)
class Upload:
    """Files of a directory, on their way into one commit.

    Attributes:
        directory: Where they are.
        saved: Their names.
        message: The commit's first line.
        options: Where to.
        facts: What a card that is made says.
        is_left_over: Whether a file of the repository goes because of these.
    """

    directory: Path
    saved: Collection[str]
    message: str
    options: PushOptions
    facts: CardFacts
    is_left_over: Callable[[str], bool]

    def commit(self) -> CommitInfo:
        """Upload the files, and then make the commit.

        Raises:
            FileError: The Hub refuses.
        """
        from huggingface_hub import HfApi

        options = self.options
        api = HfApi(token=options.token)
        try:
            name = api.create_repo(options.repo_id, private=options.private, exist_ok=True).repo_id
            state = self._state(api, name)
            if options.private and state.private is False:
                logger.warning("%s is there already, and is public: private=True does not change that.", name)
            return api.create_commit(
                name,
                self._operations(api, name, state),
                commit_message=self.message,
                commit_description=options.commit_description,
                revision=options.revision,
                create_pr=options.create_pr,
                parent_commit=state.sha,  # what was looked at, so that nothing comes in between
            )
        except FileError:
            raise
        except hub_errors() as error:
            doing = f"{options.repo_id} could not be pushed to"
            # None: a cause can quote request headers, and with them the token.
            raise refusal(error, doing, options.repo_id, options.revision or "main", options.token) from None

    def _state(self, api: HfApi, name: str) -> Any:
        """The commit that the push goes on from, and its files; its branch is made if need be."""
        from huggingface_hub import errors

        branch = self.options.revision
        try:
            return api.repo_info(name, revision=branch)
        except errors.RevisionNotFoundError:
            if self.options.create_pr or branch is None or branch.startswith("refs/"):
                raise
            api.create_branch(name, branch=branch, exist_ok=True)
            return api.repo_info(name, revision=branch)

    def _operations(self, api: HfApi, name: str, state: Any) -> list[CommitOperationAdd | CommitOperationDelete]:
        """What the commit adds, and what it takes away."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        there = {sibling.rfilename for sibling in state.siblings or ()}
        added = [CommitOperationAdd(each, self.directory / each) for each in sorted(self.saved)]
        if CARD_NAME not in self.saved:
            card = self._own_card(name) if CARD_NAME not in there else self._tagged_card(api, name, state.sha)
            added += [CommitOperationAdd(CARD_NAME, text.encode("utf-8")) for text in card]
        gone = [each for each in sorted(there - set(self.saved)) if self.is_left_over(each)]
        return [*added, *(CommitOperationDelete(each) for each in gone)]

    def _own_card(self, name: str) -> list[str]:
        """The card of a repository that has none: the directory's, else one that is made."""
        own = self.directory / CARD_NAME
        text = own.read_text(encoding="utf-8") if own.is_file() else card_text(name, self.facts, self.options.card)
        return [with_tags(text, self.options.tags)]

    def _tagged_card(self, api: HfApi, name: str, commit: str | None) -> list[str]:
        """The card that is there, with the tags that it lacks; nothing where it lacks none."""
        if not self.options.tags:
            return []
        text = Path(api.hf_hub_download(name, CARD_NAME, revision=commit)).read_text(encoding="utf-8")
        tagged = with_tags(text, self.options.tags)
        return [] if tagged == text else [tagged]
