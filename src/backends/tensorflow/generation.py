"""How Keras models write tokens: the neutral searches, compiled whole, or driven by Python where Python has a say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import tensorflow as tf

from ...generation.calls import Request
from ...generation.decoding import facts_and_arrays
from ...generation.mixin import GenerationBase, transition_scores
from ...generation.sampling import WORDS, random_words
from ...generation.search import Found, Task, Watch, run
from . import ops
from .cache import Cache
from .checks import check_token_ids


class TensorFlowBackend:
    """A Keras model as searches see it.

    Args:
        model: The model.
        is_traced: Whether calls and loops are part of a program that is being traced.
    """

    ops = ops
    has_fixed_shapes = True

    def __init__(self, model: Any, is_traced: bool = False) -> None:
        self.model = model
        self.is_traced = is_traced or not tf.executing_eagerly()
        self.scores_chosen_positions = model.scores_chosen_positions()
        self.keeps_cache = model.keeps_cache()
        self.prepare = None

    def of(self, model: Any) -> TensorFlowBackend:
        """Another model of the framework."""
        return TensorFlowBackend(model)

    # ---- arrays ---------------------------------------------------------------------------------------------

    def as_array(self, value: Any) -> Any:
        """An argument of the model; what is no array stays as it is."""
        return tf.convert_to_tensor(value) if hasattr(value, "shape") else value

    def as_tokens(self, value: Any) -> tf.Tensor:
        """Token ids or a mask as int32."""
        return tf.cast(tf.convert_to_tensor(value), tf.int32)

    def new_tokens(self, rows: int, columns: int, token: int) -> tf.Tensor:
        """[rows, columns] times one token."""
        return tf.fill((rows, columns), tf.constant(token, tf.int32))

    def as_cache(self, cache: Any, room: int) -> Cache:
        """What was read before, with room for more."""
        return (cache if isinstance(cache, Cache) else Cache.from_legacy_cache(cache)).with_room(room)

    def is_known(self, array: tf.Tensor) -> bool:
        """Whether an array's values can be looked at."""
        return not tf.is_symbolic_tensor(array)

    def check_tokens(self, ids: tf.Tensor, vocabulary: int | None) -> None:
        """Refuse ids that are not [B, P] or that the vocabulary does not have."""
        check_token_ids(ids, vocabulary or 2**31 - 1)

    def random_words(self, seed: Any, steps: int, rows: int) -> tf.Tensor:
        """Random words [steps, rows, 2]; without a seed, by one draw from TensorFlow's global generator.

        In a function that is being traced there is no draw to be had before it runs: the words are TensorFlow's own.
        """
        if seed is None and self.is_traced:
            return tf.random.uniform((steps, rows, WORDS), -(2**31), 2**31 - 1, tf.int32)
        if isinstance(seed, (tuple, list)):  # 4.x takes two numbers
            seed = sum(int(part) << (32 * place) for place, part in enumerate(seed))
        seed = self.model.fresh_seed() if seed is None else int(seed)
        return tf.constant(random_words(seed, steps, rows))

    def padded(self, words: tf.Tensor, steps: int) -> tf.Tensor:
        """Words for more steps, which are not used, so that one program serves them all."""
        return tf.pad(words, ((0, steps - ops.shape(words)[0]), (0, 0), (0, 0)))

    # ---- the model ------------------------------------------------------------------------------------------

    def call(self, inputs: Mapping[str, Any]) -> Any:
        """Run the model: inside a program as part of it, else as a program of its own."""
        return self._run(self.model, inputs)

    def encode(self, inputs: Mapping[str, Any]) -> Any:
        """Run the model's encoder, in the same way."""
        return self._run(self.model.get_encoder(), inputs)

    def _run(self, layer: Any, inputs: Mapping[str, Any]) -> Any:
        if self.is_traced:
            return layer(**inputs, training=False, return_dict=True)
        facts, arrays = facts_and_arrays(inputs)

        def apply(given: Mapping[str, Any]) -> Any:
            return layer(**given, **dict(facts), training=False, return_dict=True)

        key = type(layer).__name__, facts
        return self.model.program(key, lambda: tf.function(apply, autograph=False))(arrays)

    def new_cache(self, batch: int, room: int) -> Cache:
        """An empty cache with all its room."""
        return Cache.preallocated(self.model.config, batch, room, self.model.compute_dtype)

    def loop(self, going_on: Callable[[Any], Any], step: Callable[[Any], Any], state: Any) -> Any:
        """`state = step(state)` as long as `going_on(state)`."""
        if self.is_traced:
            return tf.while_loop(going_on, lambda progress: (step(progress),), (state,))[0]
        while going_on(state):
            state = step(state)
        return state

    def execute(
        self, task: Task, arrays: Mapping[str, Any], length: int, max_length: int, words: Any, watch: Watch | None
    ) -> Found:
        """Run a search: as one program, unless Python has a say in it."""
        if self.is_traced or watch is not None or not task.compiles:
            return run(task, self, arrays, length, max_length, words, watch or Watch())
        search = partial(_searched, self.model, task)
        program = self.model.program(task, lambda: tf.function(search, jit_compile=True, autograph=False))
        return program(dict(arrays), tf.constant(length), tf.constant(max_length), words)


