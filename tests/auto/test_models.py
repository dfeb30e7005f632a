"""The Auto classes of models do what the class that they choose does."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import triformers
from tests.auto.test_configuration import refused
from tests.models.test_loading import CASE, SPEC, tensors_of
from tests.parity.runners import runner_of
from triformers import BertConfig
from triformers.auto.tasks import AUTO_MODELS, auto_names, class_name
from triformers.cards import BACKENDS, all_cards

pytestmark = pytest.mark.backend

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def runner(backend: str) -> ModuleType:
    """The framework of this process."""
    return runner_of(backend)


@pytest.fixture(scope="module")
def prefix(backend: str) -> str:
    """What stands before this framework's names."""
    return BACKENDS[backend].class_prefix


@pytest.fixture(scope="module")
def base(prefix: str) -> Any:
    """AutoModel of this framework."""
    return getattr(triformers, f"{prefix}AutoModel")


@pytest.fixture(scope="module")
def classifier(prefix: str) -> Any:
    """AutoModelForSequenceClassification of this framework."""
    return getattr(triformers, f"{prefix}AutoModelForSequenceClassification")


def same(one: Any, other: Any) -> bool:
    """Whether two models have one class, one configuration and the same tensors."""
    found, expected = tensors_of(one), tensors_of(other)
    fields = [{**model.config.to_dict(), "_name_or_path": ""} for model in (one, other)]
    return (
        type(one) is type(other)
        and fields[0] == fields[1]
        and found.keys() == expected.keys()
        and all(np.array_equal(found[name], expected[name]) for name in expected)
    )


def test_the_task_chooses_the_class_and_not_the_file(base: Any, classifier: Any, runner: ModuleType) -> None:
    assert json.loads((CASE / "config.json").read_text())["architectures"] == ["BertForSequenceClassification"]
    for auto, stem in ((classifier, "BertForSequenceClassification"), (base, "BertModel")):
        found, expected = auto.from_pretrained(CASE), runner.model_class(stem).from_pretrained(CASE)
        assert same(found, expected) and found.name_or_path == str(CASE)
    one, other = (runner.forward(model, {"input_ids": np.arange(12).reshape(2, 6)}) for model in (found, expected))
    assert one and all(np.array_equal(one[name], other[name]) for name in other)


@pytest.mark.parametrize("model_type", [model_type for model_type, card in all_cards().items() if card.models])
def test_every_class_that_a_card_promises_is_there(model_type: str, backend: str) -> None:
    card = all_cards()[model_type]
    config = triformers.AutoConfig.for_model(model_type)
    for name in auto_names(card, backend):
        found = getattr(triformers, name).class_for(config)
        assert found is getattr(triformers, class_name(card, AUTO_MODELS[name]) or "")
        assert issubclass(type(config), found.config_class)


