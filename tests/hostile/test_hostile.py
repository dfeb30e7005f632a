"""The corpus in short: a part of it in every run of the tests. `make test-hostile` takes all of it everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile.corpus import TENSORS, Case, cases
from tests.hostile.mischief import MISDEEDS
from tests.hostile.run import Outcome, run

#: Every so many cases one is tried; which, is left to its place in the corpus.
PART = {None: 4, "torch": 9, "tensorflow": 40, "flax": 40}


def check(outcomes: list[Outcome]) -> None:
    """Fail with all that is wrong."""
    faults = [f"{each.case.name} | {each.door}: {fault}" for each in outcomes for fault in each.faults()]
    assert not faults, "\n".join(faults[:20])


def part(backend: str | None) -> list[Case]:
    """Some of the corpus, another part for each framework."""
    step = PART[backend]
    return list(cases().values())[step // 2 :: step]


def test_the_corpus_is_large() -> None:
    assert len(cases()) >= 200
    assert sum(case.verdict == "refused" for case in cases().values()) >= 200
    for kind in ("safetensors", "bin", "msgpack", "h5", "index", "shards", "config", "tokenizer", "publication"):
        assert sum(name.startswith(kind) for name in cases()) > 10, kind


def test_hostile_checkpoints_are_refused_cheaply_and_nothing_runs(tmp_path: Path) -> None:
    check(run(part(None), None, tmp_path))


@pytest.mark.backend
def test_the_models_of_a_framework_refuse_them_too(backend: str, tmp_path: Path) -> None:
    check(run(part(backend), backend, tmp_path))


def test_the_watch_sees_what_no_reader_may_do(tmp_path: Path) -> None:
    case = Case("mischief", {}, tuple(MISDEEDS), verdict="read")
    found = run([case], None, tmp_path, doors="tests.hostile.mischief", seconds=1.0, patience=5.0)
    outcomes = {each.door: each for each in found}
    assert outcomes.keys() == MISDEEDS.keys()
    assert [door for door, outcome in outcomes.items() if not list(outcome.faults())] == ["reads"]
    Path("/tmp/.written").unlink()


def test_a_refusal_must_name_the_file_and_say_three_things() -> None:
    case = Case("x", {}, TENSORS, blames="model.safetensors")
    family = ("FileError", "TriformersError", "OSError", "ValueError")
    good = Outcome(case, "Model", "refused", family, "FOLDER/model.safetensors is cut; expected more. Fetch it.")
    assert not list(good.faults())
    for message in ("model.safetensors is wrong", "FOLDER is cut; expected more. Fetch it.", "a; expected b.\n" * 2):
        assert list(Outcome(case, "Model", "refused", family, message).faults())
    assert list(Outcome(case, "Model", "refused", ("KeyError", "LookupError"), good.message).faults())
    assert list(Outcome(case, "Model", "refused", family, good.message, seconds=6.0).faults())
    assert list(Outcome(case, "Model", "refused", family, good.message, memory=600 * 2**20).faults())
