"""Runs recorded calls (`cases.json`) on the tokenizers and compares every answer.

A folder of recorded calls holds `slow/` and `fast/` (what the two classes load) and `cases.json`: its cases
are calls in order on one object, with the answer in each call. Nodes with one key that begins with `$` stand
for the values that JSON lacks.
"""

from __future__ import annotations

import base64
import builtins
import json
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import AddedToken

import triformers

_FRAMEWORKS = {"pt": "torch", "tf": "tensorflow", "jax": "flax"}
#: The files whose content is recorded where a tokenizer was saved.
_SMALL_FILES = ("added_tokens.json", "special_tokens_map.json", "tokenizer_config.json")
TOKEN_FIELDS = ("content", "single_word", "lstrip", "rstrip", "normalized", "special")


class Mismatch(AssertionError):
    """An answer that differs from the recorded one."""


@dataclass(frozen=True)
class Family:
    """One folder of recorded calls.

    Attributes:
        folder: Where the `cases.json` is.
        files: Kind -> the directory that its class is loaded from.
    """

    folder: Path
    files: Mapping[str, Path]
    document: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        return self.folder.name

    def cases(self, kind: str) -> list[dict[str, Any]]:
        """The cases for the slow or the fast class."""
        return [case for case in self.document["cases"] if kind in case["classes"]]

    def load(self, kind: str, case: Mapping[str, Any] | None = None) -> Any:
        """A fresh tokenizer, loaded as the case says."""
        cls = getattr(triformers, self.document["classes"][kind])
        how = (case or {}).get("load") or {}
        directory = self.files[how.get("dir", kind)]
        return cls.from_pretrained(directory, **read(how.get("kwargs", {})))


def classes_of(folder: Path) -> set[str]:
    """The names of the classes whose calls a folder has."""
    document = json.loads((folder / "cases.json").read_text(encoding="utf-8"))
    return {name for name in document["classes"].values() if name}


def open_family(folder: Path, scratch: Path) -> Family:
    """Read a folder of recorded calls; files that it shares with another are put together in `scratch`."""
    document = json.loads((folder / "cases.json").read_text(encoding="utf-8"))
    return Family(folder, {kind: _files(folder, kind, scratch) for kind in ("slow", "fast")}, document)


def _files(folder: Path, kind: str, scratch: Path) -> Path:
    """The directory of one class. `shared.json` names the files that are stored elsewhere, once.

    Its `files` are copied as they are. A vocabulary is stored once, as `vocab.txt`: where `shared.json` says so, it is
    copied, and written into tokenizer.json in place of `"vocab": null`.
    """
    shared_file = folder / "shared.json"
    if not shared_file.exists() or not (folder / kind).is_dir():
        return folder / kind
    shared = json.loads(shared_file.read_text(encoding="utf-8"))
    target = scratch / folder.name / kind
    target.mkdir(parents=True, exist_ok=True)
    for path in (folder / kind).iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    for name, source in shared.get("files", {}).items():
        if name.startswith(f"{kind}/"):
            (target / Path(name).name).write_bytes((folder / source).read_bytes())
    if "vocabulary" not in shared:
        return target
    vocabulary = (folder / shared["vocabulary"]).read_text(encoding="utf-8")
    if f"{kind}/vocab.txt" in shared["copies"]:
        (target / "vocab.txt").write_text(vocabulary, encoding="utf-8")
    backend = target / "tokenizer.json"
    if backend.exists():
        document = json.loads(backend.read_text(encoding="utf-8"))
        if document["model"]["vocab"] is None:
            document["model"]["vocab"] = {token: index for index, token in enumerate(vocabulary.splitlines())}
            backend.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return target


# -- running -------------------------------------------------------------------------------------------------


def changes(case: Mapping[str, Any]) -> bool:
    """Whether a case changes its tokenizer, so that the next one needs a fresh one."""
    writers = ("add_tokens", "add_special_tokens", "train_new_from_iterator", "set_src_lang_special_tokens")
    return any("set" in call or "reload" in call or call.get("call") in writers for call in case["calls"])


def framework_of(case: Mapping[str, Any]) -> str | None:
    """The framework whose tensors a case asks for, None where it needs none."""
    for call in case["calls"]:
        kind = call.get("kwargs", {}).get("return_tensors")
        if kind in _FRAMEWORKS:
            return _FRAMEWORKS[kind]
    return None


def run_group(family: Family, kind: str, cases: list[dict[str, Any]]) -> list[str]:
    """Run cases of one class, those that change their tokenizer on a fresh one; what differed."""
    failures: list[str] = []
    loaded: dict[str, Any] = {}
    for case in cases:
        key = json.dumps(case.get("load"))
        if changes(case):
            tokenizer = family.load(kind, case)
        else:
            tokenizer = loaded[key] = loaded.get(key) or family.load(kind, case)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # many recorded calls are ones that tokenizers warn of
                run_case(tokenizer, kind, case)
        except Mismatch as mismatch:
            failures.append(str(mismatch))
    return failures


def run_case(tokenizer: Any, kind: str, case: Mapping[str, Any]) -> None:
    """Make a case's calls one after the other.

    Raises:
        Mismatch: An answer differs.
    """
    for number, call in enumerate(case["calls"]):
        tokenizer, answer = _make(tokenizer, call)
        expected = call.get("expect", call.get(f"expect_{kind}", _UNCHECKED))
        if expected is not _UNCHECKED:
            compare(answer, expected, f"{case['id']} call {number} {_name(call)}")


_UNCHECKED = object()


