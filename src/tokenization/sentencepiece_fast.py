"""Fast SentencePiece tokenizers: a backend of the `tokenizers` library made from a .model file, and their base."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from ..files.errors import FileError, InputError, file_error, three_beats
from .fast import PreTrainedTokenizerFast
from .reading import read_bytes
from .rust import backend_errors
from .sentencepiece_model import MAX_BYTES, SPACE, Algorithm, Kind, SentencePieceModel, read_model

logger = logging.getLogger(__name__)

#: Where a space is put that the text does not have: before every piece of text between added tokens, before the first
#: one, or nowhere.
Prefix = Literal["always", "first", "never"]


def open_model(path: str | os.PathLike[str] | None) -> SentencePieceModel:
    """Read the model that a fast tokenizer is to be made from.

    Raises:
        FileError: There is none, it is damaged, or of a kind that the `tokenizers` library does not have.
    """
    if path is None:
        raise FileError(three_beats("no model was given", "the path of a .model file", "Pass vocab_file=..."))
    model = read_model(path)
    if model.algorithm not in (Algorithm.UNIGRAM, Algorithm.BPE):
        name = Algorithm(model.algorithm).name
        raise file_error(path, f"is a {name} model", "a UNIGRAM or BPE model", "Use the slow class.")
    return model


def sentencepiece_backend(
    model: SentencePieceModel,
    vocabulary: Sequence[tuple[str, float]],
    unk_id: int,
    prefix: Prefix,
    normalizing: Iterable[normalizers.Normalizer] | None = None,
) -> Tokenizer:
    """The `tokenizers` pipeline that does what a model does, without special tokens around sequences.

    Args:
        model: The model.
        vocabulary: Token and score by id: the model's pieces, as the architecture counts them.
        unk_id: The id of what the vocabulary lacks.
        prefix: Where a space is put that the text does not have.
        normalizing: What is done to a text first; None is what the model says.

    Raises:
        InputError: The library cannot build it.
    """
    if model.byte_fallback:
        logger.warning(
            "the model turns what its vocabulary lacks into single bytes, which the fast tokenizer does not: there it "
            "becomes %s. Use the slow class where that matters.",
            vocabulary[unk_id][0],
        )
    with backend_errors("the model makes no tokenizer", "a SentencePiece model", "Use the slow class."):
        backend = Tokenizer(_algorithm(model, vocabulary, unk_id))
        steps = [*charsmap_of(model), *_SPACES] if normalizing is None else list(normalizing)
        backend.normalizer = normalizers.Sequence(steps)
        backend.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme=prefix)
        backend.decoder = decoders.Metaspace(replacement=SPACE, prepend_scheme=prefix)
        backend.add_tokens(
            [
                AddedToken(piece, normalized=False, special=kind == Kind.CONTROL)
                for piece, kind in zip(model.pieces, model.kinds, strict=True)
                if kind in (Kind.CONTROL, Kind.USER_DEFINED)
            ]
        )
    return backend


#: Spaces at the end of a text go, and several of them count as one.
_SPACES = (normalizers.Strip(left=False, right=True), normalizers.Replace(Regex(" {2,}"), SPACE))


def charsmap_of(model: SentencePieceModel) -> list[normalizers.Normalizer]:
    """The replacing of characters that a model asks for, if it does."""
    return [normalizers.Precompiled(model.charsmap)] if model.charsmap else []


def _algorithm(model: SentencePieceModel, vocabulary: Sequence[tuple[str, float]], unk_id: int) -> models.Model:
    if model.algorithm == Algorithm.UNIGRAM:
        return models.Unigram(list(vocabulary), unk_id=unk_id, byte_fallback=False)
    return models.BPE(
        {token: index for index, (token, _) in enumerate(vocabulary)},
        merges_of(model.pieces, vocabulary),
        unk_token=vocabulary[unk_id][0],
        fuse_unk=True,
        byte_fallback=False,
    )


def merges_of(pieces: Sequence[str], vocabulary: Sequence[tuple[str, float]]) -> list[tuple[str, str]]:
    """The merges that a BPE model does, best first: every pair of pieces that makes a token, by the token's score.

    Only those ways to cut a token are tried that give two lengths which pieces have.
    """
    ids = {piece: index for index, piece in enumerate(pieces)}
    lengths = sorted({len(piece) for piece in pieces})
    known = frozenset(lengths)
    merges: list[tuple[float, int, int, str, str]] = []
    for token, score in dict(vocabulary).items():
        size = len(token)
        cuts = ((token[:left], token[left:]) for left in lengths if left < size and size - left in known)
        pairs = [pair for pair in cuts if pair[0] in ids and pair[1] in ids]
        pairs.sort(key=lambda pair: (ids[pair[0]], ids[pair[1]]))
        merges += ((score, len(left), len(right), left, right) for left, right in pairs)
    merges.sort(key=lambda merge: merge[:3], reverse=True)
    return [(left, right) for _, _, _, left, right in merges]


def template(backend: Tokenizer, single: Sequence[str], pair: Sequence[str]) -> processors.TemplateProcessing:
    """The special tokens around sequences, each part as the library writes it: `<s>:0`, `$A:0`.

    Raises:
        InputError: The backend lacks one of the tokens.
    """
    parts = dict.fromkeys((*single, *pair))
    tokens = dict.fromkeys(part.rpartition(":")[0] for part in parts if part[:3] not in ("$A:", "$B:"))
    ids = {token: backend.token_to_id(token) for token in tokens}
    missing = [token for token, index in ids.items() if index is None]
    if missing:
        raise InputError(three_beats(f"the tokenizer lacks {missing[0]!r}", "its special tokens", "Add it."))
    with backend_errors("the special tokens cannot stand around sequences", "plain tokens", "Choose others."):
        return processors.TemplateProcessing(single=list(single), pair=list(pair), special_tokens=list(ids.items()))


class SentencePieceTokenizerFast(PreTrainedTokenizerFast):
    """A fast tokenizer that is read from tokenizer.json, or made from a .model file where there is none."""

    optional_files: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self,
        vocab_file: str | os.PathLike[str] | None = None,
        tokenizer_file: str | os.PathLike[str] | None = None,
        from_slow: bool = False,
        **kwargs: Any,
    ) -> None:
        """Read or make the backend, then set up all that every tokenizer has.

        Args:
            vocab_file: The .model file.
            tokenizer_file: A tokenizer.json.
            from_slow: Make the backend from the .model file although there is a tokenizer.json.
            kwargs: As for every tokenizer.
        """
        self.vocab_file = vocab_file
        if from_slow:
            tokenizer_file = None
        if tokenizer_file is None and kwargs.get("tokenizer_object") is None:
            kwargs = self._as_slow(kwargs)
            self._tokenizer = self._make_backend(open_model(vocab_file), kwargs)
        super().__init__(tokenizer_file=tokenizer_file, **kwargs)

    def _as_slow(self, settings: dict[str, Any]) -> dict[str, Any]:
        """The settings as the slow tokenizer would keep them."""
        return {"sp_model_kwargs": {}, **settings}

    def _make_backend(self, model: SentencePieceModel, settings: dict[str, Any]) -> Tokenizer:
        """The backend that does what the slow tokenizer does with this model and these settings."""
        raise NotImplementedError

    @property
    def can_save_slow_tokenizer(self) -> bool:
        """Whether there is a .model file to save."""
        return self.vocab_file is not None and os.path.isfile(self.vocab_file)

    def _vocabulary_contents(self) -> dict[str, str | bytes]:
        if self.vocab_file is None:
            return super()._vocabulary_contents()
        return {self.vocab_files_names["vocab_file"]: read_bytes(self.vocab_file, MAX_BYTES)}
