"""The effective β of losses that are known, and the faults that it must find."""

import keras
import numpy as np
import pytest
from keras import ops

from helpers import losses, metrics

SHAPE, LATENT = (8, 8, 3), 4


def cross_entropy(x, r):
    return losses.sum_per_image(-(x * ops.log(r) + (1 - x) * ops.log(1 - r)))


def with_term(term):
    """A loss of a right cross-entropy and 7 times a term of (mean, log σ²), both hidden behind 3."""
    return lambda x, r, m, v: 3 * ops.mean(cross_entropy(x, r) + 7 * ops.sum(term(m, v), axis=1))


def spread(a, b):
    return lambda m, v: (m**2 + a * (ops.exp(v) - 1) - b * v) / 2


FAULTS = {
    "log σ for log σ²": spread(1, 0.5),
    "a wrong sign of the spread": spread(-1, -1),
    "no spread": spread(0, 0),
    "log σ² taken for log σ": lambda m, v: (m**2 + ops.exp(2 * v) - 1 - 2 * v) / 2,
    "the other direction": lambda m, v: (ops.exp(-v) * (1 + m**2) - 1 + v) / 2,
    "an absolute mean": lambda m, v: ops.abs(m) + spread(1, 1)(0 * m, v),
    "no mean": lambda m, v: spread(1, 1)(0 * m, v),
    "free bits": lambda m, v: ops.maximum(spread(1, 1)(m, v), 0.5),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_no_kl_is_named(fault):
    found = metrics.effective_beta(with_term(FAULTS[fault]), SHAPE, LATENT)
    assert found.beta is None and found.problem == "not a KL"


@pytest.mark.parametrize("weight", [7, 0.1, 0])
@pytest.mark.parametrize("latent", [1, 128])
def test_a_known_weight_is_found(weight, latent):
    def term(m, v):
        return weight / 7 * losses.gaussian_kl_elementwise(m, v)

    found = metrics.effective_beta(with_term(term), SHAPE, latent)
    assert found.beta == pytest.approx(weight, rel=2e-3, abs=1e-6)
    assert found.likelihood == "Bernoulli" and found.problem is None


@pytest.mark.parametrize(
    ("of_r", "of_kl", "where"),
    [(1, -1, "KL"), (-1, -1, "reconstruction"), (-1, 1, "reconstruction"), (0, 1, "")],
)
def test_a_sign_that_leaves_no_minimum_is_no_weight(of_r, of_kl, where):
    def loss(x, r, m, v):
        return of_r * ops.mean(cross_entropy(x, r)) + of_kl * ops.mean(losses.gaussian_kl(m, v))

    found = metrics.effective_beta(loss, SHAPE, LATENT)
    assert found.beta is None and where in found.problem


@pytest.mark.parametrize("shape", [(28, 28, 1), (64, 64, 3)])
def test_squared_errors_give_the_variance_of_the_decoder(shape):
    for sigma in (0.5, 1.0, 2.0):

        def loss(x, r, m, v, sigma=sigma):
            return ops.mean(losses.gaussian_nll(x, r, np.log(sigma)) + losses.gaussian_kl(m, v))

        found = metrics.effective_beta(loss, shape, 2)
        assert found.likelihood == "Gaussian"
        assert found.beta == pytest.approx(sigma**2, rel=2e-3)


def test_an_error_that_is_no_likelihood_it_knows_is_refused():
    def absolute(x, r, m, v):
        return ops.mean(losses.sum_per_image(ops.abs(x - r)) + losses.gaussian_kl(m, v))

    found = metrics.effective_beta(absolute, SHAPE, LATENT)
    assert found.beta is None and found.problem == "neither Bernoulli nor Gaussian"


def test_means_over_channels_and_coordinates_are_found():
    def loss(x, r, m, v):
        error = ops.sum(keras.losses.binary_crossentropy(x, r), axis=(1, 2))
        return ops.mean(error) + ops.mean(losses.gaussian_kl_elementwise(m, v))

    assert metrics.effective_beta(loss, SHAPE, LATENT).beta == pytest.approx(3 / 4, rel=2e-3)
