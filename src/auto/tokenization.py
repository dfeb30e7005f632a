"""AutoTokenizer: the tokenizer of any architecture."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..cards import Card, all_cards, resolve_class
from ..configuration import CONFIG_NAME, PretrainedConfig
from ..files.errors import ConfigurationError, FileError, InputError, closest, three_beats
from ..files.strict_json import load_json_object
from ..hub.find import Repository
from ..tokenization import PreTrainedTokenizerFast
from ..tokenization.saving import CONFIG_FILE
from .registered import (
    CONFIGS,
    TOKENIZERS,
    TokenizerPair,
    card_for,
    config_class_of,
    load_found,
    not_constructible,
    refuse_taken,
    without_remote_code,
)


class AutoTokenizer:
    """The tokenizer class that a checkpoint's files name."""

    def __init__(self) -> None:
        raise not_constructible("AutoTokenizer", "from_pretrained(name_or_directory)")

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike[str], *inputs: Any, **kwargs: Any) -> Any:
        """Load a tokenizer with the class that its files name.

        That is the `tokenizer_class` of tokenizer_config.json, else that of config.json, else the class that goes
        with config.json's `model_type`.

        Args:
            pretrained_model_name_or_path: A directory, or a repository on the Hub; with `tokenizer_type`, all that
                the class takes.
            inputs: Leading arguments of the class's constructor.
            kwargs: `use_fast` (True by default; where there is one kind only, it is taken), `tokenizer_type` (a model
                type, whose tokenizer is taken whatever the files say), `config` (a configuration to use instead of
                config.json); all that the class's `from_pretrained` takes.

        Raises:
            FileError: A file is missing or damaged, or no file names a known class.
            ConfigurationError: The model type is not known, or has no tokenizer.
            InputError: An argument that cannot be right; code of the repository is asked for.
        """
        arguments = without_remote_code(kwargs)
        use_fast = arguments.pop("use_fast", True)
        tokenizer_type, config = arguments.pop("tokenizer_type", None), arguments.pop("config", None)
        if tokenizer_type is not None:
            found = _of_type(tokenizer_type, use_fast)
            return found.from_pretrained(pretrained_model_name_or_path, *inputs, **arguments)
        find = partial(_named_in, config=config, use_fast=use_fast)
        return load_found(find, pretrained_model_name_or_path, inputs, arguments)

    @staticmethod
    def register(
        config_class: type[PretrainedConfig],
        slow_tokenizer_class: Any = None,
        fast_tokenizer_class: Any = None,
        exist_ok: bool = False,
    ) -> None:
        """Make tokenizer classes of your own known for a configuration class.

        A kind that is left out stays as it was registered before.

        Args:
            config_class: The configuration class.
            slow_tokenizer_class: A class that inherits from `PreTrainedTokenizer`.
            fast_tokenizer_class: A class that inherits from `PreTrainedTokenizerFast`.
            exist_ok: Whether they may take the place of the library's.

        Raises:
            InputError: No class, or one of the other kind; or the library has tokenizers for this configuration.
        """
        _check_kinds(slow_tokenizer_class, fast_tokenizer_class)
        card = card_for(config_class)
        if card is not None and card.config == config_class.__name__ and card.tokenizers and not exist_ok:
            raise refuse_taken(f"{config_class.__name__} in AutoTokenizer", " and ".join(card.tokenizers))
        before = TOKENIZERS.get(config_class, TokenizerPair())
        TOKENIZERS[config_class] = TokenizerPair(
            slow_tokenizer_class or before.slow, fast_tokenizer_class or before.fast
        )


def _check_kinds(slow: Any, fast: Any) -> None:
    """Refuse tokenizer classes that are not of the kind that they are registered as."""
    if slow is None and fast is None:
        found, expected = "AutoTokenizer.register was given no tokenizer class", "a slow one, a fast one, or both"
    elif slow is not None and issubclass(slow, PreTrainedTokenizerFast):
        found, expected = f"{slow.__name__} as slow_tokenizer_class is a fast tokenizer", "a slow one there"
    elif fast is not None and not issubclass(fast, PreTrainedTokenizerFast):
        found, expected = f"{fast.__name__} as fast_tokenizer_class is a slow tokenizer", "a fast one there"
    elif slow is not None and fast is not None and fast.slow_tokenizer_class is not slow:
        sibling = getattr(fast.slow_tokenizer_class, "__name__", None)
        found, expected = f"{fast.__name__}.slow_tokenizer_class is {sibling}", slow.__name__
    else:
        return
    raise InputError(three_beats(found, expected, "Correct the class, or the argument that it is passed as."))


