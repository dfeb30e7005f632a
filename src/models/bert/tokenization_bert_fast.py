"""BERT's tokenizer on the `tokenizers` library, from tokenizer.json or built from vocab.txt."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from ...tokenization import PreTrainedTokenizerFast
from ...tokenization.building import add_in_order, with_id
from ...tokenization.rust import backend_errors
from ...tokenization.saving import BACKEND_FILE
from ...tokenization.special_tokens import Token, require_tokens
from .tokenization_bert import (
    CONFIG_TYPES,
    VOCABULARY_FILE,
    BertTokenizer,
    load_vocabulary,
    vocabulary_text,
)

_SLOW_DEFAULTS = {"do_basic_tokenize": True, "never_split": None, "clean_up_tokenization_spaces": True}


def wordpiece_backend(
    vocabulary: dict[str, int],
    settings: Mapping[str, Any],
    *,
    do_lower_case: bool,
    tokenize_chinese_chars: bool,
    strip_accents: bool | None,
) -> Tokenizer:
    """The `tokenizers` pipeline that does what `BertTokenizer` does.

    Args:
        vocabulary: Token -> id.
        settings: The tokenizer's other arguments: the special tokens, the added tokens, `wordpieces_prefix`.
        do_lower_case, tokenize_chinese_chars, strip_accents: As for `BertTokenizer`.

    Raises:
        InputError: The library cannot build it from this vocabulary and these tokens.
    """
    with backend_errors("the vocabulary makes no tokenizer", "BERT's vocabulary", "Check vocab.txt."):
        backend = Tokenizer(models.WordPiece(vocabulary, unk_token=str(settings["unk_token"])))
        backend.normalizer = normalizers.BertNormalizer(
            clean_text=True,
            handle_chinese_chars=bool(tokenize_chinese_chars),
            strip_accents=strip_accents,
            lowercase=bool(do_lower_case),
        )
        backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        backend.decoder = decoders.WordPiece(prefix=settings.get("wordpieces_prefix", "##"))
        add_in_order(backend, settings)
        cls, sep = with_id(backend, settings["cls_token"]), with_id(backend, settings["sep_token"])
        backend.post_processor = processors.TemplateProcessing(
            single=[f"{cls[0]}:0", "$A:0", f"{sep[0]}:0"],
            pair=[f"{cls[0]}:0", "$A:0", f"{sep[0]}:0", "$B:1", f"{sep[0]}:1"],
            special_tokens=[cls, sep],
        )
    return backend


class BertTokenizerFast(PreTrainedTokenizerFast):
    """BERT's tokenizer on the `tokenizers` library.

    Args:
        vocab_file: The vocabulary, one token per line; read when there is no tokenizer.json.
        tokenizer_file: A tokenizer.json.
        do_lower_case: Lower-case the text.
        unk_token, sep_token, pad_token, cls_token, mask_token: The special tokens.
        tokenize_chinese_chars: Make every CJK ideograph a word; switch it off for Japanese.
        strip_accents: Take accents off; None does so when lower-casing.
        kwargs: As for every tokenizer; `wordpieces_prefix` for decoding; `from_slow` ignores tokenizer.json.

    Raises:
        FileError: A file is missing or damaged.
    """

    vocab_files_names: ClassVar[dict[str, str]] = {
        "vocab_file": VOCABULARY_FILE,
        "tokenizer_file": BACKEND_FILE,
    }
    optional_files: ClassVar[frozenset[str]] = frozenset()
    config_types = CONFIG_TYPES
    slow_tokenizer_class = BertTokenizer

    def __init__(
        self,
        vocab_file: str | os.PathLike[str] | None = None,
        tokenizer_file: str | os.PathLike[str] | None = None,
        do_lower_case: bool = True,
        unk_token: Token = "[UNK]",
        sep_token: Token = "[SEP]",
        pad_token: Token | None = "[PAD]",
        cls_token: Token = "[CLS]",
        mask_token: Token | None = "[MASK]",
        tokenize_chinese_chars: bool = True,
        strip_accents: bool | None = None,
        **kwargs: Any,
    ) -> None:
        roles: dict[str, Token | None] = {
            "unk_token": unk_token,
            "sep_token": sep_token,
            "pad_token": pad_token,
            "cls_token": cls_token,
            "mask_token": mask_token,
        }
        require_tokens(type(self), unk_token=unk_token, sep_token=sep_token, cls_token=cls_token)
        if kwargs.pop("from_slow", False):
            tokenizer_file = None
        if tokenizer_file is None and kwargs.get("tokenizer_object") is None:
            self._tokenizer = wordpiece_backend(
                load_vocabulary(vocab_file),
                {**kwargs, **roles},
                do_lower_case=do_lower_case,
                tokenize_chinese_chars=tokenize_chinese_chars,
                strip_accents=strip_accents,
            )
            # What the slow tokenizer has by default; a tokenizer.json says for itself how it decodes.
            for name, value in _SLOW_DEFAULTS.items():
                kwargs.setdefault(name, value)
        super().__init__(
            tokenizer_file=tokenizer_file,
            do_lower_case=do_lower_case,
            **roles,
            tokenize_chinese_chars=tokenize_chinese_chars,
            strip_accents=strip_accents,
            **kwargs,
        )
        self._follow_settings(do_lower_case, strip_accents, tokenize_chinese_chars)
        self.do_lower_case = do_lower_case

    def _follow_settings(self, do_lower_case: bool, strip_accents: bool | None, tokenize_chinese_chars: bool) -> None:
        """Let the arguments win over what a tokenizer.json says, where it has BERT's normalizer."""
        normalizer = self._tokenizer.normalizer
        if not isinstance(normalizer, normalizers.BertNormalizer):
            return
        wanted = (bool(do_lower_case), strip_accents, bool(tokenize_chinese_chars))
        if wanted != (normalizer.lowercase, normalizer.strip_accents, normalizer.handle_chinese_chars):
            self._tokenizer.normalizer = normalizers.BertNormalizer(
                clean_text=normalizer.clean_text,
                handle_chinese_chars=bool(tokenize_chinese_chars),
                strip_accents=strip_accents,
                lowercase=bool(do_lower_case),
            )

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """`[CLS] A [SEP]`, or `[CLS] A [SEP] B [SEP]`."""
        sequence = [self.cls_token_id, *token_ids_0, self.sep_token_id]
        return sequence if token_ids_1 is None else [*sequence, *token_ids_1, self.sep_token_id]

    def _vocabulary_contents(self) -> dict[str, str | bytes]:
        return {VOCABULARY_FILE: vocabulary_text(self._tokenizer.get_vocab(with_added_tokens=False))}
