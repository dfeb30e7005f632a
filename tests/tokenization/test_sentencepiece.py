"""The SentencePiece tokenizers: slow and fast agree, and each works from the files that users have."""

from __future__ import annotations

import copy
import json
import pickle
import re
import shutil
import sys
import unicodedata
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import triformers
from tests.conftest import GOLDEN
from tests.tokenization.spm_files import BASIC, BPE, BYTE, CONTROL, UNKNOWN, USER_DEFINED, Piece, model_file, number
from tests.tokenization.test_properties import settled
from triformers import (
    AlbertTokenizer,
    CamembertTokenizer,
    MarianTokenizer,
    MBartTokenizer,
    MBartTokenizerFast,
    T5Tokenizer,
    T5TokenizerFast,
)
from triformers.files.errors import FileError, InputError, MissingDependencyError
from triformers.tokenization.sentencepiece import SentencePiece, TableTokenizer

pytest.importorskip("sentencepiece")

ROOT = GOLDEN / "tokenizers"
#: The folders of recorded calls with both kinds, and the stem of their classes.
PAIRS = {
    "albert": "AlbertTokenizer",
    "camembert": "CamembertTokenizer",
    "t5": "T5Tokenizer",
    "t5_bpe": "T5Tokenizer",
    "mbart": "MBartTokenizer",
    "mbart_bpe": "MBartTokenizer",
}
SLOW = {**PAIRS, "marian": "MarianTokenizer", "marian_separate": "MarianTokenizer"}


def load(name: str, kind: str = "slow", **kwargs: Any) -> Any:
    """A tokenizer of a kind, from the slow one's files."""
    suffix = "Fast" if kind == "fast" else ""
    return getattr(triformers, SLOW[name] + suffix).from_pretrained(ROOT / name / "slow", **kwargs)


@pytest.fixture(scope="module")
def pairs() -> dict[str, tuple[Any, Any]]:
    return {name: (load(name), load(name, "fast")) for name in PAIRS}


# -- slow and fast -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAIRS)
def test_the_fast_tokenizer_is_made_as_it_was_recorded(name: str, pairs: dict[str, tuple[Any, Any]]) -> None:
    recorded = json.loads((ROOT / name / "fast" / "tokenizer.json").read_text(encoding="utf-8"))
    assert json.loads(pairs[name][1].backend_tokenizer.to_str()) == recorded


def is_ink(char: str) -> bool:
    """Whether a character is written with ink and has been since Unicode 3.2; the mark for a space is none."""
    return settled(char) and unicodedata.category(char)[0] not in "CZ" and char != "\u2581"


def is_clear(word: str) -> bool:
    """Whether a word means the same to every pair.

    "000" can be cut in two best ways, up to rounding. A cedilla alone becomes a space and a mark. A mark behind a
    character that is replaced is lost in the `tokenizers` library. ALBERT's parentheses are symbols of the user's own,
    which are added tokens to the fast class; its slow class takes off marks that have a place in the canonical order,
    the fast one all marks.
    """
    parts = unicodedata.normalize("NFKD", word).lower()
    marks = all((unicodedata.category(char)[0] == "M") == (unicodedata.combining(char) > 0) for char in parts)
    kept = all(
        unicodedata.normalize("NFKC", first) == first or unicodedata.category(second)[0] != "M"
        for first, second in pairwise(word)
    )
    unclear = re.search(r"(.)\1\1|[()\s]", unicodedata.normalize("NFKC", parts)) or _SPECIAL.search(word)
    return marks and kept and unclear is None


#: Special tokens around which the recorded pairs treat spaces differently; hypothesis finds them in the sources.
_SPECIAL = re.compile(r"</?s>|<pad>|<unk>|NOTUSED|\[[A-Z]+\]|[a-z]{2}_[A-Z]{2}", re.IGNORECASE)


#: Words between single spaces: other spaces are where the recorded pairs differ.
words = st.one_of(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8),
    st.text(st.characters(exclude_categories=["C", "Z"]).filter(is_ink), min_size=1, max_size=6),
    st.sampled_from(["the", "1,2", "9,", "3,100,200", "``", "''", "\ufb01", "e\u0301\u0316", "<mask>", "<extra_id_0>"]),
).filter(is_clear)
sentences = st.lists(words, max_size=8).map(" ".join)


