"""AutoConfig: the class by model type, what it refuses, and what users register."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.auto.own import ScalerConfig
from tests.conftest import GOLDEN
from triformers import AutoConfig, BertConfig, PretrainedConfig, TriformersError

CASE = GOLDEN / "models" / "bert" / "BertForSequenceClassification"


def write(folder: Path, **values: Any) -> Path:
    """A directory with a `config.json`."""
    (folder / "config.json").write_text(json.dumps(values))
    return folder


def refused(error: pytest.ExceptionInfo[Exception], *words: str) -> None:
    """The error is one of ours, short, and has these words."""
    text = str(error.value)
    assert isinstance(error.value, TriformersError) and len(text) < 400 and "\n" not in text
    assert all(word in text for word in words), text


def test_a_checkpoint_gives_the_class_of_its_model_type() -> None:
    found = AutoConfig.from_pretrained(CASE)
    assert type(found) is BertConfig and found == BertConfig.from_pretrained(CASE)
    assert AutoConfig.from_pretrained(str(CASE / "config.json")).hidden_size == found.hidden_size


def test_fields_are_overridden_and_the_rest_is_given_back() -> None:
    arguments = {"num_labels": 3, "output_attentions": True, "hidden_act": "relu", "no_field": 1}
    found, rest = AutoConfig.from_pretrained(CASE, return_unused_kwargs=True, **arguments)
    expected = BertConfig.from_pretrained(CASE, **{name: arguments[name] for name in arguments if name != "no_field"})
    assert found == expected and rest == {"no_field": 1}
    assert (found.num_labels, found.output_attentions, found.hidden_act) == (3, True, "relu")
    assert AutoConfig.from_pretrained(CASE, **arguments) == expected


def test_a_folder_of_a_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    write(tmp_path / "inner", model_type="bert", hidden_size=24)
    assert AutoConfig.from_pretrained(tmp_path, subfolder="inner").hidden_size == 24


def test_a_model_type_gives_a_fresh_configuration() -> None:
    assert AutoConfig.for_model("bert") == BertConfig()
    assert AutoConfig.for_model("bert", 50, hidden_size=24) == BertConfig(50, hidden_size=24)


def test_an_unknown_model_type_names_the_closest(tmp_path: Path) -> None:
    with pytest.raises(ValueError) as error:
        AutoConfig.from_pretrained(write(tmp_path, model_type="bertt"))
    refused(error, "'bertt'", "such as bert", str(tmp_path))
    with pytest.raises(ValueError) as error:
        AutoConfig.for_model("bertt")
    refused(error, "'bertt'", "such as bert")


@pytest.mark.parametrize("values", [{}, {"model_type": None}, {"model_type": ""}, {"model_type": 3}], ids=str)
def test_a_file_without_a_model_type_says_so(values: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "bert-base"  # the name is no hint
    folder.mkdir()
    with pytest.raises(ValueError) as error:
        AutoConfig.from_pretrained(write(folder, hidden_size=24, **values))
    refused(error, "model_type", str(folder))


@pytest.mark.parametrize("argument", [{"trust_remote_code": True}, {"code_revision": "main"}], ids=str)
def test_code_of_a_repository_is_refused(argument: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as error:
        AutoConfig.from_pretrained(CASE, **argument)
    refused(error, next(iter(argument)), "No code is ever fetched")
    unused = AutoConfig.from_pretrained(
        CASE, trust_remote_code=False, code_revision=None, return_unused_kwargs=True
    )[1]  # fmt: skip
    assert unused == {}


def test_there_are_no_instances() -> None:
    for raised in (OSError, ValueError):
        with pytest.raises(raised) as error:
            AutoConfig()
        refused(error, "from_pretrained", "for_model")


# ---- users' own ---------------------------------------------------------------------------------------------


def test_a_registered_class_is_found(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="scaler-net"):
        AutoConfig.for_model("scaler-net")
    AutoConfig.register("scaler-net", ScalerConfig)
    config = AutoConfig.for_model("scaler-net", 9, num_labels=3)
    assert type(config) is ScalerConfig and (config.width, config.features, config.num_labels) == (9, 5, 3)
    config.save_pretrained(tmp_path)
    again = AutoConfig.from_pretrained(tmp_path)
    assert type(again) is ScalerConfig and again.to_dict() == {**config.to_dict(), "_name_or_path": str(tmp_path)}
    assert AutoConfig.from_pretrained(tmp_path, width=7).width == 7
    older = write(tmp_path, model_type="scaler-net")  # written before the class had a width
    assert AutoConfig.from_pretrained(older, width=7).width == 7
    with pytest.raises(ValueError, match="positive"):
        AutoConfig.from_pretrained(tmp_path, width=0)


def test_an_unknown_model_type_may_be_close_to_a_registered_one() -> None:
    AutoConfig.register("scaler-net", ScalerConfig)
    with pytest.raises(ValueError, match="such as scaler-net"):
        AutoConfig.for_model("scaler_net")


def test_the_key_must_be_the_class_own() -> None:
    with pytest.raises(ValueError) as error:
        AutoConfig.register("scalar-net", ScalerConfig)
    refused(error, "'scaler-net'", "'scalar-net'")
    with pytest.raises(ValueError) as error:
        AutoConfig.register("scaler-net", dict)  # type: ignore[arg-type]
    refused(error, "PretrainedConfig")


def test_the_library_s_own_are_taken_unless_one_says_so() -> None:
    class Wider(BertConfig):
        """A configuration that would like to be BERT's."""

        hidden_size: int = 1024

    with pytest.raises(ValueError) as error:
        AutoConfig.register("bert", Wider)
    refused(error, "'bert'", "BertConfig", "exist_ok=True")
    AutoConfig.register("bert", Wider, exist_ok=True)
    assert type(AutoConfig.from_pretrained(CASE)) is Wider


def test_one_s_own_can_be_registered_again() -> None:
    class Newer(PretrainedConfig):
        """The same name, defined once more, as in a notebook's cell."""

        model_type = "scaler-net"

    AutoConfig.register("scaler-net", ScalerConfig)
    AutoConfig.register("scaler-net", Newer)
    assert type(AutoConfig.for_model("scaler-net")) is Newer
