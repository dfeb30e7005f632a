"""CTC: what was predicted for each frame becomes a text, its characters and words with their frames; languages."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import GOLDEN
from tests.tokenization.test_bpe import refused
from triformers import Wav2Vec2CTCTokenizer
from triformers.models.wav2vec2.tokenization_wav2vec2 import Wav2Vec2CTCTokenizerOutput

FILES = GOLDEN / "tokenizers"


@pytest.fixture(scope="module")
def tokenizer() -> Wav2Vec2CTCTokenizer:
    """Upper-case letters; tests do not change it."""
    return Wav2Vec2CTCTokenizer.from_pretrained(FILES / "wav2vec2" / "slow")


frames = st.lists(st.tuples(st.sampled_from(["<pad>", "|", "A", "B", "'"]), st.integers(1, 4)), max_size=20).map(
    lambda runs: [token for token, times in runs for _ in range(times)]
)


@given(frames)
def test_repetitions_are_one_and_blanks_go(tokenizer: Wav2Vec2CTCTokenizer, tokens: list[str]) -> None:
    kept = [token for token, _ in groupby(tokens) if token != "<pad>"]
    ids = tokenizer.convert_tokens_to_ids(tokens)
    assert tokenizer.decode(ids) == "".join(kept).replace("|", " ").strip()
    alone = [token for token in tokens if token != "<pad>"]
    assert tokenizer.decode(ids, group_tokens=False) == "".join(alone).replace("|", " ").strip()


@given(frames)
def test_offsets_are_the_frames_of_what_they_name(tokenizer: Wav2Vec2CTCTokenizer, tokens: list[str]) -> None:
    ids = tokenizer.convert_tokens_to_ids(tokens)
    output = tokenizer.decode(ids, output_char_offsets=True, output_word_offsets=True)
    assert isinstance(output, Wav2Vec2CTCTokenizerOutput) and output.text == tokenizer.decode(ids)
    done = 0
    for place in output.char_offsets:
        char = place["char"].replace(" ", "|")
        assert place["start_offset"] >= done and {*tokens[done : place["start_offset"]]} <= {"<pad>"}
        done = place["end_offset"]
        assert tokens[place["start_offset"] : done] == [char] * (done - place["start_offset"]) != []
    assert {*tokens[done:]} <= {"<pad>"}
    assert [place["word"] for place in output.word_offsets] == output.text.split()
    for place in output.word_offsets:
        within = tokens[place["start_offset"] : place["end_offset"]]
        assert "|" not in within and "<pad>" not in (within[0], within[-1])
        assert tokenizer.decode(tokenizer.convert_tokens_to_ids(within)) == place["word"]


def test_a_batch_has_lists_of_what_one_has(tokenizer: Wav2Vec2CTCTokenizer) -> None:
    rows = np.array([[6, 6, 0, 4, 27], [0, 7, 7, 7, 4]])
    texts = tokenizer.batch_decode(rows)
    assert texts == [tokenizer.decode(row) for row in rows] == ["H E", "L"]
    output = tokenizer.batch_decode(rows, output_word_offsets=True)
    single = [tokenizer.decode(row, output_word_offsets=True) for row in rows]
    assert output.text == texts and output.word_offsets == [one.word_offsets for one in single]
    assert output.char_offsets is None and tokenizer.batch_decode([], output_word_offsets=True) == []


def test_each_language_has_a_vocabulary(tmp_path: Path) -> None:
    tokenizer = Wav2Vec2CTCTokenizer.from_pretrained(FILES / "wav2vec2_nested" / "slow")
    english = tokenizer("AN").input_ids
    tokenizer.set_target_lang("fra")
    french = tokenizer("AN").input_ids
    assert french != english and tokenizer.vocab_size == 33
    tokenizer.save_pretrained(tmp_path)
    assert Wav2Vec2CTCTokenizer.from_pretrained(tmp_path)("AN").input_ids == french
    assert Wav2Vec2CTCTokenizer.from_pretrained(tmp_path, target_lang="eng")("AN").input_ids == english


REFUSED: dict[str, tuple[Any, dict[str, Any], tuple[str, ...]]] = {
    "no such language": ({"eng": {"a": 0}, "fra": {"b": 0}}, {"target_lang": "enq"}, ("'enq'", "eng")),
    "which language": ({"eng": {"a": 0}}, {}, ("target_lang=None", "eng")),
    "no languages": ({"a": 0}, {"target_lang": "eng"}, ("'eng'", "no languages", "None")),
    "a language that is none": ({"eng": {"a": 0}, "fra": 3}, {}, ("the id of 'eng'",)),
    "an id that is none": ({"eng": {"a": "0"}}, {"target_lang": "eng"}, ("'eng': the id of 'a'",)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_vocabularies_that_do_not_fit(case: str, tmp_path: Path) -> None:
    vocabulary, arguments, words = REFUSED[case]
    path = tmp_path / "vocab.json"
    path.write_text(json.dumps(vocabulary))
    with pytest.raises(ValueError) as error:
        Wav2Vec2CTCTokenizer(path, **arguments)
    refused(error, *words)


def test_a_vocabulary_of_one_s_own_keeps_long_tokens_whole(tmp_path: Path) -> None:
    path = tmp_path / "vocab.json"
    path.write_text(json.dumps({"<pad>": 0, "<unk>": 1, "a": 2, "sch": 3, "|": 4}))
    tokenizer = Wav2Vec2CTCTokenizer(path)
    assert tokenizer.tokenize("a scha x") == ["a", "sch", "a", "|", "x"] and len(tokenizer) == 7
    assert tokenizer("a xscha").input_ids == [2, 4, 1, 3, 2]
