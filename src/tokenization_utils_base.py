"""What tokenizers share, under the module path that users of 4.x import it from."""

from .tokenization import (
    AddedToken,
    BatchEncoding,
    CharSpan,
    PreTrainedTokenizerBase,
    SpecialTokensMixin,
    TensorType,
    TokenSpan,
)
from .tokenization.options import LARGE_INTEGER, VERY_LARGE_INTEGER, PaddingStrategy, TruncationStrategy

#: How annotations call what can be encoded.
TextInput = str
PreTokenizedInput = list[str]
EncodedInput = list[int]
TextInputPair = tuple[str, str]
PreTokenizedInputPair = tuple[list[str], list[str]]
EncodedInputPair = tuple[list[int], list[int]]

__all__ = [
    "LARGE_INTEGER",
    "VERY_LARGE_INTEGER",
    "AddedToken",
    "BatchEncoding",
    "CharSpan",
    "EncodedInput",
    "EncodedInputPair",
    "PaddingStrategy",
    "PreTokenizedInput",
    "PreTokenizedInputPair",
    "PreTrainedTokenizerBase",
    "SpecialTokensMixin",
    "TensorType",
    "TextInput",
    "TextInputPair",
    "TokenSpan",
    "TruncationStrategy",
]
