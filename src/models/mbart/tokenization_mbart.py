"""mBART's tokenizer in pure Python: SentencePiece; `A </s> <language>`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tokenizers import AddedToken

from ...files.errors import InputError, closest, three_beats
from ...tokenization import BatchEncoding, PreTrainedTokenizerBase
from ...tokenization.sentencepiece import FairseqTokenizer
from ...tokenization.sentencepiece_model import SPACE
from ...tokenization.special_tokens import Token, require_tokens

VOCABULARY_FILE = "sentencepiece.bpe.model"
#: The tokens before those of the model.
FIRST_TOKENS = ("<s>", "<pad>", "</s>", "<unk>")
#: The languages, in the order of their ids.
# fmt: off
LANGUAGE_CODES = (
    "ar_AR", "cs_CZ", "de_DE", "en_XX", "es_XX", "et_EE", "fi_FI", "fr_XX", "gu_IN",
    "hi_IN", "it_IT", "ja_XX", "kk_KZ", "ko_KR", "lt_LT", "lv_LV", "my_MM", "ne_NP",
    "nl_XX", "ro_RO", "ru_RU", "si_LK", "tr_TR", "vi_VN", "zh_CN",
)
# fmt: on

#: The fields of tokenizer_config.json that the slow and the fast tokenizer read.
CONFIG_TYPES: dict[str, tuple[type, ...]] = {
    "src_lang": (str, type(None)),
    "tgt_lang": (str, type(None)),
    "sp_model_kwargs": (dict, type(None)),
}
_SOURCE = "en_XX"
_TARGET = "ro_RO"


def as_mask(token: Token | None) -> Token | None:
    """The mask token: where it is text, it takes the space before it along."""
    return AddedToken(token, lstrip=True, normalized=False) if isinstance(token, str) else token


def with_languages(tokens: Sequence[Token] | None) -> list[Token]:
    """The special tokens without a role: the languages, then those that were given."""
    return [*LANGUAGE_CODES, *(token for token in tokens or () if str(token) not in LANGUAGE_CODES)]


class Translating(PreTrainedTokenizerBase):
    """What the slow and the fast tokenizer of a translator share: a language for the source, one for the target.

    A sequence ends with the token of its language.

    Attributes:
        tgt_lang: The language of targets.
        cur_lang_code: The id of the language that sequences get now.
        prefix_tokens: The ids before a sequence.
        suffix_tokens: The ids behind a sequence.
    """

    tgt_lang: str | None
    cur_lang_code: int
    prefix_tokens: list[int]
    suffix_tokens: list[int]

    def _start_languages(self, src_lang: str | None, tgt_lang: str | None) -> None:
        """Begin with these languages, as inputs need it."""
        self.tgt_lang = tgt_lang
        self.suffix_tokens = []
        self.src_lang = _SOURCE if src_lang is None else src_lang

    @property
    def src_lang(self) -> str:
        """The language of sources."""
        return self._src_lang

    @src_lang.setter
    def src_lang(self, new_src_lang: str) -> None:
        self.set_src_lang_special_tokens(new_src_lang)
        self._src_lang = new_src_lang

    def set_src_lang_special_tokens(self, src_lang: str) -> None:
        """Let sequences end with the token of a source language.

        Raises:
            InputError: It is no language of this tokenizer.
        """
        self._set_language(src_lang)

    def set_tgt_lang_special_tokens(self, lang: str | None) -> None:
        """Let sequences end with the token of a target language.

        Raises:
            InputError: It is no language of this tokenizer.
        """
        self._set_language(lang)

    def _set_language(self, language: str | None) -> None:
        index = None if language is None else self._id_of_language(language)
        if language is None or index is None:
            near = closest(str(language), LANGUAGE_CODES) or LANGUAGE_CODES[:3]
            raise InputError(
                three_beats(
                    f"the language is {language!r}",
                    f"one of the tokenizer's, such as {', '.join(near)}",
                    "Set src_lang, or tgt_lang for targets, to a code that it has.",
                )
            )
        suffix = [self.eos_token_id, index]
        if suffix != self.suffix_tokens:
            self.cur_lang_code, self.prefix_tokens, self.suffix_tokens = index, [], suffix
            self._put_suffix(language)

    def _put_suffix(self, language: str) -> None:
        """Do what else there is to do when sequences are to end with another language."""

    def _id_of_language(self, language: str) -> int | None:
        """The id of a language's token, None if there is none."""
        raise NotImplementedError

    def _switch_to_input_mode(self) -> None:
        self.set_src_lang_special_tokens(self.src_lang)

    def _switch_to_target_mode(self) -> None:
        self.set_tgt_lang_special_tokens(self.tgt_lang)

    def _build_translation_inputs(
        self, raw_inputs: Any, return_tensors: Any, src_lang: str | None, tgt_lang: str | None, **extra_kwargs: Any
    ) -> BatchEncoding:
        """What a pipeline gives a model to translate: the source, and the target's language to begin with."""
        if src_lang is None or tgt_lang is None:
            found = f"src_lang={src_lang!r} and tgt_lang={tgt_lang!r}"
            raise InputError(three_beats(found, "both languages", "Say from which language to which."))
        self.src_lang = src_lang
        inputs = self(raw_inputs, add_special_tokens=True, return_tensors=return_tensors, **extra_kwargs)
        inputs["forced_bos_token_id"] = self.convert_tokens_to_ids(tgt_lang)
        return inputs

    def prepare_seq2seq_batch(
        self,
        src_texts: list[str],
        src_lang: str = _SOURCE,
        tgt_texts: list[str] | None = None,
        tgt_lang: str = _TARGET,
        **kwargs: Any,
    ) -> BatchEncoding:
        """Encode sources and targets in two languages; the older name of a call with `text_target=`."""
        self.src_lang = src_lang
        self.tgt_lang = tgt_lang
        return super().prepare_seq2seq_batch(src_texts, tgt_texts, **kwargs)

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """`A </s> <language>`, or `A B </s> <language>`."""
        return [*self.prefix_tokens, *token_ids_0, *(token_ids_1 or ()), *self.suffix_tokens]

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """0 for every token, with the tokens of RoBERTa's template: the model does not tell sequences apart."""
        second = () if token_ids_1 is None else (self.sep_token_id, *token_ids_1, self.sep_token_id)
        return [0] * len([self.cls_token_id, *token_ids_0, self.sep_token_id, *second])


