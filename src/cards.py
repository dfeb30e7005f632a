"""Architecture cards: what each architecture declares about itself, once.

`models/<arch>/__init__.py` holds one `CARD`. The public names, the Auto classes, the support table in the docs,
the command line's lists and the parametrisation of the tests are all derived from the cards; nothing else
enumerates architectures.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from .files.errors import MissingDependencyError, UnknownNameError, closest, three_beats


@dataclass(frozen=True)
class Backend:
    """How one framework appears in the ecosystem's naming grammar.

    Attributes:
        class_prefix: What stands before a class name (`TF` in `TFBertModel`).
        module_prefix: What stands before the architecture in a modelling file's name.
        extra: The extra of this package that installs the framework.
        requires: The top-level modules that must be importable.
    """

    class_prefix: str
    module_prefix: str
    extra: str
    requires: tuple[str, ...]


BACKENDS: Mapping[str, Backend] = {
    "torch": Backend("", "modeling_", "torch", ("torch",)),
    "tensorflow": Backend("TF", "modeling_tf_", "tensorflow", ("tensorflow", "keras")),
    "flax": Backend("Flax", "modeling_flax_", "flax", ("jax", "flax")),
}


@dataclass(frozen=True)
class Tie:
    """Two names of one tensor, which a checkpoint holds once.

    Attributes:
        alias: The name that is not written.
        to: The name that is.
        when: The configuration's field that ties them; always tied if empty.
    """

    alias: str
    to: str
    when: str = ""


@dataclass(frozen=True)
class Pruning:
    """Which linear layers an attention head has a part in, with `{}` for the number of its layer.

    Attributes:
        rows: Those that make the head's queries, keys and values.
        columns: Those that read what the head answers.
        fused: How many of queries, keys and values one layer of `rows` makes, one after another.
        in_groups: The configuration's field that says how many layers each group of them has, where a name has two
            `{}`: for the group, and for the layer's number in it.
    """

    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    fused: int = 1
    in_groups: str = ""

    def place(self, layer: int, config: Any) -> tuple[int, ...]:
        """The numbers that stand in the names of a layer."""
        return divmod(layer, getattr(config, self.in_groups)) if self.in_groups else (layer,)


@dataclass(frozen=True)
class Weights:
    """How an architecture's checkpoints name their tensors, where that is not plain from the modules.

    All names are canonical (those of the PyTorch checkpoint on the Hub). Names of backbone tensors are written
    without the base model's prefix.

    Attributes:
        prefix: The base model's attribute in a class with a head (`bert`).
        heads: First segments of the tensors that belong to heads; a head that the model lacks is dropped.
        optional: Backbone modules and tensors that some checkpoints do not have (a pooler); treated like heads.
        parts: Backbone modules that some classes do without (an encoder alone has no decoder): their tensors are
            dropped by a model that has none of them, and start afresh if a checkpoint of another class has none.
        input_embeddings: The module that embeds tokens.
        output_embeddings: The module that scores tokens.
        position_embeddings: The module that embeds positions, if their number can be changed.
        tied: Tensors with two names.
        per_token: Tensors with one entry for each token of the vocabulary.
        token_biases: Tensors [1, V], added to the scores of tokens; new tokens have a bias of 0.
        per_head: The layers that have a part for each attention head.
        ignored: Tensors that old checkpoints carry and no module holds (buffers rebuilt from the config), with
            `*` for any one segment, each with the reason.
        deviation: The configuration's field that holds the standard deviation of fresh weights.
        initializers: Initial values that differ from those of the layer's kind, by tensor name, with `*` for any one
            segment.
        native_names: Framework -> what its own file format calls some modules and tensors, where that does not
            follow from their canonical names: `cls.predictions` -> `mlm___cls/predictions`. Written with the base
            model's prefix, the name there is the whole one. A tied tensor whose alias is here is written under both.
        native_index: What stands between the name of a list and a number in TensorFlow's own files.
        native_plain: Lists whose numbers stand alone in TensorFlow's own files, whatever `native_index` says.
        native_rows: Vectors [N] that TensorFlow's own files hold as rows [1, N].
        native_bare: Whether TensorFlow's bare models hold all they have in one layer, called like the prefix.
        native_shared: Outermost layer of TensorFlow's models -> a layer of another that it holds too: their files list
            its weights under both.
        native_layers: First word of a weight's name in TensorFlow's files, standing in the place of the model's ->
            the outermost layer that lists the weight.
    """

    prefix: str = ""
    heads: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    input_embeddings: str = ""
    output_embeddings: str = ""
    position_embeddings: str = ""
    tied: tuple[Tie, ...] = ()
    per_token: tuple[str, ...] = ()
    token_biases: tuple[str, ...] = ()
    per_head: Pruning = field(default_factory=Pruning)
    ignored: Mapping[str, str] = field(default_factory=dict)
    deviation: str = "initializer_range"
    initializers: Mapping[str, Any] = field(default_factory=dict)
    native_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    native_index: str = "_._"
    native_plain: tuple[str, ...] = ()
    native_rows: tuple[str, ...] = ()
    native_bare: bool = True
    native_shared: Mapping[str, str] = field(default_factory=dict)
    native_layers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Card:
    """One architecture, declared.

    A card may hold a model type and tokenizers alone; what is derived from cards takes what is there.

    Attributes:
        model_type: The key in `config.json`.
        config: Name of the configuration class; empty where there is none yet.
        tokenizers: Names of the slow and the fast tokenizer class, either may be absent.
        tokenizers_of: The model type whose tokenizers serve this architecture too, where it has none of its own.
        image_processors: Names of its image processor and of the same under its old name.
        feature_extractors: Names of its feature extractors, which read sounds.
        processors: Names of its processors, which read several kinds of input.
        models: Task -> class name without the framework's prefix; `base` is the bare model.
        bases: Further public model classes without a task (the abstract `BertPreTrainedModel`).
        aliases: Further public names of a framework's classes -> the class.
        weights: The naming of its checkpoints' tensors.
        backends: The frameworks its models exist in.
    """

    model_type: str
    config: str = ""
    tokenizers: tuple[str, ...] = ()
    tokenizers_of: str = ""
    image_processors: tuple[str, ...] = ()
    feature_extractors: tuple[str, ...] = ()
    processors: tuple[str, ...] = ()
    models: Mapping[str, str] = field(default_factory=dict)
    bases: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    weights: Weights = field(default_factory=Weights)
    backends: tuple[str, ...] = ("torch", "tensorflow", "flax")

    @property
    def folder(self) -> str:
        """The architecture's folder, its model type with underscores."""
        return self.model_type.replace("-", "_")

    def module(self, role: str) -> str:
        """The import path of one of the architecture's files (`modeling_tf_`, `configuration_`, ...)."""
        return f"triformers.models.{self.folder}.{role}{self.folder}"

    def export(self, name: str) -> Any:
        """The `__getattr__` of the architecture's folder: `from triformers.models.bert import BertModel`."""
        if name not in dict(self.exports()):
            raise AttributeError(f"triformers.models.{self.folder} has no {name!r}.")
        return resolve_class(name)

    def exports(self) -> Iterator[tuple[str, str]]:
        """Every public (name, module) pair of this architecture."""
        if self.config:
            yield self.config, self.module("configuration_")
        for name in self.tokenizers:
            suffix = "_fast" if name.endswith("Fast") else ""
            yield name, self.module("tokenization_") + suffix
        for name in (*self.image_processors, *self.feature_extractors, *self.processors):
            roles = {"ImageProcessor": "image_processing_", "FeatureExtractor": "feature_extraction_"}
            role = next((role for suffix, role in roles.items() if name.endswith(suffix)), "processing_")
            yield name, self.module(role)
        for backend in self.backends:
            grammar = BACKENDS[backend]
            for stem in (*self.bases, *self.models.values()):
                yield grammar.class_prefix + stem, self.module(grammar.module_prefix)
            for name, target in self.aliases.items():
                if target in (grammar.class_prefix + stem for stem in (*self.bases, *self.models.values())):
                    yield name, self.module(grammar.module_prefix)


