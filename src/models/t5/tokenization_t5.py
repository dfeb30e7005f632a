"""T5's tokenizer in pure Python: SentencePiece, with sentinels for the gaps to fill; `A </s> B </s>`."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tokenizers import AddedToken

from ...files.errors import InputError, three_beats
from ...tokenization.errors import ArgumentTypeError
from ...tokenization.sentencepiece import SentencePieceTokenizer, join_around
from ...tokenization.sentencepiece_model import SPACE
from ...tokenization.special_tokens import Token, described, require_tokens

logger = logging.getLogger(__name__)

VOCABULARY_FILE = "spiece.model"
#: More sentinels than any text has gaps.
MOST_SENTINELS = 2**20
_SENTINEL = re.compile(r"<extra_id_\d+>")

#: The fields of tokenizer_config.json that the slow and the fast tokenizer read.
CONFIG_TYPES: dict[str, tuple[type, ...]] = {
    "add_prefix_space": (bool, type(None)),
    "extra_ids": (int,),
    "legacy": (bool, type(None)),
    "sp_model_kwargs": (dict, type(None)),
}


def special_roles(roles: Mapping[str, Any]) -> dict[str, AddedToken | None]:
    """The tokens with a role as the special tokens that they are; None stays None."""
    tokens = {role: roles[role] for role in ("eos_token", "unk_token", "pad_token")}
    return {role: None if token is None else described(token, special=True) for role, token in tokens.items()}


def sentinel(number: int) -> str:
    """The token of a gap."""
    return f"<extra_id_{number}>"


def with_sentinels(owner: str, tokens: Sequence[Token] | None, extra_ids: int) -> tuple[list[Token], int]:
    """The special tokens without a role, the sentinels among them.

    Sentinels stand right behind the vocabulary, the last one first, unless other tokens were given without them: then
    they follow those, the first one first.

    Args:
        owner: The class, for the message.
        tokens: Those that were given; None for the sentinels alone.
        extra_ids: How many sentinels there are.

    Returns:
        The tokens, and how many sentinels stand right behind the vocabulary.

    Raises:
        ArgumentTypeError: `extra_ids` is no whole number.
        InputError: More sentinels than there can be, or another number of them than are given.
    """
    if isinstance(extra_ids, bool) or not isinstance(extra_ids, int):
        raise ArgumentTypeError(three_beats(f"extra_ids={extra_ids!r}", "a whole number", "Correct the argument."))
    if extra_ids > MOST_SENTINELS:
        raise InputError(three_beats(f"extra_ids={extra_ids}", f"at most {MOST_SENTINELS}", "Lower it."))
    sentinels: list[Token] = [sentinel(number) for number in range(extra_ids)]
    if tokens is None:
        return sentinels, len(sentinels)
    given = list(tokens)
    present = [token for token in given if "<extra_id_" in str(token)]
    if not present:
        return given + sentinels, 0
    if extra_ids > 0 and len(present) != extra_ids:
        raise InputError(
            three_beats(
                f"{owner} was given extra_ids={extra_ids}, and {len(present)} sentinels in additional_special_tokens",
                "all sentinels there, or none",
                "Leave one of the two arguments out.",
            )
        )
    return given, len(present)


def sentinels_behind(size: int, count: int) -> dict[int, AddedToken]:
    """The sentinels that stand right behind a vocabulary of some size, by id: they take spaces around them along."""
    flags = {"lstrip": True, "rstrip": True, "normalized": False, "special": True}
    return {size + count - 1 - number: AddedToken(sentinel(number), **flags) for number in range(count)}


def sentinels_in(tokens: Sequence[str]) -> list[str]:
    """The sentinels among special tokens, each once."""
    return list(dict.fromkeys(token for token in tokens if _SENTINEL.search(token)))


class T5Tokenizer(SentencePieceTokenizer):
    """T5's tokenizer in pure Python.

    Args:
        vocab_file: The model of SentencePiece.
        eos_token, unk_token, pad_token: The special tokens.
        extra_ids: The number of sentinels; the first of them has the highest id.
        additional_special_tokens: Further special tokens, all sentinels or none among them.
        sp_model_kwargs: Settings of the `sentencepiece` library.
        legacy: True (which None stands for) puts a space before every piece of text, also behind a special token.
        add_prefix_space: Put a space before the text, where `legacy` does not.
        kwargs: As for every tokenizer.

    Raises:
        FileError: The model cannot be read.
        InputError: `extra_ids` is not the number of the sentinels that are given.
        MissingDependencyError: The `sentencepiece` library is not installed.
    """

    vocab_files_names: ClassVar[dict[str, str]] = {"vocab_file": VOCABULARY_FILE}
    model_input_names: list[str] = ["input_ids", "attention_mask"]
    config_types = CONFIG_TYPES

    def __init__(
        self,
        vocab_file: str | os.PathLike[str],
        eos_token: Token = "</s>",
        unk_token: Token = "<unk>",
        pad_token: Token | None = "<pad>",
        extra_ids: int = 100,
        additional_special_tokens: Sequence[Token] | None = None,
        sp_model_kwargs: Mapping[str, Any] | None = None,
        legacy: bool | None = None,
        add_prefix_space: bool = True,
        **kwargs: Any,
    ) -> None:
        require_tokens(type(self), eos_token=eos_token, unk_token=unk_token)
        tokens, behind = with_sentinels(type(self).__name__, additional_special_tokens, extra_ids)
        self.legacy = True if legacy is None else bool(legacy)
        self.add_prefix_space = add_prefix_space
        self._read_model(vocab_file, sp_model_kwargs, prefix=self.legacy)
        sentinels = sentinels_behind(len(self._engine), behind)
        restored = kwargs.pop("added_tokens_decoder", None) or {}
        super().__init__(
            sp_model_kwargs=self.sp_model_kwargs,
            added_tokens_decoder={**sentinels, **restored},
            **special_roles({"eos_token": eos_token, "unk_token": unk_token, "pad_token": pad_token}),
            extra_ids=extra_ids,
            additional_special_tokens=tokens,
            legacy=self.legacy,
            add_prefix_space=add_prefix_space,
            **kwargs,
        )

    @property
    def unk_token_length(self) -> int:
        """The number of pieces that the unknown token is made of where a text holds it."""
        return len(self._engine.encode(str(self.unk_token)))

    def get_spm_processor(self, from_slow: bool = False) -> Any:
        """The library's `SentencePieceProcessor`; `from_slow` has no effect."""
        return self.sp_model

    def get_sentinel_tokens(self) -> list[str]:
        """The sentinels."""
        return sentinels_in(self.additional_special_tokens)

    def get_sentinel_token_ids(self) -> list[int]:
        """The ids of the sentinels."""
        return self.convert_tokens_to_ids(self.get_sentinel_tokens())

    def tokenize(self, text: str, **kwargs: Any) -> list[str]:
        """The tokens of a text, added tokens kept whole; the arguments are those of every slow tokenizer."""
        if self.legacy or not isinstance(text, str) or not text:
            return super().tokenize(text, **kwargs)
        text = text.replace(SPACE, " ")
        tokens = super().tokenize(SPACE + text if self.add_prefix_space else text, **kwargs)
        alone = len(tokens) > 1 and tokens[0] == SPACE and tokens[1] in self.all_special_tokens
        return tokens[1:] if alone else tokens

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        if self.legacy or not text.startswith((SPACE, " ")):
            return self._engine.encode(text)
        # A space that begins a text is taken away: it is encoded behind the unknown token, whose pieces go again.
        tokens = self._engine.encode(str(self.unk_token) + text)
        length = self.unk_token_length
        return tokens[length:] if len(tokens) >= length else tokens

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Tokens joined to a text, special ones as they are."""
        if tokens and tokens[0].startswith(SPACE) and self.add_prefix_space:
            tokens = [tokens[0][1:], *tokens[1:]]
        return join_around(tokens, set(self.all_special_tokens), self._engine.decode)

    def _with_eos(self, token_ids: Sequence[int]) -> list[int]:
        """A sequence with `</s>` at its end, which is not put there twice."""
        if len(token_ids) == 0 or token_ids[-1] != self.eos_token_id:
            return [*token_ids, self.eos_token_id]
        logger.warning("a sequence ends with %s already; it is not added again", self.eos_token)
        return list(token_ids)

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """`A </s>`, or `A </s> B </s>`."""
        sequence = self._with_eos(token_ids_0)
        return sequence if token_ids_1 is None else [*sequence, *self._with_eos(token_ids_1)]

    def get_special_tokens_mask(
        self,
        token_ids_0: Sequence[int],
        token_ids_1: Sequence[int] | None = None,
        already_has_special_tokens: bool = False,
    ) -> list[int]:
        """1 for `</s>` behind each sequence (or for all special tokens), 0 for the others."""
        if already_has_special_tokens:
            return super().get_special_tokens_mask(token_ids_0, token_ids_1, already_has_special_tokens=True)
        mask = [*[0] * len(token_ids_0), 1]
        return mask if token_ids_1 is None else [*mask, *[0] * len(token_ids_1), 1]

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """0 for every token: the model does not tell the two sequences apart."""
        both = [*token_ids_0, self.eos_token_id]
        return [0] * (len(both) if token_ids_1 is None else len(both) + len(token_ids_1) + 1)
