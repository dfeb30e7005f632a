"""`triformers explain`: its rows say where every tensor really is; and what the whole command promises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import GOLDEN
from triformers import PretrainedConfig
from triformers.cards import BACKENDS, card_of
from triformers.cli import VERBS, main
from triformers.cli.choose import model_class, stem_of
from triformers.conversion.explain import Row, explain, fold, format_rows, leftovers, summary
from triformers.conversion.formats.safetensors import read_safetensors
from triformers.conversion.mapping import Plan
from triformers.conversion.slots import Slot, make_slot
from triformers.conversion.tables import format_error, format_table
from triformers.files.errors import UnknownNameError

BARE = GOLDEN / "models" / "bert" / "BertModel"
CLASSIFIER = GOLDEN / "models" / "bert" / "BertForSequenceClassification"


def dense(layer: str, index: int, backend: str, shape: tuple[int, int] = (4, 3)) -> list[Slot]:
    """The slots of a dense layer among others of its sort, as a framework holds them."""
    stack = (f"layer.{index}",) if backend == "tensorflow" else ("layer", str(index))
    kernel, held = ("weight", shape) if backend == "torch" else ("kernel", shape[::-1])
    return [
        make_slot((*stack, layer, kernel), held, "linear", backend),
        make_slot((*stack, layer, "bias"), shape[:1], "linear", backend),
    ]


def command(*arguments: str, blocked: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run `triformers` in a fresh process in which some modules cannot be imported."""
    program = f"import sys\nfor name in {blocked!r}: sys.modules[name] = None\n"
    program += "from triformers.cli import main\nstatus = main(sys.argv[1:])\n"
    program += "print('LOADED', *sys.modules, file=sys.stderr)\nsys.exit(status)"
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True)


# ---- rows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backend", "path", "axes"),
    [
        ("torch", "layer.0.wide.weight", None),
        ("tensorflow", "layer.0/wide/kernel", (1, 0)),
        ("flax", "layer/0/wide/kernel", (1, 0)),
    ],
)
def test_a_row_is_the_journey_of_a_parameter(backend: str, path: str, axes: tuple[int, ...] | None) -> None:
    weight, bias = explain(dense("wide", 0, backend), backend)
    assert weight == Row("layer.0.wide.weight", "layer.0.wide.weight", "linear", path, axes, (4, 3))
    assert weight.transform == ("as it is" if axes is None else "axes [1, 0]")
    assert (bias.name, bias.transform, bias.shape) == ("layer.0.wide.bias", "as it is", (4,))


def test_a_plan_says_which_key_fills_a_row_and_why_none_does() -> None:
    slots = [*dense("wide", 0, "torch"), *dense("head", 0, "torch")]
    names = [slot.name for slot in slots]
    plan = Plan(filled={names[0]: "old.key"}, missing=[names[1]], new=[names[2]], mismatched=[(names[3], (9,), (4,))])
    rows = explain(slots, "torch", plan)
    assert [(row.key, row.fate) for row in rows] == [
        ("old.key", "filled"), (None, "missing"), (None, "new"), (None, "shape differs"),
    ]  # fmt: skip
    lines = format_rows(rows, with_keys=True).splitlines()
    assert lines[0].startswith("file key") and lines[2].startswith("old.key ")
    assert [line.split("  ")[0] for line in lines[3:]] == ["(missing)", "(new)", "(shape differs)"]


def test_what_is_left_over_has_a_reason() -> None:
    plan = Plan(
        new=["n"], dropped=["d"], ignored={"i": "rebuilt"}, missing=["m"], unexpected=["u"],
        mismatched=[("s", (1, 2), (2, 1))],
    )  # fmt: skip
    reasons = dict(leftovers(plan))
    assert reasons.keys() == {"n", "d", "i", "m", "u", "s"}
    assert reasons["i"] == "ignored: rebuilt"
    assert "[1, 2]" in reasons["s"] and "[2, 1]" in reasons["s"]
    assert all("error" in reasons[name] for name in "mus") and not any("error" in reasons[n] for n in "ndi")
    assert leftovers(Plan(filled={"a": "a"})) == []


