"""Rows of ids: special tokens put around sequences, cut to a length, filled up to one."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from ..files.errors import InputError, three_beats
from .batch_encoding import BatchEncoding
from .calls import EncodingCalls, Padding, Truncation
from .errors import ArgumentTypeError, MisuseError
from .inputs import checked_ids, describe
from .options import (
    CallOptions,
    PaddingStrategy,
    TensorType,
    TruncationStrategy,
    Wanted,
    checked_side,
    resolve_limits,
    whole_number,
)
from .padding import check_rows, columns_of, fill, framework_of, is_batch, listed, padded_length
from .special_tokens import SpecialTokensMixin
from .truncation import truncate

logger = logging.getLogger(__name__)


class RowBuilding(EncodingCalls, SpecialTokensMixin):
    """What a tokenizer does with ids that it has: the part of encoding that comes after the text."""

    model_max_length: int
    padding_side: str
    truncation_side: str
    deprecation_warnings: dict[str, bool]

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """One or two sequences of ids with the model's special tokens around them; here, none."""
        return list(token_ids_0) if token_ids_1 is None else list(token_ids_0) + list(token_ids_1)

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """0 for the first sequence, 1 for the second; an opening `cls` and closing `sep` go with theirs."""
        opening = 0 if self.cls_token_id is None else 1
        closing = 0 if self.sep_token_id is None else 1
        types = [0] * (opening + len(token_ids_0) + closing)
        return types if token_ids_1 is None else types + [1] * (len(token_ids_1) + closing)

    def get_special_tokens_mask(
        self,
        token_ids_0: Sequence[int],
        token_ids_1: Sequence[int] | None = None,
        already_has_special_tokens: bool = False,
    ) -> list[int]:
        """1 for each special token of a finished sequence, 0 for the others.

        Raises:
            MisuseError: The sequence is not finished: only slow tokenizers know where they would put them.
        """
        if not already_has_special_tokens or token_ids_1 is not None:
            raise MisuseError(
                three_beats(
                    f"{type(self).__name__} was asked where special tokens would go",
                    "one finished sequence, and already_has_special_tokens=True",
                    "Pass return_special_tokens_mask=True to the call that encodes, or use a slow tokenizer.",
                )
            )
        special = set(self.all_special_ids)
        return [int(index in special) for index in token_ids_0]

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """How many special tokens a sequence (or a pair) gets."""
        return len(self.build_inputs_with_special_tokens([], [] if pair else None))

    def truncate_sequences(
        self,
        ids: list[int],
        pair_ids: list[int] | None = None,
        num_tokens_to_remove: int = 0,
        truncation_strategy: str | TruncationStrategy = "longest_first",
        stride: int = 0,
    ) -> tuple[list[int], list[int] | None, list[int]]:
        """Cut tokens off one sequence or two; what is left of each, and what fell off.

        Raises:
            InputError: Something that is no row of ids, no whole number, or no strategy.
        """
        strategy = TruncationStrategy(truncation_strategy)
        excess = whole_number(num_tokens_to_remove, "num_tokens_to_remove") or 0
        first = checked_ids(ids, "truncate_sequences")
        second = None if pair_ids is None else checked_ids(pair_ids, "truncate_sequences")
        return truncate(first, second, excess, strategy, stride, self.truncation_side)

    def prepare_for_model(
        self,
        ids: list[int],
        pair_ids: list[int] | None = None,
        add_special_tokens: bool = True,
        padding: Padding = False,
        truncation: Truncation = None,
        max_length: int | None = None,
        stride: int = 0,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_tensors: str | TensorType | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        prepend_batch_axis: bool = False,
        **kwargs: Any,
    ) -> BatchEncoding:
        """Build a model's input from ids: cut, put special tokens around, fill up.

        The arguments are those of the call. `kwargs` are ignored: callers pass theirs along.
        """
        ids = checked_ids(ids, "prepare_for_model")
        pair_ids = None if pair_ids is None else checked_ids(pair_ids, "prepare_for_model")
        options = self._options(
            padding=padding,
            truncation=truncation,
            max_length=max_length,
            stride=stride,
            pad_to_multiple_of=pad_to_multiple_of,
            padding_side=padding_side,
            return_tensors=return_tensors,
            wanted=Wanted(
                return_token_type_ids,
                return_attention_mask,
                return_overflowing_tokens,
                return_special_tokens_mask,
                return_offsets_mapping,
                return_length,
            ),
            add_special_tokens=add_special_tokens,
            is_split_into_words=False,
            verbose=verbose,
            extra={},
        )
        fields = self._assemble(ids, pair_ids, options)
        rows = self._padded({name: [value] for name, value in fields.items()}, options)
        if options.wanted.length:
            rows["length"] = [len(rows["input_ids"][0])]
        single = {name: column[0] for name, column in rows.items()}
        return BatchEncoding(single, tensor_type=options.tensors, prepend_batch_axis=prepend_batch_axis)

    def _assemble(self, ids: Sequence[int], pair_ids: Sequence[int] | None, options: CallOptions) -> dict[str, Any]:
        """The fields of one row, cut to the limits but not filled up, in the order that users know."""
        limits, wanted = options.limits, options.wanted
        pair = pair_ids is not None
        special = self.num_special_tokens_to_add(pair=pair) if options.add_special_tokens else 0
        excess = len(ids) + len(pair_ids or ()) + special - (limits.max_length or 0)
        to_cut = excess if limits.max_length else 0  # a maximum length of 0 counts as none
        shared = pair and limits.truncation is TruncationStrategy.LONGEST_FIRST
        if wanted.overflowing_tokens and shared:
            raise InputError(
                three_beats(
                    "overflowing tokens of a pair were asked for under truncation='longest_first'",
                    "truncation='only_first' or 'only_second'",
                    "Say which of the two sequences may be cut.",
                )
            )
        side = self.truncation_side
        cut = truncate(ids, pair_ids, to_cut, limits.truncation, limits.stride, side)
        fields: dict[str, Any] = {}
        if wanted.overflowing_tokens:
            fields["overflowing_tokens"] = cut.overflowing
            fields["num_truncated_tokens"] = excess
        fields["input_ids"] = cut.ids + (cut.pair_ids or [])
        types = mask = [0] * len(fields["input_ids"])
        if options.add_special_tokens:
            fields["input_ids"] = self.build_inputs_with_special_tokens(cut.ids, cut.pair_ids)
            types = self.create_token_type_ids_from_sequences(cut.ids, cut.pair_ids)
            mask = self.get_special_tokens_mask(cut.ids, cut.pair_ids) if wanted.special_tokens_mask else []
        if wanted.token_type_ids:
            fields["token_type_ids"] = types
        if wanted.special_tokens_mask:
            fields["special_tokens_mask"] = mask
        self._warn_of_length(len(fields["input_ids"]), options)
        return fields

    def _warn_of_length(self, length: int, options: CallOptions) -> None:
        """Say once that an input is longer than the model takes."""
        if options.limits.max_length is not None or length <= self.model_max_length or not options.verbose:
            return
        if not self.deprecation_warnings.get("sequence-length"):
            logger.warning(
                "an input has %d tokens and the model takes %d; running it would fail. Pass truncation=True.",
                length,
                self.model_max_length,
            )
        self.deprecation_warnings["sequence-length"] = True

    # -- padding ---------------------------------------------------------------------------------------------

    def pad(
        self,
        encoded_inputs: Any,
        padding: Padding = True,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: str | TensorType | None = None,
        verbose: bool = True,
    ) -> BatchEncoding:
        """Fill rows up to one length: those of an encoding, of a dict of lists, or of a list of dicts.

        Fields other than the model's inputs and masks (labels) are passed through. Rows of tensors give
        tensors of the same framework.

        Raises:
            InputError: There are no ids, rows have different fields, or there is no padding token.
        """
        columns = columns_of(encoded_inputs)
        ids_name = self._ids_name
        if ids_name not in columns:
            raise InputError(
                three_beats(f"pad() was given the fields {list(columns)}", f"{ids_name!r} among them", "Add the ids.")
            )
        wanted = Wanted(attention_mask=return_attention_mask).or_defaults(self.model_input_names)
        if columns[ids_name] is None or _length(columns[ids_name], ids_name) == 0:
            return BatchEncoding({**columns, "attention_mask": []} if return_attention_mask else columns)
        framework = framework_of(columns[ids_name])
        return_tensors = framework if return_tensors is None else return_tensors
        columns = listed(columns, only=None if framework else self._padding_values())
        limits = resolve_limits(
            self,
            padding=padding,
            truncation=False,
            max_length=max_length,
            pad_to_multiple_of=pad_to_multiple_of,
            padding_side=padding_side,
            verbose=verbose,
        )
        options = CallOptions(limits, wanted, verbose=verbose)
        if is_batch(columns[ids_name]):
            check_rows(columns, [name for name in self._padding_values() if name in columns], ids_name)
            return BatchEncoding(self._padded(columns, options), tensor_type=return_tensors)
        rows = self._padded({name: [value] for name, value in columns.items()}, options)
        return BatchEncoding({name: column[0] for name, column in rows.items()}, tensor_type=return_tensors)

    def _padded(self, columns: Mapping[str, list[Any]], options: CallOptions) -> dict[str, list[Any]]:
        """Columns of rows [B][T] with every row filled up to the same length; an attention mask is added."""
        limits, filled = options.limits, dict(columns)
        ids_name = self._ids_name if self._ids_name in columns else "input_ids"
        lengths = [len(row) for row in columns[ids_name]]
        if options.wanted.attention_mask and "attention_mask" not in filled:
            filled["attention_mask"] = [[1] * length for length in lengths]
        untouched = () if options.wanted.attention_mask else ("attention_mask",)
        if not limits.pads:
            return filled
        target = max(lengths) if limits.padding is PaddingStrategy.LONGEST else limits.max_length or 0
        target = padded_length(target, limits.pad_to_multiple_of)
        side = checked_side("padding_side", limits.padding_side or self.padding_side)
        for name, value in self._padding_values().items():
            if name in filled and name not in untouched:
                rows = zip(filled[name], lengths, strict=True)
                filled[name] = [fill(row, max(target - length, 0), value, side) for row, length in rows]
        return filled

    @property
    def _ids_name(self) -> str:
        """The field that the rows' lengths are those of: the model's first input."""
        return self.model_input_names[0]

    def _padding_values(self) -> dict[str, int]:
        """What each field is filled up with; a tokenizer with fields of its own adds them."""
        return {
            self._ids_name: self.pad_token_id,
            "token_type_ids": self.pad_token_type_id,
            "special_tokens_mask": 1,
            "attention_mask": 0,
        }


def _length(ids: Any, name: str) -> int:
    try:
        return len(ids)
    except TypeError:
        raise ArgumentTypeError(
            three_beats(f"the field {name!r} to pad is {describe(ids)}", "a list of ids, or of rows", "Correct it.")
        ) from None
