"""What image processors and feature extractors share: plain values, in `preprocessor_config.json`."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from ..configuration import plain_value
from ..fields import is_needed, short
from ..files.errors import ConfigurationError, FileError, three_beats
from ..files.strict_json import load_json_object
from ..files.transaction import SaveTransaction
from ..hub.find import HubOptions, Repository
from ..hub.push import PushToHub

#: The file that a preprocessor's values are kept in.
PREPROCESSOR_NAME = "preprocessor_config.json"


class Preprocessor(PushToHub):
    """The base of image processors and feature extractors: its attributes are its options, and all of them are saved.

    Args:
        kwargs: Options that the class does not know, kept as attributes and written back; `processor_class`, the
            class of the processor that it is a part of.

    Raises:
        ConfigurationError: An option has the name of something that the class needs for itself.
    """

    #: The key that the class's name stands under in the file.
    type_key: ClassVar[str]
    #: Attributes that are computed from options and too large for a file.
    computed: ClassVar[tuple[str, ...]] = ()
    #: Options that a constructor turns into another form: the caller's go through it.
    constructed: ClassVar[tuple[str, ...]] = ()
    model_input_names: ClassVar[list[str]]

    def __init__(self, **kwargs: Any) -> None:
        self._processor_class: str | None = kwargs.pop("processor_class", None)
        for name, value in kwargs.items():
            if name != "model_input_names" and is_needed(type(self), name):
                found = f"{type(self).__name__} was given the option {short(name)}, which is its own"
                remedy = f"Remove it from the call or {PREPROCESSOR_NAME}."
                raise ConfigurationError(three_beats(found, "another name", remedy))
            setattr(self, name, value)

    # ---- from disk ------------------------------------------------------------------------------------------

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str],
        cache_dir: str | os.PathLike[str] | None = None,
        force_download: bool = False,
        local_files_only: bool = False,
        token: str | bool | None = None,
        revision: str = "main",
        **kwargs: Any,
    ) -> Any:
        """Read the options from a directory, a `preprocessor_config.json`, or a name on the Hub.

        Args:
            kwargs: `subfolder`, `verify`; options to set differently; with `return_unused_kwargs=True` the answer is
                the pair (preprocessor, the keyword arguments that are none of its options).

        Raises:
            FileError: No such directory, file or name; the file is not a JSON object, or holds what cannot be.
            InputError: An argument that cannot be.
        """
        hub = {
            "cache_dir": cache_dir, "force_download": force_download, "local_files_only": local_files_only,
            "token": token, "revision": revision,
        }  # fmt: skip
        values, rest = read_values(pretrained_model_name_or_path, {**hub, **kwargs})
        try:
            return cls.from_dict(values, **rest)
        except (ValueError, TypeError) as error:
            if not rest:  # what the caller gave may be what is wrong
                where = f"{PREPROCESSOR_NAME} of {os.fspath(pretrained_model_name_or_path)}"
                raise FileError(f"{where}: {error}") from error
            raise

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], /, **kwargs: Any) -> Any:
        """Build one from plain values; keyword arguments override those that it has."""
        return_unused = kwargs.pop("return_unused_kwargs", False)
        through = {name: kwargs.pop(name) for name in cls.constructed if name in kwargs and name in values}
        made = cls(**{**copy.deepcopy(dict(values)), **through})
        known = {name: value for name, value in kwargs.items() if hasattr(made, name)}
        for name, value in known.items():
            setattr(made, name, value)
        unused = {name: value for name, value in kwargs.items() if name not in known}
        return (made, unused) if return_unused else made

    @classmethod
    def from_json_file(cls, json_file: str | os.PathLike[str]) -> Self:
        """Build one from one JSON file."""
        return cls(**load_json_object(Path(json_file)))

    # ---- to disk --------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """All options as plain Python, and the class's name."""
        values = {name: value for name, value in vars(self).items() if name not in self.computed}
        return {**copy.deepcopy(values), self.type_key: type(self).__name__}

    def to_json_string(self) -> str:
        """The text of the file: two-space indents, sorted keys, one newline at the end."""
        values = self.to_dict()
        processor_class = values.pop("_processor_class", None)
        if processor_class is not None:
            values["processor_class"] = processor_class
        return json.dumps(values, indent=2, sort_keys=True, default=plain_value) + "\n"

    def to_json_file(self, json_file_path: str | os.PathLike[str]) -> None:
        """Write one JSON file, whole or not at all."""
        path = Path(json_file_path)
        with SaveTransaction(path.parent) as stage:
            stage.write_text(path.name, self.to_json_string())

    def save_pretrained(
        self, save_directory: str | os.PathLike[str], push_to_hub: bool = False, **kwargs: Any
    ) -> list[str]:
        """Write `preprocessor_config.json` into a directory, which is made if it is not there; its path, in a list.

        Args:
            save_directory: The directory.
            push_to_hub: Whether to push it to the Hub then.
            kwargs: For that, the arguments of `push_to_hub`; `repo_id` is the directory's name by default.

        Raises:
            FileError: The directory cannot be made or written, or the Hub refuses.
            InputError: An argument that cannot be.
        """
        with self.pushing(save_directory, push_to_hub, kwargs), SaveTransaction(Path(save_directory)) as stage:
            stage.write_text(PREPROCESSOR_NAME, self.to_json_string())
        return [os.path.join(save_directory, PREPROCESSOR_NAME)]

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.to_json_string()}"

    def _set_processor_class(self, processor_class: str) -> None:
        """Note the class of the processor that this is a part of: 4.x' own processors call it."""
        self._processor_class = processor_class


def read_values(
    name_or_path: str | os.PathLike[str], arguments: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The raw values of a `preprocessor_config.json`, and the keyword arguments that did not say where to find it.

    Args:
        name_or_path: A directory, such a file, or a name on the Hub.
        arguments: The caller's keyword arguments.

    Raises:
        FileError: There is none, or it is not a JSON object.
    """
    options, rest = HubOptions.take_from(arguments)
    path = Path(name_or_path)
    if not path.is_file():
        path = Repository(name_or_path, options).file(PREPROCESSOR_NAME)
    return load_json_object(path), rest
