"""The Probabilistic U-Net and the heads beside it: exact cases, and that choosing is learned."""

import keras
import numpy as np
import pytest
from keras import ops

from helpers import losses, metrics, pyramids
from helpers.segmentation import EdgeCrossEntropy
from helpers.training import train
from helpers.uncertainty import baselines, probabilistic_unet

SIZE = 16


def encoder(seed=0):
    keras.utils.set_random_seed(seed)
    return pyramids.pyramid_networks((SIZE, SIZE, 3), 2, (8, 8), (1, 1), (2, 2))[0]


def coin(n, seed=0):
    """Red on the left, blue on the right; half of the people mark the red, half the blue."""
    rng = np.random.default_rng(seed)
    images = rng.random((n, SIZE, SIZE, 3), "float32") * 0.1 + 0.3
    images[:, :, : SIZE // 2, 0] += 0.4
    images[:, :, SIZE // 2 :, 2] += 0.4
    people = np.zeros((2, SIZE, SIZE), "uint8")
    people[0, :, : SIZE // 2], people[1, :, SIZE // 2 :] = 1, 1
    return images, [people] * n


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
    with pytest.raises(ValueError, match="annotators"):
        baselines.gaussian_logits_head(encoder(), annotators=0)


def test_dropout_stays_on_and_a_deterministic_head_does_not_vary():
    images, _ = coin(2)
    for share, varies in ((0.0, False), (0.5, True)):
        head = baselines.deterministic_head(encoder(), 8, share, seed=0)
        one, two = (head.predict(images, verbose=0) for _ in range(2))
        assert bool(np.abs(one - two).max() > 1e-4) is varies


def test_gaussian_logits_average_like_a_single_map():
    images, people = coin(24)
    _, shared = baselines.training_rows(images, people, turns=1)
    model = baselines.gaussian_logits_head(encoder(), 8, annotators=2, prior=0.0, seed=0)
    train(model, shared, steps=100, batch_size=8, learning_rate=0.01, seed=0)
    maps = model.predict_samples(images[:3], 50)
    assert maps.shape == (3, 50, SIZE, SIZE)
    assert np.abs(maps.mean(axis=1) - 0.5).max() < 0.2
    # Neighbouring pixels know nothing of each other: no sample is left or right.
    assert np.abs(maps[..., : SIZE // 2].mean(axis=(2, 3)) - 0.5).max() < 0.15


def test_rows_turn_picture_and_marks_together():
    images = np.random.default_rng(0).random((2, 4, 4, 3), "float32")
    people = [(images[i, ..., 0] > 0.5)[None].astype("uint8") for i in range(2)]
    drawn, shared = baselines.training_rows(images, people, seed=0)
    assert drawn.shape == shared.shape == (8, 4, 4, 4)
    assert np.array_equal(drawn[..., 3], drawn[..., 0] > 0.5)
    assert np.array_equal(drawn, shared)
    two = [np.stack([p[0], 1 - p[0]]) for p in people]
    drawn, shared = baselines.training_rows(images, two, seed=0)
    assert (shared[..., 3] == 0.5).all() and set(np.unique(drawn[..., 3])) == {0, 1}
