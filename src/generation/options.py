"""What one call of `generate` may be given: options, arguments of the model, and what is left out here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..fields import short
from ..files.errors import InputError, closest, three_beats
from .configuration import DEFAULTS, GenerationConfig

#: Options of 4.x that are left out here -> the values that do not ask for it, and what to do instead.
LEFT_OUT: Mapping[str, tuple[tuple[Any, ...], str]] = {
    "watermarking_config": ((None,), "No watermark is written here: hand your own logits_processor for one."),
    "dola_layers": ((None,), "DoLa's contrast of layers is not here: choose another search."),
    "prompt_lookup_num_tokens": ((None,), "Drafts are not looked up in the prompt here: hand an assistant_model."),
    "assistant_early_exit": ((None,), "A model does not draft for itself here: hand an assistant_model."),
    "token_healing": ((None, False), "Prompts are not re-tokenized here: end them between two words."),
    "prefill_chunk_size": ((None,), "A prompt is read in one piece here: give fewer or shorter prompts at a time."),
    "cache_implementation": (
        (None, "static", "dynamic"),
        "Caches are neither quantized nor moved off the device here: leave it out.",
    ),
    "cache_config": ((None,), "A cache is as large as the call needs here: leave it out."),
    "compile_config": ((None,), "Call torch.compile(model) instead."),
}


def split_arguments(
    kwargs: Mapping[str, Any], config: GenerationConfig, model_arguments: Collection[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split the keyword arguments of a call into options and arguments of the model.

    Args:
        kwargs: The keyword arguments that `generate` does not name itself.
        config: The options that the call starts from; what its file holds beside the usual ones is an option too.
        model_arguments: The names of the model's arguments, those of its encoder too.

    Raises:
        InputError: A name that is neither; the message offers the nearest.
    """
    options = {*DEFAULTS, *(name for name in vars(config) if not name.startswith("_"))}
    for name in kwargs:
        if name not in options and name not in model_arguments:
            raise _unknown(name, {*options, *model_arguments})
    chosen = {name: value for name, value in kwargs.items() if name in options}
    return chosen, {name: value for name, value in kwargs.items() if name not in options}


def refuse_left_out(config: GenerationConfig) -> None:
    """Refuse options that ask for what is left out here, before anything is computed.

    Raises:
        InputError: One is set.
    """
    for name, (harmless, remedy) in LEFT_OUT.items():
        value = getattr(config, name)
        if not any(value is usual or value == usual for usual in harmless):
            raise InputError(three_beats(f"generate has {name}={short(value)}", "it to be left out", remedy))


def _unknown(name: str, known: Collection[str]) -> InputError:
    near = closest(name, known)
    offer = f", such as {', '.join(near)}" if near else ""
    return InputError(
        three_beats(
            f"generate got {name!r}", f"a generation option or an argument of the model{offer}", "Correct the spelling."
        )
    )
