"""Properties on generated texts: the slow and the fast tokenizer agree, and no step loses or repeats work."""

from __future__ import annotations

import pickle
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken

from triformers import BertTokenizer, BertTokenizerFast
from triformers.tokenization import unicode
from triformers.tokenization.options import TruncationStrategy
from triformers.tokenization.padding import fill, padded_length
from triformers.tokenization.splitting import Splitter, apply_flags
from triformers.tokenization.tensors import filled_array
from triformers.tokenization.truncation import truncate
from triformers.tokenization.wordpiece import BasicTokenizer, WordpieceTokenizer


def settled(char: str) -> bool:
    """Whether a character is what it was in Unicode 3.2.

    The two tokenizers follow tables of different versions of Unicode (Python's, and those that the `tokenizers`
    library was built with); they can only agree on characters that have not changed since.
    """
    category = unicodedata.ucd_3_2_0.category(char)
    return category not in ("Cn", "Cs") and category == unicodedata.category(char)


#: The slow tokenizer composes letters and accents (NFC), the fast one does not: texts are given composed.
texts = (
    st.lists(
        st.one_of(
            st.characters(exclude_categories=["Cs", "Cn"]).filter(settled),
            st.sampled_from(["[MASK]", "[SEP]", " ", "\t", "\u3000", "n't", "##ing", "the", "\u03a3\u03a3", "\u00e9"]),
            st.text(alphabet="abcdefghijklmnopqrstuvwxyz", max_size=8),
        ),
        max_size=30,
    )
    .map("".join)
    .map(lambda text: unicodedata.normalize("NFC", text))
    .filter(lambda text: all(map(settled, text)))
)


@given(text=texts, pair=st.one_of(st.none(), texts.filter(bool)))
def test_slow_and_fast_give_the_same(
    slow_uncased: BertTokenizer, fast_uncased: BertTokenizerFast, text: str, pair: str | None
) -> None:
    assert slow_uncased(text, pair).data == fast_uncased(text, pair).data


@given(text=texts)
def test_slow_and_fast_decode_the_same(slow_uncased: BertTokenizer, fast_uncased: BertTokenizerFast, text: str) -> None:
    ids = slow_uncased.encode(text)
    for skip in (False, True):
        slow = slow_uncased.decode(ids, skip_special_tokens=skip)
        assert slow == fast_uncased.decode(ids, skip_special_tokens=skip)


@given(st.lists(texts.filter(bool), min_size=1, max_size=4), st.integers(3, 12), st.sampled_from(["left", "right"]))
def test_batches_are_their_rows(slow_uncased: BertTokenizer, batch: list[str], length: int, side: str) -> None:
    limits: dict[str, Any] = {"truncation": True, "max_length": length, "padding_side": side}
    rows = slow_uncased(batch, padding=True, return_tensors="np", **limits)
    single = [slow_uncased(text, truncation=True, max_length=length)["input_ids"] for text in batch]
    width = max(map(len, single))
    assert rows["input_ids"].shape == (len(batch), width)
    for row, mask, ids in zip(rows["input_ids"], rows["attention_mask"], single, strict=True):
        assert row[mask == 1].tolist() == ids and mask.sum() == len(ids)
        assert (np.diff(mask) <= 0).all() if side == "right" else (np.diff(mask) >= 0).all()


