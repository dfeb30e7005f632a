"""What the Hub on the loopback does instead of answering as it should."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.hub.loopback import Handler


@dataclass
class Fault:
    """What a server does instead of answering some requests as it should.

    Attributes:
        where: A pattern that their `METHOD path` matches.
        answer: Does it, given the handler; the request was read.
        times: How often, from the first on.
    """

    where: str
    answer: Callable[[Handler], None]
    times: int = 10**6


def status(code: int, **headers: str) -> Callable[[Handler], None]:
    """Answer with this status; the message repeats the token, as no server should."""

    def answer(handler: Handler) -> None:
        told = handler.headers.get("Authorization", "")
        handler.answer(code, {"error": f"the server repeats {told}"}, X_Error_Message=f"repeats {told}", **headers)

    return answer


def redirect(address: str) -> Callable[[Handler], None]:
    """Send the client on to the same path elsewhere."""
    return lambda handler: handler.answer(302, Location=address + handler.path)


def spoiled(change: Callable[[bytes], bytes], cut: int | None = None) -> Callable[[Handler], None]:
    """Send the right headers and a body that was changed, and hang up before its end if it is `cut`."""

    def answer(handler: Handler) -> None:
        write = handler.wfile.write

        def write_changed(data: bytes) -> int:
            if data.startswith(b"HTTP/"):
                return write(data)
            return write(change(data)[:cut])

        handler.wfile.write = write_changed  # type: ignore[method-assign]
        handler.close_connection = True
        handler.respond(handler.url.path)

    return answer
