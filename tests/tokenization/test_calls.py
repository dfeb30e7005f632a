"""What calls accept and refuse, and what their answers can do."""

from __future__ import annotations

import copy
import logging
import pickle
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest
from tokenizers import AddedToken

from triformers import BatchEncoding, BertTokenizer, BertTokenizerFast, PreTrainedTokenizerFast
from triformers.files.errors import InputError, TriformersError


@pytest.mark.parametrize(
    ("arguments", "options", "builtin"),
    [
        ((None,), {}, ValueError),
        ((3,), {}, ValueError),
        ((b"bytes",), {}, ValueError),
        (([],), {}, ValueError),
        (([[["a"]]],), {}, ValueError),
        ((["a"], "b"), {}, TypeError),
        ((["a"], ["b", "c"]), {}, ValueError),
        ((["a", None],), {}, ValueError),
        ((["a", "a b"],), {"return_tensors": "xx"}, ValueError),
        (("a",), {"padding": "strange"}, ValueError),
        (("a",), {"truncation": "strange"}, ValueError),
        (("a",), {"padding": True, "padding_side": "up"}, ValueError),
        (("a",), {"truncation": True, "max_length": 4.0}, TypeError),
        (("a",), {"truncation": True, "max_length": -1}, ValueError),
        (("a",), {"stride": -1}, ValueError),
        (("a",), {"padding": True, "pad_to_multiple_of": 0}, ValueError),
        (("a",), {"padding": "max_length", "max_length": 2**40}, ValueError),
        (("a",), {"padding": True, "truncation": True, "max_length": 9, "pad_to_multiple_of": 4}, ValueError),
    ],
)
def test_refusals_are_clear_and_caught_as_users_do(
    tokenizer: Any, arguments: tuple[Any, ...], options: dict[str, Any], builtin: type[Exception]
) -> None:
    with pytest.raises(builtin) as refusal:
        tokenizer(*arguments, **options)
    assert isinstance(refusal.value, TriformersError)
    assert "; expected " in str(refusal.value)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(
    ("method", "arguments", "builtin"),
    [
        ("decode", ("abc",), TypeError),
        ("decode", ([[1, 2]],), TypeError),
        ("decode", (1.5,), TypeError),
        ("batch_decode", (5,), TypeError),
        ("convert_tokens_to_ids", (3,), TypeError),
        ("convert_ids_to_tokens", ("a",), TypeError),
        ("add_tokens", ([3],), TypeError),
        ("add_tokens", (["\ud800"],), ValueError),
        ("add_special_tokens", ({"strange_token": "x"},), AssertionError),
        ("add_special_tokens", ({"mask_token": 3},), ValueError),
        ("add_special_tokens", (["x"],), TypeError),
        ("pad", ("abc",), TypeError),
        ("pad", ([],), TypeError),
        ("pad", ({"attention_mask": [[1]]},), ValueError),
        ("pad", ({"input_ids": [[1], 2]},), ValueError),
        ("pad", ({"input_ids": [[1], [1, 2]], "token_type_ids": [[0]]},), ValueError),
        ("pad", ([{"input_ids": [1], "labels": 1}, {"input_ids": [2]}],), ValueError),
        ("prepare_for_model", ("text",), TypeError),
        ("tokenize", (3,), ValueError),
    ],
)
def test_methods_refuse_clearly(
    tokenizer: Any, method: str, arguments: tuple[Any, ...], builtin: type[Exception]
) -> None:
    with pytest.raises(builtin) as refusal:
        getattr(tokenizer, method)(*arguments)
    assert isinstance(refusal.value, TriformersError)


def test_padding_needs_a_padding_token(tokenizer: Any) -> None:
    tokenizer.pad_token = None
    with pytest.raises(ValueError, match="no padding token"):
        tokenizer(["a", "a b"], padding=True)


def test_a_misspelt_argument_is_named(cased: Any, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(TypeError, match="such as padding"):
        cased.load("fast")("a", paddding=True)
    with caplog.at_level(logging.WARNING, "triformers"):
        cased.load("slow")("a", paddding=True)
    assert "did you mean padding" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING, "triformers"):
        BertTokenizer.from_pretrained(cased.files["slow"], do_lowercase=True)
    assert "did you mean do_lower_case" in caplog.text


def test_lone_surrogates(cased: Any) -> None:
    assert cased.load("slow").tokenize("a\ud800b") == cased.load("slow").tokenize("ab")
    with pytest.raises(TypeError, match=r"U\+D800 at position 1"):
        cased.load("fast")(["fine", "a\ud800b"])


