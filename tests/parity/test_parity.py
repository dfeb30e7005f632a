"""The three frameworks compute the same function as the recorded runs, class by class, and as each other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice, product
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.conftest import GOLDEN
from tests.parity import truth
from tests.parity.compare import BANDS, Bands, beyond, errors
from tests.parity.goldens import Case, cases, chunks, golden_root
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
        name = metafunc.function.__name__
        if "with_loss" in name:
            found = [case for case in found if case.has_loss]
        if "with_cache" in name:
            found = [case for case in found if case.cache_steps]
        is_whole = metafunc.config.getoption("golden") is not None
        params = [pytest.param(case, marks=[] if is_whole else marks(case, name, found)) for case in found]
        metafunc.parametrize("case", params, ids=[case.name for case in found])


def marks(case: Case, test: str, every: list[Case]) -> Any:
    """When a test of a case is for the long run: what costs more than a call in float64 is, but for a sample.

    Of what takes several calls or programs, in short only PyTorch has more than one case of an architecture.
    """
    if "outputs_in_float64" in test:
        return []
    if not case.is_sample or ("training" in test and case.is_variant):
        return pytest.mark.slow
    is_first = case == next(one for one in every if one.is_sample and one.folder.parent == case.folder.parent)
    return [] if is_first or not ("training" in test or "cache" in test) else pytest.mark.short("torch")


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
    every = request.config.getoption("golden") is not None or "slow" in request.config.getoption("markexpr")
    return truth.of_torch(golden_root(request.config), tmp_path_factory.mktemp("truth") / "torch.npz", every)


def part(found: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """The arrays under a prefix, without it."""
    return {name.removeprefix(f"{prefix}|"): array for name, array in found.items() if name.startswith(f"{prefix}|")}


# ---- the recorded function ----------------------------------------------------------------------------------


def test_outputs_in_float64(case: Case, runner: ModuleType, bands: Bands) -> None:
    model = runner.load(case.class_name, case.folder, "float64")
    found = runner.evaluate(model, case.inputs("float64"), **case.facts["forward_kwargs"])
    assert set(case.outputs) <= set(found)
    assert not beyond(case.meaningful(found), case.meaningful(case.outputs), bands.outputs)


def test_outputs_in_float32(case: Case, runner: ModuleType, bands: Bands) -> None:
    model = runner.load(case.class_name, case.folder, "float32")
    found = runner.evaluate(model, case.inputs("float32"), **case.facts["forward_kwargs"])
    for name, size in errors(case.meaningful(found), case.meaningful(case.outputs)).items():
        allowed = case.facts["hf_float32_max_rel_err"][name.partition(".")[0]]
        assert size <= max(4 * allowed, bands.float32), name


def test_chunks_with_cache(case: Case, runner: ModuleType, bands: Bands) -> None:
    truth_of_all = case.outputs[case.main_output]  # [B, T, ...]
    model, inputs = runner.load(case.class_name, case.folder, "float64"), case.inputs("float64")
    rows, length = truth_of_all.shape[:2]
    first = min(3, length - 2)
    other = [first, length - first - 1, 1]  # several tokens after others: the recorded run cannot read distances so
    for lengths, past in [(case.cache_steps, None), *product([other], runner.empty_caches(model, rows, length))]:
        found = []
        for chunk in chunks(inputs, lengths):
            outputs, past = runner.step(model, chunk, past)
            found.append(outputs[case.main_output])
        whole = {case.main_output: np.concatenate(found, axis=1)}
        expected = {case.main_output: truth_of_all}
        assert not beyond(case.meaningful(whole), case.meaningful(expected), bands.outputs), lengths


@cache
def gradients_of(runner: ModuleType, case: Case) -> dict[str, np.ndarray]:
    """Every gradient of a case's loss; two tests look at it."""
    return truth.gradients(runner, case)


def test_gradient_norms_with_loss(case: Case, runner: ModuleType, bands: Bands) -> None:
    found = gradients_of(runner, case)
    largest = max(case.gradient_norms.values())
    for name, norm in case.gradient_norms.items():
        assert abs(np.linalg.norm(found[name]) - norm) <= bands.gradients * largest, name


def test_gradients_with_loss(
    case: Case, runner: ModuleType, bands: Bands, torch_truth: Mapping[str, np.ndarray]
) -> None:
    found, expected = gradients_of(runner, case), part(torch_truth, f"gradient|{case.name}")
    largest = max(np.abs(array).max() for array in expected.values())
    for name, array in found.items():
        difference = array - expected.get(name, np.zeros_like(array))
        assert np.abs(difference).max() <= bands.gradients * largest, name
    assert set(expected) <= set(found)


#: How far apart, absolutely, five steps may leave a weight on which the loss does not depend.
IDLE = 1e-6


