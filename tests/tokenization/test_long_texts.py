"""What is cut into pieces, and what is aligned when asked, is what the library gives for the whole text at once."""

from __future__ import annotations

import copy
import json
import pickle
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Encoding, Tokenizer, models, normalizers, pre_tokenizers, processors

from tests.conftest import GOLDEN
from tests.tokenization.goldens import open_family
from triformers import BertTokenizerFast, PreTrainedTokenizerFast
from triformers.files.errors import InputError
from triformers.tokenization import long_texts
from triformers.tokenization.cutting import places_to_cut
from triformers.tokenization.long_texts import Task, encode

ADDED = [
    AddedToken("[left]", lstrip=True),
    AddedToken("[right]", rstrip=True),
    AddedToken("[word]", single_word=True),
    AddedToken("Qé.q", normalized=True),
    AddedToken("''", normalized=False),
    AddedToken("x ", normalized=True),
]
NUMBERS = ("ids", "type_ids", "attention_mask", "special_tokens_mask")


def without_unknown() -> PreTrainedTokenizerFast:
    """A tokenizer that leaves out what it does not know, and has nothing around its sequences."""
    backend = Tokenizer(models.BPE({"a": 0, '"': 1, ".": 2, "b": 3, "ab": 4}, [("a", "b")]))
    backend.normalizer = normalizers.BertNormalizer(strip_accents=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return PreTrainedTokenizerFast(tokenizer_object=backend)


#: Name -> the folder of its files, and the tokens that are added to it.
BACKENDS = {
    "bert": ("bert_cased", []),
    "bert-added": ("bert_cased", ADDED),
    "electra": ("electra", []),
    "openai_gpt": ("openai_gpt", []),
    "gpt2": ("gpt2", []),
    "roberta": ("roberta", []),
    "roberta-added": ("roberta", ADDED),
    "roberta-prefix": ("roberta", ADDED[:2]),
    "without_unknown": (None, []),
}


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """A backend whose texts can be cut."""
    folder, added = BACKENDS[request.param]
    if folder is None:
        return without_unknown().backend_tokenizer
    tokenizer = open_family(GOLDEN / "tokenizers" / folder, tmp_path_factory.mktemp(folder)).load("fast")
    tokenizer.add_tokens(added)
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    if request.param == "roberta-prefix":
        backend.pre_tokenizer.add_prefix_space = True
        backend.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=True)
    return backend


@pytest.fixture(scope="module")
def cut_everything() -> Iterator[None]:
    """Cut texts of a few characters, and align all later."""
    with small_texts_are_long():
        yield


@contextmanager
def small_texts_are_long() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MANY_CHARACTERS", "LONG_EXAMPLE", "LONG_ALIGNED", "PIECE", "GROUP"):
            patch.setattr(long_texts, name, 2)
        yield


parts = st.one_of(
    st.sampled_from([token.content for token in ADDED] + ["[MASK]", "[CLS]", "[UNK]", "<unk>", "[mask]"]),
    st.text(alphabet="absQqx7.\"'!_-[]<> \n\t\u00e9\u0301\u0338\u4e2d\u200b\0\u00a1\u03a3\u00ad\u0130", max_size=6),
    st.sampled_from(['"', ". ", " a", "a ", '""', "  ", "ab ab"]),
)
texts = st.lists(parts, max_size=12).map("".join)


def state(encoding: Encoding) -> dict[str, Any]:
    """All that an encoding holds."""
    return json.loads(encoding.__getstate__())


