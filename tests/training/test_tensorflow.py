"""Keras' own training loop works on our models, however the data, the labels and the loss are given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.task import CONFIG, LABELS, batch

pytestmark = pytest.mark.backend("tensorflow")


def model(**kwargs: Any) -> Any:
    """A fresh classifier."""
    from triformers import TFBertForSequenceClassification

    return TFBertForSequenceClassification(CONFIG, seed=0, **kwargs)


def optimizer(steps: int = 100) -> Any:
    """AdamW at a constant rate."""
    from triformers import create_optimizer

    return create_optimizer(3e-3, steps, 0, min_lr_ratio=1.0)[0]


def keras_loss() -> Any:
    """Keras' own cross entropy."""
    import keras

    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def with_labels_inside() -> tuple[Any, Any]:
    """One dict that holds the labels."""
    return batch(), None


def with_labels_beside() -> tuple[Any, Any]:
    """A dict of inputs, and the labels."""
    inputs = batch()
    return inputs, inputs.pop("labels")


def as_dataset() -> tuple[Any, Any]:
    """A `tf.data` pipeline of dicts."""
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(batch()).batch(8, drop_remainder=True), None


def as_dataset_of_pairs() -> tuple[Any, Any]:
    """A `tf.data` pipeline of (inputs, labels), the last batch smaller."""
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(with_labels_beside()).batch(10), None


@pytest.mark.parametrize("data", [with_labels_inside, with_labels_beside, as_dataset, as_dataset_of_pairs])
@pytest.mark.parametrize("loss", [None, keras_loss], ids=["own loss", "keras loss"])
def test_fit_learns_and_evaluate_says_so(data: Callable[[], tuple], loss: Callable | None) -> None:
    trained = model()
    trained.compile(optimizer(), loss=loss() if loss else None, metrics=["accuracy"], jit_compile=False)
    inputs, labels = data()
    before = trained.evaluate(inputs, labels, verbose=0, return_dict=True)
    history = trained.fit(inputs, labels, epochs=15, verbose=0)
    after = trained.evaluate(inputs, labels, verbose=0, return_dict=True)
    assert after["accuracy"] == 1.0 and after["loss"] < 0.5 * before["loss"]
    assert history.history["loss"][-1] < history.history["loss"][0]


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_fit_under_xla(policy: str) -> None:
    trained = model(dtype=policy)
    trained.compile(optimizer(), jit_compile=True)
    history = trained.fit(batch(), batch_size=8, epochs=12, verbose=0).history["loss"]
    assert history[-1] < 0.5 * history[0]
    assert {weight.dtype for weight in trained.weights} == {"float32"}


def test_the_dtype_policy_reaches_every_layer() -> None:
    from triformers.backends.tensorflow.model import _walk

    made = model(dtype="mixed_bfloat16")
    assert {layer.dtype_policy.name for _, layer in _walk(made)} == {"mixed_bfloat16"}
    import keras

    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        assert {layer.dtype_policy.name for _, layer in _walk(model())} == {"mixed_bfloat16"}
    finally:
        keras.config.set_dtype_policy("float32")


def test_predict_gives_the_outputs_of_the_call() -> None:
    trained, inputs = model(), batch()
    found = trained.predict(inputs, batch_size=7, verbose=0)
    assert list(found) == ["logits"] and found.logits is found["logits"]
    del inputs["labels"]
    np.testing.assert_allclose(found.logits, trained(inputs).logits, atol=1e-6)


def test_a_tokenizers_answer_is_data() -> None:
    from triformers import BatchEncoding

    trained, inputs = model(), batch()
    labels = inputs.pop("labels")
    trained.compile(optimizer(), jit_compile=False)
    trained.fit(BatchEncoding(inputs), labels, verbose=0)
    assert trained.evaluate(BatchEncoding(inputs), labels, verbose=0) > 0
    np.testing.assert_allclose(
        trained.predict(BatchEncoding(inputs), verbose=0).logits, trained(inputs).logits, atol=1e-6
    )


def test_one_batch_at_a_time() -> None:
    trained = model()
    trained.compile(optimizer(), jit_compile=False)
    losses = [float(trained.train_on_batch(batch())) for _ in range(5)]
    assert losses[-1] < losses[0]
    assert trained.predict_on_batch(batch())["logits"].shape == (24, LABELS)


def test_the_models_own_loss_needs_labels() -> None:
    from triformers import TriformersError

    trained = model()
    trained.compile(optimizer(), jit_compile=False)
    inputs = batch()
    del inputs["labels"]
    with pytest.raises(TriformersError, match="no labels"):
        trained.fit(inputs, verbose=0)


