"""CamemBERT's tokenizer on the `tokenizers` library, from tokenizer.json or made from sentencepiece.bpe.model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, ClassVar

from tokenizers import Tokenizer

from ...tokenization.building import add_in_order
from ...tokenization.saving import BACKEND_FILE
from ...tokenization.sentencepiece_fast import SentencePieceTokenizerFast, sentencepiece_backend, template
from ...tokenization.sentencepiece_model import SentencePieceModel
from ...tokenization.special_tokens import Token, require_tokens
from .tokenization_camembert import (
    CONFIG_TYPES,
    FIRST_TOKENS,
    UNUSED_TOKENS,
    VOCABULARY_FILE,
    CamembertTokenizer,
    as_mask,
    first_tokens,
)


class CamembertTokenizerFast(SentencePieceTokenizerFast):
    """CamemBERT's tokenizer on the `tokenizers` library.

    Args:
        vocab_file: The model of SentencePiece; read when there is no tokenizer.json.
        tokenizer_file: A tokenizer.json.
        bos_token, eos_token, sep_token, cls_token, unk_token, pad_token, mask_token: The special tokens.
        additional_special_tokens: Further special tokens.
        kwargs: As for every tokenizer; `from_slow` ignores tokenizer.json.

    Raises:
        FileError: A file is missing or damaged.
    """

    vocab_files_names: ClassVar[dict[str, str]] = {"vocab_file": VOCABULARY_FILE, "tokenizer_file": BACKEND_FILE}
    model_input_names: list[str] = ["input_ids", "attention_mask"]
    config_types = CONFIG_TYPES
    slow_tokenizer_class = CamembertTokenizer

    def __init__(
        self,
        vocab_file: str | os.PathLike[str] | None = None,
        tokenizer_file: str | os.PathLike[str] | None = None,
        bos_token: Token | None = "<s>",
        eos_token: Token | None = "</s>",
        sep_token: Token = "</s>",
        cls_token: Token = "<s>",
        unk_token: Token = "<unk>",
        pad_token: Token = "<pad>",
        mask_token: Token | None = "<mask>",
        additional_special_tokens: Sequence[Token] | None = UNUSED_TOKENS,
        **kwargs: Any,
    ) -> None:
        require_tokens(type(self), unk_token=unk_token, sep_token=sep_token, cls_token=cls_token, pad_token=pad_token)
        super().__init__(
            vocab_file,
            tokenizer_file,
            bos_token=bos_token,
            eos_token=eos_token,
            sep_token=sep_token,
            cls_token=cls_token,
            unk_token=unk_token,
            pad_token=pad_token,
            mask_token=as_mask(mask_token),
            additional_special_tokens=None if additional_special_tokens is None else list(additional_special_tokens),
            **kwargs,
        )

    def _make_backend(self, model: SentencePieceModel, settings: dict[str, Any]) -> Tokenizer:
        vocabulary = [(token, 0.0) for token in FIRST_TOKENS]
        vocabulary.append(("<unk>NOTUSED", -100.0))
        vocabulary += zip(model.pieces[1:], model.scores[1:], strict=True)
        vocabulary.append(("<mask>", 0.0))
        backend = sentencepiece_backend(model, vocabulary, FIRST_TOKENS.index("<unk>"), "always")
        decoder = {**(settings.get("added_tokens_decoder") or {}), **first_tokens(settings)}
        add_in_order(backend, {**settings, "added_tokens_decoder": decoder})
        cls, sep = f"{settings['cls_token']}:0", f"{settings['sep_token']}:0"
        backend.post_processor = template(backend, (cls, "$A:0", sep), (cls, "$A:0", sep, sep, "$B:0", sep))
        return backend

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """`<s> A </s>`, or `<s> A </s></s> B </s>`."""
        cls, sep = self.cls_token_id, self.sep_token_id
        sequence = [cls, *token_ids_0, sep]
        return sequence if token_ids_1 is None else [*sequence, sep, *token_ids_1, sep]

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """0 for every token: the model does not tell the two sequences apart."""
        return [0] * len(self.build_inputs_with_special_tokens(token_ids_0, token_ids_1))
