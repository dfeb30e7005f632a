"""The strict loader agrees with the standard one on everything proper, and refuses the rest by one error."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triformers.files.errors import FileError
from triformers.files.strict_json import load_json, load_json_object, parse_json

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(value=values, ascii_only=st.booleans(), mark=st.booleans())
@settings(max_examples=100)
def test_reads_what_the_standard_writer_writes(value: object, ascii_only: bool, mark: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert parse_json(text, source="x") == value
    if "\\ud" not in text.lower():  # a lone surrogate has no bytes
        try:
            raw = text.encode("utf-8")
        except UnicodeEncodeError:
            return
        assert parse_json(b"\xef\xbb\xbf" * mark + raw, source="x") == value


@given(raw=st.binary(max_size=40) | st.text('[]{}",:\\u0 1eE.-NaInfty', max_size=60).map(str.encode))
@settings(max_examples=300)
def test_any_bytes_give_a_value_or_the_one_error(raw: bytes) -> None:
    try:
        value = parse_json(raw, source="the file")
    except FileError as error:
        assert str(error).startswith("the file ")
    else:
        assert value == json.loads(raw)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "b": {"x": 1, "x": 2}}', "'x' twice"),
        ('{"a": 1, "\\u0061": 2}', "'a' twice"),
        ('{"a": NaN}', "NaN"),
        ("[-Infinity]", "-Infinity"),
        ("[1e999]", "1e999"),
        ("9" * 5000, "digits"),
        ("[0." + "3" * 5000 + "]", "digits"),
        ("", "empty"),
        (" \n", "empty"),
        ("{} {}", "line 1, column 4"),
        ("[1,\n 2,]", "line 2"),
        ("'a'", "not JSON"),
        (b'"\xff"', "not UTF-8"),
        ("{}".encode("utf-16"), "not UTF-8"),
        ('"\ud800"', "surrogate"),
        ('"\x01"', "not JSON"),
    ],
)
def test_refuses_with_the_reason(text: str | bytes, reason: str) -> None:
    with pytest.raises(FileError, match=reason) as caught:
        parse_json(text, source="config.json")
    assert "config.json" in str(caught.value)
    assert isinstance(caught.value, OSError) and isinstance(caught.value, ValueError)


def test_special_numbers_only_when_allowed() -> None:
    assert parse_json("[Infinity, -1e999]", source="x", allow_nan=True) == [float("inf"), float("-inf")]
    assert parse_json('"NaN Infinity 1e999"', source="x") == "NaN Infinity 1e999"
    assert parse_json('"' + "9" * 5000 + '"', source="x") == "9" * 5000


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_depth_is_bounded_exactly(opening: str, closing: str) -> None:
    def nested(depth: int) -> str:
        return opening * depth + "1" + closing * depth

    parse_json(nested(7), source="x", max_depth=7)
    with pytest.raises(FileError, match="8 levels"):
        parse_json(nested(8), source="x", max_depth=7)
    with pytest.raises(FileError, match="levels"):
        parse_json(nested(100_000), source="x")
    with pytest.raises(FileError, match="levels"):
        parse_json(opening * 100_000, source="x")


def test_brackets_in_strings_are_no_depth() -> None:
    text = json.dumps(["[" * 1000, '"{' * 1000, "\\", "\\\\[", {'"[[': "]"}])
    assert parse_json(text, source="x", max_depth=2) == json.loads(text)


def test_no_recursion_error_however_deep_the_caller_is() -> None:
    def descend(levels: int) -> None:
        if levels:
            return descend(levels - 1)
        with pytest.raises(FileError, match="call stack"):
            parse_json("[" * 64 + "]" * 64, source="x")

    frame, used = sys._getframe(), 0
    while frame is not None:
        frame, used = frame.f_back, used + 1
    if sys.version_info >= (3, 12):  # the parser's own recursion has another limit there
        pytest.skip("the parser does not share the interpreter's stack limit")
    descend(sys.getrecursionlimit() - used - 55)


@pytest.mark.parametrize(
    "document",
    [
        json.dumps({"vocab": {f'tok"\\{i}': i for i in range(120_000)}, "scores": [0.5] * 200_000}).encode(),
        b"[" * 4_000_000,
        b'"' + b'\\"' * 2_000_000,
        b'"' * 4_000_001,
        (b'"' + b"\\" * 999) * 4000,
    ],
    ids=["tokenizer", "brackets", "unterminated", "quotes", "backslashes"],
)
def test_time_is_linear(document: bytes) -> None:
    began = time.process_time()
    with contextlib.suppress(FileError):
        parse_json(document, source="x")
    assert time.process_time() - began < 2.0  # measured: at most 0.4; quadratic behaviour takes minutes


def test_size_is_checked_before_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "big.json"
    with open(path, "wb") as file:
        file.truncate(2**40)  # sparse: reading it would be felt
    with pytest.raises(FileError, match=str(2**40)):
        load_json(path)
    small = tmp_path / "small.json"
    small.write_text("[1]")
    assert load_json(small, max_bytes=3) == [1]
    with pytest.raises(FileError, match="3 bytes"):
        load_json(small, max_bytes=2)
    with pytest.raises(FileError, match="3 bytes"):
        parse_json("[1]", source="x", max_bytes=2)

    grown = os.stat_result((*os.stat(small)[:6], 1, *os.stat(small)[7:]))
    monkeypatch.setattr(os, "stat", lambda path: grown)  # a file that grows after it was looked at
    with pytest.raises(FileError, match="at most 2"):
        load_json(small, max_bytes=2)


def test_what_is_no_readable_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, reason in [
        (tmp_path / "absent.json", "No such file"),
        (tmp_path, "directory"),
        (tmp_path / "pipe", "regular"),
        (tmp_path / "a\0b", "null"),
    ]:
        with pytest.raises(FileError, match=reason):
            load_json(path)


def test_object_is_required_where_asked(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"a": 1}')
    assert load_json_object(path) == {"a": 1}
    for text, kind in [
        ("[]", "array"),
        ("null", "null"),
        ("true", "boolean"),
        ("1", "number"),
        ('"a"', "string"),
    ]:
        path.write_text(text)
        with pytest.raises(FileError, match=f"JSON {kind}"):
            load_json_object(path)
