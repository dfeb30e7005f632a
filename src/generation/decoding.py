"""A model as a search sees it: it reads a prompt, then one token of each row after another.

Shapes: B prompts, R rows of a search (B times the beams or samples of each), P tokens of a prompt, L room for tokens,
S positions of the cache, V tokens of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol


class Backend(Protocol):
    """What a framework supplies: its operations, and how it runs a model and a loop.

    Attributes:
        ops: The framework's array operations.
        has_fixed_shapes: Whether arrays keep their shape from step to step, with places that are not filled yet.
        scores_chosen_positions: Whether the model can score a vector of positions alone: `logits_to_keep`.
        keeps_cache: Whether a call of the model can keep what it has read for the next.
        prepare: The user's own `prepare_inputs_for_generation`, None where the model has none.
    """

    ops: Any
    has_fixed_shapes: bool
    scores_chosen_positions: bool
    keeps_cache: bool
    prepare: Callable[..., dict[str, Any]] | None

    def of(self, model: Any) -> Backend:
        """Another model of the framework."""
        ...

    def call(self, inputs: Mapping[str, Any]) -> Any:
        """Run the model: its output, with `logits` and, if a cache is used, `past_key_values`."""

    def encode(self, inputs: Mapping[str, Any]) -> Any:
        """Run the model's encoder: its output, with `last_hidden_state`."""

    def new_cache(self, batch: int, room: int) -> Any:
        """An empty cache for `batch` rows of `room` positions; None where a call makes its own."""

    def loop(self, going_on: Callable[[Any], Any], step: Callable[[Any], Any], state: Any) -> Any:
        """`state = step(state)` as long as `going_on(state)`."""


#: Arguments of a call -> what they are called where they are the decoder's, beside an encoder's of the same name.
OF_DECODER = {
    "input_ids": "decoder_input_ids",
    "inputs_embeds": "decoder_inputs_embeds",
    "attention_mask": "decoder_attention_mask",
    "position_ids": "decoder_position_ids",
}


def facts_and_arrays(inputs: Mapping[str, Any]) -> tuple[tuple[tuple[str, Any], ...], dict[str, Any]]:
    """A call's arguments that are part of its program (numbers, words, None), by name, and those that it is given."""
    facts = {name: value for name, value in inputs.items() if isinstance(value, (bool, int, float, str, type(None)))}
    return tuple(sorted(facts.items())), {name: inputs[name] for name in inputs if name not in facts}


@dataclass
class Prompt:
    """What a model reads before it writes.

    Attributes:
        ids: [B, L] the tokens of each prompt, then room for those to come.
        length: How many tokens each prompt has.
        width: How many columns the first call reads: P, or more of which the last are not filled.
        mask: [B, S], 1 where a position may be attended to, those to come included; None if all may.
        positions: [B, P] where each token of the prompt is, None if the model counts for itself.
        token_types: [B, P] the segment of each token, None if there are no segments.
        embeddings: [B, E, D] what the model reads instead of the prompt's tokens.
        cache: What the model has read of the prompt before.
        skipped: How many of the prompt's tokens are in that cache.
        constants: Further arguments of every call; arrays have one row for each prompt.
        room: How many positions a cache of fixed size has.
        encoded: Arguments of every call that say what an encoder has read: `encoder_outputs` and `attention_mask`, with
            one row for each prompt. Then the prompt is the decoder's.
        uses_cache: Whether a cache is kept; without, every call reads all tokens again.
    """

    OPTIONAL: ClassVar[tuple[str, ...]] = ("mask", "positions", "token_types", "embeddings", "cache")

    ids: Any
    length: Any
    width: int
    room: int
    mask: Any = None
    positions: Any = None
    token_types: Any = None
    embeddings: Any = None
    cache: Any = None
    skipped: int = 0
    constants: Mapping[str, Any] = field(default_factory=dict)
    encoded: Mapping[str, Any] = field(default_factory=dict)
    uses_cache: bool = True

    @property
    def offset(self) -> int:
        """How many positions come before the first token of `ids`: embeddings that stand for no token of it."""
        return 0 if self.embeddings is None else self.embeddings.shape[1] - self.length


