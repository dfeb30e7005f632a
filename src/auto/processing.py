"""AutoImageProcessor and AutoFeatureExtractor: what makes a model's inputs of images and sounds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from ..cards import Card, all_cards, resolve_class
from ..configuration import CONFIG_NAME, PretrainedConfig
from ..fields import short
from ..files.errors import ConfigurationError, FileError, closest, three_beats
from ..files.strict_json import load_json_object
from ..hub.find import Repository
from ..processing.base import PREPROCESSOR_NAME
from .configuration import AutoConfig
from .registered import card_for, load_found, not_constructible, refuse_taken, without_remote_code


class AutoPreprocessor:
    """What both do: find the class that a checkpoint's files name, and hand over to it.

    That is the class under `key` in preprocessor_config.json; else the one of the same architecture under the other's
    key, whose name differs in its ending alone; else the class that goes with config.json's `model_type`.
    """

    #: The key of the class's name, and the ending of such names.
    key: ClassVar[str]
    ending: ClassVar[str]
    other_key: ClassVar[str]
    other_ending: ClassVar[str]
    #: Configuration class -> a user's class.
    registered: ClassVar[dict[type[PretrainedConfig], Any]]

    def __init__(self) -> None:
        raise not_constructible(type(self).__name__, "from_pretrained(name_or_directory)")

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike[str], *inputs: Any, **kwargs: Any) -> Any:
        """Load with the class that the checkpoint's files name.

        Args:
            pretrained_model_name_or_path: A directory, a `preprocessor_config.json`, or a name on the Hub.
            inputs: Leading arguments for the class's `from_pretrained`.
            kwargs: `config` (a configuration to use instead of config.json), `use_fast` (there is one kind here); all
                that the class's `from_pretrained` takes.

        Raises:
            FileError: A file is missing or damaged, or no file names a known class.
            ConfigurationError: The model type is not known, or has no such class.
            InputError: An argument that cannot be right; code of the repository is asked for.
        """
        arguments = without_remote_code(kwargs)
        config = arguments.pop("config", None)
        arguments.pop("use_fast", None)
        path = Path(pretrained_model_name_or_path)
        if path.is_file():
            found = cls._named_in(load_json_object(path), path) or cls._of_config(config, path)
            return found.from_pretrained(path, *inputs, **arguments)
        return load_found(partial(cls._class_in, config=config), pretrained_model_name_or_path, inputs, arguments)

    @classmethod
    def _class_in(cls, repository: Repository, config: Any) -> Any:
        """The class that the files of a checkpoint name."""
        path = repository.file(PREPROCESSOR_NAME, required=False)
        named = None if path is None else cls._named_in(load_json_object(path), path)
        if named is None and config is None and (file := repository.file(CONFIG_NAME, required=False)) is not None:
            config = AutoConfig.from_pretrained(file) if "model_type" in load_json_object(file) else None
        return named or cls._of_config(config, repository.name)

    @classmethod
    def _named_in(cls, values: Mapping[str, Any], path: Path) -> Any:
        """The class that a file names; None if it names none of this kind."""
        name = values.get(cls.key)
        if name is None and isinstance(values.get(cls.other_key), str):
            name = values[cls.other_key].removesuffix("Fast")
            name = name.removesuffix(cls.other_ending) + cls.ending if name.endswith(cls.other_ending) else None
            if name not in cls.known():
                return None
        if name is None:
            return None
        found = cls.known().get(str(name).removesuffix("Fast"))
        if found is None:
            near = closest(str(name), cls.known()) or sorted(cls.known())
            expected = f"one of this version's, such as {', '.join(near[:3])}"
            remedy = f"Use a version of triformers that has it, or make it known with {cls.__name__}.register."
            raise FileError(three_beats(f"{path}: there is no {short(name)}", expected, remedy))
        return resolve_class(found) if isinstance(found, str) else found

    @classmethod
    def _of_config(cls, config: Any, where: object) -> Any:
        """The class that goes with a configuration."""
        if config is None:
            expected = f"{cls.key} in {PREPROCESSOR_NAME}, or model_type in {CONFIG_NAME}"
            remedy = "Load with the architecture's own class."
            raise FileError(three_beats(f"no file of {where} names a class for {cls.__name__}", expected, remedy))
        config_class = type(config)
        card = card_for(config_class)
        names = cls.names_of(card) if card is not None else ()
        found = cls.registered.get(config_class) or next(iter(names), None)
        if found is None:
            given = f"{config_class.__name__} (model type {config_class.model_type!r}) has no class for {cls.__name__}"
            remedy = f"Make one known: {cls.__name__}.register({config_class.__name__}, YourClass)."
            raise ConfigurationError(three_beats(given, "an architecture that has one", remedy))
        return resolve_class(found) if isinstance(found, str) else found

    @classmethod
    def names_of(cls, card: Card) -> tuple[str, ...]:
        """An architecture's classes of this kind."""
        every = (*card.image_processors, *card.feature_extractors)
        return tuple(name for name in every if name.endswith(cls.ending))

    @classmethod
    def known(cls) -> dict[str, Any]:
        """Every class of this kind by name; the library's are their names until they are asked for."""
        listed: dict[str, Any] = {name: name for card in all_cards().values() for name in cls.names_of(card)}
        return {**listed, **{each.__name__: each for each in cls.registered.values()}}

    @classmethod
    def note(cls, config_class: type[PretrainedConfig], own: Any, exist_ok: bool) -> None:
        """Register a class for a configuration.

        Raises:
            InputError: The library has one for it.
        """
        card = card_for(config_class)
        names = cls.names_of(card) if card is not None and card.config == config_class.__name__ else ()
        if names and not exist_ok:
            raise refuse_taken(f"{config_class.__name__} in {cls.__name__}", names[0])
        cls.registered[config_class] = own


class AutoImageProcessor(AutoPreprocessor):
    """The image processor class that a checkpoint's files name."""

    key, ending = "image_processor_type", "ImageProcessor"
    other_key, other_ending = "feature_extractor_type", "FeatureExtractor"
    registered: ClassVar[dict[type[PretrainedConfig], Any]] = {}

    @staticmethod
    def register(
        config_class: type[PretrainedConfig],
        image_processor_class: Any = None,
        slow_image_processor_class: Any = None,
        fast_image_processor_class: Any = None,
        exist_ok: bool = False,
    ) -> None:
        """Make an image processor class of your own known for a configuration class.

        Args:
            config_class: The configuration class.
            image_processor_class: The image processor class.
            slow_image_processor_class: The same under another name.
            fast_image_processor_class: What is taken where neither is given.
            exist_ok: Whether it may take the place of the library's.

        Raises:
            InputError: The library has one for this configuration.
        """
        own = image_processor_class or slow_image_processor_class or fast_image_processor_class
        AutoImageProcessor.note(config_class, own, exist_ok)


class AutoFeatureExtractor(AutoPreprocessor):
    """The feature extractor class that a checkpoint's files name."""

    key, ending = "feature_extractor_type", "FeatureExtractor"
    other_key, other_ending = "image_processor_type", "ImageProcessor"
    registered: ClassVar[dict[type[PretrainedConfig], Any]] = {}

    @staticmethod
    def register(config_class: type[PretrainedConfig], feature_extractor_class: Any, exist_ok: bool = False) -> None:
        """Make a feature extractor class of your own known for a configuration class.

        Args:
            config_class: The configuration class.
            feature_extractor_class: The feature extractor class.
            exist_ok: Whether it may take the place of the library's.

        Raises:
            InputError: The library has one for this configuration.
        """
        AutoFeatureExtractor.note(config_class, feature_extractor_class, exist_ok)
