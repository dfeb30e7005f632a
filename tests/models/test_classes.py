"""Every class of an architecture loads what every other saved: the backbone as it is, the head that fits, no more."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.models.test_loading import rewrite, tensors_of
from tests.parity.runners import runner_of
from tests.specs import all_specs
from triformers.cards import Card, all_cards
from triformers.conversion.formats.safetensors import read_safetensors
from triformers.files.errors import CheckpointError, InputError

pytestmark = pytest.mark.backend

CARDS = {model_type: card for model_type, card in all_cards().items() if len(card.models) > 1}


def pairs() -> Iterator[Any]:
    """Every pair of an architecture's classes; in short each with its neighbour, and in PyTorch with the bare model."""
    for model_type, card in CARDS.items():
        stems = list(card.models.values())
        for one, other in itertools.product(range(len(stems)), repeat=2):
            short = pytest.mark.short("torch") if 0 in (one, other) else pytest.mark.slow
            is_neighbour = (one + 1) % len(stems) == other
            yield pytest.param(model_type, stems[one], stems[other], marks=[] if is_neighbour else short)


@pytest.fixture(scope="module")
def runner(backend: str) -> ModuleType:
    """The framework of this process."""
    return runner_of(backend)


@pytest.fixture(scope="module")
def saved(runner: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A checkpoint of every class, by stem."""
    root = tmp_path_factory.mktemp("classes")
    for model_type, card in CARDS.items():
        for number, stem in enumerate(card.models.values()):
            model_class = runner.model_class(stem)
            fields = {**all_specs()[model_type].tiny, "num_hidden_layers": 1}
            model_class(model_class.config_class(**fields), seed=number).save_pretrained(root / stem)
    return {stem: root / stem for card in CARDS.values() for stem in card.models.values()}


def within(names: Any, card: Card) -> dict[str, str]:
    """Names without the base model's prefix, of those always tied the first -> the names."""
    first: dict[str, str] = {}
    for tie in card.weights.tied:
        if not tie.when and tie.to not in first:
            first[tie.alias] = tie.to
    inner = {name.removeprefix(f"{card.weights.prefix}."): name for name in names}
    return {first.get(name, name): full for name, full in inner.items()}


@pytest.mark.parametrize(("model_type", "one", "other"), [*pairs()])
def test_any_class_from_any_other(
    model_type: str, one: str, other: str, runner: ModuleType, saved: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    card = CARDS[model_type]
    with caplog.at_level(logging.INFO, logger="triformers"):
        model, info = runner.load(other, saved[one], "float32", output_loading_info=True)
    found, original = tensors_of(model), read_safetensors(saved[one] / "model.safetensors")
    names, keys = within(found, card), within(original, card)
    shared = {
        inner
        for inner in names.keys() & keys.keys()
        if found[names[inner]].shape == original[keys[inner]].shape or inner.partition(".")[0] not in card.weights.heads
    }
    for inner in shared:
        assert found[names[inner]].tobytes() == original[keys[inner]].read().tobytes(), inner
    assert all(np.isfinite(array).all() for array in found.values())
    assert set(info["missing_keys"]) == {names[inner] for inner in names.keys() - shared}
    assert set(info["unexpected_keys"]) == {keys[inner] for inner in keys.keys() - shared}
    about_weights = [record for record in caplog.records if "newly initialised" in record.getMessage()]
    assert len(about_weights) == bool(info["missing_keys"])


# ---- tied weights -------------------------------------------------------------------------------------------

TABLE, SCORES = "bert.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight"
BIAS, OTHER_BIAS = "cls.predictions.bias", "cls.predictions.decoder.bias"


def test_a_tied_table_is_written_once(runner: ModuleType, tmp_path: Path) -> None:
    for is_tied in (True, False):
        model_class = runner.model_class("BertForMaskedLM")
        config = model_class.config_class(**all_specs()["bert"].tiny, tie_word_embeddings=is_tied)
        model_class(config, seed=0).save_pretrained(tmp_path)
        written = read_safetensors(tmp_path / "model.safetensors")
        assert (SCORES in written) is not is_tied and OTHER_BIAS not in written and BIAS in written


def test_old_files_that_hold_both_names(runner: ModuleType, saved: dict[str, Path], tmp_path: Path) -> None:
    def both(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {**tensors, SCORES: tensors[TABLE], OTHER_BIAS: tensors[BIAS]}

    folder = rewrite(tmp_path, both, saved["BertForMaskedLM"])
    model, info = runner.load("BertForMaskedLM", folder, "float32", output_loading_info=True)
    assert not any(info.values())
    assert tensors_of(model).keys() == read_safetensors(saved["BertForMaskedLM"] / "model.safetensors").keys()


def test_files_that_hold_the_other_name_alone(runner: ModuleType, saved: dict[str, Path], tmp_path: Path) -> None:
    def renamed(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {{TABLE: SCORES, BIAS: OTHER_BIAS}.get(name, name): array for name, array in tensors.items()}

    folder = rewrite(tmp_path, renamed, saved["BertForMaskedLM"])
    found = tensors_of(runner.load("BertForMaskedLM", folder, "float32"))
    expected = tensors_of(runner.load("BertForMaskedLM", saved["BertForMaskedLM"], "float32"))
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


def test_scores_follow_the_table_they_are_tied_to(runner: ModuleType) -> None:
    model_class = runner.model_class("BertForMaskedLM")
    inputs = {"input_ids": np.array([[3, 5, 7]])}
    for is_tied in (True, False):
        config = model_class.config_class(**all_specs()["bert"].tiny, tie_word_embeddings=is_tied)
        model, other = model_class(config, seed=0), model_class(config, seed=1)
        before = runner.forward(model, inputs)["logits"]
        source = other.get_input_embeddings()
        model.set_input_embeddings(source)
        if hasattr(model, "tie_weights"):
            model.tie_weights()
        change = np.abs(runner.forward(model, inputs)["logits"] - before)
        assert (change[..., 90:].max() > 1e-3) and np.isfinite(change).all()


# ---- what is silent elsewhere -------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["roberta.", "bart.encoder.", "model."])
def test_another_architecture_is_refused_not_initialised(prefix: str, runner: ModuleType, tmp_path: Path) -> None:
    def foreign(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name.replace("bert.", prefix, 1): array for name, array in tensors.items()}

    with pytest.raises(CheckpointError):
        runner.load("BertModel", rewrite(tmp_path, foreign), "float32")


@pytest.mark.parametrize("kind", ["relative_key", "relative_key_query"])
def test_relative_positions_count_in_every_framework(kind: str, runner: ModuleType) -> None:
    model_class = runner.model_class("BertModel")
    inputs = {"input_ids": np.array([[3, 5, 7, 2]])}
    made = {
        each: model_class(model_class.config_class(**all_specs()["bert"].tiny, position_embedding_type=each), seed=0)
        for each in ("absolute", kind)
    }
    one, other = (runner.forward(model, inputs)["last_hidden_state"] for model in made.values())
    assert np.abs(one - other).max() > 1e-3
    assert any("distance_embedding" in name for name in tensors_of(made[kind]))


def test_a_head_without_scores_has_no_output_embeddings(runner: ModuleType) -> None:
    model_class = runner.model_class("BertForSequenceClassification")
    model = model_class(model_class.config_class(**all_specs()["bert"].tiny), seed=0)
    assert model.get_output_embeddings() is None
    with pytest.raises(InputError):
        model.set_output_embeddings(None)


@pytest.mark.backend("tensorflow")
@pytest.mark.parametrize("model_type", CARDS)
def test_variables_are_called_alike_in_every_model(model_type: str, runner: ModuleType) -> None:
    # TensorFlow keeps for good what it prepares for a name, so numbered names would make every model leave something
    model_class = runner.model_class(next(iter(CARDS[model_type].models.values())))
    config = model_class.config_class(**all_specs()[model_type].tiny)
    config.update({name: 0.1 for name, value in config.to_dict().items() if "drop" in name and value == 0.0})
    models = [model_class(config, seed=0) for _ in range(2)]
    names = [[variable.path for variable in model.variables] for model in models]
    assert names[0] == names[1] and len(names[0]) > len(models[0].slots())  # random states are among them
