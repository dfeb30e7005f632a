"""GPT-2's tokenizer in pure Python: byte-level byte-pair encoding; nothing around the sequences unless wanted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from ...tokenization.byte_level import CONFIG_TYPES as BYTE_LEVEL_TYPES
from ...tokenization.byte_level import ByteLevelTokenizer, plain_token
from ...tokenization.special_tokens import Token, require_tokens

#: The fields of tokenizer_config.json that the slow and the fast tokenizer read.
CONFIG_TYPES = {**BYTE_LEVEL_TYPES, "add_bos_token": (bool,)}


class GPT2Tokenizer(ByteLevelTokenizer):
    """GPT-2's tokenizer in pure Python.

    Args:
        vocab_file: The vocabulary, a vocab.json.
        merges_file: The merges, a merges.txt.
        errors: What `bytes.decode` does with bytes that are no UTF-8: `replace`, `ignore` or `strict`.
        unk_token, bos_token, eos_token, pad_token: The special tokens.
        add_prefix_space: Treat the first word of a text like one inside it.
        add_bos_token: Begin each sequence with the token for it.
        kwargs: As for every tokenizer.

    Raises:
        FileError: A file cannot be read, or is damaged.
    """

    config_types = CONFIG_TYPES

    def __init__(
        self,
        vocab_file: str | os.PathLike[str],
        merges_file: str | os.PathLike[str],
        errors: str = "replace",
        unk_token: Token = "<|endoftext|>",
        bos_token: Token = "<|endoftext|>",
        eos_token: Token = "<|endoftext|>",
        pad_token: Token | None = None,
        add_prefix_space: bool = False,
        add_bos_token: bool = False,
        **kwargs: Any,
    ) -> None:
        self.add_bos_token = add_bos_token
        if add_bos_token:
            require_tokens(type(self), bos_token=bos_token)
        super().__init__(
            vocab_file,
            merges_file,
            errors=errors,
            unk_token=plain_token(unk_token),
            bos_token=plain_token(bos_token),
            eos_token=plain_token(eos_token),
            pad_token=plain_token(pad_token),
            add_prefix_space=add_prefix_space,
            add_bos_token=add_bos_token,
            **kwargs,
        )

    def prepare_for_tokenization(
        self, text: str, is_split_into_words: bool = False, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """Put a space before the text where its first word is to be like one inside a text."""
        spaced = kwargs.pop("add_prefix_space", self.add_prefix_space) or is_split_into_words
        return f" {text}" if spaced else text, kwargs

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """`A` or `A B`, each after the token that begins a sequence if `add_bos_token` says so."""
        opening = [self.bos_token_id] if self.add_bos_token else []
        sequence = [*opening, *token_ids_0]
        return sequence if token_ids_1 is None else [*sequence, *opening, *token_ids_1]

    def get_special_tokens_mask(
        self,
        token_ids_0: Sequence[int],
        token_ids_1: Sequence[int] | None = None,
        already_has_special_tokens: bool = False,
    ) -> list[int]:
        """1 for each token that begins a sequence (or for all special tokens), 0 for the others."""
        if already_has_special_tokens or not self.add_bos_token:
            return super().get_special_tokens_mask(token_ids_0, token_ids_1, already_has_special_tokens)
        mask = [1, *[0] * len(token_ids_0)]
        return mask if token_ids_1 is None else [*mask, 1, *[0] * len(token_ids_1)]
