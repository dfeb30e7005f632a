"""RoBERTa's tokenizer in pure Python: byte-level byte-pair encoding; `<s> A </s></s> B </s>`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, ClassVar

from ...tokenization.byte_level import ByteLevelTokenizer, plain_token
from ...tokenization.special_tokens import Token, require_tokens


class RobertaTokenizer(ByteLevelTokenizer):
    """RoBERTa's tokenizer in pure Python.

    Args:
        vocab_file: The vocabulary, a vocab.json.
        merges_file: The merges, a merges.txt.
        errors: What `bytes.decode` does with bytes that are no UTF-8: `replace`, `ignore` or `strict`.
        bos_token, eos_token, sep_token, cls_token, unk_token, pad_token, mask_token: The special tokens; a mask given
            as a string takes the space before it.
        add_prefix_space: Treat the first word of a text like one inside it.
        kwargs: As for every tokenizer.

    Raises:
        FileError: A file cannot be read, or is damaged.
    """

    #: Whether a mask given as a string is looked for in normalized text.
    _normalizes_mask: ClassVar[bool] = False

    def __init__(
        self,
        vocab_file: str | os.PathLike[str],
        merges_file: str | os.PathLike[str],
        errors: str = "replace",
        bos_token: Token = "<s>",
        eos_token: Token = "</s>",
        sep_token: Token = "</s>",
        cls_token: Token = "<s>",
        unk_token: Token = "<unk>",
        pad_token: Token = "<pad>",
        mask_token: Token = "<mask>",
        add_prefix_space: bool = False,
        **kwargs: Any,
    ) -> None:
        require_tokens(type(self), sep_token=sep_token, cls_token=cls_token)
        super().__init__(
            vocab_file,
            merges_file,
            errors=errors,
            bos_token=plain_token(bos_token),
            eos_token=plain_token(eos_token),
            sep_token=plain_token(sep_token),
            cls_token=plain_token(cls_token),
            unk_token=plain_token(unk_token),
            pad_token=plain_token(pad_token),
            mask_token=plain_token(mask_token, lstrip=True, normalized=self._normalizes_mask),
            add_prefix_space=add_prefix_space,
            **kwargs,
        )

    def prepare_for_tokenization(
        self, text: str, is_split_into_words: bool = False, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """Put a space before a text without one where its first word is to be like one inside a text."""
        spaced = kwargs.pop("add_prefix_space", self.add_prefix_space) or is_split_into_words
        return f" {text}" if spaced and text and not text[0].isspace() else text, kwargs

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """`<s> A </s>`, or `<s> A </s></s> B </s>`."""
        sequence = [self.cls_token_id, *token_ids_0, self.sep_token_id]
        return sequence if token_ids_1 is None else [*sequence, self.sep_token_id, *token_ids_1, self.sep_token_id]

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """0 everywhere: the model knows no token types."""
        return [0] * len(self.build_inputs_with_special_tokens(token_ids_0, token_ids_1))

    def get_special_tokens_mask(
        self,
        token_ids_0: Sequence[int],
        token_ids_1: Sequence[int] | None = None,
        already_has_special_tokens: bool = False,
    ) -> list[int]:
        """1 for each token around the sequences (or for all special tokens), 0 for the others."""
        if already_has_special_tokens:
            return super().get_special_tokens_mask(token_ids_0, token_ids_1, already_has_special_tokens=True)
        mask = [1, *[0] * len(token_ids_0), 1]
        return mask if token_ids_1 is None else [*mask, 1, *[0] * len(token_ids_1), 1]
