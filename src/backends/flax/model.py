"""FlaxPreTrainedModel: the base of every Flax model."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ...configuration import PretrainedConfig, dtype_name
from ...conversion.formats.tensors import numpy_dtype
from ...conversion.layouts import RAW
from ...conversion.slots import Slot, Source, make_slot
from ...files.errors import InputError, three_beats
from ...outputs import ModelOutput, flatten, register_pytrees, unflatten
from ..base import (
    PretrainedBase,
    check_affordable,
    check_config,
    is_building,
    no_initial_value,
    structure_only,
)
from ..options import LoadOptions, SaveOptions
from .cache import Cache
from .generation import FlaxGenerationMixin
from .kinds import kind_of
from .layers import walk

Params = Mapping[str, Any]


#: Where the parameters of the model that is being loaded go: JAX's default if None.
_sharding: ContextVar[Any] = ContextVar("sharding", default=None)


class FlaxPreTrainedModel(FlaxGenerationMixin, PretrainedBase):
    """Base of every Flax model: a linen `module`, and the `params` that it is called with.

    Args:
        config: What the model is.
        module: The linen module.
        input_shape: The shape of an example input, for modules whose parameters only a trace can tell.
        seed: Seed of the initial weights.
        dtype: The type of the computation.
        param_dtype: The type of the parameters: float32, or float64 if the computation is in float64.
        _do_init: Whether to make parameters; without, every call must be given them.

    Raises:
        ConfigurationError: The configuration cannot describe a model, or one larger than this machine's memory.
        InputError: float64 is asked for while JAX's 64-bit mode is off.
    """

    framework: ClassVar[str] = "flax"
    copies_values = True
    class_prefix = "Flax"
    module_class: ClassVar[Any] = None

    def __init__(
        self,
        config: PretrainedConfig,
        module: nn.Module,
        input_shape: tuple[int, ...] = (1, 1),
        seed: int = 0,
        dtype: Any = jnp.float32,
        _do_init: bool = True,
        param_dtype: Any = None,
    ) -> None:
        check_config(config, type(self).__name__)
        config.validate()
        self.config = config
        self.module = module
        self.input_shape = input_shape
        self.dtype = jnp.dtype(dtype)
        self.param_dtype = param_dtype_of(self.dtype, param_dtype)
        self._is_initialized = _do_init
        self._seed = seed
        self._params: Params | None = None
        if _do_init and not is_building():
            self.initialize(seed)

    # ---- structure and values -------------------------------------------------------------------------------

    @classmethod
    def structure(cls, config: PretrainedConfig, *args: Any, **kwargs: Any) -> Any:
        """The model without parameters."""
        with structure_only():
            return cls(config, *args, **kwargs)

    def slots(self) -> list[Slot]:
        """Every parameter, by canonical name; those of a user's own module are found by a trace."""
        if not self.is_listed():
            return self._traced_slots()
        return [
            make_slot((*path, leaf), shape, kind_of(module), "flax")
            for path, module in walk(self.module.bind({}))
            if hasattr(module, "parameter_shapes")
            for leaf, shape in module.parameter_shapes().items()
        ]

    def _traced_slots(self) -> list[Slot]:
        kinds: dict[tuple[str, ...], str] = {}

        def note(call: Any, args: Any, kwargs: Any, context: Any) -> Any:
            kinds[context.module.path] = kind_of(context.module)
            return call(*args, **kwargs)

        with nn.intercept_methods(note):
            shapes = jax.eval_shape(self._native_params)
        return [make_slot(path, leaf.shape, kinds.get(path[:-1], RAW), "flax") for path, leaf in _leaves(shapes)]

    def _native_params(self, seed: int = 0) -> Params:
        """The parameters as linen itself makes them, or as a user's class says that they are made."""
        if type(self).init_weights is not FlaxPreTrainedModel.init_weights:
            return self.init_weights(jax.random.key(seed), self.input_shape)
        return self.module.init(jax.random.key(seed), *self.dummy_inputs.values())["params"]

    @property
    def dummy_inputs(self) -> dict[str, Array]:
        """The least inputs that a call takes: token ids of `input_shape`."""
        return {self.main_input_name: jnp.zeros(self.input_shape, jnp.int32)}

    def initialize(self, seed: int | None) -> None:
        """Draw every value afresh."""
        check_affordable(self.slots(), self.param_dtype.itemsize, self.config)
        self.fill(self.initial(self.config, self.fresh_seed() if seed is None else seed))

    def fresh_seed(self) -> int:
        """0, as Flax' users know it."""
        return 0

    def fill(self, source: Source, dtype: str | None = None) -> None:
        """Make the tree of parameters.

        Args:
            source: Where values come from.
            dtype: Unused: the parameters' type is the model's `param_dtype`.
        """
        values = {slot: self._taken(slot, source) for slot in self.slots()}
        unknown = [slot for slot, value in values.items() if value is None]
        if unknown and self.is_listed():
            raise no_initial_value(unknown[0])
        native = self._native_params(self._seed) if unknown else {}
        self._params = nest(
            (slot.path, _at(native, slot.path) if value is None else value) for slot, value in values.items()
        )

    def _taken(self, slot: Slot, source: Source) -> Array | None:
        """A slot's value as JAX's array, where it belongs; made at once, so that NumPy's can go before the next.

        `device_put` turns the axes as it copies, faster than NumPy or a compiled transposition.
        """
        value = source(slot, self.param_dtype)
        if value is None:
            return None
        sharding = _sharding.get()
        place = sharding(slot.path) if callable(sharding) else sharding
        return jax.device_put(slot.layout.from_canonical(value), place)

    def replace(self, slot: Slot, array: np.ndarray) -> None:
        """Put an array of another shape into a slot."""
        self._put(slot.path, jnp.asarray(slot.layout.from_canonical(array)))

    def _put(self, path: tuple[str, ...], value: Array) -> None:
        self.params = nest((key, value if key == path else leaf) for key, leaf in _leaves(self.params))

    def held(self, slot: Slot) -> Array:
        """The array of a slot."""
        return _at(self.params, slot.path)

    def read_slot(self, slot: Slot) -> np.ndarray:
        """What a slot holds, as a NumPy array in the canonical axis order."""
        return np.asarray(slot.layout.to_canonical(self.held(slot), jnp.transpose))

    def parameter_dtype(self, slot: Slot) -> np.dtype:
        """The type that a slot holds."""
        return np.dtype(self.held(slot).dtype)

    @property
    def params(self) -> Params:
        """The parameters, a nested dict of arrays.

        Raises:
            InputError: The model was made with `_do_init=False`, which leaves them to the caller.
        """
        if not self._is_initialized or self._params is None:
            raise InputError(
                three_beats(
                    "this model was made with _do_init=False and holds no parameters",
                    "params given to each call",
                    "Keep what `model, params = from_pretrained(..., _do_init=False)` answers, and pass params=params.",
                )
            )
        return self._params

    @params.setter
    def params(self, params: Params) -> None:
        self._params = params

    @property
    def params_shape_tree(self) -> Params:
        """The shape and type of every parameter, as `jax.eval_shape` gives them."""
        return nest(
            (slot.path, jax.ShapeDtypeStruct(slot.layout.shape_from_canonical(slot.shape), self.param_dtype))
            for slot in self.slots()
        )

    @property
    def required_params(self) -> set[tuple[str, ...]]:
        """The path of every parameter."""
        return {slot.path for slot in self.slots()}

    def init_weights(self, rng: Array, input_shape: tuple[int, ...], params: Params | None = None) -> Params:
        """Fresh parameters from a key, those in `params` kept.

        Args:
            rng: A JAX random key; its bits become the seed.
            input_shape: Unused: the parameters are known without a trace.
            params: A tree whose leaves take the place of fresh ones.
        """
        seed = int.from_bytes(np.asarray(jax.random.key_data(rng)).tobytes(), "little")
        fresh = self.structure(self.config, dtype=self.dtype, param_dtype=self.param_dtype)
        fresh.fill(self.initial(self.config, seed))
        kept = dict(_leaves(params or {}))
        return nest((path, kept.get(path, leaf)) for path, leaf in _leaves(fresh.params))

    # ---- loading --------------------------------------------------------------------------------------------

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | os.PathLike, dtype: Any = jnp.float32, *model_args: Any, **kwargs: Any
    ) -> Any:
        """Load a checkpoint from a directory or a name on the Hub.

        Args:
            pretrained_model_name_or_path: A directory that holds `config.json` and the tensors, or a Hub name.
            dtype: The type of the computation.
            model_args: Further positional arguments of the class's constructor.
            kwargs: `param_dtype` (float32 by default, float64 if `dtype` is; "auto" for the file's), `config`,
                `strict`, `ignore_mismatched_sizes`, `output_loading_info`, `seed`, `cache_dir`, `force_download`,
                `local_files_only`, `token`, `revision`, `subfolder`, `verify`, `variant`, `use_safetensors`, `from_pt`,
                `from_tf`; fields of the configuration to set differently; keyword arguments of the constructor. With
                `_do_init=False` the answer is the pair (model, params). `sharding` places the parameters as they are
                read: a device or sharding for all, or a function from a parameter's path to one.

        Raises:
            FileError: There is no such checkpoint, or it is damaged.
            CheckpointError: Its tensors do not fit the model.
            InputError: An argument that makes no sense, or float64 without JAX's 64-bit mode.
        """
        token = _sharding.set(kwargs.pop("sharding", None))
        try:
            options = LoadOptions.take_from({**kwargs, "dtype": dtype})
            answer = cls.load(pretrained_model_name_or_path, options, *model_args, **options.rest)
        finally:
            _sharding.reset(token)
        model = answer[0] if options.output_loading_info else answer
        return answer if model._is_initialized else (model, model._params)

    @classmethod
    def structure_arguments(cls, dtype: str | None, param_dtype: str | None) -> dict[str, Any]:
        given = {"dtype": dtype or "float32", "param_dtype": param_dtype}
        return {name: value for name, value in given.items() if value is not None}  # a user's class may not know both

    def save_pretrained(
        self,
        save_directory: str | os.PathLike,
        params: Params | None = None,
        push_to_hub: bool = False,
        max_shard_size: int | str = "10GB",
        token: str | bool | None = None,
        safe_serialization: bool = True,
        *,
        variant: str | None = None,
        is_main_process: bool = True,
        **kwargs: Any,
    ) -> None:
        """Write `config.json` and the tensors, all or nothing.

        Args:
            save_directory: Made if it is not there.
            params: What to write instead of the model's own parameters.
            push_to_hub: Whether to push it to the Hub then.
            max_shard_size: The most bytes of tensors in one file: a number, or a text such as "5GB".
            token: For a push, an access token with the right to write.
            safe_serialization: Whether in safetensors, the same bytes from every framework; else `flax_model.msgpack`.
            variant: What stands before the extension in the files' names, such as "fp16".
            is_main_process: False in all but one of the processes of a distributed run; then nothing is written.
            kwargs: Further arguments of `push_to_hub`; `repo_id` is the directory's name by default.

        Raises:
            FileError: The directory cannot be made or written, or the Hub refuses.
            InputError: An argument that makes no sense.
        """
        holder = self
        if params is not None:
            holder = copy.copy(self)
            holder._is_initialized, holder._params = True, params
        options = SaveOptions(safe_serialization, max_shard_size, variant, is_main_process)
        with self.pushing(save_directory, push_to_hub and is_main_process, {"token": token, **kwargs}):
            holder.save_tensors(save_directory, options)

    # ---- calls ----------------------------------------------------------------------------------------------

    def apply(self, params: Params | None, dropout_rng: Array | None, train: bool, *args: Any, **kwargs: Any) -> Any:
        """Call the module.

        Args:
            params: The parameters; the model's own if None.
            dropout_rng: The key of dropout; needed in training.
            train: Whether dropout is on.
            args: The module's positional arguments.
            kwargs: The module's keyword arguments.
        """
        variables = {"params": self.params if params is None else params}
        rngs = {"dropout": dropout_rng} if dropout_rng is not None else {}
        return self.module.apply(variables, *args, deterministic=not train, rngs=rngs, **kwargs)

    def run(
        self,
        arrays: Mapping[str, Any],
        options: Mapping[str, Any],
        params: Params | None,
        dropout_rng: Array | None,
        train: bool,
        method: str = "__call__",
    ) -> Any:
        """Call a method of the module with what is not None.

        Args:
            arrays: Arguments that are made arrays.
            options: Arguments that stay as they are.
            params: The parameters; the model's own if None.
            dropout_rng: The key of dropout, needed in training.
            train: Whether dropout is on.
            method: The method.
        """
        given = {name: as_array(value) for name, value in arrays.items() if value is not None}
        given |= {name: value for name, value in options.items() if value is not None}
        return self.apply(params, dropout_rng, train, **given, method=method)

    # ---- what users ask of a model --------------------------------------------------------------------------

    def get_input_embeddings(self) -> Array:
        """The table that embeds tokens: [V, D]."""
        return _at(self.params, self._input_embeddings_path())

    def set_input_embeddings(self, value: Array) -> None:
        """Put another table in the place of the one that embeds tokens."""
        self._put(self._input_embeddings_path(), value)

    def get_position_embeddings(self) -> Array:
        """The table that embeds positions: [positions, D].

        Raises:
            InputError: The architecture declares none whose size can change.
        """
        return self.held(self.slots_named((f"{self.position_embeddings_name()}.weight",))[0])

    def get_output_embeddings(self) -> Array | None:
        """The table that scores tokens, [V, D]: that of the embedding where they are tied. None if there is none."""
        weights = self.weights_of(self.config)
        head = weights.output_embeddings.partition(".")[0]
        if not any(slot.name.startswith(f"{head}.") for slot in self.slots_named(weights.per_token)):
            return None
        own = self.slots_named((f"{weights.output_embeddings}.weight",))
        return own[0].layout.to_canonical(self.held(own[0]), jnp.transpose) if own else self.get_input_embeddings()

    def set_output_embeddings(self, new_embeddings: Array) -> None:
        """Put another table [V, D] in the place of the one that scores tokens.

        Raises:
            InputError: The model has none of its own.
        """
        own = self.slots_named((f"{self.weights_of(self.config).output_embeddings}.weight",))
        if not own:
            found = f"{type(self).__name__} has no table of its own to score tokens"
            raise InputError(three_beats(found, "a head whose weights are not tied", "Set tie_word_embeddings=False."))
        self._put(own[0].path, own[0].layout.from_canonical(new_embeddings, jnp.transpose))

    def enable_gradient_checkpointing(self) -> None:
        """Let training compute intermediate values again instead of keeping them."""
        self.module = self.module.clone(gradient_checkpointing=True)

    def init_cache(self, batch_size: int, max_length: int) -> Cache:
        """A cache with room for `max_length` tokens of each sequence, to pass as `past_key_values`.

        Raises:
            InputError: The model reads no sequences that long.
        """
        return Cache.preallocated(self.config, batch_size, max_length, self.dtype)

    def _input_embeddings_path(self) -> tuple[str, ...]:
        prefix = f"{self.base_model_prefix}." if self.base_model_prefix in self.params else ""
        name = f"{prefix}{self.input_embeddings_name()}.weight"
        return next(slot.path for slot in self.slots() if slot.name == name)

    def num_parameters(self, only_trainable: bool = False, exclude_embeddings: bool = False) -> int:
        """The number of elements of all parameters; a functional model has none that cannot be trained."""
        return sum(slot.size for slot in self.slots() if not (exclude_embeddings and slot.kind == "embedding"))

    def to_fp32(self, params: Params, mask: Any = None) -> Params:
        """The parameters in float32, where `mask` (a tree of truth values) allows."""
        return _cast(params, jnp.float32, mask)

    def to_fp16(self, params: Params, mask: Any = None) -> Params:
        """The parameters in float16, where `mask` (a tree of truth values) allows."""
        return _cast(params, jnp.float16, mask)

    def to_bf16(self, params: Params, mask: Any = None) -> Params:
        """The parameters in bfloat16, where `mask` (a tree of truth values) allows."""
        return _cast(params, jnp.bfloat16, mask)


