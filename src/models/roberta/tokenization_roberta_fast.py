"""RoBERTa's tokenizer on the `tokenizers` library, from tokenizer.json or built from vocab.json and merges.txt."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar

from tokenizers import Tokenizer, processors

from ...tokenization.building import with_id
from ...tokenization.byte_level import ByteLevelTokenizerFast, byte_level_backend, plain_token
from ...tokenization.special_tokens import Token, require_tokens
from .tokenization_roberta import RobertaTokenizer


class RobertaTokenizerFast(ByteLevelTokenizerFast):
    """RoBERTa's tokenizer on the `tokenizers` library.

    Args:
        vocab_file: The vocabulary, a vocab.json; read when there is no tokenizer.json.
        merges_file: The merges, a merges.txt; read when there is no tokenizer.json.
        tokenizer_file: A tokenizer.json.
        errors: As for the slow tokenizer; here it has no effect.
        bos_token, eos_token, sep_token, cls_token, unk_token, pad_token, mask_token: The special tokens; a mask given
            as a string takes the space before it.
        add_prefix_space: Treat the first word of a text like one inside it.
        trim_offsets: Leave the space before a word out of its offsets.
        kwargs: As for every tokenizer; `from_slow` ignores tokenizer.json.

    Raises:
        FileError: A file is missing or damaged.
    """

    slow_tokenizer_class = RobertaTokenizer
    #: Whether a mask given as a string is looked for in normalized text.
    _normalizes_mask: ClassVar[bool] = False

    def __init__(
        self,
        vocab_file: str | os.PathLike[str] | None = None,
        merges_file: str | os.PathLike[str] | None = None,
        tokenizer_file: str | os.PathLike[str] | None = None,
        errors: str = "replace",
        bos_token: Token = "<s>",
        eos_token: Token = "</s>",
        sep_token: Token = "</s>",
        cls_token: Token = "<s>",
        unk_token: Token = "<unk>",
        pad_token: Token = "<pad>",
        mask_token: Token = "<mask>",
        add_prefix_space: bool = False,
        trim_offsets: bool = True,
        **kwargs: Any,
    ) -> None:
        roles: dict[str, Any] = {
            "bos_token": bos_token,
            "eos_token": eos_token,
            "unk_token": unk_token,
            "sep_token": sep_token,
            "pad_token": pad_token,
            "cls_token": cls_token,
            "mask_token": plain_token(mask_token, lstrip=True, normalized=self._normalizes_mask),
        }
        if kwargs.pop("from_slow", False):
            tokenizer_file = None
        if tokenizer_file is None and kwargs.get("tokenizer_object") is None:
            require_tokens(type(self), sep_token=sep_token, cls_token=cls_token)
            roles = {role: plain_token(token) for role, token in roles.items()}
            settings = {**kwargs, **roles, "add_prefix_space": add_prefix_space}
            self._tokenizer = roberta_backend(vocab_file, merges_file, settings)
        super().__init__(
            tokenizer_file=tokenizer_file,
            errors=errors,
            **roles,
            add_prefix_space=add_prefix_space,
            trim_offsets=trim_offsets,
            **kwargs,
        )
        around = self._tokenizer.post_processor
        if isinstance(around, processors.RobertaProcessing):  # arguments win over what a tokenizer.json says
            self._tokenizer.post_processor = processors.RobertaProcessing(
                around.sep, around.cls, trim_offsets=bool(trim_offsets), add_prefix_space=bool(add_prefix_space)
            )

    @property
    def mask_token(self) -> str | None:
        """The mask. One that is set as a string takes the space before it."""
        token = self._special_tokens["mask_token"]
        return None if token is None else str(token)

    @mask_token.setter
    def mask_token(self, value: Token | None) -> None:
        self._special_tokens["mask_token"] = plain_token(value, lstrip=True)

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """`<s> A </s>`, or `<s> A </s></s> B </s>`."""
        sequence = [self.bos_token_id, *token_ids_0, self.eos_token_id]
        return sequence if token_ids_1 is None else [*sequence, self.eos_token_id, *token_ids_1, self.eos_token_id]

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """0 everywhere: the model knows no token types."""
        return [0] * len(self.build_inputs_with_special_tokens(token_ids_0, token_ids_1))


def roberta_backend(
    vocab_file: str | os.PathLike[str] | None,
    merges_file: str | os.PathLike[str] | None,
    settings: Mapping[str, Any],
) -> Tokenizer:
    """The `tokenizers` pipeline that does what `RobertaTokenizer` does.

    Raises:
        FileError: A file cannot be read, or is damaged.
        InputError: The library cannot build it from them.
    """
    backend = byte_level_backend(vocab_file, merges_file, settings)
    sep, cls = with_id(backend, settings["sep_token"]), with_id(backend, settings["cls_token"])
    backend.post_processor = processors.RobertaProcessing(sep, cls)
    return backend
