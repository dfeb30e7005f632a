"""What RoBERTa's classes promise beyond what recorded runs show: where its positions are."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.models.test_loading import tensors_of
from tests.parity.runners import runner_of
from tests.specs import all_specs, without_dropout
from triformers import RobertaConfig
from triformers.files.errors import ConfigurationError, InputError

pytestmark = pytest.mark.backend

#: Rows padded on either side, and one with a padding token within.
IDS = np.array([[7, 4, 9, 1, 1], [1, 1, 8, 3, 5], [6, 1, 2, 9, 4]])
POSITIONS = np.array([[2, 3, 4, 1, 1], [1, 1, 2, 3, 4], [2, 1, 3, 4, 5]])


@pytest.fixture(scope="module")
def runner(backend: str) -> ModuleType:
    """The framework of this process."""
    return runner_of(backend)


def made(runner: ModuleType, stem: str = "RobertaModel", **fields: Any) -> Any:
    """A fresh model of the spec's size, dropout off."""
    model_class = runner.model_class(stem)
    tiny = all_specs()["roberta"].tiny
    return model_class(model_class.config_class(**{**tiny, **without_dropout(RobertaConfig), **fields}), seed=0)


def hidden(runner: ModuleType, model: Any, **inputs: np.ndarray) -> np.ndarray:
    """What a bare model answers."""
    return runner.forward(model, inputs)["last_hidden_state"]


def test_tokens_are_counted_and_padding_is_not(runner: ModuleType) -> None:
    model = made(runner)
    counted = hidden(runner, model, input_ids=IDS)
    np.testing.assert_array_equal(counted, hidden(runner, model, input_ids=IDS, position_ids=POSITIONS))
    assert np.abs(counted - hidden(runner, model, input_ids=IDS, position_ids=np.arange(5)[None])).max() > 1e-3


def test_embeddings_are_all_counted(runner: ModuleType) -> None:
    model = made(runner)
    embeddings = np.random.default_rng(0).standard_normal((2, 4, 36)).astype(np.float32)
    counted = hidden(runner, model, inputs_embeds=embeddings)
    places = np.array([[2, 3, 4, 5]])
    np.testing.assert_array_equal(counted, hidden(runner, model, inputs_embeds=embeddings, position_ids=places))


def test_the_longest_sequence_has_as_many_tokens_as_rows_are_left(runner: ModuleType) -> None:
    model = made(runner)
    longest = np.full((1, 21), 5)
    padded = np.concatenate([longest, np.full((1, 4), 1)], 1)
    assert np.isfinite(hidden(runner, model, input_ids=padded)).all()
    for inputs in ({"input_ids": np.full((1, 22), 5)}, {"inputs_embeds": np.zeros((1, 22, 36), np.float32)}):
        with pytest.raises(InputError, match="at most 21"):
            hidden(runner, model, **inputs)


def test_without_a_padding_token_positions_must_be_given(runner: ModuleType) -> None:
    model = made(runner, pad_token_id=None)
    with pytest.raises(InputError, match="no pad_token_id to count from"):
        hidden(runner, model, input_ids=IDS)
    assert np.isfinite(hidden(runner, model, input_ids=IDS, position_ids=POSITIONS)).all()


def test_the_padding_of_both_tables_starts_at_zero_and_learns_nothing(runner: ModuleType) -> None:
    model = made(runner, "RobertaForSequenceClassification", pad_token_id=3)
    tables = [f"roberta.embeddings.{kind}_embeddings.weight" for kind in ("word", "position")]
    tensors = tensors_of(model)
    ids = np.where(IDS == 1, 3, np.where(IDS == 3, 1, IDS))
    found = runner.gradients(model, {"input_ids": ids, "labels": np.array([0, 1, 2])})
    for name in tables:
        assert not tensors[name][3].any() and tensors[name][4].any()
        assert not found[name][3].any() and found[name][4].any()


def test_padding_is_a_row_of_both_tables(runner: ModuleType) -> None:
    with pytest.raises(ConfigurationError, match="a row of both tables"):
        made(runner, pad_token_id=23)
