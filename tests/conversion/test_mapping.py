"""The plan from a checkpoint to a model: what fills what, what is refused, and that nothing is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triformers import DistilBertConfig
from triformers.cards import Weights, card_of
from triformers.conversion.formats.tensors import Checkpoint, Tensor
from triformers.conversion.layouts import Layout
from triformers.conversion.mapping import Plan, make_plan
from triformers.conversion.slots import Slot
from triformers.files.errors import CheckpointError

WEIGHTS = card_of("bert").weights

BACKBONE = {
    "embeddings.word_embeddings.weight": (11, 4),
    "embeddings.LayerNorm.weight": (4,),
    "embeddings.LayerNorm.bias": (4,),
    "encoder.layer.0.attention.self.query.weight": (4, 4),
    "encoder.layer.0.attention.self.query.bias": (4,),
}
POOLER = {"pooler.dense.weight": (4, 4), "pooler.dense.bias": (4,)}
CLASSIFIER = {"classifier.weight": (3, 4), "classifier.bias": (3,)}

BARE = {**BACKBONE, **POOLER}
WITH_HEAD = {**{f"bert.{name}": shape for name, shape in BARE.items()}, **CLASSIFIER}


def slots(shapes: Mapping[str, tuple[int, ...]]) -> list[Slot]:
    """A model with these tensors."""
    return [Slot(name, shape, "raw", tuple(name.split(".")), Layout("")) for name, shape in shapes.items()]


def checkpoint(shapes: Mapping[str, tuple[int, ...]]) -> Checkpoint:
    """A file with these tensors, which a plan never reads."""

    def read() -> np.ndarray:
        raise AssertionError("a plan must not read tensors")

    return {name: Tensor(name, shape, np.dtype("float32"), read) for name, shape in shapes.items()}


def plan_for(
    model: Mapping[str, tuple[int, ...]], file: Mapping[str, tuple[int, ...]], weights: Weights = WEIGHTS
) -> Plan:
    """The plan for a model and a file."""
    return make_plan(slots(model), checkpoint(file), weights)


def renamed(shapes: Mapping[str, tuple[int, ...]], old: str, new: str) -> dict[str, tuple[int, ...]]:
    """The same tensors, part of their names replaced."""
    return {name.replace(old, new): shape for name, shape in shapes.items()}


# ---- what fills what -------------------------------------------------------------------------------------


@pytest.mark.parametrize("shapes", [BARE, WITH_HEAD], ids=["bare", "with a head"])
def test_a_class_takes_its_own_file_as_it_is(shapes: dict[str, tuple[int, ...]]) -> None:
    plan = plan_for(shapes, shapes)
    assert plan == Plan(filled={name: name for name in shapes})
    plan.check("here")
    assert plan.report() == ""


def test_the_prefix_is_added_and_the_head_is_new() -> None:
    plan = plan_for(WITH_HEAD, BARE)
    assert plan == Plan(filled={f"bert.{name}": name for name in BARE}, new=list(CLASSIFIER))
    plan.check("here")
    assert plan.report() == "classifier.weight, classifier.bias newly initialised, to be trained"


def test_the_prefix_is_removed_and_the_head_is_dropped() -> None:
    plan = plan_for(BARE, WITH_HEAD)
    assert plan == Plan(filled={name: f"bert.{name}" for name in BARE}, dropped=list(CLASSIFIER))
    plan.check("here")
    assert plan.report() == ""


def test_another_head_is_dropped_and_the_own_one_is_new() -> None:
    other = {"cls.predictions.bias": (11,), "qa_outputs.weight": (2, 4)}
    backbone = {name: shape for name, shape in WITH_HEAD.items() if name.startswith("bert.")}
    plan = plan_for(WITH_HEAD, {**backbone, **other})
    assert plan.dropped == list(other) and plan.new == list(CLASSIFIER)
    assert len(plan.filled) == len(backbone)
    plan.check("here")


def test_a_bare_file_with_a_head_beside_it() -> None:
    plan = plan_for(WITH_HEAD, {**BARE, **CLASSIFIER, "qa_outputs.weight": (2, 4)})
    assert plan.filled == {**{f"bert.{name}": name for name in BARE}, **{name: name for name in CLASSIFIER}}
    assert plan.dropped == ["qa_outputs.weight"]


@pytest.mark.parametrize("model", [BARE, WITH_HEAD], ids=["bare", "with a head"])
def test_the_norms_of_early_checkpoints_have_other_names(model: dict[str, tuple[int, ...]]) -> None:
    old = renamed(renamed(BARE, "LayerNorm.weight", "LayerNorm.gamma"), "LayerNorm.bias", "LayerNorm.beta")
    plan = plan_for(model, old)
    prefix = "bert." if model is WITH_HEAD else ""
    assert plan.filled[f"{prefix}embeddings.LayerNorm.weight"] == "embeddings.LayerNorm.gamma"
    assert plan.filled[f"{prefix}embeddings.LayerNorm.bias"] == "embeddings.LayerNorm.beta"
    plan.check("here")


def test_a_model_with_a_real_gamma_keeps_it() -> None:
    model = {**BARE, "encoder.layer.0.scale.gamma": (4,), "encoder.layer.0.scale.weight": (4,)}
    plan = plan_for(model, model)
    assert plan == Plan(filled={name: name for name in model})


@pytest.mark.parametrize("old_first", [True, False])
def test_two_spellings_of_one_tensor_are_never_lost_from_sight(old_first: bool) -> None:
    old = {"embeddings.LayerNorm.gamma": (4,)}
    plan = plan_for(BARE, {**old, **BARE} if old_first else {**BARE, **old})
    assert plan.filled["embeddings.LayerNorm.weight"] == "embeddings.LayerNorm.weight"
    assert plan.unexpected == list(old)
    with pytest.raises(CheckpointError, match=r"embeddings\.LayerNorm\.gamma left over"):
        plan.check("here")


def test_a_pooler_is_optional() -> None:
    plan = plan_for(BARE, BACKBONE)
    assert plan.new == list(POOLER) and not plan.missing
    plan.check("here")
    plan = plan_for(BACKBONE, BARE)
    assert plan.dropped == list(POOLER) and not plan.unexpected
    plan.check("here")
    plan = plan_for(WITH_HEAD, renamed(BACKBONE, "", ""))
    assert plan.new == [*(f"bert.{name}" for name in POOLER), *CLASSIFIER]


@pytest.mark.parametrize("prefix", ["", "bert."])
@pytest.mark.parametrize("model", [BARE, WITH_HEAD], ids=["bare", "with a head"])
def test_old_buffers_are_ignored_with_the_reason(model: dict[str, tuple[int, ...]], prefix: str) -> None:
    file = {f"{prefix}{name}": shape for name, shape in BARE.items()}
    key = f"{prefix}embeddings.position_ids"
    plan = plan_for(model, {**file, key: (1, 512)})
    assert plan.ignored == {key: WEIGHTS.ignored["embeddings.position_ids"]}
    plan.check("here")


def test_a_table_that_can_be_computed_may_be_absent() -> None:
    weights, config = card_of("distilbert").weights, DistilBertConfig(sinusoidal_pos_embds=True)
    file = {"embeddings.word_embeddings.weight": (11, 4)}
    model = slots({**file, "embeddings.position_embeddings.weight": (7, 4)})
    plan = make_plan(model, checkpoint(file), weights, config)
    assert plan == Plan(filled=dict.fromkeys(file, next(iter(file))))
    learnt = make_plan(model, checkpoint(file), weights, DistilBertConfig())
    assert learnt.missing == ["embeddings.position_embeddings.weight"]


def test_a_star_stands_for_one_segment() -> None:
    weights = Weights(ignored={"layer.*.bias": "masks"})
    file = {"layer.0.bias": (1,), "layer.11.bias": (1,), "layer.0.dense.bias": (1,), "layer.bias": (1,)}
    plan = plan_for({}, file, weights)
    assert plan.ignored == {"layer.0.bias": "masks", "layer.11.bias": "masks"}
    assert plan.unexpected == ["layer.0.dense.bias", "layer.bias"]


def test_an_architecture_without_a_prefix() -> None:
    weights = Weights(heads=("head",))
    plan = plan_for({"stem.weight": (2,), "head.weight": (3,)}, {"stem.weight": (2,)}, weights)
    assert plan == Plan(filled={"stem.weight": "stem.weight"}, new=["head.weight"])
    plan = plan_for({"stem.weight": (2,)}, {"stem.weight": (2,), "head.weight": (3,)}, weights)
    assert plan == Plan(filled={"stem.weight": "stem.weight"}, dropped=["head.weight"])


# ---- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [BARE, WITH_HEAD], ids=["bare", "with a head"])
def test_a_missing_backbone_tensor_is_an_error_that_names_the_closest(
    model: dict[str, tuple[int, ...]],
) -> None:
    plan = plan_for(model, renamed(BARE, "self.query.weight", "self.qeury.weight"))
    prefix = "bert." if model is WITH_HEAD else ""
    assert plan.missing == [f"{prefix}encoder.layer.0.attention.self.query.weight"]
    with pytest.raises(CheckpointError) as error:
        plan.check("the/place")
    message = str(error.value)
    assert "the/place has no tensor for" in message and plan.missing[0] in message
    assert "closest" in message and "encoder.layer.0.attention.self.qeury.weight" in message
    assert len(message) < 400


def test_a_tensor_left_over_is_an_error_that_names_the_closest() -> None:
    plan = plan_for(BARE, {**BARE, "encoder.layer.1.attention.self.query.bias": (4,)})
    assert plan.unexpected == ["encoder.layer.1.attention.self.query.bias"]
    with pytest.raises(CheckpointError, match=r"left over.*encoder\.layer\.0\.attention\.self\.query\.bias"):
        plan.check("here")


def test_many_names_are_cut_short() -> None:
    with pytest.raises(CheckpointError, match="and 2 more") as error:
        plan_for(BARE, {}).check("here")
    assert len(str(error.value)) < 400


def test_another_shape_is_an_error() -> None:
    key = "embeddings.word_embeddings.weight"
    plan = plan_for(BARE, {**BARE, key: (12, 4)})
    assert plan.mismatched == [(key, (12, 4), (11, 4))] and key not in plan.filled
    with pytest.raises(CheckpointError, match=r"\[12, 4\]; expected \[11, 4\].*ignore_mismatched_sizes"):
        plan.check("here")
    with pytest.raises(CheckpointError):
        plan.check("here", strict=False)
    plan.check("here", ignore_mismatched_sizes=True)
    assert plan.report() == f"{key} newly initialised, to be trained"


def test_a_transposed_tensor_of_the_same_size_is_another_shape() -> None:
    plan = plan_for({**BACKBONE, "a.weight": (2, 3)}, {**BACKBONE, "a.weight": (3, 2)})
    assert plan.mismatched == [("a.weight", (3, 2), (2, 3))]


def test_not_strict_goes_on_and_says_so() -> None:
    file = {**renamed(BARE, "query.bias", "query.b"), "foreign": (1,)}
    plan = plan_for(BARE, file)
    for strict in (True, False):
        if strict:
            with pytest.raises(CheckpointError):
                plan.check("here")
        else:
            plan.check("here", strict=False)
    assert plan.report() == (
        "encoder.layer.0.attention.self.query.bias newly initialised, to be trained; "
        "encoder.layer.0.attention.self.query.b, foreign not used"
    )


def test_loading_info_has_the_names_that_users_know() -> None:
    file = {
        **renamed(BARE, "query.bias", "query.b"), **CLASSIFIER,
        "embeddings.position_ids": (1, 9), "pooler.dense.bias": (5,),
    }  # fmt: skip
    assert plan_for(BARE, file).loading_info() == {
        "missing_keys": ["encoder.layer.0.attention.self.query.bias"],
        "unexpected_keys": [*CLASSIFIER, "embeddings.position_ids", "encoder.layer.0.attention.self.query.b"],
        "mismatched_keys": [("pooler.dense.bias", (5,), (4,))],
        "error_msgs": [],
    }


# ---- nothing is lost from sight --------------------------------------------------------------------------

SEGMENTS = (
    "bert",
    "embeddings",
    "pooler",
    "classifier",
    "cls",
    "layer",
    "0",
    "weight",
    "bias",
    "gamma",
    "beta",
)
NAMES = st.one_of(
    st.sampled_from([*WITH_HEAD, *BARE, "embeddings.position_ids", "embeddings.LayerNorm.gamma"]),
    st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=4).map(".".join),
)
SHAPES = st.sampled_from([(4,), (4, 4), (11, 4)])
TENSORS = st.dictionaries(NAMES, SHAPES, max_size=12)


@settings(max_examples=400)
@given(TENSORS, TENSORS, st.sampled_from([WEIGHTS, Weights()]))
def test_every_slot_and_every_key_is_accounted_for_once(
    model: dict[str, tuple[int, ...]], file: dict[str, tuple[int, ...]], weights: Weights
) -> None:
    plan = plan_for(model, file, weights)
    differing = [key for key, _, _ in plan.mismatched]
    once([*plan.filled.values(), *plan.dropped, *plan.ignored, *plan.unexpected, *differing], file)
    placed = [*plan.filled, *plan.new, *plan.missing]
    assert len(placed) == len(set(placed)) and set(placed) <= set(model)
    assert len(placed) + len(plan.mismatched) == len(model)
    assert all(model[name] == file[key] for name, key in plan.filled.items())
    assert all(found == file[key] and found != expected for key, found, expected in plan.mismatched)


def once(found: Iterable[str], expected: Iterable[str]) -> None:
    """Every expected name is found, and none twice."""
    assert Counter(found) == Counter(list(expected))


@settings(max_examples=200)
@given(TENSORS, st.sampled_from([WEIGHTS, Weights()]))
def test_a_file_that_a_model_wrote_fills_it(model: dict[str, tuple[int, ...]], weights: Weights) -> None:
    plan = plan_for(model, model, weights)
    assert plan == Plan(filled={name: name for name in model})
