"""Byte-pair encoding: the engine against the plain description of it, its files, and bytes as letters."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triformers import CTRLTokenizer, GPT2Tokenizer, GPT2TokenizerFast, RobertaTokenizer
from triformers.files.errors import InputError, TriformersError
from triformers.tokenization.bpe import BytePairEncoding
from triformers.tokenization.byte_level import byte_letters, letter_bytes
from triformers.tokenization.vocabularies import merges_text, read_merges

Pair = tuple[str, str]


def merged(word: list[str], ranks: dict[Pair, int]) -> list[str]:
    """The plain description: the pair learned first, everywhere from left to right; then all over again."""
    while pairs := [pair for pair in pairwise(word) if pair in ranks]:
        first, second = min(pairs, key=ranks.__getitem__)
        result: list[str] = []
        while word:
            both = tuple(word[:2]) == (first, second)
            result.append(first + second if both else word[0])
            word = word[2 if both else 1 :]
        word = result
    return word


symbols = st.text(alphabet="abc", min_size=1, max_size=3)
#: Merges in any order, also such as no training makes: of symbols that never come up, or learned before their parts.
merges = st.lists(st.tuples(symbols, symbols), unique=True, max_size=30).map(
    lambda pairs: {pair: rank for rank, pair in enumerate(pairs)}
)


@given(merges, st.text(alphabet="abc", max_size=40))
def test_merging_is_what_it_is_said_to_be(ranks: dict[Pair, int], word: str) -> None:
    assert BytePairEncoding(ranks).merge(word) == merged(list(word), ranks)


class Counted(dict[Pair, int]):
    """Ranks that count how often they are asked."""

    asked = 0

    def get(self, key: Any, default: Any = None) -> Any:
        self.asked += 1
        return super().get(key, default)


DOUBLING = {("a" * 2**power, "a" * 2**power): power for power in range(12)}
HOSTILE = {
    "one letter": ("a" * 20_000, DOUBLING),
    "odd lengths": ("aab" * 5_000, {("a", "a"): 1, ("aa", "b"): 0, ("aab", "aab"): 2}),
    "one after the other": ("a" + "b" * 10_000, {("a" + "b" * n, "b"): n for n in range(10_000)}),
    "the last first": ("ab" * 5_000, {("b", "a"): 0, ("a", "ba"): 1, ("aba", "ba"): 2, ("b", "ba"): 3}),
    "nothing": ("xyz" * 5_000, DOUBLING),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_every_pair_is_looked_at_a_bounded_number_of_times(case: str) -> None:
    word, ranks = HOSTILE[case]
    counted = Counted(ranks)
    pieces = BytePairEncoding(counted).merge(word)
    assert "".join(pieces) == word and counted.asked <= 3 * len(word)
    if case == "one letter":
        assert len(pieces) == 20_000 // 2**12 + (20_000 % 2**12).bit_count()


# ---- bytes as letters ---------------------------------------------------------------------------------------


def test_every_byte_has_a_letter_of_its_own() -> None:
    letters = byte_letters()
    assert sorted(letters) == list(range(256)) and len(set(letters.values())) == 256
    assert all(letter.isprintable() and not letter.isspace() for letter in letters.values())
    assert [letters[byte] for byte in b" \n\x00!~\xa1\xad\xff"] == ["Ġ", "Ċ", "Ā", "!", "~", "¡", "Ń", "ÿ"]


@given(st.text())
def test_letters_stand_for_the_bytes_of_a_text(text: str) -> None:
    letters = byte_letters()
    encoded = text.encode("utf-8", "surrogatepass")
    assert letter_bytes("".join(letters[byte] for byte in encoded)) == encoded


# ---- files --------------------------------------------------------------------------------------------------


def write(folder: Path, vocabulary: Any = None, merges: str = "#version: 0.2\na b\n") -> Path:
    """A directory with the two files."""
    if not isinstance(vocabulary, (str, bytes)):
        vocabulary = json.dumps({"a": 0, "b": 1, "ab": 2, "<|endoftext|>": 3} if vocabulary is None else vocabulary)
    content = vocabulary.encode("utf-8") if isinstance(vocabulary, str) else vocabulary
    (folder / "vocab.json").write_bytes(content)
    (folder / "merges.txt").write_text(merges)
    return folder


@given(merges)
def test_merges_are_written_as_they_are_read(tmp_path_factory: pytest.TempPathFactory, ranks: dict[Pair, int]) -> None:
    path = tmp_path_factory.mktemp("merges") / "merges.txt"
    path.write_text(merges_text(ranks))
    assert read_merges(path) == ranks


def test_the_first_line_is_a_heading_and_the_last_one_is_closed(tmp_path: Path) -> None:
    read = read_merges(write(tmp_path, merges="a b\n\nb c\r\na\u00a0a b\nc d") / "merges.txt")
    assert read == {("b", "c"): 1}  # the heading, the symbol with a space in it and the open line are left out


@pytest.mark.parametrize("made", [GPT2Tokenizer, GPT2TokenizerFast])
def test_a_vocabulary_of_one_s_own(made: Any, tmp_path: Path) -> None:
    folder = write(tmp_path)
    tokenizer = made(vocab_file=folder / "vocab.json", merges_file=folder / "merges.txt")
    assert tokenizer("abba").input_ids == [2, 1, 0] and tokenizer.decode([2, 1, 3]) == "abb<|endoftext|>"
    assert tokenizer.vocab_size == len(tokenizer) == 4


VOCABULARIES = {
    "no JSON": ("{", "vocab.json is not JSON"),
    "no object": ("[]", "vocab.json holds a JSON array"),
    "not UTF-8": (b'{"\xff": 0}', "vocab.json is not UTF-8"),
    "a token twice": ('{"a": 0, "a": 1}', "'a' twice"),
    "a text for an id": ('{"a": "0"}', "vocab.json: the id of 'a' is '0' (str)"),
    "a fraction": ('{"a": 0.5}', "the id of 'a' is 0.5 (float)"),
    "truth": ('{"a": true}', "the id of 'a' is True (bool)"),
    "below zero": ('{"a": -1}', "the id of 'a' is -1 (int)"),
    "beyond 32 bits": ('{"a": 4294967296}', "the id of 'a' is 4294967296 (int)"),
    "a lone surrogate": ('{"\\ud800": 0}', "lone surrogate"),
}
MERGES = {
    "one symbol": ("#v\na b\na\n", "merges.txt holds 'a' in line 3"),
    "three symbols": ("#v\na b b\n", "merges.txt holds 'a b b' in line 2"),
}


def refused(error: pytest.ExceptionInfo[Exception], *words: str) -> None:
    """The error is one of ours, short, and has these words."""
    text = str(error.value)
    assert isinstance(error.value, TriformersError) and len(text) < 400 and "\n" not in text
    assert all(word in text for word in words), text


@pytest.mark.parametrize("made", [GPT2Tokenizer, GPT2TokenizerFast])
@pytest.mark.parametrize("case", [*VOCABULARIES, *MERGES])
def test_damaged_files_are_refused(case: str, made: Any, tmp_path: Path) -> None:
    content, words = {**VOCABULARIES, **MERGES}[case]
    folder = write(tmp_path, vocabulary=content) if case in VOCABULARIES else write(tmp_path, merges=str(content))
    with pytest.raises(ValueError) as error:
        made.from_pretrained(folder)
    refused(error, words, str(tmp_path))


@pytest.mark.parametrize("made", [GPT2Tokenizer, GPT2TokenizerFast])
@pytest.mark.parametrize("name", ["vocab.json", "merges.txt"])
def test_missing_files_are_named(name: str, made: Any, tmp_path: Path) -> None:
    (write(tmp_path) / name).unlink()
    with pytest.raises(OSError) as error:
        made.from_pretrained(tmp_path)
    refused(error, name, made.__name__)
    with pytest.raises(ValueError) as error:
        made(vocab_file=tmp_path / "vocab.json", merges_file=tmp_path / "merges.txt")
    refused(error, name)
    with pytest.raises(ValueError) as error:
        made(None, None)
    refused(error, "vocab_file")


def test_merges_beyond_the_vocabulary(tmp_path: Path) -> None:
    folder = write(tmp_path, {"a": 0, "b": 1, "<|endoftext|>": 2})
    slow = GPT2Tokenizer.from_pretrained(folder)
    assert slow.tokenize("ab") == ["ab"] and slow("ab").input_ids == [2]
    with pytest.raises(ValueError) as error:
        GPT2TokenizerFast.from_pretrained(folder)
    refused(error, "merges.txt", "`ab`")


def test_merges_of_merges_of_themselves_come_to_an_end(tmp_path: Path) -> None:
    vocabulary = {"a": 0, "aa": 1, "aaa": 2, "aaaa": 3, "<|endoftext|>": 4}
    folder = write(tmp_path, vocabulary, "#version\naa aa\naa a\na aa\na a\n")
    slow, fast = GPT2Tokenizer.from_pretrained(folder), GPT2TokenizerFast.from_pretrained(folder)
    assert slow.tokenize("a" * 7) == ["aaaa", "aaa"]
    assert "".join(fast.tokenize("a" * 4000)) == "a" * 4000  # it merges one by one, which is not the same here


def test_merges_with_line_ends_are_torn_where_words_hold_them(tmp_path: Path) -> None:
    vocabulary = {"a": 0, ".\n": 1, "a@@": 2, "ab": 3, "<unk>": 4}
    write(tmp_path, vocabulary, "#version: 0.2\n. \n</w>\na b</w>\n")
    tokenizer = CTRLTokenizer.from_pretrained(tmp_path)
    assert tokenizer.tokenize("ab a.\n") == ["ab", "a@@", ".@@", "\n"]
    assert "pregnancy" not in tokenizer.control_codes and tokenizer.control_codes["Wikipedia"] == 37583


# ---- what the byte-level tokenizers refuse ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "arguments", "words"),
    [
        (GPT2Tokenizer, {"errors": "sometimes"}, ("errors='sometimes'", "replace")),
        (GPT2Tokenizer, {"add_bos_token": True, "bos_token": None}, ("bos_token=None",)),
        (GPT2TokenizerFast, {"add_bos_token": True, "bos_token": None}, ("bos_token=None",)),
        (RobertaTokenizer, {"sep_token": None}, ("sep_token=None", "RobertaTokenizer")),
    ],
    ids=str,
)
def test_arguments_that_cannot_be(made: Any, arguments: dict[str, Any], words: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        made.from_pretrained(write(tmp_path), **arguments)
    refused(error, *words)


ATTEMPTS: dict[str, Callable[[GPT2Tokenizer], Any]] = {
    "a lone surrogate": lambda slow: slow("a\udc80b"),
    "an id beyond the vocabulary": lambda slow: slow.decode([1, 99]),
    "a character that stands for no byte": lambda slow: slow.convert_tokens_to_string(["中"]),
}


@pytest.mark.parametrize("case", ATTEMPTS)
def test_what_cannot_be_text(case: str, tmp_path: Path) -> None:
    slow = GPT2Tokenizer.from_pretrained(write(tmp_path))
    with pytest.raises(TypeError) as error:
        ATTEMPTS[case](slow)
    refused(error)
    assert slow.convert_ids_to_tokens([1, 99]) == ["b", None]
