"""What `from_pretrained` and `save_pretrained` promise, in every framework, for every class that a card lists."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.conftest import GOLDEN
from tests.parity.runners import runner_of
from tests.specs import Spec, all_specs
from triformers.conversion.formats.safetensors import read_safetensors, write_safetensors
from triformers.conversion.formats.tensors import Tensor, numpy_dtype
from triformers.files.errors import CheckpointError, ConfigurationError, FileError, InputError, TriformersError

pytestmark = pytest.mark.backend

CASE = GOLDEN / "models" / "bert" / "BertForSequenceClassification"
BARE = GOLDEN / "models" / "bert" / "BertModel"
SPEC = all_specs()["bert"]


@pytest.fixture(scope="module")
def runner(backend: str) -> ModuleType:
    """The framework of this process."""
    return runner_of(backend)


def rewrite(folder: Path, change: Any, source: Path = CASE) -> Path:
    """A copy of a checkpoint whose tensors were changed by a function."""
    shutil.copytree(source, folder, dirs_exist_ok=True)
    tensors = {name: tensor.read() for name, tensor in read_safetensors(source / "model.safetensors").items()}
    tensors = change(tensors)
    with (folder / "model.safetensors").open("wb") as file:
        lazy = {n: Tensor(n, array.shape, array.dtype, lambda array=array: array) for n, array in tensors.items()}
        write_safetensors(file, lazy, {"format": "pt"})
    return folder


def tensors_of(model: Any) -> dict[str, np.ndarray]:
    """A model's tensors by canonical name."""
    return {name: tensor.read() for name, tensor in model.canonical_tensors().items()}


def batch(spec: Spec = SPEC, seed: int = 0) -> dict[str, np.ndarray]:
    """Inputs of the bare model."""
    return spec.batch_of(small(), np.random.default_rng(seed))


def small(**fields: Any) -> Any:
    """The spec's configuration, some fields different."""
    from triformers import BertConfig

    return BertConfig(**{**SPEC.tiny, **fields})


# ---- what is printed ----------------------------------------------------------------------------------------


def test_nothing_is_printed_when_all_is_well(
    runner: ModuleType, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.INFO, logger="triformers"):
        _, info = runner.load("BertForSequenceClassification", CASE, "float32", output_loading_info=True)
    assert not caplog.records
    assert "triformers" not in capfd.readouterr().err
    assert not any(info.values())


def test_a_new_head_gets_one_line(runner: ModuleType, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="triformers"):
        _, info = runner.load("BertForSequenceClassification", BARE, "float32", num_labels=4, output_loading_info=True)
    assert len(caplog.records) == 1 and "classifier.weight" in caplog.text and "initialised" in caplog.text
    assert sorted(info["missing_keys"]) == ["classifier.bias", "classifier.weight"]


def test_a_dropped_head_is_silent_and_named_in_the_info(runner: ModuleType, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="triformers"):
        model, info = runner.load("BertModel", CASE, "float32", output_loading_info=True)
    assert not caplog.records
    assert sorted(info["unexpected_keys"]) == ["classifier.bias", "classifier.weight"]
    assert "embeddings.word_embeddings.weight" in tensors_of(model)


def test_a_buffer_that_nobody_holds_is_dropped_by_name(runner: ModuleType, tmp_path: Path) -> None:
    folder = rewrite(tmp_path, lambda t: {**t, "bert.embeddings.position_ids": np.arange(40)[None]})
    _, info = runner.load("BertForSequenceClassification", folder, "float32", output_loading_info=True)
    assert info["unexpected_keys"] == ["bert.embeddings.position_ids"]


def test_legacy_leaf_names_are_read(runner: ModuleType, tmp_path: Path) -> None:
    def old(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        spelling = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
        return {
            next((name.replace(new, was) for new, was in spelling.items() if name.endswith(new)), name): array
            for name, array in tensors.items()
        }

    found = tensors_of(runner.load("BertForSequenceClassification", rewrite(tmp_path, old), "float32"))
    expected = tensors_of(runner.load("BertForSequenceClassification", CASE, "float32"))
    assert all(found[name].tobytes() == expected[name].tobytes() for name in expected)


# ---- what is refused ----------------------------------------------------------------------------------------


def without(part: str) -> Any:
    """A change that takes out the tensors whose name holds `part`."""
    return lambda tensors: {name: array for name, array in tensors.items() if part not in name}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (without("layer.1.output.dense.weight"), "bert.encoder.layer.1.output.dense.weight"),
        (
            lambda t: {**t, "bert.encoder.layer.9.output.dense.bias": np.ones(3, np.float32)},
            "layer.9.output.dense.bias",
        ),
        (lambda t: {**t, "bogus.weight": np.ones(3, np.float32)}, "bogus.weight"),
        (lambda t: {**t, "bert.pooler.dense.bias": np.ones(3, np.float32)}, "bert.pooler.dense.bias"),
    ],
    ids=["absent", "left over in the backbone", "left over outside", "another shape"],
)
def test_what_does_not_fit_is_refused_by_name(change: Any, named: str, runner: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError) as caught:
        runner.load("BertForSequenceClassification", rewrite(tmp_path, change), "float32")
    assert named in str(caught.value) and len(str(caught.value).replace(str(tmp_path), "")) < 400
    assert isinstance(caught.value, (OSError, ValueError))


