"""How Flax writes tokens: the neutral searches, compiled whole, or driven by Python where Python has a say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.core import Tracer

from ...generation.calls import Request
from ...generation.decoding import facts_and_arrays
from ...generation.mixin import GenerationBase, transition_scores
from ...generation.sampling import WORDS, random_words
from ...generation.search import Found, Task, Watch, run
from ...outputs.generation import FlaxBeamSearchOutput, FlaxGreedySearchOutput
from . import ops
from .cache import Cache
from .checks import check_token_ids, known


class FlaxBackend:
    """A Flax model as searches see it.

    Args:
        model: The model.
        params: Its parameters.
        is_traced: Whether calls and loops are part of a program that is being traced.
        is_whole: Whether a search becomes one program where that can be.
    """

    ops = ops
    has_fixed_shapes = True

    def __init__(self, model: Any, params: Any, is_traced: bool = False, is_whole: bool = True) -> None:
        self.model = model
        self.params = params
        self.is_whole = is_whole
        self.is_traced = is_traced or any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(params))
        self.scores_chosen_positions = model.scores_chosen_positions()
        self.keeps_cache = model.keeps_cache()
        self.prepare = None

    def of(self, model: Any) -> FlaxBackend:
        """Another model of the framework."""
        return FlaxBackend(model, model.params)

    # ---- arrays ---------------------------------------------------------------------------------------------

    def as_array(self, value: Any) -> Any:
        """An argument of the model; what is no array stays as it is."""
        return jnp.asarray(value) if hasattr(value, "shape") else value

    def as_tokens(self, value: Any) -> Array:
        """Token ids or a mask as int32."""
        return jnp.asarray(value, jnp.int32)

    def new_tokens(self, rows: int, columns: int, token: int) -> Array:
        """[rows, columns] times one token."""
        return jnp.full((rows, columns), token, jnp.int32)

    def as_cache(self, cache: Any, room: int) -> Cache:
        """What was read before, with room for more."""
        return (cache if isinstance(cache, Cache) else Cache.from_legacy_cache(cache)).with_room(room)

    def is_known(self, array: Array) -> bool:
        """Whether an array's values can be looked at."""
        return known(array)

    def check_tokens(self, ids: Array, vocabulary: int | None) -> None:
        """Refuse ids that are not [B, P] or that the vocabulary does not have."""
        check_token_ids(ids, vocabulary or 2**31)

    def random_words(self, seed: Any, steps: int, rows: int) -> Array:
        """Random words [steps, rows, 2] from a seed or a JAX key; without either, those of seed 0.

        A key's bits are the seed of the stream that other frameworks draw from too. A key that is traced has none: then
        the words come from JAX' own generator.
        """
        if isinstance(seed, Array):
            bits = jax.random.key_data(seed)
            if not known(bits):
                words = jax.random.bits(seed, (steps, rows, WORDS), jnp.uint32)
                return lax.bitcast_convert_type(words, jnp.int32)
            seed = int.from_bytes(np.asarray(bits).astype("<u4").tobytes(), "little")
        return jnp.asarray(random_words(self.model.fresh_seed() if seed is None else int(seed), steps, rows))

    def padded(self, words: Array, steps: int) -> Array:
        """Words for more steps, which are not used, so that one program serves them all."""
        return jnp.pad(words, ((0, steps - words.shape[0]), (0, 0), (0, 0)))

    # ---- the model ------------------------------------------------------------------------------------------

    def call(self, inputs: Mapping[str, Any]) -> Any:
        """Run the model: inside a program as part of it, else as a program of its own."""
        return self._run("__call__", inputs)

    def encode(self, inputs: Mapping[str, Any]) -> Any:
        """Run the model's encoder, in the same way."""
        return self._run("encode", inputs)

    def _run(self, method: str, inputs: Mapping[str, Any]) -> Any:
        facts, arrays = facts_and_arrays(inputs)

        def apply(params: Any, given: Mapping[str, Any]) -> Any:
            further = {**dict(facts), "deterministic": True, "return_dict": True}
            return self.model.module.apply({"params": params}, **given, **further, method=method)

        if self.is_traced:
            return apply(self.params, arrays)
        return self.model.program((method, facts), lambda: jax.jit(apply))(self.params, arrays)

    def new_cache(self, batch: int, room: int) -> Cache:
        """An empty cache with all its room."""
        return Cache.preallocated(self.model.config, batch, room, self.model.dtype)

    def loop(self, going_on: Callable[[Any], Any], step: Callable[[Any], Any], state: Any) -> Any:
        """`state = step(state)` as long as `going_on(state)`."""
        if self.is_traced:
            return lax.while_loop(going_on, step, state)
        while going_on(state):
            state = step(state)
        return state

    def execute(
        self, task: Task, arrays: Mapping[str, Any], length: int, max_length: int, words: Any, watch: Watch | None
    ) -> Found:
        """Run a search: as one program, unless Python has a say in it."""
        if self.is_traced or any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves((arrays, words))):
            return run(task, FlaxBackend(self.model, self.params, True), arrays, length, max_length, words)
        if watch is not None or not (self.is_whole and task.compiles):
            return run(task, self, arrays, length, max_length, words, watch or Watch())
        program = self.model.program(task, lambda: jax.jit(partial(_searched, self.model, task)))
        return program(self.params, arrays, jnp.int32(length), jnp.int32(max_length), words)


