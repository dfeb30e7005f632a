"""An optax step under `jit` trains our models, with dropout keys and the caller's own parameters."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.backend("flax")


def test_a_jitted_step_learns() -> None:
    import jax
    import optax

    from tests.training.task import CONFIG, batch
    from triformers import FlaxBertForSequenceClassification

    model = FlaxBertForSequenceClassification(CONFIG, seed=0)
    optimizer, inputs = optax.adamw(3e-3), batch()

    @jax.jit
    def step(params: dict, state: tuple, key: jax.Array) -> tuple:
        def loss(params: dict) -> jax.Array:
            return model(**inputs, params=params, dropout_rng=key, train=True).loss

        value, gradient = jax.value_and_grad(loss)(params)
        updates, state = optimizer.update(gradient, state, params)
        return optax.apply_updates(params, updates), state, value

    params, state, losses = model.params, optimizer.init(model.params), []
    for key in jax.random.split(jax.random.key(0), 40):
        params, state, value = step(params, state, key)
        losses.append(float(value))
    assert losses[-1] < 0.3 * losses[0]


def test_dropout_follows_its_key() -> None:
    import jax
    import numpy as np

    from tests.training.task import CONFIG, batch
    from triformers import FlaxBertForSequenceClassification

    model = FlaxBertForSequenceClassification(CONFIG, seed=0)
    one, same, other = (
        np.asarray(model(**batch(), dropout_rng=jax.random.key(seed), train=True).logits) for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    assert np.array_equal(model(**batch()).logits, model(**batch()).logits)


def test_parameters_may_stay_with_the_caller(tmp_path: object) -> None:
    import jax
    import numpy as np

    from tests.training.task import CONFIG, batch
    from triformers import FlaxBertModel, TriformersError

    held = FlaxBertModel(CONFIG, seed=0)
    held.save_pretrained(tmp_path)
    model, params = FlaxBertModel.from_pretrained(tmp_path, _do_init=False)
    with pytest.raises(TriformersError, match="_do_init"):
        model.params  # noqa: B018
    inputs = {name: array for name, array in batch().items() if name != "labels"}
    np.testing.assert_array_equal(model(**inputs, params=params)[0], held(**inputs)[0])
    doubled = jax.tree.map(lambda leaf: 2 * leaf, params)
    model.save_pretrained(tmp_path, params=doubled)
    saved = FlaxBertModel.from_pretrained(tmp_path)
    np.testing.assert_array_equal(saved.get_input_embeddings(), 2 * held.get_input_embeddings())
    again = jax.jit(lambda params: model.module.apply({"params": params}, **inputs)[0])(params)
    np.testing.assert_allclose(again, held(**inputs)[0], atol=1e-6)


def test_the_tree_is_what_linen_makes_itself() -> None:
    import jax

    from tests.training.task import CONFIG, batch
    from triformers import FlaxBertForSequenceClassification

    model = FlaxBertForSequenceClassification(CONFIG, seed=0)
    traced = jax.eval_shape(lambda: model.module.init(jax.random.key(0), batch()["input_ids"]))["params"]
    assert jax.tree.map(lambda leaf: leaf.shape, traced) == jax.tree.map(lambda leaf: leaf.shape, model.params)
    shapes = jax.tree.map(lambda leaf: leaf.shape, model.params_shape_tree)
    assert shapes == jax.tree.map(lambda leaf: leaf.shape, model.params)


def test_an_output_is_a_pytree() -> None:
    import jax
    import jax.numpy as jnp

    from triformers.outputs import SequenceClassifierOutput

    output = SequenceClassifierOutput(logits=jnp.ones(2), hidden_states=(jnp.zeros(1),))
    doubled = jax.tree.map(lambda leaf: leaf * 2, output)
    assert isinstance(doubled, SequenceClassifierOutput) and doubled.loss is None and doubled.logits[0] == 2


def test_float64_needs_the_64_bit_mode() -> None:
    import jax
    import jax.numpy as jnp

    from tests.training.task import CONFIG
    from triformers import FlaxBertModel, TriformersError

    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(TriformersError, match="jax_enable_x64"):
            FlaxBertModel(CONFIG, dtype=jnp.float64)
    finally:
        jax.config.update("jax_enable_x64", True)


def test_fresh_weights_from_a_key() -> None:
    import jax
    import jax.numpy as jnp

    from tests.training.task import CONFIG
    from triformers import FlaxBertModel

    model = FlaxBertModel(CONFIG)
    kept = {"pooler": {"dense": {"bias": jnp.full(24, 3.0)}}}
    one, two = (model.init_weights(jax.random.PRNGKey(seed), (1, 1), kept) for seed in (0, 1))
    assert (one["pooler"]["dense"]["bias"] == 3.0).all()
    assert not jnp.array_equal(one["pooler"]["dense"]["kernel"], two["pooler"]["dense"]["kernel"])


def test_a_users_own_module_is_traced_saved_and_loaded(tmp_path: object) -> None:
    import flax.linen as nn
    import jax
    import jax.numpy as jnp
    import numpy as np

    from tests.training.task import CONFIG, batch
    from triformers import FlaxBertModel, FlaxBertPreTrainedModel
    from triformers.models.bert.modeling_flax_bert import FlaxBertModule

    class TaggerModule(nn.Module):
        config: object
        dtype: object = jnp.float32

        @nn.compact
        def __call__(
            self, input_ids: jax.Array, *args: object, deterministic: bool = True, **kwargs: object
        ) -> jax.Array:
            bert = FlaxBertModule(self.config, self.dtype, add_pooling_layer=False, name="bert")
            scale = self.param("scale", nn.initializers.constant(7.0), (2,))
            return nn.Dense(2, name="head")(bert(input_ids, deterministic=deterministic).last_hidden_state) * scale

    class FlaxTagger(FlaxBertPreTrainedModel):
        module_class = TaggerModule

    made, ids = FlaxTagger(CONFIG, seed=0), batch()["input_ids"]
    assert {slot.name for slot in made.slots()} >= {"head.weight", "scale"} and (made.params["scale"] == 7.0).all()
    made.save_pretrained(tmp_path)
    again = FlaxTagger.from_pretrained(tmp_path)
    np.testing.assert_allclose(again(ids), made(ids), rtol=1e-6)
    FlaxBertModel(CONFIG, seed=3).save_pretrained(tmp_path)
    grafted, info = FlaxTagger.from_pretrained(tmp_path, output_loading_info=True)
    assert "scale" in info["missing_keys"] and (grafted.params["scale"] == 7.0).all()
