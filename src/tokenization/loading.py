"""Reading a tokenizer's files: from a directory, a single vocabulary file, or the Hub."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tokenizers import AddedToken

from ..files.errors import FileError, InputError, three_beats
from ..files.strict_json import load_json_object
from ..hub.find import HubOptions, Repository
from .chat.files import TEMPLATE_FILE, named_file, read_templates, template_names
from .errors import ArgumentTypeError
from .fingerprint import FINGERPRINT_FILE, check_fingerprint
from .saving import ADDED_TOKENS_FILE, BACKEND_FILE, CONFIG_FILE, SPECIAL_TOKENS_FILE
from .token_files import (
    describe_roles,
    read_added_tokens,
    read_older_added_tokens,
    read_roles,
    shown,
    tokens_in,
)

if TYPE_CHECKING:
    from .base import PreTrainedTokenizerBase

logger = logging.getLogger(__name__)

Tokenizer = TypeVar("Tokenizer", bound="PreTrainedTokenizerBase")

#: Names of general classes: files that name one of these may be those of any tokenizer.
_ANY_CLASS = frozenset({"PreTrainedTokenizer", "PreTrainedTokenizerFast", "PythonBackend", "TokenizersBackend"})
#: What a configuration file may say and a constructor must not be given from there.
_NOT_FROM_FILES = (
    "auto_map",
    "init_inputs",
    "name_or_path",
    "self",
    "special_tokens_map_file",
    "tokenizer_object",
)
_NUMBER = (int, float)
_OPTIONAL_LIST = (list, tuple, type(None))
_OPTIONAL_TEXT = (str, type(None))

#: What the fields of tokenizer_config.json that every tokenizer reads may hold.
CONFIG_TYPES: Mapping[str, tuple[type, ...]] = {
    "added_tokens_decoder": (dict,),
    "additional_special_tokens": _OPTIONAL_LIST,
    "chat_template": (str, list, dict, type(None)),
    "clean_up_tokenization_spaces": (bool, type(None)),
    "extra_special_tokens": (dict, list),
    "model_input_names": _OPTIONAL_LIST,
    "model_max_length": (*_NUMBER, type(None)),
    "max_len": (*_NUMBER, type(None)),
    "padding_side": _OPTIONAL_TEXT,
    "processor_class": _OPTIONAL_TEXT,
    "split_special_tokens": (bool, type(None)),
    "tokenizer_class": _OPTIONAL_TEXT,
    "truncation_side": _OPTIONAL_TEXT,
}


class Source:
    """The files that a name stands for: a directory, a repository on the Hub, or one vocabulary file."""

    def __init__(self, cls: type[PreTrainedTokenizerBase], name: str | os.PathLike[str], options: HubOptions) -> None:
        """Decide what `name` is.

        Raises:
            ArgumentTypeError: It is no name.
            InputError: A single file, for a class that needs several.
            FileError: There is no such directory.
        """
        if not isinstance(name, (str, os.PathLike)):
            raise ArgumentTypeError(
                three_beats(
                    f"the name of a tokenizer is {shown(name)}",
                    "a directory, or a name on the Hub",
                    "Give one.",
                )
            )
        self.name = os.fspath(name)
        self._single: Path | None = None
        if not os.path.isfile(self.name):
            self._repository = Repository(name, options)
        elif len(cls.vocab_files_names) == 1:
            self._single = Path(self.name)
        else:
            raise InputError(
                three_beats(
                    f"{cls.__name__} was asked to load from the single file {self.name}",
                    "a directory or the name of a repository",
                    "Give its directory, or pass tokenizer_file=... to the constructor.",
                )
            )

    def reading(self) -> AbstractContextManager[None]:
        """Hold a directory still while its files are read: a save cannot come between them."""
        return nullcontext() if self._single else self._repository.reading()

    def file(self, name: str) -> Path | None:
        """A file's path, None where there is no such file."""
        return None if self._single else self._repository.file(name, required=False)

    def vocabulary(self, names: Mapping[str, str]) -> dict[str, str | None]:
        """The vocabulary files by the constructor's arguments for them."""
        if self._single:
            return {argument: str(self._single) for argument in names}
        found = {argument: self.file(name) for argument, name in names.items()}
        return {argument: None if path is None else str(path) for argument, path in found.items()}

    def templates(self) -> Any:
        """The chat templates in files of their own, None where there are none."""
        directory = None if self._single else self._repository.directory
        names = [] if directory is None else template_names(directory)
        named = {name: self.file(named_file(name)) for name in names}
        return read_templates(self.file(TEMPLATE_FILE), {name: path for name, path in named.items() if path})