@given(
    text=texts, pair=st.one_of(st.none(), texts), special=st.booleans(), room=st.one_of(st.none(), st.integers(4, 9))
)
def test_pieces_join_to_the_whole(
    cut_everything: None, backend: Tokenizer, text: str, pair: str | None, special: bool, room: int | None
) -> None:
    if room is None:
        backend.no_truncation()
    else:
        backend.enable_truncation(room, stride=int(pair is None))
    examples = [text if pair is None else (text, pair), "a"]
    task = Task(examples, add_special_tokens=special, is_pretokenized=False)
    expected = backend.encode_batch(examples, add_special_tokens=special)
    assert [state(row) for row in encode(backend, task)] == [state(row) for row in expected]
    if pair is None:
        for row, whole in zip(encode(backend, task, aligned=False), expected, strict=True):
            windows = zip((row, *row.overflowing), (whole, *whole.overflowing), strict=True)
            assert all(getattr(one, name) == getattr(other, name) for one, other in windows for name in NUMBERS)


def starts(places: re.Pattern[str] | None, text: str) -> list[int]:
    assert places is not None
    return [place.end() for place in places.finditer(text)]


@pytest.mark.parametrize("added", [False, True])
def test_places_as_bert_splits(added: bool, tmp_path: Path) -> None:
    tokenizer = open_family(GOLDEN / "tokenizers" / "bert_cased", tmp_path).load("fast")
    assert tokenizer.add_tokens(["x'"]) == 1 if added else True
    places = places_to_cut(tokenizer.backend_tokenizer)
    assert starts(places, 'a"1 _') == [2, 3]
    assert starts(places, "_'_") == ([] if added else [2])
    assert starts(places, "b  x \u4e2d\u4e2d\u4e2d\u0301") == ([1] if added else [1, 4])


@pytest.mark.parametrize("prefix", [False, True])
def test_places_as_gpt2_splits(prefix: bool, tmp_path: Path) -> None:
    backend = open_family(GOLDEN / "tokenizers" / "gpt2", tmp_path).load("fast").backend_tokenizer
    backend.pre_tokenizer.add_prefix_space = prefix
    backend.add_tokens([AddedToken("b."), AddedToken("7", single_word=True), AddedToken("!", rstrip=True)])
    places = places_to_cut(backend)
    assert starts(places, "aa1'a b  \u00e9?") == ([5, 7] if prefix else [2, 3, 5, 7, 10])
    assert starts(places, "b.c. d! d7.") == ([4] if prefix else [2, 3, 4, 6])


def test_a_step_that_may_reach_across_is_not_cut(fast_uncased: BertTokenizerFast) -> None:
    backend = copy.deepcopy(fast_uncased.backend_tokenizer)
    assert places_to_cut(backend) is not None
    backend.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.BertNormalizer()])
    assert places_to_cut(backend) is None
    backend.normalizer, backend.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.Whitespace()
    assert places_to_cut(backend) is None


CALLS: list[dict[str, Any]] = [
    {},
    {"add_special_tokens": False, "padding": True},
    {"padding": "max_length", "max_length": 30, "return_tensors": "np"},
    {"padding": True, "return_tensors": "np", "padding_side": "left", "pad_to_multiple_of": 8},
    {"truncation": True, "max_length": 8, "stride": 2, "return_overflowing_tokens": True, "padding": True},
    {"truncation": True, "max_length": 8, "return_offsets_mapping": True, "return_special_tokens_mask": True},
    {"return_length": True, "return_attention_mask": True, "return_token_type_ids": True},
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: "-".join(call) or "plain")
@pytest.mark.parametrize(
    "name", ["bert_cased", "openai_gpt", "gpt2", "roberta", "albert", "camembert", "mbart", "t5", "t5_bpe"]
)
def test_an_answer_is_the_same(name: str, call: dict[str, Any], tmp_path: Path) -> None:
    tokenizer = open_family(GOLDEN / "tokenizers" / name, tmp_path).load("fast")
    if tokenizer.pad_token is None:
        call = {key: value for key, value in call.items() if "pad" not in key and key != "return_tensors"}
    texts = ['He said "\u00e9t\u00e9", then <mask>  [MASK] 12. ' * 2, "a", " b \u4e2d\u6587 ", "\U0001f600 x\n\ny"]
    expected = tokenizer(texts, **call)
    one = tokenizer(texts[0], **call)
    with small_texts_are_long():
        found = tokenizer(texts, **call)
        assert str(found.data) == str(expected.data)
        assert list(map(state, found.encodings or ())) == list(map(state, expected.encodings or ()))
        again = pickle.loads(pickle.dumps(tokenizer(texts[0], **call)))
        assert str(again.data) == str(one.data)
        assert again.tokens() == one.tokens() and again.word_ids() == one.word_ids()


