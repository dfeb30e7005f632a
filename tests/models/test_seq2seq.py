"""Models of an encoder and a decoder: what each stack is given, what it keeps, and that each can run alone."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.parity.runners import runner_of
from tests.specs import all_specs, spec_of, without_dropout
from triformers.backends.seq2seq import shift_tokens_right
from triformers.cards import all_cards
from triformers.files.errors import InputError
from triformers.outputs import BaseModelOutput

pytestmark = pytest.mark.backend

#: The classes that write texts with a view of others; in short, all with PyTorch and the last with every framework.
STEMS = [
    card.models[task]
    for model_type, card in all_cards().items()
    if model_type in all_specs()
    for task in ("denoising", "seq2seq-lm")
    if task in card.models
]


@pytest.fixture(scope="module")
def runner(backend: str) -> ModuleType:
    """The framework of this process."""
    return runner_of(backend)


@pytest.fixture(params=[*(pytest.param(stem, marks=pytest.mark.short("torch")) for stem in STEMS[:-1]), STEMS[-1]])
def stem(request: pytest.FixtureRequest) -> str:
    """A class that writes texts."""
    return request.param


def made(runner: ModuleType, stem: str, **fields: Any) -> Any:
    """A small model, dropout off."""
    model_class = runner.model_class(stem)
    config_class = model_class.config_class
    model = model_class(config_class(**{**spec_of(stem).tiny, **without_dropout(config_class), **fields}), seed=0)
    return model.eval() if hasattr(model, "eval") else model


def native(runner: ModuleType, arrays: dict[str, Any]) -> dict[str, Any]:
    """Arrays as the framework's."""
    return runner.tensors(arrays) if hasattr(runner, "tensors") else arrays


def texts(rows: int = 3) -> dict[str, np.ndarray]:
    """What is read, padded to one length, and what is written."""
    generator = np.random.default_rng(0)
    return {
        "input_ids": generator.integers(12, 100, (rows, 8)),
        "attention_mask": (np.arange(8) < np.array([[8], [5], [3]])[:rows]).astype(np.int64),
        "decoder_input_ids": generator.integers(12, 100, (rows, 6)),
    }


def plain(array: Any) -> np.ndarray:
    """An array as NumPy's."""
    return np.asarray(array.detach() if hasattr(array, "detach") else array)


def scores(output: Any) -> np.ndarray:
    """Its logits as NumPy's."""
    return plain(output.logits)


def close(one: Any, other: Any) -> bool:
    """Whether two arrays in float32 are one."""
    return one.shape == other.shape and float(np.abs(one - other).max()) < 2e-5


def encoded(model: Any, given: dict[str, Any]) -> Any:
    """What the encoder answers alone."""
    return model.get_encoder()(input_ids=given["input_ids"], attention_mask=given["attention_mask"])


def test_a_padded_batch_is_its_rows_one_by_one(stem: str, runner: ModuleType) -> None:
    model, arrays = made(runner, stem), texts()
    whole = scores(model(**native(runner, arrays)))
    for row, length in enumerate(arrays["attention_mask"].sum(1)):
        ids = {
            "input_ids": arrays["input_ids"][[row], :length],
            "decoder_input_ids": arrays["decoder_input_ids"][[row]],
        }
        assert close(scores(model(**native(runner, ids)))[0], whole[row])


def test_the_encoder_need_run_only_once(stem: str, runner: ModuleType) -> None:
    model, given = made(runner, stem), native(runner, texts())
    expected, read = scores(model(**given)), encoded(model, given)
    rest = {name: given[name] for name in ("attention_mask", "decoder_input_ids")}
    states = read.last_hidden_state
    for form in (read, (states,), [states, None, None], {"last_hidden_state": states}):
        found = model(encoder_outputs=form, **rest)
        assert close(scores(found), expected)
        assert isinstance(read, BaseModelOutput)
    assert close(scores(model(encoder_outputs=read, **rest, use_cache=False)), expected)


@pytest.mark.parametrize("wrong", [(), {"hidden": 1}, 3.5])
def test_what_no_encoder_answered_is_refused(wrong: Any, stem: str, runner: ModuleType) -> None:
    given = native(runner, {"decoder_input_ids": texts()["decoder_input_ids"]})
    with pytest.raises(InputError, match="encoder_outputs") as caught:
        made(runner, stem)(encoder_outputs=wrong, **given)
    assert len(str(caught.value)) < 400


def test_reading_on_is_reading_at_once(stem: str, runner: ModuleType) -> None:
    model, arrays = made(runner, stem), texts()
    mask = np.ones((3, 6), np.int64)
    mask[1, :2] = 0
    given = native(runner, {**arrays, "decoder_attention_mask": mask})
    expected, read = scores(model(**given)), encoded(model, given)
    for cache in runner.empty_caches(model, 3, 9):
        found = []
        for start, stop in ((0, 3), (3, 4), (4, 6)):
            output = model(
                encoder_outputs=(read.last_hidden_state,),
                attention_mask=given["attention_mask"],
                decoder_input_ids=given["decoder_input_ids"][:, start:stop],
                decoder_attention_mask=given["decoder_attention_mask"][:, :stop],
                past_key_values=cache,
                use_cache=True,
            )
            cache = output.past_key_values
            found.append(scores(output))
        seen = mask.astype(bool)
        assert close(np.concatenate(found, 1)[seen], expected[seen])
        assert [len(layer) for layer in cache] == [4] * len(cache)


