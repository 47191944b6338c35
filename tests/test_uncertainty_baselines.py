"""What the conditional VAE is compared with: who varies, how, and what it costs in nats."""

import keras
import numpy as np
import pytest
from keras import ops
from small_uncertainty import SIZE, coin, fit

from helpers import metrics
from helpers.uncertainty import baselines
from helpers.uncertainty.baselines import Baseline

SHAPE = (SIZE, SIZE, 3)


@pytest.fixture(scope="module")
def trained():
    found = {}
    for name in baselines.METHODS:
        keras.utils.set_random_seed(0)
        found[name] = Baseline(name, SHAPE)
        fit(found[name].network, found[name].loss, steps=100)
    return found


def test_one_map_is_one_and_the_others_vary():
    (picture,), _ = coin(1)
    for name, count in (("one map", 1), ("dropout", 6), ("pixel latent", 6)):
        maps = Baseline(name, SHAPE).draw(picture, 6)
        assert maps.shape == (count, SIZE, SIZE) and maps.dtype == "float32"
        assert maps.min() >= 0 and maps.max() <= 1
        if count > 1:
            assert np.abs(maps[0] - maps[1]).max() > 1e-4, name


def test_all_average_where_half_of_the_people_mark_each_side(trained):
    images, people = coin(4, seed=1)
    for name, control in trained.items():
        maps = [control.draw(image, 50) for image in images]
        assert np.abs(np.mean(maps, axis=1) - 0.5).max() < 0.25, name
        # No map is left or right.
        sides = np.stack([m[..., : SIZE // 2].mean(axis=(1, 2)) for m in maps])
        assert np.abs(sides - 0.5).max() < 0.25, name
        assert control.nll(maps, people).mean() > 0.9 * SIZE**2 * np.log(2), name


def test_pixels_of_the_pixel_latent_know_nothing_of_each_other():
    (picture,), _ = coin(1)
    maps = Baseline("pixel latent", SHAPE).draw(picture, 4000)
    logits = np.log(maps) - np.log1p(-maps)
    centred = logits - logits.mean(axis=0)
    pairs = (centred[:, :, :-1] * centred[:, :, 1:]).mean(axis=0)
    assert np.abs(pairs / centred.var(axis=0)[:, :-1]).max() < 5 / np.sqrt(4000)


def test_the_expected_loss_by_hand():
    y = np.array([1.0, 0.0], "float32").reshape(1, 1, 2, 1)
    logits = np.array([[0.0, np.log(3.0)], [0.0, np.log(3.0)]], "float32").reshape(1, 1, 2, 2)
    found = ops.convert_to_numpy(baselines.expected_nll(y, logits))
    assert np.allclose(found.ravel(), [-np.log(0.625), -np.log(0.375)], atol=1e-6)
    one = ops.convert_to_numpy(baselines.expected_nll(y, logits[..., 1:]))
    assert np.allclose(one.ravel(), [-np.log(0.75), -np.log(0.25)], atol=1e-6)


def test_nats_are_those_of_the_mean_or_for_dropout_of_the_better_law():
    people = [np.array([[[1, 1]], [[0, 0]]])]
    maps = [np.array([[[0.99, 0.99]], [[0.01, 0.01]]])]  # one of two maps, and not their mean
    mean = metrics.pixelwise_nll([[0.5, 0.5]], people[0]).mean()
    mixed = metrics.mixture_nll(maps[0], people[0]).mean()
    assert mixed < mean
    for name, nats in (("one map", mean), ("pixel latent", mean), ("dropout", mixed)):
        assert Baseline(name, SHAPE).nll(maps, people) == pytest.approx([nats])
    turned = [np.array([[[0.99, 0.01]], [[0.01, 0.99]]])]
    assert Baseline("dropout", SHAPE).nll(turned, people) == pytest.approx([mean])


def test_an_unknown_baseline_is_refused():
    with pytest.raises(ValueError, match=r"one of.*Received: name='ensemble'"):
        Baseline("ensemble", SHAPE)