class FlaxModuleModel(FlaxPreTrainedModel):
    """A model of the linen module that its class names: what the base class of an architecture derives from.

    Args:
        config: What the model is.
        input_shape: The shape of an example input, for a module whose parameters only a trace can tell.
        seed: Seed of the initial weights.
        dtype: The type of the computation.
        _do_init: Whether to make parameters; without, every call must be given them.
        gradient_checkpointing: Whether training computes intermediate values again instead of keeping them.
        param_dtype: The type of the parameters: float32, or float64 if `dtype` is.
        module_kwargs: Further attributes of the module.
    """

    module_class: ClassVar[type[nn.Module]]

    def __init__(
        self,
        config: Any,
        input_shape: tuple[int, ...] = (1, 1),
        seed: int = 0,
        dtype: Any = jnp.float32,
        _do_init: bool = True,
        gradient_checkpointing: bool = False,
        param_dtype: Any = None,
        **module_kwargs: Any,
    ) -> None:
        if gradient_checkpointing:  # a user's module may not know it
            module_kwargs["gradient_checkpointing"] = True
        module = self.module_class(config, jnp.dtype(dtype), **module_kwargs)
        super().__init__(config, module, input_shape, seed, dtype, _do_init, param_dtype)


def param_dtype_of(dtype: np.dtype, param_dtype: Any) -> np.dtype:
    """The type of the parameters that goes with a type of computation.

    Raises:
        InputError: Either is float64 while JAX's 64-bit mode is off.
    """
    name = dtype_name(param_dtype) or ("float64" if dtype.name == "float64" else "float32")
    if "float64" in (name, dtype.name) and not jax.config.read("jax_enable_x64"):
        raise InputError(
            three_beats(
                "float64 while JAX's 64-bit mode is off",
                "the mode to be on",
                'Run jax.config.update("jax_enable_x64", True) first, best before any other use of JAX.',
            )
        )
    return numpy_dtype(name)


