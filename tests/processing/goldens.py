"""Runs recorded calls (`cases.json`) on image processors and the like, and compares every answer.

A case says which object it is about (a class, with a directory to load it from or the arguments of its constructor),
the calls on it in order, and the answer to each. Arrays lie beside it in `arrays.npz`.
"""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import triformers
from tests.conftest import GOLDEN
from tests.tokenization.goldens import Mismatch, compare, read
from triformers.processing import Preprocessor

#: How far floating numbers may be from the recorded ones, absolutely and relatively.
BAND = 1e-6
#: The framework of a process -> what `return_tensors` calls it.
TENSORS = {None: "np", "torch": "pt", "tensorflow": "tf", "flax": "jax"}


@dataclass(frozen=True)
class Recorded:
    """One folder of recorded calls."""

    folder: Path
    cases: list[dict[str, Any]] = field(repr=False)
    arrays: Mapping[str, np.ndarray] = field(repr=False)

    def of(self, backend: str | None) -> list[dict[str, Any]]:
        """The cases of a process: those with tensors, or in one without a framework those without."""
        return [case for case in self.cases if needs_tensors(case) == (backend is not None)]


def folders(root: Path | None, names: tuple[str, ...]) -> Iterator[Recorded]:
    """The folders of these names that there are."""
    for name in names:
        folder = (root or GOLDEN) / "processing" / name
        if (folder / "cases.json").exists():
            arrays = dict(np.load(folder / "arrays.npz")) if (folder / "arrays.npz").exists() else {}
            yield Recorded(folder, json.loads((folder / "cases.json").read_text())["cases"], arrays)


def needs_tensors(case: Mapping[str, Any]) -> bool:
    """Whether a case gives or takes a framework's tensors."""
    text = json.dumps(case["calls"])
    return "$tensor" in text or any(call.get("kwargs", {}).get("return_tensors") == "pt" for call in case["calls"])


def run(recorded: Recorded, backend: str | None) -> list[str]:
    """Run a folder's cases; what differed."""
    failures = []
    for case in recorded.of(backend):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # some recorded calls are ones that are warned of
                run_case(recorded, case, backend)
        except Mismatch as mismatch:
            failures.append(str(mismatch))
    return failures


def run_case(recorded: Recorded, case: Mapping[str, Any], backend: str | None) -> None:
    """Make a case's calls one after the other.

    Raises:
        Mismatch: An answer differs.
    """
    further = {"$pil": lambda value: _picture(value, recorded.arrays), "$tensor": lambda value: value}
    if backend is not None:
        further["$tensor"] = lambda value: tensor(read(value, recorded.arrays), backend)
    target = _loaded(recorded.folder, case["object"])
    for number, (call, expected) in enumerate(zip(case["calls"], case["expect"], strict=True)):
        where = f"{recorded.folder.name} {case['id']} call {number}"
        try:
            if "reload" in call:
                target, answer = _reload(target)
            else:
                answer = _answer(target, read(call, recorded.arrays, further), backend)
        except Exception as error:  # noqa: BLE001 - the recorded answer may be that it raises
            answer = error
        check(answer, expected, where, recorded.arrays)


def check(answer: Any, expected: Any, where: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Check an answer: floating arrays within the band, all else exactly.

    Raises:
        Mismatch: They differ; the message says where.
    """
    if isinstance(expected, dict) and ("$npz" in expected or "$array" in expected or "$tensor" in expected):
        wanted = read(expected, arrays)
        if isinstance(answer, BaseException):
            raise Mismatch(f"{where}: raised {answer!r}")
        found = np.asarray(answer)
        if found.dtype != wanted.dtype or found.shape != wanted.shape:
            raise Mismatch(f"{where}: {found.dtype} {found.shape}, expected {wanted.dtype} {wanted.shape}")
        band = BAND if found.dtype.kind == "f" else 0.0
        if not np.allclose(found, wanted, rtol=band, atol=band, equal_nan=True):
            raise Mismatch(f"{where}: {np.abs(found.astype(float) - wanted.astype(float)).max()} off")
    elif isinstance(expected, dict) and isinstance(answer, Mapping) and "$raises" not in expected:
        if set(answer) != set(expected):
            raise Mismatch(f"{where}: fields {list(answer)}, expected {list(expected)}")
        for name, value in expected.items():
            check(answer[name], value, f"{where} {name}", arrays)
    elif isinstance(expected, list) and isinstance(answer, (list, tuple)) and len(expected) == len(answer):
        for index, (found, value) in enumerate(zip(answer, expected, strict=True)):
            check(found, value, f"{where}[{index}]", arrays)
    else:
        compare(answer, expected, where, arrays)


def tensor(array: np.ndarray, backend: str) -> Any:
    """An array as a framework's tensor."""
    return triformers.BatchFeature({"array": array}, TENSORS[backend])["array"]


def _loaded(folder: Path, what: Mapping[str, Any]) -> Any:
    cls = getattr(triformers, what["class"])
    if "dir" in what:
        return cls.from_pretrained(folder / what["dir"], **what.get("kwargs", {}))
    return cls(**read(what.get("init", {})))


def _picture(value: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Image.Image:
    array = read(value["array"], arrays)
    picture = Image.fromarray(array)
    return picture if picture.mode == value["mode"] else picture.convert(value["mode"])


def _answer(target: Any, call: Mapping[str, Any], backend: str | None) -> Any:
    if "get" in call:
        return getattr(target, call["get"])
    if "set" in call:
        return setattr(target, call["set"], call["value"])
    arguments = dict(call.get("kwargs", {}))
    if arguments.get("return_tensors") == "pt":
        arguments["return_tensors"] = TENSORS[backend]
    method = target if call["call"] == "__call__" else getattr(target, call["call"])
    return method(*call.get("args", []), **arguments)


def _reload(target: Preprocessor) -> tuple[Any, Any]:
    """The object after a round trip through the disk, and the files that it took."""
    with tempfile.TemporaryDirectory() as directory:
        target.save_pretrained(directory)
        paths = sorted(path for path in Path(directory).iterdir() if not path.name.startswith("."))
        answer = {
            "files": [path.name for path in paths],
            "json": {
                path.name: json.loads(path.read_text())
                for path in paths
                if path.suffix == ".json" and path.name != "vocab.json"
            },
        }
        return type(target).from_pretrained(directory), answer