def test_a_stride_that_leaves_no_room(cased: Any) -> None:
    fast = cased.load("fast")
    limits = {"truncation": True, "max_length": 4, "stride": 2}
    with pytest.raises(ValueError, match="stride below 2"):
        fast("a b c d e", return_overflowing_tokens=True, **limits)
    assert fast("a b c d e", **limits)["input_ids"] == fast("a b")["input_ids"]


def test_a_long_input_is_mentioned_once(tokenizer: Any, caplog: pytest.LogCaptureFixture) -> None:
    tokenizer.model_max_length = 4
    with caplog.at_level(logging.WARNING, "triformers"):
        tokenizer("a b c d e")
        tokenizer("a b c d e f")
    assert caplog.text.count("the model takes 4") == 1


def test_targets_become_labels(tokenizer: Any) -> None:
    both = tokenizer(["a"], text_target=["b"])
    assert both["labels"] == tokenizer(["b"])["input_ids"]
    assert tokenizer(text_target="b").data == tokenizer("b").data
    with pytest.warns(FutureWarning):
        old = tokenizer.prepare_seq2seq_batch(["a"], ["b"])
    assert old["labels"] == both["labels"]


def test_an_encoding_is_a_dictionary_with_attributes(tokenizer: Any) -> None:
    batch = tokenizer(["a b", "c"], padding=True)
    assert list(batch) == ["input_ids", "token_type_ids", "attention_mask"]
    assert batch.input_ids is batch["input_ids"]
    batch["labels"] = [0, 1]
    assert dict(**batch)["labels"] == [0, 1]
    with pytest.raises(KeyError, match="input_ids"):
        batch["input_id"]
    with pytest.raises(AttributeError, match="input_ids"):
        batch.input_id  # noqa: B018 - asking for it is the test
    again = pickle.loads(pickle.dumps(batch))
    assert again.data == batch.data and again.is_fast == batch.is_fast
    copied = copy.copy(batch)
    copied["labels"] = None
    assert batch["labels"] == [0, 1]


def test_where_tokens_come_from(cased: Any) -> None:
    fast, slow = cased.load("fast"), cased.load("slow")
    batch = fast(["the man", "a"], padding=True)
    assert batch[0].tokens == batch.tokens(0) == ["[CLS]", "the", "man", "[SEP]"]
    assert batch.token_to_chars(0, 2) == (4, 7) and batch.token_to_chars(0, 0) is None
    with pytest.raises(TypeError, match="no word 99"):
        batch.word_to_chars(0, 99)
    for call in (lambda: batch[5], lambda: batch.tokens(2), lambda: batch.token_to_word(0, -1)):
        with pytest.raises(IndexError, match="expected"):
            call()
    with pytest.raises(ValueError, match="fast tokenizer"):
        slow("a").tokens()
    assert slow(["a", "b"])[0:1] == {key: value[:1] for key, value in slow(["a", "b"]).items()}


def test_arrays(tokenizer: Any) -> None:
    batch = tokenizer(["a b", "c"], padding=True, return_tensors="np")
    assert all(value.dtype == np.int64 and value.shape == (2, 4) for value in batch.values())
    ragged = tokenizer(["a b", "c"], return_tensors="np")["input_ids"]
    assert ragged.dtype == object and [len(row) for row in ragged] == [4, 3]
    assert tokenizer("a", return_tensors="np")["input_ids"].shape == (1, 3)
    empty = tokenizer("", add_special_tokens=False, return_tensors="np")["input_ids"]
    assert empty.shape == (1, 0) and empty.dtype == np.int64
    assert tokenizer.decode(batch["input_ids"][0]) == tokenizer.decode(batch["input_ids"][0].tolist())
    assert tokenizer.batch_decode(batch["input_ids"]) == tokenizer.batch_decode(batch["input_ids"].tolist())


def test_padding_of_what_was_encoded_before(tokenizer: Any) -> None:
    rows = [tokenizer("a b", return_tensors=None), tokenizer("c")]
    padded = tokenizer.pad(rows, return_tensors="np")
    wanted = tokenizer(["a b", "c"], padding=True, return_tensors="np")
    assert {name: value.tolist() for name, value in padded.items()} == {
        name: value.tolist() for name, value in wanted.items()
    }
    arrays = tokenizer.pad([{"input_ids": np.array([5, 6]), "labels": 1}, {"input_ids": np.array([7]), "labels": 0}])
    assert arrays["input_ids"].tolist() == [[5, 6], [7, 0]] and arrays["labels"].tolist() == [1, 0]


