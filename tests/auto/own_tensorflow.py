"""A user's own Keras model: known layers, one of an unknown kind, one with statistics; a base and a head."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tests.auto.own import ScalerConfig
from triformers import TFPreTrainedModel


class Scaler(keras.layers.Layer):
    """A layer of no kind that the library knows, with values of its own making."""

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight(
            name="scale", shape=(input_shape[-1],), initializer=keras.initializers.RandomUniform(0.5, 1.5, seed=3)
        )

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return x * self.scale


class ScalerModel(TFPreTrainedModel):
    """Wraps Keras' own layers."""

    config_class = ScalerConfig
    main_input_name = "pixels"

    def __init__(self, config: ScalerConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        self.dense = keras.layers.Dense(config.features, activation="tanh", name="dense")
        self.norm = keras.layers.BatchNormalization(name="norm")
        self.scaler = Scaler(name="scaler")

    def call(self, pixels: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.scaler(self.norm(self.dense(pixels), training=training))

    @property
    def dummy_inputs(self) -> dict[str, Any]:
        """What Keras builds the layers with."""
        return {"pixels": np.zeros((2, self.config.width), np.float32)}


class ScalerModelForImageClassification(TFPreTrainedModel):
    """The same with a head and without names for its layers, answering with a plain dict."""

    config_class = ScalerConfig
    main_input_name = "pixels"

    def __init__(self, config: ScalerConfig, **kwargs: Any) -> None:
        super().__init__(config, **kwargs)
        self.dense = keras.layers.Dense(config.features, activation="tanh")
        self.norm = keras.layers.BatchNormalization()
        self.scaler = Scaler()
        self.head = keras.layers.Dense(config.num_labels)

    def call(self, pixels: tf.Tensor, training: bool = False) -> dict[str, tf.Tensor]:
        return {"logits": self.head(self.scaler(self.norm(self.dense(pixels), training=training)))}

    @property
    def dummy_inputs(self) -> dict[str, Any]:
        """What Keras builds the layers with."""
        return {"pixels": np.zeros((2, self.config.width), np.float32)}


def train(model: Any, pixels: np.ndarray) -> None:
    """One pass that moves the running statistics, and one step that moves every parameter."""
    with tf.GradientTape() as tape:
        answer = model(pixels=tf.constant(pixels), training=True)
        loss = tf.reduce_mean((answer["logits"] if isinstance(answer, dict) else answer) ** 2)
    for variable, gradient in zip(
        model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True
    ):
        variable.assign_sub(0.1 * gradient)


def run(model: Any, pixels: np.ndarray) -> np.ndarray:
    """The answer to a batch."""
    answer = model(pixels=tf.constant(pixels))
    return np.asarray(answer["logits"] if isinstance(answer, dict) else answer)
