"""SentencePiece for the tokenizers in pure Python: the engine, and the bases of the classes that run on one model."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from types import ModuleType
from typing import Any, ClassVar

from ..files.errors import MissingDependencyError, closest, file_error, three_beats
from .errors import ArgumentTypeError, UnknownIdError
from .sentencepiece_model import read_model, without_prefix
from .slow import PreTrainedTokenizer
from .unicode import lone_surrogate

#: The settings of the library that a tokenizer may be given, with the types of their values.
_OPTIONS: Mapping[str, tuple[type, ...]] = {
    "add_bos": (bool,),
    "add_eos": (bool,),
    "alpha": (int, float),
    "emit_unk_piece": (bool,),
    "enable_sampling": (bool,),
    "nbest_size": (int,),
    "num_threads": (int,),
    "reverse": (bool,),
}


def require_sentencepiece() -> ModuleType:
    """The `sentencepiece` library.

    Raises:
        MissingDependencyError: It is not installed.
    """
    try:
        import sentencepiece
    except ImportError as error:
        raise MissingDependencyError(
            three_beats(
                "the slow SentencePiece tokenizers need the sentencepiece library, which cannot be imported here",
                "it to be installed",
                "Run: pip install 'triformers[sentencepiece]', or use the fast class, which does without.",
            )
        ) from error
    return sentencepiece


class SentencePiece:
    """A model at work: texts to pieces and back, pieces to ids and back. It can be copied and pickled.

    Args:
        path: The .model file.
        options: Settings of the library: `enable_sampling`, `nbest_size`, `alpha`, `add_bos`, `add_eos`, `reverse`,
            `emit_unk_piece`, `num_threads`.
        prefix: Whether a text gets the space before it that the model says; False puts none.

    Attributes:
        data: The file itself.
        pieces: The pieces by id.
        unk_id: The id of the piece for what the vocabulary lacks.
        processor: The library's `SentencePieceProcessor`.

    Raises:
        FileError: The file is missing or damaged.
        ArgumentTypeError: An option that does not exist, or of the wrong type.
        MissingDependencyError: The library is not installed.
    """

    def __init__(
        self, path: str | os.PathLike[str], options: Mapping[str, Any] | None = None, prefix: bool = True
    ) -> None:
        require_sentencepiece()
        self._options = _checked_options(options)
        self._prefix = prefix
        model = read_model(path)
        self.data, self.pieces, self.unk_id = model.data, model.pieces, model.unk_id
        try:
            self._start()
        except RuntimeError as error:  # what the library itself does not take
            found = f"makes no SentencePiece processor ({error})"
            raise file_error(path, found, "a .model file as it was published", "Fetch it again.") from error

    def _start(self) -> None:
        data = self.data if self._prefix else without_prefix(self.data)
        self.processor = require_sentencepiece().SentencePieceProcessor(model_proto=data, **self._options)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "processor"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()

    def __len__(self) -> int:
        return len(self.pieces)

    def encode(self, text: str) -> list[str]:
        """The pieces of a text.

        Raises:
            ArgumentTypeError: The text holds a lone surrogate, or the options ask for what the model lacks.
        """
        try:
            return self.processor.encode(text, out_type=str)
        except (RuntimeError, TypeError, ValueError) as error:
            raise _not_taken(text, error) from error

    def decode(self, pieces: list[str]) -> str:
        """The text of pieces.

        Raises:
            ArgumentTypeError: A piece holds a lone surrogate, or is no string.
        """
        try:
            return self.processor.decode_pieces(pieces) if pieces else ""
        except (RuntimeError, TypeError, ValueError) as error:
            raise _not_taken(pieces, error) from error

    def piece_of(self, index: int) -> str:
        """The piece of an id.

        Raises:
            UnknownIdError: There is none.
        """
        if 0 <= index < len(self.pieces):
            return self.pieces[index]
        raise UnknownIdError(
            three_beats(
                f"{index} is not the id of a piece",
                f"ids below {len(self.pieces)}, counted in the .model file",
                "Check that the ids come from this tokenizer; replace the labels' -100 before decoding.",
            )
        )


def _checked_options(options: Mapping[str, Any] | None) -> dict[str, Any]:
    if not isinstance(options, Mapping | None):
        found = f"sp_model_kwargs is a {type(options).__name__}"
        raise ArgumentTypeError(three_beats(found, "a dict of options", "Correct the argument."))
    for name, value in (options or {}).items():
        if name not in _OPTIONS:
            near = closest(str(name), _OPTIONS) or sorted(_OPTIONS)
            raise ArgumentTypeError(
                three_beats(f"sp_model_kwargs has {name!r}", f"options such as {', '.join(near)}", "Correct it.")
            )
        if not isinstance(value, _OPTIONS[name]) or (isinstance(value, bool) and bool not in _OPTIONS[name]):
            kinds = " or ".join(kind.__name__ for kind in _OPTIONS[name])
            raise ArgumentTypeError(three_beats(f"sp_model_kwargs has {name}={value!r}", kinds, "Correct it."))
    return dict(options or {})


def _not_taken(text: Any, error: Exception) -> ArgumentTypeError:
    """Why the library did not take a text or pieces."""
    found = f"SentencePiece cannot work on this ({error})"
    expected = "text, and sp_model_kwargs that the model can follow"
    return lone_surrogate(text) or ArgumentTypeError(three_beats(found, expected, "Correct them."))


def join_around(tokens: list[str], alone: Collection[str], decode: Callable[[list[str]], str]) -> str:
    """The text of tokens: special ones as they are, a space before each that follows others; the rest decoded."""
    parts: list[str] = []
    run: list[str] = []
    after_special = False
    for token in tokens:
        if token in alone:
            parts += [decode(run), token] if after_special else [" ", decode(run), token]
            run = []
            after_special = True
        else:
            run.append(token)
            after_special = False
    return "".join([*parts, decode(run)]).strip()


class TableTokenizer(PreTrainedTokenizer):
    """A tokenizer in pure Python whose ids stand in a table, which lists of tokens are looked up in at once."""

    _table: dict[str, int]

    @property
    def _unknown_id(self) -> int:
        """The id of what the table lacks."""
        raise NotImplementedError

    def convert_tokens_to_ids(self, tokens: Any) -> Any:
        """The id of a token, or the ids of several; the unknown token's for what the vocabulary lacks.

        Raises:
            ArgumentTypeError: Something that is no token.
        """
        # A class of a user's own may have its own way from a token to an id.
        plain = type(self)._convert_token_to_id is TableTokenizer._convert_token_to_id
        if plain and type(tokens) is list:
            added, table, unknown = self._added_tokens_encoder, self._table, self._unknown_id
            with suppress(TypeError):  # the longer way has the better message
                return [added[token] if token in added else table.get(token, unknown) for token in tokens]
        return super().convert_tokens_to_ids(tokens)

    def _convert_token_to_id(self, token: str) -> int | None:
        index = self._table.get(token)
        return self._unknown_id if index is None else index


class SentencePieceTokenizer(TableTokenizer):
    """A tokenizer in pure Python on one .model file; its ids are those of the pieces.

    A class for one architecture calls `_read_model` before it calls the constructor.
    """

    config_types: ClassVar[Mapping[str, tuple[type, ...]]] = {"sp_model_kwargs": (dict, type(None))}

    def _read_model(
        self, vocab_file: str | os.PathLike[str], sp_model_kwargs: Mapping[str, Any] | None, prefix: bool = True
    ) -> None:
        """Set up the vocabulary, as a class for one architecture does first; the arguments are those of the engine."""
        self.vocab_file = vocab_file
        self._engine = SentencePiece(vocab_file, sp_model_kwargs, prefix)
        self.sp_model_kwargs = dict(sp_model_kwargs or {})
        self._table = {piece: index for index, piece in enumerate(self._engine.pieces)}

    @property
    def _unknown_id(self) -> int:
        return self._engine.unk_id

    @property
    def sp_model(self) -> Any:
        """The library's `SentencePieceProcessor`."""
        return self._engine.processor

    @property
    def vocab_size(self) -> int:
        """The number of pieces."""
        return len(self._engine)

    def get_vocab(self) -> dict[str, int]:
        """Token -> id, added tokens included."""
        tokens = self._tokens()
        for index, token in self._added_tokens_decoder.items():
            if index < len(tokens):
                tokens[index] = token.content
        return {**{token: index for index, token in enumerate(tokens)}, **self._added_tokens_encoder}

    def _tokens(self) -> list[str]:
        """The tokens by id, without those that were added."""
        return list(self._engine.pieces)

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        return self._engine.encode(text)

    def _convert_id_to_token(self, index: int) -> str:
        return self._engine.piece_of(index)

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Tokens joined to a text, special ones as they are."""
        return join_around(tokens, set(self.all_special_tokens), self._engine.decode)

    def _vocabulary_contents(self) -> dict[str, str | bytes]:
        return {self.vocab_files_names["vocab_file"]: self._engine.data}


class FairseqTokenizer(SentencePieceTokenizer):
    """A tokenizer on one .model file whose ids are counted as fairseq does: a few tokens of its own come first.

    Piece 0, which stands for what is unknown, has the id of `unk_token`; every other is `fairseq_offset` further on.
    """

    fairseq_offset: ClassVar[int]
    #: The id of what is unknown where `unk_token` is no token.
    fairseq_unk_id: ClassVar[int] = 3

    def _read_model(
        self, vocab_file: str | os.PathLike[str], sp_model_kwargs: Mapping[str, Any] | None, prefix: bool = True
    ) -> None:
        super()._read_model(vocab_file, sp_model_kwargs, prefix)
        self._table = {piece: index + self.fairseq_offset for piece, index in self._table.items() if index}

    @property
    def _unknown_id(self) -> int:
        token = str(self.unk_token)
        return self._added_tokens_encoder.get(token, self._table.get(token, self.fairseq_unk_id))

    def _convert_id_to_token(self, index: int) -> str:
        return self._engine.piece_of(index - self.fairseq_offset)
