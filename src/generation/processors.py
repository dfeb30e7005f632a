"""Which processors and stopping rules the options of a call ask for, in the order in which they are applied."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from ..files.errors import InputError, three_beats
from . import logits_process as rules
from .arrays import is_number, ops_of, token_ids
from .logits_process import LogitsProcessor, LogitsProcessorList
from .stopping_criteria import (
    EosTokenCriteria,
    MaxLengthCriteria,
    MaxTimeCriteria,
    StoppingCriteria,
    StoppingCriteriaList,
    StopStringCriteria,
)

logger = logging.getLogger(__name__)


def processors_for(
    config: Any,
    prompt_length: Any,
    max_length: Any = None,
    encoder_input_ids: Any = None,
    prefix_allowed_tokens_fn: Callable[[int, Any], Any] | None = None,
    logits_processor: Sequence[Any] | None = None,
    model: Any = None,
    negative_prompt_ids: Any = None,
    negative_prompt_attention_mask: Any = None,
    encoder_length: Any = None,
) -> LogitsProcessorList:
    """The processors of one search: what bans and penalizes, the user's own, then what shapes the distribution.

    Args:
        config: The options, as a `GenerationConfig` has them.
        prompt_length: How many tokens each row has at first, a number or a traced scalar.
        max_length: How many it may have at last; what the options say if None.
        encoder_input_ids: [B, E] what an encoder reads, or the prompt of a model without one.
        prefix_allowed_tokens_fn: The user's function of the tokens that may follow.
        logits_processor: The user's own processors; one of a kind that the options make too takes its place.
        model: What guidance asks for the scores of the negative prompt.
        negative_prompt_ids: [B, U] what guidance moves away from.
        negative_prompt_attention_mask: [B, U].
        encoder_length: How many columns of `encoder_input_ids` are tokens; all if None.

    Raises:
        InputError: An option has a value that cannot be.
    """
    made = [
        *_guidance(config, model, negative_prompt_ids, negative_prompt_attention_mask),
        *_penalties(config, encoder_input_ids, encoder_length),
        *_lengths(config, prompt_length),
        *_constraints(config, prefix_allowed_tokens_fn),
        *_forced(config, config.max_length if max_length is None else max_length),
        *_late(config, prompt_length),
    ]
    processors = LogitsProcessorList(merged(made, logits_processor or (), "logits_processor"))
    if config.do_sample:
        processors += _warpers(config)
    if config.renormalize_logits is True:  # last, since the others change the sum
        processors.append(rules.LogitNormalization())
    return processors


def criteria_for(
    config: Any,
    max_length: Any = None,
    stopping_criteria: Sequence[Any] | None = None,
    tokenizer: Any = None,
    max_position_embeddings: int | None = None,
) -> StoppingCriteriaList:
    """The stopping rules of one search, the user's own last.

    Args:
        config: The options, as a `GenerationConfig` has them.
        max_length: How many tokens a row may have, a number or a traced scalar; what the options say if None.
        stopping_criteria: The user's own rules; one of a kind that the options make too takes its place.
        tokenizer: What `stop_strings` are read with.
        max_position_embeddings: How many positions the model knows.

    Raises:
        InputError: There are `stop_strings` and no tokenizer.
    """
    made: list[StoppingCriteria] = []
    max_length = config.max_length if max_length is None else max_length
    if max_length is not None:
        made.append(MaxLengthCriteria(max_length, max_position_embeddings))
    if config.max_time is not None:
        made.append(MaxTimeCriteria(config.max_time))
    if config.stop_strings is not None:
        if tokenizer is None:
            expected = "the tokenizer that reads them"
            raise InputError(three_beats("`stop_strings` came alone", expected, "Hand generate(tokenizer=...)."))
        made.append(StopStringCriteria(tokenizer, config.stop_strings))
    if config.eos_token_id is not None:
        made.append(EosTokenCriteria(config.eos_token_id))
    return StoppingCriteriaList(merged(made, stopping_criteria or (), "stopping_criteria"))


def merged(made: list[Any], own: Sequence[Any], argument: str) -> list[Any]:
    """Rules that the options make, then the user's own; of the same kind, the user's takes the other's place.

    Args:
        made: What the options make.
        own: What the user hands.
        argument: The name under which.
    """
    rest = list(own)
    result = []
    for rule in made:
        same = next((other for other in rest if type(other) is type(rule)), None)
        if same is not None:
            logger.warning(
                "The %s of %s is used instead of the one that the options ask for.", type(rule).__name__, argument
            )
            rest = [other for other in rest if other is not same]
        result.append(rule if same is None else same)
    return result + rest


# ---- the parts, in order ------------------------------------------------------------------------------------


def _guidance(config: Any, model: Any, ids: Any, mask: Any) -> list[LogitsProcessor]:
    scale = config.guidance_scale
    if scale is None or scale == 1:
        return []
    return [rules.UnbatchedClassifierFreeGuidanceLogitsProcessor(scale, model, ids, mask, config.use_cache)]


def _penalties(config: Any, encoder_ids: Any, encoder_length: Any) -> list[LogitsProcessor]:
    made: list[LogitsProcessor] = []
    repetition, size = config.encoder_repetition_penalty, config.encoder_no_repeat_ngram_size
    if config.sequence_bias is not None:
        made.append(rules.SequenceBiasLogitsProcessor(config.sequence_bias))
    if config.diversity_penalty is not None and config.diversity_penalty > 0.0:
        groups = config.num_beam_groups
        made.append(rules.HammingDiversityLogitsProcessor(config.diversity_penalty, config.num_beams, groups))
    if repetition not in (None, 1.0):
        _check_encoder("encoder_repetition_penalty", encoder_ids)
        made.append(rules.EncoderRepetitionPenaltyLogitsProcessor(repetition, encoder_ids, encoder_length))
    if config.repetition_penalty not in (None, 1.0):
        made.append(rules.RepetitionPenaltyLogitsProcessor(config.repetition_penalty))
    if _above_zero(config.no_repeat_ngram_size):
        made.append(rules.NoRepeatNGramLogitsProcessor(config.no_repeat_ngram_size))
    if _above_zero(size):
        _check_encoder("encoder_no_repeat_ngram_size", encoder_ids)
        made.append(rules.EncoderNoRepeatNGramLogitsProcessor(size, encoder_ids, encoder_length))
    if config.bad_words_ids is not None:
        made.append(rules.NoBadWordsLogitsProcessor(config.bad_words_ids, config.eos_token_id))
    return made


def _lengths(config: Any, prompt_length: Any) -> list[LogitsProcessor]:
    made: list[LogitsProcessor] = []
    end = config.eos_token_id
    if end is not None and _above_zero(config.min_length):
        made.append(rules.MinLengthLogitsProcessor(config.min_length, end))
    if end is not None and _above_zero(config.min_new_tokens):
        made.append(rules.MinNewTokensLengthLogitsProcessor(prompt_length, config.min_new_tokens, end))
    return made


def _constraints(config: Any, prefix_allowed_tokens_fn: Callable[[int, Any], Any] | None) -> list[LogitsProcessor]:
    if prefix_allowed_tokens_fn is None:
        return []
    beams = config.num_beams // config.num_beam_groups
    return [rules.PrefixConstrainedLogitsProcessor(prefix_allowed_tokens_fn, beams)]


def _forced(config: Any, max_length: Any) -> list[LogitsProcessor]:
    made: list[LogitsProcessor] = []
    if config.forced_bos_token_id is not None:
        made.append(rules.ForcedBOSTokenLogitsProcessor(config.forced_bos_token_id))
    if config.forced_eos_token_id is not None:
        made.append(rules.ForcedEOSTokenLogitsProcessor(max_length, config.forced_eos_token_id))
    return made


def _late(config: Any, prompt_length: Any) -> list[LogitsProcessor]:
    made: list[LogitsProcessor] = []
    if config.remove_invalid_values is True:
        made.append(rules.InfNanRemoveLogitsProcessor())
    if config.exponential_decay_length_penalty is not None:
        penalty, end = config.exponential_decay_length_penalty, config.eos_token_id
        made.append(rules.ExponentialDecayLengthPenalty(penalty, end, prompt_length))
    if config.suppress_tokens is not None:
        made.append(rules.SuppressTokensLogitsProcessor(config.suppress_tokens))
    if config.begin_suppress_tokens is not None:
        begin = _begin(prompt_length, config.forced_bos_token_id is not None)
        made.append(rules.SuppressTokensAtBeginLogitsProcessor(config.begin_suppress_tokens, begin))
    return made


def _begin(prompt_length: Any, first_is_forced: bool) -> Any:
    """Where writing begins: after the prompt, and after a first token that is forced."""
    if not first_is_forced:
        return prompt_length
    if is_number(prompt_length):
        return prompt_length + (prompt_length == 1)
    return prompt_length + ops_of(prompt_length).cast_like(prompt_length == 1, prompt_length)


def _warpers(config: Any) -> list[LogitsProcessor]:
    """What shapes the distribution, where tokens are drawn."""
    made: list[LogitsProcessor] = []
    kept = _kept(config)
    if config.temperature not in (None, 1.0):
        made.append(rules.TemperatureLogitsWarper(config.temperature))
    if config.top_k not in (None, 0):
        made.append(rules.TopKLogitsWarper(config.top_k, min_tokens_to_keep=kept))
    if config.top_p is not None and config.top_p < 1.0:
        made.append(rules.TopPLogitsWarper(config.top_p, min_tokens_to_keep=kept))
    if config.min_p is not None:
        made.append(rules.MinPLogitsWarper(config.min_p, min_tokens_to_keep=kept))
    if config.typical_p is not None and config.typical_p < 1.0:
        made.append(rules.TypicalLogitsWarper(config.typical_p, min_tokens_to_keep=kept))
    if config.epsilon_cutoff is not None and 0.0 < config.epsilon_cutoff < 1.0:
        made.append(rules.EpsilonLogitsWarper(config.epsilon_cutoff, min_tokens_to_keep=kept))
    if config.eta_cutoff is not None and 0.0 < config.eta_cutoff < 1.0:
        made.append(rules.EtaLogitsWarper(config.eta_cutoff, min_tokens_to_keep=kept))
    return made


def _kept(config: Any) -> int:
    """How many tokens stay possible: among the beams, one that goes on must be left beside every end of a text."""
    if config.num_beams == 1:
        return 1
    return 2 if config.eos_token_id is None else len(token_ids("eos_token_id", config.eos_token_id)) + 1


def _above_zero(value: Any) -> bool:
    return value is not None and value > 0


def _check_encoder(option: str, encoder_ids: Any) -> None:
    if encoder_ids is None or len(encoder_ids.shape) != 2:
        found = f"`{option}` is set, and the encoder reads no token ids"
        raise InputError(three_beats(found, "an encoder that reads tokens", "Leave the option out."))
