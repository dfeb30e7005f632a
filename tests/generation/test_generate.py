"""What `generate` promises beside the recorded calls: the same with a cache and without, compiled and not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triformers
from tests.generation.frameworks import array_of, numpy_of
from tests.generation.goldens import FOLDER
from triformers import GenerationConfig, LogitsProcessor, LogitsProcessorList, StoppingCriteria, TemperatureLogitsWarper
from triformers.cards import BACKENDS
from triformers.files.errors import InputError

pytestmark = pytest.mark.backend("torch", "tensorflow", "flax")

CHECKPOINT = FOLDER / "gpt2"
VOCABULARY = 61


def load(backend: str, name: str = "GPT2LMHeadModel", folder: Path = CHECKPOINT, **options: Any) -> Any:
    return getattr(triformers, BACKENDS[backend].class_prefix + name).from_pretrained(folder, **options)


@pytest.fixture(scope="module")
def model(backend: str) -> Any:
    return load(backend)


@pytest.fixture(scope="module")
def as_array(backend: str) -> Callable[[Any], Any]:
    return array_of(backend)


def prompts(rows: int, length: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(4, VOCABULARY, (rows, length))


def tokens_of(answer: Any) -> np.ndarray:
    return numpy_of(answer.sequences if hasattr(answer, "sequences") else answer)


#: Searches, each by its options.
SEARCHES: dict[str, dict[str, Any]] = {
    "greedy": {"max_new_tokens": 9},
    "greedy with rules": {"max_new_tokens": 9, "repetition_penalty": 1.3, "no_repeat_ngram_size": 2, "min_length": 8},
    "sample": {"max_new_tokens": 9, "do_sample": True, "top_k": 20, "top_p": 0.95, "temperature": 1.3, "seed": 7},
    "samples": {"max_new_tokens": 9, "do_sample": True, "num_return_sequences": 3, "top_k": 0, "seed": 3},
    "beams": {"max_new_tokens": 9, "num_beams": 3, "num_return_sequences": 2, "length_penalty": 0.7},
    "drawn beams": {"max_new_tokens": 9, "num_beams": 3, "do_sample": True, "top_k": 0, "seed": 11},
}

WRITE_TOKENS = """
import json, sys
import numpy as np, torch, triformers
folder, out, searches, seeds = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), int(sys.argv[4])
model = triformers.GPT2LMHeadModel.from_pretrained(folder)
answers = {}
for name, options in searches.items():
    for seed in range(seeds):
        ids = np.random.default_rng(seed).integers(4, 61, (2, 7))
        answers[f"{name} {seed}"] = model.generate(torch.from_numpy(ids), **options).numpy()
