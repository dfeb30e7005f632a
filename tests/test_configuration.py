"""Configurations: the text that users know, nothing lost, nothing absurd."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import GOLDEN
from triformers import AutoConfig, BertConfig, GPT2Config, PretrainedConfig
from triformers.files.errors import ConfigurationError, FileError, InputError

CONFIGS = sorted(GOLDEN.glob("models/*/*/config.json"))


class OldNames(PretrainedConfig):
    """A configuration with another name for one of its fields."""

    model_type = "old-names"
    attribute_map = {"hidden_size": "n_embd"}

    n_embd: int = 8
    layers: int = 2


class Explicit(PretrainedConfig):
    """A user's configuration with a constructor of its own."""

    model_type = "explicit"

    def __init__(self, depth: int = 3, **kwargs: Any) -> None:
        self.depth = depth
        super().__init__(**kwargs)


@pytest.mark.parametrize("path", CONFIGS, ids=[path.parent.name for path in CONFIGS])
def test_a_file_is_written_as_it_was_read(path: Path, tmp_path: Path) -> None:
    config_class = type(AutoConfig.from_pretrained(path.parent))
    config = config_class.from_pretrained(path.parent)
    config.save_pretrained(tmp_path)
    assert (tmp_path / "config.json").read_text() == path.read_text()
    again = config_class.from_dict({**config.to_dict(), "_name_or_path": str(path)})
    assert config_class.from_pretrained(path) == again


def test_the_names_that_every_architecture_shares() -> None:
    config = GPT2Config(hidden_size=24, num_attention_heads=3, n_layer=5)
    assert (config.n_embd, config.n_head, config.num_hidden_layers) == (24, 3, 5)
    assert config.attention_scale(1) == 8**-0.5 and config.inner_width == 96
    config.max_position_embeddings = 7
    assert json.loads(config.to_json_string())["n_positions"] == 7 and "hidden_size" not in config.to_dict()


def test_the_print_users_know() -> None:
    lines = repr(BertConfig(hidden_size=32, foo=[1])).splitlines()
    assert lines[0] == "BertConfig {" and lines[-1] == "}"
    keys = [line.split('"')[1] for line in lines if line.startswith('  "')]
    assert keys == sorted(keys) and {"foo", "hidden_size", "model_type", "transformers_version"} <= set(keys)
    assert "max_length" not in keys and "id2label" not in keys


def test_unknown_keys_are_kept(tmp_path: Path) -> None:
    BertConfig(of_the_user={"a": [1, 2]}).save_pretrained(tmp_path)
    assert BertConfig.from_pretrained(tmp_path).of_the_user == {"a": [1, 2]}


def test_keywords_override_and_the_unused_come_back(tmp_path: Path) -> None:
    BertConfig(hidden_size=24).save_pretrained(tmp_path)
    config, unused = BertConfig.from_pretrained(tmp_path, hidden_size=48, other=1, return_unused_kwargs=True)
    assert config.hidden_size == 48 and unused == {"other": 1}
    assert BertConfig.from_pretrained(tmp_path, num_labels=5).num_labels == 5


def test_labels_stay_consistent() -> None:
    config = BertConfig(num_labels=3)
    assert config.id2label == {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}
    assert config.label2id == {"LABEL_0": 0, "LABEL_1": 1, "LABEL_2": 2}
    config.num_labels = 2
    assert len(config.label2id) == 2
    named = BertConfig(id2label={"0": "no", "1": "yes", "2": "maybe"})
    assert named.num_labels == 3 and named.id2label[2] == "maybe" and named.label2id["maybe"] == 2
    assert BertConfig(label2id={"a": 0, "b": 1, "c": 2, "d": 3}).num_labels == 4


def test_positional_arguments_have_the_order_users_know() -> None:
    config = BertConfig(100, 24, 3, 6)
    assert (config.vocab_size, config.hidden_size, config.num_hidden_layers, config.num_attention_heads) == (
        100,
        24,
        3,
        6,
    )
    with pytest.raises(TypeError, match="vocab_size"):
        BertConfig(100, vocab_size=3)


def test_new_fields_of_a_subclass_stand_behind_what_it_declares_before_them() -> None:
    class Wider(BertConfig):
        vocab_size: int = 7
        embedding_size: int = 3
        use_cache: bool = False
        last: int = 1

    names = list(inspect.signature(Wider).parameters)
    assert names[:3] == ["vocab_size", "embedding_size", "hidden_size"]
    assert names[-4:] == ["use_cache", "last", "classifier_dropout", "kwargs"]

    class Longer(BertConfig):
        extra: int = 1

    assert list(inspect.signature(Longer).parameters)[-3:] == ["classifier_dropout", "extra", "kwargs"]
    assert (Wider(5, 4).embedding_size, Longer().to_diff_dict()) == (4, {**BertConfig().to_diff_dict(), "extra": 1})


