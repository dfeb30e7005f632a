"""Outputs: three ways to read a field, and none to lose one."""

from __future__ import annotations

import copy
import importlib
import pickle

import pytest

from triformers.outputs import (
    BaseModelOutput,
    MaskedLMOutput,
    ModelOutput,
    SequenceClassifierOutput,
    flatten,
    unflatten,
)


def test_three_ways_to_read_a_field() -> None:
    output = SequenceClassifierOutput(logits=1, hidden_states=(2, 3))
    assert output.logits == output["logits"] == output[0] == 1
    assert output.loss is None and "loss" not in output and len(output) == 2
    assert output.to_tuple() == (1, (2, 3)) == output[:]
    assert list(output) == list(output.keys()) == ["logits", "hidden_states"]
    assert dict(output) == output.plain() == {**output}
    assert isinstance(output, dict)


def test_fields_keep_their_order_however_they_are_set() -> None:
    output = SequenceClassifierOutput(logits=1)
    output.loss = 0
    assert output.to_tuple() == (0, 1) and list(output.items()) == [("loss", 0), ("logits", 1)]
    output["loss"] = None
    assert output.to_tuple() == (1,)


def test_positions_pairs_and_mappings_make_an_output() -> None:
    expected = BaseModelOutput(last_hidden_state=1, hidden_states=2)
    assert BaseModelOutput(1, 2) == expected
    assert BaseModelOutput((name, value) for name, value in expected.items()) == expected
    assert BaseModelOutput({"last_hidden_state": 1, "hidden_states": 2}) == expected


def test_unknown_fields_are_refused() -> None:
    output = BaseModelOutput(1)
    for wrong in (lambda: output.logits, lambda: BaseModelOutput(logits=1), lambda: BaseModelOutput(1, 2, 3, 4)):
        with pytest.raises((AttributeError, KeyError, TypeError), match=r"BaseModelOutput"):
            wrong()
    for wrong in (output.clear, output.popitem, lambda: output.update({}), lambda: output.pop("last_hidden_state")):
        with pytest.raises(TypeError):
            wrong()


def test_copies() -> None:
    output = SequenceClassifierOutput(logits=[1], hidden_states=(2,))
    for other in (copy.copy(output), copy.deepcopy(output), pickle.loads(pickle.dumps(output))):
        assert type(other) is SequenceClassifierOutput and other == output
    values, names = flatten(output)
    assert unflatten(SequenceClassifierOutput, names, values) == output


def test_the_other_frameworks_names_are_the_same_types() -> None:
    from triformers import outputs

    assert outputs.TFBaseModelOutput is outputs.FlaxBaseModelOutput is BaseModelOutput
    assert not hasattr(outputs, "TFNothing") and not hasattr(outputs, "TFWanted")


@pytest.mark.parametrize("path", ["modeling_outputs", "modeling_tf_outputs", "modeling_flax_outputs"])
def test_the_module_paths_that_users_import_from(path: str) -> None:
    module = importlib.import_module(f"triformers.{path}")
    assert module.BaseModelOutput is BaseModelOutput and module.FlaxMaskedLMOutput is MaskedLMOutput
    assert not hasattr(module, "Wanted")


@pytest.mark.parametrize("output_type", ModelOutput.__subclasses__(), ids=lambda output_type: output_type.__name__)
def test_every_type_says_the_shapes_of_its_own_fields(output_type: type[ModelOutput]) -> None:
    usual = ("loss", "past_key_values", "hidden_states", "attentions")
    own = [name for name in output_type._fields if not name.endswith(usual)]
    assert own and all(name in (output_type.__doc__ or "") for name in own)
