"""A model that changes its size computes the same where nothing changed, in every framework and for every class."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.parity.compare import beyond
from tests.parity.runners import runner_of
from tests.specs import all_specs, without_dropout
from triformers.cards import all_cards
from triformers.files.errors import ConfigurationError, InputError, TriformersError

pytestmark = pytest.mark.backend

#: Every class with an entry for each token; in short, of an architecture the first two in every framework.
RESIZABLE = [
    pytest.param(model_type, stem, marks=[] if place < 2 else pytest.mark.short("torch"))
    for model_type, card in all_cards().items()
    if card.weights.per_token
    for place, stem in enumerate(card.models.values())
]
PRUNABLE = [(model_type, card.models["base"]) for model_type, card in all_cards().items() if card.weights.per_head.rows]


@pytest.fixture(scope="module")
def runner(backend: str) -> ModuleType:
    """The framework of this process."""
    return runner_of(backend)


def made(runner: ModuleType, model_type: str, stem: str, **fields: Any) -> Any:
    """A fresh model of the spec's size, dropout off."""
    model_class = runner.model_class(stem)
    config_class = model_class.config_class
    options = {**all_specs()[model_type].tiny, **without_dropout(config_class), **fields}
    return model_class(config_class(**options), seed=0)


def tensors_of(model: Any) -> dict[str, np.ndarray]:
    """A model's tensors by canonical name."""
    return {name: np.array(tensor.read()) for name, tensor in model.canonical_tensors().items()}


def per_token(model: Any) -> list[str]:
    """The names of a model's tensors with one entry for each token."""
    return [slot.name for slot in model.slots_named(model.weights_of(model.config).per_token)]


@pytest.mark.parametrize(("model_type", "stem"), RESIZABLE)
@pytest.mark.parametrize("is_tied", [True, False])
def test_a_vocabulary_grows_and_shrinks(model_type: str, stem: str, is_tied: bool, runner: ModuleType) -> None:
    model = made(runner, model_type, stem, tie_word_embeddings=is_tied)
    before, size = tensors_of(model), model.config.vocab_size
    for count in (size + 13, size - 40):
        model.resize_token_embeddings(count, seed=1)
        after = tensors_of(model)
        assert model.config.vocab_size == count and after.keys() == before.keys()
        for name, array in before.items():
            kept = min(count, size)
            if name in per_token(model):
                assert len(after[name]) == count and np.array_equal(after[name][:kept], array[:kept])
            elif name in model.weights_of(model.config).token_biases:
                assert after[name].shape == (1, count) and np.array_equal(after[name][:, :kept], array[:, :kept])
            else:
                assert np.array_equal(after[name], array)


@pytest.mark.parametrize(("model_type", "stem"), RESIZABLE)
def test_a_resized_model_is_saved_and_loaded(model_type: str, stem: str, runner: ModuleType, tmp_path: Path) -> None:
    model = made(runner, model_type, stem)
    model.resize_token_embeddings(pad_to_multiple_of=16, seed=1)
    assert model.config.vocab_size % 16 == 0
    model.save_pretrained(tmp_path)
    again = runner.load(stem, tmp_path, "float32")
    assert again.config.vocab_size == model.config.vocab_size
    assert not beyond(tensors_of(again), tensors_of(model), 0.0)


def test_new_rows_are_near_the_mean_or_fresh(runner: ModuleType) -> None:
    for mean_resizing in (True, False):
        model = made(runner, "bert", "BertForMaskedLM")
        old = tensors_of(model)["bert.embeddings.word_embeddings.weight"]
        model.resize_token_embeddings(len(old) + 500, mean_resizing=mean_resizing, seed=2)
        new = tensors_of(model)["bert.embeddings.word_embeddings.weight"][len(old) :].astype(np.float64)
        distance = np.abs(new - old.mean(0))
        assert len({row.tobytes() for row in new}) == 500
        assert (distance.max() < 1e-4) if mean_resizing else (0.015 < new.std() < 0.025)


def test_new_rows_are_the_same_in_every_framework(runner: ModuleType) -> None:
    model = made(runner, "bert", "BertForMaskedLM", tie_word_embeddings=False)
    model.resize_token_embeddings(120, seed=3)
    reference = tensors_of(model)
    assert float(reference["bert.embeddings.word_embeddings.weight"][-1].astype(np.float64).sum()) == pytest.approx(
        NEW_ROW_SUM, rel=1e-5
    )


#: Of the last row after the resizing above: one number for three frameworks.
NEW_ROW_SUM = 0.008679258528