def test_another_name_of_a_field() -> None:
    config = OldNames(hidden_size=12)
    assert config.n_embd == 12 and config.hidden_size == 12
    config.hidden_size = 5
    assert config.n_embd == 5 and "hidden_size" not in config.to_dict()


def test_a_users_own_constructor(tmp_path: Path) -> None:
    config = Explicit(depth=7, num_labels=3, note="x")
    config.save_pretrained(tmp_path)
    again = Explicit.from_pretrained(tmp_path)
    assert (again.depth, again.num_labels, again.note, again.model_type) == (7, 3, "x", "explicit")


def test_updates() -> None:
    config = BertConfig()
    config.update({"hidden_size": 5, "mine": 3})
    config.update_from_string("hidden_act=relu,use_cache=false,layer_norm_eps=1e-3,mine=4")
    assert (config.hidden_size, config.mine, config.hidden_act, config.use_cache) == (5, 4, "relu", False)
    assert config.layer_norm_eps == 1e-3
    for wrong in ("nothing=1", "hidden_size", "use_cache=perhaps", "hidden_size=wide"):
        with pytest.raises(ConfigurationError):
            config.update_from_string(wrong)


@pytest.mark.parametrize(
    "fields",
    [
        {"hidden_size": 10**12},
        {"hidden_size": 0},
        {"hidden_size": "768"},
        {"hidden_size": 12.5},
        {"num_hidden_layers": True},
        {"num_hidden_layers": 10**6},
        {"hidden_dropout_prob": 1.5},
        {"layer_norm_eps": -1.0},
        {"layer_norm_eps": float("nan")},
        {"hidden_act": 3},
        {"position_embedding_type": "sideways"},
        {"problem_type": "guess"},
        {"pruned_heads": [1]},
        {"id2label": {"zero": "a"}},
        {"num_labels": -1},
        {"num_labels": 10**9},
    ],
    ids=str,
)
def test_absurd_values_are_refused_in_one_short_message(fields: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        BertConfig(**fields)
    assert next(iter(fields)) in str(caught.value) and len(str(caught.value)) < 400


def test_frameworks_types_are_read_by_name() -> None:
    assert BertConfig(torch_dtype=np.dtype("float16")).torch_dtype == "float16"
    assert BertConfig(torch_dtype="torch.bfloat16").torch_dtype == "bfloat16"
    assert json.loads(BertConfig(torch_dtype=np.float64).to_json_string())["torch_dtype"] == "float64"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for text in ("[1]", "{", '{"hidden_size": 1, "hidden_size": 2}', '{"layer_norm_eps": NaN}', "{" * 10_000):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(FileError, match=r"config\.json"):
            BertConfig.from_pretrained(tmp_path)
    with pytest.raises(FileError, match="nowhere"):
        BertConfig.from_pretrained(tmp_path / "nowhere")


def test_defaults_are_not_shared() -> None:
    BertConfig().pruned_heads[1] = [0]
    assert BertConfig().pruned_heads == {}


def test_a_push_that_cannot_be_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    for name in ("no name", "a/b/c"):
        with pytest.raises(InputError, match=name):
            BertConfig().save_pretrained(tmp_path / "new", push_to_hub=True, repo_id=name)
    with pytest.raises(InputError, match="a new place"):
        BertConfig().save_pretrained(tmp_path / "a new place", push_to_hub=True)
    assert list(tmp_path.iterdir()) == []


def test_the_names_of_the_values() -> None:
    config = BertConfig(mine=3)
    assert {"hidden_size", "return_dict", "mine"} <= set(config) and "_commit_hash" not in config
    assert all(hasattr(config, name) for name in config)


def test_equality() -> None:
    assert BertConfig() == BertConfig() and BertConfig() != BertConfig(hidden_size=12)


@pytest.mark.parametrize("name", ["flash_attention_2", "flex_attention", "", 3])
def test_an_attention_that_is_not_there_is_refused_not_ignored(name: Any) -> None:
    with pytest.raises(ConfigurationError, match="attn_implementation"):
        BertConfig(attn_implementation=name)
    assert BertConfig(attn_implementation="eager")._attn_implementation == "eager"
