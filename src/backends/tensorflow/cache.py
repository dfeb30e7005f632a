"""The keys and values that a decoder keeps of the tokens it has read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self, TypeAlias, cast

import optree
import tensorflow as tf

from ...configuration import dtype_name
from ..cache import CacheBase, LayerCacheBase, cache_sizes, room_in
from . import ops
from .checks import check_room, known

KeysAndValues: TypeAlias = tuple[tf.Tensor, tf.Tensor]


class LayerCache(LayerCacheBase):
    """What one layer keeps: keys and values of its own tokens, and the encoder's.

    Args:
        own: [B, N, S, H] each.
        filled: How many positions of them are there; None if all are, and the tensors grow with every call.
        encoder: The same of the encoder that the layer attends to.
    """

    def __init__(
        self, own: KeysAndValues | None = None, filled: tf.Tensor | None = None, encoder: KeysAndValues | None = None
    ) -> None:
        self._own = own
        self._filled = filled
        self._encoder = encoder

    @property
    def length(self) -> Any:
        """How many tokens have been read; a tensor where the graph does not know."""
        if self._filled is not None:
            return self._filled
        return 0 if self._own is None else ops.shape(self._own[0])[2]

    def extend(self, keys: tf.Tensor, values: tf.Tensor) -> KeysAndValues:
        """Add keys and values [B, N, T, H] of new tokens; answers those of all, [B, N, S, H].

        Raises:
            InputError: There is no room for them.
        """
        if self._own is None:
            self._own = keys, values
        elif self._filled is None:
            self._own = tf.concat((self._own[0], keys), 2), tf.concat((self._own[1], values), 2)
        else:
            start = self._filled
            self._filled = start + ops.shape(keys)[2]
            check_room(self._filled, ops.shape(self._own[0])[2])
            self._own = _written(self._own[0], keys, start), _written(self._own[1], values, start)
        return self._own

    def once(self, project: Callable[[], KeysAndValues]) -> KeysAndValues:
        """The encoder's keys and values: computed at the first call, kept for the next."""
        if self._encoder is None:
            self._encoder = project()
        return self._encoder

    def parts(self) -> dict[str, Any]:
        """The constructor's arguments, as far as there are any."""
        parts = {"own": self._own, "filled": self._filled, "encoder": self._encoder}
        return {name: part for name, part in parts.items() if part is not None}

    def tensors(self) -> tuple[tf.Tensor, ...]:
        own: tuple[Any, ...] = self._own or ()
        if self._filled is not None and (filled := known(self._filled)) is not None:
            own = tuple(buffer[:, :, :filled] for buffer in own)
        return own + (self._encoder or ())

    @classmethod
    def holding(cls, tensors: Sequence[tf.Tensor]) -> Self:
        keys, values, *encoder = map(tf.convert_to_tensor, tensors)
        return cls((keys, values), encoder=(encoder[0], encoder[1]) if encoder else None)

    def branch(self) -> Self:
        return type(self)(**self.parts())

    def change(self, function: Callable[[tf.Tensor], tf.Tensor], with_encoder: bool) -> Self:
        """Something else in the place of every tensor, such as other rows of its batch."""
        own, encoder = (
            None if pair is None else (function(pair[0]), function(pair[1])) for pair in (self._own, self._encoder)
        )
        return type(self)(own, self._filled, encoder if with_encoder else self._encoder)

    def with_room(self, room: int) -> Self:
        """The same with room for `room` tokens; what has more keeps it."""
        if self._own is None or ops.shape(self._own[0])[2] >= room:
            return self
        width = ((0, 0), (0, 0), (0, room - ops.shape(self._own[0])[2]), (0, 0))
        own = tf.pad(self._own[0], width), tf.pad(self._own[1], width)
        filled = tf.convert_to_tensor(self.length, tf.int32)
        return type(self)(own, filled, self._encoder)

    def cropped(self, length: int | tf.Tensor) -> Self:
        """Its first tokens; a room stays as large as it is."""
        if self._filled is None and self._own is not None:
            return type(self)((self._own[0][:, :, :length], self._own[1][:, :, :length]), None, self._encoder)
        return type(self)(self._own, tf.convert_to_tensor(length, tf.int32), self._encoder)

    def capacity(self) -> int | None:
        return None if self._filled is None or self._own is None else self._own[0].shape[2]


