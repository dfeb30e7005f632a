"""What a refusal of the Hub means to the user: one message for each cause, and no token in any of them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from ..files.errors import FileError, three_beats

#: Beats two and three of the message, for the answers that mean the same whatever was asked for.
_BY_STATUS = {
    401: ("a token that is valid", "Log in again (`hf auth login`), or correct token= or HF_TOKEN."),
    403: ("a token with the right to do this", "Use one whose account and scope allow it."),
    412: ("the repository to stand still meanwhile", "Another push came in between: push again."),
    429: ("fewer requests, or an account with a higher limit", "Wait a few minutes; log in if you have not."),
}
_FOUND = {
    401: "the Hub refused the token",
    403: "the Hub does not allow it",
    412: "the repository has changed since it was looked at",
    429: "the Hub has had too many requests from here",
}


def hub_errors() -> tuple[type[Exception], ...]:
    """All that a call of huggingface_hub raises on purpose; its HTTP library differs between its versions."""
    from huggingface_hub import errors

    http = errors.HfHubHTTPError.__bases__[0]
    return (http, errors.EntryNotFoundError, OSError, ValueError, RuntimeError)


def refusal(error: BaseException, doing: str, name: str, revision: str, token: str | bool | None) -> FileError:
    """The message about a call of huggingface_hub that failed.

    Args:
        error: What it raised.
        doing: What was being done, such as "config.json of org/model could not be fetched".
        name: The repository.
        revision: The revision that was asked for.
        token: The caller's token, which no message repeats.
    """
    from huggingface_hub import errors

    chain = list(_chain(error))
    status = next(filter(None, map(status_of, chain)), None)
    if _any(chain, errors.GatedRepoError):
        found, expected = f"access to {name} is restricted", "an account that was granted access"
        remedy = f"Ask for access at https://huggingface.co/{name}, then log in or pass token=."
    elif _any(chain, errors.RepositoryNotFoundError):
        found = f"{doing}: the Hub has no such repository, or hides it"
        expected = "an existing directory, or the name of a repository that you may use"
        remedy = "Check the spelling; for a private repository log in (`hf auth login`) or pass token=."
    elif _any(chain, errors.RevisionNotFoundError):
        found = f"{name} on the Hub has no revision {revision!r}"
        expected, remedy = "a branch, a tag or a full commit hash", "Correct revision=."
    elif status in _BY_STATUS:
        found, (expected, remedy) = f"{doing}: {_FOUND[status]}", _BY_STATUS[status]
    elif status is not None and status >= 500:
        found, expected = f"{doing}: the Hub answers {status}", "an answer of the Hub"
        remedy = "Nothing is wrong here: see https://status.huggingface.co, and try again later."
    elif status is None and any(_is_transport(each) for each in chain):
        found = f"{doing}: the connection to the Hub failed or was cut short ({reason(chain[-1], token)})"
        expected, remedy = "all of the Hub's answer", "Check the network, and try again."
    else:
        found = f"{doing} ({reason(error, token)})"
        expected, remedy = "an answer of the Hub and room in the cache", "Correct the cause and try again."
    return FileError(three_beats(found, expected, remedy))


def reason(error: BaseException, token: str | bool | None) -> str:
    """The first line of an error, without a token in it, nor the query of an address, which may be signed."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    text = re.sub(r"(https?://[^\s?'\"]*)\?[^\s'\"]*", r"\1", text)
    for secret in (token, _stored_token()):
        if isinstance(secret, str) and secret:
            text = text.replace(secret, "***")
    return text if len(text) < 200 else text[:200] + "..."


def _stored_token() -> str | None:
    """The token that the Hub's library would send; None if it may not be read, for then it was not sent."""
    from huggingface_hub import get_token

    with contextlib.suppress(OSError):
        return get_token()
    return None


def status_of(error: BaseException) -> int | None:
    """The number of the answer that an error is about."""
    return getattr(getattr(error, "response", None), "status_code", None)


def header_of(error: Any, name: str) -> str | None:
    """A header of the answer that an error is about."""
    response = getattr(error, "response", None)
    return None if response is None else response.headers.get(name)


def is_other_length(error: BaseException) -> bool:
    """Whether a body has another length than was announced, or less than what is there of it already."""
    return "Consistency check failed" in str(error) or status_of(error) == 416


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and its causes, the first cause last."""
    for _ in range(10):
        if error is None:
            return
        yield error
        error = error.__cause__


def _any(chain: list[BaseException], kind: type[BaseException]) -> bool:
    return any(isinstance(error, kind) for error in chain)


def _is_transport(error: BaseException) -> bool:
    """Whether no whole answer arrived: an error of the HTTP library itself, or a body of another length."""
    from huggingface_hub import errors

    http = errors.HfHubHTTPError.__bases__[0]
    return isinstance(error, http) or is_other_length(error)
