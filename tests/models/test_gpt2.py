"""What GPT-2's classes promise beyond what recorded runs show."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.conftest import GOLDEN
from tests.models.test_loading import rewrite, tensors_of
from tests.parity.runners import runner_of
from tests.specs import all_specs
from triformers.files.errors import ConfigurationError, InputError

pytestmark = pytest.mark.backend

CASE = GOLDEN / "models" / "gpt2" / "GPT2LMHeadModel"
IDS = np.array([[3, 5, 7, 2, 9], [11, 4, 6, 7, 7]])


@pytest.fixture(scope="module")
def runner(backend: str) -> ModuleType:
    """The framework of this process."""
    return runner_of(backend)


def made(runner: ModuleType, stem: str, **fields: Any) -> Any:
    """A fresh model of the spec's size."""
    model_class = runner.model_class(stem)
    return model_class(model_class.config_class(**{**all_specs()["gpt2"].tiny, **fields}), seed=0)


# ---- files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["transformer.", ""])
def test_the_first_checkpoints(prefix: str, runner: ModuleType, tmp_path: Path) -> None:
    def old(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        renamed = {name.replace("transformer.", prefix, 1): array for name, array in tensors.items()}
        for layer in range(2):
            renamed[f"{prefix}h.{layer}.attn.bias"] = np.tril(np.ones((1, 1, 39, 39), np.uint8))
            renamed[f"{prefix}h.{layer}.attn.masked_bias"] = np.array(-1e4, np.float32)
        return renamed

    folder = rewrite(tmp_path, old, CASE)
    model, info = runner.load("GPT2LMHeadModel", folder, "float32", output_loading_info=True)
    expected = tensors_of(runner.load("GPT2LMHeadModel", CASE, "float32"))
    assert all(np.array_equal(array, expected[name]) for name, array in tensors_of(model).items())
    assert not info["missing_keys"] and len(info["unexpected_keys"]) == 4


def test_fresh_projections_onto_the_hidden_state_are_smaller(runner: ModuleType) -> None:
    wide = {"n_embd": 96, "n_inner": 128, "n_layer": 8, "add_cross_attention": True, "initializer_range": 0.05}
    found = tensors_of(made(runner, "GPT2Model", **wide))
    for name, array in found.items():
        if array.ndim == 2:
            expected = 0.05 / 4 if name.endswith("c_proj.weight") else 0.05
            assert abs(array.std() / expected - 1) < 0.1, name


# ---- options ------------------------------------------------------------------------------------------------


def test_scores_in_float32_do_not_overflow(runner: ModuleType, tmp_path: Path) -> None:
    def loud(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        loudness = np.repeat(np.float32([200, 200, 1]), 28)  # queries and keys, not values
        return {name: array * loudness if "c_attn" in name else array for name, array in tensors.items()}

    folder, finite = rewrite(tmp_path, loud, CASE), {}
    for upcast in (True, False):
        options = {"reorder_and_upcast_attn": upcast, "output_attentions": True}
        model = runner.load("GPT2LMHeadModel", folder, "float16", **options)
        found = runner.forward_as_float32(model, {"input_ids": IDS})
        finite[upcast] = all(np.isfinite(array).all() for array in found.values())
    assert finite == {True: True, False: False}


def test_scores_in_float32_change_nothing_where_all_is(runner: ModuleType) -> None:
    one, other = (
        runner.forward(
            runner.load("GPT2LMHeadModel", CASE, "float64", reorder_and_upcast_attn=upcast), {"input_ids": IDS}
        )
        for upcast in (True, False)
    )
    assert np.abs(one["logits"] - other["logits"]).max() < 1e-12


def test_logits_of_some_positions(runner: ModuleType) -> None:
    model = runner.load("GPT2LMHeadModel", CASE, "float64")
    whole = runner.forward(model, {"input_ids": IDS})["logits"]
    for keep, places in ((0, [0, 1, 2, 3, 4]), (1, [4]), (3, [2, 3, 4])):
        found = runner.forward(model, {"input_ids": IDS}, logits_to_keep=keep)["logits"]
        assert np.abs(found - whole[:, places]).max() < 1e-12 and found.shape[1] == len(places)
    chosen = runner.forward(model, {"input_ids": IDS, "logits_to_keep": np.array([3, 0])})["logits"]
    assert np.abs(chosen - whole[:, [3, 0]]).max() < 1e-12


def test_cache_positions_are_positions(runner: ModuleType) -> None:
    model = runner.load("GPT2LMHeadModel", CASE, "float64")
    places = np.array([4, 5, 6, 7, 8])
    one = runner.forward(model, {"input_ids": IDS, "cache_position": places})["logits"]
    other = runner.forward(model, {"input_ids": IDS, "position_ids": places[None]})["logits"]
    assert np.array_equal(one, other) and not np.array_equal(one, runner.forward(model, {"input_ids": IDS})["logits"])


def test_choices_given_as_embeddings(runner: ModuleType) -> None:
    model = made(runner, "GPT2DoubleHeadsModel")
    ids = np.stack([IDS, IDS[::-1]])  # [B, C, T]
    table = tensors_of(model)["transformer.wte.weight"]
    one, other = (runner.forward(model, given) for given in ({"input_ids": ids}, {"inputs_embeds": table[ids]}))
    assert one["logits"].shape == (2, 2, 5, 101) and one["mc_logits"].shape == (2, 2)
    assert all(np.abs(one[name] - other[name]).max() < 1e-5 for name in one)


# ---- what is refused ----------------------------------------------------------------------------------------


def test_several_texts_need_padding_to_be_classified(runner: ModuleType) -> None:
    model = made(runner, "GPT2ForSequenceClassification", pad_token_id=None)
    assert runner.forward(model, {"input_ids": IDS[:1]})["logits"].shape == (1, 5)
    with pytest.raises(InputError, match="pad_token_id"):
        runner.forward(model, {"input_ids": IDS})


def test_a_summary_by_attention_was_never_there(runner: ModuleType) -> None:
    with pytest.raises(ConfigurationError, match="summary_type"):
        made(runner, "GPT2DoubleHeadsModel", summary_type="attn")
    assert made(runner, "GPT2LMHeadModel", summary_type="attn").config.summary_type == "attn"


@pytest.mark.parametrize("inputs", [{}, {"input_ids": IDS, "inputs_embeds": np.zeros((2, 5, 36), np.float32)}])
@pytest.mark.parametrize("stem", ["GPT2LMHeadModel", "GPT2DoubleHeadsModel"])
def test_one_of_ids_and_embeddings(stem: str, inputs: dict[str, Any], runner: ModuleType) -> None:
    with pytest.raises(InputError, match="inputs_embeds"):
        runner.forward(made(runner, stem), inputs)


def test_a_place_outside_the_text_is_refused(runner: ModuleType) -> None:
    with pytest.raises(InputError, match="mc_token_ids contain 5"):
        runner.forward(made(runner, "GPT2DoubleHeadsModel"), {"input_ids": IDS, "mc_token_ids": np.array([5, 1])})
