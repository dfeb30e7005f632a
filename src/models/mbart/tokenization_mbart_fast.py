"""mBART's tokenizer on the `tokenizers` library, from tokenizer.json or made from sentencepiece.bpe.model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, ClassVar

from tokenizers import AddedToken, Tokenizer

from ...tokenization.building import add_in_order
from ...tokenization.saving import BACKEND_FILE
from ...tokenization.sentencepiece_fast import SentencePieceTokenizerFast, sentencepiece_backend, template
from ...tokenization.sentencepiece_model import SentencePieceModel
from ...tokenization.special_tokens import Token, require_tokens
from .tokenization_mbart import (
    CONFIG_TYPES,
    FIRST_TOKENS,
    LANGUAGE_CODES,
    VOCABULARY_FILE,
    MBartTokenizer,
    Translating,
    with_languages,
)


class MBartTokenizerFast(Translating, SentencePieceTokenizerFast):
    """mBART's tokenizer on the `tokenizers` library.

    Args:
        vocab_file: The model of SentencePiece; read when there is no tokenizer.json.
        tokenizer_file: A tokenizer.json.
        bos_token, eos_token, sep_token, cls_token, unk_token, pad_token, mask_token: The special tokens.
        src_lang: The language of sources, `en_XX` if None.
        tgt_lang: The language of targets.
        additional_special_tokens: Further special tokens, beside the languages.
        kwargs: As for every tokenizer; `from_slow` ignores tokenizer.json.

    Attributes:
        lang_code_to_id: Language -> id of its token.

    Raises:
        FileError: A file is missing or damaged.
        InputError: A language that the tokenizer does not have.
    """

    vocab_files_names: ClassVar[dict[str, str]] = {"vocab_file": VOCABULARY_FILE, "tokenizer_file": BACKEND_FILE}
    model_input_names: list[str] = ["input_ids", "attention_mask"]
    config_types = CONFIG_TYPES
    slow_tokenizer_class = MBartTokenizer

    def __init__(
        self,
        vocab_file: str | os.PathLike[str] | None = None,
        tokenizer_file: str | os.PathLike[str] | None = None,
        bos_token: Token | None = "<s>",
        eos_token: Token = "</s>",
        sep_token: Token | None = "</s>",
        cls_token: Token | None = "<s>",
        unk_token: Token = "<unk>",
        pad_token: Token | None = "<pad>",
        mask_token: Token | None = "<mask>",
        src_lang: str | None = None,
        tgt_lang: str | None = None,
        additional_special_tokens: Sequence[Token] | None = None,
        **kwargs: Any,
    ) -> None:
        require_tokens(type(self), eos_token=eos_token, unk_token=unk_token)
        super().__init__(
            vocab_file,
            tokenizer_file,
            bos_token=bos_token,
            eos_token=eos_token,
            sep_token=sep_token,
            cls_token=cls_token,
            unk_token=unk_token,
            pad_token=pad_token,
            mask_token=AddedToken(mask_token, lstrip=True) if isinstance(mask_token, str) else mask_token,
            src_lang=src_lang,
            tgt_lang=tgt_lang,
            additional_special_tokens=with_languages(additional_special_tokens),
            **kwargs,
        )
        self.lang_code_to_id = {code: self.convert_tokens_to_ids(code) for code in LANGUAGE_CODES}
        self._start_languages(src_lang, tgt_lang)

    def _make_backend(self, model: SentencePieceModel, settings: dict[str, Any]) -> Tokenizer:
        vocabulary = [(token, 0.0) for token in FIRST_TOKENS]
        vocabulary += zip(model.pieces[3:], model.scores[3:], strict=True)
        vocabulary += [(token, 0.0) for token in (*LANGUAGE_CODES, "<mask>")]
        backend = sentencepiece_backend(model, vocabulary, FIRST_TOKENS.index("<unk>"), "always")
        add_in_order(backend, settings)
        return backend

    def _id_of_language(self, language: str) -> int | None:
        return self._tokenizer.token_to_id(language)

    def _put_suffix(self, language: str) -> None:
        suffix = [f"{token}:0" for token in (self.eos_token, language)]
        with self._lock:
            self._tokenizer.post_processor = template(self._tokenizer, ("$A:0", *suffix), ("$A:0", "$B:0", *suffix))
