"""LED's tokenizer in pure Python: BART's, which fills up the mask of global attention too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...tokenization import PreTrainedTokenizerBase
from ...tokenization.options import CallOptions
from ...tokenization.padding import fill
from ..bart.tokenization_bart import BartTokenizer

#: The mask that says which tokens attend to all others, and what it is filled up with: 0 and 1 are of the text.
GLOBAL_MASK, GLOBAL_PADDING = "global_attention_mask", -1


class GlobalAttentionPadding(PreTrainedTokenizerBase):
    """A tokenizer that fills up the mask of global attention wherever the attention mask is wanted."""

    def _padding_values(self) -> dict[str, int]:
        return {**super()._padding_values(), GLOBAL_MASK: GLOBAL_PADDING}

    def _padded(self, columns: Mapping[str, list[Any]], options: CallOptions) -> dict[str, list[Any]]:
        others = dict(columns)
        masks = others.pop(GLOBAL_MASK, None)
        rows = super()._padded(others, options)
        if masks is None:
            return rows
        if options.wanted.attention_mask:
            side = options.limits.padding_side or self.padding_side
            lengths = [len(ids) for ids in rows[self._ids_name]]
            masks = [
                fill(mask, length - len(mask), GLOBAL_PADDING, side)
                for mask, length in zip(masks, lengths, strict=True)
            ]
        return {name: masks if name == GLOBAL_MASK else rows[name] for name in {**columns, **rows}}


class LEDTokenizer(GlobalAttentionPadding, BartTokenizer):
    """LED's tokenizer in pure Python. The arguments are those of `BartTokenizer`."""