def test_a_missing_tensor_names_the_nearest_key(runner: ModuleType, tmp_path: Path) -> None:
    def misspelt(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {
            name.replace("layer.1.output.dense.weight", "layer.1.output.dens.weight"): a for name, a in tensors.items()
        }

    with pytest.raises(CheckpointError, match=r"layer\.1\.output\.dens\.weight"):
        runner.load("BertForSequenceClassification", rewrite(tmp_path, misspelt), "float32")


def test_another_shape_can_be_initialised_afresh(runner: ModuleType) -> None:
    with pytest.raises(CheckpointError, match="classifier"):
        runner.load("BertForSequenceClassification", CASE, "float32", num_labels=7)
    model, info = runner.load(
        "BertForSequenceClassification", CASE, "float32", num_labels=7, ignore_mismatched_sizes=True,
        output_loading_info=True,
    )  # fmt: skip
    assert tensors_of(model)["classifier.weight"].shape == (7, 28)
    assert {name for name, *_ in info["mismatched_keys"]} == {"classifier.weight", "classifier.bias"}


def test_a_truncated_file_is_refused(runner: ModuleType, tmp_path: Path) -> None:
    shutil.copytree(CASE, tmp_path, dirs_exist_ok=True)
    whole = (CASE / "model.safetensors").read_bytes()
    for size in (0, 5, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "model.safetensors").write_bytes(whole[:size])
        with pytest.raises(FileError) as caught:
            runner.load("BertForSequenceClassification", tmp_path, "float32")
        assert "model.safetensors" in str(caught.value) and len(str(caught.value).replace(str(tmp_path), "")) < 400


@pytest.mark.parametrize("fields", [{"hidden_size": 10**12}, {"num_hidden_layers": 10**9}, {"hidden_size": "wide"}])
def test_absurd_configurations_are_refused(fields: dict[str, Any], runner: ModuleType, tmp_path: Path) -> None:
    shutil.copytree(CASE, tmp_path, dirs_exist_ok=True)
    config = json.loads((CASE / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, **fields}))
    with pytest.raises(ConfigurationError) as caught:
        runner.load("BertForSequenceClassification", tmp_path, "float32")
    assert next(iter(fields)) in str(caught.value) and len(str(caught.value).replace(str(tmp_path), "")) < 400


def test_a_model_larger_than_the_memory_is_refused_before_it_is_built(runner: ModuleType) -> None:
    config = small(hidden_size=4_000_000, intermediate_size=8)
    with pytest.raises(ConfigurationError, match="GB"):
        runner.model_class("BertModel")(config)


def test_heads_must_divide_the_width(runner: ModuleType) -> None:
    with pytest.raises(ConfigurationError, match="multiple"):
        runner.model_class("BertModel")(small(num_attention_heads=5))


@pytest.mark.parametrize(
    "option",
    [
        {"add_cross_attention": True},
        {"pruned_heads": {0: [0, 1, 2, 3]}},
        {"pruned_heads": {7: [1]}},
        {"position_embedding_type": "rotary"},
    ],
    ids=str,
)
def test_options_that_make_no_model_are_refused(option: dict[str, Any], runner: ModuleType) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(option))):
        runner.model_class("BertModel")(small(**option))


def test_a_model_is_made_of_a_configuration(runner: ModuleType) -> None:
    for wrong in ({"hidden_size": 12}, "bert-base-uncased", None):
        with pytest.raises(InputError, match="from_pretrained"):
            runner.model_class("BertModel")(wrong)


def test_an_unknown_activation_names_the_nearest(runner: ModuleType) -> None:
    with pytest.raises(ConfigurationError, match="gelu"):
        runner.model_class("BertModel")(small(hidden_act="gelou"))


