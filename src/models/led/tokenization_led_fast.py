"""LED's tokenizer on the `tokenizers` library: BART's, which fills up the mask of global attention too."""

from __future__ import annotations

from ..bart.tokenization_bart_fast import BartTokenizerFast
from .tokenization_led import GlobalAttentionPadding, LEDTokenizer


class LEDTokenizerFast(GlobalAttentionPadding, BartTokenizerFast):
    """LED's tokenizer on the `tokenizers` library. The arguments are those of `BartTokenizerFast`."""

    slow_tokenizer_class = LEDTokenizer
