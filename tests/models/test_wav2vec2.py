"""Wav2Vec2 beyond the goldens: what is random, CTC against every way to write a text, adapters, freezing, refusals."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.models.sounds_in_training import SEED, STEMS, TURNS
from tests.parity.compare import beyond
from tests.parity.runners import arrays, runner_of
from tests.specs import all_specs
from triformers import Wav2Vec2Config
from triformers.backends.noise import Noise
from triformers.files.errors import CheckpointError, ConfigurationError, FileError, InputError

TINY = all_specs()["wav2vec2"].tiny
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def runner(backend: str) -> ModuleType:
    """The framework of this process."""
    return runner_of(backend)


# ---- random numbers from a source ---------------------------------------------------------------------------


def in_training(runner: ModuleType, model: Any, inputs: Mapping[str, np.ndarray], noise: Any) -> dict[str, np.ndarray]:
    """The outputs of a call in training mode."""
    if runner.PREFIX == "":
        output = model.train()(**runner.tensors(dict(inputs)), noise=noise)
        return {name: value.detach().numpy() for name, value in arrays(output)}
    if runner.PREFIX == "TF":
        return {
            name: np.asarray(value)
            for name, value in arrays(model(**runner.tensors(inputs), training=True, noise=noise))
        }
    import jax

    if "sampled_negative_indices" in inputs:
        inputs = {**inputs, "gumbel_temperature": 2.0}
    output = model(**inputs, train=True, dropout_rng=jax.random.key(0), noise=noise)
    return {name: np.asarray(value) for name, value in arrays(output)}


@pytest.fixture(scope="module")
def of_torch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints, inputs, and what PyTorch computes of them in training."""
    folder = tmp_path_factory.mktemp("truth")
    subprocess.run([sys.executable, "-m", "tests.models.sounds_in_training", str(folder)], check=True, cwd=ROOT)
    return folder


@pytest.mark.backend
@pytest.mark.parametrize("stem", STEMS)
def test_training_is_the_same_from_one_source(stem: str, runner: ModuleType, of_torch: Path) -> None:
    model, noise = runner.load(stem, of_torch / stem, "float64"), Noise(SEED)
    inputs = dict(np.load(of_torch / stem / "inputs.npz"))
    turns = [in_training(runner, model, inputs, noise) for _ in range(TURNS)]
    for turn, found in enumerate(turns):
        expected = dict(np.load(of_torch / stem / f"{turn}.npz"))
        assert not beyond(found, expected, 1e-12)
    name = next(iter(turns[0]))
    assert np.abs(turns[0][name] - turns[1][name]).max() > 1e-3  # the source goes on


def test_a_source_is_a_stream_for_each_purpose() -> None:
    one, other = Noise(3), Noise(3)
    first, second = one("masks", (2, 5)), one("masks", (2, 5))
    other("layers", ())
    assert np.array_equal(first, other("masks", (2, 5))) and not np.array_equal(first, second)
    many = one("many", (20000,))
    assert many.dtype == np.float32 and many.min() > 0 and many.max() < 1 and abs(many.mean() - 0.5) < 0.01


@pytest.mark.backend
def test_spans_lie_where_they_may(runner: ModuleType) -> None:
    from triformers.backends.sounds import Spans, span_mask

    ops = __import__(f"triformers.backends.{BACKENDS[runner.PREFIX]}.ops", fromlist=["ops"])
    noise = Noise(1)
    lengths = np.array([40, 17, 9, 2], np.int32)
    tensor = next(iter(runner.tensors({"x": lengths}).values())) if hasattr(runner, "tensors") else as_jax(lengths)

    def draw(name: str, shape: Any) -> Any:
        numbers = noise(name, tuple(int(size) for size in shape))
        return next(iter(runner.tensors({"x": numbers}).values())) if hasattr(runner, "tensors") else as_jax(numbers)

    counts = []
    for _ in range(50):
        mask = np.asarray(span_mask(draw, "frames", tensor, 40, Spans(0.3, 3, 1), ops))
        assert not (mask & (np.arange(40) >= lengths[:, None])).any()
        assert not mask[3].any() and mask[:3].any(1).all()  # a row too short for a span has none
        for row in mask[:3]:
            runs = [len(list(run)) for value, run in itertools.groupby(row) if value]
            assert min(runs) >= 3
        counts.append(mask.sum(1))
    mean = np.mean(counts, 0)
    assert 8 < mean[0] <= 12 and mean[0] > mean[1] > mean[2] >= 3