# ---- folding ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
def test_layers_that_repeat_are_one_row(backend: str) -> None:
    slots = [slot for index in range(12) for slot in dense("wide", index, backend)]
    rows = fold(explain(slots, backend))
    assert [(row.name, row.count) for row in rows] == [("layer.0.wide.weight", 12), ("layer.0.wide.bias", 12)]
    assert summary(rows) == summary(explain(slots, backend)) == "24 tensors, 192 numbers"
    assert "x 12" in format_rows(rows, with_keys=False)


def test_layers_that_differ_stay_apart() -> None:
    slots = [*dense("wide", 0, "flax"), *dense("wide", 1, "flax", (6, 3)), *dense("tall", 2, "flax")]
    assert all(row.count == 1 for row in fold(explain(slots, "flax")))
    same = [*dense("wide", 0, "flax"), *dense("wide", 1, "flax")]
    plan = Plan(filled={slot.name: slot.name for slot in same[:3]}, missing=[same[3].name])
    assert [row.count for row in fold(explain(same, "flax", plan))] == [2, 1, 1]


def test_an_index_is_a_whole_segment() -> None:
    slots = [make_slot((f"conv{index}", "weight"), (2,), "raw", "torch") for index in range(3)]
    assert len(fold(explain(slots, "torch"))) == 3


# ---- tables ----------------------------------------------------------------------------------------------


def test_columns_are_aligned() -> None:
    table = format_table(["name", "size", "note"], [["a", "10", ""], ["longer", "7", "x"]], right=["size"])
    assert table.splitlines() == [
        "name    size  note",
        "------  ----  ----",
        "a         10",
        "longer     7  x",
    ]


def test_an_error_has_its_order_of_magnitude() -> None:
    numbers = (0.0, 1.26e-13, float("inf"))
    assert [format_error(number) for number in numbers] == ["0", "1.3e-13", "inf"]


# ---- the command -----------------------------------------------------------------------------------------


def test_help_imports_no_verb_and_no_framework() -> None:
    program = "import sys\nfrom triformers.cli import main\ntry: main(['--help'])\nfinally: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    helped, _, loaded = done.stdout.rstrip().rpartition("\n")
    assert all(verb in helped for verb in VERBS)
    assert not {"numpy", "torch", "tensorflow", "jax", "triformers.cli.verify"} & set(loaded.split())


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_without_a_framework(verb: str) -> None:
    done = command(verb, "--help")
    assert done.returncode == 0 and verb in done.stdout


def test_python_m_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "triformers", "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("triformers ")


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["explain", "--nothing"], ["verify"]])
def test_a_wrong_command_line_is_told_how_it_goes(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage: triformers" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["explain", "bret"], "such as bert"),
        (["explain"], "--checkpoint"),
        (["explain", "bert", "--class", "BertModle"], "BertModel"),
        (["explain", "--checkpoint", "/no/such/folder"], "does not exist"),
        (["explain", "bert", "--checkpoint", "/no/such/folder"], "does not exist"),
    ],
)
def test_an_error_is_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triformers.cli.choose.is_installed", lambda backend: True)
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == "" and told.err.startswith("triformers: ") and told.err.count("\n") == 1
    assert said in told.err


def test_a_checkpoint_of_another_type_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bretagne"}')
    assert main(["explain", "--checkpoint", str(tmp_path)]) == 2
    assert "'bretagne' is not known" in capsys.readouterr().err


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_missing_framework_is_named_with_its_extra(backend: str) -> None:
    done = command("explain", "bert", "--backend", backend, blocked=BACKENDS[backend].requires)
    assert done.returncode == 2
    assert f"triformers[{BACKENDS[backend].extra}]" in done.stderr.splitlines()[0]


def test_no_framework_at_all_is_an_error() -> None:
    blocked = tuple(module for backend in BACKENDS.values() for module in backend.requires)
    done = command("explain", "bert", blocked=blocked)
    assert done.returncode == 2 and "no framework is installed" in done.stderr