def _name(call: Mapping[str, Any]) -> str:
    return str(call.get("call") or call.get("get") or call.get("set") or "reload")


def _make(target: Any, call: Mapping[str, Any]) -> tuple[Any, Any]:
    """One call; the object for the calls after it, and the answer (an exception where it raised)."""
    try:
        return _reload(target) if "reload" in call else (target, _answer(target, call))
    except Exception as error:  # noqa: BLE001 - the recorded answer may be that it raises
        return target, error


def _answer(target: Any, call: Mapping[str, Any]) -> Any:
    if "get" in call:
        return getattr(target, call["get"])
    if "set" in call:
        return setattr(target, call["set"], read(call["value"]))
    method = {"__call__": target, "__len__": target.__len__}.get(call["call"]) or getattr(target, call["call"])
    value = method(*read(call.get("args", [])), **read(call.get("kwargs", {})))
    if call.get("sorted"):
        value = sorted(value)
    if "then" not in call:
        return value
    return {"value": value, "then": [_make(value, further)[1] for further in call["then"]]}


def _reload(tokenizer: Any) -> tuple[Any, Any]:
    """The tokenizer after a round trip through the disk, and the files that it took."""
    with tempfile.TemporaryDirectory() as directory:
        tokenizer.save_pretrained(directory)
        paths = sorted(path for path in Path(directory).iterdir() if not path.name.startswith("."))
        small = {path.name: path for path in paths if path.name in _SMALL_FILES}
        answer = {
            "files": [path.name for path in paths],
            "json": {name: json.loads(path.read_text(encoding="utf-8")) for name, path in small.items()},
        }
        return type(tokenizer).from_pretrained(directory), answer


# -- values --------------------------------------------------------------------------------------------------


def read(
    node: Any,
    arrays: Mapping[str, np.ndarray] | None = None,
    further: Mapping[str, Callable[[Any], Any]] | None = None,
) -> Any:
    """The value that a recorded node stands for.

    Args:
        node: The node.
        arrays: The arrays that lie beside the cases, by key.
        further: Readers of nodes that stand for values of other rooms, by key.
    """

    def inner(value: Any) -> Any:
        return read(value, arrays, further)

    if isinstance(node, list):
        return [inner(item) for item in node]
    if not isinstance(node, dict):
        return node
    readers: dict[str, Callable[[Any], Any]] = {
        "$tuple": lambda value: tuple(inner(item) for item in value),
        "$dict": lambda value: {inner(key): inner(item) for key, item in value},
        "$set": lambda value: {inner(item) for item in value},
        "$float": float,
        "$bytes": base64.b64decode,
        "$AddedToken": lambda value: AddedToken(**value),
        "$array": lambda value: np.array(inner(value["data"]), value["dtype"]).reshape(value["shape"]),
        "$npz": lambda value: (arrays or {})[value["key"]].astype(value["dtype"]),
        "$tensor": inner,
        "$objects": lambda value: [inner(item) for item in value],
        **(further or {}),
    }
    ((key, value),) = node.items() if len(node) == 1 else (("", None),)
    return readers[key](value) if key in readers else {name: inner(item) for name, item in node.items()}


def compare(answer: Any, expected: Any, where: str, arrays: Mapping[str, np.ndarray] | None = None) -> None:
    """Check an answer against a recorded node.

    Raises:
        Mismatch: They differ; the message says where.
    """
    if isinstance(expected, dict) and "$raises" in expected:
        kind = getattr(builtins, expected["$raises"])
        if not isinstance(answer, kind):
            raise Mismatch(f"{where}: expected {expected['$raises']}, got {_short(answer)}")
        return
    if isinstance(answer, BaseException):
        raise Mismatch(f"{where}: raised {type(answer).__name__}: {answer}") from answer
    found, wanted = plain(answer), plain(read(expected, arrays))
    difference = next(_differences(found, wanted, ""), None)
    if difference is not None:
        raise Mismatch(f"{where}: {difference}")


def plain(value: Any) -> Any:
    """A value as JSON would have it, arrays as their content with their type."""
    if isinstance(value, AddedToken):
        return {name: getattr(value, name) for name in TOKEN_FIELDS}
    if isinstance(value, BaseException):
        return {"$raises": value}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return {"$set": frozenset(value)}
    if type(value).__module__.partition(".")[0] in ("torch", "tensorflow", "jax", "jaxlib"):
        value = np.asarray(value)
    if isinstance(value, np.ndarray):
        return (
            [plain(item) for item in value] if value.dtype == object else {"$array": (str(value.dtype), value.tolist())}
        )
    return value.item() if isinstance(value, np.generic) else value


def _differences(found: Any, wanted: Any, path: str) -> Iterator[str]:
    if isinstance(wanted, dict) and "$raises" in wanted and isinstance(found, dict) and "$raises" in found:
        if not isinstance(found["$raises"], getattr(builtins, wanted["$raises"])):
            yield f"{path or 'answer'}: raised {found['$raises']!r}, expected {wanted['$raises']}"
    elif isinstance(wanted, dict) and isinstance(found, dict):
        if set(wanted) != set(found):
            yield f"{path or 'answer'}: fields {list(found)}, expected {list(wanted)}"
            return
        for key, value in wanted.items():
            yield from _differences(found[key], value, f"{path}[{key!r}]")
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for number, pair in enumerate(zip(found, wanted, strict=True)):
            yield from _differences(*pair, f"{path}[{number}]")
    elif found != wanted or isinstance(found, bool) != isinstance(wanted, bool):
        yield f"{path or 'answer'}: {_short(found)}, expected {_short(wanted)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 300 else text[:297] + "..."
