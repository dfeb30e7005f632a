"""What a decoder keeps: read on in chunks, it answers as if it had read all at once."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.parity.runners import runner_of
from tests.specs import all_specs, spec_of, without_dropout
from triformers.cards import all_cards
from triformers.files.errors import InputError

pytestmark = pytest.mark.backend

#: The classes that predict the next token from a cache, and may attend to an encoder too.
STEMS = [all_cards()[name].models["causal-lm"] for name, spec in all_specs().items() if spec.decoder]


@pytest.fixture(scope="module")
def runner(backend: str) -> ModuleType:
    """The framework of this process."""
    return runner_of(backend)


@pytest.fixture(params=STEMS)
def stem(request: pytest.FixtureRequest) -> str:
    """A class that predicts the next token."""
    return request.param


def decoder(runner: ModuleType, stem: str, **fields: Any) -> Any:
    """A small model that predicts the next token, dropout off."""
    model_class, spec = runner.model_class(stem), spec_of(stem)
    config_class = model_class.config_class
    return model_class(config_class(**{**spec.tiny, **without_dropout(config_class), **spec.decoder, **fields}), seed=0)


def inputs(runner: ModuleType, rows: int = 2, length: int = 10) -> dict[str, Any]:
    """Token ids, and what the decoder attends to."""
    generator = np.random.default_rng(1)
    arrays = {
        "input_ids": generator.integers(1, 101, (rows, length)),
        "encoder_hidden_states": generator.standard_normal((rows, 6, 36)).astype(np.float32),
    }
    return runner.tensors(arrays) if hasattr(runner, "tensors") else arrays


def call(model: Any, given: dict[str, Any], span: slice, **options: Any) -> Any:
    """A call on a part of the tokens."""
    if hasattr(model, "eval"):
        model.eval()
    return model(**{**given, "input_ids": given["input_ids"][:, span]}, **options)


def logits(output: Any) -> np.ndarray:
    """Its scores as NumPy's."""
    array = output.logits
    return np.asarray(array.detach() if hasattr(array, "detach") else array)


def test_layers_and_what_they_hold(stem: str, runner: ModuleType) -> None:
    model, given = decoder(runner, stem), inputs(runner)
    cache = call(model, given, slice(0, 7)).past_key_values
    assert len(cache) == 2 and cache.get_seq_length() == 7 and cache.get_max_cache_shape() is None
    assert [tuple(array.shape) for array in cache[0]] == [(2, 4, 7, 9)] * 2 + [(2, 4, 6, 9)] * 2
    assert tuple(cache[1][0].shape) == tuple(cache[-1][0].shape)
    assert [len(layer) for layer in cache] == [4, 4]
    assert isinstance(cache.to_legacy_cache(), tuple)


def test_reading_on_does_not_change_what_was_answered_before(stem: str, runner: ModuleType) -> None:
    model, given = decoder(runner, stem), inputs(runner)
    first = call(model, given, slice(0, 4)).past_key_values
    for part in (slice(4, 6), slice(6, 8)):
        found = logits(call(model, given, part, past_key_values=first))
        ids = np.concatenate([np.asarray(given["input_ids"])[:, :4], np.asarray(given["input_ids"])[:, part]], 1)
        whole = {**given, **(runner.tensors({"input_ids": ids}) if hasattr(runner, "tensors") else {"input_ids": ids})}
        assert np.abs(found - logits(call(model, whole, slice(None)))[:, 4:]).max() < 1e-5
    assert first.get_seq_length() == 4


def test_tuples_of_4x_are_taken_over(stem: str, runner: ModuleType) -> None:
    model, given = decoder(runner, stem), inputs(runner)
    expected = logits(call(model, given, slice(None)))
    past = call(model, given, slice(0, 5)).past_key_values.to_legacy_cache()
    shapes = [tuple(array.shape) for layer in past for array in layer]
    found = logits(call(model, given, slice(5, None), past_key_values=past))
    assert np.abs(found - expected[:, 5:]).max() < 1e-5
    assert [tuple(array.shape) for layer in past for array in layer] == shapes


