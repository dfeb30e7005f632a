"""One search, from arrays to tokens: what a framework runs as it is, or compiles whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from .assisted import AssistedSearch
from .beams import BeamSearch
from .configuration import GenerationConfig, GenerationMode
from .contrastive import search_contrastive
from .decoding import Decoder, Prompt
from .host_search import search_constrained, search_groups
from .processors import criteria_for, processors_for
from .prompts import eos_tokens
from .rules import compile_together
from .token_search import Progress, Rules, search_tokens


class Found(NamedTuple):
    """What a search found.

    Attributes:
        ids: [B * returned, L].
        length: How many columns of them are tokens.
        cache: What the model has read, () where it keeps nothing.
        scores: [B * returned] of the whole hypotheses of a beam search, else ().
        origins: [B * returned, N] the rows that the tokens were chosen in, else ().
    """

    ids: Any
    length: Any
    cache: Any = ()
    scores: Any = ()
    origins: Any = ()


@dataclass(frozen=True)
class Task:
    """What decides on a search's program; two equal tasks with arrays of the same shapes are one program.

    Attributes:
        config: The options.
        width: How many columns the first call reads.
        steps: The most tokens that are added.
        room: Positions of a cache of fixed size.
        skipped: How many of the prompt's tokens were read before.
        processors: The caller's own.
        criteria: The caller's own.
        prefix_allowed_tokens_fn: The caller's function of a prompt's number and tokens to those that may follow.
        guidance: What the builder of processors asks for to steer away from another prompt, by name.
        tokenizer: What `stop_strings` are read with.
        assistant: The smaller model that drafts.
    """

    config: GenerationConfig
    width: int
    steps: int
    room: int
    skipped: int = 0
    processors: tuple[Any, ...] = ()
    criteria: tuple[Any, ...] = ()
    prefix_allowed_tokens_fn: Callable[..., Any] | None = None
    guidance: tuple[tuple[str, Any], ...] = ()
    tokenizer: Any = None
    assistant: Any = None

    @property
    def mode(self) -> GenerationMode:
        """The search that the options ask for."""
        return self.config.get_generation_mode(self.assistant)

    @property
    def compiles(self) -> bool:
        """Whether all that has a say can be traced."""
        config, own = self.config, (*self.processors, *self.criteria)
        watches = config.max_time is not None or config.stop_strings is not None
        return (
            self.mode in COMPILED
            and not (self.guidance or self.prefix_allowed_tokens_fn or watches)
            and compile_together(own)
        )

    @property
    def copies(self) -> int:
        """How many rows the search has for each prompt."""
        return max(self.config.num_beams or 1, self.config.num_return_sequences or 1)

    @property
    def returned(self) -> int:
        """How many texts are returned for each prompt."""
        return self.config.num_return_sequences or 1


@dataclass(frozen=True)
class Watch:
    """Who looks on while Python drives the loop.

    Attributes:
        output: Called with the output of every call of the model, the number of positions that it attends to, and
            which of its rows count.
        choice: Called with raw scores, processed scores and chosen tokens of every step.
        encoder: Called with the output of the encoder.
    """

    output: Callable[..., None] | None = None
    choice: Callable[[Any, Any, Any], None] | None = None
    encoder: Callable[[Any], None] | None = None


def run(
    task: Task,
    backend: Any,
    arrays: Mapping[str, Any],
    length: Any,
    max_length: Any,
    words: Any = None,
    watch: Watch = Watch(),
) -> Found:
    """Run one search.

    Args:
        task: Which.
        backend: The framework, with the model.
        arrays: `ids` [B, L] and, where there are any, `mask`, `positions`, `token_types`, `embeddings`, `cache`, and
            `encoder`, the arguments of an encoder; the rest are constant arguments of the model.
        length: How many tokens each prompt has.
        max_length: The most tokens of a text.
        words: int32 [steps, choices, 2] random words, None where nothing is drawn.
        watch: Who looks on.
    """
    prompt = _prompt(task, backend, arrays, length, watch)
    decoder = Decoder(backend, prompt, task.copies, watch.output)
    rules = _rules(task, decoder, arrays.get("encoder", {}), max_length, words, watch)
    if task.mode in WITHOUT_BEAMS:
        return _found(WITHOUT_BEAMS[task.mode](task, decoder, rules, watch))
    if task.mode in ON_THE_HOST:
        ended = ON_THE_HOST[task.mode](decoder, rules, task.config)
        return Found(ended.ids, ended.ids.shape[1], ended.cache, ended.scores, ended.origins)
    progress = _beam_search(task, decoder, rules).run(task.steps)
    kept = (array[:, : task.returned] for array in progress.finished)
    ids, scores, origins = (backend.ops.reshape(array, (-1, *array.shape[2:])) for array in kept)
    return Found(ids, progress.length, progress.cache, scores, origins)


def _prompt(task: Task, backend: Any, arrays: Mapping[str, Any], length: Any, watch: Watch) -> Prompt:
    arrays = dict(arrays)
    encoder = arrays.pop("encoder", {})
    own = {name: arrays[name] for name in ("ids", *Prompt.OPTIONAL) if name in arrays}
    return Prompt(
        **own,
        length=length,
        width=task.width,
        room=task.room,
        skipped=task.skipped,
        constants={**_states_wanted(task.config), **{name: arrays[name] for name in arrays if name not in own}},
        encoded=_encoded(task.config, backend, encoder, watch) if encoder else {},
        uses_cache=bool(task.config.use_cache),
    )


def _encoded(config: GenerationConfig, backend: Any, encoder: Mapping[str, Any], watch: Watch) -> dict[str, Any]:
    """What every call of a decoder is given of its encoder, which runs once, here."""
    mask = {name: encoder[name] for name in ("attention_mask",) if name in encoder}
    if "encoder_outputs" in encoder:
        return {"encoder_outputs": (encoder["encoder_outputs"],), **mask}
    output = backend.encode({**encoder, **_states_wanted(config)})
    if watch.encoder is not None:
        watch.encoder(output)
    return {"encoder_outputs": (output.last_hidden_state,), **mask}


def _states_wanted(config: GenerationConfig) -> dict[str, bool]:
    """Arguments of the model's calls for what is to be recorded of its layers."""
    wanted = {name: True for name in ("output_attentions", "output_hidden_states") if getattr(config, name)}
    contrastive = config.get_generation_mode() is GenerationMode.CONTRASTIVE_SEARCH
    return {**wanted, "output_hidden_states": True} if contrastive else wanted


