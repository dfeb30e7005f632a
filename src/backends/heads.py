"""What the plain heads of the three frameworks share: their arguments are the backbone's and their labels."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..files.errors import ConfigurationError, three_beats

#: Arguments of a backbone that serve decoding, which a head that reads a whole sequence does not take.
DECODING = ("encoder_hidden_states", "encoder_attention_mask", "past_key_values", "use_cache", "cache_position")

#: Inputs with one entry for each position, which several choices come in as a further axis of.
PER_POSITION = ("input_ids", "attention_mask", "token_type_ids", "position_ids", "inputs_embeds")


def head_signature(
    call: Callable[..., Any],
    labels: Sequence[str],
    before: str,
    decoding: Sequence[str] = (),
    by_name: Sequence[str] = (),
    first: Sequence[str] = (),
) -> inspect.Signature:
    """The signature of a head's call.

    Args:
        call: The backbone's.
        labels: The head's own arguments.
        before: The argument of the backbone that they stand in front of.
        decoding: The arguments for decoding that it takes nevertheless.
        by_name: The arguments that it takes by name alone.
        first: The arguments that come first, in their order.
    """
    left_out = set(DECODING) - set(decoding)
    parameters = [one for name, one in inspect.signature(call).parameters.items() if name not in left_out]
    place = next(index for index, one in enumerate(parameters) if one.name == before)
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    own = [inspect.Parameter(name, kind, default=None, annotation=Any) for name in labels]
    every = [*parameters[:place], *own, *parameters[place:]]
    every = [one.replace(kind=one.KEYWORD_ONLY) if one.name in by_name else one for one in every]
    turns = {name: turn for turn, name in enumerate(("self", *first))}
    every.sort(key=lambda one: (one.kind, turns.get(one.name, len(turns))))
    return inspect.Signature(every, return_annotation=Any)


def named(signature: inspect.Signature, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a method's call by name, without the object itself.

    Raises:
        TypeError: One that the signature does not have, or one given twice.
    """
    names = list(signature.parameters)[1:]
    given = dict(zip(names, args, strict=False))
    unknown = [name for name in kwargs if name not in signature.parameters or name in given]
    if unknown or len(args) > len(names):
        what = f"got {unknown[0]!r}" if unknown else f"got {len(args)} positional arguments"
        raise TypeError(f"{what}; expected once each of: {', '.join(names)}.")
    return {**given, **kwargs}


def constructor_options(backbone: type) -> dict[str, bool]:
    """How a backbone is made without the pooler that its head does not read."""
    return (
        {"add_pooling_layer": False} if "add_pooling_layer" in inspect.signature(backbone.__init__).parameters else {}
    )


def call_options(call: Callable[..., Any], decoding: Sequence[str] = ()) -> dict[str, bool]:
    """How a backbone is called by a head that reads a whole sequence: it keeps nothing for a next call.

    Args:
        call: The backbone's.
        decoding: The arguments for decoding that the head takes; with `use_cache`, its caller decides.
    """
    is_asked = "use_cache" in inspect.signature(call).parameters and "use_cache" not in decoding
    return {"use_cache": False} if is_asked else {}


def leading_axes(input_ids: Any, inputs_embeds: Any, ops: Any) -> tuple[Any, ...]:
    """The sizes before that of the sequence: (B,), or (B, C) where there are choices."""
    return ops.shape(input_ids)[:-1] if input_ids is not None else ops.shape(inputs_embeds)[:-2]


def check_summary(config: Any) -> None:
    """Refuse a summary of a sequence that there is no way to make.

    Raises:
        ConfigurationError: It is one by attention, which 4.x names and never had.
    """
    if config.summary_type == "attn":
        found, expected = "summary_type 'attn'", "'cls_index', 'first', 'last' or 'mean'"
        raise ConfigurationError(three_beats(found, expected, "Correct the configuration."))


def summary_width(config: Any) -> int:
    """How many numbers the projection of a summary gives."""
    to_labels = getattr(config, "summary_proj_to_labels", False) and config.num_labels > 0
    return config.num_labels if to_labels else config.hidden_size
