"""Models that change their size: a vocabulary or positions that grow or shrink, attention heads that are taken away."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..configuration import PretrainedConfig
from ..conversion.layouts import OUTPUT_AXES
from ..conversion.slots import Slot
from ..files.errors import InputError, three_beats
from ..initialization import normals

#: How far new rows are from the mean of the old ones, as a part of the variance.
SPREAD = 1e-9


class Resizable:
    """The part of every model that changes its size; `PretrainedBase` supplies the rest."""

    config: PretrainedConfig

    def replace(self, slot: Slot, array: np.ndarray) -> None:
        """Put a canonical array of another shape into a slot, and tell the layer that owns it its new size."""
        raise NotImplementedError

    def resize_token_embeddings(
        self: Any,
        new_num_tokens: int | None = None,
        pad_to_multiple_of: int | None = None,
        mean_resizing: bool = True,
        *,
        seed: int | None = None,
    ) -> Any:
        """Give the vocabulary another size, everywhere that it shows: embeddings, scores, `config.vocab_size`.

        Args:
            new_num_tokens: Tokens that there shall be; as many as now if None.
            pad_to_multiple_of: Round up to a multiple of this.
            mean_resizing: Whether new rows start close to the mean of the old ones, else as fresh weights do.
            seed: Seed of what is drawn; without it, one draw from the framework's global generator.

        Returns:
            The module that embeds tokens; in Flax its table.

        Raises:
            InputError: Less than one token, or no whole numbers.
            ConfigurationError: The configuration does not allow that size.
        """
        count = token_count(self.config.vocab_size, new_num_tokens, pad_to_multiple_of)
        if count != self.config.vocab_size:
            resized = changed(self.config, vocab_size=count)
            chosen: int = self.fresh_seed() if seed is None else seed
            fresh = self.initial(resized, chosen)
            for slot in self.slots_named(self.weights_of(self.config).per_token):
                rows = self.read_slot(slot)
                if not mean_resizing and count > len(rows):
                    whole = fresh(replace(slot, shape=(count, *slot.shape[1:])), rows.dtype)
                    self.replace(slot, np.concatenate([rows, whole[len(rows) :]]))
                else:
                    self.replace(slot, with_rows_like(rows, count, chosen, slot.name))
            for slot in self.slots_named(self.weights_of(self.config).token_biases):
                biases = self.read_slot(slot)[:, :count]
                self.replace(slot, np.pad(biases, ((0, 0), (0, count - biases.shape[1]))))
            self.reconfigure(vocab_size=count)
        return self.get_input_embeddings()

    def resize_position_embeddings(self: Any, new_num_position_embeddings: int, *, seed: int | None = None) -> None:
        """Let the model read longer or shorter sequences: positions, `config.max_position_embeddings`.

        Args:
            new_num_position_embeddings: Positions that there shall be; further ones start as fresh weights do.
            seed: Seed of what is drawn; without it, one draw from the framework's global generator.

        Raises:
            InputError: The architecture's positions are no table of which this is known.
            ConfigurationError: No whole number above 0.
        """
        name, count = self.position_embeddings_name(), new_num_position_embeddings
        resized = changed(self.config, max_position_embeddings=count)
        fresh = self.initial(resized, self.fresh_seed() if seed is None else seed)
        for slot in self.slots_named((f"{name}.weight",)):
            rows = self.read_slot(slot)
            whole = fresh(replace(slot, shape=(count, *slot.shape[1:])), rows.dtype)
            self.replace(slot, np.concatenate([rows[:count], whole[len(rows) :]]))
        self.reconfigure(max_position_embeddings=count)

    def prune_heads(self: Any, heads_to_prune: Mapping[int, Iterable[int]]) -> None:
        """Take attention heads away, and note it in `config.pruned_heads`.

        Args:
            heads_to_prune: Layer -> the heads to take, counted as in the unpruned model; those gone already stay gone.

        Raises:
            InputError: This is no mapping, or the architecture has no heads to take.
            ConfigurationError: There is no such layer or head, or none would be left.
        """
        weights, config = self.weights_of(self.config), self.config
        if not weights.per_head.rows:
            found = f"prune_heads of {type(self).__name__}"
            raise InputError(three_beats(found, "an architecture whose heads can be told apart", "Leave them all."))
        asked = heads_by_layer(heads_to_prune)
        gone = {layer: set(heads) for layer, heads in config.pruned_heads.items()}
        after = {layer: sorted(gone.get(layer, set()) | asked.get(layer, set())) for layer in {*gone, *asked}}
        changed(config, pruned_heads=after)
        size = getattr(config, "head_dim", config.hidden_size // config.num_attention_heads)
        for layer, heads in asked.items():
            kept = kept_positions(config.num_attention_heads, gone.get(layer, ()), heads, size)
            place = weights.per_head.place(layer, config)
            for name in weights.per_head.rows:
                for slot in self.slots_named((f"{name}.weight".format(*place), f"{name}.bias".format(*place))):
                    axis = OUTPUT_AXES[slot.kind] if slot.leaf == "weight" else 0
                    self.replace(slot, kept_of(self.read_slot(slot), kept, axis, weights.per_head.fused))
            for name in weights.per_head.columns:
                for slot in self.slots_named((f"{name}.weight".format(*place),)):
                    self.replace(slot, kept_of(self.read_slot(slot), kept, 1 - OUTPUT_AXES[slot.kind]))
        self.reconfigure(pruned_heads=after)


def changed(config: PretrainedConfig, **fields: Any) -> PretrainedConfig:
    """A copy of a configuration with other values, checked.

    Raises:
        ConfigurationError: They do not fit together.
    """
    other = copy.deepcopy(config)
    other.update(fields)
    other.validate()
    return other


def token_count(present: int, wanted: int | None, multiple: int | None) -> int:
    """How many tokens a resized vocabulary has.

    Args:
        present: How many there are now.
        wanted: How many are asked for; as many as now if None.
        multiple: Round up to a multiple of this.

    Raises:
        InputError: Less than one, or no whole numbers.
    """
    count = present if wanted is None else wanted
    for name, value in (("new_num_tokens", count), ("pad_to_multiple_of", 1 if multiple is None else multiple)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise InputError(three_beats(f"{name}={value!r}", "a whole number above 0", "Correct it."))
    return count if multiple is None else -(-count // multiple) * multiple


def with_rows_like(rows: np.ndarray, count: int, seed: int, name: str) -> np.ndarray:
    """The first `count` rows; further ones are drawn close around the mean, so that new tokens start as average ones.

    They follow the normal distribution of the old rows' mean and covariance, the covariance times `SPREAD`
    (Hewitt 2021, https://nlp.stanford.edu/~johnhew/vocab-expansion.html).

    Args:
        rows: [V, ...].
        count: How many there shall be.
        seed: Of what is drawn.
        name: Keys the random stream.
    """
    if count <= len(rows):
        return rows[:count]
    old = rows.reshape(len(rows), -1).astype(np.float64)  # [V, D]
    mean = old.mean(0)
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(old, rowvar=False, bias=True)) * SPREAD)  # [D], [D, D]
    shape = (count - len(rows), old.shape[1])
    draws = normals(seed, f"{name} resized", shape[0] * shape[1], 1.0, np.dtype(np.float64)).reshape(shape)
    root = (
        vectors * np.sqrt(np.clip(values, 0, None))
    ) @ vectors.T  # symmetric: the same whatever signs the vectors have
    new = mean + draws @ root
    return np.concatenate([rows, new.reshape(-1, *rows.shape[1:]).astype(rows.dtype)])


def heads_by_layer(heads: Mapping[Any, Iterable[int]]) -> dict[int, set[int]]:
    """What to prune, in plain numbers.

    Raises:
        InputError: It is no mapping from layers to heads.
    """
    if not isinstance(heads, Mapping):
        found = f"heads to prune of type {type(heads).__name__}"
        raise InputError(three_beats(found, "a mapping from layers to heads", "Write {layer: [head, ...]}."))
    return {int(layer): {int(head) for head in each} for layer, each in heads.items()}


def kept_positions(heads: int, pruned: Iterable[int], now: Iterable[int], size: int) -> np.ndarray:
    """The rows that stay when further heads go, in a matrix that those already pruned have left.

    Args:
        heads: How many heads there were at first.
        pruned: Those that are gone.
        now: Those that go now.
        size: Rows of one head.
    """
    left = [head for head in range(heads) if head not in set(pruned)]
    kept = [place for place, head in enumerate(left) if head not in set(now)]
    return (np.array(kept, np.int64)[:, None] * size + np.arange(size)).reshape(-1)


def kept_of(array: np.ndarray, kept: np.ndarray, axis: int, parts: int = 1) -> np.ndarray:
    """The entries of an axis that stay, in each of the equal parts that stand one after another along it."""
    return np.concatenate([part.take(kept, axis) for part in np.split(array, parts, axis)], axis)
