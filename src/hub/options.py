"""How to ask the Hub: the arguments that every `from_pretrained` and every upload have in common.

Trust comes from the caller alone: nothing here is read from a checkpoint's files, and no environment variable
lets a repository's code run. What 4.x takes and is always so here, or makes no sense here, is decided once, in
the tables below.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..files.errors import InputError, three_beats

#: Arguments that have no effect, each with the reason.
HARMLESS: Mapping[str, str] = {
    "_from_auto": "4.x counts its callers by it",
    "_from_pipeline": "4.x counts its callers by it",
    "from_auto": "4.x counts its callers by it",
    "from_pipeline": "4.x counts its callers by it",
    "resume_download": "a download that was cut short is always resumed, or begun again",
    "user_agent": "it would tell the Hub who asks",
}

#: Arguments that may only say what is so anyway -> those values, and why no other.
DECIDED: Mapping[str, tuple[tuple[Any, ...], str]] = {
    "trust_remote_code": (
        (False, None),
        "No code is ever fetched from a repository here: install it and import its classes.",
    ),
    "code_revision": ((None,), "No code is ever fetched from a repository here: install it and import its classes."),
    "proxies": ((None, {}), "Set HTTPS_PROXY in the environment."),
    "mirror": ((None,), "Set HF_ENDPOINT in the environment."),
}


def without_decided(arguments: Mapping[str, Any], decided: Mapping[str, tuple[tuple[Any, ...], str]]) -> dict[str, Any]:
    """The arguments without those that only say what is so anyway.

    Raises:
        InputError: One says something else.
    """
    for name in arguments.keys() & decided.keys():
        accepted, reason = decided[name]
        if arguments[name] not in accepted:
            found, expected = f"{name}={arguments[name]!r} makes no sense here", " or ".join(map(repr, accepted))
            raise InputError(three_beats(found, expected, reason))
    return {name: value for name, value in arguments.items() if name not in decided}


def with_token(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with `token` under its name of today.

    Raises:
        InputError: The two names say different things.
    """
    rest = dict(arguments)
    older = rest.pop("use_auth_token", None)
    if older is not None:
        if rest.get("token") not in (None, older):
            found = "token and use_auth_token were given together, and differ"
            raise InputError(three_beats(found, "one of them", "Drop use_auth_token, the older name of token."))
        rest["token"] = older
    return rest


def check_token(token: str | bool | None) -> None:
    """Refuse what cannot be a token, without repeating it.

    Raises:
        InputError: It has characters that no token has, and no header can carry.
    """
    if isinstance(token, str) and re.fullmatch(r"[!-~]+", token) is None:
        raise InputError(
            three_beats(
                "the token is empty, or has characters that no token has (a line end, a space)",
                "an access token of the Hub",
                "Copy it again from https://huggingface.co/settings/tokens.",
            )
        )


@dataclass(frozen=True)
class HubOptions:
    """How to ask the Hub; a directory takes only `subfolder` and `verify` from it.

    Attributes:
        revision: A branch, a tag or a commit; None is `main`.
        token: An access token; True for the stored one, False for none, None to use the stored one if any.
        cache_dir: Where downloads are kept; None is huggingface_hub's own place.
        local_files_only: Take what the cache has and never go online.
        force_download: Download even what the cache has.
        subfolder: The folder inside the repository or directory that holds the files.
        verify: Compare the files with the hashes of their save, or with those of the Hub, before one is read.
    """

    revision: str | None = "main"
    token: str | bool | None = field(default=None, repr=False)
    cache_dir: str | os.PathLike[str] | None = None
    local_files_only: bool = False
    force_download: bool = False
    subfolder: str = ""
    verify: bool = False

    @classmethod
    def take_from(cls, arguments: Mapping[str, Any]) -> tuple[HubOptions, dict[str, Any]]:
        """Split keyword arguments into those that say how to ask the Hub, and the rest.

        `use_auth_token` is `token`; `_commit_hash`, the commit that a caller knows the revision to be at, is the
        revision.

        Raises:
            InputError: One cannot be, or asks for what is not done here.
        """
        kept = {name: value for name, value in with_token(arguments).items() if name not in HARMLESS}
        kept = without_decided(kept, DECIDED)
        commit = kept.pop("_commit_hash", None)
        own = {name: kept.pop(name) for name in list(kept) if name in cls.__dataclass_fields__}
        return cls(**own if commit is None else {**own, "revision": commit}), kept

    def __post_init__(self) -> None:
        if self.force_download and self.local_files_only:
            raise InputError(
                three_beats(
                    "force_download=True and local_files_only=True were given together",
                    "at most one of them",
                    "Drop one: the first always goes online, the second never.",
                )
            )
        check_token(self.token)
        for name in ("revision", "subfolder"):
            value = getattr(self, name)
            if not (value is None or isinstance(value, str)) or "\0" in (value or ""):
                found = f"{name}={value!r}"
                raise InputError(three_beats(found, "text, or None", "Correct it."))
