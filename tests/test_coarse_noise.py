"""Noise in squares, the same each time, on pictures that stay as they are."""

import numpy as np
import pytest

from helpers.checkpoint import training_backup
from helpers.data.coarse_noise import CoarseNoise
from helpers.data.stream import FreshShapes


class Grey:
    """Three batches of grey pictures."""

    epochs = 0

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return (np.full((50, 8, 8, 3), 0.5, "float32"),)

    def on_epoch_end(self):
        self.epochs += 1


def test_the_noise_is_one_value_a_square_and_channel():
    grey = Grey()
    pairs = CoarseNoise(grey, sigma=0.1, side=4, seed=1)
    noisy, clean = pairs[0]
    assert len(pairs) == 3 and (clean == 0.5).all() and noisy.dtype == np.float32
    squares = noisy.reshape(50, 2, 4, 2, 4, 3)
    assert (squares == squares[:, :, :1, :, :1]).all()
    values = squares[:, :, 0, :, 0] - 0.5
    assert values.std() == pytest.approx(0.1, rel=0.15) and len(np.unique(values)) == 50 * 12
    np.testing.assert_array_equal(pairs[0][0], noisy)
    assert (pairs[1][0] != noisy).any()
    pairs.on_epoch_end()
    assert grey.epochs == 1


def test_noisy_pictures_stay_in_range_and_odd_sides_are_refused():
    noisy, _ = CoarseNoise(Grey(), sigma=2.0)[0]
    assert noisy.min() == 0 and noisy.max() == 1
    with pytest.raises(ValueError, match="must divide"):
        CoarseNoise(Grey(), side=3)[0]


def test_each_epoch_has_noise_of_its_own_and_a_training_that_goes_on_has_it_again():
    def pairs(first_epoch=0):
        options = {"size": 16, "objects": 1, "first_epoch": first_epoch}
        return CoarseNoise(FreshShapes(2, 3, **options), seed=1)

    one = pairs()
    noise = np.subtract(*one[0])
    one.on_epoch_end()
    later, clean = one[0]
    assert one.epoch == 1 and (later - clean != noise).any()
    again = pairs()
    training_backup.rewind(again, 1)
    np.testing.assert_array_equal(again[0][0], later)
    np.testing.assert_array_equal(pairs(first_epoch=1)[0][0], later)