BACKENDS = {"": "torch", "TF": "tensorflow", "Flax": "flax"}


def as_jax(array: np.ndarray) -> Any:
    """An array as JAX's."""
    import jax.numpy as jnp

    return jnp.asarray(array)


# ---- CTC ----------------------------------------------------------------------------------------------------


def by_counting(logits: np.ndarray, labels: list[int], length: int, blank: int) -> float:
    """Minus the logarithm of the probability of a text, by going through every way to write frames."""
    scores = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    total = 0.0
    for path in itertools.product(range(logits.shape[-1]), repeat=length):
        if [token for token, _ in itertools.groupby(path) if token != blank] == labels:
            total += np.exp(sum(scores[frame, token] for frame, token in enumerate(path)))
    return -np.log(total) if total else np.inf


@pytest.mark.backend
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("zero_infinity", [False, True])
def test_ctc_counts_every_way(runner: ModuleType, reduction: str, zero_infinity: bool) -> None:
    losses = __import__(f"triformers.backends.{BACKENDS[runner.PREFIX]}.losses", fromlist=["ctc_loss"])
    config = Wav2Vec2Config(vocab_size=3, pad_token_id=1, ctc_loss_reduction=reduction, ctc_zero_infinity=zero_infinity)
    logits = np.random.default_rng(0).standard_normal((5, 5, 3)) * 2
    labels = np.array([[0, 2, -100], [2, 2, -1], [-100, 0, -100], [-100, -100, -100], [0, 0, 0]])
    lengths = np.array([5, 4, 3, 2, 4])
    texts = [[label for label in row if label >= 0] for row in labels.tolist()]
    expected = np.array(
        [by_counting(one, text, int(n), 1) for one, text, n in zip(logits, texts, lengths, strict=True)]
    )
    assert np.isinf(expected[4])
    expected = np.where(np.isinf(expected), 0.0, expected) if zero_infinity else expected
    if reduction != "none":
        per_token = expected / np.maximum([len(text) for text in texts], 1)
        expected = expected.sum() if reduction == "sum" else per_token.mean()
    given = {"logits": logits, "labels": labels, "lengths": lengths}
    made = (
        runner.tensors(given) if hasattr(runner, "tensors") else {name: as_jax(array) for name, array in given.items()}
    )
    found = np.asarray(losses.ctc_loss(made["logits"], made["labels"], made["lengths"], config))
    assert np.allclose(found, expected, rtol=1e-12)


@pytest.mark.backend
def test_ctc_refuses_labels_beyond_the_vocabulary(runner: ModuleType) -> None:
    model = runner.model_class("Wav2Vec2ForCTC")(Wav2Vec2Config(**TINY), seed=0)
    inputs = {"input_values": np.ones((1, 400), np.float32), "labels": np.array([[TINY["vocab_size"]]])}
    with pytest.raises(InputError, match="labels contain 33; expected 0 to 32"):
        runner.forward(model, inputs)


# ---- parts --------------------------------------------------------------------------------------------------

SPEAKING = {**TINY, "do_stable_layer_norm": True, "adapter_attn_dim": 5}


@pytest.mark.backend
@pytest.mark.parametrize("safe", [True, False])
def test_adapters_of_languages_are_exchanged(runner: ModuleType, safe: bool, tmp_path: Path) -> None:
    from triformers.conversion.formats.pickled import write_pickled
    from triformers.conversion.formats.safetensors import write_safetensors

    model_class = runner.model_class("Wav2Vec2ForCTC")
    model_class(Wav2Vec2Config(**SPEAKING), seed=0).save_pretrained(tmp_path)
    other = model_class(Wav2Vec2Config(**{**SPEAKING, "vocab_size": 20}), seed=1)
    names = {slot.name for slot in other.adapter_slots()}
    tensors = {name: tensor for name, tensor in other.canonical_tensors().items() if name in names}
    with (tmp_path / f"adapter.xyz.{'safetensors' if safe else 'bin'}").open("wb") as file:
        write_safetensors(file, tensors, {"format": "pt"}, None) if safe else write_pickled(file, tensors, None)
    for model in (
        model_class.from_pretrained(tmp_path, target_lang="xyz"),
        model_class.from_pretrained(tmp_path),
    ):
        if model.target_lang is None:
            model.load_adapter("xyz")
        assert model.config.vocab_size == 20 and model.target_lang == "xyz"
        found = model.canonical_tensors()
        assert len(names) == 14 and all(np.array_equal(found[name].read(), tensors[name].read()) for name in names)
        logits = runner.forward(model, {"input_values": np.ones((1, 400), np.float32)})["logits"]
        assert logits.shape[-1] == 20
    with pytest.raises(FileError, match=r"adapter\.abc\.safetensors"):
        model.load_adapter("abc")