# -- truncation and padding ----------------------------------------------------------------------------------


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 30))
def test_the_longer_sequence_gives_first(first: int, second: int, excess: int) -> None:
    lengths = [first, second]
    for _ in range(excess):
        longer = 0 if lengths[0] > lengths[1] else 1
        lengths[longer] = max(lengths[longer] - 1, 0)
    cut = truncate(range(first), range(second), excess, TruncationStrategy.LONGEST_FIRST, 0, "right")
    assert cut.pair_ids is not None
    if excess <= first + second:
        assert [len(cut.ids), len(cut.pair_ids)] == lengths
    assert cut.ids == list(range(len(cut.ids))) and cut.overflowing == []


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 5), st.sampled_from(["left", "right"]))
def test_what_is_cut_off_overflows_with_its_context(length: int, excess: int, stride: int, side: str) -> None:
    ids = list(range(length))
    cut = truncate(ids, None, excess, TruncationStrategy.ONLY_FIRST, stride, side)
    if excess >= length:
        assert cut.ids == ids and not cut.overflowing
        return
    kept, rest = cut.ids, cut.overflowing
    assert len(kept) == length - excess and len(rest) == min(length, excess + stride)
    assert (kept[0] == 0 and rest[-1] == length - 1) if side == "right" else (rest[0] == 0 and kept[-1] == length - 1)


@given(st.integers(0, 10**6), st.one_of(st.none(), st.integers(1, 999)))
def test_padded_lengths(length: int, multiple: int | None) -> None:
    padded = padded_length(length, multiple)
    assert length <= padded < length + (multiple or 1)
    assert multiple is None or padded % multiple == 0


@given(st.lists(st.lists(st.integers(0, 2**31), max_size=5), min_size=1), st.sampled_from(["left", "right"]))
def test_rows_become_one_array(rows: list[list[int]], side: str) -> None:
    width = max(map(len, rows))
    wanted = [fill(row, width - len(row), 7, side) for row in rows]
    taken = np.array([fill([True] * len(row), width - len(row), False, side) for row in rows], dtype=bool)
    array = filled_array(iter(rows), taken, 7)
    assert array.dtype == np.int64 and array.tolist() == wanted


@given(
    st.lists(texts.filter(bool), min_size=1, max_size=4),
    st.sampled_from([True, "max_length"]),
    st.sampled_from([None, 8]),
    st.sampled_from(["left", "right"]),
    st.booleans(),
)
def test_arrays_are_the_lists(
    fast_uncased: BertTokenizerFast, batch: list[str], padding: Any, multiple: int | None, side: str, overflow: bool
) -> None:
    choices: dict[str, Any] = {
        "padding": padding,
        "truncation": True,
        "max_length": 16,
        "pad_to_multiple_of": multiple,
        "padding_side": side,
        "stride": 2,
        "return_overflowing_tokens": overflow,
        "return_special_tokens_mask": True,
        "return_length": True,
    }
    lists, arrays = fast_uncased(batch, **choices), fast_uncased(batch, return_tensors="np", **choices)
    assert {name: array.tolist() for name, array in arrays.items()} == lists.data
    assert [row.tokens for row in arrays.encodings] == [row.tokens for row in lists.encodings]
    assert arrays.tokens(0) == arrays[0].tokens and len(arrays[0]) == arrays["input_ids"].shape[1]
    assert pickle.loads(pickle.dumps(arrays)).word_ids(0) == lists.word_ids(0)


# -- finding added tokens ------------------------------------------------------------------------------------


@given(st.text(alphabet="ab[]", max_size=30), st.sets(st.text(alphabet="ab[]", min_size=1, max_size=4), max_size=6))
def test_texts_are_cut_at_the_leftmost_longest_tokens(text: str, tokens: set[str]) -> None:
    wanted, between, place = [], "", 0
    while place < len(text):
        here = max((token for token in tokens if text.startswith(token, place)), key=len, default=None)
        if here is None:
            between += text[place]
            place += 1
            continue
        wanted += [between, here] if between else [here]
        between, place = "", place + len(here)
    wanted += [between] if between else []
    assert Splitter(tokens).split(text) == wanted


@given(st.lists(st.sampled_from(["ab", "x", " ", "yy "]), max_size=12), st.booleans(), st.booleans(), st.booleans())
def test_flags_lose_nothing_but_spaces(pieces: list[str], left: bool, right: bool, whole: bool) -> None:
    tokens = {"ab": AddedToken("ab", lstrip=left, rstrip=right, single_word=whole)}
    treated = apply_flags(pieces, tokens)
    assert "".join(treated).replace(" ", "") == "".join(pieces).replace(" ", "")
    if not (left or right or whole):
        assert treated == pieces


