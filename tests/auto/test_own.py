"""A user's own architecture, as the guides to custom models teach it, in each framework."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import triformers
from tests.auto.own import ScalerConfig
from tests.auto.test_configuration import refused
from triformers import AutoConfig, BertConfig
from triformers.cards import BACKENDS
from triformers.conversion.formats.safetensors import read_safetensors

pytestmark = pytest.mark.backend

#: Tensors that a step or a pass changes, by framework; what is of no known kind among them.
MOVED = {
    "torch": {"network.dense.weight", "network.norm.running_mean", "network.scaler.scale"},
    "tensorflow": {"dense.weight", "norm.moving_mean", "scaler.scale"},
    "flax": {"dense.weight", "norm.weight", "scaler.scale"},
}


@pytest.fixture(scope="module")
def own(backend: str) -> ModuleType:
    """The user's modelling file."""
    return importlib.import_module(f"tests.auto.own_{backend}")


@pytest.fixture
def autos(backend: str, own: ModuleType) -> tuple[Any, Any]:
    """AutoModel and AutoModelForImageClassification, which know the user's classes."""
    prefix = BACKENDS[backend].class_prefix
    base = getattr(triformers, f"{prefix}AutoModel")
    head = getattr(triformers, f"{prefix}AutoModelForImageClassification")
    AutoConfig.register("scaler-net", ScalerConfig)
    base.register(ScalerConfig, own.ScalerModel)
    head.register(ScalerConfig, own.ScalerModelForImageClassification)
    return base, head


@pytest.fixture
def pixels() -> np.ndarray:
    """A batch."""
    return np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)


def test_a_trained_model_is_saved_and_found_again(
    autos: tuple[Any, Any], own: ModuleType, backend: str, pixels: np.ndarray, tmp_path: Path
) -> None:
    for auto, kind in zip(autos, (own.ScalerModel, own.ScalerModelForImageClassification), strict=True):
        folder = tmp_path / kind.__name__
        model = auto.from_config(ScalerConfig(num_labels=3))
        assert type(model) is kind
        before = {name: tensor.read().copy() for name, tensor in model.canonical_tensors().items()}
        own.train(model, pixels)
        expected = own.run(model, pixels)
        model.save_pretrained(folder)
        saved = {name: tensor.read() for name, tensor in read_safetensors(folder / "model.safetensors").items()}
        if auto is autos[0]:
            assert saved.keys() >= MOVED[backend]
            assert all(not np.array_equal(saved[name], before[name]) for name in MOVED[backend])
        again, info = auto.from_pretrained(folder, seed=9, output_loading_info=True)
        assert type(again) is kind and not any(info.values())
        assert again.config.num_labels == 3 and again.config.architectures == [kind.__name__]
        assert np.array_equal(own.run(again, pixels), expected)


def test_a_seed_draws_what_is_of_a_known_kind_and_leaves_the_rest_to_the_class(autos: tuple[Any, Any]) -> None:
    one, same, other = (autos[0].from_config(ScalerConfig(), seed=seed).canonical_tensors() for seed in (1, 1, 2))
    known = next(name for name in one if name.endswith("dense.weight"))
    assert np.array_equal(one[known].read(), same[known].read())
    assert not np.array_equal(one[known].read(), other[known].read())
    scale = one[next(name for name in one if name.endswith("scaler.scale"))].read()
    assert np.unique(scale).size == scale.size and (scale >= 0).all() and (scale <= 1.5).all()


def test_fields_are_overridden(autos: tuple[Any, Any], tmp_path: Path) -> None:
    autos[1].from_config(ScalerConfig()).save_pretrained(tmp_path)
    found = autos[1].from_pretrained(tmp_path, num_labels=4, ignore_mismatched_sizes=True)
    assert type(found.config) is ScalerConfig and found.config.num_labels == 4
    assert found.canonical_tensors()["head.weight"].shape == (4, 5)


def test_a_new_head_on_a_saved_backbone_is_refused_by_name(autos: tuple[Any, Any], tmp_path: Path) -> None:
    autos[0].from_config(ScalerConfig()).save_pretrained(tmp_path)
    with pytest.raises(ValueError) as error:
        autos[1].from_pretrained(tmp_path)
    assert "head.weight" in str(error.value) and "expected exactly" in str(error.value)


def test_a_task_without_a_class_names_how_to_register_one(autos: tuple[Any, Any], backend: str) -> None:
    auto = getattr(triformers, f"{BACKENDS[backend].class_prefix}AutoModelForMaskedLM")
    with pytest.raises(ValueError) as error:
        auto.from_config(ScalerConfig())
    refused(error, "ScalerConfig", f"{auto.__name__}.register(ScalerConfig")


def test_the_configuration_must_be_the_class_own(autos: tuple[Any, Any], own: ModuleType) -> None:
    with pytest.raises(ValueError) as error:
        autos[0].register(BertConfig, own.ScalerModel, exist_ok=True)
    refused(error, "ScalerModel.config_class is ScalerConfig", "BertConfig")
    with pytest.raises(ValueError) as error:
        autos[0].register(ScalerConfig, ScalerConfig)
    refused(error, "config_class")


def test_the_library_s_own_are_taken_unless_one_says_so(autos: tuple[Any, Any]) -> None:
    base, head = autos
    library = base.class_for(BertConfig())
    mine = type("MyBertModel", (library,), {"__module__": __name__})
    with pytest.raises(ValueError) as error:
        base.register(BertConfig, mine)
    refused(error, "BertConfig", library.__name__, "exist_ok=True")
    assert base.class_for(BertConfig()) is library
    base.register(BertConfig, mine, exist_ok=True)
    assert base.class_for(BertConfig()) is mine
    head.register(BertConfig, mine)  # a task that BERT does not have
    assert head.class_for(BertConfig()) is mine
