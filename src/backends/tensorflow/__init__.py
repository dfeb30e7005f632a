"""TensorFlow's room (Keras 3). Shape letters: B batch, T target, S source, D width, N heads, H head size, L labels."""

import keras

from ...files.errors import MissingDependencyError, three_beats

if keras.backend.backend() != "tensorflow":
    raise MissingDependencyError(
        three_beats(
            f"Keras runs on {keras.backend.backend()}",
            "TensorFlow, on which the TF classes are built",
            "Set KERAS_BACKEND=tensorflow before Keras is imported, or use the classes of the other framework.",
        )
    )
