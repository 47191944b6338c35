"""Bounds against an exact likelihood; label scores against counting by hand."""

import math

import keras
import numpy as np
import pytest

from helpers import metrics
from helpers.models import VAE

RNG = np.random.default_rng(0)


def one_latent_vae(slope=1.5, sigma=0.5, mean_slope=0.4, log_variance=-0.7):
    """x = slope·z + σ·noise with D = K = 1, where log p(x) is known exactly."""
    x, z = keras.Input((1,)), keras.Input((1,))
    mean, variance = keras.layers.Dense(1), keras.layers.Dense(1)
    decode = keras.layers.Dense(1)
    vae = VAE(
        keras.Model(x, [mean(x), variance(x)]),
        keras.Model(z, decode(z)),
        likelihood="gaussian",
        sigma=sigma,
        seed=0,
    )
    mean.set_weights([np.array([[mean_slope]]), np.zeros(1)])
    variance.set_weights([np.zeros((1, 1)), np.array([log_variance])])
    decode.set_weights([np.array([[slope]]), np.zeros(1)])
    variance_of_x = slope**2 + sigma**2
    return vae, lambda x: -0.5 * (np.log(2 * np.pi * variance_of_x) + x**2 / variance_of_x)


def test_iwae_bound_approaches_the_exact_log_likelihood_from_below():
    vae, log_p = one_latent_vae()
    x = RNG.normal(size=(200, 1)).astype("float32") * 1.5
    exact = log_p(x)[:, 0].mean()
    bounds = [metrics.iwae_bound(vae, x, k, seed=0).mean() for k in (1, 5, 50, 3000)]
    assert bounds[0] < bounds[1] < bounds[2] < exact + 0.01
    assert bounds[3] == pytest.approx(exact, abs=0.01)


def test_iwae_bound_of_the_exact_posterior_is_exact_at_k_one():
    slope, sigma = 1.5, 0.5
    precision = 1 + slope**2 / sigma**2
    vae, log_p = one_latent_vae(slope, sigma, slope / sigma**2 / precision, -math.log(precision))
    x = RNG.normal(size=(50, 1)).astype("float32")
    np.testing.assert_allclose(metrics.iwae_bound(vae, x, 1), log_p(x)[:, 0], atol=1e-4)


def test_iwae_bound_does_not_depend_on_how_it_is_cut_into_batches():
    vae, _ = one_latent_vae()
    x = RNG.normal(size=(7, 1)).astype("float32")
    whole = metrics.iwae_bound(vae, x, 4000, seed=0)
    cut = metrics.iwae_bound(vae, x, 4000, batch_size=900, seed=0)  # 3 images, 5 parts
    assert whole.shape == cut.shape == (7,)
    np.testing.assert_allclose(whole, cut, atol=0.1)
    np.testing.assert_array_equal(whole, metrics.iwae_bound(vae, x, 4000, seed=0))


def test_active_units_and_kl_per_dimension_tell_a_dead_coordinate():
    x, z = keras.Input((2,)), keras.Input((2,))
    mean, variance = keras.layers.Dense(2), keras.layers.Dense(2)
    vae = VAE(keras.Model(x, [mean(x), variance(x)]), keras.Model(z, keras.layers.Dense(2)(z)))
    mean.set_weights([np.array([[2.0, 0.0], [0.0, 0.0]]), np.zeros(2)])
    variance.set_weights([np.zeros((2, 2)), np.array([-3.0, 0.0])])
    data = RNG.normal(size=(500, 2)).astype("float32")
    assert metrics.active_units(vae, data) == 1
    kl = metrics.kl_per_dimension(vae, data)
    expected = 0.5 * ((2 * data[:, 0]) ** 2 + math.exp(-3) - 1 + 3).mean()
    np.testing.assert_allclose(kl, [expected, 0.0], rtol=1e-4, atol=1e-6)


# Label maps -----------------------------------------------------------------------------

TRUTH = np.array([[[0, 0, 1], [1, 2, 9]]])
GUESS = np.array([[[0, 1, 1], [1, 0, 2]]])


def test_confusion_matrix_by_hand():
    expected = [[1, 1, 0], [0, 2, 0], [1, 0, 0]]
    np.testing.assert_array_equal(metrics.confusion_matrix(TRUTH, GUESS, 3, void=9), expected)


def test_iou_by_hand_and_void_counts_for_nothing():
    iou = metrics.iou_per_class(TRUTH, GUESS, 3, void=9)
    np.testing.assert_allclose(iou, [1 / 3, 2 / 3, 0.0])
    assert metrics.mean_iou(TRUTH, GUESS, 3, void=9) == pytest.approx(1 / 3)
    other = GUESS.copy()
    other[0, 1, 2] = 0  # only the void pixel changes
    assert metrics.mean_iou(TRUTH, other, 3, void=9) == metrics.mean_iou(TRUTH, GUESS, 3, void=9)


def test_mean_iou_agrees_with_the_mean_of_iou_per_class():
    truth, guess = RNG.integers(0, 5, (4, 20, 20)), RNG.integers(0, 5, (4, 20, 20))
    assert metrics.mean_iou(truth, guess, 5) == pytest.approx(
        metrics.iou_per_class(truth, guess, 5).mean(), rel=1e-6
    )
    assert metrics.mean_iou(truth, truth, 5) == pytest.approx(1.0)
    # A class that is nowhere is left out, not counted as zero or one.
    assert metrics.mean_iou(truth, guess, 6) == pytest.approx(metrics.mean_iou(truth, guess, 5))


def test_pixel_accuracy_and_dice_by_hand():
    assert metrics.pixel_accuracy(TRUTH, GUESS, void=9) == pytest.approx(3 / 5)
    np.testing.assert_allclose(metrics.dice(TRUTH, GUESS, 1), [2 * 2 / (2 + 3)])
    np.testing.assert_allclose(metrics.dice(TRUTH, GUESS, 7), [1.0])


def test_dice_is_per_image_and_not_over_the_batch_as_one():
    truth = np.zeros((2, 4, 4), int)
    guess = truth.copy()
    truth[0, :, :] = guess[0, :, :] = 1
    truth[1, 0, 0] = 1
    np.testing.assert_allclose(metrics.dice(truth, guess, 1), [1.0, 0.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.iwae_bound(None, np.zeros((1, 2)), 0), "k=0"),
        (lambda: metrics.iwae_bound(None, np.array([[np.nan]]), 1), "NaN"),
        (lambda: metrics.mean_iou(TRUTH, GUESS[:, :1], 3, 9), "same shape"),
        (lambda: metrics.mean_iou(TRUTH, GUESS, 3), "void label"),
        (lambda: metrics.mean_iou(TRUTH, GUESS / 2, 3, 9), "integer labels"),
        (lambda: metrics.dice(TRUTH, GUESS[:, :1], 1), "same shape"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
