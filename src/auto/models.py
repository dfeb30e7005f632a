"""The Auto classes of models. Each is made from its line in `tasks.py` when it is first asked for."""

from __future__ import annotations

import copy
import os
from typing import Any, ClassVar

from ..backends.base import check_config
from ..backends.options import RENAMED, LoadOptions
from ..cards import all_cards, resolve_class
from ..configuration import CONFIG_NAME, PretrainedConfig, dtype_name
from ..files.errors import ConfigurationError, InputError, three_beats
from ..hub.find import Repository
from .configuration import AutoConfig
from .registered import MODELS, card_for, not_constructible, refuse_taken, without_remote_code
from .tasks import AUTO_MODELS, AutoModelName, auto_names, class_name


class AutoModelClass:
    """What all Auto classes of models do: choose the class that a configuration needs, and hand over to it."""

    wanted: ClassVar[AutoModelName]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        ways = ("from_pretrained(name_or_directory)", "from_config(config)")
        raise not_constructible(type(self).__name__, *ways)

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | os.PathLike[str], *model_args: Any, **kwargs: Any
    ) -> Any:
        """Load a checkpoint with the class that its `config.json` needs.

        Args:
            pretrained_model_name_or_path: A directory that holds `config.json` and the tensors, or a Hub name.
            model_args: Further positional arguments for the class's `from_pretrained`.
            kwargs: All that the class's `from_pretrained` takes: `config`, `dtype`, `revision`, `token`, ..., fields
                of the configuration to set differently, keyword arguments of the constructor.

        Raises:
            FileError: There is no such checkpoint, it is damaged, or its `config.json` has no `model_type`.
            ConfigurationError: The model type is not known, or has no class for this task.
            CheckpointError: The tensors do not fit the model.
            InputError: An argument that makes no sense; code of the repository is asked for.
            MissingDependencyError: The framework is not installed.
        """
        arguments = without_remote_code(kwargs)
        options = LoadOptions.take_from(arguments)
        repository = Repository(pretrained_model_name_or_path, options.hub)
        with repository.reading():  # so that no save comes between the configuration and the tensors
            config, rest = _configuration(repository, options)
            loading = {name: value for name, value in arguments.items() if name not in options.rest}
            if repository.commit is not None:
                loading["revision"] = repository.commit
            return cls.class_for(config).from_pretrained(
                pretrained_model_name_or_path, *model_args, **{**loading, **rest, "config": config}
            )

    @classmethod
    def from_config(cls, config: PretrainedConfig, **kwargs: Any) -> Any:
        """Make the model that a configuration describes, with fresh values.

        Args:
            config: What the model is.
            kwargs: Keyword arguments of the class's constructor, such as `seed`; `dtype` and `attn_implementation` in
                every framework.

        Raises:
            ConfigurationError: The configuration cannot describe a model, or has no class for this task.
            InputError: It is no configuration; code of a repository is asked for.
            MissingDependencyError: The framework is not installed.
        """
        model_class = cls.class_for(config)
        arguments = {RENAMED.get(name, name): value for name, value in without_remote_code(kwargs).items()}
        if "attn_implementation" in arguments:
            config = copy.deepcopy(config)
            config._attn_implementation = arguments.pop("attn_implementation")
        dtype = arguments.pop("dtype", None)
        if dtype is None:
            return model_class(config, **arguments)
        if cls.wanted.backend != "torch":
            return model_class(config, dtype=dtype, **arguments)
        return _in_dtype(model_class(config, **arguments), dtype)

    @classmethod
    def register(cls, config_class: type[PretrainedConfig], model_class: Any, exist_ok: bool = False) -> None:
        """Make a model class of your own known for a configuration class.

        Args:
            config_class: The configuration class.
            model_class: The model class, whose `config_class` it is.
            exist_ok: Whether it may take the place of one of the library's.

        Raises:
            InputError: The model class has another configuration, or the library has a class for this one.
        """
        own = getattr(model_class, "config_class", None)
        if own is not config_class:
            found = f"{model_class.__name__}.config_class is {getattr(own, '__name__', own)}"
            expected = f"{config_class.__name__}, for which it is registered"
            raise InputError(three_beats(found, expected, "Set config_class in the model class."))
        card = card_for(config_class)
        taken = card and card.config == config_class.__name__ and class_name(card, cls.wanted)
        if taken and not exist_ok:
            raise refuse_taken(f"{config_class.__name__} in {cls.__name__}", taken)
        MODELS[cls.__name__, config_class] = model_class

    @classmethod
    def class_for(cls, config: PretrainedConfig) -> Any:
        """The model class that a configuration needs.

        Raises:
            ConfigurationError: Its architecture has none for this task.
            InputError: It is no configuration.
            MissingDependencyError: The framework is not installed.
        """
        check_config(config, cls.__name__)
        registered = MODELS.get((cls.__name__, type(config)))
        if registered is not None:
            return registered
        card = card_for(type(config))
        name = class_name(card, cls.wanted) if card is not None else None
        if name is None:
            raise cls._has_none(config)
        return resolve_class(name)

    @classmethod
    def _has_none(cls, config: PretrainedConfig) -> ConfigurationError:
        """The error for a configuration without a class for this task."""
        given, card = type(config), card_for(type(config))
        found = f"{given.__name__} (model type {config.model_type!r}) has no class for {cls.__name__}"
        having = [each.config for each in all_cards().values() if class_name(each, cls.wanted)]
        having += [each.__name__ for name, each in MODELS if name == cls.__name__]
        some = ", ".join(having[:5]) + (", ..." if len(having) > 5 else "")
        expected = f"one of {some}" if having else "an architecture with this task, and this version has none"
        others = list(auto_names(card, cls.wanted.backend))[:3] if card is not None else []
        instead = f"Use {' or '.join(others)}, or register" if others else "Register"
        remedy = f"{instead} a class of your own: {cls.__name__}.register({given.__name__}, YourModel)."
        return ConfigurationError(three_beats(found, expected, remedy))


def _configuration(repository: Repository, options: LoadOptions) -> tuple[PretrainedConfig, dict[str, Any]]:
    """The configuration to load with, and the keyword arguments that it does not know."""
    if isinstance(options.config, PretrainedConfig):
        return options.config, options.rest
    source = options.config if options.config is not None else repository.file(CONFIG_NAME)
    return AutoConfig.from_pretrained(source, return_unused_kwargs=True, **options.rest)


def _in_dtype(model: Any, dtype: Any) -> Any:
    """A PyTorch model in a type; the other frameworks' constructors are told it."""
    import torch

    return model.to(getattr(torch, dtype_name(dtype) or "float32"))


def __getattr__(name: str) -> type[AutoModelClass]:
    if name not in AUTO_MODELS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    wanted = AUTO_MODELS[name]
    made = type(name, (AutoModelClass,), {"__doc__": _docstring(wanted), "__module__": __name__, "wanted": wanted})
    return globals().setdefault(name, made)


def __dir__() -> list[str]:
    return sorted({*globals(), *AUTO_MODELS})


def _docstring(wanted: AutoModelName) -> str:
    """What help() says of an Auto class."""
    lines = [
        f"The {wanted.backend} model that a checkpoint's configuration needs, for the task {wanted.tasks[0]!r}.",
        "",
        "Has no instances: use `from_pretrained` or `from_config`, which answer with a model of the architecture's own",
        "class; `register` makes a class of your own known.",
    ]
    names = (class_name(card, wanted) for card in all_cards().values())
    known = [f"    {name}" for name in names if name is not None]
    return "\n".join([*lines, "", "The classes of this version:", *known] if known else lines) + "\n"
