"""The layers that own parameters: Keras' own, told their sizes, so that they can be built before any call.

A size that is known when the layer is made gives every parameter a slot before a single value is there; the value
then becomes the variable, without an initial one in between. After them, what layers of every architecture can do.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import keras
import tensorflow as tf

from ..checks import check_divides
from . import ops

#: The values of the layer that is being built; no attribute, for Keras would track it as a part of the layer.
_first_values: ContextVar[Mapping[str, tf.Tensor] | None] = ContextVar("first_values", default=None)


def own_variables(layer: keras.layers.Layer) -> list[keras.Variable]:
    """A layer's variables without those of the layers in it."""
    return [*layer._trainable_variables, *layer._non_trainable_variables]


@contextlib.contextmanager
def changing(layer: keras.layers.Layer) -> Iterator[None]:
    """Within this context, a layer that is built and those in it may be given other parts, which Keras forbids else."""
    every = [one for one in layer._flatten_layers() if one._tracker.locked]
    for one in every:
        one._tracker.unlock()
    try:
        yield
    finally:
        for one in every:
            one._tracker.lock()


def replace_variable(layer: keras.layers.Layer, old: keras.Variable, value: tf.Tensor) -> None:
    """Put a variable of another shape in the place of a layer's own one, under its name and in its turn."""
    turns = layer._trainable_variables if old.trainable else layer._non_trainable_variables
    attribute = next(name for name, one in vars(layer).items() if one is old)
    turn = next(turn for turn, one in enumerate(turns) if one is old)
    with changing(layer), layer._open_name_scope():
        layer._untrack_variable(old)
        new = layer.add_weight(
            name=old.name,
            shape=value.shape,
            initializer=lambda shape, dtype: tf.cast(value, dtype),
            dtype=old.dtype,
            trainable=old.trainable,
        )
        setattr(layer, attribute, new)
    turns.insert(turn, turns.pop())


class Sized(keras.layers.Layer):
    """A layer that knows the shapes of its parameters before it is built."""

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Keras' name of each parameter -> its shape."""
        raise NotImplementedError

    def build_with(self, values: Mapping[str, tf.Tensor]) -> None:
        """Create the variables with these values, or give them these values where they are there already."""
        if self.built:
            for variable in own_variables(self):
                if variable.name in values:
                    variable.assign(values[variable.name])
            return
        token = _first_values.set(values)
        try:
            self.build(self.shape_to_build())
        finally:
            _first_values.reset(token)

    def shape_to_build(self) -> tuple[int | None, ...] | None:
        """What Keras' `build` wants to be told."""
        return None

    def add_weight(self, *args: Any, name: str | None = None, **kwargs: Any) -> Any:
        """Keras' `add_weight`, with the value at hand as the initial one."""
        values = _first_values.get() or {}
        if name is not None and name in values:
            kwargs["initializer"] = lambda shape, dtype: values[name]
        return super().add_weight(*args, name=name, **kwargs)


