"""What holds for every tokenizer whose files are among the goldens: copies, files, odd texts, the Auto class."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tokenization.goldens import Family
from triformers import AutoTokenizer
from triformers.files.errors import TriformersError

#: Saved, its files would not be readable in 4.53.3; see `TransfoXLTokenizer`.
NOT_SAVED = ("TransfoXLTokenizer",)

TEXTS = ["Hello world, it's 3.14!", "a newtok other", "Ça va? 中文 👍", ""]

ODD = {
    "nothing": "",
    "spaces": " \t\n ",
    "NUL": "a\x00b\x00",
    "a lone surrogate": "a \ud83d b",
    "controls": "\x01\x7f\x85\u200b\ufeff",
    "marks": "e" + "\u0301\u0316" * 2_000,
    "one long word": "ab" * 5_000,
    "special tokens": "<s></s>[SEP]<|endoftext|>" * 50,
}


def fresh(family: Family) -> list[Any]:
    """The tokenizers of a folder, slow and fast as there are."""
    return [family.load(kind) for kind, name in family.document["classes"].items() if name]


def answers(tokenizer: Any) -> Iterator[Any]:
    """What a tokenizer says to some texts."""
    for text in TEXTS:
        encoded = tokenizer(text)
        yield encoded.data, tokenizer.decode(encoded.input_ids)


def test_auto_gives_the_class_of_the_ecosystem(family: Family) -> None:
    for entry in family.document.get("auto", ()):
        found = AutoTokenizer.from_pretrained(family.files[entry["dir"]], **entry["kwargs"])
        assert type(found).__name__ == entry["class"]


def test_copies_say_the_same_and_stand_alone(family: Family) -> None:
    for tokenizer in fresh(family):
        expected = list(answers(tokenizer))
        copies = [copy.deepcopy(tokenizer), pickle.loads(pickle.dumps(tokenizer))]
        tokenizer.add_tokens(["newtok", "other"])
        for again in copies:
            assert list(answers(again)) == expected and repr(again) != repr(tokenizer)


def test_what_was_saved_says_the_same(family: Family, tmp_path: Path) -> None:
    for tokenizer in fresh(family):
        name = type(tokenizer).__name__
        tokenizer.add_tokens(["newtok", "other"])
        if name in NOT_SAVED:
            with pytest.raises(ValueError, match="save_vocabulary"):
                tokenizer.save_pretrained(tmp_path / name)
            continue
        tokenizer.save_pretrained(tmp_path / name)
        again = type(tokenizer).from_pretrained(tmp_path / name)
        assert list(answers(again)) == list(answers(tokenizer)) and again.get_vocab() == tokenizer.get_vocab()


def test_odd_texts_are_encoded_or_refused(family: Family) -> None:
    for tokenizer in fresh(family):
        for case, text in ODD.items():
            try:
                ids = tokenizer(text).input_ids
            except TriformersError as error:
                assert case == "a lone surrogate" and "U+D83D at position" in str(error) and len(str(error)) < 400
            else:
                assert all(isinstance(index, int) for index in ids) and isinstance(tokenizer.decode(ids), str)
