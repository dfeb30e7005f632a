"""How a text is to be encoded: the choices of one call, checked once and carried as one record."""

from __future__ import annotations

import logging
import operator
import warnings
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, Self

from ..files.errors import InputError, three_beats
from .errors import ArgumentTypeError

logger = logging.getLogger(__name__)

#: What `model_max_length` is when nothing is known about the model, as files on the Hub spell it.
VERY_LARGE_INTEGER = int(1e30)
#: From here on a `model_max_length` means "no limit".
LARGE_INTEGER = int(1e20)
#: Longer padding is refused: rows of more would take all memory, and the backend would end the process.
LONGEST_PADDING = 2**24


class _Choice(StrEnum):
    """A string option; a value that it does not have is refused with those that it has."""

    @classmethod
    def _missing_(cls, value: object) -> Any:
        raise InputError(
            three_beats(
                f"{value!r} is not a valid {cls.__name__}",
                "one of " + ", ".join(repr(member.value) for member in cls),
                "Correct the argument.",
            )
        )


class PaddingStrategy(_Choice):
    """To which length rows are filled up."""

    LONGEST = "longest"
    MAX_LENGTH = "max_length"
    DO_NOT_PAD = "do_not_pad"


class TruncationStrategy(_Choice):
    """From which of two sequences tokens are removed."""

    ONLY_FIRST = "only_first"
    ONLY_SECOND = "only_second"
    LONGEST_FIRST = "longest_first"
    DO_NOT_TRUNCATE = "do_not_truncate"


class TensorType(_Choice):
    """The frameworks that `return_tensors` names."""

    PYTORCH = "pt"
    TENSORFLOW = "tf"
    NUMPY = "np"
    JAX = "jax"
    MLX = "mlx"


class Limits(NamedTuple):
    """What is to be cut and what is to be filled up, with every default filled in.

    Attributes:
        padding: To which length rows are filled up.
        truncation: From which sequence tokens are removed.
        max_length: The length to cut to, and to fill up to under `PaddingStrategy.MAX_LENGTH`.
        stride: How many tokens an overflowing window shares with its predecessor.
        pad_to_multiple_of: Round the padded length up to a multiple of this.
        padding_side: `left`, `right`, or None for the tokenizer's own.
    """

    padding: PaddingStrategy = PaddingStrategy.DO_NOT_PAD
    truncation: TruncationStrategy = TruncationStrategy.DO_NOT_TRUNCATE
    max_length: int | None = None
    stride: int = 0
    pad_to_multiple_of: int | None = None
    padding_side: str | None = None

    @property
    def pads(self) -> bool:
        """Whether rows are filled up at all."""
        return self.padding is not PaddingStrategy.DO_NOT_PAD

    @property
    def truncates(self) -> bool:
        """Whether rows are cut at all."""
        return self.truncation is not TruncationStrategy.DO_NOT_TRUNCATE


class Wanted(NamedTuple):
    """Which fields the answer has; None leaves a field to the tokenizer's `model_input_names`."""

    token_type_ids: bool | None = None
    attention_mask: bool | None = None
    overflowing_tokens: bool = False
    special_tokens_mask: bool = False
    offsets_mapping: bool = False
    length: bool = False

    def or_defaults(self, model_input_names: list[str]) -> Self:
        """The same with the two open fields decided."""
        types, mask, *others = self
        return type(self)(
            "token_type_ids" in model_input_names if types is None else types,
            "attention_mask" in model_input_names if mask is None else mask,
            *others,
        )


class CallOptions(NamedTuple):
    """All choices of one encoding call.

    Attributes:
        limits: Padding and truncation.
        wanted: The fields of the answer.
        add_special_tokens: Whether the model's own tokens are put around the sequences.
        is_split_into_words: Whether a text is given as a list of words.
        tensors: The framework of the answer, None for lists.
        verbose: Whether to warn about sequences longer than the model takes.
        extra: Further keyword arguments, for the tokenizer's own `tokenize`.
    """

    limits: Limits
    wanted: Wanted
    add_special_tokens: bool = True
    is_split_into_words: bool = False
    tensors: TensorType | None = None
    verbose: bool = True
    extra: Mapping[str, Any] = MappingProxyType({})


class Model(Protocol):
    """What the limits of a call depend on in the tokenizer: its own limit and its padding token."""

    model_max_length: int
    pad_token: Any
    pad_token_id: Any


def checked_side(name: str, side: Any) -> str:
    """A side, if it is one.

    Raises:
        InputError: It is neither `left` nor `right`.
    """
    if side not in ("left", "right"):
        raise InputError(three_beats(f"{name}={side!r}", "'left' or 'right'", f"Correct {name}."))
    return side