def test_labels_are_what_the_decoder_reads(stem: str, runner: ModuleType) -> None:
    model, arrays = made(runner, stem), texts()
    labels = arrays.pop("decoder_input_ids")
    labels[0, 4:] = -100
    start, pad = model.config.decoder_start_token_id, model.config.pad_token_id
    shifted = np.concatenate([np.full((3, 1), start), np.where(labels == -100, pad, labels)[:, :-1]], 1)
    output = model(**native(runner, {**arrays, "labels": labels}))
    expected = model(**native(runner, {**arrays, "decoder_input_ids": shifted}))
    assert close(scores(output), scores(expected))
    assert ("past_key_values" in output) == stem.startswith("T5")  # as 4.53.3 answers
    found = model.prepare_decoder_input_ids_from_labels(native(runner, {"labels": labels})["labels"])
    assert np.array_equal(np.asarray(found), shifted)
    with pytest.raises(InputError, match="pad_token_id"):
        shift_tokens_right(found, None, 2)


def test_heads_that_are_switched_off_are_not_heard(stem: str, runner: ModuleType) -> None:
    model, given = made(runner, stem), native(runner, texts())
    expected, config = scores(model(**given)), model.config
    heads, layers = len(config.cache_sizes()[0]), config.cache_sizes()[0][0]
    for name in ("decoder_head_mask", "cross_attn_head_mask"):
        mask = np.ones((heads, layers), np.float32)
        assert close(scores(model(**given, **native(runner, {name: mask}))), expected)
        mask[0, 0] = 0
        assert np.abs(scores(model(**given, **native(runner, {name: mask}))) - expected).max() > 1e-4


def test_tuples_have_the_fields_in_order(stem: str, runner: ModuleType) -> None:
    model, given = made(runner, stem), native(runner, texts())
    options = {"output_attentions": True, "output_hidden_states": True}
    output, values = model(**given, **options), model(**given, **options, return_dict=False)
    assert list(output) == [
        "logits", "past_key_values", "decoder_hidden_states", "decoder_attentions", "cross_attentions",
        "encoder_last_hidden_state", "encoder_hidden_states", "encoder_attentions",
    ]  # fmt: skip
    assert len(values) == len(output) and close(plain(values[5]), plain(output.encoder_last_hidden_state))


@pytest.mark.backend("flax")
def test_flax_stacks_run_alone(stem: str) -> None:
    runner = runner_of("flax")
    model, given = made(runner, stem), texts()
    expected, read = model(**given), model.encode(given["input_ids"], given["attention_mask"])
    mask = given["attention_mask"]
    whole = model.decode(given["decoder_input_ids"], read, mask, output_hidden_states=True)
    assert close(scores(whole), scores(expected)) and "encoder_last_hidden_state" not in whole
    assert whole.past_key_values is None and whole.hidden_states is not None
    cache, found = model.init_cache(3, 6, read), []
    for place in range(6):
        output = model.decode(given["decoder_input_ids"][:, [place]], (read[0],), mask, past_key_values=cache)
        cache = output.past_key_values
        found.append(scores(output))
    assert close(np.concatenate(found, 1), scores(expected))
    assert close(
        np.asarray(model.decode(given["decoder_input_ids"], read, mask, return_dict=False)[0]), scores(expected)
    )


@pytest.mark.backend("flax")
def test_a_loop_of_ones_own(stem: str) -> None:
    runner = runner_of("flax")
    model, given = made(runner, stem), texts()
    expected, read = scores(model(**given)), model.encode(given["input_ids"], given["attention_mask"])
    ids, options = given["decoder_input_ids"], {"attention_mask": given["attention_mask"], "encoder_outputs": read}
    inputs, found = model.prepare_inputs_for_generation(ids[:, :2], 7, **options), []
    for start, stop in ((0, 2), (2, 3), (3, 4)):
        output = model.decode(ids[:, start:stop], **inputs)
        inputs = model.update_inputs_for_generation(output, inputs)
        found.append(scores(output))
    assert close(np.concatenate(found, 1), expected[:, :4])


@pytest.mark.backend("torch")
def test_recomputing_gives_the_same_gradients(stem: str) -> None:
    runner = runner_of("torch")
    model, given = made(runner, stem), native(runner, texts())
    found = []
    for is_on in (False, True):
        model.train()
        model.zero_grad()
        (model.gradient_checkpointing_enable if is_on else model.gradient_checkpointing_disable)()
        output = model(**given, labels=given["decoder_input_ids"])
        output.loss.backward()
        found.append({name: each.grad.clone() for name, each in model.named_parameters() if each.grad is not None})
    assert found[0].keys() == found[1].keys()
    assert all(close(one.numpy(), found[1][name].numpy()) for name, one in found[0].items())
