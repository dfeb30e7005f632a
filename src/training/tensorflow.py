"""The Keras optimizer with PyTorch's arithmetic, and its learning-rate schedule.

Keras' own AdamW adds epsilon before the bias correction and keeps its hyperparameters in float32; both move the
weights away from where PyTorch's AdamW (https://arxiv.org/abs/1711.05101) and optax' take them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from ..files.errors import InputError, three_beats

#: Parameters that are not decayed unless asked for: norms and biases.
NOT_DECAYED = ("LayerNorm", "layer_norm", "bias")


@keras.saving.register_keras_serializable("triformers")
class WarmUpPolynomialDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A rise in a straight line from 0, then a fall to `end_rate`, in float64.

    Args:
        initial_rate: The highest rate, reached after the rise.
        decay_steps: Steps of the fall; the rate stays at `end_rate` afterwards.
        end_rate: The rate at the end.
        warmup_steps: Steps of the rise.
        power: The power of the fall; 1 is a straight line.
    """

    def __init__(
        self, initial_rate: float, decay_steps: int, end_rate: float, warmup_steps: int = 0, power: float = 1.0
    ) -> None:
        super().__init__()
        self.initial_rate = initial_rate
        self.decay_steps = decay_steps
        self.end_rate = end_rate
        self.warmup_steps = warmup_steps
        self.power = power

    def __call__(self, step: Any) -> tf.Tensor:
        step = tf.cast(step, tf.float64)
        left = 1.0 - tf.clip_by_value((step - self.warmup_steps) / max(self.decay_steps, 1), 0.0, 1.0)
        falling = (self.initial_rate - self.end_rate) * left**self.power + self.end_rate
        if not self.warmup_steps:
            return falling
        return tf.where(step < self.warmup_steps, self.initial_rate * step / self.warmup_steps, falling)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        names = ("initial_rate", "decay_steps", "end_rate", "warmup_steps", "power")
        return {name: getattr(self, name) for name in names}


@keras.saving.register_keras_serializable("triformers")
class AdamWeightDecay(keras.optimizers.Optimizer):
    """AdamW as PyTorch computes it.

    Args:
        learning_rate: The rate, or a schedule of it.
        beta_1: Decay of the mean of the gradients.
        beta_2: Decay of the mean of their squares.
        epsilon: Added to the root of the latter after its bias correction.
        amsgrad: Not offered; only False.
        weight_decay_rate: How much of a decayed weight a step takes away, in units of the rate.
        include_in_weight_decay: Patterns of variable paths that are decayed whatever else holds.
        exclude_from_weight_decay: Patterns of variable paths that are not decayed.
        name: Keras' name of the optimizer.
        kwargs: Keras' own: `clipnorm`, `global_clipnorm`, `clipvalue`, `name`, ...
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        weight_decay_rate: float = 0.0,
        include_in_weight_decay: Sequence[str] | None = None,
        exclude_from_weight_decay: Sequence[str] | None = None,
        name: str = "AdamWeightDecay",
        **kwargs: Any,
    ) -> None:
        if amsgrad:
            raise InputError(three_beats("amsgrad=True", "False", "Use keras.optimizers.AdamW(amsgrad=True)."))
        super().__init__(learning_rate, name=name, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.weight_decay_rate = weight_decay_rate
        self.include_in_weight_decay = list(include_in_weight_decay or ())
        self.exclude_from_weight_decay_patterns = list(exclude_from_weight_decay or ())

    def build(self, variables: Any) -> None:
        """Make the two running means of every variable, and choose which are decayed."""
        if self.built:
            return
        super().build(variables)
        self._decayed = [self._is_decayed(variable.path) for variable in variables]
        self._means: list[Any] = [self.add_variable_from_reference(variable, "mean") for variable in variables]
        self._squares: list[Any] = [self.add_variable_from_reference(variable, "square") for variable in variables]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One step of one variable."""
        index = self._get_variable_index(variable)
        mean, square = self._means[index], self._squares[index]
        gradient, dtype = tf.cast(tf.convert_to_tensor(gradient), variable.dtype), variable.dtype
        iterations: Any = self.iterations
        step = tf.cast(iterations.value + 1, tf.float64)
        rate = tf.cast(learning_rate, tf.float64)
        correction = tf.cast(rate / (1.0 - tf.constant(self.beta_1, tf.float64) ** step), dtype)
        root = tf.cast(tf.sqrt(1.0 - tf.constant(self.beta_2, tf.float64) ** step), dtype)
        if self._decayed[index]:
            variable.assign(variable * tf.cast(1.0 - rate * self.weight_decay_rate, dtype))
        mean.assign(mean * self.beta_1 + gradient * (1.0 - self.beta_1))
        square.assign(square * self.beta_2 + gradient * gradient * (1.0 - self.beta_2))
        variable.assign(variable - correction * mean / (tf.sqrt(square.value) / root + self.epsilon))

    def _is_decayed(self, path: str) -> bool:
        if not self.weight_decay_rate:
            return False
        if any(re.search(pattern, path) for pattern in self.include_in_weight_decay):
            return True
        return not any(re.search(pattern, path) for pattern in self.exclude_from_weight_decay_patterns)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "weight_decay_rate": self.weight_decay_rate,
            "include_in_weight_decay": self.include_in_weight_decay,
            "exclude_from_weight_decay": self.exclude_from_weight_decay_patterns,
        }


def create_optimizer(
    init_lr: float,
    num_train_steps: int,
    num_warmup_steps: int,
    min_lr_ratio: float = 0.0,
    adam_beta1: float = 0.9,
    adam_beta2: float = 0.999,
    adam_epsilon: float = 1e-8,
    adam_clipnorm: float | None = None,
    adam_global_clipnorm: float | None = None,
    weight_decay_rate: float = 0.0,
    power: float = 1.0,
    include_in_weight_decay: Sequence[str] | None = None,
) -> tuple[AdamWeightDecay, WarmUpPolynomialDecay]:
    """AdamW for Keras with PyTorch's arithmetic, and the schedule that it follows.

    Args:
        init_lr: The highest rate.
        num_train_steps: Steps in all, the rise included.
        num_warmup_steps: Steps of the rise from 0.
        min_lr_ratio: The last rate as a part of the highest; 1 keeps the rate constant.
        adam_beta1: Decay of the mean of the gradients.
        adam_beta2: Decay of the mean of their squares.
        adam_epsilon: Added to the root of the latter.
        adam_clipnorm: The largest norm of one variable's gradient.
        adam_global_clipnorm: The largest norm of all gradients together.
        weight_decay_rate: The decay; norms and biases are left alone.
        power: The power of the fall; 1 is a straight line.
        include_in_weight_decay: Patterns of variable paths that are decayed all the same.

    Returns:
        The optimizer and its schedule.
    """
    schedule = WarmUpPolynomialDecay(
        init_lr, num_train_steps - num_warmup_steps, init_lr * min_lr_ratio, num_warmup_steps, power
    )
    optimizer = AdamWeightDecay(
        schedule,
        beta_1=adam_beta1,
        beta_2=adam_beta2,
        epsilon=adam_epsilon,
        weight_decay_rate=weight_decay_rate,
        include_in_weight_decay=include_in_weight_decay,
        exclude_from_weight_decay=NOT_DECAYED,
        clipnorm=adam_clipnorm,
        global_clipnorm=adam_global_clipnorm,
    )
    return optimizer, schedule
