"""ALBERT's tokenizer in pure Python: a cleaned text, then SentencePiece; `[CLS] A [SEP] B [SEP]`."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tokenizers import AddedToken

from ...tokenization.sentencepiece import SentencePieceTokenizer
from ...tokenization.sentencepiece_model import SPACE
from ...tokenization.special_tokens import Token, require_tokens
from ...tokenization.unicode import normalize

VOCABULARY_FILE = "spiece.model"

#: The fields of tokenizer_config.json that the slow and the fast tokenizer read.
CONFIG_TYPES: dict[str, tuple[type, ...]] = {
    "do_lower_case": (bool,),
    "remove_space": (bool,),
    "keep_accents": (bool,),
    "sp_model_kwargs": (dict, type(None)),
}


def as_mask(token: Token | None) -> Token | None:
    """The mask token: where it is text, it takes the space before it along."""
    return AddedToken(token, lstrip=True, normalized=False) if isinstance(token, str) else token


class AlbertTokenizer(SentencePieceTokenizer):
    """ALBERT's tokenizer in pure Python.

    Args:
        vocab_file: The model of SentencePiece.
        do_lower_case: Lower-case the text.
        remove_space: Make every run of spaces one space.
        keep_accents: Leave accents on.
        bos_token, eos_token, unk_token, sep_token, pad_token, cls_token, mask_token: The special tokens.
        sp_model_kwargs: Settings of the `sentencepiece` library.
        kwargs: As for every tokenizer.

    Raises:
        FileError: The model cannot be read.
        MissingDependencyError: The `sentencepiece` library is not installed.
    """

    vocab_files_names: ClassVar[dict[str, str]] = {"vocab_file": VOCABULARY_FILE}
    config_types = CONFIG_TYPES

    def __init__(
        self,
        vocab_file: str | os.PathLike[str],
        do_lower_case: bool = True,
        remove_space: bool = True,
        keep_accents: bool = False,
        bos_token: Token | None = "[CLS]",
        eos_token: Token | None = "[SEP]",
        unk_token: Token = "<unk>",
        sep_token: Token = "[SEP]",
        pad_token: Token | None = "<pad>",
        cls_token: Token = "[CLS]",
        mask_token: Token | None = "[MASK]",
        sp_model_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        require_tokens(type(self), unk_token=unk_token, sep_token=sep_token, cls_token=cls_token)
        self.do_lower_case = do_lower_case
        self.remove_space = remove_space
        self.keep_accents = keep_accents
        self._read_model(vocab_file, sp_model_kwargs)
        super().__init__(
            sp_model_kwargs=self.sp_model_kwargs,
            do_lower_case=do_lower_case,
            remove_space=remove_space,
            keep_accents=keep_accents,
            bos_token=bos_token,
            eos_token=eos_token,
            unk_token=unk_token,
            sep_token=sep_token,
            pad_token=pad_token,
            cls_token=cls_token,
            mask_token=as_mask(mask_token),
            **kwargs,
        )

    def preprocess_text(self, inputs: str) -> str:
        """A text as SentencePiece is to see it: spaces, quotation marks, accents and case as the settings say."""
        text = " ".join(inputs.split()) if self.remove_space else inputs
        text = text.replace("``", '"').replace("''", '"')
        if not self.keep_accents and not text.isascii():
            text = "".join(char for char in normalize("NFKD", text) if not unicodedata.combining(char))
        return text.lower() if self.do_lower_case else text

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        tokens: list[str] = []
        for piece in self._engine.encode(self.preprocess_text(text)):
            if piece.endswith(",") and piece[-2:-1].isdigit():
                tokens += self._without_comma(piece)
            else:
                tokens.append(piece)
        return tokens

    def _without_comma(self, piece: str) -> list[str]:
        """The pieces of a number with a comma behind it, which stands alone."""
        number = self._engine.encode(piece[:-1].replace(SPACE, ""))
        if number and number[0].startswith(SPACE) and not piece.startswith(SPACE):
            number = number[1:] if number[0] == SPACE else [number[0][1:], *number[1:]]
        return [*number, ","]

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """`[CLS] A [SEP]`, or `[CLS] A [SEP] B [SEP]`."""
        sequence = [self.cls_token_id, *token_ids_0, self.sep_token_id]
        return sequence if token_ids_1 is None else [*sequence, *token_ids_1, self.sep_token_id]

    def get_special_tokens_mask(
        self,
        token_ids_0: Sequence[int],
        token_ids_1: Sequence[int] | None = None,
        already_has_special_tokens: bool = False,
    ) -> list[int]:
        """1 for `[CLS]` and `[SEP]` around the sequences (or for all special tokens), 0 for the others."""
        if already_has_special_tokens:
            return super().get_special_tokens_mask(token_ids_0, token_ids_1, already_has_special_tokens=True)
        mask = [1, *[0] * len(token_ids_0), 1]
        return mask if token_ids_1 is None else [*mask, *[0] * len(token_ids_1), 1]