@cache
def all_cards() -> Mapping[str, Card]:
    """Every architecture's card by model type, found by looking into `models/`."""
    models = importlib.import_module("triformers.models")
    folders = sorted(module.name for module in pkgutil.iter_modules(models.__path__) if module.ispkg)
    cards = [importlib.import_module(f"{models.__name__}.{folder}").CARD for folder in folders]
    return {card.model_type: card for card in cards}


def card_of(model_type: str) -> Card:
    """The card of a model type.

    Raises:
        UnknownNameError: No architecture has this model type.
    """
    cards = all_cards()
    if model_type in cards:
        return cards[model_type]
    near = closest(model_type, cards) or sorted(cards)
    raise UnknownNameError(
        three_beats(
            f"model type {model_type!r} is not known",
            f"one of this version's model types, such as {', '.join(near[:3])}",
            "Correct `model_type` in config.json, or use a version of triformers that has it.",
        )
    )


def configuration_of(card: Card) -> Any:
    """The configuration class of an architecture.

    Raises:
        UnknownNameError: This version has the architecture's tokenizers alone.
    """
    if card.config:
        return resolve_class(card.config)
    raise UnknownNameError(
        three_beats(
            f"this version has no configuration and no models of {card.model_type}",
            "an architecture that has them",
            f"Use its {' or '.join(card.tokenizers)} alone, or a version of triformers that has it.",
        )
    )


@cache
def public_names() -> Mapping[str, str]:
    """Every public class name of every architecture -> the module that defines it."""
    return {name: module for card in all_cards().values() for name, module in card.exports()}


def backend_of(module: str) -> str | None:
    """The framework that a modelling module is written in, None for a framework-neutral module."""
    file = module.rpartition(".")[2]
    matches = [name for name, backend in BACKENDS.items() if file.startswith(backend.module_prefix)]
    return max(matches, key=lambda name: len(BACKENDS[name].module_prefix), default=None)


def require_backend(backend: str, wanted_by: str) -> None:
    """Make sure that a framework can be imported.

    Raises:
        MissingDependencyError: It cannot; the message names the extra that installs it.
    """
    missing = [module for module in BACKENDS[backend].requires if not _importable(module)]
    if missing:
        raise MissingDependencyError(
            three_beats(
                f"{wanted_by} needs {' and '.join(missing)}, which cannot be imported here",
                f"the {backend} framework to be installed",
                f"Run: pip install 'triformers[{BACKENDS[backend].extra}]'.",
            )
        )


def _importable(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # a blocked or half-initialised module says so with either
        return False


def resolve_class(name: str, others: Iterable[str] = ()) -> Any:
    """The public class of this name, its module imported on the way.

    Args:
        name: As it is written.
        others: Further names that could have been meant.

    Raises:
        UnknownNameError: No such class; the message offers the closest names.
        MissingDependencyError: Its framework is not installed.
    """
    names = public_names()
    if name not in names:
        near = closest(name, (*names, *others))
        raise UnknownNameError(
            three_beats(
                f"triformers has no {name!r}",
                f"a public name{', such as ' + ', '.join(near) if near else ''}",
                "Check the spelling, or the support table in the documentation.",
            )
        )
    backend = backend_of(names[name])
    if backend is not None:
        require_backend(backend, wanted_by=name)
    return getattr(importlib.import_module(names[name]), name)
