"""The three frameworks compute the same function as the recorded runs, class by class, and as each other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.parity import truth
from tests.parity.compare import BANDS, Bands, beyond, errors
from tests.parity.goldens import Case, cases, golden_root
from tests.parity.runners import runner_of
from tests.specs import Spec, all_specs
from triformers.cards import all_cards
from triformers.conversion.formats.safetensors import read_safetensors, write_safetensors
from triformers.conversion.formats.tensors import Tensor

pytestmark = pytest.mark.backend

CLASSES = [(model_type, stem) for model_type, card in all_cards().items() for stem in card.models.values()]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        found = list(cases(golden_root(metafunc.config)))
        if "with_loss" in metafunc.function.__name__:
            found = [case for case in found if case.has_loss]
        metafunc.parametrize("case", found, ids=[case.name for case in found])


@pytest.fixture(scope="session")
def runner(backend: str) -> ModuleType:
    """The framework of this process, as the harness uses it."""
    return runner_of(backend)


@pytest.fixture(scope="session")
def bands(device: str) -> Bands:
    """How near results must be on this device."""
    return BANDS[device]


@pytest.fixture(scope="session")
def torch_truth(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, np.ndarray]:
    """What PyTorch computes for every case and class."""
    return truth.of_torch(golden_root(request.config), tmp_path_factory.mktemp("truth") / "torch.npz")


def part(found: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """The arrays under a prefix, without it."""
    return {name.removeprefix(f"{prefix}|"): array for name, array in found.items() if name.startswith(f"{prefix}|")}


# ---- the recorded function ----------------------------------------------------------------------------------


def test_outputs_in_float64(case: Case, runner: ModuleType, bands: Bands) -> None:
    model = runner.load(case.class_name, case.folder, "float64")
    found = runner.forward(model, case.inputs("float64"), **case.facts["forward_kwargs"])
    assert set(case.outputs) <= set(found)
    assert not beyond(found, case.outputs, bands.outputs)


def test_outputs_in_float32(case: Case, runner: ModuleType, bands: Bands) -> None:
    model = runner.load(case.class_name, case.folder, "float32")
    found = errors(runner.forward(model, case.inputs("float32"), **case.facts["forward_kwargs"]), case.outputs)
    for name, size in found.items():
        allowed = case.facts["hf_float32_max_rel_err"][name.partition(".")[0]]
        assert size <= max(4 * allowed, bands.float32), name


def test_gradient_norms_with_loss(case: Case, runner: ModuleType, bands: Bands) -> None:
    found = truth.gradients(runner, case)
    largest = max(case.gradient_norms.values())
    for name, norm in case.gradient_norms.items():
        assert abs(np.linalg.norm(found[name]) - norm) <= bands.gradients * largest, name


def test_gradients_with_loss(
    case: Case, runner: ModuleType, bands: Bands, torch_truth: Mapping[str, np.ndarray]
) -> None:
    found, expected = truth.gradients(runner, case), part(torch_truth, f"gradient|{case.name}")
    largest = max(np.abs(array).max() for array in expected.values())
    for name, array in found.items():
        difference = array - expected.get(name, np.zeros_like(array))
        assert np.abs(difference).max() <= bands.gradients * largest, name
    assert set(expected) <= set(found)


def test_five_training_steps_with_loss(
    case: Case, runner: ModuleType, bands: Bands, torch_truth: Mapping[str, np.ndarray]
) -> None:
    expected = part(torch_truth, f"trained|{case.name}")
    before = {name: tensor.read() for name, tensor in read_safetensors(case.folder / "model.safetensors").items()}
    assert any(np.abs(expected[name] - before[name]).max() > 1e-2 for name in expected)
    assert not beyond(truth.trained(runner, case), expected, bands.training)


# ---- tensors ------------------------------------------------------------------------------------------------


def test_every_tensor_survives_bitwise(case: Case, runner: ModuleType) -> None:
    loaded = truth.values(runner.load(case.class_name, case.folder, "float32"))
    original = read_safetensors(case.folder / "model.safetensors")
    assert set(loaded) == set(original)
    for name, tensor in original.items():
        assert loaded[name].tobytes() == tensor.read().tobytes(), name


def test_saved_file_is_the_same_in_every_framework(
    case: Case, runner: ModuleType, torch_truth: Mapping[str, np.ndarray]
) -> None:
    assert truth.saved_bytes(runner, case).tobytes() == torch_truth[f"saved|{case.name}"].tobytes()


@pytest.mark.parametrize(("model_type", "stem"), CLASSES)
def test_initial_weights_are_the_same_in_every_framework(
    model_type: str, stem: str, runner: ModuleType, torch_truth: Mapping[str, np.ndarray]
) -> None:
    found, expected = truth.initial(runner, model_type, stem), part(torch_truth, f"initial|{stem}")
    assert found.keys() == expected.keys()
    assert all(found[name].tobytes() == expected[name].tobytes() for name in expected)


# ---- the harness itself -------------------------------------------------------------------------------------


def mutants(spec: Spec) -> Iterator[tuple[str, Any, Any]]:
    """(what is wrong, a change of the tensors, a change of the configuration)."""

    def transposed(tensors: dict[str, np.ndarray], prefix: str) -> None:
        tensors[prefix + spec.square] = np.ascontiguousarray(tensors[prefix + spec.square].T)

    def swapped(tensors: dict[str, np.ndarray], prefix: str) -> None:
        one, other = (prefix + name for name in spec.swap)
        tensors[one], tensors[other] = tensors[other], tensors[one]

    def dropped(tensors: dict[str, np.ndarray], prefix: str) -> None:
        tensors[prefix + spec.bias] = np.zeros_like(tensors[prefix + spec.bias])

    yield from (("transposed", transposed, {}), ("swapped", swapped, {}), ("dropped bias", dropped, {}))
    for field, value in spec.mutations.items():
        yield f"{field}={value}", None, {field: value}


MUTANTS = [
    (model_type, what, change, fields)
    for model_type, spec in all_specs().items()
    for what, change, fields in mutants(spec)
]


@pytest.mark.parametrize(
    ("model_type", "what", "change", "fields"), MUTANTS, ids=[f"{mutant[0]}-{mutant[1]}" for mutant in MUTANTS]
)
def test_the_harness_notices(
    model_type: str, what: str, change: Any, fields: Any, runner: ModuleType, bands: Bands, tmp_path: Path, request: Any
) -> None:
    spec_cases = [case for case in cases(golden_root(request.config)) if case.folder.parent.name == model_type]
    for case in (next(case for case in spec_cases if case.has_loss), next(c for c in spec_cases if not c.has_loss)):
        folder = _mutated(case, change, fields, tmp_path / case.folder.name)
        model = runner.load(case.class_name, folder, "float64")
        found = runner.forward(model, case.inputs("float64"), **case.facts["forward_kwargs"])
        assert beyond(found, case.outputs, bands.outputs), f"{what} was not noticed in {case.name}"


def _mutated(case: Case, change: Any, fields: Mapping[str, Any], folder: Path) -> Path:
    """A copy of a case's checkpoint with something wrong in it."""
    shutil.copytree(case.folder, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **fields}))
    tensors = {name: tensor.read() for name, tensor in read_safetensors(case.folder / "model.safetensors").items()}
    if change is not None:
        prefix = f"{all_cards()[case.folder.parent.name].weights.prefix}."
        change(tensors, prefix if any(name.startswith(prefix) for name in tensors) else "")
    with (folder / "model.safetensors").open("wb") as file:
        write_safetensors(file, {name: _tensor(name, array) for name, array in tensors.items()}, {"format": "pt"})
    return folder


def _tensor(name: str, array: np.ndarray) -> Tensor:
    return Tensor(name, array.shape, array.dtype, lambda: array)