def test_touching_tokens_are_joined_in_threes() -> None:
    # A token goes to the text on its right, the next but one to that on its left, and then nothing is on the
    # left: no segment grows without bound.
    treated = apply_flags(["ab"] * 7, {"ab": AddedToken("ab", single_word=True)})
    assert [segment for segment in treated if segment] == ["ababab", "ababab", "ab"]


# -- words and pieces ----------------------------------------------------------------------------------------


class Counting(Mapping[str, int]):
    """A vocabulary that counts how often it is asked."""

    def __init__(self, tokens: list[str]) -> None:
        self._ids = {token: index for index, token in enumerate(tokens)}
        self.asked = 0

    def __contains__(self, token: object) -> bool:
        self.asked += 1
        return token in self._ids

    def __getitem__(self, token: str) -> int:
        return self._ids[token]

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)


@given(st.text(alphabet="abcx", max_size=60))
def test_pieces_make_up_their_word(word: str) -> None:
    vocabulary = {"a", "##b", "b", "##a", "abc", "##bc", "c", "##c"}
    engine = WordpieceTokenizer(dict.fromkeys(vocabulary, 0), "[UNK]")
    pieces = engine.pieces(word)
    if pieces == ["[UNK]"]:
        assert word and "x" in word
    else:
        assert "".join(piece.removeprefix("##") for piece in pieces) == word
        assert all(piece in vocabulary for piece in pieces)
        assert [piece.startswith("##") for piece in pieces] == [False] * bool(word) + [True] * (len(pieces) - 1)


@pytest.mark.parametrize("text", ["ab" * 50, "a" * 100, "b" * 100, "x" * 100, "a " * 5000, "ab" * 5000])
def test_the_vocabulary_is_asked_a_bounded_number_of_times(text: str) -> None:
    vocabulary = Counting(["a", "##b", "##a", "aaaa"])
    WordpieceTokenizer(vocabulary, "[UNK]").tokenize(text)
    assert vocabulary.asked <= 4 * len(text)  # the longest piece has four letters


@given(texts)
def test_words_are_the_text_without_spaces(text: str) -> None:
    keep = BasicTokenizer(do_lower_case=False, strip_accents=False)
    cleaned = "".join(char for char in text if not unicode.is_control(char) and char != "\ufffd")
    assert "".join(keep.tokenize(text)) == "".join(unicodedata.normalize("NFC", cleaned).split())


# -- normal forms in linear time -----------------------------------------------------------------------------

marks = st.text(alphabet="\u0301\u0316\u0323\u0345\u0f71\u0f72\u0f73\u0f74\u3099\u05b0", min_size=1, max_size=120)


@given(st.lists(st.one_of(marks, st.sampled_from(["a", "e", "\u1100", "\uac00", "\u304b", " "])), max_size=6))
def test_long_runs_of_marks_are_normalized_as_always(parts: list[str]) -> None:
    text = "x" * 1100 + "".join(part * 3 for part in parts)
    for form in ("NFC", "NFD"):
        assert unicode.normalize(form, text) == unicodedata.normalize(form, text)


def test_long_runs_of_marks_are_sorted_before_the_library_sees_them(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    plain = unicodedata.normalize

    def recording(form: str, text: str) -> str:
        seen.append(text)
        return plain(form, text)

    monkeypatch.setattr(unicode.unicodedata, "normalize", recording)
    unicode.normalize("NFC", "a" + "\u0301\u0316" * 20_000)
    for text in seen:
        for is_mark, run in groupby(text, lambda char: unicodedata.combining(char) > 0):
            order = [unicodedata.combining(char) for char in run]
            assert not is_mark or len(order) <= 64 or order == sorted(order)
