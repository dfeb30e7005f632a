"""Batches for models of an encoder and a decoder."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.conftest import GOLDEN
from triformers import AutoTokenizer, DataCollatorForSeq2Seq

PAD = -100


@pytest.fixture
def tokenizer() -> Any:
    """A tokenizer whose padding token is 0."""
    return AutoTokenizer.from_pretrained(GOLDEN / "tokenizers" / "bert_cased" / "fast")


def examples(**more: Any) -> list[dict[str, Any]]:
    """A long text with a short answer, and the reverse."""
    return [
        {"input_ids": [5, 6, 7, 1], "attention_mask": [1, 1, 1, 1], "labels": [8, 9, 1], **more},
        {"input_ids": [5, 1], "attention_mask": [1, 1], "labels": [3, 4, 5, 6, 1], **more},
    ]


class Shifting:
    """A model that makes the decoder's input of labels."""

    def prepare_decoder_input_ids_from_labels(self, labels: Any) -> Any:
        """The labels, turned around."""
        return labels[:, ::-1]


#: (arguments, labels of both examples, length of the texts), as 4.53.3 makes them.
RECORDED: list[tuple[dict[str, Any], list[list[int]], int]] = [
    ({}, [[8, 9, 1, PAD, PAD], [3, 4, 5, 6, 1]], 4),
    ({"label_pad_token_id": 0}, [[8, 9, 1, 0, 0], [3, 4, 5, 6, 1]], 4),
    ({"padding": "longest", "pad_to_multiple_of": 4}, [[8, 9, 1, *[PAD] * 5], [3, 4, 5, 6, 1, *[PAD] * 3]], 4),
    ({"padding": "max_length", "max_length": 7}, [[8, 9, 1, *[PAD] * 4], [3, 4, 5, 6, 1, PAD, PAD]], 7),
    ({"padding": True, "max_length": 7}, [[8, 9, 1, PAD, PAD], [3, 4, 5, 6, 1]], 4),
]


@pytest.mark.filterwarnings("ignore:.*max_length")
@pytest.mark.parametrize(("arguments", "labels", "length"), RECORDED)
def test_texts_and_labels_are_filled_up(
    arguments: dict[str, Any], labels: list[list[int]], length: int, tokenizer: Any
) -> None:
    batch = DataCollatorForSeq2Seq(tokenizer, return_tensors="np", **arguments)(examples())
    assert batch["labels"].tolist() == labels and batch["labels"].dtype == np.int64
    assert batch["input_ids"].shape == (2, length)
    assert batch["attention_mask"].sum(1).tolist() == [4, 2]


def test_labels_are_filled_up_on_the_tokenizers_side(tokenizer: Any) -> None:
    tokenizer.padding_side = "left"
    batch = DataCollatorForSeq2Seq(tokenizer)(examples(), return_tensors="np")
    assert batch["labels"].tolist() == [[PAD, PAD, 8, 9, 1], [3, 4, 5, 6, 1]]
    assert batch["input_ids"].tolist() == [[5, 6, 7, 1], [0, 0, 5, 1]]


@pytest.mark.parametrize("form", [list, np.array])
@pytest.mark.parametrize("name", ["label", "labels"])
def test_labels_may_be_arrays_and_have_another_name(form: Any, name: str, tokenizer: Any) -> None:
    given = [{"input_ids": each["input_ids"], name: form(each["labels"])} for each in examples()]
    batch = DataCollatorForSeq2Seq(tokenizer, return_tensors="np")(given)
    assert batch["labels"].tolist() == RECORDED[0][1] and "label" not in batch
    assert name in given[0]


def test_a_model_makes_what_its_decoder_reads(tokenizer: Any) -> None:
    batch = DataCollatorForSeq2Seq(tokenizer, model=Shifting(), return_tensors="np")(examples(decoder_input_ids=[0, 1]))
    assert batch["decoder_input_ids"].tolist() == [row[::-1] for row in RECORDED[0][1]]


def test_without_labels_there_are_none(tokenizer: Any) -> None:
    batch = DataCollatorForSeq2Seq(tokenizer, model=Shifting(), return_tensors="np")(examples(labels=None))
    assert batch["labels"] is None and "decoder_input_ids" not in batch


@pytest.mark.parametrize("padding", [False, "do_not_pad"])
def test_rows_stay_as_they_are_if_they_are_not_to_be_filled_up(padding: Any, tokenizer: Any) -> None:
    batch = DataCollatorForSeq2Seq(tokenizer, padding=padding, return_tensors="np")(examples()[:1] * 2)
    assert batch["labels"].tolist() == [[8, 9, 1]] * 2 and batch["input_ids"].shape == (2, 4)
