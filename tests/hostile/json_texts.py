"""Texts that are no JSON object, each by what is wrong with it: every JSON file of a checkpoint is tried with all."""

from __future__ import annotations

from collections.abc import Mapping

DEEP = 100_000

NO_OBJECTS: Mapping[str, bytes] = {
    "empty": b"",
    "spaces alone": b"  \n ",
    "null": b"null",
    "a number": b"7",
    "a string": b'"model"',
    "a list": b"[1, 2]",
    "cut short": b'{"model_type": "be',
    "two documents": b"{} {}",
    "something behind it": b'{"model_type": "bert"} x',
    "a comment": b'{"model_type": "bert" /* here */}',
    "a comma too many": b'{"model_type": "bert",}',
    "single quotes": b"{'model_type': 'bert'}",
    "a key twice": b'{"model_type": "bert", "model_type": "gpt2"}',
    "a key twice within": b'{"model_type": "bert", "id2label": {"0": "a", "0": "b"}}',
    "not a number": b'{"model_type": "bert", "layer_norm_eps": NaN}',
    "infinity": b'{"model_type": "bert", "layer_norm_eps": Infinity}',
    "minus infinity": b'{"model_type": "bert", "layer_norm_eps": -Infinity}',
    "a number beyond float64": b'{"model_type": "bert", "layer_norm_eps": 1e999}',
    "a number of 100,000 digits": b'{"model_type": "bert", "vocab_size": ' + b"9" * 100_000 + b"}",
    "arrays in arrays": b'{"a": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    "objects in objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "arrays that never end": b"[" * 10**6,
    "strings that never end": b'["' * 300_000,
    "not UTF-8": b'{"model_type": "\xff\xfe"}',
    "UTF-16": '{"model_type": "bert"}'.encode("utf-16"),
    "a NUL": b'{"model_type": "be\0rt"}',
    "half a surrogate pair": b'{"model_type": "\\ud800"}',
    "a page": b"<!DOCTYPE html><html></html>",
    "a pickle": b"\x80\2cos\nsystem\nX\x0e\0\0\0touch executed\x85R.",
    "a program": b"import os; os.system('touch executed')",
}
