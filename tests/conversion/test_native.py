"""The frameworks' own checkpoints: their words and axes become canonical ones, and canonical ones theirs."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from triformers.cards import BACKENDS, Tie, Weights, card_of, resolve_class
from triformers.conversion.formats import FORMATS, open_checkpoint
from triformers.conversion.formats.hdf5 import read_hdf5
from triformers.conversion.formats.safetensors import read_safetensors
from triformers.conversion.formats.tensors import Checkpoint, Tensor
from triformers.conversion.layouts import KINDS, Layout, layout_of
from triformers.conversion.mapping import Plan, make_plan
from triformers.conversion.native import (
    NATIVE,
    canonical_checkpoint,
    canonical_name,
    native_name,
    snake_case,
)
from triformers.conversion.saving import Contents, stage_checkpoint
from triformers.conversion.slots import Slot
from triformers.files.errors import FileError
from triformers.files.transaction import SaveTransaction
from triformers.hub.find import Repository

#: A BertForPreTraining (hidden 8, one layer, vocabulary 20) as transformers 4.53.3 saved it from PyTorch, from
#: TensorFlow and from Flax; the TensorFlow shards are those of the bare TFBertModel.
DATA = Path(__file__).parent / "data"
BERT = card_of("bert").weights
FORMS = {form.layout: name for name, form in FORMATS.items() if form.layout in NATIVE}
RECORDED = {"flax": "flax", "flax-shards": "flax", "tensorflow": "tensorflow", "tensorflow-shards": "tensorflow"}


def slot(name: str, shape: tuple[int, ...] = ()) -> Slot:
    """A slot of BERT; its kind is plain from its name."""
    parent, _, leaf = name.rpartition(".")
    kind = "embedding" if parent.endswith("_embeddings") else "layer_norm" if parent.endswith("LayerNorm") else "linear"
    kind = "raw" if name.endswith("cls.predictions.bias") else kind
    return Slot(name, shape, kind, tuple(name.split(".")), Layout(leaf))


def canonical() -> dict[str, Tensor]:
    """The recorded model, as PyTorch holds it."""
    return read_safetensors(DATA / "canonical" / "model.safetensors")


def slots_of(checkpoint: Checkpoint) -> list[Slot]:
    """The model that has these tensors."""
    return [slot(name, tensor.shape) for name, tensor in checkpoint.items()]


def recorded(folder: str) -> Checkpoint:
    """A recorded checkpoint under canonical names."""
    return opened(DATA / folder, RECORDED[folder])


def opened(folder: Path, backend: str) -> Checkpoint:
    """A framework's own checkpoint under canonical names."""
    return canonical_checkpoint(open_checkpoint(Repository(folder), [FORMS[backend]]), str(folder), BERT)


def values(plan: Plan, slots: Sequence[Slot], checkpoint: Checkpoint) -> dict[str, np.ndarray]:
    """What a plan fills the slots with, in canonical axes."""
    found = {}
    for each in slots:
        tensor = checkpoint[plan.filled[each.name]]
        found[each.name] = layout_of(each.kind, each.leaf, tensor.layout).to_canonical(tensor.read())
    return found


# ---- what transformers wrote -----------------------------------------------------------------------------


@pytest.mark.parametrize("folder", RECORDED)
def test_a_recorded_checkpoint_fills_the_model_that_it_is_of(folder: str) -> None:
    truth, found = canonical(), recorded(folder)
    is_bare = folder == "tensorflow-shards"
    slots = [each for each in slots_of(truth) if not is_bare or each.name.startswith("bert.")]
    plan = make_plan(slots, found, BERT)
    assert plan == Plan(filled={each.name: each.name for each in slots})
    for name, array in values(plan, slots, found).items():
        expected = truth[name].read()
        assert array.dtype == expected.dtype and np.array_equal(array, expected), name
    assert {tensor.layout for tensor in found.values()} == {RECORDED[folder]}


