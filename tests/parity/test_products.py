"""The faster product of few rows computes what PyTorch's own does, and keeps out of what it must not touch."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.conftest import GOLDEN
from tests.parity.compare import BANDS, errors
from tests.parity.goldens import Case, cases
from tests.parity.runners import runner_of
from triformers.files.errors import InputError

pytestmark = pytest.mark.backend("torch")

CASES = [case for case in cases(GOLDEN / "models") if not case.is_variant]
WAYS = ("default", "onednn", None)


@pytest.fixture
def products() -> Iterator[Any]:
    from triformers.backends.torch import products

    yield products
    products.pin(None)


@pytest.fixture(scope="module")
def runner() -> ModuleType:
    return runner_of("torch")


def evaluated(products: Any, runner: ModuleType, model: Any, case: Case, dtype: str) -> dict[str, np.ndarray]:
    import torch

    with torch.no_grad(), products.fast_products(model.eval()):
        return runner.forward(model, case.inputs(dtype), **case.facts["forward_kwargs"])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_each_way_computes_the_recorded_function(
    case: Case, way: str | None, runner: ModuleType, products: Any
) -> None:
    products.pin(way)
    model = runner.load(case.class_name, case.folder, "float32")
    found = evaluated(products, runner, model, case, "float32")
    for name, size in errors(case.meaningful(found), case.meaningful(case.outputs)).items():
        allowed = case.facts["hf_float32_max_rel_err"][name.partition(".")[0]]
        assert size <= max(4 * allowed, BANDS["cpu"].float32), name


def test_float64_is_left_alone(runner: ModuleType, products: Any) -> None:
    case = CASES[0]
    model = runner.load(case.class_name, case.folder, "float64")
    plain = runner.forward(model, case.inputs("float64"), **case.facts["forward_kwargs"])
    products.pin("onednn")
    found = evaluated(products, runner, model, case, "float64")
    assert all(found[name].tobytes() == plain[name].tobytes() for name in plain)


def layer_and_rows() -> tuple[Any, Any]:
    import torch

    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(64, 48)).eval(), torch.randn(3, 64)


@pytest.mark.parametrize("case", ["training", "autograd", "autocast", "hooks", "subclass", "many rows", "pinned off"])
def test_what_it_keeps_out_of(case: str, products: Any) -> None:
    import torch

    model, x = layer_and_rows()
    products.pin("default" if case == "pinned off" else "onednn")
    if case == "training":
        model.train()
    if case == "hooks":
        model[0].register_forward_hook(lambda *args: None)
    if case == "subclass":
        model[0] = type("Own", (torch.nn.Linear,), {})(64, 48)
    if case == "many rows":
        x = torch.randn(products.MOST_ROWS + 1, 64)
    layer, grad = model[0], case == "autograd"
    with torch.set_grad_enabled(grad), torch.autocast("cpu", enabled=case == "autocast"):
        with products.fast_products(model):
            found = model(x)
        assert torch.equal(found, torch.nn.functional.linear(x, layer.weight, layer.bias))
    assert layer not in products._layouts


def test_a_changed_parameter_is_laid_out_anew(products: Any) -> None:
    import torch

    model, x = layer_and_rows()
    products.pin("onednn")
    for _ in range(2):
        with torch.no_grad(), products.fast_products(model):
            assert torch.allclose(model(x), x @ model[0].weight.T + model[0].bias, atol=1e-5)
            assert model[0] in products._layouts
            model[0].weight.mul_(-2.0)


def test_models_are_copied_and_saved_as_ever(products: Any, tmp_path: Path) -> None:
    import torch

    model, x = layer_and_rows()
    names = set(model.state_dict())
    products.pin("onednn")
    with torch.no_grad(), products.fast_products(model):
        found = model(x)
    assert set(model.state_dict()) == names and "forward" not in vars(model[0])
    torch.save(copy.deepcopy(model), tmp_path / "model.pt")
    loaded = torch.load(tmp_path / "model.pt", weights_only=False)
    assert torch.allclose(loaded(x), found, atol=1e-5)


def test_the_fastest_way_is_found_once_for_each_class_of_rows(products: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    model, _ = layer_and_rows()
    monkeypatch.setattr(products, "_fastest", {})
    products.pin(None)
    with torch.no_grad(), products.fast_products(model):
        for rows in (1, 2, 3, 1, 2):
            model(torch.randn(rows, 64))
    assert [key[0] for key in products._fastest] == [1, 2]
    times = iter([{"default": 1.05, "onednn": 1.0}, {"default": 2.0, "onednn": 1.0}])
    monkeypatch.setattr(products, "_times", lambda runs: next(times))
    chosen = [products._measured([model[0]], rows=4) for _ in range(2)]
    assert chosen == ["default", "onednn"]  # only what is clearly faster is worth its copy


def test_a_way_that_does_not_exist_is_refused(products: Any) -> None:
    with pytest.raises(InputError, match="fastest"):
        products.pin("fastest")