@pytest.mark.parametrize("name", PAIRS)
@given(text=sentences, pair=st.one_of(st.none(), sentences.filter(bool)))
def test_slow_and_fast_give_the_same(name: str, pairs: dict[str, tuple[Any, Any]], text: str, pair: str | None) -> None:
    slow, fast = pairs[name]
    options = {"return_special_tokens_mask": True, "return_token_type_ids": True}
    found, expected = slow(text, pair, **options), fast(text, pair, **options)
    if name.startswith("mbart"):  # its slow class counts the types of other special tokens than it puts there
        del found["token_type_ids"], expected["token_type_ids"]
    assert found.data == expected.data


@pytest.mark.parametrize("name", SLOW)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_text_is_encoded_and_decoded(name: str, text: str) -> None:
    slow = TOKENIZERS.setdefault(name, load(name))
    ids = slow(text)["input_ids"]
    assert all(0 <= index < len(slow) for index in ids)
    slow.decode(ids, skip_special_tokens=True)
    assert slow.convert_tokens_to_ids(slow.convert_ids_to_tokens(ids)) == ids or name == "marian_separate"


TOKENIZERS: dict[str, Any] = {}


# -- hostile texts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["slow", "fast"])
@pytest.mark.parametrize("name", PAIRS)
def test_lone_surrogates_are_refused(name: str, kind: str, pairs: dict[str, tuple[Any, Any]]) -> None:
    tokenizer = pairs[name][kind == "fast"]
    for text in ("a\ud800b", ["fine", "\udfff"]):
        with pytest.raises(TypeError, match="lone surrogate"):
            tokenizer(text)


