"""What a search writes down of its steps for those who ask for more than the tokens."""

from __future__ import annotations

from typing import Any

from .configuration import GenerationConfig

#: Fields of a model's output -> the option that asks for them.
STATES = {
    "attentions": "output_attentions",
    "hidden_states": "output_hidden_states",
    "decoder_attentions": "output_attentions",
    "cross_attentions": "output_attentions",
    "decoder_hidden_states": "output_hidden_states",
}


class Recorder:
    """Keeps, for each step, what the options ask for.

    Args:
        config: The call's options.
        copies: How many rows the search has for each prompt.
        ops: The framework's array operations.
    """

    def __init__(self, config: GenerationConfig, copies: int, ops: Any) -> None:
        self._config = config
        self._copies = copies
        self._ops = ops
        self._steps: dict[str, list[Any]] = {}

    def note_output(self, output: Any, positions: int, rows: Any = None) -> None:
        """Keep attentions and hidden states of a call of the model.

        Args:
            output: What it answered.
            positions: How many positions it attended to.
            rows: Which rows count, all if None.
        """
        for name, option in STATES.items():
            if getattr(self._config, option) and name in output:
                states = tuple(array if rows is None else self._ops.take_rows(array, rows) for array in output[name])
                if name in ("attentions", "decoder_attentions"):  # the room of a cache may be larger
                    states = tuple(array[..., :positions] for array in states)
                if self._copies > 1 and name not in self._steps:  # the prompt is read once for all its rows
                    states = tuple(self._ops.repeat_rows(array, self._copies) for array in states)
                self._steps.setdefault(name, []).append(states)

    def note_encoder(self, output: Any) -> None:
        """Keep attentions and hidden states of the encoder, which reads once."""
        for name in ("attentions", "hidden_states"):
            if getattr(self._config, STATES[name]) and name in output:
                self._steps[f"encoder_{name}"] = list(output[name])

    def note_choice(self, logits: Any, scores: Any, tokens: Any) -> None:
        """Keep raw and processed scores of a step, [R, V] each."""
        if self._config.output_logits:
            self._steps.setdefault("logits", []).append(logits)
        if self._config.output_scores:
            self._steps.setdefault("scores", []).append(scores)

    def fields(self) -> dict[str, tuple[Any, ...]]:
        """What was kept: one entry for each step."""
        return {name: tuple(values) for name, values in self._steps.items()}
