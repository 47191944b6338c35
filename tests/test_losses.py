"""The loss contract, held against hand-computed values, quadrature, Monte Carlo and autodiff."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from helpers import losses
from helpers.backend import value_and_grad

# JAX computes in float32 unless told otherwise before it starts.
FLOAT64 = keras.backend.backend() != "jax"
RNG = np.random.default_rng(0)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def hermite(n=80):
    """Nodes and weights with Σ w f(x) = E f(ε), ε ~ N(0, 1)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(n)
    return nodes, weights / weights.sum()


def log_normal(z, mean, log_variance):
    return -0.5 * (math.log(2 * math.pi) + log_variance + (z - mean) ** 2 / np.exp(log_variance))


# KL -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mean", "sigma", "expected"),
    [
        (0.0, 1.0, 0.0),
        (1.0, 1.0, 0.5),
        (0.0, 0.1, 0.5 * (0.01 - 1 - math.log(0.01))),
        (-2.0, 3.0, 0.5 * (4 + 9 - 1 - math.log(9))),
    ],
)
def test_kl_of_one_coordinate_by_hand(mean, sigma, expected):
    value = losses.gaussian_kl(np.array([[mean]]), np.array([[2 * math.log(sigma)]]))
    np.testing.assert_allclose(numpy(value), [expected], rtol=1e-6, atol=1e-7)


def test_kl_sums_over_every_latent_axis_and_keeps_the_batch():
    mean, log_variance = np.ones((5, 4, 3, 2), "float32"), np.zeros((5, 4, 3, 2), "float32")
    value = numpy(losses.gaussian_kl(mean, log_variance))
    assert value.shape == (5,)
    np.testing.assert_allclose(value, 0.5 * 4 * 3 * 2, rtol=1e-6)


def test_kl_between_two_gaussians_by_hand():
    # KL(N(1, 4) ‖ N(-1, 9)) = ½ (ln 9/4 + 4/9 + 4/9 − 1)
    value = losses.gaussian_kl(np.array([[1.0]]), np.array([[math.log(4.0)]]), -1.0, math.log(9.0))
    expected = 0.5 * (math.log(9 / 4) + 4 / 9 + 4 / 9 - 1)
    np.testing.assert_allclose(numpy(value), [expected], rtol=1e-6)


def test_kl_to_itself_is_zero_and_kl_is_not_symmetric():
    mean = RNG.normal(size=(3, 4)).astype("float32")
    log_variance = RNG.normal(size=(3, 4)).astype("float32")
    np.testing.assert_allclose(
        numpy(losses.gaussian_kl(mean, log_variance, mean, log_variance)), 0, atol=1e-6
    )
    forward = numpy(losses.gaussian_kl(mean, log_variance))
    reverse = numpy(losses.gaussian_kl(0 * mean, 0 * log_variance, mean, log_variance))
    assert not np.allclose(forward, reverse, rtol=0.05)
    assert (forward > 0).all() and (reverse > 0).all()


def test_kl_keeps_its_digits_close_to_the_prior():
    # exp(r) − 1 − r in float32 would be pure rounding noise here.
    value = numpy(losses.gaussian_kl(np.zeros((1, 1), "float32"), np.full((1, 1), 1e-3, "float32")))
    np.testing.assert_allclose(value, [0.25e-6], rtol=1e-2)


@pytest.mark.parametrize("prior", [(0.0, 0.0), (0.7, -0.4)])
def test_kl_against_quadrature(prior):
    nodes, weights = hermite()
    mean, log_variance = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 3))
    z = mean[..., None] + np.exp(0.5 * log_variance[..., None]) * nodes
    log_q = log_normal(z, mean[..., None], log_variance[..., None])
    expected = ((log_q - log_normal(z, *prior)) * weights).sum(axis=(1, 2))
    value = numpy(losses.gaussian_kl(mean, log_variance, *prior))
    np.testing.assert_allclose(value, expected, rtol=1e-10 if FLOAT64 else 1e-5)


