"""Which framework's arrays a rule was given, and the little that rules ask of token ids and lengths."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ..files.errors import InputError, three_beats

#: The top-level module that an array's type comes from -> the room with its operations.
ROOMS = {"torch": "torch", "tensorflow": "tensorflow", "jax": "flax", "jaxlib": "flax"}


def ops_of(array: Any) -> Any:
    """The operations of the framework that an array belongs to, traced or not.

    Raises:
        InputError: It is no array of a framework.
    """
    for base in type(array).__mro__:
        room = ROOMS.get(base.__module__.partition(".")[0])
        if room is not None:
            return importlib.import_module(f"triformers.backends.{room}.ops")
    raise InputError(
        three_beats(
            f"scores or ids are a {type(array).__module__}.{type(array).__qualname__}",
            "a PyTorch or TensorFlow tensor or a JAX array",
            "Convert them first: torch.tensor(x), tf.constant(x) or jnp.asarray(x).",
        )
    )


def is_number(value: Any) -> bool:
    """Whether a value is a whole number that Python knows, not a traced one."""
    return isinstance(value, (int, np.integer))


def whole(value: Any, ops: Any) -> Any:
    """A length or a position: a Python int, or an int32 scalar where its value is traced."""
    return int(value) if is_number(value) else ops.cast(value, "int32")


def length_of(input_ids: Any, cur_len: Any, ops: Any) -> Any:
    """How many tokens each row has: `cur_len`, or all of [B, L]."""
    return whole(ops.shape(input_ids)[1] if cur_len is None else cur_len, ops)


def positions_of(input_ids: Any, ops: Any) -> Any:
    """0, 1, 2, ... for the columns of [B, L]: int32 [L]."""
    return ops.cast(ops.arange(ops.shape(input_ids)[1], input_ids), "int32")


def last_tokens(input_ids: Any, length: Any, count: int, ops: Any) -> Any:
    """The last `count` of the first `length` tokens: [B, L] -> [B, count]; where there are fewer, the first repeats."""
    columns = ops.cast(ops.arange(count, input_ids), "int32") + (length - count)
    return ops.take_columns(input_ids, ops.maximum(columns, 0))


def token_ids(option: str, value: Any) -> tuple[int, ...]:
    """One token id or several, as a tuple.

    Args:
        option: What the user knows the value as.
        value: A number, a list, or an array of any framework.

    Raises:
        InputError: Something else.
    """
    if hasattr(value, "numpy") and not hasattr(value, "tolist"):  # a TensorFlow tensor
        value = value.numpy()
    listed = value.tolist() if hasattr(value, "tolist") else value
    ids = (listed,) if isinstance(listed, int) else listed
    if not isinstance(ids, (list, tuple, set, frozenset, range)) or not all(map(is_number, ids)):
        found = f"`{option}` is {str(value)[:60]}"
        raise InputError(three_beats(found, "a token id or a list of them", "Hand whole numbers."))
    return tuple(int(token) for token in ids)


def token_mask(tokens: tuple[int, ...], size: int) -> np.ndarray:
    """Which of the vocabulary's tokens are listed: [size], true or false. Ids beyond it name no token."""
    mask = np.zeros(size, bool)
    mask[[token for token in tokens if 0 <= token < size]] = True
    return mask


def as_numpy(array: Any) -> np.ndarray:
    """The values of an array of any framework."""
    return np.asarray(array.detach().cpu() if hasattr(array, "detach") else array)


def as_framework(array: np.ndarray, like: Any) -> Any:
    """A NumPy array as one of the framework, and where, another is."""
    return array if isinstance(like, np.ndarray) else ops_of(like).constant(array, like)
