"""TFPreTrainedModel: the base of every Keras model."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, cast

import keras
import numpy as np
import optree
import tensorflow as tf

from ...configuration import PretrainedConfig
from ...conversion.formats.tensors import numpy_dtype
from ...conversion.slots import Slot, Source, make_slot
from ...files.errors import InputError, three_beats
from ...outputs import ModelOutput, flatten, register_pytrees, unflatten
from ..base import Construction, PretrainedBase, check_affordable, structure_only
from ..options import LoadOptions, SaveOptions, check_not_saved
from ..pushing import PushInTheOrderOfTF
from .generation import TFGenerationMixin
from .kinds import kind_of, note_sizes
from .layers import CheckpointedLayer, Sized, changing, own_variables, replace_variable

#: What calls name their labels, in the order of the outputs that they are compared with.
LABELS = ("labels", "mc_labels", "next_sentence_label", "start_positions", "end_positions")


class TFPreTrainedModel(TFGenerationMixin, PushInTheOrderOfTF, PretrainedBase, keras.Model, metaclass=Construction):
    """Base of every Keras model: called with keyword tensors or one dict, trained with `compile` and `fit`.

    `compile()` without a loss uses the model's own and finds the labels among the inputs, or takes them as `y`; with
    a Keras loss it gives that loss the labels and the logits.

    Args:
        config: What the model is.
        name: Keras' name of the model, the first segment of its variables' paths.
        dtype: A dtype policy, such as "float32" or "mixed_bfloat16"; Keras' global policy if None.
        seed: Seed of the initial weights; without it, one draw from TensorFlow's global generator.

    Raises:
        ConfigurationError: The configuration cannot describe a model, or one larger than this machine's memory.
    """

    framework: ClassVar[str] = "tf"
    supports_gradient_checkpointing: ClassVar[bool] = True
    copies_values = True
    class_prefix = "TF"

    def __init__(self, config: PretrainedConfig, *, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name or self.base_model_prefix or None, dtype=dtype)
        config.validate()
        self.config = config

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        keras.saving.register_keras_serializable(cls.__module__.partition(".")[0])(cls)

    # ---- structure and values -------------------------------------------------------------------------------

    @classmethod
    def structure(cls, config: PretrainedConfig, *args: Any, **kwargs: Any) -> Any:
        """The layers without their variables; a user's own class is called once, for Keras to build its layers."""
        with structure_only():
            model = type.__call__(cls, config, *args, **kwargs)
        if not cls.is_listed():
            model.initialize(0)
            model(model.dummy_inputs)
        return model

    @classmethod
    def structure_arguments(cls, dtype: str | None, param_dtype: str | None) -> dict[str, Any]:
        return {} if dtype is None else {"dtype": dtype}

    def slots(self) -> list[Slot]:
        """Every parameter, by canonical name."""
        return [
            make_slot((*path, leaf), shape, kind_of(layer), "tensorflow", owner=layer)
            for path, layer in _walk(self)
            for leaf, shape in _parameter_shapes(layer).items()
        ]

    def initialize(self, seed: int | None) -> None:
        """Draw every value afresh; a layer of a kind that is not known is left to Keras."""
        check_affordable(self.slots(), numpy_dtype(self.variable_dtype).itemsize, self.config)
        self.fill(self.initial(self.config, self.fresh_seed() if seed is None else seed))

    def fresh_seed(self) -> int:
        """One draw from TensorFlow's global generator."""
        return int(tf.random.uniform((), maxval=2**62, dtype=tf.int64))

    def fill(self, source: Source, dtype: str | None = None) -> None:
        """Create every variable with its value; `dtype` is already in each layer's policy."""
        slots: dict[int, list[Slot]] = {}
        for slot in self.slots():
            slots.setdefault(id(slot.owner), []).append(slot)
        _fill(self, slots, source)

    def replace(self, slot: Slot, array: np.ndarray) -> None:
        """Put an array of another shape into a slot; a compiled model is to be compiled again."""
        value = slot.layout.from_canonical(tf.convert_to_tensor(array), tf.transpose)
        replace_variable(slot.owner, self.held(slot), value)
        note_sizes(slot.owner)
        self.train_function = self.test_function = self.predict_function = None  # they are of the old shapes

    def held(self, slot: Slot) -> keras.Variable:
        """The variable of a slot."""
        return _variable(slot)

    def read_slot(self, slot: Slot) -> np.ndarray:
        """What a slot holds, as a NumPy array in the canonical axis order."""
        return slot.layout.to_canonical(self.held(slot).value.value(), tf.transpose).numpy()

    def parameter_dtype(self, slot: Slot) -> np.dtype:
        """The type that a slot holds."""
        return numpy_dtype(self.held(slot).dtype)

    def tie_weights(self) -> None:
        """Nothing: what is tied is one variable here, which both layers read at every call."""

    # ---- loading --------------------------------------------------------------------------------------------

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike, *model_args: Any, **kwargs: Any) -> Any:
        """Load a checkpoint from a directory or a name on the Hub.

        Args:
            pretrained_model_name_or_path: A directory that holds `config.json` and the tensors, or a Hub name.
            model_args: Further positional arguments of the class's constructor.
            kwargs: `config`, `dtype` (a dtype policy; "auto" for the file's type), `strict`,
                `ignore_mismatched_sizes`, `output_loading_info`, `seed`, `cache_dir`, `force_download`,
                `local_files_only`, `token`, `revision`, `subfolder`, `verify`, `variant`, `use_safetensors`, `from_pt`,
                `from_flax`; fields of the configuration to set differently; keyword arguments of the constructor.

        Raises:
            FileError: There is no such checkpoint, or it is damaged.
            CheckpointError: Its tensors do not fit the model.
            InputError: An argument that makes no sense.
        """
        options = LoadOptions.take_from(kwargs)
        return cls.load(pretrained_model_name_or_path, options, *model_args, **options.rest)

    def save_pretrained(
        self,
        save_directory: str | os.PathLike,
        saved_model: bool = False,
        version: int = 1,
        push_to_hub: bool = False,
        signatures: Any = None,
        max_shard_size: int | str = "5GB",
        create_pr: bool = False,
        safe_serialization: bool = True,
        token: str | bool | None = None,
        *,
        variant: str | None = None,
        is_main_process: bool = True,
        **kwargs: Any,
    ) -> None:
        """Write `config.json` and the tensors, all or nothing.

        Args:
            save_directory: Made if it is not there.
            saved_model: Only False: `model.export(directory)` writes a SavedModel.
            version: Unused without `saved_model`.
            push_to_hub: Whether to push it to the Hub then.
            signatures: Only None, as `saved_model`.
            max_shard_size: The most bytes of tensors in one file: a number, or a text such as "5GB".
            create_pr: Whether the push asks for the change in a pull request.
            safe_serialization: Whether in safetensors, the same bytes from every framework; else `tf_model.h5`.
            token: For a push, an access token with the right to write.
            variant: What stands before the extension in the files' names, such as "fp16".
            is_main_process: False in all but one of the processes of a distributed run; then nothing is written.
            kwargs: Further arguments of `push_to_hub`; `repo_id` is the directory's name by default.

        Raises:
            FileError: The directory cannot be made or written, or the Hub refuses.
            InputError: An argument that makes no sense.
            MissingDependencyError: h5py is not installed.
        """
        check_not_saved(saved_model=saved_model, signatures=signatures)
        options = SaveOptions(safe_serialization, max_shard_size, variant, is_main_process)
        arguments = {"token": token, "create_pr": create_pr, **kwargs}
        with self.pushing(save_directory, push_to_hub and is_main_process, arguments):
            self.save_tensors(save_directory, options)

    def get_config(self) -> dict[str, Any]:
        """What Keras writes into a `.keras` file to make the model again."""
        return {
            "config": self.config.to_dict(),
            "name": self.name,
            "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
        }

    @classmethod
    def from_config(cls, config: Any, **kwargs: Any) -> Any:
        """Make a model from a configuration, or from what `get_config` gave."""
        if isinstance(config, PretrainedConfig):
            return cls(config, **kwargs)
        values = dict(config)
        policy = keras.saving.deserialize_keras_object(values.pop("dtype"))
        return cls(cls.config_class.from_dict(values.pop("config")), dtype=policy, **values)

    # ---- calls and training ---------------------------------------------------------------------------------

    def __call__(self, inputs: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Call with keyword tensors, or with one mapping of them."""
        if isinstance(inputs, Mapping):
            return super().__call__(*args, **{**inputs, **kwargs})
        given = () if inputs is None and not args else (inputs, *args)
        return super().__call__(*given, **kwargs)

    def fit(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Keras' `fit`; any mapping will do for a dict of inputs, a tokenizer's answer too."""
        return super().fit(_plain(x), *args, **kwargs)

    def evaluate(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Keras' `evaluate`; any mapping will do for a dict of inputs."""
        return super().evaluate(_plain(x), *args, **kwargs)

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Keras' `predict`; any mapping will do for a dict of inputs. The answer is a `ModelOutput` of arrays."""
        return super().predict(_plain(x), *args, **kwargs)

    def export(self, *args: Any, **kwargs: Any) -> None:
        """Keras' `export`; what is served keeps nothing for a next call, for a signature answers with arrays alone."""
        kept = {name: value for name, value in self.config.to_dict().items() if name == "use_cache"}
        self.config.update(dict.fromkeys(kept, False))
        try:
            super().export(*args, **kwargs)
        finally:
            self.config.update(kept)

    def train_step(self, data: Any) -> Any:
        """One optimizer step on a batch `inputs`, `(inputs, labels)` or `(inputs, labels, sample_weight)`."""
        return super().train_step(self._place_labels(data))

    def test_step(self, data: Any) -> Any:
        """Loss and metrics of a batch."""
        return super().test_step(self._place_labels(data))

    def predict_step(self, data: Any) -> Any:
        """The outputs of a batch, without a loss."""
        inputs, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        if isinstance(inputs, Mapping):
            labels = self.label_names()
            inputs = {name: value for name, value in inputs.items() if name not in labels}
        return self(inputs, training=False)

    @classmethod
    def label_names(cls) -> tuple[str, ...]:
        """The labels among the call's arguments."""
        arguments = inspect.signature(cls.call).parameters
        return tuple(name for name in LABELS if name in arguments)

    def _place_labels(self, data: Any) -> tuple[Any, Any, Any]:
        """Put the labels where the loss looks for them: among the inputs for the model's own, and beside them."""
        inputs, beside, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        inputs = dict(inputs) if isinstance(inputs, Mapping) else {self.main_input_name: inputs}
        names = self.label_names()
        labels = {name: inputs.pop(name) for name in names if name in inputs}
        if not names:
            return inputs, beside, sample_weight
        labels |= _by_name(beside, names)
        if self.loss is None:
            inputs |= labels
        return inputs, labels, sample_weight

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The loss that `compile` chose, with the layers' own penalties.

        Raises:
            InputError: The model's own loss has no labels, or is asked to weigh samples.
        """
        if self.loss is not None:
            labels, logits = self._compared(y, y_pred)
            return super().compute_loss(x, labels, logits, sample_weight, training)
        losses = [value for name, value in y_pred.items() if name == "loss" or name.endswith("_loss")]
        if sample_weight is not None or not losses:
            found = "sample weights" if sample_weight is not None else "no labels"
            remedy = "Put labels among the inputs, or compile with a Keras loss to weigh samples."
            raise InputError(three_beats(f"the model's own loss got {found}", "labels alone", remedy))
        losses += self.losses
        return keras.ops.sum(losses) if len(losses) > 1 else losses[0]

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The metrics that `compile` chose, on labels and logits."""
        return super().compute_metrics(x, *self._compared(y, y_pred), sample_weight)

    def _compared(self, labels: Any, output: Any) -> tuple[Any, Any]:
        """What a Keras loss or metric compares: labels with logits, where there are several by the logits' names."""
        logits = _logits(output)
        if not logits or not self.label_names():
            return labels, output
        given = _by_name(labels, self.label_names())
        if len(logits) == 1:
            return next(iter(given.values()), None), next(iter(logits.values()))
        pairs = zip(self.label_names(), logits, strict=True)
        return {output_name: given[name] for name, output_name in pairs if name in given}, logits

    @property
    def dummy_inputs(self) -> dict[str, Any]:
        """The least inputs that a call takes: token ids [1, 2]."""
        return {self.main_input_name: np.zeros((1, 2), np.int32)}

    # ---- what users ask of a model --------------------------------------------------------------------------

    def set_input_embeddings(self, value: Any) -> None:
        """Put another layer in the place of the one that embeds tokens."""
        with changing(self):
            super().set_input_embeddings(value)

    def set_output_embeddings(self, value: Any) -> None:
        """Put another layer in the place of the one that scores tokens.

        Raises:
            InputError: The model has none.
        """
        with changing(self):
            super().set_output_embeddings(value)

    def __dir__(self) -> list[str]:
        # Keras walks dir() when it saves and loads, and would follow `base_model` back into the model itself
        return [name for name in super().__dir__() if name != "base_model"]

    def gradient_checkpointing_enable(self) -> None:
        """Let the backward pass compute the layers' intermediate values again instead of keeping them."""
        self._recompute(True)

    def gradient_checkpointing_disable(self) -> None:
        """Keep the layers' intermediate values for the backward pass, as is usual."""
        self._recompute(False)

    @property
    def is_gradient_checkpointing(self) -> bool:
        """Whether the backward pass computes the layers' intermediate values again."""
        return any(layer.recomputes for layer in self._checkpointed())

    def _recompute(self, recomputes: bool) -> None:
        for layer in self._checkpointed():
            layer.recomputes = recomputes
        self.train_function = None  # so that `fit` traces another one

    def _checkpointed(self) -> Iterator[CheckpointedLayer]:
        return (layer for _, layer in _walk(self) if isinstance(layer, CheckpointedLayer))

    def num_parameters(self, only_trainable: bool = False, exclude_embeddings: bool = False) -> int:
        """The number of elements of all parameters."""
        return sum(
            slot.size
            for slot in self.slots()
            if not (exclude_embeddings and slot.kind == "embedding")
            and (not only_trainable or self.held(slot).trainable)
        )


def _children(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    return layer._flatten_layers(include_self=False, recursive=False)


def _walk(
    layer: keras.layers.Layer, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], keras.layers.Layer]]:
    """Every layer below the root with the names that lead to it."""
    yield path, layer
    for position, child in enumerate(_children(layer)):
        yield from _walk(child, (*path, *_segments(layer, child, position)))


def _segments(parent: keras.layers.Layer, child: keras.layers.Layer, position: int) -> tuple[str, ...]:
    """A layer's name; where Keras made it up, which counts on from model to model, the attribute that holds it."""
    if re.sub(r"_\d+$", "", child.name).replace("_", "") != type(child).__name__.lower():
        return (child.name,)
    for name, value in vars(parent).items():
        if value is child:
            return (name,)
        if isinstance(value, (list, tuple)) and not name.startswith("_"):
            for index, item in enumerate(value):
                if item is child:
                    return name, str(index)
    return (str(position),)


def _parameter_shapes(layer: keras.layers.Layer) -> dict[str, tuple[int, ...]]:
    """A layer's own parameters; those of a user's layer are known once Keras has built it."""
    if isinstance(layer, Sized):
        return layer.parameter_shapes()
    return {variable.name: tuple(variable.shape) for variable in own_variables(layer)}


def _fill(layer: keras.layers.Layer, slots: Mapping[int, list[Slot]], source: Source) -> None:
    """Build a layer and all below it; the name scopes give variables the paths that Keras would give them."""
    own = slots.get(id(layer), [])
    if isinstance(layer, Sized):
        layer.build_with(dict(_values(own, source, numpy_dtype(layer.variable_dtype))))
    else:
        for slot in own:
            variable = _variable(slot)
            for _, value in _values([slot], source, numpy_dtype(variable.dtype)):
                variable.assign(value)
    with keras.name_scope(layer.name):
        for child in _children(layer):
            _fill(child, slots, source)
    if isinstance(layer, TFPreTrainedModel) or getattr(layer.build, "_is_default", False):
        layer.built = all(child.built for child in _children(layer))  # what is not, Keras builds at its first call


def _values(slots: list[Slot], source: Source, dtype: np.dtype) -> Iterator[tuple[str, tf.Tensor]]:
    """Keras' names of some slots and their values; what the source does not know stays as Keras makes it."""
    for slot in slots:
        value = source(slot, dtype)
        if value is not None:
            handed: Any = _Handed(value)
            yield slot.path[-1], slot.layout.from_canonical(tf.convert_to_tensor(handed), tf.transpose)


class _Handed:
    """A NumPy array to be taken over: one that TensorFlow is given as such, it copies twice."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.dtype, self.shape = array, array.dtype, array.shape

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.array


def _variable(slot: Slot) -> keras.Variable:
    return next(variable for variable in own_variables(slot.owner) if variable.name == slot.path[-1])


def _plain(inputs: Any) -> Any:
    """Inputs as Keras' data adapters know them."""
    return dict(inputs) if isinstance(inputs, Mapping) else inputs


def _by_name(labels: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Labels under the names of the call's arguments, however they stand beside the inputs."""
    if labels is None:
        return {}
    if isinstance(labels, Mapping):
        return dict(labels)
    if isinstance(labels, (tuple, list)):
        return dict(zip(names, labels, strict=False))
    return {names[0]: labels}


def _logits(output: Any) -> dict[str, Any]:
    """Those of an output's fields that are compared with labels."""
    fields = output if isinstance(output, ModelOutput) else {}
    return {name: value for name, value in fields.items() if name == "logits" or name.endswith("_logits")}


def _register_pytree(output_type: type[ModelOutput]) -> None:
    """Let Keras look into an output as it looks into a dict."""
    optree.register_pytree_node(
        output_type,
        lambda output: flatten(cast(ModelOutput, output)),
        lambda names, values: unflatten(output_type, cast(tuple[str, ...], names), values),
        namespace="keras",
    )


register_pytrees(_register_pytree)