def resolve_limits(
    model: Model,
    *,
    padding: bool | str | PaddingStrategy | None,
    truncation: bool | str | TruncationStrategy | None,
    max_length: int | None,
    stride: int = 0,
    pad_to_multiple_of: int | None = None,
    padding_side: str | None = None,
    verbose: bool = True,
) -> Limits:
    """The limits of a call from the arguments as users give them.

    `padding=True` means the longest row, `truncation=True` the longest sequence first. A `max_length` alone
    cuts as well, with a warning. Without one, the model's own limit counts; where the model has none, nothing
    is cut or filled up, with a warning.

    Raises:
        InputError: An unknown strategy, an impossible number, or padding without a padding token.
    """
    length = whole_number(max_length, "max_length", least=0)
    multiple = whole_number(pad_to_multiple_of, "pad_to_multiple_of", least=1)
    cut = _truncation_strategy(truncation)
    fill = _padding_strategy(padding)
    if length is not None and truncation is None and padding is False:
        if verbose:
            logger.warning(
                "max_length=%d was given without `truncation`; inputs are cut as under truncation=True. "
                "Say truncation=True, or one of %s, to choose.",
                length,
                ", ".join(repr(member.value) for member in TruncationStrategy),
            )
        cut = TruncationStrategy.LONGEST_FIRST
    if length is not None and padding is True and cut is TruncationStrategy.DO_NOT_TRUNCATE and verbose:
        warnings.warn(
            "`max_length` is ignored when padding=True and nothing is truncated; "
            "use padding='max_length' to fill up to it.",
            stacklevel=4,
        )
    if length is None or length > LARGE_INTEGER:  # callers pass a model_max_length that means "no limit"
        known = model.model_max_length if length is None else length
        fill, cut, length = _model_limit(known, fill, cut, verbose)
    limits = Limits(fill, cut, length, whole_number(stride, "stride", least=0) or 0, multiple, padding_side)
    _check_limits(model, limits)
    return limits


def _model_limit(
    known: int, fill: PaddingStrategy, cut: TruncationStrategy, verbose: bool
) -> tuple[PaddingStrategy, TruncationStrategy, int | None]:
    """Both strategies and the length, where the call itself sets no limit."""
    wants_fill = fill is PaddingStrategy.MAX_LENGTH
    wants_cut = cut is not TruncationStrategy.DO_NOT_TRUNCATE
    if not (wants_fill or wants_cut):
        return fill, cut, None
    if known <= LARGE_INTEGER:
        return fill, cut, known
    if verbose:
        asked = " and ".join(word for word, wanted in (("pad", wants_fill), ("truncate", wants_cut)) if wanted)
        logger.warning(
            "asked to %s to the maximum length, but no max_length was given and this tokenizer's "
            "model_max_length is not set; nothing is done. Give max_length=...",
            asked,
        )
    return (
        PaddingStrategy.DO_NOT_PAD if wants_fill else fill,
        TruncationStrategy.DO_NOT_TRUNCATE,
        None,
    )


def _check_limits(model: Model, limits: Limits) -> None:
    if limits.padding_side is not None:
        checked_side("padding_side", limits.padding_side)
    if not limits.pads:
        return
    if model.pad_token is None or model.pad_token_id is None or model.pad_token_id < 0:
        raise InputError(
            three_beats(
                "padding was asked for, but this tokenizer has no padding token",
                "`pad_token` to be set",
                "Use another token (tokenizer.pad_token = tokenizer.eos_token) or add one: "
                "tokenizer.add_special_tokens({'pad_token': '[PAD]'}).",
            )
        )
    multiple, length = limits.pad_to_multiple_of, limits.max_length
    target = length if limits.padding is PaddingStrategy.MAX_LENGTH else None
    for name, value in (("max_length", target), ("pad_to_multiple_of", multiple)):
        if value is not None and value > LONGEST_PADDING:
            raise InputError(
                three_beats(
                    f"rows are to be padded to {value} tokens by {name}",
                    f"{LONGEST_PADDING} at most",
                    f"Use padding=True, or a smaller {name}.",
                )
            )
    if limits.truncates and multiple is not None and length is not None and length % multiple != 0:
        raise InputError(
            three_beats(
                f"rows are cut to {length} tokens and padded to a multiple of {multiple}",
                "max_length to be such a multiple",
                f"Use max_length={length // multiple * multiple or multiple}.",
            )
        )


def _padding_strategy(padding: bool | str | PaddingStrategy | None) -> PaddingStrategy:
    if padding is None or padding is False:
        return PaddingStrategy.DO_NOT_PAD
    return PaddingStrategy.LONGEST if padding is True else PaddingStrategy(padding)


def _truncation_strategy(truncation: bool | str | TruncationStrategy | None) -> TruncationStrategy:
    if truncation is None or truncation is False:
        return TruncationStrategy.DO_NOT_TRUNCATE
    return TruncationStrategy.LONGEST_FIRST if truncation is True else TruncationStrategy(truncation)


def whole_number(value: Any, name: str, least: int | None = None) -> int | None:
    """A whole number that is not too small, or None.

    Raises:
        ArgumentTypeError: It is no whole number.
        InputError: It is smaller than `least`.
    """
    if value is None:
        return None
    try:
        number = operator.index(value)
    except TypeError:
        raise ArgumentTypeError(
            three_beats(f"{name}={value!r} ({type(value).__name__})", "a whole number", "Give an int.")
        ) from None
    if least is not None and number < least:
        raise InputError(three_beats(f"{name}={number}", f"{least} or more", "Correct the argument."))
    return number
