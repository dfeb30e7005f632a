"""A new vocabulary for an old tokenizer: the same pipeline and the same roles, learned from other texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

from tokenizers import AddedToken, Tokenizer, pre_tokenizers, trainers

from ..files.errors import InputError, three_beats
from .errors import ArgumentTypeError
from .inputs import describe
from .rust import backend_errors
from .special_tokens import EXTRA_TOKENS, Token

_TRAINERS: Mapping[str, Callable[..., Any]] = {
    "BPE": trainers.BpeTrainer,
    "Unigram": trainers.UnigramTrainer,
    "WordLevel": trainers.WordLevelTrainer,
    "WordPiece": trainers.WordPieceTrainer,
}
#: What an untrained model of each kind holds.
_UNTRAINED: Mapping[str, Mapping[str, Any]] = {
    "BPE": {"vocab": {}, "merges": []},
    "WordLevel": {"vocab": {}},
    "WordPiece": {"vocab": {}},
}


class Trainable:
    """A fast tokenizer that can learn a vocabulary from texts."""

    _tokenizer: Tokenizer
    init_kwargs: dict[str, Any]
    vocab_files_names: Any

    def train_new_from_iterator(
        self,
        text_iterator: Iterable[str] | Iterable[Sequence[str]],
        vocab_size: int,
        length: int | None = None,
        new_special_tokens: Sequence[Token] | None = None,
        special_tokens_map: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> Self:
        """A tokenizer of the same kind, whose vocabulary is learned from texts.

        It cuts texts up as this one does, and has the same special tokens.

        Args:
            text_iterator: Texts, or batches of them.
            vocab_size: How large the vocabulary becomes, special tokens included; smaller if the texts do not give
                as much, and never smaller than their letters.
            length: How many texts there are, for the progress bar.
            new_special_tokens: Further special tokens.
            special_tokens_map: Special tokens to rename: old -> new.
            kwargs: What the trainer of the `tokenizers` library takes (`min_frequency`, `limit_alphabet`, ...).

        Raises:
            ArgumentTypeError: The texts are none, or an argument that is no such one.
            InputError: The library cannot learn such a vocabulary.
        """
        texts = _checked(text_iterator)
        document = json.loads(self._tokenizer.to_str())
        renamed = dict(special_tokens_map or {})
        special = _special_tokens(document, renamed)
        special += [token for token in new_special_tokens or () if str(token) not in map(str, special)]
        try:
            with backend_errors(
                f"no vocabulary of {vocab_size!r} could be learned",
                "a whole number, texts, and arguments that the trainer has",
                "Correct the call.",
            ):
                trainer = _trainer(document, vocab_size, special, renamed, kwargs)
                backend = _untrained(document, renamed)
                backend.train_from_iterator(texts, trainer=trainer, length=length)
                backend = _with_processor(backend, document["post_processor"], renamed)
        except InputError as error:
            if isinstance(error.__cause__, InputError):  # of the texts, which the library reads
                raise error.__cause__ from None
            raise
        make: Any = type(self)
        return make(tokenizer_object=backend, **self._settings_with(renamed, new_special_tokens))

    def _settings_with(self, renamed: Mapping[str, str], new: Sequence[Token] | None) -> dict[str, Any]:
        """The constructor's arguments for the same tokenizer with other tokens."""
        settings = {
            name: value
            for name, value in self.init_kwargs.items()
            if name not in (*self.vocab_files_names, "added_tokens_decoder", "tokenizer_object")
        }
        for role, token in self.special_tokens_map_extended.items():  # type: ignore[attr-defined]
            if role != EXTRA_TOKENS:
                settings[role] = _renamed(token, renamed)
        extra = [*self.additional_special_tokens, *(new or ())]  # type: ignore[attr-defined]
        if extra:
            settings[EXTRA_TOKENS] = extra
        return settings


def _checked(texts: Any) -> Iterator[Any]:
    """Texts or batches of them.

    Raises:
        ArgumentTypeError: Something else; one text alone would be taken for its letters.
    """
    if isinstance(texts, str) or not isinstance(texts, Iterable):
        raise ArgumentTypeError(
            three_beats(f"the texts to learn from are {describe(texts)}", "an iterable of strings", "Write [text].")
        )
    return _one_by_one(iter(texts))


def _one_by_one(texts: Iterator[Any]) -> Iterator[Any]:
    for text in texts:
        if not isinstance(text, (str, list, tuple)) or not all(isinstance(part, str) for part in text):
            raise ArgumentTypeError(
                three_beats(f"a text to learn from is {describe(text)}", "a string, or a list of them", "Convert it.")
            )
        yield text


