"""Byte-level byte-pair encoding: words of UTF-8 bytes, so that no text is unknown; the slow and the fast base."""

from __future__ import annotations

import codecs
import os
from collections.abc import Mapping
from typing import Any, ClassVar

import regex
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers

from ..files.errors import InputError, three_beats
from .batch_encoding import BatchEncoding
from .bpe import BytePairTokenizer
from .building import add_in_order, bpe_backend, model_files
from .errors import ArgumentTypeError, MisuseError
from .fast import PreTrainedTokenizerFast
from .options import CallOptions
from .saving import BACKEND_FILE
from .special_tokens import Token
from .unicode import lone_surrogate
from .vocabularies import MERGES_FILE, VOCABULARY_FILE
from .words import Remembered

#: The fields of tokenizer_config.json that the slow and the fast tokenizers read.
CONFIG_TYPES: Mapping[str, tuple[type, ...]] = {
    "add_prefix_space": (bool, type(None)),
    "errors": (str,),
    "trim_offsets": (bool,),
}

#: A word: an English ending, or letters, digits or other characters with the space before them, or spaces, of which the
#: last one belongs to the word after them.
_WORD = regex.compile(r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+""")


def byte_letters() -> dict[int, str]:
    """Byte -> the letter that stands for it in vocabularies.

    Visible characters of Latin-1 stand for themselves, every other byte for the next letter from U+0100 on.
    """
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = (byte for byte in range(256) if byte not in visible)
    return {byte: chr(byte) for byte in visible} | {byte: chr(256 + place) for place, byte in enumerate(others)}


_LETTERS = byte_letters()
_BYTES = {letter: byte for byte, letter in _LETTERS.items()}


def letter_bytes(token: str) -> bytes:
    """The bytes that a token's letters stand for.

    Raises:
        ArgumentTypeError: It is no token, or a character stands for no byte.
    """
    if not isinstance(token, str):
        found = f"{token!r} where a token should be"
        raise ArgumentTypeError(three_beats(found, "ids within the vocabulary", "Leave out the others."))
    try:
        return bytes(map(_BYTES.__getitem__, token))
    except KeyError as error:
        found = f"the token {token[:40]!r} holds {error.args[0]!r}"
        raise ArgumentTypeError(three_beats(found, "letters that stand for bytes", "Use tokenize().")) from None


_BYTES_OF = Remembered(letter_bytes)


class ByteLevelTokenizer(BytePairTokenizer):
    """The slow tokenizers on UTF-8 bytes.

    Args:
        vocab_file: The vocabulary.
        merges_file: The merges.
        errors: What `bytes.decode` does with bytes that are no UTF-8: `replace`, `ignore` or `strict`.
        add_prefix_space: Treat the first word of a text like one inside it.
        kwargs: As for every tokenizer.

    Raises:
        FileError: A file cannot be read, or is damaged.
    """

    model_input_names = ["input_ids", "attention_mask"]
    config_types = CONFIG_TYPES

    def __init__(
        self,
        vocab_file: str | os.PathLike[str] | None,
        merges_file: str | os.PathLike[str] | None,
        errors: str,
        add_prefix_space: bool,
        **kwargs: Any,
    ) -> None:
        _check_errors(errors)
        self.errors = errors
        self.add_prefix_space = add_prefix_space
        self._read(vocab_file, merges_file)
        super().__init__(errors=errors, add_prefix_space=add_prefix_space, **kwargs)

    def tokenize(self, text: str, **kwargs: Any) -> list[str]:
        """The tokens of a text, added tokens kept whole.

        Args:
            text: The text.
            kwargs: `add_prefix_space`, `split_special_tokens`.

        Raises:
            InputError: `text` is not a string, or holds a lone surrogate.
        """
        try:
            return super().tokenize(text, **kwargs)
        except UnicodeEncodeError as error:
            raise lone_surrogate(text) or error from None

    def bpe(self, token: str) -> str:
        """The pieces of a word in letters for bytes, with spaces between them."""
        return " ".join(self._encoding.merge(token))

    def _words_of(self, text: str) -> list[str]:
        return _WORD.findall(text)

    def _pieces(self, word: str) -> list[str]:
        return self._encoding.merge(word.encode("utf-8").decode("latin-1").translate(_LETTERS))

    def _convert_id_to_token(self, index: int) -> str | None:
        return self.decoder.get(index)

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """The text whose bytes the tokens stand for.

        Raises:
            ArgumentTypeError: A token has a character that stands for no byte, or there is no token (as for ids beyond
                the vocabulary).
        """
        return b"".join([_BYTES_OF[token] for token in tokens]).decode("utf-8", errors=self.errors)


def _check_errors(errors: str) -> None:
    try:
        codecs.lookup_error(errors)
    except (LookupError, TypeError):
        expected = "'replace', 'ignore', 'strict' or another way of bytes.decode"
        raise InputError(three_beats(f"errors={errors!r}", expected, "Correct the argument or the file.")) from None


def plain_token(token: Token | None, lstrip: bool = False, normalized: bool = True) -> AddedToken | None:
    """A special token as these tokenizers add it: unlike others, it is found in normalized text."""
    if not isinstance(token, str):
        return token
    return AddedToken(token, lstrip=lstrip, rstrip=False, normalized=normalized)


def byte_level_backend(
    vocab_file: str | os.PathLike[str] | None,
    merges_file: str | os.PathLike[str] | None,
    settings: Mapping[str, Any],
) -> Tokenizer:
    """The `tokenizers` pipeline that does what `ByteLevelTokenizer` does; its post-processor is still to be set.

    Args:
        vocab_file, merges_file: As for `ByteLevelTokenizer`.
        settings: The tokenizer's other arguments: `add_prefix_space`, the special tokens, the added tokens.

    Raises:
        FileError: A file cannot be read, or is damaged.
        InputError: The library cannot build it from them.
    """
    backend = bpe_backend(vocab_file, merges_file, continuing_subword_prefix="", end_of_word_suffix="")
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=bool(settings["add_prefix_space"]))
    backend.decoder = decoders.ByteLevel()
    add_in_order(backend, settings)
    return backend


class ByteLevelTokenizerFast(PreTrainedTokenizerFast):
    """The fast tokenizers on UTF-8 bytes.

    A class derived from this one sets `_tokenizer`, made by `byte_level_backend`, where there is no tokenizer.json.
    """

    vocab_files_names: ClassVar[dict[str, str]] = {
        "vocab_file": VOCABULARY_FILE,
        "merges_file": MERGES_FILE,
        "tokenizer_file": BACKEND_FILE,
    }
    optional_files: ClassVar[frozenset[str]] = frozenset()
    model_input_names = ["input_ids", "attention_mask"]
    config_types = CONFIG_TYPES

    def __init__(self, *, add_prefix_space: bool, **kwargs: Any) -> None:
        super().__init__(add_prefix_space=add_prefix_space, **kwargs)
        self.add_prefix_space = add_prefix_space
        words = self._tokenizer.pre_tokenizer
        if isinstance(words, pre_tokenizers.ByteLevel) and words.add_prefix_space != bool(add_prefix_space):
            words.add_prefix_space = bool(add_prefix_space)  # arguments win over what a tokenizer.json says

    def _encode_batch(self, examples: list[Any], options: CallOptions) -> BatchEncoding:
        if options.is_split_into_words and not self.add_prefix_space:
            raise MisuseError(
                three_beats(
                    f"{type(self).__name__} was given words, and add_prefix_space=False",
                    "a tokenizer that puts a space before the first word",
                    "Load it with add_prefix_space=True.",
                )
            )
        return super()._encode_batch(examples, options)

    def _vocabulary_contents(self) -> dict[str, str | bytes]:
        return model_files(self._tokenizer)
