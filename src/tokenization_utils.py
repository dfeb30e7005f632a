"""The pure-Python base of tokenizers, and what tokenizers share, under the module path of 4.x."""

from . import tokenization_utils_base
from .tokenization import PreTrainedTokenizer
from .tokenization_utils_base import *  # noqa: F403 - 4.x has them here as well

__all__ = ["PreTrainedTokenizer", *tokenization_utils_base.__all__]
