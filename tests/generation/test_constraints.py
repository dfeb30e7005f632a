"""Constraints: their steps, their ends, and how far a beam has come with several."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from triformers import Constraint, ConstraintListState, DisjunctiveConstraint, PhrasalConstraint
from triformers.files.errors import InputError

STEP, END, LOST = (True, False, False), (True, True, False), (False, False, True)


def test_a_phrase_is_made_token_by_token() -> None:
    phrase = PhrasalConstraint([1, 2, 1])
    assert (phrase.seqlen, phrase.remaining(), phrase.advance()) == (3, 3, 1)
    assert [phrase.update(1), phrase.update(2)] == [STEP, STEP] and phrase.remaining() == 1
    begun, fresh = phrase.copy(stateful=True), phrase.copy()
    assert phrase.update(1) == END and phrase.completed and phrase.advance() is None and not phrase.does_advance(1)
    assert (begun.advance(), begun.remaining(), fresh.advance(), fresh.remaining()) == (1, 1, 1, 3)
    assert begun.update(2) == LOST and begun.advance() == 1 and begun.remaining() == 3


def test_one_of_several_phrases() -> None:
    choice = DisjunctiveConstraint([[3], [1, 2], [1, 4, 1]])
    assert sorted(choice.advance() or []) == [1, 3] and choice.seqlen == 3
    assert choice.update(1) == STEP and sorted(choice.advance() or []) == [2, 4] and choice.remaining() == 2
    begun = choice.copy(stateful=True)
    assert choice.update(2) == END and choice.completed and choice.remaining() == 0 and choice.advance() is None
    assert begun.update(4) == STEP and begun.update(9) == LOST and begun.current_seq == []
    assert begun.update(3) == END


@pytest.mark.parametrize("wrong", [[], 3, None, [1, -1], ["a"], [1.5], (1, 2), np.array([1])], ids=repr)
def test_what_is_no_phrase_is_refused(wrong: Any) -> None:
    with pytest.raises(InputError, match="token_ids"):
        PhrasalConstraint(wrong)


@pytest.mark.parametrize(
    "wrong", [[], 3, [1], [[1, -1]], [[1], (2,)], [[1, 2], [1, 2]], [[1, 2], [1]], [[1], []], [["a"]]], ids=repr
)
def test_what_is_no_choice_of_phrases_is_refused(wrong: Any) -> None:
    with pytest.raises(InputError):
        DisjunctiveConstraint(wrong)


@pytest.mark.parametrize("token", [1.0, "1", np.int64(1), None], ids=repr)
def test_a_token_is_a_plain_number(token: Any) -> None:
    phrase, choice = PhrasalConstraint([1]), DisjunctiveConstraint([[1], [2]])
    for take in (phrase.update, phrase.does_advance, choice.update, ConstraintListState([phrase]).add):
        with pytest.raises(TypeError, match="int"):
            take(token)


# ---- several at once ----------------------------------------------------------------------------------------


def several() -> ConstraintListState:
    return ConstraintListState([PhrasalConstraint([1, 2]), DisjunctiveConstraint([[3], [4, 5, 6]])])


def test_one_constraint_at_a_time() -> None:
    state = several()
    assert sorted(state.advance() or []) == [1, 3, 4] and state.get_bank() == 0
    assert state.add(4) == (False, True) and state.get_bank() == 1 and state.advance() == [5]
    assert state.add(1) == (False, False) and state.get_bank() == 0, "the steps of the unfinished one are lost"
    assert [state.add(token) for token in (1, 9, 1, 2)] == [(False, True), (False, False), (False, True), (True, True)]
    assert state.get_bank() == 3 and not state.completed and sorted(state.advance() or []) == [3, 4]
    assert state.add(3) == (True, True) and state.completed and state.advance() is None and state.get_bank() == 6
    assert state.add(1) == (True, False)


def test_states_are_begun_anew_and_copied() -> None:
    state = several()
    state.reset([4, 5, 6, 1])
    other, fresh = state.copy(), state.copy(stateful=False)
    state.add(2)
    assert state.completed and not other.completed and other.get_bank() == 5 and fresh.get_bank() == 0
    assert state.copy().completed
    state.reset([3])
    assert not state.completed and state.get_bank() == 3
    state.reset(None)
    assert state.get_bank() == 0


def test_no_constraints_are_fulfilled() -> None:
    state = ConstraintListState([])
    assert state.completed and state.advance() is None and state.get_bank() == 0


# ---- a user's own -------------------------------------------------------------------------------------------


class Twice(Constraint):
    """Some token, two times, whatever stands between."""

    seqlen = 2

    def __init__(self, token: int) -> None:
        self.token, self.left = token, 2
        super().__init__()

    def advance(self) -> int | None:
        return self.token if self.left else None

    def does_advance(self, token_id: int) -> bool:
        return token_id == self.token and self.left > 0

    def update(self, token_id: int) -> tuple[bool, bool, bool]:
        stepped = self.does_advance(token_id)
        self.left -= stepped
        self.completed = self.left == 0
        return stepped, self.completed, False

    def reset(self) -> None:
        self.left, self.completed = 2, False

    def remaining(self) -> int:
        return self.left

    def copy(self, stateful: bool = False) -> Twice:
        other = Twice(self.token)
        if stateful:
            other.left, other.completed = self.left, self.completed
        return other


def test_a_constraint_of_ones_own() -> None:
    state = ConstraintListState([Twice(7)])
    state.reset([7, 1, 2])
    assert state.get_bank() == 1 and state.advance() == [7]
    state.add(7)
    assert state.completed


@pytest.mark.parametrize(
    ("method", "answer", "said"),
    [
        ("does_advance", False, "does_advance"),
        ("advance", None, "does_advance"),
        ("remaining", 1, "remaining"),
        ("update", (True, False, False), "update"),
        ("update", (False, False, True), "update"),
    ],
)
def test_contradicting_methods_are_found_when_it_is_made(method: str, answer: Any, said: str) -> None:
    broken = type("Broken", (Twice,), {method: lambda *_: answer})
    with pytest.raises(InputError, match=said):
        broken(7)
    PhrasalConstraint([1, 2]).test()
    DisjunctiveConstraint([[1, 2], [3]]).test()