def as_array(value: Any) -> Array | None:
    """Whatever holds numbers (NumPy, nested lists) as a JAX array; None stays None."""
    return None if value is None else jnp.asarray(value)


def nest(leaves: Iterable[tuple[tuple[str, ...], Any]]) -> dict[str, Any]:
    """A nested dict from (path, leaf) pairs."""
    tree: dict[str, Any] = {}
    for path, leaf in leaves:
        branch = tree
        for segment in path[:-1]:
            branch = branch.setdefault(segment, {})
        branch[path[-1]] = leaf
    return tree


def _leaves(tree: Params, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, name))
        else:
            yield (*path, name), value


def _at(tree: Params, path: tuple[str, ...]) -> Any:
    for segment in path:
        tree = tree[segment]
    return tree


def _cast(params: Params, dtype: Any, mask: Any) -> Params:
    def cast(leaf: Any, chosen: bool) -> Any:
        return leaf.astype(dtype) if chosen and jnp.issubdtype(leaf.dtype, jnp.floating) else leaf

    return jax.tree.map(cast, params, jax.tree.map(lambda _: True, params) if mask is None else mask)


def _register_pytree(output_type: type[ModelOutput]) -> None:
    jax.tree_util.register_pytree_node(
        output_type,
        lambda output: flatten(output),
        lambda names, values: unflatten(output_type, names, values),
    )


register_pytrees(_register_pytree)
