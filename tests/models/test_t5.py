"""What T5's classes promise beyond what recorded runs show."""

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
from triformers import T5Config
from triformers.files.errors import CheckpointError, ConfigurationError, InputError

pytestmark = pytest.mark.backend

CASE = GOLDEN / "models" / "t5" / "T5ForConditionalGeneration"
IDS = np.array([[3, 5, 7, 2, 1], [11, 4, 6, 1, 0]])


@pytest.fixture(scope="module")
def runner(backend: str) -> ModuleType:
    """The framework of this process."""
    return runner_of(backend)


def made(runner: ModuleType, stem: str, **fields: Any) -> Any:
    """A fresh model of the spec's size."""
    model_class = runner.model_class(stem)
    return model_class(model_class.config_class(**{**all_specs()["t5"].tiny, **fields}), seed=0)


# ---- configurations -----------------------------------------------------------------------------------------


#: (buckets, longest distance, whether the decoder's) -> where 4.53.3 lets each bucket begin.
RECORDED = {
    (32, 128, False): [*range(1, 9), 12, 16, 23, 32, 46, 64, 91],
    (32, 128, True): [*range(1, 17), 19, 21, 24, 27, 31, 35, 40, 46, 52, 59, 67, 77, 87, 99, 113],
    (9, 17, False): [1, 2, 6],
    (9, 17, True): [1, 2, 3, 4, 6, 8, 10, 13],
}


@pytest.mark.parametrize(("buckets", "longest", "is_decoder"), RECORDED)
def test_buckets_begin_where_they_did(buckets: int, longest: int, is_decoder: bool) -> None:
    config = T5Config(relative_attention_num_buckets=buckets, relative_attention_max_distance=longest)
    assert list(config.bucket_starts(is_decoder)) == RECORDED[buckets, longest, is_decoder]


@pytest.mark.parametrize(
    ("given", "name", "is_gated"),
    [
        ({}, "relu", False),
        ({"feed_forward_proj": "gated-gelu"}, "gelu_new", True),
        ({"feed_forward_proj": "gated-silu"}, "silu", True),
        ({"feed_forward_proj": "gelu"}, "gelu", False),
        ({"feed_forward_proj": "gated-gelu", "dense_act_fn": "relu", "is_gated_act": False}, "relu", False),
    ],
)
def test_the_activation_follows_from_its_option(given: dict[str, Any], name: str, is_gated: bool) -> None:
    config = T5Config(**given)
    assert (config.dense_act_fn, config.is_gated_act) == (name, is_gated)


def test_the_decoder_is_as_deep_as_the_encoder() -> None:
    assert T5Config(num_layers=3).num_decoder_layers == 3
    assert T5Config(num_layers=3, num_decoder_layers=0).num_decoder_layers == 0


@pytest.mark.parametrize("name", ["relu-gated", "gated-relu-6", "gated-", ""])
def test_an_activation_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="feed_forward_proj"):
        T5Config(feed_forward_proj=name)


def test_distances_that_leave_no_room_for_buckets_are_refused(runner: ModuleType) -> None:
    fields = {"relative_attention_num_buckets": 32, "relative_attention_max_distance": 16}
    with pytest.raises(ConfigurationError, match="relative_attention_max_distance 16"):
        runner.forward(made(runner, "T5Model", **fields), {"input_ids": IDS, "decoder_input_ids": IDS})


# ---- weights ------------------------------------------------------------------------------------------------


def test_fresh_weights_are_as_large_as_what_they_read_is_wide(runner: ModuleType) -> None:
    sizes = {"d_model": 64, "d_kv": 9, "d_ff": 100, "num_heads": 6, "vocab_size": 500}
    options = {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False, "relative_attention_num_buckets": 300}
    far = {"relative_attention_max_distance": 400, "initializer_factor": 3.0}
    expected = {
        "q": 576**-0.5, "k": 64**-0.5, "v": 64**-0.5, "o": 54**-0.5, "wi_0": 64**-0.5, "wi_1": 64**-0.5,
        "wo": 100**-0.5, "relative_attention_bias": 64**-0.5, "shared": 1.0, "lm_head": 1.0,
    }  # fmt: skip
    for name, array in tensors_of(made(runner, "T5ForConditionalGeneration", **sizes, **options, **far)).items():
        if array.ndim == 1:
            assert (array == 3.0).all(), name
        else:
            assert abs(array.std() / (3 * expected[name.split(".")[-2]]) - 1) < 0.1, name


def test_the_encoder_alone_takes_what_it_needs_of_a_file(runner: ModuleType) -> None:
    for stem in ("T5EncoderModel", "T5ForTokenClassification"):
        model, info = runner.load(stem, CASE, "float32", output_loading_info=True)
        whole = tensors_of(runner.load("T5ForConditionalGeneration", CASE, "float32"))
        found = {name.removeprefix("transformer."): array for name, array in tensors_of(model).items()}
        assert all(np.array_equal(array, whole[name]) for name, array in found.items() if name in whole)
        assert all(name.startswith("classifier.") for name in info["missing_keys"])
        assert info["unexpected_keys"] and all(name.startswith("decoder.") for name in info["unexpected_keys"])


