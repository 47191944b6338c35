"""The divergence in closed cases, batches, and a trainer of two players."""

import math

import keras
import numpy as np
import pytest
from keras import ops
from scipy.spatial.distance import jensenshannon
from small_gan import step_of, two_players

from helpers.generative import gan


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


def test_batches_pass_over_all_pictures_in_a_new_order():
    images = np.arange(10, dtype="uint8")[:, None]
    batches = [ops.convert_to_numpy(b) for b in gan.random_batches(images, 4, 5, 1)]
    assert [len(b) for b in batches] == [4] * 5 and batches[0].dtype == "float32"
    seen = np.rint(np.concatenate(batches)[:, 0] * 255).astype(int)
    assert sorted(seen[:10]) == sorted(seen[10:]) == list(range(10))
    assert list(seen[:10]) != list(seen[10:])
    with pytest.raises(ValueError, match="batch of 11"):
        next(gan.random_batches(images, 11, 1, 0))


def test_a_trainer_repeats_itself_and_wants_one_rate_a_player():
    networks = two_players()
    first = [network.get_weights() for network in networks]
    players = [gan.player(network) for network in networks]
    seed_generator = keras.random.SeedGenerator(0)
    step = step_of(networks, [adam for _, adam in players], seed_generator)
    trainer = gan.AdversarialTrainer(step, players, [0.01, 0.02], networks, seed_generator)
    images = np.random.default_rng(0).random((20, 3))
    found = []
    for seed in (0, 0, 1):
        for network, weights in zip(networks, first):
            network.set_weights(weights)
        losses, seconds = trainer.fit(images, 8, 6, seed)
        assert losses.shape == (6, 2) and seconds > 0
        found.append((losses, networks[0].get_weights()))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-5)
    assert not np.allclose(found[0][0], found[2][0])
    assert any(not np.allclose(a, b) for a, b in zip(first[0], found[0][1]))
    with pytest.raises(ValueError, match="one learning rate a player: 2"):
        gan.AdversarialTrainer(step, players, [0.01], networks, seed_generator)
