"""A VAE with two levels: its bound against one by hand, its start, and what it refuses."""

import keras
import numpy as np
import pytest

from helpers import losses, models
from helpers.models import two_level

SIZES = {"latent": 3, "width": 4, "channels": 2}


@pytest.fixture(scope="module")
def vae():
    keras.utils.set_random_seed(0)
    return models.TwoLevelVAE((16, 16, 3), **SIZES, sigma=0.1, seed=0)


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).random((5, 16, 16, 3), "float32")


def log_normal(x, mean, log_variance):
    """Log density summed over all but the first axis, (N,)."""
    log_p = -0.5 * (np.log(2 * np.pi) + log_variance + (x - mean) ** 2 / np.exp(log_variance))
    return log_p.reshape(len(log_p), -1).sum(axis=1)


def numpy(tensors):
    return [keras.ops.convert_to_numpy(t).astype("float64") for t in tensors]


def test_its_mean_bound_is_that_of_the_joint_density(vae, x):
    # log p(x, u, v) − log q(u, v|x) of many draws, in v itself, without any KL in closed form.
    rng, many = np.random.default_rng(1), 3000
    x = np.repeat(x[:1], many, axis=0)
    noise = rng.standard_normal((many, *vae.latent_shape)).astype("float32")
    noise_u, noise_w = noise[:, :3], noise[:, 3:].reshape(-1, *vae.grid)
    mean, log_variance, low = vae.parts["bottom_up"](x)
    u = numpy([mean])[0] + np.exp(0.5 * numpy([log_variance])[0]) * noise_u
    top = vae.parts["top_down"](u.astype("float32"))
    m, log_s2 = numpy(vae.parts["prior"](top))
    mean_w, log_variance_w = numpy(vae.parts["posterior"]([low, top]))
    w = mean_w + np.exp(0.5 * log_variance_w) * noise_w
    v = m + np.exp(0.5 * log_s2) * w
    v_tensor = keras.ops.convert_to_tensor(v, "float32")
    means = vae.parts["pixels"]([top, v_tensor])
    log_p_x = -numpy([losses.gaussian_nll(x, means, np.log(0.1))])[0]
    log_q = log_normal(u, *numpy([mean, log_variance]))
    log_q += log_normal(v, m + np.exp(0.5 * log_s2) * mean_w, log_s2 + log_variance_w)
    log_p = log_normal(u, 0.0, np.zeros_like(u)) + log_normal(v, m, log_s2)
    apart = log_p_x + log_p - log_q - numpy([vae.elbo(x, noise)])[0]
    assert abs(apart.mean()) < 4 * apart.std() / np.sqrt(many)
    assert apart.std() > 0.01  # the two are not the same sum


def test_the_grid_is_the_mean_of_its_prior_and_w_standard_deviations(vae):
    rng = np.random.default_rng(3)
    u = 20 * rng.standard_normal((5, 3)).astype("float32")  # far out, s(u) is not 1
    w = rng.standard_normal((5, *vae.grid)).astype("float32")
    top = vae.parts["top_down"](u)
    m, log_s2 = numpy(vae.parts["prior"](top))
    assert np.abs(log_s2).max() > 0.1
    v = keras.ops.convert_to_tensor(m + np.exp(0.5 * log_s2) * w, "float32")
    expected, found = numpy([vae.parts["pixels"]([top, v]), vae.decode_levels(u, w)])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_grid_counts_in_the_kl_and_noise_repeats(vae, x):
    noise = np.random.default_rng(2).standard_normal((5, *vae.latent_shape)).astype("float32")
    assert vae.latent_shape == (3 + 4 * 4 * 2,)
    _, kl = vae._terms(x, noise)
    assert kl.shape == (5, 35) and float(keras.ops.min(kl)) > -1e-6
    again = numpy([vae.elbo(x, noise), vae.elbo(x, noise)])
    np.testing.assert_array_equal(*again)
    assert tuple(vae.predict(x, verbose=0).shape) == x.shape


def test_it_starts_from_a_vae_with_one_level():
    x = np.random.default_rng(0).random((2, 32, 32, 3), "float32")
    keras.utils.set_random_seed(1)
    one = models.conv_vae((32, 32, 3), 3, 4, likelihood="gaussian", seed=0)
    two = models.TwoLevelVAE((32, 32, 3), **SIZES, seed=0)
    two.start_from(one)
    kernel, bias = (w for w in two.parts["pixels"].weights[:2])
    kernel.assign(0 * kernel)  # the convolution that adds v
    bias.assign(0 * bias)
    ours, theirs = two.predict(x, verbose=0), one.predict(x, verbose=0)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert float(two.log_sigma()) == pytest.approx(float(one.log_sigma()))


def test_the_vae_that_it_starts_from_works_after_its_training():
    # JAX takes arrays away in a training: the two must share none.
    x = np.random.default_rng(0).random((2, 32, 32, 3), "float32")
    one = models.conv_vae((32, 32, 3), 3, 4, likelihood="gaussian", seed=0)
    two = models.TwoLevelVAE((32, 32, 3), **SIZES, seed=0)
    before = one.predict(x, verbose=0)
    two.start_from(one)
    two.compile(keras.optimizers.Adam(1e-2))
    two.fit(x, epochs=2, verbose=0)
    np.testing.assert_allclose(one.predict(x, verbose=0), before, atol=1e-5)
    assert float(one.log_sigma()) != float(two.log_sigma())


def test_training_lowers_the_loss_and_samples_follow_u(vae, x):
    vae.compile(keras.optimizers.Adam(3e-3), run_eagerly=True)
    history = vae.fit(np.repeat(x, 4, axis=0), epochs=4, batch_size=10, verbose=0).history
    assert history["loss"][-1] < history["loss"][0] and "kl" in history
    one, again, other = (
        keras.ops.convert_to_numpy(vae.sample(2, seed=s, u=u))
        for s, u in ((3, None), (3, None), (3, np.full((2, 3), 2.0)))
    )
    np.testing.assert_array_equal(one, again)
    assert one.shape == (2, 16, 16, 3) and not np.allclose(one, other)


def test_it_comes_back_from_a_file(vae, x, tmp_path):
    vae.save(tmp_path / "two.keras")
    again = keras.models.load_model(tmp_path / "two.keras")
    noise = np.zeros((5, *vae.latent_shape), "float32")
    np.testing.assert_allclose(*numpy([vae.elbo(x, noise), again.elbo(x, noise)]), rtol=1e-5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"image_shape": (12, 16, 3)}, "multiples of 8"),
        ({"likelihood": "bernoulli"}, "must be 'gaussian'"),
        ({"channels": 0}, "channels"),
    ],
)
def test_what_does_not_fit_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        models.TwoLevelVAE(**{"image_shape": (16, 16, 3), **SIZES, **given})


def test_its_networks_are_named():
    parts = two_level.two_level_networks((16, 16, 3), **SIZES)
    assert tuple(parts) == two_level.NETWORKS
