"""BERT's tokenizer in pure Python: words, then WordPiece; `[CLS] A [SEP] B [SEP]`."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import Any, ClassVar

from ...files.errors import FileError, three_beats
from ...tokenization import PreTrainedTokenizer
from ...tokenization.reading import read_text
from ...tokenization.special_tokens import Token, require_tokens
from ...tokenization.wordpiece import BasicTokenizer, WordpieceTokenizer

VOCABULARY_FILE = "vocab.txt"

#: The fields of tokenizer_config.json that the slow and the fast tokenizer read.
CONFIG_TYPES: dict[str, tuple[type, ...]] = {
    "do_lower_case": (bool,),
    "do_basic_tokenize": (bool,),
    "never_split": (list, type(None)),
    "strip_accents": (bool, type(None)),
    "tokenize_chinese_chars": (bool,),
}


def load_vocabulary(path: str | os.PathLike[str] | None) -> dict[str, int]:
    """Read a vocabulary, one token per line: token -> number of its line, of the last where one stands twice.

    Raises:
        FileError: The file cannot be read, is not UTF-8, or is no vocabulary by its size.
    """
    if path is None:
        raise FileError(three_beats("no vocabulary was given", "the path of a vocab.txt", "Pass vocab_file=..."))
    tokens = read_text(path).split("\n")
    if tokens[-1] == "":
        tokens.pop()
    return {token: index for index, token in enumerate(tokens)}


def vocabulary_text(vocabulary: dict[str, int]) -> str:
    """A vocabulary as its file holds it: one token per line, by rising id."""
    return "".join(f"{token}\n" for token, _ in sorted(vocabulary.items(), key=lambda item: item[1]))


class BertTokenizer(PreTrainedTokenizer):
    """BERT's tokenizer in pure Python.

    Args:
        vocab_file: The vocabulary, one token per line.
        do_lower_case: Lower-case the text.
        do_basic_tokenize: Split into words at punctuation and clean the text; False splits at spaces only.
        never_split: Words that are left as they are.
        unk_token, sep_token, pad_token, cls_token, mask_token: The special tokens.
        tokenize_chinese_chars: Make every CJK ideograph a word; switch it off for Japanese.
        strip_accents: Take accents off; None does so when lower-casing.
        clean_up_tokenization_spaces: Take out spaces before punctuation when decoding.
        kwargs: As for every tokenizer.

    Raises:
        FileError: The vocabulary cannot be read.
    """

    vocab_files_names: ClassVar[dict[str, str]] = {"vocab_file": VOCABULARY_FILE}
    config_types = CONFIG_TYPES

    def __init__(
        self,
        vocab_file: str | os.PathLike[str],
        do_lower_case: bool = True,
        do_basic_tokenize: bool = True,
        never_split: Collection[str] | None = None,
        unk_token: Token = "[UNK]",
        sep_token: Token = "[SEP]",
        pad_token: Token | None = "[PAD]",
        cls_token: Token = "[CLS]",
        mask_token: Token | None = "[MASK]",
        tokenize_chinese_chars: bool = True,
        strip_accents: bool | None = None,
        clean_up_tokenization_spaces: bool = True,
        **kwargs: Any,
    ) -> None:
        require_tokens(type(self), unk_token=unk_token, sep_token=sep_token, cls_token=cls_token)
        self.vocab = load_vocabulary(vocab_file)
        self.ids_to_tokens = {index: token for token, index in self.vocab.items()}
        self.do_basic_tokenize = do_basic_tokenize
        self.basic_tokenizer = BasicTokenizer(do_lower_case, never_split, tokenize_chinese_chars, strip_accents)
        self.wordpiece_tokenizer = WordpieceTokenizer(self.vocab, str(unk_token))
        super().__init__(
            do_lower_case=do_lower_case,
            do_basic_tokenize=do_basic_tokenize,
            never_split=never_split,
            unk_token=unk_token,
            sep_token=sep_token,
            pad_token=pad_token,
            cls_token=cls_token,
            mask_token=mask_token,
            tokenize_chinese_chars=tokenize_chinese_chars,
            strip_accents=strip_accents,
            clean_up_tokenization_spaces=clean_up_tokenization_spaces,
            **kwargs,
        )

    @property
    def do_lower_case(self) -> bool:
        """Whether the text is lower-cased."""
        return self.basic_tokenizer.do_lower_case

    def _lowers(self) -> bool:
        return self.do_basic_tokenize and self.do_lower_case

    @property
    def vocab_size(self) -> int:
        """The size of the vocabulary without added tokens."""
        return len(self.vocab)

    def get_vocab(self) -> dict[str, int]:
        """Token -> id, added tokens included."""
        return {**self.vocab, **self._added_tokens_encoder}

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        if not self.do_basic_tokenize:
            return self.wordpiece_tokenizer.tokenize(text)
        tokens: list[str] = []
        whole = self.basic_tokenizer.never_split
        for word in self.basic_tokenizer.tokenize(text, never_split=self.special_texts()):
            tokens += [word] if word in whole else self.wordpiece_tokenizer.pieces(word)
        return tokens

    def _convert_token_to_id(self, token: str) -> int | None:
        index = self.vocab.get(token)
        if index is not None:
            return index
        unknown = self.unk_token
        return self._added_tokens_encoder.get(unknown, self.vocab.get(unknown))

    def _convert_id_to_token(self, index: int) -> str | None:
        token = self.ids_to_tokens.get(index)
        return self.unk_token if token is None else token

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Tokens joined to a text: spaces between words, none before `##`."""
        return " ".join(tokens).replace(" ##", "").strip()

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

    def _vocabulary_contents(self) -> dict[str, str | bytes]:
        return {VOCABULARY_FILE: vocabulary_text(self.vocab)}
