"""GenerationConfig: the options, their file, what contradicts what, and what a call may be given."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from triformers import GenerationConfig, PretrainedConfig
from triformers.files.errors import ConfigurationError, FileError, InputError
from triformers.generation import GenerationMode
from triformers.generation.configuration import DEFAULTS
from triformers.generation.options import LEFT_OUT, refuse_left_out, split_arguments
from triformers.generation.validation import _log_once

#: Options, and what transformers 4.53.3 makes of them: what it saves, or None where it refuses them.
RECORDED = json.loads((Path(__file__).parent / "configurations_4.53.3.json").read_text(encoding="utf-8"))


def saved(config: GenerationConfig) -> dict[str, Any]:
    return json.loads(config.to_json_string())


@pytest.mark.parametrize("row", RECORDED, ids=range(len(RECORDED)))
def test_options_are_judged_and_saved_as_ever(row: Mapping[str, Any]) -> None:
    if row["saved"] is None:
        with pytest.raises(ConfigurationError):
            GenerationConfig(**row["options"])
        return
    config = GenerationConfig(**row["options"])
    assert saved(config) == row["saved"]
    assert config.get_generation_mode() == row["mode"]
    if row["strict"]:
        config.validate(strict=True)
    else:
        with pytest.raises(ConfigurationError):
            config.validate(strict=True)


@pytest.mark.parametrize("row", RECORDED, ids=range(len(RECORDED)))
def test_options_of_a_models_configuration(row: Mapping[str, Any]) -> None:
    own = {name: value for name, value in row["options"].items() if name not in ("foo", "streamer")}
    if row["of_model"] is None:
        with pytest.raises(ConfigurationError):
            GenerationConfig.from_model_config(PretrainedConfig(**own))
    else:
        assert saved(GenerationConfig.from_model_config(PretrainedConfig(**own))) == row["of_model"]


def test_a_decoders_options_stand_in_for_defaults() -> None:
    outer = PretrainedConfig(top_k=7)
    outer.decoder = PretrainedConfig(top_k=3, num_beams=4, eos_token_id=9)  # pyright: ignore
    config = GenerationConfig.from_model_config(outer)
    assert (config.top_k, config.num_beams, config.eos_token_id) == (7, 4, 9)
    outer.text_config = PretrainedConfig()  # pyright: ignore
    with pytest.raises(InputError, match="decoder, text_config"):
        GenerationConfig.from_model_config(outer)


# ---- the file -----------------------------------------------------------------------------------------------


def test_the_text_of_the_file(tmp_path: Path) -> None:
    config = GenerationConfig(do_sample=True, top_k=None, max_length=7, own=[1])
    config.save_pretrained(tmp_path)
    text = (tmp_path / "generation_config.json").read_text(encoding="utf-8")
    assert text == (
        '{\n  "do_sample": true,\n  "max_length": 7,\n  "own": [\n    1\n  ],\n  "top_k": null,\n'
        '  "transformers_version": "4.53.3"\n}\n'
    )
    assert json.loads(config.to_json_string(use_diff=False)).keys() - DEFAULTS.keys() == {
        "_from_model_config", "own", "transformers_version",
    }  # fmt: skip
    assert repr(config) == f"GenerationConfig {config.to_json_string(ignore_metadata=True)}"


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    config = GenerationConfig(do_sample=True, sequence_bias={(1, 2): 0.5, (3,): -1.0}, eos_token_id=[4, 5], own="é")
    config.save_pretrained(tmp_path, config_file_name="other.json")
    loaded = GenerationConfig.from_pretrained(tmp_path, "other.json")
    assert loaded == config and hash(loaded) == hash(config) and loaded.sequence_bias == {(1, 2): 0.5, (3,): -1.0}
    changed = GenerationConfig.from_pretrained(tmp_path, config_file_name="other.json", top_p=0.5, proxies=None)
    assert changed != config and changed.top_p == 0.5 and not hasattr(changed, "proxies")
    pair = GenerationConfig.from_pretrained(tmp_path, "other.json", return_unused_kwargs=True, further=1)
    assert pair[0].further == 1 and pair[1] == {}


def test_a_folder_inside(tmp_path: Path) -> None:
    GenerationConfig(max_length=3).save_pretrained(tmp_path / "inside")
    assert GenerationConfig.from_pretrained(tmp_path, subfolder="inside").max_length == 3
    GenerationConfig(max_length=4).to_json_file(tmp_path / "one.json")
    assert GenerationConfig.from_pretrained(tmp_path, "one.json").max_length == 4


@pytest.mark.parametrize("text", ["", "[1]", '{"top_k": 1, "top_k": 2}', '{"max_length": 3', '{"temperature": NaN}'])
def test_a_damaged_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "generation_config.json").write_text(text, encoding="utf-8")
    with pytest.raises(FileError, match=r"generation_config\.json"):
        GenerationConfig.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    "options",
    [{"max_length": "7"}, {"temperature": []}, {"num_beams": True}, {"do_sample": "yes"}, {"top_k": 2.5}],
    ids=str,
)
def test_values_of_wrong_types_are_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    (tmp_path / "generation_config.json").write_text(json.dumps(options), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        GenerationConfig.from_pretrained(tmp_path)


def test_what_cannot_be_saved_is_not(tmp_path: Path) -> None:
    ignored = GenerationConfig(top_k=3)
    with pytest.raises(ConfigurationError, match="top_k=3"):
        ignored.save_pretrained(tmp_path)
    with pytest.raises(InputError, match="no name"):
        GenerationConfig().save_pretrained(tmp_path, push_to_hub=True, repo_id="no name")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ConfigurationError, match="object"):
        GenerationConfig(own=object()).to_json_string()
    with pytest.raises(FileError):
        GenerationConfig.from_pretrained(tmp_path)


# ---- changes and comparison ---------------------------------------------------------------------------------


def test_update_answers_with_what_it_does_not_know() -> None:
    config = GenerationConfig(own=1)
    assert config.update(max_length=3, own=2, other=4, validate=5) == {"other": 4, "validate": 5}
    assert (config.max_length, config.own) == (3, 2)
    with pytest.raises(ConfigurationError, match="num_return_sequences"):
        config.update(num_return_sequences=3)


def test_equality_is_that_of_what_is_asked_for() -> None:
    config = GenerationConfig(suppress_tokens=np.array([1, 2]), max_length=np.int64(5))
    assert config == copy.deepcopy(config) == GenerationConfig(suppress_tokens=[1, 2], max_length=5)
    assert config != GenerationConfig(suppress_tokens=[1, 3], max_length=5) and config != 5
    assert GenerationConfig(_from_model_config=True, _commit_hash="a") == GenerationConfig()
    assert saved(config)["suppress_tokens"] == [1, 2]


def test_defaults_are_nobodys_to_change() -> None:
    config = GenerationConfig(own=[1])
    config.to_dict()["own"].append(2)
    assert config.own == [1]


def test_what_has_no_effect_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    _log_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        GenerationConfig(top_p=0.123)
        GenerationConfig(top_p=0.123)
        GenerationConfig(top_p=0.123, do_sample=True)
    assert [record.getMessage().count("top_p=0.123") for record in caplog.records] == [1]


def test_a_near_miss_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert GenerationConfig(temprature=0.5, alignment_heads=[1]).temprature == 0.5
    assert ["temperature" in record.getMessage() for record in caplog.records] == [True]


@pytest.mark.parametrize("assisted", [False, True])
def test_an_assistant_drafts_for_searches_of_one_beam(assisted: bool) -> None:
    model = object() if assisted else None
    for options, expected in (
        ({}, GenerationMode.GREEDY_SEARCH),
        ({"do_sample": True}, GenerationMode.SAMPLE),
        ({"do_sample": None}, GenerationMode.SAMPLE),
        ({"num_beams": 2}, GenerationMode.BEAM_SEARCH),
        ({"penalty_alpha": 0.6, "top_k": 4}, GenerationMode.CONTRASTIVE_SEARCH),
    ):
        drafted = assisted and expected in (GenerationMode.GREEDY_SEARCH, GenerationMode.SAMPLE)
        found = GenerationConfig(**options).get_generation_mode(model)
        assert found == (GenerationMode.ASSISTED_GENERATION if drafted else expected)


# ---- a call -------------------------------------------------------------------------------------------------


def test_arguments_of_a_call_are_options_or_the_models() -> None:
    config = GenerationConfig(own=1)
    options, model = split_arguments({"max_length": 3, "own": 2, "attention_mask": 0}, config, ["attention_mask"])
    assert options == {"max_length": 3, "own": 2} and model == {"attention_mask": 0}


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("temprature", "temperature"), ("max_new_token", "max_new_tokens"), ("atention_mask", "attention_mask")],
)
def test_a_misspelt_argument_is_answered_with_the_nearest(wrong: str, meant: str) -> None:
    with pytest.raises(InputError, match=f"{wrong}.*{meant}") as refused:
        split_arguments({wrong: 1}, GenerationConfig(), ["attention_mask"])
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_left_out_is_refused_in_a_sentence(name: str) -> None:
    config = GenerationConfig()
    refuse_left_out(config)
    setattr(config, name, "quantized")
    with pytest.raises(InputError, match=name) as refused:
        refuse_left_out(config)
    assert len(str(refused.value)) < 400