def _named_in(repository: Repository, config: PretrainedConfig | None, use_fast: bool) -> Any:
    """The tokenizer class that the files of a checkpoint name."""
    path, values = _read(repository, CONFIG_FILE)
    if name := _class_in(values, path):
        return _of_name(name, use_fast, path)
    if isinstance(config, PretrainedConfig):
        if config.tokenizer_class:
            return _of_name(config.tokenizer_class, use_fast, type(config).__name__)
        return _of_config(type(config), use_fast)
    path, values = _read(repository, CONFIG_NAME)
    if name := _class_in(values, path):
        return _of_name(name, use_fast, path)
    model_type = values.get("model_type")
    if not isinstance(model_type, str) or not model_type:
        raise FileError(
            three_beats(
                f"no file of {repository.name} says which tokenizer this is",
                f"tokenizer_class in {CONFIG_FILE}, or model_type in {CONFIG_NAME}",
                "Load with the tokenizer's own class, or pass tokenizer_type=.",
            )
        )
    return _of_type(model_type, use_fast, str(path))


def _read(repository: Repository, filename: str) -> tuple[Path | None, Mapping[str, Any]]:
    """The path and the fields of a checkpoint's file, none if it does not have it."""
    path = repository.file(filename, required=False)
    return path, {} if path is None else load_json_object(path, allow_nan=True)


def _class_in(values: Mapping[str, Any], path: Path | None) -> str | None:
    """The tokenizer class that a file names."""
    name = values.get("tokenizer_class")
    if name is not None and not isinstance(name, str):
        found = f"{path}: 'tokenizer_class' is a {type(name).__name__}"
        raise FileError(three_beats(found, "a string or null", "Correct the file, or save it again."))
    return name or None


def _of_name(name: str, use_fast: bool, where: object) -> Any:
    """The class of this name, or its sibling of the other kind, as `use_fast` says and as there are."""
    known = _known()
    stem = name.removesuffix("Fast")
    kinds = (f"{stem}Fast", stem) if use_fast else (stem, f"{stem}Fast")
    found = next((known[kind] for kind in kinds if kind in known), None)
    if found is None:
        near = closest(name, known) or sorted(known)
        raise FileError(
            three_beats(
                f"{where}: there is no tokenizer class {name!r}",
                f"one of this version's, such as {', '.join(near[:3])}",
                "Use a version of triformers that has it, or make it known with AutoTokenizer.register.",
            )
        )
    return resolve_class(found) if isinstance(found, str) else found


def _known() -> dict[str, Any]:
    """Every tokenizer class by name; the library's are their names until they are asked for."""
    listed: dict[str, Any] = {name: name for card in all_cards().values() for name in card.tokenizers}
    own = {kind.__name__: kind for pair in TOKENIZERS.values() for kind in pair if kind is not None}
    return {"PreTrainedTokenizerFast": PreTrainedTokenizerFast, **listed, **own}


def _of_type(model_type: str, use_fast: bool, where: str = "") -> Any:
    """The tokenizer class that goes with a model type, which may have no configuration class yet."""
    card, own = all_cards().get(model_type), CONFIGS.get(model_type)
    if card is None or card.config:
        return _of_config(config_class_of(model_type, where), use_fast)
    return _chosen((TOKENIZERS.get(own) if own is not None else None) or _of_card(card), use_fast)


def _of_config(config_class: type[PretrainedConfig], use_fast: bool) -> Any:
    """The tokenizer class that goes with a configuration class."""
    found = _chosen(TOKENIZERS.get(config_class) or _of_card(card_for(config_class)), use_fast)
    if found is None:
        raise ConfigurationError(
            three_beats(
                f"{config_class.__name__} (model type {config_class.model_type!r}) has no tokenizer",
                "an architecture that has one",
                f"Make one known: AutoTokenizer.register({config_class.__name__}, YourTokenizer).",
            )
        )
    return found


def _chosen(pair: TokenizerPair, use_fast: bool) -> Any:
    """The class of the kind that is wanted, or of the one that there is; None if there is none."""
    found = (pair.fast or pair.slow) if use_fast else (pair.slow or pair.fast)
    return resolve_class(found) if isinstance(found, str) else found


def _of_card(card: Card | None) -> TokenizerPair:
    """The names of the library's own tokenizers for an architecture."""
    names = card.tokenizers if card is not None else ()
    if card is not None and card.tokenizers_of:
        names = all_cards()[card.tokenizers_of].tokenizers
    fast = [name for name in names if name.endswith("Fast")]
    slow = [name for name in names if name not in fast]
    return TokenizerPair(next(iter(slow), None), next(iter(fast), None))