def _searched(
    model: Any, task: Task, params: Any, arrays: Mapping[str, Any], length: Array, max_length: Array, words: Any
) -> Found:
    """A search as a function of arrays alone."""
    found = run(task, FlaxBackend(model, params, True), arrays, length, max_length, words)
    return found._replace(cache=())


class FlaxGenerationMixin(GenerationBase):
    """What Flax models that write tokens can do."""

    _programs: dict[Any, Any] | None = None

    @classmethod
    def calling(cls) -> Any:
        return cls.module_class.__call__  # type: ignore[attr-defined]

    def program(self, key: Any, make: Callable[[], Any]) -> Any:
        """The compiled program of a key, made when it is first asked for."""
        if self._programs is None:
            self._programs = {}
        if key not in self._programs:
            self._programs[key] = make()
        return self._programs[key]

    def generate(
        self,
        input_ids: Array | None = None,
        generation_config: Any = None,
        prng_key: Array | None = None,
        trace: bool = True,
        params: Any = None,
        logits_processor: Any = None,
        *,
        stopping_criteria: Any = None,
        prefix_allowed_tokens_fn: Callable[[int, Array], Any] | None = None,
        assistant_model: Any = None,
        streamer: Any = None,
        negative_prompt_ids: Array | None = None,
        negative_prompt_attention_mask: Array | None = None,
        use_model_defaults: bool | None = None,
        tokenizer: Any = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> Any:
        """Write tokens after a prompt.

        Which search it is, the options say: `num_beams`, `do_sample`, `penalty_alpha`, `num_beam_groups`,
        `force_words_ids`, `assistant_model`; see `GenerationConfig` for all of them.

        Args:
            input_ids: The prompt's tokens [B, P], padded on the left; `bos_token_id` alone if there is no prompt.
            generation_config: The options to start from; the model's own if None.
            logits_processor: Further processors of the scores, before those that shape a distribution to draw from.
            prng_key: A JAX key to draw from; its bits are the seed. A traced one draws by JAX' own generator.
            trace: Whether the search is one compiled program; else Python drives the loop.
            params: The parameters; the model's own if None.
            stopping_criteria: Further rules for when a text ends.
            prefix_allowed_tokens_fn: (number of the prompt, its tokens so far) -> the tokens that may follow.
            assistant_model: A smaller model that drafts.
            streamer: What is told of each token as soon as it is there.
            negative_prompt_ids: [B, P], what `guidance_scale` steers away from; the last token alone if None.
            negative_prompt_attention_mask: [B, P].
            use_model_defaults: Whether options that `generation_config` leaves at their default are the model's own.
            tokenizer: What `stop_strings` are read with.
            seed: A seed instead of a key; 0 without either. The same in every framework.
            kwargs: Options by name, which come before those of `generation_config`; arguments of the model, such as
                `attention_mask` [B, P] or `inputs_embeds` [B, P, D].

        Returns:
            An output with `.sequences` [B, L] in int32, prompt included, and with beams `.scores` [B]; inside `jit`,
            where the length is not known, with room up to `max_length`. With `return_dict_in_generate=True` a
            `Generate...Output`.

        Raises:
            InputError: The class writes no tokens, a name is unknown, an option asks for what is left out here, or the
                prompt is empty or too long.
            ConfigurationError: The options contradict each other.
        """
        params = self.params if params is None else params  # type: ignore[attr-defined]
        request = Request(
            input_ids, generation_config, logits_processor, stopping_criteria, prefix_allowed_tokens_fn,
            assistant_model, streamer, negative_prompt_ids, negative_prompt_attention_mask, use_model_defaults,
            tokenizer, prng_key if seed is None else seed, kwargs,
        )  # fmt: skip
        return self.answer_request(FlaxBackend(self, params, is_whole=trace), request)

    def prepare_inputs_for_generation(
        self, input_ids: Array, max_length: int, attention_mask: Array | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """The arguments of a first call, for a loop of one's own: a cache, and a mask and positions for all its room.

        Args:
            input_ids: [B, P] the prompts' tokens.
            max_length: How many tokens a text may have.
            attention_mask: [B, P].
            kwargs: Further arguments of the call.
        """
        batch, length = input_ids.shape
        seen = jnp.ones((batch, length), jnp.int32) if attention_mask is None else jnp.asarray(attention_mask)
        cache = self.init_cache(batch, max_length)  # type: ignore[attr-defined]
        mask = jnp.ones((batch, max_length), seen.dtype).at[:, :length].set(seen)
        positions = jnp.clip(jnp.cumsum(seen, -1) - 1, 0)
        return {"past_key_values": cache, "attention_mask": mask, "position_ids": positions, **kwargs}

    def update_inputs_for_generation(self, model_outputs: Any, model_kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments of the next call from those of the last one and its output."""
        cache, positions = model_outputs.past_key_values, model_kwargs["position_ids"]
        return {**model_kwargs, "past_key_values": cache, "position_ids": positions[:, -1:] + 1}

    def plain_answer(self, sequences: Array, scores: Array | None) -> Any:
        """Flax' users know an output with `.sequences`, with beams `.scores` of them too."""
        if scores is None:
            return FlaxGreedySearchOutput(sequences=sequences)
        return FlaxBeamSearchOutput(sequences=sequences, scores=scores)

    def compute_transition_scores(
        self, sequences: Array, scores: Any, beam_indices: Array | None = None, normalize_logits: bool = False
    ) -> Array:
        """The score that each new token had when it was chosen: [B, N]; see `transition_scores`."""
        return transition_scores(sequences, scores, beam_indices, normalize_logits, ops)
