"""`generate` of models with an encoder: it reads once, and what it read may be handed over, padded, or kept."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triformers
from tests.generation.frameworks import array_of, numpy_of
from tests.generation.goldens import FOLDER
from triformers.cards import BACKENDS
from triformers.files.errors import InputError

pytestmark = pytest.mark.backend("torch", "tensorflow", "flax")

#: Folder of a checkpoint -> its class.
MODELS = {"bart": "BartForConditionalGeneration", "t5": "T5ForConditionalGeneration"}

#: In short T5 alone: its recorded calls say the same of BART.
NAMES = [pytest.param("bart", marks=pytest.mark.slow), "t5"]

#: Searches, each by its options.
SEARCHES: dict[str, dict[str, Any]] = {
    "greedy": {"max_new_tokens": 8, "repetition_penalty": 1.2},
    "samples": {"max_new_tokens": 8, "do_sample": True, "num_return_sequences": 2, "top_k": 30, "seed": 5},
    "beams": {"max_new_tokens": 8, "num_beams": 3, "num_return_sequences": 2},
    "drawn beams": {"max_new_tokens": 8, "num_beams": 2, "do_sample": True, "top_k": 0, "seed": 9},
}

WRITE_TOKENS = """
import json, sys
import numpy as np, torch, triformers
root, out, models, searches = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), json.loads(sys.argv[4])
answers = {}
for folder, name in models.items():
    model = getattr(triformers, name).from_pretrained(f"{root}/{folder}")
    for search, options in searches.items():
        for seed in range(3):
            ids = np.random.default_rng(seed).integers(5, 61, (2, 7))
            answers[f"{folder} {search} {seed}"] = model.generate(torch.from_numpy(ids), **options).numpy()
