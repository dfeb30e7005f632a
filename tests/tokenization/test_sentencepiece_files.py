"""Reading .model files: what they say, what is wrong with them, and the merges that follow from their scores."""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import GOLDEN
from tests.tokenization.spm_files import (
    BASIC,
    BPE,
    BYTE,
    CHAR,
    CONTROL,
    NORMAL,
    UNKNOWN,
    UNUSED,
    USER_DEFINED,
    WORD,
    Piece,
    block,
    charsmap,
    model_file,
    number,
    varint,
)
from triformers import MBartTokenizerFast, T5Tokenizer, T5TokenizerFast
from triformers.files.errors import FileError, TriformersError
from triformers.tokenization.charsmap import MAX_BYTES, fault_in
from triformers.tokenization.protobuf import WireError, encoded, fields
from triformers.tokenization.sentencepiece_fast import merges_of
from triformers.tokenization.sentencepiece_model import SentencePieceModel, read_model, without_prefix

sentencepiece = pytest.importorskip("sentencepiece")

MODELS = sorted(
    path for path in (GOLDEN / "tokenizers").glob("*/slow/*") if path.suffix == ".spm" or path.name.endswith(".model")
)
SMALL = GOLDEN / "tokenizers" / "t5_bpe" / "slow" / "spiece.model"
WITH_TABLE = GOLDEN / "tokenizers" / "t5" / "slow" / "spiece.model"


def written(directory: Path, content: bytes) -> Path:
    path = directory / "spiece.model"
    path.write_bytes(content)
    return path


# -- what a file says ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", MODELS, ids=lambda path: f"{path.parts[-3]}-{path.name}")
def test_the_reader_sees_what_the_library_sees(path: Path) -> None:
    model, library = read_model(path), sentencepiece.SentencePieceProcessor(model_file=str(path))
    ids = range(len(library))
    assert model.pieces == [library.id_to_piece(index) for index in ids]
    assert model.scores == [library.get_score(index) for index in ids]
    assert model.unk_id == library.unk_id()
    assert [kind == CONTROL for kind in model.kinds] == [library.is_control(index) for index in ids]
    assert model.data == path.read_bytes()


floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
unknown_fields = st.sampled_from([b"", number(99, 2**64 - 1), block(98, "later"), varint(97 << 3 | 1) + bytes(8)])


@given(
    st.dictionaries(texts, st.tuples(floats, st.sampled_from([NORMAL, CONTROL, USER_DEFINED, UNUSED]))), unknown_fields
)
def test_models_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, entries: dict[str, tuple[float, int]], extra: bytes
) -> None:
    pieces = [Piece(text, *entry) for text, entry in entries.items() if text not in ("<unk>", "x")]
    pieces += [Piece("<unk>", 1.5, UNKNOWN), Piece("x")]
    path = written(tmp_path_factory.mktemp("model"), extra + model_file(pieces, BPE, trainer=extra, rest=extra))
    model = read_model(path)
    assert list(zip(model.pieces, model.scores, model.kinds, strict=True)) == [
        (piece.text, piece.score, piece.kind) for piece in pieces
    ]
    assert (model.algorithm, model.charsmap, model.byte_fallback) == (BPE, b"", False)


def test_of_a_field_that_stands_twice_the_last_counts(tmp_path: Path) -> None:
    table = charsmap([0] * 256, b"x\0")
    twice = model_file(normalizer=block(2, b"ignored") + block(2, table), rest=block(2, number(3, BPE)))
    model = read_model(written(tmp_path, twice))
    assert (model.algorithm, model.charsmap) == (BPE, table)


def test_no_space_is_put_before_a_text_where_the_file_is_changed_so() -> None:
    plain = sentencepiece.SentencePieceProcessor(model_file=str(SMALL))
    changed = sentencepiece.SentencePieceProcessor(model_proto=without_prefix(SMALL.read_bytes()))
    assert plain.encode("the end", out_type=str)[0] == "\u2581the"
    assert "".join(changed.encode("the end", out_type=str)) == "the\u2581end"


@given(
    st.lists(
        st.one_of(
            st.tuples(st.integers(1, 2**20), st.integers(0, 2**64 - 1)), st.tuples(st.integers(1, 99), st.binary())
        )
    )
)
def test_fields_are_read_as_they_were_written(entries: list[tuple[int, int | bytes]]) -> None:
    keyed = [(field << 3 | (0 if isinstance(value, int) else 2), value) for field, value in entries]
    message = b"".join(encoded(key, value) for key, value in keyed)
    assert message == b"".join(
        number(field, value) if isinstance(value, int) else block(field, value) for field, value in entries
    )
    assert list(fields(message)) == keyed


