"""Building a backend of the `tokenizers` library from a slow tokenizer's files, and taking those files out again."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, models

from .rust import backend_errors
from .special_tokens import SpecialTokensMixin, Token, described
from .vocabularies import read_merges, read_vocabulary


def bpe_backend(
    vocab_file: str | os.PathLike[str] | None, merges_file: str | os.PathLike[str] | None, **options: Any
) -> Tokenizer:
    """A backend for byte-pair encoding that knows nothing yet but its vocabulary.

    Args:
        vocab_file: The vocabulary, a vocab.json.
        merges_file: The merges, a merges.txt.
        options: Of the library's model.

    Raises:
        FileError: A file cannot be read, or is damaged.
        InputError: The library cannot build it from them: a merge makes a token that the vocabulary lacks.
    """
    vocabulary, ranks = read_vocabulary(vocab_file), read_merges(merges_file)
    with backend_errors(
        f"{vocab_file} and {merges_file} make no tokenizer",
        "merges of tokens to tokens, all of them in the vocabulary",
        "Fetch both files again.",
    ):
        return Tokenizer(models.BPE(vocabulary, sorted(ranks, key=ranks.__getitem__), **options))


def add_in_order(backend: Tokenizer, settings: Mapping[str, Any]) -> None:
    """Give a backend its added tokens in the order in which a slow tokenizer takes them, so that the ids agree.

    Args:
        backend: Where they are added, behind the vocabulary where it lacks them.
        settings: A tokenizer's settings: among them `added_tokens_decoder`, whose tokens come first, by rising id, and
            the special tokens by role.
    """
    tokens: dict[str, AddedToken] = {
        token.content: token for _, token in sorted((settings.get("added_tokens_decoder") or {}).items())
    }
    for role in SpecialTokensMixin.SPECIAL_TOKENS_ATTRIBUTES:
        value = settings.get(role)
        for token in value if isinstance(value, (list, tuple)) else [value]:
            if token:
                tokens.setdefault(str(token), described(token, special=True))
    with backend_errors("the special tokens cannot be added", "Unicode text", "Correct them."):
        backend.add_tokens(list(tokens.values()))


def with_id(backend: Tokenizer, token: Token) -> tuple[str, int]:
    """A token that the backend has, and its id."""
    index = backend.token_to_id(str(token))
    assert index is not None  # it has been added
    return str(token), index


def model_files(backend: Tokenizer) -> dict[str, str | bytes]:
    """Name -> content of the vocabulary files that the backend's model writes."""
    with tempfile.TemporaryDirectory() as scratch:
        paths = [Path(path) for path in backend.model.save(scratch)]
        return {path.name: path.read_bytes() for path in paths}
