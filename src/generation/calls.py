"""One call of `generate`, from its arguments to its answer."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..files.errors import InputError, three_beats
from ..outputs import generation as outputs
from .assisted import CHOICES
from .configuration import DEFAULTS, GenerationConfig, GenerationMode
from .encoder_prompts import read_encoder_arguments
from .options import refuse_left_out, split_arguments
from .prompts import Sizes, eos_tokens, lay_out, longest, read_arguments, tokens_alone
from .recording import Recorder
from .search import COMPILED, Found, Task, Watch

#: (whether there is an encoder, whether there are beams) -> the type of the answer.
ANSWERS = {
    (False, False): outputs.GenerateDecoderOnlyOutput,
    (False, True): outputs.GenerateBeamDecoderOnlyOutput,
    (True, False): outputs.GenerateEncoderDecoderOutput,
    (True, True): outputs.GenerateBeamEncoderDecoderOutput,
}


@dataclass
class Request:
    """The arguments of a call.

    Attributes:
        inputs: The prompt's tokens [B, P], if they are given by position.
        generation_config: The options to start from; the model's own if None.
        logits_processor: The caller's own processors.
        stopping_criteria: The caller's own criteria.
        prefix_allowed_tokens_fn: (number of the prompt, its tokens so far) -> the tokens that may follow.
        assistant_model: A smaller model that drafts.
        streamer: What is told of each token as soon as it is there.
        negative_prompt_ids: [B, P], what `guidance_scale` steers away from.
        negative_prompt_attention_mask: [B, P].
        use_model_defaults: Whether options that `generation_config` leaves at their default are the model's own.
        tokenizer: What `stop_strings` are read with.
        seed: Of what is drawn; None for the framework's own.
        arguments: Options by name, and arguments of the model.
    """

    inputs: Any = None
    generation_config: GenerationConfig | None = None
    logits_processor: Sequence[Any] | None = None
    stopping_criteria: Sequence[Any] | None = None
    prefix_allowed_tokens_fn: Callable[..., Any] | None = None
    assistant_model: Any = None
    streamer: Any = None
    negative_prompt_ids: Any = None
    negative_prompt_attention_mask: Any = None
    use_model_defaults: bool | None = None
    tokenizer: Any = None
    seed: Any = None
    arguments: Mapping[str, Any] = field(default_factory=dict)


def chosen_options(model: Any, request: Request) -> tuple[GenerationConfig, dict[str, Any]]:
    """The options of a call, and the model's own arguments.

    Raises:
        InputError: An argument that is neither, or asks for what is left out.
        ConfigurationError: The options contradict each other.
    """
    own = model.generation_config
    config = copy.deepcopy(own if request.generation_config is None else request.generation_config)
    if request.generation_config is not None and request.use_model_defaults is not False:
        for name, default in DEFAULTS.items():
            if getattr(config, name) == default:
                setattr(config, name, copy.deepcopy(getattr(own, name)))
    options, arguments = split_arguments(request.arguments, config, model.call_arguments())
    config.update(**options)
    refuse_left_out(config)
    return config, arguments


class Call:
    """One call of `generate`.

    Args:
        model: The model.
        backend: Its framework.
        request: The arguments.

    Raises:
        InputError: The arguments make no sense.
        ConfigurationError: The options contradict each other.
    """

    def __init__(self, model: Any, backend: Any, request: Request) -> None:
        self.model, self.backend, self.request = model, backend, request
        self.config, arguments = chosen_options(model, request)
        self.config.use_cache = bool(self.config.use_cache) and model.keeps_cache()
        self.mode = self.config.get_generation_mode(request.assistant_model)
        self._check_mode()
        self.cache = arguments.pop("past_key_values", None)
        vocabulary = getattr(model.config, "vocab_size", None)
        read = read_encoder_arguments if self.has_encoder else read_arguments
        reading = read(request.inputs, arguments, self.config, backend, vocabulary)
        self.reading = tokens_alone(reading) if model.reads_tokens_alone else reading
        self.positions = getattr(model.config, "max_position_embeddings", None)
        self.max_length = longest(self.config, self.reading, self.positions)
        self.recorder = Recorder(self.config, self.copies, backend.ops)
        if not isinstance(given := arguments.get("encoder_outputs"), (tuple, list, type(None))):
            self.recorder.note_encoder(given)

    def _check_mode(self) -> None:
        """Refuse a search that reads on from a cache where there is none.

        Raises:
            InputError: It is one.
        """
        if self.mode is GenerationMode.CONTRASTIVE_SEARCH and not self.config.use_cache:
            found = f"penalty_alpha={self.config.penalty_alpha} without a cache"
            raise InputError(three_beats(found, "a cache for contrastive search", "Choose another search."))

    @property
    def has_encoder(self) -> bool:
        """Whether the model reads the prompt with an encoder, and writes with a decoder."""
        return bool(getattr(self.model.config, "is_encoder_decoder", False))

    @property
    def copies(self) -> int:
        """How many rows the search has for each prompt."""
        return max(self.config.num_beams or 1, self.config.num_return_sequences or 1)

    def answer(self) -> Any:
        """Search, and put the answer in the form that is asked for."""
        task, arrays = self.task()
        request = self.request
        if request.streamer is not None:
            self._stream(request.streamer, self.reading.ids)
        found = self.backend.execute(
            task, arrays, self.reading.length, self.max_length, self._words(task), self._watch()
        )
        if request.streamer is not None:
            request.streamer.end()
        return self._formed(found)

    # ---- what is searched -----------------------------------------------------------------------------------

    def task(self) -> tuple[Task, dict[str, Any]]:
        """The search, and its arrays."""
        config, reading, request = copy.copy(self.config), self.reading, self.request
        config.max_new_tokens, config.max_length = None, DEFAULTS["max_length"]  # arguments of a program, no part of it
        sizes = Sizes.of(reading, self.max_length, self.positions, self._is_rounded())
        ends, pad = eos_tokens(config), config.pad_token_id
        if self.mode in (GenerationMode.BEAM_SEARCH, GenerationMode.BEAM_SAMPLE):
            pad = pad or None  # 4.53.3 takes a padding token 0 for none in these searches
        fill = pad if pad is not None else ends[0] if ends else 0
        follows_mask = self.model.positions_follow_mask() and not self.has_encoder
        if follows_mask and not self.model.counts_from_zero and reading.mask is None:
            reading.constants.setdefault("position_ids", self._counted())
        arrays = lay_out(reading, sizes, fill, follows_mask, self.backend.ops)
        if self.cache is not None:
            arrays["cache"] = self.backend.as_cache(self.cache, sizes.room)
        task = Task(
            config,
            sizes.width,
            sizes.steps,
            sizes.room,
            skipped=0 if self.cache is None else int(arrays["cache"].length),
            processors=tuple(request.logits_processor or ()),
            criteria=tuple(request.stopping_criteria or ()),
            prefix_allowed_tokens_fn=request.prefix_allowed_tokens_fn,
            guidance=self._guidance(),
            tokenizer=request.tokenizer,
            assistant=self._assistant(),
        )
        return task, arrays

    def _counted(self) -> Any:
        """0, 1, 2, ... for the positions of each prompt: [B, E]."""
        ops, ids, count = self.backend.ops, self.reading.ids, self.reading.positions
        return ops.full((ids.shape[0], 1), 0, ids) + ops.arange(count, ids)[None]

    def _guidance(self) -> tuple[tuple[str, Any], ...]:
        """What steers away from another prompt, if anything does."""
        if self.config.guidance_scale in (None, 1):
            return ()
        ids, mask = self.request.negative_prompt_ids, self.request.negative_prompt_attention_mask
        as_tokens = self.backend.as_tokens
        return (
            ("model", self.model),
            ("negative_prompt_ids", None if ids is None else as_tokens(ids)),
            ("negative_prompt_attention_mask", None if mask is None else as_tokens(mask)),
        )

    def _assistant(self) -> Any:
        """The smaller model that drafts, None if there is none.

        Raises:
            InputError: It cannot draft for this call.
        """
        assistant = self.request.assistant_model
        if assistant is None or self.mode is not GenerationMode.ASSISTED_GENERATION:
            return None
        batch, sizes = (
            self.reading.ids.shape[0] * self.copies,
            (assistant.config.vocab_size, self.model.config.vocab_size),
        )
        if batch > 1:
            found = f"an assistant_model with {batch} texts to write"
            raise InputError(three_beats(found, "one at a time", "Call generate for each, or leave the assistant out."))
        if sizes[0] != sizes[1] or assistant.framework != self.model.framework:
            found = f"an assistant_model of {sizes[0]} tokens ({assistant.framework})"
            expected = f"the model's {sizes[1]} tokens and framework ({self.model.framework})"
            raise InputError(three_beats(found, expected, "Use an assistant with the same tokenizer."))
        if not self.config.use_cache:
            found = "an assistant_model with use_cache=False"
            raise InputError(three_beats(found, "a cache, or reading drafts would cost more", "Leave one of them out."))
        return assistant

    def _is_rounded(self) -> bool:
        """Whether lengths are rounded up: in programs, where nothing minds what stands after the prompt."""
        config, reading, backend = self.config, self.reading, self.backend
        reads_prompt = config.encoder_no_repeat_ngram_size or (config.encoder_repetition_penalty or 1.0) != 1.0
        whole = reading.embeddings is None and self.cache is None and not reads_prompt and self._watch() is None
        return whole and self.mode in COMPILED and backend.has_fixed_shapes and backend.is_known(reading.ids)

    def _words(self, task: Task) -> Any:
        """What chance has to say, None where nothing is drawn."""
        if not self.config.do_sample:
            return None
        rows = self.reading.ids.shape[0]
        if self.mode is GenerationMode.SAMPLE:
            rows *= self.copies
        elif self.mode is GenerationMode.ASSISTED_GENERATION:
            rows = CHOICES
        words = self.backend.random_words(self.request.seed, self.max_length - self.reading.length, rows)
        return self.backend.padded(words, task.steps)

    def _watch(self) -> Watch | None:
        """Who looks on, None if nobody does: then the whole search may be compiled."""
        config, streamer = self.config, self.request.streamer
        wants_states = config.output_attentions or config.output_hidden_states
        wants_scores = config.output_scores or config.output_logits
        if streamer is None and not (config.return_dict_in_generate and (wants_states or wants_scores)):
            return None

        def choice(logits: Any, scores: Any, tokens: Any) -> None:
            self.recorder.note_choice(logits, scores, tokens)
            if streamer is not None:
                self._stream(streamer, tokens)

        return Watch(self.recorder.note_output, choice, self.recorder.note_encoder)

    def _stream(self, streamer: Any, tokens: Any) -> None:
        if (self.config.num_beams or 1) > 1:
            found = f"a streamer with num_beams={self.config.num_beams}"
            raise InputError(three_beats(found, "one text that only grows", "Set num_beams=1."))
        streamer.put(tokens)

    # ---- what is answered -----------------------------------------------------------------------------------

    def _formed(self, found: Found) -> Any:
        ops, config = self.backend.ops, self.config
        beams = not isinstance(found.origins, tuple)
        length, origins = self.max_length, found.origins
        if self.backend.is_known(found.ids):
            length = int(found.length)
        if beams and self.backend.is_known(found.ids):
            added = int(ops.max(ops.sum(ops.cast(origins >= 0, "int32"), -1)))
            length, origins = self.reading.length + added, origins[:, :added]
        sequences = found.ids[:, :length]
        if not config.return_dict_in_generate:
            return self.model.plain_answer(sequences, found.scores if beams else None)
        fields = {**self.recorder.fields(), "sequences": sequences}
        if config.use_cache and not isinstance(found.cache, tuple):
            fields["past_key_values"] = found.cache
        if beams and config.output_scores:
            fields |= {"sequences_scores": found.scores, "beam_indices": origins}
        return ANSWERS[self.has_encoder, beams](**fields)
