"""CamemBERT's tokenizer in pure Python: SentencePiece; `<s> A </s></s> B </s>`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tokenizers import AddedToken

from ...tokenization.sentencepiece import FairseqTokenizer
from ...tokenization.special_tokens import Token, described, require_tokens

VOCABULARY_FILE = "sentencepiece.bpe.model"
#: Tokens that training left in the vocabulary and that no text has.
UNUSED_TOKENS = ("<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED")
#: The tokens before those of the model.
FIRST_TOKENS = ("<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>")


#: The fields of tokenizer_config.json that the slow and the fast tokenizer read.
CONFIG_TYPES: dict[str, tuple[type, ...]] = {"sp_model_kwargs": (dict, type(None))}


def first_tokens(roles: Mapping[str, Any]) -> dict[int, AddedToken]:
    """The tokens that the vocabulary begins with, by id; `roles` says which stand for padding and the unknown."""
    tokens = ("<s>NOTUSED", roles["pad_token"], "</s>NOTUSED", roles["unk_token"], "<unk>NOTUSED")
    return {index: described(token, special=True) for index, token in enumerate(tokens)}


def as_mask(token: Token | None) -> Token | None:
    """The mask token: where it is text, it takes the space before it along."""
    return AddedToken(token, lstrip=True, normalized=False, special=True) if isinstance(token, str) else token


class CamembertTokenizer(FairseqTokenizer):
    """CamemBERT's tokenizer in pure Python.

    Args:
        vocab_file: The model of SentencePiece.
        bos_token, eos_token, sep_token, cls_token, unk_token, pad_token, mask_token: The special tokens.
        additional_special_tokens: Further special tokens.
        sp_model_kwargs: Settings of the `sentencepiece` library.
        kwargs: As for every tokenizer.

    Raises:
        FileError: The model cannot be read.
        MissingDependencyError: The `sentencepiece` library is not installed.
    """

    vocab_files_names: ClassVar[dict[str, str]] = {"vocab_file": VOCABULARY_FILE}
    model_input_names: list[str] = ["input_ids", "attention_mask"]
    config_types = CONFIG_TYPES
    fairseq_offset = len(FIRST_TOKENS)

    def __init__(
        self,
        vocab_file: str | os.PathLike[str],
        bos_token: Token | None = "<s>",
        eos_token: Token | None = "</s>",
        sep_token: Token = "</s>",
        cls_token: Token = "<s>",
        unk_token: Token = "<unk>",
        pad_token: Token = "<pad>",
        mask_token: Token | None = "<mask>",
        additional_special_tokens: Sequence[Token] | None = UNUSED_TOKENS,
        sp_model_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        require_tokens(type(self), unk_token=unk_token, sep_token=sep_token, cls_token=cls_token, pad_token=pad_token)
        first = first_tokens({"pad_token": pad_token, "unk_token": unk_token})
        restored = kwargs.pop("added_tokens_decoder", None) or {}
        self._read_model(vocab_file, sp_model_kwargs)
        super().__init__(
            sp_model_kwargs=self.sp_model_kwargs,
            added_tokens_decoder={**restored, **first},
            bos_token=bos_token,
            eos_token=eos_token,
            unk_token=unk_token,
            sep_token=sep_token,
            cls_token=cls_token,
            pad_token=pad_token,
            mask_token=as_mask(mask_token),
            additional_special_tokens=None if additional_special_tokens is None else list(additional_special_tokens),
            **kwargs,
        )

    def _tokens(self) -> list[str]:
        return [*FIRST_TOKENS, *self._engine.pieces]

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """`<s> A </s>`, or `<s> A </s></s> B </s>`."""
        cls, sep = self.cls_token_id, self.sep_token_id
        sequence = [cls, *token_ids_0, sep]
        return sequence if token_ids_1 is None else [*sequence, sep, *token_ids_1, sep]

    def get_special_tokens_mask(
        self,
        token_ids_0: Sequence[int],
        token_ids_1: Sequence[int] | None = None,
        already_has_special_tokens: bool = False,
    ) -> list[int]:
        """1 for the tokens around the sequences (or for all special tokens), 0 for the others."""
        if already_has_special_tokens:
            return super().get_special_tokens_mask(token_ids_0, token_ids_1, already_has_special_tokens=True)
        mask = [1, *[0] * len(token_ids_0), 1]
        return mask if token_ids_1 is None else [*mask, 1, *[0] * len(token_ids_1), 1]

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """0 for every token: the model does not tell the two sequences apart."""
        return [0] * len(self.build_inputs_with_special_tokens(token_ids_0, token_ids_1))
