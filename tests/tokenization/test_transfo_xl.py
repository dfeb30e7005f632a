"""Transformer-XL: a plain vocabulary and no pickle, words as Moses cuts them, a corpus counted."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import GOLDEN
from tests.tokenization.test_bpe import refused
from triformers import TransfoXLTokenizer, cards
from triformers.files.errors import InputError
from triformers.tokenization import moses

FILES = GOLDEN / "tokenizers" / "transfo_xl" / "slow"


class Trap:
    """What must never be unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("a pickle was opened",)


@pytest.mark.parametrize("name", ["vocab.pkl", "vocab.bin"])
def test_a_pickle_is_refused_and_not_opened(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(pickle.dumps(Trap()))
    with pytest.raises(OSError) as error:
        TransfoXLTokenizer.from_pretrained(tmp_path)
    refused(error, "vocab.txt", "Pickles can run code")
    with pytest.raises(ValueError) as error:
        TransfoXLTokenizer(pretrained_vocab_file=tmp_path / name)
    refused(error, name, "Pickles can run code")
    (tmp_path / "vocab.txt").write_text("the\n<unk>\n")  # which is read, and the pickle is not
    assert TransfoXLTokenizer.from_pretrained(tmp_path)("the end").input_ids == [0, 1]


def test_the_vocabulary_alone_is_saved(tmp_path: Path) -> None:
    tokenizer = TransfoXLTokenizer.from_pretrained(FILES)
    with pytest.raises(InputError) as error:
        tokenizer.save_pretrained(tmp_path)
    refused(error, "save_vocabulary")
    (path,) = tokenizer.save_vocabulary(tmp_path)
    assert Path(path).read_bytes() == (FILES / "vocab.txt").read_bytes()
    assert TransfoXLTokenizer.from_pretrained(tmp_path).get_vocab() == tokenizer.get_vocab()


def test_a_vocabulary_of_one_s_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("a 17\nb\na\n c \n<unk>\n")  # the first word of each line, and each once
    tokenizer = TransfoXLTokenizer(vocab_file=path)
    assert tokenizer.get_vocab() == {"a": 0, "b": 1, "c": 2, "<unk>": 3, "<eos>": 4, "<formula>": 5}
    path.write_text("a\n\nb\n")
    with pytest.raises(ValueError) as error:
        TransfoXLTokenizer(vocab_file=path)
    refused(error, str(path), "line 2")
    path.write_text("a\nb\n")
    with pytest.raises(ValueError) as error:
        TransfoXLTokenizer(vocab_file=path)("c")
    refused(error, "<unk>")


def test_a_corpus_is_counted(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("the cat, the dog\nthe end\n")
    tokenizer = TransfoXLTokenizer(special=["<eos>", "<unk>"], min_freq=1, max_size=2)
    lines = tokenizer.count_file(tmp_path / "corpus.txt")
    assert lines == [["the", "cat", ",", "the", "dog"], ["the", "end"]] and tokenizer.counter["the"] == 3
    tokenizer.build_vocab()
    assert tokenizer.idx2sym == ["<eos>", "<unk>", "the", "cat"] and tokenizer("the end").input_ids == [2, 1]


@pytest.mark.backend("torch")
def test_a_corpus_becomes_tensors(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("the of\na\n")
    tokenizer = TransfoXLTokenizer.from_pretrained(FILES)
    ids = tokenizer.convert_tokens_to_ids(["the", "of", "a"])
    assert [row.tolist() for row in tokenizer.encode_file(tmp_path / "corpus.txt")] == [ids[:2], ids[2:]]
    assert tokenizer.encode_file(tmp_path / "corpus.txt", ordered=True).tolist() == ids


def test_an_added_token_moves_into_the_vocabulary() -> None:
    tokenizer = TransfoXLTokenizer.from_pretrained(FILES)
    before = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    tokenizer.add_tokens(["n1", "n2", "n3"])
    tokenizer.move_added_token("n2", 5)
    after = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    assert after == [*before[:5], "n2", *before[5:], "n1", "n3"]
    assert tokenizer.convert_tokens_to_ids(after) == list(range(len(after)))
    for token in ("the", "nothing"):
        with pytest.raises(AssertionError) as error:
            tokenizer.move_added_token(token, 5)
        refused(error, repr(token))


def test_words_that_stay_whole_are_patterns_of_fixed_length() -> None:
    kept = TransfoXLTokenizer.from_pretrained(FILES, never_split=["don't", r"3\.14"])
    assert kept.tokenize("don't say 3.14 or 3.15, don'ts") == [
        "don't", "say", "3", "@.@", "14", "or", "3", "@.@", "15", ",", "don'ts",
    ]  # fmt: skip
    for pattern in ("(", "x*", "(a+)+$", "a{2,}"):
        with pytest.raises(ValueError) as error:
            TransfoXLTokenizer.from_pretrained(FILES, never_split=[pattern])
        refused(error, repr(pattern), "never_split")
    odd = TransfoXLTokenizer.from_pretrained(FILES, never_split=None, additional_special_tokens=["<x+>"])
    assert odd.tokenize("a <x+> b", split_special_tokens=True) == ["a", "<x+>", "b"]


def test_too_much_to_keep_whole_is_refused() -> None:
    tokenizer = TransfoXLTokenizer.from_pretrained(FILES)
    with pytest.raises(InputError) as error:
        tokenizer("<unk> " * 2_000, split_special_tokens=True)
    refused(error, "never_split")
    assert len(tokenizer("<unk> " * 2_000).input_ids) == 2_000


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sacremoses", None)
    with pytest.raises(ImportError) as error:
        moses.Moses("en")
    refused(error, "sacremoses", "triformers[sentencepiece]")
    assert cards.public_names()["TransfoXLTokenizer"].endswith("tokenization_transfo_xl")
