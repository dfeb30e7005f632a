"""Marian's tokenizer in pure Python: a SentencePiece model for each side, ids from a JSON file; `>>code<< A </s>`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ...files.errors import FileError, three_beats
from ...tokenization.sentencepiece import SentencePiece, TableTokenizer
from ...tokenization.sentencepiece_model import SPACE
from ...tokenization.special_tokens import Token, require_tokens
from ...tokenization.vocabularies import read_vocabulary

_OPENING, _CLOSING = ">>", "<<"


def load_vocabulary(path: str | os.PathLike[str] | None, argument: str, required: Sequence[Token]) -> dict[str, int]:
    """Read a vocabulary: token -> id.

    Args:
        path: A JSON file.
        argument: What the constructor calls it.
        required: The tokens that it has to have.

    Raises:
        FileError: The file cannot be read, is no vocabulary, or lacks a token.
    """
    if path is None:
        raise FileError(three_beats(f"no {argument} was given", "the path of a vocabulary", f"Pass {argument}=..."))
    vocabulary = read_vocabulary(path)
    missing = [str(token) for token in required if str(token) not in vocabulary]
    if missing:
        found = f"{path} lacks {missing[0]!r}"
        raise FileError(three_beats(found, "a vocabulary with its special tokens", "Fetch it again."))
    return vocabulary


class MarianTokenizer(TableTokenizer):
    """Marian's tokenizer in pure Python. There is no fast one.

    Args:
        source_spm: The model of SentencePiece for sources.
        target_spm: That for targets.
        vocab: The vocabulary, a JSON file of tokens with their ids.
        target_vocab_file: The vocabulary of targets, where there are two.
        source_lang: The language of sources.
        target_lang: The language of targets.
        unk_token, eos_token, pad_token: The special tokens.
        model_max_length: The longest input of the model.
        sp_model_kwargs: Settings of the `sentencepiece` library.
        separate_vocabs: Whether targets have a vocabulary of their own.
        kwargs: As for every tokenizer.

    Attributes:
        supported_language_codes: The tokens `>>code<<` that a text for a multilingual model begins with.

    Raises:
        FileError: A file is missing or damaged.
        MissingDependencyError: The `sentencepiece` library is not installed.
    """

    vocab_files_names: ClassVar[dict[str, str]] = {
        "source_spm": "source.spm",
        "target_spm": "target.spm",
        "vocab": "vocab.json",
        "target_vocab_file": "target_vocab.json",
        "tokenizer_config_file": "tokenizer_config.json",
    }
    optional_files: ClassVar[frozenset[str]] = frozenset({"target_vocab_file", "tokenizer_config_file"})
    model_input_names: list[str] = ["input_ids", "attention_mask"]
    config_types: ClassVar[Mapping[str, tuple[type, ...]]] = {
        "separate_vocabs": (bool,),
        "source_lang": (str, type(None)),
        "target_lang": (str, type(None)),
        "sp_model_kwargs": (dict, type(None)),
    }

    def __init__(
        self,
        source_spm: str | os.PathLike[str],
        target_spm: str | os.PathLike[str],
        vocab: str | os.PathLike[str],
        target_vocab_file: str | os.PathLike[str] | None = None,
        source_lang: str | None = None,
        target_lang: str | None = None,
        unk_token: Token = "<unk>",
        eos_token: Token = "</s>",
        pad_token: Token = "<pad>",
        model_max_length: int = 512,
        sp_model_kwargs: Mapping[str, Any] | None = None,
        separate_vocabs: bool = False,
        **kwargs: Any,
    ) -> None:
        require_tokens(type(self), unk_token=unk_token, eos_token=eos_token, pad_token=pad_token)
        self.separate_vocabs = separate_vocabs
        self.source_lang, self.target_lang = source_lang, target_lang
        self.encoder = load_vocabulary(vocab, "vocab", required=(unk_token, pad_token))
        self.target_encoder = self.encoder
        if separate_vocabs:
            self.target_encoder = load_vocabulary(target_vocab_file, "target_vocab_file", required=(unk_token,))
        self.decoder = {index: token for token, index in self.target_encoder.items()}
        codes = () if separate_vocabs else self.encoder
        self.supported_language_codes = [
            token for token in codes if token.startswith(_OPENING) and token.endswith(_CLOSING)
        ]
        self.spm_files = [source_spm, target_spm]
        self._source = SentencePiece(source_spm, sp_model_kwargs)
        self._target = SentencePiece(target_spm, sp_model_kwargs)
        self.sp_model_kwargs = dict(sp_model_kwargs or {})
        self._decode_use_source_tokenizer = False
        self._switch_to_input_mode()
        super().__init__(
            source_lang=source_lang,
            target_lang=target_lang,
            unk_token=unk_token,
            eos_token=eos_token,
            pad_token=pad_token,
            model_max_length=model_max_length,
            sp_model_kwargs=self.sp_model_kwargs,
            target_vocab_file=target_vocab_file,
            separate_vocabs=separate_vocabs,
            **kwargs,
        )

    @property
    def spm_source(self) -> Any:
        """The library's `SentencePieceProcessor` for sources."""
        return self._source.processor

    @property
    def spm_target(self) -> Any:
        """The library's `SentencePieceProcessor` for targets."""
        return self._target.processor

    @property
    def current_spm(self) -> Any:
        """The `SentencePieceProcessor` of the side that texts are encoded for now."""
        return self._current.processor

    @property
    def vocab_size(self) -> int:
        """The size of the vocabulary without added tokens."""
        return len(self.encoder)

    def get_vocab(self) -> dict[str, int]:
        """Token -> id, added tokens included."""
        return self.get_src_vocab()

    def get_src_vocab(self) -> dict[str, int]:
        """Token -> id of sources."""
        return {**self.encoder, **self._added_tokens_encoder}

    def get_tgt_vocab(self) -> dict[str, int]:
        """Token -> id of targets."""
        return {**self.target_encoder, **self._added_tokens_encoder}

    def _switch_to_input_mode(self) -> None:
        self._current, self.current_encoder = self._source, self.encoder

    def _switch_to_target_mode(self) -> None:
        self._current, self.current_encoder = self._target, self.target_encoder

    def normalize(self, x: str) -> str:
        """A text with plain punctuation, as Moses has it; the text itself where `sacremoses` is not installed."""
        try:
            from sacremoses import MosesPunctNormalizer
        except ImportError:
            return x
        return MosesPunctNormalizer(self.source_lang or "en").normalize(x) if x else ""

    def remove_language_code(self, text: str) -> tuple[list[str], str]:
        """The code `>>...<<` that a text begins with, if it does, and the rest."""
        end = text.find(_CLOSING, len(_OPENING)) if text.startswith(_OPENING) else -1
        if end < 0:
            return [], text
        end += len(_CLOSING)
        return [text[:end]], text[end:]

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        code, rest = self.remove_language_code(text)
        return code + self._current.encode(rest)

    @property
    def _table(self) -> dict[str, int]:
        return self.current_encoder

    @property
    def _unknown_id(self) -> int:
        return self.current_encoder[str(self.unk_token)]

    def _convert_id_to_token(self, index: int) -> str:
        return self.decoder.get(index, str(self.unk_token))

    def _decode(self, ids: int | list[int], *args: Any, use_source_tokenizer: bool = False, **kwargs: Any) -> str:
        """The text of ids: by the target's model, or by the source's on request."""
        self._decode_use_source_tokenizer = use_source_tokenizer
        return super()._decode(ids, *args, **kwargs)

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Tokens joined to a text, special ones as they are."""
        engine = self._source if self._decode_use_source_tokenizer else self._target
        special = set(self.all_special_tokens)
        parts: list[str] = []
        run: list[str] = []
        for token in tokens:
            if token in special:
                parts += [engine.decode(run), token, " "]
                run = []
            else:
                run.append(token)
        return "".join([*parts, engine.decode(run)]).replace(SPACE, " ").strip()

    def num_special_tokens_to_add(self, *args: Any, **kwargs: Any) -> int:
        """One: what is for `</s>`."""
        return 1

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """`A </s>`, or `A B </s>`."""
        return [*token_ids_0, *(token_ids_1 or ()), self.eos_token_id]

    def get_special_tokens_mask(
        self,
        token_ids_0: Sequence[int],
        token_ids_1: Sequence[int] | None = None,
        already_has_special_tokens: bool = False,
    ) -> list[int]:
        """1 for each special token but the unknown one, also inside the sequences, and for the `</s>` behind them."""
        special = set(self.all_special_ids) - {self.unk_token_id}
        ids = token_ids_0 if already_has_special_tokens else [*token_ids_0, *(token_ids_1 or ())]
        mask = [int(index in special) for index in ids]
        return mask if already_has_special_tokens else [*mask, 1]

    def _vocabulary_contents(self) -> dict[str, str | bytes]:
        files: dict[str, str | bytes] = {"vocab.json": json.dumps(self.encoder, indent=2)}
        if self.separate_vocabs:
            files["target_vocab.json"] = json.dumps(self.target_encoder, indent=2)
        return {**files, "source.spm": self._source.data, "target.spm": self._target.data}