def _written(buffer: tf.Tensor, new: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
    """A buffer [B, N, S, H] with new positions [B, N, T, H] from `start` on; no shape depends on a value."""
    new = tf.cast(new, buffer.dtype)
    order = tf.range(ops.shape(buffer)[2]) - start  # which of the new positions belongs in each place
    last = ops.shape(new)[2] - 1
    is_new = (order >= 0) & (order <= last)
    return tf.where(is_new[:, None], tf.gather(new, tf.clip_by_value(order, 0, last), axis=2), buffer)


class Cache(CacheBase):
    """The keys and values of every layer. A call of a model answers with a new one and leaves the old as it is.

    One that grows changes its shapes with every call. One with all its room from the start (`preallocated`) keeps them,
    so that a `tf.function` is traced once, and a `tf.while_loop` can carry it, under XLA too.
    """

    layer_class = LayerCache

    @classmethod
    def preallocated(cls, config: Any, batch: int, room: int, dtype: Any = "float32") -> Self:
        """A cache with room for `room` tokens of each of `batch` sequences.

        Raises:
            InputError: The model reads no sequences that long.
        """
        layers, size = cache_sizes(config)
        shape, kind = (room_in(config, room), size), dtype_name(dtype) or "float32"

        def buffer(heads: int) -> tf.Tensor:
            return tf.zeros((batch, heads, *shape), kind)

        nothing = tf.constant(0, tf.int32)
        return cls(LayerCache((buffer(heads), buffer(heads)), nothing) for heads in layers)

    def with_room(self, room: int) -> Self:
        """A cache of the same tokens with room for `room`."""
        return type(self)(layer.with_room(room) for layer in self.layers)

    def cropped(self, length: int | tf.Tensor) -> Self:
        """A cache of the first tokens."""
        return type(self)(layer.cropped(length) for layer in self.layers)

    def repeated(self, times: int) -> Self:
        """A cache with every row several times, its copies beside it."""
        return type(self)(layer.change(lambda array: tf.repeat(array, times, 0), True) for layer in self.layers)

    def selected(self, rows: tf.Tensor) -> Self:
        """A cache of some rows."""
        return type(self)(layer.change(lambda array: tf.gather(array, rows), True) for layer in self.layers)

    def reordered(self, rows: tf.Tensor) -> Self:
        """A cache with the rows [B] of the decoder's tokens; each must have the same encoder as the row it replaces."""
        return type(self)(layer.change(lambda array: tf.gather(array, rows), False) for layer in self.layers)

    def reach(self, new: Any) -> Any:
        room = self.get_max_cache_shape()
        return super().reach(new) if room is None else room

    def __tf_flatten__(self) -> tuple[Any, tuple[Any, ...]]:
        """What each layer has, and the tensors: so `tf.nest`, `tf.function` and `tf.while_loop` look into a cache."""
        parts = [layer.parts() for layer in self.layers]
        return tuple(tuple(part) for part in parts), tuple(value for part in parts for value in part.values())

    @classmethod
    def __tf_unflatten__(cls, metadata: Any, components: tuple[Any, ...]) -> Self:
        """The inverse of `__tf_flatten__`."""
        rest = iter(components)
        return cls(LayerCache(**{name: next(rest) for name in names}) for names in metadata)


def _flatten(cache: Any) -> tuple[tuple[Any, ...], Any]:
    metadata, components = cast(Cache, cache).__tf_flatten__()
    return components, metadata


def _unflatten(metadata: Any, components: Any) -> Any:
    return Cache.__tf_unflatten__(metadata, tuple(components))


# Keras converts the tensors of a cache, and joins those of `predict`, as it does with a dict's
optree.register_pytree_node(Cache, _flatten, _unflatten, namespace="keras")