@pytest.mark.backend
def test_an_adapter_must_be_the_models(runner: ModuleType, tmp_path: Path) -> None:
    from triformers.conversion.formats.safetensors import write_safetensors

    model_class = runner.model_class("Wav2Vec2ForCTC")
    model_class(Wav2Vec2Config(**SPEAKING), seed=0).save_pretrained(tmp_path)
    model = model_class.from_pretrained(tmp_path)
    tensors = {name: tensor for name, tensor in model.canonical_tensors().items() if name.startswith("lm_head.")}
    with (tmp_path / "adapter.xyz.safetensors").open("wb") as file:
        write_safetensors(file, tensors, {"format": "pt"}, None)
    with pytest.raises(CheckpointError, match=r"has no tensor wav2vec2\.encoder\.layers\.0\.adapter_layer"):
        model.load_adapter("xyz")
    with pytest.raises(ConfigurationError, match="adapter_attn_dim"):
        model_class(Wav2Vec2Config(**TINY), seed=0).load_adapter("xyz")


@pytest.mark.backend
def test_what_is_frozen_has_no_gradient(runner: ModuleType) -> None:
    model = runner.model_class("Wav2Vec2ForCTC")(Wav2Vec2Config(**TINY), seed=0)
    inputs = {"input_values": np.random.default_rng(0).standard_normal((1, 400)).astype(np.float32)}
    inputs["labels"] = np.array([[1, 2]])
    if runner.PREFIX == "Flax":
        import jax

        tree = jax.grad(lambda params: model(**inputs, params=params, freeze_feature_encoder=True).loss)(model.params)
        convolutions = jax.tree.leaves(tree["wav2vec2"]["feature_extractor"])
        assert not any(np.asarray(one).any() for one in convolutions)
        assert np.asarray(tree["wav2vec2"]["feature_projection"]["projection"]["kernel"]).any()
        return
    model.freeze_feature_encoder()
    names = trained_names(runner, model, inputs)
    assert names and not any(name.startswith("wav2vec2.feature_extractor.") for name in names)
    assert "wav2vec2.feature_projection.projection.weight" in names
    model.freeze_base_model()
    assert trained_names(runner, model, inputs) == {"lm_head.weight", "lm_head.bias"}


def trained_names(runner: ModuleType, model: Any, inputs: dict[str, np.ndarray]) -> set[str]:
    """The parameters that a loss gives a gradient."""
    if runner.PREFIX == "":
        return set(runner.gradients(model, inputs))
    trained = {id(variable) for variable in model.trainable_variables}
    return {slot.name for slot in model.slots() if id(model.held(slot)) in trained}


@pytest.mark.backend
@pytest.mark.parametrize("old", [("weight_g", "weight_v"), None])
def test_both_spellings_of_a_normed_weight_are_read(runner: ModuleType, old: Any, tmp_path: Path) -> None:
    from dataclasses import replace

    from triformers.conversion.formats.safetensors import read_safetensors, write_safetensors

    model_class = runner.model_class("Wav2Vec2Model")
    model = model_class(Wav2Vec2Config(**TINY), seed=3)
    model.save_pretrained(tmp_path)
    tensors = read_safetensors(tmp_path / "model.safetensors")
    stem = "encoder.pos_conv_embed.conv."
    assert f"{stem}parametrizations.weight.original1" in tensors
    if old is not None:
        names = {f"{stem}parametrizations.weight.original{place}": stem + name for place, name in enumerate(old)}
        kept = {name: tensor.read().copy() for name, tensor in tensors.items()}
        renamed = {
            names.get(name, name): replace(tensor, name=names.get(name, name), read=lambda name=name: kept[name])
            for name, tensor in tensors.items()
        }
        with (tmp_path / "model.safetensors").open("wb") as file:
            write_safetensors(file, renamed, {"format": "pt"}, None)
    again = model_class.from_pretrained(tmp_path)
    found, expected = again.canonical_tensors(), model.canonical_tensors()
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[name].read(), expected[name].read()) for name in expected)


