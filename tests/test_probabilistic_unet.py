"""The parts of the Probabilistic U-Net: shapes, exact −log p, and that choosing is learned."""

import types

import keras
import numpy as np
import pytest
from keras import ops
from small_uncertainty import LATENT, SIZE, ConditionalVAE, coin, fit

from helpers import metrics
from helpers.uncertainty import baselines, probabilistic_unet


@pytest.fixture(scope="module")
def vae():
    keras.utils.set_random_seed(0)
    return fit(ConditionalVAE(), steps=300)


def test_the_parts_have_the_sizes_that_they_promise():
    image = keras.Input((24, 16, 3))
    assert [h.shape for h in probabilistic_unet.encode(image)] == [
        (None, 12, 8, 16),
        (None, 6, 4, 24),
        (None, 3, 2, 32),
    ]
    features, coarsest = probabilistic_unet.unet(image)
    assert features.shape == (None, 12, 8, 24) and coarsest.shape == (None, 3, 2, 48)
    assert [h.shape for h in probabilistic_unet.gaussian(coarsest, 5)] == 2 * [(None, 5)]
    logits = probabilistic_unet.head(features, keras.Input((5,)), per_pixel=2)
    assert logits.shape == (None, 24, 16, 2)
    assert probabilistic_unet.head(features).shape == (None, 24, 16, 1)


def test_the_head_gives_every_place_the_same_z():
    features, z = keras.Input((4, 4, 3)), keras.Input((LATENT,))
    decode = keras.Model([features, z], probabilistic_unet.head(features, z))
    flat = np.ones((2, 4, 4, 3), "float32")
    maps = ops.convert_to_numpy(decode([flat, np.array([[1, 2], [-1, 0]], "float32")]))[..., 0]
    cells = maps.reshape(2, 4, 2, 4, 2).transpose(0, 1, 3, 2, 4).reshape(2, 16, 4)
    assert np.allclose(cells, cells[:, :1], atol=1e-6)  # each place opens into the same 2×2
    assert np.abs(maps[0] - maps[1]).max() > 1e-4


def one_number(mean, log_variance):
    """A model of one number z ~ N(0.5, 0.8²) that has pixels with log-odds 2z and −z."""
    answer = [np.array([[v]], "float32") for v in (mean, log_variance)]
    prior = [np.array([[v]], "float32") for v in (0.5, 2 * np.log(0.8))]
    slopes = np.array([[2.0, -1.0]], "float32")[None, ..., None]

    def decode(inputs, training=False):
        return ops.convert_to_tensor(inputs[1])[:, :, None, None] * slopes

    return types.SimpleNamespace(
        look=lambda x: [ops.zeros((1, 1, 2, 1)), *map(ops.convert_to_tensor, prior)],
        posterior=lambda x: [ops.repeat(ops.convert_to_tensor(t), len(x), axis=0) for t in answer],
        decode=decode,
    )


def exact(y):
    """−log of the integral of p(y|z) over the prior of `one_number`, by summation."""
    z = np.linspace(-8, 9, 200_001)
    prior = np.exp(-0.5 * ((z - 0.5) / 0.8) ** 2) / (0.8 * np.sqrt(2 * np.pi))
    p = np.prod([1 / (1 + np.exp(-(2 * m - 1) * u)) for m, u in zip(y, (2 * z, -z))], axis=0)
    return -np.log(np.trapezoid(p * prior, z))


@pytest.mark.parametrize("posterior", [(0.5, -0.4), (1.5, 0.5), (-0.5, 0.0)])
def test_nll_is_the_integral_whatever_the_posterior_is(posterior):
    people = np.array([[[1, 0]], [[0, 0]], [[1, 0]]])  # the first two times
    expected = (2 * exact((1, 0)) + exact((0, 0))) / 3
    picture = np.zeros((1, 1, 2, 3), "float32")
    found = probabilistic_unet.nll(one_number(*posterior), picture, [people], 20_000)
    assert found.shape == (1,) and found[0] == pytest.approx(expected, abs=0.02)
    few = [
        probabilistic_unet.nll(one_number(*posterior), picture, [people], 2, seed)[0]
        for seed in range(300)
    ]
    error = np.std(few) / np.sqrt(len(few))
    assert np.mean(few) > expected - 3 * error  # on average never too low …
    assert np.min(few) < expected  # … and single ones may be


