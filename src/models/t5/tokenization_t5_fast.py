"""T5's tokenizer on the `tokenizers` library, from tokenizer.json or made from spiece.model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, ClassVar

from tokenizers import Tokenizer, decoders, pre_tokenizers

from ...tokenization.building import add_in_order
from ...tokenization.saving import BACKEND_FILE
from ...tokenization.sentencepiece_fast import Prefix, SentencePieceTokenizerFast, sentencepiece_backend, template
from ...tokenization.sentencepiece_model import SentencePieceModel
from ...tokenization.special_tokens import Token, require_tokens
from .tokenization_t5 import (
    CONFIG_TYPES,
    VOCABULARY_FILE,
    T5Tokenizer,
    sentinel,
    sentinels_in,
    special_roles,
    with_sentinels,
)


class T5TokenizerFast(SentencePieceTokenizerFast):
    """T5's tokenizer on the `tokenizers` library.

    Args:
        vocab_file: The model of SentencePiece; read when there is no tokenizer.json.
        tokenizer_file: A tokenizer.json.
        eos_token, unk_token, pad_token: The special tokens.
        extra_ids: The number of sentinels; the first of them has the highest id.
        additional_special_tokens: Further special tokens, all sentinels or none among them.
        add_prefix_space: Put a space before the text. None leaves it to tokenizer.json; a backend made from the model
            alone then puts none, unlike the slow tokenizer.
        kwargs: As for every tokenizer; `legacy`: whether to put a space before every piece of text, also behind a
            special token; `from_slow` ignores tokenizer.json.

    Raises:
        FileError: A file is missing or damaged.
        InputError: `extra_ids` is not the number of the sentinels that are given.
    """

    vocab_files_names: ClassVar[dict[str, str]] = {"vocab_file": VOCABULARY_FILE, "tokenizer_file": BACKEND_FILE}
    model_input_names: list[str] = ["input_ids", "attention_mask"]
    config_types = CONFIG_TYPES
    slow_tokenizer_class = T5Tokenizer

    def __init__(
        self,
        vocab_file: str | os.PathLike[str] | None = None,
        tokenizer_file: str | os.PathLike[str] | None = None,
        eos_token: Token = "</s>",
        unk_token: Token = "<unk>",
        pad_token: Token | None = "<pad>",
        extra_ids: int = 100,
        additional_special_tokens: Sequence[Token] | None = None,
        add_prefix_space: bool | None = None,
        **kwargs: Any,
    ) -> None:
        require_tokens(type(self), eos_token=eos_token, unk_token=unk_token)
        tokens, _ = with_sentinels(type(self).__name__, additional_special_tokens, extra_ids)
        self.legacy = kwargs.get("legacy") in (None, True)
        super().__init__(
            vocab_file,
            tokenizer_file,
            eos_token=eos_token,
            unk_token=unk_token,
            pad_token=pad_token,
            extra_ids=extra_ids,
            additional_special_tokens=tokens,
            add_prefix_space=add_prefix_space,
            **kwargs,
        )
        if add_prefix_space is not None:
            self._put_prefix(_prefix(add_prefix_space, self.legacy))

    def _as_slow(self, settings: dict[str, Any]) -> dict[str, Any]:
        return {**super()._as_slow(settings), **special_roles(settings), "legacy": self.legacy}

    def _make_backend(self, model: SentencePieceModel, settings: dict[str, Any]) -> Tokenizer:
        vocabulary = list(zip(model.pieces, model.scores, strict=True))
        vocabulary += [(sentinel(number), 0.0) for number in reversed(range(settings["extra_ids"]))]
        prefix = _prefix(settings["add_prefix_space"], self.legacy)
        backend = sentencepiece_backend(model, vocabulary, model.unk_id, prefix)
        add_in_order(backend, settings)
        eos = f"{settings['eos_token']}:0"
        backend.post_processor = template(backend, ("$A:0", eos), ("$A:0", eos, "$B:0", eos))
        return backend

    def _put_prefix(self, prefix: Prefix) -> None:
        """Let the argument win over what a tokenizer.json says, where it has the pipeline of a .model file."""
        if isinstance(self._tokenizer.pre_tokenizer, pre_tokenizers.Metaspace):
            self._tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=prefix)
        if isinstance(self._tokenizer.decoder, decoders.Metaspace):
            self._tokenizer.decoder = decoders.Metaspace(prepend_scheme=prefix)

    def get_sentinel_tokens(self) -> list[str]:
        """The sentinels."""
        return sentinels_in(self.additional_special_tokens)

    def get_sentinel_token_ids(self) -> list[int]:
        """The ids of the sentinels."""
        return self.convert_tokens_to_ids(self.get_sentinel_tokens())

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """`A </s>`, or `A </s> B </s>`."""
        sequence = [*token_ids_0, self.eos_token_id]
        return sequence if token_ids_1 is None else [*sequence, *token_ids_1, self.eos_token_id]

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """0 for every token: the model does not tell the two sequences apart."""
        return [0] * len(self.build_inputs_with_special_tokens(token_ids_0, token_ids_1))


def _prefix(add_prefix_space: bool | None, legacy: bool) -> Prefix:
    if not add_prefix_space:
        return "never"
    return "always" if legacy else "first"