@pytest.mark.parametrize("folder", RECORDED)
def test_a_recorded_checkpoint_fills_a_bare_model(folder: str) -> None:
    truth, found = canonical(), recorded(folder)
    slots = [slot(name.removeprefix("bert."), each.shape) for name, each in truth.items() if name.startswith("bert.")]
    plan = make_plan(slots, found, BERT)
    assert plan.filled == {each.name: f"bert.{each.name}" for each in slots}
    assert all(name.startswith("cls.") for name in plan.dropped) and not plan.unexpected
    for name, array in values(plan, slots, found).items():
        assert np.array_equal(array, truth[f"bert.{name}"].read()), name


# ---- names -----------------------------------------------------------------------------------------------

NAMES = {
    # canonical, Flax, TensorFlow
    "bert.embeddings.word_embeddings.weight": (
        "bert/embeddings/word_embeddings/embedding", "bert/embeddings/word_embeddings/weight:0"),
    "bert.embeddings.position_embeddings.weight": (
        "bert/embeddings/position_embeddings/embedding", "bert/embeddings/position_embeddings/embeddings:0"),
    "bert.embeddings.LayerNorm.weight": ("bert/embeddings/LayerNorm/scale", "bert/embeddings/LayerNorm/gamma:0"),
    "bert.embeddings.LayerNorm.bias": ("bert/embeddings/LayerNorm/bias", "bert/embeddings/LayerNorm/beta:0"),
    "bert.encoder.layer.10.attention.self.query.weight": (
        "bert/encoder/layer/10/attention/self/query/kernel", "bert/encoder/layer_._10/attention/self/query/kernel:0"),
    "bert.encoder.layer.0.output.dense.bias": (
        "bert/encoder/layer/0/output/dense/bias", "bert/encoder/layer_._0/output/dense/bias:0"),
    "cls.predictions.bias": ("cls/predictions/bias", "mlm___cls/predictions/bias:0"),
    "cls.predictions.transform.LayerNorm.weight": (
        "cls/predictions/transform/LayerNorm/scale", "mlm___cls/predictions/transform/LayerNorm/gamma:0"),
    "cls.seq_relationship.weight": ("cls/seq_relationship/kernel", "nsp___cls/seq_relationship/kernel:0"),
    "classifier.weight": ("classifier/kernel", "classifier/kernel:0"),
    "qa_outputs.bias": ("qa_outputs/bias", "qa_outputs/bias:0"),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_each_checkpoint(name: str) -> None:
    for backend, native in zip(("flax", "tensorflow"), NAMES[name], strict=True):
        assert native_name(slot(name), backend, BERT) == native
        assert canonical_name(native, backend, BERT) == name


def test_a_bare_model_has_its_prefix_in_tensorflow_alone() -> None:
    inner = slot("encoder.layer.0.output.dense.weight")
    assert native_name(inner, "flax", BERT, is_bare=True) == "encoder/layer/0/output/dense/kernel"
    assert native_name(inner, "tensorflow", BERT, is_bare=True) == "bert/encoder/layer_._0/output/dense/kernel:0"
    word = slot("embeddings.word_embeddings.weight")
    assert native_name(word, "tensorflow", BERT, is_bare=True) == "bert/embeddings/word_embeddings/weight:0"


@pytest.mark.parametrize(("key", "name"), {
    "params/stem/kernel": "stem.weight",
    "batch_stats/stem/mean": "stem.mean",
    "kernel": "weight",
    "LayerNorm_0/scale": "LayerNorm_0.weight",
}.items())  # fmt: skip
def test_the_collections_of_flax_are_no_modules(key: str, name: str) -> None:
    assert canonical_name(key, "flax", BERT) == name


def test_declared_names_win_and_whole_words_alone_count() -> None:
    weights = Weights(
        prefix="b", native_names={"tensorflow": {"head": "lm/x", "head.out": "y", "scale.gamma": "s/gamma"}}
    )
    for name, native in {
        "head.dense.bias": "lm/x/dense/bias:0",
        "head.out.bias": "y/bias:0",
        "header.bias": "header/bias:0",
        "b.head.bias": "b/lm/x/bias:0",
        "scale.gamma": "s/gamma:0",
    }.items():
        assert native_name(slot(name), "tensorflow", weights) == native
        assert canonical_name(native, "tensorflow", weights) == name


@pytest.mark.parametrize(("name", "snake"), {
    "TFBertModel": "tf_bert_model",
    "TFBertLMHeadModel": "tf_bert_lm_head_model",
    "TFBertForMaskedLM": "tf_bert_for_masked_lm",
    "TFBertForPreTraining": "tf_bert_for_pre_training",
    "TFBertForNextSentencePrediction": "tf_bert_for_next_sentence_prediction",
    "TFGPT2Model": "tfgpt2_model",
    "TFGPT2LMHeadModel": "tfgpt2lm_head_model",
    "TFGPT2DoubleHeadsModel": "tfgpt2_double_heads_model",
}.items())  # fmt: skip
def test_a_class_is_called_as_keras_calls_it(name: str, snake: str) -> None:
    assert snake_case(name) == snake


@pytest.mark.parametrize("backend", FORMS)
def test_no_leaf_of_a_framework_has_two_meanings(backend: str) -> None:
    pairs = {(row[backend].leaf, leaf) for rows in KINDS.values() for leaf, row in rows.items() if backend in row}
    assert len(pairs) == len({leaf for leaf, _ in pairs})


# ---- writing ---------------------------------------------------------------------------------------------


def saved(folder: Path, backend: str, tensors: Checkpoint, slots: Sequence[Slot], name: str, weights: Weights) -> Path:
    """A checkpoint of a framework, written from canonical tensors."""
    stem = name.removeprefix(BACKENDS[backend].class_prefix)
    with SaveTransaction(folder) as stage:
        stage_checkpoint(stage, Contents(tensors, slots, weights, stem), FORMS[backend])
    return folder / FORMATS[FORMS[backend]].file


def test_what_flax_would_write_is_written_byte_for_byte(tmp_path: Path) -> None:
    truth = canonical()
    path = saved(tmp_path, "flax", truth, slots_of(truth), "FlaxBertForPreTraining", BERT)
    assert path.read_bytes() == (DATA / "flax" / "flax_model.msgpack").read_bytes()


def test_what_tensorflow_would_write_is_in_the_same_groups(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    truth = canonical()
    path = saved(tmp_path, "tensorflow", truth, slots_of(truth), "TFBertForPreTraining", BERT)
    theirs = DATA / "tensorflow" / "tf_model.h5"
    with h5py.File(path) as found, h5py.File(theirs) as expected:
        layers = set(expected.attrs["layer_names"])
        assert {name.decode() for name in found.attrs["layer_names"]} == layers
        for layer in layers:
            names = set(expected[layer].attrs["weight_names"])
            assert {name.decode() for name in found[layer].attrs["weight_names"]} == names
            assert all(np.array_equal(found[layer][name][()], expected[layer][name][()]) for name in names)
    assert read_hdf5(path).keys() == read_hdf5(theirs).keys()


@pytest.mark.backend()
@pytest.mark.parametrize("task", card_of("bert").models)
@pytest.mark.parametrize("form", FORMS)
def test_every_class_survives_the_other_formats(task: str, form: str, backend: str, tmp_path: Path) -> None:
    card = card_of("bert")
    stem = card.models[task]
    config = resolve_class(card.config)(
        vocab_size=20, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12,
        max_position_embeddings=16,
    )  # fmt: skip
    slots = resolve_class(BACKENDS[backend].class_prefix + stem).structure(config).slots()
    arrays = {each.name: np.random.default_rng(n).normal(size=each.shape) for n, each in enumerate(slots)}
    tensors = {
        name: Tensor(name, array.shape, array.dtype, lambda array=array: array) for name, array in arrays.items()
    }
    saved(tmp_path, form, tensors, slots, BACKENDS[form].class_prefix + stem, BERT)
    found = opened(tmp_path, form)
    assert len(found) == len(slots)
    plan = make_plan(slots, found, BERT, config)
    assert plan.filled.keys() == arrays.keys() and len(plan.filled) == len(found)
    assert all(np.array_equal(array, arrays[name]) for name, array in values(plan, slots, found).items())


# ---- axes ------------------------------------------------------------------------------------------------


def native_tensor(array: np.ndarray, backend: str) -> Tensor:
    """A tensor of a framework's own checkpoint."""
    return Tensor("", array.shape, array.dtype, lambda: array, layout=backend)


def test_a_native_tensor_of_another_shape_is_named_in_canonical_axes() -> None:
    slots = [slot("bert.x.weight", (2, 3))]
    plan = make_plan(slots, {"bert.x.weight": native_tensor(np.zeros((5, 2)), "flax")}, BERT)
    assert plan.mismatched == [("bert.x.weight", (2, 5), (2, 3))]
    plan = make_plan(slots, {"bert.x.weight": native_tensor(np.zeros(5), "flax")}, BERT)
    assert plan.mismatched == [("bert.x.weight", (5,), (2, 3))]


def test_the_other_name_of_a_tied_tensor_never_fills_it_in_other_axes() -> None:
    weights = Weights(prefix="b", heads=("head",), tied=(Tie("head.weight", to="x_embeddings.weight"),))
    slots = [slot("b.x_embeddings.weight", (3, 3)), slot("b.y.bias", (3,))]  # square: no shape gives it away
    for layout, filled in (("torch", {"b.x_embeddings.weight": "head.weight"}), ("flax", {})):
        arrays = {"head.weight": np.zeros((3, 3)), "b.y.bias": np.zeros(3)}
        plan = make_plan(slots, {name: native_tensor(array, layout) for name, array in arrays.items()}, weights)
        assert plan.filled == {**filled, "b.y.bias": "b.y.bias"}, layout


# ---- damage ----------------------------------------------------------------------------------------------


def copied(folder: str, target: Path) -> Path:
    """A recorded checkpoint, to be changed."""
    return Path(shutil.copytree(DATA / folder, target / folder))


def edited(index: Path, **changes: Any) -> None:
    """Change an index file."""
    index.write_text(json.dumps({**json.loads(index.read_text()), **changes}))


SHARDS = {backend: f"{backend}-shards" for backend in FORMS}


@pytest.mark.parametrize("backend", FORMS)
@pytest.mark.parametrize("lie", ["left out", "elsewhere", "added", "no map", "numbers", "outside", "absent"])
def test_an_index_that_lies_is_refused(backend: str, lie: str, tmp_path: Path) -> None:
    folder = copied(SHARDS[backend], tmp_path)
    index = folder / FORMATS[FORMS[backend]].index()
    table: Mapping[str, Any] = json.loads(index.read_text())["weight_map"]
    first, *others = table
    changed: Any = {
        "left out": {name: table[name] for name in others},
        "elsewhere": {**table, first: table[others[-1]]},
        "added": {**table, f"{first}x": table[first]},
        "no map": None,
        "numbers": {**table, first: 1},
        "outside": {**table, first: "../model.safetensors"},
        "absent": {**table, first: "absent.h5"},
    }[lie]
    edited(index, weight_map=changed)
    with pytest.raises(FileError) as error:
        opened(folder, backend)
    assert len(re.sub(re.escape(str(tmp_path)), "", str(error.value))) < 400


def test_two_tensors_of_one_name_are_refused() -> None:
    both = {name: native_tensor(np.zeros(1), "flax") for name in ("x/kernel", "x/embedding")}
    with pytest.raises(FileError, match=r"both called x\.weight"):
        canonical_checkpoint(both, "here", BERT)
