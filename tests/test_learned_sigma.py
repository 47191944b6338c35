"""The watch on a learned σ."""

import math

import keras
import numpy as np
import pytest

from helpers import metrics, models
from helpers.generative.learned_sigma import WatchSigma


def watched(optimizer, epochs=3):
    """The watch of a short training; `optimizer` or the learning rate of Adam."""
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        optimizer = keras.optimizers.Adam(optimizer)
    keras.utils.set_random_seed(0)
    vae = models.dense_vae((8,), latent=2, hidden=4, likelihood="gaussian", seed=0)
    vae.compile(optimizer, run_eagerly=True)
    x = np.random.default_rng(0).random((12, 8)).astype("float32")
    watch = WatchSigma(x)
    vae.fit(x, batch_size=4, epochs=epochs, verbose=0, callbacks=[watch])
    return vae, x, watch.rows


def test_rows_hold_steps_sigma_and_an_error_near_the_vaes_own():
    vae, x, rows = watched(0.001)
    assert [row[0] for row in rows] == [0, 3, 6, 9]
    assert rows[0][1] == pytest.approx(0.11) and rows[0][3] == pytest.approx(0.11)
    assert rows[-1][1] == pytest.approx(math.exp(float(vae.log_sigma())))
    assert rows[-1][2] == pytest.approx(metrics.rms_error(vae, x), rel=0.2)  # other noise


def test_the_least_sigma_follows_the_learning_rate():
    _, _, rows = watched(0.002)
    assert rows[-1][3] == pytest.approx(0.01 + 0.1 * math.exp(-9 * 0.002), rel=1e-5)
    falling = keras.optimizers.schedules.CosineDecay(0.002, 9)
    _, _, rows = watched(falling)
    assert rows[-1][3] == pytest.approx(0.01 + 0.1 * math.exp(-9 * 0.001), rel=1e-4)


def test_the_rate_inside_an_optimizer_that_scales_the_loss_counts():
    adam = keras.optimizers.Adam(0.002)
    _, _, rows = watched(keras.optimizers.LossScaleOptimizer(adam))
    assert rows[-1][3] == pytest.approx(0.01 + 0.1 * math.exp(-9 * 0.002), rel=1e-5)


def test_another_training_starts_its_own_rows():
    vae, x, _ = watched(0.001, epochs=1)
    watch = WatchSigma(x)
    for _ in range(2):
        vae.fit(x, batch_size=4, verbose=0, callbacks=[watch])
    assert len(watch.rows) == 2 and watch.rows[0][0] == 6