def without_gradient(gradients: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Which numbers of each weight the loss does not depend on (the bias of a key, which a softmax cancels).

    Their gradients are rounding noise, which Adam, dividing each by its own size, turns into steps of its own.
    """
    largest = max(np.abs(gradient).max() for gradient in gradients.values())
    return {name: np.abs(gradient) <= 1e-12 * largest for name, gradient in gradients.items()}


def test_five_training_steps_with_loss(
    case: Case, runner: ModuleType, bands: Bands, torch_truth: Mapping[str, np.ndarray]
) -> None:
    expected = part(torch_truth, f"trained|{case.name}")
    before = {name: tensor.read() for name, tensor in read_safetensors(case.folder / "model.safetensors").items()}
    assert any(np.abs(expected[name] - before[name]).max() > 1e-2 for name in expected)
    found = truth.trained(runner, case)
    # a weight without any gradient is not compared: one framework's optimizer lets it decay, another's does not
    idle = without_gradient(part(torch_truth, f"gradient|{case.name}"))
    for name, is_idle in idle.items():
        assert np.abs(found[name] - expected[name])[is_idle].max(initial=0.0) <= IDLE, name
    moved = {name: ~is_idle for name, is_idle in idle.items() if not is_idle.all()}
    one, other = ({name: arrays[name][places] for name, places in moved.items()} for arrays in (found, expected))
    assert not beyond(one, other, bands.training)


# ---- tensors ------------------------------------------------------------------------------------------------


def test_every_tensor_survives_bitwise(case: Case, runner: ModuleType) -> None:
    loaded = truth.values(runner.load(case.class_name, case.folder, "float32"))
    original = read_safetensors(case.folder / "model.safetensors")
    assert set(loaded) - set(original) <= set(case.facts["missing_keys_on_load"])
    assert set(original) <= set(loaded)
    for name, tensor in original.items():
        assert loaded[name].tobytes() == tensor.read().tobytes(), name


def test_saved_file_is_the_same_in_every_framework(
    case: Case, runner: ModuleType, torch_truth: Mapping[str, np.ndarray]
) -> None:
    assert truth.saved_bytes(runner, case).tobytes() == torch_truth[f"saved|{case.name}"].tobytes()


@pytest.mark.parametrize(("model_type", "stem"), CLASSES)
@pytest.mark.parametrize(
    "options", [truth.OPTIONS[0], *(pytest.param(each, marks=pytest.mark.slow) for each in truth.OPTIONS[1:])]
)
def test_initial_weights_are_the_same_in_every_framework(
    model_type: str, stem: str, options: str, runner: ModuleType, torch_truth: Mapping[str, np.ndarray]
) -> None:
    found = truth.initial(runner, model_type, stem, options)
    expected = part(torch_truth, f"initial|{stem}|{options}")
    assert found.keys() == expected.keys()
    assert all(found[name].tobytes() == expected[name].tobytes() for name in expected)


# ---- the harness itself -------------------------------------------------------------------------------------


def mutants(spec: Spec) -> Iterator[tuple[str, Any, Any, Any]]:
    """(what is wrong, the fields of a case that notices, a change of the tensors, a change of the configuration)."""

    def transposed(tensors: dict[str, np.ndarray], prefix: str) -> None:
        tensors[prefix + spec.square] = np.ascontiguousarray(tensors[prefix + spec.square].swapaxes(-1, -2))

    def swapped(tensors: dict[str, np.ndarray], prefix: str) -> None:
        one, other = (prefix + name for name in spec.swap)
        tensors[one], tensors[other] = tensors[other], tensors[one]

    def dropped(tensors: dict[str, np.ndarray], prefix: str) -> None:
        tensors[prefix + spec.bias] = np.zeros_like(tensors[prefix + spec.bias])

    for what, change in (("transposed", transposed), ("swapped", swapped), ("dropped bias", dropped)):
        yield what, {}, change, {}
    for where, wrong in spec.mutations:
        yield ", ".join(f"{field}={value}" for field, value in wrong.items()), where, None, wrong


#: In short, what is wrong with tensors, and of BERT what is wrong with the configuration and in all frameworks too.
MUTANTS = [
    pytest.param(
        model_type,
        *mutant,
        id=f"{model_type}-{mutant[0]}",
        marks=[] if model_type == "bert" else pytest.mark.slow if mutant[-1] else pytest.mark.short("torch"),
    )
    for model_type, spec in all_specs().items()
    for mutant in mutants(spec)
]


@pytest.mark.parametrize(("model_type", "what", "where", "change", "fields"), MUTANTS)
def test_the_harness_notices(
    model_type: str,
    what: str,
    where: Mapping[str, Any],
    change: Any,
    fields: Mapping[str, Any],
    runner: ModuleType,
    bands: Bands,
    tmp_path: Path,
) -> None:
    shown = list(witnesses(model_type, where))
    assert shown, "no case shows these fields"
    for case in shown:
        folder = _mutated(case, change, fields, tmp_path / case.folder.name)
        model = runner.load(case.class_name, folder, "float64")
        found = runner.forward(model, case.inputs("float64"), **case.facts["forward_kwargs"])
        noticed = beyond(case.meaningful(found), case.meaningful(case.outputs), bands.outputs)
        assert noticed, f"{what} was not noticed in {case.name}"


def witnesses(model_type: str, where: Mapping[str, Any]) -> Iterator[Case]:
    """The first case with these fields of the bare model, and the first with a loss, of those that there are.

    A field that is not written is false.
    """
    fitting = [
        case
        for case in cases(GOLDEN / "models")
        if case.folder.parent.name == model_type
        and all(case.config.get(name, False) == value for name, value in where.items())
    ]
    base = all_cards()[model_type].models["base"]
    yield from islice((case for case in fitting if case.class_name == base), 1)
    yield from islice((case for case in fitting if case.has_loss), 1)


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
