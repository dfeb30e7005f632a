"""GPT-2's tokenizer on the `tokenizers` library, from tokenizer.json or built from vocab.json and merges.txt."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from tokenizers import Tokenizer, processors

from ...tokenization.building import with_id
from ...tokenization.byte_level import ByteLevelTokenizerFast, byte_level_backend, plain_token
from ...tokenization.special_tokens import Token, require_tokens
from .tokenization_gpt2 import CONFIG_TYPES, GPT2Tokenizer


class GPT2TokenizerFast(ByteLevelTokenizerFast):
    """GPT-2's tokenizer on the `tokenizers` library.

    Args:
        vocab_file: The vocabulary, a vocab.json; read when there is no tokenizer.json.
        merges_file: The merges, a merges.txt; read when there is no tokenizer.json.
        tokenizer_file: A tokenizer.json.
        unk_token, bos_token, eos_token: The special tokens.
        add_prefix_space: Treat the first word of a text like one inside it.
        kwargs: As for every tokenizer; `add_bos_token` begins each input with the token for it, where there is no
            tokenizer.json that says how; `from_slow` ignores tokenizer.json.

    Raises:
        FileError: A file is missing or damaged.
    """

    config_types = CONFIG_TYPES
    slow_tokenizer_class = GPT2Tokenizer

    def __init__(
        self,
        vocab_file: str | os.PathLike[str] | None = None,
        merges_file: str | os.PathLike[str] | None = None,
        tokenizer_file: str | os.PathLike[str] | None = None,
        unk_token: Token = "<|endoftext|>",
        bos_token: Token = "<|endoftext|>",
        eos_token: Token = "<|endoftext|>",
        add_prefix_space: bool = False,
        **kwargs: Any,
    ) -> None:
        roles: dict[str, Any] = {"unk_token": unk_token, "bos_token": bos_token, "eos_token": eos_token}
        if kwargs.pop("from_slow", False):
            tokenizer_file = None
        if tokenizer_file is None and kwargs.get("tokenizer_object") is None:
            roles = {role: plain_token(token) for role, token in roles.items()}
            kwargs = {"errors": "replace", "add_bos_token": False, **kwargs}
            if kwargs["add_bos_token"]:
                require_tokens(type(self), bos_token=bos_token)
            settings = {**kwargs, **roles, "pad_token": plain_token(kwargs.get("pad_token"))}
            self._tokenizer = gpt2_backend(vocab_file, merges_file, {**settings, "add_prefix_space": add_prefix_space})
        super().__init__(tokenizer_file=tokenizer_file, add_prefix_space=add_prefix_space, **roles, **kwargs)
        self.add_bos_token = bool(kwargs.get("add_bos_token", False))


def gpt2_backend(
    vocab_file: str | os.PathLike[str] | None,
    merges_file: str | os.PathLike[str] | None,
    settings: Mapping[str, Any],
) -> Tokenizer:
    """The `tokenizers` pipeline that does what `GPT2Tokenizer` does; of a pair, only the first text gets an opening.

    Raises:
        FileError: A file cannot be read, or is damaged.
        InputError: The library cannot build it from them.
    """
    backend = byte_level_backend(vocab_file, merges_file, settings)
    if not settings["add_bos_token"]:
        backend.post_processor = processors.ByteLevel(trim_offsets=False)
        return backend
    bos = with_id(backend, settings["bos_token"])
    backend.post_processor = processors.TemplateProcessing(
        single=[f"{bos[0]}:0", "$A:0"], pair=[f"{bos[0]}:0", "$A:0", "$B:1"], special_tokens=[bos]
    )
    return backend