# ---- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.backend
@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"input_values": np.zeros(400, np.float32)}, r"shape \[400\]; expected \[batch, samples\]"),
        ({"input_values": np.zeros((1, 37), np.float32)}, "sounds of 37 samples; expected at least 53"),
        (
            {"input_values": np.zeros((2, 400), np.float32), "attention_mask": np.ones((2, 12), np.int64)},
            r"attention_mask of shape \[2, 12\]; expected \[2, 400\]",
        ),
        (
            {"input_values": np.zeros((1, 400), np.float32), "mask_time_indices": np.ones((1, 5), bool)},
            r"mask_time_indices of shape \[1, 5\]; expected \[1, 12\]",
        ),
    ],
)
def test_wrong_inputs_are_refused(runner: ModuleType, inputs: dict[str, np.ndarray], message: str) -> None:
    model = runner.model_class("Wav2Vec2Model")(Wav2Vec2Config(**TINY), seed=0)
    with pytest.raises(InputError, match=message):
        runner.forward(model, inputs)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"conv_dim": [4, 5]}, "conv_dim, conv_stride, conv_kernel with 2, 3, 3 entries"),
        ({"tdnn_kernel": []}, "tdnn_dim, tdnn_kernel, tdnn_dilation with 3, 0, 3 entries"),
        ({"num_conv_pos_embedding_groups": 5}, "hidden_size 36 is not a multiple of num_conv_pos_embedding_groups 5"),
        ({"codevector_dim": 16}, "codevector_dim 16 is not a multiple of num_codevector_groups 3"),
        ({"feat_extract_norm": "batch"}, "feat_extract_norm"),
    ],
)
def test_configurations_that_cannot_be_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Wav2Vec2Config(**{**TINY, **fields}).validate()


@pytest.mark.backend
def test_a_class_that_cannot_have_an_adapter_refuses_one(runner: ModuleType) -> None:
    for stem in ("Wav2Vec2ForSequenceClassification", "Wav2Vec2ForAudioFrameClassification"):
        with pytest.raises(ConfigurationError, match="add_adapter"):
            runner.model_class(stem)(Wav2Vec2Config(**TINY, add_adapter=True), seed=0)


def test_what_follows_from_the_sizes() -> None:
    config = Wav2Vec2Config()
    assert config.inputs_to_logits_ratio == 320 and config.num_feat_extract_layers == 7
    assert config.output_hidden_size == 768 and config.conv_dim == [512] * 7
    assert Wav2Vec2Config().conv_dim is not config.conv_dim


@pytest.mark.backend
def test_frames_are_counted_under_the_names_of_scripts(runner: ModuleType) -> None:
    sizes = {"conv_dim": [8, 8], "conv_stride": [5, 2], "conv_kernel": [10, 3], "num_feat_extract_layers": 2}
    config = Wav2Vec2Config(**{**TINY, **sizes, "add_adapter": True, "num_adapter_layers": 2})
    model = runner.model_class("Wav2Vec2Model")(config, seed=0)
    samples = np.ones((2, 400), dtype=np.int64)
    samples[1, 90:] = 0
    tensors = getattr(runner, "tensors", dict)  # Flax takes NumPy's arrays
    mask, lengths = tensors({"mask": samples, "lengths": samples.sum(-1)}).values()
    assert int(model._get_feat_extract_output_lengths(400)) == 10
    assert np.asarray(model._get_feat_extract_output_lengths(lengths)).tolist() == [10, 2]
    assert np.asarray(model._get_feat_extract_output_lengths(lengths, add_adapter=False)).tolist() == [39, 8]
    heard = np.asarray(model._get_feature_vector_attention_mask(11, mask))
    assert heard.dtype == bool and heard.tolist() == [[True] * 10 + [False], [True] * 2 + [False] * 9]