np.savez(out, **answers)
"""


def pytorch_tokens(folder: Path, seeds: int) -> Any:
    """The tokens of every search for some prompts, from PyTorch in a process of its own."""
    out = folder / "tokens.npz"
    command = [sys.executable, "-c", WRITE_TOKENS, str(CHECKPOINT), str(out), json.dumps(SEARCHES), str(seeds)]
    subprocess.run(command, check=True)
    return np.load(out)


def check_same_tokens(model: Any, as_array: Callable[[Any], Any], tokens: Any, seeds: int) -> None:
    differing = [
        f"{name} {seed}"
        for name, options in SEARCHES.items()
        for seed in range(seeds)
        if not np.array_equal(
            tokens_of(model.generate(as_array(prompts(2, 7, seed)), **options)), tokens[f"{name} {seed}"]
        )
    ]
    assert not differing


@pytest.mark.backend("tensorflow", "flax")
def test_tokens_are_those_of_pytorch(model: Any, as_array: Callable[[Any], Any], tmp_path: Path) -> None:
    check_same_tokens(model, as_array, pytorch_tokens(tmp_path, 5), 5)


@pytest.mark.slow
@pytest.mark.backend("tensorflow", "flax")
def test_tokens_of_many_prompts_are_those_of_pytorch(
    model: Any, as_array: Callable[[Any], Any], tmp_path: Path
) -> None:
    check_same_tokens(model, as_array, pytorch_tokens(tmp_path, 100), 100)


@pytest.mark.parametrize("search", ["greedy with rules", "samples", "beams"])
def test_tokens_do_not_hang_on_the_cache(model: Any, as_array: Callable[[Any], Any], search: str) -> None:
    ids, options = as_array(prompts(2, 6)), SEARCHES[search]
    cached, whole = (tokens_of(model.generate(ids, use_cache=use_cache, **options)) for use_cache in (True, False))
    np.testing.assert_array_equal(cached, whole)


@pytest.mark.parametrize("search", ["greedy", "sample", "beams", "drawn beams"])
def test_a_search_driven_by_python_finds_the_same(model: Any, as_array: Callable[[Any], Any], search: str) -> None:
    """Asking for scores takes the loop out of the program."""
    ids, options = as_array(prompts(2, 6)), SEARCHES[search]
    plain = tokens_of(model.generate(ids, **options))
    recorded = model.generate(ids, return_dict_in_generate=True, output_scores=True, **options)
    np.testing.assert_array_equal(plain, tokens_of(recorded))
    assert len(recorded.scores) == plain.shape[1] - ids.shape[1]


def test_padding_on_the_left_changes_nothing(model: Any, as_array: Callable[[Any], Any]) -> None:
    short = prompts(1, 4)
    padded = np.concatenate([np.zeros((1, 3), short.dtype), short], 1)
    mask = as_array((padded > 0).astype(np.int64))
    alone = tokens_of(model.generate(as_array(short), max_new_tokens=6))
    among = tokens_of(model.generate(as_array(padded), attention_mask=mask, max_new_tokens=6))
    np.testing.assert_array_equal(alone, among[:, 3:])


def test_a_seed_decides_what_is_drawn(model: Any, as_array: Callable[[Any], Any]) -> None:
    ids = as_array(prompts(2, 5))
    options = {"do_sample": True, "top_k": 0, "max_new_tokens": 12}
    first, again, other = (tokens_of(model.generate(ids, seed=seed, **options)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_draws_follow_the_distribution(model: Any, as_array: Callable[[Any], Any]) -> None:
    """500 draws of one token against its probabilities, by a chi-square at one in a million."""
    from scipy.stats import chi2

    ids = as_array(np.repeat(prompts(1, 5), 500, 0))
    drawn = tokens_of(model.generate(ids, do_sample=True, top_k=0, temperature=3.0, max_new_tokens=1, seed=5))[:, -1]
    logits = numpy_of(model(ids[:1]).logits)[0, -1].astype(np.float64) / 3.0
    expected = 500 * np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    common = expected > 5
    counts = np.bincount(drawn, minlength=VOCABULARY)
    observed = np.append(counts[common], counts[~common].sum())
    expected = np.append(expected[common], expected[~common].sum())
    assert ((observed - expected) ** 2 / expected).sum() < chi2.isf(1e-6, len(expected) - 1)


# ---- what a caller brings -----------------------------------------------------------------------------------


class OnlyEven(LogitsProcessor):
    """Written with NumPy, as a user might."""

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None) -> Any:
        changed = numpy_of(scores).copy()
        changed[:, 1::2] = -np.inf
        return array_of(type(scores).__module__.partition(".")[0].replace("jaxlib", "jax"))(changed)


class AfterThree(StoppingCriteria):
    """Ends a text with its third new token."""

    def __init__(self, prompt: int) -> None:
        self.prompt = prompt

    def __call__(self, input_ids: Any, scores: Any, cur_len: Any = None, **kwargs: Any) -> Any:
        length = input_ids.shape[1] if cur_len is None else int(cur_len)
        done = np.full(input_ids.shape[0], length >= self.prompt + 3)
        return array_of(type(input_ids).__module__.partition(".")[0].replace("jaxlib", "jax"))(done)


def test_a_processor_of_ones_own(model: Any, as_array: Callable[[Any], Any]) -> None:
    found = tokens_of(model.generate(as_array(prompts(2, 5)), max_new_tokens=6, logits_processor=[OnlyEven()]))
    assert (found[:, 5:] % 2 == 0).all()


def test_a_criterion_of_ones_own(model: Any, as_array: Callable[[Any], Any]) -> None:
    found = tokens_of(model.generate(as_array(prompts(2, 5)), max_new_tokens=9, stopping_criteria=[AfterThree(5)]))
    assert found.shape == (2, 8)


def test_a_processor_of_ours_is_the_option(model: Any, as_array: Callable[[Any], Any]) -> None:
    options = {"max_new_tokens": 5, "do_sample": True, "top_k": 0, "seed": 4}
    own = LogitsProcessorList([TemperatureLogitsWarper(0.5)])
    ids = as_array(prompts(2, 5))
    by_list = tokens_of(model.generate(ids, logits_processor=own, **options))
    np.testing.assert_array_equal(by_list, tokens_of(model.generate(ids, temperature=0.5, **options)))


def test_prefixes_are_kept_to(model: Any, as_array: Callable[[Any], Any]) -> None:
    found = model.generate(
        as_array(prompts(2, 5)), max_new_tokens=5, num_beams=2, prefix_allowed_tokens_fn=lambda prompt, ids: [7, 9]
    )
    assert np.isin(tokens_of(found)[:, 5:], [7, 9]).all()


def test_a_streamer_is_told_every_token(model: Any, as_array: Callable[[Any], Any]) -> None:
    class Told:
        def __init__(self) -> None:
            self.tokens: list[int] = []
            self.ended = False

        def put(self, value: Any) -> None:
            self.tokens += numpy_of(value).reshape(-1).tolist()

        def end(self) -> None:
            self.ended = True

    told = Told()
    found = tokens_of(model.generate(as_array(prompts(1, 5)), max_new_tokens=6, streamer=told))
    assert told.tokens == found[0].tolist()
    assert told.ended


def test_time_runs_out(model: Any, as_array: Callable[[Any], Any]) -> None:
    found = tokens_of(model.generate(as_array(prompts(1, 5)), max_new_tokens=40, max_time=0.0))
    assert found.shape == (1, 6)


def test_an_assistant_changes_no_token(model: Any, backend: str, as_array: Callable[[Any], Any]) -> None:
    ids = as_array(prompts(1, 6))
    greedy = tokens_of(model.generate(ids, max_new_tokens=12))
    for assistant in (model, load(backend, seed=3, ignore_mismatched_sizes=True, n_layer=1, strict=False)):
        drafted = tokens_of(model.generate(ids, max_new_tokens=12, assistant_model=assistant, num_assistant_tokens=3))
        np.testing.assert_array_equal(greedy, drafted)


def test_a_prompt_of_embeddings(model: Any, backend: str, as_array: Callable[[Any], Any]) -> None:
    """The same tokens as from the tokens themselves, without the prompt."""
    ids = prompts(2, 6)
    table = numpy_of(model.get_input_embeddings() if backend == "flax" else _table(model, backend))
    whole = tokens_of(model.generate(as_array(ids), max_new_tokens=6))
    new = tokens_of(model.generate(inputs_embeds=as_array(table[ids]), max_new_tokens=6))
    np.testing.assert_array_equal(whole[:, 6:], new)


def _table(model: Any, backend: str) -> Any:
    embeddings = model.get_input_embeddings()
    return embeddings.weight if backend == "torch" else embeddings.weights[0].value


def test_reading_on_from_a_cache(model: Any, as_array: Callable[[Any], Any]) -> None:
    ids = as_array(prompts(2, 8))
    start = model(ids[:, :5], use_cache=True).past_key_values
    whole, continued = (
        tokens_of(model.generate(ids, max_new_tokens=5, **past)) for past in ({}, {"past_key_values": start})
    )
    np.testing.assert_array_equal(whole, continued)


# ---- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"max_new_token": 3}, "max_new_tokens"),
        ({"max_new_tokens": 3, "num_beams": 2, "num_return_sequences": 3}, "num_beams"),
        ({"max_new_tokens": 3, "dola_layers": "high"}, "dola_layers"),
        ({"max_new_tokens": 3, "prompt_lookup_num_tokens": 2}, "prompt_lookup_num_tokens"),
        ({"max_length": 5}, "max_new_tokens"),
        ({"max_new_tokens": 3, "stop_strings": "a"}, "tokenizer"),
    ],
)
def test_what_makes_no_sense_is_refused(
    model: Any, as_array: Callable[[Any], Any], options: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        model.generate(as_array(prompts(2, 5)), **options)


@pytest.mark.parametrize("ids", [np.zeros((2, 0), np.int64), np.full((1, 70), 5), np.array([[4, 61]]), np.array([4])])
def test_prompts_that_cannot_be_are_refused(model: Any, as_array: Callable[[Any], Any], ids: np.ndarray) -> None:
    with pytest.raises(InputError):
        model.generate(as_array(ids), max_new_tokens=2)


def test_a_model_that_writes_nothing_says_so(backend: str, as_array: Callable[[Any], Any]) -> None:
    model = load(backend, "GPT2Model")
    assert not model.can_generate()
    with pytest.raises(InputError, match="LMHeadModel"):
        model.generate(as_array(prompts(1, 3)))


# ---- options on disk ----------------------------------------------------------------------------------------


def test_options_travel_with_the_checkpoint(model: Any, backend: str, tmp_path: Path) -> None:
    model = load(backend)
    model.generation_config = GenerationConfig(max_new_tokens=4, repetition_penalty=1.5, eos_token_id=[3, 9])
    model.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "generation_config.json").read_text())["eos_token_id"] == [3, 9]
    assert load(backend, folder=tmp_path).generation_config == model.generation_config


# ---- programs -----------------------------------------------------------------------------------------------


@pytest.mark.backend("tensorflow", "flax")
@pytest.mark.parametrize("options", [{}, {"num_beams": 2}, {"do_sample": True}], ids=["greedy", "beams", "sample"])
def test_lengths_of_a_bucket_share_a_program(
    backend: str, as_array: Callable[[Any], Any], options: dict[str, Any]
) -> None:
    model = load(backend)
    for length, new in ((5, 4), (9, 7), (16, 2), (5, 4)):
        found = tokens_of(model.generate(as_array(prompts(2, length)), max_new_tokens=new, **options))
        assert found.shape == (2, length + new)
    (program,) = model._programs.values()
    traced = program._cache_size() if backend == "flax" else program.experimental_get_tracing_count()
    assert traced == 1


@pytest.mark.backend("flax")
@pytest.mark.parametrize("search", ["greedy", "beams"])
def test_generate_inside_jit(model: Any, as_array: Callable[[Any], Any], search: str) -> None:
    import jax

    ids, options = as_array(prompts(2, 6)), SEARCHES[search]
    inside = jax.jit(lambda ids, params: model.generate(ids, params=params, **options).sequences)(ids, model.params)
    outside = tokens_of(model.generate(ids, **options))
    np.testing.assert_array_equal(np.asarray(inside)[:, : outside.shape[1]], outside)


@pytest.mark.backend("flax")
def test_a_traced_key_draws_inside_jit(model: Any, as_array: Callable[[Any], Any]) -> None:
    import jax

    def sampled(key: Any) -> Any:
        return model.generate(
            as_array(prompts(2, 6)), prng_key=key, do_sample=True, top_k=0, max_new_tokens=8
        ).sequences

    first, again, other = (np.asarray(jax.jit(sampled)(jax.random.key(seed))) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.backend("tensorflow")
@pytest.mark.parametrize("search", ["greedy", "beams"])
def test_generate_inside_a_function(model: Any, as_array: Callable[[Any], Any], search: str) -> None:
    import tensorflow as tf

    ids, options = as_array(prompts(2, 6)), SEARCHES[search]
    inside = tf.function(lambda ids: model.generate(ids, **options), jit_compile=True, autograph=False)(ids).numpy()
    outside = tokens_of(model.generate(ids, **options))
    np.testing.assert_array_equal(inside[:, : outside.shape[1]], outside)


WRITE_SHARDED = """
import json, sys
import jax, numpy as np, triformers
from jax.sharding import Mesh, NamedSharding, PartitionSpec
folder, searches = sys.argv[1], json.loads(sys.argv[2])
model = triformers.FlaxGPT2LMHeadModel.from_pretrained(folder)
mesh = Mesh(np.array(jax.devices()), ("model",))

def split(leaf):
    axes = ["model" if size % 2 == 0 and axis == leaf.ndim - 1 else None for axis, size in enumerate(leaf.shape)]
    return jax.device_put(leaf, NamedSharding(mesh, PartitionSpec(*axes)))

params = jax.tree.map(split, model.params)
assert any(not leaf.sharding.is_fully_replicated for leaf in jax.tree.leaves(params)) and len(jax.devices()) == 2
ids = np.random.default_rng(0).integers(4, 61, (2, 7))
for name, options in searches.items():
    whole, sharded = (model.generate(ids, params=each, **options).sequences for each in (model.params, params))
    assert np.array_equal(whole, sharded), name
"""


@pytest.mark.backend("flax")
def test_generate_with_sharded_parameters() -> None:
    """Two devices that each hold half of every weight write what one does."""
    searches = {name: SEARCHES[name] for name in ("greedy with rules", "sample", "beams")}
    environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", WRITE_SHARDED, str(CHECKPOINT), json.dumps(searches)]
    subprocess.run(command, check=True, env=environment)