def a_reading_each(means, sigma, prior_sigma=1.0):
    """A model whose posterior has the mean of the reading; decoded log-odds are z everywhere."""

    def posterior(x):
        kinds = np.asarray(x)[:, 0, 0, -1].astype(int)  # the first pixel of the mask is the number
        found = (
            np.asarray(means, "float32")[kinds][:, None],
            np.full((len(x), 1), 2 * np.log(sigma)),
        )
        return [ops.convert_to_tensor(t.astype("float32")) for t in found]

    def look(x):
        at = np.zeros((len(x), 1), "float32")
        spread = at + np.float32(2 * np.log(prior_sigma))
        return [ops.zeros((len(x), 1, 1, 1)), *map(ops.convert_to_tensor, (at, spread))]

    def decode(inputs):
        return ops.convert_to_tensor(inputs[1])[:, :, None, None] * np.ones((1, 1, 2, 1), "float32")

    return types.SimpleNamespace(look=look, posterior=posterior, decode=decode)


def test_the_mean_kl_is_information_about_the_reading_and_misfit_of_the_prior():
    shares = np.array([0.6, 0.4])

    def found(*arguments, pictures=3, draws=400):
        images = np.zeros((pictures, 1, 2, 3), "float32")
        readings = np.zeros((pictures, 2, 1, 2))
        readings[:, 1] = 1
        model = a_reading_each(*arguments)
        return probabilistic_unet.bound_terms(model, images, readings, shares, draws)

    same = found([0.0, 0.0], 0.5, 0.5)  # every posterior is the prior
    assert same["information"] == pytest.approx(0, abs=1e-6)
    assert same["misfit"] == pytest.approx(0, abs=1e-6) and same["kl"] == pytest.approx([0, 0])
    apart = found([-1.0, 3.0], 0.01)
    assert apart["information"] == pytest.approx(-np.sum(shares * np.log(shares)), abs=1e-3)
    kl = [np.log(100) - 0.5 + 0.5 * (1e-4 + mean**2) for mean in (1, 3)]
    assert apart["kl"] == pytest.approx(kl, rel=1e-4)
    assert apart["misfit"] == pytest.approx(shares @ kl - apart["information"])
    # Log-odds of −1 where nothing is marked, of 3 where all is: two pixels each.
    nats = [2 * np.log1p(np.exp(-1)), 2 * np.log1p(np.exp(-3))]
    assert apart["reconstruction"] == pytest.approx(nats, abs=0.01)
    # Between the two: ∫ by summation.
    near = found([-0.5, 0.5], 1.0, pictures=2000, draws=30)
    z = np.linspace(-8, 8, 4001)
    each = [np.exp(-0.5 * (z - m) ** 2) / np.sqrt(2 * np.pi) for m in (-0.5, 0.5)]
    mixed = shares @ np.array(each)
    exact = sum(s * np.trapezoid(q * np.log(q / mixed), z) for s, q in zip(shares, each))
    assert near["information"] == pytest.approx(exact, abs=0.01)
    shares = np.array([0.2, 0.3, 0.5])
    with pytest.raises(ValueError, match="one for each of 2 readings"):
        found([0, 1], 1)


def test_it_learns_to_choose_where_one_map_must_average(vae):
    images, people = coin(6, seed=2)
    keras.utils.set_random_seed(0)
    control = baselines.Baseline("one map", (SIZE, SIZE, 3))
    fit(control.network, control.loss)
    one = [control.draw(image, 20) for image in images]
    single = control.nll(one, people).mean()
    assert single > 0.95 * SIZE**2 * np.log(2)  # the average is a half everywhere
    assert probabilistic_unet.nll(vae, images, people, 64).mean() < 0.25 * single
    maps = np.stack([vae.draw(image, 20) for image in images])
    left = maps[:, :, :, : SIZE // 2].mean(axis=(2, 3))
    assert ((left < 0.2) | (left > 0.8)).mean() > 0.6 and 0.15 < (left > 0.5).mean() < 0.85
    distances = [metrics.generalised_energy_distance(m > 0.5, a) for m, a in zip(maps, people)]
    assert np.mean(distances) < 0.3
