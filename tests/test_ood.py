"""Scores of how far from the training data a picture is: known values, and what each is blind to."""

import math

import keras
import numpy as np
import pytest
from keras import layers, ops
from small_uncertainty import heteroscedastic_vae

from helpers import losses, models
from helpers.uncertainty import ood


def test_auroc_by_hand():
    assert ood.auroc([1, 2], [3, 4]) == 1
    assert ood.auroc([3, 4], [1, 2]) == 0
    assert ood.auroc([1, 1], [1, 1]) == 0.5
    assert ood.auroc([1, 3], [2, 3]) == pytest.approx((1 + 0 + 1 + 0.5) / 4)
    with pytest.raises(ValueError, match="finite"):
        ood.auroc([1, math.nan], [2])
    with pytest.raises(ValueError, match="scores"):
        ood.auroc([], [2])


def test_auroc_agrees_with_scikit_learn():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 9, 50), rng.integers(2, 12, 70)
    truth = np.r_[np.zeros(50), np.ones(70)]
    assert ood.auroc(a, b) == pytest.approx(roc_auc_score(truth, np.r_[a, b]))


def test_the_interval_of_auroc_holds_for_new_draws():
    rng = np.random.default_rng(0)
    draws = [(rng.normal(size=40), rng.normal(1, 1, size=25)) for _ in range(400)]
    found = np.array([ood.auroc_interval(*pair) for pair in draws])
    assert found[0, 0] == ood.auroc(*draws[0])
    assert found[:, 1].mean() / 1.96 == pytest.approx(found[:, 0].std(), rel=0.1)
    true = 0.5 * (1 + math.erf(1 / 2))  # P(x + 1 > y) for two standard normals
    assert 0.9 < (abs(found[:, 0] - true) < found[:, 1]).mean() < 0.98
    # Equal scores count half, and say nothing about spread.
    assert ood.auroc_interval([1, 1], [1, 1]) == (0.5, 0.0)


def test_the_interval_of_a_difference_of_two_aurocs_holds_for_new_draws():
    rng = np.random.default_rng(1)
    found = []
    for _ in range(400):
        usual, strange = rng.normal(size=(2, 40)), rng.normal(1, 1, size=(2, 25))
        usual[1] += usual[0]  # two scores of the same pictures have much in common
        strange[1] += strange[0]
        one, other = ((usual[i], strange[i]) for i in (0, 1))
        found.append(ood.auroc_difference(one, other))
    value, half = np.transpose(found)
    assert value[-1] == pytest.approx(ood.auroc(*one) - ood.auroc(*other))
    assert half.mean() / 1.96 == pytest.approx(value.std(), rel=0.1)
    assert ood.auroc_difference(one, one) == (0.0, 0.0)
    with pytest.raises(ValueError, match="same pictures"):
        ood.auroc_difference(one, (other[0][1:], other[1]))


def test_a_plain_picture_is_short_as_png_and_noise_is_not():
    noise = np.random.default_rng(0).random((1, 32, 32, 3), "float32")
    flat = np.full((1, 32, 32, 3), 0.5, "float32")
    short, long = ood.png_nats(np.concatenate([flat, noise]))
    assert short < 1500 < 32 * 32 * 3 * math.log(256) * 0.95 < long
    grey = ood.png_nats(noise[..., :1])
    assert 0.9 * long / 3 < grey[0] < 1.2 * long / 3


def test_excess_makes_a_density_one_of_grey_levels():
    x = np.zeros((1, 4, 4, 1))
    gain = ood.input_complexity([5.0], x) - ood.input_complexity([5.0], x, density=False)
    assert gain == pytest.approx(16 * math.log(256))


def test_terms_are_means_of_draws_and_add_up_to_the_elbo():
    class Model:
        draws = 0

        def terms(self, x):
            self.draws += 1
            return x[:, 0] + self.draws, x[:, 1]

    x = np.random.default_rng(0).random((7, 2), "float32")
    reconstruction, kl = ood.elbo_terms(Model(), x, draws=3, batch_size=7)
    np.testing.assert_allclose(reconstruction, x[:, 0] + 2, rtol=1e-6)  # 1, 2 and 3 added
    np.testing.assert_allclose(kl, x[:, 1])
    parts = ood.elbo_terms(Model(), x, draws=1, batch_size=3)
    np.testing.assert_allclose(parts[0], x[:, 0] + np.repeat([1, 2, 3], [3, 3, 1]), rtol=1e-6)
    total = ood.negative_elbo(Model(), x, draws=3)
    np.testing.assert_allclose(total, reconstruction + kl, rtol=1e-6)


