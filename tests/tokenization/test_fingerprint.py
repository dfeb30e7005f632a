"""The fingerprint of a tokenizer: what is saved of it, and what loading notices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.tokenization.goldens import Family
from tests.tokenization.test_families import NOT_SAVED
from triformers.cli import main
from triformers.files.errors import FileError
from triformers.tokenization.fingerprint import FINGERPRINT_FILE, fingerprint_of


@pytest.fixture
def saved(tokenizer: Any, tmp_path: Path) -> Path:
    """A directory with a tokenizer and its fingerprint."""
    paths = tokenizer.save_pretrained(tmp_path, fingerprint=True)
    assert str(tmp_path / FINGERPRINT_FILE) in paths
    return tmp_path


def test_every_tokenizer_keeps_its_fingerprint(family: Family, tmp_path: Path) -> None:
    for kind in family.document["classes"]:
        if family.document["classes"][kind] in (None, *NOT_SAVED):
            continue
        tokenizer = family.load(kind)
        tokenizer.add_tokens(["newtok"])
        tokenizer.save_pretrained(tmp_path / kind, fingerprint=True)
        again = type(tokenizer).from_pretrained(tmp_path / kind)
        assert fingerprint_of(again) == fingerprint_of(tokenizer) != fingerprint_of(family.load(kind))


def test_an_unchanged_tokenizer_is_loaded(tokenizer: Any, kind: str, saved: Path) -> None:
    again = type(tokenizer).from_pretrained(saved)
    content = json.loads((saved / FINGERPRINT_FILE).read_text())
    assert content == {kind: fingerprint_of(tokenizer)} == {kind: fingerprint_of(again)}
    assert "fingerprint" not in again.init_kwargs


def test_a_changed_tokenizer_is_noticed(tokenizer: Any, saved: Path) -> None:
    cls = type(tokenizer)
    with pytest.raises(FileError, match="gives other ids"):
        cls.from_pretrained(saved, do_lower_case=not tokenizer.do_lower_case)
    (saved / "tokenizer.json").unlink(missing_ok=True)
    lines = (saved / "vocab.txt").read_text(encoding="utf-8").splitlines()
    lines[100], lines[101] = lines[101], lines[100]
    (saved / "vocab.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(FileError, match="fingerprint=False"):
        cls.from_pretrained(saved)
    changed = cls.from_pretrained(saved, fingerprint=False)
    changed.save_pretrained(saved)  # a save without one takes that of the other away
    assert not (saved / FINGERPRINT_FILE).exists()
    assert fingerprint_of(cls.from_pretrained(saved)) == fingerprint_of(changed)


def test_the_other_kind_is_not_compared(cased: Family, kind: str, saved: Path) -> None:
    other = type(cased.load("slow" if kind == "fast" else "fast"))
    assert other.from_pretrained(saved)("a")["input_ids"]


@pytest.mark.parametrize("content", ["", "[]", '{"slow": 3, "fast": 3}', '{"slow": "x", "fast": "y"}'])
def test_a_damaged_fingerprint_is_refused(tokenizer: Any, saved: Path, content: str) -> None:
    (saved / FINGERPRINT_FILE).write_text(content)
    with pytest.raises(FileError, match=FINGERPRINT_FILE):
        type(tokenizer).from_pretrained(saved)


def test_files_without_a_fingerprint_load_as_ever(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.save_pretrained(tmp_path)
    assert not (tmp_path / FINGERPRINT_FILE).exists()
    assert fingerprint_of(type(tokenizer).from_pretrained(tmp_path)) == fingerprint_of(tokenizer)


def test_small_changes_show(tokenizer: Any) -> None:
    before = fingerprint_of(tokenizer)
    assert before == fingerprint_of(tokenizer) and len(before) == 64
    tokenizer.add_tokens(["newtok"])
    with_a_token = fingerprint_of(tokenizer)
    tokenizer.model_max_length = 5  # what the model takes is not what the tokenizer does
    tokenizer.padding_side = "left"
    assert before != with_a_token == fingerprint_of(tokenizer)


def test_inspect_shows_it(tokenizer: Any, kind: str, saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # `inspect` loads the fast class where there is one, as AutoTokenizer does.
    is_compared = kind == "fast"
    assert main(["inspect", str(saved), "--json", "--verify"]) == 0
    found = json.loads(capsys.readouterr().out)["tokenizer"]
    assert found["class"] == "BertTokenizerFast" and found["tokens"] == len(tokenizer)
    assert found["recorded"] == (found["fingerprint"] if is_compared else None)
    assert main(["inspect", str(saved)]) == 0
    assert ("as it was saved" if is_compared else "none was saved") in capsys.readouterr().out
    (saved / FINGERPRINT_FILE).write_text(json.dumps({"fast": "0" * 64}))
    assert main(["inspect", str(saved)]) == 0
    assert "CHANGED, 000000000000 was saved" in capsys.readouterr().out
    (saved / "vocab.txt").write_text("")
    (saved / "tokenizer.json").write_text("{")
    assert main(["inspect", str(saved)]) == 0
    assert "does not load" in capsys.readouterr().out
