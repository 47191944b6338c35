"""Bounds against an exact likelihood; active units and KL against counting by hand."""

import math

import keras
import numpy as np
import pytest
from keras import ops
from scipy.stats import multivariate_normal

from helpers import losses, metrics, models, pyramids
from helpers.metrics import density
from helpers.models import VAE, dense_vae
from helpers.uncertainty import ood

RNG = np.random.default_rng(0)
BINARY = (RNG.random((24, 8, 8, 1)) < 0.3).astype("float32")


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


class Recorded:
    """Encodes to N(0, 1), decodes to −log p(x|z) = z², and notes how many z come at a time."""

    def __init__(self):
        self.rows, self.calls = set(), 0

    def encode(self, x):
        assert keras.backend.standardize_dtype(x.dtype) == "float32"
        x = ops.convert_to_tensor(x)
        return 0 * x, 0 * x

    def reconstruction_nll(self, x, z):
        assert x.shape == z.shape
        self.rows.add(int(z.shape[0]))
        self.calls += 1
        return losses.sum_per_image(ops.square(z))


@pytest.mark.parametrize(
    ("images", "k", "batch_size", "rows", "calls"),
    [
        (7, 3, 10, 9, 3),
        (2, 3, 10, 6, 1),  # two images are no reason for rows of three
        (2, 25, 10, 10, 6),
        (3, 1, 1, 1, 3),
        (5, 1, None, 5, 1),
        (10, 50, None, 500, 1),
    ],
)
def test_iwae_bound_calls_the_decoder_with_one_shape(
    monkeypatch, images, k, batch_size, rows, calls
):
    called = []

    def compiled(*args, real=density._compiled_log_weights):
        function = real(*args)
        return lambda x: called.append(1) or function(x)

    def log_mean_exp(weights, real=metrics.log_mean_exp):
        assert len(weights) == k
        return real(weights)

    monkeypatch.setattr(density, "log_mean_exp", log_mean_exp)
    monkeypatch.setattr(density, "_compiled_log_weights", compiled)
    vae = Recorded()
    bound = metrics.iwae_bound(vae, np.zeros((images, 2, 3, 1)), k, batch_size)
    assert bound.shape == (images,) and bound.dtype == "float64"
    assert len(called) == calls
    assert vae.rows == {rows}  # as many images as fit, the last call filled up
    if keras.backend.backend() == "tensorflow":
        assert vae.calls == 1  # compiled, and only once


def test_iwae_bound_draws_anew_for_every_call_of_the_decoder():
    x = np.zeros((3, 1), "float32")
    alone = metrics.iwae_bound(Recorded(), x.tolist(), 1.0, batch_size=1)
    assert len(set(alone)) == 3  # by default of seed 0
    np.testing.assert_array_equal(alone, metrics.iwae_bound(Recorded(), x, 1, 1, seed=0))
    assert (alone != metrics.iwae_bound(Recorded(), x, 1, 1, seed=1)).all()
    # The first of two samples is the one above; the second is another, for the same image.
    two = metrics.iwae_bound(Recorded(), x[:1], 2, batch_size=1)
    expected = np.log((np.exp(alone[0]) + np.exp(alone[1])) / 2)
    np.testing.assert_allclose(two, [expected], rtol=1e-6)


def test_iwae_bound_of_a_decoder_that_does_not_look_is_the_log_of_one():
    """Σ p(z)/q(z) / k → 1 for a latent of several coordinates, whatever q is."""

    class Blind(Recorded):
        def encode(self, x):
            return ops.full((1, 2, 2), 0.5), ops.full((1, 2, 2), -0.1)

        def reconstruction_nll(self, x, z):
            return ops.zeros(z.shape[0])

    bound = metrics.iwae_bound(Blind(), np.zeros((1, 1)), 20_000)
    assert bound.shape == (1,) and bound[0] == pytest.approx(0, abs=0.04)


