"""Streamers: what `generate` hands tokens to as soon as it has them.

A streamer is given the prompt, then each token; values are arrays of any framework.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from queue import Queue
from typing import Any, Self

import numpy as np

from ..files.errors import InputError, three_beats
from ..tokenization.unicode import is_ideograph


class BaseStreamer(ABC):
    """What `generate(streamer=...)` asks for."""

    @abstractmethod
    def put(self, value: Any) -> None:
        """Take the prompt's tokens, [1, P], and then each new one, [1]."""

    @abstractmethod
    def end(self) -> None:
        """The last token has come."""


class TextStreamer(BaseStreamer):
    """Prints the text of one sequence, each word as soon as it is whole.

    A word is whole when a space or a line end follows, or when it is a CJK ideograph: the tokens that come can still
    change the text of those before them.

    Args:
        tokenizer: What decodes the tokens.
        skip_prompt: Whether only what is new is shown.
        decode_kwargs: Arguments of the tokenizer's `decode`, such as `skip_special_tokens`.
    """

    def __init__(self, tokenizer: Any, skip_prompt: bool = False, **decode_kwargs: Any) -> None:
        self.tokenizer = tokenizer
        self.skip_prompt = skip_prompt
        self.decode_kwargs = decode_kwargs
        self.token_cache: list[int] = []
        self.print_len = 0
        self.next_tokens_are_prompt = True

    def put(self, value: Any) -> None:
        """Take tokens, and hand on the text that they complete.

        Raises:
            InputError: There are several sequences.
        """
        tokens = np.asarray(value.cpu() if hasattr(value, "cpu") else value)
        if tokens.ndim > 1 and tokens.shape[0] > 1:
            found = f"a streamer was given {tokens.shape[0]} sequences"
            raise InputError(three_beats(found, "one", "Generate for one prompt at a time, without num_beams."))
        is_prompt, self.next_tokens_are_prompt = self.next_tokens_are_prompt, False
        if is_prompt and self.skip_prompt:
            return
        self.token_cache.extend(tokens.ravel().tolist())
        text = self._text()
        whole = len(text) if text.endswith("\n") or is_ideograph(text[-1:] or " ") else text.rfind(" ") + 1
        shown = text[self.print_len : whole]
        self.print_len += len(shown)
        if text.endswith("\n"):
            self._forget()
        self.on_finalized_text(shown)

    def end(self) -> None:
        """Hand on the text that is left, and be ready for another prompt."""
        rest = self._text()[self.print_len :]
        self._forget()
        self.next_tokens_are_prompt = True
        self.on_finalized_text(rest, stream_end=True)

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        """Print text that will not change any more; a subclass may do something else with it."""
        print(text, end="\n" if stream_end else "", flush=True)

    def _text(self) -> str:
        return self.tokenizer.decode(self.token_cache, **self.decode_kwargs) if self.token_cache else ""

    def _forget(self) -> None:
        self.token_cache = []
        self.print_len = 0


class TextIteratorStreamer(TextStreamer):
    """An iterator over the text, for one thread while `generate` runs in another.

    Args:
        tokenizer: What decodes the tokens.
        skip_prompt: Whether only what is new is shown.
        timeout: How many seconds to wait for text before `queue.Empty` is raised; None waits for ever.
        decode_kwargs: Arguments of the tokenizer's `decode`.
    """

    def __init__(
        self, tokenizer: Any, skip_prompt: bool = False, timeout: float | None = None, **decode_kwargs: Any
    ) -> None:
        super().__init__(tokenizer, skip_prompt, **decode_kwargs)
        self.text_queue: Queue[Any] = Queue()
        self.stop_signal = None
        self.timeout = timeout

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        """Queue text for whoever iterates."""
        self.text_queue.put(text, timeout=self.timeout)
        if stream_end:
            self.text_queue.put(self.stop_signal, timeout=self.timeout)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        text = self.text_queue.get(timeout=self.timeout)
        if text == self.stop_signal:
            raise StopIteration
        return text


class AsyncTextIteratorStreamer(TextStreamer):
    """An asynchronous iterator over the text, for an event loop while `generate` runs in another thread.

    Args:
        tokenizer: What decodes the tokens.
        skip_prompt: Whether only what is new is shown.
        timeout: How many seconds to wait for text before `TimeoutError` is raised; None waits for ever.
        decode_kwargs: Arguments of the tokenizer's `decode`.

    Raises:
        RuntimeError: It is made where no event loop runs.
    """

    def __init__(
        self, tokenizer: Any, skip_prompt: bool = False, timeout: float | None = None, **decode_kwargs: Any
    ) -> None:
        super().__init__(tokenizer, skip_prompt, **decode_kwargs)
        self.text_queue: asyncio.Queue[Any] = asyncio.Queue()
        self.stop_signal = None
        self.timeout = timeout
        self.loop = asyncio.get_running_loop()

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        """Queue text for whoever iterates, from whichever thread."""
        self.loop.call_soon_threadsafe(self.text_queue.put_nowait, text)
        if stream_end:
            self.loop.call_soon_threadsafe(self.text_queue.put_nowait, self.stop_signal)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        async with asyncio.timeout(self.timeout):
            text = await self.text_queue.get()
        if text == self.stop_signal:
            raise StopAsyncIteration
        return text