def test_unknown_arguments_are_refused(runner: ModuleType) -> None:
    with pytest.raises((TypeError, ValueError)):
        runner.load("BertModel", BARE, "float32", no_such_option=1)
    with pytest.raises(InputError, match="device_map"):
        runner.load("BertModel", BARE, "float32", device_map="auto")


def test_a_directory_without_a_checkpoint(runner: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"config\.json"):
        runner.load("BertModel", tmp_path, "float32")
    shutil.copy(CASE / "config.json", tmp_path)
    with pytest.raises(FileError, match=r"model\.safetensors"):
        runner.load("BertModel", tmp_path, "float32")


# ---- bad inputs ---------------------------------------------------------------------------------------------

BAD_INPUTS = {
    "1-D ids": (lambda b: {"input_ids": b["input_ids"][0]}, "batch dimension"),
    "ids out of range": (lambda b: {"input_ids": b["input_ids"] + 1000}, "0 to 100"),
    "negative ids": (lambda b: {"input_ids": b["input_ids"] - 1000}, "0 to 100"),
    "too long": (lambda b: {"input_ids": np.ones((1, 24), int)}, "at most 23"),
    "mask shape": (lambda b: {**b, "attention_mask": b["attention_mask"][:, :-1]}, "attention_mask of shape"),
    "mask batch": (lambda b: {**b, "attention_mask": b["attention_mask"][:2]}, "attention_mask of shape"),
    "segments out of range": (lambda b: {**b, "token_type_ids": b["token_type_ids"] + 3}, "token_type_ids contain"),
    "positions out of range": (lambda b: {**b, "position_ids": np.full((1, 11), 23)}, "position_ids contain 23"),
    "nothing": (lambda b: {}, "neither input_ids nor inputs_embeds"),
}


@pytest.mark.parametrize("what", BAD_INPUTS)
@pytest.mark.parametrize("stem", ["BertModel", "BertForSequenceClassification"])
def test_bad_inputs_get_one_short_message(stem: str, what: str, runner: ModuleType) -> None:
    change, words = BAD_INPUTS[what]
    model = runner.model_class(stem)(small(), seed=0)
    with pytest.raises(InputError) as caught:
        runner.forward(model, change(batch()))
    assert words in str(caught.value)
    assert len(str(caught.value)) < 400 and "\n" not in str(caught.value)
    assert isinstance(caught.value, (ValueError, TriformersError))


# ---- types, round trips, options ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bfloat16", "float16", "float64"])
def test_the_type_is_cast_on_the_way(name: str, runner: ModuleType, tmp_path: Path) -> None:
    model = runner.load("BertModel", BARE, name)
    model.save_pretrained(tmp_path)
    original, saved = read_safetensors(BARE / "model.safetensors"), read_safetensors(tmp_path / "model.safetensors")
    for key, tensor in original.items():
        assert saved[key].dtype == numpy_dtype(name)
        assert saved[key].read().tobytes() == tensor.read().astype(numpy_dtype(name)).tobytes()
    assert json.loads((tmp_path / "config.json").read_text())["torch_dtype"] == name


def test_what_was_saved_loads_again(runner: ModuleType, tmp_path: Path) -> None:
    model = runner.load("BertForSequenceClassification", CASE, "float32")
    model.save_pretrained(tmp_path)
    again = runner.load("BertForSequenceClassification", tmp_path, "float32")
    found, expected = tensors_of(again), tensors_of(model)
    assert all(found[name].tobytes() == expected[name].tobytes() for name in expected)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["architectures"] == ["BertForSequenceClassification"]


def test_saving_over_a_loaded_checkpoint_leaves_the_model_whole(runner: ModuleType, tmp_path: Path) -> None:
    shutil.copytree(CASE, tmp_path, dirs_exist_ok=True)
    model = runner.load("BertForSequenceClassification", tmp_path, "float32")
    before = {name: array.copy() for name, array in tensors_of(model).items()}
    runner.model_class("BertForSequenceClassification")(small(), seed=3).save_pretrained(tmp_path)
    assert all(np.array_equal(array, before[name]) for name, array in tensors_of(model).items())


def test_seeds(runner: ModuleType) -> None:
    make = runner.model_class("BertModel")
    one, same, other = (tensors_of(make(small(), seed=seed)) for seed in (5, 5, 6))
    name = "encoder.layer.0.attention.self.query.weight"
    assert np.array_equal(one[name], same[name]) and not np.array_equal(one[name], other[name])
    assert not one["embeddings.word_embeddings.weight"][0].any()
    assert abs(one[name].std() / 0.02 - 1) < 0.1 and np.all(one["embeddings.LayerNorm.weight"] == 1)


