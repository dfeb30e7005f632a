"""The call surface of transformers 4.53.3: every name, argument, default and field is here, or on the list.

`tests/api/to_come.json` lists what is missing: under the issue that will close it, or with the reason why it stays out.
It is held to the truth from both sides, so it only shrinks. `python -m tests.api.to_come` writes it anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.contract import backend_of, contract, names_of
from tests.api.gaps import gaps, gaps_of
from tests.api.to_come import UNSORTED, Entry, entries, listed, sort
from triformers import PretrainedConfig
from triformers.cards import BACKENDS
from triformers.outputs import ModelOutput


def every_name() -> Iterator[Any]:
    """Each name of the contract, in its framework's process."""
    for backend in (None, *BACKENDS):
        marks = [pytest.mark.backend(backend)] if backend else []
        yield from (pytest.param(name, id=name, marks=marks) for name in names_of(backend))


@pytest.mark.parametrize("name", list(every_name()))
def test_what_is_missing_is_what_the_list_says(name: str) -> None:
    found, known = gaps(name), listed(name)
    assert sorted(set(found) - set(known)) == [], "missing and not on the list"
    assert sorted(set(known) - set(found)) == [], "on the list and there: run `python -m tests.api.to_come`"


def test_the_list_is_sorted_and_says_everything_once() -> None:
    known = entries()
    assert [entry for entry in known if entry[:2] == UNSORTED] == []
    assert {entry.section for entry in known} == {"to come", "refused"}
    assert [row for row, times in Counter(entry[2:] for entry in known).items() if times > 1] == []
    assert {entry.name for entry in known} <= set(contract())
    assert all(len(entry.reason.split()) >= 4 for entry in known if entry.section == "refused")


def test_every_class_has_a_form_in_every_framework() -> None:
    models = [name for name, entry in contract().items() if "forward" in entry and entry["of"] != "general"]
    assert len(models) >= 9
    for name in models:
        assert {backend_of(name), backend_of(f"TF{name}"), backend_of(f"Flax{name}")} == set(BACKENDS)
        assert {name, f"TF{name}", f"Flax{name}"} <= set(contract())
    assert contract()["FlaxBertForCausalLM"]["labels"] == ["labels"]
    assert contract()["FlaxBertForQuestionAnswering"]["labels"] == ["start_positions", "end_positions"]
    assert contract()["TFBertForNextSentencePrediction"]["bases"] == ["TFBertPreTrainedModel", "TFPreTrainedModel"]


# ---- the comparison can fail --------------------------------------------------------------------------------


class Parent:
    """What `Model` inherits."""

    main_input_name = "input_ids"

    def fit(self, x: Any = None, epochs: int = 1) -> None:
        """Takes both by position."""

    def save(self, directory: str, *, shard_size: str = "5GB") -> None:
        """Takes one by name."""


