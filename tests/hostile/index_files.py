"""Sharded checkpoints whose index, or whose shards, are not what they say."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from tests.hostile.corpus import CONFIG_VALUES, DATA, TENSORS, Case, Content, as_json, sound
from tests.hostile.safetensors_files import assembled, entry

INDEX = "model.safetensors.index.json"
FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
WHOLE = frozenset({"model.safetensors"})
#: Two shards of one tensor each.
SHARDS = {FIRST: assembled({"x": entry()}, bytes(8)), SECOND: assembled({"y": entry()}, bytes(8))}


def index(weight_map: Any, **more: Any) -> bytes:
    """The bytes of an index."""
    return as_json({"metadata": {"total_size": 16}, "weight_map": weight_map, **more})


def named(first: Any, second: Any = SECOND) -> bytes:
    """An index that names these two files."""
    return index({"x": first, "y": second})


def linked(target: str) -> Content:
    """A link."""
    return lambda path: os.symlink(target, path)


#: What an index may say in the place of the first shard's name.
NAMES: Mapping[str, Any] = {
    "a file above": "../model.safetensors",
    "a file far above": "../" * 40 + "etc/passwd",
    "a file that is absolute": "/etc/passwd",
    "a file above in a folder": "folder/../../model.safetensors",
    "a file with backslashes": "..\\..\\model.safetensors",
    "a file on a drive": "C:model.safetensors",
    "a file on a server": "//server/share/model.safetensors",
    "a page": "https://example.com/model.safetensors",
    "a file of another scheme": "file:///etc/passwd",
    "a NUL": "model\0.safetensors",
    "nothing": "",
    "its own folder": ".",
    "the folder above": "..",
    "a shard that is not there": "model-00003-of-00002.safetensors",
    "itself": INDEX,
    "the configuration": "config.json",
    "a name of a megabyte": "x" * 10**6,
    "a user's home": "~/model.safetensors",
    "an environment variable": "$HOME/model.safetensors",
    "a device": "/dev/zero",
    "standard input": "/dev/stdin",
    "a number": 7,
    "null": None,
    "a list": [FIRST],
    "an object": {"file": FIRST},
    "true": True,
}

#: What an index may be.
TEXTS: Mapping[str, bytes] = {
    "empty": b"",
    "null": b"null",
    "a list": b"[]",
    "no object at all": b"weight_map",
    "no weight_map": b"{}",
    "a weight_map that is null": as_json({"weight_map": None}),
    "a weight_map that is a list": as_json({"weight_map": [FIRST, SECOND]}),
    "a weight_map that is a string": as_json({"weight_map": FIRST}),
    "a tensor twice": named(FIRST).replace(b'"y"', b'"x"'),
    "a weight_map twice": b'{"weight_map": {}, "weight_map": {"x": "%s"}}' % FIRST.encode(),
    "a total that is not a number": b'{"metadata": {"total_size": NaN}, "weight_map": {"x": "%s"}}' % FIRST.encode(),
    "deep nesting": b'{"weight_map": ' + b'{"a":' * 100_000 + b"{}" + b"}" * 100_000 + b"}",
    "not UTF-8": b'{"weight_map": {"\xff": "x"}}',
    "cut short": named(FIRST)[:-10],
    "a tensor that no shard has": index({"x": FIRST, "y": SECOND, "z": SECOND}),
    "a tensor in the other shard": named(SECOND, FIRST),
    "all in one shard": named(FIRST, FIRST),
    "no tensors": index({"z": FIRST}),
    "twenty thousand shards": index({f"x{number}": f"model-{number}.safetensors" for number in range(20_000)}),
    "one shard under two names": index({"x": FIRST, "y": f"./{FIRST}"}),
}  # fmt: skip

#: What may stand in the place of the first shard, and beside it.
FILES: Mapping[str, Mapping[str, Content]] = {
    "a link out of the folder": {FIRST: linked("../outside/model.safetensors")},
    "a link to a link out of the folder": {FIRST: linked("step"), "step": linked("../outside/model.safetensors")},
    "a link in a folder that is a link": {
        "folder": linked("../outside"), INDEX: named("folder/model.safetensors"),
    },
    "an absolute link": {FIRST: linked("/etc/passwd")},
    "a link to itself": {FIRST: linked(FIRST)},
    "a link to nothing": {FIRST: linked("nothing")},
    "a link to a device": {FIRST: linked("/dev/zero")},
    "a folder": {FIRST: lambda path: path.mkdir()},
    "a pipe": {FIRST: lambda path: os.mkfifo(path)},
    "an empty file": {FIRST: b""},
    "half a file": {FIRST: SHARDS[FIRST][:40]},
    "a file of another format": {FIRST: b"PK\3\4" + bytes(100)},
    "a tensor in two shards": {SECOND: assembled({"x": entry(), "y": entry(offsets=(8, 16))}, bytes(16))},
    "a tensor that nobody lists": {SECOND: assembled({"z": entry(), "y": entry(offsets=(8, 16))}, bytes(16))},
    "a shard without its tensor": {FIRST: assembled({})},
}  # fmt: skip


def cases() -> list[Case]:
    """The cases of this file."""
    found = [
        Case(f"index: names {what}", {INDEX: named(name), **SHARDS}, TENSORS, WHOLE, "json")
        for what, name in NAMES.items()
    ]
    found += [Case(f"index: {what}", {INDEX: text, **SHARDS}, TENSORS, WHOLE, INDEX) for what, text in TEXTS.items()]
    found += [
        Case(f"shards: {what}", {INDEX: named(FIRST), **SHARDS, **files}, TENSORS, WHOLE, "safetensors")
        for what, files in FILES.items()
    ]
    left_out = {INDEX: index({"x": FIRST}), **SHARDS}
    found.append(Case("index: leaves a shard out", left_out, TENSORS, WHOLE, verdict="harmless"))
    return [*found, *_of_other_formats(), _absurd_total()]


def _of_other_formats() -> list[Case]:
    found = []
    for folder, file in (("flax-shards", "flax_model.msgpack"), ("tensorflow-shards", "tf_model.h5")):
        name = f"{file}.index.json"
        files = {path.name: path.read_bytes() for path in sorted((DATA / folder).iterdir())}
        said = json.loads(files[name])["weight_map"]
        first, last = min(said), max(said)
        for what, lie in {
            "names a file above": {**said, first: "../outside/model.safetensors"},
            "lies about a tensor": {**said, first: said[last]},
            "leaves a tensor out": {key: value for key, value in said.items() if key != first},
        }.items():
            found.append(Case(f"{file} index: {what}", {**files, name: index(lie)}, TENSORS, WHOLE, name))
    bad = {"pytorch_model.bin.index.json": index({"x": "../outside/pytorch_model.bin"})}
    return [
        *found,
        Case("pytorch_model.bin index: names a file above", bad, TENSORS, WHOLE, "pytorch_model.bin.index.json"),
    ]


def _absurd_total() -> Case:
    """A total that nobody uses: no reason to refuse, and none to allocate."""
    header = sound()["model.safetensors"]
    names = json.loads(header[8 : 8 + int.from_bytes(header[:8], "little")])
    said = {name: "model-00001-of-00001.safetensors" for name in names if name != "__metadata__"}
    files = {
        INDEX: as_json({"metadata": {"total_size": 2**70}, "weight_map": said}),
        "model-00001-of-00001.safetensors": header,
    }
    return Case(
        "index: an absurd total", {**files, "config.json": as_json(CONFIG_VALUES)}, TENSORS, WHOLE, verdict="read"
    )
