"""What the three caches of keys and values share: how they are read, and the door for the forms of 4.x."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Self

from ..files.errors import InputError, three_beats


class LayerCacheBase:
    """What one layer keeps: keys and values [B, N, S, H] of its own tokens, and of the encoder's if there is one."""

    length: Any

    def __init__(self) -> None:
        """A layer that has read nothing."""
        raise NotImplementedError

    def tensors(self) -> tuple[Any, ...]:
        """(keys, values) of the tokens read, and after them the encoder's, if there are any."""
        raise NotImplementedError

    @classmethod
    def holding(cls, tensors: Sequence[Any]) -> Self:
        """The inverse of `tensors`."""
        raise NotImplementedError

    def branch(self) -> Self:
        """Another cache of the same tokens, to which others can be added."""
        raise NotImplementedError

    def capacity(self) -> int | None:
        """How many tokens there is room for, None if the room grows."""
        raise NotImplementedError


class CacheBase(Sequence):
    """The keys and values of every layer: `cache[layer][0]` are keys, `cache[layer][1]` values, [B, N, S, H].

    After them stand the keys and values of the encoder, where the layer attends to one.
    """

    layer_class: ClassVar[type[LayerCacheBase]]

    def __init__(self, layers: Iterable[Any] = ()) -> None:
        self.layers = list(layers)

    @classmethod
    def open(cls, past_key_values: Any, use_cache: bool, layers: int) -> Self | None:
        """The cache that a call reads and adds to; None if it needs none.

        Args:
            past_key_values: What an earlier call returned; a tuple per layer or a cache of another library; or None.
            use_cache: Whether the call returns its cache.
            layers: How many layers the model has.

        Raises:
            InputError: It is something else, or for another number of layers.
        """
        if past_key_values is None and not use_cache:
            return None
        is_own = isinstance(past_key_values, cls)
        cache = past_key_values.branch() if is_own else cls.from_legacy_cache(past_key_values)
        if not cache.layers:
            cache.layers.extend(cls.layer_class() for _ in range(layers))
        if len(cache.layers) != layers:
            found = f"past_key_values of {len(cache.layers)} layers"
            raise InputError(three_beats(found, f"one for each of {layers}", "Pass what this model returned."))
        return cache

    def branch(self) -> Self:
        """Another cache of the same tokens, so that a call does not change what an earlier one returned."""
        return type(self)(layer.branch() for layer in self.layers)

    @classmethod
    def from_legacy_cache(cls, past_key_values: Any = None) -> Self:
        """A cache from a tuple (keys, values[, encoder's keys, encoder's values]) per layer, or both in one array.

        Raises:
            InputError: It is something else.
        """
        if hasattr(past_key_values, "to_legacy_cache"):
            past_key_values = past_key_values.to_legacy_cache()
        layers = () if past_key_values is None else past_key_values
        if isinstance(layers, (tuple, list)):
            layers = [_apart(layer) for layer in layers]
        if not isinstance(layers, (tuple, list)) or not all(
            isinstance(layer, (tuple, list)) and len(layer) in (2, 4) for layer in layers
        ):
            found = f"past_key_values of type {type(past_key_values).__name__}"
            remedy = "Pass what an earlier call of this model returned."
            raise InputError(three_beats(found, "a cache, or (keys, values) for each layer", remedy))
        cache = cls.__new__(cls)  # the named classes of 4.x have constructors of their own
        cache.layers = [cls.layer_class.holding(layer) for layer in layers]
        return cache

    def to_legacy_cache(self) -> tuple[tuple[Any, ...], ...]:
        """A tuple (keys, values[, encoder's keys, encoder's values]) per layer."""
        return tuple(layer.tensors() for layer in self.layers)

    @property
    def length(self) -> Any:
        """How many tokens have been read."""
        return self.layers[0].length if self.layers else 0

    def reach(self, new: int) -> Any:
        """How many positions a call of `new` tokens attends to."""
        return self.length + new

    def get_seq_length(self, layer_idx: int = 0) -> Any:
        """How many tokens a layer has read."""
        return self.layers[layer_idx].length if layer_idx < len(self.layers) else 0

    @property
    def seen_tokens(self) -> Any:
        """How many tokens have been read."""
        return self.length

    def get_usable_length(self, new_seq_length: int, layer_idx: int = 0) -> Any:
        """How many tokens a layer has read that a call of `new_seq_length` tokens attends to."""
        return self.get_seq_length(layer_idx)

    def get_max_cache_shape(self) -> int | None:
        """How many tokens there is room for, None if the room grows."""
        return self.layers[0].capacity() if self.layers else None

    def __getitem__(self, layer: Any) -> Any:
        return self.to_legacy_cache()[layer] if isinstance(layer, slice) else self.layers[layer].tensors()

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.to_legacy_cache())

    def __repr__(self) -> str:
        return f"{type(self).__name__}(layers={len(self)}, length={self.length})"


def _apart(layer: Any) -> Any:
    """The keys and values of a layer that 4.x has in one array, [2, B, N, S, H]."""
    is_stacked = len(getattr(layer, "shape", ())) == 5 and layer.shape[0] == 2
    return (layer[0], layer[1]) if is_stacked else layer


def heads_per_layer(config: Any, layers: int | None = None) -> list[int]:
    """The number of heads that pruning has left each layer of self-attention.

    Args:
        config: What the model is.
        layers: How many layers have weights of their own; `num_hidden_layers` if None.
    """
    pruned, heads = config.pruned_heads, config.num_attention_heads
    count = config.num_hidden_layers if layers is None else layers
    return [heads - len(pruned.get(layer, ())) for layer in range(count)]


def cache_sizes(config: Any) -> tuple[list[int], int]:
    """The heads of each layer that keeps keys and values, and the size of one head.

    A configuration whose decoder has sizes of its own says them: `cache_sizes()`.
    """
    if hasattr(config, "cache_sizes"):
        return config.cache_sizes()
    return heads_per_layer(config), config.hidden_size // config.num_attention_heads


def room_in(config: Any, wanted: int) -> int:
    """Room for so many tokens in a cache.

    Raises:
        InputError: The model reads no sequences that long.
    """
    longest = getattr(config, "max_position_embeddings", None)  # relative positions know no longest sequence
    if longest is not None:
        check_room(wanted, longest)
    return wanted


def check_room(needed: int, room: int) -> None:
    """Refuse tokens for which a cache of fixed size has no room.

    Raises:
        InputError: There is none.
    """
    if needed > room:
        remedy = "Make a cache with more room, or one that grows."
        raise InputError(three_beats(f"{needed} tokens for a cache", f"at most {room}", remedy))
