"""ProcessorMixin: several preprocessors of a model under one roof, saved and loaded together."""

from __future__ import annotations

import copy
import inspect
import json
import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from ..cards import resolve_class
from ..configuration import plain_value
from ..files.errors import FileError, InputError, three_beats
from ..files.strict_json import load_json_object
from ..files.transaction import SaveTransaction
from ..hub.find import HubOptions, Repository
from ..hub.push import PushToHub

logger = logging.getLogger(__name__)

#: The file of what a processor has beside its parts; most have nothing and no such file.
PROCESSOR_NAME = "processor_config.json"
TOKENIZER_CONFIG = "tokenizer_config.json"


class ProcessorMixin(PushToHub):
    """The base of processors: parts, each with a class that the processor's says.

    `attributes` names the parts; `<part>_class` the class of each, `AutoTokenizer` for the one that the checkpoint's
    files name.

    Args:
        args: The parts, in order.
        kwargs: Parts by name.

    Raises:
        InputError: A part is absent, or there are too many.
    """

    attributes: ClassVar[tuple[str, ...]] = ("feature_extractor", "tokenizer")
    feature_extractor_class: ClassVar[str] = ""
    image_processor_class: ClassVar[str] = ""
    tokenizer_class: ClassVar[str] = "AutoTokenizer"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if len(args) > len(self.attributes):
            found = f"{type(self).__name__} got {len(args)} parts"
            raise InputError(three_beats(found, ", ".join(self.attributes), "Give each once."))
        parts = {**dict(zip(self.attributes, args, strict=False)), **kwargs}
        for name in self.attributes:
            if parts.get(name) is None:
                found = f"{type(self).__name__} without a {name}"
                raise InputError(three_beats(found, ", ".join(self.attributes), f"Give {name}=..."))
        if unknown := sorted(parts.keys() - set(self.attributes)):
            found = f"{type(self).__name__} got {unknown[0]!r}"
            raise InputError(three_beats(found, ", ".join(self.attributes), "Leave it out."))
        for name in self.attributes:
            setattr(self, name, parts[name])

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
        """Load every part from a directory, or a name on the Hub.

        Args:
            kwargs: `subfolder`, `verify`, and what the parts' `from_pretrained` take.

        Raises:
            FileError: There is no such directory or name, or a file is missing or damaged.
        """
        hub = {
            "cache_dir": cache_dir, "force_download": force_download, "local_files_only": local_files_only,
            "token": token, "revision": revision,
        }  # fmt: skip
        options, _ = HubOptions.take_from({**hub, **kwargs})
        repository = Repository(pretrained_model_name_or_path, options)
        with repository.reading():  # so that no save comes between the files
            parts = [
                part_class(cls, name, repository).from_pretrained(pretrained_model_name_or_path, **hub, **kwargs)
                for name in cls.attributes
            ]
        return cls(*parts)

    @classmethod
    def get_processor_dict(
        cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a processor has beside its parts, and the keyword arguments that did not say where to find it."""
        options, rest = HubOptions.take_from(kwargs)
        path = Repository(pretrained_model_name_or_path, options).file(PROCESSOR_NAME, required=False)
        return ({} if path is None else load_json_object(path)), rest

    @classmethod
    def from_args_and_dict(cls, args: Iterable[Any], processor_dict: Mapping[str, Any], **kwargs: Any) -> Any:
        """Build one from its parts, and set what it has beside them."""
        processor = cls(*args)
        for name, value in {**processor_dict, **kwargs}.items():
            if name not in ("processor_class", "auto_map"):
                setattr(processor, name, copy.deepcopy(value))
        return processor

    # ---- to disk --------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """What the processor has beside its parts, and its class's name."""
        kept = {
            name: copy.deepcopy(value)
            for name, value in vars(self).items()
            if name not in self.attributes and not name.startswith("_") and name != "current_processor"
        }
        return {**kept, "processor_class": type(self).__name__}

    def to_json_string(self) -> str:
        """That as JSON: two-space indents, sorted keys, one newline at the end."""
        return json.dumps(self.to_dict(), indent=2, sort_keys=True, default=plain_value) + "\n"

    def to_json_file(self, json_file_path: str | os.PathLike[str]) -> None:
        """Write one JSON file, whole or not at all."""
        path = Path(json_file_path)
        with SaveTransaction(path.parent) as stage:
            stage.write_text(path.name, self.to_json_string())

    def save_pretrained(self, save_directory: str | os.PathLike[str], push_to_hub: bool = False, **kwargs: Any) -> None:
        """Write every part into a directory, which is made if it is not there.

        Args:
            save_directory: The directory.
            push_to_hub: Whether to push it to the Hub then.
            kwargs: For that, the arguments of `push_to_hub`; `repo_id` is the directory's name by default.

        Raises:
            FileError: The directory cannot be made or written, or the Hub refuses.
        """
        with self.pushing(save_directory, push_to_hub, kwargs):
            for name in self.attributes:
                part = getattr(self, name)
                part._processor_class = type(self).__name__
                part.save_pretrained(save_directory)
            if self.to_dict().keys() != {"processor_class"}:
                self.to_json_file(Path(save_directory) / PROCESSOR_NAME)

    def __repr__(self) -> str:
        parts = "\n".join(f"- {name}: {getattr(self, name)!r}" for name in self.attributes)
        return f"{type(self).__name__}:\n{parts}\n\n{self.to_json_string()}"

    # ---- facts ----------------------------------------------------------------------------------------------

    @property
    def model_input_names(self) -> list[str]:
        """The inputs of the first part."""
        return getattr(self, self.attributes[0]).model_input_names

    def same_parts(self, other: Self) -> bool:
        """Whether another processor is of the same class and has parts of the same classes."""
        mine, others = ([type(getattr(each, name)) for name in each.attributes] for each in (self, other))
        return type(self) is type(other) and mine == others


def part_class(cls: type[ProcessorMixin], name: str, repository: Repository) -> Any:
    """The class of a processor's part.

    Raises:
        FileError: The checkpoint's files are to name it, and do not.
    """
    named = getattr(cls, f"{name}_class")
    if named != "AutoTokenizer":
        return resolve_class(named)
    path = repository.file(TOKENIZER_CONFIG, required=False)
    found = None if path is None else load_json_object(path).get("tokenizer_class")
    if not isinstance(found, str):
        what = f"{repository.name} names no tokenizer_class in {TOKENIZER_CONFIG}"
        raise FileError(three_beats(what, "the class of the tokenizer", "Load the parts one by one."))
    return resolve_class(found)


def options_of(call: Any, given: Mapping[str, Any], own: str) -> dict[str, Any]:
    """Those of a processor's keyword arguments that a part's call takes; those in `own` are meant for it alone."""
    names = {
        parameter.name
        for parameter in inspect.signature(call).parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
    shared = {**given, **given.get("common_kwargs", {})}
    return {**{name: value for name, value in shared.items() if name in names}, **given.get(own, {})}


def warn_of_unknown(given: Mapping[str, Any], calls: Iterable[Any]) -> None:
    """Say which keyword arguments none of a processor's parts takes."""
    known = {"common_kwargs", "text_kwargs", "audio_kwargs", "images_kwargs", "videos_kwargs"}
    for call in calls:
        known |= set(inspect.signature(call).parameters)
    for name in sorted(given.keys() - known):
        logger.warning("the argument %r is none of this processor's, and is not read.", name)