@pytest.mark.parametrize("is_long", [False, True])
@pytest.mark.parametrize("limits", [{}, {"padding_side": "left"}, {"padding": "max_length", "max_length": 9}], ids=str)
def test_arrays_with_offsets_are_filled_up(
    is_long: bool, limits: dict[str, Any], fast_uncased: BertTokenizerFast
) -> None:
    call = {"padding": True, "return_offsets_mapping": True, "return_special_tokens_mask": True, **limits}
    texts = ["a", 'b "c" d']
    lists = fast_uncased(texts, **call)
    with small_texts_are_long() if is_long else nullcontext():
        arrays = fast_uncased(texts, return_tensors="np", **call)
    assert lists["attention_mask"][0].count(0) == len(lists["input_ids"][0]) - 3
    assert {name: array.tolist() for name, array in arrays.items()} == json.loads(json.dumps(lists.data))


def test_a_pair_is_aligned_at_once(fast_uncased: BertTokenizerFast, cut_everything: None) -> None:
    assert not Task([("ab", "cd")], add_special_tokens=True, is_pretokenized=False).may_be_aligned_later
    assert not Task([["ab", "cd"]], add_special_tokens=True, is_pretokenized=True).may_be_aligned_later
    assert fast_uncased('a "b"', '"c" d').token_type_ids == [0] * 6 + [1] * 5


def test_alignment_is_that_of_the_call(cut_everything: None, tmp_path: Path) -> None:
    tokenizer = open_family(GOLDEN / "tokenizers" / "mbart", tmp_path).load("fast")
    tokenizer.src_lang = "en_XX"
    answer = tokenizer("words of a text", truncation=True, max_length=5)
    tokenizer.src_lang = "ro_RO"
    tokenizer.add_tokens(["of"])
    tokenizer("a longer text")
    assert answer.tokens()[-1] == "en_XX" and answer.encodings[0].ids == answer.input_ids


def test_parts_that_were_changed_give_no_false_alignment(cut_everything: None, tmp_path: Path) -> None:
    tokenizer = open_family(GOLDEN / "tokenizers" / "gpt2", tmp_path).load("fast")
    answer = tokenizer("words")
    pre_tokenizer = tokenizer.backend_tokenizer.pre_tokenizer
    pre_tokenizer.add_prefix_space = not pre_tokenizer.add_prefix_space
    with pytest.raises(InputError, match="changed after it gave this answer"):
        answer.tokens()


def test_what_chance_has_a_part_in_is_aligned_at_once(cut_everything: None, tmp_path: Path) -> None:
    tokenizer = open_family(GOLDEN / "tokenizers" / "gpt2", tmp_path).load("fast")
    tokenizer.backend_tokenizer.model.dropout = 0.5
    for _ in range(20):
        answer = tokenizer("incomprehensibilities of internationalization")
        assert [tokenizer.convert_tokens_to_ids(token) for token in answer.tokens()] == answer.input_ids


def test_errors_are_the_same(cut_everything: None, fast_uncased: BertTokenizerFast) -> None:
    for wrong in ("a long text with half a letter \ud800", ["a fine text", 3], [("a text", None)]):
        with pytest.raises(InputError) as cut:
            fast_uncased(wrong)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(long_texts, "LONG_EXAMPLE", 2**20)
            with pytest.raises(InputError) as whole:
                fast_uncased(wrong)
        assert str(cut.value) == str(whole.value)
