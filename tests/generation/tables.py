"""A model that is two tables of numbers, the same in every library and framework, and runs of a scorer on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np

VOCABULARY = 23
HISTORIES = 97


@cache
def numbers(seed: int, *shape: int) -> np.ndarray:
    """Numbers from -1 to 1, of which no two are equal."""
    raw = np.random.Philox(key=seed).random_raw(int(np.prod(shape)))
    return ((raw >> np.uint64(11)) * 2.0**-52 - 1).reshape(shape)


@dataclass(frozen=True)
class TableModel:
    """Scores that hang on a text's last token, and a little on all of it."""

    seed: int
    spread: float

    def __call__(self, sequences: Any) -> np.ndarray:
        """The scores of the next token: [R, L] -> [R, V] in float32."""
        ids = np.asarray(sequences)
        history = (ids * np.arange(1, ids.shape[1] + 1)).sum(1) % HISTORIES
        last = numbers(self.seed, VOCABULARY, VOCABULARY)[ids[:, -1]]
        return (self.spread * last + numbers(self.seed + 1, HISTORIES, VOCABULARY)[history]).astype(np.float32)


class TableCache:
    """What a table model has read, in place of a cache."""

    def __init__(self, read: np.ndarray) -> None:
        self.read = read

    def reordered(self, rows: Any) -> TableCache:
        return TableCache(self.read[np.asarray(rows)])


class TableDecoder:
    """A table model as a search sees it."""

    def __init__(self, model: TableModel, prompts: Any, room: int, copies: int, array: Callable, ops: Any) -> None:
        ids = np.repeat(np.asarray(prompts), copies, 0)
        self.model, self.array, self.ops = model, array, ops
        self.prompt = SimpleNamespace(length=ids.shape[1])
        self.ids = array(np.pad(ids, ((0, 0), (0, room))))

    def read_prompt(self) -> tuple[Any, TableCache]:
        return self._answer(np.asarray(self.ids)[:, : self.prompt.length])

    def read(self, ids: Any, length: int, cache: TableCache) -> tuple[Any, TableCache]:
        """The scores after what the cache holds and one more token: wrong where the cache was put in a wrong order."""
        return self._answer(np.concatenate([cache.read, np.asarray(ids)[:, length - 1 : length]], 1))

    def _answer(self, read: np.ndarray) -> tuple[Any, TableCache]:
        return self.array(self.model(read)), TableCache(read)


def log_softmax(scores: np.ndarray) -> np.ndarray:
    """Log-probabilities over the last axis, in float32."""
    exact = scores.astype(np.float64)
    return (exact - np.log(np.exp(exact).sum(-1, keepdims=True))).astype(np.float32)


def scorer_run(scorer: Any, run: Mapping[str, Any], array: Callable[[np.ndarray], Any]) -> dict[str, Any]:
    """Drive a scorer until it is done: what it answered at each step, and at the end.

    Args:
        scorer: One of any library.
        run: The prompts, the seed, and the arguments of its methods.
        array: Makes its arrays.
    """
    ids = np.repeat(np.asarray(run["prompts"]), run["beams"], 0)
    size = run["beams"] // run["groups"]
    scores = np.where(np.arange(len(ids)) % size == 0, 0, -1e9).astype(np.float32)
    indices: list[tuple[int, ...]] | None = [()] * len(ids) if run["groups"] == 1 else None
    model, steps = TableModel(run["seed"], run["spread"]), []
    while True:
        processed, origins, tokens = log_softmax(model(ids)), np.arange(len(ids)), ids[:, -1].copy()
        for group in range(run["groups"]):
            rows = np.flatnonzero(np.arange(len(ids)) % run["beams"] // size == group)
            answer = _step(scorer, run, ids[rows], processed[rows] + scores[rows][:, None], group, indices, array)
            scores[rows], tokens[rows], chosen = (np.asarray(value) for value in answer.values())
            origins[rows] = rows[chosen]
            steps.append([scores[rows].tolist(), tokens[rows].tolist(), chosen.tolist()])
        indices = None if indices is None else [(*indices[row], int(row)) for row in origins]
        ids = np.concatenate([ids[origins], tokens[:, None]], 1)
        if bool(scorer.is_done) or ids.shape[1] >= run["finalize"]["max_length"]:
            break
    further = {**run["process"], **run["finalize"], "beam_indices": indices}
    ended = scorer.finalize(array(ids), array(scores), array(tokens), array(tokens), **further)
    return {"steps": steps, **{name: None if v is None else np.asarray(v).tolist() for name, v in ended.items()}}


def _step(scorer: Any, run: Any, ids: Any, totals: Any, group: int, indices: Any, array: Any) -> Mapping[str, Any]:
    """One call of `process` with the best continuations of a group."""
    size, vocabulary = run["beams"] // run["groups"], totals.shape[1]
    flat = totals.reshape(-1, size * vocabulary)
    places = np.argsort(-flat, 1, kind="stable")[:, : run["candidates"] * size]
    values = np.take_along_axis(flat, places, 1)
    arguments = [array(part) for part in (ids, values, places % vocabulary, places // vocabulary)]
    if run["constraints"]:
        return scorer.process(*arguments, array(totals), beam_indices=indices, **run["process"])
    further = {"beam_indices": indices} if run["groups"] == 1 else {"group_index": group}
    return scorer.process(*arguments, **further, **run["process"])
