"""AutoProcessor: the processor class that a checkpoint's files name, or its only preprocessor."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar

from ..cards import all_cards, resolve_class
from ..configuration import CONFIG_NAME, PretrainedConfig
from ..files.errors import FileError, three_beats
from ..files.strict_json import load_json_object
from ..hub.find import Repository
from ..processing.base import PREPROCESSOR_NAME
from ..processing.processor import PROCESSOR_NAME, TOKENIZER_CONFIG
from .configuration import AutoConfig
from .processing import AutoFeatureExtractor, AutoImageProcessor
from .registered import card_for, load_found, not_constructible, refuse_taken, without_remote_code
from .tokenization import AutoTokenizer


class AutoProcessor:
    """Finds what makes a model's inputs: its processor; where it has none, its tokenizer or its preprocessor."""

    #: Configuration class -> a user's class.
    registered: ClassVar[dict[type[PretrainedConfig], Any]] = {}

    def __init__(self) -> None:
        raise not_constructible(type(self).__name__, "from_pretrained(name_or_directory)")

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any) -> Any:
        """Load with the class that the checkpoint's files name.

        That is `processor_class` in processor_config.json, preprocessor_config.json or tokenizer_config.json; else the
        processor that goes with config.json's `model_type`; else the one preprocessor that preprocessor_config.json
        names, or the tokenizer.

        Args:
            pretrained_model_name_or_path: A directory, or a name on the Hub.
            kwargs: `config` (a configuration to use instead of config.json); all that the class's `from_pretrained`
                takes.

        Raises:
            FileError: A file is missing or damaged, or no file names a known class.
            InputError: Code of the repository is asked for.
        """
        arguments = without_remote_code(kwargs)
        config = arguments.pop("config", None)
        return load_found(partial(cls._class_in, config=config), pretrained_model_name_or_path, (), arguments)

    @classmethod
    def _class_in(cls, repository: Repository, config: Any) -> Any:
        files = {
            name: load_json_object(path)
            for name in (PROCESSOR_NAME, PREPROCESSOR_NAME, TOKENIZER_CONFIG, CONFIG_NAME)
            if (path := repository.file(name, required=False)) is not None
        }
        known = dict(cls._known())
        for name in (PROCESSOR_NAME, PREPROCESSOR_NAME, TOKENIZER_CONFIG):
            if (named := files.get(name, {}).get("processor_class")) in known:
                return resolve_class(named) if isinstance(known[named], str) else known[named]
        if config is None and "model_type" in files.get(CONFIG_NAME, {}):
            config = AutoConfig.from_pretrained(repository.name, cache_dir=repository.options.cache_dir)
        if config is not None and (own := cls._of_config(type(config))) is not None:
            return own
        if {"feature_extractor_type", "image_processor_type"} & files.get(PREPROCESSOR_NAME, {}).keys():
            is_sound = "feature_extractor_type" in files[PREPROCESSOR_NAME]
            return AutoFeatureExtractor if is_sound else AutoImageProcessor
        if TOKENIZER_CONFIG in files or config is not None:
            return AutoTokenizer
        expected = f"processor_class in {PREPROCESSOR_NAME} or {TOKENIZER_CONFIG}, or model_type in {CONFIG_NAME}"
        found = f"no file of {repository.name} names a class for AutoProcessor"
        raise FileError(three_beats(found, expected, "Load with the architecture's own class."))

    @classmethod
    def _known(cls) -> Iterator[tuple[str, Any]]:
        """Every processor class by name; the library's are their names until they are asked for."""
        for card in all_cards().values():
            yield from ((name, name) for name in card.processors)
        yield from ((each.__name__, each) for each in cls.registered.values())

    @classmethod
    def _of_config(cls, config_class: type[PretrainedConfig]) -> Any:
        card = card_for(config_class)
        names = card.processors if card is not None else ()
        return cls.registered.get(config_class) or (resolve_class(names[0]) if names else None)

    @staticmethod
    def register(config_class: type[PretrainedConfig], processor_class: Any, exist_ok: bool = False) -> None:
        """Make a processor class of your own known for a configuration class.

        Args:
            config_class: The configuration class.
            processor_class: The processor class.
            exist_ok: Whether it may take the place of the library's.

        Raises:
            InputError: The library has one for this configuration.
        """
        card = card_for(config_class)
        if card is not None and card.config == config_class.__name__ and card.processors and not exist_ok:
            raise refuse_taken(f"{config_class.__name__} in AutoProcessor", card.processors[0])
        AutoProcessor.registered[config_class] = processor_class
