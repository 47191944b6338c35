"""A VAE whose networks compute in float16 has its loss scaled, and no other has."""

import keras
import numpy as np
import pytest

from helpers.generative import quantised
from helpers.models import VAE, dense_vae, half_precision


def compiled(policy, optimizer):
    keras.config.set_dtype_policy(policy)
    try:
        model = dense_vae((8, 8, 1), 2, (8,), likelihood="gaussian", sigma=0.003)
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile(optimizer)
    assert isinstance(model, half_precision.ScaledLoss)
    return model


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_the_loss_is_scaled_in_float16_alone(policy):
    optimizer = compiled(policy, keras.optimizers.Adam(1e-3)).optimizer
    scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (policy == "mixed_float16")
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    assert isinstance(inner, keras.optimizers.Adam)  # PyTorch has a subclass of its own


def test_no_optimizer_and_a_loss_that_is_not_to_be_scaled_stay_so():
    assert compiled("mixed_float16", None).optimizer is None
    model = compiled("mixed_float16", "adam")
    model.compile("adam", auto_scale_loss=False)
    assert not isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)


def test_a_layer_in_a_network_that_is_a_layer_counts():
    z = keras.Input((2,))
    inner = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4, dtype="mixed_float16")])
    decoder = keras.Model(z, keras.layers.Dense(4)(inner(z)))
    encoder = dense_vae((4,), 2, (3,)).encoder
    model = VAE(encoder, decoder, "gaussian")
    model.compile("adam")
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)


def test_slopes_that_are_infinite_in_float16_leave_no_nan():
    """With σ = 0.003 a pixel that is off by 0.6 has a slope of 66,667, above 65,504."""
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = dense_vae((8, 8, 1), 2, (8,), likelihood="gaussian", sigma=0.003, seed=0)
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile(keras.optimizers.Adam(1e-3))
    x = np.random.default_rng(0).random((4, 8, 8, 1), "float32")
    loss = model.fit(x, batch_size=1, epochs=20, verbose=0).history["loss"]
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert loss[-1] < loss[0]


def test_a_vqvae_has_it_too():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = quantised.VQVAE((16, 16, 3), num_codes=5, channels=2, per_place=3, width=4)
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile("adam")
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)


def test_an_optimizer_that_scales_is_taken_as_it_is():
    own = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))
    assert compiled("mixed_float16", own).optimizer is own
    assert isinstance(compiled("float32", "sgd").optimizer, keras.optimizers.SGD)


@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")  # never trained
def test_a_loaded_model_is_compiled_as_it_was(tmp_path):
    model = compiled("mixed_float16", keras.optimizers.Adam(0.5))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(again.optimizer, keras.optimizers.LossScaleOptimizer)
    assert again.optimizer.built and float(again.optimizer.learning_rate) == 0.5
    model.compile("adam", auto_scale_loss=False)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(again.optimizer, keras.optimizers.Adam)
