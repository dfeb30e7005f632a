"""Which class of which architecture in which framework the arguments of a verb mean."""

from __future__ import annotations

from typing import Any

from ..cards import BACKENDS, Card, card_of, configuration_of, require_backend, resolve_class
from ..configuration import CONFIG_NAME, PretrainedConfig, errors_of
from ..files.errors import InputError, MissingDependencyError, UnknownNameError, closest, three_beats
from ..files.strict_json import load_json_object
from ..hub.find import Repository


def config_of(repository: Repository, model_type: str | None = None) -> PretrainedConfig:
    """The configuration of a checkpoint, of the class that its model type has.

    Args:
        repository: The checkpoint.
        model_type: The model type of a checkpoint that does not say its own.

    Raises:
        FileError: There is no `config.json`, or it is no JSON object.
        UnknownNameError: No architecture has its model type, or there are only tokenizers of it.
    """
    path = repository.file(CONFIG_NAME)
    assert path is not None  # a required file is there or an error
    values = load_json_object(path)
    card = card_of(str(values.get("model_type") or model_type or ""))
    with errors_of(repository.name):
        return configuration_of(card).from_dict(values)


def stem_of(card: Card, wanted: str | None, config: PretrainedConfig | None) -> str:
    """The name, without a framework's prefix, of the class to work with.

    Args:
        card: The architecture.
        wanted: What the user asks for, None to leave it to the checkpoint.
        config: The checkpoint's configuration, if there is one; a class that it names and the card has is
            taken, else the bare model.

    Raises:
        UnknownNameError: The architecture has no class of the wanted name.
    """
    stems = list(card.models.values())
    bare = card.models.get("base", stems[0])
    if wanted is None:
        named = (config.architectures or []) if config is not None else []
        return next((name for name in named if name in stems), bare)
    if wanted not in stems:
        near = closest(wanted, stems) or stems[:3]
        remedy = "Correct --class; the framework is chosen by --backend, not by a prefix."
        expected = f"one of its classes, such as {', '.join(near)}"
        raise UnknownNameError(three_beats(f"{card.model_type} has no model {wanted!r}", expected, remedy))
    return wanted


def model_class(stem: str, backend: str) -> Any:
    """A framework's class of this name.

    Raises:
        MissingDependencyError: The framework is not installed.
    """
    return resolve_class(BACKENDS[backend].class_prefix + stem)


def backends_of(card: Card, wanted: list[str] | None) -> list[str]:
    """The frameworks to work in: those that are wanted, or all that are installed.

    Raises:
        InputError: The architecture does not exist in one that is wanted, or it is no framework.
        MissingDependencyError: One that is wanted is not installed, or none is.
    """
    for backend in wanted or []:
        if backend not in card.backends:
            remedy = "Correct --backend or --backends."
            found = f"{card.model_type} does not exist in {backend!r}"
            raise InputError(three_beats(found, f"one of {', '.join(card.backends)}", remedy))
        require_backend(backend, wanted_by=f"{card.model_type} in {backend}")
    installed = wanted or [backend for backend in card.backends if is_installed(backend)]
    if not installed:
        names = ", ".join(card.backends)
        extra = BACKENDS[card.backends[0]].extra
        remedy = f"Run, for example: pip install 'triformers[{extra}]'."
        raise MissingDependencyError(three_beats("no framework is installed", f"one of {names}", remedy))
    return installed


def is_installed(backend: str) -> bool:
    """Whether a framework can be imported."""
    try:
        require_backend(backend, wanted_by="")
    except MissingDependencyError:
        return False
    return True
