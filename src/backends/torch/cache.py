"""The keys and values that a decoder keeps of the tokens it has read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self, TypeAlias

import torch
from torch import Tensor

from ...configuration import dtype_name
from ..cache import CacheBase, LayerCacheBase, cache_sizes, check_room

KeysAndValues: TypeAlias = tuple[Tensor, Tensor]


class _Room:
    """Buffers [B, N, room, H] for keys and values. Caches that branch off one another share one as long as they can.

    Attributes:
        filled: How many positions some cache has written: only the cache that ends there may write on.
        fixed: Whether the room may not grow.
    """

    def __init__(self, keys: Tensor, values: Tensor, filled: int, fixed: bool = False) -> None:
        self.buffers = keys, values
        self.filled = filled
        self.fixed = fixed

    @property
    def size(self) -> int:
        return self.buffers[0].shape[2]

    def takes(self, start: int, end: int) -> bool:
        """Whether positions can be written in place; never where gradients have to flow back to what was there."""
        if self.fixed:
            check_room(end, self.size)
            return True
        return start == self.filled and end <= self.size and not self.buffers[0].requires_grad

    def larger(self, kept: int, needed: int) -> _Room:
        """A room with what is kept of this one, and space for as much again."""
        keys, values = (_extended(buffer[:, :, :kept], max(needed, 2 * kept)) for buffer in self.buffers)
        return _Room(keys, values, kept)


def _extended(filled: Tensor, room: int) -> Tensor:
    batch, heads, kept, size = filled.shape
    buffer = filled.new_empty(batch, heads, room, size)
    buffer[:, :, :kept] = filled
    return buffer


class LayerCache(LayerCacheBase):
    """What one layer keeps: keys and values of the first `length` positions of a room, and the encoder's."""

    def __init__(self, room: _Room | None = None, length: int = 0) -> None:
        self._room = room
        self._encoder: KeysAndValues | None = None
        self.length = length

    def extend(self, keys: Tensor, values: Tensor) -> KeysAndValues:
        """Add keys and values [B, N, T, H] of new tokens; answers those of all, [B, N, S, H].

        Raises:
            InputError: There is no room for them.
        """
        start, end = self.length, self.length + keys.shape[2]
        self.length = end
        if self._room is None:
            self._room = _Room(keys, values, end)
            return keys, values
        if not self._room.takes(start, end) or keys.requires_grad:
            self._room = self._room.larger(start, end)
        for buffer, new in zip(self._room.buffers, (keys, values), strict=True):
            buffer[:, :, start:end] = new
        self._room.filled = end
        return self._own()

    def once(self, project: Callable[[], KeysAndValues]) -> KeysAndValues:
        """The encoder's keys and values: computed at the first call, kept for the next."""
        if self._encoder is None:
            self._encoder = project()
        return self._encoder

    def _own(self) -> KeysAndValues:
        assert self._room is not None
        keys, values = self._room.buffers
        return keys[:, :, : self.length], values[:, :, : self.length]

    def change(self, function: Callable[[Tensor], Tensor]) -> None:
        """Put something else in the place of every tensor, such as other rows of its batch."""
        if self._room is not None:
            keys, values = map(function, self._room.buffers)
            self._room = _Room(keys, values, self._room.filled, self._room.fixed)
        if self._encoder is not None:
            self._encoder = function(self._encoder[0]), function(self._encoder[1])

    def crop(self, length: int) -> None:
        """Forget the tokens after the first `length`."""
        self.length = min(self.length, length)

    def with_rows(self, rows: Tensor) -> Self:
        """Other rows of its own tokens; the encoder's stay. The room stays as large as it is."""
        layer = self.branch()
        if self._room is not None:
            buffers = [torch.empty_like(buffer) for buffer in self._room.buffers]
            for buffer, filled in zip(buffers, self._own(), strict=True):
                torch.index_select(filled, 0, rows, out=buffer[:, :, : self.length])
            layer._room = _Room(buffers[0], buffers[1], self.length, self._room.fixed)
        return layer

    def forget(self) -> None:
        """Start again; the room stays."""
        self.length, self._encoder = 0, None

    def tensors(self) -> tuple[Tensor, ...]:
        return (() if self._room is None else self._own()) + (self._encoder or ())

    @classmethod
    def holding(cls, tensors: Sequence[Tensor]) -> Self:
        keys, values, *encoder = tensors
        layer = cls(_Room(keys, values, keys.shape[2]), keys.shape[2])
        layer._encoder = (encoder[0], encoder[1]) if encoder else None
        return layer

    def branch(self) -> Self:
        layer = type(self)(self._room, self.length)
        layer._encoder = self._encoder
        return layer

    def capacity(self) -> int | None:
        return self._room.size if self._room is not None and self._room.fixed else None


