"""Draws from the mixture lie where the posteriors lie, in random order, and repeat with the seed."""

import numpy as np

from helpers.generative.mixture_prior import (
    draw,
    fitted_mixture,
    kl_to_mixture,
    mixture_latents,
)


class Encoder:
    """Two clouds: z near −4 or near 4 in both coordinates, by the sign of the first value."""

    def predict(self, x, batch_size, verbose):
        mean = np.repeat(np.where(x[:, :1] > 0, 4.0, -4.0), 2, axis=1)
        return mean, np.full_like(mean, np.log(0.25))


class Model:
    encoder = Encoder()


X = np.random.default_rng(0).standard_normal((400, 3))


def test_the_draws_have_the_clouds_place_and_width():
    z = mixture_latents(Model(), X, 1000, parts=2, seed=1)
    assert z.shape == (1000, 2) and z.dtype == "float32"
    side = z[:, 0] > 0
    assert 0.4 < side.mean() < 0.6 and (side == (z[:, 1] > 0)).all()
    np.testing.assert_allclose(np.abs(z).mean(axis=0), 4, atol=0.1)
    np.testing.assert_allclose(np.abs(z).std(axis=0), 0.5, atol=0.06)


def test_the_order_is_random_and_the_seed_decides():
    z = mixture_latents(Model(), X, 100, parts=2, seed=1)
    assert 30 < (np.diff(np.sign(z[:, 0])) != 0).sum() < 70  # and not one block after the other
    np.testing.assert_array_equal(z, mixture_latents(Model(), X, 100, parts=2, seed=1))
    assert (z != mixture_latents(Model(), X, 100, parts=2, seed=2)).any()


def test_the_kl_to_one_standard_normal_is_the_closed_form_on_average():
    mixture = fitted_mixture(Model(), X, parts=1, seed=0)
    mixture.means_ = np.zeros((1, 2))
    mixture.covariances_ = mixture.precisions_cholesky_ = np.eye(2)[None]
    noise = np.random.default_rng(0).standard_normal((400, 2))
    kl = kl_to_mixture(Model(), X, mixture, noise)
    expected = (16 + 0.25 - 1 - np.log(0.25)) / 2 * 2  # two coordinates: 4 apart, σ of ½
    assert abs(kl.mean() - expected) < 4 * kl.std() / 20


def test_draws_of_a_mixture_repeat():
    mixture = fitted_mixture(Model(), X, parts=2, seed=0)
    z = draw(mixture, 50, seed=3)
    assert z.shape == (50, 2) and z.dtype == "float32"
    np.testing.assert_array_equal(z, draw(mixture, 50, seed=3))
    assert (z != draw(mixture, 50, seed=4)).any()