class Model(Parent):
    """A model with an answer to each of the contract's questions."""

    framework = "pt"
    device: str

    def __init__(self, config: Any, add_pooling_layer: bool = True, *, own: int = 0) -> None:
        pass

    def forward(self, ids: Any = None, mask: Any = None, labels: Any = None, use_cache: Any = None) -> None:
        """A call."""

    def __call__(self, ids: Any, **labels: Any) -> None:
        """A call as in Flax."""

    def fit(self, x: Any = None, *args: Any, **kwargs: Any) -> None:
        """Passes the rest on."""

    def save(self, directory: str, params: Any = None, **kwargs: Any) -> None:
        """Passes the rest on by name."""

    @classmethod
    def from_pretrained(cls, name: str, *args: Any, **kwargs: Any) -> None:
        """Reads its options out of its keyword arguments."""

    @property
    def dtype(self) -> str:
        """A property."""
        return "float32"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"init": ["config", ["add_pooling_layer", True], "*inputs", "**kwargs"]}, []),
        ({"init": ["config", ["add_pooling_layer", False]]}, ["__init__(add_pooling_layer=false)"]),
        ({"init": ["config", ["own", 0]]}, ["__init__(own) by position"]),
        ({"init": ["config", "*inputs", ["own", 0]]}, []),
        ({"init": [["add_pooling_layer", True]]}, ["__init__(add_pooling_layer) in this order, before others"]),
        ({"forward": [["ids", None], ["mask", None], ["labels", None]]}, []),
        ({"forward": [["ids", None], ["cache", None]]}, ["forward(cache)"]),
        ({"forward": [["mask", None], ["ids", None]]}, ["forward(mask, ids) in this order, before others"]),
        ({"__call__": ["ids"], "labels": ["start_positions"]}, []),
        ({"forward": [["ids", None]], "labels": ["labels", "end_positions"]}, ["forward(end_positions)"]),
        ({"call": [["ids", None]]}, ["call()"]),
        ({"methods": {"fit": [["x", None], ["epochs", 1]]}}, []),
        ({"methods": {"fit": [["x", None], ["epochs", 2], ["y", None]]}}, ["fit(epochs=2)", "fit(y)"]),
        ({"methods": {"save": ["directory", ["params", None], "*rest", ["shard_size", "5GB"]]}}, []),
        ({"methods": {"save": ["directory", ["shard_size", "9GB"]]}}, ['save(shard_size="9GB")']),
        ({"methods": {"from_pretrained": ["name", "*args", ["config", None], ["weights_only", True]]}}, []),
        (
            {"methods": {"from_pretrained": ["name", ["strict", False], ["x", 1]]}},
            ["from_pretrained(strict)", "from_pretrained(x)"],
        ),
        ({"methods": {"framework": "property", "device": "property", "dtype": "property"}}, []),
        ({"methods": {"fit": "property", "size": "property"}}, ["fit as a property", "size"]),
        ({"methods": {"dtype": [], "size": []}}, ["dtype()", "size()"]),
        (
            {"main_input_name": "pixels", "bases": ["PretrainedConfig"]},
            ["base PretrainedConfig", 'main_input_name = "pixels"'],
        ),
    ],
    ids=str,
)
def test_the_comparison_notices(entry: dict[str, Any], expected: list[str]) -> None:
    assert list(gaps_of(Model, entry)) == expected


def test_the_comparison_notices_fields_and_defaults() -> None:
    class Answer(ModelOutput):
        loss: Any = None
        logits: Any = None
        states: Any = None

    class Config(PretrainedConfig):
        model_type = "mine"
        width: int = 3

    assert list(gaps_of(Answer, {"fields": ["loss", "logits", "states"]})) == []
    assert list(gaps_of(Answer, {"fields": ["logits", "states"]})) == ["no field loss"]
    assert list(gaps_of(Answer, {"fields": ["logits", "states"]}, "FlaxAnswer")) == []
    assert list(gaps_of(Answer, {"fields": ["loss", "states", "logits"]})) == [
        "fields in the order loss, states, logits"
    ]
    assert list(gaps_of(Answer, {"fields": ["loss", "logits", "more"]})) == ["field more", "no field states"]

    defaults = dict(contract()["BertConfig"]["defaults"])
    assert "default width = 4" in list(gaps_of(Config, {"defaults": {"width": 4}}))
    assert list(gaps_of(Config, {"init": [["width", 2]]})) == ["__init__(width=2)"]
    assert set(gaps_of(Config, {"defaults": {**Config().to_dict(), "id2label": defaults["id2label"]}})) == set()


def test_a_gap_goes_where_its_like_is() -> None:
    known = [Entry("to come", "hub", "A", "push()"), Entry("refused", "no such thing here", "A", "old()")]
    found = {"A": ["push()"], "B": ["push()", "new()"]}
    assert sort(found, known) == [known[0], known[0]._replace(name="B"), Entry(*UNSORTED, "B", "new()")]
