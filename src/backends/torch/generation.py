"""How PyTorch writes tokens: the neutral searches, driven by a Python loop over a cache that grows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from ...files.errors import InputError, three_beats
from ...generation.calls import Request
from ...generation.mixin import GenerationBase, transition_scores
from ...generation.sampling import random_words
from ...generation.search import Found, Task, Watch, run
from . import ops
from .cache import Cache
from .checks import check_token_ids
from .products import fast_products


class TorchBackend:
    """A PyTorch model as searches see it.

    Args:
        model: The model.
    """

    ops = ops
    has_fixed_shapes = False

    def __init__(self, model: Any) -> None:
        self.model = model
        self.scores_chosen_positions = model.scores_chosen_positions()
        self.keeps_cache = model.keeps_cache()
        own = type(model).prepare_inputs_for_generation is not GenerationBase.prepare_inputs_for_generation
        self.prepare = model.prepare_inputs_for_generation if own else None

    def of(self, model: Any) -> TorchBackend:
        """Another model of the framework."""
        return TorchBackend(model)

    # ---- arrays ---------------------------------------------------------------------------------------------

    def as_array(self, value: Any) -> Any:
        """An argument of the model where the model is; what is no array stays as it is."""
        return value.to(self.model.device) if isinstance(value, Tensor) else value

    def as_tokens(self, value: Any) -> Tensor:
        """Token ids or a mask as integers where the model is."""
        return torch.as_tensor(value, device=self.model.device).long()

    def new_tokens(self, rows: int, columns: int, token: int) -> Tensor:
        """[rows, columns] times one token."""
        return torch.full((rows, columns), token, device=self.model.device)

    def as_cache(self, cache: Any, room: int) -> Cache:
        """What was read before, as the framework's own cache."""
        return cache if isinstance(cache, Cache) else Cache.from_legacy_cache(cache)

    def is_known(self, array: Tensor) -> bool:
        """Whether an array's values can be looked at."""
        return True

    def check_tokens(self, ids: Tensor, vocabulary: int | None) -> None:
        """Refuse ids that are not [B, P] or that the vocabulary does not have."""
        check_token_ids(ids, vocabulary or 2**63)

    def random_words(self, seed: int | None, steps: int, rows: int) -> Tensor:
        """Random words [steps, rows, 2]; without a seed, by one draw from PyTorch's global generator."""
        words = random_words(self.model.fresh_seed() if seed is None else seed, steps, rows)
        return torch.from_numpy(words).to(self.model.device)

    def padded(self, words: Tensor, steps: int) -> Tensor:
        """Words for more steps, which are not used."""
        return words

    # ---- the model ------------------------------------------------------------------------------------------

    def call(self, inputs: Mapping[str, Any]) -> Any:
        """Run the model."""
        return self.model(**inputs, return_dict=True)

    def encode(self, inputs: Mapping[str, Any]) -> Any:
        """Run the model's encoder."""
        return self.model.get_encoder()(**inputs, return_dict=True)

    def new_cache(self, batch: int, room: int) -> None:
        """None: a call makes its own, which grows."""
        return None

    def loop(self, going_on: Callable[[Any], Any], step: Callable[[Any], Any], state: Any) -> Any:
        """`state = step(state)` as long as `going_on(state)`."""
        while going_on(state):
            state = step(state)
        return state

    def execute(
        self, task: Task, arrays: Mapping[str, Any], length: int, max_length: int, words: Any, watch: Watch | None
    ) -> Found:
        """Run a search."""
        with torch.no_grad(), fast_products(self.model):
            return run(task, self, arrays, length, max_length, words, watch or Watch())


class GenerationMixin(GenerationBase):
    """What PyTorch models that write tokens can do."""

    @classmethod
    def calling(cls) -> Any:
        return getattr(cls, "forward")  # noqa: B009

    def generate(
        self,
        inputs: Tensor | None = None,
        generation_config: Any = None,
        logits_processor: Any = None,
        stopping_criteria: Any = None,
        prefix_allowed_tokens_fn: Callable[[int, Tensor], Any] | None = None,
        synced_gpus: bool | None = None,
        assistant_model: Any = None,
        streamer: Any = None,
        negative_prompt_ids: Tensor | None = None,
        negative_prompt_attention_mask: Tensor | None = None,
        use_model_defaults: bool | None = None,
        custom_generate: str | None = None,
        *,
        tokenizer: Any = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> Any:
        """Write tokens after a prompt.

        Which search it is, the options say: `num_beams`, `do_sample`, `penalty_alpha`, `num_beam_groups`,
        `force_words_ids`, `assistant_model`; see `GenerationConfig` for all of them.

        Args:
            inputs: The prompt's tokens [B, P], padded on the left; `bos_token_id` alone if there is no prompt.
            generation_config: The options to start from; the model's own if None.
            logits_processor: Further processors of the scores, before those that shape a distribution to draw from.
            stopping_criteria: Further rules for when a text ends.
            prefix_allowed_tokens_fn: (number of the prompt, its tokens so far) -> the tokens that may follow.
            assistant_model: A smaller model that drafts.
            streamer: What is told of each token as soon as it is there.
            negative_prompt_ids: [B, P], what `guidance_scale` steers away from; the last token alone if None.
            negative_prompt_attention_mask: [B, P].
            use_model_defaults: Whether options that `generation_config` leaves at their default are the model's own.
            tokenizer: What `stop_strings` are read with.
            synced_gpus: Unused: each process writes its own texts.
            custom_generate: Only None: no code is loaded from the Hub.
            seed: Of what is drawn; one draw from PyTorch's global generator if None. The same in every framework.
            kwargs: Options by name, which come before those of `generation_config`; arguments of the model, such as
                `attention_mask` [B, P] or `inputs_embeds` [B, P, D].

        Returns:
            Token ids [B, L], prompt included; with `return_dict_in_generate=True` a `Generate...Output`.

        Raises:
            InputError: The class writes no tokens, a name is unknown, an option asks for what is left out here, or the
                prompt is empty or too long.
            ConfigurationError: The options contradict each other.
        """
        if custom_generate is not None:
            found = f"custom_generate={custom_generate!r}"
            raise InputError(three_beats(found, "None: no code is loaded", "Subclass the model instead."))
        return self.answer_request(
            TorchBackend(self),
            Request(
                inputs, generation_config, logits_processor, stopping_criteria, prefix_allowed_tokens_fn,
                assistant_model, streamer, negative_prompt_ids, negative_prompt_attention_mask, use_model_defaults,
                tokenizer, seed, kwargs,
            ),
        )  # fmt: skip

    def compute_transition_scores(
        self,
        sequences: Tensor,
        scores: tuple[Tensor, ...],
        beam_indices: Tensor | None = None,
        normalize_logits: bool = False,
    ) -> Tensor:
        """The score that each new token had when it was chosen: [B, N]; see `transition_scores`."""
        return transition_scores(sequences, scores, beam_indices, normalize_logits, ops)
