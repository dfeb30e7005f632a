"""What every model that writes tokens can do, whatever its framework: mixed into the three base classes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ..files.errors import InputError, three_beats
from .arrays import ops_of
from .calls import Call, Request
from .configuration import GenerationConfig

#: Arguments of a model's call that `generate` sets itself.
OWN_ARGUMENTS = ("labels", "use_cache", "return_dict", "output_attentions", "output_hidden_states", "logits_to_keep")


class GenerationBase:
    """Writes tokens after a prompt. A class says that it can by naming its framework's mixin among its bases.

    Attributes:
        counts_from_zero: Whether a call that is told no positions counts them from 0, as `generate` does.
        reads_tokens_alone: Whether `generate` tells the model nothing but tokens: of the oldest decoders, 4.53.3 leaves
            mask, segments and positions aside.
    """

    counts_from_zero: ClassVar[bool] = True
    reads_tokens_alone: ClassVar[bool] = False

    config: Any
    _generation_config: GenerationConfig | None = None

    @classmethod
    def can_generate(cls) -> bool:
        """Whether the class writes tokens."""
        own = [base for base in cls.__mro__ if "framework" not in vars(base)]  # the base class itself has the mixin too
        return any(GenerationBase in base.__bases__ for model_class in own for base in model_class.__bases__)

    @property
    def generation_config(self) -> GenerationConfig:
        """The options that a call of `generate` starts from: those of `generation_config.json`, or the model's own."""
        if self._generation_config is None:
            self._generation_config = GenerationConfig.from_model_config(self.config)
        return self._generation_config

    @generation_config.setter
    def generation_config(self, value: GenerationConfig) -> None:
        self._generation_config = value

    @classmethod
    def call_arguments(cls) -> tuple[str, ...]:
        """The names of the arguments that a caller of `generate` may hand on to the model."""
        return tuple(name for name in _parameters(cls.calling()) if name not in OWN_ARGUMENTS)

    @classmethod
    def positions_follow_mask(cls) -> bool:
        """Whether positions count from the first token that the mask lets be seen, so that padding changes nothing."""
        return "position_ids" in _parameters(cls.calling())

    @classmethod
    def keeps_cache(cls) -> bool:
        """Whether a call can keep what it has read for the next."""
        return "use_cache" in _parameters(cls.calling())

    @classmethod
    def scores_chosen_positions(cls) -> bool:
        """Whether a call can be told which positions to score."""
        return "logits_to_keep" in _parameters(cls.calling())

    @classmethod
    def calling(cls) -> Any:
        """The method that computes the model's output."""
        raise NotImplementedError

    def prepare_inputs_for_generation(
        self, input_ids: Any, past_key_values: Any = None, attention_mask: Any = None, **kwargs: Any
    ) -> dict[str, Any]:
        """The arguments of a call that reads on: the tokens that a cache does not hold yet, and where they are.

        `generate` asks a class for them that overrides this method, in PyTorch.

        Args:
            input_ids: [B, S] all tokens so far.
            past_key_values: What was read of them.
            attention_mask: [B, S].
            kwargs: Further arguments of the call.
        """
        past = 0 if past_key_values is None else past_key_values.get_seq_length()
        has_encoder = bool(getattr(self.config, "is_encoder_decoder", False))
        name = "decoder_input_ids" if has_encoder else "input_ids"
        if self.reads_tokens_alone:
            kept = {"past_key_values": past_key_values, "use_cache": kwargs.get("use_cache")}
            return {name: input_ids[:, past:], **(kept if self.keeps_cache() else {})}
        inputs = {name: input_ids[:, past:], "past_key_values": past_key_values, **kwargs}
        if attention_mask is not None:
            inputs["attention_mask"] = attention_mask
        counts = not has_encoder and self.positions_follow_mask()
        if attention_mask is not None and "position_ids" not in kwargs and counts:
            ops = ops_of(attention_mask)
            counted = ops.cumsum(attention_mask) - 1
            inputs["position_ids"] = ops.where(attention_mask == 0, ops.full((), 1, counted), counted)[:, past:]
        return inputs

    def plain_answer(self, sequences: Any, scores: Any) -> Any:
        """What `generate` answers where no dict is asked for.

        Args:
            sequences: [B, L].
            scores: [B] of whole hypotheses, None without beams.
        """
        return sequences

    def answer_request(self, backend: Any, request: Request) -> Any:
        """Answer a call of `generate`.

        Raises:
            InputError: The class writes no tokens, or the arguments make no sense.
            ConfigurationError: The options contradict each other.
        """
        if not self.can_generate():
            found = f"generate() of {type(self).__name__}, which has no head that predicts the next token"
            raise InputError(three_beats(found, "a model that has one", "Use a class such as ...LMHeadModel."))
        return Call(self, backend, request).answer()


def _parameters(function: Any) -> Mapping[str, inspect.Parameter]:
    return {
        name: parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD and name != "self"
    }


def transition_scores(
    sequences: Any,
    scores: Sequence[Any],
    beam_indices: Any,
    normalize_logits: bool,
    ops: Any,
) -> Any:
    """The score that each new token had when it was chosen: [B, N].

    Args:
        sequences: [B, L].
        scores: One [R, V] for each step.
        beam_indices: [B, N] the rows of `scores` that the tokens were chosen in, negative after a text's end; None
            without beams.
        normalize_logits: Whether scores become log-probabilities first.
        ops: The framework's array operations.
    """
    steps = len(scores)
    if normalize_logits:
        scores = [ops.log_softmax(step) for step in scores]
    if beam_indices is None:
        rows = ops.arange(sequences.shape[0], sequences)[:, None] + ops.full((1, steps), 0, sequences)
        is_token = ops.full((1, steps), True, sequences, "bool")
    else:
        steps = int(max(ops.sum(ops.cast(beam_indices >= 0, "int32"), -1)))
        beam_indices = beam_indices[:, :steps]
        is_token = beam_indices >= 0
        rows = ops.where(is_token, beam_indices, ops.full((), 0, beam_indices))
    tokens = sequences[:, sequences.shape[1] - steps :]
    tokens = ops.where(is_token, tokens, ops.full((), 0, tokens))
    columns = [ops.take_along_last(ops.take_rows(scores[i], rows[:, i]), tokens[:, i])[:, None] for i in range(steps)]
    chosen = ops.concatenate(columns, 1)
    return ops.where(is_token, chosen, ops.full((), 0.0, chosen))
