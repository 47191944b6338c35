"""Draws from the mixture lie where the posteriors lie, in random order, and repeat with the seed."""

import numpy as np
from scipy.stats import norm

from helpers import metrics, models
from helpers.generative import mixture_prior
from helpers.generative.mixture_prior import mixture_latents


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


def test_the_bound_with_the_usual_prior_is_the_usual_bound():
    vae = models.dense_vae((4,), 2, 3, likelihood="gaussian", sigma=0.5, seed=0)
    x = np.random.default_rng(0).random((6, 4), "float32")
    found = mixture_prior.bound(vae, x, lambda z: norm.logpdf(z).sum(axis=1), k=4000)
    np.testing.assert_allclose(found, metrics.iwae_bound(vae, x, 4000), atol=0.3)
    less = mixture_prior.bound(vae, x, lambda z: norm.logpdf(z).sum(axis=1) - 2, k=4000)
    np.testing.assert_allclose(less, found - 2, rtol=1e-5)