def _renamed(token: Token, renamed: Mapping[str, str]) -> Token:
    """A token under its new name, with its flags."""
    if isinstance(token, str):
        return renamed.get(token, token)
    return AddedToken(**{**token.__getstate__(), "content": renamed.get(token.content, token.content)})


def _special_tokens(document: Mapping[str, Any], renamed: Mapping[str, str]) -> list[Token]:
    """The special tokens that the vocabulary begins with; for Unigram, all that were added."""
    kept = [token for token in document["added_tokens"] if token["special"] or document["model"]["type"] == "Unigram"]
    flags = [{name: value for name, value in token.items() if name not in ("id", "special")} for token in kept]
    return [_renamed(AddedToken(**fields), renamed) for fields in flags]


def _untrained(document: Mapping[str, Any], renamed: Mapping[str, str]) -> Tokenizer:
    """The same pipeline with an empty model."""
    model = dict(document["model"])
    if model["type"] == "Unigram":
        unknown = model["unk_id"]
        if unknown is not None:
            token = model["vocab"][unknown][0]
            model |= {"unk_id": 0, "vocab": [[renamed.get(token, token), 0.0]]}
        else:
            model["vocab"] = []
    else:
        model |= _UNTRAINED[_kind(model)]
        if model.get("unk_token") is not None:
            model["unk_token"] = renamed.get(model["unk_token"], model["unk_token"])
    plain = {**document, "model": model, "added_tokens": [], "post_processor": None}
    return Tokenizer.from_str(json.dumps(plain))


def _kind(model: Mapping[str, Any]) -> str:
    kind = model["type"]
    if kind not in _TRAINERS:
        raise InputError(
            three_beats(f"the tokenizer's model is a {kind}", f"one of {', '.join(_TRAINERS)}", "Use another one.")
        )
    return kind


def _trainer(
    document: Mapping[str, Any],
    vocab_size: int,
    special: list[Token],
    renamed: Mapping[str, str],
    choices: Mapping[str, Any],
) -> Any:
    """The trainer of the model's kind, with what the model says about its pieces."""
    model = document["model"]
    settings: dict[str, Any] = {}
    if model["type"] == "BPE":
        for name in ("continuing_subword_prefix", "end_of_word_suffix"):
            if model[name] is not None:
                settings[name] = model[name]
    if model["type"] == "Unigram" and model["unk_id"] is not None:
        token = model["vocab"][model["unk_id"]][0]
        settings["unk_token"] = renamed.get(token, token)
    if _has_bytes(document["pre_tokenizer"]):
        settings["initial_alphabet"] = pre_tokenizers.ByteLevel.alphabet()
    return _TRAINERS[_kind(model)](vocab_size=vocab_size, special_tokens=special, **{**settings, **choices})


def _has_bytes(pre_tokenizer: Mapping[str, Any] | None) -> bool:
    """Whether texts are cut up as bytes, all of which must be in the vocabulary."""
    if pre_tokenizer is None:
        return False
    parts = pre_tokenizer["pretokenizers"] if pre_tokenizer["type"] == "Sequence" else [pre_tokenizer]
    return any(part["type"] == "ByteLevel" for part in parts)


def _with_processor(backend: Tokenizer, processor: Any, renamed: Mapping[str, str]) -> Tokenizer:
    """The tokenizer with the special tokens put around texts as before, under their new names and ids."""
    if processor is None:
        return backend

    def found(token: str) -> tuple[str, int | None]:
        name = renamed.get(token, token)
        return name, backend.token_to_id(name)

    def updated(part: Any) -> Any:
        part = dict(part)
        for entry in part.get("special_tokens") or {}:
            pairs = [found(token) for token in part["special_tokens"][entry]["tokens"]]
            part["special_tokens"] = {
                **part["special_tokens"],
                entry: {
                    **part["special_tokens"][entry],
                    "tokens": [name for name, _ in pairs],
                    "ids": [index for _, index in pairs],
                },
            }
        for role in ("cls", "sep"):
            if role in part:
                part[role] = list(found(part[role][0]))
        if part["type"] == "Sequence":
            part["processors"] = [updated(one) for one in part["processors"]]
        return part

    document = {**json.loads(backend.to_str()), "post_processor": updated(processor)}
    return Tokenizer.from_str(json.dumps(document))
