"""safetensors files that are wrong, each by what is wrong with it."""

from __future__ import annotations

import json
from typing import Any


def assembled(header: Any, payload: bytes = b"") -> bytes:
    """A file with this header, which need not be true."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + payload


def entry(code: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict[str, Any]:
    """A tensor as a header describes it; by default one that is right with 8 bytes behind it."""
    return {"dtype": code, "shape": shape, "data_offsets": offsets}


DEEP = b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"

HOSTILE = {
    "empty": b"",
    "shorter than a length": b"\x02\0\0\0\0",
    "header longer than the file": (1000).to_bytes(8, "little") + b"{}",
    "header longer than any machine": b"\xff" * 8 + b"{}",
    "header that is a list": assembled([]),
    "header that is no JSON": assembled(b"{"),
    "header that is not UTF-8": assembled(b'{"\xff": 1}'),
    "two documents": assembled(b"{}{}"),
    "deep nesting": assembled(DEEP),
    "a key twice": assembled(b'{"x":%s,"x":%s}' % ((json.dumps(entry()).encode(),) * 2), bytes(8)),
    "a field twice": assembled(b'{"x":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(8)),
    "a header that begins with a space": assembled(b" " + json.dumps({"x": entry()}).encode(), bytes(8)),
    "a header behind a byte order mark": assembled(b"\xef\xbb\xbf" + json.dumps({"x": entry()}).encode(), bytes(8)),
    "not a number": assembled(b'{"x":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}}', bytes(8)),
    "a name that is half a pair": assembled(b'{"\\ud800":%s}' % json.dumps(entry()).encode(), bytes(8)),
    "metadata of numbers": assembled({"__metadata__": {"format": 1}, "x": entry()}, bytes(8)),
    "metadata within metadata": assembled({"__metadata__": {"a": {"b": "c"}}, "x": entry()}, bytes(8)),
    "metadata that is a list": assembled({"__metadata__": ["pt"], "x": entry()}, bytes(8)),
    "metadata that is a tensor": assembled({"__metadata__": entry(), "x": entry()}, bytes(8)),
    "a tensor that is no object": assembled({"x": 7}),
    "no dtype": assembled({"x": {"shape": [2], "data_offsets": [0, 8]}}, bytes(8)),
    "no shape": assembled({"x": {"dtype": "F32", "data_offsets": [0, 8]}}, bytes(8)),
    "no offsets": assembled({"x": {"dtype": "F32", "shape": [2]}}, bytes(8)),
    "unknown type": assembled({"x": entry("F31")}, bytes(8)),
    "a type of four bits": assembled({"x": entry("F4", [4], [0, 2])}, bytes(2)),
    "type in lower case": assembled({"x": entry("f32")}, bytes(8)),
    "type that is a list": assembled({"x": entry(["F32"])}, bytes(8)),
    "type that is an object": assembled({"x": entry({})}, bytes(8)),
    "shape that is a number": assembled({"x": entry(shape=2)}, bytes(8)),
    "shape of fractions": assembled({"x": entry(shape=[2.0])}, bytes(8)),
    "shape of truth values": assembled({"x": entry("F64", [True])}, bytes(8)),
    "shape of strings": assembled({"x": entry(shape=["2"])}, bytes(8)),
    "negative sizes": assembled({"x": entry(shape=[-1, -2])}, bytes(8)),
    "sizes whose product wraps": assembled({"x": entry(shape=[2**32, 2**31, 2])}, bytes(8)),
    "sizes beyond 64 bits": assembled({"x": entry(shape=[2**64, 0], offsets=[0, 0])}),
    "nothing of an impossible shape": assembled({"x": entry(shape=[0, 2**40, 2**40], offsets=[0, 0])}),
    "more axes than an array has": assembled({"x": entry("F64", [1] * 65)}, bytes(8)),
    "a size of thousands of digits": assembled(b'{"x":{"dtype":"F32","shape":[1%s]}}' % (b"0" * 5000)),
    "one offset": assembled({"x": entry(offsets=[0])}, bytes(8)),
    "three offsets": assembled({"x": entry(offsets=[0, 8, 8])}, bytes(8)),
    "offsets the wrong way round": assembled({"x": entry(offsets=[8, 0])}, bytes(8)),
    "fewer bytes than the shape": assembled({"x": entry(offsets=[0, 4])}, bytes(4)),
    "more bytes than the shape": assembled({"x": entry(offsets=[0, 12])}, bytes(12)),
    "cut short": assembled({"x": entry()}, bytes(7)),
    "without its tensors": assembled({"x": entry()}),
    "padded": assembled({"x": entry()}, bytes(9)),
    "tensors that nobody names": assembled({}, bytes(8)),
    "starting late": assembled({"x": entry(offsets=[8, 16])}, bytes(16)),
    "overlapping": assembled({"x": entry(), "y": entry(offsets=[4, 12])}, bytes(12)),
    "the same bytes twice": assembled({"x": entry(), "y": entry()}, bytes(8)),
    "a gap": assembled({"x": entry(), "y": entry(offsets=[12, 20])}, bytes(20)),
    "a hundred thousand tensors in no room": assembled(
        {f"x{index}": entry(shape=[0], offsets=[8, 8]) for index in range(10_000)}
    ),
    "a name of a megabyte": assembled({"x" * 10**6: entry(offsets=[0, 4])}, bytes(4)),
    "an empty one inside another": assembled({"x": entry(), "y": entry(shape=[0], offsets=[4, 4])}, bytes(8)),
}