class Cache(CacheBase):
    """The keys and values of every layer. A call of a model answers with a new one and leaves the old as it is."""

    layer_class = LayerCache

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, cache_kwargs: dict[str, Any] | None = None
    ) -> KeysAndValues:
        """Add keys and values [B, N, T, H] of new tokens to a layer; answers those of all, [B, N, S, H]."""
        self.layers.extend(LayerCache() for _ in range(layer_idx + 1 - len(self.layers)))
        return self.layers[layer_idx].extend(key_states, value_states)

    def reorder_cache(self, beam_idx: Tensor) -> None:
        """Take other rows of the batch: [B] indices."""
        self.batch_select_indices(beam_idx)

    def batch_select_indices(self, indices: Tensor) -> None:
        """Take other rows of the batch: [B] indices."""
        for layer in self.layers:
            layer.change(lambda tensor: tensor.index_select(0, indices.to(tensor.device)))

    def batch_repeat_interleave(self, repeats: int) -> None:
        """Repeat every row of the batch."""
        for layer in self.layers:
            layer.change(lambda tensor: tensor.repeat_interleave(repeats, 0))

    def repeated(self, times: int) -> Cache:
        """A cache with every row several times, its copies beside it."""
        cache = Cache(layer.branch() for layer in self.layers)
        cache.batch_repeat_interleave(times)
        return cache

    def selected(self, rows: Tensor) -> Cache:
        """A cache of some rows."""
        cache = Cache(layer.branch() for layer in self.layers)
        cache.batch_select_indices(rows)
        return cache

    def cropped(self, length: int) -> Cache:
        """A cache of the first tokens."""
        cache = Cache(layer.branch() for layer in self.layers)
        cache.crop(length)
        return cache

    def reordered(self, rows: Tensor) -> Cache:
        """A cache with the rows [B] of the decoder's tokens; each must have the same encoder as the row it replaces."""
        if torch.equal(rows, torch.arange(len(rows), device=rows.device)):
            return self
        return Cache(layer.with_rows(rows) for layer in self.layers)

    def crop(self, max_length: int) -> None:
        """Forget the tokens after the first `max_length`; the last ones, as many as it says, if it is negative."""
        for layer in self.layers:
            layer.crop(max_length if max_length >= 0 else max(layer.length + max_length, 0))

    def batch_split(self, full_batch_size: int, split_size: int) -> list[Cache]:
        """Caches of `split_size` rows each."""
        starts = range(0, full_batch_size, split_size)
        return [
            self.from_legacy_cache(
                tuple(tuple(tensor[start : start + split_size] for tensor in layer) for layer in self)
            )
            for start in starts
        ]

    @classmethod
    def from_batch_splits(cls, splits: Sequence[Cache]) -> Self:
        """The inverse of `batch_split`."""
        layers = zip(*splits, strict=True)
        return cls.from_legacy_cache(
            tuple(tuple(torch.cat(tensors) for tensors in zip(*parts, strict=True)) for parts in layers)
        )

    def reset(self) -> None:
        """Forget every token; the room stays."""
        for layer in self.layers:
            layer.forget()


class DynamicCache(Cache):
    """A cache to which every call adds that it is given to, as those of 4.x; its room grows."""

    def branch(self) -> Self:
        return self


class StaticCache(DynamicCache):
    """A cache to which every call adds that it is given to, with all its room from the start.

    Args:
        config: The model's configuration: its layers, heads and sizes.
        max_batch_size: B.
        max_cache_len: Tokens to make room for; the model's longest sequence if None.
        device: Where.
        dtype: The type of keys and values.
    """

    def __init__(
        self,
        config: Any,
        max_batch_size: int,
        max_cache_len: int | None = None,
        device: Any = None,
        dtype: Any = torch.float32,
    ) -> None:
        layers, size = cache_sizes(config)
        room = config.max_position_embeddings if max_cache_len is None else max_cache_len
        dtype = getattr(torch, dtype_name(dtype) or "float32")

        def buffer(heads: int) -> Tensor:
            return torch.zeros(max_batch_size, heads, room, size, device=device, dtype=dtype)

        super().__init__(LayerCache(_Room(buffer(heads), buffer(heads), 0, fixed=True)) for heads in layers)


class EncoderDecoderCache(DynamicCache):
    """One cache from two: the decoder's own keys and values, and those it took from the encoder."""

    def __init__(self, self_attention_cache: Cache, cross_attention_cache: Cache) -> None:
        pairs = zip(self_attention_cache, cross_attention_cache, strict=True)
        super().__init__(LayerCache.holding((*own, *encoder)) for own, encoder in pairs)

    def crop(self, maximum_length: int) -> None:
        """Forget the tokens after the first `maximum_length`; the encoder's stay."""
        super().crop(maximum_length)