def test_kl_against_monte_carlo():
    mean, log_variance = np.array([0.8, -1.5, 0.1]), np.array([-2.0, 0.5, -0.7])
    rng, n, total, squares = np.random.default_rng(1), 0, 0.0, 0.0
    for _ in range(8):
        noise = rng.standard_normal((250_000, 3))
        z = mean + np.exp(0.5 * log_variance) * noise
        ratio = (log_normal(z, mean, log_variance) - log_normal(z, 0.0, 0.0)).sum(axis=1)
        n, total, squares = n + len(ratio), total + ratio.sum(), squares + (ratio**2).sum()
    estimate = total / n
    error = math.sqrt((squares / n - estimate**2) / n)
    exact = float(numpy(losses.gaussian_kl(mean[None], log_variance[None]))[0])
    assert error <= 0.002 * exact
    assert abs(estimate - exact) <= 4 * error


def test_kl_gradient_against_autodiff_of_the_definition():
    nodes, weights = hermite(40)
    mean = keras.Variable(RNG.normal(size=(4, 2)).astype("float32"))
    log_variance = keras.Variable(RNG.normal(size=(4, 2)).astype("float32"))

    def definition():
        m, v = mean[..., None], log_variance[..., None]
        z = m + ops.exp(0.5 * v) * ops.convert_to_tensor(nodes, "float32")
        log_q = -0.5 * (v + ops.square(z - m) / ops.exp(v))
        return ops.sum((log_q + 0.5 * ops.square(z)) * ops.convert_to_tensor(weights, "float32"))

    value, from_definition = value_and_grad(definition, [mean, log_variance])
    closed, from_closed = value_and_grad(
        lambda: ops.sum(losses.gaussian_kl(mean, log_variance)), [mean, log_variance]
    )
    np.testing.assert_allclose(float(value), float(closed), rtol=1e-5)
    for a, b in zip(from_definition, from_closed):
        np.testing.assert_allclose(numpy(a), numpy(b), rtol=1e-5, atol=2e-6)


# Likelihoods --------------------------------------------------------------------------


def test_bernoulli_nll_by_hand():
    x = np.array([[1.0, 0.0, 1.0]], "float32")
    logits = np.array([[0.0, 2.0, -1.0]], "float32")
    expected = math.log(2) + math.log1p(math.exp(2)) + math.log1p(math.exp(1))
    np.testing.assert_allclose(numpy(losses.bernoulli_nll(x, logits)), [expected], rtol=1e-6)


def test_bernoulli_nll_is_finite_for_extreme_logits_and_orders_guesses():
    x = np.array([[1.0], [1.0], [1.0]], "float32")
    value = numpy(losses.bernoulli_nll(x, np.array([[500.0], [1.0], [-500.0]], "float32")))
    assert np.isfinite(value).all()
    assert value[0] < value[1] < value[2]
    np.testing.assert_allclose(value[2], 500.0, rtol=1e-6)


def test_bernoulli_probabilities_of_all_images_sum_to_one():
    images = np.array(np.meshgrid(*[[0, 1]] * 4)).reshape(4, -1).T.astype("float32")
    logits = np.tile(RNG.normal(size=(1, 4)).astype("float32"), (16, 1))
    np.testing.assert_allclose(
        np.exp(-numpy(losses.bernoulli_nll(images, logits))).sum(), 1, rtol=1e-5
    )


def test_categorical_nll_by_hand_and_an_unknown_pixel_adds_nothing():
    logits = np.array([[[0.0, 1.0, -1.0], [2.0, 0.0, 0.0]]], "float32")  # two pixels, 3 classes
    first = math.log(1 + math.exp(1) + math.exp(-1)) - 1
    second = math.log(math.exp(2) + 2)
    x = np.array([[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]], "float32")
    value = numpy(losses.categorical_nll(x, logits))
    np.testing.assert_allclose(value, [first + second], rtol=1e-6)
    x[0, 1] = 0
    np.testing.assert_allclose(numpy(losses.categorical_nll(x, logits)), [first], rtol=1e-6)


