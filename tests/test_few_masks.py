"""Heads with few masks: the pictures that they get, and the features that they read."""

import keras
import numpy as np
import pytest

from helpers import data, pyramids
from helpers.data.scenes import CLEAR
from helpers.experiments import few_masks

PAIR = {"latent": 2, "widths": (4, 6), "depths": (1, 1), "patches": (2, 2), "batch_norm": False}


def pair(seed=0):
    keras.utils.set_random_seed(seed)
    return pyramids.pyramid_networks((16, 16, 3), **PAIR)


@pytest.mark.parametrize(
    ("reading", "channels"),
    [
        ("encoder", [4, 6]),
        ("decoder", [4, 6]),
        ("both", [4, 4, 6, 6]),
        ("latent", [2]),
        ("decoder 1", [6]),
    ],
)
def test_a_reading_has_its_levels_finest_first_and_a_head_fits(reading, channels):
    encoder, decoder = pair()
    found = few_masks.features(encoder, decoder, reading)
    assert [level.shape[-1] for level in found] == channels
    sides = [level.shape[1] for level in found]
    assert sides == sorted(sides, reverse=True)
    head = pyramids.segmentation_head(encoder.input, found, 3)
    assert head.output_shape == (None, 16, 16, 3)


def test_with_pictures_to_scale_on_every_level_has_a_spread_of_one():
    encoder, decoder = pair()
    x = np.random.default_rng(0).random((20, 16, 16, 3)).astype("float32")
    raw = keras.Model(encoder.input, few_masks.features(encoder, decoder, "both"))
    scaled = keras.Model(encoder.input, few_masks.features(encoder, decoder, "both", x))
    assert max(level.std() for level in raw.predict(x, verbose=0)) < 0.9
    assert [level.std() for level in scaled.predict(x, verbose=0)] == pytest.approx(
        [1] * 4, abs=1e-3
    )
    one = keras.Model(encoder.input, few_masks.features(encoder, decoder, "latent", x))
    assert one.predict(x, verbose=0).std() == pytest.approx(1, abs=1e-3)


def test_another_reading_is_refused_by_name():
    with pytest.raises(ValueError, match="'middle'"):
        few_masks.features(*pair(), "middle")


def head(side=16):
    image = keras.Input((side, side, 3))
    return keras.Model(image, keras.layers.Conv2D(4, 1)(image))


def test_only_the_masks_of_the_budget_are_used(monkeypatch):
    set_ = data.load("shapes", "train", limit=12, size=16, seed=0, **CLEAR)
    given = {}
    model = head()
    monkeypatch.setattr(model, "fit", lambda x, y, **options: given.update(x=x, y=y, **options))
    few_masks.train_head(
        model, data.to_float(set_.images), set_.masks, 3, run=1, steps=5, batch_size=4
    )
    assert len(given["x"]) == 20 and given["batch_size"] == 4
    known = data.to_float(set_.images)
    used = {int(np.flatnonzero((known == x).all((1, 2, 3)))[0]) for x in given["x"]}
    passes = np.split(given["x"][:18], 6)  # in one order or another, the same three
    sums = [sorted(one.sum(axis=(1, 2, 3))) for one in passes]
    assert np.allclose(sums, sums[0]) and len({one.tobytes() for one in passes}) > 1
    rate = model.optimizer._learning_rate  # falls to zero
    assert float(rate(0)) == pytest.approx(0.01) and float(rate(5)) == pytest.approx(0, abs=1e-9)
    assert used == set(np.random.default_rng(1).permutation(12)[:3].tolist())


def test_codes_of_several_shapes_may_stand_in_for_pictures():
    vector, grid = keras.Input((3,)), keras.Input((16, 16, 2))
    spread = keras.layers.Reshape((1, 1, 3))(vector)
    both = keras.layers.Concatenate()([keras.layers.UpSampling2D(16)(spread), grid])
    model = keras.Model([vector, grid], keras.layers.Conv2D(4, 1)(both))
    codes = [np.ones((6, 3), "float32"), np.ones((6, 16, 16, 2), "float32")]
    few_masks.train_head(model, codes, np.zeros((6, 16, 16), int), 4, run=0, steps=3)
    assert np.isfinite(model.predict(codes, verbose=0)).all()


def test_it_learns_and_a_run_is_repeated_to_the_last_digit():
    set_ = data.load("shapes", "train", limit=12, size=16, seed=0, **CLEAR)
    answers = []
    for _ in range(2):
        keras.utils.set_random_seed(0)
        model = head()
        few_masks.train_head(model, data.to_float(set_.images), set_.masks, 12, run=0, steps=60)
        answers.append(model.predict(data.to_float(set_.images), verbose=0))
    assert np.array_equal(*answers)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    before = loss(set_.masks, head().predict(data.to_float(set_.images), verbose=0))
    assert float(loss(set_.masks, answers[0])) < 0.8 * float(before)


@pytest.mark.parametrize("budget", [0, 13])
def test_a_budget_that_is_not_there_is_refused(budget):
    with pytest.raises(ValueError, match=f"between 1 and 12. Received: {budget}"):
        few_masks.train_head(head(), np.zeros((12, 16, 16, 3)), np.zeros((12, 16, 16)), budget, 0)
