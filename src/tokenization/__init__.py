"""Tokenizers: the pure-Python and the fast base, and what encoding gives. No framework is imported.

The `tokenizers` library is imported at once, also for the slow tokenizers: it takes 10 ms, and `AddedToken`
(which both kinds pass around, and users compare and pickle) is its class.
"""

from tokenizers import AddedToken

from .base import PreTrainedTokenizerBase
from .batch_encoding import BatchEncoding, CharSpan, TokenSpan
from .fast import PreTrainedTokenizerFast
from .options import TensorType
from .slow import PreTrainedTokenizer
from .special_tokens import SpecialTokensMixin

__all__ = [
    "AddedToken",
    "BatchEncoding",
    "CharSpan",
    "PreTrainedTokenizer",
    "PreTrainedTokenizerBase",
    "PreTrainedTokenizerFast",
    "SpecialTokensMixin",
    "TensorType",
    "TokenSpan",
]