def test_log_mean_exp_overflows_nowhere():
    values = np.array([[0.0, -3000.0, 1.0], [2000.0, -3000.0, 1.0]])
    np.testing.assert_allclose(metrics.log_mean_exp(values), [2000 - math.log(2), -3000, 1])


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


class Scaling:
    """Encodes x to the mean `scale`·x with σ = 1, and notes the sizes of its batches."""

    def __init__(self, *scale):
        self.scale, self.sizes = np.array(scale, "float32"), []

    def encode(self, x):
        self.sizes.append(len(x))
        return ops.convert_to_tensor(x * self.scale), ops.zeros(x.shape)


def test_an_active_unit_varies_by_more_than_a_tenth():
    x = np.where(np.arange(600) % 2, 1.0, -1.0)[:, None].repeat(4, axis=1)  # of variance 1
    vae = Scaling(2.0, 0.11, 0.09, 0.0)
    assert metrics.active_units(vae, x) == 2  # more than 0.01 is 0.0121, and not 0.0081
    assert vae.sizes == [256, 256, 88]
    assert metrics.active_units(vae, x, threshold=0.005) == 3
    assert metrics.active_units(vae, x, threshold=0) == 3  # 0 is not more than 0
    assert type(metrics.active_units(vae, x, batch_size=100)) is int
    assert vae.sizes[-6:] == [100] * 6


def test_posterior_and_kl_are_those_of_all_images_in_their_order():
    x = RNG.normal(size=(300, 2))
    vae = Scaling(2.0, 0.0)
    mean, log_variance = metrics.posterior(vae, x.tolist())
    np.testing.assert_allclose(mean, np.float32(x) * [2, 0], rtol=1e-6)
    np.testing.assert_array_equal(log_variance, np.zeros((300, 2)))
    expected = 0.5 * (2 * x[:, 0]) ** 2
    np.testing.assert_allclose(metrics.kl_per_dimension(vae, x), [expected.mean(), 0], rtol=1e-5)
    assert vae.sizes == [256, 44] * 2
    metrics.kl_per_dimension(vae, x, 150)
    assert vae.sizes[-2:] == [150, 150]


def test_iwae_bounds_are_ordered():
    model = dense_vae((8, 8, 1), 4, (32,), seed=0)
    model.compile(optimizer=keras.optimizers.Adam(1e-3))
    model.fit(BINARY, batch_size=8, epochs=20, shuffle=False, verbose=0)
    # The bounds are ordered in expectation; one draw for each of 24 images is off by more.
    one, five, fifty = (
        np.mean([metrics.iwae_bound(model, BINARY, k, seed=seed) for seed in range(20)])
        for k in (1, 5, 50)
    )
    assert one < five < fifty


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.iwae_bound(None, np.zeros((1, 2)), 0), "k=0"),
        (lambda: metrics.iwae_bound(None, np.zeros((1, 2)), 1.5), "k=1.5"),
        (lambda: metrics.iwae_bound(None, np.array([[np.nan, 0.0]]), 1), "NaN"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "measure",
    [
        lambda vae, x: metrics.iwae_bound(vae, x, 2),
        *(metrics.posterior, metrics.kl_per_dimension, metrics.active_units),
        *(metrics.rms_error, metrics.rate_and_bits),
        lambda vae, x: ood.likelihood_regret(vae, x, steps=1, draws=1),
    ],
)
def test_two_levels_of_latents_are_refused_and_one_grid_is_not(measure):
    x = RNG.random((2, 8, 8, 3)).astype("float32")
    two = models.TwoLevelVAE((8, 8, 3), latent=2, width=4, channels=3)
    with pytest.raises(ValueError, match="one level of latents; of a TwoLevelVAE take `elbo` or"):
        measure(two, x)  # its encoder and decoder alone are another model
    pair = pyramids.pyramid_networks((8, 8, 3), 2, widths=(4,), depths=(1,), patches=(2,))
    measure(VAE(*pair, likelihood="gaussian", sigma=0.1), x)


