"""The Auto classes are derived: their names from one table, what they give from the cards."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

import triformers
from tests.house.test_imports import FRAMEWORKS, python
from triformers.auto import models
from triformers.auto.tasks import AUTO_MODELS, TASKS, auto_names, class_name, stem_of
from triformers.cards import BACKENDS, Card, all_cards
from triformers.names import SHARED_NAMES

#: Auto class -> model type -> the class that transformers 4.53.3 gives.
GIVEN: Mapping[str, Mapping[str, str]] = json.loads(Path(__file__).with_name("classes_4.53.3.json").read_text())

#: Endings of class names that are not the task's own name.
ENDINGS = {
    "LMHeadModel": "causal-lm",
    "ForConditionalGeneration": "seq2seq-lm",
    "MTModel": "seq2seq-lm",
    "EncoderModel": "text-encoding",
    "ForPreTraining": "pretraining",
    "ForMaskedLM": "masked-lm",
    "ForCausalLM": "causal-lm",
    "ForXVector": "audio-xvector",
    "ForAudioFrameClassification": "audio-frame-classification",
    "ForSegmentation": "image-segmentation",
    "ForCTC": "ctc",
    "Backbone": "backbone",
    "Model": "base",
}

#: Classes that serve a task that their name does not say.
BESIDES = {
    "bart": {"masked-lm": "BartForConditionalGeneration"},
    "mbart": {"masked-lm": "MBartForConditionalGeneration"},
    "wav2vec2": {"audio-classification": "Wav2Vec2ForSequenceClassification"},
}

#: Names of one class.
ALIASES = {"FlaxBertForCausalLM": "FlaxBertLMHeadModel"}


def task_of(stem: str) -> str:
    """The task that a class name says."""
    for ending, task in ENDINGS.items():
        if stem.endswith(ending):
            return task
    return re.sub("(?<=[a-z])(?=[A-Z])", "-", stem.rpartition("For")[2]).lower()


def natural_card(model_type: str) -> Card:
    """A card with every class that 4.53.3's Auto classes give for a model type, under the tasks that its name says."""
    stems = [given[model_type] for name, given in GIVEN.items() if name in TASKS and model_type in given]
    tasks = {task_of(stem): stem for stem in stems}
    return Card(model_type, config="", models={**tasks, **BESIDES.get(model_type, {})})


CARDS = {model_type: natural_card(model_type) for given in GIVEN.values() for model_type in given}


def test_the_sample_is_whole() -> None:
    assert len(CARDS) >= 24 and CARDS["bert"].models["pretraining"] == "BertForPreTraining"
    assert CARDS["t5"].models["text-encoding"] == "T5EncoderModel"
    assert sum(len(given) for given in GIVEN.values()) > 250


@pytest.mark.parametrize("name", [name for name in GIVEN if GIVEN[name]])
def test_the_order_of_tasks_gives_the_classes_of_the_ecosystem(name: str) -> None:
    found = {model_type: class_name(CARDS[model_type], AUTO_MODELS[name]) for model_type in GIVEN[name]}
    assert found == {model_type: ALIASES.get(each, each) for model_type, each in GIVEN[name].items()}


#: (model type, framework) wherever 4.53.3 has a class and a card here has models.
PAIRS = [
    (model_type, backend)
    for model_type in sorted({name for name, card in all_cards().items() if card.models} & set(CARDS))
    for backend in BACKENDS
    if any(AUTO_MODELS[name].backend == backend and model_type in given for name, given in GIVEN.items())
]


@pytest.mark.parametrize(("model_type", "backend"), PAIRS)
def test_a_card_gives_the_classes_of_the_ecosystem(model_type: str, backend: str) -> None:
    card = all_cards()[model_type]
    aliases = {**getattr(card, "aliases", {})}
    names = [name for name in GIVEN if AUTO_MODELS[name].backend == backend and model_type in GIVEN[name]]
    given = {name: aliases.get(each := GIVEN[name][model_type], each) for name in names}
    assert given and {name: class_name(card, AUTO_MODELS[name]) for name in names} == given


def test_a_card_without_a_framework_gives_no_class_there() -> None:
    card = Card("x", "XConfig", models={"base": "XModel"}, backends=("torch",))
    assert list(auto_names(card, "torch")) == ["AutoModel", "AutoModelForTextEncoding"]
    assert not list(auto_names(card, "flax"))
    assert stem_of(card, ("ctc", "base")) == "XModel" and stem_of(card, ("ctc",)) is None


def test_every_name_of_the_ecosystem_is_there_in_three_frameworks() -> None:
    assert GIVEN.keys() <= AUTO_MODELS.keys() <= SHARED_NAMES.keys()
    for name in (each for each in GIVEN if each.startswith("Auto")):
        assert {name, f"TF{name}", f"Flax{name}"} <= set(dir(triformers))
    assert {"AutoConfig", "AutoTokenizer"} <= set(dir(triformers))


@pytest.mark.parametrize("name", AUTO_MODELS)
def test_a_name_is_a_class_of_its_own(name: str) -> None:
    made = getattr(triformers, name)
    assert made.__name__ == made.__qualname__ == name and made.__module__ == models.__name__
    assert made is getattr(triformers, name) is getattr(models, name) is pickle.loads(pickle.dumps(made))
    assert made.wanted == AUTO_MODELS[name] and AUTO_MODELS[name].tasks[0] in (made.__doc__ or "")
    for card in all_cards().values():
        expected = class_name(card, AUTO_MODELS[name])
        assert expected is None or expected in (made.__doc__ or "")


def test_a_name_that_is_none() -> None:
    assert not hasattr(models, "AutoModelForNothing") and not hasattr(triformers, "AutoModelForNothing")
    assert {"TFAutoModel", "AutoModelClass"} <= set(dir(models))


def test_importing_every_name_imports_no_framework() -> None:
    code = f"""
import sys, triformers
from triformers.auto.tasks import AUTO_MODELS
for name in (*AUTO_MODELS, "AutoConfig", "AutoTokenizer"):
    getattr(triformers, name)
loaded = [name for name in {FRAMEWORKS!r} if name in sys.modules]
assert not loaded, loaded
"""
    done = python(code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_missing_framework_is_named_with_its_extra(backend: str) -> None:
    name = f"{BACKENDS[backend].class_prefix}AutoModel"
    code = f"from triformers import BertConfig, {name}; {name}.from_config(BertConfig())"
    message = python(code, blocked=BACKENDS[backend].requires).stderr.strip().splitlines()[-1]
    assert "MissingDependencyError" in message and f"triformers[{BACKENDS[backend].extra}]" in message
