"""AutoConfig: the configuration of any architecture."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..cards import all_cards
from ..configuration import PretrainedConfig, errors_of
from ..fields import short
from ..files.errors import FileError, InputError, three_beats
from .registered import CONFIGS, config_class_of, not_constructible, refuse_taken, without_remote_code


class AutoConfig:
    """The configuration class that a checkpoint's `model_type` names."""

    def __init__(self) -> None:
        raise not_constructible("AutoConfig", "from_pretrained(name_or_directory)", "for_model(model_type)")

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any) -> Any:
        """Read a configuration from a directory, a `config.json`, or a name on the Hub.

        Args:
            pretrained_model_name_or_path: Where it is.
            kwargs: `cache_dir`, `force_download`, `local_files_only`, `token`, `revision`, `subfolder`, `verify`;
                fields to set differently; with `return_unused_kwargs=True` the answer is the pair (configuration, the
                keyword arguments that it does not know).

        Raises:
            FileError: There is no such file, it is not a JSON object, or it has no `model_type`.
            ConfigurationError: The model type is not known, or a value cannot describe a model.
            InputError: Code of the repository is asked for.
        """
        arguments = without_remote_code(kwargs)
        values, rest = PretrainedConfig.get_config_dict(pretrained_model_name_or_path, **arguments)
        model_type = model_type_in(values, os.fspath(pretrained_model_name_or_path))
        where = os.fspath(pretrained_model_name_or_path)
        config_class = config_class_of(model_type, where)
        with errors_of(where):
            return config_class.from_dict(values, **rest)

    @classmethod
    def for_model(cls, model_type: str, *args: Any, **kwargs: Any) -> Any:
        """A configuration of a model type, made from its class's own arguments.

        Raises:
            ConfigurationError: The model type is not known, or a value cannot describe a model.
        """
        return config_class_of(model_type)(*args, **kwargs)

    @staticmethod
    def register(model_type: str, config: type[PretrainedConfig], exist_ok: bool = False) -> None:
        """Make a configuration class of your own known by its model type.

        Args:
            model_type: What `config.json` says; the class's `model_type`.
            config: The class.
            exist_ok: Whether it may take the place of one of the library's.

        Raises:
            InputError: The class has another model type, or the library has this one.
        """
        if not (isinstance(config, type) and issubclass(config, PretrainedConfig)):
            found = f"AutoConfig.register was given {config!r}"
            raise InputError(three_beats(found, "a class that inherits from PretrainedConfig", "Pass the class."))
        if config.model_type != model_type:
            found = f"{config.__name__}.model_type is {config.model_type!r}, registered as {model_type!r}"
            raise InputError(three_beats(found, "the two to be the same", "Correct one of them."))
        card = all_cards().get(model_type)
        if card is not None and card.config and not exist_ok:
            raise refuse_taken(f"the model type {model_type!r}", card.config)
        CONFIGS[model_type] = config


def model_type_in(values: Mapping[str, Any], where: str) -> str:
    """The model type that a `config.json` names.

    Raises:
        FileError: It names none.
    """
    model_type = values.get("model_type")
    if isinstance(model_type, str) and model_type:
        return model_type
    raise FileError(
        three_beats(
            f"the config.json of {where} has " + (f"model_type {short(model_type)}" if model_type else "no model_type"),
            "the name of an architecture there",
            "Add it, or load with the architecture's own class.",
        )
    )