def test_roles_of_special_tokens(tokenizer: Any) -> None:
    assert tokenizer.bos_token is None and tokenizer.bos_token_id is None
    tokenizer.pad_token_id = tokenizer.unk_token_id
    assert tokenizer.pad_token == "[UNK]"
    with pytest.raises(ValueError, match="pad_token_id"):
        tokenizer.pad_token = 3
    assert not hasattr(tokenizer, "image_token")
    assert tokenizer.add_special_tokens({"mask_token": AddedToken("<m>", lstrip=True)}) == 1
    assert tokenizer.mask_token_id == len(tokenizer) - 1
    assert tokenizer.decode(tokenizer.encode("a <m>"), skip_special_tokens=True) == "a"


def test_roles_of_a_tokenizer_of_its_own(kind: str, cased: Any) -> None:
    tokenizer = type(cased.load(kind)).from_pretrained(cased.files[kind], extra_special_tokens={"image_token": "<img>"})
    assert tokenizer.image_token == "<img>" and tokenizer.tokenize("a <img>") == ["a", "<img>"]
    assert tokenizer.image_token_id == tokenizer.convert_tokens_to_ids("<img>") == len(tokenizer) - 1
    tokenizer.image_token = "the"
    assert tokenizer.special_tokens_map["image_token"] == "the"
    other = cased.load(kind)
    assert "image_token" not in other.SPECIAL_TOKENS_ATTRIBUTES
    with pytest.raises(InputError, match="not attributes yet"):
        type(other).from_pretrained(cased.files[kind], extra_special_tokens={"decode": "<img>"})


def test_tokenizers_can_be_copied_and_pickled(tokenizer: Any) -> None:
    tokenizer.add_tokens(["newtok"])
    for again in (copy.deepcopy(tokenizer), pickle.loads(pickle.dumps(tokenizer))):
        assert again("a newtok")["input_ids"] == tokenizer("a newtok")["input_ids"]
        assert repr(again) == repr(tokenizer)


def test_threads_with_different_limits_do_not_mix(cased: Any) -> None:
    fast = cased.load("fast")
    wanted = {length: fast("a b c d e", truncation=True, max_length=length)["input_ids"] for length in (3, 4, 5, 6)}
    wrong: list[int] = []

    def work(length: int) -> None:
        for _ in range(200):
            if fast("a b c d e", truncation=True, max_length=length)["input_ids"] != wanted[length]:
                wrong.append(length)

    threads = [threading.Thread(target=work, args=(length,)) for length in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_tokenizer_of_the_users_own(cased: Any) -> None:
    backend = cased.load("fast").backend_tokenizer
    own = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]", pad_token="[PAD]")
    own.add_tokens(["newtok"])
    assert len(own) == len(cased.load("fast")) + 1 == backend.get_vocab_size() + 1
    assert own(["a", "a b"], padding=True)["attention_mask"] == [[1, 1, 1, 0], [1, 1, 1, 1]]
    with pytest.raises(InputError, match="tokenizer_file"):
        PreTrainedTokenizerFast()


def test_a_new_encoding_takes_tensors() -> None:
    encoding = BatchEncoding({"input_ids": [1, 2]}, tensor_type="np", prepend_batch_axis=True)
    assert encoding["input_ids"].tolist() == [[1, 2]] and not encoding.is_fast


def test_tokenizers_import_no_framework(cased: Any) -> None:
    slow, fast = str(cased.files["slow"]), str(cased.files["fast"])
    code = (
        "import sys, triformers\n"
        f"triformers.BertTokenizer.from_pretrained({slow!r})(['a'], return_tensors='np')\n"
        f"triformers.BertTokenizerFast.from_pretrained({fast!r})(['a'], return_tensors='np')\n"
        "assert not {'torch', 'tensorflow', 'keras', 'jax', 'flax'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_slow_and_fast_have_the_same_surface() -> None:
    def public(cls: type) -> set[str]:
        return {name for name in dir(cls) if not name.startswith("_")}

    only_fast = {
        "backend_tokenizer",
        "can_save_slow_tokenizer",
        "decoder",
        "set_truncation_and_padding",
        "train_new_from_iterator",
        "vocab",
    }
    only_slow = {"do_lower_case", "prepare_for_tokenization"}  # the first is an attribute of fast instances
    assert public(BertTokenizerFast) - public(BertTokenizer) <= only_fast
    assert public(BertTokenizer) - public(BertTokenizerFast) <= only_slow