ARGUMENTS: dict[str, dict[str, Any]] = {
    "a field": {"output_attentions": True, "hidden_act": "relu"},
    "labels": {"num_labels": 3, "ignore_mismatched_sizes": True, "seed": 5},
    "attention": {"attn_implementation": "eager"},
    "types": {"dtype": "bfloat16"},
    "a type by its old name": {"torch_dtype": "float16"},
    "no remote code": {"trust_remote_code": False, "code_revision": None},
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_arguments_are_those_of_the_class(case: str, classifier: Any, runner: ModuleType) -> None:
    arguments = ARGUMENTS[case]
    known = {name: value for name, value in arguments.items() if name != "code_revision"}
    found = classifier.from_pretrained(CASE, **arguments)
    expected = runner.model_class("BertForSequenceClassification").from_pretrained(CASE, **known)
    assert same(found, expected) and found.config._attn_implementation == expected.config._attn_implementation
    fields = {name: value for name, value in arguments.items() if hasattr(BertConfig(), name) and "type" not in name}
    assert all(getattr(found.config, name) == value for name, value in fields.items())


def test_a_configuration_can_be_given(base: Any, tmp_path: Path) -> None:
    config = BertConfig.from_pretrained(CASE, hidden_act="relu")
    before = config.to_dict()
    found = base.from_pretrained(CASE, config=config, output_attentions=True)
    assert found.config.hidden_act == "relu" and found.config.output_attentions
    assert config.to_dict() == before
    config.save_pretrained(tmp_path)
    assert base.from_pretrained(CASE, config=tmp_path).config.hidden_act == "relu"


def test_loading_info_and_unknown_arguments_are_the_class_own(classifier: Any) -> None:
    model, info = classifier.from_pretrained(CASE, output_loading_info=True)
    assert info["missing_keys"] == [] and model.config.num_labels == 5
    with pytest.raises((TypeError, ValueError), match="no_such_option"):
        classifier.from_pretrained(CASE, no_such_option=1)


def test_a_folder_of_a_checkpoint(base: Any, tmp_path: Path) -> None:
    shutil.copytree(CASE, tmp_path / "inner")
    assert same(base.from_pretrained(tmp_path, subfolder="inner"), base.from_pretrained(CASE))


def test_a_name_on_the_hub_is_read_at_one_commit(base: Any, tmp_path: Path) -> None:
    repository = tmp_path / "models--org--model"
    shutil.copytree(CASE, repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs" / "dev").write_text(COMMIT)
    found = base.from_pretrained("org/model", revision="dev", cache_dir=tmp_path, local_files_only=True)
    assert same(found, base.from_pretrained(CASE)) and found.name_or_path == "org/model"
    with pytest.raises(OSError, match="org/model"):
        base.from_pretrained("org/model", revision="other", cache_dir=tmp_path, local_files_only=True)

    class Moving(base):
        """Asks for the class at the moment when somebody pushes to the branch."""

        @classmethod
        def class_for(cls, config: Any) -> Any:
            (repository / "refs" / "dev").write_text(COMMIT[::-1])
            return super().class_for(config)

    assert same(Moving.from_pretrained("org/model", revision="dev", cache_dir=tmp_path, local_files_only=True), found)


def test_a_configuration_gives_fresh_values(base: Any, runner: ModuleType) -> None:
    config = BertConfig(**SPEC.tiny)
    found, expected = base.from_config(config, seed=3), runner.model_class("BertModel")(config, seed=3)
    assert same(found, expected) and not same(found, base.from_config(config, seed=4))


@pytest.mark.parametrize("name", ["dtype", "torch_dtype"])
def test_a_configuration_can_be_built_in_a_type(name: str, base: Any) -> None:
    found = base.from_config(BertConfig(**SPEC.tiny), **{name: "bfloat16"})
    assert "bfloat16" in str(found.dtype if isinstance(found.dtype, str) else repr(found.dtype))


def test_the_attention_s_implementation_leaves_the_configuration_alone(base: Any) -> None:
    config = BertConfig(**SPEC.tiny)
    found = base.from_config(config, attn_implementation="eager")
    assert found.config._attn_implementation == "eager" and config._attn_implementation is None


# ---- what is refused ----------------------------------------------------------------------------------------


def test_there_are_no_instances(base: Any) -> None:
    for arguments in ((), (BertConfig(),)):
        with pytest.raises(OSError) as error:
            base(*arguments)
        refused(error, f"{base.__name__}.from_pretrained", f"{base.__name__}.from_config")


def test_a_task_that_the_architecture_does_not_have(prefix: str) -> None:
    auto = getattr(triformers, f"{prefix}AutoModelForCTC")
    for call in (lambda: auto.from_pretrained(CASE), lambda: auto.from_config(BertConfig())):
        with pytest.raises(ValueError) as error:
            call()
        refused(error, "BertConfig", "'bert'", f"{prefix}AutoModelForCTC.register", f"{prefix}AutoModel")


def test_code_of_a_repository_is_refused(base: Any) -> None:
    for call in (
        lambda: base.from_pretrained(CASE, trust_remote_code=True),
        lambda: base.from_config(BertConfig(), trust_remote_code=True),
    ):
        with pytest.raises(ValueError) as error:
            call()
        refused(error, "trust_remote_code=True", "No code is ever fetched")


@pytest.mark.parametrize(("model_type", "words"), [(None, "no model_type"), ("bertt", "such as bert")])
def test_a_model_type_that_says_nothing(model_type: str | None, words: str, base: Any, tmp_path: Path) -> None:
    shutil.copytree(CASE, tmp_path, dirs_exist_ok=True)
    values = json.loads((CASE / "config.json").read_text())
    values.pop("model_type")
    (tmp_path / "config.json").write_text(json.dumps({**values, **({"model_type": model_type} if model_type else {})}))
    with pytest.raises(ValueError) as error:
        base.from_pretrained(tmp_path)
    refused(error, words, str(tmp_path))


def test_what_is_no_configuration(base: Any) -> None:
    for wrong in ({"model_type": "bert"}, "bert", None):
        with pytest.raises(ValueError) as error:
            base.from_config(wrong)
        refused(error, "configuration", f"{base.__name__}.from_pretrained")


def test_an_architecture_s_configuration_must_be_its_own(base: Any) -> None:
    class Stranger(triformers.PretrainedConfig):
        """Says that it is BERT's."""

        model_type = "bert"

    with pytest.raises(ValueError, match="Stranger"):
        base.from_config(Stranger())

    class Heir(BertConfig):
        """Is BERT's, with a default of its own."""

    assert type(base.from_config(Heir(**SPEC.tiny))) is base.class_for(BertConfig())