def test_categorical_probabilities_of_all_label_maps_sum_to_one():
    labels = np.array(np.meshgrid(*[[0, 1, 2]] * 4)).reshape(4, -1).T  # all maps of 4 pixels
    logits = np.tile(RNG.normal(size=(1, 4, 3)).astype("float32"), (81, 1, 1))
    nll = numpy(losses.categorical_nll(np.eye(3, dtype="float32")[labels], logits))
    np.testing.assert_allclose(np.exp(-nll).sum(), 1, rtol=1e-5)


def test_gaussian_nll_against_scipy():
    from scipy.stats import norm

    x, mean = RNG.normal(size=(2, 3, 4, 2)), RNG.normal(size=(2, 3, 4, 2))
    value = numpy(losses.gaussian_nll(x.astype("float32"), mean.astype("float32"), math.log(0.3)))
    expected = -norm.logpdf(x, mean, 0.3).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(value, expected, rtol=1e-5)


def test_gaussian_nll_counts_log_sigma_once_per_value():
    x = np.zeros((1, 10), "float32")
    wide, narrow = (float(losses.gaussian_nll(x, x, s)[0]) for s in (0.0, -1.0))
    np.testing.assert_allclose(wide - narrow, 10.0, rtol=1e-5)


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_three_equal_channels_weigh_three_times_one(likelihood):
    x = RNG.random((4, 8, 8, 1)).astype("float32").round()
    output = RNG.normal(size=(4, 8, 8, 1)).astype("float32")

    def nll(a, b):
        if likelihood == "bernoulli":
            return numpy(losses.bernoulli_nll(a, b))
        return numpy(losses.gaussian_nll(a, b, -0.5))

    one = nll(x, output)
    three = nll(np.repeat(x, 3, -1), np.repeat(output, 3, -1))
    np.testing.assert_allclose(three, 3 * one, rtol=1e-5)


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_half_precision_is_summed_in_single_precision(half):
    """Each sum is above 65,504, the largest number of float16."""
    ones, zeros = ops.ones((1, 20_000), half), ops.zeros((1, 20_000), half)
    kl = losses.gaussian_kl(10 * ones, zeros)
    bernoulli = losses.bernoulli_nll(ones, -10 * ones)
    gaussian = losses.gaussian_nll(ones, zeros, -2.0)
    of_two = ops.stack([zeros, ones], axis=-1)
    categorical = losses.categorical_nll(of_two, -10 * of_two)
    for value, each in [
        (kl, 50),
        (bernoulli, 10 + math.log1p(math.exp(-10))),
        (categorical, 10 + math.log1p(math.exp(-10))),
        (gaussian, 0.5 * math.log(2 * math.pi) + 0.5 * math.exp(4) - 2),
    ]:
        assert keras.backend.standardize_dtype(value.dtype) == "float32"
        np.testing.assert_allclose(numpy(value), [20_000 * each], rtol=1e-5)


def test_each_value_may_have_a_sigma_of_its_own():
    value = losses.gaussian_nll([[1.0, 2.0]], [[0.0, 0.0]], [[-math.log(2), math.log(2)]])
    # ½ log 2π + ½ (x/σ)² + log σ of both
    expected = math.log(2 * math.pi) + 0.5 * (2**2 + 1**2) + math.log(0.5) + math.log(2)
    np.testing.assert_allclose(numpy(value), [expected], rtol=1e-6)


def test_lists_are_taken():
    assert float(losses.gaussian_kl([[1.0, 0.0]], [[0.0, 0.0]])[0]) == pytest.approx(0.5)
    nats = math.log(2) + math.log1p(math.exp(-3))
    assert float(losses.bernoulli_nll([[1, 0]], [[0.0, -3.0]])[0]) == pytest.approx(nats)


