"""The slow and the fast tokenizer of each pair agree on generated texts: ids, special tokens, offsets, and back."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import GOLDEN
from tests.tokenization.goldens import open_family
from tests.tokenization.test_properties import settled
from triformers import PreTrainedTokenizer, PreTrainedTokenizerFast
from triformers.tokenization.byte_level import ByteLevelTokenizer, letter_bytes

PAIRS = ("distilbert", "electra", "gpt2", "roberta", "bart", "longformer", "led", "openai_gpt")
BYTE_LEVEL = ("gpt2", "roberta", "bart", "longformer", "led")

PIECES = ("<s>", "</s>", "<mask>", "<|endoftext|>", "[MASK]", "[SEP]", "<unk>", "'s", "n't", " 3", "👍🏽", "é")

#: Characters that `str.rstrip` takes for spaces and the `tokenizers` library does not: a mask takes spaces before it.
SEPARATORS = "\x1c\x1d\x1e\x1f"

#: Composed, because BERT's slow tokenizer composes letters and accents and its fast one does not.
texts = (
    st.lists(
        st.one_of(
            st.characters(exclude_categories=["Cs", "Cn"], exclude_characters=SEPARATORS).filter(settled),
            st.sampled_from((*PIECES, " ", "  ", "\n", "\t", "\u00a0", "\u3000")),
            st.text(alphabet="abcdefghijklmnopqrstuvwxyz", max_size=8),
        ),
        max_size=30,
    )
    .map("".join)
    .map(lambda text: unicodedata.normalize("NFC", text))
    .filter(lambda text: all(map(settled, text)))
)


@pytest.fixture(scope="module", params=PAIRS)
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[PreTrainedTokenizer, PreTrainedTokenizerFast]:
    """A slow tokenizer, and the fast one made from its files."""
    family = open_family(GOLDEN / "tokenizers" / request.param, tmp_path_factory.mktemp(request.param))
    return family.load("slow"), family.load("fast", {"load": {"dir": "slow"}})


@settings(max_examples=50)
@given(text=texts, second=st.one_of(st.none(), texts.filter(bool)))
def test_they_encode_and_decode_alike(pair: tuple[Any, Any], text: str, second: str | None) -> None:
    slow, fast = pair
    encoded = slow(text, second, return_special_tokens_mask=True)
    assert encoded.data == fast(text, second, return_special_tokens_mask=True).data
    for skip in (False, True):
        decoded = slow.decode(encoded.input_ids, skip_special_tokens=skip)
        assert decoded == fast.decode(encoded.input_ids, skip_special_tokens=skip)


@settings(max_examples=50)
@given(text=texts)
def test_words_that_were_split_before_encode_alike(pair: tuple[Any, Any], text: str) -> None:
    slow, fast = pair
    words = text.split()
    if not words or isinstance(slow, ByteLevelTokenizer):  # these want `add_prefix_space`, and keep the first space
        return
    assert slow(words, is_split_into_words=True).data == fast(words, is_split_into_words=True).data


# ---- offsets, which the slow tokenizers do not give: reckoned from their tokens -----------------------------


def spans(text: str, tokens: list[str], trimmed: bool) -> Iterator[tuple[int, int]]:
    """Where tokens of bytes are in a text: all characters that they have a part of; without spaces, if trimmed."""
    character = [place for place, char in enumerate(text) for _ in char.encode("utf-8")]
    done = 0
    for token in tokens:
        end = done + len(letter_bytes(token))
        first, last = character[done], character[end - 1] + 1
        if trimmed:
            first += len(text[first:last]) - len(text[first:last].lstrip(" "))
        yield first, last
        done = end


words = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=["Cs", "Cn", "Z", "Cc"]).filter(settled)),
    st.lists(st.sampled_from(["the", " harbour", " é", " 中文", "'s", " 3", "👍🏽 x", "."])).map("".join),
)


@pytest.mark.parametrize("pair", BYTE_LEVEL, indirect=True)
@settings(max_examples=50)
@given(text=words)
def test_offsets_are_where_the_bytes_of_the_slow_tokens_are(pair: tuple[Any, Any], text: str) -> None:
    slow, fast = pair
    encoded = fast(text, add_special_tokens=False, return_offsets_mapping=True)
    if not any(token in text for token in slow.all_special_tokens):
        trimmed = fast._tokenizer.post_processor.trim_offsets
        assert encoded["offset_mapping"] == list(spans(text, slow.tokenize(text), trimmed))


@pytest.mark.parametrize("pair", sorted({*PAIRS} - {*BYTE_LEVEL}), indirect=True)
@settings(max_examples=50)
@given(text=st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)))
def test_offsets_are_where_the_slow_pieces_are(pair: tuple[Any, Any], text: str) -> None:
    slow, fast = pair
    tokens = slow.tokenize(text)
    if {slow.unk_token, *slow.all_special_tokens} & {*tokens}:
        return
    lowered, expected, done = text.lower() if slow.do_lower_case else text, [], 0
    for piece in (token.removeprefix("##").removesuffix("</w>") for token in tokens):
        start = lowered.index(piece, done)
        done = start + len(piece)
        expected.append((start, done))
    encoded = fast(text, add_special_tokens=False, return_offsets_mapping=True)
    assert encoded["offset_mapping"] == expected
