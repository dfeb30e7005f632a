"""What users have registered, and what the three kinds of Auto classes say alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ..cards import Card, all_cards, resolve_class
from ..configuration import PretrainedConfig
from ..fields import short
from ..files.errors import ConfigurationError, InputError, closest, three_beats
from ..hub.find import HubOptions, Repository
from ..hub.options import DECIDED, without_decided


class TokenizerPair(NamedTuple):
    """An architecture's tokenizer classes; either may be absent."""

    slow: Any = None
    fast: Any = None


#: Model type -> a user's configuration class.
CONFIGS: dict[str, type[PretrainedConfig]] = {}
#: Configuration class -> a user's tokenizer classes.
TOKENIZERS: dict[type[PretrainedConfig], TokenizerPair] = {}
#: (Auto class, configuration class) -> a user's model class.
MODELS: dict[tuple[str, type[PretrainedConfig]], Any] = {}

#: Arguments about a repository's own code, which a call that asks no Hub takes too.
REMOTE_CODE = {name: DECIDED[name] for name in ("trust_remote_code", "code_revision")}


class NotConstructibleError(InputError, OSError):
    """A call of an Auto class; an `OSError` too, as in the ecosystem."""


def not_constructible(name: str, *ways: str) -> NotConstructibleError:
    """The error of a call of an Auto class, which has no instances."""
    calls = " or ".join(f"{name}.{way}" for way in ways)
    return NotConstructibleError(three_beats(f"{name} was called", "a call of one of its methods", f"Use {calls}."))


def without_remote_code(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments without those that are about a repository's own code.

    Raises:
        InputError: They ask for that code to be run.
    """
    return without_decided(arguments, REMOTE_CODE)


def load_found(
    find: Callable[[Repository], Any],
    name_or_path: str | os.PathLike[str],
    inputs: Sequence[Any],
    arguments: Mapping[str, Any],
) -> Any:
    """What the class that a checkpoint's files name loads from them; all of one commit, and no save in between.

    Args:
        find: (the checkpoint) -> the class.
        name_or_path: A directory, or a name on the Hub.
        inputs: Leading arguments of the class's `from_pretrained`.
        arguments: Those by name.
    """
    options, _ = HubOptions.take_from(arguments)
    # the class verifies, once, all that is read here too
    repository = Repository(name_or_path, replace(options, verify=False))
    with repository.reading():
        found = find(repository)
        pinned = {} if repository.commit is None else {"revision": repository.commit}
        return found.from_pretrained(name_or_path, *inputs, **{**arguments, **pinned})


def config_class_of(model_type: str, where: str = "") -> type[PretrainedConfig]:
    """The configuration class of a model type.

    Args:
        model_type: A key of a card, or one that a user has registered.
        where: The file that names it, for the error.

    Raises:
        ConfigurationError: No architecture has this model type, or none has a configuration yet.
    """
    if model_type in CONFIGS:
        return CONFIGS[model_type]
    card = all_cards().get(model_type)
    if card is None or not card.config:
        known = sorted({*CONFIGS, *(name for name, each in all_cards().items() if each.config)})
        raise ConfigurationError(
            three_beats(
                f"{where + ': ' if where else ''}the model type {short(model_type)} is not known",
                f"one of this version's, such as {', '.join((closest(model_type, known) or known)[:3])}",
                "Correct it, use a version of triformers that has it, or make it known with AutoConfig.register.",
            )
        )
    return resolve_class(card.config)


def card_for(config_class: type[PretrainedConfig]) -> Card | None:
    """The card of the architecture that a configuration class, or a class it inherits from, belongs to."""
    card = all_cards().get(config_class.model_type)
    if card is None or not card.config:
        return None
    return card if issubclass(config_class, resolve_class(card.config)) else None


def refuse_taken(what: str, taken_by: str) -> InputError:
    """The error of registering what the library has already."""
    remedy = "Choose another, or pass exist_ok=True to put yours in its place."
    return InputError(three_beats(f"{what} is taken by {taken_by}", "one that is free", remedy))
