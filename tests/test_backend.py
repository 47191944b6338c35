"""Gradients, compiled functions and options for speed give what goes without them."""

import keras
import numpy as np
import pytest
from keras import ops
from small_gan import step_of, two_players

from helpers import backend, models, pyramids, training
from helpers.backend import value_and_grad
from helpers.models import conv_vae


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_value_and_grad_moves_the_noise_on():
    keras.utils.set_random_seed(0)
    model = conv_vae((16, 16, 3), 4, width=4, likelihood="gaussian", seed=0)
    images = np.random.default_rng(0).random((24, 16, 16, 3)).astype("float32")
    variables, state = model.trainable_variables, model.non_trainable_variables

    def loss():
        return -ops.mean(model.elbo(images))

    first, _ = value_and_grad(loss, variables, state)
    second, gradients = value_and_grad(loss, variables, state)
    assert float(first) != float(second)
    assert len(gradients) == len(variables)


def pair():
    networks = two_players()
    optimizers = [keras.optimizers.Adam(0.01, beta_1=0.5) for _ in range(2)]
    for optimizer, network in zip(optimizers, networks):
        optimizer.build(network.trainable_variables)
    seed_generator = keras.random.SeedGenerator(0)
    variables = [v for network in networks for v in network.variables]
    state = [*variables, *(v for o in optimizers for v in o.variables), seed_generator.state]
    return step_of(networks, optimizers, seed_generator), state, variables


def test_a_compiled_step_does_what_the_step_does():
    batches = np.random.default_rng(0).random((4, 8, 3), "float32")
    found = []
    for wrap in (lambda step, state: step, backend.compile_step):
        step, state, both = pair()
        run = wrap(step, state)
        values = [ops.convert_to_numpy(run(ops.convert_to_tensor(b))) for b in batches]
        found.append((np.array(values), [ops.convert_to_numpy(v) for v in both]))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-4, atol=1e-5)
    for plain, fast in zip(found[0][1], found[1][1]):
        np.testing.assert_allclose(plain, fast, rtol=1e-3, atol=1e-4)


def test_a_variable_named_twice_is_refused():
    step, state, _ = pair()
    with pytest.raises(ValueError, match="twice"):
        backend.compile_step(step, [*state, state[0]])


def test_compiled_gives_what_the_model_gives():
    keras.utils.set_random_seed(0)
    encoder, _ = pyramids.pyramid_networks((16, 16, 3), 2, (4, 6), (1, 1), (2, 2))
    head = pyramids.segmentation_head(encoder.input, pyramids.levels(encoder), 2)
    x = np.random.default_rng(0).random((3, 16, 16, 3)).astype("float32")
    head(x, training=True)  # moves statistics
    np.testing.assert_allclose(numpy(backend.compile_model(head)(x)), numpy(head(x)), atol=1e-5)


def small_vae():
    keras.utils.set_random_seed(3)
    return models.dense_vae((4, 4, 1), 2, (8,), likelihood="gaussian", sigma=0.5, seed=1)


def test_a_training_shorter_than_one_call_does_without_a_graph_and_learns_the_same():
    x = np.random.default_rng(0).random((40, 4, 4, 1), "float32")
    found = []
    for options in ({"planned": 8}, {}):
        vae = small_vae()
        vae.compile(keras.optimizers.Adam(), **backend.compile_options(**options))
        eager = options and keras.backend.backend() == "tensorflow"
        assert vae.run_eagerly == bool(eager)
        training.fit_steps(vae, x, steps=8, batch_size=10, learning_rate=0.01, seed=0)
        found.append(vae.get_weights())
    for one, other in zip(*found):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    assert not backend.compile_options(planned=11)["run_eagerly"]
    assert not backend.compile_options(xla=True, planned=8)["run_eagerly"]


@pytest.mark.parametrize("asked", ["0", "1"])
def test_xla_is_for_jax_and_for_who_asks_on_tensorflow(asked, monkeypatch):
    monkeypatch.setenv("HELPERS_XLA", asked)
    expected = {"tensorflow": asked == "1", "jax": True, "torch": False}[keras.backend.backend()]
    assert backend.use_xla() is expected
    assert backend.compile_options()["jit_compile"] is expected


def test_a_model_keeps_its_last_step_when_the_next_one_fails():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 1:
                raise KeyboardInterrupt

    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
    x, y = np.ones((8, 2), "float32"), np.ones((8, 1), "float32")
    before = model.get_weights()
    with pytest.raises(KeyboardInterrupt), backend.restored_on_error(model):
        model.fit(x, y, batch_size=4, callbacks=[Stop()], verbose=0)
    after = model.get_weights()
    assert all(np.isfinite(w).all() and (w != b).all() for w, b in zip(after, before))
    model.fit(x, y, batch_size=4, verbose=0)
