"""Writing a tokenizer's files: its settings, its special and added tokens, its vocabulary."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import AddedToken

from ..files.errors import FileError, InputError, three_beats
from ..files.transaction import SaveTransaction
from .chat.files import named_file, template_names, templates_of
from .fingerprint import FINGERPRINT_FILE, fingerprint_content
from .special_tokens import token_fields

if TYPE_CHECKING:
    from .base import PreTrainedTokenizerBase

CONFIG_FILE = "tokenizer_config.json"
SPECIAL_TOKENS_FILE = "special_tokens_map.json"
ADDED_TOKENS_FILE = "added_tokens.json"
BACKEND_FILE = "tokenizer.json"

#: Constructor arguments that say where a tokenizer came from, not what it is.
_OF_THE_PLACE = ("name_or_path", "special_tokens_map_file", "tokenizer_file", "added_tokens_decoder")


def save_tokenizer(
    tokenizer: PreTrainedTokenizerBase,
    directory: str | os.PathLike[str],
    legacy_format: bool | None,
    prefix: str | None,
    templates_as_files: bool = True,
    with_fingerprint: bool = False,
) -> tuple[str, ...]:
    """Write all files of a tokenizer in one transaction.

    Files of an earlier save that would be read with these are removed: templates that this tokenizer does not have,
    the fingerprint of another one.

    Returns:
        The paths, in the order in which users of the ecosystem know them; that of added_tokens.json also when
        there are no added tokens and no such file.

    Raises:
        FileError: `directory` is a file.
        InputError: A `legacy_format` that this tokenizer does not have, or a template that cannot be saved.
    """
    target = os.fspath(directory)
    if os.path.isfile(target):
        raise FileError(
            three_beats(f"cannot save a tokenizer to {target}: it is a file", "a directory", "Choose another path.")
        )
    templates, entry = templates_of(tokenizer.chat_template, templates_as_files)
    config = config_of(tokenizer) | ({} if entry is None else {"chat_template": entry})
    files: dict[str, bytes] = {
        named(CONFIG_FILE, prefix): dump_json(config),
        named(SPECIAL_TOKENS_FILE, prefix): dump_json(special_tokens_of(tokenizer)),
        **_contents(prefix, templates),
    }
    if with_fingerprint:
        files[named(FINGERPRINT_FILE, prefix)] = dump_json(fingerprint_content(tokenizer))
    vocabulary, promised = tokenizer._files_to_save(legacy_format, prefix)
    files.update(vocabulary)
    others = [named_file(name) for name in template_names(target)] if tokenizer.chat_template is not None else []
    with SaveTransaction(target) as stage:
        for name, content in files.items():
            stage.write_bytes(name, content)
        for name in (named(name, prefix) for name in (FINGERPRINT_FILE, *others)):
            if name not in files and os.path.lexists(os.path.join(target, name)):
                stage.remove(name)
    names = [*(name for name in files if name not in vocabulary), *promised]
    return tuple(os.path.join(target, name) for name in names)


def vocabulary_of(tokenizer: PreTrainedTokenizerBase, prefix: str | None) -> dict[str, bytes]:
    """Name -> content of the vocabulary files, as `save_vocabulary` writes them."""
    from .base import PreTrainedTokenizerBase

    if type(tokenizer).save_vocabulary is PreTrainedTokenizerBase.save_vocabulary:
        return _contents(prefix, tokenizer._vocabulary_contents())
    # A class of the user's own may know only how to write them.
    with tempfile.TemporaryDirectory() as scratch:
        paths = tokenizer.save_vocabulary(scratch, filename_prefix=prefix)
        return {os.path.basename(path): Path(path).read_bytes() for path in paths}


def added_tokens_of(tokenizer: PreTrainedTokenizerBase) -> dict[str, int]:
    """The tokens that the vocabulary file does not hold, with their ids."""
    return {token: index for token, index in tokenizer.get_added_vocab().items() if index >= tokenizer.vocab_size}


def write_files(
    directory: str | os.PathLike[str], prefix: str | None, files: Mapping[str, str | bytes]
) -> tuple[str, ...]:
    """Write vocabulary files in one transaction; their paths, in order.

    Raises:
        FileError: `directory` is a file.
    """
    target = os.fspath(directory)
    if os.path.isfile(target):
        raise FileError(
            three_beats(f"cannot save a vocabulary to {target}: it is a file", "a directory", "Choose another path.")
        )
    contents = _contents(prefix, files)
    with SaveTransaction(target) as stage:
        for name, content in contents.items():
            stage.write_bytes(name, content)
    return tuple(os.path.join(target, name) for name in contents)


def _contents(prefix: str | None, files: Mapping[str, str | bytes]) -> dict[str, bytes]:
    return {
        named(name, prefix): content.encode("utf-8") if isinstance(content, str) else content
        for name, content in files.items()
    }


def named(name: str, prefix: str | None) -> str:
    """A file's name with the prefix that the user gave."""
    return f"{prefix}-{name}" if prefix else name