class MBartTokenizer(Translating, FairseqTokenizer):
    """mBART's tokenizer in pure Python.

    Args:
        vocab_file: The model of SentencePiece.
        bos_token, eos_token, sep_token, cls_token, unk_token, pad_token, mask_token: The special tokens.
        tokenizer_file: Not used; the fast tokenizer has it.
        src_lang: The language of sources, `en_XX` if None.
        tgt_lang: The language of targets.
        sp_model_kwargs: Settings of the `sentencepiece` library.
        additional_special_tokens: Further special tokens, beside the languages.
        kwargs: As for every tokenizer.

    Attributes:
        lang_code_to_id: Language -> id of its token.

    Raises:
        FileError: The model cannot be read.
        InputError: A language that mBART does not have.
        MissingDependencyError: The `sentencepiece` library is not installed.
    """

    vocab_files_names: ClassVar[dict[str, str]] = {"vocab_file": VOCABULARY_FILE}
    model_input_names: list[str] = ["input_ids", "attention_mask"]
    config_types = CONFIG_TYPES
    fairseq_offset = 1

    def __init__(
        self,
        vocab_file: str | os.PathLike[str],
        bos_token: Token | None = "<s>",
        eos_token: Token = "</s>",
        sep_token: Token | None = "</s>",
        cls_token: Token | None = "<s>",
        unk_token: Token = "<unk>",
        pad_token: Token | None = "<pad>",
        mask_token: Token | None = "<mask>",
        tokenizer_file: str | os.PathLike[str] | None = None,
        src_lang: str | None = None,
        tgt_lang: str | None = None,
        sp_model_kwargs: Mapping[str, Any] | None = None,
        additional_special_tokens: Sequence[Token] | None = None,
        **kwargs: Any,
    ) -> None:
        require_tokens(type(self), eos_token=eos_token, unk_token=unk_token)
        self._read_model(vocab_file, sp_model_kwargs)
        behind = len(self._engine) + self.fairseq_offset
        self.lang_code_to_id = {code: behind + number for number, code in enumerate(LANGUAGE_CODES)}
        self.fairseq_tokens_to_ids = {
            **{token: index for index, token in enumerate(FIRST_TOKENS)},
            "<mask>": behind + len(LANGUAGE_CODES),
            **self.lang_code_to_id,
        }
        self._table.update(self.fairseq_tokens_to_ids)
        self.fairseq_ids_to_tokens = {index: token for token, index in self.fairseq_tokens_to_ids.items()}
        super().__init__(
            sp_model_kwargs=self.sp_model_kwargs,
            bos_token=bos_token,
            eos_token=eos_token,
            sep_token=sep_token,
            cls_token=cls_token,
            unk_token=unk_token,
            pad_token=pad_token,
            mask_token=as_mask(mask_token),
            src_lang=src_lang,
            tgt_lang=tgt_lang,
            additional_special_tokens=with_languages(additional_special_tokens),
            **kwargs,
        )
        self._start_languages(src_lang, tgt_lang)

    @property
    def vocab_size(self) -> int:
        """The size of the vocabulary: fairseq's tokens, the pieces, the languages and the mask."""
        return len(self._engine) + len(LANGUAGE_CODES) + self.fairseq_offset + 1

    def _tokens(self) -> list[str]:
        behind = len(LANGUAGE_CODES) + 1
        tokens = [*[""] * self.fairseq_offset, *self._engine.pieces, *[""] * behind]
        for index, token in self.fairseq_ids_to_tokens.items():
            tokens[index] = token
        return tokens

    def _convert_id_to_token(self, index: int) -> str:
        return self.fairseq_ids_to_tokens.get(index) or super()._convert_id_to_token(index)

    def _id_of_language(self, language: str) -> int | None:
        return self.lang_code_to_id.get(language, self._added_tokens_encoder.get(language))

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Tokens joined to a text."""
        return "".join(tokens).replace(SPACE, " ").strip()

    def get_special_tokens_mask(
        self,
        token_ids_0: Sequence[int],
        token_ids_1: Sequence[int] | None = None,
        already_has_special_tokens: bool = False,
    ) -> list[int]:
        """1 for `</s>` and the language behind the sequences (or for all special tokens), 0 for the others."""
        if already_has_special_tokens:
            return super().get_special_tokens_mask(token_ids_0, token_ids_1, already_has_special_tokens=True)
        content = [0] * (len(token_ids_0) + len(token_ids_1 or ()))
        return [1] * len(self.prefix_tokens) + content + [1] * len(self.suffix_tokens)
