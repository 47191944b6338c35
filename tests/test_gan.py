"""The divergence in closed cases, the penalty on slopes, and a trainer of two players."""

import math

import keras
import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from helpers.generative import gan
from helpers.networks import conv_networks


def test_the_divergence_in_cases_known_in_closed_form():
    p, q = np.zeros(100), np.zeros(100)
    p[:50], q[50:] = 1, 1
    assert gan.jensen_shannon_divergence(p, q, 1 / 50) == pytest.approx(math.log(2))
    assert gan.jensen_shannon_divergence(p, p, 1 / 50) == 0
    r = np.zeros(100)
    r[25:75] = 1  # half of it overlaps with p
    # In p alone and r alone the middle is half; where both are, it is the same.
    assert gan.jensen_shannon_divergence(p, r, 1 / 50) == pytest.approx(math.log(2) / 2)
    assert gan.jensen_shannon_divergence(p, r, 1 / 50) == gan.jensen_shannon_divergence(
        r, p, 1 / 50
    )


def test_the_divergence_of_normal_densities_is_the_game_of_their_best_judge():
    line = np.linspace(-40, 48, 8801)
    for a in (0, 1, 4, 8):
        p, q = (np.exp(-0.5 * (line - m) ** 2) / math.sqrt(2 * math.pi) for m in (0, a))
        logit = a * (a / 2 - line)  # log p - log q
        game = -np.sum(p * np.logaddexp(0, -logit) + q * np.logaddexp(0, logit)) * 0.01
        assert game == pytest.approx(2 * gan.jensen_shannon_divergence(p, q, 0.01) - math.log(4))


def test_the_divergence_is_the_square_of_the_distance_by_scipy():
    rng = np.random.default_rng(0)
    p, q = (values / values.sum() / 0.01 for values in rng.random((2, 200)))
    expected = jensenshannon(p, q) ** 2
    assert gan.jensen_shannon_divergence(p, q, 0.01) == pytest.approx(expected, rel=1e-9)


def test_what_is_no_density_is_refused():
    with pytest.raises(ValueError, match="`q` must be a density"):
        gan.jensen_shannon_divergence(np.ones(10), np.full(10, 2.0), 0.1)
    with pytest.raises(ValueError, match="one grid"):
        gan.jensen_shannon_divergence(np.ones(10), np.ones(5), 0.1)


def test_the_slope_is_measured_by_a_nudge():
    rng = np.random.default_rng(0)
    slope = rng.normal(size=(12, 1))  # of a discriminator with logits x @ slope
    x = rng.normal(size=(200_000, 12))
    nudged = x + gan.NUDGE * rng.normal(size=x.shape)
    logits = [a @ slope for a in (x, x, nudged)]
    without, once, twice = (float(gan.discriminator_loss(*logits, w)) for w in (0.0, 1.0, 2.0))
    assert once - without == pytest.approx(0.5 * np.sum(slope**2), rel=0.02)
    assert twice - without == pytest.approx(2 * (once - without), rel=1e-3)


def test_the_game_without_a_penalty_is_the_cross_entropy_of_keras():
    real, fake = np.random.default_rng(0).normal(size=(2, 8, 1)).astype("float32")
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    expected = cross_entropy(np.ones_like(real), real) + cross_entropy(np.zeros_like(fake), fake)
    found = gan.discriminator_loss(real, fake, real, 0.0)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


STREAM = [(a,) for a in np.random.default_rng(0).random((6, 4, 16, 16, 3), "float32")]


def small_trainer(kind="gan", rates=(0.01, 0.01)):
    keras.utils.set_random_seed(0)
    encoder, decoder = conv_networks((16, 16, 3), latent=2, width=2, centre=True)
    own = [decoder] if kind == "gan" else [encoder, decoder]
    discriminator = gan.build_discriminator((16, 16, 3), 2)
    seed_generator = keras.random.SeedGenerator(0)
    players = [gan.player(discriminator), gan.player(*own, ema_momentum=0.5)]
    common = (discriminator, players, seed_generator, 4, 0.1, 0.05)
    if kind == "gan":
        step = gan.gan_step(decoder, *common)
    else:
        step = gan.vae_gan_step(own, *common, (1.0, 2.0))
    networks = [*own, discriminator]
    return gan.AdversarialTrainer(step, players, rates, networks, seed_generator), networks


@pytest.mark.parametrize("kind", ["gan", "vaegan"])
def test_a_training_in_parts_is_the_whole_one_and_all_networks_learn(kind):
    trainer, networks = small_trainer(kind)
    before = [network.get_weights() for network in networks]
    losses, seconds = trainer.fit(STREAM, 6)
    assert losses.shape == (6, 2) and np.isfinite(losses).all() and seconds > 0
    for network, weights in zip(networks, before):
        assert all(not np.allclose(a, b) for a, b in zip(network.get_weights(), weights)), network
    parts, _ = small_trainer(kind)
    again = np.concatenate([parts.fit(STREAM, 2)[0], parts.fit(STREAM, 4, first=2)[0]])
    np.testing.assert_allclose(again, losses, rtol=1e-3)


@pytest.mark.parametrize("kind", ["gan", "vaegan"])
def test_each_player_moves_the_answer_its_own_way(kind):
    # The logit says how real a picture looks: drawn ones shall look real to a judge that stands
    # still, and a judge alone shall find real ones more real than drawn ones.
    z = np.random.default_rng(1).normal(size=(64, 2)).astype("float32")

    def logit(networks, pictures):
        return float(np.mean(networks[-1].predict(pictures, verbose=0)[0]))

    trainer, networks = small_trainer(kind, rates=(0.0, 0.01))
    before = logit(networks, networks[-2].predict(z, verbose=0))
    trainer.fit(STREAM, 6)
    assert logit(networks, networks[-2].predict(z, verbose=0)) > before

    trainer, networks = small_trainer(kind, rates=(0.01, 0.0))
    trainer.fit(STREAM, 6)
    real, drawn = (
        np.concatenate([STREAM[i][0] for i in range(4)]),
        networks[-2].predict(z, verbose=0),
    )
    assert logit(networks, real) > logit(networks, drawn)


def test_the_average_is_between_the_weights_that_it_averages():
    trainer, (generator, discriminator) = small_trainer()
    trainer.fit(STREAM, 1)
    first = [generator.get_weights(), discriminator.get_weights()]
    trainer.fit(STREAM, 1, first=1)
    second = [generator.get_weights(), discriminator.get_weights()]
    trainer.use_averages()
    assert not np.allclose(generator.get_weights()[0], second[0][0])
    assert not np.allclose(generator.get_weights()[0], first[0][0])
    np.testing.assert_array_equal(discriminator.get_weights()[0], second[1][0])


def test_one_learning_rate_a_player():
    with pytest.raises(ValueError, match="one learning rate a player: 2"):
        small_trainer(rates=(0.01,))