def test_a_callback_checkpoints_the_weights(tmp_path: Path) -> None:
    import keras

    trained, path = model(), str(tmp_path / "model.weights.h5")
    trained.compile(optimizer(), jit_compile=False)
    save = keras.callbacks.ModelCheckpoint(path, save_weights_only=True)
    trained.fit(batch(), verbose=0, callbacks=[save])
    again = model()
    assert not np.allclose(again(batch()).logits, trained(batch()).logits, atol=1e-4)
    again.load_weights(path)
    np.testing.assert_array_equal(again(batch()).logits, trained(batch()).logits)


def test_a_callback_checkpoints_the_whole_model(tmp_path: Path) -> None:
    import keras

    trained, path = model(), str(tmp_path / "model.keras")
    trained.compile(optimizer(), jit_compile=False)
    trained.fit(batch(), verbose=0, callbacks=[keras.callbacks.ModelCheckpoint(path)])
    again = keras.models.load_model(path)
    assert type(again) is type(trained) and again.config == trained.config
    assert int(again.optimizer.iterations) == int(trained.optimizer.iterations) > 0
    np.testing.assert_array_equal(again(batch()).logits, trained(batch()).logits)
    again.fit(batch(), verbose=0)


def test_export_serves_the_same_function(tmp_path: Path) -> None:
    import keras
    import tensorflow as tf

    trained, inputs = model(), batch()
    del inputs["labels"]
    signature = [{name: keras.InputSpec(dtype="int32", shape=(None, None), name=name) for name in inputs}]
    trained.export(str(tmp_path), input_signature=signature, verbose=False)
    loaded = tf.saved_model.load(str(tmp_path))
    served = loaded.serve({name: tf.constant(array) for name, array in inputs.items()})
    np.testing.assert_allclose(served["logits"], trained(inputs).logits, atol=1e-6)


def test_a_model_is_a_layer_of_another() -> None:
    import keras

    from triformers import TFBertModel

    ids = keras.Input((7,), dtype="int32")
    answer = keras.layers.Dense(LABELS)(TFBertModel(CONFIG, seed=0)(ids).pooler_output)
    joined = keras.Model(ids, answer)
    joined.compile("adam", keras_loss(), jit_compile=False)
    inputs = batch()
    losses = joined.fit(inputs["input_ids"], inputs["labels"], epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_inside_a_graph() -> None:
    import tensorflow as tf

    made, inputs = model(), {name: tf.constant(array) for name, array in batch().items()}
    output = tf.function(lambda inputs: made(inputs))(inputs)
    np.testing.assert_allclose(output.logits, made(inputs).logits, atol=1e-6)
    np.testing.assert_allclose(output.loss, made(inputs).loss, atol=1e-6)


def test_the_rate_rises_and_falls() -> None:
    from triformers import create_optimizer

    _, schedule = create_optimizer(0.1, 10, 4, min_lr_ratio=0.5)
    rates = [float(schedule(step)) for step in (0, 2, 4, 7, 10, 99)]
    np.testing.assert_allclose(rates, [0.0, 0.05, 0.1, 0.075, 0.05, 0.05], rtol=1e-15)


def test_norms_and_biases_are_not_decayed() -> None:
    from triformers import create_optimizer

    chosen, _ = create_optimizer(0.1, 10, 0, weight_decay_rate=0.1)
    made = model()
    chosen.build(made.trainable_variables)
    decayed = {v.path for v, is_decayed in zip(made.trainable_variables, chosen._decayed, strict=True) if is_decayed}
    assert decayed and not [path for path in decayed if "LayerNorm" in path or path.endswith("bias")]


def test_a_users_own_head_is_built_saved_and_loaded(tmp_path: Path) -> None:
    import keras

    from triformers import TFBertModel, TFBertPreTrainedModel

    class TFTagger(TFBertPreTrainedModel):
        def __init__(self, config: Any, **kwargs: Any) -> None:
            super().__init__(config, **kwargs)
            self.bert = TFBertModel(config, add_pooling_layer=False, name="bert")
            self.recurrent = keras.layers.LSTM(5, return_sequences=True, name="recurrent")
            self.head = keras.layers.Dense(2, name="head")

        def call(self, input_ids: Any, training: bool = False) -> Any:
            return self.head(self.recurrent(self.bert(input_ids, training=training).last_hidden_state))

    made, ids = TFTagger(CONFIG, seed=0), batch()["input_ids"]
    assert {slot.name for slot in made.slots()} >= {"head.weight", "recurrent.cell.recurrent_kernel"}
    made.save_pretrained(tmp_path)
    again = TFTagger.from_pretrained(tmp_path)
    np.testing.assert_array_equal(again(ids), made(ids))
    TFBertModel(CONFIG, seed=3).save_pretrained(tmp_path)
    _, info = TFTagger.from_pretrained(tmp_path, output_loading_info=True)
    assert "head.weight" in info["missing_keys"] and "pooler.dense.weight" in info["unexpected_keys"]
