"""`BatchEncoding`: what encoding a text gives; fields by name, and where each token came from."""

from __future__ import annotations

import warnings
from collections import UserDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self, TypeVar

from tokenizers import Encoding

from ..files.errors import InputError, closest, three_beats
from .errors import ArgumentTypeError, MissingFieldError, PositionError
from .options import TensorType
from .tensors import library_of, to_tensor


class CharSpan(NamedTuple):
    """Characters `start` to `end` (exclusive) of the text."""

    start: int
    end: int


class TokenSpan(NamedTuple):
    """Tokens `start` to `end` (exclusive) of the encoding."""

    start: int
    end: int


Span = TypeVar("Span", CharSpan, TokenSpan)


class BatchEncoding(UserDict):
    """The answer of a tokenizer's call: a dictionary whose fields are also attributes.

    One text gives flat lists; a batch, or any answer with `return_tensors`, has a leading batch axis [B, T].
    Answers of fast tokenizers also know where each token came from: `encoding[i]` is the i-th row's
    `Encoding`, and the alignment methods take `(row, position)` or, for a single row, `(position)` alone.
    """

    def __init__(
        self,
        data: dict[str, Any] | None = None,
        encoding: Encoding | Sequence[Encoding] | None = None,
        tensor_type: str | TensorType | None = None,
        prepend_batch_axis: bool = False,
        n_sequences: int | None = None,
    ) -> None:
        self.data = {} if data is None else dict(data)
        rows = [encoding] if isinstance(encoding, Encoding) else encoding
        self._rows: list[Encoding] | None = None if rows is None else list(rows)
        self._complete: Callable[[list[Encoding]], list[Encoding]] | None = None
        if n_sequences is None and self._rows:
            n_sequences = self._rows[0].n_sequences
        self._n_sequences = n_sequences
        self.convert_to_tensors(tensor_type, prepend_batch_axis)

    @property
    def n_sequences(self) -> int | None:
        """How many sequences each row was made from: 1, or 2 for pairs; None where that is not known."""
        return self._n_sequences

    @property
    def is_fast(self) -> bool:
        """Whether the alignment methods are available (the tokenizer was a fast one)."""
        return self._rows is not None

    @property
    def encodings(self) -> list[Encoding] | None:
        """One `tokenizers.Encoding` per row, None after a slow tokenizer."""
        if self._complete is not None and self._rows is not None:
            self._rows = self._complete(self._rows)
            self._complete = None
        return self._rows

    def complete_later(self, complete: Callable[[list[Encoding]], list[Encoding]]) -> None:
        """Note what makes the rows' encodings those of the fields: most callers never look at them."""
        self._complete = complete

    def __getitem__(self, item: str | int | slice) -> Any:
        """A field by name; a row's `Encoding` by number; rows by slice.

        Raises:
            MissingFieldError: No such field, or a number where there are no encodings.
        """
        if isinstance(item, str):
            if item not in self.data:
                raise MissingFieldError(self._no_field(item))
            return self.data[item]
        if self.encodings is not None:
            return self._row("encoding[i]", item) if isinstance(item, int) else self.encodings[item]
        if isinstance(item, slice):
            return {key: value[item] for key, value in self.data.items()}
        raise MissingFieldError(
            three_beats(
                f"row {item!r} was asked for by its number",
                "the name of a field, or a slice of rows",
                "Rows by number (as `tokenizers.Encoding`) come from fast tokenizers only.",
            )
        )

    def __getattr__(self, item: str) -> Any:
        data = self.__dict__.get("data", {})
        if item in data:
            return data[item]
        raise AttributeError(self._no_field(item))

    def __getstate__(self) -> dict[str, Any]:
        return {"data": self.data, "encodings": self.encodings, "n_sequences": self._n_sequences}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.data = state["data"]
        self._rows, self._complete = state["encodings"], None
        self._n_sequences = state.get("n_sequences")

    def _no_field(self, name: str) -> str:
        fields = list(self.__dict__.get("data", {}))
        near = closest(name, map(str, fields)) or [str(field) for field in fields[:4]]
        return three_beats(
            f"this encoding has no field {name!r}",
            f"one of its fields, such as {', '.join(near)}" if near else "a field; it has none",
            "Ask for it with a `return_...` argument of the call.",
        )

    # -- tensors ---------------------------------------------------------------------------------------------

    def convert_to_tensors(self, tensor_type: str | TensorType | None = None, prepend_batch_axis: bool = False) -> Self:
        """Turn every field into a tensor of a framework, in place.

        Args:
            tensor_type: `pt`, `tf`, `np` or `jax`; None leaves everything as it is.
            prepend_batch_axis: Give each field a leading axis of length 1.

        Raises:
            InputError: Rows of a field differ in length, or it holds something other than numbers.
            MissingDependencyError: The framework is not installed.
        """
        if tensor_type is None:
            return self
        kind = TensorType(tensor_type)
        for key, value in self.data.items():
            self.data[key] = to_tensor([value] if prepend_batch_axis else value, kind, name=key)
        return self

    def to(self, device: Any, *, non_blocking: bool = False) -> Self:
        """Move every PyTorch tensor to a device, in place; other fields stay as they are."""
        for key, value in self.data.items():
            if device is not None and library_of(value) is TensorType.PYTORCH:
                self.data[key] = value.to(device=device, non_blocking=non_blocking)
        return self

    # -- where tokens come from ------------------------------------------------------------------------------

    def tokens(self, batch_index: int = 0) -> list[str]:
        """The tokens of a row.

        Raises:
            InputError: The tokenizer was a slow one.
            PositionError: There is no such row.
        """
        return self._row("tokens", batch_index).tokens

    def sequence_ids(self, batch_index: int = 0) -> list[int | None]:
        """For each token of a row: 0 or 1, the sequence that it is from, None for special tokens."""
        return self._row("sequence_ids", batch_index).sequence_ids

    def word_ids(self, batch_index: int = 0) -> list[int | None]:
        """For each token of a row: the number of its word, None for special tokens."""
        return self._row("word_ids", batch_index).word_ids

    def words(self, batch_index: int = 0) -> list[int | None]:
        """The old name of `word_ids`."""
        warnings.warn("`words()` is the old name of `word_ids()`.", FutureWarning, stacklevel=2)
        return self._row("words", batch_index).word_ids

    def token_to_sequence(self, batch_or_token_index: int, token_index: int | None = None) -> int | None:
        """The sequence (0 or 1) that a token is from, None for special tokens."""
        row, position = self._position("token_to_sequence", batch_or_token_index, token_index)
        return row.token_to_sequence(position)

    def token_to_word(self, batch_or_token_index: int, token_index: int | None = None) -> int | None:
        """The number of the word that a token is part of, None for special tokens."""
        row, position = self._position("token_to_word", batch_or_token_index, token_index)
        return row.token_to_word(position)

    def token_to_chars(self, batch_or_token_index: int, token_index: int | None = None) -> CharSpan | None:
        """The characters that a token covers, None for special tokens."""
        row, position = self._position("token_to_chars", batch_or_token_index, token_index)
        return _span(CharSpan, row.token_to_chars(position))

    def word_to_tokens(
        self, batch_or_word_index: int, word_index: int | None = None, sequence_index: int = 0
    ) -> TokenSpan | None:
        """The tokens of a word, None where it has none."""
        row, position = self._position("word_to_tokens", batch_or_word_index, word_index)
        return _span(TokenSpan, row.word_to_tokens(position, sequence_index))

    def word_to_chars(
        self, batch_or_word_index: int, word_index: int | None = None, sequence_index: int = 0
    ) -> CharSpan:
        """The characters of a word.

        Raises:
            ArgumentTypeError: There is no such word.
        """
        row, position = self._position("word_to_chars", batch_or_word_index, word_index)
        span = _span(CharSpan, row.word_to_chars(position, sequence_index))
        if span is None:
            known = "the numbers that word_ids() gives"
            raise ArgumentTypeError(three_beats(f"there is no word {position}", known, "Ask for one of them."))
        return span

    def char_to_token(
        self, batch_or_char_index: int, char_index: int | None = None, sequence_index: int = 0
    ) -> int | None:
        """The token that covers a character, None where none does (a space)."""
        row, position = self._position("char_to_token", batch_or_char_index, char_index)
        return row.char_to_token(position, sequence_index)

    def char_to_word(
        self, batch_or_char_index: int, char_index: int | None = None, sequence_index: int = 0
    ) -> int | None:
        """The number of the word that a character is in, None where it is in none."""
        row, position = self._position("char_to_word", batch_or_char_index, char_index)
        return row.char_to_word(position, sequence_index)

    def _row(self, method: str, batch_index: int) -> Encoding:
        rows = self.encodings
        if rows is None:
            raise InputError(
                three_beats(
                    f"{method} was asked of the answer of a slow tokenizer",
                    "the answer of a fast tokenizer, which remembers where tokens come from",
                    "Use the class whose name ends in `Fast`.",
                )
            )
        if not -len(rows) <= batch_index < len(rows):
            raise PositionError(
                three_beats(
                    f"{method} was asked for row {batch_index}",
                    f"a row below {len(rows)}",
                    "A single text is row 0.",
                )
            )
        return rows[batch_index]

    def _position(self, method: str, first: int, second: int | None) -> tuple[Encoding, int]:
        """The row and the position that the two leading arguments of an alignment method mean."""
        batch_index, position = (0, first) if second is None else (first, second)
        row = self._row(method, batch_index)
        if position < 0:
            raise PositionError(
                three_beats(
                    f"{method} was asked for position {position}",
                    "a position counted from the start, 0 or more",
                    "Subtract from the length to count from the end.",
                )
            )
        return row, position


def _span(kind: type[Span], ends: tuple[int, int] | None) -> Span | None:
    return None if ends is None else kind(*ends)
