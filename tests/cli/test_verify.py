"""`triformers verify`: it finds every difference, and finds none where there is none."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import GOLDEN
from triformers import BertConfig, PretrainedConfig
from triformers.cards import Weights, card_of
from triformers.cli import main
from triformers.cli.batch import read_batch, sample_batch
from triformers.cli.choose import is_installed
from triformers.cli.run_in_backend import Run, outputs_of, run_model
from triformers.conversion import verify
from triformers.conversion.formats.safetensors import read_safetensors, write_safetensors
from triformers.conversion.formats.tensors import Checkpoint, Tensor, numpy_dtype
from triformers.conversion.verify import (
    Comparison,
    compare_checkpoints,
    compare_runs,
    format_comparison,
    format_layers,
    layer_of,
    layer_table,
    relative_error,
)
from triformers.files.errors import (
    FileError,
    InputError,
    MissingDependencyError,
    TriformersError,
    UnknownNameError,
)
from triformers.outputs import dotted

BARE = GOLDEN / "models" / "bert" / "BertModel"
CLASSIFIER = GOLDEN / "models" / "bert" / "BertForSequenceClassification"
WEIGHTS = card_of("bert").weights
INFINITE = float("inf")


# ---- how an error is measured ----------------------------------------------------------------------------


def test_an_error_is_relative_to_the_largest_true_number() -> None:
    truth = np.array([[4.0, -8.0], [0.5, 0.0]])
    assert relative_error(truth, truth) == 0
    assert relative_error(truth + np.array([[0, 0], [0, 0.5]]), truth) == 0.5 / 8
    assert relative_error(-truth, truth) == 2


def test_near_zero_an_error_is_relative_to_a_thousandth() -> None:
    assert relative_error(np.array([2e-9]), np.array([1e-9])) == pytest.approx(1e-6)
    assert relative_error(np.array([1e-3]), np.zeros(1)) == 1


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_an_infinite_error(number: float) -> None:
    sound, broken = np.ones(3), np.array([1, number, 1])
    for found, truth in ((sound, broken), (broken, sound), (broken, broken)):
        assert relative_error(found, truth) == INFINITE


def test_another_shape_is_an_infinite_error_even_if_it_would_spread() -> None:
    assert relative_error(np.ones((1, 3)), np.ones((2, 3))) == INFINITE
    assert relative_error(np.ones(()), np.ones(1)) == INFINITE
    assert relative_error(np.ones((0, 3)), np.ones((0, 3))) == 0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "int8", "bool"])
def test_narrow_types_are_compared_in_float64(dtype: str) -> None:
    truth = np.array([1, 0, 1]).astype(numpy_dtype(dtype))
    assert relative_error(truth, truth) == 0
    assert relative_error(truth, np.array([1, 0, 1.0 + 2**-40])) == pytest.approx(2**-40)
    assert relative_error(np.uint8([1]), np.uint8([3])) == pytest.approx(2 / 3)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1))
def test_an_error_is_what_its_definition_says(pairs: list[tuple[float, float]]) -> None:
    found, truth = (np.array(side) for side in zip(*pairs, strict=True))
    gap = max(abs(one - other) for one, other in pairs)
    assert relative_error(found, truth) == gap / max(max(abs(other) for _, other in pairs), 1e-3)


# ---- runs ------------------------------------------------------------------------------------------------


def outputs(shift: float = 0.0, **others: Any) -> dict[str, np.ndarray]:
    """What a model might answer, moved by `shift` in its last layer."""
    states = {f"hidden_states.{layer}": np.linspace(-1, 1, 6).reshape(2, 3) for layer in range(3)}
    states["hidden_states.2"] = states["hidden_states.2"] + shift
    return {"logits": np.ones((2, 1)), **states, **others}


def runs(**shifts: float) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """Frameworks that computed in both types, each float64 run moved by its shift."""
    return {name: {"float64": outputs(shift), "float32": outputs(shift + 1e-7)} for name, shift in shifts.items()}


def test_every_layer_has_its_error_hidden_states_first() -> None:
    table = layer_table({"flax": outputs(1e-3), "keras": outputs()}, outputs())
    assert list(table) == ["hidden_states.0", "hidden_states.1", "hidden_states.2", "logits"]
    assert table["hidden_states.1"] == {"flax": 0, "keras": 0}
    assert table["hidden_states.2"] == {"flax": pytest.approx(1e-3), "keras": 0}


def test_an_output_that_one_side_lacks_is_an_infinite_error() -> None:
    extra = outputs(pooler_output=np.ones(1))
    assert layer_table({"flax": extra}, outputs())["pooler_output"] == {"flax": INFINITE}
    assert layer_table({"flax": outputs()}, extra)["pooler_output"] == {"flax": INFINITE}


def test_runs_are_compared_with_pytorch_in_float64() -> None:
    agreement = compare_runs(runs(flax=3e-14, torch=0))
    assert agreement.truth == "torch float64" and agreement.judged == ("flax float64",)
    assert set(agreement.errors["logits"]) == {"flax float64", "flax float32", "torch float32"}
    assert agreement.largest == pytest.approx(3e-14) and agreement.same
    assert agreement.errors["hidden_states.2"]["torch float32"] == pytest.approx(1e-7)
    assert "the same function" in agreement.verdict()


def test_without_pytorch_the_first_framework_is_the_truth() -> None:
    agreement = compare_runs(runs(tensorflow=1.0, flax=1.0))
    assert agreement.truth == "tensorflow float64" and agreement.judged == ("flax float64",)
    assert agreement.same


@pytest.mark.parametrize(("shift", "same"), [(9e-13, True), (1.1e-12, False), (float("nan"), False)])
def test_the_verdict_turns_at_the_band(shift: float, same: bool) -> None:
    agreement = compare_runs(runs(torch=0, tensorflow=0, flax=shift))
    assert agreement.same is same
    assert agreement.verdict().startswith("the same function" if same else "NOT the same function: hidden_states.2")
    assert json.loads(json.dumps(agreement.as_json(), allow_nan=False))["same"] is same


def test_a_truth_that_is_no_number_proves_nothing() -> None:
    nothing = runs(torch=float("nan"), flax=float("nan"))
    assert not compare_runs(nothing).same


def test_runs_that_answer_nothing_prove_nothing() -> None:
    nothing = compare_runs({"torch": {"float64": {}}, "flax": {"float64": {}}})
    assert not nothing.same and nothing.verdict().startswith("NOT the same function: no output")


def test_the_table_of_runs_has_a_line_per_output() -> None:
    lines = format_layers(compare_runs(runs(torch=0, flax=0)).errors).splitlines()
    assert lines[0].split() == ["output", "torch", "float32", "flax", "float64", "flax", "float32"]
    assert [line.split()[0] for line in lines[2:]] == [*(f"hidden_states.{i}" for i in range(3)), "logits"]


# ---- checkpoints -----------------------------------------------------------------------------------------


def checkpoint(arrays: Mapping[str, np.ndarray]) -> Checkpoint:
    """Arrays as the tensors of a file."""
    return {name: Tensor(name, array.shape, array.dtype, lambda a=array: a) for name, array in arrays.items()}


def compared(first: Any, second: Any, weights: Weights = WEIGHTS, band: float = 0.0) -> Comparison:
    """Two dictionaries of arrays, compared."""
    return compare_checkpoints(checkpoint(first), checkpoint(second), (weights, weights), band)


def bert() -> dict[str, np.ndarray]:
    """The tensors of a little of a BERT."""
    generator = np.random.default_rng(0)
    shapes = {
        "embeddings.word_embeddings.weight": (11, 4),
        "embeddings.LayerNorm.weight": (4,),
        "encoder.layer.0.output.dense.weight": (4, 5),
        "encoder.layer.10.output.dense.weight": (4, 5),
        "encoder.layer.2.output.dense.weight": (4, 5),
        "pooler.dense.bias": (4,),
    }
    return {name: generator.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def test_a_checkpoint_is_the_same_as_itself() -> None:
    comparison = compared(bert(), bert())
    assert comparison.same and len(comparison.tensors) == 6
    assert all(tensor.bitwise and tensor.absolute == 0 for tensor in comparison.tensors)
    assert comparison.verdict() == "the same: 6 tensors agree in every bit"


def test_one_bit_is_a_difference_that_is_named() -> None:
    other = bert()
    weight = other["encoder.layer.2.output.dense.weight"]
    weight.view(np.uint32)[1, 2] ^= 1
    comparison = compared(other, bert())
    assert not comparison.same
    (found,) = comparison.differing
    gap = np.abs(weight.astype(np.float64) - bert()[found.name]).max()
    assert found.name == "encoder.layer.2.output.dense.weight" and found.absolute == gap > 0
    assert found.relative == gap / np.abs(bert()[found.name].astype(np.float64)).max()
    assert found.name in format_comparison(comparison)
    assert comparison.verdict().startswith("NOT the same: of 6 tensors in both 1 differ; 0 only")


def test_negative_zero_and_a_nan_payload_are_differences_of_bits_alone() -> None:
    for one, other in ((0x00000000, 0x80000000), (0x7FC00000, 0x7FC00001)):
        arrays = [{"x": np.array([one, bits, 1], np.uint32).view(np.float32)} for bits in (one, other)]
        comparison = compared(*arrays)
        assert not comparison.same and not comparison.tensors[0].bitwise
        assert comparison.tensors[0].absolute == 0
        assert compared(*arrays, band=1e-9).same
        assert compared(arrays[0], arrays[0]).same


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_number_against_none_is_an_infinite_difference(number: float) -> None:
    sound, broken = {"x": np.float32([1, 2])}, {"x": np.float32([number, 2])}
    for pair in ((sound, broken), (broken, sound)):
        comparison = compared(*pair, band=1e9)
        assert not comparison.same and comparison.tensors[0].absolute == INFINITE
        assert comparison.as_json()["tensors"][0]["largest_absolute_difference"] is None


def test_the_prefix_of_the_base_model_is_no_difference() -> None:
    prefixed = {f"bert.{name}": array for name, array in bert().items()}
    for pair in ((bert(), prefixed), (prefixed, bert()), (prefixed, prefixed)):
        comparison = compared(*pair)
        assert comparison.same and len(comparison.tensors) == 6
    assert comparison.tensors[0].name == "embeddings.word_embeddings.weight"
    comparison = compared(bert(), prefixed, Weights())
    assert not comparison.same and not comparison.tensors
    assert comparison.only == (tuple(bert()), tuple(prefixed))


def test_the_names_of_early_checkpoints_are_no_difference() -> None:
    old = {name.replace("LayerNorm.weight", "LayerNorm.gamma"): array for name, array in bert().items()}
    comparison = compared(old, bert())
    assert comparison.same
    assert ("embeddings.LayerNorm.gamma", "embeddings.LayerNorm.weight") in {t.keys for t in comparison.tensors}


def test_two_spellings_in_one_file_are_both_seen() -> None:
    both = {**bert(), "embeddings.LayerNorm.gamma": np.ones(4, np.float32)}
    comparison = compared(both, bert())
    assert not comparison.same and comparison.only == (("embeddings.LayerNorm.gamma",), ())
    assert compared(both, both).same and len(compared(both, both).tensors) == 7


def test_tensors_of_one_side_only_are_named() -> None:
    more = {**bert(), "classifier.weight": np.ones((2, 4))}
    for pair, only in (
        ((more, bert()), (("classifier.weight",), ())),
        ((bert(), more), ((), ("classifier.weight",))),
    ):
        comparison = compared(*pair)
        assert comparison.only == only and not comparison.same and not comparison.differing
        assert "classifier.weight" in format_comparison(comparison)


def test_buffers_that_no_model_holds_do_not_count() -> None:
    old = {**bert(), "embeddings.position_ids": np.arange(5)[None]}
    comparison = compared(old, bert())
    assert comparison.same and list(comparison.ignored) == ["embeddings.position_ids"]
    assert "computed where it is used" in format_comparison(comparison)
    changed = {**old, "embeddings.position_ids": np.arange(5)[None] + 1}
    assert not compared(old, changed).same  # where both have it, it is compared


def test_another_shape_is_a_difference_whatever_the_band() -> None:
    turned = {**bert(), "encoder.layer.0.output.dense.weight": np.zeros((5, 4), np.float32)}
    comparison = compared(bert(), turned, band=1e30)
    assert not comparison.same
    assert "[4, 5] / [5, 4]" in format_comparison(comparison)


def test_another_type_is_a_difference_unless_a_band_allows_it() -> None:
    half = {name: array.astype(np.float16) for name, array in bert().items()}
    comparison = compared(half, bert())
    assert not comparison.same and len(comparison.differing) == 6
    assert "float16 / float32" in format_comparison(comparison)
    assert compared(half, bert(), band=1e-3).same
    assert not compared(half, bert(), band=1e-6).same
    exact = {"x": np.float32([1, 2])}
    assert not compared(exact, {"x": np.float64([1, 2])}).same
    assert compared(exact, {"x": np.float64([1, 2])}, band=1e-12).same


def test_whole_numbers_are_never_nearly_the_same() -> None:
    assert not compared({"x": np.array([2**60])}, {"x": np.array([2**60 + 1])}, band=1e-3).same
    assert compared({"x": np.array([2**60])}, {"x": np.array([2**60])}, band=1e-3).same
    assert compared({"x": np.int64([3])}, {"x": np.int32([3])}, band=1e-3).same
    assert not compared({"x": np.int64([3])}, {"x": np.int32([3])}).same


def test_nothing_in_common_is_not_the_same() -> None:
    assert not compared({}, {}).same


def test_layers_stand_in_the_order_of_their_numbers() -> None:
    layers = compared(bert(), bert()).layers()
    assert list(layers) == ["embeddings", "encoder.layer.0", "encoder.layer.2", "encoder.layer.10", "pooler"]
    assert len(layers["embeddings"]) == 2
    assert layer_of("decoder.block.3.layer.1.weight") == "decoder.block.3"
    assert layer_of("shared.weight") == "shared" and layer_of("logit_scale") == "logit_scale"


def test_many_differences_are_cut_short_unless_all_are_asked_for() -> None:
    zeros = {f"layer.{index}.weight": np.zeros(1) for index in range(25)}
    comparison = compared(zeros, {name: array + 1 for name, array in zeros.items()})
    assert "and 5 more" in format_comparison(comparison)
    assert "layer.24.weight" not in format_comparison(comparison)
    assert "layer.24.weight" in format_comparison(comparison, every=True)


BITS = st.integers(0, 2**16 - 1)


@settings(max_examples=200)
@given(st.lists(st.tuples(BITS, BITS), max_size=9), st.integers(1, 4), st.booleans())
def test_pieces_give_what_the_whole_would(pairs: list[tuple[int, int]], chunk: int, equal: bool) -> None:
    bits = np.array(pairs, np.uint16).reshape(-1, 2).T
    one, other = (np.ascontiguousarray(bits[side]).view(np.float16) for side in (0, 0 if equal else 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify, "CHUNK", chunk)
        (found,) = compared({"x": one}, {"x": other}).tensors
    assert found.bitwise == (one.tobytes() == other.tobytes())
    wide = one.astype(np.float64), other.astype(np.float64)
    with np.errstate(invalid="ignore"):
        gaps = np.abs(wide[0] - wide[1])
    alike = (wide[0] == wide[1]) | (np.isnan(wide[0]) & np.isnan(wide[1]))
    expected = max((0.0 if same else gap for same, gap in zip(alike, gaps, strict=True)), default=0.0, key=_rank)
    assert found.absolute == (expected if np.isfinite(expected) else INFINITE)


def _rank(gap: float) -> float:
    return gap if np.isfinite(gap) else INFINITE


# ---- the command: two checkpoints ------------------------------------------------------------------------


def copy_of(folder: Path, target: Path, change: Callable[[dict[str, np.ndarray]], Any]) -> Path:
    """A checkpoint with something changed in its tensors."""
    target.mkdir()
    shutil.copy(folder / "config.json", target)
    arrays = {name: np.array(t.read()) for name, t in read_safetensors(folder / "model.safetensors").items()}
    change(arrays)
    file = io.BytesIO()
    write_safetensors(file, checkpoint(arrays), {"format": "pt"})
    (target / "model.safetensors").write_bytes(file.getvalue())
    return target


def without_prefix(arrays: dict[str, np.ndarray]) -> None:
    """What the bare model would save."""
    for name in list(arrays):
        array = arrays.pop(name)
        if name.startswith("bert."):
            arrays[name.removeprefix("bert.")] = array


def test_two_equal_checkpoints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = copy_of(BARE, tmp_path / "copy", lambda arrays: None)
    assert main(["verify", str(BARE), str(other)]) == 0
    told = capsys.readouterr().out
    assert told.rstrip().endswith("the same: 55 tensors agree in every bit")
    assert "encoder.layer.2" in told


def test_a_difference_has_status_one_and_is_located(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "encoder.layer.1.output.dense.weight"
    other = copy_of(BARE, tmp_path / "copy", lambda arrays: arrays[name].__imul__(np.float32(1 + 1e-6)))
    assert main(["verify", str(BARE), str(other)]) == 1
    told = capsys.readouterr().out
    assert name in told and "NOT the same" in told
    assert main(["verify", str(BARE), str(other), "--band", "1e-5"]) == 0
    capsys.readouterr()
    assert main(["verify", str(BARE), str(other), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    differing = [tensor["name"] for tensor in found["tensors"] if not tensor["bitwise_equal"]]
    assert differing == [name] and found["same"] is False


def test_the_card_says_that_a_prefix_is_no_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bare = copy_of(CLASSIFIER, tmp_path / "bare", without_prefix)
    assert main(["verify", str(CLASSIFIER), str(bare), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert all(tensor["bitwise_equal"] for tensor in found["tensors"]) and len(found["tensors"]) == 39
    assert found["only_in_first"] == ["classifier.bias", "classifier.weight"]
    unknown = copy_of(CLASSIFIER, tmp_path / "unknown", lambda arrays: None)
    (unknown / "config.json").write_text("{}")  # without a model type nothing is known about names
    assert main(["verify", str(unknown), str(bare), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["tensors"] == []


@pytest.mark.parametrize("option", [["--seed", "1"], ["--backends", "torch"], ["--class", "BertModel"]])
def test_two_checkpoints_take_no_option_of_one(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(BARE), str(BARE), *option]) == 2
    assert option[0] in capsys.readouterr().err


# ---- the command: frameworks -----------------------------------------------------------------------------


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> dict[str, Run]:
    """Makes `verify` believe that all frameworks are here, and that they answered what this holds."""
    answers = {name: Run(run) for name, run in runs(torch=0, tensorflow=2e-15, flax=1e-15).items()}
    monkeypatch.setattr("triformers.cli.choose.require_backend", lambda backend, wanted_by: None)
    monkeypatch.setattr("triformers.cli.verify.outputs_of", lambda backend, *_: answers[backend])
    return answers


def test_all_frameworks_that_are_installed_are_compared(
    pretend: dict[str, Run], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(CLASSIFIER), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["backends"] == ["torch", "tensorflow", "flax"] and found["truth"] == "torch float64"
    assert found["class"] == "BertForSequenceClassification" and found["same"] is True
    assert found["largest_error"] == pytest.approx(2e-15)
    assert set(found["errors"]) == set(outputs())


def test_a_framework_that_is_off_has_status_one(pretend: dict[str, Run], capsys: pytest.CaptureFixture[str]) -> None:
    pretend["flax"] = Run(runs(flax=1e-9)["flax"])
    assert main(["verify", str(BARE), "--backends", "torch, flax"]) == 1
    told = capsys.readouterr().out
    assert "NOT the same function: hidden_states.2 is 1.0e-09 away" in told and "tensorflow" not in told
    assert main(["verify", str(BARE), "--backends", "torch,tensorflow"]) == 0
    assert main(["verify", str(BARE), "--backends", "torch,flax", "--band", "1e-8"]) == 0
    assert main(["verify", str(BARE), "--backends", "torch,tensorflow", "--band", "0"]) == 1


def test_what_the_library_warned_of_is_told_once(pretend: dict[str, Run], capsys: pytest.CaptureFixture[str]) -> None:
    for name, run in pretend.items():
        pretend[name] = dataclasses.replace(run, notes=("a head is new",))
    assert main(["verify", str(BARE)]) == 0
    assert capsys.readouterr().err == "note: a head is new\n"


def test_the_batch_can_be_given(
    pretend: dict[str, Run],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen: list[Any] = []

    def record(backend: str, stem: str, name: str, batch: Any, *_: Any) -> Run:
        seen.append((stem, batch))
        return pretend[backend]

    monkeypatch.setattr("triformers.cli.verify.outputs_of", record)
    np.savez(tmp_path / "batch.npz", input_ids=np.array([[5, 6]]))
    assert main(["verify", str(CLASSIFIER), "--class", "BertModel", "--inputs", str(tmp_path / "batch.npz")]) == 0
    assert len(seen) == 3
    for stem, batch in seen:
        assert stem == "BertModel" and {name: array.tolist() for name, array in batch.items()} == {
            "input_ids": [[5, 6]]
        }


def test_a_picture_is_drawn(pretend: dict[str, Run], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    picture = tmp_path / "error.png"
    pretend["flax"] = Run({**pretend["flax"].outputs, "float32": {}})  # an output that is absent is drawn too
    assert main(["verify", str(BARE), "--plot", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 5000


@pytest.mark.parametrize("name", ["error.nothing", "error", "no/such/folder/error.png"])
def test_a_picture_that_cannot_be_drawn_is_refused_at_once(
    name: str, pretend: dict[str, Run], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    pretend.clear()
    assert main(["verify", str(BARE), "--plot", str(tmp_path / name)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_missing_matplotlib_is_named_with_its_extra(
    pretend: dict[str, Run], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    pretend.clear()
    assert main(["verify", str(BARE), "--plot", "error.png"]) == 2
    assert "triformers[examples]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--backends", "flax"], "at least two frameworks"),
        (["--backends", "torch,mxnet"], "'mxnet'"),
        (["--class", "BertForAnything"], "BertForAnything"),
        (["--inputs", "/no/such/file.npz"], "/no/such/file.npz"),
    ],
)
def test_what_cannot_be_compared_is_an_error(
    arguments: list[str], said: str, pretend: dict[str, Run], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(BARE), *arguments]) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1


@pytest.mark.parametrize("option", [["--seed", "-1"], ["--seed", "x"], ["--band", "-1"], ["--band", "nan"]])
def test_numbers_out_of_range_are_told_how_it_goes(option: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(["verify", str(BARE), *option])


def test_a_missing_framework_is_an_error_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "flax", None)
    assert main(["verify", str(BARE), "--backends", "torch,flax"]) == 2
    assert "triformers[flax]" in capsys.readouterr().err
    with pytest.raises(MissingDependencyError):
        outputs_of("flax", "BertModel", BARE, {})


# ---- batches ---------------------------------------------------------------------------------------------


def test_a_batch_is_within_the_vocabulary_and_ragged() -> None:
    config = BertConfig(vocab_size=7, type_vocab_size=3, pad_token_id=2)
    seen = np.zeros(7)
    for seed in range(50):
        batch = sample_batch(config, seed)
        ids, mask = batch["input_ids"], batch["attention_mask"]
        assert ids.shape == mask.shape == batch["token_type_ids"].shape == (3, 11)
        assert ids.min() >= 0 and ids.max() < 7 and batch["token_type_ids"].max() < 3
        assert ((ids == 2) == (mask == 0)).all()  # padding where the mask is 0, and nowhere else
        assert (np.diff(mask) <= 0).all() and mask[:, 0].all() and mask[0].all()
        seen += np.bincount(ids.ravel(), minlength=7)
    assert seen.all()
    assert any((sample_batch(config, seed)["attention_mask"] == 0).any() for seed in range(3))


def test_a_seed_is_a_batch() -> None:
    first, again, other = (sample_batch(BertConfig(), seed) for seed in (0, 0, 1))
    assert all((first[name] == again[name]).all() for name in first)
    assert (first["input_ids"] != other["input_ids"]).any()


def test_a_batch_fits_the_model() -> None:
    assert sample_batch(BertConfig(max_position_embeddings=4))["input_ids"].shape == (3, 2)
    assert "token_type_ids" not in sample_batch(BertConfig(type_vocab_size=1))
    batch = sample_batch(PretrainedConfig(vocab_size=9, is_encoder_decoder=True))
    assert batch["decoder_input_ids"].shape == batch["decoder_attention_mask"].shape == (3, 11)
    with pytest.raises(InputError, match="--inputs"):
        sample_batch(PretrainedConfig())


def test_a_file_that_is_no_batch_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no arrays")
    np.save(tmp_path / "one.npy", np.ones(2))
    np.savez(tmp_path / "objects.npz", x=np.array([{}], dtype=object))
    for name in ("text", "one.npy", "objects.npz"):
        with pytest.raises(FileError):
            read_batch(tmp_path / name)


# ---- with a framework ------------------------------------------------------------------------------------


def golden(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The recorded inputs and outputs of a case, without labels and attentions: `verify` asks for neither."""
    arrays = {name: t.read() for name, t in read_safetensors(folder / "io.safetensors").items()}
    inputs = {name[6:]: a for name, a in arrays.items() if name.startswith("input.") and "labels" not in name}
    left_out = ("attentions", "loss")
    wanted = {name[7:]: a for name, a in arrays.items() if name.startswith("output.")}
    return inputs, {name: a for name, a in wanted.items() if not name.startswith(left_out)}


