"""The heads beside the Probabilistic U-Net, and the rows that they learn from."""

import numpy as np
import pytest
from small_uncertainty import SIZE, coin, encoder

from helpers.training import train
from helpers.uncertainty import baselines


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


def test_bad_options_are_refused():
    with pytest.raises(ValueError, match="annotators"):
        baselines.gaussian_logits_head(encoder(), annotators=0)
