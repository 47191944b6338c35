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
    counts = {"one map": 1, "dropout": 6, "pixel latent": 6, "three maps": 6}
    for name, count in counts.items():
        maps = Baseline(name, SHAPE).draw(picture, 6)
        assert maps.shape == (count, SIZE, SIZE) and maps.dtype == "float32"
        assert maps.min() >= 0 and maps.max() <= 1
        if count > 1:
            assert np.abs(maps - maps[0]).max() > 1e-4, name


def test_those_without_a_choice_average_where_half_of_the_people_mark_each_side(trained):
    images, people = coin(4, seed=1)
    for name in ("one map", "dropout", "pixel latent"):
        control = trained[name]
        maps = [control.draw(image, 50) for image in images]
        assert np.abs(np.mean(maps, axis=1) - 0.5).max() < 0.25, name
        # No map is left or right.
        sides = np.stack([m[..., : SIZE // 2].mean(axis=(1, 2)) for m in maps])
        assert np.abs(sides - 0.5).max() < 0.25, name
        assert control.nll(maps, people).mean() > 0.9 * SIZE**2 * np.log(2), name


def test_no_two_layers_of_dropout_leave_out_the_same_channels():
    masks = []
    for seed in (0, 1):
        network = Baseline("dropout", SHAPE, seed).answer
        for layer in network.layers:
            if isinstance(layer, baselines.MCDropout):
                masks.append(ops.convert_to_numpy(layer(np.ones((6, 1, 1, 24), "float32"))) > 0)
    assert len(masks) == 4
    for i, one in enumerate(masks):
        assert 0.6 < one.mean() < 0.95
        assert all((one != other).mean() > 0.1 for other in masks[:i])


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
    expected = {"one map": mean, "pixel latent": mean, "dropout": mixed, "three maps": mixed}
    for name, nats in expected.items():
        assert Baseline(name, SHAPE).nll(maps, people) == pytest.approx([nats])
    turned = [np.array([[[0.99, 0.01]], [[0.01, 0.99]]])]
    assert Baseline("dropout", SHAPE).nll(turned, people) == pytest.approx([mean])
    mixed = metrics.mixture_nll(turned[0], people[0]).mean()
    assert Baseline("three maps", SHAPE).nll(turned, people) == pytest.approx([mixed])


def test_three_maps_learn_the_two_readings_and_their_shares(trained):
    images, people = coin(4, seed=1)
    control = trained["three maps"]
    maps = np.stack([control.draw(image, 400) for image in images])  # (4, 400, H, W)
    left = maps[..., : SIZE // 2].mean(axis=(2, 3))
    right = maps[..., SIZE // 2 :].mean(axis=(2, 3))
    assert (np.abs(left - right) > 0.9).mean() > 0.9  # a third map stays grey, and is rare
    assert np.abs((left > right).mean(axis=1) - 0.5).max() < 0.2
    assert control.nll(maps, people).mean() < 0.05 * SIZE**2 * np.log(2)
    for of_one in maps:
        assert len(np.unique(of_one, axis=0)) <= baselines.MAPS


def mixture(maps, shares):
    """What "three maps" gives: logits `(1, 1, P, M)` of M maps of P pixels, and their shares."""
    maps = np.array(maps)
    logits = np.log(maps / (1 - maps)).T[None, None]
    scores = np.broadcast_to(np.log(shares) + 3, logits.shape)  # a constant changes nothing
    return np.concatenate([logits, scores], axis=-1).astype("float32")


def test_the_loss_of_a_mixture_by_hand(monkeypatch):
    y = np.array([1.0, 0.0], "float32").reshape(1, 1, 2, 1)
    outputs = mixture([[0.9, 0.2], [0.5, 0.5]], [0.25, 0.75])
    joint = np.array([0.25 * 0.9 * 0.8, 0.75 * 0.25])
    own = 0.97 * joint / joint.sum() + 0.03 / 2
    found = ops.convert_to_numpy(baselines.mixture_loss(y, outputs))
    assert found.shape == (1,)
    assert found == pytest.approx([np.sum(own * np.log(own / joint))], abs=1e-5)
    assert found > -np.log(joint.sum())  # a bound
    monkeypatch.setattr(baselines, "RELAXED", 0.0)
    exact = ops.convert_to_numpy(baselines.mixture_loss(y, outputs))
    assert exact == pytest.approx([-np.log(joint.sum())], abs=1e-5)


def test_no_map_is_left_without_masks():
    """A map that is far behind is pulled, a little, to the mask that another one explains."""
    y = np.ones((1, 1, 8, 1), "float32")
    outputs = mixture([[0.99] * 8, [0.01] * 8], [0.5, 0.5])
    step = 1e-2

    def loss(change):
        return float(baselines.mixture_loss(y, outputs + change)[0])

    far = np.zeros((1, 1, 8, 4), "float32")
    far[..., 1] = step
    slope = (loss(far) - loss(-far)) / (2 * step)
    assert slope == pytest.approx(-0.015 * 8 * 0.99, rel=0.05)


def test_shares_of_the_three_maps_are_those_of_the_draws():
    (picture,), people = coin(1)
    control = Baseline("three maps", SHAPE)
    outputs = ops.convert_to_numpy(control.answer(control.features(picture[None])))[0]
    assert outputs.shape == (SIZE, SIZE, 2 * baselines.MAPS)
    scores = outputs[..., baselines.MAPS :]
    assert np.ptp(scores, axis=(0, 1)).max() == 0  # the same at each pixel
    shares = np.exp(scores[0, 0]) / np.exp(scores[0, 0]).sum()
    maps = control.draw(picture, 4000)
    each = 1 / (1 + np.exp(-outputs[..., : baselines.MAPS]))
    for k, share in enumerate(shares):
        same = (np.abs(maps - each[..., k]).max(axis=(1, 2)) < 1e-5).mean()
        assert same == pytest.approx(share, abs=0.04)
    nats = [metrics.pixelwise_nll(each[..., k], people[0]) for k in range(baselines.MAPS)]
    exact = -np.log(shares @ np.exp(-np.stack(nats)))
    assert control.nll([maps], people) == pytest.approx([exact.mean()], rel=1e-3)


def test_an_unknown_baseline_is_refused():
    with pytest.raises(ValueError, match=r"one of.*Received: name='ensemble'"):
        Baseline("ensemble", SHAPE)
