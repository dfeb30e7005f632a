"""Prompts of models with an encoder: what it reads, and what the decoder starts with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..files.errors import InputError, three_beats
from .configuration import GenerationConfig
from .prompts import Reading, check_prompt, mask_of

#: Arguments of a call that are the encoder's alone; `encoder_outputs` is what it has read already.
OF_ENCODER = ("input_ids", "inputs_embeds", "attention_mask", "head_mask", "encoder_outputs")


def read_encoder_arguments(
    inputs: Any, arguments: Mapping[str, Any], config: GenerationConfig, backend: Any, vocabulary: int | None
) -> Reading:
    """Find what the encoder reads and what the decoder starts with among the arguments of a call.

    Args:
        inputs: What the encoder reads [B, S], or None if it is among the arguments.
        arguments: The model's own arguments.
        config: The call's options.
        backend: The framework.
        vocabulary: How many tokens there are, if that is known.

    Raises:
        InputError: What the encoder reads is given twice, or is empty, or nothing says what the decoder starts with.
    """
    rest = {name: value for name, value in arguments.items() if value is not None}
    if inputs is not None and "input_ids" in rest:
        raise InputError(three_beats("what to read as inputs and as input_ids", "one of them", "Leave one out."))
    if inputs is not None:
        rest["input_ids"] = inputs
    encoder = {name: rest.pop(name) for name in OF_ENCODER if name in rest}
    encoder = _checked(encoder, config, backend, vocabulary)
    batch = _batch(encoder)
    ids, mask = rest.pop("decoder_input_ids", None), rest.pop("decoder_attention_mask", None)
    mask = None if mask is None else backend.as_tokens(mask)
    start = _start(config, batch, backend)
    if ids is None:
        ids = start
    else:
        ids = backend.as_tokens(ids)
        check_prompt(ids, backend, vocabulary)
        if not bool(backend.ops.all(ids[:, :1] == start)):  # a decoder always begins with that token
            ids = backend.ops.concatenate([start, ids], 1)
            mask = None if mask is None else backend.ops.concatenate([mask[:, :1] * 0 + 1, mask], 1)
    rest = {name: backend.as_array(value) for name, value in rest.items()}
    return Reading(ids, mask, None, rest, encoder)


def _checked(encoder: dict[str, Any], config: GenerationConfig, backend: Any, vocabulary: int | None) -> dict[str, Any]:
    """What the encoder reads, as arrays, with its mask."""
    arrays = {name: backend.as_array(value) for name, value in encoder.items()}
    if "encoder_outputs" in arrays:
        states = arrays["encoder_outputs"]
        is_array = hasattr(states, "shape")
        arrays["encoder_outputs"] = states if is_array else states[0]
        arrays.pop("inputs_embeds", None)
    elif "inputs_embeds" not in arrays and "input_ids" not in arrays:
        if config.bos_token_id is None:
            found = "nothing for the encoder to read, and no bos_token_id to start from"
            raise InputError(three_beats(found, "one of them", "Give input_ids."))
        arrays["input_ids"] = backend.new_tokens(1, 1, config.bos_token_id)
    if "input_ids" in arrays:
        arrays["input_ids"] = backend.as_tokens(arrays["input_ids"])
        check_prompt(arrays["input_ids"], backend, vocabulary)
        if "attention_mask" not in arrays and (mask := mask_of(arrays["input_ids"], config)) is not None:
            arrays["attention_mask"] = mask
    if "attention_mask" in arrays:
        arrays["attention_mask"] = backend.as_tokens(arrays["attention_mask"])
    return arrays


def _batch(encoder: Mapping[str, Any]) -> int:
    read = next(encoder[name] for name in ("encoder_outputs", "input_ids", "inputs_embeds") if name in encoder)
    return read.shape[0]


def _start(config: GenerationConfig, batch: int, backend: Any) -> Any:
    """The token that each decoder begins with: [B, 1]."""
    start = config.bos_token_id if config.decoder_start_token_id is None else config.decoder_start_token_id
    if start is None:
        found = "neither a decoder_start_token_id nor a bos_token_id"
        raise InputError(three_beats(found, "what a decoder begins with", "Give decoder_start_token_id=..."))
    if not isinstance(start, (list, tuple)):
        return backend.new_tokens(batch, 1, int(start))
    if len(start) != batch:
        found = f"decoder_start_token_id for {len(start)} texts"
        raise InputError(three_beats(found, f"one for each of {batch}", "Give one for all, or one for each."))
    return backend.ops.concatenate([backend.new_tokens(1, 1, int(token)) for token in start], 0)
