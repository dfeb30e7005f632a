"""The calls that encode a text: from their arguments one record of choices, with it the tokenizer encodes."""

from __future__ import annotations

from typing import Any

from ..files.errors import InputError, three_beats
from .batch_encoding import BatchEncoding
from .inputs import check_text, is_batched, with_pairs
from .options import (
    CallOptions,
    PaddingStrategy,
    TensorType,
    TruncationStrategy,
    Wanted,
    resolve_limits,
)

#: What a misspelt argument of a call is compared with.
CALL_ARGUMENTS = (
    "add_prefix_space",
    "add_special_tokens",
    "clean_up_tokenization_spaces",
    "is_split_into_words",
    "max_length",
    "pad_to_multiple_of",
    "padding",
    "padding_side",
    "return_attention_mask",
    "return_length",
    "return_offsets_mapping",
    "return_overflowing_tokens",
    "return_special_tokens_mask",
    "return_tensors",
    "return_token_type_ids",
    "skip_special_tokens",
    "spaces_between_special_tokens",
    "split_special_tokens",
    "stride",
    "text_pair",
    "text_target",
    "truncation",
    "verbose",
)

Padding = bool | str | PaddingStrategy | None
Truncation = bool | str | TruncationStrategy | None


class EncodingCalls:
    """The public ways to encode. What they share:

    Args:
        add_special_tokens: Put the model's own tokens around the sequences.
        padding: True or `longest`; `max_length`; False.
        truncation: True or `longest_first`; `only_first`; `only_second`; False.
        max_length: The length to cut to (and to fill up to); None is the model's own.
        stride: How many tokens an overflowing window shares with the one before it.
        is_split_into_words: The texts are lists of words.
        pad_to_multiple_of: Round the padded length up to a multiple of this.
        padding_side: `left` or `right`; None is the tokenizer's own.
        return_tensors: `pt`, `tf`, `np` or `jax`; None gives lists.
        return_token_type_ids, return_attention_mask: None leaves it to `model_input_names`.
        return_overflowing_tokens: Also what was cut off: the fast tokenizers give it as further rows.
        return_special_tokens_mask: Also which tokens were not in the text.
        return_offsets_mapping: Also the characters of each token (fast tokenizers only).
        return_length: Also the lengths.
        verbose: Warn about inputs that are longer than the model takes.
        kwargs: `split_special_tokens`, and what the tokenizer's own `tokenize` takes.

    Raises:
        InputError: A text that is none, an option that does not exist or cannot be kept.
        MissingDependencyError: `return_tensors` names a framework that is not installed.
    """

    model_input_names: list[str]
    model_max_length: int
    pad_token: Any
    pad_token_id: Any
    _in_target_context_manager: bool = False

    def __call__(
        self,
        text: Any = None,
        text_pair: Any = None,
        text_target: Any = None,
        text_pair_target: Any = None,
        add_special_tokens: bool = True,
        padding: Padding = False,
        truncation: Truncation = None,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
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
        **kwargs: Any,
    ) -> BatchEncoding:
        """Encode one text, a pair, or a batch of either; `text_target` is encoded as labels."""
        if text is None and text_target is None:
            raise InputError(
                three_beats("neither `text` nor `text_target` was given", "one of them", "Pass what to encode.")
            )
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
            is_split_into_words=is_split_into_words,
            verbose=verbose,
            extra=kwargs,
        )
        if not self._in_target_context_manager:
            self._switch_to_input_mode()
        encoded = None if text is None else self._encode(text, text_pair, options, "text")
        return self._with_targets(encoded, text_target, text_pair_target, options)

    def encode(
        self,
        text: Any,
        text_pair: Any = None,
        add_special_tokens: bool = True,
        padding: Padding = False,
        truncation: Truncation = None,
        max_length: int | None = None,
        stride: int = 0,
        padding_side: str | None = None,
        return_tensors: str | TensorType | None = None,
        **kwargs: Any,
    ) -> Any:
        """The ids of one text or pair. Slow tokenizers take a list of tokens or of ids as well."""
        encoded = self.encode_plus(
            text,
            text_pair=text_pair,
            add_special_tokens=add_special_tokens,
            padding=padding,
            truncation=truncation,
            max_length=max_length,
            stride=stride,
            padding_side=padding_side,
            return_tensors=return_tensors,
            **kwargs,
        )
        return encoded["input_ids"]

    def encode_plus(
        self,
        text: Any,
        text_pair: Any = None,
        add_special_tokens: bool = True,
        padding: Padding = False,
        truncation: Truncation = None,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
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
        **kwargs: Any,
    ) -> BatchEncoding:
        """Encode one text or pair; the older name of the call."""
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
            is_split_into_words=is_split_into_words,
            verbose=verbose,
            extra=kwargs,
        )
        return self._encode_one(text, text_pair, options)

    def batch_encode_plus(
        self,
        batch_text_or_text_pairs: Any,
        add_special_tokens: bool = True,
        padding: Padding = False,
        truncation: Truncation = None,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
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
        split_special_tokens: bool = False,
        **kwargs: Any,
    ) -> BatchEncoding:
        """Encode a batch of texts or of tuples of two; the older name of the call."""
        extra = {**kwargs, "split_special_tokens": True} if split_special_tokens else kwargs
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
            is_split_into_words=is_split_into_words,
            verbose=verbose,
            extra=extra,
        )
        if not isinstance(batch_text_or_text_pairs, (list, tuple)):
            check_text([batch_text_or_text_pairs], "batch_text_or_text_pairs")
            batch_text_or_text_pairs = [batch_text_or_text_pairs]
        return self._encode_batch(with_pairs(batch_text_or_text_pairs, None), options)

    # -- from arguments to one record ------------------------------------------------------------------------

    def _options(
        self,
        *,
        padding: Padding,
        truncation: Truncation,
        max_length: int | None,
        stride: int,
        pad_to_multiple_of: int | None,
        padding_side: str | None,
        return_tensors: str | TensorType | None,
        wanted: Wanted,
        add_special_tokens: bool,
        is_split_into_words: bool,
        verbose: bool,
        extra: dict[str, Any],
    ) -> CallOptions:
        return CallOptions(
            limits=resolve_limits(
                self,
                padding=padding,
                truncation=truncation,
                max_length=max_length,
                stride=stride,
                pad_to_multiple_of=pad_to_multiple_of,
                padding_side=padding_side,
                verbose=verbose,
            ),
            wanted=wanted.or_defaults(self.model_input_names),
            add_special_tokens=add_special_tokens,
            is_split_into_words=is_split_into_words,
            tensors=None if return_tensors is None else TensorType(return_tensors),
            verbose=verbose,
            extra=extra,
        )

    def _with_targets(
        self, encoded: BatchEncoding | None, target: Any, pair: Any, options: CallOptions
    ) -> BatchEncoding:
        """The targets' encoding: as labels beside that of the texts, or alone where there are no texts."""
        if target is None and encoded is not None:
            return encoded
        self._switch_to_target_mode()
        try:
            targets = self._encode(target, pair, options, "text_target")
        finally:
            if not self._in_target_context_manager:
                self._switch_to_input_mode()
        if encoded is None:
            return targets
        encoded["labels"] = targets["input_ids"]
        return encoded

    def _encode(self, text: Any, pair: Any, options: CallOptions, name: str) -> BatchEncoding:
        check_text(text, name)
        if pair is not None:
            check_text(pair, f"{name}_pair" if name == "text" else "text_pair_target")
        if is_batched(text, options.is_split_into_words):
            return self._encode_batch(with_pairs(text, pair), options)
        return self._encode_one(text, pair, options)

    # -- what the tokenizer provides -------------------------------------------------------------------------

    def _encode_one(self, text: Any, text_pair: Any, options: CallOptions) -> BatchEncoding:
        raise NotImplementedError

    def _encode_batch(self, examples: list[Any], options: CallOptions) -> BatchEncoding:
        raise NotImplementedError

    def _switch_to_input_mode(self) -> None:
        """Special tokens as for inputs; tokenizers that treat targets differently override it."""

    def _switch_to_target_mode(self) -> None:
        """Special tokens as for targets; tokenizers that treat targets differently override it."""
