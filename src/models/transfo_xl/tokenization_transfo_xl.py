"""Transformer-XL's tokenizer: whole words, cut as by the Moses scripts; nothing around the sequences."""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from ...files.errors import FileError, InputError, file_error, three_beats
from ...tokenization import PreTrainedTokenizer
from ...tokenization.errors import MisuseError
from ...tokenization.moses import Moses, check_patterns
from ...tokenization.options import TensorType
from ...tokenization.reading import read_text
from ...tokenization.special_tokens import Token
from ...tokenization.tensors import to_tensor

logger = logging.getLogger(__name__)

VOCABULARY_FILE = "vocab.txt"

#: A point or a comma inside a number, which becomes a word.
_IN_NUMBER = re.compile(r"(?<=\d)[,.](?=\d)")

_NO_PICKLE = "Pickles can run code and are not opened: write the symbols into a vocab.txt, one on each line."


class TransfoXLTokenizer(PreTrainedTokenizer):
    """Transformer-XL's tokenizer, in pure Python only.

    Its vocabulary is a plain vocab.txt; the pickles that 4.x wrote are refused. So it is saved by `save_vocabulary` and
    not by `save_pretrained`, whose files 4.x could not read again.

    Args:
        special: Symbols that `build_vocab` puts before those that it counted.
        min_freq: How often `build_vocab` must have counted a symbol.
        max_size: How many symbols `build_vocab` takes at most.
        lower_case: Lower-case the text.
        delimiter: An empty string makes every character a symbol; all else is ignored.
        vocab_file: The vocabulary, one symbol on each line.
        pretrained_vocab_file: Must be None: a pickle.
        never_split: Patterns of words that are left whole; None stands for the special tokens.
        unk_token, eos_token, additional_special_tokens: The special tokens.
        language: The code of the language whose abbreviations and apostrophes are known.
        kwargs: As for every tokenizer.

    Raises:
        FileError: The vocabulary cannot be read, or is a pickle.
        MissingDependencyError: The `sacremoses` library is not installed.
    """

    vocab_files_names: ClassVar[dict[str, str]] = {
        "pretrained_vocab_file": "vocab.pkl",
        "pretrained_vocab_file_torch": "vocab.bin",
        "vocab_file": VOCABULARY_FILE,
    }
    optional_files: ClassVar[frozenset[str]] = frozenset({"pretrained_vocab_file", "pretrained_vocab_file_torch"})
    missing_files_remedy = _NO_PICKLE
    model_input_names = ["input_ids"]
    config_types: ClassVar[dict[str, tuple[type, ...]]] = {
        "special": (list, type(None)),
        "min_freq": (int,),
        "max_size": (int, type(None)),
        "lower_case": (bool,),
        "delimiter": (str, type(None)),
        "never_split": (list, type(None)),
        "language": (str,),
    }

    def __init__(
        self,
        special: Sequence[str] | None = None,
        min_freq: int = 0,
        max_size: int | None = None,
        lower_case: bool = False,
        delimiter: str | None = None,
        vocab_file: str | os.PathLike[str] | None = None,
        pretrained_vocab_file: str | os.PathLike[str] | None = None,
        never_split: Sequence[str] | None = None,
        unk_token: Token = "<unk>",
        eos_token: Token = "<eos>",
        additional_special_tokens: Sequence[Token] = ("<formula>",),
        language: str = "en",
        **kwargs: Any,
    ) -> None:
        if pretrained_vocab_file is not None and vocab_file is None:
            raise FileError(three_beats(f"{pretrained_vocab_file} was given", "a plain vocab.txt", _NO_PICKLE))
        self.special = list(special or ())
        self.min_freq, self.max_size = min_freq, max_size
        self.lower_case, self.delimiter, self.language = lower_case, delimiter, language
        self.vocab_file = vocab_file
        self.counter: Counter[str] = Counter()
        self.idx2sym: list[str] = []
        self.sym2idx: dict[str, int] = {}
        self._moses = Moses(language)
        if vocab_file is not None:
            self.build_vocab()
        super().__init__(
            special=self.special,
            min_freq=min_freq,
            max_size=max_size,
            lower_case=lower_case,
            delimiter=delimiter,
            never_split=never_split,
            unk_token=unk_token,
            eos_token=eos_token,
            additional_special_tokens=list(additional_special_tokens or ()),
            language=language,
            **kwargs,
        )
        self.never_split = self.all_special_tokens if never_split is None else list(never_split)
        if never_split is None:
            self._kept = [re.escape(token) for token in self.never_split]
        else:
            self._kept = self.never_split
            check_patterns(self._kept, "never_split")

    # -- the vocabulary --------------------------------------------------------------------------------------

    @property
    def do_lower_case(self) -> bool:
        """Whether the text is lower-cased."""
        return self.lower_case

    @property
    def vocab_size(self) -> int:
        """The size of the vocabulary without added tokens."""
        return len(self.idx2sym)

    def get_vocab(self) -> dict[str, int]:
        """Token -> id, added tokens included."""
        return {**self.sym2idx, **self._added_tokens_encoder}

    def build_vocab(self) -> None:
        """Make the vocabulary from its file, or from what was counted: the special symbols, then the most frequent.

        Raises:
            FileError: The file cannot be read, or has a line without a symbol.
        """
        self.idx2sym, self.sym2idx = [], {}
        if self.vocab_file is not None:
            symbols: Iterable[str] = _read_symbols(self.vocab_file)
        else:
            counted = self.counter.most_common(self.max_size)
            symbols = [*self.special, *(symbol for symbol, count in counted if count >= self.min_freq)]
        for symbol in symbols:
            self.add_symbol(symbol)

    def add_symbol(self, sym: str) -> None:
        """Add a symbol at the end of the vocabulary, if it is not there."""
        if sym not in self.sym2idx:
            self.sym2idx[sym] = len(self.idx2sym)
            self.idx2sym.append(sym)

    def add_special(self, sym: str) -> None:
        """Add a symbol such as `<eos>`, whose id is then also the attribute `eos_idx`."""
        self.add_symbol(sym)
        name = f"{sym.strip('<>')}_idx"
        if not hasattr(type(self), name):
            setattr(self, name, self.sym2idx[sym])

    def move_added_token(self, token: str, target_idx: int) -> None:
        """Move an added token into the vocabulary; the tokens from that place on get the next higher id.

        Raises:
            MisuseError: It is no added token, or the vocabulary has it.
        """
        if token not in self._added_tokens_encoder or token in self.sym2idx:
            found = f"{token!r} is {'in the vocabulary' if token in self.sym2idx else 'no added token'}"
            raise MisuseError(three_beats(found, "an added token that the vocabulary lacks", "Use add_tokens first."))
        moved_from = self._added_tokens_encoder[token]
        self.idx2sym.insert(target_idx, token)
        self.sym2idx = {symbol: index for index, symbol in enumerate(self.idx2sym)}
        self.added_tokens_decoder = {
            index + (target_idx <= index < moved_from): added
            for index, added in self.added_tokens_decoder.items()
            if index != moved_from
        }

    @property
    def unk_idx(self) -> int:
        """The id of what stands for symbols that the vocabulary lacks.

        Raises:
            InputError: The vocabulary has no such symbol.
        """
        found = self.sym2idx.get("<UNK>", self.sym2idx.get("<unk>"))
        if found is None:
            expected = "<unk> in the vocabulary, which stands for such symbols"
            raise InputError(three_beats("a symbol is not in the vocabulary", expected, "Add the line to vocab.txt."))
        return found

    def _vocabulary_contents(self) -> dict[str, str | bytes]:
        return {VOCABULARY_FILE: "".join(f"{symbol}\n" for symbol in self.idx2sym)}

    def _files_to_save(self, legacy_format: bool | None, prefix: str | None) -> tuple[dict[str, bytes], list[str]]:
        raise InputError(
            three_beats(
                "save_pretrained() of a TransfoXLTokenizer would have to write a pickle, as in 4.x",
                "save_vocabulary(), which writes a plain vocab.txt",
                "Save the vocabulary, and give the other settings when loading it.",
            )
        )

    # -- text to tokens to ids and back ----------------------------------------------------------------------

    def moses_punct_norm(self, text: str) -> str:
        """The text with plain quotation marks, dashes and spaces."""
        return self._moses.normalize(text)

    def moses_tokenize(self, text: str) -> list[str]:
        """The words of a text as the Moses scripts cut them."""
        return self._moses.words(text, self._kept)

    def moses_pipeline(self, text: str) -> list[str]:
        """The symbols of a text: Moses' words, in which `1,000` is `1 @,@ 000`."""
        words = self.moses_tokenize(self.moses_punct_norm(text))
        return _IN_NUMBER.sub(r" @\g<0>@ ", " ".join(words)).split()

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        line = text.strip()
        if self.lower_case:
            line = line.lower()
        return list(line) if self.delimiter == "" else self.moses_pipeline(line)

    def _convert_token_to_id(self, token: str) -> int:
        index = self.sym2idx.get(token)
        return self.unk_idx if index is None else index

    def _convert_id_to_token(self, index: int) -> str:
        if not 0 <= index < len(self.idx2sym):
            expected = f"an id from 0 to {len(self) - 1}"
            raise MisuseError(three_beats(f"{index} is not the id of a token", expected, "Check the ids."))
        return self.idx2sym[index]

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """The text of symbols: Moses joins the words, and numbers are put together."""
        return self._moses.join(tokens).replace(" @,@ ", ",").replace(" @.@ ", ".").strip()

    # -- counting and encoding a corpus ----------------------------------------------------------------------

    def count_file(self, path: str | os.PathLike[str], verbose: bool = False, add_eos: bool = False) -> list[list[str]]:
        """Count the symbols of a text for `build_vocab`; the symbols of each line.

        Raises:
            FileError: The file cannot be read.
        """
        lines = [self.tokenize(line) for line in _lines(path)]
        self.count_sents(lines, verbose)
        return lines

    def count_sents(self, sents: Iterable[Sequence[str]], verbose: bool = False) -> None:
        """Count the symbols of sentences for `build_vocab`."""
        for number, symbols in enumerate(sents):
            if verbose and number and number % 500_000 == 0:
                logger.info("counted %d lines", number)
            self.counter.update(symbols)

    def encode_file(
        self, path: str | os.PathLike[str], ordered: bool = False, verbose: bool = False, **kwargs: Any
    ) -> Any:
        """The ids of a text as PyTorch tensors, one for each line; `ordered` makes one of all.

        Raises:
            FileError: The file cannot be read.
            MissingDependencyError: PyTorch is not installed.
        """
        return self.encode_sents([self.tokenize(line) for line in _lines(path)], ordered, verbose)

    def encode_sents(self, sents: Iterable[Sequence[str]], ordered: bool = False, verbose: bool = False) -> Any:
        """The ids of sentences as PyTorch tensors, one for each; `ordered` makes one of all."""
        if ordered:
            return self.convert_to_tensor([symbol for symbols in sents for symbol in symbols])
        return [self.convert_to_tensor(symbols) for symbols in sents]

    def convert_to_tensor(self, symbols: Sequence[str]) -> Any:
        """The ids of symbols as a PyTorch tensor [T]."""
        return to_tensor(self.convert_tokens_to_ids(list(symbols)), TensorType.PYTORCH, "ids")


def _lines(path: str | os.PathLike[str]) -> list[str]:
    """The lines of a text."""
    lines = read_text(path).split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _read_symbols(path: str | os.PathLike[str]) -> list[str]:
    """The first word of each line of a vocabulary."""
    symbols = []
    for number, line in enumerate(_lines(path), start=1):
        words = line.split(maxsplit=1)
        if not words:
            raise file_error(path, f"has nothing in line {number}", "a symbol on each line", "Remove the line.")
        symbols.append(words[0])
    return symbols