@pytest.mark.parametrize("wrong", ["layers", "type"])
def test_what_is_no_cache_is_refused(wrong: str, stem: str, runner: ModuleType) -> None:
    model, given = decoder(runner, stem), inputs(runner)
    past = call(model, given, slice(0, 5)).past_key_values.to_legacy_cache()
    with pytest.raises(InputError, match="past_key_values") as caught:
        call(model, given, slice(5, None), past_key_values=past[:1] if wrong == "layers" else {"a": 1})
    assert len(str(caught.value)) < 400


def test_a_cache_is_kept_only_where_that_is_asked(stem: str, runner: ModuleType) -> None:
    given = inputs(runner)
    assert call(decoder(runner, stem), given, slice(None), use_cache=False).past_key_values is None
    assert call(decoder(runner, stem, use_cache=False), given, slice(None)).past_key_values is None


def test_an_encoder_keeps_nothing(runner: ModuleType) -> None:
    encoder = decoder(runner, "BertLMHeadModel", is_decoder=False, add_cross_attention=False)
    assert call(encoder, inputs(runner), slice(None), use_cache=True).past_key_values is None


def test_a_sequence_longer_than_the_positions_is_refused(stem: str, runner: ModuleType) -> None:
    model, given = decoder(runner, stem), inputs(runner, length=20)
    past = call(model, given, slice(None)).past_key_values
    with pytest.raises(InputError, match="24 tokens"):
        call(model, given, slice(0, 4), past_key_values=past)


@pytest.mark.parametrize("stem", [stem for stem in STEMS if "add_cross_attention" in spec_of(stem).decoder])
def test_cross_attention_needs_its_layers(stem: str, runner: ModuleType) -> None:
    with pytest.raises(InputError, match="add_cross_attention"):
        call(decoder(runner, stem, add_cross_attention=False), inputs(runner), slice(None))


def test_later_tokens_change_nothing_before_them(stem: str, runner: ModuleType) -> None:
    model, given = decoder(runner, stem), inputs(runner)
    ids = np.array(given["input_ids"])
    ids[:, 6:] = 3
    other = {**given, **(runner.tensors({"input_ids": ids}) if hasattr(runner, "tensors") else {"input_ids": ids})}
    one, two = (logits(call(model, each, slice(None))) for each in (given, other))
    assert np.abs(one[:, :6] - two[:, :6]).max() < 1e-6 and np.abs(one[:, 6:] - two[:, 6:]).max() > 1e-3


@pytest.mark.backend("torch")
def test_caches_of_4x_by_name(stem: str) -> None:
    import torch

    import triformers

    runner = runner_of("torch")
    model, given = decoder(runner, stem), inputs(runner)
    expected = logits(call(model, given, slice(None)))
    made = {
        "dynamic": triformers.DynamicCache(),
        "static": triformers.StaticCache(model.config, max_batch_size=2, max_cache_len=12),
        "both": triformers.EncoderDecoderCache(triformers.DynamicCache(), triformers.DynamicCache()),
    }
    for cache in made.values():
        with torch.no_grad():
            parts = [call(model, given, part, past_key_values=cache) for part in (slice(0, 6), slice(6, None))]
        assert all(part.past_key_values is cache for part in parts) and cache.get_seq_length() == 10
        assert np.abs(np.concatenate([logits(part) for part in parts], 1) - expected).max() < 1e-5
    with pytest.raises(InputError, match="12"):
        call(model, given, slice(0, 3), past_key_values=made["static"])
    both = triformers.EncoderDecoderCache.from_legacy_cache(made["dynamic"].to_legacy_cache())
    assert both.get_seq_length() == 10 and len(both[0]) == 4
    made["static"].reset()
    assert made["static"].get_seq_length() == 0 and made["static"].get_max_cache_shape() == 12