@pytest.fixture(scope="module")
def own_run(backend: str) -> Run:
    """The recorded inputs in this framework, in a process of its own, with a head that the checkpoint lacks."""
    return outputs_of(backend, HEADED, BARE, golden(BARE)[0], ("float64", "float32"))


HEADED = "BertForSequenceClassification"


@pytest.mark.backend
def test_a_process_of_its_own_computes_the_recorded_function(own_run: Run) -> None:
    _, truth = golden(BARE)
    states = {name: array for name, array in truth.items() if name.startswith("hidden_states.")}
    assert set(own_run.outputs["float64"]) == {*states, "logits"}
    table = layer_table(own_run.outputs, states)
    assert all(table[name]["float64"] <= 1e-12 and 1e-9 < table[name]["float32"] <= 1e-5 for name in states)
    for dtype, arrays in own_run.outputs.items():
        assert all(array.dtype.name == dtype for array in arrays.values())
    (note,) = own_run.notes
    assert "classifier.weight, classifier.bias newly initialised" in note


@pytest.mark.backend
def test_this_process_computes_the_same(backend: str) -> None:
    inputs, truth = golden(CLASSIFIER)
    found = run_model(backend, "BertForSequenceClassification", str(CLASSIFIER), inputs, "float64")
    assert set(found) == set(truth)
    assert max(relative_error(found[name], truth[name]) for name in truth) <= 1e-12