def test_roughness_is_the_mean_step_between_neighbours():
    x = np.zeros((2, 3, 3, 1))
    x[0, 1] = 1  # a row: all steps down, none across
    assert ood.roughness(x).tolist() == [0.5, 0]


def test_too_likely_is_untypical():
    assert ood.typicality([-9.0, 0.0, 9.0], [1.0, -1.0]).tolist() == [9, 0, 9]


def test_ten_pictures_make_one_mean():
    assert ood.batch_means(np.arange(25)).tolist() == [4.5, 14.5]
    with pytest.raises(ValueError, match="ten"):
        ood.batch_means([1.0] * 9)


def test_the_heteroscedastic_likelihood_is_a_gaussian_with_its_own_sigma():
    vae = heteroscedastic_vae((8, 8, 1), 2, 4, seed=0)
    x = np.random.default_rng(0).random((3, 8, 8, 1), "float32")
    z = np.zeros((3, 2), "float32")
    mean, raw = np.split(ops.convert_to_numpy(vae.decoder(z)), 2, axis=-1)
    sigma = ood.FLOOR + np.exp(raw.astype("float64"))
    expected = 0.5 * (losses.LOG_2PI + ((x - mean) / sigma) ** 2) + np.log(sigma)
    nats = ops.convert_to_numpy(vae.reconstruction_nll(x, z))
    assert np.allclose(nats, expected.sum(axis=(1, 2, 3)), rtol=1e-4)
    assert vae.decode(z).shape == x.shape
    assert vae.predict(x, verbose=0).shape == x.shape
    for name, value in (("likelihood", "bernoulli"), ("sigma", 0.3), ("sigma", None)):
        with pytest.raises(ValueError, match=f"σ of its own.* Received: {name}={value!r}"):
            ood.HeteroscedasticVAE(vae.encoder, vae.decoder, **{name: value})
    plain = models.conv_vae((8, 8, 1), 2, 4, likelihood="gaussian")
    with pytest.raises(ValueError, match="mean and a spread"):
        ood.HeteroscedasticVAE(plain.encoder, plain.decoder)


def test_the_heteroscedastic_vae_learns():
    x = np.random.default_rng(0).random((32, 8, 8, 1), "float32") * 0.2
    vae = heteroscedastic_vae((8, 8, 1), 2, 4, seed=0)
    before = ood.negative_elbo(vae, x).mean()
    vae.compile(keras.optimizers.Adam(0.01))
    vae.fit(x, epochs=15, batch_size=8, verbose=0)
    after = ood.negative_elbo(vae, x)
    assert after.shape == (32,) and after.mean() < before - 20


def _linear(bias):
    """A linear VAE with a posterior that is off by `bias`, and what the best one would save."""
    image, z = keras.Input((1, 1, 2)), keras.Input((1,))
    flat = layers.Flatten()(image)
    first = keras.ops.reshape(flat[:, :1], (-1, 1))
    mean = layers.Lambda(lambda t: 0.5 * t + bias, output_shape=(1,))(first)
    log_variance = layers.Lambda(lambda t: 0 * t + math.log(0.5), output_shape=(1,))(first)
    encoder = keras.Model(image, [mean, log_variance])
    out = layers.Lambda(
        lambda t: ops.reshape(ops.concatenate([t, 0 * t], axis=-1), (-1, 1, 1, 2)),
        output_shape=(1, 1, 2),
    )(z)
    return models.VAE(encoder, keras.Model(z, out), likelihood="gaussian", sigma=1.0, seed=0)


def test_regret_is_what_a_better_posterior_saves():
    # x = (z, 0) + N(0, 1): the exact posterior is N(x/2, 1/2); off by b it costs b²/2 + b²/2.
    x = np.array([[[[1.0, 0.0]]], [[[-0.5, 0.3]]]], "float32")
    good = ood.likelihood_regret(_linear(0.0), x, steps=30, learning_rate=0.02, draws=200)
    bad = ood.likelihood_regret(_linear(1.0), x, steps=150, learning_rate=0.05, draws=200)
    assert np.abs(good).max() < 0.1
    assert np.allclose(bad, 1.0, atol=0.3)


def test_an_interval_of_one_score_is_refused():
    with pytest.raises(ValueError, match=r"two scores or more of each kind\. Received: \(1, 3\)"):
        ood.auroc_interval([0.1], [0.2, 0.3, 0.4])