@pytest.mark.backend("torch")
def test_rows_of_a_cache_are_chosen_repeated_split_and_cut(stem: str) -> None:
    import torch

    import triformers

    runner = runner_of("torch")
    model, given = decoder(runner, stem), inputs(runner, rows=4)
    with torch.no_grad():
        expected = logits(call(model, given, slice(None)))
        for change, rows in (
            (lambda cache: cache.reorder_cache(torch.tensor([2, 0, 0, 3])), [2, 0, 0, 3]),
            (lambda cache: cache.batch_repeat_interleave(2), [0, 0, 1, 1, 2, 2, 3, 3]),
            (lambda cache: cache.crop(-1) or cache.crop(6), [0, 1, 2, 3]),
        ):
            for cache in (triformers.DynamicCache(), triformers.StaticCache(model.config, 4, 12)):
                call(model, given, slice(0, 7 if rows == [0, 1, 2, 3] else 6), past_key_values=cache)
                change(cache)
                chosen = {name: array[rows] for name, array in given.items()}
                found = logits(call(model, chosen, slice(6, None), past_key_values=cache))
                assert np.abs(found - expected[rows, 6:]).max() < 1e-5
        cache = triformers.DynamicCache()
        call(model, given, slice(0, 6), past_key_values=cache)
        joined = triformers.DynamicCache.from_batch_splits(cache.batch_split(4, 3))
        assert [part.shape[0] for part in joined[0]] == [4] * 4 and torch.equal(joined[1][0], cache[1][0])


@pytest.mark.backend("torch")
def test_gradients_flow_through_a_cache(stem: str) -> None:
    runner = runner_of("torch")
    model, given = decoder(runner, stem), inputs(runner)
    first = call(model, given, slice(0, 5))
    second = call(model, given, slice(5, None), past_key_values=first.past_key_values)
    second.logits.square().sum().backward()
    stepped = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    model.zero_grad()
    call(model, given, slice(None)).logits[:, 5:].square().sum().backward()
    largest = max(parameter.grad.abs().max() for parameter in model.parameters())
    for name, parameter in model.named_parameters():
        assert (stepped[name] - parameter.grad).abs().max() <= 1e-4 * largest, name


@pytest.mark.backend("flax")
def test_a_cache_with_all_its_room_compiles_once(stem: str) -> None:
    import jax

    runner = runner_of("flax")
    model, given = decoder(runner, stem), inputs(runner)
    expected, traces = logits(call(model, given, slice(None))), []

    @jax.jit
    def step(params: Any, ids: Any, cache: Any) -> Any:
        traces.append(ids.shape)
        output = model(ids, encoder_hidden_states=given["encoder_hidden_states"], past_key_values=cache, params=params)
        return output.logits, output.past_key_values

    first = call(model, given, slice(0, 4), past_key_values=model.init_cache(2, 12))
    cache, found = first.past_key_values, [logits(first)]
    for place in range(4, 10):
        scores, cache = step(model.params, given["input_ids"][:, place : place + 1], cache)
        found.append(np.asarray(scores))
    assert traces == [(2, 1)]
    assert np.abs(np.concatenate(found, 1) - expected).max() < 1e-5
    with pytest.raises(InputError, match="at most 23"):
        model.init_cache(2, 24)


@pytest.mark.backend("tensorflow")
@pytest.mark.parametrize("by_xla", [False, True])
def test_a_cache_with_all_its_room_is_traced_once(by_xla: bool, stem: str) -> None:
    import tensorflow as tf

    from triformers.backends.tensorflow.cache import Cache

    runner = runner_of("tensorflow")
    model, given = decoder(runner, stem), inputs(runner)
    expected, traces = logits(call(model, given, slice(None))), []

    @tf.function(jit_compile=by_xla)
    def step(ids: Any, cache: Any) -> Any:
        traces.append(ids.shape)
        output = model(ids, encoder_hidden_states=given["encoder_hidden_states"], past_key_values=cache)
        return output.logits, output.past_key_values

    first = call(model, given, slice(0, 4), past_key_values=Cache.preallocated(model.config, 2, 12))
    cache, found = first.past_key_values, [logits(first)]
    for place in range(4, 10):
        scores, cache = step(given["input_ids"][:, place : place + 1], cache)
        found.append(np.asarray(scores))
    assert len(traces) == 1
    assert np.abs(np.concatenate(found, 1) - expected).max() < 1e-5
    with pytest.raises(InputError, match="at most 23"):
        Cache.preallocated(model.config, 2, 24)