np.savez(out, **answers)
"""


@cache
def load(backend: str, name: str) -> Any:
    return getattr(triformers, BACKENDS[backend].class_prefix + MODELS[name]).from_pretrained(FOLDER / name)


@pytest.fixture(params=NAMES)
def model(backend: str, request: pytest.FixtureRequest) -> Any:
    return load(backend, request.param)


@pytest.fixture(scope="module")
def as_array(backend: str) -> Callable[[Any], Any]:
    return array_of(backend)


def texts(rows: int, length: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(5, 61, (rows, length))


def tokens_of(answer: Any) -> np.ndarray:
    return numpy_of(answer.sequences if hasattr(answer, "sequences") else answer)


@pytest.mark.backend("tensorflow", "flax")
@pytest.mark.parametrize("name", NAMES)
def test_tokens_are_those_of_pytorch(name: str, backend: str, as_array: Callable[[Any], Any], tmp_path: Path) -> None:
    out, models = tmp_path / "tokens.npz", {name: MODELS[name]}
    command = [sys.executable, "-c", WRITE_TOKENS, str(FOLDER), str(out), json.dumps(models), json.dumps(SEARCHES)]
    subprocess.run(command, check=True)
    for key, expected in np.load(out).items():
        search, seed = key.partition(" ")[2][:-2], int(key[-1])
        found = tokens_of(load(backend, name).generate(as_array(texts(2, 7, seed)), **SEARCHES[search]))
        np.testing.assert_array_equal(found, expected, key)


@pytest.mark.parametrize("search", ["greedy", "beams"])
def test_tokens_do_not_hang_on_the_cache(model: Any, as_array: Callable[[Any], Any], search: str) -> None:
    ids, options = as_array(texts(2, 6)), SEARCHES[search]
    cached, whole = (tokens_of(model.generate(ids, use_cache=use_cache, **options)) for use_cache in (True, False))
    np.testing.assert_array_equal(cached, whole)


@pytest.mark.parametrize("search", ["greedy", "beams"])
def test_padding_on_the_right_changes_nothing(model: Any, as_array: Callable[[Any], Any], search: str) -> None:
    long, short = texts(1, 7), texts(1, 4, 1)
    pad = model.config.pad_token_id
    both = np.concatenate([long, np.pad(short, ((0, 0), (0, 3)), constant_values=pad)])
    options = {**SEARCHES[search], "num_return_sequences": 1, "eos_token_id": None}
    mask = as_array(np.array([[1] * 7, [1] * 4 + [0] * 3]))
    together = tokens_of(model.generate(as_array(both), attention_mask=mask, **options))
    by_token = tokens_of(model.generate(as_array(both), **options))  # padding tokens are taken for padding
    alone = [tokens_of(model.generate(as_array(ids), **options))[0] for ids in (long, short)]
    np.testing.assert_array_equal(together, np.stack(alone))
    np.testing.assert_array_equal(by_token, together)


@pytest.mark.parametrize("options", [{}, {"num_beams": 2}, {"output_scores": True, "return_dict_in_generate": True}])
def test_the_encoder_reads_once(
    model: Any, backend: str, as_array: Callable[[Any], Any], options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib import import_module

    room = import_module(f"triformers.backends.{backend}.generation")
    adapter = {"torch": "TorchBackend", "tensorflow": "TensorFlowBackend", "flax": "FlaxBackend"}[backend]
    encode, calls = getattr(room, adapter).encode, []
    monkeypatch.setattr(getattr(room, adapter), "encode", lambda *args: calls.append(1) or encode(*args))
    model.generate(as_array(texts(2, 5)), max_new_tokens=3 + 20 * (backend != "torch"), **options)
    assert calls == [1]


def test_what_an_encoder_has_read_can_be_handed_over(model: Any, backend: str, as_array: Callable[[Any], Any]) -> None:
    ids = as_array(texts(2, 6))
    encoded = model.encode(ids) if backend == "flax" else model.get_encoder()(ids)
    for options in SEARCHES.values():
        expected = tokens_of(model.generate(ids, **options))
        for outputs in (encoded, (encoded.last_hidden_state,)):
            np.testing.assert_array_equal(tokens_of(model.generate(encoder_outputs=outputs, **options)), expected)


def test_a_decoder_goes_on_from_its_own_prompt(model: Any, as_array: Callable[[Any], Any]) -> None:
    ids, start = as_array(texts(2, 6)), model.config.decoder_start_token_id
    options = {"max_new_tokens": 4, "forced_bos_token_id": None, "eos_token_id": None}
    whole = tokens_of(model.generate(ids, **options))
    assert (whole[:, 0] == start).all()
    for begun in (whole[:, :3], whole[:, 1:3]):  # with the token that every decoder starts with, and without
        found = tokens_of(model.generate(ids, decoder_input_ids=as_array(begun), **{**options, "max_new_tokens": 2}))
        np.testing.assert_array_equal(found, whole)


def test_states_of_both_halves_are_recorded(model: Any, as_array: Callable[[Any], Any]) -> None:
    options = {"return_dict_in_generate": True, "output_hidden_states": True, "output_attentions": True}
    found = model.generate(as_array(texts(2, 6)), max_new_tokens=4, eos_token_id=None, num_beams=2, **options)
    assert all(states.shape[:2] == (2, 6) for states in found.encoder_hidden_states)
    assert len(found.decoder_hidden_states) == len(found.cross_attentions) == 4
    assert all(weights.shape[-1] == 6 for step in found.cross_attentions for weights in step)
    assert all(weights.shape[0] == 4 for step in found.decoder_attentions for weights in step)


@pytest.mark.backend("tensorflow", "flax")
@pytest.mark.parametrize("name", NAMES)
def test_lengths_of_a_bucket_share_a_program(name: str, backend: str, as_array: Callable[[Any], Any]) -> None:
    kind = getattr(triformers, BACKENDS[backend].class_prefix + MODELS[name])
    model = kind.from_pretrained(FOLDER / name)
    for length, new in ((5, 4), (9, 7), (16, 2), (5, 4)):
        model.generate(as_array(texts(2, length)), max_new_tokens=new, eos_token_id=None)
    (program,) = model._programs.values()
    traced = program._cache_size() if backend == "flax" else program.experimental_get_tracing_count()
    assert traced == 1


def test_what_makes_no_sense_is_refused(model: Any, as_array: Callable[[Any], Any]) -> None:
    ids = as_array(texts(2, 4))
    for options in (
        {"input_ids": ids, "decoder_start_token_id": [1, 2, 3]},
        {"input_ids": as_array(np.zeros((2, 0), np.int64))},
        {"input_ids": ids, "decoder_input_ids": as_array(np.full((2, 1), 999))},
    ):
        with pytest.raises(InputError):
            model.generate(**options, max_new_tokens=2)
