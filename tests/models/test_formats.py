"""Every format, whole and in shards, loads into every framework to the same bits, and is written so."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.models.test_loading import tensors_of
from tests.parity.runners import runner_of
from tests.specs import sampled, spec_of
from triformers.cards import all_cards
from triformers.cli import main
from triformers.conversion.formats.names import FORMATS
from triformers.conversion.formats.safetensors import read_safetensors
from triformers.conversion.formats.tensors import numpy_dtype
from triformers.files.errors import FileError, InputError

pytestmark = pytest.mark.backend

#: Checkpoints of one BertForPreTraining as transformers 4.53.3 wrote them.
RECORDED = Path(__file__).parents[1] / "conversion" / "data"

#: Further architectures of which it wrote one, and the class.
RECORDED_TASKS = [("gpt2", "causal-lm"), ("bart", "denoising"), ("distilbert", "masked-lm")]

SHARDS = {"whole": None, "sharded": "20KB"}
STEMS = [stem for card in all_cards().values() for stem in card.models.values()]


@pytest.fixture(scope="module")
def runner(backend: str) -> ModuleType:
    """The framework of this process."""
    return runner_of(backend)


def made(runner: ModuleType, stem: str, **fields: Any) -> Any:
    """A fresh model."""
    model_class = runner.model_class(stem)
    return model_class(model_class.config_class(**{**spec_of(stem).tiny, **fields}), seed=0)


def recorded(form: str, runner: ModuleType, folder: Path) -> Path:
    """A copy of what the incumbent wrote, with the configuration of its sizes."""
    shutil.copytree(RECORDED / form, folder, dirs_exist_ok=True)
    shapes = {name: t.shape for name, t in read_safetensors(RECORDED / "canonical/model.safetensors").items()}
    sizes = {"intermediate_size": shapes["bert.encoder.layer.0.intermediate.dense.bias"][0]}
    for field, table in (
        ("vocab_size", "word"),
        ("max_position_embeddings", "position"),
        ("type_vocab_size", "token_type"),
    ):
        sizes[field] = shapes[f"bert.embeddings.{table}_embeddings.weight"][0]
    config = runner.model_class("BertModel").config_class(
        hidden_size=8, num_attention_heads=2, num_hidden_layers=1, architectures=["BertForPreTraining"], **sizes
    )
    config.save_pretrained(folder)
    return folder


def converted(model: Any, folder: Path, form: str, *arguments: str) -> Path:
    """A model saved, and then converted to another format."""
    model.save_pretrained(folder / "source")
    status = main(["convert", str(folder / "source"), str(folder / form), "--to", form, *arguments])
    assert status == 0
    assert not (folder / form / "model.safetensors").exists() or form == "safetensors"
    return folder / form


def equal(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> bool:
    """Whether two models hold the same bytes under the same names."""
    return found.keys() == expected.keys() and all(found[n].tobytes() == expected[n].tobytes() for n in expected)


# ---- what others wrote --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "folder", ["canonical", "flax", "flax-safetensors", "flax-shards", "tensorflow", "tensorflow-safetensors"]
)
def test_what_the_incumbent_wrote(folder: str, runner: ModuleType, tmp_path: Path) -> None:
    path = recorded(folder, runner, tmp_path)
    model, info = runner.load("BertForPreTraining", path, "float32", output_loading_info=True)
    truth = {name: tensor.read() for name, tensor in read_safetensors(RECORDED / "canonical/model.safetensors").items()}
    assert equal(tensors_of(model), truth) and not info["missing_keys"]


@pytest.mark.parametrize(
    "folder", ["flax", "flax-safetensors", "tensorflow", "tensorflow-safetensors", "tensorflow-shards"]
)
def test_a_bare_model_from_what_the_incumbent_wrote(folder: str, runner: ModuleType, tmp_path: Path) -> None:
    found = tensors_of(runner.load("BertModel", recorded(folder, runner, tmp_path), "float32"))
    truth = read_safetensors(RECORDED / "canonical/model.safetensors")
    assert found and all(array.tobytes() == truth[f"bert.{name}"].read().tobytes() for name, array in found.items())


@pytest.mark.parametrize(
    ("model_type", "task", "folder"),
    [(name, task, path.name) for name, task in RECORDED_TASKS for path in sorted((RECORDED / name).iterdir())],
)
def test_layers_that_the_incumbent_wrote(model_type: str, task: str, folder: str, runner: ModuleType) -> None:
    card, path = all_cards()[model_type], RECORDED / model_type
    truth = read_safetensors(path / "canonical/model.safetensors")
    whole, prefix = {name: tensor.read() for name, tensor in truth.items()}, f"{card.weights.prefix}."
    bare = {name.removeprefix(prefix): array for name, array in whole.items() if name.startswith(prefix)}
    for each, expected in ((task, whole), ("base", bare)):
        model, info = runner.load(card.models[each], path / folder, "float32", output_loading_info=True)
        assert equal(tensors_of(model), expected) and not info["missing_keys"]
        assert len(info["unexpected_keys"]) == len(whole) - len(expected)


# ---- what is written here -----------------------------------------------------------------------------------


def survives(form: str, stem: str, is_tied: bool, runner: ModuleType, folder: Path, *arguments: str) -> Path:
    """Convert a model with every option to a format, and compare what comes back; answers where it is."""
    model = made(runner, stem, **{**spec_of(stem).full, "tie_word_embeddings": is_tied})
    path = converted(model, folder, form, *arguments)
    again, info = runner.load(stem, path, "float32", output_loading_info=True)
    assert equal(tensors_of(again), tensors_of(model)) and not info["missing_keys"], stem
    return path


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("stem", sampled(STEMS))
def test_every_format_comes_back(stem: str, form: str, runner: ModuleType, tmp_path: Path) -> None:
    path = survives(form, stem, stem.endswith("LMHeadModel"), runner, tmp_path)
    assert not (path / FORMATS[form].index()).exists()


@pytest.mark.parametrize("form", FORMATS)
def test_shards_of_every_format_come_back(form: str, runner: ModuleType, tmp_path: Path) -> None:
    for number, stem in enumerate(("BertModel", "BertForPreTraining", "GPT2LMHeadModel")):
        path = survives(form, stem, number % 2 == 0, runner, tmp_path / stem, "--max-shard-size", "20KB")
        assert (path / FORMATS[form].index()).exists()


@pytest.mark.parametrize("size", SHARDS)
def test_the_native_format_is_written_on_request(size: str, runner: ModuleType, tmp_path: Path) -> None:
    model = made(runner, "BertForMaskedLM")
    limits = {} if SHARDS[size] is None else {"max_shard_size": SHARDS[size]}
    model.save_pretrained(tmp_path, safe_serialization=False, **limits)
    form = FORMATS[{"pt": "bin", "tf": "h5", "flax": "msgpack"}[model.framework]]
    assert ((tmp_path / form.index()) if limits else (tmp_path / form.whole())).exists()
    assert not list(tmp_path.glob("*.safetensors"))
    assert equal(tensors_of(runner.load("BertForMaskedLM", tmp_path, "float32")), tensors_of(model))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_types_survive_every_format(form: str, dtype: str, runner: ModuleType, tmp_path: Path) -> None:
    model = runner.load("BertModel", recorded("canonical", runner, tmp_path / "recorded"), dtype)
    folder = converted(model, tmp_path, form)
    again = runner.load("BertModel", folder, dtype)
    assert equal(tensors_of(again), tensors_of(model))
    assert {array.dtype for array in tensors_of(again).values()} == {numpy_dtype(dtype)}
    assert json.loads((folder / "config.json").read_text())["torch_dtype"] == dtype


def test_shards_have_the_bytes_of_every_framework(runner: ModuleType, tmp_path: Path) -> None:
    model = made(runner, "BertForPreTraining")
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    names = sorted(path.name for path in tmp_path.glob("model-*"))
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    sizes = [sum(t.read().nbytes for t in read_safetensors(tmp_path / name).values()) for name in names]
    assert len(names) > 2 and all(size <= 20_000 for size in sizes) and sum(sizes) == index["metadata"]["total_size"]
    assert set(index["weight_map"].values()) == set(names)
    model.save_pretrained(tmp_path)
    assert [path.name for path in tmp_path.glob("model*")] == ["model.safetensors"]


def test_a_tensor_larger_than_the_limit_has_a_file_of_its_own(runner: ModuleType, tmp_path: Path) -> None:
    made(runner, "BertModel").save_pretrained(tmp_path, max_shard_size=100)
    assert all(len(read_safetensors(path)) == 1 or sum(t.read().nbytes for t in read_safetensors(path).values()) <= 100
               for path in tmp_path.glob("model-*"))  # fmt: skip


# ---- which one is read --------------------------------------------------------------------------------------


def test_the_first_format_there_is_and_the_one_asked_for(
    runner: ModuleType, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = made(runner, "BertModel"), made(runner, "BertModel", layer_norm_eps=0.1)
    other.resize_token_embeddings(101)
    table = other.get_input_embeddings()
    one.save_pretrained(tmp_path)
    again = type(one)(one.config, seed=9)
    with caplog.at_level(logging.WARNING, logger="triformers"):
        again.save_pretrained(tmp_path, safe_serialization=False)
    assert "is read before" in caplog.text and table is not None
    assert equal(tensors_of(runner.load("BertModel", tmp_path, "float32")), tensors_of(one))
    for asked in ({"use_safetensors": False}, {"from_pt": False, "use_safetensors": False}):
        assert equal(tensors_of(runner.load("BertModel", tmp_path, "float32", **asked)), tensors_of(again))
    native = {"pt": "from_pt", "tf": "from_tf", "flax": "from_flax"}[one.framework]
    found = tensors_of(runner.load("BertModel", tmp_path, "float32", **{native: True}))
    assert equal(found, tensors_of(one if native == "from_pt" else again))


@pytest.mark.parametrize("argument", ["from_pt", "from_tf", "from_flax"])
def test_the_old_arguments_are_accepted_by_all(argument: str, runner: ModuleType, tmp_path: Path) -> None:
    for folder in ("canonical", "flax", "tensorflow"):
        path = recorded(folder, runner, tmp_path / folder)
        assert tensors_of(runner.load("BertModel", path, "float32", **{argument: True}))


def test_only_safetensors_where_that_is_asked_for(runner: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"model\.safetensors"):
        runner.load("BertModel", recorded("flax", runner, tmp_path), "float32", use_safetensors=True)


def test_variants_and_subfolders(runner: ModuleType, tmp_path: Path) -> None:
    plain, half = made(runner, "BertModel"), type(made(runner, "BertModel"))(made(runner, "BertModel").config, seed=3)
    plain.save_pretrained(tmp_path / "inner")
    for limit in ("5GB", "20KB"):
        half.save_pretrained(tmp_path / "inner", variant="fp16", max_shard_size=limit)
        for variant, model in ((None, plain), ("fp16", half)):
            found = runner.load("BertModel", tmp_path, "float32", subfolder="inner", variant=variant)
            assert equal(tensors_of(found), tensors_of(model))
    with pytest.raises(FileError, match=r"model\.bf16\.safetensors"):
        runner.load("BertModel", tmp_path / "inner", "float32", variant="bf16")


@pytest.mark.parametrize("size", [0, -5, "5 parsecs", "GB", "", "1.2.3MB"])
def test_a_size_that_is_none_is_refused(size: Any, runner: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="size"):
        made(runner, "BertModel").save_pretrained(tmp_path, max_shard_size=size)
    assert not (tmp_path / "model.safetensors").exists()


def test_an_index_that_lies_is_refused(runner: ModuleType, tmp_path: Path) -> None:
    made(runner, "BertModel").save_pretrained(tmp_path, max_shard_size="20KB")
    index = tmp_path / "model.safetensors.index.json"
    whole = json.loads(index.read_text())
    first, *_ = sorted(whole["weight_map"])
    for change in ({first: "model-00009-of-00009.safetensors"}, {first: "../secret.safetensors"}, {"ghost": "x"}):
        index.write_text(json.dumps({**whole, "weight_map": {**whole["weight_map"], **change}}))
        with pytest.raises(FileError) as caught:
            runner.load("BertModel", tmp_path, "float32")
        assert len(str(caught.value).replace(str(tmp_path), "")) < 400
    shutil.rmtree(tmp_path)


@pytest.mark.backend("flax")
def test_parameters_are_placed_as_they_are_read(tmp_path: Path) -> None:
    import jax

    runner = runner_of("flax")
    path, device = recorded("canonical", runner, tmp_path), jax.devices()[0]
    sharding, asked = jax.sharding.SingleDeviceSharding(device), []
    whole = runner.load("BertModel", path, "float32", sharding=sharding)
    each = runner.load("BertModel", path, "float32", sharding=lambda place: asked.append(place) or sharding)
    assert {leaf.sharding for leaf in jax.tree.leaves(each.params)} == {sharding}
    assert set(asked) == each.required_params and equal(tensors_of(whole), tensors_of(each))


@pytest.mark.backend("torch")
def test_a_state_dict_in_place_of_the_models_own(tmp_path: Path) -> None:
    runner = runner_of("torch")
    model, other = (
        made(runner, "BertForMaskedLM"),
        runner.model_class("BertForMaskedLM")(made(runner, "BertForMaskedLM").config, seed=4),
    )
    model.save_pretrained(tmp_path, state_dict=other.state_dict())
    assert equal(tensors_of(runner.load("BertForMaskedLM", tmp_path, "float32")), tensors_of(other))
    with pytest.raises(InputError, match="state_dict without"):
        model.save_pretrained(tmp_path, state_dict={})