def _searched(
    model: Any, task: Task, arrays: Mapping[str, Any], length: tf.Tensor, max_length: tf.Tensor, words: Any
) -> Found:
    """A search as a function of tensors alone."""
    found = run(task, TensorFlowBackend(model, True), arrays, length, max_length, words)
    return found._replace(cache=())


class TFGenerationMixin(GenerationBase):
    """What Keras models that write tokens can do."""

    @classmethod
    def calling(cls) -> Any:
        return cls.call  # type: ignore[attr-defined]

    def program(self, key: Any, make: Callable[[], Any]) -> Any:
        """The compiled program of a key, made when it is first asked for."""
        programs = vars(self).setdefault("_programs", {})  # past Keras, which would track it
        if key not in programs:
            programs[key] = make()
        return programs[key]

    def generate(
        self,
        inputs: tf.Tensor | None = None,
        generation_config: Any = None,
        logits_processor: Any = None,
        seed: int | list[int] | None = None,
        *,
        stopping_criteria: Any = None,
        prefix_allowed_tokens_fn: Callable[[int, tf.Tensor], Any] | None = None,
        assistant_model: Any = None,
        streamer: Any = None,
        negative_prompt_ids: tf.Tensor | None = None,
        negative_prompt_attention_mask: tf.Tensor | None = None,
        use_model_defaults: bool | None = None,
        tokenizer: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Write tokens after a prompt.

        Which search it is, the options say: `num_beams`, `do_sample`, `penalty_alpha`, `num_beam_groups`,
        `force_words_ids`, `assistant_model`; see `GenerationConfig` for all of them.

        Args:
            inputs: The prompt's tokens [B, P], padded on the left; `bos_token_id` alone if there is no prompt.
            generation_config: The options to start from; the model's own if None.
            logits_processor: Further processors of the scores, before those that shape a distribution to draw from.
            seed: Of what is drawn, one number or several; one draw from TensorFlow's global generator if None. The same
                in every framework.
            stopping_criteria: Further rules for when a text ends.
            prefix_allowed_tokens_fn: (number of the prompt, its tokens so far) -> the tokens that may follow.
            assistant_model: A smaller model that drafts.
            streamer: What is told of each token as soon as it is there.
            negative_prompt_ids: [B, P], what `guidance_scale` steers away from; the last token alone if None.
            negative_prompt_attention_mask: [B, P].
            use_model_defaults: Whether options that `generation_config` leaves at their default are the model's own.
            tokenizer: What `stop_strings` are read with.
            kwargs: Options by name, which come before those of `generation_config`; arguments of the model, such as
                `attention_mask` [B, P] or `inputs_embeds` [B, P, D].

        Returns:
            Token ids [B, L] in int32, prompt included; with `return_dict_in_generate=True` a `Generate...Output`.

        Raises:
            InputError: The class writes no tokens, a name is unknown, an option asks for what is left out here, or the
                prompt is empty or too long.
            ConfigurationError: The options contradict each other.
        """
        request = Request(
            inputs, generation_config, logits_processor, stopping_criteria, prefix_allowed_tokens_fn,
            assistant_model, streamer, negative_prompt_ids, negative_prompt_attention_mask, use_model_defaults,
            tokenizer, seed, kwargs,
        )  # fmt: skip
        return self.answer_request(TensorFlowBackend(self), request)

    def compute_transition_scores(
        self, sequences: tf.Tensor, scores: Any, beam_indices: tf.Tensor | None = None, normalize_logits: bool = False
    ) -> tf.Tensor:
        """The score that each new token had when it was chosen: [B, N]; see `transition_scores`."""
        return transition_scores(sequences, scores, beam_indices, normalize_logits, ops)
