"""Constraints: token sequences that a search with beams must have in what it writes.

A `Constraint` is fulfilled step by step; a `ConstraintListState` is how far one beam has come with all of them. Its
*bank* says how far, so that the search can keep beams of every stage (Post and Vilar 2018,
https://arxiv.org/abs/1804.06609).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

from ..fields import short
from ..files.errors import InputError, three_beats

#: A constraint of more steps than this is not one: it never ends.
MOST_STEPS = 10_000


class Constraint(ABC):
    """What a text must contain; a subclass says how it is made, token by token.

    Attributes:
        seqlen: The most steps that it takes.
        completed: Whether all of them are made.

    Raises:
        InputError: A subclass whose methods contradict each other, found by making all its steps.
    """

    seqlen: int
    completed: bool = False

    def __init__(self) -> None:
        self.test()

    def test(self) -> None:
        """Make all steps once, and go back to the first.

        Raises:
            InputError: A step that is offered is not one, or the last does not fulfil the constraint.
        """
        completed, steps = False, 0
        while not completed:
            token = self.advance()
            token = token[0] if isinstance(token, list) else token
            if token is None or not self.does_advance(token):
                raise _undefined(self, f"does_advance({token!r}) is false", "what advance() offers to be a step")
            stepped, completed, _ = self.update(token)
            steps += 1
            if not (stepped or completed) or steps > MOST_STEPS:
                raise _undefined(self, f"update() made {steps} steps and is not done", "an end")
        if self.remaining() != 0:
            raise _undefined(self, f"remaining() is {self.remaining()} when it is complete", "0")
        self.reset()

    @abstractmethod
    def advance(self) -> int | list[int] | None:
        """The token, or those of which one, that makes the next step; None if there is no next."""

    @abstractmethod
    def does_advance(self, token_id: int) -> bool:
        """Whether a token makes the next step."""

    @abstractmethod
    def update(self, token_id: int) -> tuple[bool, bool, bool]:
        """Take a token: whether it made a step, whether that was the last, whether all steps are lost."""

    @abstractmethod
    def reset(self) -> None:
        """Go back to the first step."""

    @abstractmethod
    def remaining(self) -> int:
        """How many steps are left."""

    @abstractmethod
    def copy(self, stateful: bool = False) -> Constraint:
        """The same constraint, at its first step, or where this one is if `stateful`."""


class PhrasalConstraint(Constraint):
    """One sequence of tokens, whole and in order.

    Args:
        token_ids: The tokens.

    Raises:
        InputError: It is no list of token ids, or an empty one.
    """

    def __init__(self, token_ids: list[int]) -> None:
        _check_phrase("token_ids", token_ids)
        self.token_ids = token_ids
        self.seqlen = len(token_ids)
        self.reset()

    def advance(self) -> int | None:
        """The next token of the phrase."""
        return None if self.completed else self.token_ids[self.fulfilled_idx + 1]

    def does_advance(self, token_id: int) -> bool:
        """Whether a token is the next of the phrase."""
        _check_token(token_id)
        return not self.completed and token_id == self.advance()

    def update(self, token_id: int) -> tuple[bool, bool, bool]:
        """Take a token: whether it made a step, whether that was the last, whether all steps are lost."""
        if not self.does_advance(token_id):
            self.reset()
            return False, False, True
        self.fulfilled_idx += 1
        self.completed = self.remaining() == 0
        return True, self.completed, False

    def reset(self) -> None:
        """Go back to the first token."""
        self.fulfilled_idx = -1
        self.completed = False

    def remaining(self) -> int:
        """How many tokens are left."""
        return self.seqlen - (self.fulfilled_idx + 1)

    def copy(self, stateful: bool = False) -> PhrasalConstraint:
        """The same phrase, at its first token, or where this one is if `stateful`."""
        other = PhrasalConstraint(self.token_ids)
        if stateful:
            other.fulfilled_idx, other.completed = self.fulfilled_idx, self.completed
        return other


class DisjunctiveTrie:
    """Several phrases by their common beginnings: a mapping from token to the mapping of what may follow.

    Args:
        nested_token_ids: The phrases.
        no_subsets: Whether a phrase that begins another is an error: it would be complete before the other.

    Raises:
        InputError: A phrase begins another, and `no_subsets` is set.
    """

    def __init__(self, nested_token_ids: Sequence[Sequence[int]], no_subsets: bool = True) -> None:
        self.max_height = max(map(len, nested_token_ids))
        self.trie: dict[int, Any] = {}
        for phrase in nested_token_ids:
            level = self.trie
            for token in phrase:
                level = level.setdefault(token, {})
        if no_subsets and self.has_subsets(self.trie, nested_token_ids):
            found = f"of the phrases {short(nested_token_ids)} one begins another"
            raise InputError(three_beats(found, "phrases of which none does", "Leave out the longer."))

    def next_tokens(self, current_seq: Sequence[int]) -> list[int]:
        """The tokens that may follow a beginning."""
        level = self.trie
        for token in current_seq:
            level = level[token]
        return list(level)

    def reached_leaf(self, current_seq: Sequence[int]) -> bool:
        """Whether a beginning is a whole phrase."""
        return not self.next_tokens(current_seq)

    def count_leaves(self, root: Mapping[int, Any]) -> int:
        """How many phrases there are below a place."""
        return sum(map(self.count_leaves, root.values())) if root else 1

    def has_subsets(self, trie: Mapping[int, Any], nested_token_ids: Sequence[Sequence[int]]) -> bool:
        """Whether a phrase begins another, or is one."""
        return self.count_leaves(trie) != len(nested_token_ids)


class DisjunctiveConstraint(Constraint):
    """One of several sequences of tokens.

    Args:
        nested_token_ids: The sequences, of which none begins another.

    Raises:
        InputError: It is no list of lists of token ids, or one sequence begins another.
    """

    def __init__(self, nested_token_ids: list[list[int]]) -> None:
        if not isinstance(nested_token_ids, list) or not nested_token_ids:
            found = f"nested_token_ids is {short(nested_token_ids)}"
            raise InputError(three_beats(found, "a list of lists of token ids", "Correct it."))
        for phrase in nested_token_ids:
            _check_phrase("a list in nested_token_ids", phrase)
        self.trie = DisjunctiveTrie(nested_token_ids)
        self.token_ids = nested_token_ids
        self.seqlen = self.trie.max_height
        self.reset()

    def advance(self) -> list[int] | None:
        """The tokens that go on with one of the sequences."""
        return self.trie.next_tokens(self.current_seq) or None

    def does_advance(self, token_id: int) -> bool:
        """Whether a token goes on with one of the sequences."""
        _check_token(token_id)
        return token_id in self.trie.next_tokens(self.current_seq)

    def update(self, token_id: int) -> tuple[bool, bool, bool]:
        """Take a token: whether it made a step, whether that was the last, whether all steps are lost."""
        if not self.does_advance(token_id):
            self.reset()
            return False, False, True
        self.current_seq.append(token_id)
        self.completed = self.trie.reached_leaf(self.current_seq)
        return True, self.completed, False

    def reset(self) -> None:
        """Go back to where all sequences begin."""
        self.current_seq: list[int] = []
        self.completed = False

    def remaining(self) -> int:
        """How many tokens are left at most."""
        return 0 if self.completed else self.seqlen - len(self.current_seq)

    def copy(self, stateful: bool = False) -> DisjunctiveConstraint:
        """The same sequences, at their first token, or where this one is if `stateful`."""
        other = DisjunctiveConstraint(self.token_ids)
        if stateful:
            other.current_seq, other.completed = list(self.current_seq), self.completed
        return other


class ConstraintListState:
    """How far one beam has come with several constraints, of which it works on one at a time.

    Args:
        constraints: The constraints; they are copied, not changed.

    Attributes:
        complete_constraints: Those that are fulfilled.
        inprogress_constraint: The one whose steps are being made, if any.
        pending_constraints: Those that are not begun.
        completed: Whether all are fulfilled.
    """

    def __init__(self, constraints: list[Constraint]) -> None:
        self.constraints = constraints
        self.max_seqlen = max((constraint.seqlen for constraint in constraints), default=0)
        self.n_constraints = len(constraints)
        self.init_state()

    def init_state(self) -> None:
        """Begin all constraints anew."""
        self.complete_constraints: list[Constraint] = []
        self.inprogress_constraint: Constraint | None = None
        self.pending_constraints = [constraint.copy(stateful=False) for constraint in self.constraints]
        self.completed = not self.constraints

    def get_bank(self) -> int:
        """How far it has come: the longest constraint's steps for each that is fulfilled, and for one that is begun."""
        current = self.inprogress_constraint
        made = 0 if current is None else self.max_seqlen - current.remaining()
        return len(self.complete_constraints) * self.max_seqlen + made

    def advance(self) -> list[int] | None:
        """The tokens that make a step in some constraint; None if there are none."""
        current = self.inprogress_constraint
        return list(_tokens_of(self.pending_constraints if current is None else [current])) or None

    def reset(self, token_ids: Sequence[int] | None) -> None:
        """Begin anew, and take tokens until all constraints are fulfilled."""
        self.init_state()
        for token in token_ids or ():
            self.add(token)
            if self.completed:
                break

    def add(self, token_id: int) -> tuple[bool, bool]:
        """Take a token: whether it fulfilled a constraint, and whether it made a step."""
        _check_token(token_id)
        if self.completed:
            return True, False
        if self.inprogress_constraint is None:
            return self._begin(token_id)
        current = self.inprogress_constraint
        stepped, complete, is_lost = current.update(token_id)
        if is_lost:
            self.pending_constraints.append(current.copy(stateful=False))
            self.inprogress_constraint = None
        if complete:
            self._complete(current)
        return complete, stepped

    def _begin(self, token_id: int) -> tuple[bool, bool]:
        """Begin the first of the pending constraints that a token is the first step of."""
        for index, constraint in enumerate(self.pending_constraints):
            if not constraint.does_advance(token_id):
                continue
            stepped, complete, _ = constraint.update(token_id)
            if not stepped:
                raise _undefined(constraint, f"update({token_id}) made no step", "what does_advance() said")
            del self.pending_constraints[index]
            self.inprogress_constraint = constraint
            if complete:
                self._complete(constraint)
            return complete, stepped
        return False, False

    def _complete(self, constraint: Constraint) -> None:
        self.complete_constraints.append(constraint)
        self.inprogress_constraint = None
        self.completed = not self.pending_constraints

    def copy(self, stateful: bool = True) -> Self:
        """The same constraints, where this beam is, or all at their first step if not `stateful`."""
        other = type(self)(self.constraints)
        if stateful:
            current = self.inprogress_constraint
            other.complete_constraints = [c.copy(stateful=True) for c in self.complete_constraints]
            other.inprogress_constraint = None if current is None else current.copy(stateful=True)
            other.pending_constraints = [c.copy() for c in self.pending_constraints]
            other.completed = self.completed
        return other


def _tokens_of(constraints: Sequence[Constraint]) -> Iterator[int]:
    """The next tokens of constraints."""
    for constraint in constraints:
        token = constraint.advance()
        if token is not None:
            yield from token if isinstance(token, list) else [token]


def _check_phrase(name: str, tokens: Any) -> None:
    if not (isinstance(tokens, list) and tokens and all(isinstance(token, int) and token >= 0 for token in tokens)):
        raise InputError(three_beats(f"{name} is {short(tokens)}", "a list of token ids, not empty", "Correct it."))


def _check_token(token: Any) -> None:
    if not isinstance(token, int):
        found = f"a token is {short(token)}, a {type(token).__name__}"
        raise TypeError(three_beats(found, "a plain int", "Convert it with int()."))


def _undefined(constraint: Constraint, found: str, expected: str) -> InputError:
    name = type(constraint).__name__
    return InputError(three_beats(f"{name}: {found}", expected, f"Correct the methods of {name}."))