@given(st.binary(max_size=40))
def test_any_bytes_are_fields_or_none(data: bytes) -> None:
    try:
        found = list(fields(data))
    except WireError:
        return
    assert sum(len(value) for _, value in found if isinstance(value, bytes)) <= len(data)


# -- what is wrong with a file -------------------------------------------------------------------------------

FAULTS = {
    "empty": (b"", "0 pieces for what is unknown"),
    "text": (b"not a model at all", "no SentencePiece model"),
    "a field that reaches beyond the end": (model_file() + b"\x0a\x7f", "127 bytes where 0 are left"),
    "a length of 2**63": (b"\x0a" + varint(2**63) + b"x", "bytes where 1 are left"),
    "a number without an end": (b"\x10" + b"\xff" * 20, "number without an end"),
    "a field number of 0": (b"\x02\x00", "field number 0"),
    "a group": (b"\x0b\x0c", "unknown kind 3"),
    "a piece without text": (model_file([*BASIC, Piece("")]), "piece 11 has 0 bytes"),
    "a very long piece": (model_file([*BASIC, Piece("q" * 5000)]), "piece 11 has 5000 bytes"),
    "a piece that is not UTF-8": (model_file([*BASIC, Piece(b"\xff\xfe")]), "no SentencePiece model"),
    "a piece with a zero byte": (model_file([*BASIC, Piece("x\0y")]), "'x\\x00y'"),
    "a piece twice": (model_file([*BASIC, Piece("ab")]), "'ab' twice"),
    "no piece for the unknown": (model_file(BASIC[1:]), "0 pieces for what is unknown"),
    "two pieces for the unknown": (model_file([*BASIC, Piece("<u>", kind=UNKNOWN)]), "2 pieces for what is unknown"),
    "nothing but special pieces": (model_file(BASIC[:3]), "has no pieces"),
    "a score that is no number": (model_file([*BASIC, Piece("q", float("nan"))]), "no finite number"),
    "an endless score": (model_file([*BASIC, Piece("q", float("-inf"))]), "no finite number"),
    "a byte without fallback": (model_file([*BASIC, Piece("<0x00>", kind=BYTE)]), "1 pieces for single bytes"),
    "fallback without bytes": (model_file(trainer=number(35, 1)), "0 pieces for single bytes"),
    "a short table": (model_file(normalizer=block(2, b"abc")), "where its trie ends"),
    "a table of nothing": (model_file(normalizer=block(2, bytes(8))), "where its trie ends"),
    "a table that ends early": (model_file(normalizer=block(2, struct.pack("<I", 1024) + bytes(8))), "its trie ends"),
    "a damaged denormalizer": (
        model_file(rest=block(5, block(2, charsmap([2**32 - 1] * 16, b"x\0")))),
        "denormalizing",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_damaged_files_are_refused(name: str, tmp_path: Path) -> None:
    content, reason = FAULTS[name]
    path = written(tmp_path, content)
    for make in (T5Tokenizer, T5TokenizerFast, MBartTokenizerFast):
        with pytest.raises(FileError) as caught:
            make(vocab_file=path)
        assert str(path) in str(caught.value) and reason in str(caught.value)


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.model", "nul\0byte", None):
        for make in (T5Tokenizer, T5TokenizerFast):
            with pytest.raises(FileError, match="expected"):
                make(vocab_file=path)


@pytest.mark.parametrize("algorithm", [WORD, CHAR])
def test_models_of_words_and_characters_are_for_the_slow_class(algorithm: int, tmp_path: Path) -> None:
    path = written(tmp_path, model_file([*BASIC, Piece("\u2581ab", -1.0)], algorithm))
    expected = ["\u2581ab"] if algorithm == WORD else ["\u2581", "a", "b"]
    assert T5Tokenizer(path).tokenize("ab") == expected
    with pytest.raises(FileError, match="UNIGRAM or BPE"):
        T5TokenizerFast(path)


@given(st.data())
def test_whatever_happens_to_a_file_is_an_answer_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(data.draw(st.sampled_from([SMALL, WITH_TABLE])).read_bytes())
    places = st.integers(0, len(content) - 1)
    for place, bit in data.draw(st.lists(st.tuples(places, st.integers(0, 7)), max_size=4)):
        content[place] ^= 1 << bit
    start, length = data.draw(places), data.draw(st.integers(0, 30))
    content[start : start + length] = data.draw(st.binary(max_size=30))
    path = written(tmp_path_factory.mktemp("model"), bytes(content[: data.draw(st.sampled_from([None, start]))]))
    for make in (T5Tokenizer, T5TokenizerFast):
        try:
            tokenizer = make(vocab_file=path)
            for text in ("Hello \ufb01 \u3000 \u1e9b\u0323 world", "\0 \U0001d518"):
                tokenizer.decode(tokenizer(text)["input_ids"])
        except TriformersError as error:
            assert "expected" in str(error)


# -- the table of characters ---------------------------------------------------------------------------------


def table_of(path: Path) -> bytes:
    return read_model(path).charsmap


def test_the_usual_table_is_right() -> None:
    table = table_of(WITH_TABLE)
    assert len(table) == 240_007 and fault_in(table) is None and fault_in(b"") is None


def node(offset: int, label: int = 0, leaf: bool = False) -> int:
    """A unit of a trie."""
    return offset << 10 | leaf << 8 | label


def trie(units: dict[int, int], size: int = 512) -> list[int]:
    return [units.get(place, 0) for place in range(size)]


@pytest.mark.parametrize(
    ("units", "fault"),
    [
        ({0: node(1), 1 ^ 97: node(2, 97, leaf=True), 1 ^ 97 ^ 2: 0x8000_0000}, None),
        ({0: node(600)}, "out of its trie"),
        ({0: node(256), 256 ^ 97: node(1024, 97)}, "out of its trie"),
        ({0: node(1), 1 ^ 97: node(2, 97, leaf=True), 1 ^ 97 ^ 2: 0x8000_0063}, "no replacement"),
        ({0: node(1), 1 ^ 97: node(0, 97)}, None),
        # The child for "a" of this place is the place itself.
        ({0: node(256), 256 ^ 97: node(97, 97)}, "without an end"),
    ],
)
def test_tables_are_walked_through(units: dict[int, int], fault: str | None) -> None:
    found = fault_in(charsmap(trie(units), b"x\0"))
    assert found is None if fault is None else fault in (found or "")


@pytest.mark.parametrize("replacements", [b"", b"x", b"\xff\0", b"\xc3\0"])
def test_replacements_are_text_that_ends(replacements: bytes) -> None:
    assert fault_in(charsmap(trie({}), replacements)) is not None


def test_a_place_inside_a_character_is_no_replacement() -> None:
    units = {0: node(1), 1 ^ 97: node(2, 97, leaf=True), 1 ^ 97 ^ 2: 0x8000_0001}
    assert fault_in(charsmap(trie(units), "\u00e9\0".encode())) == "leads to no replacement"


def test_large_tables_are_not_walked_through() -> None:
    assert fault_in(bytes(MAX_BYTES + 1)) == f"has {MAX_BYTES + 1} bytes"


# -- merges --------------------------------------------------------------------------------------------------


@given(st.dictionaries(st.text("abc", min_size=1, max_size=6), st.integers(-9, 0), max_size=30))
def test_merges_are_all_pairs_of_pieces_by_score(scores: dict[str, int]) -> None:
    pieces = list(scores)
    merges = merges_of(pieces, [(piece, float(score)) for piece, score in scores.items()])
    pairs = {(left, right) for left in pieces for right in pieces if left + right in scores}
    assert set(merges) == pairs and len(merges) == len(pairs)
    keys = [(scores[left + right], len(left), len(right)) for left, right in merges]
    assert all(before >= after for before, after in pairwise(keys))


class Counted(str):
    """A piece that counts how often it is cut."""

    cuts = 0

    def __getitem__(self, part: object) -> str:
        Counted.cuts += 1
        return super().__getitem__(part)  # type: ignore[index]


def test_long_pieces_are_cut_where_pieces_end_alone() -> None:
    pieces = [Counted("a" * length) for length in (1, 2, 500, 1000)]
    merges = merges_of(pieces, [(piece, 0.0) for piece in pieces])
    assert merges == [("a" * 500, "a" * 500), ("a", "a")] and Counted.cuts == 4


def test_the_model_keeps_what_the_unknown_is() -> None:
    assert SentencePieceModel(pieces=["a", "b"], scores=[0.0, 0.0], kinds=[NORMAL, UNKNOWN]).unk_id == 1
