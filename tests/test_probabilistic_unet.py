"""The Probabilistic U-Net: exact cases, and that choosing is learned."""

import keras
import numpy as np
import pytest
from keras import ops
from small_uncertainty import SIZE, coin, encoder

from helpers import losses, metrics
from helpers.segmentation import EdgeCrossEntropy
from helpers.training import train
from helpers.uncertainty import baselines, probabilistic_unet


@pytest.fixture(scope="module")
def unet():
    images, people = coin(24)
    model = probabilistic_unet.probabilistic_unet_head(encoder(), latent=2, width=8, seed=0)
    drawn, _ = baselines.training_rows(images, people, turns=1)
    return train(model, drawn, steps=150, batch_size=8, learning_rate=0.01, seed=0)


def numpy(t):
    return ops.convert_to_numpy(t)


def test_the_bound_is_reconstruction_and_kl_of_two_gaussians(unet):
    images, people = coin(3, seed=1)
    y = np.stack([p[0] for p in people])[..., None].astype("float32")
    noise = np.random.default_rng(0).standard_normal((3, 2)).astype("float32")
    reconstruction, kl = map(numpy, unet.terms(images, y, noise=noise))
    features, coarsest = unet.compute_features(images)
    m, log_s2 = map(numpy, unet.prior(coarsest))
    mu, log_v = map(numpy, unet.posterior([features, ops.convert_to_tensor(y)]))
    s2, v = np.exp(log_s2), np.exp(log_v)
    expected = 0.5 * (v / s2 + (mu - m) ** 2 / s2 - 1 - np.log(v / s2))
    assert np.allclose(kl, expected, rtol=1e-3, atol=1e-4)
    z = ops.convert_to_tensor(mu + np.sqrt(v) * noise)
    nats = numpy(losses.bernoulli_nll(y, unet.decode(features, z)))
    assert np.allclose(reconstruction, nats, rtol=1e-4)
    parts = tuple(map(ops.convert_to_tensor, (reconstruction, kl)))
    total = numpy(unet.compute_loss(y_pred=parts))
    assert total == pytest.approx(nats.mean() + expected.sum(axis=1).mean(), rel=1e-3)


def test_one_code_or_several_give_the_same_maps(unet):
    images, _ = coin(2)
    features, _ = unet.compute_features(images)
    z = np.random.default_rng(0).standard_normal((2, 3, 2)).astype("float32")
    several = numpy(unet.decode(features, ops.convert_to_tensor(z)))
    assert several.shape == (2, 3, SIZE, SIZE, 1)
    for s in range(3):
        one = numpy(unet.decode(features, ops.convert_to_tensor(z[:, s])))
        assert np.allclose(one, several[:, s], atol=1e-5)


def test_it_learns_to_choose_where_one_map_must_average(unet):
    images, people = coin(6, seed=2)
    maps = unet.predict_samples(images, 20, seed=0)
    _, shared = baselines.training_rows(*coin(24), turns=1)
    head = baselines.deterministic_head(encoder(), 8)
    train(
        head,
        shared[..., :3],
        shared[..., 3:],
        EdgeCrossEntropy(),
        steps=150,
        batch_size=8,
        learning_rate=0.01,
        seed=0,
    )
    one = 1 / (1 + np.exp(-head.predict(images, verbose=0)[..., 0]))
    single = np.mean([metrics.pixelwise_nll(p, a).mean() for p, a in zip(one, people)])
    chosen = np.mean([unet.nll(i, a, 64).mean() for i, a in zip(images, people)])
    assert single > 0.95 * SIZE**2 * np.log(2)  # the average is a half everywhere
    assert chosen < 0.25 * single
    left = maps[:, :, :, : SIZE // 2].mean(axis=(2, 3))
    assert ((left < 0.2) | (left > 0.8)).mean() > 0.8 and 0.15 < (left > 0.5).mean() < 0.85
    ged = np.mean([metrics.generalised_energy_distance(m > 0.5, a) for m, a in zip(maps, people)])
    assert ged < 0.3


def test_more_draws_do_not_loosen_the_bound_and_it_stays_one(unet):
    images, people = coin(4, seed=3)
    few, many = (
        np.mean(
            [unet.nll(i, a, k, seed=s).mean() for i, a in zip(images, people) for s in range(5)]
        )
        for k in (1, 200)
    )
    assert many < few + 0.05  # equal where training has made the posterior exact
    maps = unet.predict_samples(images, 2000, seed=1)
    plain = np.mean([metrics.mixture_nll(m, a).mean() for m, a in zip(maps, people)])
    assert many > plain - 0.2  # with few draws from a narrow posterior it stays above


def test_the_weights_undo_whatever_the_posterior_is_and_draws_tighten_the_bound(unet, monkeypatch):
    images, people = coin(1, seed=3)
    mean, log_variance = unet.prior(unet.compute_features(images)[1])
    far = mean + 1.5 * ops.exp(0.5 * log_variance)
    off = [ops.repeat(t, 2, axis=0) for t in (far, log_variance + 1.0)]
    # A property: PyTorch lets no plain function stand in the place of a network.
    answer = property(lambda model: lambda inputs: off)
    monkeypatch.setattr(type(unet), "posterior", answer, raising=False)
    weighted = unet.nll(images[0], people[0], 4000)
    plain = metrics.mixture_nll(unet.predict_samples(images, 4000, seed=1)[0], people[0])
    assert weighted == pytest.approx(plain, abs=0.25)
    single = [unet.nll(images[0], people[0], 1, seed=s).mean() for s in range(20)]
    assert weighted.mean() < np.mean(single) - 0.3  # far off, a single draw is a loose bound


def test_saving_brings_the_same_maps_back(unet, tmp_path):
    images, _ = coin(2)
    unet.save(tmp_path / "unet.keras")
    again = keras.models.load_model(tmp_path / "unet.keras")
    assert np.allclose(again.predict_samples(images, 3), unet.predict_samples(images, 3), atol=1e-5)


def test_bad_options_are_refused():
    with pytest.raises(ValueError, match="latent"):
        probabilistic_unet.probabilistic_unet_head(encoder(), latent=0)
    with pytest.raises(ValueError, match="beta"):
        probabilistic_unet.probabilistic_unet_head(encoder(), beta=-1)
