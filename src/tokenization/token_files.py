"""What a tokenizer's JSON files say about its tokens: roles, added tokens, their flags; all of it checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tokenizers import AddedToken

from ..files.errors import FileError, three_beats
from ..files.strict_json import load_json_object
from .special_tokens import EXTRA_TOKENS, Token, described

_FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")
#: Ids are counted in 32 bits, by the backend and by the models' tables.
LARGEST_ID = 2**32 - 1


def read_roles(settings: dict[str, Any], roles: Collection[str], path: str) -> None:
    """Check the special tokens among a file's fields, and make `AddedToken`s of those with flags, in place.

    Raises:
        FileError: One of them is no token.
    """
    for role in settings.keys() & set(roles):
        value, where = settings[role], f"{path}: {role!r}"
        if value is None:
            continue
        if role != EXTRA_TOKENS:
            settings[role] = _token(value, where)
        elif isinstance(value, (list, tuple)):
            settings[role] = [_token(item, where) for item in value]
        else:
            raise _refusal(where, value, "a list of tokens")


def read_added_tokens(entries: Mapping[str, Any], path: str) -> dict[int, AddedToken]:
    """The field `added_tokens_decoder`: id -> token.

    Raises:
        FileError: A key is no id, or a value no token.
    """
    where = f"{path}: 'added_tokens_decoder'"
    decoder: dict[int, AddedToken] = {}
    for key, fields in entries.items():
        if not (key.isascii() and key.isdigit() and len(key) <= 10 and int(key) <= LARGEST_ID):
            raise _refusal(where, key, "ids as keys")
        if not isinstance(fields, dict):
            raise _refusal(f"{where} {key}", fields, "an object with a string 'content'")
        token = _token(fields, f"{where} {key}")
        decoder[int(key)] = AddedToken(token) if isinstance(token, str) else token
    return decoder


def read_older_added_tokens(path: Path, known: Mapping[str, Token]) -> dict[int, AddedToken]:
    """The file added_tokens.json of older versions: token -> id, without flags.

    Args:
        path: The file.
        known: The special tokens by text, with flags where another file gives them.

    Raises:
        FileError: A value is no id.
    """
    decoder: dict[int, AddedToken] = {}
    for content, index in load_json_object(path).items():
        if type(index) is not int or not 0 <= index <= LARGEST_ID:
            raise _refusal(f"{path}: the id of {content!r}", index, f"a whole number up to {LARGEST_ID}")
        _check_text(content, str(path))
        decoder[index] = described(known.get(content, content), special=content in known)
    return decoder


def tokens_in(settings: Mapping[str, Any], roles: Collection[str]) -> dict[str, Token]:
    """The special tokens among settings, by their text."""
    tokens: dict[str, Token] = {}
    for role in roles:
        value = settings.get(role)
        for token in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(token, (str, AddedToken)):
                tokens.setdefault(str(token), token)
    return tokens


def describe_roles(settings: dict[str, Any], roles: Collection[str], decoder: Mapping[int, AddedToken]) -> None:
    """Give each token with a role the flags of the added token with the same text, in place."""
    by_text = {token.content: token for token in decoder.values()}
    for role in settings.keys() & set(roles):
        if role != EXTRA_TOKENS and isinstance(settings[role], (str, AddedToken)):
            settings[role] = by_text.get(str(settings[role]), settings[role])


def shown(value: Any) -> str:
    """A value from a file, shortened, with its type."""
    text = repr(value)
    return f"{text if len(text) <= 40 else text[:37] + '...'} ({type(value).__name__})"


def _token(value: Any, where: str) -> Token:
    """A token as a file gives it: its text, or an object with its flags."""
    if isinstance(value, str):
        return _check_text(value, where)
    if not isinstance(value, dict) or not isinstance(value.get("content"), str):
        raise _refusal(where, value, "a token: a string, or an object with a string 'content'")
    for flag in _FLAGS:
        if not isinstance(value.get(flag, False), bool):
            raise _refusal(f"{where}: {flag!r}", value[flag], "true or false")
    _check_text(value["content"], where)
    return AddedToken(value["content"], **{flag: value[flag] for flag in _FLAGS if flag in value})


def _check_text(text: str, where: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise _refusal(where, text, f"Unicode text (there is a lone surrogate at {error.start})") from None
    return text


def _refusal(where: str, value: Any, expected: str) -> FileError:
    return FileError(three_beats(f"{where} is {shown(value)}", expected, "Correct the file, or save it again."))