@pytest.mark.parametrize("name", SLOW)
@pytest.mark.parametrize("unit", ["a", "<s>", ">>", "9,", "\ufdfa", "\u0301\u0316", " \0", "[MASK]"])
def test_long_texts_of_one_kind(name: str, unit: str) -> None:
    tokenizer = load(name)
    text = unit * (2**17 // len(unit))
    ids = tokenizer(text)["input_ids"]
    assert len(ids) >= 2 and set(map(type, ids)) == {int}


class Recording:
    """The library's processor, noting how much it is asked."""

    def __init__(self, processor: Any) -> None:
        self.processor, self.asked = processor, 0

    def encode(self, text: str, out_type: type) -> Any:
        self.asked += len(text)
        return self.processor.encode(text, out_type=out_type)


@pytest.mark.parametrize("kwargs", [{"legacy": True}, {"legacy": False}])
def test_texts_go_through_the_model_once(kwargs: dict[str, Any]) -> None:
    tokenizer = load("t5", **kwargs)
    recording = tokenizer._engine.processor = Recording(tokenizer._engine.processor)
    text = "The end <extra_id_0> of <extra_id_1>" * 1000
    tokenizer.tokenize(text)
    assert recording.asked <= 2 * len(text)


# -- copies --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["slow", "fast"])
@pytest.mark.parametrize("name", SLOW)
def test_copies_do_the_same(name: str, kind: str) -> None:
    if kind == "fast" and name not in PAIRS:
        pytest.skip("there is no fast class")
    tokenizer = load(name, kind, **({"legacy": False} if name.startswith("t5") else {}))
    tokenizer.add_tokens(["<new>"])
    text = "The end<new> 1,2 <extra_id_0> of"
    for copied in (copy.deepcopy(tokenizer), pickle.loads(pickle.dumps(tokenizer))):
        assert copied(text).data == tokenizer(text).data and len(copied) == len(tokenizer)
        copied.add_tokens(["<other>"])
        assert len(copied) == len(tokenizer) + 1


# -- users' own files ----------------------------------------------------------------------------------------

OWN = (
    *BASIC,
    Piece("<ctl>", kind=CONTROL),
    Piece("<own>", kind=USER_DEFINED),
    *(Piece(pair, -1.0 - place / 4) for place, pair in enumerate(("bc", "bcd", "cd"))),
)


@pytest.fixture(params=["unigram", "bpe"])
def own_model(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "my.model"
    path.write_bytes(model_file(OWN, BPE if request.param == "bpe" else 1))
    return path


@pytest.mark.parametrize("stem", ["AlbertTokenizer", "CamembertTokenizer", "T5Tokenizer", "MBartTokenizer"])
def test_a_model_file_makes_a_tokenizer(stem: str, own_model: Path, tmp_path: Path) -> None:
    slow = getattr(triformers, stem)(own_model)
    fast = getattr(triformers, f"{stem}Fast")(own_model, **({"add_prefix_space": True} if stem[0] == "T" else {}))
    for text in ("a bcd cab", "abcd z dab", "zz", ""):  # symbols of one's own are added tokens to the fast one alone
        assert slow(text)["input_ids"] == fast(text)["input_ids"]
    for tokenizer in (slow, fast):
        tokenizer.save_pretrained(tmp_path / "saved")
        (name,) = [name for name in slow.vocab_files_names.values() if name.endswith("model")]
        assert (tmp_path / "saved" / name).read_bytes() == own_model.read_bytes()
        again = type(tokenizer).from_pretrained(tmp_path / "saved")
        assert again("a bcd <own>")["input_ids"] == tokenizer("a bcd <own>")["input_ids"]


def test_the_sentinels_stand_behind_the_vocabulary(own_model: Path) -> None:
    for make in (T5Tokenizer, T5TokenizerFast):
        tokenizer = make(vocab_file=own_model, extra_ids=10)
        ids = [len(OWN) + 9 - number for number in range(10)]
        assert tokenizer.convert_tokens_to_ids([f"<extra_id_{number}>" for number in range(10)]) == ids
        assert sorted(tokenizer.get_sentinel_token_ids()) == sorted(ids)
        assert len(tokenizer) == len(OWN) + 11  # the file has no padding token
        for wrong in (2**30, 1.5, True):
            with pytest.raises(InputError, match="extra_ids"):
                make(vocab_file=own_model, extra_ids=wrong)
        with pytest.raises(ValueError, match="all sentinels there, or none"):
            make(vocab_file=own_model, extra_ids=3, additional_special_tokens=["<extra_id_0>"])


def test_a_fast_tokenizer_puts_no_space_before_a_text_unless_it_is_told(own_model: Path, tmp_path: Path) -> None:
    # As recorded: the fast T5 made from its model alone; the slow one puts it.
    plain = T5TokenizerFast(own_model)
    assert "".join(plain.tokenize("ab")) == "ab"
    assert "".join(T5Tokenizer(own_model).tokenize("ab")) == "\u2581ab"
    plain.save_pretrained(tmp_path / "fast", legacy_format=False)
    told = T5TokenizerFast.from_pretrained(tmp_path / "fast", add_prefix_space=True)
    assert told.tokenize("ab") == T5TokenizerFast(own_model, add_prefix_space=True).tokenize("ab")
    assert "".join(told.tokenize("ab")) == "\u2581ab"


def test_single_bytes_stand_for_what_is_unknown_in_the_slow_class(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "bytes.model"
    single = [Piece(f"<0x{value:02X}>", kind=BYTE) for value in range(256)]
    path.write_bytes(model_file([*BASIC, *single], trainer=number(35, 1)))
    slow = T5Tokenizer(path)
    assert slow.tokenize("z") == ["\u2581", "<0x7A>"] and slow.decode(slow.encode("a z")) == "a z</s>"
    assert "single bytes" not in caplog.text
    assert T5TokenizerFast(path, add_prefix_space=True)("z")["input_ids"] == [3, 0, 2]
    assert "single bytes" in caplog.text


def test_other_ids_for_the_special_pieces(tmp_path: Path) -> None:
    path = tmp_path / "ids.model"
    path.write_bytes(model_file([Piece("[PAD]", kind=CONTROL), Piece("[UNK]", kind=UNKNOWN), *OWN[3:9]], BPE))
    slow, fast = T5Tokenizer(path, extra_ids=0), T5TokenizerFast(path, extra_ids=0, add_prefix_space=True)
    assert slow("abz")["input_ids"] == fast("abz")["input_ids"] == [2, 3, 4, 1, 8]


def test_a_saved_model_is_not_needed_beside_tokenizer_json(own_model: Path, tmp_path: Path) -> None:
    MBartTokenizerFast(own_model).save_pretrained(tmp_path / "both")
    shutil.copytree(tmp_path / "both", tmp_path / "json")
    (tmp_path / "json" / "sentencepiece.bpe.model").unlink()
    alone = MBartTokenizerFast.from_pretrained(tmp_path / "json")
    assert not alone.can_save_slow_tokenizer
    names = {Path(path).name for path in alone.save_pretrained(tmp_path / "again")}
    assert "tokenizer.json" in names and "sentencepiece.bpe.model" not in names
    with pytest.raises(InputError, match="legacy_format"):
        alone.save_pretrained(tmp_path / "again", legacy_format=True)
    with pytest.raises(FileError, match="no model"):
        MBartTokenizerFast.from_pretrained(tmp_path / "json", from_slow=True)


# -- the library ---------------------------------------------------------------------------------------------


def test_without_the_library_the_fast_classes_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    for name in SLOW:
        with pytest.raises(MissingDependencyError, match=r"triformers\[sentencepiece\]"):
            load(name)
    for name in PAIRS:
        assert len(load(name, "fast")("The end")["input_ids"]) > 2


def test_the_settings_of_the_library() -> None:
    plain, reversed_ = load("t5"), load("t5", sp_model_kwargs={"reverse": True})
    assert reversed_.tokenize("The end of") == plain.tokenize("The end of")[::-1]
    sampling = load("t5", sp_model_kwargs={"enable_sampling": True, "nbest_size": -1, "alpha": 0.1})
    assert len({tuple(sampling.tokenize("The end of all things")) for _ in range(20)}) > 1
    for wrong in ({"model_file": "/etc/passwd"}, {"reverse": 1}, {"alpha": "x"}, {"nbest_size": True}, ["reverse"]):
        with pytest.raises(TypeError, match="sp_model_kwargs"):
            T5Tokenizer(ROOT / "t5" / "slow" / "spiece.model", sp_model_kwargs=wrong)
    with pytest.raises(InputError, match="sp_model_kwargs"):
        load("t5", sp_model_kwargs={"add_bos": True})("a")  # T5's model has no such token


def test_ids_and_pieces_that_are_none() -> None:
    for name in PAIRS:
        slow = load(name)
        with pytest.raises(IndexError, match="not the id of a piece"):
            slow.decode([10**6])
        with pytest.raises(TypeError, match="expected"):
            slow.convert_tokens_to_ids([["a"]])
    engine = SentencePiece(ROOT / "t5" / "slow" / "spiece.model")
    assert engine.decode([]) == "" and len(engine) == len(engine.pieces)
    with pytest.raises(TypeError, match="surrogate"):
        engine.decode(["\ud800"])


def test_a_users_own_way_to_ids_is_followed() -> None:
    class Own(T5Tokenizer):
        def _convert_token_to_id(self, token: str) -> int:
            return 7

    own = Own(ROOT / "t5" / "slow" / "spiece.model")
    assert isinstance(own, TableTokenizer) and own.convert_tokens_to_ids(["a", "</s>"]) == [7, 1]


# -- T5, mBART, Marian ---------------------------------------------------------------------------------------


def test_the_newer_behaviour_of_t5() -> None:
    old, new = load("t5", legacy=True), load("t5", legacy=False)
    assert "".join(old.tokenize("<extra_id_0>the")) == "<extra_id_0>\u2581the"
    assert "".join(new.tokenize("<extra_id_0>the")) == "<extra_id_0>the"
    for tokenizer in (old, new):
        assert tokenizer.tokenize("the end")[0] == "\u2581the"
        assert tokenizer.decode(tokenizer.encode("the end"), skip_special_tokens=True) == "the end"
    assert load("t5", legacy=False, add_prefix_space=False).tokenize("the end")[0] != "\u2581the"


@pytest.mark.parametrize("kind", ["slow", "fast"])
def test_the_languages_of_mbart(kind: str) -> None:
    tokenizer = load("mbart", kind, src_lang="de_DE", tgt_lang="fr_XX")
    codes = tokenizer.lang_code_to_id
    encoded = tokenizer("the end", text_target="the end")
    assert encoded["input_ids"][-1] == codes["de_DE"] and encoded["labels"][-1] == codes["fr_XX"]
    assert encoded["input_ids"][:-1] == encoded["labels"][:-1]
    tokenizer.src_lang = "it_IT"
    assert tokenizer("the end")["input_ids"][-1] == tokenizer.cur_lang_code == codes["it_IT"]
    with pytest.raises(InputError, match="it_XX"):
        tokenizer.src_lang = "it_XX"
    assert tokenizer.src_lang == "it_IT"  # and stays what it was
    with pytest.warns(match="text_target"), tokenizer.as_target_tokenizer():
        assert tokenizer("the end")["input_ids"][-1] == codes["fr_XX"]
    assert tokenizer("the end")["input_ids"][-1] == codes["it_IT"]
    tokenizer.tgt_lang = None
    with pytest.raises(InputError, match="None"):
        tokenizer(text_target="the end")
    assert tokenizer("the end")["input_ids"][-1] == codes["it_IT"]
    tokenizer.add_tokens(["xx_XX"], special_tokens=True)
    tokenizer.src_lang = "xx_XX"
    assert tokenizer("the end")["input_ids"][-1] == tokenizer.convert_tokens_to_ids("xx_XX")


@given(text=st.text("<>a \n", max_size=12))
def test_the_code_that_a_text_begins_with(text: str) -> None:
    marian = TOKENIZERS.setdefault("marian", load("marian"))
    code, rest = marian.remove_language_code(text)
    found = re.match(r"(?s)>>.*?<<", text)
    assert code == ([found.group()] if found else []) and "".join(code) + rest == text


def test_marians_sides() -> None:
    marian = load("marian_separate")
    ids = marian("the end", text_target="the end")
    assert marian.decode(ids["labels"], skip_special_tokens=True) == "the end"
    source = marian.convert_ids_to_tokens(ids["input_ids"])  # ids of sources are no ids of targets
    assert marian.tokenize("the end") != source[:-1]
    assert set(marian.get_src_vocab()) != set(marian.get_tgt_vocab())
    assert marian.normalize("\u201chi\u201d") == '"hi"'


@pytest.mark.parametrize("damage", ["vocab.json", "source.spm", "target.spm", "target_vocab.json"])
def test_marian_without_one_of_its_files(damage: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "marian_separate" / "slow", tmp_path / "files")
    (tmp_path / "files" / damage).unlink()
    with pytest.raises(FileError, match=damage.removesuffix(".json")):
        MarianTokenizer.from_pretrained(tmp_path / "files")


@pytest.mark.parametrize(
    ("vocabulary", "reason"),
    [
        ('{"<unk>": 1}', "lacks '<pad>'"),
        ('{"<pad>": 1, "</s>": 0}', "lacks '<unk>'"),
        ('{"<unk>": -1}', "a whole number"),
        ('{"<unk>": 1.5}', "a whole number"),
        ('["<unk>"]', "one JSON object"),
        ("{", "is not JSON"),
    ],
)
def test_marian_with_a_damaged_vocabulary(vocabulary: str, reason: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "marian" / "slow", tmp_path / "files")
    (tmp_path / "files" / "vocab.json").write_text(vocabulary, encoding="utf-8")
    with pytest.raises(FileError, match=re.escape(reason)):
        MarianTokenizer.from_pretrained(tmp_path / "files")


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [("t5", "extra_ids", "9"), ("t5", "legacy", 3), ("mbart", "src_lang", 5), ("albert", "do_lower_case", "no")],
)
def test_settings_of_the_wrong_type(name: str, field: str, value: Any, tmp_path: Path) -> None:
    shutil.copytree(ROOT / name / "slow", tmp_path / "files")
    path = tmp_path / "files" / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    for kind in ("", "Fast"):
        with pytest.raises(FileError, match=field):
            getattr(triformers, SLOW[name] + kind).from_pretrained(tmp_path / "files")


def test_roles_that_answers_need() -> None:
    for make, role in (
        (AlbertTokenizer, "cls_token"),
        (CamembertTokenizer, "sep_token"),
        (MBartTokenizer, "eos_token"),
    ):
        with pytest.raises(InputError, match=role):
            make(ROOT / "t5" / "slow" / "spiece.model", **{role: None})
