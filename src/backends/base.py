"""What the three base classes share: the journey from a checkpoint to a filled model, and back.

A model is made in two steps, whatever its framework: its *structure* is built without a single value, then every
slot is *filled* from a source: a checkpoint's tensors, or initial values drawn by name. So nothing is initialised to
be overwritten, and both ways into a model are the same code.
"""

from __future__ import annotations

import contextlib
import copy
import gc
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from functools import partial, reduce
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..cards import Card, Weights, all_cards, public_names
from ..configuration import CONFIG_NAME, PretrainedConfig
from ..conversion.formats import open_checkpoint
from ..conversion.formats.names import FORMATS, read_before
from ..conversion.formats.tensors import Checkpoint, Tensor, is_floating
from ..conversion.layouts import layout_of
from ..conversion.mapping import Plan, fits, make_plan, relative
from ..conversion.native import canonical_checkpoint
from ..conversion.saving import Contents, stage_checkpoint
from ..conversion.slots import Slot, Source
from ..files.errors import ConfigurationError, InputError, three_beats
from ..files.strict_json import load_json_object
from ..files.transaction import SaveTransaction
from ..generation.configuration import GENERATION_CONFIG_NAME, GenerationConfig
from ..generation.mixin import GenerationBase
from ..hub.find import Repository
from ..initialization import draw, is_defined, usual
from ..outputs import Wanted
from .limits import check_fresh, check_parts, warn_of_not_finite
from .options import LoadOptions, SaveOptions
from .pushing import PushModelToHub
from .resizing import Resizable

logger = logging.getLogger(__name__)

#: What 4.x calls a framework -> its own format, which `safe_serialization=False` writes.
NATIVE_FORMATS: Mapping[str, str] = {"pt": "bin", "tf": "h5", "flax": "msgpack"}

_building: ContextVar[bool] = ContextVar("building", default=False)


class Construction(type):
    """Makes a call of a model class build the structure and then fill it, once for the whole tree of models.

    Inside another model's construction, or a load, the call builds the structure only: the outermost fills it.
    """

    structure: Any

    def __call__(cls, config: PretrainedConfig, *args: Any, seed: int | None = None, **kwargs: Any) -> Any:
        if is_building():
            return super().__call__(config, *args, **kwargs)
        check_config(config, cls.__name__)
        model = cls.structure(config, *args, **kwargs)
        model.initialize(seed)
        return model


def check_config(config: Any, wanted_by: str) -> None:
    """Refuse to build a model from anything but a configuration.

    Raises:
        InputError: It is something else.
    """
    if not isinstance(config, PretrainedConfig):
        found = f"{wanted_by} was given a {type(config).__name__}"
        remedy = f"To load a checkpoint, call {wanted_by}.from_pretrained(name_or_directory)."
        raise InputError(three_beats(found, "a configuration", remedy))


@contextlib.contextmanager
def structure_only() -> Iterator[None]:
    """Within this context, calling a model class builds its structure and fills nothing."""
    token = _building.set(True)
    try:
        yield
    finally:
        _building.reset(token)


def is_building() -> bool:
    """Whether a structure is being built, which someone else will fill."""
    return _building.get()