def test_a_file_without_a_part_of_the_decoder_is_refused(runner: ModuleType, tmp_path: Path) -> None:
    lost = "decoder.block.1.layer.1.EncDecAttention.q.weight"
    folder = rewrite(tmp_path, lambda tensors: {name: tensors[name] for name in tensors if name != lost}, CASE)
    with pytest.raises(CheckpointError, match="EncDecAttention"):
        runner.load("T5ForConditionalGeneration", folder, "float32")


def test_a_file_may_hold_one_table_under_its_four_names(runner: ModuleType, tmp_path: Path) -> None:
    def all_names(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        names = ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight")
        unread = {
            "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight": np.zeros((8, 4), np.float32)
        }
        return {**tensors, **dict.fromkeys(names, tensors["shared.weight"]), **unread}

    def one_other_name(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name.replace("shared.", "encoder.embed_tokens."): array for name, array in tensors.items()}

    expected = tensors_of(runner.load("T5ForConditionalGeneration", CASE, "float32"))
    for number, change in enumerate((all_names, one_other_name)):
        folder = rewrite(tmp_path / str(number), change, CASE)
        found = tensors_of(runner.load("T5ForConditionalGeneration", folder, "float32"))
        assert found.keys() == expected.keys()
        assert all(np.array_equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("part", ["DenseReluDense.wo", "Attention.o"])
def test_float16_has_room(part: str, runner: ModuleType, tmp_path: Path) -> None:
    def loud(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: array * np.float32(30000 if part in name else 1) for name, array in tensors.items()}

    model = runner.load("T5ForConditionalGeneration", rewrite(tmp_path, loud, CASE), "float16")
    found = runner.forward_as_float32(model, {"input_ids": IDS, "decoder_input_ids": IDS})
    assert all(np.isfinite(array).all() for array in found.values())


@pytest.mark.backend("torch")
@pytest.mark.parametrize(("dtype", "wide"), [("float16", {"wo"}), ("bfloat16", set()), ("float32", {"wo", "wi"})])
def test_float16_leaves_the_last_projection_wide(dtype: str, wide: set[str], runner: ModuleType) -> None:
    model = runner.load("T5ForConditionalGeneration", CASE, dtype)
    found = {name.split(".")[-2] for name, array in model.named_parameters() if str(array.dtype) == "torch.float32"}
    assert found & {"wo", "wi"} == wide
    states = model(**runner.tensors({"input_ids": IDS, "decoder_input_ids": IDS}), output_hidden_states=True)
    assert str(states.decoder_hidden_states[1].dtype) == ("torch.float32" if wide else "torch.bfloat16")
    assert str(states.logits.dtype) == f"torch.{dtype}"


# ---- calls --------------------------------------------------------------------------------------------------


def test_heads_switched_off_in_the_encoder_are_off_in_a_decoder_as_deep(runner: ModuleType) -> None:
    mask = np.ones((2, 4), np.float32)
    mask[0, 1] = mask[1, 3] = 0
    for depth in (2, 3):
        model = made(runner, "T5Model", num_decoder_layers=depth)
        given = {"input_ids": IDS, "decoder_input_ids": IDS, "head_mask": mask}
        own = mask if depth == 2 else np.ones((3, 4), np.float32)
        one, other = (runner.forward(model, {**given, **more}) for more in ({}, {"decoder_head_mask": own}))
        assert np.abs(one["last_hidden_state"] - other["last_hidden_state"]).max() < 1e-5


@pytest.mark.parametrize("stem", ["T5Model", "T5ForConditionalGeneration"])
def test_the_decoder_must_be_given_something(stem: str, runner: ModuleType) -> None:
    with pytest.raises(InputError, match="decoder_input_ids"):
        runner.forward(made(runner, stem), {"input_ids": IDS})


def test_labels_need_a_token_to_start_with(runner: ModuleType) -> None:
    model = made(runner, "T5ForConditionalGeneration", decoder_start_token_id=None)
    with pytest.raises(InputError, match="decoder_start_token_id"):
        runner.forward(model, {"input_ids": IDS, "labels": IDS})


def test_a_classifier_of_sequences_reads_tokens(runner: ModuleType) -> None:
    model = made(runner, "T5ForSequenceClassification")
    assert runner.forward(model, {"input_ids": IDS})["logits"].shape == (2, 5)
    with pytest.raises(InputError, match="input_ids"):
        runner.forward(model, {"inputs_embeds": np.zeros((2, 5, 26), np.float32)})