@pytest.mark.backend("torch")
@pytest.mark.skipif(not is_installed("flax"), reason="needs two frameworks")
def test_verify_proves_equality_and_notices_a_wrong_weight(
    own_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def turn(arrays: dict[str, np.ndarray]) -> None:
        name = "encoder.layer.1.attention.self.query.weight"
        arrays[name] = np.ascontiguousarray(arrays[name].T)

    wrong = copy_of(BARE, tmp_path / "wrong", turn)
    inputs = tmp_path / "inputs.npz"
    np.savez(inputs, **golden(BARE)[0])
    for folder, status in ((BARE, 0), (wrong, 1)):

        def run(backend: str, stem: str, _: Any, *others: Any, folder: Path = folder) -> Run:
            return own_run if backend == "torch" else outputs_of(backend, stem, folder, *others)

        monkeypatch.setattr("triformers.cli.verify.outputs_of", run)
        arguments = ["--backends", "torch,flax", "--class", HEADED, "--inputs", str(inputs), "--json"]
        assert main(["verify", str(BARE), *arguments]) == status
        told = capsys.readouterr()
        errors = json.loads(told.out)["errors"]
        assert errors["hidden_states.1"]["flax float64"] <= 1e-12
        assert (errors["hidden_states.2"]["flax float64"] > 1e-3) == bool(status)
        assert told.err.count("note: ") == 2  # each class has its own name in its note


# ---- the process that answers ----------------------------------------------------------------------------


def test_an_error_of_the_process_is_raised_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triformers.cli.run_in_backend.require_backend", lambda backend, wanted_by: None)
    with pytest.raises(UnknownNameError, match="triformers has no 'BertForNothing'"):
        outputs_of("torch", "BertForNothing", BARE, {"file": np.ones(1)})


def test_a_process_that_dies_says_its_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triformers.cli.run_in_backend.require_backend", lambda backend, wanted_by: None)
    with pytest.raises(TriformersError, match=r"BertModel in mxnet ended with status 1 \(KeyError: 'mxnet'\)"):
        outputs_of("mxnet", "BertModel", BARE, {})


def test_nested_outputs_have_dotted_names() -> None:
    output = {"logits": 1, "hidden_states": (2, 3), "nothing": None, "deep": [{"x": (4,)}]}
    assert dict(dotted(output)) == {"logits": 1, "hidden_states.0": 2, "hidden_states.1": 3, "deep.0.x.0": 4}