def test_counting_parameters(runner: ModuleType) -> None:
    model = runner.load("BertForSequenceClassification", CASE, "float32")
    sizes = {name: array.size for name, array in tensors_of(model).items()}
    assert model.num_parameters() == sum(sizes.values())
    embedded = sum(size for name, size in sizes.items() if "_embeddings.weight" in name)
    assert model.num_parameters(exclude_embeddings=True) == sum(sizes.values()) - embedded


def test_the_input_embeddings_can_be_exchanged(runner: ModuleType) -> None:
    for stem in ("BertModel", "BertForSequenceClassification"):
        model, other = (runner.model_class(stem)(small(), seed=seed) for seed in (0, 1))
        model.set_input_embeddings(other.get_input_embeddings())
        name = next(name for name in tensors_of(model) if name.endswith("word_embeddings.weight"))
        assert np.array_equal(tensors_of(model)[name], tensors_of(other)[name])


def test_outputs_read_three_ways_and_as_a_tuple(runner: ModuleType) -> None:
    model = runner.model_class("BertModel")(small(), seed=0)
    inputs = batch() if runner.PREFIX else runner.tensors(batch())
    output = model(**inputs, output_hidden_states=True)
    assert output.last_hidden_state is output["last_hidden_state"] is output[0]
    assert list(output) == ["last_hidden_state", "pooler_output", "hidden_states"] and output.attentions is None
    plain = model(**inputs, output_hidden_states=True, return_dict=False)
    assert isinstance(plain, tuple) and len(plain) == 3


def test_a_masked_position_changes_nothing(runner: ModuleType) -> None:
    model = runner.model_class("BertModel")(small(), seed=0)
    inputs = batch()
    other = {**inputs, "input_ids": np.where(inputs["attention_mask"], inputs["input_ids"], 7)}
    assert (other["input_ids"] != inputs["input_ids"]).any()
    one, two = (runner.forward(model, each)["last_hidden_state"] for each in (inputs, other))
    visible = inputs["attention_mask"].astype(bool)
    assert np.abs((one - two)[visible]).max() < 1e-6


def test_embeddings_and_three_dimensional_masks_as_inputs(runner: ModuleType) -> None:
    model = runner.model_class("BertModel")(small(), seed=0)
    inputs = batch()
    table = tensors_of(model)["embeddings.word_embeddings.weight"]
    embedded = {**inputs, "inputs_embeds": table[inputs["input_ids"]]}
    del embedded["input_ids"]
    length = inputs["input_ids"].shape[1]
    square = {**inputs, "attention_mask": np.repeat(inputs["attention_mask"][:, None], length, axis=1)}
    expected = runner.forward(model, inputs)["last_hidden_state"]
    for other in (embedded, square):
        assert np.abs(runner.forward(model, other)["last_hidden_state"] - expected).max() < 1e-6


def test_a_row_with_nothing_to_see_stays_finite(runner: ModuleType) -> None:
    for name in ("float32", "bfloat16", "float16"):
        model = runner.load("BertModel", BARE, name)
        inputs = {"input_ids": np.ones((2, 5), int), "attention_mask": np.array([[1] * 5, [0] * 5])}
        found = runner.forward_as_float32(model, inputs)
        assert np.isfinite(found["last_hidden_state"]).all()


def test_a_head_can_be_switched_off(runner: ModuleType) -> None:
    model = runner.model_class("BertModel")(small(), seed=0)
    on = runner.forward(model, {**batch(), "head_mask": np.ones(4, np.float32)})["last_hidden_state"]
    off = runner.forward(model, {**batch(), "head_mask": np.array([1, 0, 1, 1], np.float32)})["last_hidden_state"]
    assert np.abs(on - runner.forward(model, batch())["last_hidden_state"]).max() < 1e-6
    assert np.abs(on - off).max() > 1e-4


@pytest.mark.parametrize("padding", [0, 7, -1])
def test_the_padding_token_learns_nothing(padding: int, runner: ModuleType) -> None:
    config = small(pad_token_id=padding, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    model = runner.model_class("BertForSequenceClassification")(config, seed=0)
    row = padding % config.vocab_size
    ids = np.array([[3, row, 5, row], [9, 4, row, 2]])
    found = runner.gradients(model, {"input_ids": ids, "labels": np.array([0, 1])})
    table = found["bert.embeddings.word_embeddings.weight"]
    assert not table[row].any() and table[[2, 3, 4, 5, 9]].any(axis=1).all()
