"""What GPT's and CTRL's classes promise beyond what recorded runs show."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
import pytest

from tests.conftest import GOLDEN
from tests.generation.frameworks import array_of, numpy_of
from tests.models.test_loading import rewrite, tensors_of
from tests.parity.runners import runner_of
from tests.specs import all_specs, without_dropout
from triformers.files.errors import InputError

pytestmark = pytest.mark.backend

CASE = GOLDEN / "models" / "openai-gpt" / "OpenAIGPTLMHeadModel"
WRITERS = {"openai-gpt": "OpenAIGPTLMHeadModel", "ctrl": "CTRLLMHeadModel"}
IDS = np.array([[7, 7, 3, 5, 2], [11, 4, 6, 9, 8]])
MASK = np.array([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]])


@pytest.fixture(scope="module")
def runner(backend: str) -> ModuleType:
    """The framework of this process."""
    return runner_of(backend)


def made(runner: ModuleType, model_type: str, **fields: Any) -> Any:
    """A fresh model that writes, of the spec's size."""
    model_class = runner.model_class(WRITERS[model_type])
    config_class = model_class.config_class
    loud = {"initializer_range": 0.4, "pad_token_id": None, **without_dropout(config_class)}
    return model_class(config_class(**{**all_specs()[model_type].tiny, **loud, **fields}), seed=0)


def written(model: Any, backend: str, **arguments: Any) -> np.ndarray:
    """The tokens of a greedy search."""
    arrays = {name: array_of(backend)(value) for name, value in arguments.items() if isinstance(value, np.ndarray)}
    found = model.generate(**{**arguments, **arrays}, max_new_tokens=4)
    return numpy_of(found.sequences if hasattr(found, "sequences") else found)


# ---- files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["transformer.", ""])
def test_the_first_checkpoints(prefix: str, runner: ModuleType, tmp_path: Path) -> None:
    def old(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        renamed = {name.replace("transformer.", prefix, 1): array for name, array in tensors.items()}
        for layer in range(2):
            renamed[f"{prefix}h.{layer}.attn.bias"] = np.tril(np.ones((1, 1, 37, 37), np.float32))
        return renamed | {f"{prefix}position_ids": np.arange(37)}

    folder = rewrite(tmp_path, old, CASE)
    model, info = runner.load("OpenAIGPTLMHeadModel", folder, "float32", output_loading_info=True)
    expected = tensors_of(runner.load("OpenAIGPTLMHeadModel", CASE, "float32"))
    assert all(np.array_equal(array, expected[name]) for name, array in tensors_of(model).items())
    assert not info["missing_keys"] and len(info["unexpected_keys"]) == 3


@pytest.mark.backend("tensorflow")
@pytest.mark.parametrize(
    ("model_type", "names"),
    [
        ("openai-gpt", {"transformer/tokens_embed/weight:0": (101, 36), "h_._1/attn/c_attn/bias:0": (1, 108)}),
        ("ctrl", {"transformer/h_._1/ffn/2/kernel:0": (53, 36), "lm_head/bias:0": (1, 101)}),
    ],
)
def test_the_words_of_h5(model_type: str, names: dict[str, Any], runner: ModuleType, tmp_path: Path) -> None:
    model = made(runner, model_type)
    model.save_pretrained(tmp_path, safe_serialization=False)
    with h5py.File(tmp_path / "tf_model.h5") as file:
        arrays: dict[str, Any] = {}
        file.visititems(lambda name, item: arrays.update({name: item}) if isinstance(item, h5py.Dataset) else None)
        for end, shape in names.items():
            assert [array.shape for name, array in arrays.items() if name.endswith(end)] == [shape], end
    again = tensors_of(runner.load(WRITERS[model_type], tmp_path, "float32"))
    assert all(np.array_equal(array, again[name]) for name, array in tensors_of(model).items())


# ---- writing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model_type", WRITERS)
def test_writing_takes_no_notice_of_what_is_no_token(model_type: str, runner: ModuleType, backend: str) -> None:
    model = made(runner, model_type)
    plain = written(model, backend, input_ids=IDS)
    further = {"attention_mask": MASK, "token_type_ids": IDS, "position_ids": IDS}
    assert np.array_equal(plain, written(model, backend, input_ids=IDS, **further))
    assert np.array_equal(plain, written(model, backend, input_ids=IDS, use_cache=False))
    one, other = (
        runner.forward(model, {"input_ids": IDS, **given})["logits"] for given in ({}, {"attention_mask": MASK})
    )
    assert not np.allclose(one[0, -1], other[0, -1], atol=1e-3)


@pytest.mark.parametrize("model_type", WRITERS)
def test_embeddings_are_no_prompt(model_type: str, runner: ModuleType, backend: str) -> None:
    with pytest.raises(InputError, match="inputs_embeds"):
        written(made(runner, model_type), backend, inputs_embeds=np.zeros((1, 3, 36), np.float32))


def test_searches_that_read_on_want_a_cache(runner: ModuleType, backend: str) -> None:
    model = made(runner, "openai-gpt")
    with pytest.raises(InputError, match="contrastive"):
        written(model, backend, input_ids=IDS, penalty_alpha=0.5, top_k=3)
    with pytest.raises(InputError, match="assistant_model"):
        written(model, backend, input_ids=IDS[:1], assistant_model=model)
    assert written(made(runner, "ctrl"), backend, input_ids=IDS, penalty_alpha=0.5, top_k=3).shape == (2, 9)


@pytest.mark.parametrize("model_type", WRITERS)
def test_guidance_without_a_cache(model_type: str, runner: ModuleType, backend: str) -> None:
    model, other = made(runner, model_type), IDS[1:, :3]
    scores, unconditional = (last_scores(runner, model, prompt) for prompt in (IDS[:1], other))
    found = written(model, backend, input_ids=IDS[:1], negative_prompt_ids=other, guidance_scale=1.5, use_cache=False)
    assert found[0, 5] == np.argmax(1.5 * (scores - unconditional) + unconditional)


def last_scores(runner: ModuleType, model: Any, prompt: np.ndarray) -> np.ndarray:
    """The logarithm of each token's probability after a prompt of one row."""
    logits = runner.forward(model, {"input_ids": prompt})["logits"][0, -1]
    return logits - logits.max() - np.log(np.exp(logits - logits.max()).sum())


# ---- positions ----------------------------------------------------------------------------------------------


def test_a_stacked_cache_of_4x_is_read(runner: ModuleType) -> None:
    """There CTRL keeps one array [2, B, N, S, H] for each layer."""
    model = made(runner, "ctrl")
    whole = runner.forward(model, {"input_ids": IDS})["logits"]
    first, past = runner.step(model, {"input_ids": IDS[:, :3]}, None)
    stacked = tuple(stack(runner, layer) for layer in past.to_legacy_cache())
    second, _ = runner.step(model, {"input_ids": IDS[:, 3:]}, stacked)
    found = np.concatenate([first["logits"], second["logits"]], 1)
    assert np.abs(found - whole).max() < 1e-4 * np.abs(whole).max()


def stack(runner: ModuleType, layer: tuple[Any, Any]) -> Any:
    """Keys and values as one array of the framework's own."""
    backend = runner.__name__.rpartition(".")[2].removesuffix("_runner")
    return array_of(backend)(np.stack([numpy_of(array) for array in layer]))
