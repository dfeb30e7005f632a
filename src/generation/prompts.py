"""From the arguments of `generate` to what a search reads: the prompt, its mask, and how long all may become."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..files.errors import InputError, three_beats
from .configuration import DEFAULTS, GenerationConfig

logger = logging.getLogger(__name__)

#: Lengths are rounded up to a power of two, or one and a half times one, so that few programs serve all lengths.
SMALLEST_BUCKET = 16


@dataclass
class Reading:
    """What a search reads first, as arrays with one row for each prompt.

    Attributes:
        ids: [B, P] the tokens; none where embeddings stand for them.
        mask: [B, E] of the positions read; None if all count.
        embeddings: [B, E, D] what is read instead of the tokens.
        constants: Further arguments of the model's calls.
        encoder: What an encoder reads, by the names of its arguments; then the tokens are the decoder's.
    """

    ids: Any
    mask: Any
    embeddings: Any
    constants: dict[str, Any]
    encoder: dict[str, Any] = field(default_factory=dict)

    @property
    def length(self) -> int:
        """How many tokens each prompt has."""
        return self.ids.shape[1]

    @property
    def positions(self) -> int:
        """How many positions the prompt takes."""
        return self.length if self.embeddings is None else self.embeddings.shape[1]


def read_arguments(
    inputs: Any, arguments: Mapping[str, Any], config: GenerationConfig, backend: Any, vocabulary: int | None
) -> Reading:
    """Find the prompt among the arguments of a call.

    Args:
        inputs: The prompt's tokens [B, P]; None if they are among the arguments, or there is no prompt.
        arguments: The model's own arguments.
        config: The call's options.
        backend: The framework.
        vocabulary: How many tokens there are, if that is known.

    Raises:
        InputError: The prompt is given twice, is empty, or has a wrong shape.
    """
    rest = {name: value for name, value in arguments.items() if value is not None}
    if inputs is not None and "input_ids" in rest:
        raise InputError(three_beats("the prompt as inputs and as input_ids", "one of them", "Leave one out."))
    inputs = rest.pop("input_ids", None) if inputs is None else inputs
    embeddings = rest.pop("inputs_embeds", None)
    mask = rest.pop("attention_mask", None)
    rest = {name: backend.as_array(value) for name, value in rest.items()}
    if embeddings is not None:
        embeddings = backend.as_array(embeddings)
    if inputs is None:
        ids = _without_tokens(embeddings, rest, config, backend)
    else:
        ids = backend.as_tokens(inputs)
        check_prompt(ids, backend, vocabulary)
    mask = mask_of(ids, config) if mask is None and embeddings is None else mask
    mask = None if mask is None else backend.as_tokens(mask)
    if mask is not None and backend.is_known(mask) and bool(backend.ops.all(mask == 1)):
        mask = None
    return Reading(ids, mask, embeddings, rest)


def tokens_alone(reading: Reading) -> Reading:
    """A prompt as a model reads it that `generate` tells nothing but tokens.

    Raises:
        InputError: It has no tokens.
    """
    if reading.embeddings is not None:
        remedy = "Give input_ids, or call the model itself."
        raise InputError(three_beats("inputs_embeds", "tokens: as in 4.53.3, this class reads no other", remedy))
    if reading.mask is not None:
        logger.warning("As in 4.53.3, this class takes no notice of padding when it writes: its prompts have some.")
    return Reading(reading.ids, None, None, {})


def check_prompt(ids: Any, backend: Any, vocabulary: int | None) -> None:
    """Refuse tokens that are no prompt.

    Raises:
        InputError: There are none, they are not [B, P], or the vocabulary does not have them.
    """
    if len(ids.shape) == 2 and ids.shape[1] == 0:
        found = f"a prompt of shape {list(ids.shape)}"
        raise InputError(three_beats(found, "at least one token", "Leave the prompt out to start from bos_token_id."))
    backend.check_tokens(ids, vocabulary)


def _without_tokens(embeddings: Any, rest: Mapping[str, Any], config: GenerationConfig, backend: Any) -> Any:
    """The tokens of a prompt that has none: nothing beside embeddings, else the one that a text begins with."""
    if embeddings is not None:
        return backend.new_tokens(embeddings.shape[0], 0, 0)
    start = config.bos_token_id
    if start is None:
        found = "no prompt, and no bos_token_id to start from"
        raise InputError(three_beats(found, "one of them", "Give input_ids, or bos_token_id=..."))
    batch = next((value.shape[0] for value in rest.values() if getattr(value, "shape", ())), 1)
    return backend.new_tokens(batch, 1, start)


def mask_of(ids: Any, config: GenerationConfig) -> Any:
    """The mask of prompts that come without one: padding tokens are padding, unless they end texts too."""
    pad, ends = config.pad_token_id, eos_tokens(config)
    if pad is None or pad in ends:
        return None
    return ids != pad


def eos_tokens(config: GenerationConfig) -> tuple[int, ...]:
    """The tokens that end a text."""
    ends = config.eos_token_id
    if ends is None:
        return ()
    return tuple(int(token) for token in (ends if isinstance(ends, (list, tuple)) else [ends]))


def longest(config: GenerationConfig, reading: Reading, positions: int | None) -> int:
    """The most tokens that the answer may have, prompt included.

    Args:
        config: The call's options.
        reading: The prompt.
        positions: How many positions the model has, None if any number.

    Raises:
        InputError: There is no room for a single new token.
    """
    length, offset = reading.length, reading.positions - reading.length
    most: int = DEFAULTS["max_length"] if config.max_length is None else config.max_length
    if config.max_new_tokens is not None:
        wanted = length + config.max_new_tokens
    elif offset:
        wanted = most - reading.positions
    elif most == DEFAULTS["max_length"]:
        wanted = length + most
    else:
        wanted = most
    if wanted <= length:
        found = f"a prompt of {length} tokens with max_length={config.max_length}"
        raise InputError(three_beats(found, "room for a new token", "Give max_new_tokens, or a larger max_length."))
    if positions is None:
        return wanted
    if reading.positions >= positions:
        found = f"a prompt of {reading.positions} tokens"
        remedy = "Cut its beginning off: ids[:, -n:]."
        raise InputError(three_beats(found, f"fewer than the {positions} positions of the model", remedy))
    if wanted + offset > positions:
        logger.warning("The model has %d positions: texts end there, before %d tokens.", positions, wanted)
    return min(wanted, positions - offset)


def bucket(length: int) -> int:
    """A length, rounded up."""
    size = SMALLEST_BUCKET
    while size < length:
        size = size * 3 // 2 if size & (size - 1) == 0 else size * 4 // 3
    return size


@dataclass(frozen=True)
class Sizes:
    """The sizes of a search's arrays.

    Attributes:
        width: Columns that the first call reads.
        steps: The most tokens that are added.
        tokens: L, columns for prompt and new tokens.
        room: S, positions of a cache of fixed size.
        encoder: Columns that an encoder reads, 0 for as many as it is given.
    """

    width: int
    steps: int
    tokens: int
    room: int
    encoder: int = 0

    @classmethod
    def of(cls, reading: Reading, max_length: int, positions: int | None, rounded: bool) -> Sizes:
        """The sizes for a prompt.

        Args:
            reading: The prompt.
            max_length: The most tokens of a text.
            positions: How many positions the model has, None if any number.
            rounded: Whether lengths are rounded up, for one program to serve several.
        """
        length, offset = reading.length, reading.positions - reading.length
        if not rounded:
            return cls(length, max_length - length, max_length, max_length + offset)
        most = positions or bucket(length) + bucket(max_length - length)
        width, steps = min(bucket(length), most), min(bucket(max_length - length), most)
        tokens = min(width + steps, most)
        return cls(width, steps, tokens, tokens + offset, _encoder_width(reading, positions))


def _encoder_width(reading: Reading, positions: int | None) -> int:
    """Columns of an encoder's tokens, rounded up; 0 where it reads something else."""
    if "encoder_outputs" in reading.encoder or "input_ids" not in reading.encoder:
        return 0
    columns = reading.encoder["input_ids"].shape[1]
    return bucket(columns) if positions is None else max(columns, min(bucket(columns), positions))


