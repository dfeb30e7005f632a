"""What must hold between the options of a `GenerationConfig`: what is an error, and what is only unwise."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ..fields import admits, describe, short
from ..files.errors import ConfigurationError, three_beats

if TYPE_CHECKING:
    from .configuration import GenerationConfig

logger = logging.getLogger(__name__)

#: The kinds of cache that 4.x knows, and those of them that take options.
CACHES = (
    "static", "offloaded_static", "sliding_window", "hybrid", "hybrid_chunked", "offloaded_hybrid",
    "offloaded_hybrid_chunked", "mamba", "quantized", "offloaded", "dynamic",
)  # fmt: skip
CACHES_WITH_OPTIONS = ("quantized", "static")

#: What only sampling uses -> the value that leaves it out.
SAMPLING: Mapping[str, Any] = {
    "temperature": 1.0, "top_p": 1.0, "min_p": None, "typical_p": 1.0, "epsilon_cutoff": 0.0, "eta_cutoff": 0.0,
}  # fmt: skip

#: What only searches with beams use -> the value that leaves it out.
BEAMS: Mapping[str, Any] = {
    "early_stopping": False, "num_beam_groups": 1, "diversity_penalty": 0.0, "length_penalty": 1.0, "constraints": None,
}  # fmt: skip

#: Arguments of `generate` that are no options.
CALL_ONLY = (
    "logits_processor", "stopping_criteria", "prefix_allowed_tokens_fn", "synced_gpus", "assistant_model", "streamer",
    "negative_prompt_ids", "negative_prompt_attention_mask", "use_model_defaults",
)  # fmt: skip


def check(config: GenerationConfig, hints: Mapping[str, Any], strict: bool) -> None:
    """Refuse options that contradict each other; log what would be ignored, or with `strict` refuse it too.

    Args:
        config: The options.
        hints: The annotation of each.
        strict: Whether everything found is an error.

    Raises:
        ConfigurationError: A value has the wrong type, or two contradict each other.
    """
    _check_types(config, hints)
    _check_single(config)
    _check_search(config)
    _check_returned(config)
    found = tuple(_unwise(config))
    if found and strict:
        raise ConfigurationError(
            three_beats(
                f"GenerationConfig is invalid: {found[0]}",
                "options that all have an effect",
                "Correct it; the configuration is saved, and loaded, only without such options.",
            )
        )
    _log_once(found)


def _refuse(found: str, expected: str, remedy: str = "Change one of them.") -> None:
    raise ConfigurationError(three_beats(found, expected, remedy))


# ---- errors -------------------------------------------------------------------------------------------------


def _check_types(config: GenerationConfig, hints: Mapping[str, Any]) -> None:
    for name, hint in hints.items():
        value = getattr(config, name)
        plain = value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value
        if not admits(plain, hint):
            _refuse(f"{name} is {short(value)}", describe(hint), "Correct it in the call or in generation_config.json.")


def _check_single(config: GenerationConfig) -> None:
    """What one option must be, whatever the others are."""
    early, cache = config.early_stopping, config.cache_implementation
    if early is None or (isinstance(early, str) and early != "never"):
        _refuse(f"early_stopping is {short(early)}", 'True, False or "never"', "Correct it.")
    if config.max_new_tokens is not None and config.max_new_tokens <= 0:
        _refuse(f"max_new_tokens is {config.max_new_tokens}", "at least 1", "Correct it, or leave it out.")
    if cache is not None and cache not in CACHES:
        _refuse(f"cache_implementation is {short(cache)}", f"one of {', '.join(CACHES)}", "Correct it.")
    if config.cache_config is not None and cache not in CACHES_WITH_OPTIONS:
        kinds = " or ".join(map(repr, CACHES_WITH_OPTIONS))
        _refuse(f"cache_config is set with cache_implementation={cache!r}", f"{kinds} beside it")
    if config.compile_config is not None:
        _refuse("compile_config is set", "it to be left out", "Call torch.compile(model) instead.")
    for name in CALL_ONLY:
        if hasattr(config, name):
            _refuse(f"a GenerationConfig has {name}", "options alone", f"Hand it to the call: generate({name}=...).")


def _check_search(config: GenerationConfig) -> None:
    """What a search with several beams asks of the other options."""
    beams = config.num_beams
    groups = 1 if config.num_beam_groups is None else config.num_beam_groups
    if beams == 1:
        return
    if beams is None and groups != 1:
        _refuse(f"num_beam_groups is {groups} without num_beams", "both or neither", "Set num_beams.")
    if config.constraints is not None or config.force_words_ids is not None:
        if config.do_sample is True:
            _refuse("constraints or force_words_ids with do_sample=True", "constrained beams or sampling")
        if groups != 1:
            _refuse(f"constraints or force_words_ids with num_beam_groups={groups}", "constrained beams or groups")
    elif groups != 1 or config.diversity_penalty != 0:
        if config.do_sample is True:
            _refuse(f"num_beam_groups={groups} or diversity_penalty with do_sample=True", "groups or sampling")
        if groups < 1 or (beams or 0) % groups:
            _refuse(f"num_beams={beams} with num_beam_groups={groups}", "groups of equal size")
        if config.diversity_penalty == 0:
            _refuse(f"num_beam_groups={groups} with diversity_penalty=0.0", "a penalty, or groups would be the same")


def _check_returned(config: GenerationConfig) -> None:
    """How many sequences a search can return."""
    count, beams = config.num_return_sequences, config.num_beams
    if count == 1 or (beams == 1 and config.do_sample is not False):
        return
    if beams == 1:
        _refuse(f"num_return_sequences is {count} in a greedy search", "1", "Set do_sample=True, or more num_beams.")
    if count is None or count > (beams or 0):
        _refuse(f"num_return_sequences is {count} with num_beams={beams}", "at most as many as there are beams")


# ---- what has no effect -------------------------------------------------------------------------------------


def _unwise(config: GenerationConfig) -> Iterator[str]:
    """A sentence for each option that would be ignored, or that a search goes wrong with."""
    if isinstance(config.pad_token_id, int) and config.pad_token_id < 0:
        yield f"pad_token_id is {config.pad_token_id}, which no token has: prompts of several lengths cannot be padded."
    if config.do_sample is False:
        for name in _changed(config, _sampling(config)):
            yield f"{name}={getattr(config, name)!r} has an effect with do_sample=True alone."
    if config.num_beams == 1:
        for name in _changed(config, BEAMS):
            yield f"{name}={short(getattr(config, name))} has an effect with num_beams above 1 alone."
    if config.dola_layers is not None and (config.repetition_penalty or 0) < 1.2:
        yield f"dola_layers repeats itself with repetition_penalty={config.repetition_penalty!r}; 1.2 is usual."
    if config.use_cache is False:
        for name in ("cache_implementation", "cache_config", "return_legacy_cache"):
            if getattr(config, name) is not None:
                yield f"{name}={short(getattr(config, name))} has no effect with use_cache=False."
    if config.return_dict_in_generate is not True:
        for name in config.extra_output_flags:
            if getattr(config, name) is True:
                yield f"{name}=True has an effect with return_dict_in_generate=True alone."


def _sampling(config: GenerationConfig) -> Mapping[str, Any]:
    """What only sampling uses; contrastive search uses `top_k` too."""
    return SAMPLING if config.penalty_alpha is not None else {**SAMPLING, "top_k": 50}


def _changed(config: GenerationConfig, usual: Mapping[str, Any]) -> Iterator[str]:
    for name, value in usual.items():
        if getattr(config, name) not in (value, None):
            yield name


@cache
def _log_once(sentences: tuple[str, ...]) -> None:
    for sentence in sentences:
        logger.warning("GenerationConfig: %s", sentence)
