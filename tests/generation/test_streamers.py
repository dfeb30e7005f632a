"""Streamers: which text is shown after which token, and to whom."""

from __future__ import annotations

import asyncio
import threading
from queue import Empty
from typing import Any

import numpy as np
import pytest

from triformers import AsyncTextIteratorStreamer, TextIteratorStreamer, TextStreamer
from triformers.files.errors import InputError
from triformers.generation.streamers import BaseStreamer

PIECES = ("a", " b", "c\n", "世", " 界", "", " ", "é。", "\n", "x y", " z ", "<s>")


class Pieces:
    """A tokenizer whose tokens are given pieces of text."""

    def decode(self, ids: list[int], skip_special_tokens: bool = False) -> str:
        return "".join(PIECES[token] for token in ids if not (skip_special_tokens and PIECES[token] == "<s>"))


class Shown(TextStreamer):
    """Keeps what would be printed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.shown: list[tuple[str, bool]] = []

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        self.shown.append((text, stream_end))


def stream(streamer: Any, prompt: list[int], tokens: list[int]) -> Any:
    streamer.put(np.array([prompt]))
    for token in tokens:
        streamer.put(np.array([token]))
    streamer.end()
    return streamer


def test_words_are_shown_when_they_are_whole() -> None:
    shown = stream(Shown(Pieces()), [0, 1], [2, 3, 4, 5, 6, 7]).shown
    expected = ["a ", "bc\n", "世", " 界", "", " ", ""]
    assert shown == [*((text, False) for text in expected), ("é。", True)]


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_lost_or_shown_twice(seed: int) -> None:
    tokens = np.random.Philox(key=seed).random_raw(30) % len(PIECES)
    shown = stream(Shown(Pieces()), tokens[:3].tolist(), tokens[3:].tolist()).shown
    assert "".join(text for text, _ in shown) == Pieces().decode(tokens.tolist())
    assert [ended for _, ended in shown] == [False] * (len(shown) - 1) + [True]


def test_a_prompt_is_skipped_each_time() -> None:
    streamer = Shown(Pieces(), skip_prompt=True, skip_special_tokens=True)
    for _ in range(2):
        streamer.shown.clear()
        stream(streamer, [9, 9], [11, 0, 1])
        assert "".join(text for text, _ in streamer.shown) == "a b"


def test_several_texts_are_refused() -> None:
    with pytest.raises(InputError, match="2 sequences"):
        TextStreamer(Pieces()).put(np.array([[1], [2]]))


def test_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    stream(TextStreamer(Pieces()), [0], [1, 9])
    assert capsys.readouterr().out == "a bx y\n"


def test_an_iterator_in_another_thread() -> None:
    streamer = TextIteratorStreamer(Pieces(), timeout=30.0)
    writer = threading.Thread(target=stream, args=(streamer, [0], [1, 9, 8, 0]))
    writer.start()
    assert "".join(streamer) == "a bx y\na"
    writer.join()
    with pytest.raises(Empty):
        next(iter(TextIteratorStreamer(Pieces(), timeout=0.01)))


def test_an_asynchronous_iterator() -> None:
    async def read() -> str:
        streamer = AsyncTextIteratorStreamer(Pieces(), timeout=30.0)
        writer = threading.Thread(target=stream, args=(streamer, [0], [1, 9, 8, 0]))
        writer.start()
        text = "".join([piece async for piece in streamer])
        writer.join()
        with pytest.raises(TimeoutError):
            await anext(AsyncTextIteratorStreamer(Pieces(), timeout=0.01))
        return text

    assert asyncio.run(read()) == "a bx y\na"


def test_the_base_is_for_others_to_fill() -> None:
    with pytest.raises(TypeError):
        BaseStreamer()  # pyright: ignore


@pytest.mark.backend
def test_values_of_every_framework(backend: str) -> None:
    from tests.generation.frameworks import array_of

    array, streamer = array_of(backend), Shown(Pieces())
    streamer.put(array(np.array([[0, 1]])))
    streamer.put(array(np.array([9])))
    streamer.end()
    assert "".join(text for text, _ in streamer.shown) == "a bx y"
