"""ALBERT's tokenizer on the `tokenizers` library, from tokenizer.json or made from spiece.model."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from tokenizers import Regex, Tokenizer, normalizers

from ...tokenization.building import add_in_order
from ...tokenization.saving import BACKEND_FILE
from ...tokenization.sentencepiece_fast import (
    SentencePieceTokenizerFast,
    charsmap_of,
    sentencepiece_backend,
    template,
)
from ...tokenization.sentencepiece_model import SentencePieceModel
from ...tokenization.special_tokens import Token, require_tokens
from .tokenization_albert import CONFIG_TYPES, VOCABULARY_FILE, AlbertTokenizer, as_mask

#: What a piece loses that ends in a digit and a comma: the slow tokenizer cuts it in two.
_PENALTY = 100


class AlbertTokenizerFast(SentencePieceTokenizerFast):
    """ALBERT's tokenizer on the `tokenizers` library.

    Args:
        vocab_file: The model of SentencePiece; read when there is no tokenizer.json.
        tokenizer_file: A tokenizer.json.
        do_lower_case: Lower-case the text.
        remove_space: Make every run of spaces one space, which the fast tokenizer always does.
        keep_accents: Leave accents on.
        bos_token, eos_token, unk_token, sep_token, pad_token, cls_token, mask_token: The special tokens.
        kwargs: As for every tokenizer; `from_slow` ignores tokenizer.json.

    Raises:
        FileError: A file is missing or damaged.
    """

    vocab_files_names: ClassVar[dict[str, str]] = {"vocab_file": VOCABULARY_FILE, "tokenizer_file": BACKEND_FILE}
    config_types = CONFIG_TYPES
    slow_tokenizer_class = AlbertTokenizer

    def __init__(
        self,
        vocab_file: str | os.PathLike[str] | None = None,
        tokenizer_file: str | os.PathLike[str] | None = None,
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
        **kwargs: Any,
    ) -> None:
        require_tokens(type(self), unk_token=unk_token, sep_token=sep_token, cls_token=cls_token)
        self.do_lower_case = do_lower_case
        self.remove_space = remove_space
        self.keep_accents = keep_accents
        super().__init__(
            vocab_file,
            tokenizer_file,
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

    def _make_backend(self, model: SentencePieceModel, settings: dict[str, Any]) -> Tokenizer:
        vocabulary = [
            (piece, score - _PENALTY if piece.endswith(",") and piece[-2:-1].isdigit() else score)
            for piece, score in zip(model.pieces, model.scores, strict=True)
        ]
        backend = sentencepiece_backend(model, vocabulary, model.unk_id, "always", self._normalizing(model))
        add_in_order(backend, settings)
        cls, sep = f"{settings['cls_token']}:0", f"{settings['sep_token']}:0"
        second = ("$B:1", f"{settings['sep_token']}:1")
        backend.post_processor = template(backend, (cls, "$A:0", sep), (cls, "$A:0", sep, *second))
        return backend

    def _normalizing(self, model: SentencePieceModel) -> list[normalizers.Normalizer]:
        """What is done to a text first."""
        steps: list[normalizers.Normalizer] = [normalizers.Replace("``", '"'), normalizers.Replace("''", '"')]
        if not self.keep_accents:
            steps += [normalizers.NFKD(), normalizers.StripAccents()]
        if self.do_lower_case:
            steps.append(normalizers.Lowercase())
        return [*steps, *charsmap_of(model), normalizers.Replace(Regex(" {2,}"), " ")]

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """`[CLS] A [SEP]`, or `[CLS] A [SEP] B [SEP]`."""
        sequence = [self.cls_token_id, *token_ids_0, self.sep_token_id]
        return sequence if token_ids_1 is None else [*sequence, *token_ids_1, self.sep_token_id]
