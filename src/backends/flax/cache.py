"""The keys and values that a decoder keeps of the tokens it has read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self, TypeAlias

import jax
import jax.numpy as jnp
from jax import Array, lax

from ..cache import CacheBase, LayerCacheBase, cache_sizes, check_room, room_in
from .checks import known

KeysAndValues: TypeAlias = tuple[Array, Array]


class LayerCache(LayerCacheBase):
    """What one layer keeps: keys and values of its own tokens, and the encoder's.

    Args:
        own: [B, N, S, H] each.
        filled: How many positions of them are there; None if all are, and the arrays grow with every call.
        encoder: The same of the encoder that the layer attends to.
    """

    def __init__(
        self, own: KeysAndValues | None = None, filled: Array | None = None, encoder: KeysAndValues | None = None
    ) -> None:
        self._own = own
        self._filled = filled
        self._encoder = encoder

    @property
    def length(self) -> Any:
        """How many tokens have been read."""
        if self._filled is not None:
            return self._filled
        return 0 if self._own is None else self._own[0].shape[2]

    def extend(self, keys: Array, values: Array) -> KeysAndValues:
        """Add keys and values [B, N, T, H] of new tokens; answers those of all, [B, N, S, H].

        Raises:
            InputError: There is no room for them.
        """
        if self._own is None:
            self._own = keys, values
        elif self._filled is None:
            self._own = (
                jnp.concatenate((self._own[0], keys), axis=2),
                jnp.concatenate((self._own[1], values), axis=2),
            )
        else:
            start, end = self._filled, self._filled + keys.shape[2]
            if known(end):
                check_room(int(end), self._own[0].shape[2])
            self._own = _written(self._own[0], keys, start), _written(self._own[1], values, start)
            self._filled = end
        return self._own

    def once(self, project: Callable[[], KeysAndValues]) -> KeysAndValues:
        """The encoder's keys and values: computed at the first call, kept for the next."""
        if self._encoder is None:
            self._encoder = project()
        return self._encoder

    def parts(self) -> tuple[KeysAndValues | None, Array | None, KeysAndValues | None]:
        """The constructor's arguments."""
        return self._own, self._filled, self._encoder

    def tensors(self) -> tuple[Array, ...]:
        own = self._own or ()
        if self._filled is not None and known(self._filled):
            own = tuple(buffer[:, :, : int(self._filled)] for buffer in own)
        return tuple(own) + tuple(self._encoder or ())

    @classmethod
    def holding(cls, tensors: Sequence[Array]) -> Self:
        keys, values, *encoder = map(jnp.asarray, tensors)
        return cls((keys, values), encoder=(encoder[0], encoder[1]) if encoder else None)

    def branch(self) -> Self:
        return type(self)(*self.parts())

    def change(self, function: Callable[[Array], Array], with_encoder: bool) -> Self:
        """Something else in the place of every array, such as other rows of its batch."""
        own, encoder = (
            None if pair is None else (function(pair[0]), function(pair[1])) for pair in (self._own, self._encoder)
        )
        return type(self)(own, self._filled, encoder if with_encoder else self._encoder)

    def with_room(self, room: int) -> Self:
        """The same with room for `room` tokens; what has more keeps it."""
        if self._own is None or self._own[0].shape[2] >= room:
            return self
        width = ((0, 0), (0, 0), (0, room - self._own[0].shape[2]), (0, 0))
        own = jnp.pad(self._own[0], width), jnp.pad(self._own[1], width)
        filled = jnp.asarray(self.length, jnp.int32)
        return type(self)(own, filled, self._encoder)

    def cropped(self, length: int | Array) -> Self:
        """Its first tokens; a room stays as large as it is."""
        if self._filled is None and self._own is not None:
            return type(self)((self._own[0][:, :, :length], self._own[1][:, :, :length]), None, self._encoder)
        return type(self)(self._own, jnp.asarray(length, jnp.int32), self._encoder)

    def capacity(self) -> int | None:
        return None if self._filled is None or self._own is None else self._own[0].shape[2]


def _written(buffer: Array, new: Array, start: Array) -> Array:
    """A buffer [B, N, S, H] with new positions [B, N, T, H] from `start` on."""
    return lax.dynamic_update_slice_in_dim(buffer, new.astype(buffer.dtype), start, axis=2)


class Cache(CacheBase):
    """The keys and values of every layer. A call of a model answers with a new one and leaves the old as it is.

    One that grows changes its shapes with every call. One with all its room from the start (`preallocated`) keeps them,
    so that a second call of the same shape compiles nothing.
    """

    layer_class = LayerCache

    @classmethod
    def preallocated(cls, config: Any, batch: int, room: int, dtype: Any = jnp.float32) -> Self:
        """A cache with room for `room` tokens of each of `batch` sequences.

        Raises:
            InputError: The model reads no sequences that long.
        """
        layers, size = cache_sizes(config)
        shape = room_in(config, room), size

        def buffer(heads: int) -> Array:
            return jnp.zeros((batch, heads, *shape), dtype)

        nothing = jnp.zeros((), jnp.int32)
        return cls(LayerCache((buffer(heads), buffer(heads)), nothing) for heads in layers)

    def with_room(self, room: int) -> Self:
        """A cache of the same tokens with room for `room`."""
        return type(self)(layer.with_room(room) for layer in self.layers)

    def cropped(self, length: int | Array) -> Self:
        """A cache of the first tokens."""
        return type(self)(layer.cropped(length) for layer in self.layers)

    def repeated(self, times: int) -> Self:
        """A cache with every row several times, its copies beside it."""
        return type(self)(layer.change(lambda array: jnp.repeat(array, times, 0), True) for layer in self.layers)

    def selected(self, rows: Array) -> Self:
        """A cache of some rows."""
        return type(self)(layer.change(lambda array: jnp.take(array, rows, 0), True) for layer in self.layers)

    def reordered(self, rows: Array) -> Self:
        """A cache with the rows [B] of the decoder's tokens; each must have the same encoder as the row it replaces."""
        return type(self)(layer.change(lambda array: jnp.take(array, rows, 0), False) for layer in self.layers)

    def reach(self, new: int) -> int:
        room = self.get_max_cache_shape()
        return super().reach(new) if room is None else room


jax.tree_util.register_pytree_node(
    Cache,
    lambda cache: (tuple(layer.parts() for layer in cache.layers), None),
    lambda _, parts: Cache(LayerCache(*part) for part in parts),
)