class Decoder:
    """Reads a prompt and then the tokens that a search chooses.

    Args:
        backend: The framework, with the model.
        prompt: What is read first.
        copies: How many rows the search has for each prompt.
        watch: Called with the output of every call and the number of positions that it attends to; only where Python
            drives the loop.
    """

    def __init__(
        self, backend: Backend, prompt: Prompt, copies: int = 1, watch: Callable[[Any, Any], None] | None = None
    ) -> None:
        self.backend = backend
        self.ops = backend.ops
        self.prompt = prompt
        self.copies = copies
        self._watch = watch
        self._rows = Prompt(**{**vars(prompt), **self._copied(prompt)})

    def _copied(self, prompt: Prompt) -> dict[str, Any]:
        """What later calls need, with a row for each row of the search."""
        copied = {name: self.repeated(getattr(prompt, name)) for name in ("ids", "mask", "positions", "token_types")}
        for name in ("constants", "encoded"):
            copied[name] = {key: self.repeated(value) for key, value in getattr(prompt, name).items()}
        return copied

    def repeated(self, array: Any) -> Any:
        """An array's rows, each as often as a prompt has rows in the search; what is no array stays as it is."""
        if isinstance(array, tuple):
            return tuple(map(self.repeated, array))
        has_rows = getattr(array, "shape", ()) and array.shape[0] == self.prompt.ids.shape[0]
        return self.ops.repeat_rows(array, self.copies) if has_rows and self.copies > 1 else array

    @property
    def ids(self) -> Any:
        """[R, L] the tokens that the search starts with."""
        return self._rows.ids

    # ---- the prompt -----------------------------------------------------------------------------------------

    def read_prompt(self) -> tuple[Any, Any]:
        """The scores of the token after each prompt, [R, V] in float32, and the cache of what was read."""
        prompt = self.prompt
        if not prompt.uses_cache and prompt.embeddings is None:
            return self._read_all(self.ids, prompt.length)
        positions = prompt.width + prompt.offset
        inputs = self._inputs(prompt, positions)
        if prompt.embeddings is None:
            inputs["input_ids"] = prompt.ids[:, prompt.skipped : prompt.width]
        else:
            inputs["inputs_embeds"] = prompt.embeddings
        if prompt.token_types is not None:
            inputs["token_type_ids"] = prompt.token_types[:, prompt.skipped :]
        if prompt.positions is not None:
            inputs["position_ids"] = prompt.positions[:, prompt.skipped :]
        last = prompt.length + prompt.offset - prompt.skipped - 1
        if self.backend.scores_chosen_positions:
            inputs["logits_to_keep"] = self.ops.full((1,), 0, prompt.ids) + last
            last = 0
        cache = prompt.cache
        if cache is None and prompt.uses_cache:
            cache = self.backend.new_cache(prompt.ids.shape[0], prompt.room)
        output = self._call(inputs, prompt.ids[:, : prompt.width], cache, positions, prompt)
        logits = self.ops.column(output.logits, last)
        return self.repeated(self.ops.cast(logits, "float32")), self._kept(output)

    def _kept(self, output: Any) -> Any:
        if not self.prompt.uses_cache:
            return ()
        cache = output.past_key_values
        if self.backend.has_fixed_shapes:  # what stood after the prompt is overwritten
            cache = cache.cropped(self.prompt.length + self.prompt.offset)
        return cache.repeated(self.copies) if self.copies > 1 else cache

    def _inputs(self, prompt: Prompt, positions: Any) -> dict[str, Any]:
        """The arguments that all calls have, for a call that attends to the first `positions`."""
        inputs = dict(prompt.constants)
        if prompt.mask is not None:
            fixed = self.backend.has_fixed_shapes and prompt.uses_cache
            inputs["attention_mask"] = prompt.mask if fixed else prompt.mask[:, :positions]
        return inputs

    def _call(self, inputs: dict[str, Any], ids: Any, cache: Any, positions: Any, rows: Prompt) -> Any:
        """The output of a call for all the tokens so far, `ids`, of which those in the cache were read before.

        Args:
            inputs: Its arguments, as of a model without an encoder.
            ids: [R, S].
            cache: What was read of them.
            positions: How many positions it attends to.
            rows: What the call's rows are of: the prompts, or the search's copies of them.
        """
        if rows.encoded:
            inputs = {OF_DECODER.get(name, name): value for name, value in inputs.items()} | dict(rows.encoded)
        if self.backend.keeps_cache:
            inputs["use_cache"] = self.prompt.uses_cache
        if self.prompt.uses_cache:
            inputs["past_key_values"] = cache
        if self.backend.prepare is not None:
            tokens = ("input_ids", "decoder_input_ids")
            inputs = self.backend.prepare(ids, **{name: inputs[name] for name in inputs if name not in tokens})
        output = self.backend.call(inputs)
        if self._watch is not None:
            self._watch(output, positions)
        return output

    # ---- one token after another ----------------------------------------------------------------------------

    def read(self, ids: Any, length: Any, cache: Any) -> tuple[Any, Any]:
        """The scores of the token after the first `length` of each row, [R, V] in float32, and the cache.

        Args:
            ids: [R, L].
            length: How many tokens are there; all but the last are in the cache.
            cache: What was read, () where none is kept.
        """
        if not self._rows.uses_cache:
            return self._read_all(ids, length)
        output = self._read_from(ids, length - 1, self.ops.column(ids, length - 1)[:, None], length, cache)
        return self.ops.cast(output.logits[:, -1], "float32"), output.past_key_values

    def read_span(self, ids: Any, start: int, stop: int, cache: Any) -> tuple[Any, Any]:
        """The scores of the tokens after each of several, [R, stop - start, V] in float32, and the cache.

        Args:
            ids: [R, L].
            start: The first token that was not read.
            stop: The end of those to read.
            cache: What was read.
        """
        output = self._read_from(ids, start, ids[:, start:stop], stop, cache)
        return self.ops.cast(output.logits, "float32"), output.past_key_values

    def _read_from(self, ids: Any, start: Any, tokens: Any, stop: Any, cache: Any) -> Any:
        """The output of a call that reads the tokens [R, T] from `start` on."""
        rows, count = self._rows, tokens.shape[1]
        inputs = self._inputs(rows, stop + rows.offset)
        inputs["input_ids"] = tokens
        if rows.token_types is not None:
            last = self.ops.column(rows.token_types, rows.length - 1)[:, None]
            inputs["token_type_ids"] = last + self.ops.full((1, count), 0, last)
        if rows.positions is not None:
            last = self.ops.column(rows.positions, rows.length + rows.offset - 1)[:, None]
            inputs["position_ids"] = last + self.ops.arange(count, last)[None] + (start + 1 - rows.length)
        shown = ids[:, :stop] if self.backend.prepare else tokens
        return self._call(inputs, shown, cache, stop + rows.offset, rows)

    def _read_all(self, ids: Any, length: Any) -> tuple[Any, Any]:
        """The same from all tokens, without a cache."""
        rows, ops = self._rows, self.ops
        is_whole = self.backend.has_fixed_shapes and self._watch is None  # who looks on sees nothing but tokens
        shown = ids.shape[1] if is_whole else length
        inputs = self._inputs(rows, shown)
        inputs["input_ids"] = ids[:, :shown]
        if rows.token_types is not None:
            inputs["token_type_ids"] = self._continued(rows.token_types, shown, 0)
        if rows.positions is not None:
            inputs["position_ids"] = self._continued(rows.positions, shown, 1)
        output = self._call(inputs, inputs["input_ids"], None, length, rows)
        return ops.cast(ops.column(output.logits, length - 1), "float32"), ()

    def _continued(self, array: Any, shown: int, growth: int) -> Any:
        """An array [R, P] of the prompt as one of all tokens, [R, shown]: its last column and what grows on it."""
        places = self.ops.arange(shown, array)
        after = self.ops.cast_like(places >= self.prompt.length, array) * (places - (self.prompt.length - 1))
        filled = self.ops.concatenate([array, self.ops.full((len(array), shown), 0, array)], 1)[:, :shown]
        last = self.ops.column(array, self.prompt.length - 1)[:, None]
        return self.ops.where(after > 0, last + growth * after, filled)