def lay_out(reading: Reading, sizes: Sizes, fill: int, follows_mask: bool, ops: Any) -> dict[str, Any]:
    """The prompt in arrays with room for what is to come.

    Args:
        reading: The prompt.
        sizes: Their sizes.
        fill: The token in places that are not filled.
        follows_mask: Whether positions count from the first token that the mask lets be seen.
        ops: The framework's array operations.
    """
    ids, offset = reading.ids, sizes.room - sizes.tokens
    arrays = {**reading.constants, "ids": _widened(ids, sizes.tokens, fill, ops)}
    if reading.encoder:
        arrays["encoder"] = _encoder_laid_out(reading.encoder, sizes.encoder, fill, ops)
    if reading.embeddings is not None:
        arrays["embeddings"] = reading.embeddings
    if (types := arrays.pop("token_type_ids", None)) is not None:
        arrays["token_types"] = _widened(types, sizes.width, 0, ops)
    positions = arrays.pop("position_ids", None)
    if reading.mask is not None:
        arrays["mask"] = mask = _widened(reading.mask, sizes.room, 1, ops)
        if positions is None and follows_mask:
            read = mask[:, : sizes.width + offset]
            positions = ops.where(read == 0, ops.full((), 1, read), ops.cumsum(read) - 1)
    if positions is not None:
        arrays["positions"] = _widened(positions, sizes.width + offset, 0, ops)
    return arrays


def _encoder_laid_out(encoder: Mapping[str, Any], width: int, fill: int, ops: Any) -> dict[str, Any]:
    """What an encoder reads, in as many columns; 0 for as many as there are."""
    if not width:
        return dict(encoder)
    ids = encoder["input_ids"]
    mask = encoder["attention_mask"] if "attention_mask" in encoder else ops.full(ids.shape, 1, ids)
    return {**encoder, "input_ids": _widened(ids, width, fill, ops), "attention_mask": _widened(mask, width, 0, ops)}


def _widened(array: Any, width: int, fill: int, ops: Any) -> Any:
    """An array [B, P] with more columns."""
    rows, columns = array.shape
    if columns >= width:
        return array
    return ops.concatenate([array, ops.full((rows, width - columns), fill, array)], 1)