def test_kl_to_priors_given_as_arrays():
    mean, log_variance = ops.ones((2, 2)), np.zeros((2, 2))
    value = losses.gaussian_kl(mean, log_variance, np.array([1.0, 3.0]), np.log([1.0, 4.0]))
    # The first coordinate is the prior's own; the second is ½ (1/4 − 1 + log 4 + 2²/4).
    np.testing.assert_allclose(numpy(value), [0.5 * (0.25 + math.log(4))] * 2, rtol=1e-6)


# Objective ----------------------------------------------------------------------------


def test_objective_is_mean_over_images_of_sums():
    kl = np.array([[1.0, 2.0], [3.0, 4.0]], "float32")
    value = losses.vae_loss(np.array([10.0, 20.0], "float32"), kl, beta=0.5)
    np.testing.assert_allclose(float(value), 15.0 + 0.5 * 5.0, rtol=1e-6)


def test_objective_without_options_is_the_negative_elbo():
    kl = np.array([[1.0, 2.0], [3.0, 4.0]], "float32")
    reconstruction = np.array([10.0, 20.0], "float32")
    assert float(losses.vae_loss(reconstruction, kl)) == pytest.approx(15 + 5)
    # The batch means are 2 and 3; the first is raised to the minimum.
    assert float(losses.vae_loss(reconstruction, kl, 2.0, 2.5)) == pytest.approx(15 + 2 * 5.5)


def test_free_bits_by_hand():
    kl = np.array([[0.0, 2.0], [0.2, 4.0]], "float32")  # batch means 0.1 and 3
    np.testing.assert_allclose(float(losses.free_bits(kl, 0.5)), 3.5, rtol=1e-6)
    np.testing.assert_allclose(float(losses.free_bits(kl, 0.0)), 3.1, rtol=1e-6)


def test_free_bits_stop_the_gradient_of_a_cheap_coordinate():
    mean = keras.Variable(np.array([[0.1, 2.0]], "float32"))

    def penalty():
        return losses.free_bits(losses.gaussian_kl_elementwise(mean, ops.zeros((1, 2))), 0.5)

    _, (gradient,) = value_and_grad(penalty, [mean])
    np.testing.assert_allclose(numpy(gradient), [[0.0, 2.0]], atol=1e-6)


def test_bits_per_dimension_by_hand():
    assert losses.bits_per_dimension(math.log(2) * 50, 100) == pytest.approx(0.5)
    # A uniform density on [0, 1] gives 0 nats and 8 bits a value.
    assert losses.bits_per_dimension(0.0, 100, bins=256) == pytest.approx(8.0)
    assert losses.bits_per_dimension(math.log(2) * 50, 100, bins=256) == pytest.approx(8.5)


# Bad input ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: losses.gaussian_kl(np.zeros((2, 3)), np.zeros((3,))),
            r"`mean` and `log_variance` must .* mean.shape=\(2, 3\), log_variance.shape=\(3,\)",
        ),
        (
            lambda: losses.bernoulli_nll(np.zeros((2, 3)), np.zeros((2, 1))),
            r"`x` and `logits` must .* x.shape=\(2, 3\), logits.shape=\(2, 1\)",
        ),
        (
            lambda: losses.categorical_nll(np.zeros((2, 3)), np.zeros((1, 3))),
            r"`x` and `logits` must .* x.shape=\(2, 3\), logits.shape=\(1, 3\)",
        ),
        (
            lambda: losses.gaussian_nll(np.zeros((2, 3)), np.zeros((1, 3)), 0.0),
            r"`x` and `mean` must .* x.shape=\(2, 3\), mean.shape=\(1, 3\)",
        ),
        (lambda: losses.free_bits(np.zeros((2, 3)), -1), "cannot be negative. Received: -1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
