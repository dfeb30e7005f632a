"""Folders whose names lead elsewhere: links, pipes, folders for files, and saves that were never made here."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from tests.hostile.corpus import CONFIGURED, TOKENIZER, WITH_TENSORS, Case, Content, sound
from triformers.files.inventory import seal
from triformers.files.layout import MANIFEST_NAME, PUBLISHED, RECORD_NAME

Files: TypeAlias = dict[str, Content]

RECORD = f"{PUBLISHED}/{RECORD_NAME}"
EVERY = ("AutoConfig", "AutoTokenizer", "tensors", "Model")


def linked(target: str) -> Content:
    """A link."""
    return lambda path: os.symlink(target, path)


#: What may stand where a file is expected.
THINGS: Mapping[str, Content] = {
    "a folder": lambda path: path.mkdir(),
    "a pipe": lambda path: os.mkfifo(path),
    "a link to itself": lambda path: os.symlink(path.name, path),
    "a link to nothing": linked("nothing"),
    "a link to a device": linked("/dev/zero"),
    "a link to a pipe": lambda path: (os.mkfifo(path.with_name("pipe")), os.symlink("pipe", path)),
}

#: Which file they stand for, who reads it, and what must not be there for that.
FILES: Mapping[str, tuple[tuple[str, ...], frozenset[str]]] = {
    "config.json": (CONFIGURED, frozenset({"config.json"})),
    "model.safetensors": (WITH_TENSORS, frozenset({"model.safetensors"})),
    "vocab.txt": (TOKENIZER, frozenset({"vocab.txt", "tokenizer.json"})),
    "tokenizer.json": (TOKENIZER[:1], frozenset({"vocab.txt", "tokenizer.json"})),
}

#: Names that the record of a publication may list.
NAMES = ("../outside/stolen", "/tmp/stolen", "a/../../outside/stolen", "C:stolen", "..\\stolen", "", ".", "\0")


def entry(data: bytes) -> dict[str, Any]:
    """What a record or manifest says of a file."""
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def published(files: Mapping[str, Any], removed: Any = (), contents: Mapping[str, Content] | None = None) -> Files:
    """A publication that was never made here: its record, and what is in its folders."""
    record = seal({"files": files, "removed": list(removed) if isinstance(removed, tuple) else removed})
    return {RECORD: record, **{f"{PUBLISHED}/{name}": content for name, content in (contents or {}).items()}}


def publications() -> Iterator[tuple[str, Files]]:
    """Publications that must not be finished, by what they would do."""
    data, out = b"stolen", linked("../../../outside")
    here = {"files/stolen": data}
    for name in NAMES:
        yield f"puts a file at {name!r}", published({name: entry(data)}, (), here)
        yield f"deletes {name!r}", published({}, (name,))
    way: Files = {"way": linked("../outside")}
    yield "puts a file into a link", way | published({"way/stolen": entry(data)}, (), {"files/way/stolen": data})
    yield "deletes through a link", way | published({}, ("way/secret",))
    yield "puts files from elsewhere", published({"secret": entry(b"secret")}, (), {"files": out})
    yield "puts a link", published({"stolen": entry(data)}, (), {"files/stolen": linked("../../../../outside/secret")})
    kept = {"files/config.json": sound()["config.json"], "old": out}
    yield "keeps old files elsewhere", published({"config.json": entry(sound()["config.json"])}, (), kept)
    yield "lacks its file", published({"stolen": entry(data)})
    yield "has another size", published({"stolen": {**entry(data), "size": 5}}, (), here)
    yield "has a size beyond 64 bits", published({"stolen": {**entry(data), "size": 2**70}}, (), here)
    yield "has no hash", published({"stolen": {"size": 6}}, (), here)
    yield "removes what is no list", published({}, {"a": 1})
    yield "removes numbers", published({}, (1, None))
    yield "has a record with another hash", {RECORD: seal({"files": {}, "removed": []}).replace(b"format", b"firmat")}
    yield "has a record that is no JSON", {RECORD: b"\0" * 100}
    yield "has a record of numbers", {RECORD: b"[1]"}
    yield "has a deep record", {RECORD: b"[" * 10**5}
    yield "has a record that is a pipe", {RECORD: lambda path: os.mkfifo(path)}
    yield "has a record elsewhere", {RECORD: linked("../../../outside/secret")}
    yield "has no record", {f"{PUBLISHED}/files/config.json": b"{}"}


#: What looks like a publication, and is none.
NONE: Mapping[str, Files] = {
    "is a link": {PUBLISHED: linked("../../outside")},
    "is a file": {PUBLISHED: b""},
    "is in a folder that is a link": {".triformers": linked("../outside")},
    "is beside a stage that is a link": {".triformers/stage-x": linked("../../outside")},
}


def cases() -> list[Case]:
    """The cases of this file."""
    found = [
        Case(f"{file} is {what}", {file: thing}, doors, without)
        for what, thing in THINGS.items()
        for file, (doors, without) in FILES.items()
    ]
    found += [Case(f"publication: {what}", files, EVERY) for what, files in publications()]
    found += [Case(f"publication: {what}", files, EVERY, verdict="harmless") for what, files in NONE.items()]
    return [
        *found,
        _leading_out(),
        Case("manifest: no JSON", {MANIFEST_NAME: b"["}, EVERY, verdict="read"),
        Case("manifest: climbs", {MANIFEST_NAME: seal({"files": {"../x": entry(b"")}})}, EVERY, verdict="read"),
    ]


def _leading_out() -> Case:
    """A file beside the tensors that is really someone else's."""
    return Case("a link beside the tensors leads out", {"notes.txt": linked("../outside/secret")}, ("convert",))