def _rules(
    task: Task, decoder: Decoder, encoder: Mapping[str, Any], max_length: Any, words: Any, watch: Watch
) -> Rules:
    """What the search keeps to, made where the lengths are known: inside a program they are its arguments."""
    config, prompt = task.config, decoder.prompt
    ends = eos_tokens(config)
    processors = processors_for(
        config,
        prompt_length=prompt.length,
        max_length=max_length,
        encoder_input_ids=encoder.get("input_ids") if encoder else prompt.ids[:, : task.width],
        encoder_length=None if encoder else prompt.length,
        prefix_allowed_tokens_fn=task.prefix_allowed_tokens_fn,
        logits_processor=task.processors,
        **dict(task.guidance),
    )
    criteria = criteria_for(config, max_length, task.criteria, task.tokenizer)
    fixed = decoder.backend.has_fixed_shapes

    def shown(ids: Any, length: Any) -> tuple[Any, Any]:
        return (ids, length) if fixed else (ids[:, :length], None)

    def processed(ids: Any, scores: Any, length: Any, **further: Any) -> Any:
        ids, current = shown(ids, length)
        return processors(ids, scores, current, **further)

    def done(ids: Any, scores: Any, length: Any) -> Any:
        ids, current = shown(ids, length)
        return criteria(ids, scores, current)

    pad_token = config.pad_token_id if config.pad_token_id is not None else ends[0] if ends else None
    return Rules(processed, done, max_length, pad_token if ends else None, words, watch.choice)


def _found(progress: Progress) -> Found:
    return Found(progress.ids, progress.length, progress.cache)


def _contrastive(task: Task, decoder: Decoder, rules: Rules, watch: Watch) -> Progress:
    return search_contrastive(decoder, rules, task.config.top_k or 1, task.config.penalty_alpha or 0.0, watch.output)


def _assisted(task: Task, decoder: Decoder, rules: Rules, watch: Watch) -> Progress:
    assistant = Decoder(decoder.backend.of(task.assistant), decoder.prompt)
    return AssistedSearch(decoder, assistant, rules, task.config).run()


#: Searches of one text for each row.
WITHOUT_BEAMS: Mapping[GenerationMode, Callable[[Task, Decoder, Rules, Watch], Progress]] = {
    GenerationMode.GREEDY_SEARCH: lambda task, decoder, rules, watch: search_tokens(decoder, rules),
    GenerationMode.SAMPLE: lambda task, decoder, rules, watch: search_tokens(decoder, rules),
    GenerationMode.CONTRASTIVE_SEARCH: _contrastive,
    GenerationMode.ASSISTED_GENERATION: _assisted,
}

#: Searches with beams whose books are kept on the host.
ON_THE_HOST = {
    GenerationMode.GROUP_BEAM_SEARCH: search_groups,
    GenerationMode.CONSTRAINED_BEAM_SEARCH: search_constrained,
}

#: Searches that can be compiled whole.
COMPILED = (
    GenerationMode.GREEDY_SEARCH,
    GenerationMode.SAMPLE,
    GenerationMode.BEAM_SEARCH,
    GenerationMode.BEAM_SAMPLE,
)


def _beam_search(task: Task, decoder: Decoder, rules: Rules) -> BeamSearch:
    config = task.config
    beams = config.num_beams or 1
    candidates = max(2, 1 + len(eos_tokens(config))) * beams  # so many that K of them go on, whichever end
    penalty = 1.0 if config.length_penalty is None else config.length_penalty
    return BeamSearch(decoder, rules, beams, candidates, penalty, config.early_stopping)