@pytest.mark.parametrize("exact", [True, False])
def test_the_gap_of_a_linear_model_is_what_the_elbo_lacks(exact):
    rng = np.random.default_rng(3)
    x, W, sigma = rng.normal(size=(50, 6)), rng.normal(size=(6, 2)), 0.7
    mean, log_variance = rng.normal(size=(50, 2)), rng.normal(size=2)
    if exact:  # the best diagonal q
        precision = np.eye(2) + W.T @ W / sigma**2
        mean = x @ W @ np.linalg.inv(precision) / sigma**2
        log_variance = -np.log(np.diag(precision))
    log_p, gap, smallest = metrics.linear_gaussian_gap(x, W, sigma, mean, log_variance)
    squares = np.sum((x - mean @ W.T) ** 2, axis=1) + np.sum(np.exp(log_variance) * W**2)
    nll = 0.5 * squares / sigma**2 + 6 * (math.log(sigma) + 0.5 * losses.LOG_2PI)
    kl = 0.5 * np.sum(mean**2 + np.exp(log_variance) - 1 - log_variance, axis=1)
    assert np.mean(-nll - kl) == pytest.approx(log_p - gap, abs=1e-10)
    covariance = W @ W.T + sigma**2 * np.eye(6)
    assert log_p == pytest.approx(multivariate_normal(cov=covariance).logpdf(x).mean())
    assert gap == pytest.approx(smallest, abs=1e-10) if exact else gap > smallest > 0


@pytest.mark.parametrize("sigma", [0.2, 0.6, 2.0])
def test_bits_are_those_of_the_sigma_and_of_the_error_in_its_place(sigma):
    x = np.random.default_rng(0).random((16, 6)).astype("float32")
    vae = models.dense_vae((6,), latent=1, hidden=3, likelihood="gaussian", sigma=sigma)
    vae.set_weights([0 * w for w in vae.get_weights()])  # the mean is 0 whatever z is, the KL 0

    def bits(sigma):
        nats = np.mean(x**2) / (2 * sigma**2) + np.log(sigma) + 0.5 * np.log(2 * np.pi)
        return nats / np.log(2) + 8

    rate, own, replaced = metrics.rate_and_bits(vae, x)
    assert rate == 0
    assert own == pytest.approx(bits(sigma), rel=1e-5)
    assert replaced == pytest.approx(bits(np.sqrt(np.mean(x**2))), rel=1e-5) and replaced < own


@pytest.mark.parametrize(("ends", "less"), [((-1, 1), 1), (None, 8)])
def test_bits_count_the_levels_of_a_byte_in_the_range_of_the_pixels(ends, less):
    x = np.random.default_rng(0).random((16, 6)).astype("float32")
    kept = {}
    for value_range in ((0, 1), ends):
        vae = models.dense_vae((6,), 1, 3, likelihood="gaussian", value_range=value_range)
        vae.set_weights([0 * w for w in vae.get_weights()])  # the mean is 0 whatever z is, the KL 0
        kept[value_range] = metrics.rate_and_bits(vae, x)
    rates, *bits = zip(*kept.values())
    assert rates[0] == rates[1]
    assert [one - other for one, other in bits] == pytest.approx([less, less], abs=1e-5)


def test_a_bernoulli_has_only_the_bits_with_the_error_as_sigma():
    x = np.random.default_rng(0).random((16, 6)).astype("float32")
    _, bits, replaced = metrics.rate_and_bits(models.dense_vae((6,), latent=1, hidden=3), x)
    assert bits == replaced


def test_the_rms_error_is_that_of_a_draw():
    vae = models.dense_vae((6,), latent=1, hidden=3, likelihood="gaussian", sigma=1.0)
    vae.set_weights([0 * w for w in vae.get_weights()])  # the mean is 0 whatever z is
    x = np.random.default_rng(0).random((16, 6)).astype("float32")
    assert metrics.rms_error(vae, x) == pytest.approx(np.sqrt(np.mean(x**2)), rel=1e-5)