class Holder(Sized):
    """A layer that holds parameters of its own beside other layers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._constants: set[str] = set()

    def parameter(self, name: str, shape: tuple[int, ...], is_trained: bool = True) -> Any:
        """Declare a parameter, for the attribute of this name: None until the layer is built."""
        self._shapes[name] = shape
        if not is_trained:
            self._constants.add(name)

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        return dict(self._shapes)

    def note_shapes(self) -> None:
        """Take the shapes from the variables."""
        self._shapes.update({variable.name: tuple(variable.shape) for variable in own_variables(self)})

    def build(self, input_shape: Any = None) -> None:
        """Create the variables."""
        for name, shape in self._shapes.items():
            trainable = name not in self._constants
            setattr(self, name, self.add_weight(name=name, shape=shape, initializer="zeros", trainable=trainable))


class Dense(Sized, keras.layers.Dense):
    """x kernel + bias: [..., in_features] -> [..., units]."""

    def __init__(self, in_features: int, units: int, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.in_features = in_features

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        bias = {"bias": (self.units,)} if self.use_bias else {}
        return {"kernel": (self.in_features, self.units), **bias}

    def shape_to_build(self) -> tuple[int | None, ...]:
        return (None, self.in_features)


class Conv1D(Sized):
    """x weight + bias, the linear layer of GPT-2, whose weight is called so: [..., nx] -> [..., nf].

    Args:
        nf: The width of what it gives.
        nx: The width of what it takes.
    """

    def __init__(self, nf: int, nx: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.nf, self.nx = nf, nx

    def build(self, input_shape: Any = None) -> None:
        """Create the variables; the bias is [1, nf]."""
        normal = keras.initializers.RandomNormal(stddev=0.02)
        self.weight = self.add_weight(name="weight", shape=(self.nx, self.nf), initializer=normal)
        self.bias = self.add_weight(name="bias", shape=(1, self.nf), initializer="zeros")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.tensordot(inputs, tf.convert_to_tensor(self.weight), 1) + self.bias[0]

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        return {"weight": (self.nx, self.nf), "bias": (1, self.nf)}


class Embedding(Sized, keras.layers.Embedding):
    """Rows of a table: [...] -> [..., output_dim].

    Args:
        padding: The index of a row that learns nothing, as PyTorch's `padding_idx`.
    """

    def __init__(self, input_dim: int, output_dim: int, *, padding: int | None = None, **kwargs: Any) -> None:
        super().__init__(input_dim, output_dim, **kwargs)
        self.padding = None if padding is None else padding % input_dim

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        rows: Any = super().call(inputs)
        if self.padding is None:
            return rows
        is_padding = tf.expand_dims(tf.equal(inputs, self.padding), -1)
        return tf.where(is_padding, tf.stop_gradient(rows), rows)

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        return {"embeddings": (self.input_dim, self.output_dim)}


class ScaledEmbedding(Embedding):
    """Rows of a table, each multiplied with one number: [...] -> [..., output_dim].

    Args:
        scale: The number.
    """

    def __init__(self, input_dim: int, output_dim: int, *, scale: float = 1.0, **kwargs: Any) -> None:
        super().__init__(input_dim, output_dim, **kwargs)
        self.scale = scale

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        rows = super().call(inputs)
        return rows if self.scale == 1.0 else rows * self.scale


def seed_generator() -> keras.random.SeedGenerator:
    """A layer's random state.

    Its name is always the same: by default Keras numbers them through a whole process, and TensorFlow keeps what it
    prepares for a variable's name, so that every model ever made would leave something behind.
    """
    return keras.random.SeedGenerator(name="seed_generator")


class Dropout(keras.layers.Dropout):
    """Zeros in random places in training: [...] -> [...].

    Args:
        rate: The probability of a zero.
    """

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(0.0, **kwargs)  # which makes no random state
        self.rate = rate
        if rate > 0.0:
            with changing(self):
                self.seed_generator = seed_generator()


class LayerDrop(keras.layers.Layer):
    """Leaves a layer out in training, with some probability (Fan et al. 2019, https://arxiv.org/abs/1909.11556).

    Args:
        rate: The probability.
    """

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        if rate > 0.0:  # a generator is a variable
            self.seed_generator = seed_generator()

    def call(self, before: tf.Tensor, after: tf.Tensor, training: bool = False) -> tf.Tensor:
        """What a layer read and what it answered, either [B, T, D]: the first if the layer is left out."""
        if not training or self.rate == 0.0:
            return after
        drawn: Any = keras.random.uniform((), seed=self.seed_generator)
        return tf.where(drawn < self.rate, before, after)


class TiedDense(keras.layers.Layer):
    """x table^T, where the table is that of an embedding: [..., output_dim] -> [..., input_dim].

    Args:
        embedding: Answers with the layer that holds the table, at every call, so that another one in its place is
            followed; a function, for Keras would track the layer itself as a part of this one.
    """

    def __init__(self, embedding: Callable[[], keras.layers.Embedding], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.embedding = embedding

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        table = tf.cast(self.embedding().embeddings, self.compute_dtype)
        *batch, width = ops.shape(inputs)
        rows = tf.reshape(inputs, (-1, width))  # XLA reads the table at full speed for a product of two axes alone
        return tf.reshape(tf.matmul(rows, table, transpose_b=True), (*batch, table.shape[0]))


class TiedBiasedDense(TiedDense, Holder):
    """x table^T + bias, where the table is that of an embedding: [..., output_dim] -> [..., units].

    Args:
        embedding: As of `TiedDense`.
        units: The size of the bias, one number for each row of the table.
    """

    def __init__(self, embedding: Callable[[], keras.layers.Embedding], units: int, **kwargs: Any) -> None:
        super().__init__(embedding, **kwargs)
        self.bias = self.parameter("bias", (units,))

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return super().call(inputs) + self.bias


class LayerNorm(Sized, keras.layers.LayerNormalization):
    """Normalization over the last axis, of `size`."""

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        return {"gamma": (self.size,), "beta": (self.size,)}

    def shape_to_build(self) -> tuple[int | None, ...]:
        return (None, self.size)


class Convolution1D(Sized, keras.layers.Conv1D):
    """A convolution over time: [B, T, in_channels] -> [B, T', filters]."""

    def __init__(self, in_channels: int, filters: int, kernel_size: int, **kwargs: Any) -> None:
        super().__init__(filters, kernel_size, data_format="channels_last", **kwargs)
        self.in_channels = in_channels

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        bias = {"bias": (self.filters,)} if self.use_bias else {}
        return {"kernel": (*self.kernel_size, self.in_channels, self.filters), **bias}

    def shape_to_build(self) -> tuple[int | None, ...]:
        return (None, None, self.in_channels)


class WeightNormConv1D(Sized):
    """A convolution in groups with a weight that is a length for each position times a direction.

    Its input is padded on both sides: [B, T, C] -> [B, T or T + 1, C].

    Args:
        channels: C.
        kernel_size: K; where it is even there is one frame more.
        groups: Groups of channels.
    """

    def __init__(self, channels: int, kernel_size: int, groups: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channels, self.kernel_size, self.groups = channels, kernel_size, groups

    def build(self, input_shape: Any = None) -> None:
        """Create the variables."""
        for name, shape in self.parameter_shapes().items():
            setattr(self, name, self.add_weight(name=name, shape=shape, initializer="ones"))

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        direction = tf.convert_to_tensor(self.weight_v)  # [C, C / groups, K]
        length = tf.transpose(tf.convert_to_tensor(self.weight_g), (2, 1, 0))  # [1, 1, K]
        norm = tf.sqrt(tf.reduce_sum(tf.square(direction), (0, 1), keepdims=True))
        weight = tf.transpose(direction * (length / norm), (2, 1, 0))  # [K, C / groups, C]
        reach = self.kernel_size // 2
        padded = tf.pad(inputs, [[0, 0], [reach, reach], [0, 0]])
        # group by group: on a CPU TensorFlow has no gradient of a convolution in groups
        parts = zip(tf.split(padded, self.groups, 2), tf.split(weight, self.groups, 2), strict=True)
        return tf.concat([tf.nn.conv1d(part, kernel, 1, "VALID") for part, kernel in parts], 2) + self.bias

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        inner = self.channels // self.groups
        return {
            "weight_g": (self.kernel_size, 1, 1),
            "weight_v": (self.channels, inner, self.kernel_size),
            "bias": (self.channels,),
        }


class GroupNorm(Sized):
    """Normalization of each channel over time, a group for each: [B, T, size] -> the same.

    Args:
        size: How many channels there are.
        epsilon: What is added to the variance.
    """

    def __init__(self, size: int, *, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size, self.epsilon = size, epsilon

    def build(self, input_shape: Any = None) -> None:
        """Create the variables."""
        self.gamma = self.add_weight(name="gamma", shape=(self.size,), initializer="ones")
        self.beta = self.add_weight(name="beta", shape=(self.size,), initializer="zeros")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        wide = ops.widen(inputs)
        distance = wide - tf.reduce_mean(wide, 1, keepdims=True)
        variance = tf.reduce_mean(tf.square(distance), 1, keepdims=True)
        normal = tf.cast(distance * tf.math.rsqrt(variance + self.epsilon), inputs.dtype)
        return normal * tf.convert_to_tensor(self.gamma) + tf.convert_to_tensor(self.beta)

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        return {"gamma": (self.size,), "beta": (self.size,)}


class Conv2D(Sized, keras.layers.Conv2D):
    """A convolution over images: [B, Y, X, in_channels] -> [B, Y', X', filters]."""

    def __init__(self, in_channels: int, filters: int, kernel_size: Any, **kwargs: Any) -> None:
        super().__init__(filters, kernel_size, data_format="channels_last", **kwargs)
        self.in_channels = in_channels

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        bias = {"bias": (self.filters,)} if self.use_bias else {}
        return {"kernel": (*self.kernel_size, self.in_channels // self.groups, self.filters), **bias}

    def shape_to_build(self) -> tuple[int | None, ...]:
        return (None, None, None, self.in_channels)


class DepthwiseConv2D(Conv2D):
    """A convolution of each channel by itself, the image padded to keep its size: [B, Y, X, C] -> [B, Y, X, C].

    Its kernel is [Y, X, 1, C], as that of any convolution in groups; those TensorFlow would compile for a CPU.
    """

    def __init__(self, channels: int, kernel_size: Any, **kwargs: Any) -> None:
        super().__init__(channels, channels, kernel_size, groups=channels, padding="same", **kwargs)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        kernel = tf.transpose(tf.convert_to_tensor(self.kernel), (0, 1, 3, 2))  # [Y, X, C, 1]
        return tf.nn.depthwise_conv2d(inputs, kernel, (1, 1, 1, 1), "SAME") + self.bias


class RMSNorm(Sized):
    """Division by the root of the mean square (Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467).

    Args:
        size: The width of what it normalizes, [..., size].
        epsilon: What is added to the mean square.
    """

    def __init__(self, size: int, *, epsilon: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size, self.epsilon = size, epsilon

    def build(self, input_shape: Any = None) -> None:
        """Create the variable."""
        self.weight = self.add_weight(name="weight", shape=(self.size,), initializer="ones")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        wide = ops.widen(inputs)
        normal = wide * tf.math.rsqrt(tf.reduce_mean(tf.square(wide), -1, keepdims=True) + self.epsilon)
        return tf.convert_to_tensor(self.weight) * tf.cast(normal, inputs.dtype)

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        return {"weight": (self.size,)}


class Unconverted(keras.layers.Layer):
    """A layer that gets its arguments themselves: Keras would convert a cache, and hand on a copy of it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._convert_input_args = False


class CheckpointedLayer(keras.layers.Layer):
    """A layer whose intermediate values the backward pass may compute again instead of keeping them.

    Its call takes tensors and None, and answers one or a tuple of them. With a cache to fill it is called as usual.

    Attributes:
        recomputes: Whether it does so, in training.
    """

    recomputes: bool = False

    def __call__(self, *args: Any, memory: Any = None, training: bool = False) -> Any:
        if not self.recomputes or not training or memory is not None:
            options = {} if memory is None else {"memory": memory}  # layers that fill no cache know none
            return super().__call__(*args, **options, training=training)
        return self._recomputed(args)

    def _recomputed(self, args: tuple[Any, ...]) -> Any:
        """The call as a function of its tensors and weights alone, so that TensorFlow can run it a second time.

        The random states are those before the first run in both, so that dropout drops the same.
        """
        places = [place for place, value in enumerate(args) if value is not None]
        states = [tf.identity(variable.value) for variable in self.non_trainable_variables]
        weights = [tf.convert_to_tensor(variable._value) for variable in self.trainable_variables]  # not autocast
        runs: list[tuple[Any, ...]] = []

        def run(*tensors: tf.Tensor) -> tuple[tf.Tensor, ...]:
            given = dict(zip(places, tensors, strict=False))
            whole = [given.get(place) for place in range(len(args))]
            result: Any = self.stateless_call(tensors[len(places) :], states, *whole, training=True)
            answer, after = result
            several = answer if isinstance(answer, tuple) else (answer,)
            runs.append(([value is not None for value in several], several is answer, after))
            return tuple(value for value in several if value is not None)

        found = iter(tf.recompute_grad(run)(*(args[place] for place in places), *weights))
        is_there, are_several, after = runs[0]
        for variable, state in zip(self.non_trainable_variables, after, strict=True):
            variable.assign(state)
        answer = tuple(next(found) if there else None for there in is_there)
        return answer if are_several else answer[0]


def in_chunks(function: Callable[[tf.Tensor], tf.Tensor], hidden: tf.Tensor, size: int) -> tf.Tensor:
    """A function of single positions, applied to `size` positions at a time to save memory; to all at once if 0.

    Args:
        function: [B, t, D] -> [B, t, D].
        hidden: [B, T, D]; in a graph that does not know T, the function is applied to all at once.
        size: Positions at a time; must divide T.

    Raises:
        InputError: It does not.
    """
    length = hidden.shape[1]
    if size == 0 or length is None:
        return function(hidden)
    check_divides(size, length)
    return tf.concat([function(piece) for piece in tf.split(hidden, length // size, 1)], 1)