def load_tokenizer(
    cls: type[Tokenizer], source: Source, init_inputs: tuple[Any, ...], arguments: dict[str, Any]
) -> Tokenizer:
    """Build a tokenizer of a class from its files.

    Arguments of the caller win over tokenizer_config.json, which wins over the class's defaults.

    Raises:
        FileError: A file is missing, or holds what it cannot hold.
        InputError: An argument that cannot be right.
    """
    is_to_check = arguments.pop("fingerprint", True)
    _warn_of_unknown(cls, arguments)
    files = source.vocabulary(cls.vocab_files_names)
    _require_files(cls, source, files, given=arguments)
    config, decoder = _read_config(cls, source)
    roles = _roles(cls, {**config, **arguments})
    settings = {**config, **arguments}
    if decoder is None:
        older = _read_older_roles(source, roles)
        settings.update({role: token for role, token in older.items() if role not in arguments})
        path = source.file(ADDED_TOKENS_FILE)
        # A tokenizer.json has its added tokens inside.
        inside = path is None or files.get("tokenizer_file") is not None
        decoder = {} if inside or path is None else read_older_added_tokens(path, tokens_in(settings, roles))
    describe_roles(settings, roles, decoder)
    if "chat_template" not in arguments and (templates := source.templates()) is not None:
        settings["chat_template"] = templates
    settings.update({name: path for name, path in files.items() if arguments.get(name) is None})
    settings["name_or_path"] = source.name
    tokenizer = cls(*init_inputs, added_tokens_decoder=decoder, **settings)
    if not decoder and files.get("tokenizer_file"):
        describe_roles(settings, roles, tokenizer.added_tokens_decoder)
        describe_roles(tokenizer._special_tokens, roles, tokenizer.added_tokens_decoder)
    tokenizer.init_inputs = init_inputs
    tokenizer.init_kwargs = {**tokenizer.init_kwargs, **settings}
    if is_to_check:
        check_fingerprint(source.file(FINGERPRINT_FILE), tokenizer)
    return tokenizer


def _require_files(
    cls: type[PreTrainedTokenizerBase],
    source: Source,
    files: Mapping[str, str | None],
    given: Mapping[str, Any],
) -> None:
    """Check that there is a tokenizer.json or else every vocabulary file, for the classes that take both."""
    plain = [argument for argument in files if argument not in (*cls.optional_files, "tokenizer_file")]
    missing = [name for name in plain if files[name] is None and given.get(name) is None]
    has_backend = files.get("tokenizer_file") is not None or given.get("tokenizer_file") is not None
    if has_backend or (plain and not missing):
        return
    names = [cls.vocab_files_names[argument] for argument in missing]
    if "tokenizer_file" in files:
        names.append(BACKEND_FILE)
    raise FileError(
        three_beats(
            f"{source.name} has no {' and no '.join(names)}",
            f"the vocabulary of a {cls.__name__}",
            cls.missing_files_remedy,
        )
    )


def _read_config(
    cls: type[PreTrainedTokenizerBase], source: Source
) -> tuple[dict[str, Any], dict[int, AddedToken] | None]:
    """The constructor's arguments in tokenizer_config.json, and its added tokens (None: no such field)."""
    path = source.file(CONFIG_FILE)
    if path is None:
        return {}, None
    config = load_json_object(path, allow_nan=True)
    for name, kinds in {**CONFIG_TYPES, **cls.config_types}.items():
        value = config.get(name)
        if name in config and (not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)):
            names = " or ".join("null" if kind is type(None) else kind.__name__ for kind in kinds)
            raise _refusal(path, name, value, names)
    for name in ("padding_side", "truncation_side"):
        if config.get(name) not in (None, "left", "right"):
            raise _refusal(path, name, config[name], "'left' or 'right'")
    read_roles(config, _roles(cls, config), str(path))
    entries = config.pop("added_tokens_decoder", None)
    decoder = None if entries is None else read_added_tokens(entries, str(path))
    _warn_of_class(cls, config.pop("tokenizer_class", None))
    for name in (*_NOT_FROM_FILES, *cls.vocab_files_names):
        config.pop(name, None)
    return config, decoder


def _read_older_roles(source: Source, roles: set[str]) -> dict[str, Any]:
    """The special tokens in special_tokens_map.json: older versions wrote no `added_tokens_decoder`."""
    path = source.file(SPECIAL_TOKENS_FILE)
    if path is None:
        return {}
    found = load_json_object(path)
    read_roles(found, roles, str(path))
    return {role: token for role, token in found.items() if role in roles}


def _roles(cls: type[PreTrainedTokenizerBase], settings: Mapping[str, Any]) -> set[str]:
    """The roles of special tokens, those of this tokenizer alone included."""
    extra = settings.get("extra_special_tokens")
    return {*cls.SPECIAL_TOKENS_ATTRIBUTES, *(extra if isinstance(extra, dict) else ())}


def _warn_of_class(cls: type[PreTrainedTokenizerBase], saved: str | None) -> None:
    if saved is None or saved in _ANY_CLASS or saved.removesuffix("Fast") == cls.__name__.removesuffix("Fast"):
        return
    logger.warning(
        "the files are those of a %s and are loaded into a %s; the tokens may come out differently. "
        "Use the class that the files name.",
        saved,
        cls.__name__,
    )


def _warn_of_unknown(cls: type[PreTrainedTokenizerBase], arguments: Mapping[str, Any]) -> None:
    """Say so when an argument of the caller is close to one that the class has, and is not it."""
    known = {
        "from_slow",
        *CONFIG_TYPES,
        *cls.config_types,
        *cls.SPECIAL_TOKENS_ATTRIBUTES,
        *cls.vocab_files_names,
    }
    for base in cls.__mro__:
        if "__init__" in vars(base):
            known.update(inspect.signature(vars(base)["__init__"]).parameters)
    for name in arguments:
        # Any name may be meant to be kept in the configuration file: only a near miss is worth a warning.
        near = get_close_matches(name, known, n=1, cutoff=0.75)
        if name not in known and near:
            logger.warning(
                "%s is no argument of %s and has no effect there; did you mean %s?",
                name,
                cls.__name__,
                near[0],
            )


def _refusal(path: Path, name: str, value: Any, expected: str) -> FileError:
    return FileError(
        three_beats(f"{path}: {name!r} is {shown(value)}", expected, "Correct the file, or save it again.")
    )