@pytest.mark.parametrize("wrong", [0, -3, 2.5, "12"])
def test_a_vocabulary_of_no_size_is_refused(wrong: Any, runner: ModuleType) -> None:
    with pytest.raises(InputError, match="new_num_tokens"):
        made(runner, "bert", "BertModel").resize_token_embeddings(wrong)


def test_a_resized_model_still_trains(runner: ModuleType) -> None:
    model = made(runner, "bert", "BertForMaskedLM")
    model.resize_token_embeddings(150, seed=0)
    ids = np.array([[140, 2, 149, 7]])
    found = runner.gradients(model, {"input_ids": ids, "labels": ids})
    table = found["bert.embeddings.word_embeddings.weight"]
    assert table.shape[0] == 150 and table[149].any() and found["cls.predictions.bias"].shape == (150,)


# ---- positions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_computed", [True, False])
def test_positions_grow_and_shrink(is_computed: bool, runner: ModuleType, tmp_path: Path) -> None:
    model = made(runner, "distilbert", "DistilBertForMaskedLM", sinusoidal_pos_embds=is_computed)
    name, length = "distilbert.embeddings.position_embeddings.weight", model.config.max_position_embeddings
    before, ids = tensors_of(model), np.arange(1, length + 5)[None]
    expected = runner.forward(model, {"input_ids": ids[:, :length]})["logits"]
    model.resize_position_embeddings(length + 4, seed=1)
    table = tensors_of(model)[name]
    assert np.array_equal(table[:length], before[name])
    assert model.get_position_embeddings() is not None
    assert np.abs(runner.forward(model, {"input_ids": ids[:, :length]})["logits"] - expected).max() < 1e-6
    model.save_pretrained(tmp_path)
    again = runner.load("DistilBertForMaskedLM", tmp_path, "float32")
    assert runner.forward(again, {"input_ids": ids})["logits"].shape[1] == length + 4
    if is_computed:
        longer = made(
            runner, "distilbert", "DistilBertModel", sinusoidal_pos_embds=True, max_position_embeddings=length + 4
        )
        assert np.array_equal(tensors_of(longer)["embeddings.position_embeddings.weight"], table)
    model.resize_position_embeddings(5)
    assert np.array_equal(tensors_of(model)[name], before[name][:5]) and model.config.max_position_embeddings == 5
    with pytest.raises(InputError, match=r"sequence|position"):
        runner.forward(model, {"input_ids": ids})


def test_positions_that_cannot_change_are_refused(runner: ModuleType) -> None:
    model = made(runner, "distilbert", "DistilBertModel")
    for wrong in (0, -1, 2.5):
        with pytest.raises(ConfigurationError, match="max_position_embeddings"):
            model.resize_position_embeddings(wrong)
    bert = made(runner, "bert", "BertModel")
    for refused in (bert.get_position_embeddings, lambda: bert.resize_position_embeddings(8)):
        with pytest.raises(InputError, match="positions of"):
            refused()


# ---- heads --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("model_type", "stem"), PRUNABLE)
def test_pruned_heads_are_heads_switched_off(model_type: str, stem: str, runner: ModuleType, tmp_path: Path) -> None:
    model = made(runner, model_type, stem)
    inputs = all_specs()[model_type].batch_of(model.config, np.random.default_rng(0))
    mask = np.ones((model.config.num_hidden_layers, model.config.num_attention_heads), np.float32)
    mask[0, [0, 2]] = mask[1, 3] = 0
    expected = runner.forward(model, {**inputs, "head_mask": mask})["last_hidden_state"]
    model.prune_heads({0: [2]})
    model.prune_heads({0: [0, 2], 1: {3}})
    assert model.config.pruned_heads == {0: [0, 2], 1: [3]}
    assert np.abs(runner.forward(model, inputs)["last_hidden_state"] - expected).max() < 1e-5
    model.save_pretrained(tmp_path)
    again = runner.forward(runner.load(stem, tmp_path, "float32"), inputs)["last_hidden_state"]
    assert np.abs(again - expected).max() < 1e-5


@pytest.mark.parametrize(
    "wrong", [{9: [0]}, {0: [4]}, {0: [0, 1, 2, 3]}, [0]], ids=["no such layer", "no such head", "all", "no mapping"]
)
def test_heads_that_cannot_go_are_refused_and_stay(wrong: Any, runner: ModuleType) -> None:
    model = made(runner, "bert", "BertModel")
    before = tensors_of(model)
    with pytest.raises(TriformersError) as caught:
        model.prune_heads(wrong)
    assert isinstance(caught.value, (ConfigurationError, InputError)) and len(str(caught.value)) < 400
    assert not model.config.pruned_heads and not beyond(tensors_of(model), before, 0.0)