def test_the_class_is_the_wanted_one_or_the_checkpoints_or_the_bare_model() -> None:
    card = card_of("bert")
    named = PretrainedConfig(architectures=["BertForAnything", "BertForSequenceClassification"])
    unknown = PretrainedConfig(architectures=["BertForAnything"])
    assert stem_of(card, "BertModel", named) == "BertModel"
    assert stem_of(card, None, named) == "BertForSequenceClassification"
    assert stem_of(card, None, unknown) == stem_of(card, None, None) == "BertModel"
    with pytest.raises(UnknownNameError, match="BertForSequenceClassification"):
        stem_of(card, "BertForSequenceClasification", None)


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)  # as `| head` does once it has its lines
    program = [sys.executable, "-m", "triformers", "verify", str(BARE), str(BARE)]
    done = subprocess.run(program, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert done.returncode == 2 and done.stderr == ""


# ---- with a framework ------------------------------------------------------------------------------------


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What `triformers explain ... --json` prints."""
    assert main(["explain", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def values(held: Any) -> np.ndarray:
    """A framework's array as NumPy's, axes as they are."""
    return held.detach().numpy() if hasattr(held, "detach") else np.asarray(held)


@pytest.mark.backend
def test_every_tensor_is_where_its_row_says(backend: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = explained(capsys, "bert", "--backend", backend, "--checkpoint", str(CLASSIFIER))["tensors"]
    tensors = read_safetensors(CLASSIFIER / "model.safetensors")
    model = model_class("BertForSequenceClassification", backend).from_pretrained(CLASSIFIER)
    held = {slot.name: (slot.path, values(model.held(slot))) for slot in model.slots()}
    assert {row["file_key"] for row in rows} == set(tensors)
    assert {row["canonical_name"] for row in rows} == set(held)
    for row in rows:
        array = tensors[row["file_key"]].read()
        path, found = held[row["canonical_name"]]
        assert row["shape"] == list(array.shape)
        assert row["path"].replace("/", ".") == ".".join(path)
        assert (found == (array if row["axes"] is None else array.transpose(row["axes"]))).all(), row
    moved = [row for row in rows if row["axes"] is not None]
    assert bool(moved) == (backend != "torch")


@pytest.mark.backend
def test_the_keys_are_those_of_the_checkpoint(backend: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = explained(capsys, "--backend", backend, "--class", "BertModel", "--checkpoint", str(CLASSIFIER))
    assert all(row["file_key"] == f"bert.{row['canonical_name']}" for row in shown["tensors"])
    assert {left["tensor"] for left in shown["leftovers"]} == {"classifier.weight", "classifier.bias"}
    shown = explained(
        capsys, "--backend", backend, "--class", "BertForSequenceClassification", "--checkpoint", str(BARE)
    )
    new = {row["canonical_name"] for row in shown["tensors"] if row["fate"] == "new"}
    assert new == {"classifier.weight", "classifier.bias"} == {left["tensor"] for left in shown["leftovers"]}
    assert all(row["file_key"] is None for row in shown["tensors"] if row["fate"] == "new")


@pytest.mark.backend
def test_the_default_configuration_is_explained_without_a_checkpoint(
    backend: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "bert", "--backend", backend]) == 0
    folded = capsys.readouterr().out
    assert main(["explain", "bert", "--backend", backend, "--all"]) == 0
    full = capsys.readouterr().out
    assert "encoder.layer.0.output.dense.weight" in folded and "x 12" in folded
    assert "encoder.layer.11.output.dense.weight" not in folded
    assert "encoder.layer.11.output.dense.weight" in full and "x 12" not in full
    total = "199 tensors, 109,482,240 numbers"
    assert folded.splitlines()[-1] == full.splitlines()[-1] == total
    rows = explained(capsys, "bert", "--backend", backend)["tensors"]
    assert len(rows) == 199 and all(row["file_key"] == row["canonical_name"] for row in rows)


@pytest.mark.backend
def test_what_is_left_over_is_listed_below(backend: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--backend", backend, "--class", "BertModel", "--checkpoint", str(CLASSIFIER)]) == 0
    below = capsys.readouterr().out.partition("what becomes of it")[2]
    assert "classifier.weight" in below and "dropped" in below
