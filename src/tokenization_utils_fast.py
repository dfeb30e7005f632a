"""The fast base of tokenizers, and what tokenizers share, under the module path of 4.x."""

from . import tokenization_utils_base
from .tokenization import PreTrainedTokenizerFast
from .tokenization_utils_base import *  # noqa: F403 - 4.x has them here as well

__all__ = ["PreTrainedTokenizerFast", *tokenization_utils_base.__all__]