def dump_json(value: Any) -> bytes:
    """JSON as this ecosystem's files have it: indented by two, keys sorted, letters as themselves.

    Raises:
        InputError: JSON cannot hold the value.
    """
    try:
        text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        return text.encode("utf-8")
    except (TypeError, ValueError) as error:  # an object that JSON does not have; a lone surrogate; a cycle
        raise InputError(
            three_beats(
                f"the tokenizer cannot be written as JSON: {error}",
                "arguments made of text, numbers, lists and dicts",
                "Load or build it without the argument that JSON cannot hold.",
            )
        ) from error


def config_of(tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    """What tokenizer_config.json holds: the constructor's arguments, with the attributes' values of today."""
    own_files = set(tokenizer.vocab_files_names)
    config = {
        key: _current(tokenizer, key, value)
        for key, value in tokenizer.init_kwargs.items()
        if key not in own_files and key not in _OF_THE_PLACE
    }
    config["model_max_length"] = tokenizer.model_max_length
    config["clean_up_tokenization_spaces"] = tokenizer.clean_up_tokenization_spaces
    config.setdefault("extra_special_tokens", {})
    config.update(tokenizer.special_tokens_map)
    config.pop("chat_template", None)
    config = plain(config)
    config["added_tokens_decoder"] = {
        index: token_fields(token) for index, token in tokenizer.added_tokens_decoder.items()
    }
    config["tokenizer_class"] = tokenizer._class_to_save()
    if tokenizer._processor_class is not None:
        config["processor_class"] = tokenizer._processor_class
    return config


def _current(tokenizer: PreTrainedTokenizerBase, name: str, value: Any) -> Any:
    """An argument's value of today, where it is an attribute of the same name."""
    current = getattr(tokenizer, name, value)
    return value if callable(current) else current


def special_tokens_of(tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    """What special_tokens_map.json holds: role -> text, or the fields of an `AddedToken`."""

    def entry(token: Any) -> Any:
        if isinstance(token, (list, tuple)):
            return [entry(item) for item in token]
        if not isinstance(token, AddedToken):
            return token
        return {key: value for key, value in token_fields(token).items() if key != "special"}

    return {role: entry(token) for role, token in tokenizer.special_tokens_map_extended.items()}


def plain(value: Any) -> Any:
    """The same without `AddedToken`s, which JSON does not have: their text."""
    if isinstance(value, AddedToken):
        return value.content
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value


def refuse_format(tokenizer: PreTrainedTokenizerBase, legacy_format: bool) -> InputError:
    """The refusal of a `legacy_format` that a tokenizer cannot be written in."""
    kind = "its plain vocabulary files" if legacy_format else "tokenizer.json"
    return InputError(
        three_beats(
            f"legacy_format={legacy_format}: {type(tokenizer).__name__} has no {kind}",
            "None, or a format that it has",
            "Leave legacy_format out.",
        )
    )