class PretrainedBase(GenerationBase, Resizable, PushModelToHub):
    """What every pretrained model can do, independent of its framework.

    A framework's base class supplies `structure`, `slots`, `fill`, `replace`, `held`, `read_slot`, `initialize`,
    `fresh_seed` and `parameter_dtype`.
    """

    config_class: ClassVar[type[PretrainedConfig]] = PretrainedConfig
    base_model_prefix: ClassVar[str] = ""
    main_input_name: ClassVar[str] = "input_ids"
    class_prefix: ClassVar[str] = ""
    framework: ClassVar[str]
    copies_values: ClassVar[bool] = False

    config: PretrainedConfig

    # ---- what a framework supplies --------------------------------------------------------------------------

    @classmethod
    def structure(cls, config: PretrainedConfig, *args: Any, **kwargs: Any) -> Any:
        """The model without values."""
        raise NotImplementedError

    def slots(self) -> list[Slot]:
        """Every parameter and stored buffer, by canonical name."""
        raise NotImplementedError

    def fill(self, source: Source, dtype: str | None = None) -> None:
        """Put a value into every slot."""
        raise NotImplementedError

    def fresh_seed(self) -> int:
        """A seed for a caller who gives none."""
        raise NotImplementedError

    def held(self, slot: Slot) -> Any:
        """The framework's own array in a slot."""
        raise NotImplementedError

    def read_slot(self, slot: Slot) -> np.ndarray:
        """What a slot holds, as a NumPy array in the canonical axis order."""
        raise NotImplementedError

    def parameter_dtype(self, slot: Slot) -> np.dtype:
        """The type that a slot holds."""
        raise NotImplementedError

    # ---- the card -------------------------------------------------------------------------------------------

    @classmethod
    def weights_of(cls, config: PretrainedConfig) -> Weights:
        """How the architecture's checkpoints name their tensors; plain for an architecture without a card."""
        card: Card | None = all_cards().get(config.model_type)
        return card.weights if card is not None else Weights(prefix=cls.base_model_prefix)

    def input_embeddings_name(self) -> str:
        """The canonical name, within the base model, of the module that embeds tokens.

        Raises:
            InputError: The architecture declares none.
        """
        name = self.weights_of(self.config).input_embeddings
        if not name:
            raise InputError(
                three_beats(
                    f"{type(self).__name__} declares no input embeddings",
                    "an architecture that embeds tokens",
                    "Override get_input_embeddings and set_input_embeddings in your class.",
                )
            )
        return name

    def position_embeddings_name(self) -> str:
        """The canonical name, within the base model, of the module that embeds positions.

        Raises:
            InputError: The architecture declares none whose size can change.
        """
        name = self.weights_of(self.config).position_embeddings
        if not name:
            found = f"the positions of {type(self).__name__}"
            raise InputError(three_beats(found, "an architecture that lets their number change", "Leave them."))
        return name

    def slots_named(self, names: Iterable[str]) -> list[Slot]:
        """The slots of these names, which are written without the base model's prefix."""
        slots = {slot.name: slot for slot in self.slots()}
        prefix = self.weights_of(self.config).prefix
        found = (slots.get(name) or slots.get(f"{prefix}.{name}") for name in names)
        return [slot for slot in found if slot is not None]

    def initial(self, config: PretrainedConfig, seed: int) -> Source:
        """Fresh values for a model of this architecture."""
        return initial_values(config, self.weights_of(config), seed)

    def reconfigure(self, **fields: Any) -> None:
        """Change the configuration of a model whose size has changed."""
        self.config.update(fields)

    @classmethod
    def is_listed(cls) -> bool:
        """Whether this is a class of the library's own, not a user's subclass."""
        return public_names().get(cls.__name__) == cls.__module__

    # ---- loading --------------------------------------------------------------------------------------------

    @classmethod
    def load(cls, name_or_path: str | os.PathLike, options: LoadOptions, *model_args: Any, **kwargs: Any) -> Any:
        """The journey of `from_pretrained`: configuration, structure, plan, values.

        Args:
            name_or_path: A directory or a name on the Hub.
            options: Where and how to load.
            model_args: Positional arguments of the class's constructor after the configuration.
            kwargs: Fields of the configuration to set differently, and the constructor's keyword arguments.
        """
        with _without_collection():
            return cls._load(Repository(name_or_path, options.hub), options, model_args, kwargs)

    @classmethod
    def _load(
        cls, repository: Repository, options: LoadOptions, model_args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        name_or_path = repository.name
        with repository.reading():  # so that no save comes between the files
            config, model_kwargs = cls._load_config(repository, options, kwargs)
            checkpoint = open_checkpoint(repository, options.formats, options.variant)
            generation_config = cls._load_generation_config(repository)
            if options.hub.verify:
                warn_of_not_finite(checkpoint, repository.name)
        weights = cls.weights_of(config)
        checkpoint = canonical_checkpoint(checkpoint, str(name_or_path), weights)
        stored = _checkpoint_dtype(checkpoint, config)
        dtype, param_dtype = (stored if name == "auto" else name for name in (options.dtype, options.param_dtype))
        build = partial(cls.structure, **cls.structure_arguments(dtype, param_dtype), **model_kwargs)
        check_parts(config, checkpoint, weights, str(name_or_path), lambda config: build(config, *model_args))
        model = build(config, *model_args)
        slots = model.slots()
        plan = make_plan(slots, checkpoint, weights, config, cls._is_of_another_class(config))
        plan.check(str(name_or_path), options.strict, options.ignore_mismatched_sizes)
        check_fresh(slots, plan, str(name_or_path))
        values = planned_values(plan, checkpoint, initial_values(config, weights, options.seed or 0), cls.copies_values)
        model.fill(values, dtype)
        config._name_or_path = str(name_or_path)
        model._generation_config = generation_config
        if line := plan.report():
            logger.warning("%s from %s: %s.", cls.__name__, name_or_path, line)
        return (model, plan.loading_info()) if options.output_loading_info else model

    @classmethod
    def _load_generation_config(cls, repository: Repository) -> GenerationConfig | None:
        """The options of `generate` that stand beside the tensors, None if there are none."""
        path = repository.file(GENERATION_CONFIG_NAME, required=False) if cls.can_generate() else None
        return None if path is None else GenerationConfig.from_dict(load_json_object(path))

    @classmethod
    def _load_config(
        cls, repository: Repository, options: LoadOptions, kwargs: dict[str, Any]
    ) -> tuple[PretrainedConfig, dict[str, Any]]:
        """The configuration, and the keyword arguments that are the constructor's."""
        if isinstance(options.config, PretrainedConfig):
            config, rest = copy.deepcopy(options.config), kwargs
            known = {name for name in rest if name == "attn_implementation" or hasattr(config, name)}
            overrides = {name: rest.pop(name) for name in known}
            return (config.from_dict(config.to_dict(), **overrides) if overrides else config), rest
        source = options.config if options.config is not None else repository.file(CONFIG_NAME)
        return cls.config_class.from_pretrained(source, return_unused_kwargs=True, **kwargs)

    @classmethod
    def _is_of_another_class(cls, config: PretrainedConfig) -> bool:
        """Whether the configuration says that another class wrote the checkpoint."""
        return bool(config.architectures) and cls._stem() not in config.architectures

    @classmethod
    def structure_arguments(cls, dtype: str | None, param_dtype: str | None) -> dict[str, Any]:
        """What the constructor must know of data types before any value is there."""
        return {}

    # ---- saving ---------------------------------------------------------------------------------------------

    def save_tensors(
        self, directory: str | os.PathLike, options: SaveOptions, tensors: Mapping[str, Tensor] | None = None
    ) -> None:
        """The journey of `save_pretrained`: `config.json` and the tensors, all or nothing.

        Args:
            directory: Made if it is not there.
            options: In which form.
            tensors: What to write instead of the model's own, by canonical name.

        Raises:
            FileError: The directory cannot be made or written.
            InputError: An argument that makes no sense.
        """
        if not options.is_main_process:
            return
        tensors = self.canonical_tensors() if tensors is None else tensors
        config = self._config_to_save(tensors.values())
        contents = Contents(tensors, self.slots(), self.weights_of(self.config), self._stem())
        form = "safetensors" if options.safe_serialization else NATIVE_FORMATS[self.framework]
        with SaveTransaction(Path(directory)) as stage:
            stage.write_text(CONFIG_NAME, config.to_json_string())
            if self.can_generate():
                stage.write_text(GENERATION_CONFIG_NAME, self.generation_config.to_json_string())
            stage_checkpoint(stage, contents, form, options.max_shard_size, options.variant)
        if first := read_before(Path(directory), form, options.variant):
            logger.warning("%s holds %s too, which is read before %s.", directory, first, FORMATS[form].file)

    def canonical_tensors(self) -> dict[str, Tensor]:
        """Every slot's value in its canonical name and axis order, read when it is asked for."""
        return {
            slot.name: Tensor(
                slot.name,
                slot.shape,
                self.parameter_dtype(slot),
                lambda slot=slot: self.read_slot(slot),
            )
            for slot in self.slots()
        }

    @classmethod
    def _stem(cls) -> str:
        """The class's name without its framework's prefix."""
        return cls.__name__.removeprefix(cls.class_prefix)

    def _config_to_save(self, tensors: Iterable[Tensor]) -> PretrainedConfig:
        config = copy.deepcopy(self.config)
        config.architectures = [self._stem()]
        config.torch_dtype = next((tensor.dtype.name for tensor in tensors if is_floating(tensor.dtype)), None)
        return config

    # ---- facts ----------------------------------------------------------------------------------------------

    @property
    def name_or_path(self) -> str:
        """Where this model was loaded from, empty if it was not."""
        return self.config.name_or_path

    @property
    def base_model(self) -> Any:
        """The model without its head; in Flax, where a model holds no other, the model itself."""
        return getattr(self, self.base_model_prefix, self)

    def get_input_embeddings(self) -> Any:
        """The module that embeds tokens."""
        return attrgetter(self.input_embeddings_name())(self.base_model)

    def get_position_embeddings(self) -> Any:
        """The module that embeds positions; in Flax its table.

        Raises:
            InputError: The architecture declares none whose size can change.
        """
        return attrgetter(self.position_embeddings_name())(self.base_model)

    def set_input_embeddings(self, value: Any) -> None:
        """Put another module in the place of the one that embeds tokens."""
        *parents, leaf = self.input_embeddings_name().split(".")
        setattr(reduce(getattr, parents, self.base_model), leaf, value)

    def get_output_embeddings(self) -> Any:
        """The module that scores tokens, None if the model has none."""
        module, name = self, self.weights_of(self.config).output_embeddings
        for segment in name.split(".") if name else ():
            module = getattr(module, segment, None)
        return module if name else None

    def set_output_embeddings(self, new_embeddings: Any) -> None:
        """Put another module in the place of the one that scores tokens.

        Raises:
            InputError: The model has none.
        """
        if self.get_output_embeddings() is None:
            found = f"{type(self).__name__} scores no tokens"
            raise InputError(three_beats(found, "a model with a language-model head", "Use a class that has one."))
        parent, _, leaf = self.weights_of(self.config).output_embeddings.rpartition(".")
        setattr(attrgetter(parent)(self) if parent else self, leaf, new_embeddings)

    def post_init(self) -> None:
        """Nothing: a call of the class fills the model when its constructor is done. For classes written for 4.x."""

    def init_weights(self, *args: Any, **kwargs: Any) -> Any:
        """Nothing, as `post_init`; in Flax, fresh parameters."""

    def wanted(
        self,
        output_attentions: bool | None,
        output_hidden_states: bool | None,
        return_dict: bool | None,
        use_cache: bool | None = False,
    ) -> Wanted:
        """What a call asks to have returned."""
        return Wanted.of(self.config, output_attentions, output_hidden_states, return_dict, use_cache)


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
    """Within this context, Python looks for no garbage.

    The many small objects of a model are none, and each look at all that a framework's import has made takes longer
    than mapping the checkpoint.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def planned_values(plan: Plan, checkpoint: Checkpoint, initial: Source, is_copied: bool = False) -> Source:
    """The values that a plan leads to: the checkpoint's where it fills a slot, else initial ones.

    Args:
        plan: Which tensor fills which slot.
        checkpoint: The tensors.
        initial: Values for the other slots.
        is_copied: Whether the framework copies each value before it asks for the next: what was mapped of the file
            then need not stay in memory beside the copy.
    """
    last: list[Tensor] = []

    def value(slot: Slot, dtype: np.dtype) -> np.ndarray | None:
        if is_copied and last:
            last.pop().let_go()
        if slot.name not in plan.filled:
            return initial(slot, dtype)
        tensor = checkpoint[plan.filled[slot.name]]
        last.append(tensor)
        array = layout_of(slot.kind, slot.leaf, tensor.layout).to_canonical(tensor.read())
        return array.astype(dtype) if is_floating(array.dtype) and array.dtype != dtype else array

    return value


def initial_values(config: PretrainedConfig, weights: Weights, seed: int) -> Source:
    """Fresh values, drawn by name: as the architecture's card says, else as is usual for the layer's kind."""

    def value(slot: Slot, dtype: np.dtype) -> np.ndarray | None:
        name = relative(slot.name, weights)
        declared = (each for pattern, each in weights.initializers.items() if fits(name, pattern))
        initializer = next(declared, usual(slot.kind, slot.leaf, weights.deviation))
        if initializer is None or not is_defined(initializer, config):
            return None
        return draw(initializer, slot.name, slot.shape, dtype, config, seed)

    return value


def no_initial_value(slot: Slot) -> ConfigurationError:
    """The error for a slot that no checkpoint fills, no initializer is declared for, and its framework left empty."""
    return ConfigurationError(
        three_beats(
            f"{slot.name} ({slot.kind}) has no initial value",
            "a checkpoint that holds it, or an initializer",
            "Declare one in the architecture's card.",
        )
    )


def check_affordable(slots: Iterable[Slot], itemsize: int, config: PretrainedConfig) -> None:
    """Refuse to create a model that is larger than this machine's memory, before any of it is allocated.

    Raises:
        ConfigurationError: It is.
    """
    needed, available = sum(slot.size for slot in slots) * itemsize, _memory()
    if available is not None and needed > available:
        raise ConfigurationError(
            three_beats(
                f"this {type(config).__name__} describes a model of {needed / 1e9:.3g} GB",
                f"at most the {available / 1e9:.3g} GB of memory here",
                "Correct the sizes in the configuration.",
            )
        )


def _memory() -> int | None:
    """This machine's memory in bytes, None where the system does not say."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else None


def _checkpoint_dtype(checkpoint: Checkpoint, config: PretrainedConfig) -> str | None:
    """The type for `dtype="auto"`: the configuration's, else that of the first floating tensor."""
    names = (tensor.dtype.name for tensor in checkpoint.values() if is_floating(tensor.dtype))
    return config.torch_dtype or next(names, None)
